/* The server's HTTP duties over real sockets: framing of replies, pipelining, 100-continue, and
 * what is refused. The service is tests/support/echo_server.c; lives and limits of connections are
 * in test_conn.c. */
#include "echo_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- replies --- */

static void a_reply_is_framed_and_dated(void **state)
{
    struct echo_bench *f = *state;
    echo_bench_ask(f, GET("/hello"));
    assert_int_equal(f->reply.status, 200);
    assert_string_equal(raw_body(&f->reply), "hello");
    assert_true(echo_bench_has_header(f, "Content-Length", "5"));
    assert_true(echo_bench_has_header(f, "Content-Type", "text/plain"));
    assert_true(echo_bench_has_header(f, "Date", NULL));
    assert_false(echo_bench_has_header(f, "Server", NULL));
    assert_false(echo_bench_has_header(f, "Connection", NULL));
}

static void head_gets_the_length_but_no_body(void **state)
{
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    raw_receive(fd, true, &f->reply);
    assert_true(echo_bench_has_header(f, "Content-Length", "5"));
    raw_send_text(fd, GET_CLOSE("/facts"));
    raw_receive_all(fd, &f->reply);
    assert_string_equal(raw_body(&f->reply), "GET /facts a 2");
    raw_close(fd);
}

static void statuses_without_a_body_have_no_length(void **state)
{
    struct echo_bench *f = *state;
    echo_bench_ask(f, GET("/status/204"));
    assert_int_equal(f->reply.status, 204);
    assert_false(echo_bench_has_header(f, "Content-Length", NULL));
    echo_bench_ask(f, GET("/status/304"));
    assert_false(echo_bench_has_header(f, "Content-Length", NULL));
    echo_bench_ask(f, GET("/status/199"));
    assert_false(echo_bench_has_header(f, "Content-Length", NULL));
    echo_bench_ask(f, GET("/status/404"));
    assert_true(echo_bench_has_header(f, "Content-Length", "0"));
}

/* Or the client would take it for the next reply's. */
static void a_body_that_its_status_cannot_have_does_not_leave(void **state)
{
    static const int statuses[] = {199, 204, 304};
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
        char text[128];
        snprintf(text, sizeof(text),
                 "POST /status/%d HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody",
                 statuses[i]);
        raw_send_text(fd, text);
        raw_receive(fd, true, &f->reply);
        assert_int_equal(f->reply.status, statuses[i]);
        raw_send_text(fd, GET("/hello"));
        raw_receive(fd, false, &f->reply);
        assert_int_equal(f->reply.status, 200);
        assert_string_equal(raw_body(&f->reply), "hello");
    }
    raw_close(fd);
}

/* What presigned URLs keep in their query is nobody's to read there. */
static void each_reply_is_logged_without_its_query(void **state)
{
    struct echo_bench *f = *state;
    char text[4096];
    FILE *out = tmpfile();
    assert_non_null(out);
    log_init(&f->echo.log, &f->echo.env, out, LOG_DEBUG);
    echo_server_start(&f->echo);
    echo_bench_ask(f, GET("/hello?X-Amz-Signature=secret"));
    assert_int_equal(f->reply.status, 200);
    echo_bench_ask(f, GET("/hint?X-Amz-Signature=secret"));
    echo_server_stop(&f->echo);
    rewind(out);
    text[fread(text, 1, sizeof(text) - 1, out)] = '\0';
    fclose(out);
    assert_non_null(strstr(text, "GET /hello: status=200 bytes=5"));
    assert_non_null(strstr(text, "GET /hint: 200, hint: first"));
    assert_null(strstr(text, "secret"));
}

static void a_hint_cannot_inject_a_header(void **state)
{
    struct echo_bench *f = *state;
    echo_bench_ask(f, GET("/hint"));
    assert_true(echo_bench_has_header(f, "X-Pinpipe-Hint", "first  Injected: second"));
    assert_false(echo_bench_has_header(f, "Injected", NULL));
}

