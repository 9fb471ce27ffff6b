/* Consumer instances: made, found, expired, closed (specs/kafka-rest-v2.md
 * sections 3.1, 3.6).
 *
 * As in the real proxy they live in memory only: a restart forgets them, and five minutes without a
 * request end one. Their groups' commits are the broker's. Invariant: an instance in the table has
 * its expiry timer armed; one that is out of it is among `closing` until the broker has let go of
 * its member. */
#include "kafka_rest_consumer.h"

#include "budget.h"
#include "hash.h"
#include "undo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char log_area[] = "rest";

/* --- the table -------------------------------------------------------------------------------- */

static size_t consumer_bucket(struct span group, struct span name)
{
    const struct span between = {"", 1}; /* so that "ab", "c" is not "a", "bc" */
    uint32_t hash = hash_bytes(hash_bytes(hash_bytes(HASH_START, group), between), name);
    return hash % CONSUMER_BUCKETS;
}

struct consumer *consumer_find(const struct kafka_rest_consumers *consumers, struct span group,
                               struct span name)
{
    struct consumer *consumer = consumers->buckets[consumer_bucket(group, name)];
    while (consumer != NULL && !(span_equal(group_text_span(consumer->name), name) &&
                                 span_equal(group_text_span(consumer->group), group))) {
        consumer = consumer->next;
    }
    return consumer;
}

struct consumer *consumer_by_serial(struct kafka_rest_consumers *consumers, uint64_t serial)
{
    for (size_t i = 0; i < CONSUMER_BUCKETS; i++) {
        for (struct consumer *c = consumers->buckets[i]; c != NULL; c = c->next) {
            if (c->serial == serial) {
                return c;
            }
        }
    }
    return NULL;
}

void consumers_visit(struct kafka_rest_consumers *consumers,
                     void (*visit)(void *ctx, struct consumer *consumer), void *ctx)
{
    for (size_t i = 0; i < CONSUMER_BUCKETS; i++) {
        for (struct consumer *c = consumers->buckets[i]; c != NULL; c = c->next) {
            visit(ctx, c);
        }
    }
}

struct consumer *consumer_of_request(struct kafka_rest_call *call)
{
    struct span group = call->match.captures[0];
    struct span name = call->match.captures[1];
    struct consumer *consumer = consumer_find(call->rest->consumers, group, name);
    if (consumer == NULL) {
        answer_hint(call->exchange,
                    "group %.*s has no instance %.*s: it was never created here, was deleted, "
                    "expired after %d minutes without a request, or the server was restarted "
                    "(instances live in memory); create it again and subscribe",
                    SPAN_ARG(span_first(group, 64)), SPAN_ARG(span_first(name, 64)),
                    CONSUMER_EXPIRY_MS / 60000);
        kafka_rest_error_known(call->exchange, ERROR_INSTANCE_NOT_FOUND);
        return NULL;
    }
    consumer_touch(consumer);
    return consumer;
}

struct consumer *consumer_of_partitions(struct kafka_rest_call *call,
                                        struct consumer_partitions_body *body, const char *argument,
                                        const char *example)
{
    switch (consumer_decode_partitions(call->exchange, body)) {
    case BODY_REFUSED:
        return NULL;
    case BODY_ABSENT:
        kafka_rest_error_null(call->exchange, argument);
        return NULL;
    case BODY_DECODED:
        break;
    }
    struct consumer *consumer = consumer_of_request(call);
    if (consumer != NULL && !body->present) {
        answer_hint(call->exchange, "%s", example);
        kafka_rest_error_known(call->exchange, ERROR_INTERNAL);
        return NULL;
    }
    return consumer;
}

bool consumer_group_permitted(struct kafka_rest_call *call)
{
    return !call->rest->options.policy->enforced ||
           kafka_rest_group_permitted(call, call->match.captures[0]);
}

/* --- calls of the coordinator that take turns ---------------------------------------------------
 */

