/* Membership and balancing: see group.h. A rebalance first commits (members with auto commit), then
 * deals all partitions anew, then every member resumes from what is committed, as with Kafka's
 * eager protocol: uncommitted reads are repeated. */
#include "group.h"

#include <stdlib.h>
#include <string.h>

static const char log_area[] = "group";

/* --- the set of groups ------------------------------------------------------------------------ */

void group_set_init(struct group_set *set, struct store *store, struct log *log)
{
    *set = (struct group_set){.store = store, .log = log, .visible_prefix = SPAN_EMPTY};
}

void group_set_close(struct group_set *set)
{
    set->closing = true;
}

void group_set_release(struct group_set *set)
{
    PP_ASSERT(set->count == 0);
    free(set->groups);
    set->groups = NULL;
    set->cap = 0;
}

/* The place where a group of that name is, or would be inserted. */
static size_t group_set_place(const struct group_set *set, struct span name, bool *found)
{
    size_t low = 0;
    size_t high = set->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = span_compare(group_text_span(set->groups[middle]->name), name);
        if (order == 0) {
            *found = true;
            low = middle;
        } else if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

const struct group *group_set_find(const struct group_set *set, struct span name)
{
    bool found;
    size_t place = group_set_place(set, name, &found);
    return found ? set->groups[place] : NULL;
}

static struct group *group_set_add(struct group_set *set, struct span name, size_t place)
{
    if (set->count == set->cap) {
        size_t cap = set->cap > 0 ? set->cap * 2 : 8;
        struct group **grown = realloc(set->groups, cap * sizeof(struct group *));
        if (grown == NULL) {
            return NULL;
        }
        set->groups = grown;
        set->cap = cap;
    }
    struct group *group = calloc(1, sizeof(*group));
    struct group_text *text = group_text_new(name);
    if (group == NULL || text == NULL) {
        free(group);
        group_text_unref(text);
        return NULL;
    }
    group->name = text;
    memmove(&set->groups[place + 1], &set->groups[place],
            (set->count - place) * sizeof(struct group *));
    set->groups[place] = group;
    set->count++;
    return group;
}

static void group_set_drop(struct group_set *set, struct group *group)
{
    bool found;
    size_t place = group_set_place(set, group_text_span(group->name), &found);
    PP_ASSERT(found && group->member_count == 0);
    set->count--;
    memmove(&set->groups[place], &set->groups[place + 1],
            (set->count - place) * sizeof(struct group *));
    group_text_unref(group->name);
    free(group->members);
    free(group);
}

/* --- the range assignor ----------------------------------------------------------------------- */

void group_range_share(int32_t partition_count, size_t member_count, size_t index, int32_t *first,
                       int32_t *count)
{
    PP_ASSERT(member_count > 0 && index < member_count && partition_count >= 0);
    size_t each = (size_t)partition_count / member_count;
    size_t extra = (size_t)partition_count % member_count;
    *first = (int32_t)(each * index + (index < extra ? index : extra));
    *count = (int32_t)(each + (index < extra ? 1 : 0));
}

/* One member wants one topic. */
struct claim {
    const struct store_topic *topic;
    size_t member_index;
};

struct claim_list {
    struct claim *claims;
    size_t count;
    size_t cap;
    size_t member_index; /* whose topics are being visited */
    bool failed;
};

static void claim_add(void *ctx, const struct store_topic *topic)
{
    struct claim_list *list = ctx;
    if (list->count == list->cap) {
        size_t cap = list->cap > 0 ? list->cap * 2 : 16;
        struct claim *grown = list->failed ? NULL : realloc(list->claims, cap * sizeof(*grown));
        if (grown == NULL) {
            list->failed = true;
            return;
        }
        list->claims = grown;
        list->cap = cap;
    }
    list->claims[list->count++] = (struct claim){topic, list->member_index};
}

static int claim_compare(const void *a, const void *b)
{
    const struct claim *left = a;
    const struct claim *right = b;
    int order = span_compare(left->topic->name, right->topic->name);
    if (order != 0) {
        return order;
    }
    return (left->member_index > right->member_index) - (left->member_index < right->member_index);
}

/* What each member shall hold, before it is handed over. */
struct share {
    struct group_partition *partitions;
    size_t count;
    size_t cap;
};

static void share_release(struct share *share)
{
    for (size_t i = 0; i < share->count; i++) {
        group_text_unref(share->partitions[i].topic);
    }
    free(share->partitions);
}

static bool share_add_range(struct share *share, struct group_text *topic, int64_t topic_id,
                            const int32_t range[2])
{
    size_t need = share->count + (size_t)range[1];
    if (need > share->cap) {
        size_t cap = need > share->cap * 2 ? need : share->cap * 2;
        struct group_partition *grown = realloc(share->partitions, cap * sizeof(*grown));
        if (grown == NULL) {
            return false;
        }
        share->partitions = grown;
        share->cap = cap;
    }
    for (int32_t i = 0; i < range[1]; i++) {
        share->partitions[share->count++] = (struct group_partition){
            .topic = group_text_ref(topic), .topic_id = topic_id, .partition = range[0] + i};
    }
    return true;
}

/* The claims are in (topic, member) order: each run of one topic is dealt by the assignor. */
static bool shares_deal(const struct claim_list *list, struct share *shares)
{
    bool ok = true;
    for (size_t start = 0; start < list->count && ok;) {
        const struct store_topic *topic = list->claims[start].topic;
        size_t end = start;
        while (end < list->count && list->claims[end].topic == topic) {
            end++;
        }
        struct group_text *name = group_text_new(topic->name);
        ok = name != NULL;
        for (size_t i = start; i < end && ok; i++) {
            int32_t range[2];
            group_range_share(topic->partition_count, end - start, i - start, &range[0], &range[1]);
            ok = share_add_range(&shares[list->claims[i].member_index], name, topic->id, range);
        }
        group_text_unref(name);
        start = end;
    }
    return ok;
}

/* --- rebalancing ------------------------------------------------------------------------------ */

static void member_drop_partitions(struct group_member *member)
{
    struct share old = {member->partitions, member->partition_count, 0};
    share_release(&old);
    member->partitions = NULL;
    member->partition_count = 0;
    member->epoch++;
}

/* As at every revocation: with auto commit on the positions are committed first. That a commit
 * fails stops nobody; the records will be read again. */
static void member_commit_if_auto(struct group_member *member)
{
    struct error err = ERROR_NONE;
    if (member->auto_commit && group_member_commit(member, &err) != STATUS_OK) {
        LOG_WARNF(member->set->log, log_area, "auto commit failed group=%.*s: %s",
                  SPAN_ARG(member->group_name), err.message);
    }
}

static bool group_deal(struct group *group, struct share *shares)
{
    struct claim_list list = {0};
    for (size_t i = 0; i < group->member_count; i++) {
        list.member_index = i;
        group_member_topics_visit(group->members[i], claim_add, &list);
    }
    if (list.count > 0) {
        qsort(list.claims, list.count, sizeof(*list.claims), claim_compare);
    }
    bool ok = !list.failed && shares_deal(&list, shares);
    free(list.claims);
    return ok;
}

static enum status group_rebalance(struct group_set *set, struct group *group, struct error *err)
{
    size_t count = group->member_count;
    for (size_t i = 0; i < count; i++) {
        member_commit_if_auto(group->members[i]);
    }
    struct share *shares = calloc(count, sizeof(*shares));
    if (shares == NULL || !group_deal(group, shares)) {
        for (size_t i = 0; shares != NULL && i < count; i++) {
            share_release(&shares[i]);
        }
        free(shares);
        group->stale = true;
        return error_set(err, STATUS_NO_MEMORY, "rebalance a consumer group");
    }
    group->generation++;
    group->stale = false;
    for (size_t i = 0; i < count; i++) {
        struct group_member *member = group->members[i];
        member_drop_partitions(member);
        member->partitions = shares[i].partitions;
        member->partition_count = shares[i].count;
        (void)group_member_topics_changed(member); /* this is the state they were dealt from */
        /* Where there is no place to resume from, the member's own next read says so. */
        enum status settled = group_member_settle(member, NULL);
        (void)settled;
        if (set->changed != NULL) {
            set->changed(member);
        }
    }
    free(shares);
    LOG_DEBUGF(set->log, log_area, "rebalanced group=%s generation=%llu members=%zu",
               group->name->text, (unsigned long long)group->generation, count);
    return STATUS_OK;
}

static enum status member_join(struct group_member *member, struct error *err)
{
    struct group_set *set = member->set;
    bool found;
    size_t place = group_set_place(set, member->group_name, &found);
    struct group *group =
        found ? set->groups[place] : group_set_add(set, member->group_name, place);
    if (group == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "join a consumer group");
    }
    if (group->member_count == group->member_cap) {
        size_t cap = group->member_cap > 0 ? group->member_cap * 2 : 4;
        struct group_member **grown = realloc(group->members, cap * sizeof(struct group_member *));
        if (grown == NULL) {
            if (group->member_count == 0) {
                group_set_drop(set, group);
            }
            return error_set(err, STATUS_NO_MEMORY, "join a consumer group");
        }
        group->members = grown;
        group->member_cap = cap;
    }
    size_t at = 0;
    while (at < group->member_count &&
           span_compare(group->members[at]->member_id, member->member_id) < 0) {
        at++;
    }
    memmove(&group->members[at + 1], &group->members[at],
            (group->member_count - at) * sizeof(struct group_member *));
    group->members[at] = member;
    group->member_count++;
    member->group = group;
    return STATUS_OK;
}

