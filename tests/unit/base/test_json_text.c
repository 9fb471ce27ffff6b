/* The record path's JSON against specs/kafka-rest-v2.md section 4 and the grammar. */
#include "json_text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct grid_case {
    const char *in;
    const char *out; /* NULL: refused */
};

static void assert_reencodes(const char *in, const char *expected)
{
    struct json_error err;
    struct buf out;
    buf_init(&out, 1 << 20);
    struct json_cursor c = json_cursor_at(span_from_cstr(in));
    bool ok = json_reencode(&c, &out, &err) && json_at_end(&c);
    if (ok != (expected != NULL)) {
        fail_msg("%s: %s", in, ok ? "accepted" : err.message);
    }
    if (ok && strcmp(buf_cstr(&out), expected) != 0) {
        fail_msg("%s: gave %s, not %s", in, buf_cstr(&out), expected);
    }
    buf_release(&out);
}

static void assert_grid(const struct grid_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_reencodes(cases[i].in, cases[i].out);
    }
}

static void numbers_come_back_as_jackson_writes_them(void **state)
{
    (void)state;
    static const struct grid_case cases[] = {
        {"9223372036854775807", "9223372036854775807"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"-0", "0"},
        {"0", "0"},
        {"-7", "-7"},
        {"1.10", "1.1"},
        {"1.0", "1.0"},
        {"-120.123456789012345678", "-120.12345678901235"},
        {"1e3", "1000.0"},
        {"0.00001", "1.0E-5"},
        {"10000000.0", "1.0E7"},
        {"9999999.0", "9999999.0"},
        {"12345678.9", "1.23456789E7"},
        {"1e21", "1.0E21"},
        {"1E400", "\"Infinity\""},
        {"-1E400", "\"-Infinity\""},
        {"1e-400", "0.0"},
        {"-0.0", "-0.0"},
        {"0.001", "0.001"},
        {"0.00099", "9.9E-4"},
        {"0.0123", "0.0123"},
        {"100.0", "100.0"},
        {"123.456", "123.456"},
        {"-89.9787", "-89.9787"},
        {"1.5e300", "1.5E300"},
        {"4.9e-324", "4.9E-324"},
        {"1.7976931348623157e308", "1.7976931348623157E308"},
        {"0.1000000000000000055511151231257827", "0.1"},
        {"000", NULL},
        {"01", NULL},
        {"-01", NULL},
        {"1.", NULL},
        {".5", NULL},
        {"1e", NULL},
        {"1e+", NULL},
        {"-", NULL},
        {"+1", NULL},
        {"1x", NULL},
        {"NaN", NULL},
        {"Infinity", NULL},
        {"0x10", NULL},
    };
    assert_grid(cases, ARRAY_COUNT(cases));
}

static void strings_come_back_as_raw_utf8_with_surrogate_escapes(void **state)
{
    (void)state;
    static const struct grid_case cases[] = {
        {"\"\\u00e9\"", "\"\xc3\xa9\""},
        {"\"\\/\"", "\"/\""},
        {"\"\\n\\t\\u0001\\b\\f\\r\"", "\"\\n\\t\\u0001\\b\\f\\r\""},
        {"\"\\u001f\"", "\"\\u001F\""},
        {"\"<>&'\xe2\x80\xa8\"", "\"<>&'\xe2\x80\xa8\""},
        {"\"\xf0\x9f\x98\x80\"", "\"\\uD83D\\uDE00\""},
        {"\"\\ud83d\\ude00\"", "\"\\uD83D\\uDE00\""},
        {"\"\\ud83d\"", "\"\\uD83D\""},
        {"\"\\ude00\\ud83d\"", "\"\\uDE00\\uD83D\""},
        {"\"\\ud83dx\"", "\"\\uD83Dx\""},
        {"\"\\\"\\\\\"", "\"\\\"\\\\\""},
        {"\"\\u0022\\u005c\"", "\"\\\"\\\\\""},
        {"\"\x7f\"", "\"\x7f\""},
        {"\"0123456789abcdef0123456789\\u00ff0123456789\"", "\"0123456789abcdef0123456789\xc3\xbf"
                                                            "0123456789\""},
        {"\"\"", "\"\""},
        {"\"\\u0000\"", "\"\\u0000\""},
        {"\"\\x\"", NULL},
        {"\"\\u12g4\"", NULL},
        {"\"\\u12", NULL},
        {"\"\\", NULL},
        {"\"abc", NULL},
        {"\"a\nb\"", NULL},
        {"\"\xff\"", NULL},
        {"\"\xc0\x80\"", NULL},
        {"\"\xed\xa0\x80\"", NULL},
        {"\"\xf5\x80\x80\x80\"", NULL},
        {"\"\xe2\x82\"", NULL},
        {"'a'", NULL},
    };
    assert_grid(cases, ARRAY_COUNT(cases));
}

