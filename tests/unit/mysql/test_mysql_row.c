/* Rows as they travel: texts as MySQL writes them, binary values by their column's type, and rows
 * that are larger than the buffer and than a packet. */
#include "mysql_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { out_max = 40 * 1024 * 1024 };

static struct mysql_value text_of(const char *text)
{
    return (struct mysql_value){.kind = MYSQL_TEXT, .text = span_from_cstr(text)};
}

static struct mysql_value int_of(int64_t number)
{
    return (struct mysql_value){.kind = MYSQL_INT, .integer = number, .text = SPAN_EMPTY};
}

static struct mysql_value double_of(double number)
{
    return (struct mysql_value){.kind = MYSQL_DOUBLE, .real = number, .text = SPAN_EMPTY};
}

static const struct mysql_value null_value = {.kind = MYSQL_NULL, .text = {"", 0}};

/* The row's payload as it leaves at once. */
static void assert_row(const struct mysql_column *columns, const struct mysql_value *values,
                       size_t count, bool binary, struct span expected)
{
    struct buf out;
    struct mysql_writer w = {.out = &out, .sequence = 9};
    struct mysql_row row;
    buf_init(&out, out_max);
    mysql_row_begin(&row, columns, values, count, binary);
    assert_int_equal(mysql_row_bytes(&row), expected.len);
    assert_true(mysql_row_write(&row, &w, expected.len + MYSQL_HEAD_BYTES));
    assert_int_equal(out.len, expected.len + MYSQL_HEAD_BYTES);
    assert_int_equal((unsigned char)out.ptr[0], expected.len);
    assert_int_equal(out.ptr[3], 9);
    assert_memory_equal(out.ptr + MYSQL_HEAD_BYTES, expected.ptr, expected.len);
    assert_int_equal(w.sequence, 10);
    buf_release(&out);
}

#define BYTES(literal) span_from(literal, sizeof(literal) - 1)

static void a_text_row_is_its_values_as_texts(void **state)
{
    struct mysql_value values[] = {int_of(-7),          null_value,  text_of("caf\xc3\xa9"),
                                   double_of(-79.2891), text_of(""), int_of(-1)};
    (void)state;
    values[5].is_unsigned = true;
    assert_row(NULL, values, ARRAY_COUNT(values), false,
               BYTES("\x02-7\xfb\x05"
                     "caf\xc3\xa9\x08-79.2891\x00\x14"
                     "18446744073709551615"));
}

static void the_least_and_the_greatest_integer_are_whole(void **state)
{
    struct mysql_value values[] = {int_of(INT64_MIN), int_of(INT64_MAX), int_of(0)};
    (void)state;
    assert_row(NULL, values, ARRAY_COUNT(values), false,
               BYTES("\x14"
                     "-9223372036854775808"
                     "\x13"
                     "9223372036854775807"
                     "\x01"
                     "0"));
}

