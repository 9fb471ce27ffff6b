#include "echo_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { await_rounds_max = 60000 };

static const char *const failure_names[] = {
    [EXCHANGE_COMMIT_FAILED] = "commit failed",   [EXCHANGE_BODY_TOO_LARGE] = "body too large",
    [EXCHANGE_HEAD_TOO_LARGE] = "head too large", [EXCHANGE_URI_TOO_LONG] = "uri too long",
    [EXCHANGE_MALFORMED] = "malformed",           [EXCHANGE_TIMED_OUT] = "timed out",
    [EXCHANGE_OVERLOADED] = "overloaded",         [EXCHANGE_STOPPING] = "stopping",
    [EXCHANGE_NO_MEMORY] = "no memory",
};
static const int failure_statuses[] = {
    [EXCHANGE_COMMIT_FAILED] = 500,  [EXCHANGE_BODY_TOO_LARGE] = 413,
    [EXCHANGE_HEAD_TOO_LARGE] = 431, [EXCHANGE_URI_TOO_LONG] = 414,
    [EXCHANGE_MALFORMED] = 400,      [EXCHANGE_TIMED_OUT] = 408,
    [EXCHANGE_OVERLOADED] = 503,     [EXCHANGE_STOPPING] = 503,
    [EXCHANGE_NO_MEMORY] = 500,
};

static enum handled answer(struct exchange *exchange, int status, struct span body)
{
    exchange->reply.status = status;
    exchange->reply.content_type = "text/plain";
    buf_append_span(&exchange->reply.body, body);
    return HANDLED;
}

static void answer_failure(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    (void)ctx;
    answer(exchange, failure_statuses[failure], span_from_cstr(failure_names[failure]));
}

/* --- waiting --- */

static void waiter_remove(struct echo_server *echo, const struct exchange *exchange)
{
    struct echo_waiter **link = &echo->waiters;
    while ((*link)->exchange != exchange) {
        link = &(*link)->next;
    }
    struct echo_waiter *waiter = *link;
    *link = waiter->next;
    free(waiter);
}

static void waiter_deadline(struct exchange *exchange, void *state)
{
    waiter_remove(state, exchange);
    answer(exchange, 200, SPAN_LIT("late"));
    exchange_answer(exchange);
}

static void waiter_cancel(struct exchange *exchange, void *state)
{
    struct echo_server *echo = state;
    waiter_remove(echo, exchange);
    atomic_fetch_add(&echo->cancelled, 1);
}

static const struct park_ops waiter_ops = {waiter_deadline, waiter_cancel};

static enum handled wait_until(struct echo_server *echo, struct exchange *exchange, int64_t due_us)
{
    struct echo_waiter *waiter = malloc(sizeof(*waiter));
    if (waiter == NULL) {
        return answer(exchange, 500, SPAN_LIT("no memory"));
    }
    *waiter = (struct echo_waiter){exchange, echo->waiters};
    echo->waiters = waiter;
    exchange_park(exchange, due_us, &waiter_ops, echo);
    atomic_fetch_add(&echo->parked, 1);
    return PARKED;
}

static void wake_all(struct echo_server *echo)
{
    while (echo->waiters != NULL) {
        struct exchange *exchange = echo->waiters->exchange;
        waiter_remove(echo, exchange);
        answer(exchange, 200, SPAN_LIT("woken"));
        exchange_answer(exchange);
    }
}

static void outer_deadline(struct exchange *exchange, void *ctx)
{
    (void)ctx;
    answer(exchange, 504, SPAN_LIT("outer"));
}

/* --- the service --- */

static enum handled answer_facts(struct exchange *exchange)
{
    const struct http_request *request = &exchange->request;
    exchange->reply.status = 200;
    buf_printf(&exchange->reply.body, "%.*s %.*s %.*s %zu", SPAN_ARG(request->method_name),
               SPAN_ARG(request->target), SPAN_ARG(request->host), request->header_count);
    return HANDLED;
}

static enum handled answer_bytes(struct exchange *exchange, uint64_t count)
{
    exchange->reply.status = 200;
    if (buf_reserve(&exchange->reply.body, (size_t)count)) {
        memset(exchange->reply.body.ptr, 'x', (size_t)count);
        exchange->reply.body.len = (size_t)count;
    }
    return HANDLED;
}

static void answer_was_lost(void *ctx)
{
    struct echo_server *echo = ctx;
    atomic_fetch_add(&echo->lost, 1);
}

static enum handled answer_hint(struct echo_server *echo, struct exchange *exchange, uint64_t count)
{
    char *hint = arena_alloc(&exchange->arena, (size_t)count + 1);
    if (hint == NULL) {
        return answer(exchange, 500, SPAN_LIT("no memory"));
    }
    memset(hint, 'x', (size_t)count);
    hint[count] = '\0';
    exchange->reply.hint = hint;
    exchange_on_lost(exchange, answer_was_lost, echo);
    return answer(exchange, 200, SPAN_LIT("hinted"));
}

