/* POST /consumers/{group} and DELETE of an instance (specs/kafka-rest-v2.md sections 1.3, 3.1). */
#include "kafka_rest_consumer.h"
#include "kafka_rest_handlers.h"

#include <stdio.h>

/* --- POST /consumers/{group} ------------------------------------------------------------------ */

static const struct {
    const char *name;
    enum kafka_rest_media media;
} formats[] = {
    {"binary", MEDIA_BINARY},         {"json", MEDIA_JSON},         {"avro", MEDIA_AVRO},
    {"jsonschema", MEDIA_JSONSCHEMA}, {"protobuf", MEDIA_PROTOBUF},
};

static enum kafka_rest_media create_format(const struct kafka_rest_string *format)
{
    if (!format->present) {
        return MEDIA_BINARY;
    }
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        if (span_equal_nocase(format->text, span_from_cstr(formats[i].name))) {
            return formats[i].media;
        }
    }
    return MEDIA_NONE;
}

/* Java's ConfigDef: blanks round a boolean do not matter, nor does its case. */
static bool create_auto_commit(const struct kafka_rest_string *text, bool *out)
{
    struct span word = span_trim(text->text);
    *out = !text->present || span_equal_nocase(word, SPAN_LIT("true"));
    return *out || span_equal_nocase(word, SPAN_LIT("false"));
}

static bool create_reset(const struct kafka_rest_string *text, enum group_reset *out)
{
    static const struct {
        const char *word;
        enum group_reset reset;
    } words[] = {
        {"latest", GROUP_RESET_LATEST},
        {"earliest", GROUP_RESET_EARLIEST},
        {"none", GROUP_RESET_NONE},
    };
    *out = GROUP_RESET_LATEST;
    if (!text->present) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (span_equal_cstr(text->text, words[i].word)) {
            *out = words[i].reset;
            return true;
        }
    }
    return false;
}

static bool create_refuse_fetch_min(struct exchange *exchange, int64_t value)
{
    bool low = value < -1;
    kafka_rest_error(exchange, 422, 40001,
                     "Invalid consumer configuration. It does not abide by the constraints: "
                     "Invalid value %lld for configuration fetch.min.bytes: Value must be %s %d",
                     (long long)value, low ? "at least" : "no more than",
                     low ? -1 : CONSUMER_FETCH_MIN_MAX);
    return false;
}

/* In the order in which Kafka's client and then the proxy look at them. */
static bool create_check_settings(struct exchange *exchange,
                                  const struct consumer_create_body *body,
                                  struct consumer_settings *settings)
{
    static const char refused[] = "Invalid consumer configuration: Invalid value %.*s for "
                                  "configuration %s: %s";
    if (!create_auto_commit(&body->auto_commit_enable, &settings->auto_commit)) {
        kafka_rest_error(exchange, 422, 42204, refused, SPAN_ARG(body->auto_commit_enable.text),
                         "enable.auto.commit", "Expected value to be either true or false");
        return false;
    }
    if (!create_reset(&body->auto_offset_reset, &settings->reset)) {
        answer_hint(exchange, "auto.offset.reset is earliest (from the topic's start), latest "
                              "(what comes from now on) or none");
        kafka_rest_error(exchange, 422, 42204, refused, SPAN_ARG(body->auto_offset_reset.text),
                         "auto.offset.reset", "String must be one of: latest, earliest, none");
        return false;
    }
    settings->fetch_min_bytes = body->fetch_min_bytes.present ? body->fetch_min_bytes.value : -1;
    settings->wait_ms = body->wait_ms.present ? body->wait_ms.value : CONSUMER_SERVER_WAIT_MS;
    if (settings->fetch_min_bytes < -1 || settings->fetch_min_bytes > CONSUMER_FETCH_MIN_MAX) {
        return create_refuse_fetch_min(exchange, settings->fetch_min_bytes);
    }
    return true;
}

/* DIFFERS: group and instance names have at most 255 bytes, and there are at most 10000 instances;
 * the real proxy has no such limits. */
static bool create_check_limits(struct kafka_rest_call *call, struct span group, struct span name)
{
    if (group.len > CONSUMER_GROUP_BYTES_MAX || name.len > CONSUMER_NAME_BYTES_MAX) {
        kafka_rest_error(call->exchange, 422, 422,
                         "A consumer group's name may have %d bytes, an instance's name %d",
                         CONSUMER_GROUP_BYTES_MAX, CONSUMER_NAME_BYTES_MAX);
        return false;
    }
    if (call->rest->consumers->count >= CONSUMER_INSTANCES_MAX) {
        answer_hint(call->exchange, "DELETE instances that are done with; silent ones expire "
                                    "after five minutes");
        kafka_rest_error(call->exchange, 503, 503,
                         "%d consumer instances exist, the most there may be",
                         CONSUMER_INSTANCES_MAX);
        return false;
    }
    return true;
}

