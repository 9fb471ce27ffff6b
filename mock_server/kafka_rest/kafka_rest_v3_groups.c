/* v3's consumer groups: who is in them (the v2 consumers' live members) and how far they are (the
 * committed offsets of the store against the ends of the logs). A group is there when it has a live
 * member or a commit. */
#include "kafka_rest_v3.h"

#include <stdlib.h>

enum { groups_bytes_max = 16 * 1024 * 1024 };

/* --- which groups there are --- */

struct group_list {
    struct arena *arena;
    struct buf names; /* struct span */
};

static void add_name(struct group_list *list, struct span name)
{
    const struct span *names = (const struct span *)(const void *)list->names.ptr;
    size_t count = list->names.len / sizeof(struct span);
    if (count > 0 && span_equal(names[count - 1], name)) {
        return;
    }
    const char *copy = arena_copy_cstr(list->arena, name);
    struct span kept = span_from(copy, name.len);
    if (copy != NULL) {
        buf_append(&list->names, &kept, sizeof(kept));
    }
}

static void on_live_group(void *ctx, struct span group)
{
    add_name(ctx, group);
}

static void on_commit(void *ctx, struct span group, const struct store_commit *commit)
{
    (void)commit;
    add_name(ctx, group);
}

static int compare_names(const void *a, const void *b)
{
    return span_compare(*(const struct span *)a, *(const struct span *)b);
}

static void note_any(void *ctx, struct span group, const struct store_commit *commit)
{
    (void)group;
    (void)commit;
    *(bool *)ctx = true;
}

/* Sets *exists; false: the store failed and the answer is written. */
static bool group_exists(struct v3_writer *w, struct span group, bool *exists)
{
    struct kafka_rest *rest = w->call->rest;
    struct error err = ERROR_NONE;
    *exists = kafka_rest_group_members_visit(rest->consumers, group, NULL, NULL) > 0;
    if (*exists || group.len == 0) {
        return true;
    }
    if (store_group_visit(rest->options.store, group, note_any, exists, &err) != STATUS_OK) {
        kafka_rest_error_store(w->call, &err);
        return false;
    }
    return true;
}

/* --- groups --- */

static void append_group(struct v3_writer *w, struct span group)
{
    size_t members = kafka_rest_group_members_visit(w->call->rest->consumers, group, NULL, NULL);
    const char *path = v3_path(w, "/consumer-groups/%.*s", SPAN_ARG(group));
    v3_begin(w, "KafkaConsumerGroup", path, v3_path(w, "/consumer-group=%.*s", SPAN_ARG(group)));
    v3_string(w, "cluster_id", span_from_cstr(w->cluster_id));
    v3_string(w, "consumer_group_id", group);
    v3_bool(w, "is_simple", false);
    v3_string(w, "partition_assignor", members > 0 ? SPAN_LIT("range") : SPAN_EMPTY);
    v3_string(w, "state", members > 0 ? SPAN_LIT("STABLE") : SPAN_LIT("EMPTY"));
    v3_link(w, "coordinator", v3_path(w, "/brokers/%d", KAFKA_REST_BROKER_ID));
    v3_link(w, "consumers", v3_path(w, "%s/consumers", path));
    v3_link(w, "lag_summary", v3_path(w, "%s/lag-summary", path));
    v3_end(w);
}

static void append_groups(struct v3_writer *w, struct group_list *list)
{
    struct span *names = (struct span *)(void *)list->names.ptr;
    size_t count = list->names.len / sizeof(struct span);
    if (count > 1) {
        qsort(names, count, sizeof(struct span), compare_names);
    }
    v3_list_begin(w, "KafkaConsumerGroupList", "/consumer-groups");
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !span_equal(names[i - 1], names[i])) {
            append_group(w, names[i]);
        }
    }
    v3_list_end(w);
}

enum handled kafka_rest_v3_groups(struct kafka_rest_call *call)
{
    struct v3_writer w;
    struct error err = ERROR_NONE;
    struct group_list list = {.arena = &call->exchange->arena};
    if (!v3_writer_begin(&w, call)) {
        return HANDLED;
    }
    struct kafka_rest *rest = w.call->rest;
    buf_init(&list.names, groups_bytes_max);
    kafka_rest_groups_visit(rest->consumers, on_live_group, &list);
    if (store_group_visit(rest->options.store, SPAN_EMPTY, on_commit, &list, &err) != STATUS_OK) {
        kafka_rest_error_store(w.call, &err);
    } else {
        append_groups(&w, &list);
    }
    buf_release(&list.names);
    return v3_writer_end(&w);
}

