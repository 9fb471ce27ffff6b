/* GET .../records: waiting without a thread (specs/kafka-rest-v2.md sections 3.3, 3.4, 3.6).
 *
 * The first read of a line is active. It looks: polls the group, measures the log, and either
 * answers or parks until its time is up or something wakes it. With a broker that answers later it
 * waits between these steps, too, without a deadline. The others of the line wait for their turn or
 * for their time, whichever comes first. */
#include "kafka_rest_consumer.h"
#include "kafka_rest_handlers.h"

#include "query.h"

/* With no room for its answer, a read looks again after this. */
enum { room_retry_us = 10000 };

/* --- one look --------------------------------------------------------------------------------- */

static void read_broker_done(struct broker_request *request);

/* Hands the step's request over and goes on in `then`, now or later. */
static enum consumer_look look_asked(struct consumer_read *read, struct broker_request *request,
                                     enum broker_outcome outcome,
                                     enum consumer_look (*then)(struct consumer_read *read))
{
    if (outcome == BROKER_DONE) {
        return then(read);
    }
    read->asked = request;
    read->then = then;
    return LOOK_ASKED;
}

static enum consumer_look look_no_memory(struct consumer_read *read)
{
    exchange_fail(read->call->exchange, EXCHANGE_NO_MEMORY);
    return LOOK_DONE;
}

static enum consumer_look look_empty(struct consumer_read *read)
{
    struct reply *reply = &read->call->exchange->reply;
    BUF_APPEND_LIT(&reply->body, "[]");
    reply->status = 200;
    return LOOK_DONE;
}

static enum consumer_look look_poll(struct consumer_read *read);

static bool look_is_over(const struct consumer_read *read)
{
    return consumer_now_us(read->consumer->consumers) >= read->deadline_us;
}

/* Others' answers, which have not left, take it all. DIFFERS: 503 where the real proxy, without a
 * bound to its memory, answers the records; an empty list would say that there are none. */
static enum consumer_look look_without_room(struct consumer_read *read)
{
    struct exchange *exchange = read->call->exchange;
    exchange_want_reply_room(exchange, read->room_wanted);
    if (!look_is_over(read)) {
        read->again_us = consumer_now_us(read->consumer->consumers) + room_retry_us;
        return LOOK_AGAIN;
    }
    exchange_fail(exchange, EXCHANGE_OVERLOADED);
    answer_hint(exchange, "there are records, but answers that other clients are slow to read "
                          "take all the memory that answers may take: read again, nothing is "
                          "lost (serve --memory sets how much there is)");
    return LOOK_DONE;
}

static enum consumer_look look_built(struct consumer_read *read)
{
    switch (consumer_build_finish(read)) {
    case BUILT_ANSWER:
        break;
    case BUILT_CHANGED:
        return look_poll(read);
    case BUILT_NO_ROOM:
        return look_without_room(read);
    }
    return LOOK_DONE;
}

static void look_fetch_begin(struct consumer_read *read)
{
    read->fetch = (struct broker_fetch){
        .base = {.arena = &read->call->exchange->arena, .done = read_broker_done, .ctx = read}};
}

static size_t look_smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* A fair share of the room, so that those who do not read their answers leave some to others. */
static size_t look_reply_max(const struct consumer_read *read, size_t room)
{
    size_t max = read->consumer->format == MEDIA_JSON ? CONSUMER_REPLY_JSON_BYTES_MAX
                                                      : CONSUMER_REPLY_BYTES_MAX;
    size_t part = look_smaller(room / CONSUMER_REPLY_ROOM_PARTS, max);
    size_t least = look_smaller(room / 2, CONSUMER_REPLY_BYTES_MIN);
    return part > least ? part : least;
}

static enum consumer_look look_build(struct consumer_read *read)
{
    struct broker *broker = read->call->rest->options.broker;
    size_t room = exchange_reply_room(read->call->exchange);
    look_fetch_begin(read);
    read->reply_max = look_reply_max(read, room);
    if (consumer_build_prepare(read, room) != STATUS_OK) {
        return look_no_memory(read);
    }
    return look_asked(read, &read->fetch.base, broker->ops->fetch(broker, &read->fetch),
                      look_built);
}

