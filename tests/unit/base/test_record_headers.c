#include "record_headers.h"
#include "varint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Bytes at the very end of a block of their own, so that a byte too many is seen. */
static struct span at_the_end(const char *bytes, size_t len, char **block)
{
    *block = malloc(len + 1);
    assert_non_null(*block);
    memcpy(*block + 1, bytes, len);
    return span_from(*block + 1, len);
}

static void varints_are_kafkas(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        const char *bytes;
        size_t len;
    } rows[] = {
        {0, "\x00", 1},
        {-1, "\x01", 1},
        {1, "\x02", 1},
        {63, "\x7e", 1},
        {-64, "\x7f", 1},
        {64, "\x80\x01", 2},
        {300, "\xd8\x04", 2},
        {INT32_MAX, "\xfe\xff\xff\xff\x0f", 5},
        {INT64_MAX, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
        {INT64_MIN, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10},
    };
    struct buf out;
    buf_init(&out, 100);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        buf_reset(&out);
        varint_append(&out, rows[i].value);
        assert_int_equal(out.len, rows[i].len);
        assert_memory_equal(out.ptr, rows[i].bytes, rows[i].len);
        assert_int_equal(varint_size(rows[i].value), rows[i].len);
        for (size_t cut = 0; cut <= rows[i].len; cut++) {
            char *block;
            struct span in = at_the_end(rows[i].bytes, cut, &block);
            int64_t value = 7;
            assert_int_equal(varint_read(&in, &value), cut == rows[i].len);
            assert_int_equal(in.len, cut == rows[i].len ? 0 : cut);
            assert_true(cut < rows[i].len || value == rows[i].value);
            free(block);
        }
    }
    buf_release(&out);
}

static void varints_that_are_too_long_or_out_of_range_are_refused(void **state)
{
    (void)state;
    int64_t value;
    struct span eleven = SPAN_LIT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01");
    struct span wide = SPAN_LIT("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02");
    struct span minus_one = SPAN_LIT("\x01");
    assert_false(varint_read(&eleven, &value));
    assert_false(varint_read(&wide, &value));
    assert_false(varint_read_between(&minus_one, 0, 5, &value));
    assert_int_equal(minus_one.len, 1);
    assert_true(varint_read_between(&minus_one, -1, 5, &value));
    assert_int_equal(value, -1);
}

/* The layout of a record's headers in a batch of Kafka's own producer: a=1, b=null, "": "". */
#define THREE_HEADERS                                                                              \
    "\x06\x02"                                                                                     \
    "a\x02"                                                                                        \
    "1\x02"                                                                                        \
    "b\x01\x00\x00"

static const char three_as_text[] =
    "[{\"name\":\"a\",\"value\":\"MQ==\"},{\"name\":\"b\",\"value\":null},"
    "{\"name\":\"\",\"value\":\"\"}]";

static void headers_are_walked_in_order(void **state)
{
    (void)state;
    struct record_headers walk;
    struct record_header header;
    assert_true(record_headers_open(&walk, SPAN_LIT(THREE_HEADERS)));
    assert_true(record_headers_next(&walk, &header));
    assert_true(span_equal_cstr(header.name, "a"));
    assert_true(header.has_value && span_equal_cstr(header.value, "1"));
    assert_true(record_headers_next(&walk, &header));
    assert_true(span_equal_cstr(header.name, "b") && !header.has_value);
    assert_false(record_headers_at_end(&walk));
    assert_true(record_headers_next(&walk, &header));
    assert_true(header.name.len == 0 && header.has_value && header.value.len == 0);
    assert_false(record_headers_next(&walk, &header));
    assert_true(record_headers_at_end(&walk));
}

static void no_bytes_and_a_count_of_zero_are_no_headers(void **state)
{
    (void)state;
    static const char *const none[] = {"", "\x00"};
    for (size_t i = 0; i < ARRAY_COUNT(none); i++) {
        struct record_headers walk;
        struct record_header header;
        assert_true(record_headers_open(&walk, span_from(none[i], i)));
        assert_false(record_headers_next(&walk, &header));
        assert_true(record_headers_at_end(&walk));
    }
}

static void bytes_that_are_no_headers_are_refused_and_never_read_past(void **state)
{
    (void)state;
    static const char whole[] = THREE_HEADERS;
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"\x01", 1},         /* -1 of them */
        {"\x04\x00\x00", 3}, /* two, and room for one */
        {"\x02\x01\x00", 3}, /* a name of -1 bytes */
        {"\x02\x04"
         "a\x00",
         4}, /* a name behind the end */
        {"\x02\x02"
         "a\x04"
         "1",
         5}, /* a value behind the end */
        {"\x02\x02"
         "a\x03",
         4},                                 /* a value of -2 bytes */
        {"\x02\x00\x00\x00", 4},             /* something behind the last */
        {"\xfe\xff\xff\xff\x0f\x00\x00", 7}, /* a count of two thousand millions */
        {"\x02\xfe\xff\xff\xff\x0f\x00", 7}, /* a name as long */
    };
    struct buf text;
    buf_init(&text, 1000);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char *block;
        struct span bytes = at_the_end(rows[i].bytes, rows[i].len, &block);
        assert_false(record_headers_are_valid(bytes));
        assert_false(record_headers_to_text(bytes, &text));
        free(block);
    }
    for (size_t cut = 1; cut < sizeof(whole) - 1; cut++) {
        char *block;
        assert_false(record_headers_are_valid(at_the_end(whole, cut, &block)));
        free(block);
    }
    assert_true(record_headers_are_valid(span_from(whole, sizeof(whole) - 1)));
    buf_release(&text);
}

