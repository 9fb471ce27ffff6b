/* The workshop's IAM policy: kafka-cluster:* on topics "<user id>.*", on the group "students" and
 * on the cluster. */
#include "topic_policy.h"

static enum topic_verdict verdict_of(const struct topic_policy *policy, bool permitted)
{
    if (PP_LIKELY(permitted)) {
        return TOPIC_PERMITTED;
    }
    return policy->enforced ? TOPIC_REFUSED : TOPIC_PERMITTED_HERE;
}

enum topic_verdict topic_policy_topic(const struct topic_policy *policy, struct span topic)
{
    struct span user = span_from_cstr(policy->user_id);
    return verdict_of(policy, span_starts_with(topic, user) && topic.len > user.len &&
                                  topic.ptr[user.len] == '.');
}

enum topic_verdict topic_policy_group(const struct topic_policy *policy, struct span group)
{
    return verdict_of(policy, span_equal_cstr(group, TOPIC_POLICY_GROUP));
}

enum topic_verdict topic_policy_cluster(const struct topic_policy *policy,
                                        enum topic_cluster_action action)
{
    return verdict_of(policy, (policy->cluster_refused & (1U << action)) == 0);
}
