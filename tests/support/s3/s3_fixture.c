#include "s3_fixture.h"

#include "asked.h"
#include "lost_turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { reply_bytes_max = 256 * 1024 * 1024, stream_piece_bytes = 64 * 1024 };

static const char *const base_domains[] = {"localhost", "s3.localhost.localstack.cloud", NULL};

/* --- life --- */

static void open_store(struct s3_fixture *f)
{
    struct store_options options = {.env = &f->env, .log = &f->log};
    PP_ASSERT(store_open(&options, &f->store, NULL) == STATUS_OK);
    lose_turns_while(f->store, &f->commits_fail);
}

static void take_reply(struct exchange *exchange)
{
    struct s3_fixture *f = PP_CONTAINER_OF(exchange, struct s3_fixture, exchange);
    struct reply *reply = &exchange->reply;
    f->status = reply->status;
    buf_reset(&f->body);
    if (exchange->request.method == METHOD_HEAD) {
        return;
    }
    if (reply->stream == NULL) {
        buf_append_span(&f->body, buf_span(&reply->body));
        return;
    }
    while (f->body.len < reply->stream_bytes) {
        size_t left = (size_t)reply->stream_bytes - f->body.len;
        size_t max = left < stream_piece_bytes ? left : stream_piece_bytes;
        size_t before = f->body.len;
        PP_ASSERT(reply->stream(exchange, &f->body, max));
        PP_ASSERT(f->body.len > before && f->body.len - before <= max);
    }
}

static void on_finished(struct exchange *exchange)
{
    (void)exchange;
}

static const struct exchange_owner owner = {.send = take_reply, .finished = on_finished};

void s3_fixture_reopen(struct s3_fixture *f)
{
    exchange_sent(&f->exchange);
    s3_free(f->s3);
    PP_ASSERT(s3_new(&f->options, &f->s3, NULL) == STATUS_OK);
}

int s3_fixture_setup(void **state)
{
    struct s3_fixture *f = calloc(1, sizeof(*f));
    PP_ASSERT(f != NULL);
    env_init_virtual(&f->env, 7, S3_FIXTURE_START_US);
    log_init(&f->log, &f->env, stderr, LOG_OFF);
    timer_heap_init(&f->timers, &f->env);
    open_store(f);
    turn_init(&f->turn, f->store, &f->timers, &f->env, &f->log);
    PP_ASSERT(crypto_new(&f->crypto) == STATUS_OK);
    PP_ASSERT(exchange_init(&f->exchange, &f->turn, &owner) == STATUS_OK);
    buf_init(&f->body, reply_bytes_max);
    aws_identity_init(&f->identity, "u1", "us-east-1");
    f->options = (struct s3_options){
        .store = f->store,
        .crypto = f->crypto,
        .env = &f->env,
        .log = &f->log,
        .identity = &f->identity,
        .base_domains = base_domains,
    };
    PP_ASSERT(s3_new(&f->options, &f->s3, NULL) == STATUS_OK);
    s3_do(f, "PUT", "/bkt");
    PP_ASSERT(f->status == 200);
    *state = f;
    return 0;
}

int s3_fixture_teardown(void **state)
{
    struct s3_fixture *f = *state;
    exchange_sent(&f->exchange);
    exchange_release(&f->exchange);
    s3_free(f->s3);
    crypto_free(f->crypto);
    f->commits_fail = false;
    store_close(f->store);
    timer_heap_release(&f->timers);
    buf_release(&f->body);
    free(f);
    return 0;
}

/* --- requests --- */

static void add_header(struct http_request *request, struct span name, struct span value)
{
    if (!span_equal_cstr(value, "{absent}")) {
        request->headers[request->header_count++] = (struct http_header){name, value};
    }
}

static bool is_given(const struct s3_ask *ask, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; ask->headers[i] != NULL; i++) {
        struct span line = span_from_cstr(ask->headers[i]);
        if (line.len > len && line.ptr[len] == ':' &&
            span_equal_nocase(span_first(line, len), span_from_cstr(name))) {
            return true;
        }
    }
    return false;
}

static void fill_headers(struct s3_fixture *f, const struct s3_ask *ask)
{
    struct http_request *request = &f->exchange.request;
    request->headers = f->headers;
    if (!is_given(ask, "Host")) {
        add_header(request, SPAN_LIT("Host"), SPAN_LIT(S3_FIXTURE_HOST));
    }
    bool may_have_body = request->method == METHOD_PUT || request->method == METHOD_POST;
    if ((ask->body.len > 0 || may_have_body) && !is_given(ask, "Content-Length") &&
        !is_given(ask, "Transfer-Encoding")) {
        snprintf(f->content_length, sizeof(f->content_length), "%zu", ask->body.len);
        add_header(request, SPAN_LIT("Content-Length"), span_from_cstr(f->content_length));
    }
    for (size_t i = 0; ask->headers[i] != NULL; i++) {
        struct span line = span_from_cstr(ask->headers[i]);
        size_t colon = span_find_byte(line, ':');
        add_header(request, span_first(line, colon), span_trim(span_skip(line, colon + 1)));
    }
    request->host = http_request_header(request, "host");
}

