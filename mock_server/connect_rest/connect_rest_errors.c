#include "connect_rest_internal.h"

static const char json_type[] = "application/json";

struct json_writer connect_rest_reply(const struct connect_rest_call *call, int status)
{
    return json_writer_to(answer_begin(call->exchange, status, json_type));
}

struct span connect_rest_name(const struct connect_rest_call *call)
{
    return call->match.captures[0];
}

bool connect_rest_find(const struct connect_rest_call *call, struct connect_connector_view *view)
{
    return connect_worker_find(call->rest->options.worker, connect_rest_name(call), view);
}

enum handled connect_rest_error_text(struct exchange *exchange, int status, struct span message)
{
    return answer_error_code(exchange, status, status, json_type, message);
}

enum handled connect_rest_error(struct exchange *exchange, int status, const char *format, ...)
{
    char scratch[ANSWER_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    struct span message = answer_text(exchange, scratch, format, args);
    va_end(args);
    return connect_rest_error_text(exchange, status, message);
}

enum handled connect_rest_error_routing(struct exchange *exchange, int status)
{
    connect_rest_error(exchange, status, "HTTP %d %s", status, http_status_reason(status));
    exchange->reply.content_type = NULL;
    return HANDLED;
}

enum handled connect_rest_error_internal(const struct connect_rest_call *call,
                                         const struct error *err)
{
    LOG_ERRORF(call->rest->options.log, "connect", "%s", err->message);
    return connect_rest_error(call->exchange, 500, "Request timed out");
}

enum handled connect_rest_not_found(const struct connect_rest_call *call)
{
    return connect_rest_error(call->exchange, 404, "Connector %.*s not found",
                              SPAN_ARG(connect_rest_name(call)));
}
