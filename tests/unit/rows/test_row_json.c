#include "row_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct row geo_row(void)
{
    struct row row = {.table = table_get(TABLE_GEO)};
    row.values[0].integer = 7528;
    row.values[1].text = SPAN_LIT("2020-08-28 03:52:47");
    row.values[2].real = -89.9787;
    row.values[3].real = -173.293;
    row.values[4].text = SPAN_LIT("Cote d'Ivoire");
    return row;
}

static struct row user_row(const char *first_name)
{
    struct row row = {.table = table_get(TABLE_USER)};
    row.values[0].integer = 3;
    row.values[1].text = span_from_cstr(first_name);
    row.values[2].is_null = true;
    row.values[3].integer = 20;
    row.values[4].text = SPAN_LIT("2015-10-21 00:00:01");
    return row;
}

static void appends(const struct row *row, enum datetime_style style, const char *expected)
{
    struct buf out;
    buf_init(&out, 4096);
    row_json_append(&out, row, style);
    assert_string_equal(buf_cstr(&out), expected);
    buf_release(&out);
}

static void rows_are_written_compactly_in_column_order(void **state)
{
    (void)state;
    struct row row = geo_row();
    appends(&row, DATETIME_ISO,
            "{\"ind\":7528,\"timestamp\":\"2020-08-28T03:52:47\",\"latitude\":-89.9787,"
            "\"longitude\":-173.293,\"country\":\"Cote d'Ivoire\"}");
    appends(&row, DATETIME_SPACE,
            "{\"ind\":7528,\"timestamp\":\"2020-08-28 03:52:47\",\"latitude\":-89.9787,"
            "\"longitude\":-173.293,\"country\":\"Cote d'Ivoire\"}");
}

static void whole_floats_keep_a_point_and_small_ones_an_exponent_as_java_prints(void **state)
{
    (void)state;
    struct row row = geo_row();
    row.values[2].real = 45;
    row.values[3].real = 0.000123;
    appends(&row, DATETIME_ISO,
            "{\"ind\":7528,\"timestamp\":\"2020-08-28T03:52:47\",\"latitude\":45.0,"
            "\"longitude\":1.23E-4,\"country\":\"Cote d'Ivoire\"}");
}

static void texts_are_escaped_and_nulls_are_null(void **state)
{
    (void)state;
    struct row row = user_row("A \"b\" \\ \n caf\xc3\xa9 \xe2\x80\xa6\xc2\xa0");
    appends(&row, DATETIME_ISO,
            "{\"ind\":3,\"first_name\":\"A \\\"b\\\" \\\\ \\n caf\xc3\xa9 \xe2\x80\xa6\xc2\xa0\","
            "\"last_name\":null,\"age\":20,\"date_joined\":\"2015-10-21T00:00:01\"}");
}

static void a_datetime_of_another_length_is_written_as_it_is(void **state)
{
    (void)state;
    struct row row = user_row("A");
    row.values[4].text = SPAN_LIT("2015-10-21");
    appends(&row, DATETIME_ISO,
            "{\"ind\":3,\"first_name\":\"A\",\"last_name\":null,\"age\":20,"
            "\"date_joined\":\"2015-10-21\"}");
}

struct compare_case {
    const char *label;
    const char *value;
    enum row_json_match match;
    const char *field;
    const char *unknown;
};

#define GEO_TAIL "\"latitude\":-89.9787,\"longitude\":-173.293,\"country\":\"Cote d'Ivoire\"}"
#define GEO_TIME "\"timestamp\":\"2020-08-28T03:52:47\","

