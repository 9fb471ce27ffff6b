/* A request's query string: which parameter is found, what its value is decoded to, what is
 * refused. */
#include "exchange.h"
#include "query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { arena_max = 64 * 1024 };

struct value_case {
    const char *query;
    enum query_outcome outcome;
    const char *value; /* of "a" */
};

static const struct value_case cases[] = {
    {"", QUERY_ABSENT, ""},
    {"b=1", QUERY_ABSENT, ""},
    {"aa=1&A=2", QUERY_ABSENT, ""},
    {"%61=1", QUERY_ABSENT, ""}, /* names are compared as sent */
    {"a", QUERY_FOUND, ""},
    {"a=", QUERY_FOUND, ""},
    {"a=1", QUERY_FOUND, "1"},
    {"b=1&a=2&a=3", QUERY_FOUND, "2"},
    {"&&a=x=y", QUERY_FOUND, "x=y"},
    {"a=one+two%20three", QUERY_FOUND, "one two three"},
    {"a=%2B%c3%A9", QUERY_FOUND, "+\xc3\xa9"},
    {"a=%", QUERY_BROKEN, ""},
    {"a=%4", QUERY_BROKEN, ""},
    {"a=%zz", QUERY_BROKEN, ""},
    {"a=%00", QUERY_BROKEN, ""},
    {"b=%zz&a=1", QUERY_FOUND, "1"},
};

static void a_value_is_found_by_its_name_and_decoded(void **state)
{
    (void)state;
    struct exchange exchange = {.reply = {0}};
    arena_init(&exchange.arena, arena_max);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct span value = SPAN_LIT("untouched");
        exchange.request.query = span_from_cstr(cases[i].query);
        enum query_outcome outcome = query_value(&exchange, "a", &value);
        if (outcome != cases[i].outcome || !span_equal_cstr(value, cases[i].value)) {
            fail_msg("%s: outcome %d, \"%.*s\"", cases[i].query, (int)outcome, SPAN_ARG(value));
        }
        assert_int_equal(query_has(&exchange, "a"), outcome != QUERY_ABSENT);
    }
    arena_release(&exchange.arena);
}

static void what_needs_no_decoding_is_not_copied(void **state)
{
    (void)state;
    struct exchange exchange = {.request = {.query = SPAN_LIT("a=plain&b=pl%61in")}};
    struct span value;
    arena_init(&exchange.arena, 1); /* at its ceiling */
    assert_int_equal(query_value(&exchange, "a", &value), QUERY_FOUND);
    assert_ptr_equal(value.ptr, exchange.request.query.ptr + 2);
    assert_false(exchange.starved);
    assert_int_equal(query_value(&exchange, "b", &value), QUERY_UNREAD);
    assert_int_equal(value.len, 0);
    assert_true(exchange.starved);
    arena_release(&exchange.arena);
}

static void a_plus_is_a_blank_in_queries_only(void **state)
{
    (void)state;
    struct arena arena;
    struct span out;
    arena_init(&arena, arena_max);
    assert_int_equal(query_decode(&arena, SPAN_LIT("a+b%2Fc"), false, &out), QUERY_DECODED);
    assert_true(span_equal_cstr(out, "a+b/c"));
    assert_int_equal(query_decode(&arena, SPAN_LIT("a+b"), true, &out), QUERY_DECODED);
    assert_true(span_equal_cstr(out, "a b"));
    arena_release(&arena);
}

static void parameters_come_one_by_one_as_sent(void **state)
{
    (void)state;
    struct span rest = SPAN_LIT("a&&b=&c=1%20");
    struct query_parameter p;
    assert_true(query_next(&rest, &p));
    assert_true(span_equal_cstr(p.name, "a") && !p.has_value);
    assert_true(query_next(&rest, &p));
    assert_true(p.name.len == 0 && !p.has_value);
    assert_true(query_next(&rest, &p));
    assert_true(span_equal_cstr(p.name, "b") && p.has_value && p.value.len == 0);
    assert_true(query_next(&rest, &p));
    assert_true(span_equal_cstr(p.name, "c") && span_equal_cstr(p.value, "1%20"));
    assert_false(query_next(&rest, &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_found_by_its_name_and_decoded),
        cmocka_unit_test(what_needs_no_decoding_is_not_copied),
        cmocka_unit_test(a_plus_is_a_blank_in_queries_only),
        cmocka_unit_test(parameters_come_one_by_one_as_sent),
    };
    return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
