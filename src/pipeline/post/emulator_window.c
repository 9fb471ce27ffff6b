/* The ring of triples: rows in, intents and outcomes out to the ledger. Rows are read while answers
 * are awaited, so the server need not wait for us; one transaction, and so one fsync, carries the
 * outcomes of the window before and the intents of the next. Invariant: no post is eligible for
 * sending before the transaction with its intent has committed. */
#include "emulator_internal.h"

#include <stdlib.h>

enum { build_step_triples = 4, paced_window_triples = 1 };

/* With a rate, no more intents are open than leave in the time an outcome may take to be written.
 */
static size_t window_size(const struct emulator_options *options)
{
    if (options->workshop_pace) {
        return paced_window_triples;
    }
    double triples = options->post_rate * EMULATOR_OUTCOME_DELAY_MS / 1000.0 / TABLE_COUNT;
    if (options->post_rate <= 0 || triples >= EMULATOR_WINDOW_TRIPLES_MAX) {
        return EMULATOR_WINDOW_TRIPLES_MAX;
    }
    return (size_t)triples + 1;
}

enum status emulator_window_init(struct emulator *e, struct error *err)
{
    e->window_triples = window_size(e->options);
    e->ring = calloc(EMULATOR_RING_TRIPLES, sizeof(*e->ring));
    if (e->ring == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for %d triples", EMULATOR_RING_TRIPLES);
    }
    for (size_t i = 0; i < EMULATOR_RING_TRIPLES; i++) {
        buf_init(&e->ring[i].values, (size_t)TABLE_COUNT * POSTER_VALUE_BYTES_MAX);
    }
    return STATUS_OK;
}

static void triple_clear(struct triple *triple)
{
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        free(triple->posts[t].reason);
        triple->posts[t] = (struct post){0};
    }
    buf_trim(&triple->values, EMULATOR_TRIPLE_BYTES_KEPT);
    triple->withdrawn = false;
}

void emulator_window_release(struct emulator *e)
{
    if (e->ring == NULL) {
        return;
    }
    for (size_t i = 0; i < EMULATOR_RING_TRIPLES; i++) {
        triple_clear(&e->ring[i]);
        buf_release(&e->ring[i].values);
    }
    free(e->ring);
    e->ring = NULL;
}

/* --- building ------------------------------------------------------------------------------ */

static enum status post_build(struct emulator *e, struct triple *triple, enum table_id table,
                              struct error *err)
{
    struct row row;
    struct post *post = &triple->posts[table];
    enum status status = e->rows->ops->fetch(e->rows, table, triple->row_number, &row, err);
    if (status != STATUS_OK) {
        return status;
    }
    post->value_position = triple->values.len;
    row_json_append(&triple->values, &row, e->options->datetime);
    post->value_len = triple->values.len - post->value_position;
    if (!buf_ok(&triple->values) || post->value_len > POSTER_VALUE_BYTES_MAX) {
        return buf_error(&triple->values, err, STATUS_LIMIT,
                         "%s: row %lld is longer than the %d bytes that can be posted",
                         table_get(table)->name, (long long)triple->row_number,
                         POSTER_VALUE_BYTES_MAX);
    }
    return STATUS_OK;
}

static enum status triple_build(struct emulator *e, struct error *err)
{
    int pause_seconds;
    struct triple *triple = emulator_triple(e, e->built_end);
    triple_clear(triple);
    triple->number = e->built_end;
    triple->row_number = row_pick_next(&e->pick, &pause_seconds);
    triple->pause_us = (int64_t)pause_seconds * 1000000;
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        enum status status = post_build(e, triple, (enum table_id)t, err);
        if (status != STATUS_OK) {
            return status;
        }
    }
    e->held_bytes += triple->values.len;
    e->built_end++;
    return STATUS_OK;
}

static int64_t leading_send(const struct emulator *e)
{
    int64_t lead = e->next_send[0];
    for (size_t t = 1; t < TABLE_COUNT; t++) {
        lead = e->next_send[t] > lead ? e->next_send[t] : lead;
    }
    return lead;
}