/* The same call, when its instance is still there. */
static enum handled membership_ask_again(struct kafka_rest_call *call)
{
    struct broker_membership *request = KAFKA_REST_ANSWER(call, broker_membership);
    struct broker *broker = call->rest->options.broker;
    struct consumer *consumer = consumer_of_request(call); /* it may be gone by now */
    if (consumer == NULL) {
        return HANDLED;
    }
    call->state = consumer;
    request->member = consumer->member;
    return kafka_rest_asked(call, broker->ops->membership(broker, request));
}

enum handled consumer_membership_again(struct kafka_rest_call *call)
{
    if (++call->slices > CONSUMER_SLICES_MAX) {
        return kafka_rest_error_known(call->exchange, ERROR_INTERNAL);
    }
    return consumer_turn_wait(call, membership_ask_again);
}

enum handled consumer_membership_ask(struct kafka_rest_call *call)
{
    return consumer_turn_take(call, membership_ask_again);
}

/* --- the end of one --------------------------------------------------------------------------- */

/* An instance's memory beside its member's. */
static size_t consumer_bytes(const struct consumer *consumer)
{
    size_t texts = consumer->group->len + consumer->name->len + consumer->client_id->len +
                   consumer->member_id->len + 4 * (sizeof(*consumer->name) + 1);
    size_t buffer =
        consumer->buffered != NULL ? CONSUMER_POLL_RECORDS * sizeof(*consumer->buffered) : 0;
    return sizeof(*consumer) + texts + buffer;
}

static void consumer_charge(struct consumer *consumer, size_t bytes)
{
    struct budget *budget = consumer->consumers->rest->options.budget;
    if (budget != NULL) {
        budget_note(budget, BUDGET_PAIRS, &consumer->charged, bytes);
    }
}

bool consumer_buffer_reserve(struct consumer *consumer)
{
    if (consumer->buffered == NULL) {
        consumer->buffered = calloc(CONSUMER_POLL_RECORDS, sizeof(*consumer->buffered));
        consumer_charge(consumer, consumer_bytes(consumer));
    }
    return consumer->buffered != NULL;
}

void consumer_buffer_trim(struct consumer *consumer)
{
    if (consumer->buffered != NULL && consumer->buffered_count == 0) {
        free(consumer->buffered);
        consumer->buffered = NULL;
        consumer_charge(consumer, consumer_bytes(consumer));
    }
}

void consumer_buffer_drop(struct consumer *consumer)
{
    for (size_t i = 0; i < consumer->buffered_count; i++) {
        group_text_unref(consumer->buffered[i].topic);
    }
    consumer->buffered_count = 0;
    consumer_buffer_trim(consumer);
}

void consumer_refuse_pairs(struct exchange *exchange)
{
    exchange_fail(exchange, EXCHANGE_OVERLOADED);
    answer_hint(exchange, "what consumers remember of partitions and waiting reads takes all the "
                          "memory that there is for it: DELETE instances that are done with, "
                          "subscribe to fewer topics, or give serve --memory more");
}

static void consumer_free(struct consumer *consumer)
{
    consumer_buffer_drop(consumer);
    consumer_charge(consumer, 0);
    group_member_free(consumer->member);
    group_text_unref(consumer->group);
    group_text_unref(consumer->name);
    group_text_unref(consumer->client_id);
    group_text_unref(consumer->member_id);
    free(consumer);
}

/* Out of the table: nobody finds it any more, its name is free. */
static void consumer_take_out(struct consumer *consumer)
{
    struct kafka_rest_consumers *consumers = consumer->consumers;
    struct consumer **link = &consumers->buckets[consumer_bucket(group_text_span(consumer->group),
                                                                 group_text_span(consumer->name))];
    while (*link != consumer) {
        link = &(*link)->next;
    }
    *link = consumer->next;
    consumers->count--;
    consumer->next = consumers->closing;
    consumers->closing = consumer;
}

