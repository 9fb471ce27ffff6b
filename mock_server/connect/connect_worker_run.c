/* The sink's share of a turn. Partitions that have kept up with their topic take everything that
 * was appended in this turn, so that with flush.size=1 the object of a record is in the record's
 * own transaction; those that have fallen behind (a connector made over a full topic, a resume)
 * take a slice, and the loop comes back for the next one. */
#include "connect_worker_internal.h"

#include <stdlib.h>
#include <string.h>

void connect_worker_on_append(void *ctx, const struct broker_topic *topic, int32_t number)
{
    struct connect_worker *worker = ctx;
    for (size_t i = 0; i < worker->count; i++) {
        struct connector *connector = worker->connectors[i];
        struct connect_partition *partition = connector_partition(connector, topic->id, number);
        if (partition == NULL) {
            connector->assign_due |= topic->id > connector->topics_seen;
            worker->work_due |= connector->assign_due;
        } else {
            connect_queue_add(&worker->fresh, partition);
        }
    }
}

void connect_worker_on_timer(struct timer *timer)
{
    struct connect_worker *worker = PP_CONTAINER_OF(timer, struct connect_worker, timer);
    worker->timer_fired = true;
    worker->work_due = true;
}

/* --- tasks ------------------------------------------------------------------------------------ */

/* What the sink touched may have failed the whole turn: then the states are back as they were, and
 * nothing that comes after belongs to a turn. */
static enum status run_check_turn(const struct connect_worker *worker, struct error *err)
{
    return worker->noted ? STATUS_OK
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
        connector->has_retry = true;
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
    if (partition->topic_noted) {
        return STATUS_OK;
    }
    partition->topic_noted = true;
    return store_connector_topic_add(partition->connector->worker->options.store,
                                     partition->connector->name, topic->name, err);
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

/* Takes at most `limit` records; *taken says how many. */
static enum status run_partition_take(struct connect_partition *partition,
                                      const struct store_topic *topic, size_t limit, size_t *taken,
                                      struct error *err)
{
    struct sink_writer *writer = &partition->writer;
    struct connect_batch *batch = &partition->connector->worker->batch;
    struct sink_failure failure = {.count = 0};
    enum sink_outcome outcome = SINK_TAKEN;
    enum status status = run_batch_read(partition, topic, limit, err);
    size_t i = 0;
    for (; status == STATUS_OK && outcome == SINK_TAKEN && i < batch->count; i++) {
        outcome = sink_writer_take(writer, &batch->records[i], &failure);
    }
    *taken += i;
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

/* Takes records up to the end of the log, or `*budget` of them, which grows less; queues the rest.
 */
static enum status run_partition(struct connect_partition *partition, size_t *budget,
                                 struct error *err)
{
    struct connector *connector = partition->connector;
    const struct store_topic *topic = connect_partition_topic(partition);
    enum status status = STATUS_OK;
    if (topic == NULL) {
        connector->assign_due = true; /* it is gone, or another one of its name is there */
        return STATUS_OK;
    }
    status = run_ready_sink(connector, err);
    /* A failure hands its partitions to other tasks: not in the middle of this one. */
    while (status == STATUS_OK && *budget > 0 && !connector->assign_due &&
           run_is_running(partition) && partition->writer.retry_us == 0 &&
           connect_partition_has_more(partition, topic)) {
        size_t taken = 0;
        status = run_partition_take(partition, topic, *budget, &taken, err);
        *budget -= taken < *budget ? taken : *budget;
    }
    if (status == STATUS_OK && !connector->assign_due && run_is_running(partition) &&
        connect_partition_has_more(partition, topic)) {
        connect_queue_add(&connector->worker->behind, partition);
    }
    return status;
}

/* --- what the clock brings -------------------------------------------------------------------- */

static enum status run_partition_on_time(struct connect_partition *partition, int64_t now_us,
                                         struct error *err)
{
    struct sink_failure failure = {.count = 0};
    struct sink_writer *writer = &partition->writer;
    const struct store_topic *topic = connect_partition_topic(partition);
    if (writer->retry_us != 0 && now_us >= writer->retry_us) {
        writer->retry_us = 0;
        connect_partition_enqueue(partition);
    }
    if (topic == NULL || sink_writer_due_ms(writer) == INT64_MAX) {
        return STATUS_OK;
    }
    enum status status = run_ready_sink(partition->connector, err);
    if (status == STATUS_OK) {
        enum sink_outcome outcome = sink_writer_rest(writer, &failure);
        status = run_settle(partition, outcome, &failure, err);
    }
    return status == STATUS_OK ? run_commit_offset(partition, topic, err) : status;
}

static bool run_has_clock(const struct connector *connector)
{
    return connector->has_retry || connector->config->rotate_schedule_interval_ms > 0;
}

static enum status run_clock(struct connect_worker *worker, struct error *err)
{
    int64_t now_us = worker->options.env->monotonic_us(worker->options.env);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < worker->count && status == STATUS_OK; i++) {
        struct connector *connector = worker->connectors[i];
        bool wanted = run_has_clock(connector);
        connector->has_retry = false;
        for (size_t k = 0; wanted && status == STATUS_OK && k < connector->partition_count; k++) {
            status = run_partition_on_time(connector->partitions[k], now_us, err);
            connector->has_retry |= connector->partitions[k]->writer.retry_us != 0;
        }
    }
    return status;
}

static int64_t run_partition_due_us(const struct connect_partition *partition, int64_t wall_ms,
                                    int64_t now_us)
{
    int64_t due_us = partition->writer.retry_us != 0 ? partition->writer.retry_us : INT64_MAX;
    int64_t rotation_ms = sink_writer_due_ms(&partition->writer);
    if (rotation_ms != INT64_MAX) {
        int64_t rotation_us = now_us + (rotation_ms > wall_ms ? rotation_ms - wall_ms : 0) * 1000;
        due_us = rotation_us < due_us ? rotation_us : due_us;
    }
    return due_us;
}

static void run_arm_timer(struct connect_worker *worker)
{
    struct env *env = worker->options.env;
    int64_t now_us = env->monotonic_us(env);
    int64_t wall_ms = env->wall_us(env) / 1000;
    int64_t due_us = worker->reload_due ? now_us + CONNECT_RELOAD_RETRY_MS * 1000 : INT64_MAX;
    for (size_t i = 0; i < worker->count; i++) {
        const struct connector *connector = worker->connectors[i];
        for (size_t k = 0; run_has_clock(connector) && k < connector->partition_count; k++) {
            int64_t own_us = run_partition_due_us(connector->partitions[k], wall_ms, now_us);
            due_us = own_us < due_us ? own_us : due_us;
        }
    }
    if (due_us == INT64_MAX) {
        timer_clear(worker->options.timers, &worker->timer);
    } else {
        /* A slot was reserved for it. */
        enum status armed = timer_set(worker->options.timers, &worker->timer, due_us);
        PP_ASSERT(armed == STATUS_OK);
    }
}

/* --- the run ---------------------------------------------------------------------------------- */

static enum status run_prepare(struct connect_worker *worker, struct error *err)
{
    size_t topics = store_topic_count(worker->options.store);
    bool changed = topics != worker->topic_count;
    worker->topic_count = topics;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < worker->count && status == STATUS_OK; i++) {
        struct connector *connector = worker->connectors[i];
        connector->bucket_known = false;
        connector->sink.now_ms = worker->options.env->wall_us(worker->options.env) / 1000;
        if (connector->start_due) {
            status = run_start_tasks(connector, err);
        }
        if (status == STATUS_OK && (connector->assign_due || changed)) {
            status = connector_assign(connector, err);
        }
    }
    return status;
}