static bool lane_is_starved(const struct emulator *e)
{
    return leading_send(e) == e->committed_end;
}

bool emulator_window_has_room(const struct emulator *e)
{
    return e->built_end < e->wanted && e->built_end - e->recorded_begin < EMULATOR_RING_TRIPLES &&
           (size_t)(e->built_end - e->committed_end) < e->window_triples &&
           e->held_bytes < EMULATOR_HELD_BYTES_MAX;
}

static void rows_hold(struct emulator *e, bool held)
{
    if (e->rows->ops->hold != NULL) {
        e->rows->ops->hold(e->rows, held);
    }
}

enum status emulator_window_build(struct emulator *e, struct error *err)
{
    enum status status = STATUS_OK;
    size_t steps = lane_is_starved(e) ? EMULATOR_WINDOW_TRIPLES_MAX : build_step_triples;
    if (!emulator_window_has_room(e)) {
        return STATUS_OK;
    }
    rows_hold(e, true);
    while (steps-- > 0 && emulator_window_has_room(e) && status == STATUS_OK) {
        status = triple_build(e, err);
    }
    rows_hold(e, false);
    return status;
}

/* --- writing ------------------------------------------------------------------------------- */

bool emulator_window_due(const struct emulator *e, int64_t now_us)
{
    bool starved = lane_is_starved(e);
    if (e->unrecorded > 0) {
        bool old = now_us - e->unrecorded_since_us >= (int64_t)EMULATOR_OUTCOME_DELAY_MS * 1000;
        bool full = starved && e->built_end < e->wanted &&
                    e->built_end - e->recorded_begin >= EMULATOR_RING_TRIPLES;
        if (old || full) {
            return true;
        }
    }
    if (e->built_end == e->committed_end) {
        return false;
    }
    /* A full window is held back until it is nearly needed: fewer intents are then in doubt should
     * this process be killed, and more outcomes go with it. */
    bool full = (size_t)(e->built_end - e->committed_end) >= e->window_triples;
    return starved ||
           (full && e->committed_end - leading_send(e) <= (int64_t)e->window_triples / 4);
}

static enum status add_intents(struct emulator *e, struct triple *triple, struct error *err)
{
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        struct post *post = &triple->posts[t];
        const struct ledger_intent intent = {
            .run_id = e->run.id,
            .triple = triple->number,
            .table = (enum table_id)t,
            .row_number = triple->row_number,
            .topic = span_from_cstr(e->poster->ops->target(e->poster, (enum table_id)t)),
            .value_hash =
                hash_content(span_from(triple->values.ptr + post->value_position, post->value_len)),
        };
        enum status status = ledger_add_intent(e->ledger, &intent, &post->id, err);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static enum status put_outcome(struct emulator *e, const struct post *post, struct error *err)
{
    const struct ledger_outcome outcome = {
        .post_id = post->id,
        .state = post->state,
        .attempts = post->attempts,
        .maybe_kept = post->maybe_kept,
        .partition = post->partition,
        .offset = post->offset,
        .acked_ms = post->acked_ms,
        .reason = span_from_cstr(post->reason),
    };
    return ledger_put_outcome(e->ledger, &outcome, err);
}

static enum status write_outcomes(struct emulator *e, struct error *err)
{
    for (int64_t n = e->recorded_begin; n < e->committed_end && e->unrecorded > 0; n++) {
        struct triple *triple = emulator_triple(e, n);
        for (size_t t = 0; t < TABLE_COUNT; t++) {
            enum status status = STATUS_OK;
            if (triple->withdrawn) {
                status = ledger_withdraw(e->ledger, triple->posts[t].id, err);
            } else if (triple->posts[t].phase == PHASE_SETTLED) {
                status = put_outcome(e, &triple->posts[t], err);
            }
            if (status != STATUS_OK) {
                return status;
            }
        }
    }
    return STATUS_OK;
}

static enum status write_window(struct emulator *e, struct error *err)
{
    enum status status = ledger_begin(e->ledger, err);
    if (status == STATUS_OK) {
        status = write_outcomes(e, err);
    }
    for (int64_t n = e->committed_end; n < e->built_end && status == STATUS_OK; n++) {
        status = add_intents(e, emulator_triple(e, n), err);
    }
    if (status == STATUS_OK) {
        status = ledger_commit(e->ledger, err);
    }
    if (status != STATUS_OK) {
        ledger_rollback(e->ledger);
    }
    return status;
}

static void note_partial(struct emulator *e, const struct triple *triple)
{
    struct emulator_summary *summary = e->summary;
    if (summary->has_partial) {
        return;
    }
    summary->has_partial = true;
    summary->first_partial.triple = triple->number;
    summary->first_partial.row_number = triple->row_number;
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        const struct post *post = &triple->posts[t];
        summary->first_partial.states[t] = post->state;
        summary->first_partial.unsent[t] = post->attempts == 0;
    }
}

