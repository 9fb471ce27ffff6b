/* Positions and commits: rows 18, 19, 21 and 22 (specs/kafka-rest-v2.md sections 1.4, 3.5). A
 * position is where this instance reads next; a commit is what the group keeps. */
#include "kafka_rest_consumer.h"

static enum handled answer_no_content(struct exchange *exchange)
{
    exchange->reply.status = 204;
    exchange->reply.content_type = NULL;
    return HANDLED;
}

/* --- seeking ---------------------------------------------------------------------------------- */

static enum handled refuse_unassigned(struct exchange *exchange, struct span topic,
                                      int32_t partition)
{
    answer_hint(exchange, "only partitions that this instance holds have a position: after a "
                          "subscribe that is so from the first GET .../records on");
    return kafka_rest_error(exchange, 409, 40903,
                            "Illegal state: No current assignment for partition %.*s-%d",
                            SPAN_ARG(topic), (int)partition);
}

static bool seek_to(struct exchange *exchange, struct consumer *consumer,
                    const struct consumer_place *place)
{
    struct group_partition *held =
        group_member_partition(&consumer->member, place->topic.text, place->partition);
    if (held == NULL) {
        refuse_unassigned(exchange, place->topic.text, place->partition);
        return false;
    }
    held->at = GROUP_POSITION_FIXED;
    held->offset = place->offset;
    consumer->member.epoch++;
    return true;
}

/* The first record that is not older. The real proxy falls over the null that Kafka gives when
 * there is none. */
static bool find_time(struct kafka_rest_call *call, struct consumer_place *place)
{
    struct error err = ERROR_NONE;
    const struct store_topic *topic = store_topic_find(consumer_store(call), place->topic.text);
    if (topic == NULL || place->partition < 0 || place->partition >= topic->partition_count) {
        answer_hint(call->exchange, "there is no such partition (the real proxy would have "
                                    "waited a minute)");
        kafka_rest_error(call->exchange, 500, 50003, "Failed to get offsets by times in 60000ms");
        return false;
    }
    enum status status =
        store_offset_for_time(consumer_store(call), (struct store_place){topic, place->partition},
                              place->timestamp_ms, &place->offset, &err);
    if (status == STATUS_NOT_FOUND) {
        answer_hint(call->exchange, "no record is that young: POST .../positions/end goes to "
                                    "the end");
        kafka_rest_error_known(call->exchange, ERROR_INTERNAL);
        return false;
    }
    if (status != STATUS_OK) {
        kafka_rest_error_store(call, &err);
        return false;
    }
    return true;
}

/* Kafka is asked about every timestamp before anything is sought. */
static bool seek_prepare(struct kafka_rest_call *call, struct consumer_places_body *body)
{
    for (size_t i = 0; i < body->offsets.count; i++) {
        if (body->offsets.items[i].offset < 0) {
            answer_hint(call->exchange, "an offset is 0 or more");
            kafka_rest_error_known(call->exchange, ERROR_INTERNAL);
            return false;
        }
    }
    for (size_t i = 0; i < body->timestamps.count; i++) {
        if (!find_time(call, &body->timestamps.items[i])) {
            return false;
        }
    }
    return true;
}

enum handled kafka_rest_consumer_seek(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer_places_body body;
    switch (consumer_decode_seek(exchange, &body)) {
    case BODY_REFUSED:
        return HANDLED;
    case BODY_ABSENT:
        return kafka_rest_error_null(exchange, "seekToOffset.arg3");
    case BODY_DECODED:
        break;
    }
    struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL || !seek_prepare(call, &body)) {
        return HANDLED;
    }
    const struct consumer_place_list *lists[] = {&body.offsets, &body.timestamps};
    for (size_t l = 0; l < ARRAY_COUNT(lists); l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            if (!seek_to(exchange, consumer, &lists[l]->items[i])) {
                return HANDLED;
            }
        }
    }
    consumer_reads_wake(consumer);
    return answer_no_content(exchange);
}

