/* A member's local side: see group.h. */
#include "budget.h"
#include "group_internal.h"
#include "topic_policy.h"

#include <stdlib.h>

struct group_member *group_member_new(const struct group_member_options *options)
{
    struct group_member *member = calloc(1, sizeof(*member));
    if (member != NULL) {
        member->options = *options;
        group_member_count(member);
    }
    return member;
}

void group_member_free(struct group_member *member)
{
    PP_ASSERT(member == NULL || (!member->joined && member->holding.count == 0));
    PP_ASSERT(member == NULL || (member->topics == NULL && member->pattern == NULL));
    if (member != NULL && member->options.budget != NULL) {
        budget_note(member->options.budget, BUDGET_PAIRS, &member->charged, 0);
    }
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
    PP_ASSERT(member->topic_count == 0 || member->mode == GROUP_MODE_TOPICS);
    return member->topic_count;
}

struct span group_member_topic(const struct group_member *member, size_t index)
{
    PP_ASSERT(index < member->topic_count);
    return group_text_span(member->topics[index]);
}

size_t group_member_partition_count(const struct group_member *member)
{
    return member->holding.count;
}

struct group_partition group_member_partition(const struct group_member *member, size_t index)
{
    uint32_t at;
    const struct group_run *run = group_holding_run(&member->holding, index, &at);
    return group_run_partition(run, at);
}

struct group_walk group_member_walk(const struct group_member *member, size_t index)
{
    struct group_walk walk = {.run = member->holding.run_count, .index = index};
    if (index < member->holding.count) {
        walk.run =
            (size_t)(group_holding_run(&member->holding, index, &walk.at) - member->holding.runs);
    }
    return walk;
}

bool group_member_next(const struct group_member *member, struct group_walk *walk,
                       struct group_partition *out)
{
    if (walk->run >= member->holding.run_count) {
        return false;
    }
    const struct group_run *run = &member->holding.runs[walk->run];
    PP_ASSERT(walk->at < run->count && (size_t)run->start + run->count <= member->holding.count);
    *out = group_run_partition(run, walk->at);
    walk->index = run->start + walk->at;
    walk->at++;
    if (walk->at == run->count) {
        walk->run++;
        walk->at = 0;
    }
    return true;
}

size_t group_member_run_count(const struct group_member *member)
{
    return member->holding.run_count;
}

bool group_member_next_run(const struct group_member *member, struct group_walk *walk,
                           struct group_partition *out, int32_t *count)
{
    size_t run = walk->run;
    uint32_t at = walk->at;
    if (!group_member_next(member, walk, out)) {
        return false;
    }
    *count = (int32_t)(member->holding.runs[run].count - at);
    walk->run = run + 1;
    walk->at = 0;
    return true;
}

uint64_t group_member_epoch(const struct group_member *member)
{
    return member->epoch;
}

static bool member_sees(const struct group_member *member, struct span topic)
{
    PP_ASSERT(member->pattern != NULL && member->topic_count == 0);
    if (member->options.policy != NULL &&
        topic_policy_topic(member->options.policy, topic) == TOPIC_REFUSED) {
        return false;
    }
    struct group_pattern *pattern = member->pattern;
    unsigned before = group_pattern_overruns(pattern);
    bool matches = group_pattern_matches(pattern, topic);
    if (group_pattern_overruns(pattern) > before && group_pattern_gave_up(pattern)) {
        LOG_WARNF(
            member->options.log, "group",
            "topic_pattern %.*s takes too long on topic names such as %.*s: it matches nothing "
            "from now on; write it with fewer repetitions, or subscribe to the topics by name",
            SPAN_ARG(group_pattern_source(pattern)), SPAN_ARG(topic));
    }
    return matches;
}

bool group_member_gave_up(const struct group_member *member)
{
    return member->pattern != NULL && group_pattern_gave_up(member->pattern);
}

void group_member_look_begin(struct group_member *member)
{
    group_pattern_look_begin(member->pattern);
}

