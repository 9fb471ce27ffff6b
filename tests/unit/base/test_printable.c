#include "printable.h"
#include "terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct showing {
    const char *given;
    const char *shown;
};

static const struct showing lines[] = {
    {"plain, na\xc3\xafve, \xe2\x82\xac, \xf0\x9f\x98\x80",
     "plain, na\xc3\xafve, \xe2\x82\xac, \xf0\x9f\x98\x80"},
    {"\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4\xef\xb8\x8f"}, /* a heart and its selector */
    {"a\x1b[31m", "a\\x1b[31m"},
    {"\x1b]0;title\x07", "\\x1b]0;title\\x07"},
    {"\x7f\x08\r", "\\x7f\\x08\\x0d"},
    {"a\tb\nc\r\nd", "a\\x09b\\x0ac\\x0d\\x0ad"},
    {"\xc2\x9b"
     "2J",
     "\\u009b2J"},
    {"\x9b"
     "2J",
     "\\x9b2J"},
    {"\xc2\xa0", "\xc2\xa0"},
    {"\xe2\x80\xae"
     "exe.txt",
     "\\u202eexe.txt"},
    {"\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069"},
    {"\xd8\x9c\xe2\x80\x8e", "\\u061c\\u200e"},
    {"a\xe2\x80\x8b\xe2\x80\x8d\xef\xbb\xbf"
     "b",
     "a\\u200b\\u200d\\ufeffb"},
    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
    {"\xf3\xa0\x81\x81", "\\U000e0041"}, /* a tag */
    {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
    {"\xc0\x9b\xff", "\\xc0\\x9b\\xff"},
    {"\xe2\x82", "\\xe2\\x82"},
    {"\\x1b", "\\x1b"},
    {"", ""},
};

static void what_could_steer_a_terminal_or_an_eye_is_shown_escaped(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        char text[256];
        snprintf(text, sizeof(text), "%s", lines[i].given);
        printable_make(text, sizeof(text));
        assert_string_equal(text, lines[i].shown);
        printable_make(text, sizeof(text));
        assert_string_equal(text, lines[i].shown);
    }
}

static void what_does_not_fit_is_cut_between_two_characters(void **state)
{
    (void)state;
    static const char *const shown[] = {"", "a", "a", "a", "a", "a\\x1b", "a\\x1b"};
    char text[16];
    for (size_t size = 1; size <= ARRAY_COUNT(shown); size++) {
        memcpy(text, "a\x1b\xc3\xa9", 5);
        printable_make(text, size);
        assert_string_equal(text, shown[size - 1]);
    }
    memcpy(text, "\xc3\xa9\xe2\x82\xac", 6);
    printable_make(text, 5);
    assert_string_equal(text, "\xc3\xa9");
}

/* What a pipe received that a terminal's stream was opened on. */
struct sheet {
    int ends[2];
    struct terminal *terminal;
    char seen[4096];
};

static void sheet_open(struct sheet *sheet)
{
    struct error err;
    assert_int_equal(pipe(sheet->ends), 0);
    assert_int_equal(terminal_open(sheet->ends[1], &sheet->terminal, &err), STATUS_OK);
}

static const char *sheet_close(struct sheet *sheet)
{
    assert_true(terminal_close(sheet->terminal));
    close(sheet->ends[1]);
    size_t used = 0;
    ssize_t got;
    while ((got = read(sheet->ends[0], sheet->seen + used, sizeof(sheet->seen) - 1 - used)) > 0) {
        used += (size_t)got;
    }
    sheet->seen[used] = '\0';
    close(sheet->ends[0]);
    return sheet->seen;
}

static void a_stream_shows_text_however_it_is_cut_into_writes(void **state)
{
    (void)state;
    static const char text[] = "a\tb\r\nc\rd\x1b[2J \xe2\x82\xac \xe2\x80\xae \xf0\x9f\x98\x80 "
                               "\xc2\x9b \x9b \xf0\x9f\n\xe2\x80";
    static const char shown[] = "a\tb\r\nc\\x0dd\\x1b[2J \xe2\x82\xac \\u202e \xf0\x9f\x98\x80 "
                                "\\u009b \\x9b \\xf0\\x9f\n\\xe2\\x80";
    for (size_t step = 1; step < sizeof(text); step++) {
        struct sheet sheet;
        sheet_open(&sheet);
        FILE *out = terminal_stream(sheet.terminal);
        for (size_t at = 0; at < sizeof(text) - 1; at += step) {
            size_t left = sizeof(text) - 1 - at;
            fwrite(text + at, 1, left < step ? left : step, out);
            fflush(out);
        }
        assert_string_equal(sheet_close(&sheet), shown);
    }
}

static void a_line_is_drawn_in_place_and_its_text_cannot_leave_it(void **state)
{
    (void)state;
    struct sheet sheet;
    sheet_open(&sheet);
    fputs("before", terminal_stream(sheet.terminal));
    terminal_draw_line(sheet.terminal, SPAN_LIT("what\n\x1b[2J 1/2"));
    assert_string_equal(sheet_close(&sheet), "before\rwhat\\x0a\\x1b[2J 1/2\x1b[K");
}

static void a_raw_stream_gives_the_bytes_as_they_are(void **state)
{
    (void)state;
    struct sheet sheet;
    sheet_open(&sheet);
    terminal_set_raw(sheet.terminal);
    fputs("\x1b[2J\xff\r", terminal_stream(sheet.terminal));
    assert_string_equal(sheet_close(&sheet), "\x1b[2J\xff\r");
}

static void a_terminal_that_is_gone_is_told_at_the_end(void **state)
{
    (void)state;
    struct terminal *terminal;
    struct error err;
    assert_int_equal(terminal_open(-1, &terminal, &err), STATUS_OK);
    fputs("a\n", terminal_stream(terminal));
    assert_false(terminal_close(terminal));
    assert_true(terminal_close(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_could_steer_a_terminal_or_an_eye_is_shown_escaped),
        cmocka_unit_test(what_does_not_fit_is_cut_between_two_characters),
        cmocka_unit_test(a_stream_shows_text_however_it_is_cut_into_writes),
        cmocka_unit_test(a_line_is_drawn_in_place_and_its_text_cannot_leave_it),
        cmocka_unit_test(a_raw_stream_gives_the_bytes_as_they_are),
        cmocka_unit_test(a_terminal_that_is_gone_is_told_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
