/* The lanes decide what leaves when. Each topic is a lane of so many posts at once; with one, the
 * topic holds the rows in posting order, also when a post has to be tried again: it keeps its place
 * in the lane. The next post always comes from the lane that is furthest behind, so at concurrency
 * 1 the order is pin, geo, user of one triple after the other, as the script's.
 *
 *     SLOT_FREE --send--> SLOT_SENT --answer: settled--> SLOT_FREE
 *                             |  ^
 *               worth a retry |  | due
 *                             v  |
 *                         SLOT_WAITING --stopped--> SLOT_FREE
 */
#include "emulator_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    idle_us_max = 100 * 1000,      /* should_stop is asked at least so often */
    rate_debt_us_max = 100 * 1000, /* a hiccup is caught up with, a long stall is not */
    note_interval_us = 2 * 1000 * 1000,
};

/* --- settling ------------------------------------------------------------------------------ */

static void lane_slot_release(struct emulator *e, struct slot *slot)
{
    slot->phase = SLOT_FREE;
    e->lane_out[slot->table]--;
}

static void post_settle(struct emulator *e, struct post *post, enum ledger_state state,
                        const char *reason)
{
    post->phase = PHASE_SETTLED;
    post->state = state;
    if (e->unrecorded++ == 0) {
        e->unrecorded_since_us = emulator_now_us(e);
    }
    e->posts_settled++;
    switch (state) {
    case LEDGER_ACKED:
        e->summary->posts_acked++;
        return;
    case LEDGER_FAILED:
        e->summary->posts_failed++;
        break;
    case LEDGER_IN_DOUBT:
        e->summary->posts_in_doubt++;
        break;
    case LEDGER_INTENT:
        BUG("a post cannot be settled as an intent");
    }
    post->reason = strdup(reason);
    if (e->summary->first_failure[0] == '\0') {
        snprintf(e->summary->first_failure, sizeof(e->summary->first_failure), "%s", reason);
    }
}

static void round_note_end(struct emulator *e)
{
    if (e->options->workshop_pace && e->posts_settled % TABLE_COUNT == 0) {
        e->round_end_us = emulator_now_us(e);
    }
}

/* Gives a post up for good: FAILED when it is surely not kept, IN_DOUBT when an attempt's end is
 * unknown. */
static void post_give_up(struct emulator *e, struct slot *slot, const char *reason)
{
    struct post *post = &emulator_triple(e, slot->triple)->posts[slot->table];
    post_settle(e, post, post->maybe_kept > 0 ? LEDGER_IN_DOUBT : LEDGER_FAILED, reason);
    lane_slot_release(e, slot);
    round_note_end(e);
}

static void post_ack(struct emulator *e, struct slot *slot, const struct post_outcome *outcome)
{
    struct post *post = &emulator_triple(e, slot->triple)->posts[slot->table];
    post->partition = outcome->partition;
    post->offset = outcome->offset;
    post->acked_ms = e->env->wall_us(e->env) / 1000;
    post_settle(e, post, LEDGER_ACKED, NULL);
    e->same_failures = 0;
    lane_slot_release(e, slot);
    round_note_end(e);
}

static void post_wait(struct emulator *e, size_t slot_index, const struct post_outcome *outcome)
{
    struct slot *slot = &e->slots[slot_index];
    const struct post *post = &emulator_triple(e, slot->triple)->posts[slot->table];
    int64_t now = emulator_now_us(e);
    int64_t delay = retry_delay_us(&e->options->retry, e->env, post->attempts, outcome->wish_us);
    slot->phase = SLOT_WAITING;
    slot->due_us = now + delay;
    e->waiting++;
    if (e->last_note_us == 0 || now - e->last_note_us >= note_interval_us) {
        e->last_note_us = now;
        emulator_note(e, "%s row %lld: %s; trying again (%lld of %lld attempts made)",
                      table_get(slot->table)->topic_suffix,
                      (long long)emulator_triple(e, slot->triple)->row_number, outcome->reason,
                      (long long)post->attempts, (long long)e->options->retry.attempts_max);
    }
}

