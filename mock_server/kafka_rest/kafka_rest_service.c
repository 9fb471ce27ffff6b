/* The REST proxy as a service: finds the row of the route tables, checks in the real proxy's order
 * (path, verb, Content-Type, Accept; the handler then checks body and values) and calls the row's
 * handler. What a handler does is in the other kafka_rest_*.c files.
 *
 * Facts: specs/kafka-rest-v2.md section 1.0. Jersey routes there: an unknown path is 404, a known
 * path with another verb 405 with Allow, both as application/json. */
#include "kafka_rest_consumer.h"
#include "kafka_rest_handlers.h"
#include "kafka_rest_produce_steps.h"

#include <stdlib.h>
#include <string.h>

static void rest_on_append(void *ctx, const struct broker_topic *topic, int32_t partition)
{
    struct kafka_rest *rest = ctx;
    kafka_rest_consumers_on_append(rest->consumers, topic, partition);
}

/* --- finding the row --- */

static bool rest_path_is_under(struct span path, struct span root)
{
    return span_starts_with(path, root) && (path.len == root.len || path.ptr[root.len] == '/');
}

static const struct route_table *rest_table_of(struct span path)
{
    if (rest_path_is_under(path, SPAN_LIT("/consumers"))) {
        return &kafka_rest_consumer_routes;
    }
    if (rest_path_is_under(path, SPAN_LIT("/v3"))) {
        return &kafka_rest_v3_routes;
    }
    return &kafka_rest_v2_routes;
}

/* Jersey answers OPTIONS by itself and lists it in Allow; HEAD is served by GET. */
static enum handled rest_answer_wrong_method(struct exchange *exchange, const char *allow)
{
    struct arena *arena = &exchange->arena;
    bool asked = exchange->request.method == METHOD_OPTIONS;
    bool has_get = strstr(allow, "GET") != NULL;
    const char *list = arena_printf(arena, "%s%s,OPTIONS", allow, asked && has_get ? ",HEAD" : "");
    if (list == NULL) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    if (asked) {
        exchange->reply.status = 200;
    } else {
        kafka_rest_hint_method(exchange, allow);
        kafka_rest_error_known(exchange, ERROR_METHOD_NOT_ALLOWED);
    }
    reply_add_header_cstr(&exchange->reply, "Allow", list);
    return HANDLED;
}

static enum handled rest_answer_unsupported(struct exchange *exchange,
                                            enum kafka_rest_profile profile)
{
    exchange->reply.content_type =
        kafka_rest_media_type(kafka_rest_error_media(&exchange->request));
    kafka_rest_hint_unsupported(exchange, profile);
    return kafka_rest_error_known(exchange, ERROR_UNSUPPORTED_MEDIA);
}

/* No body and no Content-Type: nothing the client accepts could be written. */
static enum handled rest_answer_not_acceptable(struct exchange *exchange,
                                               enum kafka_rest_profile profile)
{
    exchange->reply.status = 406;
    exchange->reply.error_code = "406";
    kafka_rest_hint_not_acceptable(exchange, profile);
    return HANDLED;
}

/* Looks that parsing takes: a text is copied as a whole, while members, elements, what is nested
 * and what is escaped are taken apart. */
static size_t parse_looks(struct span body)
{
    size_t parts = 0;
    for (size_t i = 0; i < body.len; i++) {
        char c = body.ptr[i];
        parts += c == ',' || c == '[' || c == '{' || c == '\\';
    }
    return body.len / CONSUMER_LOOK_BYTES + parts / CONSUMER_LOOK_PARTS;
}

/* Of a body that is longer than what is read at once only the beginning is read now. */
static enum handled rest_handle_large(struct kafka_rest_call *call)
{
    struct span now = span_first(call->exchange->request.body, PRODUCE_AT_ONCE_BYTES_MAX);
    consumer_turn_note(call->rest->consumers, parse_looks(now));
    return call->handle(call);
}

static enum handled rest_call_route(struct kafka_rest_call *call,
                                    const struct kafka_rest_route *row)
{
    struct exchange *exchange = call->exchange;
    enum kafka_rest_profile profile = row->profile;
    switch (kafka_rest_negotiate(&exchange->request, profile, call->rest->options.lenient,
                                 &call->media)) {
    case NEGOTIATION_UNSUPPORTED:
        return rest_answer_unsupported(exchange, profile);
    case NEGOTIATION_NOT_ACCEPTABLE:
        return rest_answer_not_acceptable(exchange, profile);
    case NEGOTIATED:
        break;
    }
    exchange->reply.content_type = kafka_rest_media_type(call->media.out);
    if (exchange->request.body.len > KAFKA_REST_LARGE_BODY_BYTES) {
        call->handle = row->handle;
        return consumer_turn_take(call, rest_handle_large);
    }
    return row->handle(call);
}

