/* The emulator: composes rows, ledger and poster, and runs the loop
 *
 *     send what may leave -> read rows ahead -> commit when due -> wait for answers
 *
 * in one thread. What is built and committed is in emulator_window.c, what leaves and comes back in
 * emulator_lanes.c. The fact it imitates is the workshop's user_posting_emulation.py; it differs
 * where that script loses data: it looks at the answers, tries again, stops between requests and
 * writes down what it did. Memory does not grow with the run. */
#include "emulator.h"

#include "emulator_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { sleep_slice_us = 50 * 1000 };

void emulator_options_init(struct emulator_options *options)
{
    *options = (struct emulator_options){
        .rows = EMULATOR_ROWS_UNSET,
        .concurrency = EMULATOR_CONCURRENCY_DEFAULT,
        .seed = EMULATOR_SEED_DEFAULT,
        .order = ROW_ORDER_PYTHON,
        .datetime = DATETIME_ISO,
        .retry = retry_policy_default(),
    };
}

bool emulator_succeeded(const struct emulator_summary *summary)
{
    bool all_acked =
        summary->posts_failed == 0 && summary->posts_in_doubt == 0 && summary->posts_unsent == 0;
    bool ended =
        summary->end == EMULATOR_END_DONE ||
        (summary->end == EMULATOR_END_INTERRUPTED && summary->rows_wanted == EMULATOR_ROWS_FOREVER);
    return all_acked && ended;
}

static bool asked_to_stop(const struct emulator *e)
{
    const struct progress *p = e->options->progress;
    return p != NULL && p->should_stop != NULL && p->should_stop(p->ctx);
}

/* --- setting up ---------------------------------------------------------------------------- */

static enum status count_rows(struct emulator *e, int64_t *rows, struct error *err)
{
    int64_t counts[TABLE_COUNT];
    *rows = INT64_MAX;
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        enum status status = e->rows->ops->count(e->rows, (enum table_id)t, &counts[t], err);
        if (status != STATUS_OK) {
            return status;
        }
        if (counts[t] == 0) {
            return error_set(err, STATUS_CONFIG,
                             "%s has no rows: run `pinpipe data generate`, or import it",
                             table_get((enum table_id)t)->name);
        }
        *rows = counts[t] < *rows ? counts[t] : *rows;
    }
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        if (counts[t] != *rows) {
            emulator_note(e, "%s has %lld rows, another table %lld: only the first %lld are posted",
                          table_get((enum table_id)t)->name, (long long)counts[t], (long long)*rows,
                          (long long)*rows);
        }
    }
    return STATUS_OK;
}

