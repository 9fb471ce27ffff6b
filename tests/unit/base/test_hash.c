#include "base64.h"
#include "byte_order.h"
#include "hash.h"
#include "url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void murmur2_gives_kafkas_published_vectors(void **state)
{
    (void)state;
    assert_int_equal(hash_murmur2(SPAN_LIT("21")), -973932308);
    assert_int_equal(hash_murmur2(SPAN_LIT("foobar")), -790332482);
    assert_int_equal(hash_murmur2(SPAN_LIT("a-little-bit-long-string")), -985981536);
    assert_int_equal(hash_murmur2(SPAN_LIT("a-little-bit-longer-string")), -1486304829);
    assert_int_equal(hash_murmur2(SPAN_LIT("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")),
                     -58897971);
    assert_int_equal(hash_murmur2(SPAN_LIT("abc")), 479470107);
}

static void content_hashes_differ_at_every_length_and_bit(void **state)
{
    (void)state;
    char bytes[40] = {0};
    struct hash128 seen[40];
    for (size_t len = 0; len < sizeof(bytes); len++) {
        seen[len] = hash_content(span_from(bytes, len));
        for (size_t earlier = 0; earlier < len; earlier++) {
            assert_false(hash128_equal(seen[len], seen[earlier]));
        }
        for (size_t bit = 0; bit < len * 8; bit++) {
            bytes[bit / 8] = (char)(1 << bit % 8);
            assert_false(hash128_equal(hash_content(span_from(bytes, len)), seen[len]));
            bytes[bit / 8] = 0;
        }
    }
}

static void bytes_hash_to_fnvs_published_vectors_in_one_part_or_two(void **state)
{
    (void)state;
    assert_int_equal(hash_bytes(HASH_START, SPAN_EMPTY), 0x811c9dc5U);
    assert_int_equal(hash_bytes(HASH_START, SPAN_LIT("a")), 0xe40c292cU);
    assert_int_equal(hash_bytes(HASH_START, SPAN_LIT("foobar")), 0xbf9cf968U);
    assert_int_equal(hash_bytes(hash_bytes(HASH_START, SPAN_LIT("foo")), SPAN_LIT("bar")),
                     0xbf9cf968U);
    assert_true(hash64_bytes(HASH64_START, SPAN_EMPTY) == UINT64_C(0xcbf29ce484222325));
    assert_true(hash64_bytes(HASH64_START, SPAN_LIT("a")) == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(hash64_bytes(HASH64_START, SPAN_LIT("foobar")) == UINT64_C(0x85944171f73967e8));
    assert_true(hash64_bytes(hash64_bytes(HASH64_START, SPAN_LIT("foo")), SPAN_LIT("bar")) ==
                UINT64_C(0x85944171f73967e8));
}

static void integers_have_the_byte_order_of_their_name(void **state)
{
    (void)state;
    const unsigned char bytes[] = {0x01, 0x02, 0x03, 0x84, 0x05, 0x06, 0x07, 0x88};
    unsigned char out[8];
    assert_int_equal(le32_read(bytes), 0x84030201U);
    assert_int_equal(be32_read(bytes), 0x01020384U);
    assert_true(le64_read(bytes) == UINT64_C(0x8807060584030201));
    assert_true(be64_read(bytes) == UINT64_C(0x0102038405060788));
    be64_write(out, UINT64_C(0x0102038405060788));
    assert_memory_equal(out, bytes, sizeof(out));
}

static void base64_round_trips_and_refuses_what_the_proxy_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *bytes; /* NULL: refused */
    } cases[] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg", "foob"},
        {"Zm8", "fo"},
        {"eyJhIjoxfQ==", "{\"a\":1}"},
        {"Z", NULL},
        {"Zm9vY", NULL},
        {"Zm 9v", NULL},
        {"Zm9-", NULL},
        {"Zg==Zg==", NULL},
        {"Zm9v\n", NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf out;
        buf_init(&out, 64);
        bool ok = base64_decode(span_from_cstr(cases[i].text), &out);
        assert_int_equal(ok, cases[i].bytes != NULL);
        if (ok) {
            assert_string_equal(buf_cstr(&out), cases[i].bytes);
        }
        buf_release(&out);
    }
}

