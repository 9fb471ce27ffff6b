/* The embedded coordinator: who has joined a group, and sharing out anew when that changes. A
 * rebalance first commits (members with auto commit), then deals all partitions anew, then every
 * member resumes from what is committed, as with Kafka's eager protocol: uncommitted reads are
 * repeated. */
#include "array.h"
#include "group_internal.h"
#include "search.h"

#include <stdlib.h>

static const char log_area[] = "group";

/* --- the set of groups ------------------------------------------------------------------------ */

void group_set_init(struct group_set *set, struct store *store, struct log *log)
{
    *set = (struct group_set){.store = store, .log = log};
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

static int group_order(const void *item, const void *key)
{
    struct group *const *group = item;
    return span_compare(group_text_span((*group)->name), *(const struct span *)key);
}

/* The place where a group of that name is, or would be inserted. */
static size_t group_set_place(const struct group_set *set, struct span name, bool *found)
{
    return SEARCH_PLACE(set->groups, set->count, &name, group_order, found);
}

const struct group *group_set_find(const struct group_set *set, struct span name)
{
    bool found;
    size_t place = group_set_place(set, name, &found);
    return found ? set->groups[place] : NULL;
}

static struct group *group_set_add(struct group_set *set, struct span name, size_t place)
{
    if (ARRAY_RESERVE(set->groups, set->cap, set->count + 1, ARRAY_NO_MAX) != STATUS_OK) {
        return NULL;
    }
    struct group *group = calloc(1, sizeof(*group));
    struct group_text *text = group_text_new(name);
    if (group == NULL || text == NULL) {
        free(group);
        group_text_unref(text);
        return NULL;
    }
    group->name = text;
    PP_ASSERT(place <= set->count && !set->closing);
    ARRAY_OPEN(set->groups, set->count, place);
    set->groups[place] = group;
    set->count++;
    return group;
}

static void group_set_drop(struct group_set *set, struct group *group)
{
    bool found;
    size_t place = group_set_place(set, group_text_span(group->name), &found);
    PP_ASSERT(found && set->groups[place] == group && group->member_count == 0);
    ARRAY_CLOSE(set->groups, set->count, place);
    set->count--;
    group_deal_free(group->deal);
    group_text_unref(group->name);
    free(group->members);
    free(group);
}

/* --- rebalancing ------------------------------------------------------------------------------ */

void group_member_drop_partitions(struct group_member *member)
{
    group_holding_release(&member->holding);
    group_member_count(member);
    member->commit_next = 0;
    member->is_moved = false;
    member->epoch++;
}

/* A member that loses partitions commits its positions first, as Kafka's client does at every
 * revocation with auto commit on. A failed commit stops nobody; the records will be read again. */
bool group_member_commit_if_auto(struct group_member *member, struct group_slice *slice)
{
    PP_ASSERT(member->seat.set != NULL);
    struct error err = ERROR_NONE;
    if (member->options.auto_commit && group_member_commit(member, slice, &err) != STATUS_OK) {
        LOG_WARNF(member->seat.set->log, log_area, "auto commit failed group=%.*s: %s",
                  SPAN_ARG(member->options.group_name), err.message);
    }
    return slice == NULL || !slice->goes_on;
}

/* A rebalance under way begins again: who is in the group, or what there is to deal, has changed.
 */
static void rebalance_reset(struct group *group)
{
    PP_ASSERT(group->revoked <= group->member_count && group->settled <= group->member_count);
    PP_ASSERT(!group->dealt || group->deal == NULL);
    group_deal_free(group->deal);
    group->deal = NULL;
    group->revoked = 0;
    group->dealt = false;
    group->settled = 0;
}

/* Goes on with the deal; nobody holds his share yet. */
static enum status rebalance_deal(struct group_set *set, struct group *group,
                                  struct group_slice *slice, struct error *err)
{
    PP_ASSERT(!group->dealt && group->revoked == group->member_count);
    if (group->deal != NULL && !group_deal_is_current(group->deal, group, set->store)) {
        group_deal_free(group->deal);
        group->deal = NULL;
    }
    if (group->deal == NULL) {
        group->deal = group_deal_new(group, set->store);
    }
    enum status status = group->deal != NULL
                             ? group_deal_go_on(group->deal, group, set->store, slice)
                             : STATUS_NO_MEMORY;
    group_slice_look(slice, store_topic_count(set->store) / GROUP_TOPICS_SIGNED_A_LOOK);
    if (status == STATUS_OK) {
        return STATUS_OK;
    }
    rebalance_reset(group);
    return error_set(err, status, "rebalance a consumer group: no memory%s",
                     status == STATUS_LIMIT ? " is left for what consumers remember" : "");
}

/* Whoever was told that his seek is done, or lost an answer, since the rebalance committed his
 * places finds it so wherever the partition goes. False: the slice has ended before. */
static bool rebalance_commit_moved(struct group *group, struct group_slice *slice)
{
    PP_ASSERT(!group->dealt && group->revoked == group->member_count);
    for (size_t i = 0; i < group->member_count; i++) {
        struct group_member *member = group->members[i];
        if (!member->is_moved || !member->options.auto_commit) {
            continue;
        }
        if (!group_slice_is_left(slice)) {
            return false;
        }
        /* A beginning or an end becomes an offset, which can be committed. */
        bool settles = member->commit_next == 0;
        enum status settled = settles ? group_member_settle(member, NULL) : STATUS_OK;
        (void)settled;
        if (!group_member_commit_if_auto(member, slice)) {
            return false;
        }
        member->is_moved = false;
        group_slice_look(slice, settles ? member->settle_looks : 0);
    }
    return true;
}

/* All at once, so that no partition is held by two. A member knows its topics from here on: changes
 * since are noticed. */
static void rebalance_hand_over(struct group *group)
{
    struct group_deal *deal = group->deal;
    PP_ASSERT(deal->served == group->member_count && group->revoked == group->member_count);
    group_deal_uncharge(deal);
    group->generation++;
    for (size_t i = 0; i < group->member_count; i++) {
        struct group_member *member = group->members[i];
        group_member_drop_partitions(member);
        PP_ASSERT(member->joined && member->seat.group == group);
        member->holding = deal->shares[i];
        member->is_new = false;
        member->seat.own_topics_signature = deal->signatures[i];
        member->seat.all_topics_signature = deal->signature;
        deal->shares[i] = (struct group_holding){0};
        group_member_count(member);
        if (member->options.changed != NULL) {
            member->options.changed(member->options.ctx);
        }
    }
    group->new_count = 0;
    rebalance_reset(group);
    group->dealt = true;
}

/* When the slice ends before, or it fails, the group is stale: what it has not done is left for the
 * next poll. */
static enum status group_rebalance(struct group_set *set, struct group *group,
                                   struct group_slice *slice, struct error *err)
{
    size_t count = group->member_count;
    PP_ASSERT(count > 0 && group->revoked <= count && group->settled <= count);
    PP_ASSERT(group->dealt || group->settled == 0); /* nobody resumes what is not dealt */
    group->stale = true;
    for (; !group->dealt && group->revoked < count; group->revoked++) {
        if (!group_member_commit_if_auto(group->members[group->revoked], slice)) {
            return STATUS_OK;
        }
    }
    if (!group->dealt) {
        if (!group_slice_is_left(slice)) {
            return STATUS_OK;
        }
        enum status status = rebalance_deal(set, group, slice, err);
        if (status != STATUS_OK || group->deal->served < count) {
            return status;
        }
        if (!rebalance_commit_moved(group, slice)) {
            return STATUS_OK;
        }
        rebalance_hand_over(group);
    }
    while (group->settled < count && group_slice_is_left(slice)) {
        struct group_member *member = group->members[group->settled++];
        /* Where there is no place to resume from, the member's own next read says so. */
        enum status settled = group_member_settle(member, NULL);
        (void)settled;
        group_slice_look(slice, member->settle_looks);
    }
    if (group->settled < count) {
        return STATUS_OK;
    }
    rebalance_reset(group);
    group->stale = false;
    LOG_DEBUGF(set->log, log_area, "rebalanced group=%s generation=%llu members=%zu",
               group->name->text, (unsigned long long)group->generation, count);
    return STATUS_OK;
}

static int member_order(const void *item, const void *key)
{
    struct group_member *const *member = item;
    return span_compare((*member)->options.member_id, *(const struct span *)key);
}

static enum status member_join(struct group_member *member, struct error *err)
{
    struct group_set *set = member->seat.set;
    bool found;
    size_t place = group_set_place(set, member->options.group_name, &found);
    struct group *group =
        found ? set->groups[place] : group_set_add(set, member->options.group_name, place);
    if (group == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "join a consumer group");
    }
    enum status status =
        ARRAY_RESERVE(group->members, group->member_cap, group->member_count + 1, ARRAY_NO_MAX);
    if (status != STATUS_OK) {
        if (group->member_count == 0) {
            group_set_drop(set, group);
        }
        return error_set(err, status, "join a consumer group");
    }
    PP_ASSERT(!member->joined && member->seat.group == NULL);
    size_t at = SEARCH_PLACE(group->members, group->member_count, &member->options.member_id,
                             member_order, NULL);
    rebalance_reset(group);
    group->was_stale = group->new_count == 0 ? group->stale : group->was_stale;
    group->new_count++;
    ARRAY_OPEN(group->members, group->member_count, at);
    group->members[at] = member;
    group->member_count++;
    member->seat.group = group;
    member->joined = true;
    member->is_new = true;
    group->stale = true;
    return STATUS_OK;
}

