/* Subscriptions and assignments: rows 13 to 17 (specs/kafka-rest-v2.md sections 1.4, 3.2). A group
 * is joined only by the first read. */
#include "kafka_rest_consumer.h"
#include "kafka_rest_handlers.h"

/* What the coordinator says, in the proxy's words. Its member is there until its last call is
 * answered, so the instance is, too, even when it was deleted meanwhile. */
static enum handled membership_answer(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    const struct broker_membership *answer = KAFKA_REST_ANSWER(call, broker_membership);
    consumer_turn_note(call->rest->consumers, answer->looks);
    if (answer->goes_on) {
        return consumer_membership_again(call);
    }
    consumer_reads_wake(call->state);
    switch ((int)answer->base.status) {
    case STATUS_OK:
        return kafka_rest_no_content(exchange);
    case STATUS_EXISTS:
        answer_hint(exchange, "an instance is subscribed to topics, to a pattern, or assigned "
                              "by hand: DELETE .../subscription first (it ends any of the "
                              "three)");
        return kafka_rest_error_known(exchange, ERROR_SUBSCRIPTION_CONFLICT);
    case STATUS_INVALID:
        answer_hint(exchange, "%s", answer->base.error.message);
        return kafka_rest_error_known(exchange, ERROR_INTERNAL);
    case STATUS_NO_MEMORY:
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    case STATUS_LIMIT:
        consumer_refuse_pairs(exchange);
        return HANDLED;
    default:
        return kafka_rest_error_broker(call, &answer->base);
    }
}

/* NULL: out of memory, the answer is written. */
static struct broker_membership *membership_ask(struct kafka_rest_call *call,
                                                struct consumer *consumer,
                                                enum broker_membership_action action)
{
    struct broker_membership *request = KAFKA_REST_ASK(call, broker_membership, membership_answer);
    if (request != NULL) {
        request->member = consumer->member;
        request->action = action;
        call->state = consumer;
    }
    return request;
}

static enum handled membership_send(struct kafka_rest_call *call, struct broker_membership *request)
{
    return request != NULL ? consumer_membership_ask(call) : HANDLED;
}

enum handled kafka_rest_consumer_subscribe(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer_subscribe_body body;
    switch (consumer_decode_subscribe(exchange, &body)) {
    case BODY_REFUSED:
        return HANDLED;
    case BODY_ABSENT:
        return kafka_rest_error_null(exchange, "subscribe.arg3");
    case BODY_DECODED:
        break;
    }
    struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL) {
        return HANDLED;
    }
    if (!body.has_topics && !body.pattern.present) {
        answer_hint(exchange, "neither topics nor topic_pattern: nothing was subscribed to");
        consumer_reads_wake(consumer);
        return kafka_rest_no_content(exchange);
    }
    struct broker_membership *request =
        membership_ask(call, consumer,
                       body.has_topics ? BROKER_MEMBER_SUBSCRIBE : BROKER_MEMBER_SUBSCRIBE_PATTERN);
    if (request != NULL) {
        request->topics = body.topics;
        request->topic_count = body.topic_count;
        request->pattern = body.pattern.text;
    }
    return membership_send(call, request);
}

enum handled kafka_rest_consumer_unsubscribe(struct kafka_rest_call *call)
{
    struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL) {
        return HANDLED;
    }
    return membership_send(call, membership_ask(call, consumer, BROKER_MEMBER_UNSUBSCRIBE));
}

enum handled kafka_rest_consumer_assign(struct kafka_rest_call *call)
{
    struct consumer_partitions_body body;
    struct consumer *consumer =
        consumer_of_partitions(call, &body, "assign.arg3",
                               "send {\"partitions\": [{\"topic\": \"...\", \"partition\": 0}]}");
    if (consumer == NULL) {
        return HANDLED;
    }
    struct broker_membership *request = membership_ask(call, consumer, BROKER_MEMBER_ASSIGN);
    if (request != NULL) {
        request->choices = body.items;
        request->choice_count = body.count;
    }
    return membership_send(call, request);
}

/* --- what is asked for, what is held ---------------------------------------------------------- */

/* {"topics":[ */
static struct json_writer subscription_begin(struct kafka_rest_call *call)
{
    struct json_writer w = json_writer_to(&call->exchange->reply.body);
    call->exchange->reply.status = 200;
    json_write_object(&w);
    json_member_array(&w, "topics");
    return w;
}

static enum handled subscription_end(struct json_writer *w)
{
    json_write_end(w);
    json_write_end(w);
    return HANDLED;
}

static enum handled subscription_names(struct kafka_rest_call *call,
                                       const struct group_member *member)
{
    struct json_writer w = subscription_begin(call);
    for (size_t i = 0; i < group_member_topic_count(member); i++) {
        json_write_string(&w, group_member_topic(member, i));
    }
    return subscription_end(&w);
}

static enum handled subscription_matches(struct kafka_rest_call *call)
{
    const struct broker_metadata *answer = KAFKA_REST_ANSWER(call, broker_metadata);
    const struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL) {
        return HANDLED;
    }
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    struct json_writer w = subscription_begin(call);
    group_member_look_begin(consumer->member);
    for (size_t i = 0; i < answer->topic_count; i++) {
        if (group_member_wants(consumer->member, answer->topics[i].name)) {
            json_write_string(&w, answer->topics[i].name);
        }
    }
    group_member_look_end(consumer->member);
    if (group_member_gave_up(consumer->member)) {
        buf_reset(&call->exchange->reply.body); /* nothing, rather than half */
        w = subscription_begin(call);
    }
    return subscription_end(&w);
}

enum handled kafka_rest_consumer_subscription(struct kafka_rest_call *call)
{
    struct broker *broker = call->rest->options.broker;
    const struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL) {
        return HANDLED;
    }
    /* What a pattern stands for is known from the first poll on. */
    if (group_member_mode(consumer->member) != GROUP_MODE_PATTERN ||
        !group_member_is_joined(consumer->member)) {
        return subscription_names(call, consumer->member);
    }
    struct broker_metadata *request = KAFKA_REST_ASK(call, broker_metadata, subscription_matches);
    if (request == NULL) {
        return HANDLED;
    }
    request->all = true;
    return kafka_rest_asked(call, broker->ops->metadata(broker, request));
}

enum handled kafka_rest_consumer_assignments(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer *consumer = consumer_of_request(call);
    struct json_writer w = json_writer_to(&exchange->reply.body);
    if (consumer == NULL) {
        return HANDLED;
    }
    struct group_walk walk = group_member_walk(consumer->member, 0);
    struct group_partition held;
    json_write_object(&w);
    json_member_array(&w, "partitions");
    while (group_member_next(consumer->member, &walk, &held)) {
        consumer_encode_partition(&w, group_text_span(held.topic), held.partition);
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_end(&w);
    exchange->reply.status = 200;
    return HANDLED;
}
