/* What Connect's converters and Jackson make of a record's bytes: specs/s3-sink-connector.md
 * section 3. The key orders are those measured with a JVM (connect-json 2.8.1). */
#include "sink_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OUT_BYTES_MAX = 1 << 22 };

struct fixture {
    struct sink_value value;
    struct sink_conversion conversion;
    struct sink_failure failure;
    struct buf out;
    struct buf trace;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    sink_value_init(&f->value);
    f->conversion = (struct sink_conversion){.converter = SINK_CONVERTER_JSON};
    buf_init(&f->out, OUT_BYTES_MAX);
    buf_init(&f->trace, OUT_BYTES_MAX);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sink_value_release(&f->value);
    buf_release(&f->out);
    buf_release(&f->trace);
    free(f);
    return 0;
}

static const char *converted(struct fixture *f, struct span in)
{
    buf_reset(&f->out);
    buf_reset(&f->trace);
    if (!sink_value_convert(&f->value, &f->conversion, true, in, &f->failure)) {
        sink_failure_trace(&f->failure, &f->trace);
        return "FAILED";
    }
    if (f->value.kind == SINK_VALUE_NULL) {
        return "NULL";
    }
    sink_value_write(&f->value, &f->out);
    assert_true(buf_ok(&f->out));
    return buf_cstr(&f->out);
}

struct grid_case {
    const char *in;
    const char *out;
};

static void assert_grid(struct fixture *f, const struct grid_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *got = converted(f, span_from_cstr(cases[i].in));
        if (strcmp(got, cases[i].out) != 0) {
            fail_msg("%s: gave %s %s, not %s", cases[i].in, got, buf_cstr(&f->trace), cases[i].out);
        }
    }
}

static void the_three_tables_come_out_in_hashmap_order(void **state)
{
    static const struct grid_case cases[] = {
        {"{\"index\":7528,\"unique_id\":\"fbe53c66-3442-4773-b19e-d3ec6f54dddf\",\"title\":\"No "
         "Title Data Available\",\"description\":\"No description available Story "
         "format\",\"poster_name\":\"User Info Error\",\"follower_count\":\"User Info "
         "Error\",\"tag_list\":\"N,o, ,T,a,g,s, "
         ",A,v,a,i,l,a,b,l,e\",\"is_image_or_video\":\"multi-video(story page "
         "format)\",\"image_src\":\"Image src error.\",\"downloaded\":0,\"save_location\":\"Local "
         "save in /data/mens-fashion\",\"category\":\"mens-fashion\"}",
         "{\"is_image_or_video\":\"multi-video(story page "
         "format)\",\"unique_id\":\"fbe53c66-3442-4773-b19e-d3ec6f54dddf\",\"save_location\":"
         "\"Local save in /data/mens-fashion\",\"poster_name\":\"User Info "
         "Error\",\"tag_list\":\"N,o, ,T,a,g,s, "
         ",A,v,a,i,l,a,b,l,e\",\"index\":7528,\"description\":\"No description available Story "
         "format\",\"title\":\"No Title Data "
         "Available\",\"category\":\"mens-fashion\",\"follower_count\":\"User Info "
         "Error\",\"image_src\":\"Image src error.\",\"downloaded\":0}"},
        {"{\"ind\":7528,\"timestamp\":\"2020-08-28 "
         "03:52:47\",\"latitude\":-89.9787,\"longitude\":-173.293,\"country\":\"Albania\"}",
         "{\"country\":\"Albania\",\"latitude\":-89.9787,\"ind\":7528,\"timestamp\":\"2020-08-28 "
         "03:52:47\",\"longitude\":-173.293}"},
        {"{\"ind\":7528,\"first_name\":\"Abigail\",\"last_name\":\"Ali\",\"age\":20,\"date_"
         "joined\":\"2015-10-24T11:23:51\"}",
         "{\"last_name\":\"Ali\",\"date_joined\":\"2015-10-24T11:23:51\",\"first_name\":"
         "\"Abigail\",\"ind\":7528,\"age\":20}"},
    };
    assert_grid(*state, cases, ARRAY_COUNT(cases));
}

