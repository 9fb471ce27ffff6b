/* The HTTP client against a server that shares no code with it. */
#include "answer_server.h"
#include "http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct answer_server server;
    struct env env;
    struct http_client *client;
};

static const struct answer answers[] = {
    {"/ok",
     SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Twice:  a b \r\nContent-Length: "
               "5\r\n\r\nhello"),
     false},
    {"/chunked",
     SPAN_INIT("HTTP/1.1 201 Created\r\nTransfer-Encoding: "
               "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
     false},
    {"/none", SPAN_INIT("HTTP/1.1 204 No Content\r\n\r\n"), false},
    {"/head", SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"), false},
    {"/continued",
     SPAN_INIT(
         "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
     false},
    {"/moved", SPAN_INIT("HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n"),
     false},
    {"/error", SPAN_INIT("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy"),
     false},
    {"/drop", SPAN_INIT(""), true},
    {"/interim", SPAN_INIT("HTTP/1.1 100 Continue\r\n\r\n"), false},
    {"/stops", SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), false},
    {"/half", SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), true},
    {"/nonsense", SPAN_INIT("what is this\r\n\r\n"), true},
    {"/announced", SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n"), true},
    {"/bye", SPAN_INIT("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), true},
};

/* What no single text says. */
static bool answer_long(int fd, const char *path)
{
    if (strcmp(path, "/flood") == 0) {
        answer_send(fd, SPAN_LIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
        for (int i = 0; i < 64; i++) {
            answer_send(fd, SPAN_LIT("10\r\n0123456789abcdef\r\n"));
        }
        return false;
    }
    if (strcmp(path, "/headers") == 0) {
        answer_send(fd, SPAN_LIT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"));
        for (int i = 0; i < 2000; i++) {
            answer_send(fd, SPAN_LIT("X-Many: 0123456789012345678901234567890123456789\r\n"));
        }
        answer_send(fd, SPAN_LIT("\r\n"));
    }
    return true; /* anything else: silence */
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct http_client_options options = {.response_bytes_max = 512};
    env_init_system(&f->env);
    answer_server_start(&f->server, answers, ARRAY_COUNT(answers), answer_long);
    struct error err = ERROR_NONE;
    if (http_client_new(&f->env, &options, &f->client, &err) != STATUS_OK) {
        fail_msg("%s", err.message);
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    http_client_free(f->client);
    answer_server_stop(&f->server);
    free(f);
    return 0;
}

static const char *url_of(const struct fixture *f, const char *path, char out[128])
{
    snprintf(out, 128, "http://127.0.0.1:%d%s", f->server.port, path);
    return out;
}

static void get(struct fixture *f, const char *path, struct http_response *response)
{
    char url[128];
    struct error err = ERROR_NONE;
    struct http_call_request request = {.method = "GET", .url = url_of(f, path, url)};
    http_response_init(response, 4096);
    enum status status = http_client_request(f->client, &request, response, &err);
    if (status != STATUS_OK) {
        fail_msg("%s: %s", path, err.message);
    }
}

static void an_answer_has_status_headers_and_body(void **state)
{
    struct http_response r;
    get(*state, "/ok", &r);
    assert_int_equal(r.failure, HTTP_FAILURE_NONE);
    assert_int_equal(r.status, 200);
    assert_true(span_equal(buf_span(&r.body), SPAN_LIT("hello")));
    assert_true(span_equal(http_response_header(&r, "content-type"), SPAN_LIT("text/plain")));
    assert_true(span_equal(http_response_header(&r, "x-twice"), SPAN_LIT("a b")));
    assert_int_equal(http_response_header(&r, "absent").len, 0);
    assert_string_equal(r.message, "");
    http_response_release(&r);
}

struct outcome {
    const char *path;
    int status;
    enum http_failure failure;
    const char *body;
};

static void every_kind_of_answer_is_told_apart(void **state)
{
    static const struct outcome outcomes[] = {
        {"/chunked", 201, HTTP_FAILURE_NONE, "abcde"},
        {"/none", 204, HTTP_FAILURE_NONE, ""},
        {"/continued", 200, HTTP_FAILURE_NONE, ""},
        {"/moved", 302, HTTP_FAILURE_NONE, ""},
        {"/error", 503, HTTP_FAILURE_NONE, "busy"},
        {"/bye", 200, HTTP_FAILURE_NONE, ""},
        {"/drop", 0, HTTP_FAILURE_BROKEN, NULL},
        {"/half", 0, HTTP_FAILURE_BROKEN, NULL},
        {"/nonsense", 0, HTTP_FAILURE_BROKEN, NULL},
        {"/announced", 0, HTTP_FAILURE_TOO_LARGE, NULL},
        {"/flood", 0, HTTP_FAILURE_TOO_LARGE, NULL},
        {"/headers", 0, HTTP_FAILURE_TOO_LARGE, NULL},
    };
    for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++) {
        struct http_response r;
        get(*state, outcomes[i].path, &r);
        if (r.status != outcomes[i].status || r.failure != outcomes[i].failure) {
            fail_msg("%s: status %d failure %d (%s)", outcomes[i].path, r.status, (int)r.failure,
                     r.message);
        }
        if (outcomes[i].body != NULL) {
            assert_true(span_equal_cstr(buf_span(&r.body), outcomes[i].body));
        } else {
            assert_true(r.message[0] != '\0');
        }
        assert_int_equal(http_response_header(&r, "x-early").len, 0);
        http_response_release(&r);
    }
}

/* --- what an answer may cost --- */

static void fails_with(struct fixture *f, struct http_client *client, const char *path,
                       enum http_failure failure)
{
    char url[128];
    struct http_response r;
    struct error err = ERROR_NONE;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", f->server.port, path);
    const struct http_call_request request = {.method = "GET", .url = url};
    http_response_init(&r, 4096);
    assert_int_equal(http_client_request(client, &request, &r, &err), STATUS_OK);
    assert_int_equal(r.failure, failure);
    http_response_release(&r);
}

static void answers_that_take_too_much_together_fail(void **state)
{
    struct fixture *f = *state;
    struct budget budget;
    struct http_client *client;
    struct error err = ERROR_NONE;
    budget_init(&budget, 12); /* of which the upstream has a half */
    const struct http_client_options options = {.budget = &budget};
    assert_int_equal(http_client_new(&f->env, &options, &client, &err), STATUS_OK);
    size_t others = 0;
    fails_with(f, client, "/ok", HTTP_FAILURE_NONE);
    assert_int_equal(budget.used_bytes, 0);
    budget_note(&budget, BUDGET_UPSTREAM, &others, 2);
    fails_with(f, client, "/ok", HTTP_FAILURE_CROWDED);
    assert_int_equal(budget.used_bytes, 2);
    http_client_free(client);
}

static void nobody_listening_is_refused(void **state)
{
    struct fixture *f = *state;
    int dead;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    dead = socket(AF_INET, SOCK_STREAM, 0); /* bound, never listening */
    assert_int_equal(bind(dead, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(dead, (struct sockaddr *)&address, &len), 0);
    int real_port = f->server.port;
    f->server.port = ntohs(address.sin_port);
    struct http_response r;
    get(f, "/ok", &r);
    f->server.port = real_port;
    assert_int_equal(r.failure, HTTP_FAILURE_REFUSED);
    http_response_release(&r);
    close(dead);
}

static void tls_to_a_plain_server_is_a_tls_failure(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct http_response r;
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/ok", f->server.port);
    struct http_call_request request = {.method = "GET", .url = url};
    http_response_init(&r, 4096);
    assert_int_equal(http_client_request(f->client, &request, &r, NULL), STATUS_OK);
    assert_int_equal(r.failure, HTTP_FAILURE_TLS);
    http_response_release(&r);
}

static void silence_is_a_timeout(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct http_response r;
    struct http_call_request request = {
        .method = "GET", .url = url_of(f, "/silence", url), .timeout_ms = 30};
    http_response_init(&r, 4096);
    assert_int_equal(http_client_request(f->client, &request, &r, NULL), STATUS_OK);
    assert_int_equal(r.failure, HTTP_FAILURE_TIMEOUT);
    assert_true(r.total_us >= 29000);
    http_response_release(&r);
}

struct slow_answer {
    const char *path;
    int64_t timeout_ms; /* long enough for a busy machine to come to the stage */
    int64_t silence_s;
    const char *words;
};

static void a_timeout_says_what_did_not_come(void **state)
{
    static const struct slow_answer cases[] = {
        {"/silence", 500, 0, "no answer began within 0.5 s"},
        {"/interim", 500, 0, "no answer began within 0.5 s"},
        {"/stops", 1000, 0, "the answer did not end within 1 s (4 bytes came)"},
        {"/stops", 30000, 1, "the answer stopped: nothing more came for 1 s"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char url[128];
        struct http_response r;
        struct http_client *client;
        const struct http_client_options options = {.timeout_ms = cases[i].timeout_ms,
                                                    .silence_s = cases[i].silence_s};
        const struct http_call_request request = {.method = "GET",
                                                  .url = url_of(f, cases[i].path, url)};
        http_response_init(&r, 4096);
        assert_int_equal(http_client_new(&f->env, &options, &client, NULL), STATUS_OK);
        assert_int_equal(http_client_request(client, &request, &r, NULL), STATUS_OK);
        assert_int_equal(http_failure_status(r.failure), STATUS_TIMED_OUT);
        assert_string_equal(r.message, cases[i].words);
        http_response_release(&r);
        http_client_free(client);
    }
}

/* Says yes when it is asked for the third time. */
static bool third_time(void *ctx)
{
    int *asked = ctx;
    return ++*asked == 3;
}

static void a_request_ends_when_the_user_wants_no_more(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct http_response r;
    struct error err;
    int asked = 0;
    const struct http_call_request request = {.method = "GET", .url = url_of(f, "/silence", url)};
    http_response_init(&r, 4096);
    http_client_stop_when(f->client, third_time, &asked);
    assert_int_equal(http_client_request(f->client, &request, &r, &err), STATUS_INTERRUPTED);
    assert_int_equal(asked, 3);
    assert_int_equal(http_client_in_flight(f->client), 0);
    http_client_stop_when(f->client, NULL, NULL);
    http_response_release(&r);
}

static void the_connection_is_kept_between_requests(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 5; i++) {
        struct http_response r;
        get(f, "/ok", &r);
        assert_int_equal(r.status, 200);
        http_response_release(&r);
    }
    assert_int_equal(f->server.connections, 1);
    assert_int_equal(f->server.requests, 5);
}

static void a_dead_kept_connection_does_not_send_twice(void **state)
{
    struct fixture *f = *state;
    struct http_response r;
    get(f, "/ok", &r);
    http_response_release(&r);
    get(f, "/drop", &r); /* takes the request on the kept connection, then closes it */
    assert_int_equal(r.failure, HTTP_FAILURE_BROKEN);
    assert_int_equal(f->server.requests, 2);
    http_response_release(&r);
}

/* Answers one request, then is gone for good: its port refuses before the next is dropped. */
static void *answer_and_vanish(void *ctx)
{
    const int *listener = ctx;
    char bytes[4096];
    int fd = accept(*listener, NULL, NULL);
    if (fd >= 0 && recv(fd, bytes, sizeof(bytes), 0) > 0) {
        answer_send(fd, SPAN_LIT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        close(*listener);
        (void)recv(fd, bytes, sizeof(bytes), 0);
    }
    close(fd);
    return NULL;
}

static void a_request_that_left_is_broken_even_when_nobody_listens_any_more(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    struct http_response r;
    pthread_t thread;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(pthread_create(&thread, NULL, answer_and_vanish, &listener), 0);
    int real_port = f->server.port;
    f->server.port = ntohs(address.sin_port);
    get(f, "/ok", &r);
    assert_int_equal(r.status, 200);
    http_response_release(&r);
    get(f, "/ok", &r); /* on the kept connection: it leaves, and the server may have acted */
    f->server.port = real_port;
    assert_int_equal(r.failure, HTTP_FAILURE_BROKEN);
    http_response_release(&r);
    pthread_join(thread, NULL);
}

struct sent {
    const char *method;
    bool has_body;
    const char *body;
    const char *headers[4];
    const char *first_line;
    const char *present;
    const char *absent;
};

static void requests_look_on_the_wire_as_asked(void **state)
{
    static const struct sent requests[] = {
        {"GET", false, "", {NULL}, "GET /ok HTTP/1.1\r\n", "\r\nUser-Agent: pinpipe/", "Content-"},
        {"POST",
         true,
         "{\"a\":1}",
         {"Content-Type: application/x-y", NULL},
         "POST /ok HTTP/1.1\r\n",
         "\r\nContent-Type: application/x-y\r\n",
         "Expect"},
        {"POST", true, "abc", {NULL}, "POST /ok ", "\r\nContent-Length: 3\r\n", "Content-Type"},
        {"POST", false, "", {NULL}, "POST /ok ", "\r\nContent-Length: 0\r\n", "Content-Type"},
        {"POST", true, "", {NULL}, "POST /ok ", "\r\nContent-Length: 0\r\n", "Content-Type"},
        {"PUT",
         true,
         "x",
         {"Host: other:1", "Accept:", NULL},
         "PUT /ok ",
         "\r\nHost: other:1\r\n",
         "Accept"},
        {"DELETE", false, "", {"X-Empty;", NULL}, "DELETE /ok ", "\r\nX-Empty:\r\n", "Content-"},
        {"DELETE", true, "why", {NULL}, "DELETE /ok ", "\r\n\r\nwhy", "Content-Type"},
        {"GET", true, "{}", {NULL}, "GET /ok ", "\r\nContent-Length: 2\r\n", "Content-Type"},
        {"OPTIONS", false, "", {NULL}, "OPTIONS /ok ", "\r\nAccept: */*\r\n", "Content-"},
        {"GET",
         false,
         "",
         {"User-Agent: me", NULL},
         "GET /ok ",
         "\r\nUser-Agent: me\r\n",
         "pinpipe"},
    };
    struct fixture *f = *state;
    char url[128];
    url_of(f, "/ok", url);
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        const struct sent *sent = &requests[i];
        struct http_call_request request = {.method = sent->method,
                                            .url = url,
                                            .headers = sent->headers,
                                            .has_body = sent->has_body,
                                            .body = span_from_cstr(sent->body)};
        struct http_response r;
        http_response_init(&r, 4096);
        assert_int_equal(http_client_request(f->client, &request, &r, NULL), STATUS_OK);
        assert_int_equal(r.status, 200);
        http_response_release(&r);
        const char *seen = answer_server_last(&f->server);
        if (strncmp(seen, sent->first_line, strlen(sent->first_line)) != 0 ||
            strstr(seen, sent->present) == NULL || strstr(seen, sent->absent) != NULL) {
            fail_msg("request %zu arrived as:\n%s", i, seen);
        }
    }
}

static void a_head_request_expects_no_body(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct http_response r;
    struct http_call_request request = {.method = "HEAD", .url = url_of(f, "/head", url)};
    http_response_init(&r, 4096);
    assert_int_equal(http_client_request(f->client, &request, &r, NULL), STATUS_OK);
    assert_int_equal(r.status, 200);
    assert_int_equal(r.body.len, 0);
    http_response_release(&r);
}

static void a_path_travels_untouched(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct http_response r;
    struct http_call_request request = {
        .method = "GET", .url = url_of(f, "/a//b/../c%7c?x=%2F", url), .timeout_ms = 200};
    http_response_init(&r, 4096);
    assert_int_equal(http_client_request(f->client, &request, &r, NULL), STATUS_OK);
    while (f->server.requests == 0) { /* the client has only waited for an answer */
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_non_null(strstr(answer_server_last(&f->server), "GET /a//b/../c%7c?x=%2F HTTP/1.1\r\n"));
    http_response_release(&r);
}

static void requests_that_make_no_sense_are_not_sent(void **state)
{
    static const char *const split[] = {"X: a\r\nY: b", NULL};
    static const char *const nameless[] = {"no colon", NULL};
    static const struct http_call_request requests[] = {
        {.method = "GET", .url = "ftp://127.0.0.1/"},
        {.method = "GET", .url = "127.0.0.1:80/x"},
        {.method = "GET", .url = "file:///etc/passwd"},
        {.method = "GET", .url = ""},
        {.method = "BAD METHOD", .url = "http://127.0.0.1/"},
        {.method = "", .url = "http://127.0.0.1/"},
        {.method = "HEAD", .url = "http://127.0.0.1/", .has_body = true},
        {.method = "GET", .url = "http://127.0.0.1/", .headers = split},
        {.method = "GET", .url = "http://127.0.0.1/", .headers = nameless},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        struct error err = ERROR_NONE;
        struct http_response r;
        http_response_init(&r, 4096);
        assert_int_equal(http_client_request(f->client, &requests[i], &r, &err), STATUS_INVALID);
        assert_true(err.message[0] != '\0');
        assert_int_equal(http_client_in_flight(f->client), 0);
        http_response_release(&r);
    }
}

struct repeat {
    int left;
    int answered;
    const struct http_call_request *request;
    struct http_call *other;
};

static void send_again(void *ctx, struct http_call *call, const struct http_response *response)
{
    struct repeat *repeat = ctx;
    assert_int_equal(response->status, 200);
    repeat->answered++;
    if (repeat->left-- > 0) {
        assert_int_equal(http_call_send(call, repeat->request, NULL), STATUS_OK);
    }
}

static void a_call_is_sent_again_from_its_callback(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct http_call_request request = {
        .method = "POST", .url = url_of(f, "/ok", url), .has_body = true, .body = SPAN_LIT("b")};
    struct repeat repeat = {.left = 9, .request = &request};
    struct http_call *call;
    assert_int_equal(http_call_new(f->client, send_again, &repeat, &call), STATUS_OK);
    assert_int_equal(http_call_send(call, &request, NULL), STATUS_OK);
    while (http_client_in_flight(f->client) > 0) {
        assert_int_equal(http_client_run(f->client, 1000, NULL), STATUS_OK);
    }
    assert_int_equal(repeat.answered, 10);
    assert_int_equal(f->server.connections, 1);
    http_call_free(call);
}

static void free_both(void *ctx, struct http_call *call, const struct http_response *response)
{
    struct repeat *repeat = ctx;
    (void)response;
    repeat->answered++;
    http_call_free(repeat->other);
    http_call_free(call);
}

static void calls_may_be_freed_in_a_callback(void **state)
{
    struct fixture *f = *state;
    char ok[128];
    char silence[128];
    struct http_call_request request = {.method = "GET", .url = url_of(f, "/ok", ok)};
    struct http_call_request unanswered = {.method = "GET", .url = url_of(f, "/silence", silence)};
    struct repeat repeat = {.answered = 0};
    struct http_call *call;
    assert_int_equal(http_call_new(f->client, free_both, &repeat, &call), STATUS_OK);
    assert_int_equal(http_call_new(f->client, free_both, &repeat, &repeat.other), STATUS_OK);
    assert_int_equal(http_call_send(call, &request, NULL), STATUS_OK);
    while (f->server.connections == 0) { /* the server takes one connection at a time */
        assert_int_equal(http_client_run(f->client, 1, NULL), STATUS_OK);
    }
    if (repeat.answered == 0) {
        assert_int_equal(http_call_send(repeat.other, &unanswered, NULL), STATUS_OK);
    }
    while (http_client_in_flight(f->client) > 0) {
        assert_int_equal(http_client_run(f->client, 1000, NULL), STATUS_OK);
    }
    assert_int_equal(repeat.answered, 1);
}

static void must_not_end(void *ctx, struct http_call *call, const struct http_response *response)
{
    (void)ctx;
    (void)call;
    fail_msg("a cancelled call ended with status %d", response->status);
}

static void a_cancelled_call_ends_without_a_callback(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct http_call_request request = {.method = "GET", .url = url_of(f, "/silence", url)};
    struct http_call *call;
    assert_int_equal(http_call_new(f->client, must_not_end, NULL, &call), STATUS_OK);
    assert_int_equal(http_call_send(call, &request, NULL), STATUS_OK);
    while (f->server.requests == 0) {
        assert_int_equal(http_client_run(f->client, 5, NULL), STATUS_OK);
    }
    http_call_cancel(call);
    http_call_cancel(call);
    assert_int_equal(http_client_in_flight(f->client), 0);
    assert_int_equal(http_client_run(f->client, 1000, NULL), STATUS_OK);
    struct http_response r;
    get(f, "/ok", &r);
    assert_int_equal(r.status, 200);
    http_response_release(&r);
    /* In flight again when the client goes: freed with it. */
    assert_int_equal(http_call_send(call, &request, NULL), STATUS_OK);
}

/* A loop of the smallest kind: one socket, one timer. */
struct tiny_loop {
    int fd;
    bool readable;
    bool writable;
    int64_t timer_ms;
};

static void tiny_watch(void *ctx, int fd, bool readable, bool writable)
{
    struct tiny_loop *loop = ctx;
    if (readable || writable) {
        *loop = (struct tiny_loop){fd, readable, writable, loop->timer_ms};
    } else if (fd == loop->fd) {
        loop->fd = -1;
    }
}

static void tiny_timer(void *ctx, int64_t timeout_ms)
{
    struct tiny_loop *loop = ctx;
    loop->timer_ms = timeout_ms;
}

static bool tiny_turn(struct http_client *client, struct tiny_loop *loop)
{
    if (loop->timer_ms == 0) {
        loop->timer_ms = -1;
        http_client_on_timer(client);
        return true;
    }
    if (loop->fd < 0) {
        return false;
    }
    fd_set in;
    fd_set out;
    FD_ZERO(&in);
    FD_ZERO(&out);
    if (loop->readable) {
        FD_SET(loop->fd, &in);
    }
    if (loop->writable) {
        FD_SET(loop->fd, &out);
    }
    int fd = loop->fd;
    struct timeval wait = {.tv_sec = 5};
    if (select(fd + 1, &in, &out, NULL, &wait) <= 0) {
        return false;
    }
    http_client_on_socket(client, fd, FD_ISSET(fd, &in), FD_ISSET(fd, &out));
    return true;
}

static void a_loop_of_ones_own_drives_the_client(void **state)
{
    struct fixture *f = *state;
    struct tiny_loop loop = {.fd = -1, .timer_ms = -1};
    struct http_client_loop hooks = {&loop, tiny_watch, tiny_timer};
    struct http_client *client;
    char url[128];
    assert_int_equal(http_client_new(&f->env, NULL, &client, NULL), STATUS_OK);
    assert_int_equal(http_client_attach(client, &hooks), STATUS_OK);
    struct http_call_request request = {.method = "GET", .url = url_of(f, "/ok", url)};
    struct repeat repeat = {.left = 2, .request = &request};
    struct http_call *call;
    assert_int_equal(http_call_new(client, send_again, &repeat, &call), STATUS_OK);
    assert_int_equal(http_call_send(call, &request, NULL), STATUS_OK);
    while (http_client_in_flight(client) > 0) {
        assert_true(tiny_turn(client, &loop));
    }
    assert_int_equal(repeat.answered, 3);
    http_client_free(client);
}

static void running_with_nothing_in_flight_returns_at_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(http_client_run(f->client, -1, NULL), STATUS_OK);
}

static void an_answer_over_the_callers_own_limit_fails(void **state)
{
    struct fixture *f = *state;
    char url[128];
    struct http_response r;
    struct http_call_request request = {.method = "GET", .url = url_of(f, "/ok", url)};
    http_response_init(&r, 4);
    assert_int_equal(http_client_request(f->client, &request, &r, NULL), STATUS_OK);
    assert_int_equal(r.failure, HTTP_FAILURE_TOO_LARGE);
    http_response_release(&r);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_answer_has_status_headers_and_body),
        CASE(every_kind_of_answer_is_told_apart),
        CASE(answers_that_take_too_much_together_fail),
        CASE(nobody_listening_is_refused),
        CASE(tls_to_a_plain_server_is_a_tls_failure),
        CASE(silence_is_a_timeout),
        CASE(a_timeout_says_what_did_not_come),
        CASE(a_request_ends_when_the_user_wants_no_more),
        CASE(the_connection_is_kept_between_requests),
        CASE(a_dead_kept_connection_does_not_send_twice),
        CASE(a_request_that_left_is_broken_even_when_nobody_listens_any_more),
        CASE(requests_look_on_the_wire_as_asked),
        CASE(a_head_request_expects_no_body),
        CASE(a_path_travels_untouched),
        CASE(requests_that_make_no_sense_are_not_sent),
        CASE(a_call_is_sent_again_from_its_callback),
        CASE(calls_may_be_freed_in_a_callback),
        CASE(a_cancelled_call_ends_without_a_callback),
        CASE(a_loop_of_ones_own_drives_the_client),
        CASE(running_with_nothing_in_flight_returns_at_once),
        CASE(an_answer_over_the_callers_own_limit_fails),
    };
    return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