static void doubles_are_written_as_mysql_writes_them(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {1.0 / 3, "0.3333333333333333"},
        {123456.789, "123456.789"},
        {100, "100"},
        {1e14, "100000000000000"},
        {1e15, "1e15"},
        {123456789012345680.0, "1.2345678901234568e17"},
        {1.5e-7, "0.00000015"},
        {2.5e-20, "2.5e-20"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {5e-324, "5e-324"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[MYSQL_DOUBLE_BYTES];
        size_t len = mysql_double_text(cases[i].value, text);
        assert_true(len < sizeof(text));
        text[len] = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

static void a_binary_row_follows_its_columns_types(void **state)
{
    const struct mysql_column columns[] = {
        {.type = MYSQL_TYPE_TINY},     {.type = MYSQL_TYPE_SHORT},      {.type = MYSQL_TYPE_LONG},
        {.type = MYSQL_TYPE_LONGLONG}, {.type = MYSQL_TYPE_FLOAT},      {.type = MYSQL_TYPE_DOUBLE},
        {.type = MYSQL_TYPE_BLOB},     {.type = MYSQL_TYPE_VAR_STRING}, {.type = MYSQL_TYPE_LONG},
    };
    const struct mysql_value values[] = {
        int_of(-1),       int_of(258),   int_of(-2), int_of(1LL << 40), double_of(0.5),
        double_of(-0.25), text_of("ab"), null_value, text_of("77"), /* as an expression may give it
                                                                     */
    };
    (void)state;
    assert_row(columns, values, ARRAY_COUNT(values), true,
               BYTES("\x00"
                     "\x00\x02"
                     "\xff"
                     "\x02\x01"
                     "\xfe\xff\xff\xff"
                     "\x00\x00\x00\x00\x00\x01\x00\x00"
                     "\x00\x00\x00\x3f"
                     "\x00\x00\x00\x00\x00\x00\xd0\xbf"
                     "\x02"
                     "ab"
                     "\x4d\x00\x00\x00"));
}

static void values_of_another_kind_are_made_their_columns(void **state)
{
    const struct mysql_column columns[] = {{.type = MYSQL_TYPE_LONGLONG},
                                           {.type = MYSQL_TYPE_LONGLONG},
                                           {.type = MYSQL_TYPE_DOUBLE},
                                           {.type = MYSQL_TYPE_DOUBLE},
                                           {.type = MYSQL_TYPE_NEWDECIMAL}};
    const struct mysql_value values[] = {double_of(1e30), text_of("3.6 of them"), int_of(2),
                                         text_of("-1.5"), double_of(2.5)};
    (void)state;
    assert_row(columns, values, ARRAY_COUNT(values), true,
               BYTES("\x00"
                     "\x00"
                     "\xff\xff\xff\xff\xff\xff\xff\x7f"
                     "\x04\x00\x00\x00\x00\x00\x00\x00"
                     "\x00\x00\x00\x00\x00\x00\x00\x40"
                     "\x00\x00\x00\x00\x00\x00\xf8\xbf"
                     "\x03"
                     "2.5"));
}

static void dates_and_times_take_as_few_bytes_as_they_can(void **state)
{
    static const struct {
        uint8_t type;
        const char *text;
        const char *bytes;
        size_t len;
    } cases[] = {
        {MYSQL_TYPE_DATETIME, "2023-11-14 22:13:20", "\x07\xe7\x07\x0b\x0e\x16\x0d\x14", 8},
        {MYSQL_TYPE_DATETIME, "2023-11-14 00:00:00", "\x04\xe7\x07\x0b\x0e", 5},
        {MYSQL_TYPE_TIMESTAMP, "2023-11-14 22:13:20.5",
         "\x0b\xe7\x07\x0b\x0e\x16\x0d\x14\x20\xa1\x07\x00", 12},
        {MYSQL_TYPE_DATE, "2023-11-14", "\x04\xe7\x07\x0b\x0e", 5},
        {MYSQL_TYPE_DATETIME, "0000-00-00 00:00:00", "\x00", 1},
        {MYSQL_TYPE_TIME, "-26:01:02", "\x08\x01\x01\x00\x00\x00\x02\x01\x02", 9},
        {MYSQL_TYPE_TIME, "00:00:00.000001", "\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00",
         13},
        {MYSQL_TYPE_TIME, "00:00:00", "\x00", 1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char expected[32] = {0};
        const struct mysql_column column = {.type = cases[i].type};
        const struct mysql_value value = text_of(cases[i].text);
        memcpy(expected + 2, cases[i].bytes, cases[i].len);
        assert_row(&column, &value, 1, true, span_from(expected, 2 + cases[i].len));
    }
}

static void every_null_has_its_bit(void **state)
{
    struct mysql_column columns[20];
    struct mysql_value values[20];
    char expected[1 + 3] = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        columns[i] = (struct mysql_column){.type = MYSQL_TYPE_LONG};
        values[i] = null_value;
        expected[1 + (i + 2) / 8] = (char)(expected[1 + (i + 2) / 8] | 1 << ((i + 2) % 8));
    }
    assert_row(columns, values, ARRAY_COUNT(values), true, span_from(expected, sizeof(expected)));
}

/* Through a buffer of that room, again and again; the payloads of its packets into `out`. */
static size_t write_in_steps(const struct mysql_value *values, size_t count, size_t room,
                             struct buf *payload)
{
    struct buf out;
    struct buf all;
    struct mysql_writer w = {.out = &out};
    struct mysql_row row;
    size_t packets = 0;
    bool whole = false;
    buf_init(&out, room);
    buf_init(&all, out_max);
    mysql_row_begin(&row, NULL, values, count, false);
    while (!whole) {
        buf_reset(&out);
        whole = mysql_row_write(&row, &w, room);
        assert_true(buf_ok(&out) && out.len > 0 && out.len <= room);
        buf_append_span(&all, buf_span(&out));
    }
    size_t len = MYSQL_PACKET_BYTES_MAX;
    for (size_t at = 0; len == MYSQL_PACKET_BYTES_MAX; at += MYSQL_HEAD_BYTES + len, packets++) {
        assert_true(at + MYSQL_HEAD_BYTES <= all.len);
        const unsigned char *head = (const unsigned char *)all.ptr + at;
        len = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
        assert_int_equal(head[3], packets % 256);
        assert_true(at + MYSQL_HEAD_BYTES + len <= all.len);
        buf_append(payload, head + MYSQL_HEAD_BYTES, len);
    }
    assert_int_equal(w.sequence, packets);
    buf_release(&out);
    buf_release(&all);
    return packets;
}

static void a_row_larger_than_the_buffer_leaves_in_steps(void **state)
{
    const struct mysql_value values[] = {text_of("a long text that does not fit"), int_of(-12345),
                                         null_value, text_of("another one")};
    struct buf whole;
    struct buf stepped;
    (void)state;
    buf_init(&whole, out_max);
    buf_init(&stepped, out_max);
    assert_int_equal(write_in_steps(values, ARRAY_COUNT(values), 1024, &whole), 1);
    for (size_t room = MYSQL_HEAD_BYTES + 1; room < 64; room++) {
        buf_reset(&stepped);
        assert_int_equal(write_in_steps(values, ARRAY_COUNT(values), room, &stepped), 1);
        assert_true(span_equal(buf_span(&whole), buf_span(&stepped)));
    }
    buf_release(&whole);
    buf_release(&stepped);
}

static void a_row_of_whole_packets_ends_with_an_empty_one(void **state)
{
    static const struct {
        size_t payload;
        size_t packets;
    } cases[] = {
        {MYSQL_PACKET_BYTES_MAX - 1, 1},
        {MYSQL_PACKET_BYTES_MAX, 2},
        {MYSQL_PACKET_BYTES_MAX + 1, 2},
        {2 * MYSQL_PACKET_BYTES_MAX, 3},
    };
    char *bytes = malloc(2 * MYSQL_PACKET_BYTES_MAX);
    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < 2 * MYSQL_PACKET_BYTES_MAX; i++) {
        bytes[i] = (char)('a' + i % 23);
    }
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        size_t prefix = cases[i].payload <= 0xffffff + 4 ? 4 : 9;
        size_t len = cases[i].payload - prefix;
        prefix = len <= 0xffffff ? 4 : 9;
        len = cases[i].payload - prefix;
        const struct mysql_value value = {.kind = MYSQL_TEXT, .text = span_from(bytes, len)};
        struct buf payload;
        buf_init(&payload, out_max);
        assert_int_equal(write_in_steps(&value, 1, 64 * 1024, &payload), cases[i].packets);
        assert_int_equal(payload.len, cases[i].payload);
        assert_memory_equal(payload.ptr + prefix, bytes, len);
        buf_release(&payload);
    }
    free(bytes);
}

static void a_row_waits_until_what_is_before_it_has_left(void **state)
{
    struct buf out;
    struct mysql_writer w = {.out = &out};
    struct mysql_row row;
    const struct mysql_value value = text_of("0123456789");
    (void)state;
    buf_init(&out, 64);
    BUF_APPEND_LIT(&out, "before");
    mysql_row_begin(&row, NULL, &value, 1, false);
    assert_false(mysql_row_write(&row, &w, 8));
    assert_string_equal(buf_cstr(&out), "before");
    assert_true(mysql_row_write(&row, &w, 32));
    assert_int_equal(out.len, 6 + MYSQL_HEAD_BYTES + 11);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_row_is_its_values_as_texts),
        cmocka_unit_test(the_least_and_the_greatest_integer_are_whole),
        cmocka_unit_test(doubles_are_written_as_mysql_writes_them),
        cmocka_unit_test(a_binary_row_follows_its_columns_types),
        cmocka_unit_test(values_of_another_kind_are_made_their_columns),
        cmocka_unit_test(dates_and_times_take_as_few_bytes_as_they_can),
        cmocka_unit_test(every_null_has_its_bit),
        cmocka_unit_test(a_row_larger_than_the_buffer_leaves_in_steps),
        cmocka_unit_test(a_row_of_whole_packets_ends_with_an_empty_one),
        cmocka_unit_test(a_row_waits_until_what_is_before_it_has_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
