/* v3's topics: list, describe, delete, their partitions and configs. */
#include "kafka_rest_v3.h"
#include "topic_configs.h"

#include <stdio.h>
#include <string.h>

/* --- describing --- */

const struct store_topic *v3_topic_of(struct v3_writer *w)
{
    struct span name = w->call->match.captures[1];
    if (!kafka_rest_topic_permitted(w->call, name)) {
        return NULL;
    }
    const struct store_topic *topic = store_topic_find(w->call->rest->options.store, name);
    if (topic == NULL) {
        w->call->exchange->reply.hint = NULL; /* that it is not there matters more */
        kafka_rest_hint_missing_topic(w->call, name);
        kafka_rest_error_known(w->call->exchange, ERROR_TOPIC_PARTITION_UNKNOWN);
    }
    return topic;
}

void v3_append_topic(struct v3_writer *w, struct span name, int64_t replication_factor,
                     int64_t partitions_count)
{
    const char *path = v3_path(w, "/topics/%.*s", SPAN_ARG(name));
    v3_begin(w, "KafkaTopic", path, v3_path(w, "/topic=%.*s", SPAN_ARG(name)));
    v3_string(w, "cluster_id", span_from_cstr(w->cluster_id));
    v3_string(w, "topic_name", name);
    v3_bool(w, "is_internal", false);
    v3_int(w, "replication_factor", replication_factor);
    v3_int(w, "partitions_count", partitions_count);
    v3_link(w, "partitions", v3_path(w, "%s/partitions", path));
    v3_link(w, "configs", v3_path(w, "%s/configs", path));
    v3_link(w, "partition_reassignments", v3_path(w, "%s/partitions/-/reassignment", path));
    v3_name(w, "authorized_operations");
    BUF_APPEND_LIT(w->body, "[]");
    v3_end(w);
}

enum handled kafka_rest_v3_topics(struct kafka_rest_call *call)
{
    struct v3_writer w;
    if (!v3_writer_begin(&w, call)) {
        return HANDLED;
    }
    struct store *store = w.call->rest->options.store;
    v3_list_begin(&w, "KafkaTopicList", "/topics");
    for (size_t i = 0; i < store_topic_count(store); i++) {
        const struct store_topic *topic = store_topic_at(store, i);
        v3_append_topic(&w, topic->name, 1, topic->partition_count);
    }
    v3_list_end(&w);
    return v3_writer_end(&w);
}

enum handled kafka_rest_v3_topic(struct kafka_rest_call *call)
{
    struct v3_writer w;
    if (!v3_writer_begin(&w, call)) {
        return HANDLED;
    }
    const struct store_topic *topic = v3_topic_of(&w);
    if (topic != NULL) {
        v3_append_topic(&w, topic->name, 1, topic->partition_count);
    }
    return v3_writer_end(&w);
}

static void append_partition(struct v3_writer *w, const struct store_topic *topic, int partition)
{
    const char *path = v3_path(w, "/topics/%.*s/partitions/%d", SPAN_ARG(topic->name), partition);
    v3_begin(w, "KafkaPartition", path,
             v3_path(w, "/topic=%.*s/partition=%d", SPAN_ARG(topic->name), partition));
    v3_string(w, "cluster_id", span_from_cstr(w->cluster_id));
    v3_string(w, "topic_name", topic->name);
    v3_int(w, "partition_id", partition);
    v3_link(w, "leader", v3_path(w, "%s/replicas/%d", path, KAFKA_REST_BROKER_ID));
    v3_link(w, "replicas", v3_path(w, "%s/replicas", path));
    v3_link(w, "reassignment", v3_path(w, "%s/reassignment", path));
    v3_end(w);
}

enum handled kafka_rest_v3_partitions(struct kafka_rest_call *call)
{
    struct v3_writer w;
    if (!v3_writer_begin(&w, call)) {
        return HANDLED;
    }
    const struct store_topic *topic = v3_topic_of(&w);
    if (topic != NULL) {
        v3_list_begin(&w, "KafkaPartitionList",
                      v3_path(&w, "/topics/%.*s/partitions", SPAN_ARG(topic->name)));
        for (int32_t i = 0; i < topic->partition_count; i++) {
            append_partition(&w, topic, i);
        }
        v3_list_end(&w);
    }
    return v3_writer_end(&w);
}

