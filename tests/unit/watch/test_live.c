/* The live view on a clock that stands still unless a test moves it: when requests are lines, when
 * a count, when a summary; that each is told once; what a terminal that is held up does to it. The
 * screen is a list of lines, the last of which may be a moving one. */
#include "live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { lines_max = 200, line_bytes = 400, tick_us = 100 * 1000 };

struct fixture {
    struct env env;
    struct live *live;
    char lines[lines_max][line_bytes];
    size_t count; /* of lines that stay */
    bool moving;  /* there is one more */
    bool held_up;
    size_t columns;
};

static void pieces_text(const struct terminal_piece *pieces, size_t count, char out[line_bytes])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(out + used, line_bytes - used, "%.*s", SPAN_ARG(pieces[i].text));
        assert_true(used < line_bytes);
    }
}

static void screen_put(void *ctx, const struct terminal_piece *pieces, size_t count)
{
    struct fixture *f = ctx;
    assert_false(f->held_up);
    assert_true(f->count < lines_max);
    pieces_text(pieces, count, f->lines[f->count++]);
    f->moving = false;
}

static void screen_move(void *ctx, const struct terminal_piece *pieces, size_t count)
{
    struct fixture *f = ctx;
    assert_false(f->held_up);
    pieces_text(pieces, count, f->lines[f->count]);
    assert_true(f->columns == 0 || strlen(f->lines[f->count]) < f->columns);
    f->moving = true;
}

static void screen_settle(void *ctx)
{
    struct fixture *f = ctx;
    f->count += f->moving ? 1 : 0;
    f->moving = false;
}

static bool screen_is_ready(void *ctx)
{
    struct fixture *f = ctx;
    return !f->held_up;
}

static size_t screen_columns(void *ctx)
{
    struct fixture *f = ctx;
    return f->columns;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct live_screen screen = {screen_put,      screen_move,    screen_settle,
                                       screen_is_ready, screen_columns, f};
    env_init_virtual(&f->env, 1, INT64_C(1700000000000000));
    f->columns = 200;
    assert_int_equal(live_new(&f->env, &screen, &f->live), STATUS_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    live_free(f->live);
    free(f);
    return 0;
}

static void add_with_hint(struct fixture *f, const char *path, int status, const char *hint)
{
    const struct watched_request request = {
        .service = SPAN_LIT("gateway"),
        .method = SPAN_LIT("GET"),
        .path = span_from_cstr(path),
        .status = status,
        .error_code = status == 404 ? SPAN_LIT("40403") : SPAN_EMPTY,
        .hint = span_from_cstr(hint),
        .received_us = f->env.wall_us(&f->env),
        .latency_us = 250,
    };
    live_add(f->live, &request);
}

static void add(struct fixture *f, const char *path)
{
    add_with_hint(f, path, 200, NULL);
}

static bool tick(struct fixture *f)
{
    env_advance(&f->env, tick_us);
    return live_tick(f->live);
}

static void assert_line(struct fixture *f, size_t number, const char *text)
{
    assert_true(number < f->count + (f->moving ? 1 : 0));
    assert_string_equal(f->lines[number], text);
}

static void assert_has(struct fixture *f, size_t number, const char *text)
{
    assert_true(number < f->count + (f->moving ? 1 : 0));
    if (strstr(f->lines[number], text) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", text, f->lines[number]);
    }
}

static void a_request_is_a_line_with_its_hint_below(void **state)
{
    struct fixture *f = *state;
    add(f, "/a");
    add_with_hint(f, "/b", 404, "make the topic first");
    assert_int_equal(f->count, 0); /* nothing is drawn in a request's way */
    assert_false(tick(f));
    assert_int_equal(f->count, 3);
    assert_line(f, 0, "22:13:20.000Z gateway GET  /a 200  250 us");
    assert_line(f, 1, "22:13:20.000Z gateway GET  /b 404 40403  250 us");
    assert_line(f, 2, "              hint: make the topic first");
    assert_false(tick(f));
    assert_int_equal(f->count, 3);
}

static void a_long_hint_is_broken_at_blanks(void **state)
{
    struct fixture *f = *state;
    f->columns = 60;
    add_with_hint(f, "/b", 404, "some words that do not fit into one line of such a terminal");
    tick(f);
    assert_int_equal(f->count, 3);
    assert_line(f, 1, "              hint: some words that do not fit into one");
    assert_line(f, 2, "                    line of such a terminal");
}

static void repeats_are_counted_below_the_line(void **state)
{
    struct fixture *f = *state;
    add(f, "/a");
    tick(f);
    add(f, "/a");
    tick(f);
    assert_true(f->moving);
    assert_line(f, 1, "              1 more like it, the last at 22:13:20.100Z  250 us");
    add(f, "/a");
    add(f, "/a");
    tick(f);
    assert_int_equal(f->count, 1);
    assert_line(f, 1, "              3 more like it, the last at 22:13:20.200Z  250 us");
    add(f, "/b");
    tick(f);
    assert_int_equal(f->count, 3);
    assert_has(f, 1, "3 more like it");
    assert_has(f, 2, "/b");
    assert_false(f->moving);
}

static void what_differs_is_no_repeat(void **state)
{
    struct fixture *f = *state;
    add(f, "/a");
    add_with_hint(f, "/a", 404, NULL);
    add_with_hint(f, "/a", 404, "a hint");
    add_with_hint(f, "/a", 404, "another");
    add(f, "/a");
    tick(f);
    assert_false(f->moving);
    assert_int_equal(f->count, 7);
}

static void above_twenty_a_second_there_is_a_summary(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < LIVE_RATE_MAX + 1; i++) {
        add(f, i % 2 == 0 ? "/a" : "/b");
    }
    assert_true(tick(f));
    assert_int_equal(f->count, 0);
    assert_true(f->moving);
    assert_line(f, 0, "21 requests, 21/s:  2xx 21;  gateway 21;  longest 250 us");
    add_with_hint(f, "/c", 404, NULL);
    assert_true(tick(f));
    assert_int_equal(f->count, 0);
    assert_has(f, 0, "22 requests, 22/s:  2xx 21  4xx 1;");
}

