#include "connect_worker_internal.h"

#include "array.h"
#include "search.h"

#include <stdlib.h>

/* --- the list --------------------------------------------------------------------------------- */

static int set_order(const void *item, const void *key)
{
    const struct connector *connector = *(struct connector *const *)item;
    return span_compare(connector->name, *(const struct span *)key);
}

/* Where the connector is, or belongs. */
static size_t set_place(const struct connect_worker *worker, struct span name, bool *found)
{
    return SEARCH_PLACE(worker->connectors, worker->count, &name, set_order, found);
}

struct connector *connect_set_find(const struct connect_worker *worker, struct span name)
{
    bool found;
    size_t place = set_place(worker, name, &found);
    return found ? worker->connectors[place] : NULL;
}

enum status connect_set_reserve(struct connect_worker *worker, struct error *err)
{
    if (ARRAY_RESERVE(worker->connectors, worker->cap, worker->count + 1, ARRAY_NO_MAX) !=
        STATUS_OK) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    return STATUS_OK;
}

void connect_set_insert(struct connect_worker *worker, struct connector *connector)
{
    bool found;
    size_t place = set_place(worker, connector->name, &found);
    PP_ASSERT(!found && worker->count < worker->cap);
    ARRAY_OPEN(worker->connectors, worker->count, place);
    worker->connectors[place] = connector;
    worker->count++;
    worker->work_due = true;
}

void connect_set_remove(struct connect_worker *worker, struct connector *connector)
{
    size_t place = set_place(worker, connector->name, NULL);
    ARRAY_CLOSE(worker->connectors, worker->count, place);
    worker->count--;
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

static struct connector *set_take_before(struct load *load, const struct store_connector *row)
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

static bool set_load_row(void *ctx, const struct store_connector *row)
{
    struct load *load = ctx;
    struct connector *connector = set_take_before(load, row);
    load->status = connect_set_reserve(load->worker, &load->err);
    if (load->status == STATUS_OK && connector != NULL) {
        connector_reset(connector);
        connector->assign_due = true;
        connector->paused = row->paused;
        connector_apply_paused(connector); /* states may be those of before the turn */
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
        connect_set_insert(load->worker, connector);
    } else if (connector != NULL) {
        connector_free(connector);
    }
    return load->status == STATUS_OK;
}

enum status connect_set_load(struct connect_worker *worker, struct error *err)
{
    struct load load = {.worker = worker,
                        .before = worker->connectors,
                        .before_count = worker->count,
                        .status = STATUS_OK};
    worker->connectors = NULL;
    worker->count = 0;
    worker->cap = 0;
    enum status status = store_connectors_visit(worker->options.store, set_load_row, &load, err);
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

/* --- the way back ----------------------------------------------------------------------------- */

static void set_turn_lost(void *owner, const void *payload)
{
    struct connect_worker *worker = owner;
    (void)payload;
    for (size_t i = 0; i < worker->count; i++) {
        connector_restore_states(worker->connectors[i]);
    }
    worker->stale = true;
    worker->work_due = true;
}

static void set_turn_kept(void *owner, const void *payload)
{
    struct connect_worker *worker = owner;
    (void)payload;
    for (size_t i = 0; i < worker->count; i++) {
        connector_keep_states(worker->connectors[i]);
    }
}

static const struct undo_ops set_undo = {.back = set_turn_lost, .kept = set_turn_kept};

enum status connect_set_enter(struct connect_worker *worker, struct error *err)
{
    struct undo_log *log = store_undo_log(worker->options.store);
    if (!connect_worker_is_noted(worker)) {
        if (undo_reserve(log, 1) != STATUS_OK) {
            return error_set(err, STATUS_NO_MEMORY, "out of memory");
        }
        undo_push(log, &set_undo, worker, NULL, 0);
        worker->noted_epoch = undo_epoch(log);
    }
    enum status status = worker->stale ? connect_set_load(worker, err) : STATUS_OK;
    worker->stale = status != STATUS_OK;
    return status;
}
