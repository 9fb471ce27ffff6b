#include "aws_arn.h"
#include "aws_error.h"
#include "msk_internal.h"

static const struct {
    int status;
    const char *type;
} faults[] = {
    [MSK_BAD_REQUEST] = {400, "BadRequestException"},
    [MSK_NOT_FOUND] = {404, "NotFoundException"},
    [MSK_CONFLICT] = {409, "ConflictException"},
    [MSK_TOO_MANY] = {429, "TooManyRequestsException"},
    [MSK_INTERNAL] = {500, "InternalServerErrorException"},
    [MSK_UNAVAILABLE] = {503, "ServiceUnavailableException"},
};

struct buf *msk_reply(struct exchange *exchange)
{
    return answer_begin(exchange, 200, "application/json");
}

/* The member that holds the words is "message"; IAM's own denials write "Message". */
static enum handled answer(struct exchange *exchange, int status, const char *type,
                           const char *message_name, struct span message)
{
    const struct aws_error error = {
        .protocol = AWS_REST_JSON,
        .status = status,
        .code = type,
        .message = message,
        .message_name = message_name,
    };
    buf_reset(&exchange->reply.body);
    aws_error_answer(&exchange->reply, &error);
    return HANDLED;
}

enum handled msk_error(struct exchange *exchange, enum msk_fault fault, const char *format, ...)
{
    char scratch[ANSWER_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    struct span message = answer_text(exchange, scratch, format, args);
    va_end(args);
    return answer(exchange, faults[fault].status, faults[fault].type, "message", message);
}

enum handled msk_error_denied(struct exchange *exchange, const char *type, struct span message)
{
    return answer(exchange, 403, type, "message", message);
}

enum handled msk_error_not_permitted(const struct msk_call *call, const char *kind,
                                     struct span name)
{
    const struct aws_identity *identity = call->msk->options.identity;
    struct arena *arena = &call->exchange->arena;
    const char *user = aws_arn_user(arena, identity);
    const char *message =
        arena_printf(arena,
                     "User: %s is not authorized to perform: " MSK_SERVICE ":%s on resource: "
                     "arn:aws:" MSK_SERVICE ":%s:%s:%s/%.*s/*",
                     user, call->action, identity->region, identity->account, kind, SPAN_ARG(name));
    return answer(call->exchange, 403, "AccessDeniedException", "Message", span_from_cstr(message));
}

enum handled msk_error_store(const struct msk_call *call, const struct error *err)
{
    LOG_ERRORF(call->msk->options.log, "msk", "%s", err->message);
    return msk_error(call->exchange, MSK_INTERNAL, "Internal server error");
}
