/* Connect's REST API as a service: route table, media types, what Jersey answers by itself. What
 * the handlers do is in connect_rest_connectors.c and connect_rest_tasks.c.
 *
 * DIFFERS: the worker's logging levels (/admin/loggers) and the task configurations that workers
 * send each other (POST /connectors/{name}/tasks) are not served. */
#include "connect_rest_internal.h"

#include <stdlib.h>
#include <string.h>

struct connect_rest_route {
    struct route route;
    enum handled (*handle)(const struct connect_rest_call *call);
};

static const struct connect_rest_route routes[] = {
    {{METHOD_GET, "/"}, connect_rest_root},
    {{METHOD_GET, "/connectors"}, connect_rest_list},
    {{METHOD_POST, "/connectors"}, connect_rest_create},
    {{METHOD_GET, "/connectors/{connector}"}, connect_rest_get},
    {{METHOD_DELETE, "/connectors/{connector}"}, connect_rest_delete},
    {{METHOD_GET, "/connectors/{connector}/config"}, connect_rest_get_config},
    {{METHOD_PUT, "/connectors/{connector}/config"}, connect_rest_put_config},
    {{METHOD_GET, "/connectors/{connector}/status"}, connect_rest_status},
    {{METHOD_POST, "/connectors/{connector}/restart"}, connect_rest_restart},
    {{METHOD_PUT, "/connectors/{connector}/pause"}, connect_rest_pause},
    {{METHOD_PUT, "/connectors/{connector}/resume"}, connect_rest_resume},
    {{METHOD_GET, "/connectors/{connector}/tasks"}, connect_rest_tasks},
    {{METHOD_GET, "/connectors/{connector}/tasks-config"}, connect_rest_tasks_config},
    {{METHOD_GET, "/connectors/{connector}/tasks/{task}/status"}, connect_rest_task_status},
    {{METHOD_POST, "/connectors/{connector}/tasks/{task}/restart"}, connect_rest_task_restart},
    {{METHOD_GET, "/connectors/{connector}/topics"}, connect_rest_topics},
    {{METHOD_PUT, "/connectors/{connector}/topics/reset"}, connect_rest_topics_reset},
    {{METHOD_GET, "/connector-plugins"}, connect_rest_plugins},
    {{METHOD_PUT, "/connector-plugins/{class}/config/validate"}, connect_rest_validate},
};
static const struct route_table table = ROUTE_TABLE(routes);

/* --- media types --- */

/* "application/json; charset=utf-8" -> "application/json" */
static struct span jersey_media(struct span value)
{
    return span_trim(span_first(value, span_find_byte(value, ';')));
}

static bool jersey_refuses(struct span range)
{
    size_t semicolon = span_find_byte(range, ';');
    struct span rest = span_skip(range, semicolon + 1);
    struct span parameter;
    double quality;
    while (span_next_part(&rest, ';', &parameter)) {
        parameter = span_trim(parameter);
        if (span_starts_with(parameter, SPAN_LIT("q=")) &&
            span_parse_double(span_skip(parameter, 2), &quality)) {
            return quality <= 0;
        }
    }
    return false;
}

static bool jersey_accepts_json(const struct http_request *request)
{
    struct span rest = http_request_header(request, "accept");
    struct span range;
    if (rest.len == 0) {
        return true;
    }
    while (span_next_part(&rest, ',', &range)) {
        struct span media = jersey_media(range);
        bool fits = span_equal_cstr(media, "*/*") ||
                    span_equal_nocase(media, SPAN_LIT("application/*")) ||
                    span_equal_nocase(media, SPAN_LIT("application/json"));
        if (fits && !jersey_refuses(range)) {
            return true;
        }
    }
    return false;
}

/* Looked at also where there is no body, as Jersey does. */
static bool jersey_sends_json(const struct http_request *request)
{
    struct span media = jersey_media(http_request_header(request, "content-type"));
    if (media.len == 0) {
        return request->body.len == 0;
    }
    return span_equal_nocase(media, SPAN_LIT("application/json"));
}

static enum handled connect_rest_route(const struct connect_rest_call *call,
                                       const struct connect_rest_route *row)
{
    struct exchange *exchange = call->exchange;
    if (!jersey_sends_json(&exchange->request)) {
        answer_hint(exchange, "add -H \"Content-Type: application/json\" (curl -d sends form "
                              "data unless told otherwise)");
        connect_rest_error_routing(exchange, 415);
        if (!http_request_has_header(&exchange->request, "content-type")) {
            exchange->reply.content_type = "application/json"; /* the reader of the body refuses */
        }
        return HANDLED;
    }
    if (!jersey_accepts_json(&exchange->request)) {
        answer_hint(exchange, "Connect answers in application/json only: drop the Accept "
                              "header");
        return connect_rest_error_routing(exchange, 406);
    }
    return row->handle(call);
}

