/* v3's topics: list, describe, delete, their partitions and configs. */
#include "kafka_rest_handlers.h"
#include "kafka_rest_v3.h"
#include "topic_configs.h"

/* --- describing --- */

void v3_append_topic(struct v3_writer *w, struct span name, int64_t replication_factor,
                     int64_t partitions_count)
{
    const char *path = v3_path(w, "/topics/%.*s", SPAN_ARG(name));
    v3_begin(w, "KafkaTopic", path, v3_path(w, "/topic=%.*s", SPAN_ARG(name)));
    json_member_string(&w->json, "cluster_id", w->cluster_id);
    json_member_string(&w->json, "topic_name", name);
    json_member_bool(&w->json, "is_internal", false);
    json_member_i64(&w->json, "replication_factor", replication_factor);
    json_member_i64(&w->json, "partitions_count", partitions_count);
    v3_link(w, "partitions", v3_path(w, "%s/partitions", path));
    v3_link(w, "configs", v3_path(w, "%s/configs", path));
    v3_link(w, "partition_reassignments", v3_path(w, "%s/partitions/-/reassignment", path));
    json_member_array(&w->json, "authorized_operations");
    json_write_end(&w->json);
    json_write_end(&w->json);
}

static enum handled v3_topics_answer(struct kafka_rest_call *call)
{
    const struct broker_metadata *answer = KAFKA_REST_ANSWER(call, broker_metadata);
    struct v3_writer w;
    if (!v3_cluster_is_named(call)) {
        return HANDLED;
    }
    v3_writer_open(&w, call);
    v3_list_begin(&w, "KafkaTopicList", "/topics");
    for (size_t i = 0; i < answer->topic_count; i++) {
        v3_append_topic(&w, answer->topics[i].name, 1, answer->topics[i].partition_count);
    }
    v3_list_end(&w);
    return v3_writer_end(&w);
}

enum handled kafka_rest_v3_topics(struct kafka_rest_call *call)
{
    struct broker *broker = call->rest->options.broker;
    struct broker_metadata *request = KAFKA_REST_ASK(call, broker_metadata, v3_topics_answer);
    if (request == NULL) {
        return HANDLED;
    }
    request->all = true;
    return kafka_rest_asked(call, broker->ops->metadata(broker, request));
}

static enum handled v3_topic_answer(struct kafka_rest_call *call)
{
    const struct broker_topic *topic = v3_topic_of(call);
    struct v3_writer w;
    if (topic == NULL) {
        return HANDLED;
    }
    v3_writer_open(&w, call);
    v3_append_topic(&w, topic->name, 1, topic->partition_count);
    return v3_writer_end(&w);
}

enum handled kafka_rest_v3_topic(struct kafka_rest_call *call)
{
    return v3_topic_ask(call, v3_topic_answer);
}

static void v3_append_partition(struct v3_writer *w, const struct broker_topic *topic,
                                int partition)
{
    const char *path = v3_path(w, "/topics/%.*s/partitions/%d", SPAN_ARG(topic->name), partition);
    v3_begin(w, "KafkaPartition", path,
             v3_path(w, "/topic=%.*s/partition=%d", SPAN_ARG(topic->name), partition));
    json_member_string(&w->json, "cluster_id", w->cluster_id);
    json_member_string(&w->json, "topic_name", topic->name);
    json_member_i64(&w->json, "partition_id", partition);
    v3_link(w, "leader", v3_path(w, "%s/replicas/%d", path, BROKER_ID));
    v3_link(w, "replicas", v3_path(w, "%s/replicas", path));
    v3_link(w, "reassignment", v3_path(w, "%s/reassignment", path));
    json_write_end(&w->json);
}

static enum handled v3_partitions_answer(struct kafka_rest_call *call)
{
    const struct broker_topic *topic = v3_topic_of(call);
    struct v3_writer w;
    if (topic == NULL) {
        return HANDLED;
    }
    v3_writer_open(&w, call);
    v3_list_begin(&w, "KafkaPartitionList",
                  v3_path(&w, "/topics/%.*s/partitions", SPAN_ARG(topic->name)));
    for (int32_t i = 0; i < topic->partition_count; i++) {
        v3_append_partition(&w, topic, i);
    }
    v3_list_end(&w);
    return v3_writer_end(&w);
}

enum handled kafka_rest_v3_partitions(struct kafka_rest_call *call)
{
    return v3_topic_ask(call, v3_partitions_answer);
}

static enum handled v3_partition_answer(struct kafka_rest_call *call)
{
    const struct broker_topic *topic = v3_topic_of(call);
    struct v3_writer w;
    int32_t partition;
    if (topic == NULL ||
        !kafka_rest_partition_number(call->exchange, call->match.captures[2], &partition)) {
        return HANDLED;
    }
    if (partition < 0 || partition >= topic->partition_count) {
        return kafka_rest_error_known(call->exchange, ERROR_NOT_FOUND);
    }
    v3_writer_open(&w, call);
    v3_append_partition(&w, topic, partition);
    return v3_writer_end(&w);
}

enum handled kafka_rest_v3_partition(struct kafka_rest_call *call)
{
    int32_t partition;
    if (!kafka_rest_partition_number(call->exchange, call->match.captures[2], &partition)) {
        return HANDLED;
    }
    return v3_topic_ask(call, v3_partition_answer);
}

/* --- configs --- */