static void http_1_0_closes_unless_asked_to_keep_alive(void **state)
{
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    raw_receive(fd, false, &f->reply);
    assert_true(echo_bench_has_header(f, "Connection", "keep-alive"));
    raw_send_text(fd, "GET /hello HTTP/1.0\r\n\r\n");
    raw_receive_all(fd, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_true(echo_bench_has_header(f, "Connection", "close"));
    raw_close(fd);
}

static void a_reply_over_the_services_ceiling_is_500(void **state)
{
    struct echo_bench *f = *state;
    echo_bench_ask(f, GET("/bytes/99999999"));
    assert_int_equal(f->reply.status, 500);
    assert_string_equal(raw_body(&f->reply), "no memory");
}

/* --- requests --- */

static void a_request_may_come_byte_by_byte(void **state)
{
    static const char text[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    for (const char *p = text; *p != '\0'; p++) {
        raw_send(fd, p, 1);
    }
    raw_receive(fd, false, &f->reply);
    assert_string_equal(raw_body(&f->reply), "abcde");
    raw_close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    char text[128];
    /* The second waits, so the third must as well. */
    raw_send_text(fd, GET("/hello") GET("/park/20") GET("/facts"));
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof(text),
                 "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n%02d", i);
        raw_send_text(fd, text);
    }
    raw_receive(fd, false, &f->reply);
    assert_string_equal(raw_body(&f->reply), "hello");
    raw_receive(fd, false, &f->reply);
    assert_string_equal(raw_body(&f->reply), "late");
    raw_receive(fd, false, &f->reply);
    assert_string_equal(raw_body(&f->reply), "GET /facts a 1");
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof(text), "%02d", i);
        raw_receive(fd, false, &f->reply);
        assert_string_equal(raw_body(&f->reply), text);
    }
    raw_close(fd);
}

static void a_flood_of_pipelined_requests_is_held_back_and_answered(void **state)
{
    enum { count = 600, padding = 900 };
    static char filler[padding + 1];
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    struct buf flood;
    memset(filler, 'f', padding);
    buf_init(&flood, 2 * count * padding);
    buf_append_cstr(&flood, GET("/park/20"));
    for (int i = 0; i < count; i++) {
        buf_printf(&flood, "GET /hello HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", filler);
    }
    raw_send(fd, flood.ptr, flood.len);
    for (int i = 0; i < count + 1; i++) {
        raw_receive(fd, false, &f->reply);
        assert_int_equal(f->reply.status, 200);
    }
    buf_release(&flood);
    raw_close(fd);
}

static void one_hundred_continue_is_sent_only_when_the_body_is_wanted(void **state)
{
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                      "Content-Length: 2\r\n\r\n");
    raw_receive(fd, true, &f->reply);
    assert_int_equal(f->reply.status, 100);
    raw_send_text(fd, "ok");
    raw_receive(fd, false, &f->reply);
    assert_string_equal(raw_body(&f->reply), "ok");
    raw_close(fd);
    echo_bench_ask(f, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                      "Content-Length: 99999999\r\n\r\n");
    assert_int_equal(f->reply.status, 413);
    /* No body to come, and yet it is waited for: the aws CLI takes a final status in its place for
     * the first line of the next answer too. */
    fd = raw_connect(f->echo.port);
    raw_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                      "Content-Length: 0\r\n\r\n");
    raw_receive(fd, true, &f->reply);
    assert_int_equal(f->reply.status, 100);
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    raw_close(fd);
    /* The body is there already: nothing to wait for. */
    echo_bench_ask(
        f, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok");
    assert_int_equal(f->reply.status, 200);
}

static void a_large_body_comes_back_whole(void **state)
{
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    static char body[200 * 1024];
    char head[128];
    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = (char)('a' + i % 23);
    }
    snprintf(head, sizeof(head), "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
             sizeof(body));
    for (int round = 0; round < 2; round++) {
        raw_send_text(fd, head);
        raw_send(fd, body, sizeof(body));
        raw_receive(fd, false, &f->reply);
        assert_int_equal(f->reply.len - f->reply.head_len, sizeof(body));
        assert_memory_equal(raw_body(&f->reply), body, sizeof(body));
    }
    raw_close(fd);
}

struct refusal {
    const char *text;
    int status;
    const char *body;
};

