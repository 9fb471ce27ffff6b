/* Java-style patterns, and giving up on those that take too long. */
#include "group_pattern.h"

#include "group_text.h"
#include "java_regex.h"

#include <stdlib.h>

struct group_pattern {
    struct java_regex *regex;
    struct group_text *source;
    unsigned overruns; /* matches that were given up */
    bool looks;        /* at many topics, which has taken so far: */
    size_t look_steps;
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
    PP_ASSERT((status == STATUS_OK) == (pattern->regex != NULL));
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

size_t group_pattern_bytes(const struct group_pattern *pattern)
{
    return sizeof(*pattern) + java_regex_bytes(pattern->regex) + pattern->source->len;
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
    pattern->look_steps += pattern->looks ? java_regex_steps(pattern->regex) : 0;
    if (pattern->look_steps > GROUP_PATTERN_LOOK_STEPS_MAX) {
        pattern->overruns = GROUP_PATTERN_OVERRUNS_MAX;
    } else if (outcome == JAVA_REGEX_OVERRUN) {
        pattern->overruns++;
    }
    return outcome == JAVA_REGEX_YES && !group_pattern_gave_up(pattern);
}

void group_pattern_look_begin(struct group_pattern *pattern)
{
    if (pattern != NULL) {
        pattern->looks = true;
        pattern->look_steps = 0;
    }
}

void group_pattern_look_end(struct group_pattern *pattern)
{
    if (pattern != NULL) {
        pattern->looks = false;
        pattern->look_steps = 0;
    }
}

unsigned group_pattern_overruns(const struct group_pattern *pattern)
{
    return pattern->overruns;
}

struct span group_pattern_source(const struct group_pattern *pattern)
{
    return group_text_span(pattern->source);
}
