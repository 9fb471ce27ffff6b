/* The search for records that were there before a connector's tasks were: a connector made over
 * full topics, a start, a resume, a task that went on to another. What is appended later tells of
 * itself (connect_worker_on_append). The search goes slice by slice and not faster than what it
 * finds is taken, so that neither a turn nor memory grows with the number of partitions. */
#include "connect_worker_internal.h"

#include <string.h>

enum {
    scan_places_max = 10000, /* looked at in one slice */
    scan_places_a_look = 16, /* at the clock */
};

struct scanning {
    struct connector *connector;
    struct store *store;
    int64_t until_us;
    size_t looked;
    bool stop; /* this slice ends */
};

/* The index of the first topic whose name does not stand before the one where the search is. */
static size_t scan_index(const struct scanning *s)
{
    struct connect_scan *scan = &s->connector->scan;
    struct span name = span_from(scan->topic, scan->topic_len);
    size_t low = 0;
    size_t high = store_topic_count(s->store);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (span_compare(store_topic_at(s->store, middle)->name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < store_topic_count(s->store) &&
        !span_equal(store_topic_at(s->store, low)->name, name)) {
        scan->number = 0;
    }
    return low;
}

static void scan_remember_topic(struct connect_scan *scan, const struct store_topic *topic)
{
    memcpy(scan->topic, topic->name.ptr, topic->name.len);
    scan->topic_len = topic->name.len;
}

static bool scan_may_go_on(struct scanning *s)
{
    struct connect_worker *worker = s->connector->worker;
    struct env *env = worker->options.env;
    s->looked++;
    s->stop |= s->looked >= scan_places_max || worker->behind.count >= CONNECT_BEHIND_PARTITIONS ||
               s->connector->waiting_count >= CONNECT_WAITING_MAX ||
               (s->looked % scan_places_a_look == 0 && env->monotonic_us(env) > s->until_us);
    return !s->stop;
}

static enum status scan_queue(struct scanning *s, const struct store_topic *topic, int task,
                              struct error *err)
{
    struct connector *connector = s->connector;
    struct connect_place place = {topic->id, topic->name, connector->scan.number};
    struct connect_partition *partition = NULL;
    enum status status = connect_partition_new(connector, &place, &partition, err);
    if (status == STATUS_LIMIT) {
        connector_starve(connector, task);
        s->stop = true;
        return STATUS_OK;
    }
    if (status == STATUS_OK) {
        partition->writer.task = task;
        status = connect_partition_begin(partition, topic, err);
    }
    if (status == STATUS_OK) {
        connect_queue_add(&connector->worker->behind, partition);
    }
    return status;
}

/* Most places end at the first question, which costs nothing: nothing was ever written there. */
static enum status scan_place(struct scanning *s, const struct store_topic *topic,
                              struct error *err)
{
    struct connector *connector = s->connector;
    int32_t number = connector->scan.number;
    const struct store_partition *log = &topic->partitions[number];
    int task = connector_task_of(connector, topic->partition_count, number);
    int64_t offset = 0;
    if (log->first_offset == log->next_offset || connector->views[task].state != CONNECT_RUNNING ||
        connect_partition_find(connector, topic->id, number) != NULL) {
        return STATUS_OK;
    }
    enum status status = connect_partition_committed(connector, topic, number, &offset, err);
    return status == STATUS_OK && offset < log->next_offset ? scan_queue(s, topic, task, err)
                                                            : status;
}

static enum status scan_topic(struct scanning *s, const struct store_topic *topic,
                              struct error *err)
{
    struct connect_scan *scan = &s->connector->scan;
    enum status status = STATUS_OK;
    if (!connect_topics_wanted(s->connector, topic->id, topic->name)) {
        scan_may_go_on(s);
        return STATUS_OK;
    }
    while (status == STATUS_OK && scan->number < topic->partition_count && scan_may_go_on(s)) {
        status = scan_place(s, topic, err);
        scan->number += status == STATUS_OK && !s->connector->starved ? 1 : 0;
    }
    return status;
}

enum status connector_scan(struct connector *connector, int64_t until_us, struct error *err)
{
    struct connect_scan *scan = &connector->scan;
    struct scanning s = {
        .connector = connector,
        .store = connector->worker->options.store,
        .until_us = until_us,
    };
    enum status status = STATUS_OK;
    size_t topics = store_topic_count(s.store);
    for (size_t i = scan_index(&s); status == STATUS_OK && !s.stop && i < topics; i++) {
        const struct store_topic *topic = store_topic_at(s.store, i);
        scan_remember_topic(scan, topic);
        status = scan_topic(&s, topic, err);
        if (!s.stop) {
            scan->number = 0;
        }
    }
    if (status == STATUS_OK && !s.stop) {
        scan->due = false;
    }
    return status;
}
