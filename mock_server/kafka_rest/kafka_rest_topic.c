/* The topic that a path names: whether it may be used, whether it is there, and what may have been
 * meant when it is not. */
#include "kafka_rest_topic.h"

enum handled kafka_rest_topic_ask(struct kafka_rest_call *call, struct span name,
                                  kafka_rest_step *then)
{
    struct broker *broker = call->rest->options.broker;
    struct broker_metadata *request = KAFKA_REST_ASK(call, broker_metadata, then);
    struct span *names = arena_alloc_array(&call->exchange->arena, 2, sizeof(*names));
    if (request == NULL || names == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    names[0] = name;
    names[1] = kafka_rest_topic_meant(call, name);
    request->names = names;
    request->name_count = names[1].len > 0 ? 2 : 1;
    return kafka_rest_asked(call, broker->ops->metadata(broker, request));
}

void kafka_rest_topic_hint_missing(struct kafka_rest_call *call)
{
    const struct broker_metadata *answer = KAFKA_REST_ANSWER(call, broker_metadata);
    bool is_meant = answer->topic_count > 1 && answer->topics[1].id != 0;
    kafka_rest_hint_missing_topic(call, answer->names[0],
                                  is_meant ? answer->topics[1].name : SPAN_EMPTY);
}

const struct broker_topic *kafka_rest_topic_of(struct kafka_rest_call *call)
{
    const struct broker_metadata *answer = KAFKA_REST_ANSWER(call, broker_metadata);
    if (!kafka_rest_topic_permitted(call, answer->names[0])) {
        return NULL;
    }
    if (answer->base.status != STATUS_OK) {
        kafka_rest_error_broker(call, &answer->base);
        return NULL;
    }
    if (answer->topics[0].id == 0) {
        call->exchange->reply.hint = NULL; /* that it is not there matters more */
        kafka_rest_topic_hint_missing(call);
        kafka_rest_error_known(call->exchange, ERROR_TOPIC_PARTITION_UNKNOWN);
        return NULL;
    }
    return &answer->topics[0];
}