static enum consumer_look look_measured(struct consumer_read *read)
{
    struct consumer *consumer = read->consumer;
    if (read->epoch != group_member_epoch(consumer->member)) {
        return look_poll(read); /* changed while the broker was at work */
    }
    if (read->fetch.base.status != STATUS_OK) {
        kafka_rest_error_broker(read->call, &read->fetch.base);
        return LOOK_DONE;
    }
    return read->enough || look_is_over(read) ? look_build(read) : LOOK_AGAIN;
}

static enum consumer_look look_measure(struct consumer_read *read)
{
    struct broker *broker = read->call->rest->options.broker;
    look_fetch_begin(read);
    read->reply_max = look_reply_max(read, exchange_reply_room(read->call->exchange));
    consumer_measure_prepare(read);
    return look_asked(read, &read->fetch.base, broker->ops->fetch(broker, &read->fetch),
                      look_measured);
}

static enum consumer_look look_polled(struct consumer_read *read)
{
    struct kafka_rest_call *call = read->call;
    const struct broker_request *answer = &read->poll.base;
    consumer_turn_note(call->rest->consumers, read->poll.looks);
    if (read->joins && group_member_is_joined(read->consumer->member)) {
        read->first_poll = call->rest->options.first_poll == FIRST_POLL_EMPTY;
    }
    read->goes_on =
        answer->status == STATUS_OK && read->poll.goes_on && ++read->slices < CONSUMER_SLICES_MAX;
    if (read->goes_on) {
        read->again_us = consumer_now_us(read->consumer->consumers);
        return LOOK_AGAIN;
    }
    if (answer->status == STATUS_LIMIT) {
        consumer_refuse_pairs(call->exchange);
        return LOOK_DONE;
    }
    if (answer->status == STATUS_NOT_FOUND) {
        answer_hint(call->exchange, "auto.offset.reset is none, so somebody must commit or "
                                    "seek first; earliest and latest need no commit");
        kafka_rest_error(call->exchange, 500, 50002, "%s", answer->error.message);
        return LOOK_DONE;
    }
    if (answer->status != STATUS_OK) {
        kafka_rest_error_broker(call, answer);
        return LOOK_DONE;
    }
    if (group_member_gave_up(read->consumer->member)) {
        answer_hint(call->exchange,
                    "the topic_pattern takes too long on the names of the topics that "
                    "are here: it matches nothing any more; write it with fewer "
                    "repetitions, or subscribe to the topics by name");
    }
    if (!read->first_poll) {
        return look_measure(read);
    }
    if (!look_is_over(read)) {
        return LOOK_AGAIN;
    }
    answer_hint(call->exchange, "the first read after a subscribe only joins the group and "
                                "fixes its positions: read again (serve --first-poll eager "
                                "answers with data at once)");
    return look_empty(read);
}

/* Inside polls only, and when the interval has passed. */
static bool read_commit_due(struct consumer *consumer)
{
    int64_t now_us = consumer_now_us(consumer->consumers);
    if (!consumer->auto_commit || now_us < consumer->next_auto_commit_us) {
        return false;
    }
    consumer->next_auto_commit_us = now_us + (int64_t)CONSUMER_AUTO_COMMIT_MS * 1000;
    return true;
}

/* Joins, notices new topics, commits, settles positions. */
static enum consumer_look look_poll(struct consumer_read *read)
{
    struct kafka_rest_call *call = read->call;
    struct broker *broker = call->rest->options.broker;
    struct group_member *member = read->consumer->member;
    read->again_us = read->deadline_us;
    if (group_member_mode(member) == GROUP_MODE_NONE) {
        answer_hint(call->exchange, "subscribe the instance first: POST .../subscription "
                                    "{\"topics\": [\"...\"]}");
        kafka_rest_error_known(call->exchange, ERROR_INTERNAL);
        return LOOK_DONE;
    }
    read->joins =
        group_member_mode(member) != GROUP_MODE_ASSIGNED && !group_member_is_joined(member);
    read->poll = (struct broker_membership){
        .base = {.arena = &call->exchange->arena, .done = read_broker_done, .ctx = read},
        .member = member,
        .action = BROKER_MEMBER_POLL,
        .commit_due = read->goes_on || read_commit_due(read->consumer),
    };
    return look_asked(read, &read->poll.base, broker->ops->membership(broker, &read->poll),
                      look_polled);
}

