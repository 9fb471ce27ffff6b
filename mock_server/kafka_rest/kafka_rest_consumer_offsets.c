/* Positions and commits: rows 18, 19, 21 and 22 (specs/kafka-rest-v2.md sections 1.4, 3.5). A
 * position is where this instance reads next; a commit is what the group keeps. */
#include "kafka_rest_consumer.h"
#include "kafka_rest_handlers.h"
#include "topic_name.h"

/* --- seeking ---------------------------------------------------------------------------------- */

static enum handled seek_refuse_unassigned(struct exchange *exchange, struct span topic,
                                           int32_t partition)
{
    answer_hint(exchange, "only partitions that this instance holds have a position: after a "
                          "subscribe that is so from the first GET .../records on");
    return kafka_rest_error(exchange, 409, 40903,
                            "Illegal state: No current assignment for partition %.*s-%d",
                            SPAN_ARG(topic), (int)partition);
}

/* Did one seek go well? False: the answer is written. */
static bool seek_went_well(struct exchange *exchange, const struct group_choice *choice,
                           enum status status)
{
    switch ((int)status) {
    case STATUS_OK:
        return true;
    case STATUS_NOT_FOUND:
        seek_refuse_unassigned(exchange, choice->topic, choice->partition);
        return false;
    case STATUS_LIMIT:
        consumer_refuse_pairs(exchange);
        return false;
    default:
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
}

static bool seek_to(struct exchange *exchange, struct consumer *consumer,
                    const struct consumer_place *place)
{
    const struct group_choice choice = {place->topic.text, place->partition};
    return seek_went_well(exchange, &choice,
                          group_member_seek(consumer->member, &choice, place->offset));
}

static enum handled seek_apply(struct kafka_rest_call *call,
                               const struct consumer_places_body *body)
{
    struct consumer *consumer = consumer_of_request(call);
    const struct consumer_place_list *lists[] = {&body->offsets, &body->timestamps};
    if (consumer == NULL) {
        return HANDLED;
    }
    for (size_t l = 0; l < ARRAY_COUNT(lists); l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            if (!seek_to(call->exchange, consumer, &lists[l]->items[i])) {
                return HANDLED;
            }
        }
    }
    consumer_reads_wake(consumer);
    return kafka_rest_no_content(call->exchange);
}

/* The first records that are not older than the timestamps. The real proxy falls over the null that
 * Kafka gives when there is none. */
static enum handled seek_with_times(struct kafka_rest_call *call)
{
    const struct broker_offsets *answer = KAFKA_REST_ANSWER(call, broker_offsets);
    struct consumer_places_body *body = call->state;
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    for (size_t i = 0; i < answer->count; i++) {
        if (!answer->offsets[i].is_there) {
            answer_hint(call->exchange, "there is no such partition (the real proxy would have "
                                        "waited a minute)");
            return kafka_rest_error(call->exchange, 500, 50003,
                                    "Failed to get offsets by times in 60000ms");
        }
        if (answer->offsets[i].offset < 0) {
            answer_hint(call->exchange, "no record is that young: POST .../positions/end goes to "
                                        "the end");
            return kafka_rest_error_known(call->exchange, ERROR_INTERNAL);
        }
        body->timestamps.items[i].offset = answer->offsets[i].offset;
    }
    return seek_apply(call, body);
}