static void consumer_gone(struct consumer *consumer)
{
    struct consumer **link = &consumer->consumers->closing;
    while (*link != consumer) {
        link = &(*link)->next;
    }
    *link = consumer->next;
    consumer_free(consumer);
}

static void consumer_gone_told(struct consumer *consumer)
{
    struct exchange *deleter = consumer->deleter;
    consumer_gone(consumer);
    if (deleter != NULL) {
        kafka_rest_no_content(deleter);
        exchange_answer(deleter);
    }
}

/* `closing` was answered. False: it is, but there is more of it, and the timer goes on. */
static bool consumer_is_closed(struct consumer *consumer)
{
    struct timer_heap *timers = consumer->consumers->rest->options.timers;
    consumer_turn_note(consumer->consumers, consumer->closing.looks);
    consumer->is_at_broker = false;
    consumer->is_ending =
        consumer->closing.goes_on &&
        timer_set(timers, &consumer->expiry, consumer_now_us(consumer->consumers)) == STATUS_OK;
    return !consumer->is_ending;
}

static void consumer_closed(struct broker_request *request)
{
    struct consumer *consumer = request->ctx;
    if (consumer_is_closed(consumer)) {
        consumer_gone_told(consumer);
    }
}

/* `others_follow`: the proxy closes them all. DONE: it may be freed. */
static enum broker_outcome consumer_end(struct consumer *consumer, bool others_follow)
{
    struct kafka_rest_options *options = &consumer->consumers->rest->options;
    timer_clear(options->timers, &consumer->expiry);
    consumer_reads_refuse(consumer);
    consumer->closing = (struct broker_membership){
        .base = {.done = consumer_closed, .ctx = consumer},
        .member = consumer->member,
        .action = BROKER_MEMBER_CLOSE,
        .at_once = others_follow || ++consumer->slices > CONSUMER_SLICES_MAX,
        .others_follow = others_follow,
    };
    if (options->broker->ops->membership(options->broker, &consumer->closing) == BROKER_DONE) {
        return consumer_is_closed(consumer) ? BROKER_DONE : BROKER_LATER;
    }
    consumer->is_at_broker = true;
    return BROKER_LATER;
}

enum broker_outcome consumer_close(struct consumer *consumer, struct exchange *deleter)
{
    consumer_take_out(consumer);
    enum broker_outcome outcome = consumer_end(consumer, false);
    if (outcome == BROKER_DONE) {
        consumer_gone(consumer);
    } else {
        consumer->deleter = deleter;
    }
    return outcome;
}

/* The turn that made it has failed. On the way back nothing may be written, and closing may commit:
 * the timer does that in the next turn. */
static void consumer_back(void *owner, const void *payload)
{
    struct kafka_rest_consumers *consumers = owner;
    struct consumer *consumer = consumer_by_serial(consumers, *(const uint64_t *)payload);
    if (consumer != NULL) {
        consumer_take_out(consumer);
        consumer->is_lost = true;
        enum status status = timer_set(consumers->rest->options.timers, &consumer->expiry,
                                       consumer_now_us(consumers));
        PP_ASSERT(status == STATUS_OK); /* it is armed already */
    }
}

static const struct undo_ops consumer_undo = {.back = consumer_back};

static void consumer_arm_expiry_at(struct consumer *consumer, int64_t due_us)
{
    struct kafka_rest *rest = consumer->consumers->rest;
    if (timer_set(rest->options.timers, &consumer->expiry, due_us) != STATUS_OK) {
        LOG_ERRORF(rest->options.log, log_area, "out of memory: instance %s will not expire",
                   consumer->name->text);
    }
}

static void consumer_arm_expiry(struct consumer *consumer)
{
    consumer_arm_expiry_at(consumer, consumer->last_used_us + (int64_t)CONSUMER_EXPIRY_MS * 1000);
}

