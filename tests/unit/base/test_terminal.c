/* Lines in pieces and the line that moves, on a pipe in the terminal's place: which bytes move the
 * cursor, that nothing else can, and what a terminal does that takes no more. */
#include "terminal.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    int ends[2];
    struct terminal *terminal;
    char text[4096];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_int_equal(pipe(f->ends), 0);
    assert_int_equal(fcntl(f->ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(f->ends[1], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(terminal_open(f->ends[1], &f->terminal, NULL), STATUS_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    terminal_close(f->terminal);
    close(f->ends[0]);
    close(f->ends[1]);
    free(f);
    return 0;
}

static const char *shown(struct fixture *f)
{
    ssize_t got = read(f->ends[0], f->text, sizeof(f->text) - 1);
    f->text[got > 0 ? got : 0] = '\0';
    return f->text;
}

static void put(struct fixture *f, enum terminal_colour colour, const char *text)
{
    const struct terminal_piece pieces[] = {{colour, span_from_cstr(text)}, {colour, SPAN_EMPTY}};
    terminal_put_line(f->terminal, pieces, ARRAY_COUNT(pieces));
}

static void move(struct fixture *f, const char *text)
{
    const struct terminal_piece piece = {TERMINAL_PLAIN, span_from_cstr(text)};
    terminal_move_line(f->terminal, &piece, 1);
}

static void pieces_are_coloured_where_colours_are_wanted(void **state)
{
    struct fixture *f = *state;
    put(f, TERMINAL_RED, "a");
    assert_string_equal(shown(f), "a\n");
    terminal_set_colours(f->terminal, true);
    put(f, TERMINAL_RED, "a");
    assert_string_equal(shown(f), "\x1b[31ma\x1b[0m\n");
    put(f, TERMINAL_PLAIN, "a");
    assert_string_equal(shown(f), "a\n");
}

static void nothing_in_a_piece_moves_the_terminal(void **state)
{
    struct fixture *f = *state;
    put(f, TERMINAL_RED, "a\x1b[2J\r\n\tb\xe2\x80\xae");
    assert_string_equal(shown(f), "a\\x1b[2J\\x0d\\x0a\\x09b\\u202e\n");
    move(f, "a\nb");
    assert_string_equal(shown(f), "a\\x0ab");
}

static void a_moving_line_is_drawn_in_place_until_it_is_settled(void **state)
{
    struct fixture *f = *state;
    move(f, "one");
    assert_string_equal(shown(f), "one");
    move(f, "two");
    assert_string_equal(shown(f), "\rtwo\x1b[K");
    terminal_settle_line(f->terminal);
    terminal_settle_line(f->terminal);
    assert_string_equal(shown(f), "\n");
    move(f, "three");
    assert_string_equal(shown(f), "three");
}

static void what_is_written_meanwhile_has_lines_of_its_own(void **state)
{
    struct fixture *f = *state;
    move(f, "count 1");
    fputs("log\n", terminal_stream(f->terminal));
    move(f, "count 2");
    put(f, TERMINAL_PLAIN, "line");
    move(f, "count 3");
    assert_string_equal(shown(f), "count 1\nlog\ncount 2\rline\x1b[K\ncount 3");
}

static void a_terminal_that_takes_no_more_drops_and_counts(void **state)
{
    struct fixture *f = *state;
    terminal_set_dropping(f->terminal);
    assert_true(terminal_is_ready(f->terminal));
    char block[1024];
    memset(block, 'x', sizeof(block));
    while (write(f->ends[1], block, sizeof(block)) > 0) {
    }
    assert_false(terminal_is_ready(f->terminal));
    put(f, TERMINAL_PLAIN, "lost");
    fputs("lost\n", terminal_stream(f->terminal));
    assert_int_equal(terminal_dropped(f->terminal), 2);
    assert_int_equal(terminal_dropped(f->terminal), 0);
    while (strlen(shown(f)) > 0) {
    }
    assert_true(terminal_is_ready(f->terminal));
    fputs("seen\n", terminal_stream(f->terminal));
    assert_string_equal(shown(f), "seen\n");
    assert_true(terminal_close(f->terminal)); /* to drop is no failure */
    assert_int_equal(terminal_open(f->ends[1], &f->terminal, NULL), STATUS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pieces_are_coloured_where_colours_are_wanted),
        TEST(nothing_in_a_piece_moves_the_terminal),
        TEST(a_moving_line_is_drawn_in_place_until_it_is_settled),
        TEST(what_is_written_meanwhile_has_lines_of_its_own),
        TEST(a_terminal_that_takes_no_more_drops_and_counts),
    };
    return cmocka_run_group_tests_name("terminal", tests, NULL, NULL);
}