/* --- the line --------------------------------------------------------------------------------- */

static const struct park_ops read_park_ops;

/* True: the read has left the line with its answer complete. */
static bool read_settle(struct consumer_read *read, enum consumer_look look)
{
    struct exchange *exchange = read->call->exchange;
    if (look == LOOK_ASKED) {
        exchange_park(exchange, INT64_MAX, &read_park_ops, read);
        return false;
    }
    if (look == LOOK_AGAIN && !read->first_poll && !consumer_read_watch(read)) {
        look = look_no_memory(read);
    }
    if (look == LOOK_AGAIN && !consumer_read_count(read)) {
        consumer_refuse_pairs(exchange);
        look = LOOK_DONE;
    }
    read->busy = false;
    if (look == LOOK_DONE) {
        consumer_read_leave_line(read);
        return true;
    }
    int64_t now_us = consumer_now_us(read->consumer->consumers);
    exchange_park(exchange, read->missed ? now_us : read->again_us, &read_park_ops, read);
    read->missed = false;
    return false;
}

static bool read_look(struct consumer_read *read)
{
    read->busy = true;
    return read_settle(read, look_poll(read));
}

static void advance_line(struct consumer *consumer);

static enum handled read_begin_later(struct kafka_rest_call *call)
{
    struct consumer_read *read = call->state;
    struct consumer *consumer = read->consumer;
    if (read_look(read)) {
        exchange_answer(call->exchange);
        advance_line(consumer);
    }
    return PARKED; /* or answered, which is the same for who asks */
}

/* The first in line looks at the log, in this turn or in a later one; true as above. */
static bool read_begin(struct consumer_read *read)
{
    read->active = true;
    if (!consumer_turn_admits(read->call, read_begin_later)) {
        exchange_park(read->call->exchange, INT64_MAX, &read_park_ops, read);
        return false;
    }
    return read_look(read);
}

/* The first in line has changed: it gets its turn. */
static void advance_line(struct consumer *consumer)
{
    while (consumer->reads != NULL && !consumer->reads->active) {
        struct consumer_read *read = consumer->reads;
        if (read_begin(read)) {
            exchange_answer(read->call->exchange);
        }
    }
}

static void read_broker_done(struct broker_request *request)
{
    struct consumer_read *read = request->ctx;
    struct consumer *consumer = read->consumer;
    read->asked = NULL;
    if (read_settle(read, read->then(read))) {
        exchange_answer(read->call->exchange);
        advance_line(consumer);
    }
}

static void read_due(struct exchange *exchange, void *state)
{
    struct consumer_read *read = state;
    struct consumer *consumer = read->consumer;
    read->woken = false;
    if (!read->active) { /* its time is up, its turn never came */
        consumer_read_leave_line(read);
        (void)look_empty(read);
        exchange_answer(exchange);
        return;
    }
    if (read_begin(read)) {
        exchange_answer(exchange);
        advance_line(consumer);
    }
}

static void read_cancel(struct exchange *exchange, void *state)
{
    struct consumer_read *read = state;
    struct consumer *consumer = read->consumer;
    (void)exchange;
    consumer_read_leave_line(read);
    if (read->asked != NULL) {
        broker_cancel(read->call->rest->options.broker, read->asked);
    }
    advance_line(consumer);
}

static const struct park_ops read_park_ops = {read_due, read_cancel};

/* --- the request ------------------------------------------------------------------------------ */

/* Absent or empty: -1. False: not a whole number, which JAX-RS answers with 404. */
static bool records_number(struct exchange *exchange, const char *name, int64_t *out)
{
    struct span text;
    *out = -1;
    enum query_outcome outcome = query_value(exchange, name, &text);
    bool ok = outcome == QUERY_ABSENT ||
              (outcome == QUERY_FOUND && (text.len == 0 || span_parse_i64(text, out)));
    if (!ok) {
        kafka_rest_hint_number(exchange, name);
        kafka_rest_error_known(exchange, ERROR_NOT_FOUND);
    }
    return ok;
}