static void objects_keep_their_order_and_merge_repeated_keys(void **state)
{
    (void)state;
    static const struct grid_case cases[] = {
        {" { \"b\" : 1 , \"a\" : [ 1 , 2 ] } ", "{\"b\":1,\"a\":[1,2]}"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"{\"a\":{\"x\":1},\"b\":2,\"a\":\"longer than before\",\"c\":0,\"b\":[]}",
         "{\"a\":\"longer than before\",\"b\":[],\"c\":0}"},
        {"{\"a\":1,\"\\u0061\":2}", "{\"a\":2}"},
        {"{\"a\":{\"k\":1,\"k\":2},\"a\":{\"k\":3,\"k\":4,\"z\":5}}", "{\"a\":{\"k\":4,\"z\":5}}"},
        {"{\"a\":null,\"b\":true,\"c\":false}", "{\"a\":null,\"b\":true,\"c\":false}"},
        {"{}", "{}"},
        {"[]", "[]"},
        {"[[],{},\"\"]", "[[],{},\"\"]"},
        {"{\"a\":1,}", NULL},
        {"[1,]", NULL},
        {"[1 2]", NULL},
        {"{\"a\" 1}", NULL},
        {"{a:1}", NULL},
        {"{\"a\":}", NULL},
        {"{", NULL},
        {"[", NULL},
        {"{\"a\"", NULL},
        {"{\"a\":1", NULL},
        {"nul", NULL},
        {"nullx", NULL},
        {"/* c */ 1", NULL},
        {"", NULL},
    };
    assert_grid(cases, ARRAY_COUNT(cases));
}

static void many_members_are_merged_too(void **state)
{
    (void)state;
    struct buf in;
    struct buf expected;
    buf_init(&in, 1 << 20);
    buf_init(&expected, 1 << 20);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < 3000; i++) {
            buf_printf(&in, "%s\"k%d\":%d", i + pass > 0 ? "," : "{", i, i + pass);
        }
    }
    buf_append_byte(&in, '}');
    for (int i = 0; i < 3000; i++) {
        buf_printf(&expected, "%s\"k%d\":%d", i > 0 ? "," : "{", i, i + 1);
    }
    buf_append_byte(&expected, '}');
    assert_reencodes(buf_cstr(&in), buf_cstr(&expected));
    buf_release(&in);
    buf_release(&expected);
}

/* Quadratic work would take minutes here. */
static void a_key_repeated_very_often_among_many_costs_no_square(void **state)
{
    (void)state;
    enum { count = 200000 };
    struct buf in;
    struct buf out;
    struct buf expected;
    struct json_error err;
    buf_init(&in, 16 << 20);
    buf_init(&out, 16 << 20);
    buf_init(&expected, 16 << 20);
    buf_printf(&in, "{\"a\":0");
    buf_printf(&expected, "{\"a\":%d", count - 1);
    for (int i = 0; i < count; i++) {
        buf_printf(&in, ",\"k%d\":%d", i, i);
        buf_printf(&expected, ",\"k%d\":%d", i, i);
    }
    for (int i = 0; i < count; i++) {
        buf_printf(&in, ",\"a\":%d", i);
    }
    buf_append_byte(&in, '}');
    buf_append_byte(&expected, '}');
    struct json_cursor c = json_cursor_at(buf_span(&in));
    assert_true(json_reencode(&c, &out, &err));
    assert_true(span_equal(buf_span(&out), buf_span(&expected)));
    buf_release(&in);
    buf_release(&out);
    buf_release(&expected);
}

static void a_byte_order_mark_is_passed_over_once(void **state)
{
    (void)state;
    struct json_error err;
    struct buf out;
    buf_init(&out, 64);
    struct json_cursor c = json_document(SPAN_LIT("\xef\xbb\xbf[1]"));
    assert_true(json_reencode(&c, &out, &err));
    assert_string_equal(buf_cstr(&out), "[1]");
    c = json_document(SPAN_LIT("\xef\xbb\xbf\xef\xbb\xbf[1]"));
    assert_false(json_reencode(&c, NULL, &err));
    c = json_document(SPAN_LIT("\xef\xbb\xbf"));
    assert_true(json_at_end(&c));
    buf_release(&out);
}

