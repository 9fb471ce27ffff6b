/* What a member asks for: topics, a pattern, partitions by hand, nothing. What was held before is
 * committed and given up; joining is the next poll's. */
#include "group_internal.h"

#include <stdlib.h>

static void member_drop_topics(struct group_member *member)
{
    for (size_t i = 0; i < member->topic_count; i++) {
        group_text_unref(member->topics[i]);
    }
    free(member->topics);
    member->topics = NULL;
    member->topic_count = 0;
    group_pattern_free(member->pattern);
    member->pattern = NULL;
    member->seat.all_topics_signature = 0;
    member->seat.own_topics_signature = 0;
}

void group_member_unsubscribe(struct group_member *member)
{
    member->mode = GROUP_MODE_NONE;
    group_member_drop_partitions(member);
    member_drop_topics(member);
    group_member_leave(member);
}

void group_member_close(struct group_member *member)
{
    group_member_commit_if_auto(member);
    group_member_unsubscribe(member);
}

static enum status member_check_mode(const struct group_member *member, enum group_mode wanted,
                                     struct error *err)
{
    if (member->mode != GROUP_MODE_NONE && member->mode != wanted) {
        return error_set(err, STATUS_EXISTS,
                         "Subscription to topics, partitions and pattern are mutually exclusive");
    }
    return STATUS_OK;
}

/* A new subscription: what was held is committed and given up; joining is the next poll's. */
static void member_resubscribe(struct group_member *member, enum group_mode mode)
{
    group_member_commit_if_auto(member);
    group_member_unsubscribe(member);
    member->mode = mode;
}

static int text_compare(const void *a, const void *b)
{
    struct group_text *const *left = a;
    struct group_text *const *right = b;
    return span_compare(group_text_span(*left), group_text_span(*right));
}

static bool topics_are(const struct group_member *member, struct group_text *const *topics,
                       size_t count)
{
    bool same = member->topic_count == count;
    for (size_t i = 0; i < count && same; i++) {
        same = span_equal(group_text_span(member->topics[i]), group_text_span(topics[i]));
    }
    return same;
}

static void texts_free(struct group_text **texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        group_text_unref(texts[i]);
    }
    free(texts);
}

/* Sorted, without doubles; NULL: out of memory. */
static struct group_text **texts_new(const struct span *topics, size_t *count)
{
    struct group_text **texts = calloc(*count, sizeof(struct group_text *));
    if (texts == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < *count; i++) {
        texts[i] = group_text_new(topics[i]);
        if (texts[i] == NULL) {
            texts_free(texts, i);
            return NULL;
        }
    }
    qsort(texts, *count, sizeof(struct group_text *), text_compare);
    size_t kept = 1;
    for (size_t i = 1; i < *count; i++) {
        if (text_compare(&texts[i], &texts[kept - 1]) == 0) {
            group_text_unref(texts[i]);
        } else {
            texts[kept++] = texts[i];
        }
    }
    *count = kept;
    return texts;
}

enum status group_member_subscribe(struct group_member *member, const struct span *topics,
                                   size_t count, struct error *err)
{
    if (count == 0) {
        group_member_unsubscribe(member);
        return STATUS_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (topics[i].len == 0) {
            return error_set(err, STATUS_INVALID,
                             "Topic collection to subscribe to cannot contain null or empty topic");
        }
    }
    enum status status = member_check_mode(member, GROUP_MODE_TOPICS, err);
    if (status != STATUS_OK) {
        return status;
    }
    struct group_text **texts = texts_new(topics, &count);
    if (texts == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "subscribe");
    }
    if (topics_are(member, texts, count)) {
        texts_free(texts, count);
        return STATUS_OK;
    }
    member_resubscribe(member, GROUP_MODE_TOPICS);
    member->topics = texts;
    member->topic_count = count;
    return STATUS_OK;
}

enum status group_member_subscribe_pattern(struct group_member *member, struct span pattern,
                                           struct error *err)
{
    enum status status = member_check_mode(member, GROUP_MODE_PATTERN, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (member->pattern != NULL && span_equal(group_pattern_source(member->pattern), pattern)) {
        return STATUS_OK;
    }
    struct error why = ERROR_NONE;
    struct group_pattern *compiled = group_pattern_new(pattern, &why);
    if (compiled == NULL) {
        return error_set(err, why.code, "%s", why.message);
    }
    member_resubscribe(member, GROUP_MODE_PATTERN);
    member->pattern = compiled;
    return STATUS_OK;
}

/* --- partitions by hand ----------------------------------------------------------------------- */

static int choice_compare(const void *a, const void *b)
{
    const struct group_choice *left = a;
    const struct group_choice *right = b;
    int order = span_compare(left->topic, right->topic);
    if (order != 0) {
        return order;
    }
    return (left->partition > right->partition) - (left->partition < right->partition);
}

static bool choices_take(const struct group_member *member, const struct group_choice *list,
                         size_t count, struct group_share *share)
{
    struct group_text *name = NULL;
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++) {
        if (i > 0 && choice_compare(&list[i], &list[i - 1]) == 0) {
            continue;
        }
        if (name == NULL || !span_equal(group_text_span(name), list[i].topic)) {
            group_text_unref(name);
            name = group_text_new(list[i].topic);
        }
        const int32_t range[2] = {list[i].partition, 1};
        ok = name != NULL && group_share_add(share, name, 0, range);
        const struct group_partition *held =
            group_member_partition(member, list[i].topic, list[i].partition);
        if (ok && held != NULL) {
            struct group_partition *taken = &share->partitions[share->count - 1];
            taken->topic_id = held->topic_id;
            taken->at = held->at;
            taken->offset = held->offset;
        }
    }
    group_text_unref(name);
    return ok;
}

enum status group_member_assign(struct group_member *member, struct group_choice *list,
                                size_t count, struct error *err)
{
    if (count == 0) {
        group_member_unsubscribe(member);
        return STATUS_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (list[i].topic.len == 0) {
            return error_set(err, STATUS_INVALID,
                             "Topic partitions to assign to cannot have null or empty topic");
        }
    }
    enum status status = member_check_mode(member, GROUP_MODE_ASSIGNED, err);
    if (status != STATUS_OK) {
        return status;
    }
    qsort(list, count, sizeof(*list), choice_compare);
    struct group_share share = {0};
    if (!choices_take(member, list, count, &share)) {
        group_share_release(&share);
        return error_set(err, STATUS_NO_MEMORY, "assign partitions");
    }
    member->mode = GROUP_MODE_ASSIGNED;
    group_member_drop_partitions(member);
    member->partitions = share.partitions;
    member->partition_count = share.count;
    return STATUS_OK;
}
