/* A log read while it grows: whole lines only, from the end of what was there, over to a file that
 * is begun anew; and its lines taken apart. */
#include "log_follower.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct temp_dir dir;
    char path[512];
    struct log_follower *follower;
    char seen[16384];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    temp_dir_path(&f->dir, "server.log", f->path, sizeof(f->path));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    log_follower_free(f->follower);
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void put(struct fixture *f, const char *mode, const char *text)
{
    FILE *file = fopen(f->path, mode);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void follow(struct fixture *f, uint64_t last)
{
    assert_int_equal(log_follower_new(f->path, last, &f->follower), STATUS_OK);
}

static const char *lines(struct fixture *f)
{
    struct span line;
    f->seen[0] = '\0';
    while (log_follower_next(f->follower, &line)) {
        size_t used = strlen(f->seen);
        snprintf(f->seen + used, sizeof(f->seen) - used, "%.*s|", SPAN_ARG(line));
    }
    return f->seen;
}

static void it_begins_with_the_last_lines_and_waits_for_whole_ones(void **state)
{
    struct fixture *f = *state;
    put(f, "w", "one\ntwo\nthree\n");
    follow(f, 2);
    assert_string_equal(lines(f), "two|three|");
    put(f, "a", "fo");
    assert_string_equal(lines(f), "");
    put(f, "a", "ur\n\nsix\n");
    assert_string_equal(lines(f), "four||six|");
}

static void of_a_short_or_absent_file_all_is_told(void **state)
{
    struct fixture *f = *state;
    follow(f, 10);
    assert_string_equal(lines(f), "");
    put(f, "w", "one\n");
    assert_string_equal(lines(f), "one|");
    log_follower_free(f->follower);
    follow(f, 10);
    assert_string_equal(lines(f), "one|");
    log_follower_free(f->follower);
    follow(f, 0);
    put(f, "a", "two\n");
    assert_string_equal(lines(f), "two|");
}

static void the_last_lines_of_a_large_file_are_found(void **state)
{
    struct fixture *f = *state;
    FILE *file = fopen(f->path, "w");
    for (int i = 0; i < 3000; i++) {
        fprintf(file, "line %d\n", i);
    }
    fclose(file);
    follow(f, 1);
    assert_string_equal(lines(f), "line 2999|");
    log_follower_free(f->follower);
    follow(f, 1500);
    assert_int_equal(strncmp(lines(f), "line 1500|", 10), 0);
}

static void a_line_without_end_comes_in_parts(void **state)
{
    struct fixture *f = *state;
    char text[LOG_FOLLOWER_LINE_BYTES * 2 + 2];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 2] = '\n';
    text[sizeof(text) - 1] = '\0';
    struct span line;
    put(f, "w", text);
    follow(f, 1);
    assert_true(log_follower_next(f->follower, &line));
    assert_int_equal(line.len, LOG_FOLLOWER_LINE_BYTES);
    assert_true(log_follower_next(f->follower, &line));
    assert_int_equal(line.len, LOG_FOLLOWER_LINE_BYTES);
    assert_true(log_follower_next(f->follower, &line));
    assert_int_equal(line.len, 0);
    assert_false(log_follower_next(f->follower, &line));
}

static void a_log_that_is_begun_anew_is_read_from_its_beginning(void **state)
{
    struct fixture *f = *state;
    char old[600];
    put(f, "w", "old one\nold two\n");
    follow(f, 10);
    assert_string_equal(lines(f), "old one|old two|");
    snprintf(old, sizeof(old), "%s.1", f->path);
    put(f, "a", "its last\n");
    assert_int_equal(rename(f->path, old), 0);
    assert_string_equal(lines(f), "its last|");
    put(f, "w", "new\n");
    assert_string_equal(lines(f), "new|");
    put(f, "w", "x\n"); /* cut */
    assert_string_equal(lines(f), "x|");
}

static void what_is_no_file_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkfifo(f->path, 0600), 0);
    follow(f, 10);
    assert_string_equal(lines(f), "");
    assert_int_equal(log_follower_status(f->follower, NULL), STATUS_OK);
}

static void a_log_that_cannot_be_read_is_told(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    assert_int_equal(symlink(f->path, f->path), 0); /* to itself */
    follow(f, 10);
    assert_string_equal(lines(f), "");
    assert_int_equal(log_follower_status(f->follower, &err), STATUS_IO);
    assert_non_null(strstr(err.message, "server.log"));
}

static void lines_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum log_line_kind kind;
        const char *level;
        const char *area;
        const char *message;
    } cases[] = {
        {"2026-12-01T04:07:51.437Z info  http    rest: refused: no", LOG_LINE_PLAIN, "info", "http",
         "rest: refused: no"},
        {"2026-12-01T04:07:51.437Z warn  journal a b", LOG_LINE_WARN, "warn", "journal", "a b"},
        {"2026-12-01T04:07:51.437Z error store   gone", LOG_LINE_ERROR, "error", "store", "gone"},
        {"2026-12-01T04:07:51.437Z info  rest    POST /t: 415, hint: x", LOG_LINE_HINT, "info",
         "rest", "POST /t: 415, hint: x"},
        {"2026-12-01T04:07:51.437Z info  rest    a word, hint: x", LOG_LINE_PLAIN, "info", "rest",
         "a word, hint: x"},
        {"  gateway     http://127.0.0.1:1", LOG_LINE_PLAIN, "", "",
         "  gateway     http://127.0.0.1:1"},
        {"2026-12-01T04:07:51.437Z", LOG_LINE_PLAIN, "", "", "2026-12-01T04:07:51.437Z"},
        {"", LOG_LINE_PLAIN, "", "", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct log_line line = log_line_read(span_from_cstr(cases[i].text));
        assert_int_equal(line.kind, cases[i].kind);
        assert_true(span_equal_cstr(line.level, cases[i].level));
        assert_true(span_equal_cstr(line.area, cases[i].area));
        assert_true(span_equal_cstr(line.message, cases[i].message));
        assert_int_equal(line.stamp.len > 0, line.level.len > 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_begins_with_the_last_lines_and_waits_for_whole_ones),
        TEST(of_a_short_or_absent_file_all_is_told),
        TEST(the_last_lines_of_a_large_file_are_found),
        TEST(a_line_without_end_comes_in_parts),
        TEST(a_log_that_is_begun_anew_is_read_from_its_beginning),
        TEST(what_is_no_file_is_not_waited_for),
        TEST(a_log_that_cannot_be_read_is_told),
        TEST(lines_are_taken_apart),
    };
    return cmocka_run_group_tests_name("log_follower", tests, NULL, NULL);
}
