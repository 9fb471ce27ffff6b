#include "answer.h"

#include "json_write.h"

#include <stdio.h>

enum { hint_bytes = 512 };

void answer_hint(struct exchange *exchange, const char *format, ...)
{
    char text[hint_bytes];
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

struct buf *answer_begin(struct exchange *exchange, int status, const char *content_type)
{
    struct reply *reply = &exchange->reply;
    buf_reset(&reply->body);
    reply->status = status;
    reply->content_type = content_type;
    return &reply->body;
}

struct span answer_text(struct exchange *exchange, char scratch[ANSWER_TEXT_BYTES],
                        const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(scratch, ANSWER_TEXT_BYTES, format, args);
    PP_ASSERT(len >= 0);
    char *whole = len >= ANSWER_TEXT_BYTES ? arena_alloc(&exchange->arena, (size_t)len + 1) : NULL;
    if (whole != NULL) {
        vsnprintf(whole, (size_t)len + 1, format, again);
    }
    va_end(again);
    return whole != NULL ? span_from(whole, (size_t)len) : span_from_cstr(scratch);
}

enum handled answer_error_code(struct exchange *exchange, int status, int code,
                               const char *content_type, struct span message)
{
    struct buf *out = answer_begin(exchange, status, content_type);
    struct json_writer w = json_writer_to(out);
    json_write_object(&w);
    json_member_i64(&w, "error_code", code);
    json_member_string(&w, "message", message);
    json_write_end(&w);
    exchange->reply.error_code = arena_printf(&exchange->arena, "%d", code);
    return HANDLED;
}
