/* One call's way to the broker and back. With a broker that answers at once nothing is parked and a
 * handler's steps run one in another; with one that answers later the exchange waits in between,
 * without a deadline of its own: the gateway and the server's stop have theirs. */
#include "kafka_rest_internal.h"

static void call_broker_done(struct broker_request *request)
{
    struct kafka_rest_call *call = request->ctx;
    if (call->then(call) == HANDLED) {
        exchange_answer(call->exchange);
    }
}

static void call_deadline(struct exchange *exchange, void *state)
{
    (void)exchange;
    (void)state;
    BUG("a call that waits for the broker has no deadline");
}

static void call_cancel(struct exchange *exchange, void *state)
{
    struct kafka_rest_call *call = state;
    (void)exchange;
    broker_cancel(call->rest->options.broker, call->asked);
    if (call->abandon != NULL) {
        call->abandon(call);
    }
}

static const struct park_ops call_park_ops = {call_deadline, call_cancel};

void *kafka_rest_ask(struct kafka_rest_call *call, size_t bytes, kafka_rest_step *then)
{
    struct broker_request *request = arena_alloc(&call->exchange->arena, bytes);
    if (request == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return NULL;
    }
    request->arena = &call->exchange->arena;
    request->done = call_broker_done;
    request->ctx = call;
    call->asked = request;
    call->then = then;
    return request;
}

enum handled kafka_rest_asked(struct kafka_rest_call *call, enum broker_outcome outcome)
{
    if (outcome == BROKER_DONE) {
        return call->then(call);
    }
    exchange_park(call->exchange, INT64_MAX, &call_park_ops, call);
    return PARKED;
}

void kafka_rest_base_url(const struct kafka_rest_call *call, struct buf *out)
{
    const char *advertised = call->rest->options.advertised_url;
    struct span host = call->exchange->request.host;
    if (advertised != NULL) {
        struct span url = span_from_cstr(advertised);
        while (url.len > 0 && url.ptr[url.len - 1] == '/') {
            url.len--;
        }
        buf_append_span(out, url);
        return;
    }
    BUF_APPEND_LIT(out, "http://");
    buf_append_span(out, host.len > 0 ? host : SPAN_LIT("localhost:8082"));
}
