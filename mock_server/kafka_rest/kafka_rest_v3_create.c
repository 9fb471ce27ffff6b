/* POST /v3/clusters/{c}/topics. What Kafka refuses is 400/40002 in Kafka's words; the answer tells
 * what was asked for, as 7.2 does (specs/kafka-rest-v2.md section 5). */
#include "kafka_rest_decode.h"
#include "kafka_rest_handlers.h"
#include "kafka_rest_v3.h"
#include "topic_configs.h"
#include "topic_name.h"

#define CREATE_CLASS "io.confluent.kafkarest.entities.v3.CreateTopicRequest"
#define CONFIG_CLASS CREATE_CLASS "$ConfigEntry"
#define CONFIG_LIST  "java.util.ArrayList<" CONFIG_CLASS ">"
#define REPLICA_MAP  "java.util.LinkedHashMap<java.lang.Integer,java.util.List<java.lang.Integer>>"

enum { error_bad_request = 40002, default_partitions = 1, create_configs_max = 64 };

/* --- decode --- */

struct create_config {
    struct kafka_rest_string name;
    struct kafka_rest_string value;
};

struct create_request {
    struct kafka_rest_string topic_name;
    struct kafka_rest_int partitions_count;
    struct kafka_rest_int replication_factor;
    struct create_config configs[create_configs_max];
    size_t config_count;
    size_t assigned_partitions; /* of replicas_assignments; 0: not given */
    bool assigned_elsewhere;    /* to a broker that is not there */
};

static bool create_decode_topic_name(struct kafka_rest_decoder *decoder, void *into)
{
    return kafka_rest_decode_string(decoder, &((struct create_request *)into)->topic_name);
}

static bool create_decode_partitions_count(struct kafka_rest_decoder *decoder, void *into)
{
    return kafka_rest_decode_int(decoder, &((struct create_request *)into)->partitions_count);
}

/* DIFFERS: one broker holds everything here, but up to three replicas may be asked for, as the
 * workshop's MSK cluster has three brokers and scripts name that number. */
enum { replication_factor_max = 3 };

static bool create_decode_replication_factor(struct kafka_rest_decoder *decoder, void *into)
{
    struct kafka_rest_int *factor = &((struct create_request *)into)->replication_factor;
    if (!kafka_rest_decode_int(decoder, factor)) {
        return false;
    }
    if (factor->present && (factor->value < INT16_MIN || factor->value > INT16_MAX)) {
        kafka_rest_error(decoder->exchange, 400, 400,
                         "Numeric value (%lld) out of range of `short` (-32768 - 32767)",
                         (long long)factor->value);
        return false;
    }
    return true;
}

static bool create_decode_config_name(struct kafka_rest_decoder *decoder, void *into)
{
    return kafka_rest_decode_string(decoder, &((struct create_config *)into)->name);
}

static bool create_decode_config_value(struct kafka_rest_decoder *decoder, void *into)
{
    return kafka_rest_decode_string(decoder, &((struct create_config *)into)->value);
}

static bool create_problem(struct kafka_rest_decoder *decoder, const char *class_name,
                           const char *what)
{
    kafka_rest_error(decoder->exchange, 400, 400, "Cannot construct instance of `%s`, problem: %s",
                     class_name, what);
    return false;
}

static bool create_decode_config(struct kafka_rest_decoder *decoder, void *into)
{
    static const struct kafka_rest_field fields[] = {{"name", create_decode_config_name},
                                                     {"value", create_decode_config_value}};
    static const struct kafka_rest_class class = {CONFIG_CLASS, fields, ARRAY_COUNT(fields)};
    struct create_request *request = into;
    struct create_config config = {.name = {.text = SPAN_EMPTY}};
    bool is_null;
    if (!kafka_rest_decode_object(decoder, &class, &config, &is_null)) {
        return false;
    }
    if (is_null || !config.name.present) {
        return is_null ? create_problem(decoder, CREATE_CLASS, "at index 0")
                       : create_problem(decoder, CONFIG_CLASS, "Null name");
    }
    if (request->config_count == create_configs_max) {
        kafka_rest_error(decoder->exchange, 400, error_bad_request,
                         "A topic has at most %d configs here.", create_configs_max);
        return false;
    }
    request->configs[request->config_count++] = config;
    return true;
}

static bool create_decode_configs(struct kafka_rest_decoder *decoder, void *into)
{
    bool is_null;
    ((struct create_request *)into)->config_count = 0;
    return kafka_rest_decode_list(decoder, CONFIG_LIST, create_decode_config, into, &is_null);
}