enum handled kafka_rest_v3_group(struct kafka_rest_call *call)
{
    struct v3_writer w;
    bool exists;
    if (!v3_writer_begin(&w, call)) {
        return HANDLED;
    }
    if (kafka_rest_group_permitted(w.call, call->match.captures[1]) &&
        group_exists(&w, call->match.captures[1], &exists)) {
        if (exists) {
            append_group(&w, call->match.captures[1]);
        } else {
            kafka_rest_error_known(call->exchange, ERROR_NOT_FOUND);
        }
    }
    return v3_writer_end(&w);
}

/* --- consumers --- */

struct member_writer {
    struct v3_writer *w;
    struct span group;
};

static void append_member(void *ctx, const struct kafka_rest_member *member)
{
    struct member_writer *mw = ctx;
    struct v3_writer *w = mw->w;
    const char *path = v3_path(w, "/consumer-groups/%.*s/consumers/%.*s", SPAN_ARG(mw->group),
                               SPAN_ARG(member->consumer_id));
    v3_begin(w, "KafkaConsumer", path,
             v3_path(w, "/consumer-group=%.*s/consumer=%.*s", SPAN_ARG(mw->group),
                     SPAN_ARG(member->consumer_id)));
    v3_string(w, "cluster_id", span_from_cstr(w->cluster_id));
    v3_string(w, "consumer_group_id", mw->group);
    v3_string(w, "consumer_id", member->consumer_id);
    v3_null(w, "instance_id");
    v3_string(w, "client_id", member->client_id);
    v3_link(w, "assignments", v3_path(w, "%s/assignments", path));
    v3_end(w);
}

enum handled kafka_rest_v3_consumers(struct kafka_rest_call *call)
{
    struct v3_writer w;
    struct span group = call->match.captures[1];
    bool exists;
    if (!v3_writer_begin(&w, call)) {
        return HANDLED;
    }
    if (!kafka_rest_group_permitted(w.call, group) || !group_exists(&w, group, &exists)) {
        return v3_writer_end(&w);
    }
    if (!exists) {
        kafka_rest_error(call->exchange, 404, 404, "Consumer Group %.*s could not be found.",
                         SPAN_ARG(group));
        return v3_writer_end(&w);
    }
    struct member_writer mw = {&w, group};
    v3_list_begin(&w, "KafkaConsumerList",
                  v3_path(&w, "/consumer-groups/%.*s/consumers", SPAN_ARG(group)));
    (void)kafka_rest_group_members_visit(w.call->rest->consumers, group, append_member, &mw);
    v3_list_end(&w);
    return v3_writer_end(&w);
}

/* --- lags --- */

struct lag {
    struct span topic;
    int32_t partition;
    int64_t current_offset;
    int64_t end_offset;
    struct span consumer_id; /* empty: nobody has the partition */
    struct span client_id;
};

struct lag_list {
    struct v3_writer *w;
    struct span group;
    struct buf lags;
};

static struct lag *lags_of(struct lag_list *list, size_t *count)
{
    *count = list->lags.len / sizeof(struct lag);
    return (struct lag *)(void *)list->lags.ptr;
}

static void on_lag_commit(void *ctx, struct span group, const struct store_commit *commit)
{
    struct lag_list *list = ctx;
    const struct store_topic *topic =
        store_topic_find(list->w->call->rest->options.store, commit->topic);
    (void)group;
    if (topic == NULL || commit->partition < 0 || commit->partition >= topic->partition_count) {
        return; /* a commit of a topic that is gone has no end to be compared with */
    }
    struct lag lag = {.topic = topic->name,
                      .partition = commit->partition,
                      .current_offset = commit->offset,
                      .end_offset = topic->partitions[commit->partition].next_offset,
                      .consumer_id = SPAN_EMPTY,
                      .client_id = SPAN_EMPTY};
    buf_append(&list->lags, &lag, sizeof(lag));
}

static void note_owner(void *ctx, const struct kafka_rest_member *member)
{
    struct lag_list *list = ctx;
    struct arena *arena = &list->w->call->exchange->arena;
    size_t count;
    struct lag *lags = lags_of(list, &count);
    const char *consumer_id = arena_copy_cstr(arena, member->consumer_id);
    const char *client_id = arena_copy_cstr(arena, member->client_id);
    if (consumer_id == NULL || client_id == NULL) {
        return;
    }
    for (size_t i = 0; i < member->partition_count; i++) {
        for (size_t k = 0; k < count; k++) {
            if (lags[k].partition == member->partitions[i].partition &&
                span_equal(lags[k].topic, member->partitions[i].topic)) {
                lags[k].consumer_id = span_from(consumer_id, member->consumer_id.len);
                lags[k].client_id = span_from(client_id, member->client_id.len);
            }
        }
    }
}

/* The greatest lag first, then by topic and partition. */
static int compare_lags(const void *a, const void *b)
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