/* The number behind the prefix, if the path begins with it. */
static bool path_number(struct span path, const char *prefix, uint64_t *out)
{
    struct span wanted = span_from_cstr(prefix);
    return span_starts_with(path, wanted) && span_parse_u64(span_skip(path, wanted.len), out);
}

static enum handled handle_numbered(struct echo_server *echo, struct exchange *exchange)
{
    struct span path = exchange->request.path;
    int64_t now_us = echo->env.monotonic_us(&echo->env);
    uint64_t number;
    if (path_number(path, "/bytes/", &number)) {
        return answer_bytes(exchange, number);
    }
    if (path_number(path, "/status/", &number)) {
        return answer(exchange, (int)number, exchange->request.body);
    }
    if (path_number(path, "/want/", &number)) {
        exchange_want_reply_room(exchange, (size_t)number);
        return answer(exchange, 200, SPAN_EMPTY);
    }
    if (path_number(path, "/hint/", &number)) {
        return answer_hint(echo, exchange, number);
    }
    if (path_number(path, "/park/", &number)) {
        return wait_until(echo, exchange, now_us + (int64_t)number * 1000);
    }
    if (path_number(path, "/outer/", &number)) {
        exchange_set_outer_deadline(exchange, now_us + (int64_t)number * 1000, outer_deadline,
                                    NULL);
        return wait_until(echo, exchange, INT64_MAX);
    }
    return answer(exchange, 404, SPAN_LIT("not found"));
}

static enum handled handle(void *ctx, struct exchange *exchange)
{
    struct echo_server *echo = ctx;
    struct span path = exchange->request.path;
    atomic_fetch_add(&echo->requests, 1);
    if (span_equal_cstr(path, "/hello")) {
        return answer(exchange, 200, SPAN_LIT("hello"));
    }
    if (span_equal_cstr(path, "/echo")) {
        return answer(exchange, 200, exchange->request.body);
    }
    if (span_equal_cstr(path, "/facts")) {
        return answer_facts(exchange);
    }
    if (span_equal_cstr(path, "/hint")) {
        exchange->reply.hint = "first\r\nInjected: second";
        return answer(exchange, 200, SPAN_EMPTY);
    }
    if (span_equal_cstr(path, "/park")) {
        return wait_until(echo, exchange, INT64_MAX);
    }
    if (span_equal_cstr(path, "/wake")) {
        wake_all(echo);
        return answer(exchange, 200, SPAN_LIT("woke them"));
    }
    return handle_numbered(echo, exchange);
}

/* --- life --- */

void echo_server_init(struct echo_server *echo)
{
    memset(echo, 0, sizeof(*echo));
    server_limits_init(&echo->limits);
    http_limits_init(&echo->http_limits);
    env_init_system(&echo->env);
    log_init(&echo->log, &echo->env, stderr, LOG_OFF);
    echo->service = (struct service){
        .name = "echo",
        .body_bytes_max = ECHO_BODY_BYTES_MAX,
        .reply_bytes_max = ECHO_REPLY_BYTES_MAX,
        .ctx = echo,
        .handle = handle,
        .fail = answer_failure,
    };
}

static void *thread_main(void *ctx)
{
    struct echo_server *echo = ctx;
    server_run(echo->server, false);
    return NULL;
}

void echo_server_start(struct echo_server *echo)
{
    const struct server_options options = {
        .env = &echo->env, .log = &echo->log, .limits = &echo->limits};
    struct listener_options listen = {
        .address = echo->address != NULL ? echo->address : "127.0.0.1", .flag = "--echo"};
    struct http_pool *http;
    struct error err = ERROR_NONE;
    assert_int_equal(server_new(&options, &echo->server, &err), STATUS_OK);
    assert_int_equal(http_pool_new(echo->server, &echo->http_limits, &http), STATUS_OK);
    assert_int_equal(http_kind(http, &echo->service, &listen.kind), STATUS_OK);
    listen.kind.transport = echo->transport;
    assert_int_equal(server_listen(echo->server, &listen, &echo->port, &err), STATUS_OK);
    if (echo->beside != NULL) {
        assert_int_equal(server_listen(echo->server, echo->beside, &echo->beside_port, &err),
                         STATUS_OK);
    }
    server_set_store(echo->server, echo->store, NULL);
    server_set_work(echo->server, echo->work);
    assert_int_equal(pthread_create(&echo->thread, NULL, thread_main, echo), 0);
}

void echo_server_stop(struct echo_server *echo)
{
    server_interrupt(echo->server);
    pthread_join(echo->thread, NULL);
    server_free(echo->server);
    echo->server = NULL;
}

void echo_server_await(atomic_int *counter, int value)
{
    for (int i = 0; atomic_load(counter) < value; i++) {
        if (i == await_rounds_max) {
            fail_msg("the counter stays at %d, not %d", atomic_load(counter), value);
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}
