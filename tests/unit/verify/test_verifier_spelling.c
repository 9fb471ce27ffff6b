/* Every way of writing a row that participants' scripts are known for (specs: workshop, section 2),
 * and what is near one but no row. */
#include "verifier_content.h"
#include "verifier_spelling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Rows that differ in their keys alone, up to 7528. */
static enum status one_fetch(struct row_source *source, enum table_id table, int64_t row_number,
                             struct row *row, struct error *err)
{
    (void)source;
    if (row_number < 0 || row_number > 7528) {
        return error_set(err, STATUS_NOT_FOUND, "no such row");
    }
    *row = (struct row){.table = table_get(table)};
    row->values[0].integer = row_number;
    if (table == TABLE_PIN) {
        for (size_t i = 1; i < row->table->column_count; i++) {
            row->values[i].text = span_from_cstr(row->table->columns[i].name);
        }
        row->values[2].text = SPAN_LIT("No Title \xe2\x80\xa6");
        row->values[9].integer = 1;
    } else if (table == TABLE_GEO) {
        row->values[1].text = SPAN_LIT("2020-08-28 03:52:47");
        row->values[2].real = -89.9787;
        row->values[3].real = -173.293;
        row->values[4].text = SPAN_LIT("Cote d'Ivoire");
    } else {
        row->values[1].text = SPAN_LIT("Abigail");
        row->values[2].text = SPAN_LIT("Ali");
        row->values[3].integer = 20;
        row->values[4].text = SPAN_LIT("2015-10-24 11:23:51");
    }
    return STATUS_OK;
}

static enum status one_count(struct row_source *source, enum table_id table, int64_t *rows,
                             struct error *err)
{
    (void)source;
    (void)table;
    (void)err;
    *rows = 7529;
    return STATUS_OK;
}

static const struct row_source_ops one_ops = {.fetch = one_fetch, .count = one_count};

static struct content_identity identify(struct verifier_content *content, const char *value)
{
    struct content_identity identity;
    struct error err;
    if (content_identify(content, span_from_cstr(value), &identity, &err) != STATUS_OK) {
        fail_msg("%s: %s", value, err.message);
    }
    return identity;
}

static int set_up(void **state)
{
    static struct row_source rows = {&one_ops};
    static struct verifier_content content;
    struct error err;
    *state = &content;
    return content_init(&content, &rows, &err) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    content_release(*state);
    return 0;
}

#define PIN_REST                                                                                   \
    "\"unique_id\":\"unique_id\",\"title\":\"No Title \\u2026\",\"description\":\"description\","  \
    "\"poster_name\":\"poster_name\",\"follower_count\":\"follower_count\","                       \
    "\"tag_list\":\"tag_list\",\"is_image_or_video\":\"is_image_or_video\","                       \
    "\"image_src\":\"image_src\",\"downloaded\":1,\"save_location\":\"save_location\","            \
    "\"category\":\"category\"}"
#define GEO(key, stamp)                                                                            \
    "{\"" key "\":7528,\"timestamp\":" stamp ",\"latitude\":-89.9787,\"longitude\":-173.293,"      \
    "\"country\":\"Cote d'Ivoire\"}"
#define ISO "\"2020-08-28T03:52:47\""
#define USER(key, stamp)                                                                           \
    "{\"" key "\":7528,\"first_name\":\"Abigail\",\"last_name\":\"Ali\",\"age\":20,"               \
    "\"date_joined\":" stamp "}"

