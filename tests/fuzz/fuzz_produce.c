/* Bodies of a v2 produce. The first byte chooses the embedded format. What is accepted has its keys
 * and values inside the request's buffer and, as JSON, in the form they keep; what is refused has a
 * status and a JSON error. The same body read in steps is accepted or refused with the same words.
 */
#include "kafka_rest_produce_walk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { arena_bytes_max = 64 * 1024 * 1024, reply_bytes_max = 64 * 1024 * 1024 };

static void fail_500(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    (void)ctx;
    (void)failure;
    exchange->reply.status = 500;
    buf_reset(&exchange->reply.body);
    BUF_APPEND_LIT(&exchange->reply.body, "{}");
}

static void check_field(const struct produce_request *request, bool present, struct span field)
{
    struct json_cursor c = json_cursor_at(field);
    struct json_error err;
    struct buf again;
    if (!present) {
        return;
    }
    if (field.len > 0 && (field.ptr < request->bytes.ptr ||
                          field.ptr + field.len > request->bytes.ptr + request->bytes.len)) {
        abort();
    }
    if (request->format != MEDIA_JSON) {
        return;
    }
    buf_init(&again, reply_bytes_max);
    if (!json_reencode(&c, &again, &err) || !json_at_end(&c) ||
        !span_equal(buf_span(&again), field)) {
        abort();
    }
    buf_release(&again);
}

static void check_refusal(const struct exchange *exchange)
{
    struct json_cursor c = json_cursor_at(buf_span(&exchange->reply.body));
    struct json_error err;
    struct span raw;
    int status = exchange->reply.status;
    if ((status != 400 && status != 413 && status != 422 && status != 500) ||
        !json_skip(&c, &raw, &err) || !json_at_end(&c)) {
        abort();
    }
}

static void exchange_open(struct exchange *exchange, const struct service *service,
                          struct span body)
{
    *exchange = (struct exchange){.service = service};
    arena_init(&exchange->arena, arena_bytes_max);
    buf_init(&exchange->reply.body, reply_bytes_max);
    exchange->request.body = body;
}

static void exchange_close(struct exchange *exchange)
{
    buf_release(&exchange->reply.body);
    arena_release(&exchange->arena);
}

static void check_records(const struct produce_request *request)
{
    const struct broker_record *records = produce_request_records(request);
    for (size_t i = 0; i < request->count; i++) {
        check_field(request, records[i].has_key, records[i].key);
        check_field(request, records[i].has_value, records[i].value);
    }
}

/* `at_once` is what decoding has made of the same body. */
static void check_walk(struct exchange *exchange, const struct exchange *at_once,
                       enum kafka_rest_media format, size_t count)
{
    struct produce_request request;
    struct produce_walk walk;
    enum produce_walked walked = WALK_MORE;
    produce_request_init(&request);
    request.format = format;
    produce_walk_init(&walk, exchange, 2);
    while (walked == WALK_MORE) {
        walked = produce_walk_check(&walk, &request);
    }
    if ((walked == WALK_DONE) != (count > 0) || exchange->reply.status != at_once->reply.status ||
        !span_equal(buf_span(&exchange->reply.body), buf_span(&at_once->reply.body)) ||
        (walked == WALK_DONE && walk.count != count)) {
        abort();
    }
    for (size_t taken = 0; walked == WALK_DONE && taken < count; taken += request.count) {
        if (produce_walk_take(&walk, &request) == WALK_REFUSED || request.count == 0) {
            abort();
        }
        check_records(&request);
    }
    produce_walk_release(&walk);
    produce_request_release(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct service service = {.fail = fail_500};
    struct exchange exchange;
    struct exchange in_steps;
    struct produce_request request;
    if (size == 0) {
        return 0;
    }
    enum kafka_rest_media format = data[0] == 'B'   ? MEDIA_BINARY
                                   : data[0] == 'A' ? MEDIA_AVRO
                                                    : MEDIA_JSON;
    const struct span body = span_from((const char *)data + 1, size - 1);
    exchange_open(&exchange, &service, body);
    exchange_open(&in_steps, &service, body);
    produce_request_init(&request);
    if (produce_request_decode(&request, &exchange, format, 2)) {
        check_records(&request);
        check_walk(&in_steps, &exchange, format, request.count);
    } else if (!request.is_large) {
        check_refusal(&exchange);
        check_walk(&in_steps, &exchange, format, 0);
    }
    produce_request_release(&request);
    exchange_close(&in_steps);
    exchange_close(&exchange);
    return 0;
}