/* Kafka is asked about every timestamp before anything is sought. */
static enum handled seek_ask_times(struct kafka_rest_call *call, struct consumer_places_body *body)
{
    struct broker *broker = call->rest->options.broker;
    struct broker_offsets *request = KAFKA_REST_ASK(call, broker_offsets, seek_with_times);
    struct broker_offset *offsets =
        arena_alloc_array(&call->exchange->arena, body->timestamps.count, sizeof(*offsets));
    if (request == NULL || offsets == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    for (size_t i = 0; i < body->timestamps.count; i++) {
        const struct consumer_place *place = &body->timestamps.items[i];
        offsets[i] = (struct broker_offset){.topic = place->topic.text,
                                            .partition = place->partition,
                                            .at = BROKER_OFFSET_TIME,
                                            .timestamp_ms = place->timestamp_ms};
    }
    call->state = body;
    request->offsets = offsets;
    request->count = body->timestamps.count;
    return kafka_rest_asked(call, broker->ops->offsets(broker, request));
}

enum handled kafka_rest_consumer_seek(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer_places_body *body = ARENA_NEW(&exchange->arena, struct consumer_places_body);
    if (body == NULL) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    switch (consumer_decode_seek(exchange, body)) {
    case BODY_REFUSED:
        return HANDLED;
    case BODY_ABSENT:
        return kafka_rest_error_null(exchange, "seekToOffset.arg3");
    case BODY_DECODED:
        break;
    }
    if (consumer_of_request(call) == NULL) {
        return HANDLED;
    }
    for (size_t i = 0; i < body->offsets.count; i++) {
        if (body->offsets.items[i].offset < 0) {
            answer_hint(exchange, "an offset is 0 or more");
            return kafka_rest_error_known(exchange, ERROR_INTERNAL);
        }
    }
    return body->timestamps.count > 0 ? seek_ask_times(call, body) : seek_apply(call, body);
}

/* Lazily, as Kafka's client: the place is looked up at the next poll. */
static enum handled seek_to_edge(struct kafka_rest_call *call, enum group_position edge,
                                 const char *argument)
{
    struct exchange *exchange = call->exchange;
    struct consumer_partitions_body body;
    struct consumer *consumer = consumer_of_partitions(
        call, &body, argument, "send {\"partitions\": []} for all partitions of this instance");
    if (consumer == NULL) {
        return HANDLED;
    }
    for (size_t i = 0; i < body.count; i++) {
        const struct group_choice *choice = &body.items[i];
        if (!seek_went_well(exchange, choice,
                            group_member_seek_edge(consumer->member, choice, edge))) {
            return HANDLED;
        }
    }
    if (body.count == 0) {
        group_member_seek_edges(consumer->member, edge);
    }
    consumer_reads_wake(consumer);
    return kafka_rest_no_content(exchange);
}

enum handled kafka_rest_consumer_seek_beginning(struct kafka_rest_call *call)
{
    return seek_to_edge(call, GROUP_POSITION_BEGINNING, "seekToBeginning.arg3");
}

enum handled kafka_rest_consumer_seek_end(struct kafka_rest_call *call)
{
    return seek_to_edge(call, GROUP_POSITION_END, "seekToEnd.arg3");
}

/* --- committing ------------------------------------------------------------------------------- */

/* The whole request is refused before its first write. */
static bool commit_check(struct exchange *exchange, const struct consumer_place *place)
{
    /* Stored is offset + 1: -1 is the smallest that gives a legal one. */
    if (place->topic.text.len == 0 || place->offset < -1 || place->offset == INT64_MAX) {
        answer_hint(exchange, "each entry needs a topic and the offset of the last record "
                              "that was processed");
        kafka_rest_error_known(exchange, ERROR_INTERNAL);
        return false;
    }
    if (place->topic.text.len > TOPIC_NAME_BYTES_MAX) {
        kafka_rest_error(exchange, 500, 50002,
                         "The request attempted to perform an operation on an invalid topic.");
        return false;
    }
    if (place->metadata.text.len > CONSUMER_METADATA_BYTES_MAX) {
        kafka_rest_error(exchange, 500, 50002,
                         "The metadata field of the offset request was too large.");
        return false;
    }
    return true;
}

static enum handled commit_answer(struct kafka_rest_call *call)
{
    if (call->asked->status != STATUS_OK) {
        return kafka_rest_error_broker(call, call->asked);
    }
    BUF_APPEND_LIT(&call->exchange->reply.body, "[]");
    call->exchange->reply.status = 200;
    return HANDLED;
}

static enum handled commit_positions_answer(struct kafka_rest_call *call)
{
    const struct broker_membership *answer = KAFKA_REST_ANSWER(call, broker_membership);
    consumer_turn_note(call->rest->consumers, answer->looks);
    return answer->base.status == STATUS_OK && answer->goes_on ? consumer_membership_again(call)
                                                               : commit_answer(call);
}

/* DIFFERS: an asynchronous commit is done when its answer leaves; with the real proxy a GET right
 * after may show the old value. */
static enum handled commit_positions(struct kafka_rest_call *call, struct consumer *consumer)
{
    struct broker_membership *request =
        KAFKA_REST_ASK(call, broker_membership, commit_positions_answer);
    if (request == NULL) {
        return HANDLED;
    }
    request->member = consumer->member;
    request->action = BROKER_MEMBER_COMMIT;
    return consumer_membership_ask(call);
}

static enum handled commit_places(struct kafka_rest_call *call,
                                  const struct consumer_place_list *list)
{
    struct broker *broker = call->rest->options.broker;
    struct broker_commit *request = KAFKA_REST_ASK(call, broker_commit, commit_answer);
    struct broker_committed *places =
        arena_alloc_array(&call->exchange->arena, list->count + 1, sizeof(*places));
    if (request == NULL || places == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    for (size_t i = 0; i < list->count; i++) {
        const struct consumer_place *place = &list->items[i];
        if (!commit_check(call->exchange, place)) {
            return HANDLED;
        }
        places[i] = (struct broker_committed){.topic = place->topic.text,
                                              .partition = place->partition,
                                              .offset = place->offset + 1,
                                              .metadata = place->metadata.text};
    }
    request->group = call->match.captures[0];
    request->places = places;
    request->count = list->count;
    return list->count > 0 ? kafka_rest_asked(call, broker->ops->commit(broker, request))
                           : commit_answer(call);
}

enum handled kafka_rest_consumer_commit(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer_places_body body;
    enum kafka_rest_body decoded = consumer_decode_commit(exchange, &body);
    struct consumer *consumer = decoded != BODY_REFUSED ? consumer_of_request(call) : NULL;
    if (consumer == NULL || !consumer_group_permitted(call)) {
        return HANDLED;
    }
    if (decoded == BODY_ABSENT) {
        return commit_positions(call, consumer);
    }
    if (!body.offsets.present) {
        answer_hint(exchange, "leave the body out to commit the current positions, or send "
                              "{\"offsets\": [{\"topic\": \"...\", \"partition\": 0, "
                              "\"offset\": 0}]}");
        return kafka_rest_error_known(exchange, ERROR_INTERNAL);
    }
    return commit_places(call, &body.offsets);
}

/* --- GET .../offsets -------------------------------------------------------------------------- */

static enum handled committed_answer(struct kafka_rest_call *call)
{
    const struct broker_group_offsets *answer = KAFKA_REST_ANSWER(call, broker_group_offsets);
    struct json_writer w = json_writer_to(&call->exchange->reply.body);
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    call->exchange->reply.status = 200;
    json_write_object(&w);
    json_member_array(&w, "offsets");
    for (size_t i = 0; i < answer->count; i++) {
        const struct broker_committed *place = &answer->places[i];
        if (place->offset < 0) {
            continue;
        }
        consumer_encode_partition(&w, place->topic, place->partition);
        json_member_i64(&w, "offset", place->offset);
        json_member_string(&w, "metadata", place->metadata);
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_end(&w);
    return HANDLED;
}

static enum handled committed_ask(struct kafka_rest_call *call,
                                  const struct consumer_partitions_body *body)
{
    struct broker *broker = call->rest->options.broker;
    struct broker_group_offsets *request =
        KAFKA_REST_ASK(call, broker_group_offsets, committed_answer);
    struct broker_committed *places =
        arena_alloc_array(&call->exchange->arena, body->count + 1, sizeof(*places));
    if (request == NULL || places == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    for (size_t i = 0; i < body->count; i++) {
        places[i] = (struct broker_committed){.topic = body->items[i].topic,
                                              .partition = body->items[i].partition,
                                              .metadata = SPAN_EMPTY};
    }
    request->group = call->match.captures[0];
    request->places = places;
    request->count = body->count;
    return kafka_rest_asked(call, broker->ops->group_offsets(broker, request));
}

enum handled kafka_rest_consumer_committed(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer_partitions_body body;
    switch (consumer_decode_partitions(exchange, &body)) {
    case BODY_REFUSED:
        return HANDLED;
    case BODY_ABSENT:
        answer_hint(exchange, "this GET needs a JSON body: {\"partitions\": [{\"topic\": "
                              "\"...\", \"partition\": 0}]} (API Gateway drops the body of a "
                              "GET, so ask the proxy itself)");
        return kafka_rest_error_known(exchange, ERROR_PARTITION_NOT_FOUND);
    case BODY_DECODED:
        break;
    }
    struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL || !consumer_group_permitted(call)) {
        return HANDLED;
    }
    if (!body.present) {
        return kafka_rest_error_known(exchange, ERROR_INTERNAL);
    }
    return committed_ask(call, &body);
}