static void count_triple(struct emulator *e, const struct triple *triple)
{
    size_t acked = 0;
    size_t kept = 0;
    if (triple->withdrawn) {
        return;
    }
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        acked += triple->posts[t].state == LEDGER_ACKED;
        kept += triple->posts[t].state != LEDGER_FAILED;
    }
    if (acked == TABLE_COUNT) {
        e->summary->triples_complete++;
    } else if (kept > 0) {
        e->summary->triples_partial++;
        note_partial(e, triple);
    } else {
        e->summary->triples_failed++;
    }
}

/* Marks what the committed transaction holds; triples that are complete leave the ring, in order.
 */
static void settle_books(struct emulator *e)
{
    for (int64_t n = e->recorded_begin; n < e->committed_end && e->unrecorded > 0; n++) {
        struct triple *triple = emulator_triple(e, n);
        for (size_t t = 0; t < TABLE_COUNT; t++) {
            if (triple->posts[t].phase == PHASE_SETTLED) {
                triple->posts[t].phase = PHASE_RECORDED;
                e->unrecorded--;
            }
        }
    }
    while (e->recorded_begin < e->committed_end) {
        struct triple *triple = emulator_triple(e, e->recorded_begin);
        for (size_t t = 0; t < TABLE_COUNT; t++) {
            if (triple->posts[t].phase != PHASE_RECORDED) {
                return;
            }
        }
        count_triple(e, triple);
        e->held_bytes -= triple->values.len;
        triple_clear(triple);
        e->recorded_begin++;
    }
}

enum status emulator_window_commit(struct emulator *e, struct error *err)
{
    enum status status = write_window(e, err);
    if (status != STATUS_OK) {
        return error_prefix(err, "the ledger cannot be written, so nothing more is sent");
    }
    settle_books(e);
    e->committed_end = e->built_end;
    return STATUS_OK;
}

/* --- the end ------------------------------------------------------------------------------- */

static bool triple_was_begun(const struct triple *triple)
{
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        if (triple->posts[t].phase != PHASE_UNSENT) {
            return true;
        }
    }
    return false;
}

static void close_triple(struct emulator *e, struct triple *triple)
{
    triple->withdrawn = !triple_was_begun(triple);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        struct post *post = &triple->posts[t];
        if (post->phase != PHASE_UNSENT) {
            continue;
        }
        post->phase = PHASE_SETTLED;
        post->state = LEDGER_FAILED;
        post->reason = triple->withdrawn ? NULL : strdup("not sent: the run was stopped");
        e->unrecorded++;
        e->summary->posts_unsent += triple->withdrawn ? 0 : 1;
    }
}

enum status emulator_window_finish(struct emulator *e, struct error *err)
{
    e->built_end = e->committed_end; /* what has no intent yet was never meant */
    for (int64_t n = e->recorded_begin; n < e->committed_end; n++) {
        close_triple(e, emulator_triple(e, n));
    }
    enum status status = STATUS_OK;
    if (e->unrecorded > 0) {
        status = emulator_window_commit(e, err);
    }
    return status == STATUS_OK ? ledger_end_run(e->ledger, e->run.id, err) : status;
}
