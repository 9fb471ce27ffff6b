/* Subscriptions and assignments: rows 13 to 17 (specs/kafka-rest-v2.md sections 1.4, 3.2). A group
 * is joined only by the first read. */
#include "kafka_rest_consumer.h"

static enum handled answer_no_content(struct exchange *exchange)
{
    exchange->reply.status = 204;
    exchange->reply.content_type = NULL;
    return HANDLED;
}

/* What group.c says, in the proxy's words. */
static enum handled answer_status(struct kafka_rest_call *call, enum status status,
                                  const struct error *err)
{
    struct exchange *exchange = call->exchange;
    switch ((int)status) {
    case STATUS_OK:
        return answer_no_content(exchange);
    case STATUS_EXISTS:
        answer_hint(exchange, "an instance is subscribed to topics, to a pattern, or assigned "
                              "by hand: DELETE .../subscription first (it ends any of the "
                              "three)");
        return kafka_rest_error_known(exchange, ERROR_SUBSCRIPTION_CONFLICT);
    case STATUS_INVALID:
        answer_hint(exchange, "%s", err->message);
        return kafka_rest_error_known(exchange, ERROR_INTERNAL);
    case STATUS_NO_MEMORY:
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    default:
        return kafka_rest_error_store(call, err);
    }
}

enum handled kafka_rest_consumer_subscribe(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer_subscribe_body body;
    struct error err = ERROR_NONE;
    enum status status = STATUS_OK;
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
    if (body.has_topics) {
        status = group_member_subscribe(&consumer->member, body.topics, body.topic_count, &err);
    } else if (body.pattern.present) {
        status = group_member_subscribe_pattern(&consumer->member, body.pattern.text, &err);
    } else {
        answer_hint(exchange, "neither topics nor topic_pattern: nothing was subscribed to");
    }
    consumer_reads_wake(consumer);
    return answer_status(call, status, &err);
}

struct name_list {
    struct buf *out;
    size_t count;
};

static void append_name(struct name_list *list, struct span name)
{
    if (list->count++ > 0) {
        buf_append_byte(list->out, ',');
    }
    json_string_append(list->out, name);
}

static void append_topic(void *ctx, const struct store_topic *topic)
{
    append_name(ctx, topic->name);
}

enum handled kafka_rest_consumer_subscription(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL) {
        return HANDLED;
    }
    struct group_member *member = &consumer->member;
    struct name_list list = {&exchange->reply.body, 0};
    BUF_APPEND_LIT(list.out, "{\"topics\":[");
    if (member->mode == GROUP_MODE_PATTERN && member->group != NULL) {
        /* What a pattern stands for is known from the first poll on. */
        group_member_topics_visit(member, append_topic, &list);
    }
    for (size_t i = 0; i < member->topic_count; i++) {
        append_name(&list, group_text_span(member->topics[i]));
    }
    BUF_APPEND_LIT(list.out, "]}");
    exchange->reply.status = 200;
    return HANDLED;
}

enum handled kafka_rest_consumer_unsubscribe(struct kafka_rest_call *call)
{
    struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL) {
        return HANDLED;
    }
    group_member_unsubscribe(&consumer->member);
    consumer_reads_wake(consumer);
    return answer_no_content(call->exchange);
}

enum handled kafka_rest_consumer_assign(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer_partitions_body body;
    struct error err = ERROR_NONE;
    switch (consumer_decode_partitions(exchange, &body)) {
    case BODY_REFUSED:
        return HANDLED;
    case BODY_ABSENT:
        return kafka_rest_error_null(exchange, "assign.arg3");
    case BODY_DECODED:
        break;
    }
    struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL) {
        return HANDLED;
    }
    if (!body.present) {
        answer_hint(exchange, "send {\"partitions\": [{\"topic\": \"...\", \"partition\": 0}]}");
        return kafka_rest_error_known(exchange, ERROR_INTERNAL);
    }
    enum status status = group_member_assign(&consumer->member, body.items, body.count, &err);
    consumer_reads_wake(consumer);
    return answer_status(call, status, &err);
}

enum handled kafka_rest_consumer_assignments(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer *consumer = consumer_of_request(call);
    struct buf *out = &exchange->reply.body;
    if (consumer == NULL) {
        return HANDLED;
    }
    const struct group_member *member = &consumer->member;
    BUF_APPEND_LIT(out, "{\"partitions\":[");
    for (size_t i = 0; i < member->partition_count; i++) {
        if (i > 0) {
            buf_append_byte(out, ',');
        }
        consumer_encode_partition(out, group_text_span(member->partitions[i].topic),
                                  member->partitions[i].partition);
        buf_append_byte(out, '}');
    }
    BUF_APPEND_LIT(out, "]}");
    exchange->reply.status = 200;
    return HANDLED;
}
