/* GET /brokers, /topics and what is below them (specs/kafka-rest-v2.md section 1.1), and the root.
 * The cluster has one broker; each partition has one replica, there. */
#include "kafka_rest_internal.h"
#include "topic_configs.h"

#include <string.h>

static struct buf *body_of(struct exchange *exchange)
{
    exchange->reply.status = 200;
    return &exchange->reply.body;
}

enum handled kafka_rest_root(struct kafka_rest_call *call)
{
    BUF_APPEND_LIT(body_of(call->exchange), "{}");
    return HANDLED;
}

/* The real one binds the body to a map of strings and throws it away. */
static bool decode_any_map(struct kafka_rest_decoder *decoder)
{
    struct json_error err;
    enum json_kind kind;
    bool first = true;
    struct span key;
    struct kafka_rest_string value;
    if (!json_peek(&decoder->cursor, &kind, &err)) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    if (kind == JSON_NULL) {
        return true;
    }
    if (kind != JSON_OBJECT) {
        kafka_rest_error(decoder->exchange, 400, 400,
                         "Cannot deserialize value of type `java.util.LinkedHashMap"
                         "<java.lang.String,java.lang.String>` from Array value (token "
                         "`JsonToken.START_ARRAY`)");
        return false;
    }
    if (!json_enter(&decoder->cursor, JSON_OBJECT, &err)) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    while (json_next_member(&decoder->cursor, &first, &key, &err)) {
        if (!kafka_rest_decode_string(decoder, &value)) {
            return false;
        }
    }
    return err.message[0] == '\0' || kafka_rest_decode_failed(decoder, &err);
}

enum handled kafka_rest_root_post(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct kafka_rest_decoder decoder = {exchange, json_document(exchange->request.body)};
    if (!json_at_end(&decoder.cursor) && !decode_any_map(&decoder)) {
        return HANDLED;
    }
    return kafka_rest_root(call);
}

enum handled kafka_rest_brokers(struct kafka_rest_call *call)
{
    struct buf *body = body_of(call->exchange);
    BUF_APPEND_LIT(body, "{\"brokers\":[");
    buf_append_i64(body, KAFKA_REST_BROKER_ID);
    BUF_APPEND_LIT(body, "]}");
    return HANDLED;
}

enum handled kafka_rest_topics(struct kafka_rest_call *call)
{
    struct store *store = call->rest->options.store;
    struct buf *body = body_of(call->exchange);
    buf_append_byte(body, '[');
    for (size_t i = 0; i < store_topic_count(store); i++) {
        if (i > 0) {
            buf_append_byte(body, ',');
        }
        json_string_append(body, store_topic_at(store, i)->name);
    }
    buf_append_byte(body, ']');
    return HANDLED;
}

/* The topic of the path, permitted and there; NULL: the answer is written. */
static const struct store_topic *topic_of(const struct kafka_rest_call *call, struct span name)
{
    if (!kafka_rest_topic_permitted(call, name)) {
        return NULL;
    }
    const struct store_topic *topic = store_topic_find(call->rest->options.store, name);
    if (topic == NULL) {
        call->exchange->reply.hint = NULL; /* that it is not there matters more */
        kafka_rest_hint_missing_topic(call, name);
        kafka_rest_error_known(call->exchange, ERROR_TOPIC_PARTITION_UNKNOWN);
    }
    return topic;
}

static void append_partition(struct buf *body, int32_t partition)
{
    buf_printf(body,
               "{\"partition\":%d,\"leader\":%d,\"replicas\":[{\"broker\":%d,\"leader\":true,"
               "\"in_sync\":true}]}",
               (int)partition, KAFKA_REST_BROKER_ID, KAFKA_REST_BROKER_ID);
}

static void append_partitions(struct buf *body, const struct store_topic *topic)
{
    buf_append_byte(body, '[');
    for (int32_t i = 0; i < topic->partition_count; i++) {
        if (i > 0) {
            buf_append_byte(body, ',');
        }
        append_partition(body, i);
    }
    buf_append_byte(body, ']');
}

enum status kafka_rest_configs_read(const struct kafka_rest_call *call, struct span topic,
                                    struct topic_config_values *values, struct error *err)
{
    struct broker *broker = call->rest->options.broker;
    struct broker_configs request = {
        .base.arena = &call->exchange->arena, .topic = topic, .values = values};
    enum broker_outcome outcome = broker->ops->configs(broker, &request);
    PP_ASSERT(outcome == BROKER_DONE);
    *err = request.base.error;
    return request.base.status;
}

enum handled kafka_rest_topic(struct kafka_rest_call *call)
{
    struct topic_config_values configs;
    struct error err = ERROR_NONE;
    const struct store_topic *topic = topic_of(call, call->match.captures[0]);
    if (topic == NULL) {
        return HANDLED;
    }
    if (kafka_rest_configs_read(call, topic->name, &configs, &err) != STATUS_OK) {
        return kafka_rest_error_store(call, &err);
    }
    struct buf *body = body_of(call->exchange);
    BUF_APPEND_LIT(body, "{\"name\":");
    json_string_append(body, topic->name);
    BUF_APPEND_LIT(body, ",\"configs\":{");
    for (size_t i = 0; i < TOPIC_CONFIG_COUNT; i++) {
        if (i > 0) {
            buf_append_byte(body, ',');
        }
        json_string_append(body, span_from_cstr(topic_configs[i].name));
        buf_append_byte(body, ':');
        json_string_append(body, span_from_cstr(configs.values[i]));
    }
    BUF_APPEND_LIT(body, "},\"partitions\":");
    append_partitions(body, topic);
    buf_append_byte(body, '}');
    return HANDLED;
}

enum handled kafka_rest_partitions(struct kafka_rest_call *call)
{
    const struct store_topic *topic = topic_of(call, call->match.captures[0]);
    if (topic != NULL) {
        append_partitions(body_of(call->exchange), topic);
    }
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

/* The partition of the path; NULL: the answer is written. */
static const struct store_topic *partition_of(const struct kafka_rest_call *call,
                                              int32_t *partition)
{
    if (!kafka_rest_partition_number(call->exchange, call->match.captures[1], partition)) {
        return NULL;
    }
    const struct store_topic *topic = topic_of(call, call->match.captures[0]);
    if (topic == NULL) {
        return NULL;
    }
    if (*partition < 0 || *partition >= topic->partition_count) {
        answer_hint(call->exchange, "topic %.*s has %d partition(s), counted from 0",
                    SPAN_ARG(topic->name), (int)topic->partition_count);
        kafka_rest_error_known(call->exchange, ERROR_PARTITION_NOT_FOUND);
        return NULL;
    }
    return topic;
}

enum handled kafka_rest_partition(struct kafka_rest_call *call)
{
    int32_t partition;
    if (partition_of(call, &partition) != NULL) {
        append_partition(body_of(call->exchange), partition);
    }
    return HANDLED;
}

enum handled kafka_rest_partition_offsets(struct kafka_rest_call *call)
{
    int32_t partition;
    const struct store_topic *topic = partition_of(call, &partition);
    if (topic == NULL) {
        return HANDLED;
    }
    struct buf *body = body_of(call->exchange);
    BUF_APPEND_LIT(body, "{\"beginning_offset\":");
    buf_append_i64(body, topic->partitions[partition].first_offset);
    BUF_APPEND_LIT(body, ",\"end_offset\":");
    buf_append_i64(body, topic->partitions[partition].next_offset);
    buf_append_byte(body, '}');
    return HANDLED;
}
