#include "connect_worker_internal.h"

#include <stdlib.h>
#include <string.h>

const char *connect_state_name(enum connect_state state)
{
    static const char *const names[] = {
        [CONNECT_UNASSIGNED] = "UNASSIGNED",
        [CONNECT_RUNNING] = "RUNNING",
        [CONNECT_PAUSED] = "PAUSED",
        [CONNECT_FAILED] = "FAILED",
    };
    return names[state];
}

/* --- the list --------------------------------------------------------------------------------- */

/* Where the connector is, or belongs. */
static size_t place_of(const struct connect_worker *worker, struct span name, bool *found)
{
    size_t low = 0;
    size_t high = worker->count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = span_compare(worker->connectors[middle]->name, name);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct connector *find(const struct connect_worker *worker, struct span name)
{
    bool found;
    size_t place = place_of(worker, name, &found);
    return found ? worker->connectors[place] : NULL;
}

static enum status reserve(struct connect_worker *worker, struct error *err)
{
    if (worker->count < worker->cap) {
        return STATUS_OK;
    }
    size_t cap = worker->cap == 0 ? 8 : worker->cap * 2;
    struct connector **grown = realloc(worker->connectors, cap * sizeof(struct connector *));
    if (grown == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    worker->connectors = grown;
    worker->cap = cap;
    return STATUS_OK;
}

static void insert(struct connect_worker *worker, struct connector *connector)
{
    bool found;
    size_t place = place_of(worker, connector->name, &found);
    PP_ASSERT(!found && worker->count < worker->cap);
    memmove(&worker->connectors[place + 1], &worker->connectors[place],
            (worker->count - place) * sizeof(struct connector *));
    worker->connectors[place] = connector;
    worker->count++;
    worker->work_due = true;
}

static void remove_connector(struct connect_worker *worker, struct connector *connector)
{
    bool found;
    size_t place = place_of(worker, connector->name, &found);
    worker->count--;
    memmove(&worker->connectors[place], &worker->connectors[place + 1],
            (worker->count - place) * sizeof(struct connector *));
    connector_free(connector);
}

/* --- loading ---------------------------------------------------------------------------------- */

struct load {
    struct connect_worker *worker;
    struct connector **before;
    size_t before_count;
    enum status status;
    struct error err;
};

static struct connector *take_before(struct load *load, const struct store_connector *row)
{
    for (size_t i = 0; i < load->before_count; i++) {
        struct connector *c = load->before[i];
        if (c != NULL && span_equal(c->name, row->name) && c->created_ms == row->created_ms &&
            span_equal(c->config_text, row->config) && span_equal(c->msk, row->msk)) {
            load->before[i] = NULL;
            return c;
        }
    }
    return NULL;
}

/* One that is still what it was keeps its tasks' states; what they had taken in is gone. */
static bool load_row(void *ctx, const struct store_connector *row)
{
    struct load *load = ctx;
    struct connector *connector = take_before(load, row);
    load->status = reserve(load->worker, &load->err);
    if (load->status == STATUS_OK && connector != NULL) {
        connector_release_partitions(connector);
        connector->assign_due = true;
        connector->has_retry = false;
        if (connector->paused != row->paused) {
            connector->paused = row->paused;
            connector_apply_paused(connector);
        }
    } else if (load->status == STATUS_OK) {
        load->status = connector_new(load->worker, row, &connector, &load->err);
        if (load->status == STATUS_INVALID || load->status == STATUS_LIMIT) {
            /* A later version wrote it, or somebody with SQL: the others go on. */
            LOG_WARNF(load->worker->options.log, "sink", "connector %.*s is left out: %s",
                      SPAN_ARG(row->name), load->err.message);
            load->status = STATUS_OK;
            return true;
        }
    }
    if (load->status == STATUS_OK) {
        insert(load->worker, connector);
    } else if (connector != NULL) {
        connector_free(connector);
    }
    return load->status == STATUS_OK;
}

static enum status load_all(struct connect_worker *worker, struct error *err)
{
    struct load load = {.worker = worker,
                        .before = worker->connectors,
                        .before_count = worker->count,
                        .status = STATUS_OK};
    worker->connectors = NULL;
    worker->count = 0;
    worker->cap = 0;
    enum status status = store_connectors_visit(worker->options.store, load_row, &load, err);
    for (size_t i = 0; i < load.before_count; i++) {
        if (load.before[i] != NULL) {
            connector_free(load.before[i]);
        }
    }
    free(load.before);
    worker->work_due = true;
    if (status == STATUS_OK && load.status != STATUS_OK) {
        status = error_set(err, load.status, "%s", load.err.message);
    }
    return status;
}

enum status connect_worker_enter(struct connect_worker *worker, struct error *err)
{
    uint64_t generation = store_generation(worker->options.store);
    bool lost = generation != worker->generation;
    if (lost || worker->reload_due) {
        for (size_t i = 0; lost && i < worker->count; i++) {
            connector_restore_states(worker->connectors[i]);
        }
        worker->generation = generation;
        enum status status = load_all(worker, err);
        worker->reload_due = status != STATUS_OK;
        worker->turn_open = status == STATUS_OK;
        return status;
    }
    if (!worker->turn_open && worker->states_changed) {
        for (size_t i = 0; i < worker->count; i++) {
            connector_keep_states(worker->connectors[i]);
        }
        worker->states_changed = false;
    }
    worker->turn_open = true;
    return STATUS_OK;
}

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
    worker->generation = store_generation(options->store);
    sink_scratch_init(&worker->scratch);
    buf_init(&worker->batch.bytes, SINK_TEXT_BYTES_MAX);
    broker_listen(options->broker,
                  (struct broker_listener){.on_append = connect_worker_on_append, .ctx = worker});
    enum status status = load_all(worker, err);
    if (status != STATUS_OK) {
        connect_worker_free(worker);
        return status;
    }
    *out = worker;
    return STATUS_OK;
}

static void free_queue(struct connect_queue *queue)
{
    while (queue->first != NULL) {
        struct connect_partition *partition = queue->first;
        queue->first = partition->next;
        PP_ASSERT(partition->dead);
        free(partition);
    }
}

void connect_worker_free(struct connect_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    broker_unlisten(worker->options.broker, worker);
    timer_clear(worker->options.timers, &worker->timer);
    timer_heap_unreserve(worker->options.timers, 1);
    for (size_t i = 0; i < worker->count; i++) {
        connector_free(worker->connectors[i]);
    }
    free_queue(&worker->fresh);
    free_queue(&worker->behind);
    free(worker->connectors);
    sink_scratch_release(&worker->scratch);
    buf_release(&worker->batch.bytes);
    free(worker);
}

struct turn_work connect_worker_work(struct connect_worker *worker)
{
    return (struct turn_work){.run = connect_worker_run, .ctx = worker};
}

/* --- looking ---------------------------------------------------------------------------------- */

/* A lost turn's changes are not shown. When reloading fails there is what there was. */
static void look(struct connect_worker *worker)
{
    struct error err;
    if (store_generation(worker->options.store) != worker->generation &&
        connect_worker_enter(worker, &err) != STATUS_OK) {
        LOG_WARNF(worker->options.log, "sink", "%s", err.message);
    }
}

size_t connect_worker_count(struct connect_worker *worker)
{
    look(worker);
    return worker->count;
}

struct connect_connector_view connect_worker_at(const struct connect_worker *worker, size_t index)
{
    PP_ASSERT(index < worker->count);
    const struct connector *connector = worker->connectors[index];
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

bool connect_worker_find(struct connect_worker *worker, struct span name,
                         struct connect_connector_view *out)
{
    bool found;
    look(worker);
    size_t place = place_of(worker, name, &found);
    if (found) {
        *out = connect_worker_at(worker, place);
    }
    return found;
}

/* --- changing --------------------------------------------------------------------------------- */

/* Enters the turn and finds the connector. */
static enum status enter_with(struct connect_worker *worker, struct span name,
                              struct connector **out, struct error *err)
{
    enum status status = connect_worker_enter(worker, err);
    if (status == STATUS_OK) {
        *out = find(worker, name);
        if (*out == NULL) {
            status = error_set(err, STATUS_NOT_FOUND, "Connector %.*s not found", SPAN_ARG(name));
        }
    }
    return status;
}

static enum status put_row(struct connector *connector, bool paused, struct error *err)
{
    struct store_connector row = {.name = connector->name,
                                  .config = connector->config_text,
                                  .msk = connector->msk,
                                  .paused = paused,
                                  .created_ms = connector->created_ms};
    return store_connector_put(connector->worker->options.store, &row, err);
}

/* The rows of tasks that a smaller tasks.max leaves over. */
static enum status drop_task_rows(struct connector *connector, struct error *err)
{
    return store_connector_task_put(connector->worker->options.store, connector->name,
                                    (int)connector->task_count, NULL, SPAN_EMPTY, err);
}

static enum status put_connector(struct connect_worker *worker, const struct store_connector *row,
                                 struct error *err)
{
    struct connector *old = find(worker, row->name);
    struct connector *made = NULL;
    if (old == NULL && worker->count >= CONNECT_CONNECTORS_MAX) {
        return error_set(err, STATUS_LIMIT, "there may be %d connectors", CONNECT_CONNECTORS_MAX);
    }
    enum status status = reserve(worker, err);
    status = status == STATUS_OK ? connector_new(worker, row, &made, err) : status;
    if (status != STATUS_OK) {
        return status;
    }
    status = store_connector_put(worker->options.store, row, err);
    status = status == STATUS_OK ? drop_task_rows(made, err) : status;
    if (status != STATUS_OK) {
        connector_free(made);
        return status;
    }
    if (old != NULL) {
        remove_connector(worker, old);
    }
    insert(worker, made);
    worker->states_changed = true;
    return STATUS_OK;
}

static bool has_entry(const struct connect_entries *entries, const struct connect_entry *entry)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (span_equal(entries->items[i].key, entry->key)) {
            return span_equal(entries->items[i].value, entry->value);
        }
    }
    return false;
}

