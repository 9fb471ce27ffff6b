/* A member's local side: see group.h. */
#include "group.h"

#include "log.h"
#include "search.h"
#include "topic_policy.h"

static bool member_sees(const struct group_member *member, struct span topic)
{
    if (member->policy != NULL && topic_policy_topic(member->policy, topic) == TOPIC_REFUSED) {
        return false;
    }
    struct group_pattern *pattern = member->pattern;
    unsigned before = group_pattern_overruns(pattern);
    bool matches = group_pattern_matches(pattern, topic);
    if (group_pattern_overruns(pattern) > before && group_pattern_gave_up(pattern)) {
        LOG_WARNF(member->log, "group",
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

struct group_partition *group_member_partition(const struct group_member *member, struct span topic,
                                               int32_t partition)
{
    const struct group_choice wanted = {topic, partition};
    bool found;
    size_t place = SEARCH_PLACE(member->partitions, member->partition_count, &wanted,
                                member_partition_order, &found);
    return found ? &member->partitions[place] : NULL;
}

bool group_member_seek(struct group_member *member, struct span topic, int32_t partition,
                       int64_t offset)
{
    struct group_partition *held = group_member_partition(member, topic, partition);
    if (held == NULL) {
        return false;
    }
    held->at = GROUP_POSITION_FIXED;
    held->offset = offset;
    member->epoch++;
    return true;
}

void group_member_seek_edge(struct group_member *member, struct group_partition *partition,
                            enum group_position edge)
{
    if (partition != NULL) {
        partition->at = edge;
    }
    for (size_t i = 0; partition == NULL && i < member->partition_count; i++) {
        member->partitions[i].at = edge;
    }
    member->epoch++;
}

void group_member_step_back(struct group_member *member, const struct group_place *place)
{
    for (size_t i = 0; i < member->partition_count; i++) {
        struct group_partition *p = &member->partitions[i];
        if (p->topic_id == place->topic_id && p->partition == place->partition &&
            p->at == GROUP_POSITION_FIXED && p->offset > place->offset) {
            p->offset = place->offset;
            member->epoch++;
        }
    }
}
