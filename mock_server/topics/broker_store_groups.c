/* The embedded broker's groups: who is in them, what they have committed, and what their members
 * ask of the coordinator (group_internal.h). */
#include "broker_store_internal.h"

#include <stdlib.h>

enum {
    GROUP_METADATA_BYTES_MAX = 1024 * 1024,
    looks_a_commit = 16, /* writing one takes as long as so many looks */
};

/* --- which groups there are ------------------------------------------------------------------- */

struct group_list {
    struct broker_groups *request;
    size_t cap;
    bool failed;
};

static void broker_group_list_add(struct group_list *list, struct span name, size_t member_count)
{
    struct broker_groups *request = list->request;
    struct arena *arena = request->base.arena;
    list->failed =
        list->failed || !ARENA_GROW(arena, request->groups, list->cap, request->count + 1);
    const char *copy = list->failed ? NULL : arena_copy_cstr(arena, name);
    list->failed = copy == NULL;
    if (copy != NULL) {
        request->groups[request->count++] =
            (struct broker_group){span_from(copy, name.len), member_count};
    }
}

/* Commits come in group order, so that a group's are side by side. */
static void group_list_on_commit(void *ctx, struct span group, const struct store_commit *commit)
{
    struct group_list *list = ctx;
    const struct broker_groups *request = list->request;
    (void)commit;
    if (request->count > 0 && span_equal(request->groups[request->count - 1].name, group)) {
        return;
    }
    if (!list->failed) {
        broker_group_list_add(list, group, 0);
    }
}

/* By name, and of one name the live one first. */
static int group_compare(const void *a, const void *b)
{
    const struct broker_group *left = a;
    const struct broker_group *right = b;
    int order = span_compare(left->name, right->name);
    return order != 0 ? order
                      : (left->member_count < right->member_count) -
                            (left->member_count > right->member_count);
}

enum broker_outcome broker_store_groups(struct broker *broker, struct broker_groups *request)
{
    struct broker_store *self = broker_store_of(broker);
    struct group_list list = {.request = request};
    request->groups = NULL;
    request->count = 0;
    for (size_t i = 0; i < self->groups.count; i++) {
        const struct group *group = self->groups.groups[i];
        PP_ASSERT(group->member_count > 0);
        broker_group_list_add(&list, group_text_span(group->name), group->member_count);
    }
    request->base.status = store_group_visit(self->store, SPAN_EMPTY, group_list_on_commit, &list,
                                             &request->base.error);
    if (list.failed) {
        broker_store_no_memory(&request->base);
    }
    if (request->base.status != STATUS_OK || request->count == 0) {
        return BROKER_DONE;
    }
    qsort(request->groups, request->count, sizeof(*request->groups), group_compare);
    size_t kept = 1;
    for (size_t i = 1; i < request->count; i++) {
        if (!span_equal(request->groups[i].name, request->groups[kept - 1].name)) {
            request->groups[kept++] = request->groups[i];
        }
    }
    request->count = kept;
    return BROKER_DONE;
}

/* --- one group -------------------------------------------------------------------------------- */

static bool span_keep(struct arena *arena, struct span text, struct span *out)
{
    const char *copy = arena_copy_cstr(arena, text);
    *out = span_from(copy, copy != NULL ? text.len : 0);
    return copy != NULL;
}

static bool member_describe(struct arena *arena, const struct group_member *member,
                            struct broker_group_member *out)
{
    struct broker_group_place *places =
        arena_alloc_array(arena, member->holding.count + 1, sizeof(*places));
    bool ok = places != NULL && span_keep(arena, member->options.member_id, &out->member_id) &&
              span_keep(arena, member->options.client_id, &out->client_id);
    for (size_t i = 0; ok && i < member->holding.run_count; i++) {
        const struct group_run *run = &member->holding.runs[i];
        struct span topic;
        ok = span_keep(arena, group_text_span(run->topic), &topic);
        PP_ASSERT((size_t)run->start + run->count <= member->holding.count);
        for (uint32_t at = 0; at < run->count; at++) {
            places[run->start + at] = (struct broker_group_place){topic, run->first + (int32_t)at};
        }
    }
    out->places = places;
    out->place_count = member->holding.count;
    return ok;
}

static void note_any_commit(void *ctx, struct span group, const struct store_commit *commit)
{
    (void)group;
    (void)commit;
    *(bool *)ctx = true;
}

enum broker_outcome broker_store_describe(struct broker *broker, struct broker_describe *request)
{
    struct broker_store *self = broker_store_of(broker);
    const struct group *group = group_set_find(&self->groups, request->group);
    size_t count = group != NULL ? group->member_count : 0;
    PP_ASSERT(group == NULL || count > 0);
    request->base.status = STATUS_OK;
    request->exists = count > 0;
    request->member_count = count;
    request->members = arena_alloc_array(request->base.arena, count + 1, sizeof(*request->members));
    bool ok = request->members != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        ok = member_describe(request->base.arena, group->members[i], &request->members[i]);
    }
    if (!ok) {
        broker_store_no_memory(&request->base);
    } else if (count == 0 && request->group.len > 0) {
        request->base.status = store_group_visit(self->store, request->group, note_any_commit,
                                                 &request->exists, &request->base.error);
    }
    return BROKER_DONE;
}

/* --- commits ---------------------------------------------------------------------------------- */

struct commit_list {
    struct broker_group_offsets *request;
    size_t cap;
    bool failed;
};

