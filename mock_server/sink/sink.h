/* A connector's sink: what its tasks share while records become files. The Connect worker owns
 * it, hands it records in the order of their offsets and says when the turn ends. */
#ifndef PINPIPE_SINK_H
#define PINPIPE_SINK_H

#include "broker.h"
#include "log.h"
#include "sink_file.h"
#include "sink_path.h"

enum {
    SINK_LINE_BYTES_MAX = 256 * 1024 * 1024, /* of one record as a file has it */
    SINK_LINE_KEEP_BYTES = 64 * 1024,
    SINK_KEY_BYTES_MAX = 1024, /* S3's own */
    SINK_REPORT_BYTES_MAX = 4 * 1024 * 1024,
};

/* Room for the record that is being taken; all sinks of a worker share it, for they take turns. */
struct sink_scratch {
    struct sink_value value;
    struct sink_value key;
    struct buf encoded;
    struct buf line;
    struct buf side;
    struct buf object_key;
    struct arena texts;
};

void sink_scratch_init(struct sink_scratch *scratch);
void sink_scratch_release(struct sink_scratch *scratch);

struct topic_policy;

struct sink_options {
    struct store *store;
    struct crypto *crypto;
    struct broker *broker;             /* for dead letters; answers produce at once, see broker.h */
    const struct topic_policy *policy; /* of the dead letters' topic; NULL: any */
    struct env *env;
    struct log *log;
    const struct sink_config *config;
    struct sink_scratch *scratch;
    struct sink_pool *pool; /* all sinks' files */
};

struct sink {
    struct sink_options options;
    struct sink_path path;
    struct sink_files files;
    struct sink_conversion value_how;
    struct sink_conversion key_how;
    int64_t bucket_id; /* 0: there is none now */
    int64_t now_ms;    /* of this run */
    struct sink_scratch *scratch;
};

/* Allocates nothing. The configuration must outlive it. */
void sink_init(struct sink *sink, const struct sink_options *options);
void sink_release(struct sink *sink);
/* Does what a task does when it starts: bucket, partitioner, dead-letter topic. False: it fails. */
bool sink_start(struct sink *sink, struct sink_failure *failure);
/* Looks the bucket up: once a run. */
enum status sink_find_bucket(struct sink *sink, struct error *err) PP_MUST_USE;

/* A record that could not be taken, for the dead-letter topic and the log (sink_report.c). */
struct sink_report {
    const struct sink_record *record;
    const struct store_record *raw;
    int task;
    const struct sink_failure *failure;
};
/* Would a failure in put() be reported? */
bool sink_reports_puts(const struct sink *sink);
/* Reports a record that failed; false when errors are not tolerated, so that the task fails. */
bool sink_report(struct sink *sink, const struct sink_report *report);

#endif
