/* A topic-partition of one connector, as long as there is something to remember about it: records
 * that wait in open files, a next try, a place in a queue. A connector of 20 000 partitions that
 * has kept up with them has none of these: where it would go on reading is what its group has
 * committed, and is asked of the store when records come.
 *
 * What a partition has taken in and not yet committed is in memory only; its offset is committed in
 * the transaction that puts the objects. */
#ifndef PINPIPE_CONNECT_PARTITION_INTERNAL_H
#define PINPIPE_CONNECT_PARTITION_INTERNAL_H

#include "sink_writer.h"
#include "timer.h"

struct connect_partition;
struct connect_worker;
struct connector;
struct store_topic;

/* A list in the order in which its partitions came. */
struct connect_queue {
    struct connect_partition *first;
    struct connect_partition *last;
    size_t count;
};

struct connect_partition {
    struct sink_writer writer;
    struct connector *connector;
    struct connect_queue *in;           /* NULL: it waits for records or for its timer */
    struct connect_partition *next;     /* there */
    struct connect_partition *previous; /* there */
    struct connect_partition *own_next; /* of the connector's */
    struct connect_partition *own_previous;
    struct connect_partition *same_hash;
    uint32_t hash;
    bool positioned; /* the writer knows where reading begins */
    bool waiting;    /* for its next try: records that come do not queue it */
    bool on_time;    /* its timer has fired, and nobody has looked since */
    struct timer timer;
    size_t counted; /* in the budget */
};

enum {
    /* Settled partitions that are kept all the same, because records come where records came. */
    CONNECT_SETTLED_KEPT = 256,
    /* Any connector may remember so many, whatever others have used of the budget. */
    CONNECT_PARTITIONS_OWN = 4,
};

/* The worker's: all that are remembered, by connector, topic and number. */
struct connect_partitions {
    struct connect_partition **buckets; /* a power of two of them */
    size_t bucket_count;
    size_t count;
    size_t counted; /* of the buckets, in the budget */
    /* Nothing is lost with a settled partition, and no more than the time of a scheduled rotation
     * with a planned one: memory that others need is taken from them, in this order. */
    struct connect_queue settled;
    struct connect_queue planned;
};

/* --- queues --- */
/* Puts the partition behind the others, unless it is in a queue with work already or waits for its
 * next try. */
void connect_queue_add(struct connect_queue *queue, struct connect_partition *partition);
/* Takes the first; NULL: the queue is empty. */
struct connect_partition *connect_queue_take(struct connect_queue *queue);

/* --- what is remembered --- */
struct connect_place {
    int64_t topic_id;
    struct span topic;
    int32_t number;
};
/* NULL: nothing is remembered about the place. */
struct connect_partition *connect_partition_find(const struct connector *connector,
                                                 int64_t topic_id, int32_t number);
/* Remembers a place about which nothing was. LIMIT: the share of the budget is used up; *err names
 * it and what can be done. NO_MEMORY. */
enum status connect_partition_new(struct connector *connector, const struct connect_place *place,
                                  struct connect_partition **out, struct error *err) PP_MUST_USE;
/* Forgets it: files are closed, what was not committed will be read again. */
void connect_partition_free(struct connect_partition *partition);
/* Where reading begins: at the committed offset; without one, or when the log has no such offset,
 * at the earliest. */
enum status connect_partition_committed(const struct connector *connector,
                                        const struct store_topic *topic, int32_t number,
                                        int64_t *out, struct error *err) PP_MUST_USE;
/* Reading begins there, unless the partition has begun already. */
enum status connect_partition_begin(struct connect_partition *partition,
                                    const struct store_topic *topic, struct error *err) PP_MUST_USE;
/* Nothing more is to do with the partition now: it waits for its timer, or is settled and may be
 * forgotten at any time from here on. */
void connect_partition_rest(struct connect_partition *partition);
/* Ends the wait for the next try. */
void connect_partition_wake(struct connect_partition *partition);
/* Forgets planned ones whose rotation has become due: whoever comes next is due as well. */
void connect_partitions_expire(struct connect_worker *worker);

/* The topic it reads; NULL: the topic is gone, or another one of its name is there. */
const struct store_topic *connect_partition_topic(const struct connect_partition *partition);
bool connect_partition_has_more(const struct connect_partition *partition,
                                const struct store_topic *topic);
/* Queues the partition if it has records to take: by how many, with those that keep up or those
 * that do not. It has begun. */
void connect_partition_enqueue(struct connect_partition *partition,
                               const struct store_topic *topic);

#endif
