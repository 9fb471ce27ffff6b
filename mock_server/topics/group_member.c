/* A member's local side: see group.h. */
#include "group_internal.h"
#include "search.h"
#include "topic_policy.h"

#include <stdlib.h>

struct group_member *group_member_new(const struct group_member_options *options)
{
    struct group_member *member = calloc(1, sizeof(*member));
    if (member != NULL) {
        member->options = *options;
    }
    return member;
}

void group_member_free(struct group_member *member)
{
    PP_ASSERT(member == NULL || (!member->joined && member->partition_count == 0));
    free(member);
}

/* --- looking --- */

enum group_mode group_member_mode(const struct group_member *member)
{
    return member->mode;
}

bool group_member_is_joined(const struct group_member *member)
{
    return member->joined;
}

bool group_member_misses_topics(const struct group_member *member)
{
    return member->has_missing_topics;
}

size_t group_member_topic_count(const struct group_member *member)
{
    return member->topic_count;
}

struct span group_member_topic(const struct group_member *member, size_t index)
{
    PP_ASSERT(index < member->topic_count);
    return group_text_span(member->topics[index]);
}

size_t group_member_partition_count(const struct group_member *member)
{
    return member->partition_count;
}

const struct group_partition *group_member_partitions(const struct group_member *member)
{
    return member->partitions;
}

uint64_t group_member_epoch(const struct group_member *member)
{
    return member->epoch;
}

static bool member_sees(const struct group_member *member, struct span topic)
{
    if (member->options.policy != NULL &&
        topic_policy_topic(member->options.policy, topic) == TOPIC_REFUSED) {
        return false;
    }
    struct group_pattern *pattern = member->pattern;
    unsigned before = group_pattern_overruns(pattern);
    bool matches = group_pattern_matches(pattern, topic);
    if (group_pattern_overruns(pattern) > before && group_pattern_gave_up(pattern)) {
        LOG_WARNF(member->options.log, "group",
                  "topic_pattern %.*s takes too long on %d topic names, the last %.*s: it matches "
                  "nothing from now on; write it without nested repetitions",
                  SPAN_ARG(group_pattern_source(pattern)), GROUP_PATTERN_OVERRUNS_MAX,
                  SPAN_ARG(topic));
    }
    return matches;
}

bool group_member_wants(const struct group_member *member, struct span topic)
{
    if (member->mode == GROUP_MODE_PATTERN) {
        return member_sees(member, topic);
    }
    if (member->mode == GROUP_MODE_TOPICS) {
        for (size_t i = 0; i < member->topic_count; i++) {
            if (span_equal(group_text_span(member->topics[i]), topic)) {
                return true;
            }
        }
    }
    return false;
}

static int member_partition_order(const void *item, const void *key)
{
    const struct group_partition *p = item;
    const struct group_choice *wanted = key;
    int order = span_compare(group_text_span(p->topic), wanted->topic);
    return order != 0 ? order
                      : (p->partition > wanted->partition) - (p->partition < wanted->partition);
}

/* Where the partition is among those that the member holds; partition_count: it does not. */
static size_t member_index(const struct group_member *member, struct span topic, int32_t partition)
{
    const struct group_choice wanted = {topic, partition};
    bool found;
    size_t place = SEARCH_PLACE(member->partitions, member->partition_count, &wanted,
                                member_partition_order, &found);
    return found ? place : member->partition_count;
}

const struct group_partition *group_member_partition(const struct group_member *member,
                                                     struct span topic, int32_t partition)
{
    size_t index = member_index(member, topic, partition);
    return index < member->partition_count ? &member->partitions[index] : NULL;
}

/* --- moving --- */

void group_member_read_on(struct group_member *member, size_t index, int64_t offset)
{
    PP_ASSERT(index < member->partition_count);
    member->partitions[index].offset = offset;
}

bool group_member_seek(struct group_member *member, struct span topic, int32_t partition,
                       int64_t offset)
{
    size_t index = member_index(member, topic, partition);
    if (index == member->partition_count) {
        return false;
    }
    member->partitions[index].at = GROUP_POSITION_FIXED;
    member->partitions[index].offset = offset;
    member->epoch++;
    return true;
}

bool group_member_seek_edge(struct group_member *member, const struct group_choice *choice,
                            enum group_position edge)
{
    size_t index = member_index(member, choice->topic, choice->partition);
    if (index == member->partition_count) {
        return false;
    }
    member->partitions[index].at = edge;
    member->epoch++;
    return true;
}

void group_member_seek_edges(struct group_member *member, enum group_position edge)
{
    for (size_t i = 0; i < member->partition_count; i++) {
        member->partitions[i].at = edge;
    }
    member->epoch++;
}

static void member_step_back_to(struct group_member *member, const struct group_place *place)
{
    for (size_t i = 0; i < member->partition_count; i++) {
        struct group_partition *p = &member->partitions[i];
        if (p->topic_id == place->topic_id && p->partition == place->partition &&
            p->at == GROUP_POSITION_FIXED && p->offset > place->offset) {
            p->offset = place->offset;
        }
    }
}

void group_member_step_back(struct group_member *member, const struct group_place *places,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        member_step_back_to(member, &places[i]);
    }
    member->epoch++;
}