/* Lazily, as Kafka's client: the place is looked up at the next poll. */
static enum handled seek_to_edge(struct kafka_rest_call *call, enum group_position edge,
                                 const char *argument)
{
    struct exchange *exchange = call->exchange;
    struct consumer_partitions_body body;
    switch (consumer_decode_partitions(exchange, &body)) {
    case BODY_REFUSED:
        return HANDLED;
    case BODY_ABSENT:
        return kafka_rest_error_null(exchange, argument);
    case BODY_DECODED:
        break;
    }
    struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL) {
        return HANDLED;
    }
    if (!body.present) {
        answer_hint(exchange, "send {\"partitions\": []} for all partitions of this instance");
        return kafka_rest_error_known(exchange, ERROR_INTERNAL);
    }
    struct group_member *member = &consumer->member;
    for (size_t i = 0; i < body.count; i++) {
        struct group_partition *held =
            group_member_partition(member, body.items[i].topic, body.items[i].partition);
        if (held == NULL) {
            return refuse_unassigned(exchange, body.items[i].topic, body.items[i].partition);
        }
        held->at = edge;
    }
    for (size_t i = 0; body.count == 0 && i < member->partition_count; i++) {
        member->partitions[i].at = edge;
    }
    member->epoch++;
    consumer_reads_wake(consumer);
    return answer_no_content(exchange);
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
static bool check_commit(struct exchange *exchange, const struct consumer_place *place)
{
    /* Stored is offset + 1: -1 is the smallest that gives a legal one. */
    if (place->topic.text.len == 0 || place->offset < -1 || place->offset == INT64_MAX) {
        answer_hint(exchange, "each entry needs a topic and the offset of the last record "
                              "that was processed");
        kafka_rest_error_known(exchange, ERROR_INTERNAL);
        return false;
    }
    if (place->topic.text.len > STORE_TOPIC_NAME_MAX) {
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

static enum status commit_places(struct kafka_rest_call *call, struct span group,
                                 const struct consumer_place_list *list, struct error *err)
{
    struct store *store = consumer_store(call);
    enum status status = store_savepoint(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    for (size_t i = 0; i < list->count && status == STATUS_OK; i++) {
        struct store_commit commit = {
            .topic = list->items[i].topic.text,
            .partition = list->items[i].partition,
            .offset = list->items[i].offset + 1,
            .metadata = list->items[i].metadata.text,
        };
        status = store_group_commit(store, group, &commit, err);
    }
    if (status == STATUS_OK) {
        return store_savepoint_release(store, err);
    }
    store_savepoint_rollback(store);
    return status;
}

enum handled kafka_rest_consumer_commit(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer_places_body body;
    struct error err = ERROR_NONE;
    enum status status;
    enum kafka_rest_body decoded = consumer_decode_commit(exchange, &body);
    struct consumer *consumer = decoded != BODY_REFUSED ? consumer_of_request(call) : NULL;
    if (consumer == NULL || !consumer_group_permitted(call)) {
        return HANDLED;
    }
    if (decoded == BODY_ABSENT) {
        /* DIFFERS: an asynchronous commit is done when its answer leaves; with the real proxy a GET
         * right after may show the old value. */
        status = group_member_commit(&consumer->member, &err);
    } else if (!body.offsets.present) {
        answer_hint(exchange, "leave the body out to commit the current positions, or send "
                              "{\"offsets\": [{\"topic\": \"...\", \"partition\": 0, "
                              "\"offset\": 0}]}");
        return kafka_rest_error_known(exchange, ERROR_INTERNAL);
    } else {
        for (size_t i = 0; i < body.offsets.count; i++) {
            if (!check_commit(exchange, &body.offsets.items[i])) {
                return HANDLED;
            }
        }
        status = body.offsets.count > 0
                     ? commit_places(call, call->match.captures[0], &body.offsets, &err)
                     : STATUS_OK;
    }
    if (status != STATUS_OK) {
        return kafka_rest_error_store(call, &err);
    }
    BUF_APPEND_LIT(&exchange->reply.body, "[]");
    exchange->reply.status = 200;
    return HANDLED;
}

/* --- GET .../offsets -------------------------------------------------------------------------- */

static bool append_committed(struct kafka_rest_call *call, struct span group,
                             const struct group_choice *choice, struct buf *metadata)
{
    struct buf *out = &call->exchange->reply.body;
    struct error err = ERROR_NONE;
    int64_t offset;
    buf_reset(metadata);
    enum status status = store_group_committed(
        consumer_store(call), (struct store_group_place){group, choice->topic, choice->partition},
        &offset, metadata, &err);
    if (status == STATUS_NOT_FOUND) {
        return true;
    }
    if (status != STATUS_OK) {
        kafka_rest_error_store(call, &err);
        return false;
    }
    if (out->len > 0 && out->ptr[out->len - 1] == '}') {
        buf_append_byte(out, ',');
    }
    consumer_encode_partition(out, choice->topic, choice->partition);
    BUF_APPEND_LIT(out, ",\"offset\":");
    buf_append_i64(out, offset);
    BUF_APPEND_LIT(out, ",\"metadata\":");
    json_string_append(out, buf_span(metadata));
    buf_append_byte(out, '}');
    return buf_ok(out) && buf_ok(metadata);
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
    struct buf metadata;
    bool ok = true;
    buf_init(&metadata, CONSUMER_METADATA_BYTES_MAX);
    exchange->reply.status = 200;
    BUF_APPEND_LIT(&exchange->reply.body, "{\"offsets\":[");
    for (size_t i = 0; i < body.count && ok; i++) {
        ok = append_committed(call, call->match.captures[0], &body.items[i], &metadata);
    }
    if (ok) {
        BUF_APPEND_LIT(&exchange->reply.body, "]}");
    } else if (exchange->reply.status == 200) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
    }
    buf_release(&metadata);
    return HANDLED;
}
