/* The embedded coordinator: who has joined a group, and sharing out anew when that changes. A
 * rebalance first commits (members with auto commit), then deals all partitions anew, then every
 * member resumes from what is committed, as with Kafka's eager protocol: uncommitted reads are
 * repeated. */
#include "group_coordinator.h"

#include <stdlib.h>
#include <string.h>

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

/* --- rebalancing ------------------------------------------------------------------------------ */

void group_member_drop_partitions(struct group_member *member)
{
    struct group_share old = {member->partitions, member->partition_count, 0};
    group_share_release(&old);
    member->partitions = NULL;
    member->partition_count = 0;
    member->epoch++;
}

/* As at every revocation: with auto commit on the positions are committed first. That a commit
 * fails stops nobody; the records will be read again. */
void group_member_commit_if_auto(struct group_member *member)
{
    struct error err = ERROR_NONE;
    if (member->auto_commit && group_member_commit(member, &err) != STATUS_OK) {
        LOG_WARNF(member->set->log, log_area, "auto commit failed group=%.*s: %s",
                  SPAN_ARG(member->group_name), err.message);
    }
}

static enum status group_rebalance(struct group_set *set, struct group *group, struct error *err)
{
    size_t count = group->member_count;
    for (size_t i = 0; i < count; i++) {
        group_member_commit_if_auto(group->members[i]);
    }
    struct group_share *shares = calloc(count, sizeof(*shares));
    if (shares == NULL || !group_deal(group, shares)) {
        for (size_t i = 0; shares != NULL && i < count; i++) {
            group_share_release(&shares[i]);
        }
        free(shares);
        group->stale = true;
        return error_set(err, STATUS_NO_MEMORY, "rebalance a consumer group");
    }
    group->generation++;
    group->stale = false;
    for (size_t i = 0; i < count; i++) {
        struct group_member *member = group->members[i];
        group_member_drop_partitions(member);
        member->partitions = shares[i].partitions;
        member->partition_count = shares[i].count;
        (void)group_member_topics_changed(member); /* this is the state they were dealt from */
        /* Where there is no place to resume from, the member's own next read says so. */
        enum status settled = group_member_settle(member, NULL);
        (void)settled;
        if (member->changed != NULL) {
            member->changed(member);
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
    member->joined = true;
    return STATUS_OK;
}

void group_member_leave(struct group_member *member)
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
    member->joined = false;
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
