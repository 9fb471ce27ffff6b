/* The life of an exchange between its handler and the turn: parked, answered, failed, cancelled.
 *
 * Invariant: an exchange is answered exactly once, and from then on no timer of it is armed and no
 * callback into its service (but fail) is made. */
#include "exchange.h"

#include "journal.h"
#include "recent.h"
#include "turn.h"

/* An exchange has two timers, whose slots are reserved: arming them does not fail. */
enum { exchange_timers = 2 };

/* What a quiet exchange keeps of a large request's memory. */
enum { exchange_keep_bytes = 16 * 1024, refusal_bytes = 4 * 1024 };

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
    reply->no_date_server = false;
}

static bool reply_is_sound(const struct reply *reply)
{
    return reply->status != 0 && buf_ok(&reply->body) && buf_ok(&reply->headers);
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
        PP_ASSERT(!exchange->answered && exchange->park == NULL);
    }
}

void exchange_answer(struct exchange *exchange)
{
    PP_ASSERT(!exchange->answered);
    (void)unpark(exchange);
    exchange->answered = true;
    exchange_count_reply(exchange);
    turn_hold(exchange->turn, &exchange->held);
}

static void park_deadline_reached(struct timer *timer)
{
    struct exchange *exchange = PP_CONTAINER_OF(timer, struct exchange, park_timer);
    PP_ASSERT(!exchange->answered && exchange->park != NULL);
    exchange->park->deadline(exchange, exchange->park_state);
    PP_ASSERT(exchange->answered || exchange->park != NULL);
}

static void outer_deadline_reached(struct timer *timer)
{
    struct exchange *exchange = PP_CONTAINER_OF(timer, struct exchange, outer_timer);
    PP_ASSERT(!exchange->answered && exchange->outer_deadline != NULL);
    exchange_cancel(exchange);
    reply_reset(&exchange->reply);
    exchange->outer_deadline(exchange, exchange->outer_ctx);
    exchange_answer(exchange);
}

static void timer_arm(struct exchange *exchange, struct timer *timer, int64_t due_us)
{
    enum status armed = timer_set(timers_of(exchange), timer, due_us);
    PP_ASSERT(armed == STATUS_OK); /* its slot is reserved */
}

void exchange_park(struct exchange *exchange, int64_t deadline_us, const struct park_ops *ops,
                   void *state)
{
    PP_ASSERT(!exchange->answered);
    PP_ASSERT(ops != NULL);
    PP_ASSERT(ops->deadline != NULL || deadline_us == INT64_MAX);
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
    PP_ASSERT(on_deadline != NULL);
    exchange->outer_deadline = on_deadline;
    exchange->outer_ctx = ctx;
    timer_arm(exchange, &exchange->outer_timer, deadline_us);
}

void exchange_on_lost(struct exchange *exchange, void (*lost)(void *ctx), void *ctx)
{
    exchange->lost = lost;
    exchange->lost_ctx = ctx;
}

void exchange_lose_answer(struct exchange *exchange)
{
    void (*lost)(void *) = exchange->lost;
    exchange->lost = NULL;
    if (lost != NULL) {
        lost(exchange->lost_ctx);
    }
}

void exchange_fail(struct exchange *exchange, enum exchange_failure failure)
{
    exchange_lose_answer(exchange);
    reply_reset(&exchange->reply);
    exchange->service->fail(exchange->service->ctx, exchange, failure);
    if (!reply_is_sound(&exchange->reply)) {
        reply_reset(&exchange->reply);
        exchange->reply.status = 500;
    }
    PP_ASSERT(exchange->reply.stream == NULL); /* an error is there as a whole */
}

void exchange_abort(struct exchange *exchange, enum exchange_failure failure)
{
    exchange_cancel(exchange);
    exchange_fail(exchange, failure);
    exchange_answer(exchange);
}

size_t exchange_reply_room(const struct exchange *exchange)
{
    return turn_unsent_room(exchange->turn);
}

void exchange_want_reply_room(struct exchange *exchange, size_t bytes)
{
    if (exchange->owner->want_room != NULL) {
        exchange->owner->want_room(exchange, bytes);
    }
}

struct budget *exchange_budget(const struct exchange *exchange)
{
    return &exchange->turn->budget;
}

void exchange_hold(struct exchange *exchange, size_t bytes)
{
    budget_note(&exchange->turn->budget, BUDGET_REQUESTS, &exchange->service_bytes, bytes);
}

void exchange_handle(struct exchange *exchange)
{
    PP_ASSERT(!exchange->answered && exchange->park == NULL);
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
    turn_count(exchange->turn, &exchange->held,
               exchange->reply.headers.len + exchange->reply.body.len);
}

static void state_release(struct exchange *exchange)
{
    if (exchange->state != NULL) {
        PP_ASSERT(exchange->service->release != NULL);
        exchange->service->release(exchange->service->ctx, exchange);
    }
    exchange->state = NULL;
}

void exchange_sent(struct exchange *exchange)
{
    turn_count(exchange->turn, &exchange->held, 0);
    PP_ASSERT(exchange->held.bytes == 0 && exchange->park == NULL);
    state_release(exchange);
    if (exchange->service_bytes > 0) {
        exchange_hold(exchange, 0);
    }
}

