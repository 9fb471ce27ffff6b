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
    budget_init(&turn->budget, TURN_BUDGET_BYTES_MAX);
}

void turn_hold(struct turn *turn, struct held *held)
{
    PP_ASSERT(held->ops != NULL);
    PP_ASSERT((turn->held_last == NULL) == (turn->held_count == 0));
    held->next = NULL;
    if (turn->held_last == NULL) {
        turn->held_first = held;
        turn->first_held_us = turn->env->monotonic_us(turn->env);
    } else {
        turn->held_last->next = held;
    }
    turn->held_last = held;
    turn->held_count++;
    turn->held_bytes += held->bytes;
}

void turn_count(struct turn *turn, struct held *held, size_t bytes)
{
    budget_note(&turn->budget, BUDGET_REPLIES, &held->bytes, bytes);
}

size_t turn_unsent_room(const struct turn *turn)
{
    return budget_room(&turn->budget, BUDGET_REPLIES);
}

void turn_journal(struct turn *turn, const struct journal_entry *entry)
{
    if (turn->journal != NULL) {
        journal_add(turn->journal, entry);
        turn->journal_fed = true;
    }
    if (turn->watcher.saw != NULL) {
        turn->watcher.saw(turn->watcher.ctx, entry);
        turn->watcher_fed = true;
    }
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

static void turn_do_work(struct turn *turn)
{
    turn->work_left = turn->work.run != NULL && turn->work.run(turn->work.ctx);
}

static enum turn_outcome turn_commit(struct turn *turn)
{
    if (turn->store == NULL) {
        return TURN_ONLY_READ;
    }
    bool wrote = turn_needs_commit(turn);
    struct error err = ERROR_NONE;
    enum status status = store_turn_commit(turn->store, &err);
    PP_ASSERT(!turn_needs_commit(turn)); /* kept or not: the transaction has ended */
    if (status != STATUS_OK) {
        LOG_ERRORF(turn->log, "store", "commit failed, %zu replies became errors: %s",
                   turn->held_count, err.message);
        turn->work_left = false; /* or a full disk would keep the loop spinning */
        turn->stopped = store_has_stopped(turn->store, NULL);
        return TURN_FAILED;
    }
    if (turn->stopped || store_has_stopped(turn->store, NULL)) {
        turn->stopped = true;
        return TURN_STOPPED;
    }
    return wrote ? TURN_COMMITTED : TURN_ONLY_READ;
}

enum turn_outcome turn_end(struct turn *turn)
{
    turn_do_work(turn);
    enum turn_outcome outcome = turn_commit(turn);
    if (turn->held_first == NULL) {
        return outcome;
    }
    turn->committed_us = turn->env->monotonic_us(turn->env);
    struct held *held = turn->held_first;
    PP_ASSERT(turn->held_count > 0 && turn->held_last->next == NULL);
    turn->held_first = NULL;
    turn->held_last = NULL;
    turn->held_count = 0;
    turn->held_bytes = 0;
    for (struct held *h = held; h != NULL; h = h->next) {
        h->ops->settle(h, outcome);
        h->ops->send(h);
    }
    while (held != NULL) {
        struct held *h = held;
        held = h->next; /* finished may reuse or free it */
        h->ops->finished(h);
    }
    return outcome;
}
