/* Statements and what a real server answered to them, out of tests/golden/mysql. */
#include "mysql_db_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct golden {
    FILE *file;
    char line[4096];
    bool more;
};

static void next_line(struct golden *golden)
{
    golden->more = fgets(golden->line, sizeof(golden->line), golden->file) != NULL;
    golden->line[strcspn(golden->line, "\n")] = '\0';
}

/* The lines up to the next statement. */
static void take_answer(struct golden *golden, struct buf *answer)
{
    buf_reset(answer);
    for (next_line(golden); golden->more && strncmp(golden->line, "> ", 2) != 0;
         next_line(golden)) {
        if (answer->len > 0) {
            buf_append_cstr(answer, "\n");
        }
        buf_append_cstr(answer, golden->line);
    }
    buf_append_cstr(answer, "");
}

/* The world prints a double with ten digits, a server with all of them. */
static bool cells_agree(struct span ours, struct span theirs)
{
    double a;
    double b;
    if (span_equal(ours, theirs)) {
        return true;
    }
    char text[2][64];
    if (ours.len >= sizeof(text[0]) || theirs.len >= sizeof(text[1])) {
        return false;
    }
    snprintf(text[0], sizeof(text[0]), "%.*s", SPAN_ARG(ours));
    snprintf(text[1], sizeof(text[1]), "%.*s", SPAN_ARG(theirs));
    char *end;
    a = strtod(text[0], &end);
    if (ours.len == 0 || *end != '\0') {
        return false;
    }
    b = strtod(text[1], &end);
    return theirs.len > 0 && *end == '\0' && fabs(a - b) <= 1e-9 * fabs(b);
}

static bool rows_agree(const char *ours, const char *theirs)
{
    struct span our_rest = span_from_cstr(ours);
    struct span their_rest = span_from_cstr(theirs);
    struct span our_line;
    struct span their_line;
    while (span_next_part(&their_rest, '\n', &their_line)) {
        struct span our_cell;
        struct span their_cell;
        if (!span_next_part(&our_rest, '\n', &our_line)) {
            return false;
        }
        while (span_next_part(&their_line, '|', &their_cell)) {
            if (!span_next_part(&our_line, '|', &our_cell) || !cells_agree(our_cell, their_cell)) {
                return false;
            }
        }
        if (span_next_part(&our_line, '|', &our_cell)) {
            return false;
        }
    }
    return !span_next_part(&our_rest, '\n', &our_line);
}

/* A refusal is known by its number. */
static bool answers_agree(const char *ours, const char *theirs)
{
    if (theirs[0] != '!') {
        return strcmp(ours, theirs) == 0 || rows_agree(ours, theirs);
    }
    size_t digits = strspn(theirs + 2, "0123456789");
    return strncmp(ours, theirs + 2, digits) == 0 && ours[digits] == ' ';
}

static void answers_are_a_real_servers(void **state)
{
    struct mysql_db_world *world = *state;
    struct golden golden = {.file = fopen("tests/golden/mysql/statements.txt", "r")};
    struct buf answer;
    size_t asked = 0;
    size_t wrong = 0;
    assert_non_null(golden.file);
    buf_init(&answer, (size_t)1 << 20);
    for (next_line(&golden); golden.more && strncmp(golden.line, "> ", 2) != 0;) {
        next_line(&golden);
    }
    while (golden.more) {
        char sql[sizeof(golden.line)];
        memcpy(sql, golden.line + 2, strlen(golden.line + 2) + 1);
        take_answer(&golden, &answer);
        const char *theirs = answer.len > 0 ? answer.ptr : "";
        mysql_session_reset(world->session); /* of what the statement before has set */
        const char *ours = mysql_db_world_ask(world, sql);
        if (!answers_agree(ours, theirs)) {
            print_error("%s\n  is      %s\n  must be %s\n", sql, ours, theirs);
            wrong++;
        }
        asked++;
    }
    assert_true(asked > 1500);
    assert_int_equal(wrong, 0);
    buf_release(&answer);
    fclose(golden.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_are_a_real_servers, mysql_db_world_setup,
                                        mysql_db_world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