/* Out of its group; whether others are left in it. */
static bool member_part(struct group_member *member)
{
    struct group *group = member->seat.group;
    size_t at = 0;
    PP_ASSERT(group != NULL && member->joined && group->member_count > 0);
    while (group->members[at] != member) {
        at++;
        PP_ASSERT(at < group->member_count);
    }
    rebalance_reset(group);
    ARRAY_CLOSE(group->members, group->member_count, at);
    group->member_count--;
    group->new_count -= member->is_new ? 1 : 0;
    member->seat.group = NULL;
    member->joined = false;
    member->is_new = false;
    if (group->member_count == 0) {
        group_set_drop(member->seat.set, group);
        return false;
    }
    return true;
}

void group_member_leave(struct group_member *member, struct group_slice *slice)
{
    struct group *group = member->seat.group;
    PP_ASSERT(member->joined == (group != NULL));
    member->is_refused = false;
    if (group != NULL && !member->is_new) {
        group->was_stale = true; /* its partitions are to be dealt, whoever else comes */
    }
    if (group == NULL || !member_part(member) || member->seat.set->closing) {
        return;
    }
    /* Where the others have much to commit first, the next poll goes on. */
    struct group_slice rest = slice != NULL ? *slice : GROUP_SLICE;
    struct error err = ERROR_NONE;
    if (group_rebalance(member->seat.set, group, &rest, &err) != STATUS_OK) {
        LOG_WARNF(member->seat.set->log, log_area, "%s; the next poll tries again", err.message);
    }
    if (slice != NULL) {
        slice->looks_left = rest.looks_left;
        slice->commits_left = rest.commits_left;
    }
}

