/* The reader against RFC 4180's own examples, the faults it must name, its limits, and every way of
 * cutting the input into chunks. */
#include "csv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct chunks {
    struct span text;
    size_t size; /* of the first chunk; the rest follows in one (0: all at once) */
    bool fails;  /* instead of the end */
};

static int64_t chunks_read(void *ctx, char *into, size_t cap)
{
    struct chunks *c = ctx;
    size_t take = c->size > 0 && c->size < c->text.len ? c->size : c->text.len;
    take = take < cap ? take : cap;
    if (c->text.len == 0 && c->fails) {
        errno = EIO;
        return -1;
    }
    memcpy(into, c->text.ptr, take);
    c->text = span_skip(c->text, take);
    c->size = 0;
    return (int64_t)take;
}

/* Everything a text holds, as "[a|b]", with ~ for NULL; a fault as "! message". */
static void read_all(struct span text, size_t first_chunk, struct buf *out)
{
    struct chunks chunks = {.text = text, .size = first_chunk};
    struct csv_reader *reader;
    const struct csv_field *fields;
    size_t count;
    struct error err = ERROR_NONE;
    assert_int_equal(csv_reader_new(chunks_read, &chunks, &reader), STATUS_OK);
    enum status status;
    while ((status = csv_reader_next(reader, &fields, &count, &err)) == STATUS_OK && count > 0) {
        buf_append_byte(out, '[');
        for (size_t i = 0; i < count; i++) {
            buf_append_cstr(out, i > 0 ? "|" : "");
            buf_append_cstr(out, fields[i].text.len == 0 && !fields[i].quoted ? "~" : "");
            buf_append_span(out, fields[i].text);
        }
        buf_append_byte(out, ']');
    }
    if (status != STATUS_OK) {
        buf_append_cstr(out, "! ");
        buf_append_cstr(out, err.message);
        assert_int_equal(csv_reader_next(reader, &fields, &count, &err), status);
    }
    csv_reader_free(reader);
}

struct csv_case {
    struct span text;
    const char *expected;
};

