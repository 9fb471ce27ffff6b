/* Topics as the REST proxy sees them: one small interface that may complete later. The embedded
 * broker (broker_store.c) is the store's log and answers at once; one on a real Kafka cluster can
 * stand beside it and answer from a delivery report.
 *
 * Errors are Kafka's, as the proxy reports them (specs/kafka-rest-v2.md section 2.2). */
#ifndef PINPIPE_BROKER_H
#define PINPIPE_BROKER_H

#include "arena.h"
#include "store.h"

struct broker;

struct broker_record {
    int32_t partition; /* -1: by key, else sticky */
    bool has_key;
    bool has_value;
    struct span key;
    struct span value;
    struct span headers;
    int64_t timestamp_ms; /* -1: the broker's now */
};

/* What became of one record; error_code 0 is success. The text is static or lives in `texts`. */
struct broker_result {
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    int error_code;    /* 50003, 50002, 40301, 40101 */
    const char *error; /* Kafka's words */
};

struct broker_produce {
    struct span topic;
    const struct broker_record *records;
    struct broker_result *results; /* one a record, filled in */
    size_t count;
    struct arena *texts;
    /* Set by a caller that can wait; called once if produce returned BROKER_LATER. */
    void (*done)(struct broker_produce *produce);
    void *ctx;
};

enum broker_outcome { BROKER_DONE, BROKER_LATER };

struct broker_ops {
    enum broker_outcome (*produce)(struct broker *broker, struct broker_produce *produce);
    void (*free)(struct broker *broker);
};

/* Told after each partition has new records (same turn, before its commit): wakes long polls,
 * tells the sinks. */
struct broker_listener {
    void (*on_append)(void *ctx, const struct store_topic *topic, int32_t partition);
    void *ctx;
};

enum { BROKER_LISTENERS_MAX = 4 };

struct broker {
    const struct broker_ops *ops;
    struct broker_listener listeners[BROKER_LISTENERS_MAX];
    size_t listener_count;
};

void broker_listen(struct broker *broker, struct broker_listener listener);
void broker_unlisten(struct broker *broker, const void *ctx);

struct broker_store_options {
    struct store *store;
    struct env *env;
    bool auto_create;
    /* `--permissions workshop`: only topics beginning with "<user_id>." may be used; NULL: open. */
    const char *permitted_prefix;
};

/* The embedded broker. record_bytes_max is the producer's max.request.size, 1048576. */
enum status broker_store_new(const struct broker_store_options *options,
                             struct broker **out) PP_MUST_USE;

#endif
