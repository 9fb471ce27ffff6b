#include "connect_partition_internal.h"

#include "connect_worker_internal.h"

#include <stdlib.h>

/* --- queues ----------------------------------------------------------------------------------- */

void connect_queue_add(struct connect_queue *queue, struct connect_partition *partition)
{
    if (partition->queued || partition->writer.retry_us != 0) {
        return;
    }
    partition->next = NULL;
    partition->queued = true;
    if (queue->last == NULL) {
        queue->first = partition;
    } else {
        queue->last->next = partition;
    }
    queue->last = partition;
    partition->connector->worker->work_due = true;
}

struct connect_partition *connect_queue_take(struct connect_queue *queue)
{
    for (;;) {
        struct connect_partition *partition = queue->first;
        if (partition == NULL) {
            return NULL;
        }
        queue->first = partition->next;
        if (queue->first == NULL) {
            queue->last = NULL;
        }
        partition->queued = false;
        if (!partition->dead) {
            return partition;
        }
        free(partition);
    }
}

void connect_queue_release(struct connect_queue *queue)
{
    struct connect_partition *left = connect_queue_take(queue);
    PP_ASSERT(left == NULL);
}

/* --- partitions ------------------------------------------------------------------------------- */

void connect_partition_release(struct connect_partition *partition)
{
    sink_writer_release(&partition->writer);
    if (partition->queued) {
        partition->dead = true;
        partition->connector = NULL;
    } else {
        free(partition);
    }
}

int connect_partition_compare(const struct connect_partition *partition, int64_t topic_id,
                              int32_t number)
{
    const struct sink_writer *writer = &partition->writer;
    if (writer->topic_id != topic_id) {
        return writer->topic_id < topic_id ? -1 : 1;
    }
    return (writer->partition > number) - (writer->partition < number);
}

const struct store_topic *connect_partition_topic(const struct connect_partition *partition)
{
    const struct store_topic *topic = store_topic_find(partition->connector->worker->options.store,
                                                       sink_writer_topic(&partition->writer));
    return topic != NULL && topic->id == partition->writer.topic_id ? topic : NULL;
}

bool connect_partition_has_more(const struct connect_partition *partition,
                                const struct store_topic *topic)
{
    return partition->writer.position < topic->partitions[partition->writer.partition].next_offset;
}

void connect_partition_enqueue(struct connect_partition *partition)
{
    struct connect_worker *worker = partition->connector->worker;
    const struct store_topic *topic = connect_partition_topic(partition);
    const struct sink_writer *writer = &partition->writer;
    if (topic != NULL && connect_partition_has_more(partition, topic)) {
        int64_t lag = topic->partitions[writer->partition].next_offset - writer->position;
        connect_queue_add(lag > CONNECT_BEHIND_RECORDS_MAX ? &worker->behind : &worker->fresh,
                          partition);
    }
}
