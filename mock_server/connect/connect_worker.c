#include "connect_worker_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- life ------------------------------------------------------------------------------------- */

enum status connect_worker_new(const struct connect_worker_options *options,
                               struct connect_worker **out, struct error *err)
{
    struct connect_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL || timer_heap_reserve(options->timers, 1) != STATUS_OK) {
        free(worker);
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    worker->options = *options;
    worker->timer.fire = connect_worker_on_timer;
    worker->pool.budget = options->budget;
    sink_scratch_init(&worker->scratch);
    buf_init(&worker->batch.bytes, SINK_TEXT_BYTES_MAX);
    broker_listen(options->broker,
                  (struct broker_listener){.on_append = connect_worker_on_append, .ctx = worker});
    enum status status = connect_set_load(worker, err);
    if (status != STATUS_OK) {
        connect_worker_free(worker);
        return status;
    }
    *out = worker;
    return STATUS_OK;
}

void connect_worker_free(struct connect_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    broker_unlisten(worker->options.broker, worker);
    undo_drop(store_undo_log(worker->options.store), worker);
    timer_clear(worker->options.timers, &worker->timer);
    timer_heap_unreserve(worker->options.timers, 1);
    for (size_t i = 0; i < worker->count; i++) {
        connector_free(worker->connectors[i]);
    }
    PP_ASSERT(worker->partitions.count == 0);
    connect_worker_note_bytes(worker, &worker->partitions.counted, 0);
    free(worker->partitions.buckets);
    free(worker->connectors);
    sink_pool_release(&worker->pool);
    sink_scratch_release(&worker->scratch);
    buf_release(&worker->batch.bytes);
    free(worker);
}

struct turn_work connect_worker_work(struct connect_worker *worker)
{
    return (struct turn_work){.run = connect_worker_run, .ctx = worker};
}

const char *connect_worker_cluster_id(const struct connect_worker *worker)
{
    return store_cluster_id(worker->options.store);
}

/* --- looking ---------------------------------------------------------------------------------- */

/* A lost turn's changes are not shown. When reloading fails there is what there was. */
static void worker_look(struct connect_worker *worker)
{
    struct error err;
    if (worker->stale && connect_set_enter(worker, &err) != STATUS_OK) {
        LOG_WARNF(worker->options.log, "sink", "%s", err.message);
    }
}

size_t connect_worker_count(struct connect_worker *worker)
{
    worker_look(worker);
    return worker->count;
}

static struct connect_connector_view view_of(const struct connector *connector)
{
    bool failed = connector->config->connector_fault.len > 0;
    return (struct connect_connector_view){
        .name = connector->name,
        .config = &connector->entries,
        .state = failed              ? CONNECT_FAILED
                 : connector->paused ? CONNECT_PAUSED
                                     : CONNECT_RUNNING,
        .trace = connector->config->connector_fault,
        .tasks = connector->views,
        .task_count = connector->task_count,
        .created_ms = connector->created_ms,
        .msk = connector->msk,
    };
}

struct connect_connector_view connect_worker_at(const struct connect_worker *worker, size_t index)
{
    PP_ASSERT(index < worker->count);
    return view_of(worker->connectors[index]);
}

bool connect_worker_find(struct connect_worker *worker, struct span name,
                         struct connect_connector_view *out)
{
    worker_look(worker);
    const struct connector *connector = connect_set_find(worker, name);
    if (connector != NULL) {
        *out = view_of(connector);
    }
    return connector != NULL;
}

/* --- changing --------------------------------------------------------------------------------- */

/* Enters the turn and finds the connector. */
static enum status worker_enter_with(struct connect_worker *worker, struct span name,
                                     struct connector **out, struct error *err)
{
    enum status status = connect_set_enter(worker, err);
    if (status == STATUS_OK) {
        *out = connect_set_find(worker, name);
        if (*out == NULL) {
            status = error_set(err, STATUS_NOT_FOUND, "Connector %.*s not found", SPAN_ARG(name));
        }
    }
    return status;
}

static enum status worker_put_row(struct connector *connector, bool paused, struct error *err)
{
    struct store_connector row = {.name = connector->name,
                                  .config = connector->config_text,
                                  .msk = connector->msk,
                                  .paused = paused,
                                  .created_ms = connector->created_ms};
    return store_connector_put(connector->worker->options.store, &row, err);
}

/* The rows of tasks that a smaller tasks.max leaves over. */
static enum status worker_drop_task_rows(struct connector *connector, struct error *err)
{
    return store_connector_task_put(connector->worker->options.store, connector->name,
                                    (int)connector->task_count, NULL, SPAN_EMPTY, err);
}

