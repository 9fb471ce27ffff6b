/* The proxy's words for what topic_policy.h decides: 403/40301 in Kafka's words, and hints that say
 * what the workshop's AWS would do. */
#include "kafka_rest_internal.h"

void kafka_rest_hint_topic_policy(const struct kafka_rest_call *call, struct span topic)
{
    const struct topic_policy *policy = call->rest->options.policy;
    if (PP_UNLIKELY(topic_policy_topic(policy, topic) != TOPIC_PERMITTED)) {
        answer_hint(call->exchange,
                    "allowed here, but the workshop's AWS refuses topics that do not begin "
                    "with \"%s.\" (serve --permissions workshop imitates that)",
                    policy->user_id);
    }
}

bool kafka_rest_topic_permitted(const struct kafka_rest_call *call, struct span topic)
{
    const struct topic_policy *policy = call->rest->options.policy;
    if (topic_policy_topic(policy, topic) == TOPIC_REFUSED) {
        answer_hint(call->exchange,
                    "the workshop's policy allows only topics that begin with \"%s.\": use "
                    "%s.pin, %s.geo or %s.user, or start the server with --iam-username and "
                    "your own id",
                    policy->user_id, policy->user_id, policy->user_id, policy->user_id);
        kafka_rest_error(call->exchange, 403, 40301, "Not authorized to access topics: [%.*s]",
                         SPAN_ARG(topic));
        return false;
    }
    kafka_rest_hint_topic_policy(call, topic);
    return true;
}

bool kafka_rest_group_permitted(const struct kafka_rest_call *call, struct span group)
{
    switch (topic_policy_group(call->rest->options.policy, group)) {
    case TOPIC_PERMITTED:
        break;
    case TOPIC_PERMITTED_HERE:
        answer_hint(call->exchange,
                    "allowed here, but the workshop's AWS refuses every consumer group but "
                    "\"%s\" (serve --permissions workshop imitates that)",
                    TOPIC_POLICY_GROUP);
        break;
    case TOPIC_REFUSED:
        answer_hint(call->exchange, "the workshop's policy allows only the consumer group \"%s\"",
                    TOPIC_POLICY_GROUP);
        kafka_rest_error(call->exchange, 403, 40301, "Not authorized to access group: %.*s",
                         SPAN_ARG(group));
        return false;
    }
    return true;
}

bool kafka_rest_cluster_permitted(const struct kafka_rest_call *call,
                                  enum topic_cluster_action action)
{
    static const char *const names[] = {
        [TOPIC_CLUSTER_DESCRIBE] = "DescribeCluster",
        [TOPIC_CLUSTER_CREATE] = "CreateTopic",
        [TOPIC_CLUSTER_DELETE] = "DeleteTopic",
    };
    switch (topic_policy_cluster(call->rest->options.policy, action)) {
    case TOPIC_PERMITTED:
        break;
    case TOPIC_PERMITTED_HERE:
        answer_hint(call->exchange, "allowed here, but the workshop's AWS refuses kafka-cluster:%s",
                    names[action]);
        break;
    case TOPIC_REFUSED:
        answer_hint(call->exchange, "the workshop's policy does not allow kafka-cluster:%s",
                    names[action]);
        kafka_rest_error(call->exchange, 403, 40301, "Cluster authorization failed.");
        return false;
    }
    return true;
}