/* Hammering a server that refuses everything alike helps nobody. */
static void count_same_failure(struct emulator *e, const struct post_outcome *outcome)
{
    bool same = e->same_failures > 0 && e->same_status == outcome->http_status &&
                e->same_code == outcome->error_code;
    e->same_failures = same ? e->same_failures + 1 : 1;
    e->same_status = outcome->http_status;
    e->same_code = outcome->error_code;
    if (e->stopping) {
        return;
    }
    if (outcome->unreachable) {
        emulator_lanes_stop(e, EMULATOR_END_UNREACHABLE);
    } else if (outcome->permanent) {
        emulator_lanes_stop(e, EMULATOR_END_REFUSED);
    } else if (e->same_failures >= EMULATOR_SAME_FAILURES_MAX) {
        emulator_lanes_stop(e, EMULATOR_END_SAME_FAILURES);
    }
}

void emulator_lanes_on_done(void *ctx, size_t slot_index, const struct post_outcome *outcome)
{
    struct emulator *e = ctx;
    struct slot *slot = &e->slots[slot_index];
    struct post *post = &emulator_triple(e, slot->triple)->posts[slot->table];
    PP_ASSERT(slot->phase == SLOT_SENT);
    e->sent--;
    post->maybe_kept += outcome->maybe_kept ? 1 : 0;
    if (PP_LIKELY(outcome->result == POST_ACKED)) {
        post_ack(e, slot, outcome);
        return;
    }
    bool again = outcome->result == POST_RETRY && retry_is_left(&e->options->retry, post->attempts);
    if (again && !e->stopping) {
        post_wait(e, slot_index, outcome);
        return;
    }
    post_give_up(e, slot, outcome->reason);
    count_same_failure(e, outcome);
}

/* --- sending ------------------------------------------------------------------------------- */

static enum status lane_slot_send(struct emulator *e, size_t slot_index, struct error *err)
{
    struct slot *slot = &e->slots[slot_index];
    struct triple *triple = emulator_triple(e, slot->triple);
    struct post *post = &triple->posts[slot->table];
    struct span value = span_from(triple->values.ptr + post->value_position, post->value_len);
    enum status status = e->poster->ops->send(e->poster, slot_index, slot->table, value, err);
    if (status != STATUS_OK) {
        return status;
    }
    post->attempts++;
    e->summary->retries += post->attempts > 1 ? 1 : 0;
    slot->phase = SLOT_SENT;
    e->sent++;
    return STATUS_OK;
}

static enum status send_retries(struct emulator *e, int64_t now_us, struct error *err)
{
    for (size_t i = 0; i < e->options->concurrency && e->waiting > 0; i++) {
        struct slot *slot = &e->slots[i];
        if (slot->phase != SLOT_WAITING || slot->due_us > now_us) {
            continue;
        }
        enum status status = lane_slot_send(e, i, err);
        if (status != STATUS_OK) {
            return status;
        }
        e->waiting--;
    }
    return STATUS_OK;
}

/* When may this lane's next post leave by the script's pace? It takes one round at a time. */
static int64_t pace_due_us(const struct emulator *e, int64_t triple, int64_t now_us)
{
    if (!e->options->workshop_pace) {
        return now_us;
    }
    if (e->posts_settled < triple * TABLE_COUNT) {
        return INT64_MAX;
    }
    if (e->posts_settled > triple * TABLE_COUNT) {
        return now_us; /* the round has begun */
    }
    return e->round_end_us + emulator_triple(e, triple)->pause_us;
}

/* The lane furthest behind that may send, or TABLE_COUNT. */
static size_t lane_pick(const struct emulator *e, int64_t now_us)
{
    size_t best = TABLE_COUNT;
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        bool may = e->lane_out[t] < e->lane_width && e->next_send[t] < e->committed_end &&
                   pace_due_us(e, e->next_send[t], now_us) <= now_us;
        if (may && (best == TABLE_COUNT || e->next_send[t] < e->next_send[best])) {
            best = t;
        }
    }
    return best;
}

static size_t slot_find_free(const struct emulator *e)
{
    for (size_t i = 0; i < e->options->concurrency; i++) {
        if (e->slots[i].phase == SLOT_FREE) {
            return i;
        }
    }
    BUG("no free slot although fewer posts are out than slots");
}