static enum status worker_put_connector(struct connect_worker *worker,
                                        const struct store_connector *row, struct error *err)
{
    struct connector *old = connect_set_find(worker, row->name);
    struct connector *made = NULL;
    if (old == NULL && worker->count >= CONNECT_CONNECTORS_MAX) {
        return error_set(err, STATUS_LIMIT, "there may be %d connectors", CONNECT_CONNECTORS_MAX);
    }
    enum status status = connect_set_reserve(worker, err);
    status = status == STATUS_OK ? connector_new(worker, row, &made, err) : status;
    if (status != STATUS_OK) {
        return status;
    }
    status = store_connector_put(worker->options.store, row, err);
    status = status == STATUS_OK ? worker_drop_task_rows(made, err) : status;
    if (status != STATUS_OK) {
        connector_free(made);
        return status;
    }
    if (old != NULL) {
        connect_set_remove(worker, old);
    }
    connect_set_insert(worker, made);
    return STATUS_OK;
}

static bool worker_put_is_unchanged(const struct connector *connector,
                                    const struct connect_spec *spec)
{
    return span_equal(connector->msk, spec->msk) &&
           connect_entries_equal(&connector->entries, spec->config);
}

enum status connect_worker_put(struct connect_worker *worker, const struct connect_spec *spec,
                               struct error *err)
{
    struct env *env = worker->options.env;
    struct buf config;
    enum status status = connect_set_enter(worker, err);
    if (status != STATUS_OK) {
        return status;
    }
    const struct connector *old = connect_set_find(worker, spec->name);
    if (old != NULL && worker_put_is_unchanged(old, spec)) {
        return STATUS_OK;
    }
    buf_init(&config, CONNECT_CONFIG_BYTES_MAX);
    connect_entries_write(spec->config, &config);
    struct store_connector row = {
        .name = spec->name,
        .config = buf_span(&config),
        .msk = spec->msk,
        .paused = old != NULL && old->paused,
        .created_ms = old != NULL ? old->created_ms : env->wall_us(env) / 1000,
    };
    status = buf_ok(&config)
                 ? worker_put_connector(worker, &row, err)
                 : buf_error(&config, err, STATUS_LIMIT, "a configuration may have %d bytes",
                             CONNECT_CONFIG_BYTES_MAX);
    buf_release(&config);
    return status;
}

enum status connect_worker_delete(struct connect_worker *worker, struct span name,
                                  struct error *err)
{
    struct connector *connector = NULL;
    enum status status = worker_enter_with(worker, name, &connector, err);
    if (status == STATUS_OK) {
        status = store_connector_delete(worker->options.store, name, err);
    }
    if (status == STATUS_OK) {
        connect_set_remove(worker, connector);
    }
    return status;
}

enum status connect_worker_pause(struct connect_worker *worker, struct span name, bool paused,
                                 struct error *err)
{
    struct connector *connector = NULL;
    enum status status = worker_enter_with(worker, name, &connector, err);
    if (status != STATUS_OK || connector->paused == paused) {
        return status;
    }
    status = worker_put_row(connector, paused, err);
    if (status == STATUS_OK) {
        connector->paused = paused;
        connector_apply_paused(connector);
        for (size_t i = 0; i < connector->task_count && status == STATUS_OK; i++) {
            status = connector_put_task_row(connector, (int)i, err);
        }
    }
    return status;
}

enum status connect_worker_restart(struct connect_worker *worker, struct span name,
                                   struct error *err)
{
    /* A connector that runs goes on as it is, and one whose configuration keeps it from starting
     * fails again in the same way: its tasks are not touched (before Connect 3.0). */
    struct connector *connector = NULL;
    return worker_enter_with(worker, name, &connector, err);
}

enum status connect_worker_restart_task(struct connect_worker *worker, struct span name, int task,
                                        struct error *err)
{
    struct connector *connector = NULL;
    enum status status = worker_enter_with(worker, name, &connector, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (task < 0 || (size_t)task >= connector->task_count) {
        return error_set(err, STATUS_NOT_FOUND, "Unknown task: %.*s-%d", SPAN_ARG(name), task);
    }
    for (struct connect_partition *p = connector->partitions; p != NULL; p = p->own_next) {
        if (p->writer.task == task) {
            connect_partition_wake(p);
            sink_writer_rewind(&p->writer);
        }
    }
    connector_set_state(connector, task, CONNECT_UNASSIGNED, SPAN_EMPTY);
    return STATUS_OK;
}

enum status connect_worker_topics(struct connect_worker *worker, struct span name,
                                  bool (*visit)(void *ctx, struct span topic), void *ctx,
                                  struct error *err)
{
    struct connector *connector = NULL;
    enum status status = worker_enter_with(worker, name, &connector, err);
    return status == STATUS_OK
               ? store_connector_topics_visit(worker->options.store, name, visit, ctx, err)
               : status;
}

enum status connect_worker_topics_reset(struct connect_worker *worker, struct span name,
                                        struct error *err)
{
    struct connector *connector = NULL;
    enum status status = worker_enter_with(worker, name, &connector, err);
    if (status == STATUS_OK) {
        status = store_connector_topics_reset(worker->options.store, name, err);
    }
    if (status == STATUS_OK) {
        connect_topics_forget_notes(connector);
    }
    return status;
}
