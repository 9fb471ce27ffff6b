/* Who gets which partitions: Kafka's range assignor over the topics that each member asked for. */
#include "array.h"
#include "group_internal.h"

#include <stdlib.h>

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
    list->failed = list->failed || ARRAY_RESERVE(list->claims, list->cap, list->count + 1,
                                                 ARRAY_NO_MAX) != STATUS_OK;
    if (list->failed) {
        return;
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

/* The claims are in (topic, member) order: each run of one topic is dealt by the assignor. */
static bool shares_deal(const struct claim_list *list, struct group_holding *shares)
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
            struct group_partition first = {.topic = name, .topic_id = topic->id};
            int32_t count;
            group_range_share(topic->partition_count, end - start, i - start, &first.partition,
                              &count);
            ok = group_holding_add(&shares[list->claims[i].member_index], &first, (uint32_t)count);
        }
        group_text_unref(name);
        start = end;
    }
    return ok;
}

bool group_deal(struct group *group, struct group_holding *shares)
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
