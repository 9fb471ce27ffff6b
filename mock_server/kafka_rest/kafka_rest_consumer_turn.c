/* The share of a turn that consumers and large bodies have. A poll over ten thousand partitions, a
 * MiB of JSON, an answer of some MiB, a rebalance and a commit of many are milliseconds each, and
 * many of them come at once: a record wakes everybody who waits for it. A turn does as many as its
 * share allows (CONSUMER_TURN_LOOKS_MAX, and the one that goes beyond it); the others wait for
 * later turns in the order in which they came, and everything else is answered meanwhile. */
#include "kafka_rest_consumer.h"

#include "undo.h"

/* The share of the turn that is under way: each begins with nothing done. */
static struct consumer_turn *consumer_turn_now(struct kafka_rest_consumers *consumers)
{
    struct consumer_turn *turn = &consumers->turn;
    uint64_t number = undo_turns(consumers->rest->options.undo);
    if (turn->number != number) {
        turn->number = number;
        turn->looks = 0;
    }
    return turn;
}

bool consumer_turn_is_used(struct kafka_rest_consumers *consumers)
{
    return consumer_turn_now(consumers)->looks >= CONSUMER_TURN_LOOKS_MAX;
}

void consumer_turn_note(struct kafka_rest_consumers *consumers, size_t looks)
{
    consumer_turn_now(consumers)->looks += looks;
}

/* --- the line --------------------------------------------------------------------------------- */

static void turn_arm(struct kafka_rest_consumers *consumers)
{
    struct consumer_turn *turn = &consumers->turn;
    struct timer_heap *timers = consumers->rest->options.timers;
    struct env *env = consumers->rest->options.env;
    if (turn->first != NULL && !timer_is_set(&turn->timer)) {
        enum status status = timer_set(timers, &turn->timer, env->monotonic_us(env));
        PP_ASSERT(status == STATUS_OK); /* its slot is reserved */
    }
}

static void turn_line_add(struct kafka_rest_call *call, kafka_rest_step *step)
{
    struct consumer_turn *turn = &call->rest->consumers->turn;
    PP_ASSERT(!call->waits);
    call->waits = true;
    call->later = step;
    call->next_waiting = NULL;
    if (turn->last != NULL) {
        turn->last->next_waiting = call;
    } else {
        turn->first = call;
    }
    turn->last = call;
    turn->waiting++;
    turn_arm(call->rest->consumers);
}

void consumer_turn_leave(struct kafka_rest_call *call)
{
    struct consumer_turn *turn = &call->rest->consumers->turn;
    struct kafka_rest_call *before = NULL;
    if (!call->waits) {
        return;
    }
    for (struct kafka_rest_call *c = turn->first; c != call; c = c->next_waiting) {
        PP_ASSERT(c != NULL);
        before = c;
    }
    if (before != NULL) {
        before->next_waiting = call->next_waiting;
    } else {
        turn->first = call->next_waiting;
    }
    turn->last = turn->last == call ? before : turn->last;
    turn->waiting--;
    call->waits = false;
}

static void turn_fire(struct timer *timer)
{
    struct consumer_turn *turn = PP_CONTAINER_OF(timer, struct consumer_turn, timer);
    struct kafka_rest_consumers *consumers =
        PP_CONTAINER_OF(turn, struct kafka_rest_consumers, turn);
    while (turn->first != NULL && !consumer_turn_is_used(consumers)) {
        struct kafka_rest_call *call = turn->first;
        consumer_turn_leave(call);
        if (call->later(call) == HANDLED) {
            exchange_answer(call->exchange);
        }
    }
    turn_arm(consumers);
}

bool consumer_turn_admits(struct kafka_rest_call *call, kafka_rest_step *step)
{
    struct kafka_rest_consumers *consumers = call->rest->consumers;
    if (!consumer_turn_is_used(consumers) && consumers->turn.first == NULL) {
        return true;
    }
    turn_line_add(call, step);
    return false;
}

/* --- calls that are no reads ------------------------------------------------------------------ */

static void turn_deadline(struct exchange *exchange, void *state)
{
    (void)exchange;
    (void)state;
    BUG("a call that waits for a turn has no deadline");
}

static void turn_cancel(struct exchange *exchange, void *state)
{
    (void)exchange;
    consumer_turn_leave(state); /* it is in the arena, and the broker has nothing of it */
}

static const struct park_ops turn_park_ops = {turn_deadline, turn_cancel};

enum handled consumer_turn_wait(struct kafka_rest_call *call, kafka_rest_step *step)
{
    turn_line_add(call, step);
    exchange_park(call->exchange, INT64_MAX, &turn_park_ops, call);
    return PARKED;
}

enum handled consumer_turn_take(struct kafka_rest_call *call, kafka_rest_step *step)
{
    if (consumer_turn_admits(call, step)) {
        return step(call);
    }
    exchange_park(call->exchange, INT64_MAX, &turn_park_ops, call);
    return PARKED;
}

/* --- life ------------------------------------------------------------------------------------- */

enum status consumer_turn_init(struct kafka_rest_consumers *consumers)
{
    consumers->turn.timer.fire = turn_fire;
    return timer_heap_reserve(consumers->rest->options.timers, 1);
}

void consumer_turn_release(struct kafka_rest_consumers *consumers)
{
    PP_ASSERT(consumers->turn.first == NULL);
    timer_clear(consumers->rest->options.timers, &consumers->turn.timer);
    timer_heap_unreserve(consumers->rest->options.timers, 1);
}