static void rate_note_post(struct emulator *e, int64_t now_us)
{
    if (e->options->post_rate > 0) {
        int64_t earliest = now_us - rate_debt_us_max;
        e->next_post_us = e->next_post_us > earliest ? e->next_post_us : earliest;
        e->next_post_us += (int64_t)(1e6 / e->options->post_rate);
    }
}

static bool may_send_new(const struct emulator *e, int64_t now_us)
{
    return !e->stopping && e->sent + e->waiting < e->options->concurrency &&
           (e->options->post_rate <= 0 || e->next_post_us <= now_us);
}

enum status emulator_lanes_send(struct emulator *e, int64_t now_us, struct error *err)
{
    enum status status = send_retries(e, now_us, err);
    while (status == STATUS_OK && may_send_new(e, now_us)) {
        size_t lane = lane_pick(e, now_us);
        if (lane == TABLE_COUNT) {
            break;
        }
        size_t slot_index = slot_find_free(e);
        struct slot *slot = &e->slots[slot_index];
        slot->triple = e->next_send[lane];
        slot->table = (enum table_id)lane;
        status = lane_slot_send(e, slot_index, err);
        if (status == STATUS_OK) {
            emulator_triple(e, slot->triple)->posts[lane].phase = PHASE_OUT;
            e->lane_out[lane]++;
            e->next_send[lane]++;
            rate_note_post(e, now_us);
        }
    }
    return status;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t emulator_lanes_idle_us(const struct emulator *e, int64_t now_us)
{
    if (may_send_new(e, now_us) && lane_pick(e, now_us) != TABLE_COUNT) {
        return 0; /* answers came so fast that a lane is free again already */
    }
    int64_t due = now_us + idle_us_max;
    for (size_t i = 0; i < e->options->concurrency && e->waiting > 0; i++) {
        if (e->slots[i].phase == SLOT_WAITING) {
            due = earlier(due, e->slots[i].due_us);
        }
    }
    if (e->options->post_rate > 0 && e->sent + e->waiting < e->options->concurrency &&
        lane_pick(e, now_us) != TABLE_COUNT) {
        due = earlier(due, e->next_post_us);
    }
    if (e->options->workshop_pace && e->sent + e->waiting == 0) {
        for (size_t t = 0; t < TABLE_COUNT; t++) {
            if (e->next_send[t] < e->committed_end) {
                const struct triple *triple = emulator_triple(e, e->next_send[t]);
                due = earlier(due, e->round_end_us + triple->pause_us);
            }
        }
    }
    if (e->unrecorded > 0 && !e->stopping) {
        due = earlier(due, e->unrecorded_since_us + (int64_t)EMULATOR_OUTCOME_DELAY_MS * 1000);
    }
    return due > now_us ? due - now_us : 0;
}

/* --- stopping ------------------------------------------------------------------------------ */

void emulator_lanes_stop(struct emulator *e, enum emulator_end end)
{
    if (e->stopping) {
        return;
    }
    e->stopping = true;
    e->summary->end = end;
    int64_t drain_ms =
        end == EMULATOR_END_INTERRUPTED ? EMULATOR_DRAIN_INTERRUPTED_MS : EMULATOR_DRAIN_MS;
    e->drain_until_us = emulator_now_us(e) + drain_ms * 1000;
    for (size_t i = 0; i < e->options->concurrency; i++) {
        if (e->slots[i].phase == SLOT_WAITING) {
            e->waiting--;
            post_give_up(e, &e->slots[i], "the run was stopped before the next attempt");
        }
    }
}

void emulator_lanes_abandon(struct emulator *e)
{
    for (size_t i = 0; i < e->options->concurrency; i++) {
        struct slot *slot = &e->slots[i];
        if (slot->phase == SLOT_SENT) {
            e->poster->ops->cancel(e->poster, i);
            e->sent--;
            emulator_triple(e, slot->triple)->posts[slot->table].maybe_kept++;
            post_give_up(e, slot, "no answer had come when the run was stopped");
        }
    }
}
