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
    ARRAY_OPEN(set->groups, set->count, place);
    set->groups[place] = group;
    set->count++;
    return group;
}

static void group_set_drop(struct group_set *set, struct group *group)
{
    bool found;
    size_t place = group_set_place(set, group_text_span(group->name), &found);
    PP_ASSERT(found && group->member_count == 0);
    ARRAY_CLOSE(set->groups, set->count, place);
    set->count--;
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

/* A member that loses partitions commits its positions first, as Kafka's client does at every
 * revocation with auto commit on. A failed commit stops nobody; the records will be read again. */
void group_member_commit_if_auto(struct group_member *member)
{
    struct error err = ERROR_NONE;
    if (member->options.auto_commit && group_member_commit(member, &err) != STATUS_OK) {
        LOG_WARNF(member->seat.set->log, log_area, "auto commit failed group=%.*s: %s",
                  SPAN_ARG(member->options.group_name), err.message);
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
        if (member->options.changed != NULL) {
            member->options.changed(member->options.ctx);
        }
    }
    free(shares);
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
    size_t at = SEARCH_PLACE(group->members, group->member_count, &member->options.member_id,
                             member_order, NULL);
    ARRAY_OPEN(group->members, group->member_count, at);
    group->members[at] = member;
    group->member_count++;
    member->seat.group = group;
    member->joined = true;
    return STATUS_OK;
}

void group_member_leave(struct group_member *member)
{
    struct group *group = member->seat.group;
    if (group == NULL) {
        return;
    }
    size_t at = 0;
    while (group->members[at] != member) {
        at++;
        PP_ASSERT(at < group->member_count);
    }
    ARRAY_CLOSE(group->members, group->member_count, at);
    group->member_count--;
    member->seat.group = NULL;
    member->joined = false;
    if (group->member_count == 0) {
        group_set_drop(member->seat.set, group);
        return;
    }
    if (member->seat.set->closing) {
        return;
    }
    struct error err = ERROR_NONE;
    if (group_rebalance(member->seat.set, group, &err) != STATUS_OK) {
        LOG_WARNF(member->seat.set->log, log_area, "%s; the next poll tries again", err.message);
    }
}

enum status group_member_poll(struct group_member *member, struct error *err)
{
    bool subscribed = member->mode == GROUP_MODE_TOPICS || member->mode == GROUP_MODE_PATTERN;
    if (!subscribed) {
        return STATUS_OK;
    }
    bool joining = member->seat.group == NULL;
    if (joining) {
        enum status status = member_join(member, err);
        if (status != STATUS_OK) {
            return status;
        }
    }
    if (joining || member->seat.group->stale || group_member_topics_changed(member)) {
        return group_rebalance(member->seat.set, member->seat.group, err);
    }
    return STATUS_OK;
}
