/* Who may use which topic and group: `--permissions workshop`, which imitates the IAM policy of the
 * workshop's MSK cluster. The verdicts are here, once for all faces; a face has its own words. */
#ifndef PINPIPE_TOPIC_POLICY_H
#define PINPIPE_TOPIC_POLICY_H

#include "span.h"

/* The only group that the workshop's policy allows. */
#define TOPIC_POLICY_GROUP "students"

struct topic_policy {
    bool enforced; /* false: everybody may use everything, and is told what the workshop refuses */
    const char *user_id; /* topics must begin with "<user_id>." */
};

enum topic_verdict {
    TOPIC_PERMITTED,
    TOPIC_PERMITTED_HERE, /* the workshop's AWS would refuse it */
    TOPIC_REFUSED,
};

/* `topic` may be any bytes: it needs not exist nor be a legal name. */
enum topic_verdict topic_policy_topic(const struct topic_policy *policy, struct span topic);
enum topic_verdict topic_policy_group(const struct topic_policy *policy, struct span group);

#endif
