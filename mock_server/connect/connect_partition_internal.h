/* A topic-partition of one connector, and the queues in which those wait that have records to take.
 *
 * What a partition has taken in and not yet committed is in memory only; its offset is committed in
 * the transaction that puts the objects. */
#ifndef PINPIPE_CONNECT_PARTITION_INTERNAL_H
#define PINPIPE_CONNECT_PARTITION_INTERNAL_H

#include "sink_writer.h"

struct connector;

struct connect_partition {
    struct sink_writer writer;
    struct connector *connector;
    struct connect_partition *next; /* in a queue */
    bool queued;
    bool dead;        /* taken away while queued: freed when its turn comes */
    bool topic_noted; /* the connector is known to use the topic */
};

struct connect_queue {
    struct connect_partition *first;
    struct connect_partition *last;
};

/* Takes it away from its connector: files are closed, what is queued is freed later. */
void connect_partition_release(struct connect_partition *partition);
/* Below, at or above the place of this topic-partition in a connector's list? */
int connect_partition_compare(const struct connect_partition *partition, int64_t topic_id,
                              int32_t number);
/* NULL: the topic is gone, or another one of its name is there. */
const struct store_topic *connect_partition_topic(const struct connect_partition *partition);
bool connect_partition_has_more(const struct connect_partition *partition,
                                const struct store_topic *topic);
/* Queues it if it has records to take: by how many, with those that keep up or those that do not.
 */
void connect_partition_enqueue(struct connect_partition *partition);

/* Queues it, unless it is queued already or waits for its next try: the timer brings that back. */
void connect_queue_add(struct connect_queue *queue, struct connect_partition *partition);
/* NULL when it is empty; partitions that were let go meanwhile are freed on the way. */
struct connect_partition *connect_queue_take(struct connect_queue *queue);
/* Only of partitions that were let go. */
void connect_queue_release(struct connect_queue *queue);

#endif
