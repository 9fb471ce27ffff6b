/* The sink's share of a turn. Partitions that have kept up with their topic take what was appended
 * in this turn, so that with flush.size=1 the object of a record is in the record's own
 * transaction, unless that is more than a turn may do (CONNECT_RUN_RECORDS_MAX and its like); those
 * that have fallen behind (a connector made over a full topic, a resume) take a slice. The loop
 * comes back for what is left. */
#include "connect_worker_internal.h"

#include <stdlib.h>
#include <string.h>

/* Remembers that the partition has records, for what task there is. A task that does not run finds
 * them when it does. */
static void run_note_append(struct connector *connector, const struct broker_topic *topic,
                            int32_t number)
{
    struct connect_worker *worker = connector->worker;
    struct connect_place place = {topic->id, topic->name, number};
    struct connect_partition *partition = NULL;
    struct error err;
    int task = connector_task_of(connector, topic->partition_count, number);
    if (connector->views[task].state != CONNECT_RUNNING) {
        return;
    }
    enum status status = connect_partition_new(connector, &place, &partition, &err);
    switch (status) {
    case STATUS_OK:
        partition->writer.task = task;
        connect_queue_add(&worker->fresh, partition);
        break;
    case STATUS_LIMIT:
        connector_starve(connector, task);
        break;
    default:
        worker->stale = true;
        worker->work_due = true;
        break;
    }
}

void connect_worker_on_append(void *ctx, const struct broker_topic *topic, int32_t number)
{
    struct connect_worker *worker = ctx;
    for (size_t i = 0; i < worker->count; i++) {
        struct connector *connector = worker->connectors[i];
        if (connector->live_count == 0 ||
            !connect_topics_wanted(connector, topic->id, topic->name)) {
            continue;
        }
        struct connect_partition *partition = connect_partition_find(connector, topic->id, number);
        if (partition == NULL) {
            run_note_append(connector, topic, number);
        } else {
            connect_queue_add(&worker->fresh, partition);
        }
    }
}

void connect_worker_on_timer(struct timer *timer)
{
    struct connect_worker *worker = PP_CONTAINER_OF(timer, struct connect_worker, timer);
    worker->work_due = true;
}

/* --- tasks ------------------------------------------------------------------------------------ */

/* What the sink touched may have failed the whole turn: then the states are back as they were, and
 * nothing that comes after belongs to a turn. */
static enum status run_check_turn(const struct connect_worker *worker, struct error *err)
{
    return connect_worker_is_noted(worker)
               ? STATUS_OK
               : error_set(err, STATUS_FAILED, "the store has failed the turn");
}

static enum status run_fail_task(struct connector *connector, int task,
                                 const struct sink_failure *failure, struct error *err)
{
    struct buf trace;
    enum status status = run_check_turn(connector->worker, err);
    if (status != STATUS_OK) {
        return status;
    }
    buf_init(&trace, SINK_TRACE_BYTES_MAX);
    sink_failure_trace(failure, &trace);
    connector_set_state(connector, task, CONNECT_FAILED, buf_span(&trace));
    LOG_WARNF(connector->worker->options.log, "sink", "connector %.*s: task %d has failed: %s",
              SPAN_ARG(connector->name), task, buf_cstr(&trace));
    buf_release(&trace);
    return connector_put_task_row(connector, task, err);
}

static enum status run_start_task(struct connector *connector, int task, struct error *err)
{
    struct sink_failure failure = {.count = 0};
    if (connector->config->task_fault.len > 0) {
        connector_set_state(connector, task, CONNECT_FAILED, connector->config->task_fault);
    } else if (!sink_start(&connector->sink, &failure)) {
        return run_fail_task(connector, task, &failure, err);
    } else if (run_check_turn(connector->worker, err) != STATUS_OK) {
        return STATUS_FAILED;
    } else {
        connector_set_state(connector, task, connector->paused ? CONNECT_PAUSED : CONNECT_RUNNING,
                            SPAN_EMPTY);
    }
    return connector_put_task_row(connector, task, err);
}

