/* Who gets which partitions: Kafka's range assignor over the topics that each member asked for. It
 * passes twice over the members: first to note who wants which topic, then to give each member its
 * part. A member is a step, and a deal of many takes turns. */
#include "budget.h"
#include "group_internal.h"
#include "hash.h"

#include <stdlib.h>

void group_range_share(int32_t partition_count, size_t member_count, size_t index, int32_t *first,
                       int32_t *count)
{
    PP_ASSERT(member_count > 0 && index < member_count && partition_count >= 0);
    size_t each = (size_t)partition_count / member_count;
    size_t extra = (size_t)partition_count % member_count;
    *first = (int32_t)(each * index + (index < extra ? index : extra));
    *count = (int32_t)(each + (index < extra ? 1 : 0));
    PP_ASSERT(*first >= 0 && *count <= partition_count - *first);
}

/* --- one deal --------------------------------------------------------------------------------- */

void group_deal_uncharge(struct group_deal *deal)
{
    if (deal->budget != NULL) {
        budget_note(deal->budget, BUDGET_PAIRS, &deal->charged, 0);
    }
}

/* Beside what its members hold, which they give back for it, it must fit into the budget. */
static enum status deal_charge(struct group_deal *deal, size_t held)
{
    size_t beyond = deal->bytes > held ? deal->bytes - held : 0;
    return deal->budget == NULL ||
                   budget_take(deal->budget, BUDGET_PAIRS, &deal->charged, deal->own_bytes + beyond)
               ? STATUS_OK
               : STATUS_LIMIT;
}

void group_deal_free(struct group_deal *deal)
{
    if (deal == NULL) {
        return;
    }
    for (size_t i = 0; deal->shares != NULL && i < deal->member_count; i++) {
        group_holding_release(&deal->shares[i]);
    }
    for (size_t i = 0; deal->names != NULL && i < deal->topic_count; i++) {
        group_text_unref(deal->names[i]);
    }
    group_deal_uncharge(deal);
    free(deal->shares);
    free(deal->signatures);
    free(deal->names);
    free(deal->claims);
    free(deal->wanted);
    free(deal->dealt);
    free(deal);
}

struct group_deal *group_deal_new(struct group *group, struct store *store)
{
    struct group_deal *deal = calloc(1, sizeof(*deal));
    if (deal == NULL) {
        return NULL;
    }
    PP_ASSERT(group->member_count > 0);
    size_t topics = store_topic_count(store);
    deal->topic_count = topics;
    deal->member_count = group->member_count;
    deal->signature = group_topics_signature(store);
    deal->shares = calloc(group->member_count, sizeof(*deal->shares));
    deal->signatures = calloc(group->member_count, sizeof(*deal->signatures));
    deal->names = calloc(topics + 1, sizeof(struct group_text *));
    deal->claims = calloc(topics + 1, sizeof(*deal->claims));
    deal->dealt = calloc(topics + 1, sizeof(*deal->dealt));
    deal->wanted_bytes = topics / 8 + 1;
    deal->wanted = calloc(group->member_count, deal->wanted_bytes);
    deal->own_bytes =
        sizeof(*deal) +
        topics * (sizeof(*deal->names) + sizeof(*deal->claims) + sizeof(*deal->dealt)) +
        deal->member_count *
            (sizeof(*deal->shares) + sizeof(*deal->signatures) + deal->wanted_bytes);
    deal->budget = group->members[0]->options.budget;
    if (deal->shares == NULL || deal->signatures == NULL || deal->names == NULL ||
        deal->claims == NULL || deal->dealt == NULL || deal->wanted == NULL) {
        group_deal_free(deal);
        return NULL;
    }
    return deal;
}

bool group_deal_is_current(const struct group_deal *deal, const struct group *group,
                           struct store *store)
{
    PP_ASSERT(deal->member_count == group->member_count); /* who comes or goes ends the deal */
    return deal->signature == group_topics_signature(store);
}

struct claiming {
    uint32_t *claims;
    uint8_t *wanted; /* the member's own */
    size_t topic_count;
};

static void claim_note(void *ctx, const struct store_topic *topic, size_t index)
{
    struct claiming *claiming = ctx;
    (void)topic;
    PP_ASSERT(index < claiming->topic_count);
    claiming->claims[index]++;
    claiming->wanted[index / 8] |= (uint8_t)(1U << index % 8);
}

static size_t member_claim(struct group_deal *deal, struct group_member *member)
{
    struct claiming claiming = {deal->claims, &deal->wanted[deal->counted * deal->wanted_bytes],
                                deal->topic_count};
    PP_ASSERT(deal->served == 0 && deal->topic_count == store_topic_count(member->seat.set->store));
    deal->counted++;
    size_t looks = group_member_topics_visit(member, claim_note, &claiming);
    for (size_t i = 0; group_member_gave_up(member) && i < deal->topic_count; i++) {
        deal->claims[i] -= claiming.wanted[i / 8] >> i % 8 & 1; /* nothing, rather than half */
        claiming.wanted[i / 8] &= (uint8_t) ~(1U << i % 8);
    }
    return looks;
}

/* The member's part of a topic. False: out of memory. */
static bool topic_deal(struct group_deal *deal, const struct store_topic *topic, size_t index)
{
    PP_ASSERT(index < deal->topic_count && deal->dealt[index] < deal->claims[index]);
    struct group_partition first = {.topic_id = topic->id};
    int32_t count;
    if (deal->names[index] == NULL) {
        deal->names[index] = group_text_new(topic->name);
    }
    first.topic = deal->names[index];
    group_range_share(topic->partition_count, deal->claims[index], deal->dealt[index]++,
                      &first.partition, &count);
    return first.topic != NULL &&
           group_holding_add(&deal->shares[deal->served], &first, (uint32_t)count);
}

static bool member_deal(struct group_deal *deal, struct store *store)
{
    const uint8_t *wanted = &deal->wanted[deal->served * deal->wanted_bytes];
    PP_ASSERT(deal->counted == deal->member_count && deal->topic_count == store_topic_count(store));
    uint64_t signature = HASH64_START;
    bool ok = true;
    for (size_t i = 0; i < deal->topic_count && ok; i++) {
        if ((wanted[i / 8] >> i % 8 & 1) != 0) {
            const struct store_topic *topic = store_topic_at(store, i);
            group_topic_sign(&signature, topic, i);
            ok = topic_deal(deal, topic, i);
        }
    }
    deal->signatures[deal->served] = signature;
    deal->bytes += deal->shares[deal->served].bytes;
    deal->served++;
    return ok;
}

enum status group_deal_go_on(struct group_deal *deal, struct group *group, struct store *store,
                             struct group_slice *slice)
{
    PP_ASSERT(deal->member_count == group->member_count);
    size_t held = 0;
    for (size_t i = 0; i < group->member_count; i++) {
        held += group->members[i]->holding.bytes;
    }
    enum status status = deal_charge(deal, held);
    while (status == STATUS_OK && deal->counted < deal->member_count &&
           group_slice_is_left(slice)) {
        group_slice_look(slice, member_claim(deal, group->members[deal->counted]));
    }
    while (status == STATUS_OK && deal->served < deal->member_count && group_slice_is_left(slice)) {
        if (!member_deal(deal, store)) {
            return STATUS_NO_MEMORY;
        }
        group_slice_look(slice, 1 + deal->shares[deal->served - 1].run_count);
        status = deal_charge(deal, held);
    }
    return status;
}