bool exchange_is_parked(const struct exchange *exchange)
{
    return exchange->park != NULL;
}

bool exchange_is_held(const struct exchange *exchange)
{
    return exchange->answered;
}

/* --- at the turn's end --- */

static struct exchange *exchange_of(struct held *held)
{
    return PP_CONTAINER_OF(held, struct exchange, held);
}

/* Asks to see something, and has nothing done. */
static bool request_only_shows(const struct http_request *request)
{
    return request->method == METHOD_GET || request->method == METHOD_HEAD ||
           request->method == METHOD_OPTIONS;
}

static bool answer_is_lost(const struct exchange *exchange, enum turn_outcome outcome)
{
    return !exchange->outside_turn &&
           (outcome == TURN_FAILED ||
            (outcome == TURN_STOPPED && !request_only_shows(&exchange->request)));
}

/* Failed if the commit was, then through the filter: the reply as it will leave. */
static void held_settle(struct held *held, enum turn_outcome outcome)
{
    struct exchange *exchange = exchange_of(held);
    PP_ASSERT(exchange->answered && exchange->park == NULL);
    if (answer_is_lost(exchange, outcome)) {
        exchange->lost = NULL;
        exchange_fail(exchange, EXCHANGE_COMMIT_FAILED);
        if (exchange->turn->stopped) {
            exchange->reply.hint = "the disk failed to keep data: nothing is accepted until a "
                                   "restart, and what is refused may or may not be there then";
        }
    } else if (exchange->starved || !reply_is_sound(&exchange->reply)) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
    }
    const struct reply *reply = &exchange->reply;
    PP_ASSERT(reply->stream == NULL || (exchange->filter == NULL && reply->body.len == 0));
    if (exchange->filter != NULL) {
        exchange->filter(exchange, exchange->filter_ctx);
        if (!reply_is_sound(reply)) {
            exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        }
    }
    exchange_count_reply(exchange); /* its size has changed */
}

static void held_send(struct held *held)
{
    struct exchange *exchange = exchange_of(held);
    PP_ASSERT(reply_is_sound(&exchange->reply) && exchange->park == NULL);
    exchange->owner->send(exchange);
}

static void held_finished(struct held *held)
{
    struct exchange *exchange = exchange_of(held);
    const struct http_request *request = &exchange->request;
    PP_ASSERT(exchange->answered && exchange->entry != NULL);
    struct span path = exchange->journal_path;
    const struct journal_entry entry = {
        .service = exchange->entry->name,
        .method = request->method_name,
        .path = path.len > 0 ? path : request->target,
        .status = exchange->reply.status,
        .error_code = span_from_cstr(exchange->reply.error_code),
        .hint = span_from_cstr(exchange->reply.hint),
        .received_us = request->received_us,
        .latency_us = exchange->turn->committed_us - exchange->start_us,
        .request_bytes = request->body.len + exchange->streamed_bytes,
        .response_bytes = reply_body_bytes(&exchange->reply),
    };
    turn_journal(exchange->turn, &entry);
    if (exchange->recent_number != 0) {
        recent_answered(exchange->turn->recent, exchange->recent_number, entry.status);
    }
    exchange->owner->finished(exchange);
}

static const struct held_ops held_ops = {held_settle, held_send, held_finished};

/* --- life --- */

enum status exchange_init(struct exchange *exchange, struct turn *turn,
                          const struct exchange_owner *owner)
{
    if (timer_heap_reserve(turn->timers, exchange_timers) != STATUS_OK) {
        return STATUS_NO_MEMORY;
    }
    *exchange = (struct exchange){.turn = turn, .held = {.ops = &held_ops}, .owner = owner};
    arena_init(&exchange->arena, EXCHANGE_ARENA_BYTES_MAX);
    buf_init(&exchange->reply.headers, EXCHANGE_REPLY_HEADERS_MAX);
    buf_init(&exchange->reply.body, 0);
    exchange->park_timer.fire = park_deadline_reached;
    exchange->outer_timer.fire = outer_deadline_reached;
    /* What a refusal takes is there from the start: it must be said just when there is no memory.
     */
    exchange->reply.body.max = refusal_bytes;
    bool ready = arena_alloc(&exchange->arena, 1) != NULL &&
                 buf_reserve(&exchange->reply.headers, refusal_bytes / 2) &&
                 buf_reserve(&exchange->reply.body, refusal_bytes / 2);
    if (!ready) {
        exchange_release(exchange);
        return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

void exchange_release(struct exchange *exchange)
{
    PP_ASSERT(exchange->park == NULL && exchange->held.bytes == 0);
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
    exchange->lost = NULL;
    exchange->journal_path = SPAN_EMPTY;
    exchange->recent_number = 0;
    PP_ASSERT(exchange->held.bytes == 0 && exchange->service_bytes == 0);
    exchange->streamed_bytes = 0;
    exchange->park = NULL;
    exchange->answered = false;
    exchange->outside_turn = false;
    exchange->starved = false;
}
