/* What a member's subscription means in topics that are there, and noticing that some came or went.
 */
#include "group_internal.h"
#include "hash.h"

static int topic_order(const struct store_topic *topic, struct span name)
{
    return span_compare(topic->name, name);
}

/* The place among all topics, in name order; it is not below `low`. False: there is none. */
static bool topic_index(struct store *store, struct span name, size_t low, size_t *index)
{
    size_t high = store_topic_count(store);
    PP_ASSERT(low <= high);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (topic_order(store_topic_at(store, middle), name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *index = low;
    return low < store_topic_count(store) && topic_order(store_topic_at(store, low), name) == 0;
}

size_t group_member_topics_visit(struct group_member *member, group_topic_visit *visit, void *ctx)
{
    struct store *store = member->seat.set->store;
    size_t count = store_topic_count(store);
    size_t looks = 1;
    size_t index = 0;
    PP_ASSERT(member->topic_count > 0 ? member->mode == GROUP_MODE_TOPICS
                                      : member->mode == GROUP_MODE_PATTERN);
    if (member->mode == GROUP_MODE_TOPICS) {
        for (size_t i = 0; i < member->topic_count; i++) {
            if (topic_index(store, group_text_span(member->topics[i]), index, &index)) {
                visit(ctx, store_topic_at(store, index), index);
            }
        }
        looks += member->topic_count;
    } else {
        group_pattern_look_begin(member->pattern);
        for (size_t i = 0; i < count; i++) {
            const struct store_topic *topic = store_topic_at(store, i);
            if (group_member_wants(member, topic->name)) {
                visit(ctx, topic, i);
            }
        }
        group_pattern_look_end(member->pattern);
        looks += count;
    }
    return looks;
}

/* A hash over which topics there are and how many partitions each has. */
void group_topic_sign(void *ctx, const struct store_topic *topic, size_t index)
{
    uint64_t *signature = ctx;
    const uint64_t words[2] = {(uint64_t)topic->id, (uint64_t)topic->partition_count};
    (void)index;
    *signature = hash64_bytes(*signature, (struct span){(const char *)words, sizeof(words)});
}

uint64_t group_topics_signature(struct store *store)
{
    uint64_t signature = HASH64_START;
    size_t count = store_topic_count(store);
    for (size_t i = 0; i < count; i++) {
        group_topic_sign(&signature, store_topic_at(store, i), i);
    }
    return signature;
}

bool group_member_topics_changed(struct group_member *member, struct group_slice *slice)
{
    if (member->mode == GROUP_MODE_PATTERN) {
        /* Matching is dear: first see whether any topic at all came or went. */
        uint64_t all = group_topics_signature(member->seat.set->store);
        group_slice_look(slice,
                         store_topic_count(member->seat.set->store) / GROUP_TOPICS_SIGNED_A_LOOK);
        if (all == member->seat.all_topics_signature) {
            return false;
        }
        member->seat.all_topics_signature = all;
    }
    uint64_t own = HASH64_START;
    group_slice_look(slice, group_member_topics_visit(member, group_topic_sign, &own));
    own = group_member_gave_up(member) ? HASH64_START : own;
    bool changed = own != member->seat.own_topics_signature;
    member->seat.own_topics_signature = own;
    return changed;
}
