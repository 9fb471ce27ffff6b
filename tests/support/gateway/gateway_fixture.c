#include "gateway_fixture.h"

#include "asked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- the backend --- */

void copy_span(char *out, size_t size, struct span text)
{
    assert_true(text.len < size);
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
}

static void backend_lost(void *ctx)
{
    struct backend *b = ctx;
    b->lost++;
}

void backend_answer(struct backend *b, struct exchange *exchange)
{
    exchange_on_lost(exchange, backend_lost, b);
    struct reply *reply = &exchange->reply;
    reply->status = b->status;
    reply->content_type = b->content_type;
    reply->hint = b->hint;
    buf_append_cstr(&reply->headers, b->lines);
    buf_append_span(&reply->body, b->body);
}

static void backend_cancel(struct exchange *exchange, void *state)
{
    struct backend *b = state;
    (void)exchange;
    b->cancelled++;
}

static void backend_deadline(struct exchange *exchange, void *state)
{
    backend_answer(state, exchange);
    exchange_answer(exchange);
}

static const struct park_ops backend_park = {backend_deadline, backend_cancel};

static enum handled backend_handle(void *ctx, struct exchange *exchange)
{
    struct backend *b = ctx;
    const struct http_request *request = &exchange->request;
    b->calls++;
    copy_span(b->method, sizeof(b->method), request->method_name);
    copy_span(b->path, sizeof(b->path), request->path);
    copy_span(b->query, sizeof(b->query), request->query);
    copy_span(b->host, sizeof(b->host), request->host);
    copy_span(b->body_seen, sizeof(b->body_seen), span_first(request->body, texts_max - 1));
    b->body_len = request->body.len;
    size_t used = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        int len = snprintf(b->headers + used, sizeof(b->headers) - used, "%.*s: %.*s\n",
                           SPAN_ARG(request->headers[i].name), SPAN_ARG(request->headers[i].value));
        used += (size_t)len;
    }
    if (b->park) {
        b->parked = exchange;
        exchange_park(exchange, INT64_MAX, &backend_park, b);
        return PARKED;
    }
    backend_answer(b, exchange);
    return HANDLED;
}

static void backend_fail(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    (void)ctx;
    (void)failure;
    exchange->reply.status = 500;
    exchange->reply.content_type = "application/json";
    buf_append_cstr(&exchange->reply.body, "{\"error_code\":500,\"message\":\"backend\"}");
}

/* --- the fixture --- */

static struct fixture *fixture_of(struct exchange *exchange)
{
    return PP_CONTAINER_OF(exchange, struct fixture, exchange);
}

static void on_send(struct exchange *exchange)
{
    fixture_of(exchange)->sent++;
}

static void on_finished(struct exchange *exchange)
{
    exchange_sent(exchange);
}

static const struct exchange_owner owner = {.send = on_send, .finished = on_finished};

struct gateway_options gateway_default_options(struct fixture *f)
{
    return (struct gateway_options){
        .backend = &f->backend.service, .timers = &f->timers, .env = &f->env, .log = &f->log};
}

void gateway_begin(struct fixture *f, const struct gateway_options *options)
{
    struct error err = ERROR_NONE;
    gateway_free(f->gateway);
    if (gateway_new(options, &f->gateway, &err) != STATUS_OK) {
        fail_msg("%s", err.message);
    }
}

int gateway_fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    env_init_virtual(&f->env, 7, GATEWAY_FIXTURE_START_US);
    timer_heap_init(&f->timers, &f->env);
    log_init(&f->log, &f->env, stderr, LOG_OFF);
    turn_init(&f->turn, NULL, &f->timers, &f->env, &f->log);
    f->backend = (struct backend){
        .status = 200, .content_type = "application/json", .lines = "", .body = SPAN_LIT("[]")};
    f->backend.service = (struct service){.name = "rest",
                                          .body_bytes_max = 1 << 20,
                                          .reply_bytes_max = 64 << 20,
                                          .ctx = &f->backend,
                                          .handle = backend_handle,
                                          .fail = backend_fail};
    assert_int_equal(exchange_init(&f->exchange, &f->turn, &owner), STATUS_OK);
    struct gateway_options options = gateway_default_options(f);
    gateway_begin(f, &options);
    *state = f;
    return 0;
}

int gateway_fixture_teardown(void **state)
{
    struct fixture *f = *state;
    exchange_release(&f->exchange);
    gateway_free(f->gateway);
    timer_heap_release(&f->timers);
    free(f);
    return 0;
}

/* --- requests and replies --- */

void gateway_hand_in(struct fixture *f, const struct call *call)
{
    struct exchange *e = &f->exchange;
    exchange_reset(e, gateway_service(f->gateway));
    struct http_request *request = &e->request;
    asked_target(request, span_from_cstr(call->method), span_from_cstr(call->target));
    request->body = call->body != NULL ? span_from_cstr(call->body) : SPAN_EMPTY;
    request->host = SPAN_LIT("127.0.0.1:8080");
    request->headers = f->headers;
    for (size_t i = 0; call->headers[i] != NULL; i++) {
        struct span line = span_from_cstr(call->headers[i]);
        size_t colon = span_find_byte(line, ':');
        f->headers[request->header_count++] =
            (struct http_header){span_first(line, colon), span_trim(span_skip(line, colon + 1))};
    }
    e->journal_path = request->path;
    e->start_us = f->env.monotonic_us(&f->env);
    exchange_handle(e);
    turn_end(&f->turn);
}

void gateway_ask(struct fixture *f, const char *method, const char *target)
{
    struct call call = {.method = method, .target = target};
    gateway_hand_in(f, &call);
}

struct span reply_header(const struct fixture *f, const char *name)
{
    return asked_reply_header(&f->exchange, name);
}

void assert_reply_header(const struct fixture *f, const char *name, const char *value)
{
    struct span seen = reply_header(f, name);
    if (!span_equal_cstr(seen, value)) {
        fail_msg("%s is \"%.*s\", not \"%s\"", name, SPAN_ARG(seen), value);
    }
}

void assert_body(const struct fixture *f, const char *text)
{
    struct span body = buf_span(&f->exchange.reply.body);
    if (!span_equal_cstr(body, text)) {
        fail_msg("the body is %.*s", SPAN_ARG(body));
    }
}

bool hint_says(const struct fixture *f, const char *words)
{
    const char *hint = f->exchange.reply.hint;
    return hint != NULL && strstr(hint, words) != NULL;
}

void assert_identity(const struct fixture *f)
{
    struct span id = reply_header(f, "x-amzn-RequestId");
    struct span apigw = reply_header(f, "x-amz-apigw-id");
    assert_int_equal(id.len, 36);
    assert_int_equal(id.ptr[14], '4');
    assert_int_equal(apigw.len, 16);
    assert_int_equal(apigw.ptr[15], '=');
    assert_reply_header(f, "Date", "Fri, 05 Feb 2021 19:14:42 GMT");
    assert_true(f->exchange.reply.no_date_server);
}

void assert_error(const struct fixture *f, int status, const char *type, const char *body)
{
    assert_int_equal(f->exchange.reply.status, status);
    assert_reply_header(f, "x-amzn-ErrorType", type);
    assert_body(f, body);
    assert_identity(f);
    assert_int_equal(reply_header(f, "x-amzn-Remapped-Date").len, 0);
    assert_int_equal(reply_header(f, "X-Amzn-Trace-Id").len, 0);
}
