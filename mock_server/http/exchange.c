/* The life of an exchange between its handler and the turn: parked, answered, failed, cancelled.
 *
 * Invariant: an exchange is answered exactly once, and from then on no timer of it is armed and no
 * callback into its service (but fail) is made. */
#include "exchange.h"

#include "turn.h"

/* An exchange has two timers, whose slots are reserved: arming them does not fail. */
enum { exchange_timers = 2 };

/* What a quiet exchange keeps of a large request's memory. */
enum { exchange_keep_bytes = 16 * 1024 };

static struct timer_heap *timers_of(struct exchange *exchange)
{
    return exchange->turn->timers;
}

static void reply_reset(struct reply *reply)
{
    buf_reset(&reply->headers);
    buf_reset(&reply->body);
    reply->status = 0;
    reply->stream = NULL;
    reply->stream_bytes = 0;
    reply->content_type = NULL;
    reply->hint = NULL;
    reply->error_code = NULL;
    reply->close = false;
    reply->no_date_server = false;
}

/* Takes the exchange out of its service's hands; ops is what the service gave. */
static const struct park_ops *unpark(struct exchange *exchange)
{
    const struct park_ops *ops = exchange->park;
    timer_clear(timers_of(exchange), &exchange->park_timer);
    timer_clear(timers_of(exchange), &exchange->outer_timer);
    exchange->park = NULL;
    return ops;
}

void exchange_cancel(struct exchange *exchange)
{
    PP_ASSERT(!exchange->answered);
    const struct park_ops *ops = unpark(exchange);
    if (ops != NULL) {
        ops->cancel(exchange, exchange->park_state);
    }
}

void exchange_answer(struct exchange *exchange)
{
    PP_ASSERT(!exchange->answered);
    (void)unpark(exchange);
    turn_hold(exchange->turn, exchange);
}

static void park_deadline_reached(struct timer *timer)
{
    struct exchange *exchange = PP_CONTAINER_OF(timer, struct exchange, park_timer);
    exchange->park->deadline(exchange, exchange->park_state);
    PP_ASSERT(exchange->answered || exchange->park != NULL);
}

static void outer_deadline_reached(struct timer *timer)
{
    struct exchange *exchange = PP_CONTAINER_OF(timer, struct exchange, outer_timer);
    exchange_cancel(exchange);
    reply_reset(&exchange->reply);
    exchange->outer_deadline(exchange, exchange->outer_ctx);
    exchange_answer(exchange);
}

static void timer_arm(struct exchange *exchange, struct timer *timer, int64_t due_us)
{
    if (timer_set(timers_of(exchange), timer, due_us) != STATUS_OK) {
        LOG_ERRORF(exchange->turn->log, "http",
                   "out of memory: a request waits without a deadline");
    }
}

void exchange_park(struct exchange *exchange, int64_t deadline_us, const struct park_ops *ops,
                   void *state)
{
    PP_ASSERT(!exchange->answered);
    exchange->park = ops;
    exchange->park_state = state;
    timer_clear(timers_of(exchange), &exchange->park_timer);
    if (deadline_us != INT64_MAX) {
        timer_arm(exchange, &exchange->park_timer, deadline_us);
    }
}

void exchange_set_outer_deadline(struct exchange *exchange, int64_t deadline_us,
                                 void (*on_deadline)(struct exchange *exchange, void *ctx),
                                 void *ctx)
{
    if (exchange->answered) {
        return;
    }
    exchange->outer_deadline = on_deadline;
    exchange->outer_ctx = ctx;
    timer_arm(exchange, &exchange->outer_timer, deadline_us);
}

void exchange_fail(struct exchange *exchange, enum exchange_failure failure)
{
    reply_reset(&exchange->reply);
    exchange->service->fail(exchange->service->ctx, exchange, failure);
    if (exchange->reply.status == 0 || !buf_ok(&exchange->reply.body) ||
        !buf_ok(&exchange->reply.headers)) {
        reply_reset(&exchange->reply);
        exchange->reply.status = 500;
    }
}

