/* Spellings that mean the same value give one text, others do not. */
#include "json_canonical.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { text_max = 1 << 20 };

static void equal_values_have_one_text(void **state)
{
    static const struct {
        const char *value;
        const char *expected; /* NULL: it is no JSON value */
    } cases[] = {
        {"{}", "{}"}, /* the first object of all has no array of members yet */
        {"{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}"},
        {" { \"a\" : [ 1 , 2 ] } ", "{\"a\":[1,2]}"},
        {"{\"a\":{\"z\":1,\"y\":{\"d\":1,\"c\":2}},\"A\":0}",
         "{\"A\":0,\"a\":{\"y\":{\"c\":2,\"d\":1},\"z\":1}}"},
        {"{\"a\":1,\"a\":2,\"a\":3}", "{\"a\":3}"},
        {"{\"\\u0061\":1,\"a\":2}", "{\"a\":2}"},
        {"[{\"b\":1,\"a\":1},{}]", "[{\"a\":1,\"b\":1},{}]"},
        {"1", "1"},
        {"-0", "0"},
        {"1.0", "1"},
        {"1e3", "1000"},
        {"1.0E7", "10000000"},
        {"28.50", "28.5"},
        {"0.00099", "9.9E-4"},
        {"-89.9787", "-89.9787"},
        {"9223372036854775807", "9223372036854775807"},
        {"9223372036854775808", "9223372036854775808"},
        {"1e400", "1e400"},
        {"\"\\u00e9\\/\\ud83d\\ude00\"", "\"\xc3\xa9/\\uD83D\\uDE00\""},
        {"\"\xc3\xa9/\xf0\x9f\x98\x80\"", "\"\xc3\xa9/\\uD83D\\uDE00\""},
        {"\"a\\u0000\\n\"", "\"a\\u0000\\n\""},
        {"null", "null"},
        {"true", "true"},
        {"", NULL},
        {"{", NULL},
        {"{\"a\":1}x", NULL},
        {"{\"a\":01}", NULL},
        {"nul", NULL},
        {"{} {}", NULL},
    };
    struct json_canonical canonical;
    (void)state;
    json_canonical_init(&canonical, text_max);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        bool made = json_canonical_make(&canonical, span_from_cstr(cases[i].value));
        if (made != (cases[i].expected != NULL)) {
            fail_msg("%s: %d", cases[i].value, made);
        }
        if (made) {
            assert_string_equal(buf_cstr(&canonical.text), cases[i].expected);
        }
    }
    json_canonical_release(&canonical);
}

static void many_members_in_any_order_are_sorted(void **state)
{
    enum { members = 3000, step = 1009 };
    struct json_canonical canonical;
    struct buf value;
    struct buf expected;
    (void)state;
    json_canonical_init(&canonical, text_max);
    buf_init(&value, text_max);
    buf_init(&expected, text_max);
    for (int i = 0; i < members; i++) {
        buf_printf(&value, "%c\"k%04d\":%d", i == 0 ? '{' : ',', i * step % members, i);
    }
    for (int i = 0; i < members; i++) {
        buf_printf(&expected, "%c\"k%04d\":", i == 0 ? '{' : ',', i);
        int at = 0;
        while (at * step % members != i) {
            at++;
        }
        buf_printf(&expected, "%d", at);
    }
    buf_append_byte(&value, '}');
    buf_append_byte(&expected, '}');
    assert_true(json_canonical_make(&canonical, buf_span(&value)));
    assert_string_equal(buf_cstr(&canonical.text), buf_cstr(&expected));
    buf_release(&value);
    buf_release(&expected);
    json_canonical_release(&canonical);
}

static void depth_and_size_are_bounded(void **state)
{
    struct json_canonical canonical;
    struct buf value;
    (void)state;
    json_canonical_init(&canonical, 64);
    buf_init(&value, text_max);
    for (int i = 0; i < 100000; i++) {
        buf_append_byte(&value, '[');
    }
    assert_false(json_canonical_make(&canonical, buf_span(&value)));
    assert_false(json_canonical_make(
        &canonical,
        SPAN_LIT("{\"a\":\"0123456789012345678901234567890123456789012345678901234567\"}")));
    assert_true(json_canonical_make(&canonical, SPAN_LIT("{\"a\":1}")));
    buf_release(&value);
    json_canonical_release(&canonical);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_values_have_one_text),
        cmocka_unit_test(many_members_in_any_order_are_sorted),
        cmocka_unit_test(depth_and_size_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
