/* v3's lags: how far a group is (what it has committed against the ends of the logs), and who in it
 * reads what. The broker is asked three things one after the other: the commits, the ends, the
 * members. */
#include "kafka_rest_handlers.h"
#include "kafka_rest_v3.h"
#include "search.h"

#include <stdlib.h>

/* DIFFERS: a list has the 5000 greatest lags; the real proxy's has all. */
enum { V3_LAGS_MAX = 5000 };

struct lag {
    struct span topic;
    int32_t partition;
    int64_t current_offset;
    int64_t end_offset;
    struct span consumer_id; /* empty: nobody has the partition */
    struct span client_id;
};

/* What the steps know of each other. */
struct lags_call {
    struct span group;
    const char *missing; /* the 404's words when there are none */
    void (*append)(struct v3_writer *w, const struct lags_call *lags);
    struct lag *lags;
    size_t count;
};

/* The greatest lag first, then by topic and partition. */
static int lag_compare(const void *a, const void *b)
{
    const struct lag *left = a;
    const struct lag *right = b;
    int64_t left_lag = left->end_offset - left->current_offset;
    int64_t right_lag = right->end_offset - right->current_offset;
    if (left_lag != right_lag) {
        return left_lag > right_lag ? -1 : 1;
    }
    int by_topic = span_compare(left->topic, right->topic);
    return by_topic != 0 ? by_topic : left->partition - right->partition;
}

/* --- writing --- */

static void v3_append_lag(struct v3_writer *w, struct span group, const struct lag *lag)
{
    v3_begin(w, "KafkaConsumerLag",
             v3_path(w, "/consumer-groups/%.*s/lags/%.*s/partitions/%d", SPAN_ARG(group),
                     SPAN_ARG(lag->topic), (int)lag->partition),
             v3_path(w, "/consumer-group=%.*s/lag=%.*s/partition=%d", SPAN_ARG(group),
                     SPAN_ARG(lag->topic), (int)lag->partition));
    json_member_string(&w->json, "cluster_id", w->cluster_id);
    json_member_string(&w->json, "consumer_group_id", group);
    json_member_string(&w->json, "topic_name", lag->topic);
    json_member_i64(&w->json, "partition_id", lag->partition);
    json_member_string(&w->json, "consumer_id", lag->consumer_id);
    json_member_null(&w->json, "instance_id");
    json_member_string(&w->json, "client_id", lag->client_id);
    json_member_i64(&w->json, "current_offset", lag->current_offset);
    json_member_i64(&w->json, "log_end_offset", lag->end_offset);
    json_member_i64(&w->json, "lag", lag->end_offset - lag->current_offset);
    json_write_end(&w->json);
}

static void v3_append_lags(struct v3_writer *w, const struct lags_call *lags)
{
    v3_list_begin(w, "KafkaConsumerLagList",
                  v3_path(w, "/consumer-groups/%.*s/lags", SPAN_ARG(lags->group)));
    for (size_t i = 0; i < lags->count && i < V3_LAGS_MAX; i++) {
        v3_append_lag(w, lags->group, &lags->lags[i]);
    }
    v3_list_end(w);
}

static void v3_append_summary(struct v3_writer *w, const struct lags_call *lags)
{
    const struct lag *most = &lags->lags[0];
    int64_t total = 0;
    for (size_t i = 0; i < lags->count; i++) {
        total += lags->lags[i].end_offset - lags->lags[i].current_offset;
    }
    const char *path = v3_path(w, "/consumer-groups/%.*s", SPAN_ARG(lags->group));
    v3_begin(w, "KafkaConsumerGroupLagSummary", v3_path(w, "%s/lag-summary", path),
             v3_path(w, "/consumer-group=%.*s/lag-summary", SPAN_ARG(lags->group)));
    json_member_string(&w->json, "cluster_id", w->cluster_id);
    json_member_string(&w->json, "consumer_group_id", lags->group);
    json_member_i64(&w->json, "max_lag", most->end_offset - most->current_offset);
    json_member_i64(&w->json, "total_lag", total);
    json_member_string(&w->json, "max_lag_consumer_id", most->consumer_id);
    v3_link(w, "max_lag_consumer",
            v3_path(w, "%s/consumers/%.*s", path, SPAN_ARG(most->consumer_id)));
    json_member_string(&w->json, "max_lag_client_id", most->client_id);
    json_member_null(&w->json, "max_lag_instance_id");
    json_member_string(&w->json, "max_lag_topic_name", most->topic);
    json_member_i64(&w->json, "max_lag_partition_id", most->partition);
    v3_link(w, "max_lag_partition",
            v3_path(w, "/topics/%.*s/partitions/%d", SPAN_ARG(most->topic), (int)most->partition));
    json_write_end(&w->json);
}

/* --- the steps --- */

static int lag_place_order(const void *item, const void *key)
{
    const struct lag *lag = item;
    const struct broker_group_place *place = key;
    int by_topic = span_compare(lag->topic, place->topic);
    return by_topic != 0
               ? by_topic
               : (lag->partition > place->partition) - (lag->partition < place->partition);
}

static int lag_place_compare(const void *a, const void *b)
{
    const struct lag *right = b;
    const struct broker_group_place place = {right->topic, right->partition};
    return lag_place_order(a, &place);
}