static void twenty_in_a_second_are_lines(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < LIVE_RATE_MAX; i++) {
        add(f, i % 2 == 0 ? "/a" : "/b");
        if (i % 4 == 3) {
            assert_false(tick(f));
        }
    }
    assert_int_equal(f->count, LIVE_RATE_MAX);
}

static void the_summary_stays_when_a_second_had_less_and_lines_begin_again(void **state)
{
    struct fixture *f = *state;
    bool again = true;
    for (int i = 0; i < 100; i++) {
        add(f, "/a");
        if (i % 5 == 4) {
            again = tick(f);
        }
    }
    assert_true(again);
    for (int i = 0; i < 20 && again; i++) {
        again = tick(f);
    }
    assert_false(again);
    assert_false(f->moving);
    /* The first twenty of the first second were lines, here of one request and its repeats. */
    assert_int_equal(f->count, 3);
    assert_has(f, 1, "19 more like it");
    assert_has(f, 2, "80 requests in 2 s, ");
    add(f, "/a");
    tick(f);
    assert_int_equal(f->count, 4);
    assert_has(f, 3, "GET  /a 200");
}

static void a_hint_that_is_new_interrupts_a_summary_once(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 50; i++) {
        add(f, "/a");
    }
    tick(f);
    for (int i = 0; i < 50; i++) {
        add_with_hint(f, "/b", 404, "make the topic first");
    }
    tick(f);
    assert_int_equal(f->count, 2);
    assert_has(f, 0, "/b 404");
    assert_has(f, 1, "make the topic first");
    assert_has(f, 2, "100 requests, 100/s:  2xx 50  4xx 50  hints 50;");
    add_with_hint(f, "/b", 404, "make the topic first");
    tick(f);
    assert_int_equal(f->count, 2);
}

static void hints_without_end_do_not_drive_the_summary_away(void **state)
{
    struct fixture *f = *state;
    char hint[32];
    for (int i = 0; i < 200; i++) {
        snprintf(hint, sizeof(hint), "hint %d", i);
        add_with_hint(f, "/b", 404, hint);
        if (i % 30 == 0) {
            tick(f);
        }
    }
    tick(f);
    assert_true(f->count <= 2 + 2 * LIVE_SUMMARY_HINTS_MAX);
    assert_has(f, f->count, " requests, ");
}

static void a_terminal_that_is_held_up_is_told_later(void **state)
{
    struct fixture *f = *state;
    f->held_up = true;
    add(f, "/a");
    assert_true(tick(f));
    add(f, "/b");
    assert_true(tick(f));
    f->held_up = false;
    assert_false(tick(f));
    assert_int_equal(f->count, 2);
    f->held_up = true;
    for (int i = 0; i < 40; i++) {
        add(f, "/c");
        for (int pause = 0; pause < 10; pause++) {
            assert_true(tick(f));
        }
    }
    f->held_up = false;
    assert_false(tick(f));
    assert_int_equal(f->count, 3);
    assert_has(f, 2, "40 requests");
}

static void the_end_tells_what_is_left(void **state)
{
    struct fixture *f = *state;
    add(f, "/a");
    add(f, "/a");
    live_end(f->live);
    assert_int_equal(f->count, 2);
    assert_false(f->moving);
    for (int i = 0; i < 40; i++) {
        add(f, "/b");
    }
    live_end(f->live);
    assert_int_equal(f->count, 3);
    assert_false(f->moving);
    assert_has(f, 2, "40 requests");
}

static void a_moving_line_is_never_wider_than_the_terminal(void **state)
{
    struct fixture *f = *state;
    f->columns = 30; /* screen_move looks at each */
    add(f, "/a");
    add(f, "/a");
    tick(f);
    for (int i = 0; i < 40; i++) {
        add(f, "/b");
    }
    tick(f);
    assert_true(f->moving);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_a_line_with_its_hint_below),
        TEST(a_long_hint_is_broken_at_blanks),
        TEST(repeats_are_counted_below_the_line),
        TEST(what_differs_is_no_repeat),
        TEST(above_twenty_a_second_there_is_a_summary),
        TEST(twenty_in_a_second_are_lines),
        TEST(the_summary_stays_when_a_second_had_less_and_lines_begin_again),
        TEST(a_hint_that_is_new_interrupts_a_summary_once),
        TEST(hints_without_end_do_not_drive_the_summary_away),
        TEST(a_terminal_that_is_held_up_is_told_later),
        TEST(the_end_tells_what_is_left),
        TEST(a_moving_line_is_never_wider_than_the_terminal),
    };
    return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
