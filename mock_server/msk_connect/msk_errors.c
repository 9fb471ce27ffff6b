/* Every refusal: the service's own exceptions, and those of what stands before it. */
#include "aws_error.h"
#include "log.h"
#include "msk_internal.h"

static const struct {
    int status;
    const char *type;
} faults[] = {
    [MSK_BAD_REQUEST] = {400, "BadRequestException"},
    [MSK_NOT_FOUND] = {404, "NotFoundException"},
    [MSK_CONFLICT] = {409, "ConflictException"},
    [MSK_TOO_LONG] = {413, "BadRequestException"},
    [MSK_TOO_MANY] = {429, "TooManyRequestsException"},
    [MSK_INTERNAL] = {500, "InternalServerErrorException"},
    [MSK_UNAVAILABLE] = {503, "ServiceUnavailableException"},
    [MSK_ACCESS_DENIED] = {403, "AccessDeniedException"},
    [MSK_INCOMPLETE_SIGNATURE] = {403, "IncompleteSignatureException"},
    [MSK_INVALID_SIGNATURE] = {403, "InvalidSignatureException"},
    [MSK_MISSING_TOKEN] = {403, "MissingAuthenticationTokenException"},
    [MSK_UNRECOGNIZED_CLIENT] = {403, "UnrecognizedClientException"},
};

bool msk_refuse(struct exchange *exchange, enum msk_fault fault, const char *format, ...)
{
    char scratch[ANSWER_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    const struct aws_error error = {
        .protocol = AWS_REST_JSON,
        .status = faults[fault].status,
        .code = faults[fault].type,
        .message = answer_text(exchange, scratch, format, args),
        /* IAM's own denials are spelled so. */
        .message_name = fault == MSK_ACCESS_DENIED ? "Message" : "message",
    };
    va_end(args);
    buf_reset(&exchange->reply.body);
    aws_error_answer(&exchange->reply, &error);
    return false;
}

bool msk_refuse_store(const struct msk_call *call, const struct error *err)
{
    LOG_ERRORF(call->msk->options.log, "msk", "%s", err->message);
    return msk_refuse(call->exchange, MSK_INTERNAL, "Internal server error");
}

bool msk_refuse_memory(const struct msk_call *call)
{
    exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
    return false;
}
