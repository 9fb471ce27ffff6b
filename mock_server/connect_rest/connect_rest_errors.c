#include "connect_rest_internal.h"

#include "json_text.h"

#include <stdarg.h>
#include <stdio.h>

struct buf *connect_rest_reply(struct exchange *exchange, int status)
{
    exchange->reply.status = status;
    exchange->reply.content_type = "application/json";
    return &exchange->reply.body;
}

enum handled connect_rest_error_text(struct exchange *exchange, int status, struct span message)
{
    struct buf *out = connect_rest_reply(exchange, status);
    buf_reset(out);
    buf_printf(out, "{\"error_code\":%d,\"message\":", status);
    json_string_append(out, message);
    BUF_APPEND_LIT(out, "}");
    exchange->reply.error_code = arena_printf(&exchange->arena, "%d", status);
    return HANDLED;
}

enum handled connect_rest_error(struct exchange *exchange, int status, const char *format, ...)
{
    struct buf text;
    va_list args;
    char part[1024];
    va_start(args, format);
    int len = vsnprintf(part, sizeof(part), format, args);
    va_end(args);
    if (len >= 0 && (size_t)len < sizeof(part)) {
        return connect_rest_error_text(exchange, status, span_from(part, (size_t)len));
    }
    /* Only texts that quote the client's own bytes are this long. */
    buf_init(&text, CONNECT_REST_REPLY_BYTES_MAX);
    if (len < 0 || !buf_reserve(&text, (size_t)len + 1)) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    va_start(args, format);
    vsnprintf(text.ptr, (size_t)len + 1, format, args);
    va_end(args);
    connect_rest_error_text(exchange, status, span_from(text.ptr, (size_t)len));
    buf_release(&text);
    return HANDLED;
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

void connect_rest_hint(struct exchange *exchange, const char *format, ...)
{
    char text[512];
    va_list args;
    if (exchange->reply.hint != NULL) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *p = text; *p != '\0'; p++) {
        if (*p < ' ' || *p > '~') {
            *p = '?';
        }
    }
    exchange->reply.hint = arena_copy_cstr(&exchange->arena, span_from_cstr(text));
}
