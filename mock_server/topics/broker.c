/* Listeners of a broker, and how a caller takes leave: the same for all brokers. */
#include "broker.h"

void broker_listen(struct broker *broker, struct broker_listener listener)
{
    PP_ASSERT(broker->listener_count < BROKER_LISTENERS_MAX);
    PP_ASSERT(listener.on_append != NULL);
    broker->listeners[broker->listener_count++] = listener;
}

void broker_unlisten(struct broker *broker, const void *ctx)
{
    size_t kept = 0;
    for (size_t i = 0; i < broker->listener_count; i++) {
        if (broker->listeners[i].ctx != ctx) {
            broker->listeners[kept++] = broker->listeners[i];
        }
    }
    broker->listener_count = kept;
}

void broker_tell_append(const struct broker *broker, const struct broker_topic *topic,
                        int32_t partition)
{
    PP_ASSERT(partition >= 0 && partition < topic->partition_count);
    for (size_t i = 0; i < broker->listener_count; i++) {
        broker->listeners[i].on_append(broker->listeners[i].ctx, topic, partition);
    }
}

void broker_cancel(struct broker *broker, struct broker_request *request)
{
    PP_ASSERT(broker->ops->cancel != NULL);
    PP_ASSERT(request->done != NULL); /* else it cannot have been LATER */
    broker->ops->cancel(broker, request);
}

void broker_free(struct broker *broker)
{
    if (broker != NULL) {
        broker->ops->free(broker);
    }
}
