/* A member's places in its partitions: settled from the group's commit or by auto.offset.reset,
 * kept inside the log, committed back. */
#include "group_internal.h"

#include <stdlib.h>
#include <string.h>

/* --- what is committed ------------------------------------------------------------------------ */

/* The group's commits beside what the member holds, both in (topic, partition) order: one pass over
 * the two costs a fraction of a look-up for each partition. */
struct commit_walk {
    struct group_member *member;
    size_t run;       /* the first that the next commit can be of */
    size_t looks;     /* at commits */
    size_t strangers; /* commits in a row that are for nothing that the member holds */
    bool is_left;     /* for too many of them: begins again at the run */
    /* False: enough. */
    bool (*found)(struct commit_walk *walk, struct group_run *run, uint32_t at,
                  const struct store_commit *commit);
    void *ctx;
};

enum { WALK_STRANGERS_MAX = 64 };

static bool commit_walk_visit(void *ctx, const struct store_commit *commit)
{
    struct commit_walk *walk = ctx;
    struct group_holding *holding = &walk->member->holding;
    PP_ASSERT(!walk->is_left && walk->strangers <= WALK_STRANGERS_MAX);
    walk->looks++;
    for (; walk->run < holding->run_count; walk->run++) {
        struct group_run *run = &holding->runs[walk->run];
        int order = span_compare(group_text_span(run->topic), commit->topic);
        if (order > 0 || (order == 0 && run->first > commit->partition)) {
            walk->is_left = ++walk->strangers > WALK_STRANGERS_MAX;
            return !walk->is_left;
        }
        if (order == 0 && commit->partition < (int64_t)run->first + run->count) {
            walk->strangers = 0;
            return walk->found(walk, run, (uint32_t)(commit->partition - run->first), commit);
        }
    }
    return false;
}

/* From the index on. */
static enum status commit_walk_from(struct commit_walk *walk, size_t index, struct error *err)
{
    struct group_member *member = walk->member;
    struct group_holding *holding = &member->holding;
    enum status status = STATUS_OK;
    PP_ASSERT(index < holding->count);
    uint32_t at;
    walk->run = (size_t)(group_holding_run(holding, index, &at) - holding->runs);
    do {
        PP_ASSERT(walk->run < holding->run_count);
        const struct group_run *run = &holding->runs[walk->run];
        const struct store_group_place place = {
            member->options.group_name, group_text_span(run->topic), run->first + (int32_t)at};
        walk->strangers = 0;
        walk->is_left = false;
        at = 0;
        status =
            store_group_visit_from(member->seat.set->store, place, commit_walk_visit, walk, err);
    } while (walk->is_left && status == STATUS_OK);
    return status;
}

/* --- settling --------------------------------------------------------------------------------- */

/* How many of the run's partitions are there; they are its first ones. */
static uint32_t run_there(const struct group_run *run, const struct store_topic *topic)
{
    int64_t there =
        topic != NULL && run->first >= 0 ? (int64_t)topic->partition_count - run->first : 0;
    return there <= 0 ? 0 : there < run->count ? (uint32_t)there : run->count;
}

static const struct store_topic *run_topic(const struct group_member *member,
                                           const struct group_run *run)
{
    return store_topic_find(member->seat.set->store, group_text_span(run->topic));
}

/* A deleted topic keeps its id here, so that one made again is known as another, also when a poll
 * came in between. */
static void run_refresh(struct group_member *member, struct group_run *run)
{
    const struct store_topic *topic = run_topic(member, run);
    if (run_there(run, topic) == 0 || run->topic_id == topic->id) {
        return;
    }
    if (run->topic_id != 0) {
        /* Deleted and made again: the old places mean nothing. */
        group_run_put_all(&member->holding, run, group_place_of(GROUP_POSITION_UNSET, 0));
    }
    run->topic_id = topic->id;
}

static bool run_has_unset(const struct group_run *run)
{
    int64_t unset = group_place_of(GROUP_POSITION_UNSET, 0);
    for (uint32_t i = 0; i < (run->is_spread ? run->count : 1); i++) {
        if (group_run_place(run, i) == unset) {
            return true;
        }
    }
    return false;
}

struct settling {
    enum status status; /* the first that is not OK */
    struct error *err;  /* may be NULL */
    bool changed;
};

static void settle_failed(struct settling *settling, enum status status, const struct error *err)
{
    if (settling->status == STATUS_OK) {
        settling->status = status;
        if (settling->err != NULL) {
            *settling->err = *err;
        }
    }
}

static bool settle_resume(struct commit_walk *walk, struct group_run *run, uint32_t at,
                          const struct store_commit *commit)
{
    struct settling *settling = walk->ctx;
    struct error err = ERROR_NONE;
    if (group_run_place(run, at) != group_place_of(GROUP_POSITION_UNSET, 0) ||
        at >= run_there(run, run_topic(walk->member, run))) {
        return true;
    }
    enum status status = group_member_spread(walk->member, run, &err);
    if (status != STATUS_OK) {
        settle_failed(settling, status, &err);
        return false;
    }
    group_run_put(run, at, group_place_of(GROUP_POSITION_FIXED, commit->offset));
    settling->changed = true;
    return true;
}

