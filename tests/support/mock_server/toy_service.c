#include "toy_service.h"

#include "broker.h"
#include "exchange.h"
#include "host.h"

#include <stdlib.h>

struct toy {
    const struct host *host;
    struct service service;
};

int toy_services_open;

static enum handled toy_handle(void *ctx, struct exchange *exchange)
{
    struct broker *broker = ((struct toy *)ctx)->host->broker;
    const struct broker_record record = {
        .has_value = true, .value = exchange->request.body, .timestamp_ms = -1};
    struct broker_result result = {0};
    struct broker_produce produce = {.topic = SPAN_LIT("workshop.pin"),
                                     .records = &record,
                                     .results = &result,
                                     .count = 1,
                                     .base = {.arena = &exchange->arena}};
    PP_ASSERT(!span_equal(exchange->request.path, SPAN_LIT("/bug")));
    broker->ops->produce(broker, &produce);
    exchange->reply.status = result.error == KAFKA_ERROR_NONE ? 200 : 500;
    buf_printf(&exchange->reply.body, "kept at %lld", (long long)result.offset);
    return HANDLED;
}

static void toy_fail(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    (void)ctx;
    exchange->reply.status = failure == EXCHANGE_COMMIT_FAILED ? 507 : 500;
    BUF_APPEND_LIT(&exchange->reply.body, "the toy is broken");
}

static enum status toy_open(const struct host *host, void **out, struct error *err)
{
    struct toy *toy = calloc(1, sizeof(*toy));
    if (toy == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    *toy = (struct toy){.host = host,
                        .service = {.name = "toy",
                                    .body_bytes_max = 1024,
                                    .reply_bytes_max = 1024,
                                    .ctx = toy,
                                    .handle = toy_handle,
                                    .fail = toy_fail}};
    *out = toy;
    toy_services_open++;
    return STATUS_OK;
}

static const void *toy_face(void *toy)
{
    return &((struct toy *)toy)->service;
}

static void toy_close(void *toy)
{
    toy_services_open--;
    free(toy);
}

const struct service_row toy_row = {.id = TOY,
                                    .key = "toy_url",
                                    .title = "the toy",
                                    .flag = "--toy",
                                    .protocol = &service_http,
                                    .open = toy_open,
                                    .face = toy_face,
                                    .close = toy_close};
