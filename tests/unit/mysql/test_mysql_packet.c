/* The fields of packets: what is written reads back, and bytes that are cut anywhere are refused
 * without a look behind their end. */
#include "mysql_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { out_max = 1024 };

static void assert_bytes(const struct buf *out, const char *expected, size_t len)
{
    assert_true(buf_ok(out));
    assert_int_equal(out->len, len);
    assert_memory_equal(out->ptr, expected, len);
}

static void a_length_takes_as_few_bytes_as_it_can(void **state)
{
    static const struct {
        uint64_t value;
        const char *bytes;
        size_t len;
    } cases[] = {
        {0, "\x00", 1},
        {250, "\xfa", 1},
        {251, "\xfc\xfb\x00", 3},
        {0xffff, "\xfc\xff\xff", 3},
        {0x10000, "\xfd\x00\x00\x01", 4},
        {0xffffff, "\xfd\xff\xff\xff", 4},
        {0x1000000, "\xfe\x00\x00\x00\x01\x00\x00\x00\x00", 9},
        {UINT64_MAX, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff", 9},
    };
    struct buf out;
    (void)state;
    buf_init(&out, out_max);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        buf_reset(&out);
        mysql_put_lenenc(&out, cases[i].value);
        assert_bytes(&out, cases[i].bytes, cases[i].len);
        struct mysql_reader r = mysql_reader_of(buf_span(&out));
        assert_true(mysql_read_lenenc(&r) == cases[i].value);
        assert_false(r.failed);
        for (size_t cut = 0; cut < cases[i].len; cut++) {
            r = mysql_reader_of(span_first(buf_span(&out), cut));
            assert_true(mysql_read_lenenc(&r) == 0);
            assert_true(r.failed);
        }
    }
    buf_release(&out);
}

static void null_and_the_error_mark_are_no_lengths(void **state)
{
    static const char *const bytes[] = {"\xfb"
                                        "abc",
                                        "\xff"
                                        "abc"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bytes); i++) {
        struct mysql_reader r = mysql_reader_of(span_from(bytes[i], 4));
        assert_int_equal(mysql_read_text(&r).len, 0);
        assert_true(r.failed);
    }
}

static void a_text_that_promises_more_than_there_is_fails(void **state)
{
    /* 2^64 - 1 bytes. */
    struct mysql_reader r = mysql_reader_of(span_from("\xfe\xff\xff\xff\xff\xff\xff\xff\xff"
                                                      "ab",
                                                      11));
    (void)state;
    assert_int_equal(mysql_read_text(&r).len, 0);
    assert_true(r.failed);
    assert_true(mysql_read_int(&r, 1) == 0); /* and nothing is read any more */
}

static void integers_are_little_endian(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, out_max);
    mysql_put_int(&out, 0x0102030405060708, 8);
    mysql_put_int(&out, 0xabcdef, 3);
    assert_bytes(&out, "\x08\x07\x06\x05\x04\x03\x02\x01\xef\xcd\xab", 11);
    struct mysql_reader r = mysql_reader_of(buf_span(&out));
    assert_true(mysql_read_int(&r, 8) == 0x0102030405060708);
    assert_true(mysql_read_int(&r, 3) == 0xabcdef);
    assert_false(r.failed);
    assert_true(mysql_read_int(&r, 2) == 0);
    assert_true(r.failed);
    buf_release(&out);
}

static void texts_end_at_their_nul_or_with_the_packet(void **state)
{
    struct mysql_reader r = mysql_reader_of(span_from("user\0data", 9));
    (void)state;
    assert_true(span_equal_cstr(mysql_read_cstr(&r), "user"));
    assert_true(span_equal_cstr(mysql_read_cstr(&r), "data"));
    assert_int_equal(mysql_read_cstr(&r).len, 0);
    assert_false(r.failed);
}

static void packets_count_on_and_their_heads_are_right(void **state)
{
    struct buf out;
    struct mysql_writer w = {.out = &out, .sequence = 255};
    (void)state;
    buf_init(&out, out_max);
    size_t start = mysql_packet_begin(&w);
    BUF_APPEND_LIT(&out, "abc");
    mysql_packet_end(&w, start);
    start = mysql_packet_begin(&w);
    mysql_packet_end(&w, start);
    assert_bytes(&out,
                 "\x03\x00\x00\xff"
                 "abc"
                 "\x00\x00\x00\x00",
                 11);
    assert_int_equal(w.sequence, 1);
    buf_release(&out);
}

static void a_packet_that_does_not_fit_leaves_the_buffer_failed(void **state)
{
    struct buf out;
    struct mysql_writer w = {.out = &out};
    (void)state;
    buf_init(&out, 6);
    size_t start = mysql_packet_begin(&w);
    mysql_put_text(&out, SPAN_LIT("too long"));
    mysql_packet_end(&w, start);
    assert_false(buf_ok(&out));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_takes_as_few_bytes_as_it_can),
        cmocka_unit_test(null_and_the_error_mark_are_no_lengths),
        cmocka_unit_test(a_text_that_promises_more_than_there_is_fails),
        cmocka_unit_test(integers_are_little_endian),
        cmocka_unit_test(texts_end_at_their_nul_or_with_the_packet),
        cmocka_unit_test(packets_count_on_and_their_heads_are_right),
        cmocka_unit_test(a_packet_that_does_not_fit_leaves_the_buffer_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