/* In any order. */
static bool is_unchanged(const struct connector *connector, const struct connect_spec *spec)
{
    const struct connect_entries *now = &connector->entries;
    bool same = now->count == spec->config->count && span_equal(connector->msk, spec->msk);
    for (size_t i = 0; i < now->count && same; i++) {
        same = has_entry(spec->config, &now->items[i]);
    }
    return same;
}

enum status connect_worker_put(struct connect_worker *worker, const struct connect_spec *spec,
                               struct error *err)
{
    struct env *env = worker->options.env;
    struct buf config;
    enum status status = connect_worker_enter(worker, err);
    if (status != STATUS_OK) {
        return status;
    }
    const struct connector *old = find(worker, spec->name);
    if (old != NULL && is_unchanged(old, spec)) {
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
    status = buf_ok(&config) ? put_connector(worker, &row, err)
                             : error_set(err, STATUS_LIMIT, "a configuration may have %d bytes",
                                         CONNECT_CONFIG_BYTES_MAX);
    buf_release(&config);
    return status;
}

enum status connect_worker_delete(struct connect_worker *worker, struct span name,
                                  struct error *err)
{
    struct connector *connector = NULL;
    enum status status = enter_with(worker, name, &connector, err);
    if (status == STATUS_OK) {
        status = store_connector_delete(worker->options.store, name, err);
    }
    if (status == STATUS_OK) {
        remove_connector(worker, connector);
    }
    return status;
}

/* What tasks are now, for readers of the table; those that are about to start say so themselves. */
static enum status put_task_rows(struct connector *connector, struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < connector->task_count && status == STATUS_OK; i++) {
        const struct connect_task_view *view = &connector->views[i];
        status = store_connector_task_put(connector->worker->options.store, connector->name, (int)i,
                                          connect_state_name(view->state), view->trace, err);
    }
    return status;
}