/* Tasks for whose partitions there was no memory. */
static enum status run_fail_starved(struct connector *connector, struct error *err)
{
    struct error why;
    enum status refused = connect_worker_refuse(connector->worker, &why);
    PP_ASSERT(refused == STATUS_LIMIT);
    connector->starved = false;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < connector->task_count && status == STATUS_OK; i++) {
        struct connect_task *task = &connector->tasks[i];
        if (task->starved && connector->views[i].state == CONNECT_RUNNING) {
            struct sink_failure failure = {.count = 0};
            sink_fail(&failure, JAVA_CONNECT_EXCEPTION,
                      "Exiting WorkerSinkTask due to unrecoverable exception.");
            sink_fail_cause(&failure, JAVA_OUT_OF_MEMORY_ERROR, "Java heap space: %s", why.message);
            status = run_fail_task(connector, (int)i, &failure, err);
        }
        task->starved = false;
    }
    return status;
}

static enum status run_start_tasks(struct connector *connector, struct error *err)
{
    connector->start_due = false;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < connector->task_count && status == STATUS_OK; i++) {
        if (connector->views[i].state == CONNECT_UNASSIGNED) {
            status = run_start_task(connector, (int)i, err);
        }
    }
    return status;
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool run_batch_add(void *ctx, const struct store_record *record)
{
    struct connect_batch *batch = ctx;
    size_t bytes = record->key.len + record->value.len + record->headers.len;
    if (batch->count > 0 && batch->bytes.len + bytes > CONNECT_BATCH_BYTES) {
        return false;
    }
    buf_append_span(&batch->bytes, record->key);
    buf_append_span(&batch->bytes, record->value);
    buf_append_span(&batch->bytes, record->headers);
    if (!buf_ok(&batch->bytes)) {
        return false;
    }
    batch->records[batch->count++] = *record;
    return batch->count < CONNECT_BATCH_RECORDS;
}

/* The bytes have stopped moving: the records' spans can point at them. */
static void run_batch_settle(struct connect_batch *batch)
{
    const char *at = batch->bytes.ptr;
    for (size_t i = 0; i < batch->count; i++) {
        struct store_record *record = &batch->records[i];
        record->key.ptr = at;
        record->value.ptr = at + record->key.len;
        record->headers.ptr = record->value.ptr + record->value.len;
        at = record->headers.ptr + record->headers.len;
    }
}

