/* The line of reads on an instance, what wakes them, and what ends them all. Waking only makes
 * the read's timer due at once: the answer is built outside the produce that woke it.
 *
 * Invariant: a read that is parked is in its consumer's line; only an active one has watches. */
#include "kafka_rest_consumer.h"

#include "budget.h"

int64_t consumer_now_us(const struct kafka_rest_consumers *consumers)
{
    struct env *env = consumers->rest->options.env;
    return env->monotonic_us(env);
}

void consumer_touch(struct consumer *consumer)
{
    consumer->last_used_us = consumer_now_us(consumer->consumers);
}

/* --- watches ---------------------------------------------------------------------------------- */

static size_t read_watch_bucket(int64_t topic_id)
{
    return (uint64_t)topic_id % CONSUMER_WATCH_BUCKETS;
}

static void read_unwatch(struct consumer_read *read)
{
    struct kafka_rest_consumers *consumers = read->consumer->consumers;
    for (size_t i = 0; i < read->watch_count; i++) {
        struct consumer_watch *watch = &read->watches[i];
        *watch->link = watch->next;
        if (watch->next != NULL) {
            watch->next->link = watch->link;
        }
    }
    consumers->watch_count -= read->watch_count;
    read->watch_count = 0;
    if (read->is_open) {
        *read->open_link = read->next_open;
        if (read->next_open != NULL) {
            read->next_open->open_link = read->open_link;
        }
        read->is_open = false;
    }
}

static void read_watch_partitions(struct consumer_read *read, const struct group_partition *first,
                                  int32_t count)
{
    struct kafka_rest_consumers *consumers = read->consumer->consumers;
    struct consumer_watch **bucket = &consumers->watches[read_watch_bucket(first->topic_id)];
    struct consumer_watch *watch = &read->watches[read->watch_count++];
    *watch =
        (struct consumer_watch){*bucket, bucket, read, first->topic_id, first->partition, count};
    if (watch->next != NULL) {
        watch->next->link = &watch->next;
    }
    *bucket = watch;
    consumers->watch_count++;
}

/* Some of what it asked for does not exist yet: it must hear of new topics, too. */
static void read_watch_new_topics(struct consumer_read *read)
{
    struct kafka_rest_consumers *consumers = read->consumer->consumers;
    read->next_open = consumers->open_reads;
    read->open_link = &consumers->open_reads;
    if (read->next_open != NULL) {
        read->next_open->open_link = &read->next_open;
    }
    consumers->open_reads = read;
    read->is_open = true;
}

bool consumer_read_watch(struct consumer_read *read)
{
    const struct group_member *member = read->consumer->member;
    size_t count = group_member_run_count(member);
    if (read->watch_count > 0 && read->watch_epoch == group_member_epoch(member)) {
        return true;
    }
    read_unwatch(read);
    if (count > read->watch_cap) {
        read->watches =
            arena_alloc_array(&read->call->exchange->arena, count, sizeof(*read->watches));
        read->watch_cap = read->watches != NULL ? count : 0;
        if (read->watches == NULL) {
            return false;
        }
    }
    struct group_walk walk = group_member_walk(member, 0);
    struct group_partition first;
    int32_t side_by_side;
    while (group_member_next_run(member, &walk, &first, &side_by_side)) {
        read_watch_partitions(read, &first, side_by_side);
    }
    if (group_member_misses_topics(member)) {
        read_watch_new_topics(read);
    }
    read->watch_epoch = group_member_epoch(member);
    return true;
}

/* --- the line --------------------------------------------------------------------------------- */

static void read_charge(struct consumer_read *read, size_t bytes)
{
    struct budget *budget = read->call->rest->options.budget;
    if (budget != NULL) {
        budget_note(budget, BUDGET_PAIRS, &read->charged, bytes);
    }
}

bool consumer_read_count(struct consumer_read *read)
{
    struct budget *budget = read->call->rest->options.budget;
    size_t bytes = read->call->exchange->arena.used_bytes;
    if (budget != NULL && read->charged == 0) {
        return budget_take(budget, BUDGET_PAIRS, &read->charged, bytes);
    }
    read_charge(read, bytes);
    return true;
}

void consumer_read_leave_line(struct consumer_read *read)
{
    struct consumer *consumer = read->consumer;
    struct consumer_read **link = &consumer->reads;
    while (*link != read) {
        link = &(*link)->next;
    }
    *link = read->next;
    consumer->read_count--;
    read_unwatch(read);
    consumer_turn_leave(read->call);
    read_charge(read, 0);
    consumer_touch(consumer);
}

static void read_wake(struct consumer_read *read)
{
    if (read->call->waits) {
        return; /* it will look at the first turn that has room for it */
    }
    if (read->busy) {
        read->missed = read->missed || read->asked != NULL;
    } else if (!read->woken) {
        read->woken = true;
        exchange_park(read->call->exchange, consumer_now_us(read->consumer->consumers),
                      read->park_ops, read);
    }
}

void consumer_reads_wake(struct consumer *consumer)
{
    if (consumer->reads != NULL && consumer->reads->active) {
        read_wake(consumer->reads);
    }
}

void consumer_reads_refuse(struct consumer *consumer)
{
    while (consumer->reads != NULL) {
        struct consumer_read *read = consumer->reads;
        consumer_read_leave_line(read);
        if (read->asked != NULL) {
            broker_cancel(read->call->rest->options.broker, read->asked);
        }
        kafka_rest_error_known(read->call->exchange, ERROR_INSTANCE_NOT_FOUND);
        exchange_answer(read->call->exchange);
    }
}

/* Is this a topic that an open read waits for and does not know yet? */
static bool read_misses(const struct consumer_read *read, const struct broker_topic *topic,
                        int32_t partition)
{
    const struct group_member *member = read->consumer->member;
    struct group_partition held;
    if (group_member_find(member, topic->name, partition, &held)) {
        return held.topic_id != topic->id;
    }
    /* Another member's, or a topic that was not there at the last rebalance. */
    return group_member_wants(member, topic->name);
}

void kafka_rest_consumers_on_append(struct kafka_rest_consumers *consumers,
                                    const struct broker_topic *topic, int32_t partition)
{
    if (consumers->watch_count > 0) {
        struct consumer_watch *next;
        for (struct consumer_watch *w = consumers->watches[read_watch_bucket(topic->id)]; w != NULL;
             w = next) {
            next = w->next;
            if (w->topic_id == topic->id && partition >= w->first &&
                partition - w->first < w->count) {
                read_wake(w->read);
            }
        }
    }
    for (struct consumer_read *read = consumers->open_reads; read != NULL; read = read->next_open) {
        if (!read->woken && read_misses(read, topic, partition)) {
            read_wake(read);
        }
    }
}