enum status connect_worker_pause(struct connect_worker *worker, struct span name, bool paused,
                                 struct error *err)
{
    struct connector *connector = NULL;
    enum status status = enter_with(worker, name, &connector, err);
    if (status != STATUS_OK || connector->paused == paused) {
        return status;
    }
    status = put_row(connector, paused, err);
    if (status == STATUS_OK) {
        connector->paused = paused;
        connector_apply_paused(connector);
        status = put_task_rows(connector, err);
    }
    return status;
}

enum status connect_worker_restart(struct connect_worker *worker, struct span name,
                                   struct error *err)
{
    /* A connector that runs goes on as it is, and one whose configuration keeps it from starting
     * fails again in the same way: its tasks are not touched (before Connect 3.0). */
    struct connector *connector = NULL;
    return enter_with(worker, name, &connector, err);
}

enum status connect_worker_restart_task(struct connect_worker *worker, struct span name, int task,
                                        struct error *err)
{
    struct connector *connector = NULL;
    enum status status = enter_with(worker, name, &connector, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (task < 0 || (size_t)task >= connector->task_count) {
        return error_set(err, STATUS_NOT_FOUND, "Unknown task: %.*s-%d", SPAN_ARG(name), task);
    }
    for (size_t i = 0; i < connector->partition_count; i++) {
        if (connector->partitions[i]->writer.task == task) {
            connector->partitions[i]->writer.retry_us = 0;
            sink_writer_rewind(&connector->partitions[i]->writer);
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
    enum status status = enter_with(worker, name, &connector, err);
    return status == STATUS_OK
               ? store_connector_topics_visit(worker->options.store, name, visit, ctx, err)
               : status;
}

enum status connect_worker_topics_reset(struct connect_worker *worker, struct span name,
                                        struct error *err)
{
    struct connector *connector = NULL;
    enum status status = enter_with(worker, name, &connector, err);
    if (status == STATUS_OK) {
        status = store_connector_topics_reset(worker->options.store, name, err);
    }
    for (size_t i = 0; status == STATUS_OK && i < connector->partition_count; i++) {
        connector->partitions[i]->topic_noted = false;
    }
    return status;
}
