/* What a member holds and where it reads next: runs of partitions side by side, with one place for
 * all of a run as long as they have the same. Most partitions of a wide topic are empty, so a run
 * costs as much as one partition until it is read; a place of its own is 8 bytes a partition. */
#include "array.h"
#include "group_internal.h"
#include "search.h"

#include <stdlib.h>

/* Places that are no offsets; a partition has one of these or, FIXED, an offset, which is above. */
#define PLACE_UNSET     (INT64_MIN)
#define PLACE_BEGINNING (INT64_MIN + 1)
#define PLACE_END       (INT64_MIN + 2)

int64_t group_place_of(enum group_position at, int64_t offset)
{
    switch (at) {
    case GROUP_POSITION_UNSET:
        return PLACE_UNSET;
    case GROUP_POSITION_BEGINNING:
        return PLACE_BEGINNING;
    case GROUP_POSITION_END:
        return PLACE_END;
    case GROUP_POSITION_FIXED:
        break;
    }
    return offset;
}

static enum group_position place_position(int64_t place)
{
    if (place > PLACE_END) {
        return GROUP_POSITION_FIXED;
    }
    return place == PLACE_UNSET       ? GROUP_POSITION_UNSET
           : place == PLACE_BEGINNING ? GROUP_POSITION_BEGINNING
                                      : GROUP_POSITION_END;
}

/* --- one run ---------------------------------------------------------------------------------- */

int64_t group_run_place(const struct group_run *run, uint32_t at)
{
    PP_ASSERT(at < run->count);
    return run->is_spread ? run->places.each[at] : run->places.same;
}

/* Before it is spread. */
static size_t run_bytes(const struct group_run *run)
{
    PP_ASSERT(!run->is_spread);
    return sizeof(*run) + sizeof(struct group_text) + run->topic->len + 1;
}

struct group_partition group_run_partition(const struct group_run *run, uint32_t at)
{
    int64_t place = group_run_place(run, at);
    enum group_position position = place_position(place);
    PP_ASSERT((int64_t)run->first + at <= INT32_MAX);
    return (struct group_partition){
        .topic = run->topic,
        .topic_id = run->topic_id,
        .partition = run->first + (int32_t)at,
        .at = position,
        .offset = position == GROUP_POSITION_FIXED ? place : 0,
    };
}

size_t group_run_spread_bytes(const struct group_run *run)
{
    PP_ASSERT(run->count > 0);
    return run->is_spread || run->count == 1 ? 0 : run->count * sizeof(*run->places.each);
}

bool group_run_spread(struct group_holding *holding, struct group_run *run)
{
    PP_ASSERT(run >= holding->runs && run < holding->runs + holding->run_count && run->count > 0);
    if (run->is_spread || run->count == 1) {
        return true;
    }
    int64_t *each = malloc(run->count * sizeof(*each));
    if (each == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < run->count; i++) {
        each[i] = run->places.same;
    }
    run->places.each = each;
    run->is_spread = true;
    holding->bytes += run->count * sizeof(*each);
    return true;
}

void group_run_put(struct group_run *run, uint32_t at, int64_t place)
{
    PP_ASSERT(at < run->count);
    if (run->is_spread) {
        run->places.each[at] = place;
    } else {
        PP_ASSERT(run->count == 1 || run->places.same == place);
        run->places.same = place;
    }
}

void group_run_put_all(struct group_holding *holding, struct group_run *run, int64_t place)
{
    PP_ASSERT(run >= holding->runs && run < holding->runs + holding->run_count);
    if (run->is_spread) {
        PP_ASSERT(holding->bytes >= run->count * sizeof(*run->places.each));
        free(run->places.each);
        holding->bytes -= run->count * sizeof(*run->places.each);
        run->is_spread = false;
    }
    run->places.same = place;
}

/* --- all of them ------------------------------------------------------------------------------ */