static void every_known_spelling_is_the_row_and_says_what_trips_a_notebook(void **state)
{
    static const struct {
        const char *value;
        int table;
        unsigned flags;
    } cases[] = {
        {"{\"index\":7528," PIN_REST, TABLE_PIN, 0},
        {"{\"ind\":7528," PIN_REST, TABLE_PIN, SPELLING_KEY_NAME},
        {"{\"idx\":7528," PIN_REST, TABLE_PIN, SPELLING_KEY_NAME},
        {"[{\"index\":7528," PIN_REST "]", TABLE_PIN, SPELLING_IN_LIST},
        {GEO("ind", ISO), TABLE_GEO, 0},
        {GEO("index", ISO), TABLE_GEO, SPELLING_KEY_NAME},
        {GEO("idx", ISO), TABLE_GEO, SPELLING_KEY_NAME},
        {GEO("ind", "\"2020-08-28 03:52:47\""), TABLE_GEO, 0},
        {GEO("ind", "\"2020-08-28T03:52:47Z\""), TABLE_GEO, 0},
        {GEO("ind", "\"2020-08-28T03:52:47.000\""), TABLE_GEO, 0},
        {GEO("ind", "\"2020-08-28 03:52:47.000000+00:00\""), TABLE_GEO, 0},
        {GEO("ind", "\"2020:08:28 03:52:47\""), TABLE_GEO, SPELLING_DATETIME},
        {GEO("ind", "\"08/28/2020, 03:52:47\""), TABLE_GEO, SPELLING_DATETIME},
        {GEO("ind", "\"08\\/28\\/2020, 03:52:47\""), TABLE_GEO, SPELLING_DATETIME},
        {"[" GEO("index", "\"08/28/2020, 03:52:47\"") "]", TABLE_GEO,
         SPELLING_IN_LIST | SPELLING_KEY_NAME | SPELLING_DATETIME},
        {"{\n    \"country\": \"Cote d'Ivoire\",\n    \"ind\": 7528,\n    \"latitude\": -89.9787,\n"
         "    \"longitude\": -173.293,\n    \"timestamp\": " ISO "\n}",
         TABLE_GEO, 0}, /* indent=4, sort_keys */
        {"{\"ind\":\"7528\",\"timestamp\":" ISO ",\"latitude\":\"-89.9787\","
         "\"longitude\":-173.29299926757812,\"country\":\"Cote d'Ivoire\"}",
         TABLE_GEO, SPELLING_NUMBER_TEXT},
        {USER("ind", "\"2015-10-24T11:23:51\""), TABLE_USER, 0},
        {USER("index", "\"2015-10-24 11:23:51\""), TABLE_USER, SPELLING_KEY_NAME},
        {"\"{\\\"ind\\\":7528,\\\"first_name\\\":\\\"Abigail\\\",\\\"last_name\\\":\\\"Ali\\\","
         "\\\"age\\\":20,\\\"date_joined\\\":\\\"2015-10-24 11:23:51\\\"}\"",
         TABLE_USER, SPELLING_IN_TEXT},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct content_identity identity = identify(*state, cases[i].value);
        if (!identity.is_row || identity.table != cases[i].table || identity.row_number != 7528 ||
            identity.flags != cases[i].flags) {
            fail_msg("%s: row %d of table %d, flags %u, field %s", cases[i].value, identity.is_row,
                     identity.table, identity.flags, identity.field);
        }
        assert_true((spelling_words(identity.flags)[0] != '\0') == (cases[i].flags != 0));
    }
}

static void what_is_nearly_a_row_names_the_field(void **state)
{
    static const struct {
        const char *value;
        const char *field;
    } cases[] = {
        {GEO("ind", "\"2020-08-28T03:52:48\""), "timestamp"},
        {GEO("ind", "\"2020-08-28T03:52:47+01:00\""), "timestamp"},
        {GEO("ind", "\"2020-08-28T03:52:47.5\""), "timestamp"},
        {GEO("ind", "\"28/08/2020, 03:52:47\""), "timestamp"},
        {GEO("ind", "\"2020-08\""), "timestamp"},
        {GEO("ind", "null"), "timestamp"},
        {GEO("ind", "1598586767"), "timestamp"},
        {"{\"ind\":7528,\"timestamp\":" ISO ",\"latitude\":-89.9788,\"longitude\":-173.293,"
         "\"country\":\"Cote d'Ivoire\"}",
         "latitude"},
        {"{\"ind\":7528,\"timestamp\":" ISO ",\"latitude\":-89.9787,\"longitude\":-173.293}",
         "country"},
        {"{\"ind\":7528,\"first_name\":\"Abigail\",\"last_name\":\"Ali\",\"age\":20,"
         "\"date_joined\":\"2015-10-24T11:23:51\",\"user\":1}",
         "user"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct content_identity identity = identify(*state, cases[i].value);
        if (identity.is_row || !identity.is_like_row || strcmp(identity.field, cases[i].field)) {
            fail_msg("%s: row %d, like %d, field %s", cases[i].value, identity.is_row,
                     identity.is_like_row, identity.field);
        }
    }
}

static void what_is_far_from_a_row_is_none(void **state)
{
    static const char *const values[] = {
        "{\"index\":7528,\"category\":\"mens-fashion\"}",
        "{\"hello\":\"world\"}",
        "{\"ind\":7528}",
        "{\"ind\":7527,\"age\":20}",
        "{\"ind\":99999999999,\"age\":20,\"last_name\":\"Ali\"}",
        "[]",
        "[1,2]",
        "[" GEO("ind", ISO) "," GEO("ind", ISO) "]",
        "[[[[" GEO("ind", ISO) "]]]]",
        "\"hello\"",
        "\"\\\"twice\\\"\"",
        "17",
        "null",
        "",
        "{\"ind\":",
    };
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        struct content_identity identity = identify(*state, values[i]);
        if (identity.is_row || identity.is_like_row) {
            fail_msg("%s is a row", values[i]);
        }
    }
    assert_int_equal(identify(*state, "{\"age\":20,\"last_name\":\"Ali\"}").table, TABLE_USER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            every_known_spelling_is_the_row_and_says_what_trips_a_notebook, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_nearly_a_row_names_the_field, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_far_from_a_row_is_none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