static void create_hint(struct kafka_rest_call *call, struct span group)
{
    bool is_private =
        span_starts_with(call->exchange->request.host, SPAN_LIT("ec2-kafka-rest.internal"));
    /* No Kafka traffic yet, so nothing is refused yet either. */
    bool is_foreign = !span_equal_cstr(group, TOPIC_POLICY_GROUP);
    if (is_private || is_foreign) {
        answer_hint(call->exchange, "%s%s%s",
                    is_foreign ? "the workshop's AWS refuses reads and commits of every group but "
                                 "\"" TOPIC_POLICY_GROUP "\""
                               : "",
                    is_foreign && is_private ? "; " : "",
                    is_private
                        ? "base_uri names the proxy's private host, as on AWS: build the URL from "
                          "the invoke URL, the group and instance_id instead"
                        : "");
    }
}

static enum handled consumer_create_answer(struct kafka_rest_call *call,
                                           const struct consumer_settings *settings)
{
    struct exchange *exchange = call->exchange;
    struct span group = call->match.captures[0];
    struct buf base_url;
    struct consumer *consumer;
    switch ((int)consumer_new(call, group, settings, &consumer)) {
    case STATUS_OK:
        break;
    case STATUS_LIMIT:
        consumer_refuse_pairs(exchange);
        return HANDLED;
    default:
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    exchange->reply.status = 200;
    buf_init(&base_url, HTTP_HEAD_BYTES_MAX);
    kafka_rest_base_url(call, &base_url);
    consumer_encode_created(&exchange->reply.body, buf_span(&base_url), group,
                            group_text_span(consumer->name));
    buf_release(&base_url);
    create_hint(call, group);
    return HANDLED;
}

enum handled kafka_rest_consumer_create(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer_create_body body;
    struct consumer_settings settings;
    struct span group = call->match.captures[0];
    if (consumer_decode_create(exchange, &body) == BODY_REFUSED) {
        return HANDLED;
    }
    settings.format = create_format(&body.format);
    if (settings.format == MEDIA_NONE) {
        answer_hint(exchange, "format is binary, json, avro, jsonschema or protobuf");
        return kafka_rest_error_known(exchange, ERROR_INVALID_FORMAT);
    }
    /* The old `id` wins over `name`. DIFFERS: an empty instance name counts as none here; with
     * the real proxy it is an instance without a URL. */
    settings.name = body.id.present     ? body.id.text
                    : body.name.present ? body.name.text
                                        : SPAN_EMPTY;
    if (!create_check_limits(call, group, settings.name)) {
        return HANDLED;
    }
    if (settings.name.len > 0 &&
        consumer_find(call->rest->consumers, group, settings.name) != NULL) {
        answer_hint(exchange, "DELETE the old instance, or leave \"name\" out and use the "
                              "instance_id of the answer");
        return kafka_rest_error_known(exchange, ERROR_INSTANCE_EXISTS);
    }
    if (!create_check_settings(exchange, &body, &settings)) {
        return HANDLED;
    }
    return consumer_create_answer(call, &settings);
}

/* --- DELETE .../instances/{instance} ---------------------------------------------------------- */

static void delete_deadline(struct exchange *exchange, void *state)
{
    (void)exchange;
    (void)state;
    BUG("a delete that waits for the broker has no deadline");
}

static void delete_cancel(struct exchange *exchange, void *state)
{
    struct consumer *consumer = state;
    (void)exchange;
    consumer->deleter = NULL;
}

static const struct park_ops delete_park_ops = {delete_deadline, delete_cancel};

static enum handled delete_instance(struct kafka_rest_call *call)
{
    struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL) {
        return HANDLED;
    }
    if (consumer_close(consumer, call->exchange) == BROKER_DONE) {
        return kafka_rest_no_content(call->exchange);
    }
    exchange_park(call->exchange, INT64_MAX, &delete_park_ops, consumer);
    return PARKED;
}

enum handled kafka_rest_consumer_delete(struct kafka_rest_call *call)
{
    return consumer_turn_take(call, delete_instance);
}
