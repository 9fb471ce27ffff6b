/* S3's error answers: <Error> with Code, Message, the error's own elements, RequestId and HostId,
 * no namespace (specs/aws-s3.md section 3). Codes, statuses and words are one table. */
#include "s3_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct s3_known_error {
    const char *code;
    int status;
    const char *message;
};

static const struct s3_known_error errors[S3_ERROR_COUNT] = {
#define X(name, code, status, message) [S3_ERROR_##name] = {code, status, message},
#include "s3_errors.def"
#undef X
};

const char *s3_error_code(enum s3_error_id id)
{
    return errors[id].code;
}

const char *s3_error_message(enum s3_error_id id)
{
    return errors[id].message;
}

static void write_body(struct s3_call *call, enum s3_error_id id, struct span message,
                       const struct s3_error_detail *details)
{
    struct buf *out = &call->exchange->reply.body;
    BUF_APPEND_LIT(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    s3_xml_text(call, "Code", span_from_cstr(errors[id].code));
    s3_xml_text(call, "Message", message);
    for (; details != NULL && details->name != NULL; details++) {
        s3_xml_text(call, details->name, details->value);
    }
    s3_xml_text(call, "RequestId", span_from_cstr(call->request_id));
    s3_xml_text(call, "HostId", span_from_cstr(call->host_id));
    BUF_APPEND_LIT(out, "</Error>");
}

enum handled s3_error_text(struct s3_call *call, enum s3_error_id id, struct span message,
                           const struct s3_error_detail *details)
{
    struct reply *reply = &call->exchange->reply;
    call->failed = true;
    buf_reset(&reply->headers);
    buf_reset(&reply->body);
    reply->stream = NULL;
    reply->stream_bytes = 0;
    reply->status = errors[id].status;
    reply->error_code = errors[id].code;
    reply->content_type = "application/xml";
    s3_identity_headers(call);
    /* A HEAD has no body to say it in: clients show the status. */
    if (call->exchange->request.method != METHOD_HEAD) {
        write_body(call, id, message, details);
    }
    return HANDLED;
}

enum handled s3_error_with(struct s3_call *call, enum s3_error_id id,
                           const struct s3_error_detail *details)
{
    return s3_error_text(call, id, span_from_cstr(errors[id].message), details);
}

enum handled s3_error(struct s3_call *call, enum s3_error_id id)
{
    return s3_error_with(call, id, NULL);
}

enum handled s3_error_too_large(struct s3_call *call, struct span proposed)
{
    struct s3_error_detail details[] = {
        {"ProposedSize", proposed},
        {"MaxSizeAllowed",
         span_from_cstr(arena_printf(&call->exchange->arena, "%llu",
                                     (unsigned long long)S3_OBJECT_BYTES_MAX_GIB << 30))},
        {NULL, SPAN_EMPTY},
    };
    return s3_error_with(call, S3_ERROR_ENTITY_TOO_LARGE, details);
}

enum handled s3_error_store(struct s3_call *call, const struct error *err)
{
    if (err->code == STATUS_BUSY) {
        return s3_error(call, S3_ERROR_SLOW_DOWN);
    }
    LOG_ERRORF(call->s3->options.log, "s3", "%s",
               err->message[0] != '\0' ? err->message : status_text(err->code));
    if (err->code == STATUS_DISK_FULL) {
        s3_hint(call, "nothing was stored: the disk is full");
    }
    return s3_error(call, S3_ERROR_INTERNAL_ERROR);
}

void s3_hint(struct s3_call *call, const char *format, ...)
{
    struct reply *reply = &call->exchange->reply;
    if (reply->hint != NULL) {
        return;
    }
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    reply->hint = arena_copy_cstr(&call->exchange->arena, span_from_cstr(text));
}