static void fill_request(struct s3_fixture *f, const struct s3_ask *ask)
{
    struct exchange *e = &f->exchange;
    struct http_request *request = &e->request;
    asked_target(request, span_from_cstr(ask->method), span_from_cstr(ask->target));
    request->received_us = f->env.wall_us(&f->env);
    fill_headers(f, ask);
    e->journal_path = request->target;
    e->start_us = f->env.monotonic_us(&f->env);
}

/* The body as http_conn.c would give it; false: the service has answered. */
static bool give_body(struct s3_fixture *f, const struct s3_ask *ask)
{
    struct exchange *e = &f->exchange;
    const struct service *service = s3_service(f->s3);
    size_t max = ask->piece_bytes > 0 ? ask->piece_bytes : BODY_PIECE_BYTES_MAX;
    if (ask->body.len == 0) {
        return true;
    }
    enum body_plan plan = service->body_begin(service->ctx, e);
    if (plan == BODY_GATHER) {
        e->request.body = ask->body;
        return true;
    }
    for (struct span rest = ask->body; plan == BODY_STREAM && rest.len > 0;
         rest = span_skip(rest, max)) {
        plan = service->body_piece(service->ctx, e, span_first(rest, max));
    }
    return plan == BODY_STREAM;
}

void s3_ask_begin(struct s3_fixture *f, const struct s3_ask *ask)
{
    struct exchange *e = &f->exchange;
    exchange_sent(e);
    exchange_reset(e, s3_service(f->s3));
    fill_request(f, ask);
    if (give_body(f, ask)) {
        exchange_handle(e);
    } else {
        exchange_answer(e);
    }
    turn_end(&f->turn);
}

int s3_ask_wait(struct s3_fixture *f)
{
    int turns = 0;
    for (; !exchange_is_held(&f->exchange); turns++) {
        int64_t next_us = timer_heap_next_us(&f->timers);
        int64_t now_us = f->env.monotonic_us(&f->env);
        PP_ASSERT(next_us != INT64_MAX);
        env_advance(&f->env, next_us > now_us ? next_us - now_us : 0);
        timer_heap_run(&f->timers);
        turn_end(&f->turn);
    }
    return turns;
}

void s3_ask(struct s3_fixture *f, const struct s3_ask *ask)
{
    s3_ask_begin(f, ask);
    (void)s3_ask_wait(f);
}

void s3_do(struct s3_fixture *f, const char *method, const char *target)
{
    struct s3_ask ask = {.method = method, .target = target, .body = SPAN_EMPTY};
    s3_ask(f, &ask);
}

void s3_get(struct s3_fixture *f, const char *target)
{
    s3_do(f, "GET", target);
}

void s3_put(struct s3_fixture *f, const char *target, const char *body)
{
    struct s3_ask ask = {.method = "PUT", .target = target, .body = span_from_cstr(body)};
    s3_ask(f, &ask);
}

/* --- replies --- */

struct span s3_reply_header(const struct s3_fixture *f, const char *name)
{
    if (span_equal_nocase(span_from_cstr(name), SPAN_LIT("content-type"))) {
        return span_from_cstr(f->exchange.reply.content_type);
    }
    return asked_reply_header(&f->exchange, name);
}

struct span s3_reply_element(const struct s3_fixture *f, const char *name)
{
    char open[64];
    char close[64];
    snprintf(open, sizeof(open), "<%s>", name);
    snprintf(close, sizeof(close), "</%s>", name);
    const char *start = strstr(buf_cstr(&f->body), open);
    if (start == NULL) {
        return SPAN_EMPTY;
    }
    start += strlen(open);
    const char *end = strstr(start, close);
    return end != NULL ? span_from(start, (size_t)(end - start)) : SPAN_EMPTY;
}

void s3_assert_status(const struct s3_fixture *f, int status)
{
    if (f->status != status) {
        fail_msg("the status is %d, not %d; the body: %.*s", f->status, status,
                 SPAN_ARG(span_first(buf_span(&f->body), 1000)));
    }
}

void s3_assert_element(const struct s3_fixture *f, const char *name, const char *text)
{
    struct span seen = s3_reply_element(f, name);
    if (!span_equal_cstr(seen, text)) {
        fail_msg("<%s> is \"%.*s\", not \"%s\"; the body: %.*s", name, SPAN_ARG(seen), text,
                 SPAN_ARG(span_first(buf_span(&f->body), 1000)));
    }
}

void s3_assert_error(const struct s3_fixture *f, int status, const char *code)
{
    s3_assert_status(f, status);
    s3_assert_element(f, "Code", code);
    s3_assert_header(f, "Content-Type", "application/xml");
    assert_string_equal(f->exchange.reply.error_code, code);
}

void s3_assert_header(const struct s3_fixture *f, const char *name, const char *value)
{
    struct span seen = s3_reply_header(f, name);
    if (!span_equal_cstr(seen, value)) {
        fail_msg("%s is \"%.*s\", not \"%s\"", name, SPAN_ARG(seen), value);
    }
}

void s3_assert_body(const struct s3_fixture *f, const char *text)
{
    if (!span_equal_cstr(buf_span(&f->body), text)) {
        fail_msg("the body is \"%.*s\", not \"%s\"", SPAN_ARG(span_first(buf_span(&f->body), 1000)),
                 text);
    }
}

bool s3_hint_says(const struct s3_fixture *f, const char *words)
{
    const char *hint = f->exchange.reply.hint;
    return hint != NULL && strstr(hint, words) != NULL;
}
