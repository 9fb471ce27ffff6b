/* The gateway without memory: each allocation of a request that passes through it fails in turn,
 * and its arena ends at every size. The backend sees the request whole or not at all, the client
 * the backend's answer or the gateway's own error. */
#include "alloc_fault.h"
#include "gateway_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { long_bytes = 1600, arena_step_bytes = 16 };

/* Whatever is made anew on the way: the path, the query, the body, headers, and the answer's. */
struct passage {
    char target[2 * long_bytes + 64];
    char path[3 * long_bytes + 64];
    char query[3 * long_bytes + 64];
    char body[long_bytes + 1];
    char lines[5000];
    char body_seen[3 * long_bytes + 1];
    char length_line[64];
    struct call call;
};

static void repeat(char *out, const char *unit, size_t count)
{
    size_t len = strlen(unit);
    for (size_t i = 0; i < count; i++) {
        memcpy(out + i * len, unit, len);
    }
    out[count * len] = '\0';
}

static void passage_make(struct passage *p)
{
    static char colons[long_bytes + 1];
    static char encoded[3 * long_bytes + 1];
    repeat(colons, ":", long_bytes);
    repeat(encoded, "%3A", long_bytes);
    snprintf(p->target, sizeof(p->target), "/test/dev/topics/%s?a=%s", colons, colons);
    snprintf(p->path, sizeof(p->path), "/dev/topics/%s", encoded);
    snprintf(p->query, sizeof(p->query), "a=%s", encoded);
    repeat(p->body, "\xff", long_bytes);
    repeat(p->body_seen, "\xef\xbf\xbd", long_bytes);
    snprintf(p->length_line, sizeof(p->length_line), "Content-Length: %d\n", 3 * long_bytes);
    repeat(p->lines, "X-Line: 0123456789\r\n", 210);
    size_t len = strlen(p->lines);
    snprintf(p->lines + len, sizeof(p->lines) - len,
             "Content-Type: application/vnd.kafka.v2+json\r\nX-Pinpipe-Hint: theirs\r\n");
    p->call = (struct call){"POST", p->target, {"X-Custom: 1", NULL}, p->body};
}

static int setup(void **state)
{
    if (gateway_fixture_setup(state) != 0) {
        return 1;
    }
    struct fixture *f = *state;
    struct passage *p = calloc(1, sizeof(*p));
    passage_make(p);
    f->backend.lines = p->lines;
    f->backend.body = span_from_cstr(p->body);
    f->backend.content_type = NULL;
    f->backend.status = 404;
    f->backend.test = p;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    alloc_fault_end();
    free(f->backend.test);
    return gateway_fixture_teardown(state);
}

static void request_was_whole(const struct fixture *f, const struct passage *p)
{
    assert_string_equal(f->backend.path, p->path);
    assert_string_equal(f->backend.query, p->query);
    assert_string_equal(f->backend.body_seen, p->body_seen);
    assert_non_null(strstr(f->backend.headers, p->length_line));
    assert_non_null(strstr(f->backend.headers, "X-Custom: 1\n"));
    assert_non_null(strstr(f->backend.headers, "X-Amzn-Trace-Id: Root=1-601d9922-"));
    assert_non_null(strstr(f->backend.headers, "User-Agent: AmazonAPIGateway_"));
}

/* True: it is the backend's answer, whole (its hint is not promised). */
static bool answer_was_right(struct fixture *f, const struct passage *p, int calls)
{
    const struct reply *reply = &f->exchange.reply;
    if (f->backend.calls > calls) {
        request_was_whole(f, p);
    }
    assert_identity(f);
    if (reply->status == 500 && f->backend.calls > calls &&
        reply_header(f, "x-amzn-ErrorType").len == 0) {
        assert_body(f, "{\"error_code\":500,\"message\":\"backend\"}"); /* its own failure */
        return false;
    }
    if (reply->status == 500) {
        assert_error(f, 500, "InternalServerErrorException",
                     "{\"message\": \"Internal server error\"}");
        return false;
    }
    assert_int_equal(reply->status, 404);
    assert_int_equal(f->backend.calls, calls + 1);
    assert_string_equal(reply->content_type, "application/vnd.kafka.v2+json");
    assert_true(span_equal_cstr(buf_span(&reply->body), p->body_seen));
    assert_reply_header(f, "X-Line", "0123456789");
    return true;
}

static void each_allocation_of_a_passage_may_fail(void **state)
{
    struct fixture *f = *state;
    bool failed = true;
    for (long n = 1; failed; n++) {
        int calls = f->backend.calls;
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        gateway_hand_in(f, &((struct passage *)f->backend.test)->call);
        failed = alloc_fault_end();
        assert_true(answer_was_right(f, f->backend.test, calls) || failed);
    }
}

static void the_memory_of_a_passage_may_end_anywhere(void **state)
{
    struct fixture *f = *state;
    struct passage *p = f->backend.test;
    bool right = false;
    size_t before = f->exchange.arena.max_bytes;
    for (size_t bytes = arena_step_bytes; !right; bytes += arena_step_bytes) {
        int calls = f->backend.calls;
        f->exchange.arena.max_bytes = bytes;
        gateway_hand_in(f, &p->call);
        right = answer_was_right(f, p, calls);
        assert_true(bytes < before);
    }
    assert_true(hint_says(f, "the body was not UTF-8"));
}

static void a_gateway_without_memory_for_its_settings_is_none(void **state)
{
    struct fixture *f = *state;
    struct gateway_options options = gateway_default_options(f);
    bool failed = true;
    options.stage = "test";
    options.api_key = "abcdefghijklmnopqrst";
    for (long n = 1; failed; n++) {
        struct gateway *gateway = NULL;
        struct error err = ERROR_NONE;
        long alive = alloc_fault_alive();
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        enum status status = gateway_new(&options, &gateway, &err);
        failed = alloc_fault_end();
        assert_int_equal(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        assert_int_equal(gateway != NULL, status == STATUS_OK);
        gateway_free(gateway);
        assert_int_equal(alloc_fault_alive(), alive);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_allocation_of_a_passage_may_fail),
        CASE(the_memory_of_a_passage_may_end_anywhere),
        CASE(a_gateway_without_memory_for_its_settings_is_none),
    };
    return cmocka_run_group_tests_name("gateway memory", tests, NULL, NULL);
}
