/* What a member asks for: topics, a pattern, partitions by hand, nothing. What was held before is
 * committed and given up; joining is the next poll's. */
#include "group_internal.h"

#include <stdlib.h>

static void member_drop_topics(struct group_member *member)
{
    PP_ASSERT(member->topic_count == 0 || member->pattern == NULL);
    for (size_t i = 0; i < member->topic_count; i++) {
        group_text_unref(member->topics[i]);
    }
    free(member->topics);
    member->topics = NULL;
    member->topic_count = 0;
    member->asked_bytes = 0;
    group_pattern_free(member->pattern);
    member->pattern = NULL;
    member->seat.all_topics_signature = 0;
    member->seat.own_topics_signature = 0;
}

void group_member_unsubscribe(struct group_member *member, struct group_slice *slice)
{
    member->mode = GROUP_MODE_NONE;
    group_member_drop_partitions(member);
    member_drop_topics(member);
    group_member_leave(member, slice);
    PP_ASSERT(!member->joined && member->holding.count == 0);
}

bool group_member_close(struct group_member *member, struct group_slice *slice)
{
    if (!group_member_commit_if_auto(member, slice)) {
        return false;
    }
    group_member_unsubscribe(member, slice);
    return true;
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

/* A new subscription, of so many bytes: what was held is committed and given up; joining is the
 * next poll's. */
static void member_resubscribe(struct group_member *member, enum group_mode mode, size_t bytes,
                               struct group_slice *slice)
{
    PP_ASSERT((mode == GROUP_MODE_TOPICS || mode == GROUP_MODE_PATTERN) && bytes > 0);
    group_member_unsubscribe(member, slice);
    member->mode = mode;
    member->asked_bytes = bytes;
    group_member_count(member);
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
    PP_ASSERT(*count > 0);
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

static size_t texts_bytes(struct group_text *const *texts, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += sizeof(texts[i]) + sizeof(*texts[i]) + texts[i]->len + 1;
    }
    return bytes;
}

/* Room for the new subscription beside the old one, which is then committed. *begun: go on. */
static enum status member_give_up(struct group_member *member, size_t bytes,
                                  struct group_slice *slice, bool *begun, struct error *err)
{
    enum status status = group_member_check_room(member, bytes, err);
    *begun = status == STATUS_OK && group_member_commit_if_auto(member, slice);
    return status;
}

enum status group_member_subscribe(struct group_member *member, const struct span *topics,
                                   size_t count, struct group_slice *slice, struct error *err)
{
    if (count == 0) {
        group_member_unsubscribe(member, slice);
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
    size_t bytes = texts_bytes(texts, count);
    bool begun = false;
    if (!topics_are(member, texts, count)) {
        status = member_give_up(member, bytes, slice, &begun, err);
    }
    if (!begun) {
        texts_free(texts, count);
        return status;
    }
    member_resubscribe(member, GROUP_MODE_TOPICS, bytes, slice);
    PP_ASSERT(member->topics == NULL && member->topic_count == 0);
    member->topics = texts;
    member->topic_count = count;
    return STATUS_OK;
}

enum status group_member_subscribe_pattern(struct group_member *member, struct span pattern,
                                           struct group_slice *slice, struct error *err)
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
    size_t bytes = group_pattern_bytes(compiled);
    bool begun;
    status = member_give_up(member, bytes, slice, &begun, err);
    if (!begun) {
        group_pattern_free(compiled);
        return status;
    }
    member_resubscribe(member, GROUP_MODE_PATTERN, bytes, slice);
    PP_ASSERT(member->pattern == NULL && member->topic_count == 0);
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
                         size_t count, struct group_holding *share)
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
        struct group_partition taken = {.topic_id = 0};
        (void)group_member_find(member, list[i].topic, list[i].partition, &taken);
        taken.topic = name;
        taken.partition = list[i].partition;
        ok = name != NULL && group_holding_add(share, &taken, 1);
    }
    group_text_unref(name);
    return ok;
}

enum status group_member_assign(struct group_member *member, struct group_choice *list,
                                size_t count, struct group_slice *slice, struct error *err)
{
    if (count == 0) {
        group_member_unsubscribe(member, slice);
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
    struct group_holding share = {0};
    status = choices_take(member, list, count, &share)
                 ? group_member_check_room(member, share.bytes, err)
                 : error_set(err, STATUS_NO_MEMORY, "assign partitions");
    if (status != STATUS_OK) {
        group_holding_release(&share);
        return status;
    }
    PP_ASSERT(share.count > 0 && share.count <= count);
    PP_ASSERT(!member->joined && member->topic_count == 0 && member->pattern == NULL);
    member->mode = GROUP_MODE_ASSIGNED;
    group_member_drop_partitions(member);
    member->holding = share;
    group_member_count(member);
    return STATUS_OK;
}