/* --- what Jersey does by itself --- */

/* OPTIONS lists the methods in the body too. */
static enum handled jersey_options(struct exchange *exchange, const char *allow)
{
    static const char *const order[] = {"HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT"};
    struct buf header;
    bool first = true;
    buf_init(&header, 128);
    for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
        bool has = strcmp(order[i], "OPTIONS") == 0 ||
                   strstr(allow, strcmp(order[i], "HEAD") == 0 ? "GET" : order[i]) != NULL;
        if (has) {
            buf_printf(&header, "%s%s", first ? "" : ",", order[i]);
            buf_printf(&exchange->reply.body, "%s%s", first ? "" : ", ", order[i]);
            first = false;
        }
    }
    exchange->reply.status = 200;
    exchange->reply.content_type = "text/plain";
    reply_add_header(&exchange->reply, "Allow", buf_span(&header));
    buf_release(&header);
    return HANDLED;
}

static enum handled jersey_wrong_method(struct exchange *exchange, const char *allow)
{
    if (exchange->request.method == METHOD_OPTIONS) {
        return jersey_options(exchange, allow);
    }
    answer_hint(exchange, "this path takes %s", allow);
    return connect_rest_error_routing(exchange, 405);
}

static enum handled connect_rest_handle(void *ctx, struct exchange *exchange)
{
    struct connect_rest_call *call = ARENA_NEW(&exchange->arena, struct connect_rest_call);
    const struct route *route = NULL;
    const char *allow = "";
    if (call == NULL) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    call->rest = ctx;
    call->exchange = exchange;
    switch (route_find(&table, exchange, &route, &call->match, &allow)) {
    case ROUTE_FOUND:
        return connect_rest_route(call, ROUTE_ROW(route, struct connect_rest_route));
    case ROUTE_UNKNOWN_PATH:
        connect_rest_hint_path(exchange);
        return connect_rest_error_routing(exchange, 404);
    case ROUTE_WRONG_METHOD:
        return jersey_wrong_method(exchange, allow);
    case ROUTE_BAD_ESCAPE:
        /* DIFFERS: a broken %-escape in the path is a 400 in JSON; Jetty answers with HTML. */
        return connect_rest_error(exchange, 400, "HTTP 400 Bad Request");
    case ROUTE_NO_MEMORY:
        break;
    }
    exchange_fail(exchange, EXCHANGE_NO_MEMORY);
    return HANDLED;
}

/* DIFFERS: what the server itself refuses (400 to 503 before any route) keeps Connect's JSON shape;
 * Jetty writes HTML or nothing. */
static void connect_rest_fail(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    static const int statuses[] = {
        [EXCHANGE_COMMIT_FAILED] = 500,  [EXCHANGE_BODY_TOO_LARGE] = 413,
        [EXCHANGE_HEAD_TOO_LARGE] = 431, [EXCHANGE_URI_TOO_LONG] = 414,
        [EXCHANGE_MALFORMED] = 400,      [EXCHANGE_TIMED_OUT] = 408,
        [EXCHANGE_OVERLOADED] = 503,     [EXCHANGE_STOPPING] = 503,
        [EXCHANGE_NO_MEMORY] = 500,
    };
    int status = statuses[failure];
    (void)ctx;
    if (failure == EXCHANGE_COMMIT_FAILED) {
        answer_hint(exchange, "nothing was changed: the disk did not take it");
    } else if (failure == EXCHANGE_BODY_TOO_LARGE) {
        answer_hint(exchange, "a request body may have %d KiB here",
                    CONNECT_REST_BODY_BYTES_MAX / 1024);
    }
    connect_rest_error(exchange, status, "HTTP %d %s", status, http_status_reason(status));
}

/* --- life --- */

enum status connect_rest_new(const struct connect_rest_options *options, struct connect_rest **out,
                             struct error *err)
{
    struct connect_rest *rest = calloc(1, sizeof(*rest));
    if (rest == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "Kafka Connect: out of memory");
    }
    rest->options = *options;
    rest->service = (struct service){
        .name = "connect",
        .body_bytes_max = CONNECT_REST_BODY_BYTES_MAX,
        .reply_bytes_max = CONNECT_REST_REPLY_BYTES_MAX,
        .ctx = rest,
        .handle = connect_rest_handle,
        .fail = connect_rest_fail,
    };
    *out = rest;
    return STATUS_OK;
}

void connect_rest_free(struct connect_rest *rest)
{
    free(rest);
}

const struct service *connect_rest_service(struct connect_rest *rest)
{
    return &rest->service;
}
