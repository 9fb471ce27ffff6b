/* A Connect worker that keeps connectors in memory and runs nothing: connect_worker.h for tests of
 * the two APIs on it. Included by the test program itself, whose definitions then stand before the
 * library's. Tests reach into it to let tasks fail. */
#ifndef PINPIPE_TESTS_FAKE_WORKER_H
#define PINPIPE_TESTS_FAKE_WORKER_H

#include "connect_worker.h"

#include <stdlib.h>
#include <string.h>

enum { FAKE_CONNECTORS_MAX = 8, FAKE_TASKS_MAX = 8, FAKE_ARENA_BYTES = 1024 * 1024 };

struct fake_connector {
    struct connect_connector_view view;
    struct connect_entries config;
    struct connect_task_view tasks[FAKE_TASKS_MAX];
    struct arena arena;
};

struct connect_worker {
    struct fake_connector *connectors[FAKE_CONNECTORS_MAX]; /* in name order */
    size_t count;
    int restarts;       /* of connectors */
    int task_restarted; /* the last one; -1: none */
    int topic_resets;
    enum status fail; /* not OK: what put and delete return */
};

const char *connect_state_name(enum connect_state state)
{
    static const char *const names[] = {"UNASSIGNED", "RUNNING", "PAUSED", "FAILED"};
    return names[state];
}

size_t connect_worker_count(const struct connect_worker *worker)
{
    return worker->count;
}

struct connect_connector_view connect_worker_at(const struct connect_worker *worker, size_t index)
{
    return worker->connectors[index]->view;
}

static size_t fake_position(const struct connect_worker *worker, struct span name)
{
    size_t i = 0;
    while (i < worker->count && !span_equal(worker->connectors[i]->view.name, name)) {
        i++;
    }
    return i;
}

static struct fake_connector *fake_find(const struct connect_worker *worker, struct span name)
{
    size_t i = fake_position(worker, name);
    return i < worker->count ? worker->connectors[i] : NULL;
}

bool connect_worker_find(const struct connect_worker *worker, struct span name,
                         struct connect_connector_view *out)
{
    const struct fake_connector *found = fake_find(worker, name);
    if (found != NULL) {
        *out = found->view;
    }
    return found != NULL;
}

static void fake_drop(struct connect_worker *worker, size_t i)
{
    arena_release(&worker->connectors[i]->arena);
    free(worker->connectors[i]);
    memmove(&worker->connectors[i], &worker->connectors[i + 1],
            (worker->count - i - 1) * sizeof(worker->connectors[0]));
    worker->count--;
}

static struct span fake_copy(struct arena *arena, struct span text)
{
    return span_from(arena_copy_cstr(arena, text), text.len);
}

enum status connect_worker_put(struct connect_worker *worker, const struct connect_spec *spec,
                               struct error *err)
{
    struct fake_connector *made = calloc(1, sizeof(*made));
    const struct connect_entry *tasks = connect_entries_find(spec->config, "tasks.max");
    if (worker->fail != STATUS_OK) {
        free(made);
        return error_set(err, worker->fail, "the fake worker fails");
    }
    arena_init(&made->arena, FAKE_ARENA_BYTES);
    made->config.items =
        arena_alloc_array(&made->arena, spec->config->count + 1, sizeof(made->config.items[0]));
    for (size_t i = 0; i < spec->config->count; i++) {
        made->config.items[made->config.count++] =
            (struct connect_entry){fake_copy(&made->arena, spec->config->items[i].key),
                                   fake_copy(&made->arena, spec->config->items[i].value)};
    }
    made->view = (struct connect_connector_view){
        .name = fake_copy(&made->arena, spec->name),
        .config = &made->config,
        .state = CONNECT_RUNNING,
        .tasks = made->tasks,
        .task_count = tasks != NULL ? (size_t)strtoul(tasks->value.ptr, NULL, 10) : 1,
        .created_ms = 1700000000000,
        .msk = fake_copy(&made->arena, spec->msk),
    };
    for (size_t i = 0; i < made->view.task_count; i++) {
        made->tasks[i].state = CONNECT_RUNNING;
    }
    size_t old = fake_position(worker, spec->name);
    if (old < worker->count) {
        fake_drop(worker, old);
    }
    size_t i = worker->count++;
    for (; i > 0 && span_compare(worker->connectors[i - 1]->view.name, made->view.name) > 0; i--) {
        worker->connectors[i] = worker->connectors[i - 1];
    }
    worker->connectors[i] = made;
    return STATUS_OK;
}

enum status connect_worker_delete(struct connect_worker *worker, struct span name,
                                  struct error *err)
{
    size_t i = fake_position(worker, name);
    if (worker->fail != STATUS_OK) {
        return error_set(err, worker->fail, "the fake worker fails");
    }
    if (i == worker->count) {
        return error_set(err, STATUS_NOT_FOUND, "no such connector");
    }
    fake_drop(worker, i);
    return STATUS_OK;
}

enum status connect_worker_pause(struct connect_worker *worker, struct span name, bool paused,
                                 struct error *err)
{
    struct fake_connector *found = fake_find(worker, name);
    if (found == NULL) {
        return error_set(err, STATUS_NOT_FOUND, "no such connector");
    }
    found->view.state = paused ? CONNECT_PAUSED : CONNECT_RUNNING;
    for (size_t i = 0; i < found->view.task_count; i++) {
        found->tasks[i].state = found->view.state;
    }
    return STATUS_OK;
}

enum status connect_worker_restart(struct connect_worker *worker, struct span name,
                                   struct error *err)
{
    if (fake_find(worker, name) == NULL) {
        return error_set(err, STATUS_NOT_FOUND, "no such connector");
    }
    worker->restarts++;
    return STATUS_OK;
}

enum status connect_worker_restart_task(struct connect_worker *worker, struct span name, int task,
                                        struct error *err)
{
    if (fake_find(worker, name) == NULL) {
        return error_set(err, STATUS_NOT_FOUND, "no such connector");
    }
    worker->task_restarted = task;
    return STATUS_OK;
}

/* "u1.geo" and "u1.pin". */
enum status connect_worker_topics(struct connect_worker *worker, struct span name,
                                  bool (*visit)(void *ctx, struct span topic), void *ctx,
                                  struct error *err)
{
    if (fake_find(worker, name) == NULL) {
        return error_set(err, STATUS_NOT_FOUND, "no such connector");
    }
    if (worker->topic_resets == 0 && visit(ctx, SPAN_LIT("u1.geo"))) {
        visit(ctx, SPAN_LIT("u1.pin"));
    }
    return STATUS_OK;
}

enum status connect_worker_topics_reset(struct connect_worker *worker, struct span name,
                                        struct error *err)
{
    if (fake_find(worker, name) == NULL) {
        return error_set(err, STATUS_NOT_FOUND, "no such connector");
    }
    worker->topic_resets++;
    return STATUS_OK;
}

static void fake_worker_release(struct connect_worker *worker)
{
    while (worker->count > 0) {
        fake_drop(worker, worker->count - 1);
    }
}

#endif