/* Partitions whose task failed have gone to others. True: there was one. */
static enum status run_reassign(struct connect_worker *worker, bool *any, struct error *err)
{
    enum status status = STATUS_OK;
    *any = false;
    for (size_t i = 0; i < worker->count && status == STATUS_OK; i++) {
        if (worker->connectors[i]->assign_due) {
            *any = true;
            status = connector_assign(worker->connectors[i], err);
        }
    }
    return status;
}

static enum status run_drain(struct connect_worker *worker, struct error *err)
{
    struct env *env = worker->options.env;
    size_t fresh = CONNECT_RUN_RECORDS_MAX;
    size_t behind = CONNECT_BEHIND_RECORDS_MAX;
    int64_t until_us = env->monotonic_us(env) + CONNECT_BEHIND_US_MAX;
    enum status status = STATUS_OK;
    bool again = true;
    while (status == STATUS_OK && again) {
        struct connect_partition *partition;
        while (status == STATUS_OK && (partition = connect_queue_take(&worker->fresh)) != NULL) {
            status = run_partition(partition, &fresh, err);
        }
        while (status == STATUS_OK && behind > 0 && env->monotonic_us(env) <= until_us &&
               (partition = connect_queue_take(&worker->behind)) != NULL) {
            size_t slice = behind < CONNECT_BATCH_RECORDS ? behind : CONNECT_BATCH_RECORDS;
            size_t left = slice;
            status = run_partition(partition, &left, err);
            behind -= slice - left;
        }
        if (status == STATUS_OK) {
            status = run_reassign(worker, &again, err);
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
    if (status == STATUS_OK && worker->timer_fired) {
        worker->timer_fired = false;
        status = run_clock(worker, &err);
    }
    if (status == STATUS_OK) {
        status = run_drain(worker, &err);
    }
    if (status != STATUS_OK) {
        LOG_WARNF(worker->options.log, "sink", "%s; everything begins again where it was committed",
                  err.message);
        worker->reload_due = true;
    }
    run_arm_timer(worker);
    worker->work_due |=
        status == STATUS_OK && (worker->fresh.first != NULL || worker->behind.first != NULL);
    return worker->work_due;
}
