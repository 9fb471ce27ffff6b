/* The gateway's own errors: one table (specs/api-gateway.md section 4), one writer.
 *
 * They carry ids, Date and x-amzn-ErrorType, no remapped headers, no CORS headers: DEFAULT_4XX and
 * DEFAULT_5XX are not customised in the workshop. */
#include "answer.h"
#include "gateway_internal.h"

struct gateway_error {
    int status;
    const char *type; /* x-amzn-ErrorType; NULL: none */
    const char *content_type;
    const char *body;
};

static const char json_type[] = "application/json";

static const struct gateway_error errors[GATEWAY_ERROR_COUNT] = {
    [GATEWAY_ERROR_NO_ROUTE] = {403, "MissingAuthenticationTokenException", json_type,
                                "{\"message\":\"Missing Authentication Token\"}"},
    [GATEWAY_ERROR_FORBIDDEN] = {403, "ForbiddenException", json_type,
                                 "{\"message\":\"Forbidden\"}"},
    [GATEWAY_ERROR_BAD_REQUEST] = {400, "BadRequestException", json_type,
                                   "{\"message\":\"Bad Request\"}"},
    /* DIFFERS: a slow sender gets 408; API Gateway drops its connection without a word. */
    [GATEWAY_ERROR_SENDER_SLOW] = {408, NULL, json_type, "{\"message\":\"Request Timeout\"}"},
    [GATEWAY_ERROR_BODY_TOO_LARGE] = {413, "RequestEntityTooLargeException", json_type,
                                      "{\"message\":\"Request Too Long\"}"},
    [GATEWAY_ERROR_URI_TOO_LONG] = {414, NULL, json_type, "{\"message\":\"Request URI too long\"}"},
    [GATEWAY_ERROR_THROTTLED] = {429, "TooManyRequestsException", json_type,
                                 "{\"message\":\"Too Many Requests\"}"},
    [GATEWAY_ERROR_HEADERS_TOO_LARGE] = {431, NULL, "text/plain",
                                         "Request Header Fields Too Large"},
    /* With a blank behind the colon: recorded as 36 bytes. */
    [GATEWAY_ERROR_INTERNAL] = {500, "InternalServerErrorException", json_type,
                                "{\"message\": \"Internal server error\"}"},
    [GATEWAY_ERROR_UNAVAILABLE] = {503, "ServiceUnavailableException", json_type,
                                   "{\"message\":\"Service Unavailable\"}"},
    [GATEWAY_ERROR_ENDPOINT_TIMED_OUT] = {504, "InternalServerErrorException", json_type,
                                          "{\"message\":\"Endpoint request timed out\"}"},
    [GATEWAY_ERROR_NETWORK] = {504, "InternalServerErrorException", json_type,
                               "{\"message\":\"Network error communicating with endpoint\"}"},
};

enum handled gateway_error_write(struct gateway *gateway, struct exchange *exchange,
                                 enum gateway_error_id id, const char *hint)
{
    const struct gateway_error *error = &errors[id];
    struct reply *reply = &exchange->reply;
    exchange_lose_answer(exchange);
    bool has_own_status = id == GATEWAY_ERROR_NETWORK && gateway->options.refused_status != 0;
    int status = has_own_status ? gateway->options.refused_status : error->status;
    buf_append_cstr(answer_begin(exchange, status, error->content_type), error->body);
    buf_reset(&reply->headers);
    reply->error_code = error->type;
    reply->hint = hint;
    reply->no_date_server = true;
    gateway_add_identity(gateway, reply);
    if (error->type != NULL) {
        reply_add_header_cstr(reply, "x-amzn-ErrorType", error->type);
    }
    exchange->service = &gateway->service;
    exchange->filter = NULL;
    return HANDLED;
}

struct failure_row {
    enum gateway_error_id id;
    const char *hint;
};

static const struct failure_row failures[] = {
    [EXCHANGE_COMMIT_FAILED] = {GATEWAY_ERROR_INTERNAL, NULL},
    [EXCHANGE_BODY_TOO_LARGE] = {GATEWAY_ERROR_BODY_TOO_LARGE,
                                 "API Gateway takes bodies up to 10485760 bytes and the limit "
                                 "cannot be raised: send the records in several requests"},
    [EXCHANGE_HEAD_TOO_LARGE] = {GATEWAY_ERROR_HEADERS_TOO_LARGE,
                                 "API Gateway takes 10240 bytes of header values: send fewer or "
                                 "shorter headers"},
    [EXCHANGE_URI_TOO_LONG] = {GATEWAY_ERROR_URI_TOO_LONG,
                               "API Gateway takes URLs up to 10240 bytes: records belong in the "
                               "body, not in the URL"},
    [EXCHANGE_MALFORMED] = {GATEWAY_ERROR_BAD_REQUEST,
                            "this is not an HTTP/1.1 request; the local gateway speaks http, so an "
                            "https client is not understood: write http:// in the invoke URL"},
    [EXCHANGE_TIMED_OUT] = {GATEWAY_ERROR_SENDER_SLOW,
                            "the request did not arrive in time: is Content-Length larger than "
                            "the body?"},
    [EXCHANGE_OVERLOADED] = {GATEWAY_ERROR_UNAVAILABLE, "a limit of the local server is reached: "
                                                        "keep fewer requests or connections open"},
    [EXCHANGE_STOPPING] = {GATEWAY_ERROR_UNAVAILABLE, NULL},
    [EXCHANGE_NO_MEMORY] = {GATEWAY_ERROR_INTERNAL, NULL},
};

void gateway_fail(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    const struct failure_row *row = &failures[failure];
    gateway_error_write(ctx, exchange, row->id, row->hint);
}