/* {"k0":0,"k1":1,...} */
static struct span numbered_keys(struct buf *out, int count)
{
    buf_reset(out);
    for (int i = 0; i < count; i++) {
        buf_printf(out, "%c\"k%d\":%d", i == 0 ? '{' : ',', i, i);
    }
    buf_append_byte(out, '}');
    return buf_span(out);
}

/* Only the numbers, for a shorter expectation. */
static void assert_numbers(struct fixture *f, struct span in, const char *expected)
{
    char numbers[1024] = "";
    size_t used = 0;
    struct span rest = span_from_cstr(converted(f, in));
    struct span part;
    while (span_next_part(&rest, ',', &part)) {
        struct span number = span_skip(part, span_find_byte(part, ':') + 1);
        while (number.len > 0 && number.ptr[number.len - 1] == '}') {
            number.len--;
        }
        used += (size_t)snprintf(numbers + used, sizeof(numbers) - used, "%s%.*s",
                                 used > 0 ? " " : "", SPAN_ARG(number));
    }
    assert_string_equal(numbers, expected);
}

static void a_thirteenth_and_a_twenty_fifth_key_double_the_table(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int count;
        const char *order;
    } cases[] = {
        {12, "0 1 2 3 4 5 11 6 10 7 8 9"},
        {13, "0 1 2 3 4 5 11 6 10 7 8 12 9"},
        {24, "0 1 2 3 20 4 5 11 22 6 10 21 7 13 8 12 23 9 15 14 17 16 19 18"},
        {25, "11 10 13 12 15 14 17 16 19 18 0 1 2 3 20 4 5 22 6 21 7 24 8 23 9"},
        {49, "31 30 33 32 35 34 37 36 39 38 0 1 40 2 3 42 4 41 5 44 6 43 7 46 8 45 9 48 47 11 10 "
             "13 12 15 14 17 16 19 18 20 22 21 24 23 26 25 28 27 29"},
    };
    struct buf in;
    buf_init(&in, OUT_BYTES_MAX);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_numbers(f, numbered_keys(&in, cases[i].count), cases[i].order);
    }
    buf_release(&in);
}

static void a_ninth_key_in_one_bucket_doubles_the_table_early(void **state)
{
    struct fixture *f = *state;
    assert_numbers(f,
                   SPAN_LIT("{\"c8\":0,\"c12\":1,\"c23\":2,\"c34\":3,\"c45\":4,\"c56\":5,"
                            "\"c67\":6,\"c78\":7}"),
                   "0 1 2 3 4 5 6 7");
    assert_numbers(f,
                   SPAN_LIT("{\"c8\":0,\"c12\":1,\"c23\":2,\"c34\":3,\"c45\":4,\"c56\":5,"
                            "\"c67\":6,\"c78\":7,\"c89\":8}"),
                   "1 2 3 4 5 6 7 8 0");
    assert_numbers(f,
                   SPAN_LIT("{\"c8\":0,\"c12\":1,\"c23\":2,\"c34\":3,\"c45\":4,\"c56\":5,"
                            "\"c67\":6,\"c78\":7,\"c89\":8,\"c160\":9}"),
                   "1 3 5 7 9 2 4 6 8 0");
    assert_numbers(f,
                   SPAN_LIT("{\"c12\":0,\"c23\":1,\"c34\":2,\"c45\":3,\"c56\":4,\"c67\":5,"
                            "\"c78\":6,\"c89\":7,\"c160\":8,\"c171\":9}"),
                   "0 2 4 6 8 1 3 5 7 9");
}

static void keys_of_any_script_hash_by_their_utf16_units(void **state)
{
    static const struct grid_case cases[] = {
        {"{\"\xc3\xa9\":1,\"\xe2\x80\xa6\":2,\"\xf0\x9f\x98\x80\":3,\"\\ud83d\":4,"
         "\"z\\u00e9\":5,\"\":6}",
         "{\"\":6,\"\xe2\x80\xa6\":2,\"\\uD83D\\uDE00\":3,\"\xc3\xa9\":1,\"\\uD83D\":4,"
         "\"z\xc3\xa9\":5}"},
        {"{\"Aa\":1,\"BB\":2}", "{\"Aa\":1,\"BB\":2}"},
        {"{\"BB\":2,\"Aa\":1}", "{\"BB\":2,\"Aa\":1}"},
    };
    assert_grid(*state, cases, ARRAY_COUNT(cases));
}

