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

/* Takes the partition away from its connector: files are closed, what is queued is freed later. */
void connect_partition_release(struct connect_partition *partition);
/* Orders a connector's partitions: below zero when this one stands before the given place. */
int connect_partition_compare(const struct connect_partition *partition, int64_t topic_id,
                              int32_t number);
/* The topic it reads; NULL: the topic is gone, or another one of its name is there. */
const struct store_topic *connect_partition_topic(const struct connect_partition *partition);
bool connect_partition_has_more(const struct connect_partition *partition,
                                const struct store_topic *topic);
/* Queues the partition if it has records to take: by how many, with those that keep up or those
 * that do not.
 */
void connect_partition_enqueue(struct connect_partition *partition);

/* Queues the partition, unless it is queued already or waits for its next try: the timer brings
 * that back. */
void connect_queue_add(struct connect_queue *queue, struct connect_partition *partition);
/* Takes the first; NULL: the queue is empty. Partitions that were let go are freed on the way. */
struct connect_partition *connect_queue_take(struct connect_queue *queue);
/* Frees what is left, which must be partitions that were let go. */
void connect_queue_release(struct connect_queue *queue);

#endif