static bool create_decode_replica(struct kafka_rest_decoder *decoder, void *into)
{
    struct create_request *request = into;
    struct kafka_rest_int broker;
    if (!kafka_rest_decode_int(decoder, &broker)) {
        return false;
    }
    if (!broker.present || broker.value != BROKER_ID) {
        request->assigned_elsewhere = true;
    }
    return true;
}

/* {"0":[1],"1":[1]}: partition to brokers. */
static bool create_decode_assignments(struct kafka_rest_decoder *decoder, void *into)
{
    struct create_request *request = into;
    struct json_error err;
    enum json_kind kind;
    struct span raw;
    bool first = true;
    bool is_null;
    request->assigned_partitions = 0;
    if (!json_peek(&decoder->cursor, &kind, &err)) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    if (kind == JSON_NULL) {
        return json_skip(&decoder->cursor, &raw, &err) || kafka_rest_decode_failed(decoder, &err);
    }
    if (kind != JSON_OBJECT) {
        kafka_rest_error(decoder->exchange, 400, 400,
                         "Cannot deserialize value of type `" REPLICA_MAP "`");
        return false;
    }
    if (!json_enter(&decoder->cursor, JSON_OBJECT, &err)) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    while (json_next_member(&decoder->cursor, &first, &raw, &err)) {
        int64_t key;
        if (!span_parse_i64(span_from(raw.ptr + 1, raw.len - 2), &key)) {
            kafka_rest_error(decoder->exchange, 400, 400,
                             "Cannot deserialize Map key of type `java.lang.Integer` from String "
                             "%.*s: not a valid representation",
                             SPAN_ARG(raw));
            return false;
        }
        request->assigned_partitions++;
        if (!kafka_rest_decode_list(decoder, "java.util.ArrayList<java.lang.Integer>",
                                    create_decode_replica, request, &is_null)) {
            return false;
        }
    }
    return err.message[0] == '\0' || kafka_rest_decode_failed(decoder, &err);
}

static bool create_decode(struct exchange *exchange, struct create_request *request)
{
    static const struct kafka_rest_field fields[] = {
        {"topic_name", create_decode_topic_name},
        {"partitions_count", create_decode_partitions_count},
        {"replication_factor", create_decode_replication_factor},
        {"replicas_assignments", create_decode_assignments},
        {"configs", create_decode_configs},
    };
    static const struct kafka_rest_class class = {CREATE_CLASS, fields, ARRAY_COUNT(fields)};
    *request = (struct create_request){.topic_name = {.text = SPAN_EMPTY}};
    switch (kafka_rest_decode_body(exchange, &class, request)) {
    case BODY_REFUSED:
        return false;
    case BODY_ABSENT:
        kafka_rest_error(exchange, 422, 42206,
                         "Payload error. Null input provided. Data is required.");
        return false;
    case BODY_DECODED:
        break;
    }
    if (!request->topic_name.present) {
        struct kafka_rest_decoder decoder = {.exchange = exchange};
        return create_problem(&decoder, CREATE_CLASS, "Null topicName");
    }
    return true;
}

/* --- act --- */

static bool create_refuse(struct exchange *exchange, const char *message)
{
    kafka_rest_error(exchange, 400, error_bad_request, "%s", message);
    return false;
}

/* Sets *partitions; -1 asks for the default, as in Kafka. */
static bool create_check_counts(struct exchange *exchange, const struct create_request *request,
                                int32_t *partitions)
{
    const struct kafka_rest_int *factor = &request->replication_factor;
    const struct kafka_rest_int *count = &request->partitions_count;
    *partitions = default_partitions;
    if (request->assigned_partitions > 0) {
        if ((count->present && count->value != -1) || (factor->present && factor->value != -1)) {
            return create_refuse(exchange,
                                 "Both numPartitions or replicationFactor and "
                                 "replicasAssignments were set. Both cannot be used at the "
                                 "same time.");
        }
        if (request->assigned_elsewhere ||
            request->assigned_partitions > BROKER_TOPIC_PARTITIONS_MAX) {
            answer_hint(exchange, "this cluster has one broker, %d", BROKER_ID);
            return create_refuse(exchange, "Unknown broker(s) in replica assignment.");
        }
        *partitions = (int32_t)request->assigned_partitions;
        return true;
    }
    if (count->present && count->value != -1) {
        if (count->value <= 0) {
            return create_refuse(exchange, "Number of partitions must be larger than 0.");
        }
        if (count->value > BROKER_TOPIC_PARTITIONS_MAX) {
            return create_refuse(exchange, "A topic has at most 10000 partitions here.");
        }
        *partitions = (int32_t)count->value;
    }
    if (factor->present && factor->value != -1 && factor->value <= 0) {
        return create_refuse(exchange, "Replication factor must be larger than 0.");
    }
    if (factor->present && factor->value > replication_factor_max) {
        answer_hint(exchange, "the workshop's cluster has three brokers: ask for 3 at most");
        kafka_rest_error(exchange, 400, error_bad_request,
                         "Replication factor: %lld larger than available brokers: %d.",
                         (long long)factor->value, replication_factor_max);
        return false;
    }
    return true;
}