static void v3_append_synonym(struct v3_writer *w, const char *name, const char *value,
                              const char *source)
{
    json_write_object(&w->json);
    json_member_cstr(&w->json, "name", name);
    json_member_cstr(&w->json, "value", value);
    json_member_cstr(&w->json, "source", source);
    json_write_end(&w->json);
}

static void v3_append_config(struct v3_writer *w, struct span topic,
                             const struct topic_config_values *values, size_t index)
{
    const struct topic_config *config = &topic_configs[index];
    const char *source = values->overridden[index] ? "DYNAMIC_TOPIC_CONFIG" : "DEFAULT_CONFIG";
    v3_begin(w, "KafkaTopicConfig",
             v3_path(w, "/topics/%.*s/configs/%s", SPAN_ARG(topic), config->name),
             v3_path(w, "/topic=%.*s/config=%s", SPAN_ARG(topic), config->name));
    json_member_string(&w->json, "cluster_id", w->cluster_id);
    json_member_cstr(&w->json, "name", config->name);
    json_member_cstr(&w->json, "value", values->values[index]);
    json_member_bool(&w->json, "is_default", !values->overridden[index]);
    json_member_bool(&w->json, "is_read_only", false);
    json_member_bool(&w->json, "is_sensitive", false);
    json_member_cstr(&w->json, "source", source);
    json_member_array(&w->json, "synonyms");
    if (values->overridden[index]) {
        v3_append_synonym(w, config->name, values->values[index], source);
    }
    if (config->synonym != NULL) {
        v3_append_synonym(w, config->synonym,
                          config->synonym_value != NULL ? config->synonym_value : config->value,
                          "DEFAULT_CONFIG");
    }
    json_write_end(&w->json);
    json_member_string(&w->json, "topic_name", topic);
    json_write_end(&w->json);
}

/* What the configs' steps know of each other. */
struct configs_call {
    struct span topic;
    struct span name; /* empty: all settings */
};

static enum handled v3_configs_answer(struct kafka_rest_call *call)
{
    const struct broker_configs *answer = KAFKA_REST_ANSWER(call, broker_configs);
    const struct configs_call *configs = call->state;
    struct v3_writer w;
    if (answer->base.status == STATUS_NOT_FOUND) { /* deleted since the step before */
        return kafka_rest_error_known(call->exchange, ERROR_TOPIC_PARTITION_UNKNOWN);
    }
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    v3_writer_open(&w, call);
    if (configs->name.len > 0) {
        v3_append_config(&w, configs->topic, answer->values,
                         (size_t)(topic_config_find(configs->name) - topic_configs));
        return v3_writer_end(&w);
    }
    v3_list_begin(&w, "KafkaTopicConfigList",
                  v3_path(&w, "/topics/%.*s/configs", SPAN_ARG(configs->topic)));
    for (size_t i = 0; i < TOPIC_CONFIG_COUNT; i++) {
        v3_append_config(&w, configs->topic, answer->values, i);
    }
    v3_list_end(&w);
    return v3_writer_end(&w);
}

static enum handled v3_configs_ask(struct kafka_rest_call *call)
{
    struct broker *broker = call->rest->options.broker;
    struct arena *arena = &call->exchange->arena;
    const struct broker_topic *topic = v3_topic_of(call);
    if (topic == NULL) {
        return HANDLED;
    }
    struct broker_configs *request = KAFKA_REST_ASK(call, broker_configs, v3_configs_answer);
    struct configs_call *configs = ARENA_NEW(arena, struct configs_call);
    struct topic_config_values *values = ARENA_NEW(arena, struct topic_config_values);
    if (request == NULL || configs == NULL || values == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    bool all = call->match.capture_count < 3;
    *configs = (struct configs_call){topic->name, all ? SPAN_EMPTY : call->match.captures[2]};
    if (configs->name.len > 0 && topic_config_find(configs->name) == NULL) {
        return kafka_rest_error_known(call->exchange, ERROR_NOT_FOUND);
    }
    call->state = configs;
    request->topic = topic->name;
    request->values = values;
    return kafka_rest_asked(call, broker->ops->configs(broker, request));
}

enum handled kafka_rest_v3_configs(struct kafka_rest_call *call)
{
    return v3_topic_ask(call, v3_configs_ask);
}

/* --- deleting --- */

static enum handled v3_delete_answer(struct kafka_rest_call *call)
{
    const struct broker_delete *answer = KAFKA_REST_ANSWER(call, broker_delete);
    kafka_rest_no_content(call->exchange);
    if (answer->base.status != STATUS_OK) {
        kafka_rest_error_broker(call, &answer->base);
    }
    return HANDLED;
}

static enum handled v3_delete_ask(struct kafka_rest_call *call)
{
    struct broker *broker = call->rest->options.broker;
    const struct broker_topic *topic = v3_topic_of(call);
    bool permitted = topic != NULL && kafka_rest_cluster_permitted(call, TOPIC_CLUSTER_DELETE);
    struct broker_delete *request =
        permitted ? KAFKA_REST_ASK(call, broker_delete, v3_delete_answer) : NULL;
    if (request == NULL) {
        return HANDLED;
    }
    request->topic = topic->name;
    return kafka_rest_asked(call, broker->ops->delete (broker, request));
}

enum handled kafka_rest_v3_topic_delete(struct kafka_rest_call *call)
{
    return v3_topic_ask(call, v3_delete_ask);
}
