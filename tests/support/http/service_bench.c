#include "service_bench.h"

#include "asked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_send(struct exchange *exchange)
{
    struct service_bench *bench = PP_CONTAINER_OF(exchange, struct service_bench, exchange);
    const struct reply *reply = &exchange->reply;
    bench->sent = true;
    bench->status = reply->status;
    bench->body = buf_cstr(&reply->body);
    bench->content_type = reply->content_type != NULL ? reply->content_type : "";
    bench->hint = reply->hint != NULL ? reply->hint : "";
    exchange_sent(exchange);
}

static void on_finished(struct exchange *exchange)
{
    (void)exchange;
}

static const struct exchange_owner owner = {.send = on_send, .finished = on_finished};

void service_bench_init(struct service_bench *bench)
{
    *bench = (struct service_bench){.body = ""};
    env_init_virtual(&bench->env, 1, INT64_C(1700000000000000));
    log_init(&bench->log, &bench->env, stderr, LOG_OFF);
    struct store_options store = {.env = &bench->env, .log = &bench->log};
    PP_ASSERT(store_open(&store, &bench->store, NULL) == STATUS_OK);
    PP_ASSERT(store_topic_create(
                  bench->store,
                  &(struct store_topic_spec){.name = SPAN_LIT("u1.pin"), .partition_count = 1},
                  NULL) == STATUS_OK);
    timer_heap_init(&bench->timers, &bench->env);
    turn_init(&bench->turn, bench->store, &bench->timers, &bench->env, &bench->log);
    struct broker_store_options broker = {.store = bench->store, .env = &bench->env};
    PP_ASSERT(broker_store_new(&broker, &bench->broker) == STATUS_OK);
    PP_ASSERT(crypto_new(&bench->crypto) == STATUS_OK);
    struct connect_worker_options worker = {
        .store = bench->store,
        .crypto = bench->crypto,
        .broker = bench->broker,
        .timers = &bench->timers,
        .budget = &bench->turn.budget,
        .env = &bench->env,
        .log = &bench->log,
    };
    PP_ASSERT(connect_worker_new(&worker, &bench->worker, NULL) == STATUS_OK);
    bench->turn.work = connect_worker_work(bench->worker);
    PP_ASSERT(exchange_init(&bench->exchange, &bench->turn, &owner) == STATUS_OK);
    turn_end(&bench->turn);
}

void service_bench_release(struct service_bench *bench)
{
    exchange_release(&bench->exchange);
    connect_worker_free(bench->worker);
    bench->broker->ops->free(bench->broker);
    crypto_free(bench->crypto);
    store_close(bench->store);
    timer_heap_release(&bench->timers);
    free(bench->request);
}

static void add_header(struct http_request *request, struct span name, struct span value)
{
    PP_ASSERT(request->header_count < SERVICE_BENCH_HEADERS_MAX);
    request->headers[request->header_count++] = (struct http_header){name, value};
}

static void add_headers(struct service_bench *bench, struct http_request *request,
                        struct span lines, const char *body)
{
    struct span line;
    request->headers = bench->headers;
    request->header_count = 0;
    request->host = SPAN_LIT("localhost:8083");
    add_header(request, SPAN_LIT("Host"), request->host);
    if (lines.ptr == NULL && body != NULL) {
        add_header(request, SPAN_LIT("Content-Type"), SPAN_LIT("application/json"));
    }
    while (lines.ptr != NULL && span_next_part(&lines, '\n', &line)) {
        size_t colon = span_find_byte(line, ':');
        add_header(request, span_first(line, colon), span_trim(span_skip(line, colon + 1)));
    }
}

void service_bench_call(struct service_bench *bench, const char *method_target,
                        const char *header_lines, const char *body)
{
    struct http_request *request = &bench->exchange.request;
    size_t size = strlen(method_target) + 1 + (header_lines != NULL ? strlen(header_lines) : 0) + 1;
    free(bench->request);
    bench->request = malloc(size);
    PP_ASSERT(bench->request != NULL);
    snprintf(bench->request, size, "%s%c%s", method_target, '\0',
             header_lines != NULL ? header_lines : "");
    struct span target = span_from_cstr(bench->request);
    struct span method;
    struct span lines = {header_lines != NULL ? bench->request + target.len + 1 : NULL,
                         header_lines != NULL ? strlen(header_lines) : 0};
    exchange_reset(&bench->exchange, bench->service);
    span_next_part(&target, ' ', &method);
    asked_target(request, method, target);
    request->body = span_from_cstr(body);
    add_headers(bench, request, lines, body);
    bench->sent = false;
    exchange_handle(&bench->exchange);
    turn_end(&bench->turn);
    PP_ASSERT(bench->sent);
}

void service_bench_produce(struct service_bench *bench, const char *value)
{
    struct arena texts;
    struct broker_result result = {.error = KAFKA_ERROR_STORAGE};
    struct broker_record record = {
        .partition = -1, .has_value = true, .value = span_from_cstr(value), .timestamp_ms = -1};
    struct broker_produce produce = {.topic = SPAN_LIT("u1.pin"),
                                     .records = &record,
                                     .results = &result,
                                     .count = 1,
                                     .base = {.arena = &texts}};
    arena_init(&texts, 64 * 1024);
    PP_ASSERT(bench->broker->ops->produce(bench->broker, &produce) == BROKER_DONE);
    PP_ASSERT(result.error == KAFKA_ERROR_NONE);
    turn_end(&bench->turn);
    arena_release(&texts);
}

const char *service_bench_header(const struct service_bench *bench, const char *name)
{
    static char value[1024];
    snprintf(value, sizeof(value), "%.*s", SPAN_ARG(asked_reply_header(&bench->exchange, name)));
    return value;
}
