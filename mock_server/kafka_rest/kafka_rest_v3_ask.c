/* The first step of every v3 request: the cluster that its path names. */
#include "kafka_rest_topic.h"
#include "kafka_rest_v3.h"

enum handled v3_cluster_ask(struct kafka_rest_call *call, kafka_rest_step *then)
{
    struct broker *broker = call->rest->options.broker;
    struct broker_metadata *request = KAFKA_REST_ASK(call, broker_metadata, then);
    if (request == NULL) {
        return HANDLED;
    }
    return kafka_rest_asked(call, broker->ops->metadata(broker, request));
}

bool v3_cluster_is_named(struct kafka_rest_call *call)
{
    const struct broker_metadata *answer = KAFKA_REST_ANSWER(call, broker_metadata);
    struct span named = call->match.captures[0];
    if (answer->base.status != STATUS_OK) {
        kafka_rest_error_broker(call, &answer->base);
        return false;
    }
    call->cluster_id = answer->cluster_id;
    if (!span_equal(named, answer->cluster_id)) {
        answer_hint(call->exchange, "this cluster's id is %.*s (GET /v3/clusters)",
                    SPAN_ARG(answer->cluster_id));
        kafka_rest_error(call->exchange, 404, 404, "Cluster %.*s cannot be found.",
                         SPAN_ARG(named));
        return false;
    }
    return true;
}

enum handled v3_topic_ask(struct kafka_rest_call *call, kafka_rest_step *then)
{
    return kafka_rest_topic_ask(call, call->match.captures[1], then);
}

const struct broker_topic *v3_topic_of(struct kafka_rest_call *call)
{
    return v3_cluster_is_named(call) ? kafka_rest_topic_of(call) : NULL;
}