static void faults_are_named_in_jacksons_words(void **state)
{
    (void)state;
    static const struct grid_case cases[] = {
        {"{\"a\":}", "Unexpected character ('}' (code 125)): expected a value"},
        {"not json", "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object "
                     "or token 'null', 'true' or 'false')"},
        {"{\"a\":1", "Unexpected end-of-input: expected close marker for Object"},
        {"[1", "Unexpected end-of-input: expected close marker for Array"},
        {"{'a':1}",
         "Unexpected character (''' (code 39)): was expecting double-quote to start field "
         "name"},
        {"{\"a\" 1}",
         "Unexpected character ('1' (code 49)): was expecting a colon to separate field "
         "name and value"},
        {"[1 2]", "Unexpected character ('2' (code 50)): was expecting comma to separate Array "
                  "entries"},
        {"[1,,2]", "Unexpected character (',' (code 44)): expected a value"},
        {"[1.]",
         "Unexpected character (']' (code 93)) in numeric value: Decimal point not followed "
         "by a digit"},
        {"[-]", "Unexpected character (']' (code 93)) in numeric value: expected digit (0-9) to "
                "follow minus sign, for valid numeric value"},
        {"[NaN]", "Non-standard token 'NaN': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to "
                  "allow"},
        {"[1/**/]", "Unexpected character ('/' (code 47)): maybe a (non-standard) comment? (not "
                    "recognized as one since Feature 'ALLOW_COMMENTS' not enabled for parser)"},
        {"\"\xff\"", "Invalid UTF-8 start byte 0xff"},
        {"\"\xe2\x82\"", "Invalid UTF-8 middle byte 0x22"},
        {"\"a\nb\"", "Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using "
                     "backslash to be included in string value"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct json_error err;
        struct json_cursor c = json_cursor_at(span_from_cstr(cases[i].in));
        assert_false(json_reencode(&c, NULL, &err));
        assert_string_equal(err.message, cases[i].out);
    }
}

static void nesting_is_taken_to_the_limit_and_not_beyond(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        size_t depth = JSON_DEPTH_MAX + (size_t)extra;
        struct buf text;
        buf_init(&text, 1 << 20);
        for (size_t i = 0; i < depth; i++) {
            BUF_APPEND_LIT(&text, "[");
        }
        for (size_t i = 0; i < depth; i++) {
            BUF_APPEND_LIT(&text, "]");
        }
        assert_reencodes(buf_cstr(&text), extra == 0 ? buf_cstr(&text) : NULL);
        buf_release(&text);
    }
}

static void a_full_output_buffer_is_a_failure_not_a_cut(void **state)
{
    (void)state;
    struct buf out;
    struct json_error err;
    buf_init(&out, 8);
    struct json_cursor c = json_cursor_at(SPAN_LIT("[1,2,3,4,5,6]"));
    assert_false(json_reencode(&c, &out, &err));
    buf_release(&out);
}

static void every_cut_of_a_document_is_refused(void **state)
{
    (void)state;
    static const char whole[] =
        "{\"a\":[1.5e3,\"\\u00e9\\ud83d\\ude00\",true,null],\"b\":{\"c\":-12}}";
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        /* At the end of its own allocation, so that an over-read shows under ASan. */
        char *copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, whole, len);
        struct json_error err;
        struct json_cursor c = json_cursor_at(span_from(copy, len));
        assert_false(json_reencode(&c, NULL, &err));
        free(copy);
    }
}

static void doubles_print_shortest_and_read_back(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252U;
    for (int i = 0; i < 20000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        double value;
        memcpy(&value, &x, sizeof(value));
        if (!isfinite(value)) {
            continue;
        }
        struct buf out;
        buf_init(&out, 64);
        json_double_append(&out, value);
        double again = strtod(buf_cstr(&out), NULL);
        assert_memory_equal(&again, &value, sizeof(value));
        /* What the text path makes of our own output is the same text. */
        assert_reencodes(buf_cstr(&out), buf_cstr(&out));
        buf_release(&out);
    }
}

static void string_tokens_decode_to_bytes(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 64);
    json_string_decode(SPAN_LIT("\"a\\u00e9\\n\\ud83d\\ude00\\\"\""), &out);
    assert_string_equal(buf_cstr(&out), "a\xc3\xa9\n\xf0\x9f\x98\x80\"");
    buf_release(&out);
}

static void appended_strings_replace_what_is_not_utf8(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 64);
    json_string_append(&out, SPAN_LIT("a\"\x01\xff\xf0\x9f\x98\x80\xc3"));
    assert_string_equal(buf_cstr(&out), "\"a\\\"\\u0001\xef\xbf\xbd\\uD83D\\uDE00\xef\xbf\xbd\"");
    buf_release(&out);
}

static void floats_have_the_digits_of_a_float(void **state)
{
    static const struct {
        float value;
        const char *text;
    } cases[] = {
        {0.1F, "0.1"},
        {1.0F, "1.0"},
        {3.4028235e38F, "3.4028235E38"},
        {1.4e-45F, "1.4E-45"},
        {16777216.0F, "1.6777216E7"},
        {-0.25F, "-0.25"},
        {HUGE_VALF, "\"Infinity\""},
        {0.0F, "0.0"},
    };
    struct buf out;
    (void)state;
    buf_init(&out, 100);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        buf_reset(&out);
        json_float_append(&out, cases[i].value);
        assert_string_equal(buf_cstr(&out), cases[i].text);
    }
    buf_release(&out);
}