static void base64_of_every_length_reads_back(void **state)
{
    (void)state;
    unsigned char bytes[64];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(i * 37 + 200);
    }
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        struct buf text;
        struct buf again;
        buf_init(&text, 128);
        buf_init(&again, 128);
        base64_encode(span_from((char *)bytes, len), &text);
        assert_int_equal(text.len % 4, 0);
        assert_true(base64_decode(buf_span(&text), &again));
        assert_true(span_equal(buf_span(&again), span_from((char *)bytes, len)));
        buf_release(&text);
        buf_release(&again);
    }
}

static void urls_are_taken_apart(void **state)
{
    (void)state;
    struct url url;
    assert_true(url_parse(SPAN_LIT("http://127.0.0.1:8080/test/topics?x=1"), &url));
    assert_true(span_equal_cstr(url.host, "127.0.0.1"));
    assert_int_equal(url.port, 8080);
    assert_true(span_equal_cstr(url.path, "/test/topics"));
    assert_true(span_equal_cstr(url.query, "x=1"));
    assert_true(url_parse(SPAN_LIT("https://[::1]"), &url));
    assert_true(span_equal_cstr(url.host, "::1"));
    assert_int_equal(url.port, 443);
    assert_int_equal(url.path.len, 0);
}

static void urls_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"",           "127.0.0.1:8080", "ftp://a/",   "http://",
                                        "http://a:0", "http://a:70000", "http://a:x", "http://u@h/",
                                        "http://a b", "http://a/#f",    "http://[::1"};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct url url;
        if (url_parse(span_from_cstr(cases[i]), &url)) {
            fail_msg("%s was taken", cases[i]);
        }
    }
}

static void percent_coding_round_trips_and_refuses_broken_escapes(void **state)
{
    (void)state;
    static const char *const broken[] = {"%", "%1", "%zz", "%00", "a%2"};
    struct buf out;
    buf_init(&out, 256);
    assert_true(url_decode(SPAN_LIT("a%20b+c%2F%c3%A9"), false, &out));
    assert_string_equal(buf_cstr(&out), "a b+c/\xc3\xa9");
    buf_reset(&out);
    url_encode(SPAN_LIT("a b/\xc3\xa9~"), true, &out);
    assert_string_equal(buf_cstr(&out), "a%20b/%C3%A9~");
    buf_reset(&out);
    url_encode_but(SPAN_LIT("a:b/c\0d"), ":", &out);
    assert_string_equal(buf_cstr(&out), "a:b%2Fc%00d");
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
        buf_reset(&out);
        assert_false(url_decode(span_from_cstr(broken[i]), false, &out));
        assert_int_equal(out.len, 0);
    }
    buf_release(&out);
}

static void query_parameters_are_found_by_name(void **state)
{
    (void)state;
    struct span value;
    assert_true(url_query_find(SPAN_LIT("timeout=5&max_bytes=&x"), "max_bytes", &value));
    assert_int_equal(value.len, 0);
    assert_true(url_query_find(SPAN_LIT("timeout=5&x"), "timeout", &value));
    assert_true(span_equal_cstr(value, "5"));
    assert_false(url_query_find(SPAN_LIT("timeout=5"), "time", &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(murmur2_gives_kafkas_published_vectors),
        cmocka_unit_test(content_hashes_differ_at_every_length_and_bit),
        cmocka_unit_test(integers_have_the_byte_order_of_their_name),
        cmocka_unit_test(bytes_hash_to_fnvs_published_vectors_in_one_part_or_two),
        cmocka_unit_test(base64_round_trips_and_refuses_what_the_proxy_refuses),
        cmocka_unit_test(base64_of_every_length_reads_back),
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(urls_that_are_none_are_refused),
        cmocka_unit_test(percent_coding_round_trips_and_refuses_broken_escapes),
        cmocka_unit_test(query_parameters_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
