#include "connect_topics_internal.h"

#include "array.h"
#include "connect_worker_internal.h"
#include "search.h"

#include <stdlib.h>

enum { topics_a_block = 64 };

static int64_t block_first(int64_t topic_id)
{
    return topic_id - topic_id % topics_a_block;
}

static uint64_t block_bit(int64_t topic_id)
{
    return UINT64_C(1) << (topic_id % topics_a_block);
}

static int block_order(const void *item, const void *key)
{
    int64_t first = ((const struct connect_topics_block *)item)->first;
    int64_t wanted = *(const int64_t *)key;
    return (first > wanted) - (first < wanted);
}

static size_t block_place(const struct connect_topics *topics, int64_t topic_id, bool *found)
{
    int64_t first = block_first(topic_id);
    return SEARCH_PLACE(topics->blocks, topics->count, &first, block_order, found);
}

static struct connect_topics_block *block_find(const struct connect_topics *topics,
                                               int64_t topic_id)
{
    bool found;
    size_t place = block_place(topics, topic_id, &found);
    return found ? &topics->blocks[place] : NULL;
}

static bool topics_reserve(struct connector *connector)
{
    struct connect_topics *topics = &connector->topics;
    size_t item_bytes = sizeof(*topics->blocks);
    if (topics->count < topics->cap) {
        return true;
    }
    if (!connect_worker_count_bytes(connector->worker, &topics->counted,
                                    2 * (topics->cap + 1) * item_bytes)) {
        return false;
    }
    bool fits =
        ARRAY_RESERVE(topics->blocks, topics->cap, topics->count + 1, ARRAY_NO_MAX) == STATUS_OK;
    connect_worker_note_bytes(connector->worker, &topics->counted, topics->cap * item_bytes);
    return fits;
}

/* NULL: there is no memory for it. */
static struct connect_topics_block *block_make(struct connector *connector, int64_t topic_id)
{
    struct connect_topics *topics = &connector->topics;
    bool found;
    size_t place = block_place(topics, topic_id, &found);
    if (found) {
        return &topics->blocks[place];
    }
    /* Ids are never used again: without topics that are gone there is no block without a topic. */
    if (topics->count > store_topic_count(connector->worker->options.store)) {
        topics->count = 0;
        place = 0;
    }
    if (!topics_reserve(connector)) {
        return NULL;
    }
    ARRAY_OPEN(topics->blocks, topics->count, place);
    topics->blocks[place] = (struct connect_topics_block){.first = block_first(topic_id)};
    topics->count++;
    return &topics->blocks[place];
}

/* A pattern that gave up is told of once: it looks like a connector whose topics do not exist. */
static void topics_tell_if_gave_up(struct connector *connector)
{
    if (connector->pattern == NULL || connector->gave_up_told ||
        !group_pattern_gave_up(connector->pattern)) {
        return;
    }
    connector->gave_up_told = true;
    LOG_WARNF(
        connector->worker->options.log, "sink",
        "connector %.*s: topics.regex=%.*s takes too long on many topic names: it matches nothing "
        "from now on; write it without nested repetitions",
        SPAN_ARG(connector->name), SPAN_ARG(connector->config->topics_regex));
}

static bool topics_match(struct connector *connector, struct span topic)
{
    struct span rest = connector->config->topics;
    struct span name;
    if (connector->pattern != NULL) {
        /* exclude.internal.topics hides what only the broker writes. */
        bool matches = !span_equal_cstr(topic, "__consumer_offsets") &&
                       !span_equal_cstr(topic, "__transaction_state") &&
                       group_pattern_matches(connector->pattern, topic);
        topics_tell_if_gave_up(connector);
        return matches;
    }
    while (span_next_part(&rest, ',', &name)) {
        if (span_equal(span_trim(name), topic)) {
            return true;
        }
    }
    return false;
}

bool connect_topics_wanted(struct connector *connector, int64_t topic_id, struct span topic)
{
    uint64_t bit = block_bit(topic_id);
    struct connect_topics_block *block = block_make(connector, topic_id);
    if (block != NULL && (block->matched & bit) != 0) {
        return (block->wanted & bit) != 0;
    }
    bool wanted = topics_match(connector, topic);
    if (block != NULL) {
        block->matched |= bit;
        block->wanted |= wanted ? bit : 0;
    }
    return wanted;
}

bool connect_topics_is_noted(const struct connector *connector, int64_t topic_id)
{
    const struct connect_topics_block *block = block_find(&connector->topics, topic_id);
    return block != NULL && (block->noted & block_bit(topic_id)) != 0;
}

void connect_topics_note(struct connector *connector, int64_t topic_id)
{
    struct connect_topics_block *block = block_make(connector, topic_id);
    if (block != NULL) {
        block->noted |= block_bit(topic_id);
    }
}

void connect_topics_forget_notes(struct connector *connector)
{
    for (size_t i = 0; i < connector->topics.count; i++) {
        connector->topics.blocks[i].noted = 0;
    }
}

void connect_topics_reset(struct connector *connector)
{
    struct connect_topics *topics = &connector->topics;
    free(topics->blocks);
    connect_worker_note_bytes(connector->worker, &topics->counted, 0);
    *topics = (struct connect_topics){.blocks = NULL};
}
