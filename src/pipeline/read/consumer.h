/* A console consumer over the REST proxy's v2 consumer API: joins a group, follows a topic, hands
 * record after record to a sink, commits what the sink has taken, deletes its instance at the end,
 * whatever the end was. */
#ifndef PINPIPE_CONSUMER_H
#define PINPIPE_CONSUMER_H

#include "endpoints.h"
#include "env.h"
#include "error.h"
#include "progress.h"
#include "record_page.h"

struct consumer_options {
    struct env *env;
    struct endpoints endpoints;
    const char *topic;
    const char *group;
    bool from_beginning;             /* also when the group has read the topic before */
    uint64_t messages_max;           /* 0: no limit */
    int64_t idle_ms;                 /* end when nothing came for so long; 0: follow for ever */
    const struct progress *progress; /* only should_stop is used; may be NULL */
};

struct consumer_sink {
    void *ctx;
    /* A status that is not OK ends the consumer with it. */
    enum status (*record)(void *ctx, const struct page_record *record, struct error *err);
    enum status (*flush)(void *ctx, struct error *err); /* after each page */
    void (*note)(void *ctx, const char *text);          /* something the user should know */
};

struct consumer_summary {
    uint64_t records;
    bool interrupted; /* should_stop said yes: a clean end */
};

/* Blocks until the limit, the idle time, should_stop or an error. Errors: NOT_FOUND (no such topic,
 * or the instance was lost), CONFIG (refused), UNREACHABLE, INVALID (a record that is not JSON). */
enum status consumer_run(const struct consumer_options *options, const struct consumer_sink *sink,
                         struct consumer_summary *summary, struct error *err) PP_MUST_USE;

#endif
