/* Kafka's range assignor: which partitions a connector has, and which of its tasks reads each. */
#include "connect_worker_internal.h"

#include "array.h"

#include <stdlib.h>

/* A pattern that gave up is told of once: it looks like a connector whose topics do not exist. */
static void assign_tell_if_gave_up(struct connector *connector)
{
    if (connector->pattern == NULL || connector->gave_up_told ||
        !group_pattern_gave_up(connector->pattern)) {
        return;
    }
    connector->gave_up_told = true;
    LOG_WARNF(connector->worker->options.log, "sink",
              "connector %.*s: topics.regex=%.*s takes too long on %d topic names: it matches "
              "nothing from now on; write it without nested repetitions",
              SPAN_ARG(connector->name), SPAN_ARG(connector->config->topics_regex),
              GROUP_PATTERN_OVERRUNS_MAX);
}

/* The partitions there will be. */
struct assignment {
    struct connector *connector;
    struct connect_partition **partitions;
    size_t count;
    size_t cap;
    int *live; /* tasks that have a consumer */
    size_t live_count;
    struct error *err;
};

/* Reading begins at the committed offset; without one, or when the log has no such offset, at the
 * earliest. */
static enum status assign_position(struct connect_partition *partition,
                                   const struct store_topic *topic, struct error *err)
{
    struct sink_writer *writer = &partition->writer;
    const struct store_partition *log = &topic->partitions[writer->partition];
    struct store_group_place place = {partition->connector->group, topic->name, writer->partition};
    int64_t offset = -1;
    enum status status = store_group_committed(partition->connector->worker->options.store, place,
                                               &offset, NULL, err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        return status;
    }
    if (offset < log->first_offset || offset > log->next_offset) {
        offset = log->first_offset;
    }
    writer->position = offset;
    writer->safe = offset;
    writer->committed = offset;
    return STATUS_OK;
}

static enum status assign_new(struct assignment *a, const struct store_topic *topic, int32_t number,
                              struct connect_partition **out)
{
    struct connect_partition *partition = calloc(1, sizeof(*partition));
    if (partition == NULL) {
        return error_set(a->err, STATUS_NO_MEMORY, "out of memory");
    }
    partition->connector = a->connector;
    enum status status =
        sink_writer_init(&partition->writer, &a->connector->sink, topic->name, a->err);
    partition->writer.topic_id = topic->id;
    partition->writer.partition = number;
    status = status == STATUS_OK ? assign_position(partition, topic, a->err) : status;
    if (status != STATUS_OK) {
        connect_partition_release(partition);
        return status;
    }
    *out = partition;
    return STATUS_OK;
}

static enum status assign_push(struct assignment *a, struct connect_partition *partition)
{
    if (ARRAY_RESERVE(a->partitions, a->cap, a->count + 1, ARRAY_NO_MAX) != STATUS_OK) {
        return error_set(a->err, STATUS_NO_MEMORY, "out of memory");
    }
    a->partitions[a->count++] = partition;
    return STATUS_OK;
}

/* The range assignor: the partitions of each topic are shared out in runs, the first tasks having
 * one more when they do not come out even. */
static int assign_range_task(const struct assignment *a, int32_t partition_count, int32_t number)
{
    int32_t tasks = (int32_t)a->live_count;
    int32_t each = partition_count / tasks;
    int32_t extra = partition_count % tasks;
    int32_t longer = extra * (each + 1);
    int32_t at = number < longer ? number / (each + 1) : extra + (number - longer) / each;
    return a->live[at];
}

static enum status assign_topic(struct assignment *a, const struct store_topic *topic)
{
    for (int32_t number = 0; number < topic->partition_count; number++) {
        int task = assign_range_task(a, topic->partition_count, number);
        struct connect_partition *partition = connector_partition(a->connector, topic->id, number);
        enum status status = STATUS_OK;
        if (partition == NULL) {
            status = assign_new(a, topic, number, &partition);
        } else if (partition->writer.task != task) {
            sink_writer_rewind(&partition->writer); /* another consumer begins at the commit */
        }
        if (status == STATUS_OK) {
            partition->writer.task = task;
            status = assign_push(a, partition);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static enum status assign_find_live(struct assignment *a)
{
    const struct connector *connector = a->connector;
    a->live = calloc(connector->task_count + 1, sizeof(*a->live));
    if (a->live == NULL) {
        return error_set(a->err, STATUS_NO_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < connector->task_count; i++) {
        enum connect_state state = connector->views[i].state;
        if (state == CONNECT_RUNNING || state == CONNECT_PAUSED) {
            a->live[a->live_count++] = (int)i;
        }
    }
    return STATUS_OK;
}

static int assign_order(const void *a, const void *b)
{
    const struct connect_partition *right = *(struct connect_partition *const *)b;
    return connect_partition_compare(*(struct connect_partition *const *)a, right->writer.topic_id,
                                     right->writer.partition);
}

/* Puts the new list in the place of the old one; what is only in the old one is let go. */
static void assign_replace(struct assignment *a)
{
    struct connector *connector = a->connector;
    if (a->count > 1) {
        qsort(a->partitions, a->count, sizeof(struct connect_partition *), assign_order);
    }
    size_t kept = 0;
    for (size_t i = 0; i < connector->partition_count; i++) {
        struct connect_partition *old = connector->partitions[i];
        while (kept < a->count && assign_order(&a->partitions[kept], &old) < 0) {
            kept++;
        }
        if (kept == a->count || a->partitions[kept] != old) {
            connect_partition_release(old);
        }
    }
    free(connector->partitions);
    connector->partitions = a->partitions;
    connector->partition_count = a->count;
    a->partitions = NULL;
    for (size_t i = 0; i < a->count; i++) {
        connect_partition_enqueue(connector->partitions[i]);
    }
}

enum status connector_assign(struct connector *connector, struct error *err)
{
    struct store *store = connector->worker->options.store;
    struct assignment a = {.connector = connector, .err = err};
    enum status status = assign_find_live(&a);
    size_t topics = store_topic_count(store);
    int64_t seen = 0;
    for (size_t i = 0; status == STATUS_OK && a.live_count > 0 && i < topics; i++) {
        const struct store_topic *topic = store_topic_at(store, i);
        seen = topic->id > seen ? topic->id : seen;
        /* Names are matched once: thousands of topics may come one by one. */
        if (topic->id > connector->topics_seen
                ? connector_wants(connector, topic->name)
                : connector_partition(connector, topic->id, 0) != NULL) {
            status = assign_topic(&a, topic);
        }
    }
    assign_tell_if_gave_up(connector);
    if (status == STATUS_OK) {
        assign_replace(&a);
        connector->topics_seen = seen;
        connector->assign_due = false;
    } else {
        for (size_t i = 0; i < a.count; i++) {
            struct connect_partition *p = a.partitions[i];
            if (connector_partition(connector, p->writer.topic_id, p->writer.partition) != p) {
                connect_partition_release(p);
            }
        }
    }
    free(a.partitions);
    free(a.live);
    return status;
}