static const struct csv_case csv_cases[] = {
    {SPAN_LIT(""), ""},
    {SPAN_LIT("\n"), ""},
    {SPAN_LIT("\r\n\r\n"), ""},
    {SPAN_LIT("aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n"), "[aaa|bbb|ccc][zzz|yyy|xxx]"},
    {SPAN_LIT("aaa,bbb,ccc\r\nzzz,yyy,xxx"), "[aaa|bbb|ccc][zzz|yyy|xxx]"},
    {SPAN_LIT("aaa,bbb\nzzz,yyy\n"), "[aaa|bbb][zzz|yyy]"},
    {SPAN_LIT("a,b\r\nc,d\ne,f"), "[a|b][c|d][e|f]"},
    {SPAN_LIT("\"aaa\",\"bbb\",\"ccc\"\r\nzzz,yyy,xxx"), "[aaa|bbb|ccc][zzz|yyy|xxx]"},
    {SPAN_LIT("\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz,yyy,xxx"), "[aaa|b\r\nbb|ccc][zzz|yyy|xxx]"},
    {SPAN_LIT("\"aaa\",\"b\"\"bb\",\"ccc\""), "[aaa|b\"bb|ccc]"},
    {SPAN_LIT("\"\"\"\""), "[\"]"},
    {SPAN_LIT("\"\",,\"\""), "[|~|]"},
    {SPAN_LIT(",\n,\n"), "[~|~][~|~]"},
    {SPAN_LIT(","), "[~|~]"},
    {SPAN_LIT("a,"), "[a|~]"},
    {SPAN_LIT("\"\"\n"), "[]"},
    {SPAN_LIT(" a , b "), "[ a | b ]"},
    {SPAN_LIT("a\n\n\nb\n\n"), "[a][b]"},
    {SPAN_LIT("\"a,b\nc\rd\""), "[a,b\nc\rd]"},
    {SPAN_LIT("\"x\"\r\n\"y\"\n"), "[x][y]"},
    {SPAN_LIT("\xef\xbb\xbf"
              "a,b\n1,2"),
     "[a|b][1|2]"},
    {SPAN_LIT("\xef\xbb\xbf"), ""},
    {SPAN_LIT("\xef\xbb\xbf\"a\",b"), "[a|b]"},
    {SPAN_LIT("a\n\xef\xbb\xbf"
              "b"),
     "[a][\xef\xbb\xbf"
     "b]"},
    {SPAN_LIT("caf\xc3\xa9,\xf0\x9f\x98\x80,\xe2\x80\xa6\xc2\xa0"),
     "[caf\xc3\xa9|\xf0\x9f\x98\x80|\xe2\x80\xa6\xc2\xa0]"},
    /* faults */
    {SPAN_LIT("a,b\"c"), "! line 1, column 4: a quote inside an unquoted field: put the field in "
                         "quotes and double this one"},
    {SPAN_LIT("a\nxy,\"b\"c"), "[a]! line 2, column 7: text behind a closing quote: a quote inside "
                               "a field must be doubled"},
    {SPAN_LIT("\"b\" ,c"), "! line 1, column 4: text behind a closing quote: a quote inside a "
                           "field must be doubled"},
    {SPAN_LIT("a\nb,\"c\nd,e\n"),
     "[a]! line 2, column 3: this quoted field never ends: a quote is missing"},
    {SPAN_LIT("\""), "! line 1, column 1: this quoted field never ends: a quote is missing"},
    {SPAN_LIT("a,b\rc"), "! line 1, column 5: a carriage return without a line feed"},
    {SPAN_LIT("a\r"), "! line 1, column 3: a carriage return without a line feed"},
    {SPAN_LIT("a\0b"), "! line 1, column 2: a NUL byte: this is not a text file"},
    {SPAN_LIT("\"\xc3\xa9\xc3\xa9\0"), "! line 1, column 4: a NUL byte: this is not a text file"},
    {SPAN_LIT("ok\na,\xff"), "[ok]! line 2, field 2: not UTF-8: save the file as UTF-8"},
    {SPAN_LIT("a,caf\xe9,b"), "! line 1, field 2: not UTF-8: save the file as UTF-8"},
    {SPAN_LIT("\xf0\x9f\x98"), "! line 1, field 1: not UTF-8: save the file as UTF-8"},
    {SPAN_LIT("\xef\xbb"), "! line 1, field 1: not UTF-8: save the file as UTF-8"},
};

static void texts_give_the_records_and_faults_of_rfc_4180(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(csv_cases); i++) {
        struct buf out;
        buf_init(&out, 1 << 16);
        read_all(csv_cases[i].text, 0, &out);
        assert_string_equal(buf_cstr(&out), csv_cases[i].expected);
        buf_release(&out);
    }
}

static void every_cut_into_two_chunks_gives_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(csv_cases); i++) {
        for (size_t cut = 1; cut < csv_cases[i].text.len; cut++) {
            struct buf out;
            buf_init(&out, 1 << 16);
            read_all(csv_cases[i].text, cut, &out);
            assert_string_equal(buf_cstr(&out), csv_cases[i].expected);
            buf_release(&out);
        }
    }
}

static void a_record_at_the_byte_limit_is_read_and_one_byte_more_is_refused(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        struct buf text;
        buf_init(&text, CSV_RECORD_BYTES_MAX + 16);
        assert_true(buf_reserve(&text, CSV_RECORD_BYTES_MAX + 1));
        memset(text.ptr, 'x', CSV_RECORD_BYTES_MAX + extra);
        text.len = CSV_RECORD_BYTES_MAX + extra;
        struct chunks chunks = {.text = buf_span(&text)};
        struct csv_reader *reader;
        const struct csv_field *fields;
        size_t count;
        struct error err = ERROR_NONE;
        assert_int_equal(csv_reader_new(chunks_read, &chunks, &reader), STATUS_OK);
        enum status status = csv_reader_next(reader, &fields, &count, &err);
        if (extra == 0) {
            assert_int_equal(status, STATUS_OK);
            assert_int_equal(fields[0].text.len, CSV_RECORD_BYTES_MAX);
        } else {
            assert_int_equal(status, STATUS_LIMIT);
            assert_string_equal(err.message, "line 1: a record of more than 1048576 bytes (is a "
                                             "closing quote missing?)");
        }
        csv_reader_free(reader);
        buf_release(&text);
    }
}

