#include "rest_bench.h"

#include "asked.h"
#include "lost_turn.h"

#include <stdlib.h>
#include <string.h>

enum { arena_bytes = 1024 * 1024, stream_piece_bytes_max = 100000 };

void bench_init(struct bench *bench)
{
    *bench = (struct bench){.fail_commits = false};
    env_init_virtual(&bench->env, 1, INT64_C(1700000000000000));
    log_init(&bench->log, &bench->env, stderr, LOG_OFF);
    bench->policy = (struct topic_policy){.user_id = "u1"};
    bench->options = (struct kafka_rest_options){.policy = &bench->policy};
}

void bench_open(struct bench *bench)
{
    struct store_options store = {.env = &bench->env, .log = &bench->log};
    PP_ASSERT(store_open(&store, &bench->store, NULL) == STATUS_OK);
    lose_turns_while(bench->store, &bench->fail_commits);
    PP_ASSERT(store_topic_create(
                  bench->store,
                  &(struct store_topic_spec){.name = SPAN_LIT("u1.pin"), .partition_count = 1},
                  NULL) == STATUS_OK);
    PP_ASSERT(store_topic_create(
                  bench->store,
                  &(struct store_topic_spec){.name = SPAN_LIT("wide"), .partition_count = 3},
                  NULL) == STATUS_OK);
    struct broker_store_options broker = {
        .store = bench->store, .env = &bench->env, .log = &bench->log};
    PP_ASSERT(broker_store_new(&broker, &bench->broker) == STATUS_OK);
    timer_heap_init(&bench->timers, &bench->env);
    turn_init(&bench->turn, bench->store, &bench->timers, &bench->env, &bench->log);
    bench->options.undo = store_undo_log(bench->store);
    bench->options.broker = bench->broker;
    if (bench->answers_later) {
        later_broker_init(&bench->later, bench->broker, &bench->timers, &bench->env);
        bench->options.broker = &bench->later.broker;
    }
    bench->options.timers = &bench->timers;
    bench->options.budget = &bench->turn.budget;
    bench->options.env = &bench->env;
    bench->options.log = &bench->log;
    PP_ASSERT(kafka_rest_new(&bench->options, &bench->rest, NULL) == STATUS_OK);
    turn_end(&bench->turn);
}

void bench_close(struct bench *bench)
{
    while (bench->calls != NULL) {
        struct bench_call *call = bench->calls;
        bench->calls = call->next;
        if (!exchange_is_held(&call->exchange)) {
            exchange_cancel(&call->exchange);
        }
        exchange_release(&call->exchange);
        buf_release(&call->streamed);
        free(call->target);
        free(call);
    }
    bench->fail_commits = false;
    turn_end(&bench->turn);
    kafka_rest_free(bench->rest);
    if (bench->answers_later) {
        later_broker_release(&bench->later);
    }
    broker_free(bench->broker);
    store_close(bench->store);
    timer_heap_release(&bench->timers);
}

/* A streamed body, put together from pieces that are small at first. */
static void take_stream(struct bench_call *call)
{
    struct reply *reply = &call->exchange.reply;
    struct buf piece;
    size_t max = 1;
    buf_init(&call->streamed, (size_t)reply->stream_bytes + 1);
    buf_init(&piece, stream_piece_bytes_max);
    while (call->streamed.len < reply->stream_bytes) {
        buf_reset(&piece);
        PP_ASSERT(reply->stream(&call->exchange, &piece, max));
        PP_ASSERT(buf_ok(&piece) && piece.len > 0 && piece.len <= max);
        buf_append_span(&call->streamed, buf_span(&piece));
        max = max * 2 < stream_piece_bytes_max ? max * 2 : stream_piece_bytes_max;
    }
    PP_ASSERT(call->streamed.len == reply->stream_bytes);
    buf_release(&piece);
}

static void on_send(struct exchange *exchange)
{
    struct bench_call *call = PP_CONTAINER_OF(exchange, struct bench_call, exchange);
    call->sent = true;
    call->status = exchange->reply.status;
    call->body = buf_cstr(&exchange->reply.body);
    if (exchange->reply.stream != NULL) {
        take_stream(call);
        call->body = buf_cstr(&call->streamed);
    }
    call->content_type = exchange->reply.content_type;
    call->hint = exchange->reply.hint;
    exchange_sent(exchange);
}

static void on_finished(struct exchange *exchange)
{
    (void)exchange;
}

