/* .env files as people write them. */
#include "buf.h"
#include "dotenv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void note_line(void *ctx, struct span key, struct span value)
{
    struct buf *seen = ctx;
    buf_printf(seen, "%.*s=[%.*s];", SPAN_ARG(key), SPAN_ARG(value));
}

static void assert_lines(struct span text, const char *expected, const char *complaint)
{
    struct buf seen;
    struct error err = ERROR_NONE;
    buf_init(&seen, 4096);
    enum status status = dotenv_parse(text, note_line, &seen, &err);
    if (complaint == NULL) {
        assert_int_equal(status, STATUS_OK);
        assert_string_equal(buf_cstr(&seen), expected);
    } else {
        assert_int_equal(status, STATUS_INVALID);
        assert_non_null(strstr(err.message, complaint));
    }
    buf_release(&seen);
}

static void lines_are_taken_as_people_write_them(void **state)
{
    (void)state;
    assert_lines(SPAN_LIT("a=1\nB = two words \n"), "a=[1];B=[two words];", NULL);
    assert_lines(SPAN_LIT("\xef\xbb\xbf# c\r\n\r\nexport K=v\r\n"), "K=[v];", NULL);
    assert_lines(SPAN_LIT("a=\"x # y\" # c\nb='it is'"), "a=[x # y];b=[it is];", NULL);
    assert_lines(SPAN_LIT("url=http://h/#f # comment"), "url=[http://h/#f];", NULL);
    assert_lines(SPAN_LIT("a=\na=2"), "a=[];a=[2];", NULL);
    assert_lines(SPAN_LIT("a=b=c"), "a=[b=c];", NULL);
    assert_lines(SPAN_LIT(""), "", NULL);
}

static void faults_name_their_line(void **state)
{
    (void)state;
    assert_lines(SPAN_LIT("a=1\nno equals\n"), NULL, "line 2: there is no '='");
    assert_lines(SPAN_LIT("9a=1"), NULL, "line 1: \"9a\" is not a name");
    assert_lines(SPAN_LIT("a b=1"), NULL, "is not a name");
    assert_lines(SPAN_LIT("=1"), NULL, "is not a name");
    assert_lines(SPAN_LIT("a=\"open\n"), NULL, "has no end");
    assert_lines(SPAN_LIT("a='x' y"), NULL, "text behind it");
    assert_lines(SPAN_LIT("a=x\0y"), NULL, "NUL");
}

static void limits_are_named(void **state)
{
    (void)state;
    static char text[DOTENV_BYTES_MAX + 2];
    memset(text, 'x', sizeof(text));
    memcpy(text, "a=", 2);
    assert_lines(span_from(text, DOTENV_VALUE_BYTES_MAX + 3), NULL, "longer than 4096");
    assert_lines(span_from(text, sizeof(text)), NULL, "larger than 65536");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_taken_as_people_write_them),
        cmocka_unit_test(faults_name_their_line),
        cmocka_unit_test(limits_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
