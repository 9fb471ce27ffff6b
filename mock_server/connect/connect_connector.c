#include "connect_worker_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- tasks ------------------------------------------------------------------------------------ */

static char *text_copy(struct span text)
{
    char *copy = text.len > 0 ? malloc(text.len + 1) : NULL;
    if (copy != NULL) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
    }
    return copy;
}

void connector_set_state(struct connector *connector, int task, enum connect_state state,
                         struct span trace)
{
    struct connect_task *t = &connector->tasks[task];
    char *copy = text_copy(trace);
    free(t->trace);
    t->trace = copy;
    connector->views[task] =
        (struct connect_task_view){.state = state, .trace = span_from_cstr(copy)};
    connector->start_due |= state == CONNECT_UNASSIGNED;
    connector->assign_due = true;
    connector->worker->work_due = true;
    connector->worker->states_changed = true;
}

void connector_keep_states(struct connector *connector)
{
    for (size_t i = 0; i < connector->task_count; i++) {
        struct connect_task *task = &connector->tasks[i];
        free(task->kept_trace);
        task->kept_trace = text_copy(connector->views[i].trace);
        task->kept_state = connector->views[i].state;
    }
}

void connector_restore_states(struct connector *connector)
{
    for (size_t i = 0; i < connector->task_count; i++) {
        struct connect_task *task = &connector->tasks[i];
        connector_set_state(connector, (int)i, task->kept_state, span_from_cstr(task->kept_trace));
    }
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

static enum status keep_row(struct connector *connector, const struct store_connector *row,
                            struct error *err)
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

static enum status parse_config(struct connector *connector, struct error *err)
{
    struct connect_findings findings = {.errors = NULL};
    enum status status =
        connect_entries_parse(&connector->arena, connector->config_text, &connector->entries, err);
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

static enum status make_tasks(struct connector *connector, struct error *err)
{
    /* A connector that cannot start has none. */
    int wanted = connector->config->connector_fault.len > 0 ? 0 : connector->config->tasks_max;
    size_t count = wanted > 0 ? (size_t)wanted : 0;
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

static void start_sink(struct connector *connector)
{
    struct connect_worker *worker = connector->worker;
    struct sink_options options = {
        .store = worker->options.store,
        .crypto = worker->options.crypto,
        .broker = worker->options.broker,
        .env = worker->options.env,
        .log = worker->options.log,
        .config = connector->config,
        .scratch = &worker->scratch,
        .open_streams = &worker->open_streams,
        .open_gzip = &worker->open_gzip,
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
    enum status status = keep_row(connector, row, err);
    status = status == STATUS_OK ? parse_config(connector, err) : status;
    status = status == STATUS_OK ? make_tasks(connector, err) : status;
    if (status == STATUS_OK && connector->config->topics_regex.len > 0) {
        connector->pattern = group_pattern_new(connector->config->topics_regex, err);
        status = connector->pattern != NULL ? STATUS_OK : STATUS_INVALID;
    }
    if (status != STATUS_OK) {
        connector_free(connector);
        return status;
    }
    start_sink(connector);
    *out = connector;
    return STATUS_OK;
}

void connector_free(struct connector *connector)
{
    connector_release_partitions(connector);
    sink_release(&connector->sink);
    group_pattern_free(connector->pattern);
    for (size_t i = 0; i < connector->task_count; i++) {
        free(connector->tasks[i].trace);
        free(connector->tasks[i].kept_trace);
    }
    free(connector->views);
    free(connector->tasks);
    free(connector->partitions);
    arena_release(&connector->arena);
    free(connector);
}

/* --- topics ----------------------------------------------------------------------------------- */

bool connector_wants(struct connector *connector, struct span topic)
{
    struct span rest = connector->config->topics;
    struct span name;
    if (connector->pattern != NULL) {
        /* exclude.internal.topics hides what only the broker writes. */
        return !span_equal_cstr(topic, "__consumer_offsets") &&
               !span_equal_cstr(topic, "__transaction_state") &&
               group_pattern_matches(connector->pattern, topic);
    }
    while (span_next_part(&rest, ',', &name)) {
        if (span_equal(span_trim(name), topic)) {
            return true;
        }
    }
    return false;
}

/* Once: it looks like a connector whose topics do not exist. */
static void tell_if_gave_up(struct connector *connector)
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

/* --- partitions ------------------------------------------------------------------------------- */

static void partition_release(struct connect_partition *partition)
{
    sink_writer_release(&partition->writer);
    if (partition->queued) {
        partition->dead = true;
        partition->connector = NULL;
    } else {
        free(partition);
    }
}

void connector_release_partitions(struct connector *connector)
{
    for (size_t i = 0; i < connector->partition_count; i++) {
        partition_release(connector->partitions[i]);
    }
    connector->partition_count = 0;
    connector->topics_seen = 0;
}

static int place_compare(const struct connect_partition *a, int64_t topic_id, int32_t number)
{
    if (a->writer.topic_id != topic_id) {
        return a->writer.topic_id < topic_id ? -1 : 1;
    }
    return (a->writer.partition > number) - (a->writer.partition < number);
}

static int partition_order(const void *a, const void *b)
{
    const struct connect_partition *right = *(struct connect_partition *const *)b;
    return place_compare(*(struct connect_partition *const *)a, right->writer.topic_id,
                         right->writer.partition);
}

struct connect_partition *connector_partition(const struct connector *connector, int64_t topic_id,
                                              int32_t number)
{
    size_t low = 0;
    size_t high = connector->partition_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct connect_partition *partition = connector->partitions[middle];
        int order = place_compare(partition, topic_id, number);
        if (order == 0) {
            return partition;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* --- assigning -------------------------------------------------------------------------------- */

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

/* From the committed offset; without one, or when the log has no such offset, from the earliest. */
static enum status find_position(struct connect_partition *partition,
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

static enum status partition_new(struct assignment *a, const struct store_topic *topic,
                                 int32_t number, struct connect_partition **out)
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
    status = status == STATUS_OK ? find_position(partition, topic, a->err) : status;
    if (status != STATUS_OK) {
        partition_release(partition);
        return status;
    }
    *out = partition;
    return STATUS_OK;
}

static enum status push(struct assignment *a, struct connect_partition *partition)
{
    if (a->count == a->cap) {
        size_t cap = a->cap == 0 ? 16 : a->cap * 2;
        struct connect_partition **grown =
            realloc(a->partitions, cap * sizeof(struct connect_partition *));
        if (grown == NULL) {
            return error_set(a->err, STATUS_NO_MEMORY, "out of memory");
        }
        a->partitions = grown;
        a->cap = cap;
    }
    a->partitions[a->count++] = partition;
    return STATUS_OK;
}

/* The range assignor: the partitions of each topic are shared out in runs, the first tasks having
 * one more when they do not come out even. */
static int range_task(const struct assignment *a, int32_t partition_count, int32_t number)
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
        int task = range_task(a, topic->partition_count, number);
        struct connect_partition *partition = connector_partition(a->connector, topic->id, number);
        enum status status = STATUS_OK;
        if (partition == NULL) {
            status = partition_new(a, topic, number, &partition);
        } else if (partition->writer.task != task) {
            sink_writer_rewind(&partition->writer); /* another consumer begins at the commit */
        }
        if (status == STATUS_OK) {
            partition->writer.task = task;
            status = push(a, partition);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static enum status find_live(struct assignment *a)
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

/* Puts the new list in the place of the old one; what is only in the old one is let go. */
static void replace_partitions(struct assignment *a)
{
    struct connector *connector = a->connector;
    if (a->count > 1) {
        qsort(a->partitions, a->count, sizeof(struct connect_partition *), partition_order);
    }
    size_t kept = 0;
    for (size_t i = 0; i < connector->partition_count; i++) {
        struct connect_partition *old = connector->partitions[i];
        while (kept < a->count && partition_order(&a->partitions[kept], &old) < 0) {
            kept++;
        }
        if (kept == a->count || a->partitions[kept] != old) {
            partition_release(old);
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
    enum status status = find_live(&a);
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
    tell_if_gave_up(connector);
    if (status == STATUS_OK) {
        replace_partitions(&a);
        connector->topics_seen = seen;
        connector->assign_due = false;
    } else {
        for (size_t i = 0; i < a.count; i++) {
            struct connect_partition *p = a.partitions[i];
            if (connector_partition(connector, p->writer.topic_id, p->writer.partition) != p) {
                partition_release(p);
            }
        }
    }
    free(a.partitions);
    free(a.live);
    return status;
}