/* Checked settings as the broker takes them; *count of them in `out`. */
static bool create_check_configs(struct exchange *exchange, const struct create_request *request,
                                 struct broker_config *out, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < request->config_count; i++) {
        const struct create_config *config = &request->configs[i];
        struct error err = ERROR_NONE;
        if (!config->value.present) {
            continue; /* null: Kafka's default */
        }
        if (topic_config_check(config->name.text, config->value.text, &err) != STATUS_OK) {
            return create_refuse(exchange, err.message);
        }
        out[*count].name = arena_copy_cstr(&exchange->arena, config->name.text);
        out[*count].value = arena_copy_cstr(&exchange->arena, config->value.text);
        if (out[*count].name == NULL || out[*count].value == NULL) {
            exchange_fail(exchange, EXCHANGE_NO_MEMORY);
            return false;
        }
        (*count)++;
    }
    return true;
}

static bool create_check_name(struct exchange *exchange, struct span name)
{
    const char *flaw = topic_name_flaw(name, &exchange->arena);
    return flaw == NULL || create_refuse(exchange, flaw);
}

static enum handled create_answer(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    const struct broker_create *answer = KAFKA_REST_ANSWER(call, broker_create);
    const struct create_request *request = call->state;
    struct v3_writer w;
    switch ((int)answer->base.status) {
    case STATUS_OK:
        break;
    case STATUS_EXISTS:
        return kafka_rest_error(exchange, 400, error_bad_request, "Topic '%.*s' already exists.",
                                SPAN_ARG(answer->topic));
    case STATUS_INVALID:
        create_refuse(exchange, answer->base.error.message);
        return HANDLED;
    default:
        return kafka_rest_error_broker(call, &answer->base);
    }
    v3_writer_open(&w, call);
    /* 7.2 tells what was asked for, and no partitions at all. */
    const struct kafka_rest_int *factor = &request->replication_factor;
    v3_append_topic(&w, answer->topic, factor->present ? factor->value : 0, 0);
    exchange->reply.status = 201;
    buf_reset(&w.scratch);
    buf_append_span(&w.scratch, buf_span(&w.base));
    buf_printf(&w.scratch, "/%.*s/topics/%.*s", SPAN_ARG(w.cluster_id), SPAN_ARG(answer->topic));
    reply_add_header(&exchange->reply, "Location", buf_span(&w.scratch));
    return v3_writer_end(&w);
}

static enum handled create_ask(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct broker *broker = call->rest->options.broker;
    const struct create_request *wanted = call->state;
    struct span name = wanted->topic_name.text;
    int32_t partitions;
    size_t config_count;
    if (!v3_cluster_is_named(call)) {
        return HANDLED;
    }
    struct broker_config *configs =
        arena_alloc_array(&exchange->arena, create_configs_max, sizeof(*configs));
    if (configs == NULL) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    if (!create_check_name(exchange, name) || !kafka_rest_topic_permitted(call, name) ||
        !kafka_rest_cluster_permitted(call, TOPIC_CLUSTER_CREATE) ||
        !create_check_counts(exchange, wanted, &partitions) ||
        !create_check_configs(exchange, wanted, configs, &config_count)) {
        return HANDLED;
    }
    struct broker_create *request = KAFKA_REST_ASK(call, broker_create, create_answer);
    if (request == NULL) {
        return HANDLED;
    }
    request->topic = name;
    request->partition_count = partitions;
    request->configs = configs;
    request->config_count = config_count;
    return kafka_rest_asked(call, broker->ops->create(broker, request));
}

enum handled kafka_rest_v3_topic_create(struct kafka_rest_call *call)
{
    struct create_request *request = ARENA_NEW(&call->exchange->arena, struct create_request);
    if (request == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    call->state = request;
    /* The body is bound before the method that looks for the cluster runs. */
    if (!create_decode(call->exchange, request)) {
        return HANDLED;
    }
    return v3_cluster_ask(call, create_ask);
}
