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

/* --- tasks ------------------------------------------------------------------------------------ */

static char *trace_copy(struct span text)
{
    char *copy = text.len > 0 ? malloc(text.len + 1) : NULL;
    if (copy != NULL) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
    }
    return copy;
}

/* The text is the task's now. */
static void task_show(struct connector *connector, size_t task, enum connect_state state,
                      char *trace)
{
    connector->tasks[task].trace = trace;
    connector->views[task] =
        (struct connect_task_view){.state = state, .trace = span_from_cstr(trace)};
    connector->start_due |= state == CONNECT_UNASSIGNED;
    connector->assign_due = true;
}

void connector_set_state(struct connector *connector, int task, enum connect_state state,
                         struct span trace)
{
    struct connect_worker *worker = connector->worker;
    struct connect_task *t = &connector->tasks[task];
    char *copy = trace_copy(trace);
    PP_ASSERT(connect_worker_is_noted(worker));
    if (t->changed) {
        free(t->trace);
    } else {
        free(t->kept_trace);
        t->kept_trace = t->trace;
        t->kept_state = connector->views[task].state;
        t->changed = true;
    }
    task_show(connector, (size_t)task, state, copy);
    worker->work_due = true;
}

enum status connector_put_task_row(struct connector *connector, int task, struct error *err)
{
    const struct connect_task_view *view = &connector->views[task];
    return store_connector_task_put(connector->worker->options.store, connector->name, task,
                                    connect_state_name(view->state), view->trace, err);
}

void connector_keep_states(struct connector *connector)
{
    for (size_t i = 0; i < connector->task_count; i++) {
        connector->tasks[i].changed = false;
    }
}

void connector_restore_states(struct connector *connector)
{
    for (size_t i = 0; i < connector->task_count; i++) {
        struct connect_task *task = &connector->tasks[i];
        if (task->changed) {
            free(task->trace);
            task_show(connector, i, task->kept_state, task->kept_trace);
            task->kept_trace = NULL;
            task->changed = false;
        }
    }
}

void connector_starve(struct connector *connector, int task)
{
    connector->tasks[task].starved = true;
    connector->starved = true;
    connector->worker->work_due = true;
}

void connector_apply_paused(struct connector *connector)
{
    enum connect_state from = connector->paused ? CONNECT_RUNNING : CONNECT_PAUSED;
    enum connect_state to = connector->paused ? CONNECT_PAUSED : CONNECT_RUNNING;
    for (size_t i = 0; i < connector->task_count; i++) {
        if (connector->views[i].state == from) {
            connector_set_state(connector, (int)i, to, SPAN_EMPTY);
        }
    }
}

/* --- life ------------------------------------------------------------------------------------- */

enum { arena_bytes_max = 8 * CONNECT_CONFIG_BYTES_MAX };