static void a_repeated_key_has_its_last_value_at_its_first_place(void **state)
{
    static const struct grid_case cases[] = {
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"},
        {"{\"BB\":1,\"Aa\":2,\"BB\":{\"x\":[3]}}", "{\"BB\":{\"x\":[3]},\"Aa\":2}"},
        {"{\"a\":{\"x\":1},\"\\u0061\":null}", "{\"a\":null}"},
    };
    assert_grid(*state, cases, ARRAY_COUNT(cases));
}

static void repeated_keys_are_found_in_an_object_of_thousands(void **state)
{
    struct fixture *f = *state;
    struct buf in;
    buf_init(&in, OUT_BYTES_MAX);
    buf_append_byte(&in, '{');
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            buf_printf(&in, "\"k%d\":%d,", i, i + round);
        }
    }
    BUF_APPEND_LIT(&in, "\"k4999\":-1}");
    converted(f, buf_span(&in));
    assert_int_equal(sink_tree_node(&f->value.tree, f->value.root)->child_count, 5000);
    uint32_t last = sink_tree_member(&f->value.tree, f->value.root, SPAN_LIT("k4999"));
    assert_int_equal(sink_tree_long(&f->value.tree, last), -1);
    uint32_t other = sink_tree_member(&f->value.tree, f->value.root, SPAN_LIT("k17"));
    assert_int_equal(sink_tree_long(&f->value.tree, other), 18);
    buf_release(&in);
}

static void numbers_are_longs_that_wrap_and_doubles(void **state)
{
    static const struct grid_case cases[] = {
        {"0", "0"},
        {"-0", "0"},
        {"9223372036854775807", "9223372036854775807"},
        {"9223372036854775808", "-9223372036854775808"},
        {"-9223372036854775809", "9223372036854775807"},
        {"99999999999999999999999", "200376420520689663"},
        {"1.0", "1.0"},
        {"28.5", "28.5"},
        {"1E5", "100000.0"},
        {"10000000.0", "1.0E7"},
        {"0.00099", "9.9E-4"},
        {"-89.9787", "-89.9787"},
        {"9007199254740993.0", "9.007199254740992E15"},
        {"1e400", "\"Infinity\""},
        {"-1e400", "\"-Infinity\""},
        {"-0.0", "0.0"},
        {"-0e5", "0.0"},
        {"-1e-400", "-0.0"},
    };
    assert_grid(*state, cases, ARRAY_COUNT(cases));
}

static void strings_have_jacksons_escapes(void **state)
{
    static const struct grid_case cases[] = {
        {"\"\\u0022\\/\\b\\f\\n\\r\\t\\u001f\\u007f\"", "\"\\\"/\\b\\f\\n\\r\\t\\u001F\x7f\""},
        {"\"caf\\u00e9\\u2026\\u00a0\"", "\"caf\xc3\xa9\xe2\x80\xa6\xc2\xa0\""},
        {"\"\xf0\x9f\x98\x80\\ud83d\\ude00\"", "\"\\uD83D\\uDE00\\uD83D\\uDE00\""},
        {"\"\\ud800x\"", "\"\\uD800x\""},
    };
    assert_grid(*state, cases, ARRAY_COUNT(cases));
}

static void any_json_value_may_stand_alone_and_what_follows_it_is_ignored(void **state)
{
    static const struct grid_case cases[] = {
        {"\"abc\"", "\"abc\""},
        {"12", "12"},
        {" [ 1 , { \"b\" : [ ] , \"a\" : null } ] ", "[1,{\"a\":null,\"b\":[]}]"},
        {"true,", "true"},
        {"{\"a\":1}}{", "{\"a\":1}"},
        {"[]x", "[]"},
        {"12 x", "12"},
        {"\xef\xbb\xbf{}", "{}"},
        {"{\"schema\":null,\"payload\":{\"b\":1,\"a\":2}}",
         "{\"schema\":null,\"payload\":{\"a\":2,\"b\":1}}"},
    };
    assert_grid(*state, cases, ARRAY_COUNT(cases));
}

