/* What a member's subscription means in topics that are there, and noticing that some came or went.
 */
#include "group_internal.h"
#include "hash.h"

void group_member_topics_visit(struct group_member *member,
                               void (*visit)(void *ctx, const struct store_topic *topic), void *ctx)
{
    struct store *store = member->seat.set->store;
    if (member->mode == GROUP_MODE_TOPICS) {
        for (size_t i = 0; i < member->topic_count; i++) {
            const struct store_topic *topic =
                store_topic_find(store, group_text_span(member->topics[i]));
            if (topic != NULL) {
                visit(ctx, topic);
            }
        }
    } else if (member->mode == GROUP_MODE_PATTERN) {
        size_t count = store_topic_count(store);
        for (size_t i = 0; i < count; i++) {
            const struct store_topic *topic = store_topic_at(store, i);
            if (group_member_wants(member, topic->name)) {
                visit(ctx, topic);
            }
        }
    }
}

/* A hash over which topics there are and how many partitions each has. */
static void signature_add(void *ctx, const struct store_topic *topic)
{
    uint64_t *signature = ctx;
    const uint64_t words[2] = {(uint64_t)topic->id, (uint64_t)topic->partition_count};
    *signature = hash64_bytes(*signature, (struct span){(const char *)words, sizeof(words)});
}

bool group_member_topics_changed(struct group_member *member)
{
    if (member->mode == GROUP_MODE_PATTERN) {
        /* Matching is dear: first see whether any topic at all came or went. */
        uint64_t all = HASH64_START;
        size_t count = store_topic_count(member->seat.set->store);
        for (size_t i = 0; i < count; i++) {
            signature_add(&all, store_topic_at(member->seat.set->store, i));
        }
        if (all == member->seat.all_topics_signature) {
            return false;
        }
        member->seat.all_topics_signature = all;
    }
    uint64_t own = HASH64_START;
    group_member_topics_visit(member, signature_add, &own);
    bool changed = own != member->seat.own_topics_signature;
    member->seat.own_topics_signature = own;
    return changed;
}