static void headers_are_written_with_their_count_in_front(void **state)
{
    (void)state;
    struct buf entries;
    struct buf out;
    buf_init(&entries, 1000);
    buf_init(&out, 1000);
    record_headers_write(&out, 0, SPAN_EMPTY);
    assert_int_equal(out.len, 0);
    record_header_append(&entries, &(struct record_header){SPAN_LIT("a"), .has_value = true,
                                                           .value = SPAN_LIT("1")});
    record_header_append(&entries, &(struct record_header){.name = SPAN_LIT("b")});
    record_header_append(&entries, &(struct record_header){SPAN_EMPTY, true, SPAN_EMPTY});
    record_headers_write(&out, 3, buf_span(&entries));
    assert_true(span_equal(buf_span(&out), SPAN_LIT(THREE_HEADERS)));
    size_t count;
    struct span split;
    assert_true(record_headers_split(buf_span(&out), &count, &split));
    assert_int_equal(count, 3);
    assert_true(span_equal(split, buf_span(&entries)));
    buf_release(&entries);
    buf_release(&out);
}

static void text_and_bytes_become_each_other(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct span bytes;
    } rows[] = {
        {"[]", {"", 0}},
        {three_as_text, {THREE_HEADERS, sizeof(THREE_HEADERS) - 1}},
        {"[{\"name\":\"\xc3\xbc \\\"\\\\ \\n\",\"value\":\"AP8=\"}]",
         {"\x02\x0e\xc3\xbc \"\\ \n\x04\x00\xff", 12}},
    };
    struct buf out;
    buf_init(&out, 1000);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        buf_reset(&out);
        assert_true(record_headers_from_text(span_from_cstr(rows[i].text), &out));
        assert_true(span_equal(out.len > 0 ? buf_span(&out) : SPAN_EMPTY, rows[i].bytes));
        buf_reset(&out);
        assert_true(record_headers_to_text(rows[i].bytes, &out));
        assert_string_equal(buf_cstr(&out), rows[i].text);
    }
    buf_release(&out);
}

/* What state.db of 0.2.0 may hold beside its own canonical form. */
static void texts_of_the_api_are_read_as_the_api_reads_them(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    assert_true(record_headers_from_text(
        SPAN_LIT(" [ {\"value\" : \"Zm8\", \"name\" : \"\\u0061\"} ] "), &out));
    assert_true(span_equal(buf_span(&out), SPAN_LIT("\x02\x02"
                                                    "a\x04"
                                                    "fo")));
    static const char *const refused[] = {
        "",
        "[",
        "{}",
        "[1]",
        "[{}]",
        "[{\"name\":null,\"value\":null}]",
        "[{\"name\":\"a\",\"value\":1}]",
        "[{\"name\":\"a\",\"value\":\"A\"}]",
        "[{\"name\":\"a\",\"value\":\"QQ==\"}",
        "[{\"name\":\"a\",\"value\":\"QQ==\"}] x",
        "[{\"name\":\"a\",\"value\":\"QQ==\"},]",
    };
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        buf_reset(&out);
        if (record_headers_from_text(span_from_cstr(refused[i]), &out)) {
            fail_msg("%s", refused[i]);
        }
    }
    buf_release(&out);
}

static void a_ceiling_that_is_reached_is_told(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4);
    assert_false(record_headers_to_text(SPAN_LIT(THREE_HEADERS), &out));
    buf_reset(&out);
    assert_false(record_headers_from_text(span_from_cstr(three_as_text), &out));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varints_are_kafkas),
        cmocka_unit_test(varints_that_are_too_long_or_out_of_range_are_refused),
        cmocka_unit_test(headers_are_walked_in_order),
        cmocka_unit_test(no_bytes_and_a_count_of_zero_are_no_headers),
        cmocka_unit_test(bytes_that_are_no_headers_are_refused_and_never_read_past),
        cmocka_unit_test(headers_are_written_with_their_count_in_front),
        cmocka_unit_test(text_and_bytes_become_each_other),
        cmocka_unit_test(texts_of_the_api_are_read_as_the_api_reads_them),
        cmocka_unit_test(a_ceiling_that_is_reached_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
