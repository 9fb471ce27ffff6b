/* GET /brokers, /topics and what is below them (specs/kafka-rest-v2.md section 1.1), and the root.
 * The cluster has one broker; each partition has one replica, there. */
#include "json_write.h"
#include "kafka_rest_decode.h"
#include "kafka_rest_handlers.h"
#include "kafka_rest_topic.h"
#include "topic_configs.h"

static struct json_writer metadata_writer(struct exchange *exchange)
{
    exchange->reply.status = 200;
    return json_writer_to(&exchange->reply.body);
}

enum handled kafka_rest_root(struct kafka_rest_call *call)
{
    struct json_writer w = metadata_writer(call->exchange);
    json_write_object(&w);
    json_write_end(&w);
    return HANDLED;
}

/* The real one binds the body to a map of strings and throws it away. */
static bool root_decode_map(struct kafka_rest_decoder *decoder)
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
    struct kafka_rest_decoder decoder = {.exchange = exchange,
                                         .cursor = json_document(exchange->request.body)};
    if (!json_at_end(&decoder.cursor) && !root_decode_map(&decoder)) {
        return HANDLED;
    }
    return kafka_rest_root(call);
}

enum handled kafka_rest_brokers(struct kafka_rest_call *call)
{
    struct json_writer w = metadata_writer(call->exchange);
    json_write_object(&w);
    json_member_array(&w, "brokers");
    json_write_i64(&w, BROKER_ID);
    json_write_end(&w);
    json_write_end(&w);
    return HANDLED;
}

static enum handled topics_answer(struct kafka_rest_call *call)
{
    const struct broker_metadata *answer = KAFKA_REST_ANSWER(call, broker_metadata);
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    struct json_writer w = metadata_writer(call->exchange);
    json_write_array(&w);
    for (size_t i = 0; i < answer->topic_count; i++) {
        json_write_string(&w, answer->topics[i].name);
    }
    json_write_end(&w);
    return HANDLED;
}

enum handled kafka_rest_topics(struct kafka_rest_call *call)
{
    struct broker *broker = call->rest->options.broker;
    struct broker_metadata *request = KAFKA_REST_ASK(call, broker_metadata, topics_answer);
    if (request == NULL) {
        return HANDLED;
    }
    request->all = true;
    return kafka_rest_asked(call, broker->ops->metadata(broker, request));
}

static void append_partition(struct json_writer *w, int32_t partition)
{
    json_write_object(w);
    json_member_i64(w, "partition", partition);
    json_member_i64(w, "leader", BROKER_ID);
    json_member_array(w, "replicas");
    json_write_object(w);
    json_member_i64(w, "broker", BROKER_ID);
    json_member_bool(w, "leader", true);
    json_member_bool(w, "in_sync", true);
    json_write_end(w);
    json_write_end(w);
    json_write_end(w);
}

static void append_partitions(struct json_writer *w, const struct broker_topic *topic)
{
    json_write_array(w);
    for (int32_t i = 0; i < topic->partition_count; i++) {
        append_partition(w, i);
    }
    json_write_end(w);
}

/* --- /topics/{topic} --- */

static enum handled topic_answer(struct kafka_rest_call *call)
{
    const struct broker_configs *answer = KAFKA_REST_ANSWER(call, broker_configs);
    const struct broker_topic *topic = call->state;
    if (answer->base.status == STATUS_NOT_FOUND) { /* deleted since the step before */
        return kafka_rest_error_known(call->exchange, ERROR_TOPIC_PARTITION_UNKNOWN);
    }
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    struct json_writer w = metadata_writer(call->exchange);
    json_write_object(&w);
    json_member_string(&w, "name", topic->name);
    json_member_object(&w, "configs");
    for (size_t i = 0; i < TOPIC_CONFIG_COUNT; i++) {
        json_member_cstr(&w, topic_configs[i].name, answer->values->values[i]);
    }
    json_write_end(&w);
    json_write_name(&w, "partitions");
    append_partitions(&w, topic);
    json_write_end(&w);
    return HANDLED;
}