/* A place that auto.offset.reset chooses. NOT_FOUND: it may not. */
static enum status place_reset(const struct group_member *member, const struct store_partition *log,
                               int64_t *place)
{
    switch (member->options.reset) {
    case GROUP_RESET_LATEST:
        *place = group_place_of(GROUP_POSITION_FIXED, log->next_offset);
        return STATUS_OK;
    case GROUP_RESET_EARLIEST:
        *place = group_place_of(GROUP_POSITION_FIXED, log->first_offset);
        return STATUS_OK;
    case GROUP_RESET_NONE:
        return STATUS_NOT_FOUND;
    }
    BUG("an auto.offset.reset without a rule");
}

/* Where the partition, for which nothing is committed, is read next: inside the log. NOT_FOUND:
 * *place is where it was, and the message is Kafka's. */
static enum status place_settle(const struct group_member *member, const struct group_partition *p,
                                const struct store_partition *log, int64_t *place,
                                struct error *err)
{
    *place = group_place_of(p->at, p->offset);
    switch (p->at) {
    case GROUP_POSITION_UNSET:
        if (place_reset(member, log, place) != STATUS_OK) {
            return error_set(err, STATUS_NOT_FOUND,
                             "Undefined offset with no reset policy for partitions: [%s-%d]",
                             p->topic->text, p->partition);
        }
        break;
    case GROUP_POSITION_BEGINNING:
        *place = group_place_of(GROUP_POSITION_FIXED, log->first_offset);
        break;
    case GROUP_POSITION_END:
        *place = group_place_of(GROUP_POSITION_FIXED, log->next_offset);
        break;
    case GROUP_POSITION_FIXED:
        if ((p->offset < log->first_offset || p->offset > log->next_offset) &&
            place_reset(member, log, place) != STATUS_OK) {
            return error_set(
                err, STATUS_NOT_FOUND,
                "Fetch position FetchPosition{offset=%lld, offsetEpoch=Optional.empty} is out "
                "of range for partition %s-%d",
                (long long)p->offset, p->topic->text, p->partition);
        }
        break;
    }
    return STATUS_OK;
}

/* All places of the run move at once when they end up the same, as those of empty partitions do. */
static void settle_run(struct group_member *member, struct group_run *run,
                       const struct store_topic *topic, struct settling *settling)
{
    PP_ASSERT(topic != NULL && run->count > 0);
    uint32_t there = run_there(run, topic);
    bool is_same = there == run->count;
    bool has_moved = false;
    int64_t first = 0;
    PP_ASSERT(there > 0); /* else nothing has been looked at, and all of it would move to 0 */
    for (uint32_t i = 0; i < there; i++) {
        const struct group_partition p = group_run_partition(run, i);
        struct error err = ERROR_NONE;
        int64_t place;
        enum status status =
            place_settle(member, &p, &topic->partitions[p.partition], &place, &err);
        if (status != STATUS_OK) {
            settle_failed(settling, status, &err);
        }
        first = i == 0 ? place : first;
        is_same = is_same && place == first;
        has_moved = has_moved || place != group_run_place(run, i);
    }
    if (!has_moved) {
        return;
    }
    settling->changed = true;
    if (is_same) {
        group_run_put_all(&member->holding, run, first);
        return;
    }
    struct error err = ERROR_NONE;
    enum status status = group_member_spread(member, run, &err);
    if (status != STATUS_OK) {
        settle_failed(settling, status, &err);
        return;
    }
    for (uint32_t i = 0; i < there; i++) {
        const struct group_partition p = group_run_partition(run, i);
        int64_t place;
        enum status again = place_settle(member, &p, &topic->partitions[p.partition], &place, NULL);
        (void)again; /* told above */
        group_run_put(run, i, place);
    }
}

static bool has_missing_topics(const struct group_member *member)
{
    if (member->mode == GROUP_MODE_PATTERN) {
        return true; /* any new topic may match */
    }
    for (size_t i = 0; i < member->topic_count; i++) {
        if (store_topic_find(member->seat.set->store, group_text_span(member->topics[i])) == NULL) {
            return true;
        }
    }
    return false;
}