/* Requests only note when they came; the timer catches up with them here. */
static void consumer_expiry_due(struct timer *timer)
{
    struct consumer *consumer = PP_CONTAINER_OF(timer, struct consumer, expiry);
    int64_t silent_us = consumer_now_us(consumer->consumers) - consumer->last_used_us;
    if (consumer_turn_is_used(consumer->consumers)) {
        consumer_arm_expiry_at(consumer, consumer_now_us(consumer->consumers));
    } else if (consumer->is_lost || consumer->is_ending) {
        if (consumer_end(consumer, false) == BROKER_DONE) {
            consumer_gone_told(consumer);
        }
    } else if (consumer->reads != NULL) {
        consumer_touch(consumer);
        consumer_arm_expiry(consumer);
    } else if (silent_us < (int64_t)CONSUMER_EXPIRY_MS * 1000) {
        consumer_arm_expiry(consumer);
    } else {
        LOG_INFOF(consumer->consumers->rest->options.log, log_area,
                  "instance expired group=%s instance=%s", consumer->group->text,
                  consumer->name->text);
        (void)consumer_close(consumer, NULL);
    }
}

/* --- the beginning of one --------------------------------------------------------------------- */

static struct group_text *consumer_text_join(const struct span *parts, size_t count)
{
    struct buf text;
    buf_init(&text, 4 * CONSUMER_NAME_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_append_span(&text, parts[i]);
    }
    struct group_text *joined = buf_ok(&text) ? group_text_new(buf_span(&text)) : NULL;
    buf_release(&text);
    return joined;
}

/* As the real proxy and Kafka's client make them up: rest-consumer-<uuid>, consumer-<group>-<n>,
 * and <client id>-<uuid> for the member, which the assignor sorts by. */
static bool consumer_name_all(struct consumer *consumer, struct span group, struct span name)
{
    struct env *env = consumer->consumers->rest->options.env;
    char own_uuid[ENV_UUID_BYTES];
    char member_uuid[ENV_UUID_BYTES];
    char serial[24];
    env_uuid(env, own_uuid);
    env_uuid(env, member_uuid);
    snprintf(serial, sizeof(serial), "-%llu", (unsigned long long)consumer->serial);
    const struct span made_up[] = {SPAN_LIT("rest-consumer-"), span_from_cstr(own_uuid)};
    const struct span client[] = {SPAN_LIT("consumer-"), group, span_from_cstr(serial)};
    consumer->group = group_text_new(group);
    consumer->name =
        name.len > 0 ? group_text_new(name) : consumer_text_join(made_up, ARRAY_COUNT(made_up));
    consumer->client_id = consumer_text_join(client, ARRAY_COUNT(client));
    if (consumer->group == NULL || consumer->name == NULL || consumer->client_id == NULL) {
        return false;
    }
    const struct span member[] = {group_text_span(consumer->client_id), SPAN_LIT("-"),
                                  span_from_cstr(member_uuid)};
    consumer->member_id = consumer_text_join(member, ARRAY_COUNT(member));
    return consumer->member_id != NULL;
}

static void consumer_member_changed(void *ctx)
{
    consumer_reads_wake(ctx);
}

/* The instance has its names. */
static struct group_member *consumer_member_new(struct consumer *consumer, enum group_reset reset)
{
    const struct kafka_rest_options *options = &consumer->consumers->rest->options;
    return group_member_new(&(struct group_member_options){
        .group_name = group_text_span(consumer->group),
        .member_id = group_text_span(consumer->member_id),
        .client_id = group_text_span(consumer->client_id),
        .auto_commit = consumer->auto_commit,
        .reset = reset,
        .changed = consumer_member_changed,
        .ctx = consumer,
        .log = options->log,
        .policy = options->policy,
        .budget = options->budget,
    });
}

