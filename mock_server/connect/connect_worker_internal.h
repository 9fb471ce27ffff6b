/* What the files of the Connect worker share.
 *
 *   connect_worker.c       connectors: kept, found, changed, taken back with a failed turn
 *   connect_connector.c    one connector in memory; which of its tasks has which partitions
 *   connect_worker_run.c   the work of a turn: tasks start, records become files, offsets move
 *
 * A partition belongs to one task of a connector. What it has taken in and not yet committed is in
 * memory only; its offset is committed in the transaction that puts the objects. After a turn that
 * was rolled back everything is built again from the store, from the committed offsets. */
#ifndef PINPIPE_CONNECT_WORKER_INTERNAL_H
#define PINPIPE_CONNECT_WORKER_INTERNAL_H

#include "connect_worker.h"
#include "group_pattern.h"
#include "sink_config.h"
#include "sink_writer.h"

enum {
    CONNECT_CONNECTORS_MAX = 1000,
    CONNECT_CONFIG_BYTES_MAX = 1024 * 1024,
    CONNECT_BATCH_RECORDS = 250,
    CONNECT_BATCH_BYTES = 1024 * 1024,
    CONNECT_RUN_RECORDS_MAX = 10000,   /* of partitions that keep up with their topic, a turn */
    CONNECT_BEHIND_RECORDS_MAX = 1000, /* of those that have fallen behind */
    CONNECT_BEHIND_US_MAX = 2000,
    CONNECT_RELOAD_RETRY_MS = 5000,
};

struct connector;

/* A topic-partition of one connector. */
struct connect_partition {
    struct sink_writer writer;
    struct connector *connector;
    struct connect_partition *next; /* in a queue */
    bool queued;
    bool dead;        /* taken away while queued: freed when its turn comes */
    bool topic_noted; /* the connector is known to use the topic */
};

struct connect_queue {
    struct connect_partition *first;
    struct connect_partition *last;
};

/* Beside each task's view. */
struct connect_task {
    char *trace; /* NULL: none */
    /* What it was at the end of the last turn that was kept. */
    enum connect_state kept_state;
    char *kept_trace;
};

struct connector {
    struct connect_worker *worker;
    struct arena arena; /* of the configuration */
    struct span name;
    struct span config_text;
    struct connect_entries entries;
    const struct sink_config *config; /* in the arena */
    struct span msk;
    int64_t created_ms;
    bool paused;
    struct span group; /* "connect-<name>" */
    struct connect_task_view *views;
    struct connect_task *tasks;
    size_t task_count;
    struct group_pattern *pattern; /* of topics.regex; NULL: by name */
    bool gave_up_told;
    struct sink sink;
    bool bucket_known;                     /* looked up in this run */
    struct connect_partition **partitions; /* by (topic id, number) */
    size_t partition_count;
    int64_t topics_seen; /* ids up to here are among the partitions, or not wanted */
    bool assign_due;
    bool start_due; /* a task is UNASSIGNED */
    bool has_retry; /* a partition waits for its next try */
};

/* Copies of records: visiting them, the store takes no writes. */
struct connect_batch {
    struct buf bytes;
    struct store_record records[CONNECT_BATCH_RECORDS]; /* spans are set when it is complete */
    size_t count;
};

struct connect_worker {
    struct connect_worker_options options;
    struct connector **connectors; /* by name */
    size_t count;
    size_t cap;
    struct sink_scratch scratch;
    size_t open_streams;
    size_t open_gzip;
    struct connect_queue fresh;  /* kept up with their topic so far */
    struct connect_queue behind; /* have more to take than one turn may */
    struct connect_batch batch;
    struct timer timer;
    bool timer_fired;
    bool work_due;  /* something may be to do: a run looks closer */
    bool turn_open; /* the first change of this turn has been prepared for */
    bool states_changed;
    bool reload_due;
    uint64_t generation;
    size_t topic_count;
};

/* --- connect_connector.c --- */
/* Parses the configuration; no task runs yet. INVALID: a configuration that the table refuses;
 * LIMIT; NO_MEMORY. */
enum status connector_new(struct connect_worker *worker, const struct store_connector *row,
                          struct connector **out, struct error *err) PP_MUST_USE;
void connector_free(struct connector *connector);
void connector_set_state(struct connector *connector, int task, enum connect_state state,
                         struct span trace);
/* Takes and lets go of partitions: topics and live tasks are looked at anew. */
enum status connector_assign(struct connector *connector, struct error *err) PP_MUST_USE;
/* Lets go of all of them. */
void connector_release_partitions(struct connector *connector);
/* NULL: not among its partitions. */
struct connect_partition *connector_partition(const struct connector *connector, int64_t topic_id,
                                              int32_t number);
bool connector_wants(struct connector *connector, struct span topic);
/* Tasks are PAUSED, or RUNNING again; what failed stays so. */
void connector_apply_paused(struct connector *connector);
/* What its tasks are now is final / is taken back. */
void connector_keep_states(struct connector *connector);
void connector_restore_states(struct connector *connector);

/* --- connect_worker.c --- */
/* Before anything changes in a turn: what the last one changed is final, or all is reloaded. */
enum status connect_worker_enter(struct connect_worker *worker, struct error *err) PP_MUST_USE;

/* --- connect_worker_run.c --- */
bool connect_worker_run(void *ctx);
void connect_partition_enqueue(struct connect_partition *partition);
void connect_worker_on_append(void *ctx, const struct broker_topic *topic, int32_t partition);
void connect_worker_on_timer(struct timer *timer);

#endif
