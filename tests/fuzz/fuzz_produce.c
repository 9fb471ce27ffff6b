/* Bodies of a v2 produce. The first byte chooses the embedded format. What is accepted has its keys
 * and values inside the request's buffer and, as JSON, in the form they keep; what is refused has a
 * status and a JSON error. */
#include "kafka_rest_produce_codec.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct service service = {.fail = fail_500};
    struct exchange exchange = {.service = &service};
    struct produce_request request;
    if (size == 0) {
        return 0;
    }
    enum kafka_rest_media format = data[0] == 'B'   ? MEDIA_BINARY
                                   : data[0] == 'A' ? MEDIA_AVRO
                                                    : MEDIA_JSON;
    arena_init(&exchange.arena, arena_bytes_max);
    buf_init(&exchange.reply.body, reply_bytes_max);
    produce_request_init(&request);
    exchange.request.body = span_from((const char *)data + 1, size - 1);
    if (produce_request_decode(&request, &exchange, format, 2)) {
        const struct broker_record *records = produce_request_records(&request);
        for (size_t i = 0; i < request.count; i++) {
            check_field(&request, records[i].has_key, records[i].key);
            check_field(&request, records[i].has_value, records[i].value);
        }
    } else {
        check_refusal(&exchange);
    }
    produce_request_release(&request);
    buf_release(&exchange.reply.body);
    arena_release(&exchange.arena);
    return 0;
}