/* There is no memory for the new member's share: it parts, and the others go on as if it had not
 * come. Its next poll is told where another's has found that out. */
static void member_refuse(struct group_member *member, bool is_told)
{
    struct group *group = member->seat.group;
    PP_ASSERT(member->is_new && group->new_count > 0);
    bool was_stale = group->was_stale || group->new_count > 1;
    member->is_refused = is_told;
    if (member_part(member)) {
        group->stale = was_stale;
    }
}

static enum status member_catch_up(struct group_member *member, struct group_slice *slice,
                                   struct error *err)
{
    struct group *group = member->seat.group;
    PP_ASSERT(group->member_count > 0 && member->seat.set->count > 0);
    return group->stale || group_member_topics_changed(member, slice)
               ? group_rebalance(member->seat.set, group, slice, err)
               : STATUS_OK;
}

enum status group_member_poll(struct group_member *member, struct group_slice *slice,
                              struct error *err)
{
    bool subscribed = member->mode == GROUP_MODE_TOPICS || member->mode == GROUP_MODE_PATTERN;
    if (!subscribed) {
        return STATUS_OK;
    }
    PP_ASSERT(member->seat.set != NULL && member->joined == (member->seat.group != NULL));
    if (member->is_refused) {
        member->is_refused = false;
        return error_set(err, STATUS_LIMIT, "what consumers remember takes all the memory for it");
    }
    enum status status = member->joined ? STATUS_OK : member_join(member, err);
    if (status != STATUS_OK) {
        return status;
    }
    struct group *group = member->seat.group;
    status = member_catch_up(member, slice, err);
    if (status == STATUS_OK || group->new_count == 0) {
        return status;
    }
    PP_ASSERT(status == STATUS_LIMIT || status == STATUS_NO_MEMORY);
    if (member->is_new) {
        member_refuse(member, false);
        return status;
    }
    for (size_t i = group->member_count; i-- > 0;) {
        if (group->members[i]->is_new) {
            member_refuse(group->members[i], status == STATUS_LIMIT);
        }
    }
    return member_catch_up(member, slice, err);
}