static enum handled topic_ask_configs(struct kafka_rest_call *call)
{
    struct broker *broker = call->rest->options.broker;
    const struct broker_topic *topic = kafka_rest_topic_of(call);
    if (topic == NULL) {
        return HANDLED;
    }
    struct broker_configs *request = KAFKA_REST_ASK(call, broker_configs, topic_answer);
    struct topic_config_values *values =
        ARENA_NEW(&call->exchange->arena, struct topic_config_values);
    struct broker_topic *kept = ARENA_NEW(&call->exchange->arena, struct broker_topic);
    if (request == NULL || values == NULL || kept == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    *kept = *topic;
    call->state = kept;
    request->topic = topic->name;
    request->values = values;
    return kafka_rest_asked(call, broker->ops->configs(broker, request));
}

enum handled kafka_rest_topic(struct kafka_rest_call *call)
{
    return kafka_rest_topic_ask(call, call->match.captures[0], topic_ask_configs);
}

/* --- partitions --- */

static enum handled partitions_answer(struct kafka_rest_call *call)
{
    const struct broker_topic *topic = kafka_rest_topic_of(call);
    if (topic != NULL) {
        struct json_writer w = metadata_writer(call->exchange);
        append_partitions(&w, topic);
    }
    return HANDLED;
}

enum handled kafka_rest_partitions(struct kafka_rest_call *call)
{
    return kafka_rest_topic_ask(call, call->match.captures[0], partitions_answer);
}

/* The number of the path has been looked at before anything was asked. */
static enum handled partition_ask(struct kafka_rest_call *call, kafka_rest_step *then)
{
    int32_t partition;
    if (!kafka_rest_partition_number(call->exchange, call->match.captures[1], &partition)) {
        return HANDLED;
    }
    return kafka_rest_topic_ask(call, call->match.captures[0], then);
}

/* The partition of the path; NULL: the answer is written. */
static const struct broker_topic *partition_of(struct kafka_rest_call *call, int32_t *partition)
{
    const struct broker_topic *topic = kafka_rest_topic_of(call);
    if (topic == NULL ||
        !kafka_rest_partition_number(call->exchange, call->match.captures[1], partition)) {
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

static enum handled partition_answer(struct kafka_rest_call *call)
{
    int32_t partition;
    if (partition_of(call, &partition) != NULL) {
        struct json_writer w = metadata_writer(call->exchange);
        append_partition(&w, partition);
    }
    return HANDLED;
}

enum handled kafka_rest_partition(struct kafka_rest_call *call)
{
    return partition_ask(call, partition_answer);
}

static enum handled offsets_answer(struct kafka_rest_call *call)
{
    const struct broker_offsets *answer = KAFKA_REST_ANSWER(call, broker_offsets);
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    if (!answer->offsets[0].is_there || !answer->offsets[1].is_there) {
        return kafka_rest_error_known(call->exchange, ERROR_PARTITION_NOT_FOUND);
    }
    struct json_writer w = metadata_writer(call->exchange);
    json_write_object(&w);
    json_member_i64(&w, "beginning_offset", answer->offsets[0].offset);
    json_member_i64(&w, "end_offset", answer->offsets[1].offset);
    json_write_end(&w);
    return HANDLED;
}

static enum handled offsets_ask(struct kafka_rest_call *call)
{
    struct broker *broker = call->rest->options.broker;
    int32_t partition;
    const struct broker_topic *topic = partition_of(call, &partition);
    if (topic == NULL) {
        return HANDLED;
    }
    struct broker_offsets *request = KAFKA_REST_ASK(call, broker_offsets, offsets_answer);
    struct broker_offset *offsets = arena_alloc_array(&call->exchange->arena, 2, sizeof(*offsets));
    if (request == NULL || offsets == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    offsets[0] = (struct broker_offset){
        .topic = topic->name, .partition = partition, .at = BROKER_OFFSET_EARLIEST};
    offsets[1] = (struct broker_offset){
        .topic = topic->name, .partition = partition, .at = BROKER_OFFSET_LATEST};
    request->offsets = offsets;
    request->count = 2;
    return kafka_rest_asked(call, broker->ops->offsets(broker, request));
}

enum handled kafka_rest_partition_offsets(struct kafka_rest_call *call)
{
    return partition_ask(call, offsets_ask);
}