/* The probe of HTTP servers, and the limits; the parser's own grid is in test_http_parse.c. */
static const struct refusal refusals[] = {
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n",
     400, "malformed"},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400,
     "malformed"},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -7\r\n\r\n", 400, "malformed"},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +7\r\n\r\n1234567", 400, "malformed"},
    {"GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400, "malformed"},
    {"GET /hello HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400, "malformed"},
    {"GET /hello HTTP/1.1\nHost: a\n\n", 400, "malformed"},
    {"GET /hello HTTP/1.1\r\n\r\n", 400, "malformed"},
    {"BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed"},
    {"\x16\x03\x01\x02\x01\x01\xfc\x03\x03", 400, "malformed"},
    {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n", 413, "body too large"},
};

static void what_cannot_be_trusted_is_refused_and_the_connection_closed(void **state)
{
    struct echo_bench *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
        int fd = raw_connect(f->echo.port);
        raw_send_text(fd, refusals[i].text);
        raw_send_some(fd, GET("/hello"), sizeof(GET("/hello")) - 1);
        raw_receive_all(fd, &f->reply);
        assert_int_equal(f->reply.status, refusals[i].status);
        assert_string_equal(raw_body(&f->reply), refusals[i].body);
        assert_true(echo_bench_has_header(f, "Connection", "close"));
        raw_close(fd);
    }
    assert_int_equal(atomic_load(&f->echo.requests), 0);
}

static void send_repeated(int fd, const char *unit, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        if (!raw_send_some(fd, unit, strlen(unit))) {
            return;
        }
    }
}

static void heads_over_their_limits_are_refused(void **state)
{
    static const struct {
        const char *start;
        const char *unit;
        size_t times;
        int status;
    } cases[] = {
        {"GET /", "aaaaaaaaaaaaaaaa", 1000, 414},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: ", "bbbbbbbbbbbbbbbb", 12500, 431},
        {"GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", 200, 431},
    };
    struct echo_bench *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int fd = raw_connect(f->echo.port);
        raw_send_text(fd, cases[i].start);
        send_repeated(fd, cases[i].unit, cases[i].times);
        raw_receive_all(fd, &f->reply);
        assert_int_equal(f->reply.status, cases[i].status);
        raw_close(fd);
    }
}

/* A client that writes its whole body before it reads would otherwise see a reset, not the 413. */
static void a_refusal_is_readable_although_the_body_still_comes(void **state)
{
    static char body[2 * 1024 * 1024];
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2097152\r\n\r\n");
    raw_send(fd, body, sizeof(body));
    raw_end_sending(fd);
    raw_receive_all(fd, &f->reply);
    assert_int_equal(f->reply.status, 413);
    raw_close(fd);
}

static void other_methods_reach_the_service(void **state)
{
    struct echo_bench *f = *state;
    echo_bench_ask(f, "PROPFIND /facts HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(raw_body(&f->reply), "PROPFIND /facts a 1");
    echo_bench_ask(f, "GET http://b:1/facts?x HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(raw_body(&f->reply), "GET /facts?x b:1 1");
}

#define OWN(test) cmocka_unit_test_setup_teardown(test, echo_bench_setup, echo_bench_teardown)
#define STARTED(test)                                                                              \
    cmocka_unit_test_setup_teardown(test, echo_bench_setup_started, echo_bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STARTED(a_reply_is_framed_and_dated),
        STARTED(head_gets_the_length_but_no_body),
        STARTED(statuses_without_a_body_have_no_length),
        STARTED(a_body_that_its_status_cannot_have_does_not_leave),
        OWN(each_reply_is_logged_without_its_query),
        STARTED(a_hint_cannot_inject_a_header),
        STARTED(http_1_0_closes_unless_asked_to_keep_alive),
        STARTED(a_reply_over_the_services_ceiling_is_500),
        STARTED(a_request_may_come_byte_by_byte),
        STARTED(pipelined_requests_are_answered_in_order),
        STARTED(a_flood_of_pipelined_requests_is_held_back_and_answered),
        STARTED(one_hundred_continue_is_sent_only_when_the_body_is_wanted),
        STARTED(a_large_body_comes_back_whole),
        STARTED(what_cannot_be_trusted_is_refused_and_the_connection_closed),
        STARTED(heads_over_their_limits_are_refused),
        STARTED(a_refusal_is_readable_although_the_body_still_comes),
        STARTED(other_methods_reach_the_service),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