static enum handled rest_handle(void *ctx, struct exchange *exchange)
{
    struct kafka_rest_call *call = ARENA_NEW(&exchange->arena, struct kafka_rest_call);
    const struct route *route = NULL;
    const char *allow = "";
    if (call == NULL) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    call->rest = ctx;
    call->exchange = exchange;
    switch (
        route_find(rest_table_of(exchange->request.path), exchange, &route, &call->match, &allow)) {
    case ROUTE_FOUND:
        return rest_call_route(call, ROUTE_ROW(route, struct kafka_rest_route));
    case ROUTE_UNKNOWN_PATH:
        kafka_rest_hint_path(exchange);
        return kafka_rest_error_known(exchange, ERROR_NOT_FOUND);
    case ROUTE_WRONG_METHOD:
        return rest_answer_wrong_method(exchange, allow);
    case ROUTE_BAD_ESCAPE:
        /* DIFFERS: a broken %-escape in the path is a 400 in JSON; Jetty answers with a page of
         * HTML. */
        return kafka_rest_error(exchange, 400, 400, "HTTP 400 Bad Request");
    case ROUTE_NO_MEMORY:
        break;
    }
    exchange_fail(exchange, EXCHANGE_NO_MEMORY);
    return HANDLED;
}

/* --- what the server ends by itself --- */

/* DIFFERS: for what the server itself refuses (400 to 505 before any route) Jetty writes HTML or
 * nothing; the proxy's own JSON shape is kept here, so
 * that a client has one kind of error to read. */
static void rest_fail(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    (void)ctx;
    switch (failure) {
    case EXCHANGE_COMMIT_FAILED:
        /* A real broker that cannot write its log reports a retriable error inside a 200. Here
         * nothing of the turn was kept, so nothing may look acknowledged. */
        answer_hint(exchange, "nothing was stored: the log could not be written to the disk");
        kafka_rest_error_known(exchange, ERROR_INTERNAL);
        break;
    case EXCHANGE_NO_MEMORY:
        kafka_rest_error_known(exchange, ERROR_INTERNAL);
        break;
    case EXCHANGE_BODY_TOO_LARGE:
        answer_hint(exchange,
                    "a request body may have %d MiB here (the real proxy has no limit, API "
                    "Gateway allows 10 MB): send fewer records a request",
                    KAFKA_REST_BODY_BYTES_MAX / (1024 * 1024));
        kafka_rest_error(exchange, 413, 413, "HTTP 413 Request Entity Too Large");
        break;
    case EXCHANGE_HEAD_TOO_LARGE:
        kafka_rest_error(exchange, 431, 431, "HTTP 431 Request Header Fields Too Large");
        break;
    case EXCHANGE_URI_TOO_LONG:
        kafka_rest_error(exchange, 414, 414, "HTTP 414 Request-URI Too Long");
        break;
    case EXCHANGE_MALFORMED:
        kafka_rest_error(exchange, 400, 400, "HTTP 400 Bad Request");
        break;
    case EXCHANGE_TIMED_OUT:
        kafka_rest_error(exchange, 408, 408, "HTTP 408 Request Timeout");
        break;
    case EXCHANGE_OVERLOADED:
        kafka_rest_error(exchange, 503, 503, "HTTP 503 Service Unavailable");
        break;
    case EXCHANGE_STOPPING:
        /* A broker that goes away looks like this to clients. */
        kafka_rest_error(exchange, 503, 50302, "The broker is not available.");
        break;
    }
}

static void rest_release(void *ctx, struct exchange *exchange)
{
    (void)ctx;
    produce_steps_release_state(exchange);
}

/* --- life --- */

enum status kafka_rest_new(const struct kafka_rest_options *options, struct kafka_rest **out,
                           struct error *err)
{
    struct kafka_rest *rest = calloc(1, sizeof(*rest));
    if (rest == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "the REST proxy: out of memory");
    }
    rest->options = *options;
    rest->service = (struct service){
        .name = "rest",
        .body_bytes_max = KAFKA_REST_BODY_BYTES_MAX,
        .reply_bytes_max = KAFKA_REST_REPLY_BYTES_MAX,
        .ctx = rest,
        .handle = rest_handle,
        .fail = rest_fail,
        .release = rest_release,
    };
    enum status status = kafka_rest_produces_new(&rest->options, &rest->produces, err);
    if (status == STATUS_OK) {
        status = kafka_rest_consumers_new(rest, &rest->consumers, err);
    }
    if (status != STATUS_OK) {
        kafka_rest_free(rest);
        return status;
    }
    broker_listen(rest->options.broker, (struct broker_listener){rest_on_append, rest});
    *out = rest;
    return STATUS_OK;
}

void kafka_rest_free(struct kafka_rest *rest)
{
    if (rest == NULL) {
        return;
    }
    if (rest->consumers != NULL) {
        broker_unlisten(rest->options.broker, rest);
        kafka_rest_consumers_free(rest->consumers);
    }
    if (rest->produces != NULL) {
        kafka_rest_produces_free(rest->produces, rest->options.broker);
    }
    free(rest);
}

const struct service *kafka_rest_service(struct kafka_rest *rest)
{
    return &rest->service;
}
