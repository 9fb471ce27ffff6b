#include "json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct buf out;

static int set_up(void **state)
{
    (void)state;
    buf_init(&out, 4096);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_release(&out);
    return 0;
}

static void commas_stand_between_and_nowhere_else(void **state)
{
    (void)state;
    struct json_writer w = json_writer_to(&out);
    json_write_object(&w);
    json_member_object(&w, "empty");
    json_write_end(&w);
    json_member_array(&w, "list");
    json_write_object(&w);
    json_write_end(&w);
    json_write_array(&w);
    json_write_end(&w);
    json_write_i64(&w, -7);
    json_write_string(&w, SPAN_LIT("x"));
    json_write_u64(&w, 8);
    json_write_bool(&w, true);
    json_write_end(&w);
    json_member_null(&w, "last");
    json_write_end(&w);
    assert_string_equal(buf_cstr(&out),
                        "{\"empty\":{},\"list\":[{},[],-7,\"x\",8,true],\"last\":null}");
}

static void every_kind_of_member_is_written(void **state)
{
    (void)state;
    struct json_writer w = json_writer_to(&out);
    json_write_object(&w);
    json_member_string(&w, "s", SPAN_LIT("a\"b\n"));
    json_member_cstr(&w, "c", "text");
    json_member_cstr(&w, "none", NULL);
    json_member_i64(&w, "low", INT64_MIN);
    json_member_u64(&w, "high", UINT64_MAX);
    json_member_bool(&w, "yes", true);
    json_member_bool(&w, "no", false);
    json_member_raw(&w, "raw", SPAN_LIT("[1, 2]"));
    json_write_name(&w, "own");
    buf_printf(json_write_value(&w), "%.1f", 2.5);
    json_write_end(&w);
    assert_string_equal(buf_cstr(&out),
                        "{\"s\":\"a\\\"b\\n\",\"c\":\"text\",\"none\":null,"
                        "\"low\":-9223372036854775808,\"high\":18446744073709551615,"
                        "\"yes\":true,\"no\":false,\"raw\":[1, 2],\"own\":2.5}");
}

static void names_are_escaped_unless_they_are_json_already(void **state)
{
    (void)state;
    struct json_writer w = json_writer_to(&out);
    json_write_object(&w);
    json_write_name_span(&w, SPAN_LIT("a\tb"));
    json_write_i64(&w, 1);
    json_write_name_raw(&w, SPAN_LIT("\"c\\u0009d\""));
    json_write_i64(&w, 2);
    json_write_end(&w);
    assert_string_equal(buf_cstr(&out), "{\"a\\tb\":1,\"c\\u0009d\":2}");
}

static void the_buffer_may_be_emptied_between_two_values(void **state)
{
    (void)state;
    struct json_writer w = json_writer_to(&out);
    json_write_array(&w);
    json_write_i64(&w, 1);
    buf_reset(&out);
    json_write_i64(&w, 2);
    json_write_end(&w);
    assert_string_equal(buf_cstr(&out), ",2]");
}

static void members_without_an_object_are_a_fragment(void **state)
{
    (void)state;
    buf_append_cstr(&out, "what stands before: ");
    struct json_writer w = json_writer_to(&out);
    json_member_i64(&w, "a", 1);
    json_member_i64(&w, "b", 2);
    assert_string_equal(buf_cstr(&out), "what stands before: \"a\":1,\"b\":2");
}

static void nesting_closes_what_was_opened(void **state)
{
    (void)state;
    struct json_writer w = json_writer_to(&out);
    for (int i = 0; i < JSON_WRITE_DEPTH_MAX / 2; i++) {
        json_write_array(&w);
        json_write_object(&w);
        json_write_name(&w, "a");
    }
    json_write_null(&w);
    for (int i = 0; i < JSON_WRITE_DEPTH_MAX; i++) {
        json_write_end(&w);
    }
    size_t half = JSON_WRITE_DEPTH_MAX / 2;
    const char *end = buf_cstr(&out) + half * strlen("[{\"a\":");
    assert_int_equal(strncmp(end, "null}]}]", 8), 0);
    assert_int_equal(strlen(end), 4 + 2 * half);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(commas_stand_between_and_nowhere_else),
        TEST(every_kind_of_member_is_written),
        TEST(names_are_escaped_unless_they_are_json_already),
        TEST(the_buffer_may_be_emptied_between_two_values),
        TEST(members_without_an_object_are_a_fragment),
        TEST(nesting_closes_what_was_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
