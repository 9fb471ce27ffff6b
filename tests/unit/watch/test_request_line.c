/* A request as a line: what stands in it, in which colour, and that it fits into the width. */
#include "request_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct watched_request a_request(int status, const char *error_code, const char *path)
{
    return (struct watched_request){
        .service = SPAN_LIT("s3"),
        .method = SPAN_LIT("DELETE"),
        .path = span_from_cstr(path),
        .status = status,
        .error_code = span_from_cstr(error_code),
        .hint = SPAN_EMPTY,
        .received_us = INT64_C(1700000000123456),
        .latency_us = 1234567,
    };
}

static size_t line_text(const struct request_line *line, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < line->count; i++) {
        used += (size_t)snprintf(out + used, size - used, "%.*s", SPAN_ARG(line->pieces[i].text));
    }
    return used;
}

static void a_line_has_time_service_method_path_status_and_microseconds(void **state)
{
    (void)state;
    char text[256];
    struct request_line line;
    struct watched_request request = a_request(404, "NoSuchKey", "/b/k?x=1");
    request_line_make(&line, &request, 0);
    line_text(&line, text, sizeof(text));
    assert_string_equal(text, "22:13:20.123Z s3      DELETE /b/k?x=1 404 NoSuchKey  1234567 us");
}

static void a_code_that_is_the_status_is_not_said_twice(void **state)
{
    (void)state;
    char text[256];
    struct request_line line;
    struct watched_request request = a_request(415, "415", "/");
    request_line_make(&line, &request, 0);
    line_text(&line, text, sizeof(text));
    assert_non_null(strstr(text, "/ 415  1234567 us"));
}

static void the_status_has_the_colour_of_its_kind(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum terminal_colour colour;
        bool is_error;
    } cases[] = {
        {200, TERMINAL_GREEN, false}, {0, TERMINAL_GREEN, false}, {304, TERMINAL_CYAN, false},
        {404, TERMINAL_YELLOW, true}, {503, TERMINAL_RED, true},  {1064, TERMINAL_RED, true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct request_line line;
        char status[16];
        struct watched_request request = a_request(cases[i].status, NULL, "/");
        bool found = false;
        snprintf(status, sizeof(status), cases[i].status == 0 ? " ok" : " %d", cases[i].status);
        request_line_make(&line, &request, 80);
        for (size_t piece = 0; piece < line.count; piece++) {
            if (span_equal_cstr(line.pieces[piece].text, status)) {
                found = true;
                assert_int_equal(line.pieces[piece].colour, cases[i].colour);
            }
        }
        assert_true(found);
        assert_int_equal(request_is_error(&request), cases[i].is_error);
    }
}

static size_t count_characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

static void a_path_is_cut_to_the_width_in_whole_characters(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/b/a-key-that-is-much-longer-than-what-this-terminal-has-of-columns-for-it",
        "/\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4"
        "\xba"
        "\xac\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac\xe6\x9d\xb1\xe4\xba\xac",
        "/\x1b[2J\x1b[2J\x1b[2J\x1b[2J\x1b[2J\x1b[2J\x1b[2J\x1b[2J",
    };
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        char text[512];
        struct request_line line;
        struct watched_request request = a_request(200, NULL, paths[i]);
        request_line_make(&line, &request, 70);
        line_text(&line, text, sizeof(text));
        assert_true(count_characters(text) <= 70);
        assert_non_null(strstr(text, "... 200"));
        assert_true(span_is_utf8(span_from_cstr(text)));
    }
    char text[512];
    struct request_line line;
    struct watched_request request = a_request(200, NULL, paths[0]);
    request_line_make(&line, &request, 10); /* narrow: it wraps, and still says where */
    line_text(&line, text, sizeof(text));
    assert_non_null(strstr(text, " /b/a-key-that-is-much..."));
}

static void a_text_is_broken_at_blanks_or_else_where_it_must(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t columns;
        const char *lines;
    } cases[] = {
        {"one two three", 7, "one two|three|"},
        {"one two three", 6, "one|two|three|"},
        {"one two", 0, "one two|"},
        {"abcdefgh ij", 4, "abcd|efgh|ij|"},
        {"a  b", 2, "a |b|"},
        {"", 5, ""},
        {"\x1b", 1, "\x1b|"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char lines[64] = "";
        struct span rest = span_from_cstr(cases[i].text);
        while (rest.len > 0) {
            struct span line = text_line_next(&rest, cases[i].columns);
            size_t used = strlen(lines);
            snprintf(lines + used, sizeof(lines) - used, "%.*s|", SPAN_ARG(line));
        }
        assert_string_equal(lines, cases[i].lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_service_method_path_status_and_microseconds),
        cmocka_unit_test(a_code_that_is_the_status_is_not_said_twice),
        cmocka_unit_test(the_status_has_the_colour_of_its_kind),
        cmocka_unit_test(a_path_is_cut_to_the_width_in_whole_characters),
        cmocka_unit_test(a_text_is_broken_at_blanks_or_else_where_it_must),
    };
    return cmocka_run_group_tests_name("request_line", tests, NULL, NULL);
}
