/* Route tables: which handler a path and method find, what is captured, what is refused. */
#include "route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { arena_max = 64 * 1024 };

enum tag { ROOT = 1, TOPICS, TOPIC, PRODUCE, RECORDS, EXACT, DELETE_GROUP };

/* A service's row: its route, and what the service makes of it. */
struct row {
    struct route route;
    enum tag tag;
};

static const struct row rows[] = {
    {{METHOD_GET, "/"}, ROOT},
    {{METHOD_GET, "/topics"}, TOPICS},
    {{METHOD_GET, "/topics/exact"}, EXACT},
    {{METHOD_GET, "/topics/{topic}"}, TOPIC},
    {{METHOD_POST, "/topics/{topic}"}, PRODUCE},
    {{METHOD_GET, "/consumers/{group}/instances/{instance}/records"}, RECORDS},
    {{METHOD_DELETE, "/consumers/{group}"}, DELETE_GROUP},
};
static const struct route_table table = ROUTE_TABLE(rows);

static enum route_outcome find(struct exchange *exchange, enum http_method method, const char *path,
                               struct route_match *match, int *tag, const char **allow)
{
    const struct route *route = NULL;
    exchange->request.method = method;
    exchange->request.path = span_from_cstr(path);
    enum route_outcome outcome = route_find(&table, exchange, &route, match, allow);
    *tag = outcome == ROUTE_FOUND ? (int)ROUTE_ROW(route, struct row)->tag : 0;
    return outcome;
}

struct find_case {
    enum http_method method;
    const char *path;
    enum route_outcome outcome;
    int tag;
    const char *detail; /* the captures, joined by '|', or the allowed methods */
};

static const struct find_case cases[] = {
    {METHOD_GET, "/", ROUTE_FOUND, ROOT, ""},
    {METHOD_GET, "/topics", ROUTE_FOUND, TOPICS, ""},
    {METHOD_GET, "/topics/", ROUTE_FOUND, TOPICS, ""},
    {METHOD_HEAD, "/topics", ROUTE_FOUND, TOPICS, ""},
    {METHOD_GET, "/topics/exact", ROUTE_FOUND, EXACT, ""},
    {METHOD_GET, "/topics/u.pin", ROUTE_FOUND, TOPIC, "u.pin"},
    {METHOD_POST, "/topics/exact", ROUTE_FOUND, PRODUCE, "exact"},
    {METHOD_POST, "/topics/u.pin/", ROUTE_FOUND, PRODUCE, "u.pin"},
    {METHOD_POST, "/topics/a%2Fb%20c%c3%a9", ROUTE_FOUND, PRODUCE, "a/b c\xc3\xa9"},
    {METHOD_GET, "/consumers/g/instances/i/records", ROUTE_FOUND, RECORDS, "g|i"},
    {METHOD_GET, "", ROUTE_UNKNOWN_PATH, 0, ""},
    {METHOD_GET, "*", ROUTE_UNKNOWN_PATH, 0, ""},
    {METHOD_GET, "/Topics", ROUTE_UNKNOWN_PATH, 0, ""},
    {METHOD_GET, "/topics//", ROUTE_UNKNOWN_PATH, 0, ""},
    {METHOD_GET, "//topics", ROUTE_UNKNOWN_PATH, 0, ""},
    {METHOD_GET, "/topics/a/b", ROUTE_UNKNOWN_PATH, 0, ""},
    {METHOD_GET, "/consumers//instances/i/records", ROUTE_UNKNOWN_PATH, 0, ""},
    {METHOD_PUT, "/topics/a", ROUTE_WRONG_METHOD, 0, "GET,POST"},
    {METHOD_PUT, "/topics/exact", ROUTE_WRONG_METHOD, 0, "GET,POST"},
    {METHOD_HEAD, "/consumers/g", ROUTE_WRONG_METHOD, 0, "DELETE"},
    {METHOD_OTHER, "/consumers/g", ROUTE_WRONG_METHOD, 0, "DELETE"},
    {METHOD_GET, "/topics/%", ROUTE_BAD_ESCAPE, 0, ""},
    {METHOD_GET, "/topics/%4", ROUTE_BAD_ESCAPE, 0, ""},
    {METHOD_GET, "/topics/%zz", ROUTE_BAD_ESCAPE, 0, ""},
    {METHOD_GET, "/topics/a%00b", ROUTE_BAD_ESCAPE, 0, ""},
};

static void paths_and_methods_find_their_routes(void **state)
{
    (void)state;
    struct exchange exchange = {.reply = {0}};
    arena_init(&exchange.arena, arena_max);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct route_match match = {.capture_count = 0};
        const char *allow = "";
        int tag;
        char detail[128] = "";
        enum route_outcome outcome =
            find(&exchange, cases[i].method, cases[i].path, &match, &tag, &allow);
        if (outcome != cases[i].outcome || tag != cases[i].tag) {
            fail_msg("%s: outcome %d, tag %d", cases[i].path, (int)outcome, tag);
        }
        size_t len = 0;
        for (size_t k = 0; outcome == ROUTE_FOUND && k < match.capture_count; k++) {
            if (k > 0) {
                detail[len++] = '|';
            }
            memcpy(detail + len, match.captures[k].ptr, match.captures[k].len);
            len += match.captures[k].len;
            detail[len] = '\0';
        }
        assert_string_equal(outcome == ROUTE_WRONG_METHOD ? allow : detail, cases[i].detail);
    }
    arena_release(&exchange.arena);
}

static void an_arena_at_its_ceiling_is_no_memory(void **state)
{
    (void)state;
    struct exchange exchange = {.reply = {0}};
    struct route_match match;
    const char *allow;
    int tag;
    arena_init(&exchange.arena, 1);
    assert_int_equal(find(&exchange, METHOD_GET, "/topics/%41", &match, &tag, &allow),
                     ROUTE_NO_MEMORY);
    assert_int_equal(find(&exchange, METHOD_PUT, "/topics/a", &match, &tag, &allow),
                     ROUTE_NO_MEMORY);
    arena_release(&exchange.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_and_methods_find_their_routes),
        cmocka_unit_test(an_arena_at_its_ceiling_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