void exchange_abort(struct exchange *exchange, enum exchange_failure failure)
{
    exchange_cancel(exchange);
    exchange_fail(exchange, failure);
    exchange_answer(exchange);
}

size_t exchange_reply_room(const struct exchange *exchange)
{
    size_t used = exchange->turn->unsent_bytes;
    return used < EXCHANGE_UNSENT_BYTES_MAX ? EXCHANGE_UNSENT_BYTES_MAX - used : 0;
}

void exchange_handle(struct exchange *exchange)
{
    enum handled handled = exchange->service->handle(exchange->service->ctx, exchange);
    if (handled == HANDLED) {
        /* Clears an outer deadline that the gateway set before it knew. */
        exchange_answer(exchange);
        return;
    }
    PP_ASSERT(exchange->answered || exchange->park != NULL);
}

void exchange_count_reply(struct exchange *exchange)
{
    struct turn *turn = exchange->turn;
    PP_ASSERT(turn->unsent_bytes >= exchange->held_bytes);
    turn->unsent_bytes -= exchange->held_bytes;
    exchange->held_bytes = exchange->reply.headers.len + exchange->reply.body.len;
    turn->unsent_bytes += exchange->held_bytes;
}

static void state_release(struct exchange *exchange)
{
    if (exchange->state != NULL && exchange->service->release != NULL) {
        exchange->service->release(exchange->service->ctx, exchange);
    }
    exchange->state = NULL;
}

void exchange_sent(struct exchange *exchange)
{
    PP_ASSERT(exchange->turn->unsent_bytes >= exchange->held_bytes);
    exchange->turn->unsent_bytes -= exchange->held_bytes;
    exchange->held_bytes = 0;
    state_release(exchange);
}

bool exchange_is_parked(const struct exchange *exchange)
{
    return exchange->park != NULL;
}

bool exchange_is_held(const struct exchange *exchange)
{
    return exchange->answered;
}

enum status exchange_init(struct exchange *exchange, struct turn *turn,
                          const struct exchange_owner *owner)
{
    if (timer_heap_reserve(turn->timers, exchange_timers) != STATUS_OK) {
        return STATUS_NO_MEMORY;
    }
    *exchange = (struct exchange){.turn = turn, .owner = owner};
    arena_init(&exchange->arena, EXCHANGE_ARENA_BYTES_MAX);
    buf_init(&exchange->reply.headers, EXCHANGE_REPLY_HEADERS_MAX);
    buf_init(&exchange->reply.body, 0);
    exchange->park_timer.fire = park_deadline_reached;
    exchange->outer_timer.fire = outer_deadline_reached;
    return STATUS_OK;
}

void exchange_release(struct exchange *exchange)
{
    PP_ASSERT(exchange->state == NULL);
    timer_heap_unreserve(timers_of(exchange), exchange_timers);
    arena_release(&exchange->arena);
    buf_release(&exchange->reply.headers);
    buf_release(&exchange->reply.body);
}

void exchange_reset(struct exchange *exchange, const struct service *entry)
{
    PP_ASSERT(!timer_is_set(&exchange->park_timer) && !timer_is_set(&exchange->outer_timer));
    PP_ASSERT(exchange->state == NULL);
    arena_reset(&exchange->arena);
    buf_trim(&exchange->reply.headers, exchange_keep_bytes);
    buf_trim(&exchange->reply.body, exchange_keep_bytes);
    reply_reset(&exchange->reply);
    exchange->reply.body.max = entry->reply_bytes_max;
    exchange->request = (struct http_request){.method_name = SPAN_EMPTY,
                                              .target = SPAN_EMPTY,
                                              .path = SPAN_EMPTY,
                                              .query = SPAN_EMPTY,
                                              .body = SPAN_EMPTY,
                                              .host = SPAN_EMPTY};
    exchange->service = entry;
    exchange->entry = entry;
    exchange->filter = NULL;
    exchange->filter_ctx = NULL;
    exchange->journal_path = SPAN_EMPTY;
    exchange->next_held = NULL;
    exchange->held_bytes = 0;
    exchange->streamed_bytes = 0;
    exchange->park = NULL;
    exchange->answered = false;
    exchange->outside_turn = false;
}
