/* UTF-8 checking, which looks at eight bytes at once where it can, and the ids of struct env. */
#include "env.h"
#include "hex.h"
#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct sequence {
    const char *bytes;
    bool good;
};

static const struct sequence sequences[] = {
    {"\x7f", true},
    {"\xc2\x80", true},
    {"\xdf\xbf", true},
    {"\xe0\xa0\x80", true},
    {"\xed\x9f\xbf", true},
    {"\xee\x80\x80", true},
    {"\xf0\x90\x80\x80", true},
    {"\xf4\x8f\xbf\xbf", true},
    {"\x80", false},
    {"\xbf", false},
    {"\xc0\x80", false},
    {"\xc1\xbf", false},
    {"\xc2", false},
    {"\xc2 ", false},
    {"\xe0\x9f\xbf", false},
    {"\xed\xa0\x80", false},
    {"\xe2\x82", false},
    {"\xf0\x8f\xbf\xbf", false},
    {"\xf4\x90\x80\x80", false},
    {"\xf5\x80\x80\x80", false},
    {"\xff", false},
};

static void utf8_is_judged_the_same_wherever_it_stands(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(sequences); i++) {
        size_t len = strlen(sequences[i].bytes);
        for (size_t before = 0; before < 20; before++) {
            for (size_t after = 0; after < 20; after++) {
                char text[48];
                memset(text, 'a', sizeof(text));
                memcpy(text + before, sequences[i].bytes, len);
                struct span s = span_from(text, before + len + after);
                if (span_is_utf8(s) != sequences[i].good) {
                    fail_msg("sequence %zu after %zu bytes and before %zu", i, before, after);
                }
            }
        }
    }
}

static void empty_text_is_utf8(void **state)
{
    (void)state;
    assert_true(span_is_utf8(SPAN_EMPTY));
}

static void uuids_are_version_4_and_repeat_with_the_seed(void **state)
{
    struct env env;
    char first[ENV_UUID_BYTES];
    char again[ENV_UUID_BYTES];
    (void)state;
    env_init_virtual(&env, 42, 0);
    for (int i = 0; i < 100; i++) {
        env_uuid(&env, first);
        assert_int_equal(strlen(first), 36);
        assert_int_equal(strspn(first, "0123456789abcdef-"), 36);
        assert_true(first[8] == '-' && first[13] == '-' && first[18] == '-' && first[23] == '-');
        assert_int_equal(first[14], '4');
        assert_non_null(strchr("89ab", first[19]));
    }
    env_init_virtual(&env, 42, 0);
    for (int i = 0; i < 100; i++) {
        env_uuid(&env, again);
    }
    assert_string_equal(first, again);
}

static void what_is_no_utf8_becomes_question_marks(void **state)
{
    (void)state;
    char text[] = "a\xff\xc3\xa9\xed\xa0\x80\xf0\x9f\x98\x80\xe2\x82";
    text_make_utf8(text, sizeof(text) - 1);
    assert_string_equal(text, "a?\xc3\xa9???\xf0\x9f\x98\x80??");
}

static void characters_of_every_length_are_written_and_read_back(void **state)
{
    (void)state;
    const uint32_t points[] = {0x80, 0x7ff, 0x800, 0xd7ff, 0xfffd, 0x10000, 0x10ffff};
    for (size_t i = 0; i < ARRAY_COUNT(points); i++) {
        char bytes[UTF8_BYTES_MAX];
        uint32_t point = 0;
        size_t len = utf8_write(points[i], bytes);
        assert_int_equal(utf8_read(span_from(bytes, len), &point), len);
        assert_int_equal(point, points[i]);
        assert_int_equal(utf8_read(span_from(bytes, len - 1), &point), 0);
    }
    uint32_t point;
    assert_int_equal(utf8_read(SPAN_EMPTY, &point), 0);
    assert_int_equal(utf8_read(SPAN_LIT("\x80x"), &point), 0);
    assert_int_equal(utf8_read(SPAN_LIT("\xed\xa0\x80"), &point), 0);
}

static void hex_digits_are_read_in_either_case_and_nothing_else_is(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        const char *low = c != 0 ? strchr(HEX_LOWER, c) : NULL;
        const char *high = c != 0 ? strchr(HEX_UPPER, c) : NULL;
        int wanted = low != NULL    ? (int)(low - HEX_LOWER)
                     : high != NULL ? (int)(high - HEX_UPPER)
                                    : -1;
        assert_int_equal(hex_value((char)c), wanted);
    }
    uint32_t value = 7;
    assert_true(hex_read(SPAN_LIT("00fFz"), 4, &value));
    assert_int_equal(value, 0xff);
    assert_false(hex_read(SPAN_LIT("00f"), 4, &value));
    assert_false(hex_read(SPAN_LIT("00 f"), 4, &value));
    assert_int_equal(value, 0xff);
    char text[6] = "......";
    assert_ptr_equal(hex_write(text, 0xabc01d, 4), text + 4);
    assert_memory_equal(text, "c01d..", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_judged_the_same_wherever_it_stands),
        cmocka_unit_test(empty_text_is_utf8),
        cmocka_unit_test(what_is_no_utf8_becomes_question_marks),
        cmocka_unit_test(characters_of_every_length_are_written_and_read_back),
        cmocka_unit_test(hex_digits_are_read_in_either_case_and_nothing_else_is),
        cmocka_unit_test(uuids_are_version_4_and_repeat_with_the_seed),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
