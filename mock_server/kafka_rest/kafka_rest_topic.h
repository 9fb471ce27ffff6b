/* The topic that a path names (kafka_rest_topic.c). */
#ifndef PINPIPE_KAFKA_REST_TOPIC_H
#define PINPIPE_KAFKA_REST_TOPIC_H

#include "kafka_rest_internal.h"

/* Asks the broker for the cluster and that topic. */
enum handled kafka_rest_topic_ask(struct kafka_rest_call *call, struct span name,
                                  kafka_rest_step *then);
/* In `then`: the topic, permitted and there; NULL: the answer is written. */
const struct broker_topic *kafka_rest_topic_of(struct kafka_rest_call *call);
/* In `then`, when the topic may be missing: says so in a hint. */
void kafka_rest_topic_hint_missing(struct kafka_rest_call *call);

#endif
