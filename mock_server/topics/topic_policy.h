/* Who may use which topic and group, and do what to the cluster: `--permissions workshop`, which
 * imitates the IAM policy of the workshop's MSK cluster. The verdicts are here, once for all;
 * whoever calls the broker asks for them before it does (broker.h), and has its own words for a
 * refusal. */
#ifndef PINPIPE_TOPIC_POLICY_H
#define PINPIPE_TOPIC_POLICY_H

#include "span.h"

/* The only group that the workshop's policy allows. */
#define TOPIC_POLICY_GROUP "students"

struct topic_policy {
    bool enforced; /* false: everybody may use everything, and is told what the workshop refuses */
    const char *user_id; /* topics must begin with "<user_id>." */
    /* Bits 1 << enum topic_cluster_action that the policy does not grant; the workshop's grants all
     * three, and leaves it to the topic's name who may create or delete which. */
    unsigned cluster_refused;
};

enum topic_verdict {
    TOPIC_PERMITTED,
    TOPIC_PERMITTED_HERE, /* the workshop's AWS would refuse it */
    TOPIC_REFUSED,
};

/* Actions on the cluster as a whole, as MSK's policies name them: kafka-cluster:DescribeCluster,
 * CreateTopic, DeleteTopic. The last two are judged with the topic's name, too. */
enum topic_cluster_action {
    TOPIC_CLUSTER_DESCRIBE,
    TOPIC_CLUSTER_CREATE,
    TOPIC_CLUSTER_DELETE,
};

/* `topic` may be any bytes: it needs not exist nor be a legal name. */
enum topic_verdict topic_policy_topic(const struct topic_policy *policy, struct span topic);
enum topic_verdict topic_policy_group(const struct topic_policy *policy, struct span group);
enum topic_verdict topic_policy_cluster(const struct topic_policy *policy,
                                        enum topic_cluster_action action);

#endif