static void null_and_no_json_at_all_are_tombstones(void **state)
{
    struct fixture *f = *state;
    static const struct grid_case cases[] = {
        {"null", "NULL"}, {"", "NULL"}, {" \n", "NULL"}, {"null]", "NULL"}};
    assert_grid(f, cases, ARRAY_COUNT(cases));
    assert_true(sink_value_convert(&f->value, &f->conversion, false, SPAN_EMPTY, &f->failure));
    assert_int_equal(f->value.kind, SINK_VALUE_NULL);
}

static void what_is_not_json_fails_in_jacksons_words(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *in;
        const char *class_name;
        const char *message;
    } cases[] = {
        {"abc", "JsonParseException",
         "Unrecognized token 'abc': was expecting (JSON String, Number, Array, Object or token "
         "'null', 'true' or 'false')"},
        {"abc\xff\xed\xa0\x80", "JsonParseException",
         "Unrecognized token 'abc?\?\?\?': was expecting (JSON String, Number, Array, Object or "
         "token "
         "'null', 'true' or 'false')"},
        {"12,", "JsonParseException",
         "Unexpected character (',' (code 44)): Expected space separating root-level values"},
        {"1.5\x01", "JsonParseException",
         "Unexpected character ((CTRL-CHAR, code 1)): Expected space separating root-level values"},
        {"{\"a\":[1", "io.JsonEOFException",
         "Unexpected end-of-input: expected close marker for Array"},
        {"{\"a\"}", "JsonParseException",
         "Unexpected character ('}' (code 125)): was expecting a colon to separate field name and "
         "value"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char expected[1024];
        snprintf(expected, sizeof(expected),
                 "org.apache.kafka.connect.errors.DataException: Converting byte[] to Kafka "
                 "Connect data failed due to serialization error: \n"
                 "Caused by: org.apache.kafka.common.errors.SerializationException: "
                 "com.fasterxml.jackson.core.%s: %s\n"
                 "Caused by: com.fasterxml.jackson.core.%s: %s\n",
                 cases[i].class_name, cases[i].message, cases[i].class_name, cases[i].message);
        assert_string_equal(converted(f, span_from_cstr(cases[i].in)), "FAILED");
        assert_string_equal(buf_cstr(&f->trace), expected);
    }
}

static void nesting_ends_at_a_thousand(void **state)
{
    struct fixture *f = *state;
    struct buf in;
    buf_init(&in, OUT_BYTES_MAX);
    for (int depth = 1000; depth <= 1001; depth++) {
        buf_reset(&in);
        for (int i = 0; i < depth; i++) {
            buf_append_byte(&in, '[');
        }
        for (int i = 0; i < depth; i++) {
            buf_append_byte(&in, ']');
        }
        const char *got = converted(f, buf_span(&in));
        assert_string_equal(got, depth == 1000 ? buf_cstr(&in) : "FAILED");
    }
    buf_release(&in);
}

static void plain_json_fails_where_schemas_are_enabled(void **state)
{
    struct fixture *f = *state;
    f->conversion.schemas_enable = true;
    assert_string_equal(converted(f, SPAN_LIT("{\"ind\":1}")), "FAILED");
    assert_string_equal(
        buf_cstr(&f->trace),
        "org.apache.kafka.connect.errors.DataException: JsonConverter with schemas.enable requires "
        "\"schema\" and \"payload\" fields and may not contain additional fields. If you are "
        "trying to deserialize plain JSON data, set schemas.enable=false in your converter "
        "configuration.\n");
    assert_string_equal(converted(f, SPAN_LIT("null")), "FAILED");
    assert_string_equal(converted(f, SPAN_EMPTY), "FAILED");
}

static void the_order_of_the_input_can_be_kept(void **state)
{
    struct fixture *f = *state;
    f->conversion.order = SINK_ORDER_INPUT;
    assert_string_equal(converted(f, SPAN_LIT("{\"z\":{\"b\":1,\"a\":2},\"y\":3,\"z\":4,\"x\":5}")),
                        "{\"z\":4,\"y\":3,\"x\":5}");
}

static void strings_and_bytes_become_one_json_string(void **state)
{
    struct fixture *f = *state;
    f->conversion.converter = SINK_CONVERTER_STRING;
    assert_string_equal(converted(f, SPAN_LIT("{\"a\":\"\xc3\xa9\n\xff\"}")),
                        "\"{\\\"a\\\":\\\"\xc3\xa9\\n\xef\xbf\xbd\\\"}\"");
    assert_string_equal(converted(f, SPAN_EMPTY), "\"\"");
    f->conversion.converter = SINK_CONVERTER_BYTES;
    assert_string_equal(converted(f, SPAN_LIT("\x01\xff")), "\"Af8=\"");
}

