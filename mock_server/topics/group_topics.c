/* What a member's subscription means in topics: shared names, Java-style patterns, and noticing
 * that topics came or went. */
#include "group.h"
#include "java_regex.h"

#include <stdlib.h>
#include <string.h>

/* --- names ------------------------------------------------------------------------------------ */

struct group_text *group_text_new(struct span text)
{
    struct group_text *made = malloc(sizeof(*made) + text.len + 1);
    if (made == NULL) {
        return NULL;
    }
    made->refs = 1;
    made->len = text.len;
    memcpy(made->text, text.ptr, text.len);
    made->text[text.len] = '\0';
    return made;
}

struct group_text *group_text_ref(struct group_text *text)
{
    text->refs++;
    return text;
}

void group_text_unref(struct group_text *text)
{
    if (text == NULL) {
        return;
    }
    PP_ASSERT(text->refs > 0);
    if (--text->refs == 0) {
        free(text);
    }
}

struct span group_text_span(const struct group_text *text)
{
    return span_from(text->text, text->len);
}

/* --- patterns --------------------------------------------------------------------------------- */

struct group_pattern {
    struct java_regex *regex;
    struct group_text *source;
    unsigned overruns; /* matches that were given up */
};

void group_pattern_free(struct group_pattern *pattern)
{
    if (pattern == NULL) {
        return;
    }
    java_regex_free(pattern->regex);
    group_text_unref(pattern->source);
    free(pattern);
}

struct group_pattern *group_pattern_new(struct span source, struct error *err)
{
    struct java_regex_flaw flaw;
    struct group_pattern *pattern = calloc(1, sizeof(*pattern));
    if (pattern == NULL) {
        error_set(err, STATUS_NO_MEMORY, "compile a topic_pattern");
        return NULL;
    }
    enum status status = java_regex_new(source, &pattern->regex, &flaw);
    pattern->source = status == STATUS_OK ? group_text_new(source) : NULL;
    if (pattern->source != NULL) {
        return pattern;
    }
    group_pattern_free(pattern);
    if (status == STATUS_LIMIT) {
        error_set(err, STATUS_INVALID, "a topic_pattern may have %d bytes, this one has %zu",
                  JAVA_REGEX_BYTES_MAX, source.len);
    } else if (status == STATUS_INVALID) {
        error_set(err, STATUS_INVALID, "topic_pattern: %s at position %zu", flaw.words,
                  flaw.position);
    } else {
        error_set(err, STATUS_NO_MEMORY, "compile a topic_pattern");
    }
    return NULL;
}

bool group_pattern_gave_up(const struct group_pattern *pattern)
{
    return pattern->overruns >= GROUP_PATTERN_OVERRUNS_MAX;
}

/* Every rebalance matches every member's pattern against every topic: one that blows up must not
 * do so each time. Java would not return at all. */
bool group_pattern_matches(struct group_pattern *pattern, struct span topic)
{
    if (group_pattern_gave_up(pattern)) {
        return false;
    }
    enum java_regex_outcome outcome = java_regex_match(pattern->regex, topic);
    if (outcome == JAVA_REGEX_OVERRUN) {
        pattern->overruns++;
    }
    return outcome == JAVA_REGEX_YES;
}

struct span group_pattern_source(const struct group_pattern *pattern)
{
    return group_text_span(pattern->source);
}

struct span group_member_pattern(const struct group_member *member)
{
    return member->pattern != NULL ? group_pattern_source(member->pattern) : SPAN_EMPTY;
}

/* --- topics ----------------------------------------------------------------------------------- */

static bool member_sees(const struct group_member *member, struct span topic)
{
    if (!span_starts_with(topic, member->set->visible_prefix)) {
        return false;
    }
    struct group_pattern *pattern = member->pattern;
    unsigned before = pattern->overruns;
    bool matches = group_pattern_matches(pattern, topic);
    if (pattern->overruns > before && pattern->overruns == GROUP_PATTERN_OVERRUNS_MAX) {
        LOG_WARNF(member->set->log, "group",
                  "topic_pattern %s takes too long on %d topic names, the last %.*s: it matches "
                  "nothing from now on; write it without nested repetitions",
                  pattern->source->text, GROUP_PATTERN_OVERRUNS_MAX, SPAN_ARG(topic));
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

void group_member_topics_visit(struct group_member *member,
                               void (*visit)(void *ctx, const struct store_topic *topic), void *ctx)
{
    struct store *store = member->set->store;
    if (member->mode == GROUP_MODE_TOPICS) {
        for (size_t i = 0; i < member->topic_count; i++) {
            const struct store_topic *topic =
                store_topic_find(store, group_text_span(member->topics[i]));
            if (topic != NULL) {
                visit(ctx, topic);
            }
        }
    } else if (member->mode == GROUP_MODE_PATTERN) {
        size_t count = store_topic_count(store);
        for (size_t i = 0; i < count; i++) {
            const struct store_topic *topic = store_topic_at(store, i);
            if (member_sees(member, topic->name)) {
                visit(ctx, topic);
            }
        }
    }
}

/* FNV-1a over which topics there are and how many partitions each has. */
static void signature_add(void *ctx, const struct store_topic *topic)
{
    uint64_t *signature = ctx;
    uint64_t words[2] = {(uint64_t)topic->id, (uint64_t)topic->partition_count};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        *signature = (*signature ^ words[i]) * UINT64_C(0x100000001b3);
    }
}

static const uint64_t signature_start = UINT64_C(0xcbf29ce484222325);

bool group_member_topics_changed(struct group_member *member)
{
    if (member->mode == GROUP_MODE_PATTERN) {
        /* Matching is dear: first see whether any topic at all came or went. */
        uint64_t all = signature_start;
        size_t count = store_topic_count(member->set->store);
        for (size_t i = 0; i < count; i++) {
            signature_add(&all, store_topic_at(member->set->store, i));
        }
        if (all == member->all_topics_signature) {
            return false;
        }
        member->all_topics_signature = all;
    }
    uint64_t own = signature_start;
    group_member_topics_visit(member, signature_add, &own);
    bool changed = own != member->own_topics_signature;
    member->own_topics_signature = own;
    return changed;
}