static void a_record_at_the_field_limit_is_read_and_one_field_more_is_refused(void **state)
{
    (void)state;
    char text[CSV_FIELDS_MAX + 4] = "\n";
    for (size_t extra = 0; extra < 2; extra++) {
        size_t commas = CSV_FIELDS_MAX - 1 + extra;
        memset(text + 1, ',', commas);
        struct chunks chunks = {.text = span_from(text, commas + 1)};
        struct csv_reader *reader;
        const struct csv_field *fields;
        size_t count;
        struct error err = ERROR_NONE;
        assert_int_equal(csv_reader_new(chunks_read, &chunks, &reader), STATUS_OK);
        enum status status = csv_reader_next(reader, &fields, &count, &err);
        assert_int_equal(status, extra == 0 ? STATUS_OK : STATUS_LIMIT);
        assert_int_equal(count, extra == 0 ? CSV_FIELDS_MAX : 0);
        if (extra > 0) {
            assert_string_equal(err.message, "line 2: more than 256 fields");
        }
        csv_reader_free(reader);
    }
}

static void the_line_of_a_record_is_where_it_began(void **state)
{
    (void)state;
    struct chunks chunks = {.text = SPAN_LIT("h\n\n\"a\nb\nc\"\nd\n")};
    static const uint64_t lines[] = {1, 3, 6};
    struct csv_reader *reader;
    const struct csv_field *fields;
    size_t count;
    assert_int_equal(csv_reader_new(chunks_read, &chunks, &reader), STATUS_OK);
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        assert_int_equal(csv_reader_next(reader, &fields, &count, NULL), STATUS_OK);
        assert_int_equal(csv_reader_line(reader), lines[i]);
    }
    csv_reader_free(reader);
}

static void a_source_that_fails_is_an_io_error_with_the_line(void **state)
{
    (void)state;
    struct chunks chunks = {.text = SPAN_LIT("a\nb"), .fails = true};
    struct csv_reader *reader;
    const struct csv_field *fields;
    size_t count;
    struct error err = ERROR_NONE;
    assert_int_equal(csv_reader_new(chunks_read, &chunks, &reader), STATUS_OK);
    assert_int_equal(csv_reader_next(reader, &fields, &count, &err), STATUS_OK);
    assert_int_equal(csv_reader_next(reader, &fields, &count, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "line 2: the input cannot be read: "));
    csv_reader_free(reader);
}

static void appended_fields_are_quoted_only_when_they_must_be(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"plain", "plain"},         {"", "\"\""},         {"a,b", "\"a,b\""},
        {"a\nb", "\"a\nb\""},       {"a\rb", "\"a\rb\""}, {"say \"hi\"", "\"say \"\"hi\"\"\""},
        {"\"", "\"\"\"\""},         {" a ", " a "},       {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"it's & co", "it's & co"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf out;
        buf_init(&out, 256);
        csv_append_field(&out, span_from_cstr(cases[i].text), false);
        assert_string_equal(buf_cstr(&out), cases[i].expected);
        buf_release(&out);
    }
    struct buf out;
    buf_init(&out, 256);
    csv_append_field(&out, SPAN_EMPTY, true);
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_give_the_records_and_faults_of_rfc_4180),
        cmocka_unit_test(every_cut_into_two_chunks_gives_the_same),
        cmocka_unit_test(a_record_at_the_byte_limit_is_read_and_one_byte_more_is_refused),
        cmocka_unit_test(a_record_at_the_field_limit_is_read_and_one_field_more_is_refused),
        cmocka_unit_test(the_line_of_a_record_is_where_it_began),
        cmocka_unit_test(a_source_that_fails_is_an_io_error_with_the_line),
        cmocka_unit_test(appended_fields_are_quoted_only_when_they_must_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
