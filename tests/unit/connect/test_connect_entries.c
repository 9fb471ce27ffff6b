/* A configuration's entries: read from JSON and written back, set, compared. */
#include "entries_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void entries_are_read_as_jackson_reads_a_map_of_strings(void **state)
{
    static const struct {
        const char *json;
        const char *written; /* NULL: INVALID */
        const char *message;
    } cases[] = {
        {"{}", "{}", ""},
        {" {\"a\" : \"b\" , \"c\":\"\"} ", "{\"a\":\"b\",\"c\":\"\"}", ""},
        {"{\"a\":1,\"b\":1.50,\"c\":true,\"d\":null,\"e\":1E3}",
         "{\"a\":\"1\",\"b\":\"1.50\",\"c\":\"true\",\"e\":\"1E3\"}", ""},
        {"{\"a\":\"1\",\"b\":\"2\",\"a\":\"3\"}", "{\"a\":\"3\",\"b\":\"2\"}", ""},
        {"{\"a\":\"1\",\"a\":null}", "{}", ""},
        {"{\"\\u00e9\\n\":\"\\ud83d\\ude00\"}", "{\"\xc3\xa9\\n\":\"\\uD83D\\uDE00\"}", ""},
        {"[1]", NULL, "out of START_ARRAY token"},
        {"{\"a\":[1]}", NULL,
         "Cannot deserialize instance of `java.lang.String` out of START_ARRAY token"},
        {"{\"a\":{}}", NULL,
         "Cannot deserialize instance of `java.lang.String` out of START_OBJECT token"},
        {"not json", NULL, "Unrecognized token 'not': was expecting"},
        {"{\"a\":", NULL, "Unexpected end-of-input"},
        {"{\"a\" 1}", NULL, "Unexpected character ('1' (code 49))"},
    };
    struct entries_world *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        arena_reset(&f->arena);
        buf_reset(&f->body);
        enum status status =
            connect_entries_parse(&f->arena, span_from_cstr(cases[i].json), &f->entries, &f->err);
        if (cases[i].written == NULL) {
            assert_int_equal(status, STATUS_INVALID);
            if (strstr(f->err.message, cases[i].message) == NULL) {
                fail_msg("%s: %s", cases[i].json, f->err.message);
            }
            continue;
        }
        assert_int_equal(status, STATUS_OK);
        connect_entries_write(&f->entries, &f->body);
        assert_string_equal(buf_cstr(&f->body), cases[i].written);
    }
}

static void more_entries_than_the_limit_are_refused(void **state)
{
    struct entries_world *f = *state;
    BUF_APPEND_LIT(&f->body, "{");
    for (int i = 0; i <= CONNECT_ENTRIES_MAX; i++) {
        buf_printf(&f->body, "%s\"k%d\":\"\"", i > 0 ? "," : "", i);
    }
    BUF_APPEND_LIT(&f->body, "}");
    assert_int_equal(connect_entries_parse(&f->arena, buf_span(&f->body), &f->entries, &f->err),
                     STATUS_INVALID);
    assert_string_equal(f->err.message, "a configuration may have 1000 entries");
}

static struct connect_entries parsed(struct entries_world *f, const char *json)
{
    struct connect_entries entries;
    assert_int_equal(connect_entries_parse(&f->arena, span_from_cstr(json), &entries, &f->err),
                     STATUS_OK);
    return entries;
}

static void a_key_that_is_set_keeps_its_place(void **state)
{
    struct entries_world *f = *state;
    struct connect_entries entries = parsed(f, "{\"a\":\"1\",\"b\":\"2\"}");
    assert_true(connect_entries_set(&entries, SPAN_LIT("a"), SPAN_LIT("3")));
    assert_true(connect_entries_set(&entries, SPAN_LIT("c"), SPAN_LIT("4")));
    connect_entries_name(&entries, SPAN_LIT("x"));
    connect_entries_name(&entries, SPAN_LIT("y"));
    connect_entries_write(&entries, &f->body);
    assert_string_equal(buf_cstr(&f->body), "{\"a\":\"3\",\"b\":\"2\",\"c\":\"4\",\"name\":\"y\"}");
}

static void full_entries_take_the_name_and_nothing_else(void **state)
{
    struct entries_world *f = *state;
    char keys[CONNECT_ENTRIES_MAX][16];
    struct connect_entries entries = parsed(f, "{}");
    for (int i = 0; i < CONNECT_ENTRIES_MAX; i++) {
        snprintf(keys[i], sizeof(keys[i]), "k%d", i);
        assert_true(connect_entries_set(&entries, span_from_cstr(keys[i]), SPAN_EMPTY));
    }
    assert_false(connect_entries_set(&entries, SPAN_LIT("other"), SPAN_EMPTY));
    assert_true(connect_entries_set(&entries, SPAN_LIT("k7"), SPAN_LIT("v")));
    connect_entries_name(&entries, SPAN_LIT("n"));
    assert_int_equal(entries.count, CONNECT_ENTRIES_MAX + 1);
    assert_true(span_equal_cstr(connect_entries_find(&entries, "k7")->value, "v"));
}

static void entries_are_equal_in_any_order(void **state)
{
    static const struct {
        const char *other;
        bool equal;
    } cases[] = {
        {"{\"b\":\"2\",\"a\":\"1\"}", true},
        {"{\"a\":\"1\",\"b\":\"3\"}", false},
        {"{\"a\":\"1\"}", false},
        {"{\"a\":\"1\",\"c\":\"2\"}", false},
        {"{}", false},
    };
    struct entries_world *f = *state;
    struct connect_entries entries = parsed(f, "{\"a\":\"1\",\"b\":\"2\"}");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct connect_entries other = parsed(f, cases[i].other);
        assert_int_equal(connect_entries_equal(&entries, &other), cases[i].equal);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, entries_world_setup, entries_world_teardown)
        T(entries_are_read_as_jackson_reads_a_map_of_strings),
        T(more_entries_than_the_limit_are_refused),
        T(a_key_that_is_set_keeps_its_place),
        T(full_entries_take_the_name_and_nothing_else),
        T(entries_are_equal_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
