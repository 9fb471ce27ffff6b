/* v3's consumer groups: who is in them. A group is there when it has a member that has joined or a
 * commit. */
#include "kafka_rest_handlers.h"
#include "kafka_rest_v3.h"

static void v3_append_group(struct v3_writer *w, struct span group, size_t members)
{
    const char *path = v3_path(w, "/consumer-groups/%.*s", SPAN_ARG(group));
    v3_begin(w, "KafkaConsumerGroup", path, v3_path(w, "/consumer-group=%.*s", SPAN_ARG(group)));
    json_member_string(&w->json, "cluster_id", w->cluster_id);
    json_member_string(&w->json, "consumer_group_id", group);
    json_member_bool(&w->json, "is_simple", false);
    json_member_string(&w->json, "partition_assignor",
                       members > 0 ? SPAN_LIT("range") : SPAN_EMPTY);
    json_member_string(&w->json, "state", members > 0 ? SPAN_LIT("STABLE") : SPAN_LIT("EMPTY"));
    v3_link(w, "coordinator", v3_path(w, "/brokers/%d", BROKER_ID));
    v3_link(w, "consumers", v3_path(w, "%s/consumers", path));
    v3_link(w, "lag_summary", v3_path(w, "%s/lag-summary", path));
    json_write_end(&w->json);
}

/* --- all groups --- */

static enum handled v3_groups_answer(struct kafka_rest_call *call)
{
    const struct broker_groups *answer = KAFKA_REST_ANSWER(call, broker_groups);
    struct v3_writer w;
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    v3_writer_open(&w, call);
    v3_list_begin(&w, "KafkaConsumerGroupList", "/consumer-groups");
    for (size_t i = 0; i < answer->count; i++) {
        v3_append_group(&w, answer->groups[i].name, answer->groups[i].member_count);
    }
    v3_list_end(&w);
    return v3_writer_end(&w);
}

static enum handled v3_groups_ask(struct kafka_rest_call *call)
{
    struct broker *broker = call->rest->options.broker;
    struct broker_groups *request =
        v3_cluster_is_named(call) ? KAFKA_REST_ASK(call, broker_groups, v3_groups_answer) : NULL;
    if (request == NULL) {
        return HANDLED;
    }
    return kafka_rest_asked(call, broker->ops->groups(broker, request));
}

enum handled kafka_rest_v3_groups(struct kafka_rest_call *call)
{
    return v3_cluster_ask(call, v3_groups_ask);
}

/* --- one group --- */

/* Behind the cluster: the group of the path, when it may be seen. */
static enum handled v3_describe_ask(struct kafka_rest_call *call, kafka_rest_step *then)
{
    struct broker *broker = call->rest->options.broker;
    struct span group = call->match.captures[1];
    if (!v3_cluster_is_named(call) || !kafka_rest_group_permitted(call, group)) {
        return HANDLED;
    }
    struct broker_describe *request = KAFKA_REST_ASK(call, broker_describe, then);
    if (request == NULL) {
        return HANDLED;
    }
    request->group = group;
    return kafka_rest_asked(call, broker->ops->describe(broker, request));
}

static enum handled v3_group_answer(struct kafka_rest_call *call)
{
    const struct broker_describe *answer = KAFKA_REST_ANSWER(call, broker_describe);
    struct v3_writer w;
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    if (!answer->exists) {
        return kafka_rest_error_known(call->exchange, ERROR_NOT_FOUND);
    }
    v3_writer_open(&w, call);
    v3_append_group(&w, answer->group, answer->member_count);
    return v3_writer_end(&w);
}

static enum handled v3_group_ask(struct kafka_rest_call *call)
{
    return v3_describe_ask(call, v3_group_answer);
}

enum handled kafka_rest_v3_group(struct kafka_rest_call *call)
{
    return v3_cluster_ask(call, v3_group_ask);
}

/* --- its consumers --- */

static void v3_append_member(struct v3_writer *w, struct span group,
                             const struct broker_group_member *member)
{
    const char *path = v3_path(w, "/consumer-groups/%.*s/consumers/%.*s", SPAN_ARG(group),
                               SPAN_ARG(member->member_id));
    v3_begin(w, "KafkaConsumer", path,
             v3_path(w, "/consumer-group=%.*s/consumer=%.*s", SPAN_ARG(group),
                     SPAN_ARG(member->member_id)));
    json_member_string(&w->json, "cluster_id", w->cluster_id);
    json_member_string(&w->json, "consumer_group_id", group);
    json_member_string(&w->json, "consumer_id", member->member_id);
    json_member_null(&w->json, "instance_id");
    json_member_string(&w->json, "client_id", member->client_id);
    v3_link(w, "assignments", v3_path(w, "%s/assignments", path));
    json_write_end(&w->json);
}

static enum handled v3_consumers_answer(struct kafka_rest_call *call)
{
    const struct broker_describe *answer = KAFKA_REST_ANSWER(call, broker_describe);
    struct v3_writer w;
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    if (!answer->exists) {
        return kafka_rest_error(call->exchange, 404, 404, "Consumer Group %.*s could not be found.",
                                SPAN_ARG(answer->group));
    }
    v3_writer_open(&w, call);
    v3_list_begin(&w, "KafkaConsumerList",
                  v3_path(&w, "/consumer-groups/%.*s/consumers", SPAN_ARG(answer->group)));
    for (size_t i = 0; i < answer->member_count; i++) {
        v3_append_member(&w, answer->group, &answer->members[i]);
    }
    v3_list_end(&w);
    return v3_writer_end(&w);
}

static enum handled v3_consumers_ask(struct kafka_rest_call *call)
{
    return v3_describe_ask(call, v3_consumers_answer);
}

enum handled kafka_rest_v3_consumers(struct kafka_rest_call *call)
{
    return v3_cluster_ask(call, v3_consumers_ask);
}