static void member_leave(struct group_member *member)
{
    struct group *group = member->group;
    if (group == NULL) {
        return;
    }
    size_t at = 0;
    while (group->members[at] != member) {
        at++;
        PP_ASSERT(at < group->member_count);
    }
    group->member_count--;
    memmove(&group->members[at], &group->members[at + 1],
            (group->member_count - at) * sizeof(struct group_member *));
    member->group = NULL;
    if (group->member_count == 0) {
        group_set_drop(member->set, group);
        return;
    }
    if (member->set->closing) {
        return;
    }
    struct error err = ERROR_NONE;
    if (group_rebalance(member->set, group, &err) != STATUS_OK) {
        LOG_WARNF(member->set->log, log_area, "%s; the next poll tries again", err.message);
    }
}

enum status group_member_poll(struct group_member *member, struct error *err)
{
    bool subscribed = member->mode == GROUP_MODE_TOPICS || member->mode == GROUP_MODE_PATTERN;
    if (!subscribed) {
        return STATUS_OK;
    }
    bool joining = member->group == NULL;
    if (joining) {
        enum status status = member_join(member, err);
        if (status != STATUS_OK) {
            return status;
        }
    }
    if (joining || member->group->stale || group_member_topics_changed(member)) {
        return group_rebalance(member->set, member->group, err);
    }
    return STATUS_OK;
}

/* --- what a member asks for ------------------------------------------------------------------- */

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
    member->all_topics_signature = 0;
    member->own_topics_signature = 0;
}

void group_member_unsubscribe(struct group_member *member)
{
    member->mode = GROUP_MODE_NONE;
    member_drop_partitions(member);
    member_drop_topics(member);
    member_leave(member);
}

void group_member_close(struct group_member *member)
{
    member_commit_if_auto(member);
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
    member_commit_if_auto(member);
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
                         size_t count, struct share *share)
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
        ok = name != NULL && share_add_range(share, name, 0, range);
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
    struct share share = {0};
    if (!choices_take(member, list, count, &share)) {
        share_release(&share);
        return error_set(err, STATUS_NO_MEMORY, "assign partitions");
    }
    member->mode = GROUP_MODE_ASSIGNED;
    member_drop_partitions(member);
    member->partitions = share.partitions;
    member->partition_count = share.count;
    return STATUS_OK;
}
