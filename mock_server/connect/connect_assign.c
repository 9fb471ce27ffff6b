/* Kafka's range assignor: which of a connector's tasks reads which partition. It is reckoned, not
 * remembered: from the tasks that live and the number of the topic's partitions. */
#include "connect_worker_internal.h"

#include <stdlib.h>

/* The range assignor: the partitions of each topic are shared out in runs, the first tasks having
 * one more when they do not come out even. */
int connector_task_of(const struct connector *connector, int32_t partition_count, int32_t number)
{
    int32_t tasks = (int32_t)connector->live_count;
    int32_t each = partition_count / tasks;
    int32_t extra = partition_count % tasks;
    int32_t longer = extra * (each + 1);
    int32_t at = number < longer ? number / (each + 1) : extra + (number - longer) / each;
    return connector->live[at];
}

static enum status assign_find_live(struct connector *connector, struct error *err)
{
    if (connector->live == NULL) {
        connector->live = calloc(connector->task_count + 1, sizeof(*connector->live));
    }
    if (connector->live == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    connector->live_count = 0;
    for (size_t i = 0; i < connector->task_count; i++) {
        enum connect_state state = connector->views[i].state;
        if (state == CONNECT_RUNNING || state == CONNECT_PAUSED) {
            connector->live[connector->live_count++] = (int)i;
        }
    }
    return STATUS_OK;
}

static enum status assign_partition(struct connect_partition *partition,
                                    const struct store_topic *topic, struct error *err)
{
    struct sink_writer *writer = &partition->writer;
    int task = connector_task_of(partition->connector, topic->partition_count, writer->partition);
    enum status status = connect_partition_begin(partition, topic, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (writer->task != task) {
        sink_writer_rewind(writer); /* another consumer begins at the commit */
        writer->task = task;
    }
    connect_partition_enqueue(partition, topic);
    if (partition->in == NULL) {
        connect_partition_rest(partition);
    }
    return STATUS_OK;
}

enum status connector_assign(struct connector *connector, struct error *err)
{
    enum status status = assign_find_live(connector, err);
    struct connect_partition *next;
    for (struct connect_partition *p = connector->partitions; p != NULL && status == STATUS_OK;
         p = next) {
        const struct store_topic *topic = connect_partition_topic(p);
        if (topic != NULL && connector->live_count > 0) {
            status = assign_partition(p, topic, err);
            next = p->own_next; /* what has settled may have been forgotten for it */
        } else {
            next = p->own_next;
            connect_partition_free(p);
        }
    }
    if (status == STATUS_OK) {
        connector->assign_due = false;
        connector->scan = (struct connect_scan){.due = connector->live_count > 0};
    }
    return status;
}

void connector_forget_gone(struct connector *connector)
{
    struct connect_partition *next;
    for (struct connect_partition *p = connector->partitions; p != NULL; p = next) {
        next = p->own_next;
        if (connect_partition_topic(p) == NULL) {
            connect_partition_free(p);
        }
    }
}