static void fields_are_read_as_java_reads_them(void **state)
{
    struct fixture *f = *state;
    const struct sink_tree *tree = &f->value.tree;
    converted(
        f,
        SPAN_LIT(
            "{\"n\":18446744073709551617,\"d\":-2.9,\"big\":1e300,\"low\":-1e300,\"zero\":-0.0e9,"
            "\"\\u0074\":\"a\\u0062\"}"));
    uint32_t root = f->value.root;
    assert_int_equal(sink_tree_long(tree, sink_tree_member(tree, root, SPAN_LIT("n"))), 1);
    assert_int_equal(sink_tree_long(tree, sink_tree_member(tree, root, SPAN_LIT("d"))), -2);
    assert_true(sink_tree_long(tree, sink_tree_member(tree, root, SPAN_LIT("big"))) == INT64_MAX);
    assert_true(sink_tree_long(tree, sink_tree_member(tree, root, SPAN_LIT("low"))) == INT64_MIN);
    assert_true(sink_tree_float(tree, sink_tree_member(tree, root, SPAN_LIT("zero"))) == 0);
    const float expected =
        -2.9F; /* as a constant it may be wider where floats are reckoned wider */
    assert_true(sink_tree_float(tree, sink_tree_member(tree, root, SPAN_LIT("d"))) == expected);
    uint32_t text = sink_tree_member(tree, root, SPAN_LIT("t"));
    assert_true(sink_tree_text_is(tree, text, "ab"));
    assert_false(sink_tree_text_is(tree, text, "abc"));
    assert_false(sink_tree_text_is(tree, text, "a"));
    assert_false(sink_tree_text_is(tree, text, "ac"));
    assert_int_equal(sink_tree_member(tree, 0, SPAN_LIT("none")), 0);
    assert_int_equal(sink_tree_member(tree, root, SPAN_LIT("none")), 0);
    assert_int_equal(sink_tree_member(tree, text, SPAN_LIT("none")), 0);
}

/* What goes beyond is left out: the first cause is the one that counts. */
static void a_trace_has_so_many_causes_at_most(void **state)
{
    struct fixture *f = *state;
    buf_reset(&f->trace);
    sink_fail(&f->failure, "java.lang.First", "first");
    for (int i = 0; i < 2 * SINK_CAUSES_MAX; i++) {
        sink_fail_cause(&f->failure, "java.lang.Cause", "%d", i);
    }
    assert_int_equal(f->failure.count, SINK_CAUSES_MAX);
    sink_fail_wrap(&f->failure, "java.lang.Outer", "outer");
    assert_int_equal(f->failure.count, SINK_CAUSES_MAX);
    sink_failure_trace(&f->failure, &f->trace);
    assert_string_equal(buf_cstr(&f->trace), "java.lang.Outer: outer\n"
                                             "Caused by: java.lang.First: first\n"
                                             "Caused by: java.lang.Cause: 0\n"
                                             "Caused by: java.lang.Cause: 1\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_three_tables_come_out_in_hashmap_order),
        T(a_thirteenth_and_a_twenty_fifth_key_double_the_table),
        T(a_ninth_key_in_one_bucket_doubles_the_table_early),
        T(keys_of_any_script_hash_by_their_utf16_units),
        T(a_repeated_key_has_its_last_value_at_its_first_place),
        T(repeated_keys_are_found_in_an_object_of_thousands),
        T(numbers_are_longs_that_wrap_and_doubles),
        T(strings_have_jacksons_escapes),
        T(any_json_value_may_stand_alone_and_what_follows_it_is_ignored),
        T(null_and_no_json_at_all_are_tombstones),
        T(what_is_not_json_fails_in_jacksons_words),
        T(nesting_ends_at_a_thousand),
        T(plain_json_fails_where_schemas_are_enabled),
        T(the_order_of_the_input_can_be_kept),
        T(strings_and_bytes_become_one_json_string),
        T(fields_are_read_as_java_reads_them),
        T(a_trace_has_so_many_causes_at_most),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