/* By topic and partition, as the embedded broker's commits come. */
static void lags_put_in_order(struct lags_call *lags)
{
    for (size_t i = 1; i < lags->count; i++) {
        if (lag_place_compare(&lags->lags[i - 1], &lags->lags[i]) > 0) {
            qsort(lags->lags, lags->count, sizeof(*lags->lags), lag_place_compare);
            return;
        }
    }
}

/* While the lags are by topic and partition: a look-up for each partition of a member. */
static void lags_note_owner(struct lags_call *lags, const struct broker_group_member *member)
{
    for (size_t i = 0; i < member->place_count; i++) {
        bool found;
        size_t at =
            SEARCH_PLACE(lags->lags, lags->count, &member->places[i], lag_place_order, &found);
        if (found) {
            lags->lags[at].consumer_id = member->member_id;
            lags->lags[at].client_id = member->client_id;
        }
    }
}

static enum handled lags_answer(struct kafka_rest_call *call)
{
    const struct broker_describe *answer = KAFKA_REST_ANSWER(call, broker_describe);
    struct lags_call *lags = call->state;
    struct v3_writer w;
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    lags_put_in_order(lags);
    for (size_t i = 0; i < answer->member_count; i++) {
        lags_note_owner(lags, &answer->members[i]);
    }
    qsort(lags->lags, lags->count, sizeof(*lags->lags), lag_compare);
    v3_writer_open(&w, call);
    lags->append(&w, lags);
    return v3_writer_end(&w);
}

static enum handled lags_ask_members(struct kafka_rest_call *call)
{
    struct broker *broker = call->rest->options.broker;
    const struct broker_offsets *answer = KAFKA_REST_ANSWER(call, broker_offsets);
    struct lags_call *lags = call->state;
    size_t kept = 0;
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    for (size_t i = 0; i < lags->count; i++) {
        /* A commit of a topic that is gone has no end to be compared with. */
        if (answer->offsets[i].is_there) {
            lags->lags[kept] = lags->lags[i];
            lags->lags[kept++].end_offset = answer->offsets[i].offset;
        }
    }
    lags->count = kept;
    if (kept == 0) {
        return kafka_rest_error(call->exchange, 404, 404, "%s", lags->missing);
    }
    struct broker_describe *request = KAFKA_REST_ASK(call, broker_describe, lags_answer);
    if (request == NULL) {
        return HANDLED;
    }
    request->group = lags->group;
    return kafka_rest_asked(call, broker->ops->describe(broker, request));
}

static enum handled lags_ask_ends(struct kafka_rest_call *call)
{
    struct broker *broker = call->rest->options.broker;
    const struct broker_group_offsets *answer = KAFKA_REST_ANSWER(call, broker_group_offsets);
    struct arena *arena = &call->exchange->arena;
    struct lags_call *lags = call->state;
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    struct broker_offsets *request = KAFKA_REST_ASK(call, broker_offsets, lags_ask_members);
    struct broker_offset *offsets = arena_alloc_array(arena, answer->count + 1, sizeof(*offsets));
    lags->lags = arena_alloc_array(arena, answer->count + 1, sizeof(*lags->lags));
    if (request == NULL || offsets == NULL || lags->lags == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    lags->count = answer->count;
    for (size_t i = 0; i < answer->count; i++) {
        const struct broker_committed *place = &answer->places[i];
        lags->lags[i] = (struct lag){.topic = place->topic,
                                     .partition = place->partition,
                                     .current_offset = place->offset,
                                     .consumer_id = SPAN_EMPTY,
                                     .client_id = SPAN_EMPTY};
        offsets[i] = (struct broker_offset){
            .topic = place->topic, .partition = place->partition, .at = BROKER_OFFSET_LATEST};
    }
    request->offsets = offsets;
    request->count = answer->count;
    return kafka_rest_asked(call, broker->ops->offsets(broker, request));
}

static enum handled lags_ask_commits(struct kafka_rest_call *call)
{
    struct broker *broker = call->rest->options.broker;
    const struct lags_call *lags = call->state;
    if (!v3_cluster_is_named(call) || !kafka_rest_group_permitted(call, lags->group)) {
        return HANDLED;
    }
    struct broker_group_offsets *request =
        KAFKA_REST_ASK(call, broker_group_offsets, lags_ask_ends);
    if (request == NULL) {
        return HANDLED;
    }
    request->group = lags->group;
    return kafka_rest_asked(call, broker->ops->group_offsets(broker, request));
}

static enum handled lags_begin(struct kafka_rest_call *call, const char *missing,
                               void (*append)(struct v3_writer *w, const struct lags_call *lags))
{
    struct lags_call *lags = ARENA_NEW(&call->exchange->arena, struct lags_call);
    if (lags == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    *lags =
        (struct lags_call){.group = call->match.captures[1], .missing = missing, .append = append};
    call->state = lags;
    return v3_cluster_ask(call, lags_ask_commits);
}

enum handled kafka_rest_v3_lags(struct kafka_rest_call *call)
{
    return lags_begin(call, "Consumer lags not found.", v3_append_lags);
}

enum handled kafka_rest_v3_lag_summary(struct kafka_rest_call *call)
{
    return lags_begin(call, "HTTP 404 Not Found", v3_append_summary);
}