static void broker_commit_list_add(void *ctx, struct span group, const struct store_commit *commit)
{
    struct commit_list *list = ctx;
    struct broker_group_offsets *request = list->request;
    struct arena *arena = request->base.arena;
    (void)group;
    list->failed =
        list->failed || !ARENA_GROW(arena, request->places, list->cap, request->count + 1);
    if (!list->failed) {
        struct broker_committed *place = &request->places[request->count++];
        *place =
            (struct broker_committed){.partition = commit->partition, .offset = commit->offset};
        list->failed = !span_keep(arena, commit->topic, &place->topic) ||
                       !span_keep(arena, commit->metadata, &place->metadata);
    }
}

static enum status committed_find(struct store *store, struct broker_group_offsets *request,
                                  struct broker_committed *place, struct buf *metadata)
{
    buf_reset(metadata);
    enum status status = store_group_committed(
        store, (struct store_group_place){request->group, place->topic, place->partition},
        &place->offset, metadata, &request->base.error);
    if (status == STATUS_NOT_FOUND) {
        place->offset = -1;
        return STATUS_OK;
    }
    if (status == STATUS_OK &&
        (!buf_ok(metadata) ||
         !span_keep(request->base.arena, buf_span(metadata), &place->metadata))) {
        return error_set(&request->base.error, STATUS_NO_MEMORY, "read a committed offset");
    }
    return status;
}

enum broker_outcome broker_store_group_offsets(struct broker *broker,
                                               struct broker_group_offsets *request)
{
    struct store *store = broker_store_of(broker)->store;
    request->base.status = STATUS_OK;
    if (request->places == NULL) {
        struct commit_list list = {.request = request};
        request->count = 0;
        if (request->group.len == 0) {
            return BROKER_DONE; /* to the store it would mean all groups */
        }
        request->base.status = store_group_visit(store, request->group, broker_commit_list_add,
                                                 &list, &request->base.error);
        if (list.failed) {
            broker_store_no_memory(&request->base);
        }
        return BROKER_DONE;
    }
    struct buf metadata;
    buf_init(&metadata, GROUP_METADATA_BYTES_MAX);
    for (size_t i = 0; i < request->count && request->base.status == STATUS_OK; i++) {
        request->base.status = committed_find(store, request, &request->places[i], &metadata);
    }
    buf_release(&metadata);
    return BROKER_DONE;
}

static enum status broker_commit_places(struct store *store, const struct broker_commit *request,
                                        struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < request->count && status == STATUS_OK; i++) {
        const struct store_commit commit = {
            .topic = request->places[i].topic,
            .partition = request->places[i].partition,
            .offset = request->places[i].offset,
            .metadata = request->places[i].metadata,
        };
        status = store_group_commit(store, request->group, &commit, err);
    }
    return status;
}

enum broker_outcome broker_store_commit(struct broker *broker, struct broker_commit *request)
{
    struct store *store = broker_store_of(broker)->store;
    struct error *err = &request->base.error;
    enum status status = store_savepoint(store, err);
    if (status == STATUS_OK) {
        status = broker_commit_places(store, request, err);
        if (status == STATUS_OK) {
            status = store_savepoint_release(store, err);
        } else {
            store_savepoint_rollback(store);
        }
    }
    request->base.status = status;
    return BROKER_DONE;
}

/* --- members ---------------------------------------------------------------------------------- */

static enum status member_poll(struct broker_membership *request, struct group_slice *slice)
{
    struct group_member *member = request->member;
    enum status status = group_member_poll(member, slice, &request->base.error);
    if (status != STATUS_OK || slice->goes_on) {
        return status;
    }
    if (request->commit_due && !group_member_commit_if_auto(member, slice)) {
        return STATUS_OK;
    }
    status = group_member_settle(member, &request->base.error);
    group_slice_look(slice, member->settle_looks);
    return status;
}

enum broker_outcome broker_store_membership(struct broker *broker,
                                            struct broker_membership *request)
{
    struct group_member *member = request->member;
    struct error *err = &request->base.error;
    struct group_slice slice = GROUP_SLICE;
    enum status status = STATUS_OK;
    struct group_set *groups = &broker_store_of(broker)->groups;
    PP_ASSERT(member->seat.set == NULL || member->seat.set == groups); /* one broker has it */
    member->seat.set = groups;
    switch (request->action) {
    case BROKER_MEMBER_SUBSCRIBE:
        status = group_member_subscribe(member, request->topics, request->topic_count, &slice, err);
        break;
    case BROKER_MEMBER_SUBSCRIBE_PATTERN:
        status = group_member_subscribe_pattern(member, request->pattern, &slice, err);
        break;
    case BROKER_MEMBER_ASSIGN:
        status = group_member_assign(member, request->choices, request->choice_count, &slice, err);
        break;
    case BROKER_MEMBER_UNSUBSCRIBE:
        group_member_unsubscribe(member, &slice);
        break;
    case BROKER_MEMBER_POLL:
        status = member_poll(request, &slice);
        break;
    case BROKER_MEMBER_COMMIT:
        status = group_member_commit(member, &slice, err);
        break;
    case BROKER_MEMBER_CLOSE:
        if (request->others_follow) {
            group_set_close(member->seat.set);
        }
        (void)group_member_close(member, request->at_once ? NULL : &slice);
        break;
    }
    PP_ASSERT(slice.looks_left <= GROUP_SLICE_LOOKS && slice.commits_left <= GROUP_SLICE_COMMITS);
    request->goes_on = slice.goes_on;
    request->looks = GROUP_SLICE_LOOKS - slice.looks_left +
                     looks_a_commit * (GROUP_SLICE_COMMITS - slice.commits_left);
    request->base.status = status;
    return BROKER_DONE;
}