/* Rounding one takes as long as copying a hundred: a bounded number of them is rounded, whatever
 * the size of the text. */
static void long_decimals_are_rounded_up_to_a_number(void **state)
{
    (void)state;
    static const char written[] = "1.23456789012345678e3";
    static const char rounded[] = "1234.567890123457";
    enum { more = 3 };
    struct json_error err;
    struct buf in;
    struct buf out;
    struct buf expected;
    buf_init(&in, 1 << 20);
    buf_init(&out, 1 << 20);
    buf_init(&expected, 1 << 20);
    for (int i = 0; i < JSON_LONG_DECIMALS_MAX + more; i++) {
        const char *comma = i == 0 ? "[" : ",";
        buf_printf(&in, "%s%s,1.50", comma, written);
        buf_printf(&expected, "%s%s,1.5", comma, i < JSON_LONG_DECIMALS_MAX ? rounded : written);
    }
    buf_append_byte(&in, ']');
    buf_append_byte(&expected, ']');
    struct json_cursor c = json_cursor_at(buf_span(&in));
    assert_true(json_reencode(&c, &out, &err));
    assert_int_equal(c.long_decimals, JSON_LONG_DECIMALS_MAX);
    assert_string_equal(buf_cstr(&out), buf_cstr(&expected));
    buf_release(&in);
    buf_release(&out);
    buf_release(&expected);
}

static void what_is_counted_is_what_is_written(void **state)
{
    static const char *const texts[] = {
        "null",
        " [ true , false , -0 , 0012e3 ]",
        " [ true , false , -0 , 12e3, 1.50, 0.00001, 123456789012345678901 ] ",
        "\"a\\u0041\\u4e2d\\ud83d\\ude00\\n\\/\\u0001\xf0\x9f\x98\x80\xe4\xb8\xad\"",
        "{ \"a\\u0041\" : { \"b\" : [ ] , \"c\" : \"d\" } , \"e\" : { } }",
        "[0.1234567890123456789, 1.2345678901234567e-300, 3.00000000000000000000001]",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct json_cursor counting = json_cursor_at(span_from_cstr(texts[i]));
        struct json_cursor writing = counting;
        struct json_error err;
        struct buf out;
        size_t count;
        buf_init(&out, 4096);
        bool good = json_reencode(&writing, &out, &err);
        assert_int_equal(json_count(&counting, SIZE_MAX, &count, &err), good);
        size_t doubt = counting.long_decimals * (JSON_DOUBLE_BYTES_MAX - JSON_DOUBLE_BYTES_MIN);
        assert_int_equal(counting.position, writing.position);
        assert_int_equal(counting.long_decimals, writing.long_decimals);
        if (good) {
            assert_in_range(out.len, count - doubt, count);
        }
        buf_release(&out);
    }
}

static void counting_ends_where_there_are_too_many_bytes(void **state)
{
    (void)state;
    struct json_error err;
    size_t count;
    struct json_cursor c = json_cursor_at(SPAN_LIT("[1,2,3,4,5]"));
    assert_true(json_count(&c, 11, &count, &err));
    assert_int_equal(count, 11);
    c.position = 0;
    assert_false(json_count(&c, 4, &count, &err));
    assert_in_range(count, 5, 6);
    assert_true(c.position < 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_have_the_digits_of_a_float),
        cmocka_unit_test(numbers_come_back_as_jackson_writes_them),
        cmocka_unit_test(strings_come_back_as_raw_utf8_with_surrogate_escapes),
        cmocka_unit_test(objects_keep_their_order_and_merge_repeated_keys),
        cmocka_unit_test(many_members_are_merged_too),
        cmocka_unit_test(a_key_repeated_very_often_among_many_costs_no_square),
        cmocka_unit_test(a_byte_order_mark_is_passed_over_once),
        cmocka_unit_test(faults_are_named_in_jacksons_words),
        cmocka_unit_test(nesting_is_taken_to_the_limit_and_not_beyond),
        cmocka_unit_test(a_full_output_buffer_is_a_failure_not_a_cut),
        cmocka_unit_test(every_cut_of_a_document_is_refused),
        cmocka_unit_test(long_decimals_are_rounded_up_to_a_number),
        cmocka_unit_test(what_is_counted_is_what_is_written),
        cmocka_unit_test(counting_ends_where_there_are_too_many_bytes),
        cmocka_unit_test(doubles_print_shortest_and_read_back),
        cmocka_unit_test(string_tokens_decode_to_bytes),
        cmocka_unit_test(appended_strings_replace_what_is_not_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