static const struct exchange_owner owner = {.send = on_send, .finished = on_finished};

struct bench_call *bench_begin_in_turn(struct bench *bench, const char *method_target,
                                       const char *accept, const char *body)
{
    struct bench_call *call = calloc(1, sizeof(*call));
    PP_ASSERT(call != NULL);
    struct exchange *exchange = &call->exchange;
    PP_ASSERT(exchange_init(exchange, &bench->turn, &owner) == STATUS_OK);
    exchange_reset(exchange, kafka_rest_service(bench->rest));
    call->target = strdup(method_target);
    call->next = bench->calls;
    bench->calls = call;
    struct span target = span_from_cstr(call->target);
    struct span method;
    struct http_request *request = &exchange->request;
    span_next_part(&target, ' ', &method);
    asked_target(request, method, target);
    request->headers = call->headers;
    request->host = SPAN_LIT("localhost:8082");
    request->headers[request->header_count++] =
        (struct http_header){SPAN_LIT("Host"), request->host};
    if (accept != NULL) {
        request->headers[request->header_count++] =
            (struct http_header){SPAN_LIT("Accept"), span_from_cstr(accept)};
    }
    if (bench->content_type != NULL) {
        request->headers[request->header_count++] =
            (struct http_header){SPAN_LIT("Content-Type"), span_from_cstr(bench->content_type)};
    }
    if (body != NULL) {
        request->body = span_from_cstr(body);
    }
    exchange_handle(exchange);
    return call;
}

struct bench_call *bench_begin(struct bench *bench, const char *method_target, const char *accept,
                               const char *body)
{
    struct bench_call *call = bench_begin_in_turn(bench, method_target, accept, body);
    turn_end(&bench->turn);
    return call;
}

void bench_turn(struct bench *bench)
{
    timer_heap_run(&bench->timers);
    turn_end(&bench->turn);
}

void bench_wait(struct bench *bench, struct bench_call *call)
{
    while (!call->sent) {
        int64_t next_us = timer_heap_next_us(&bench->timers);
        int64_t now_us = bench->env.monotonic_us(&bench->env);
        PP_ASSERT(next_us != INT64_MAX);
        if (next_us > now_us) {
            env_advance(&bench->env, next_us - now_us);
        }
        bench_turn(bench);
    }
}

struct bench_call *bench_call(struct bench *bench, const char *method_target, const char *accept,
                              const char *body)
{
    struct bench_call *call = bench_begin(bench, method_target, accept, body);
    bench_wait(bench, call);
    return call;
}

void bench_advance_ms(struct bench *bench, int64_t ms)
{
    int64_t end_us = bench->env.monotonic_us(&bench->env) + ms * 1000;
    for (;;) {
        int64_t next_us = timer_heap_next_us(&bench->timers);
        int64_t now_us = bench->env.monotonic_us(&bench->env);
        if (next_us > end_us) {
            env_advance(&bench->env, end_us - now_us);
            return;
        }
        if (next_us > now_us) {
            env_advance(&bench->env, next_us - now_us);
        }
        bench_turn(bench);
    }
}

void bench_cancel(struct bench *bench, struct bench_call *call)
{
    exchange_cancel(&call->exchange);
    call->exchange.answered = true; /* nobody is there to answer any more */
    turn_end(&bench->turn);
}

void bench_append(struct bench *bench, const char *topic, int32_t partition, const char *key,
                  const char *value)
{
    struct arena texts;
    arena_init(&texts, arena_bytes);
    struct broker_record record = {
        .partition = partition,
        .has_key = key != NULL,
        .key = span_from_cstr(key),
        .has_value = value != NULL,
        .value = span_from_cstr(value),
        .timestamp_ms = -1,
    };
    struct broker_result result = {.error = KAFKA_ERROR_STORAGE};
    struct broker_produce produce = {
        .base = {.arena = &texts},
        .topic = span_from_cstr(topic),
        .records = &record,
        .results = &result,
        .count = 1,
    };
    PP_ASSERT(bench->broker->ops->produce(bench->broker, &produce) == BROKER_DONE);
    PP_ASSERT(result.error == KAFKA_ERROR_NONE);
    arena_release(&texts);
}

void bench_produce(struct bench *bench, const char *topic, int32_t partition, const char *value)
{
    bench_append(bench, topic, partition, NULL, value);
    turn_end(&bench->turn);
}