enum handled kafka_rest_v3_partition(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct v3_writer w;
    int32_t partition;
    if (!kafka_rest_partition_number(exchange, call->match.captures[2], &partition) ||
        !v3_writer_begin(&w, call)) {
        return HANDLED;
    }
    const struct store_topic *topic = v3_topic_of(&w);
    if (topic != NULL && partition >= 0 && partition < topic->partition_count) {
        append_partition(&w, topic, partition);
    } else if (topic != NULL) {
        kafka_rest_error_known(exchange, ERROR_NOT_FOUND);
    }
    return v3_writer_end(&w);
}

/* --- configs --- */

static void append_synonym(struct v3_writer *w, const char *name, const char *value,
                           const char *source)
{
    char last = w->body->ptr[w->body->len - 1];
    buf_append_cstr(w->body, last == '[' ? "{" : ",{");
    v3_string(w, "name", span_from_cstr(name));
    v3_string(w, "value", span_from_cstr(value));
    v3_string(w, "source", span_from_cstr(source));
    v3_end(w);
}

static void append_config(struct v3_writer *w, struct span topic,
                          const struct topic_config_values *values, size_t index)
{
    const struct topic_config *config = &topic_configs[index];
    const char *source = values->overridden[index] ? "DYNAMIC_TOPIC_CONFIG" : "DEFAULT_CONFIG";
    v3_begin(w, "KafkaTopicConfig",
             v3_path(w, "/topics/%.*s/configs/%s", SPAN_ARG(topic), config->name),
             v3_path(w, "/topic=%.*s/config=%s", SPAN_ARG(topic), config->name));
    v3_string(w, "cluster_id", span_from_cstr(w->cluster_id));
    v3_string(w, "name", span_from_cstr(config->name));
    v3_string(w, "value", span_from_cstr(values->values[index]));
    v3_bool(w, "is_default", !values->overridden[index]);
    v3_bool(w, "is_read_only", false);
    v3_bool(w, "is_sensitive", false);
    v3_string(w, "source", span_from_cstr(source));
    v3_name(w, "synonyms");
    buf_append_byte(w->body, '[');
    if (values->overridden[index]) {
        append_synonym(w, config->name, values->values[index], source);
    }
    if (config->synonym != NULL) {
        append_synonym(w, config->synonym,
                       config->synonym_value != NULL ? config->synonym_value : config->value,
                       "DEFAULT_CONFIG");
    }
    buf_append_byte(w->body, ']');
    v3_string(w, "topic_name", topic);
    v3_end(w);
}

/* One setting, or (name empty) all of them. */
static void append_configs(struct v3_writer *w, const struct store_topic *topic, struct span name)
{
    struct topic_config_values values;
    struct error err = ERROR_NONE;
    const struct topic_config *one = name.len > 0 ? topic_config_find(name) : NULL;
    if (name.len > 0 && one == NULL) {
        kafka_rest_error_known(w->call->exchange, ERROR_NOT_FOUND);
        return;
    }
    if (kafka_rest_configs_read(w->call, topic->name, &values, &err) != STATUS_OK) {
        kafka_rest_error_store(w->call, &err);
        return;
    }
    if (one != NULL) {
        append_config(w, topic->name, &values, (size_t)(one - topic_configs));
        return;
    }
    v3_list_begin(w, "KafkaTopicConfigList",
                  v3_path(w, "/topics/%.*s/configs", SPAN_ARG(topic->name)));
    for (size_t i = 0; i < TOPIC_CONFIG_COUNT; i++) {
        append_config(w, topic->name, &values, i);
    }
    v3_list_end(w);
}

static enum handled answer_configs(void *ctx, struct span name)
{
    struct v3_writer w;
    if (!v3_writer_begin(&w, ctx)) {
        return HANDLED;
    }
    const struct store_topic *topic = v3_topic_of(&w);
    if (topic != NULL) {
        append_configs(&w, topic, name);
    }
    return v3_writer_end(&w);
}

enum handled kafka_rest_v3_configs(struct kafka_rest_call *call)
{
    return answer_configs(call, SPAN_EMPTY);
}

enum handled kafka_rest_v3_config(struct kafka_rest_call *call)
{
    return answer_configs(call, call->match.captures[2]);
}

enum handled kafka_rest_v3_topic_delete(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct v3_writer w;
    struct error err = ERROR_NONE;
    if (!v3_writer_begin(&w, call)) {
        return HANDLED;
    }
    const struct store_topic *topic = v3_topic_of(&w);
    if (topic != NULL) {
        exchange->reply.status = 204;
        exchange->reply.content_type = NULL;
        if (store_topic_delete(w.call->rest->options.store, w.call->match.captures[1], &err) !=
            STATUS_OK) {
            kafka_rest_error_store(w.call, &err);
        }
    }
    return v3_writer_end(&w);
}