static const struct compare_case compare_cases[] = {
    {"as written", "{\"ind\":7528," GEO_TIME GEO_TAIL, ROW_JSON_SAME, "", ""},
    {"white space", " { \"ind\" : 7528 , " GEO_TIME GEO_TAIL " \n", ROW_JSON_SAME, "", ""},
    {"key order free",
     "{\"country\":\"Cote d'Ivoire\",\"longitude\":-173.293,\"latitude\":-89.9787," GEO_TIME
     "\"ind\":7528}",
     ROW_JSON_SAME, "", ""},
    {"integer as decimal", "{\"ind\":7528.0," GEO_TIME GEO_TAIL, ROW_JSON_SAME, "", ""},
    {"integer with exponent", "{\"ind\":7.528E3," GEO_TIME GEO_TAIL, ROW_JSON_SAME, "", ""},
    {"float with zeros",
     "{\"ind\":7528," GEO_TIME
     "\"latitude\":-89.97870,\"longitude\":-1.73293e2,\"country\":\"Cote d'Ivoire\"}",
     ROW_JSON_SAME, "", ""},
    {"escaped text",
     "{\"ind\":7528," GEO_TIME
     "\"latitude\":-89.9787,\"longitude\":-173.293,\"country\":\"\\u0043ote d\\u0027Ivoire\"}",
     ROW_JSON_SAME, "", ""},
    {"escaped key", "{\"\\u0069nd\":7528," GEO_TIME GEO_TAIL, ROW_JSON_SAME, "", ""},
    {"duplicate key, last one right", "{\"ind\":1,\"ind\":7528," GEO_TIME GEO_TAIL, ROW_JSON_SAME,
     "", ""},
    {"duplicate key, last one wrong", "{\"ind\":7528,\"ind\":1," GEO_TIME GEO_TAIL,
     ROW_JSON_DIFFERS, "ind", ""},
    {"other key", "{\"ind\":7529," GEO_TIME GEO_TAIL, ROW_JSON_DIFFERS, "ind", ""},
    {"key as text", "{\"ind\":\"7528\"," GEO_TIME GEO_TAIL, ROW_JSON_DIFFERS, "ind", ""},
    {"key off by a fraction", "{\"ind\":7528.5," GEO_TIME GEO_TAIL, ROW_JSON_DIFFERS, "ind", ""},
    {"key beyond 64 bits", "{\"ind\":99999999999999999999," GEO_TIME GEO_TAIL, ROW_JSON_DIFFERS,
     "ind", ""},
    {"key null", "{\"ind\":null," GEO_TIME GEO_TAIL, ROW_JSON_DIFFERS, "ind", ""},
    {"time in the other style", "{\"ind\":7528,\"timestamp\":\"2020-08-28 03:52:47\"," GEO_TAIL,
     ROW_JSON_DIFFERS, "timestamp", ""},
    {"time one second off", "{\"ind\":7528,\"timestamp\":\"2020-08-28T03:52:48\"," GEO_TAIL,
     ROW_JSON_DIFFERS, "timestamp", ""},
    {"time as number", "{\"ind\":7528,\"timestamp\":1598586767," GEO_TAIL, ROW_JSON_DIFFERS,
     "timestamp", ""},
    {"time missing", "{\"ind\":7528," GEO_TAIL, ROW_JSON_DIFFERS, "timestamp", ""},
    {"float rounded",
     "{\"ind\":7528," GEO_TIME
     "\"latitude\":-89.979,\"longitude\":-173.293,\"country\":\"Cote d'Ivoire\"}",
     ROW_JSON_DIFFERS, "latitude", ""},
    {"float as text",
     "{\"ind\":7528," GEO_TIME
     "\"latitude\":-89.9787,\"longitude\":\"-173.293\",\"country\":\"Cote d'Ivoire\"}",
     ROW_JSON_DIFFERS, "longitude", ""},
    {"text differs",
     "{\"ind\":7528," GEO_TIME "\"latitude\":-89.9787,\"longitude\":-173.293,\"country\":\"Cuba\"}",
     ROW_JSON_DIFFERS, "country", ""},
    {"text as object",
     "{\"ind\":7528," GEO_TIME "\"latitude\":-89.9787,\"longitude\":-173.293,\"country\":{}}",
     ROW_JSON_DIFFERS, "country", ""},
    {"the first column in order is named, not the first in the text",
     "{\"country\":\"Cuba\",\"longitude\":0,\"latitude\":-89.9787," GEO_TIME "\"ind\":7528}",
     ROW_JSON_DIFFERS, "longitude", ""},
    {"renamed key", "{\"index\":7528," GEO_TIME GEO_TAIL, ROW_JSON_DIFFERS, "ind", "index"},
    {"more members", "{\"ind\":7528,\"a\":[1,{\"ind\":5}],\"b\\n\":2," GEO_TIME GEO_TAIL,
     ROW_JSON_DIFFERS, "", "a, b\n"},
    {"empty object", "{}", ROW_JSON_DIFFERS, "ind", ""},
    {"wrapped in an array", "[{\"ind\":7528," GEO_TIME GEO_TAIL "]", ROW_JSON_NOT_AN_OBJECT, "",
     ""},
    {"double encoded", "\"{}\"", ROW_JSON_NOT_AN_OBJECT, "", ""},
    {"null", "null", ROW_JSON_NOT_AN_OBJECT, "", ""},
    {"nothing", "", ROW_JSON_NOT_AN_OBJECT, "", ""},
    {"not JSON", "{ind=7528}", ROW_JSON_NOT_AN_OBJECT, "", ""},
    {"cut off", "{\"ind\":7528", ROW_JSON_NOT_AN_OBJECT, "", ""},
    {"value missing", "{\"ind\":}", ROW_JSON_NOT_AN_OBJECT, "", ""},
    {"text behind it", "{\"ind\":7528," GEO_TIME GEO_TAIL "}", ROW_JSON_NOT_AN_OBJECT, "", ""},
    {"two objects", "{} {}", ROW_JSON_NOT_AN_OBJECT, "", ""},
};

