/* Java-style patterns over topic names: a consumer's topic_pattern, a sink's topics.regex. */
#ifndef PINPIPE_GROUP_PATTERN_H
#define PINPIPE_GROUP_PATTERN_H

#include "error.h"
#include "span.h"

enum {
    /* Topic names for which a pattern's match may be given up; then it matches nothing any more. */
    GROUP_PATTERN_OVERRUNS_MAX = 16,
    /* Steps of one look at many topics, as java_regex_steps counts them; the same then. For all
     * topics there can be they are what an honest pattern takes on long names. */
    GROUP_PATTERN_LOOK_STEPS_MAX = 10000 * 250,
};

struct group_pattern;

/* Compiled once a subscription; NULL and *err (INVALID, NO_MEMORY) when it cannot be. */
struct group_pattern *group_pattern_new(struct span source, struct error *err);
/* NULL is allowed. */
void group_pattern_free(struct group_pattern *pattern);
size_t group_pattern_bytes(const struct group_pattern *pattern);
/* True: it matches the whole name. */
bool group_pattern_matches(struct group_pattern *pattern, struct span topic);
/* A look at many topics begins, and is over. NULL is allowed. */
void group_pattern_look_begin(struct group_pattern *pattern);
void group_pattern_look_end(struct group_pattern *pattern);
/* GROUP_PATTERN_OVERRUNS_MAX matches took too long, or one look at many topics did: it matches
 * nothing any more. */
bool group_pattern_gave_up(const struct group_pattern *pattern);
/* How many matches took too long so far. */
unsigned group_pattern_overruns(const struct group_pattern *pattern);
/* Borrowed from the pattern; NUL-terminated. */
struct span group_pattern_source(const struct group_pattern *pattern);

#endif
