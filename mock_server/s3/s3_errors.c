/* S3's error answers: <Error> with Code, Message, the error's own elements, RequestId and HostId,
 * no namespace (specs/aws-s3.md section 3). Codes, statuses and words are one table. */
#include "s3_errors.h"

#include "answer.h"
#include "log.h"
#include "s3_call.h"

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

enum handled s3_error_text(struct s3_call *call, enum s3_error_id id, struct span message,
                           const struct aws_error_detail *details)
{
    struct reply *reply = &call->exchange->reply;
    call->failed = true;
    buf_reset(&reply->headers);
    buf_reset(&reply->body);
    reply->stream = NULL;
    reply->stream_bytes = 0;
    s3_identity_headers(&call->identity, reply);
    const struct aws_error error = {
        .protocol = AWS_REST_XML,
        .status = errors[id].status,
        .code = errors[id].code,
        .message = message,
        .details = details,
        .request_id = call->identity.request_id,
        .host_id = call->identity.host_id,
        /* The answer to a HEAD has no body: clients show its status. */
        .no_body = call->exchange->request.method == METHOD_HEAD,
    };
    aws_error_answer(reply, &error);
    return HANDLED;
}

enum handled s3_error_with(struct s3_call *call, enum s3_error_id id,
                           const struct aws_error_detail *details)
{
    return s3_error_text(call, id, span_from_cstr(errors[id].message), details);
}

enum handled s3_error(struct s3_call *call, enum s3_error_id id)
{
    return s3_error_with(call, id, NULL);
}

enum handled s3_invalid_argument(struct s3_call *call, const char *message, const char *name,
                                 struct span value)
{
    const struct aws_error_detail details[] = {
        {"ArgumentName", span_from_cstr(name)}, {"ArgumentValue", value}, {NULL, SPAN_EMPTY}};
    return s3_error_text(call, S3_ERROR_INVALID_ARGUMENT, span_from_cstr(message), details);
}

enum handled s3_error_too_large(struct s3_call *call, struct span proposed)
{
    struct aws_error_detail details[] = {
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
        answer_hint(call->exchange, "nothing was stored: the disk is full");
    }
    return s3_error(call, S3_ERROR_INTERNAL_ERROR);
}
