/* What the services' answers share: the hint, texts of any length, the JSON error. */
#include "answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { arena_max = 64 * 1024 };

static int setup(void **state)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));
    arena_init(&exchange->arena, arena_max);
    buf_init(&exchange->reply.headers, 1024);
    buf_init(&exchange->reply.body, 16 * 1024);
    *state = exchange;
    return 0;
}

static int teardown(void **state)
{
    struct exchange *exchange = *state;
    arena_release(&exchange->arena);
    buf_release(&exchange->reply.headers);
    buf_release(&exchange->reply.body);
    free(exchange);
    return 0;
}

static void the_first_hint_stays(void **state)
{
    struct exchange *exchange = *state;
    answer_hint(exchange, "topic %s is not there", "u.pin");
    answer_hint(exchange, "something else");
    assert_string_equal(exchange->reply.hint, "topic u.pin is not there");
}

static void a_hint_is_one_line_of_printable_ascii(void **state)
{
    struct exchange *exchange = *state;
    answer_hint(exchange, "a\r\nX-Evil: 1\tb\x7f \xc3\xa9 %s", "~");
    assert_string_equal(exchange->reply.hint, "a??X-Evil: 1?b? ?? ~");
}

static void a_header_is_one_line_without_control_characters(void **state)
{
    struct exchange *exchange = *state;
    reply_add_header_cstr(&exchange->reply, "X", "a\tb\r\nEvil: 1\x01\x7f \xc3\xa9");
    assert_string_equal(buf_cstr(&exchange->reply.headers), "X: a\tb  Evil: 1   \xc3\xa9\r\n");
}

static void a_long_hint_is_cut(void **state)
{
    struct exchange *exchange = *state;
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    answer_hint(exchange, "%s", text);
    assert_int_equal(strlen(exchange->reply.hint), 511);
}

static void beginning_an_answer_drops_the_body_and_keeps_headers_and_hint(void **state)
{
    struct exchange *exchange = *state;
    buf_append_cstr(&exchange->reply.body, "half an answer");
    reply_add_header_cstr(&exchange->reply, "Allow", "GET");
    answer_hint(exchange, "stays");
    buf_append_cstr(answer_begin(exchange, 201, "text/plain"), "whole");
    assert_int_equal(exchange->reply.status, 201);
    assert_string_equal(exchange->reply.content_type, "text/plain");
    assert_string_equal(buf_cstr(&exchange->reply.body), "whole");
    assert_string_equal(buf_cstr(&exchange->reply.headers), "Allow: GET\r\n");
    assert_string_equal(exchange->reply.hint, "stays");
}

static struct span text_of(struct exchange *exchange, char scratch[ANSWER_TEXT_BYTES],
                           const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct span text = answer_text(exchange, scratch, format, args);
    va_end(args);
    return text;
}

static void a_text_is_whole_however_long_it_is(void **state)
{
    struct exchange *exchange = *state;
    char scratch[ANSWER_TEXT_BYTES];
    char quoted[3000];
    memset(quoted, 'q', sizeof(quoted) - 1);
    quoted[sizeof(quoted) - 1] = '\0';
    struct span text = text_of(exchange, scratch, "%d: %s", 7, "short");
    assert_true(span_equal_cstr(text, "7: short"));
    assert_ptr_equal(text.ptr, scratch);
    text = text_of(exchange, scratch, "%s!", quoted);
    assert_int_equal(text.len, sizeof(quoted));
    assert_int_equal(text.ptr[text.len - 1], '!');
    /* Lengths round the scratch's end. */
    quoted[ANSWER_TEXT_BYTES - 1] = '\0';
    assert_int_equal(text_of(exchange, scratch, "%s", quoted).len, ANSWER_TEXT_BYTES - 1);
    assert_int_equal(text_of(exchange, scratch, "%s.", quoted).len, ANSWER_TEXT_BYTES);
}

static void a_text_is_cut_when_the_arena_is_full(void **state)
{
    struct exchange *exchange = *state;
    char scratch[ANSWER_TEXT_BYTES];
    char quoted[3000];
    memset(quoted, 'q', sizeof(quoted) - 1);
    quoted[sizeof(quoted) - 1] = '\0';
    exchange->arena.max_bytes = 1;
    struct span text = text_of(exchange, scratch, "%s", quoted);
    assert_int_equal(text.len, ANSWER_TEXT_BYTES - 1);
}

static void an_error_has_its_code_and_message_in_this_order(void **state)
{
    struct exchange *exchange = *state;
    buf_append_cstr(&exchange->reply.body, "[half");
    enum handled handled = answer_error_code(exchange, 404, 40401, "application/json",
                                             SPAN_LIT("Topic \"t\" not found."));
    assert_int_equal(handled, HANDLED);
    assert_int_equal(exchange->reply.status, 404);
    assert_string_equal(exchange->reply.error_code, "40401");
    assert_string_equal(buf_cstr(&exchange->reply.body),
                        "{\"error_code\":40401,\"message\":\"Topic \\\"t\\\" not found.\"}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_hint_stays),
        TEST(a_hint_is_one_line_of_printable_ascii),
        TEST(a_header_is_one_line_without_control_characters),
        TEST(a_long_hint_is_cut),
        TEST(beginning_an_answer_drops_the_body_and_keeps_headers_and_hint),
        TEST(a_text_is_whole_however_long_it_is),
        TEST(a_text_is_cut_when_the_arena_is_full),
        TEST(an_error_has_its_code_and_message_in_this_order),
    };
    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