/* Names and member are there, and counted. */
static enum status consumer_fill(struct consumer *consumer, struct span group,
                                 const struct consumer_settings *settings)
{
    struct budget *budget = consumer->consumers->rest->options.budget;
    bool is_named = consumer_name_all(consumer, group, settings->name);
    consumer->member = is_named ? consumer_member_new(consumer, settings->reset) : NULL;
    if (consumer->member == NULL) {
        return STATUS_NO_MEMORY;
    }
    return budget == NULL ||
                   budget_take(budget, BUDGET_PAIRS, &consumer->charged, consumer_bytes(consumer))
               ? STATUS_OK
               : STATUS_LIMIT;
}

enum status consumer_new(struct kafka_rest_call *call, struct span group,
                         const struct consumer_settings *settings, struct consumer **out)
{
    struct kafka_rest_consumers *consumers = call->rest->consumers;
    struct undo_log *undo = call->rest->options.undo;
    struct consumer *consumer = calloc(1, sizeof(*consumer));
    if (consumer == NULL || undo_reserve(undo, 1) != STATUS_OK) {
        free(consumer);
        return STATUS_NO_MEMORY;
    }
    consumer->consumers = consumers;
    consumer->serial = ++consumers->last_serial;
    consumer->format = settings->format;
    consumer->auto_commit = settings->auto_commit;
    consumer->fetch_min_bytes = settings->fetch_min_bytes;
    consumer->wait_ms = settings->wait_ms;
    consumer->expiry.fire = consumer_expiry_due;
    consumer_touch(consumer);
    consumer->next_auto_commit_us =
        consumer->last_used_us + (int64_t)CONSUMER_AUTO_COMMIT_MS * 1000;
    int64_t due_us = consumer->last_used_us + (int64_t)CONSUMER_EXPIRY_MS * 1000;
    enum status status = consumer_fill(consumer, group, settings);
    if (status == STATUS_OK) {
        status = timer_set(call->rest->options.timers, &consumer->expiry, due_us);
    }
    if (status != STATUS_OK) {
        consumer_free(consumer);
        return status;
    }
    struct consumer **bucket =
        &consumers->buckets[consumer_bucket(group, group_text_span(consumer->name))];
    consumer->next = *bucket;
    *bucket = consumer;
    consumers->count++;
    undo_push(undo, &consumer_undo, consumers, &consumer->serial, sizeof(consumer->serial));
    *out = consumer;
    return STATUS_OK;
}

/* --- life ------------------------------------------------------------------------------------- */

enum status kafka_rest_consumers_new(struct kafka_rest *rest, struct kafka_rest_consumers **out,
                                     struct error *err)
{
    struct kafka_rest_consumers *consumers = calloc(1, sizeof(*consumers));
    if (consumers == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "the REST proxy's consumers: out of memory");
    }
    consumers->rest = rest;
    if (consumer_turn_init(consumers) != STATUS_OK) {
        free(consumers);
        return error_set(err, STATUS_NO_MEMORY, "the REST proxy's consumers: out of memory");
    }
    *out = consumers;
    return STATUS_OK;
}

void kafka_rest_consumers_free(struct kafka_rest_consumers *consumers)
{
    struct broker *broker = consumers->rest->options.broker;
    for (size_t i = 0; i < CONSUMER_BUCKETS; i++) {
        while (consumers->buckets[i] != NULL) {
            consumer_take_out(consumers->buckets[i]);
        }
    }
    while (consumers->closing != NULL) {
        /* A stop closes them as DELETE does; the commits are the last turn's. */
        struct consumer *consumer = consumers->closing;
        consumer->deleter = NULL;
        if (consumer->is_at_broker || consumer_end(consumer, true) == BROKER_LATER) {
            broker_cancel(broker, &consumer->closing.base);
        }
        consumer_gone(consumer);
    }
    PP_ASSERT(consumers->count == 0 && consumers->watch_count == 0);
    consumer_turn_release(consumers);
    undo_drop(consumers->rest->options.undo, consumers);
    free(consumers);
}