void group_holding_release(struct group_holding *holding)
{
    PP_ASSERT((holding->run_count == 0) == (holding->count == 0));
    PP_ASSERT(holding->run_count <= holding->run_cap && holding->run_count <= holding->count);
    for (size_t i = 0; i < holding->run_count; i++) {
        struct group_run *run = &holding->runs[i];
        group_text_unref(run->topic);
        if (run->is_spread) {
            free(run->places.each);
        }
    }
    free(holding->runs);
    *holding = (struct group_holding){0};
}

static bool run_goes_on(const struct group_run *run, const struct group_partition *p)
{
    PP_ASSERT(!run->is_spread); /* what is held is complete before it is read */
    return run->topic == p->topic && run->topic_id == p->topic_id &&
           run->places.same == group_place_of(p->at, p->offset) &&
           (int64_t)run->first + run->count == p->partition &&
           (run->first < 0) == (p->partition < 0); /* all of a run may be there, or none */
}

/* The invariant of group.h, for what is added behind a run. */
static bool run_is_before(const struct group_run *run, const struct group_partition *p)
{
    return run->topic == p->topic
               ? (int64_t)run->first + run->count <= p->partition
               : span_compare(group_text_span(run->topic), group_text_span(p->topic)) < 0;
}

bool group_holding_add(struct group_holding *holding, const struct group_partition *first,
                       uint32_t count)
{
    struct group_run *last = holding->run_count > 0 ? &holding->runs[holding->run_count - 1] : NULL;
    if (count == 0) {
        return true;
    }
    PP_ASSERT((int64_t)first->partition + count - 1 <= INT32_MAX);
    PP_ASSERT(last == NULL || run_is_before(last, first));
    if (last != NULL && run_goes_on(last, first)) {
        last->count += count;
        holding->count += count;
        return true;
    }
    PP_ASSERT(last == NULL || (size_t)last->start + last->count == holding->count);
    if (ARRAY_RESERVE(holding->runs, holding->run_cap, holding->run_count + 1, ARRAY_NO_MAX) !=
        STATUS_OK) {
        return false;
    }
    struct group_run *run = &holding->runs[holding->run_count++];
    *run = (struct group_run){.topic = group_text_ref(first->topic),
                              .topic_id = first->topic_id,
                              .first = first->partition,
                              .count = count,
                              .start = (uint32_t)holding->count,
                              .places = {.same = group_place_of(first->at, first->offset)}};
    holding->count += count;
    holding->bytes += run_bytes(run);
    return true;
}

static int run_index_order(const void *item, const void *key)
{
    const struct group_run *run = item;
    size_t index = *(const size_t *)key;
    return (run->start > index) - (index >= (size_t)run->start + run->count);
}

struct group_run *group_holding_run(const struct group_holding *holding, size_t index, uint32_t *at)
{
    bool found;
    size_t place = SEARCH_PLACE(holding->runs, holding->run_count, &index, run_index_order, &found);
    PP_ASSERT(found);
    PP_ASSERT(index < holding->count);
    *at = (uint32_t)(index - holding->runs[place].start);
    return &holding->runs[place];
}

static int run_choice_order(const void *item, const void *key)
{
    const struct group_run *run = item;
    const struct group_choice *wanted = key;
    int order = span_compare(group_text_span(run->topic), wanted->topic);
    if (order != 0) {
        return order;
    }
    return (run->first > wanted->partition) -
           (wanted->partition >= (int64_t)run->first + run->count);
}

struct group_run *group_holding_find(const struct group_holding *holding, struct span topic,
                                     int32_t partition, uint32_t *at)
{
    const struct group_choice wanted = {topic, partition};
    bool found;
    size_t place =
        SEARCH_PLACE(holding->runs, holding->run_count, &wanted, run_choice_order, &found);
    if (!found) {
        return NULL;
    }
    PP_ASSERT(partition >= holding->runs[place].first);
    *at = (uint32_t)(partition - holding->runs[place].first);
    return &holding->runs[place];
}
