/* The latest requests, kept in memory for one purpose: when the process ends by a bug, they are
 * written into a report beside the data. Unlike the journal's they are there from their first byte
 * of a body on, so that the one that met the bug is among them, and cost no file. */
#ifndef PINPIPE_RECENT_H
#define PINPIPE_RECENT_H

#include "span.h"

struct recent;

enum {
    RECENT_REQUESTS_MAX = 200,
    RECENT_REPORTS_MAX = 99, /* of a directory: bug-1.txt to bug-99.txt */
};

struct recent_options {
    const char *directory; /* NULL: the report goes to stderr */
    const char *version;
    bool has_seed;
    uint64_t seed;
};

/* The process's witness from now on, if it is the newest one. NULL: no memory. The options' strings
 * outlive it. */
struct recent *recent_new(const struct recent_options *options);
void recent_free(struct recent *recent);

/* A request was understood as far as its head; returns its number. `service` is static. */
uint64_t recent_begin(struct recent *recent, const char *service, struct span method,
                      struct span target);
void recent_answered(struct recent *recent, uint64_t number, int status);

#endif