static enum status connector_keep_row(struct connector *connector,
                                      const struct store_connector *row, struct error *err)
{
    struct arena *arena = &connector->arena;
    const char *name = arena_copy_cstr(arena, row->name);
    const char *config = arena_copy_cstr(arena, row->config);
    const char *msk = arena_copy_cstr(arena, row->msk);
    const char *group = arena_printf(arena, "connect-%.*s", SPAN_ARG(row->name));
    if (name == NULL || config == NULL || msk == NULL || group == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    connector->name = span_from(name, row->name.len);
    connector->config_text = span_from(config, row->config.len);
    connector->msk = span_from(msk, row->msk.len);
    connector->group = span_from_cstr(group);
    connector->paused = row->paused;
    connector->created_ms = row->created_ms;
    return STATUS_OK;
}

static enum status connector_parse_config(struct connector *connector, struct error *err)
{
    struct connect_findings findings = {.errors = NULL};
    struct connect_entries entries;
    struct arena work;
    arena_init(&work, arena_bytes_max);
    enum status status = connect_entries_parse(&work, connector->config_text, &entries, err);
    if (status == STATUS_OK &&
        !connect_entries_copy(&connector->arena, &entries, &connector->entries)) {
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    arena_release(&work);
    if (status == STATUS_OK) {
        status = connect_config_parse(&connector->arena, &connector->entries, &connector->config,
                                      &findings, err);
    }
    if (status == STATUS_OK && findings.count > 0) {
        status = error_set(err, STATUS_INVALID, "connector %.*s: %s", SPAN_ARG(connector->name),
                           findings.errors[0]);
    }
    return status;
}

static enum status connector_make_tasks(struct connector *connector, struct error *err)
{
    /* A connector that cannot start has none. */
    int wanted = connector->config->connector_fault.len > 0 ? 0 : connector->config->tasks_max;
    size_t count = wanted > 0 ? (size_t)wanted : 0;
    size_t bytes = sizeof(*connector) + connector->arena.used_bytes +
                   count * (sizeof(*connector->views) + sizeof(*connector->tasks));
    if (!connect_worker_count_bytes(connector->worker, &connector->counted, bytes)) {
        return connect_worker_refuse(connector->worker, err);
    }
    connector->views = calloc(count + 1, sizeof(*connector->views));
    connector->tasks = calloc(count + 1, sizeof(*connector->tasks));
    if (connector->views == NULL || connector->tasks == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    connector->task_count = count;
    for (size_t i = 0; i < count; i++) {
        connector->views[i].trace = SPAN_EMPTY; /* UNASSIGNED, and so is what is kept */
    }
    connector->start_due = count > 0;
    return STATUS_OK;
}

static void connector_start_sink(struct connector *connector)
{
    struct connect_worker *worker = connector->worker;
    struct sink_options options = {
        .store = worker->options.store,
        .crypto = worker->options.crypto,
        .broker = worker->options.broker,
        .policy = worker->options.policy,
        .env = worker->options.env,
        .log = worker->options.log,
        .config = connector->config,
        .scratch = &worker->scratch,
        .pool = &worker->pool,
    };
    sink_init(&connector->sink, &options);
}

enum status connector_new(struct connect_worker *worker, const struct store_connector *row,
                          struct connector **out, struct error *err)
{
    struct connector *connector = calloc(1, sizeof(*connector));
    if (connector == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    connector->worker = worker;
    connector->views = NULL;
    arena_init(&connector->arena, arena_bytes_max);
    enum status status = connector_keep_row(connector, row, err);
    status = status == STATUS_OK ? connector_parse_config(connector, err) : status;
    status = status == STATUS_OK ? connector_make_tasks(connector, err) : status;
    if (status == STATUS_OK && connector->config->topics_regex.len > 0) {
        struct error why = ERROR_NONE;
        connector->pattern = group_pattern_new(connector->config->topics_regex, &why);
        if (connector->pattern == NULL) {
            status = error_set(err, why.code, "%s", why.message);
        }
    }
    if (status != STATUS_OK) {
        connector_free(connector);
        return status;
    }
    connector_start_sink(connector);
    *out = connector;
    return STATUS_OK;
}

void connector_free(struct connector *connector)
{
    connector_reset(connector);
    sink_release(&connector->sink);
    group_pattern_free(connector->pattern);
    for (size_t i = 0; i < connector->task_count; i++) {
        free(connector->tasks[i].trace);
        free(connector->tasks[i].kept_trace);
    }
    free(connector->views);
    free(connector->tasks);
    free(connector->live);
    arena_release(&connector->arena);
    connect_worker_note_bytes(connector->worker, &connector->counted, 0);
    free(connector);
}

void connector_reset(struct connector *connector)
{
    while (connector->partitions != NULL) {
        connect_partition_free(connector->partitions);
    }
    connect_topics_reset(connector);
    connector->live_count = 0;
    connector->scan.due = false;
    connector->period_end_ms = 0;
    connector->period_topic_id = 0;
}