static enum status run_batch_read(struct connect_partition *partition,
                                  const struct store_topic *topic, size_t limit, struct error *err)
{
    struct connect_worker *worker = partition->connector->worker;
    struct connect_batch *batch = &worker->batch;
    struct store_range range = {.topic = topic,
                                .partition = partition->writer.partition,
                                .offset = partition->writer.position,
                                .limit = limit < CONNECT_BATCH_RECORDS ? (int64_t)limit
                                                                       : CONNECT_BATCH_RECORDS};
    batch->count = 0;
    buf_trim(&batch->bytes, 2 * CONNECT_BATCH_BYTES);
    enum status status =
        store_records_read(worker->options.store, range, run_batch_add, batch, err);
    if (status == STATUS_OK && !buf_ok(&batch->bytes) && batch->count == 0) {
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    run_batch_settle(batch);
    return status;
}

/* --- a partition ------------------------------------------------------------------------------ */

static enum status run_commit_offset(struct connect_partition *partition,
                                     const struct store_topic *topic, struct error *err)
{
    struct sink_writer *writer = &partition->writer;
    struct connector *connector = partition->connector;
    if (writer->safe == writer->committed) {
        return STATUS_OK;
    }
    struct store_commit commit = {.topic = topic->name,
                                  .partition = writer->partition,
                                  .offset = writer->safe,
                                  .metadata = SPAN_EMPTY};
    enum status status =
        store_group_commit(connector->worker->options.store, connector->group, &commit, err);
    if (status == STATUS_OK) {
        writer->committed = writer->safe;
    }
    return status;
}

/* Draws the consequences of what a writer could not do. OK: the run goes on with the next
 * partition. */
static enum status run_settle(struct connect_partition *partition, enum sink_outcome outcome,
                              const struct sink_failure *failure, struct error *err)
{
    struct connector *connector = partition->connector;
    switch (outcome) {
    case SINK_TAKEN:
        break;
    case SINK_TRY_LATER:
        break;
    case SINK_FAILED:
        sink_writer_rewind(&partition->writer);
        return run_fail_task(connector, partition->writer.task, failure, err);
    case SINK_STORE_FAILED:
        return error_set(err, STATUS_FAILED, "the store has failed the turn");
    }
    return run_check_turn(connector->worker, err);
}

static enum status run_note_topic(struct connect_partition *partition,
                                  const struct store_topic *topic, struct error *err)
{
    struct connector *connector = partition->connector;
    if (connect_topics_is_noted(connector, topic->id)) {
        return STATUS_OK;
    }
    enum status status = store_connector_topic_add(connector->worker->options.store,
                                                   connector->name, topic->name, err);
    if (status == STATUS_OK) {
        connect_topics_note(connector, topic->id);
    }
    return status;
}

/* The bucket is looked up once a run, because an upload goes to the one there is now. */
static enum status run_ready_sink(struct connector *connector, struct error *err)
{
    if (connector->bucket_known) {
        return STATUS_OK;
    }
    connector->bucket_known = true;
    enum status status = sink_find_bucket(&connector->sink, err);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The part of a turn that is left. */
struct run_room {
    size_t records;
    size_t bytes;
};

static void run_room_use(struct run_room *room, size_t records, size_t bytes)
{
    room->records -= records < room->records ? records : room->records;
    room->bytes -= bytes < room->bytes ? bytes : room->bytes;
}

static bool run_room_is_left(const struct run_room *room)
{
    return room->records > 0 && room->bytes > 0;
}

/* Takes a batch of the room's records. */
static enum status run_partition_take(struct connect_partition *partition,
                                      const struct store_topic *topic, struct run_room *room,
                                      struct error *err)
{
    struct sink_writer *writer = &partition->writer;
    struct connect_batch *batch = &partition->connector->worker->batch;
    struct sink_failure failure = {.count = 0};
    enum sink_outcome outcome = SINK_TAKEN;
    enum status status = run_batch_read(partition, topic, room->records, err);
    size_t i = 0;
    for (; status == STATUS_OK && outcome == SINK_TAKEN && i < batch->count; i++) {
        outcome = sink_writer_take(writer, &batch->records[i], &failure);
    }
    run_room_use(room, i, batch->bytes.len);
    if (status == STATUS_OK && outcome == SINK_TAKEN) {
        outcome = sink_writer_rest(writer, &failure);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = run_note_topic(partition, topic, err);
    /* Files that were put before a failure stay, and their offset goes with them. */
    if (status == STATUS_OK && outcome != SINK_STORE_FAILED) {
        status = run_commit_offset(partition, topic, err);
    }
    return status == STATUS_OK ? run_settle(partition, outcome, &failure, err) : status;
}

static bool run_is_running(const struct connect_partition *partition)
{
    return partition->connector->views[partition->writer.task].state == CONNECT_RUNNING;
}

/* What the clock brought: a scheduled rotation. */
static enum status run_partition_on_time(struct connect_partition *partition,
                                         const struct store_topic *topic, struct error *err)
{
    struct sink_failure failure = {.count = 0};
    partition->on_time = false;
    if (sink_writer_due_ms(&partition->writer) == INT64_MAX) {
        return STATUS_OK;
    }
    enum sink_outcome outcome = sink_writer_rest(&partition->writer, &failure);
    enum status status = run_settle(partition, outcome, &failure, err);
    return status == STATUS_OK ? run_commit_offset(partition, topic, err) : status;
}

/* Takes records up to the end of the log, or as many as there is room for. */
static enum status run_partition_records(struct connect_partition *partition,
                                         const struct store_topic *topic, struct run_room *room,
                                         struct error *err)
{
    struct connector *connector = partition->connector;
    enum status status = STATUS_OK;
    /* A failure hands its partitions to other tasks: not in the middle of this one. */
    while (status == STATUS_OK && run_room_is_left(room) && !connector->assign_due &&
           run_is_running(partition) && partition->writer.retry_us == 0 &&
           connect_partition_has_more(partition, topic)) {
        status = run_partition_take(partition, topic, room, err);
    }
    return status;
}

/* Does what there is to do with the partition, and queues it again when records are left. */
static enum status run_partition(struct connect_partition *partition, struct run_room *room,
                                 struct error *err)
{
    struct connector *connector = partition->connector;
    const struct store_topic *topic = connect_partition_topic(partition);
    if (topic == NULL) {
        connect_partition_free(partition); /* it is gone, or another one of its name is there */
        return STATUS_OK;
    }
    enum status status = connect_partition_begin(partition, topic, err);
    status = status == STATUS_OK ? run_ready_sink(connector, err) : status;
    if (status == STATUS_OK && partition->on_time) {
        status = run_partition_on_time(partition, topic, err);
    }
    if (status == STATUS_OK) {
        status = run_partition_records(partition, topic, room, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (!connector->assign_due && run_is_running(partition) && partition->writer.retry_us == 0 &&
        connect_partition_has_more(partition, topic)) {
        connect_queue_add(&connector->worker->behind, partition);
    }
    connect_partition_rest(partition);
    return STATUS_OK;
}

/* --- the run ---------------------------------------------------------------------------------- */

static void run_arm_timer(struct connect_worker *worker)
{
    struct env *env = worker->options.env;
    if (!worker->stale) {
        timer_clear(worker->options.timers, &worker->timer);
        return;
    }
    /* A slot was reserved for it. */
    enum status armed = timer_set(worker->options.timers, &worker->timer,
                                  env->monotonic_us(env) + CONNECT_RELOAD_RETRY_MS * 1000);
    PP_ASSERT(armed == STATUS_OK);
}

static bool run_has_schedule(const struct connector *connector)
{
    return connector->config->rotate_schedule_interval_ms > 0 && connector->live_count > 0;
}

/* A partition plans its next rotation when it is assigned. Those about which nothing is remembered
 * have planned in this period, which has not ended, or in an earlier one: then they are due. Their
 * topics' ids tell which. */
static void run_turn_period(struct connector *connector)
{
    const struct sink *sink = &connector->sink;
    if (sink->now_ms >= connector->period_end_ms) {
        connector->period_topic_id =
            connector->period_end_ms == 0 ? 0 : connector->worker->topic_id_max;
        connector->period_end_ms = sink_path_next_rotation_ms(&sink->path, sink->now_ms);
    }
}

static void run_find_topic_id_max(struct connect_worker *worker)
{
    struct store *store = worker->options.store;
    worker->topic_id_known = true;
    for (size_t i = 0; i < worker->topic_count; i++) {
        int64_t id = store_topic_at(store, i)->id;
        worker->topic_id_max = id > worker->topic_id_max ? id : worker->topic_id_max;
    }
}

static enum status run_prepare(struct connect_worker *worker, struct error *err)
{
    size_t topics = store_topic_count(worker->options.store);
    bool changed = topics != worker->topic_count;
    bool scheduled = false;
    worker->topic_count = topics;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < worker->count && status == STATUS_OK; i++) {
        struct connector *connector = worker->connectors[i];
        connector->bucket_known = false;
        connector->sink.now_ms = worker->options.env->wall_us(worker->options.env) / 1000;
        if (connector->start_due) {
            status = run_start_tasks(connector, err);
        }
        if (status == STATUS_OK && connector->assign_due) {
            status = connector_assign(connector, err);
        }
        if (changed) {
            connector_forget_gone(connector);
        }
        if (run_has_schedule(connector)) {
            scheduled = true;
            run_turn_period(connector);
        }
    }
    worker->topic_id_known &= !changed;
    if (scheduled && !worker->topic_id_known) {
        run_find_topic_id_max(worker);
    }
    connect_partitions_expire(worker);
    return status;
}

/* Partitions whose task failed have gone to others. True: there was one. */
static enum status run_reassign(struct connect_worker *worker, bool *any, struct error *err)
{
    enum status status = STATUS_OK;
    *any = false;
    for (size_t i = 0; i < worker->count && status == STATUS_OK; i++) {
        struct connector *connector = worker->connectors[i];
        if (connector->starved) {
            status = run_fail_starved(connector, err);
        }
        if (status == STATUS_OK && connector->assign_due) {
            *any = true;
            status = connector_assign(connector, err);
        }
    }
    return status;
}

static bool run_may_scan(const struct connector *connector)
{
    return connector->scan.due && connector->waiting_count < CONNECT_WAITING_MAX;
}

static bool run_has_scan(const struct connect_worker *worker)
{
    bool any = false;
    for (size_t i = 0; i < worker->count; i++) {
        any |= run_may_scan(worker->connectors[i]);
    }
    return any;
}

/* Looks for partitions that have fallen behind; *any: some have. */
static enum status run_scan(struct connect_worker *worker, int64_t until_us, bool *any,
                            struct error *err)
{
    struct env *env = worker->options.env;
    enum status status = STATUS_OK;
    size_t before = worker->behind.count;
    for (size_t i = 0; i < worker->count && status == STATUS_OK; i++) {
        struct connector *connector = worker->connectors[i];
        if (run_may_scan(connector)) {
            status = connector_scan(connector, until_us, err);
            *any |= connector->starved;
            if (env->monotonic_us(env) > until_us) {
                break;
            }
        }
    }
    *any |= worker->behind.count > before;
    return status;
}

/* Takes what is fresh, as far as a turn goes; who is left is the first in the next one. */
static enum status run_fresh(struct connect_worker *worker, size_t *partitions,
                             struct run_room *room, struct error *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && *partitions > 0 && run_room_is_left(room)) {
        struct connect_partition *partition = connect_queue_take(&worker->fresh);
        if (partition == NULL) {
            break;
        }
        (*partitions)--;
        status = run_partition(partition, room, err);
    }
    return status;
}

static enum status run_behind(struct connect_worker *worker, int64_t until_us,
                              struct run_room *room, struct error *err)
{
    struct env *env = worker->options.env;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && run_room_is_left(room) && env->monotonic_us(env) <= until_us) {
        struct connect_partition *partition = connect_queue_take(&worker->behind);
        if (partition == NULL) {
            break;
        }
        struct run_room slice = *room;
        slice.records =
            slice.records < CONNECT_BATCH_RECORDS ? slice.records : CONNECT_BATCH_RECORDS;
        struct run_room left = slice;
        status = run_partition(partition, &left, err);
        run_room_use(room, slice.records - left.records, slice.bytes - left.bytes);
    }
    return status;
}

static enum status run_drain(struct connect_worker *worker, struct error *err)
{
    struct env *env = worker->options.env;
    struct run_room fresh = {CONNECT_RUN_RECORDS_MAX, CONNECT_RUN_BYTES_MAX};
    size_t partitions = CONNECT_RUN_PARTITIONS_MAX;
    struct run_room behind = {CONNECT_BEHIND_RECORDS_MAX, CONNECT_BATCH_BYTES};
    int64_t until_us = env->monotonic_us(env) + CONNECT_BEHIND_US_MAX;
    enum status status = STATUS_OK;
    bool again = true;
    while (status == STATUS_OK && again) {
        status = run_fresh(worker, &partitions, &fresh, err);
        if (status == STATUS_OK) {
            status = run_behind(worker, until_us, &behind, err);
        }
        if (status == STATUS_OK) {
            status = run_reassign(worker, &again, err);
        }
        if (status == STATUS_OK && !again) {
            status = run_scan(worker, until_us, &again, err);
        }
    }
    return status;
}

bool connect_worker_run(void *ctx)
{
    struct connect_worker *worker = ctx;
    struct error err = ERROR_NONE;
    if (!worker->work_due && store_topic_count(worker->options.store) == worker->topic_count) {
        return false;
    }
    worker->work_due = false;
    enum status status = connect_set_enter(worker, &err);
    if (status == STATUS_OK) {
        status = run_prepare(worker, &err);
    }
    if (status == STATUS_OK) {
        status = run_drain(worker, &err);
    }
    if (status != STATUS_OK) {
        LOG_WARNF(worker->options.log, "sink", "%s; everything begins again where it was committed",
                  err.message);
        worker->stale = true;
    }
    run_arm_timer(worker);
    worker->work_due |=
        status == STATUS_OK &&
        (worker->fresh.first != NULL || worker->behind.first != NULL || run_has_scan(worker));
    return worker->work_due;
}