/* Sorted lags of the group of the path; false: the answer is written (none of them: 404). */
static bool lag_list_read(struct lag_list *list, const char *missing)
{
    const struct kafka_rest_call *call = list->w->call;
    struct error err = ERROR_NONE;
    size_t count;
    if (!kafka_rest_group_permitted(call, list->group)) {
        return false;
    }
    if (store_group_visit(call->rest->options.store, list->group, on_lag_commit, list, &err) !=
        STATUS_OK) {
        kafka_rest_error_store(call, &err);
        return false;
    }
    struct lag *lags = lags_of(list, &count);
    if (count == 0) {
        kafka_rest_error(call->exchange, 404, 404, "%s", missing);
        return false;
    }
    qsort(lags, count, sizeof(*lags), compare_lags);
    (void)kafka_rest_group_members_visit(call->rest->consumers, list->group, note_owner, list);
    return true;
}

static void append_lag(struct lag_list *list, const struct lag *lag)
{
    struct v3_writer *w = list->w;
    v3_begin(w, "KafkaConsumerLag",
             v3_path(w, "/consumer-groups/%.*s/lags/%.*s/partitions/%d", SPAN_ARG(list->group),
                     SPAN_ARG(lag->topic), (int)lag->partition),
             v3_path(w, "/consumer-group=%.*s/lag=%.*s/partition=%d", SPAN_ARG(list->group),
                     SPAN_ARG(lag->topic), (int)lag->partition));
    v3_string(w, "cluster_id", span_from_cstr(w->cluster_id));
    v3_string(w, "consumer_group_id", list->group);
    v3_string(w, "topic_name", lag->topic);
    v3_int(w, "partition_id", lag->partition);
    v3_string(w, "consumer_id", lag->consumer_id);
    v3_null(w, "instance_id");
    v3_string(w, "client_id", lag->client_id);
    v3_int(w, "current_offset", lag->current_offset);
    v3_int(w, "log_end_offset", lag->end_offset);
    v3_int(w, "lag", lag->end_offset - lag->current_offset);
    v3_end(w);
}

static void append_lags(struct lag_list *list)
{
    size_t count;
    const struct lag *lags = lags_of(list, &count);
    v3_list_begin(list->w, "KafkaConsumerLagList",
                  v3_path(list->w, "/consumer-groups/%.*s/lags", SPAN_ARG(list->group)));
    for (size_t i = 0; i < count; i++) {
        append_lag(list, &lags[i]);
    }
    v3_list_end(list->w);
}

static void append_summary(struct lag_list *list)
{
    struct v3_writer *w = list->w;
    size_t count;
    const struct lag *lags = lags_of(list, &count);
    const struct lag *most = &lags[0];
    int64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += lags[i].end_offset - lags[i].current_offset;
    }
    const char *path = v3_path(w, "/consumer-groups/%.*s", SPAN_ARG(list->group));
    v3_begin(w, "KafkaConsumerGroupLagSummary", v3_path(w, "%s/lag-summary", path),
             v3_path(w, "/consumer-group=%.*s/lag-summary", SPAN_ARG(list->group)));
    v3_string(w, "cluster_id", span_from_cstr(w->cluster_id));
    v3_string(w, "consumer_group_id", list->group);
    v3_int(w, "max_lag", most->end_offset - most->current_offset);
    v3_int(w, "total_lag", total);
    v3_string(w, "max_lag_consumer_id", most->consumer_id);
    v3_link(w, "max_lag_consumer",
            v3_path(w, "%s/consumers/%.*s", path, SPAN_ARG(most->consumer_id)));
    v3_string(w, "max_lag_client_id", most->client_id);
    v3_null(w, "max_lag_instance_id");
    v3_string(w, "max_lag_topic_name", most->topic);
    v3_int(w, "max_lag_partition_id", most->partition);
    v3_link(w, "max_lag_partition",
            v3_path(w, "/topics/%.*s/partitions/%d", SPAN_ARG(most->topic), (int)most->partition));
    v3_end(w);
}

static enum handled answer_lags(void *ctx, struct span group, const char *missing,
                                void (*append)(struct lag_list *list))
{
    struct v3_writer w;
    if (!v3_writer_begin(&w, ctx)) {
        return HANDLED;
    }
    struct lag_list list = {.w = &w, .group = group};
    buf_init(&list.lags, groups_bytes_max);
    if (lag_list_read(&list, missing)) {
        append(&list);
    }
    buf_release(&list.lags);
    return v3_writer_end(&w);
}

enum handled kafka_rest_v3_lags(struct kafka_rest_call *call)
{
    return answer_lags(call, call->match.captures[1], "Consumer lags not found.", append_lags);
}

enum handled kafka_rest_v3_lag_summary(struct kafka_rest_call *call)
{
    return answer_lags(call, call->match.captures[1], "HTTP 404 Not Found", append_summary);
}