static int64_t records_smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The server's second caps the instance's value as well: a defect of 7.2, kept. */
static int64_t records_wait_ms(const struct consumer *consumer, int64_t timeout_ms)
{
    int64_t wait_ms = records_smaller(consumer->wait_ms, CONSUMER_SERVER_WAIT_MS);
    if (timeout_ms > 0) {
        wait_ms = records_smaller(wait_ms, timeout_ms);
    }
    return wait_ms > 0 ? wait_ms : 0;
}

static enum kafka_rest_media records_reader(enum kafka_rest_media accepted)
{
    switch ((int)accepted) {
    case MEDIA_V2:
        return MEDIA_BINARY;
    case MEDIA_APPLICATION_JSON: /* only in lenient mode */
        return MEDIA_JSON;
    default:
        return accepted;
    }
}

static bool records_check_format(struct kafka_rest_call *call, const struct consumer *consumer)
{
    if (records_reader(call->media.out) == consumer->format) {
        return true;
    }
    answer_hint(call->exchange,
                "the format is fixed when the instance is created: send Accept: %s (no Accept, "
                "or */*, means binary)",
                kafka_rest_media_type(consumer->format));
    kafka_rest_error_known(call->exchange, ERROR_FORMAT_MISMATCH);
    return false;
}

/* Patterns see only what they may. */
static bool records_check_permitted(struct kafka_rest_call *call, const struct consumer *consumer)
{
    const struct group_member *member = consumer->member;
    bool is_assigned = group_member_mode(member) == GROUP_MODE_ASSIGNED;
    if (!consumer_group_permitted(call)) {
        return false;
    }
    if (!call->rest->options.policy->enforced) {
        return true;
    }
    for (size_t i = 0; i < group_member_topic_count(member); i++) {
        if (!kafka_rest_topic_permitted(call, group_member_topic(member, i))) {
            return false;
        }
    }
    struct group_walk walk = group_member_walk(member, 0);
    struct group_partition first;
    int32_t count;
    while (is_assigned && group_member_next_run(member, &walk, &first, &count)) {
        if (!kafka_rest_topic_permitted(call, group_text_span(first.topic))) {
            return false;
        }
    }
    return true;
}

enum handled kafka_rest_consumer_records(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    int64_t timeout_ms;
    int64_t max_bytes;
    if (!records_number(exchange, "timeout", &timeout_ms) ||
        !records_number(exchange, "max_bytes", &max_bytes)) {
        return HANDLED;
    }
    struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL || !records_check_format(call, consumer) ||
        !records_check_permitted(call, consumer)) {
        return HANDLED;
    }
    struct consumer_read *read = ARENA_NEW(&exchange->arena, struct consumer_read);
    if (read == NULL || consumer->read_count >= CONSUMER_READS_MAX) {
        exchange_fail(exchange, read == NULL ? EXCHANGE_NO_MEMORY : EXCHANGE_OVERLOADED);
        return HANDLED;
    }
    read->call = call;
    call->state = read;
    read->consumer = consumer;
    read->park_ops = &read_park_ops;
    read->max_bytes = CONSUMER_FETCH_BYTES_MAX;
    if (max_bytes > 0) {
        read->max_bytes = records_smaller(read->max_bytes, max_bytes);
    }
    read->deadline_us =
        consumer_now_us(call->rest->consumers) + records_wait_ms(consumer, timeout_ms) * 1000;
    struct consumer_read **end = &consumer->reads;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = read;
    consumer->read_count++;
    if (consumer->reads == read) {
        return read_begin(read) ? HANDLED : PARKED;
    }
    if (!consumer_read_count(read)) {
        consumer_read_leave_line(read);
        consumer_refuse_pairs(exchange);
        return HANDLED;
    }
    exchange_park(exchange, read->deadline_us, &read_park_ops, read);
    return PARKED;
}
