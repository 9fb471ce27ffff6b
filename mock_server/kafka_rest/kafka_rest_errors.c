/* The proxy's error answers: {"error_code":n,"message":"..."}, always these two fields in this
 * order, in the negotiated type. The answers with fixed words are one table
 * (specs/kafka-rest-v2.md section 2.1). Hints travel beside them, never in them. */
#include "kafka_rest_internal.h"

struct known_error {
    int http_status;
    int code;
    const char *message;
};

static const struct known_error known_errors[ERROR_COUNT] = {
    [ERROR_NOT_FOUND] = {404, 404, "HTTP 404 Not Found"},
    [ERROR_METHOD_NOT_ALLOWED] = {405, 405, "HTTP 405 Method Not Allowed"},
    [ERROR_UNSUPPORTED_MEDIA] = {415, 415, "HTTP 415 Unsupported Media Type"},
    [ERROR_PARTITION_NOT_FOUND] = {404, 40402, "Partition not found."},
    [ERROR_TOPIC_PARTITION_UNKNOWN] = {404, 40403,
                                       "This server does not host this topic-partition."},
    [ERROR_INSTANCE_NOT_FOUND] = {404, 40403, "Consumer instance not found."},
    [ERROR_FORMAT_MISMATCH] = {406, 40601,
                               "The requested embedded data format does not match the deserializer "
                               "for this consumer instance"},
    [ERROR_INSTANCE_EXISTS] = {409, 40902,
                               "Consumer with specified consumer ID already exists in the "
                               "specified consumer group."},
    [ERROR_SUBSCRIPTION_CONFLICT] = {409, 40903,
                                     "Illegal state: Subscription to topics, partitions and "
                                     "pattern are mutually exclusive"},
    [ERROR_INVALID_FORMAT] = {422, 422, "Invalid format type."},
    [ERROR_KEY_SCHEMA_MISSING] = {422, 42201,
                                  "Request includes keys but does not include key schema"},
    [ERROR_VALUE_SCHEMA_MISSING] = {422, 42202,
                                    "Request includes values but does not include value schema"},
    [ERROR_REGISTRY_MISSING] = {422, 42206,
                                "Payload error. Schema Registry must be configured when using "
                                "schemas."},
    [ERROR_SERIALIZER_MISSING] = {422, 42207,
                                  "Error serializing message. Schema Registry not defined, no "
                                  "Schema Registry client available to serialize message."},
    [ERROR_INTERNAL] = {500, 500, "Internal Server Error"},
};

static enum handled error_answer(struct exchange *exchange, int http_status, int code,
                                 struct span message)
{
    const char *type = exchange->reply.content_type;
    return answer_error_code(exchange, http_status, code,
                             type != NULL ? type : kafka_rest_media_type(MEDIA_APPLICATION_JSON),
                             message);
}

enum handled kafka_rest_error(struct exchange *exchange, int http_status, int code,
                              const char *format, ...)
{
    char scratch[ANSWER_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    struct span message = answer_text(exchange, scratch, format, args);
    va_end(args);
    return error_answer(exchange, http_status, code, message);
}

enum handled kafka_rest_error_known(struct exchange *exchange, enum kafka_rest_error_id id)
{
    PP_ASSERT(id < ERROR_COUNT);
    const struct known_error *error = &known_errors[id];
    return error_answer(exchange, error->http_status, error->code, span_from_cstr(error->message));
}

enum handled kafka_rest_error_broker(const struct kafka_rest_call *call,
                                     const struct broker_request *request)
{
    LOG_ERRORF(call->rest->options.log, "rest", "the store failed: %s", request->error.message);
    return kafka_rest_error_known(call->exchange, ERROR_INTERNAL);
}

enum handled kafka_rest_error_null(struct exchange *exchange, const char *where)
{
    answer_hint(exchange, "this request needs a JSON body, but none arrived (or it is null)");
    return kafka_rest_error(exchange, 422, 422, "%s must not be null (was null)", where);
}

enum handled kafka_rest_no_content(struct exchange *exchange)
{
    exchange->reply.status = 204;
    exchange->reply.content_type = NULL;
    return HANDLED;
}

bool kafka_rest_partition_number(struct exchange *exchange, struct span text, int32_t *out)
{
    int64_t number;
    struct span digits = text.len > 1 && text.ptr[0] == '+' ? span_skip(text, 1) : text;
    if (!span_parse_i64(digits, &number) || number < INT32_MIN || number > INT32_MAX) {
        kafka_rest_hint_number(exchange, "the partition in the path");
        kafka_rest_error_known(exchange, ERROR_NOT_FOUND);
        return false;
    }
    *out = (int32_t)number;
    return true;
}