void group_member_look_end(struct group_member *member)
{
    group_pattern_look_end(member->pattern);
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

bool group_member_find(const struct group_member *member, struct span topic, int32_t partition,
                       struct group_partition *out)
{
    uint32_t at;
    const struct group_run *run = group_holding_find(&member->holding, topic, partition, &at);
    if (run != NULL) {
        *out = group_run_partition(run, at);
    }
    return run != NULL;
}

/* --- memory --- */

void group_member_count(struct group_member *member)
{
    PP_ASSERT(member->holding.bytes >= member->holding.run_count * sizeof(struct group_run));
    size_t bytes = sizeof(*member) + member->holding.bytes + member->asked_bytes;
    if (member->options.budget != NULL) {
        budget_note(member->options.budget, BUDGET_PAIRS, &member->charged, bytes);
    }
}

enum status group_member_check_room(const struct group_member *member, size_t bytes,
                                    struct error *err)
{
    const struct budget *budget = member->options.budget;
    if (budget != NULL && bytes > 0 && budget_room(budget, BUDGET_PAIRS) < bytes) {
        return error_set(err, STATUS_LIMIT,
                         "what consumers remember of partitions takes all the memory there is "
                         "for it");
    }
    return STATUS_OK;
}

enum status group_member_spread(struct group_member *member, struct group_run *run,
                                struct error *err)
{
    enum status status = group_member_check_room(member, group_run_spread_bytes(run), err);
    if (status != STATUS_OK) {
        return status;
    }
    if (!group_run_spread(&member->holding, run)) {
        return error_set(err, STATUS_NO_MEMORY, "remember where partitions are read");
    }
    group_member_count(member);
    return STATUS_OK;
}

/* --- moving --- */

/* Places have changed other than by reading on: a new epoch. A rebalance may have committed the
 * member's already: it does so once more before it hands the partitions over, from the first on. */
static void member_moved(struct group_member *member)
{
    member->epoch++;
    member->commit_next = 0;
    member->is_moved =
        member->is_moved || (member->seat.group != NULL && member->seat.group->stale);
}

enum status group_member_reserve(struct group_member *member, size_t index)
{
    uint32_t at;
    return group_member_spread(member, group_holding_run(&member->holding, index, &at), NULL);
}

void group_member_read_on(struct group_member *member, size_t index, int64_t offset)
{
    uint32_t at;
    struct group_run *run = group_holding_run(&member->holding, index, &at);
    group_run_put(run, at, group_place_of(GROUP_POSITION_FIXED, offset));
}

static enum status member_seek_place(struct group_member *member, const struct group_choice *choice,
                                     int64_t place)
{
    uint32_t at;
    struct group_run *run =
        group_holding_find(&member->holding, choice->topic, choice->partition, &at);
    if (run == NULL) {
        return STATUS_NOT_FOUND;
    }
    if (group_run_place(run, at) != place) {
        enum status status = group_member_spread(member, run, NULL);
        if (status != STATUS_OK) {
            return status;
        }
        group_run_put(run, at, place);
    }
    member_moved(member);
    return STATUS_OK;
}

enum status group_member_seek(struct group_member *member, const struct group_choice *choice,
                              int64_t offset)
{
    return member_seek_place(member, choice, group_place_of(GROUP_POSITION_FIXED, offset));
}

enum status group_member_seek_edge(struct group_member *member, const struct group_choice *choice,
                                   enum group_position edge)
{
    PP_ASSERT(edge == GROUP_POSITION_BEGINNING || edge == GROUP_POSITION_END);
    return member_seek_place(member, choice, group_place_of(edge, 0));
}

void group_member_seek_edges(struct group_member *member, enum group_position edge)
{
    PP_ASSERT(edge == GROUP_POSITION_BEGINNING || edge == GROUP_POSITION_END);
    for (size_t i = 0; i < member->holding.run_count; i++) {
        group_run_put_all(&member->holding, &member->holding.runs[i], group_place_of(edge, 0));
    }
    group_member_count(member);
    member_moved(member);
}

/* Where there is no memory for a place apart, the whole run goes back: records that are read twice
 * are better than some that never are. */
static void run_step_back(struct group_member *member, struct group_run *run,
                          const struct group_place *place)
{
    PP_ASSERT(place->partition >= run->first);
    uint32_t at = (uint32_t)(place->partition - run->first);
    struct group_partition p = group_run_partition(run, at);
    if (p.at != GROUP_POSITION_FIXED || p.offset <= place->offset) {
        return;
    }
    int64_t back = group_place_of(GROUP_POSITION_FIXED, place->offset);
    if (group_run_spread(&member->holding, run)) {
        group_run_put(run, at, back);
    } else {
        group_run_put_all(&member->holding, run, back);
    }
}

static void member_step_back_to(struct group_member *member, const struct group_place *place)
{
    for (size_t i = 0; i < member->holding.run_count; i++) {
        struct group_run *run = &member->holding.runs[i];
        if (run->topic_id == place->topic_id && place->partition >= run->first &&
            (int64_t)place->partition < (int64_t)run->first + run->count) {
            run_step_back(member, run, place);
        }
    }
}

void group_member_step_back(struct group_member *member, const struct group_place *places,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        member_step_back_to(member, &places[i]);
    }
    group_member_count(member);
    member_moved(member);
}
