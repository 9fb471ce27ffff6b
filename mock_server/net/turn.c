/* Group commit. The order of turn_end is the promise "acknowledged means kept": work (so that what
 * follows from an acknowledged record is there with it), commit, then (only then) send, then
 * journal. It never runs inside itself: sending may let a connection begin its
 * next request, which the server hands out in the next turn. */
#include "turn.h"

#include "journal.h"
#include "store.h"

void turn_init(struct turn *turn, struct store *store, struct timer_heap *timers, struct env *env,
               struct log *log)
{
    *turn = (struct turn){.store = store, .timers = timers, .env = env, .log = log};
}

void turn_hold(struct turn *turn, struct exchange *exchange)
{
    exchange->answered = true;
    exchange->next_held = NULL;
    exchange_count_reply(exchange);
    if (turn->held_last == NULL) {
        turn->held_first = exchange;
        turn->first_held_us = turn->env->monotonic_us(turn->env);
    } else {
        turn->held_last->next_held = exchange;
    }
    turn->held_last = exchange;
    turn->held_count++;
    turn->held_bytes += exchange->held_bytes;
}

bool turn_needs_commit(const struct turn *turn)
{
    return turn->store != NULL && store_turn_has_writes(turn->store);
}

bool turn_is_full(const struct turn *turn)
{
    if (turn->held_bytes >= TURN_HELD_BYTES_MAX ||
        (turn->store != NULL && store_turn_records(turn->store) >= TURN_RECORDS_MAX)) {
        return true;
    }
    return turn->held_count > 0 &&
           turn->env->monotonic_us(turn->env) - turn->first_held_us >= TURN_US_MAX;
}

static bool reply_is_sound(const struct exchange *exchange)
{
    return exchange->reply.status != 0 && buf_ok(&exchange->reply.body) &&
           buf_ok(&exchange->reply.headers);
}

/* The reply as it will leave: failed if the commit was, and through the filter. */
static void reply_settle(struct exchange *exchange, bool committed)
{
    if (!committed && !exchange->outside_turn) {
        exchange_fail(exchange, EXCHANGE_COMMIT_FAILED);
    } else if (!reply_is_sound(exchange)) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
    }
    const struct reply *reply = &exchange->reply;
    PP_ASSERT(reply->stream == NULL || (exchange->filter == NULL && reply->body.len == 0));
    if (exchange->filter != NULL) {
        exchange->filter(exchange, exchange->filter_ctx);
        if (!reply_is_sound(exchange)) {
            exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        }
    }
    exchange_count_reply(exchange); /* its size has changed */
}

static void turn_do_work(struct turn *turn)
{
    turn->work_left = turn->work.run != NULL && turn->work.run(turn->work.ctx);
}

static enum turn_outcome turn_commit(struct turn *turn)
{
    if (!turn_needs_commit(turn)) {
        return TURN_ONLY_READ;
    }
    struct error err = ERROR_NONE;
    enum status status = store_turn_commit(turn->store, &err);
    if (status != STATUS_OK) {
        LOG_ERRORF(turn->log, "store", "commit failed, %zu replies became errors: %s",
                   turn->held_count, err.message);
        turn->work_left = false; /* or a full disk would keep the loop spinning */
        return TURN_FAILED;
    }
    return TURN_COMMITTED;
}

enum turn_outcome turn_end(struct turn *turn)
{
    turn_do_work(turn);
    enum turn_outcome outcome = turn_commit(turn);
    if (turn->held_first == NULL) {
        return outcome;
    }
    int64_t now_us = turn->env->monotonic_us(turn->env);
    struct exchange *held = turn->held_first;
    turn->held_first = NULL;
    turn->held_last = NULL;
    turn->held_count = 0;
    turn->held_bytes = 0;
    for (struct exchange *e = held; e != NULL; e = e->next_held) {
        reply_settle(e, outcome != TURN_FAILED);
        e->owner->send(e);
    }
    while (held != NULL) {
        struct exchange *exchange = held;
        held = exchange->next_held;
        if (turn->journal != NULL) {
            journal_add(turn->journal, exchange, now_us - exchange->start_us);
            turn->journal_fed = true;
        }
        exchange->owner->finished(exchange);
    }
    return outcome;
}