static enum status rows_init(struct emulator *e, struct error *err)
{
    const struct emulator_options *o = e->options;
    int64_t count;
    enum status status = count_rows(e, &count, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (o->order == ROW_ORDER_PYTHON && count <= ROW_PICK_PYTHON_LAST) {
        emulator_note(
            e,
            "the tables have %lld rows; the script draws from 0 to %d, here the range ends "
            "at %lld, so the rows are not the script's",
            (long long)count, ROW_PICK_PYTHON_LAST, (long long)count - 1);
    }
    row_pick_init(&e->pick, o->order, o->seed, count);
    int64_t rows = o->rows;
    if (rows == EMULATOR_ROWS_UNSET) {
        rows = o->order == ROW_ORDER_SEQUENTIAL ? count : EMULATOR_ROWS_DEFAULT;
    }
    e->summary->rows_wanted = rows;
    e->wanted = rows == EMULATOR_ROWS_FOREVER ? INT64_MAX : rows;
    return STATUS_OK;
}

static void sleep_or_stop(struct emulator *e, int64_t duration_us)
{
    while (duration_us > 0 && !asked_to_stop(e)) {
        int64_t slice = duration_us < sleep_slice_us ? duration_us : (int64_t)sleep_slice_us;
        e->env->sleep_us(e->env, slice);
        duration_us -= slice;
    }
}

/* Asks until somebody answers: a server that is just starting behind the gateway is no mistake. */
static enum status identify_cluster(struct emulator *e, struct error *err)
{
    const struct retry_policy *retry = &e->options->retry;
    char *id = e->summary->cluster_id;
    struct error why = ERROR_NONE; /* it does not say */
    for (int64_t attempts = 1;; attempts++) {
        enum status status = e->poster->ops->identify(e->poster, id, &why);
        if (status == STATUS_OK) {
            break;
        }
        *err = why;
        if (status != STATUS_BUSY) {
            return status;
        }
        if (!retry_is_left(retry, attempts)) {
            err->code = STATUS_UNREACHABLE;
            return STATUS_UNREACHABLE;
        }
        if (attempts == 1) {
            emulator_note(e, "%s; trying again", err->message);
        }
        sleep_or_stop(e, retry_delay_us(retry, e->env, attempts, 0));
        if (asked_to_stop(e)) {
            return error_set(err, STATUS_INTERRUPTED, "stopped before anything was sent");
        }
    }
    if (id[0] == '\0') {
        emulator_note(e,
                      "the server does not tell its cluster's id (%s): the ledger says \"unknown\"",
                      why.message[0] != '\0' ? why.message : "it has none");
        snprintf(id, sizeof(e->summary->cluster_id), "unknown");
    }
    return STATUS_OK;
}

static enum status ledger_init(struct emulator *e, struct error *err)
{
    const struct emulator_options *o = e->options;
    enum status status = ledger_open(o->data_dir, e->env, &e->ledger, err);
    if (status == STATUS_OK) {
        status = ledger_bind_cluster(e->ledger, e->summary->cluster_id, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    e->run = (struct ledger_run){
        .order = o->order,
        .seed = o->seed,
        .datetime = o->datetime,
        .lanes_per_topic = (int64_t)e->lane_width,
        .rows_wanted = e->summary->rows_wanted,
    };
    snprintf(e->run.user_id, sizeof(e->run.user_id), "%s", o->endpoints->user_id);
    status = ledger_begin_run(e->ledger, &e->run, err);
    e->summary->run_id = e->run.id;
    return status;
}

static enum status open_parts(struct emulator *e, struct error *err)
{
    const struct emulator_options *o = e->options;
    enum status status = STATUS_OK;
    e->rows = o->rows_from;
    e->poster = o->poster;
    if (e->rows == NULL) {
        status = row_source_sqlite_open(o->data_dir, e->env, &e->rows, err);
    }
    if (status == STATUS_OK && e->poster == NULL) {
        status = poster_rest_new(o->endpoints, e->env, o->concurrency, &e->poster, err);
    }
    if (status == STATUS_OK) {
        e->poster->done = emulator_lanes_on_done;
        e->poster->ctx = e;
        if (o->progress != NULL) {
            e->poster->should_stop = o->progress->should_stop;
            e->poster->should_stop_ctx = o->progress->ctx;
        }
        status = rows_init(e, err);
    }
    if (status == STATUS_OK) {
        status = identify_cluster(e, err);
    }
    if (status == STATUS_OK) {
        status = ledger_init(e, err);
    }
    return status == STATUS_OK ? emulator_window_init(e, err) : status;
}

static void close_parts(struct emulator *e)
{
    emulator_window_release(e);
    ledger_close(e->ledger);
    if (e->options->poster == NULL && e->poster != NULL) {
        e->poster->ops->free(e->poster);
    }
    if (e->options->rows_from == NULL && e->rows != NULL) {
        e->rows->ops->free(e->rows);
    }
}

/* --- the loop ------------------------------------------------------------------------------ */

static void emulator_report_progress(const struct emulator *e)
{
    const struct progress *p = e->options->progress;
    if (p != NULL && p->update != NULL) {
        uint64_t total = e->wanted == INT64_MAX ? 0 : (uint64_t)e->wanted * TABLE_COUNT;
        p->update(p->ctx, "posts", (uint64_t)e->posts_settled, total);
    }
}

static enum status wait_for_answers(struct emulator *e, struct error *err)
{
    int64_t idle_us = emulator_lanes_idle_us(e, emulator_now_us(e));
    if (e->sent > 0) {
        return e->poster->ops->run(e->poster, (int)((idle_us + 999) / 1000), err);
    }
    e->env->sleep_us(e->env, idle_us < sleep_slice_us ? idle_us : (int64_t)sleep_slice_us);
    return STATUS_OK;
}

static enum status emulator_turn(struct emulator *e, struct error *err)
{
    size_t sent_before = e->sent;
    enum status status = emulator_lanes_send(e, emulator_now_us(e), err);
    if (status == STATUS_OK && e->sent > sent_before && emulator_window_has_room(e)) {
        status = e->poster->ops->run(e->poster, 0, err); /* on the wire before we read on */
    }
    if (e->stopping || status != STATUS_OK) {
        return status == STATUS_OK ? wait_for_answers(e, err) : status;
    }
    status = emulator_window_build(e, err);
    if (status == STATUS_OK && emulator_window_due(e, emulator_now_us(e))) {
        return emulator_window_commit(e, err); /* there may be something to send at once */
    }
    return status == STATUS_OK ? wait_for_answers(e, err) : status;
}

static bool is_over(const struct emulator *e)
{
    return e->stopping ? e->sent == 0
                       : e->committed_end == e->wanted &&
                             e->posts_settled == e->wanted * (int64_t)TABLE_COUNT;
}

static void run_loop(struct emulator *e)
{
    struct error err = ERROR_NONE;
    while (!is_over(e)) {
        enum status status = emulator_turn(e, &err);
        if (status != STATUS_OK && e->failure == STATUS_OK) {
            e->failure = status;
            e->failure_error = err;
            emulator_lanes_stop(e, EMULATOR_END_ERROR);
            e->summary->end = EMULATOR_END_ERROR;
        } else if (status != STATUS_OK) {
            emulator_lanes_abandon(e); /* not even waiting works */
        }
        if (!e->stopping && asked_to_stop(e)) {
            emulator_lanes_stop(e, EMULATOR_END_INTERRUPTED);
        }
        if (e->stopping && emulator_now_us(e) >= e->drain_until_us) {
            emulator_lanes_abandon(e);
        }
        emulator_report_progress(e);
    }
}

enum status emulator_run(const struct emulator_options *options, struct emulator_summary *summary,
                         struct error *err)
{
    PP_ASSERT(options->concurrency >= 1 && options->concurrency <= EMULATOR_CONCURRENCY_MAX);
    *summary = (struct emulator_summary){.end = EMULATOR_END_DONE};
    struct error unread = ERROR_NONE;
    err = err != NULL ? err : &unread;
    struct emulator *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the emulator");
    }
    e->options = options;
    e->env = options->env;
    e->summary = summary;
    e->lane_width = (options->concurrency + TABLE_COUNT - 1) / TABLE_COUNT;
    summary->lanes_per_topic = (int64_t)e->lane_width;
    enum status status = open_parts(e, err);
    if (status == STATUS_OK) {
        int64_t start_us = emulator_now_us(e);
        e->round_end_us = start_us;
        e->next_post_us = start_us;
        run_loop(e);
        status = emulator_window_finish(e, err);
        summary->elapsed_us = emulator_now_us(e) - start_us;
        if (e->failure != STATUS_OK) { /* the first cause is the one to tell */
            status = e->failure;
            *err = e->failure_error;
        }
    }
    if (status != STATUS_OK) {
        summary->end = EMULATOR_END_ERROR;
    }
    close_parts(e);
    free(e);
    return status;
}