enum status group_member_settle(struct group_member *member, struct error *err)
{
    struct settling settling = {.err = err};
    struct commit_walk walk = {.member = member, .found = settle_resume, .ctx = &settling};
    bool has_unset = false;
    PP_ASSERT(member->seat.set != NULL);
    PP_ASSERT(member->joined || member->mode == GROUP_MODE_ASSIGNED || member->holding.count == 0);
    member->settle_looks = 1 + member->topic_count + member->holding.count;
    member->has_missing_topics = has_missing_topics(member);
    for (size_t i = 0; i < member->holding.run_count; i++) {
        struct group_run *run = &member->holding.runs[i];
        run_refresh(member, run);
        has_unset = has_unset || run_has_unset(run);
    }
    if (has_unset) {
        /* Without what is committed nobody may begin by auto.offset.reset. */
        enum status status = commit_walk_from(&walk, 0, err);
        member->settle_looks += walk.looks;
        if (status != STATUS_OK || settling.status != STATUS_OK) {
            member->epoch++;
            return status != STATUS_OK ? status : settling.status;
        }
    }
    for (size_t i = 0; i < member->holding.run_count; i++) {
        struct group_run *run = &member->holding.runs[i];
        const struct store_topic *topic = run_topic(member, run);
        if (run_there(run, topic) < run->count) {
            member->has_missing_topics = true;
        }
        if (run_there(run, topic) > 0) {
            settle_run(member, run, topic, &settling);
        }
    }
    member->epoch += settling.changed ? 1 : 0;
    group_member_count(member);
    return settling.status;
}

/* --- committing ------------------------------------------------------------------------------- */

/* The partitions of one commit, or of a slice of it. */
struct committing {
    size_t start;
    size_t end;
    uint8_t *same; /* a bit for each: its place is committed already */
};

/* Kafka writes the empty metadata with a position, so an equal offset with other metadata is not
 * the same commit. */
static bool commit_note_same(struct commit_walk *walk, struct group_run *run, uint32_t at,
                             const struct store_commit *commit)
{
    struct committing *committing = walk->ctx;
    PP_ASSERT(at < run->count && committing->start <= committing->end);
    size_t index = run->start + at;
    if (index >= committing->end) {
        return false;
    }
    if (commit->metadata.len == 0 &&
        group_run_place(run, at) == group_place_of(GROUP_POSITION_FIXED, commit->offset)) {
        size_t bit = index - committing->start;
        committing->same[bit / 8] |= (uint8_t)(1U << bit % 8);
    }
    return true;
}

static enum status commit_place(const struct group_member *member, const struct group_partition *p,
                                struct error *err)
{
    struct store_commit commit = {
        .topic = group_text_span(p->topic),
        .partition = p->partition,
        .offset = p->offset,
        .metadata = SPAN_EMPTY,
    };
    return store_group_commit(member->seat.set->store, member->options.group_name, &commit, err);
}

/* Up to the end, or to where the slice may write no more. */
static enum status commit_write(struct group_member *member, struct committing *committing,
                                struct group_slice *slice, struct error *err)
{
    struct group_walk walk = group_member_walk(member, committing->start);
    struct group_partition p;
    const struct group_text *name = NULL;
    const struct store_topic *topic = NULL;
    enum status status = STATUS_OK;
    for (size_t i = committing->start; i < committing->end && status == STATUS_OK; i++) {
        size_t bit = i - committing->start;
        bool more = group_member_next(member, &walk, &p);
        PP_ASSERT(more);
        if (p.at != GROUP_POSITION_FIXED || (committing->same[bit / 8] >> bit % 8 & 1) != 0) {
            continue;
        }
        if (p.topic != name) {
            name = p.topic;
            topic = store_topic_find(member->seat.set->store, group_text_span(name));
        }
        if (topic == NULL || topic->id != p.topic_id || p.partition >= topic->partition_count) {
            continue;
        }
        PP_ASSERT(p.partition >= 0); /* else it had no topic */
        if (slice != NULL && slice->commits_left == 0) {
            committing->end = i;
            break;
        }
        status = commit_place(member, &p, err);
        if (slice != NULL) {
            slice->commits_left--;
        }
    }
    return status;
}

enum status group_member_commit(struct group_member *member, struct group_slice *slice,
                                struct error *err)
{
    size_t count = member->holding.count;
    struct committing committing = {.start = slice != NULL ? member->commit_next : 0, .end = count};
    PP_ASSERT(committing.start <= count); /* what is held changes only with a new commit_next */
    if (slice != NULL && count - committing.start > slice->looks_left) {
        committing.end = committing.start + slice->looks_left;
    }
    size_t looks = committing.end - committing.start;
    committing.same = calloc(looks / 8 + 1, 1);
    if (committing.same == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "commit a member's positions");
    }
    struct commit_walk walk = {.member = member, .found = commit_note_same, .ctx = &committing};
    enum status status = looks > 0 ? commit_walk_from(&walk, committing.start, err) : STATUS_OK;
    if (status == STATUS_OK) {
        status = commit_write(member, &committing, slice, err);
    }
    PP_ASSERT(committing.start <= committing.end && committing.end <= count);
    free(committing.same);
    bool goes_on = status == STATUS_OK && committing.end < count;
    member->commit_next = goes_on ? committing.end : 0;
    if (slice != NULL) {
        group_slice_look(slice, looks + walk.looks);
        slice->goes_on = goes_on;
    }
    return status;
}