static void every_kind_of_difference_names_its_field(void **state)
{
    (void)state;
    struct row row = geo_row();
    for (size_t i = 0; i < ARRAY_COUNT(compare_cases); i++) {
        const struct compare_case *c = &compare_cases[i];
        const char *field = NULL;
        struct buf unknown;
        buf_init(&unknown, 4096);
        enum row_json_match match =
            row_json_compare(span_from_cstr(c->value), &row, DATETIME_ISO, &field, &unknown);
        if (match != c->match || strcmp(field, c->field) != 0) {
            print_error("case: %s\n", c->label);
        }
        assert_int_equal(match, c->match);
        assert_string_equal(field, c->field);
        if (match != ROW_JSON_NOT_AN_OBJECT) {
            assert_string_equal(buf_cstr(&unknown), c->unknown);
        }
        buf_release(&unknown);
    }
}

static void what_is_written_compares_as_the_same_in_its_own_style_only(void **state)
{
    (void)state;
    struct row row = user_row("caf\xc3\xa9 \"\xf0\x9f\x98\x80\" \\");
    const char *field;
    for (int style = DATETIME_ISO; style <= DATETIME_SPACE; style++) {
        struct buf out;
        buf_init(&out, 4096);
        row_json_append(&out, &row, (enum datetime_style)style);
        assert_int_equal(
            row_json_compare(buf_span(&out), &row, (enum datetime_style)style, &field, NULL),
            ROW_JSON_SAME);
        assert_int_equal(
            row_json_compare(buf_span(&out), &row, (enum datetime_style) !style, &field, NULL),
            ROW_JSON_DIFFERS);
        assert_string_equal(field, "date_joined");
        buf_release(&out);
    }
}

static void a_null_equals_only_null(void **state)
{
    (void)state;
    struct row row = user_row("A");
    const char *field;
    const char *values[] = {
        "{\"ind\":3,\"first_name\":\"A\",\"last_name\":\"\",\"age\":20,"
        "\"date_joined\":\"2015-10-21T00:00:01\"}",
        "{\"ind\":3,\"first_name\":\"A\",\"age\":20,\"date_joined\":\"2015-10-21T00:00:01\"}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        assert_int_equal(
            row_json_compare(span_from_cstr(values[i]), &row, DATETIME_ISO, &field, NULL),
            ROW_JSON_DIFFERS);
        assert_string_equal(field, "last_name");
    }
}

static void tables_are_found_by_name_and_by_topic_suffix(void **state)
{
    (void)state;
    assert_ptr_equal(table_find(SPAN_LIT("pinterest_data")), table_get(TABLE_PIN));
    assert_ptr_equal(table_find(SPAN_LIT("geo")), table_get(TABLE_GEO));
    assert_ptr_equal(table_find(SPAN_LIT("user_data")), table_get(TABLE_USER));
    assert_null(table_find(SPAN_LIT("pins")));
    assert_null(table_find(SPAN_LIT("")));
    assert_string_equal(table_get(TABLE_PIN)->columns[0].name, "index");
    assert_int_equal(table_get(TABLE_PIN)->column_count, TABLE_COLUMNS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_written_compactly_in_column_order),
        cmocka_unit_test(whole_floats_keep_a_point_and_small_ones_an_exponent_as_java_prints),
        cmocka_unit_test(texts_are_escaped_and_nulls_are_null),
        cmocka_unit_test(a_datetime_of_another_length_is_written_as_it_is),
        cmocka_unit_test(every_kind_of_difference_names_its_field),
        cmocka_unit_test(what_is_written_compares_as_the_same_in_its_own_style_only),
        cmocka_unit_test(a_null_equals_only_null),
        cmocka_unit_test(tables_are_found_by_name_and_by_topic_suffix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
