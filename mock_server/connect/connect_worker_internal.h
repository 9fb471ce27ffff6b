/* The Connect worker in memory. Its files, from below:
 *
 *   connect_memory.c       what is counted in the budget
 *   connect_partition.c    a topic-partition of a connector about which something is remembered
 *   connect_topics.c       which topics a connector takes
 *   connect_connector.c    one connector: configuration, states of tasks, topics, partitions
 *   connect_assign.c       which of its tasks has which partitions
 *   connect_scan.c         which partitions have records that were there before
 *   connect_set.c          all connectors: kept by name, loaded, taken back with a failed turn
 *   connect_worker_run.c   the work of a turn: tasks start, records become files, offsets move
 *   connect_worker.c       what the faces may do with connectors
 *
 * A turn's first change notes one way back (undo.h): the states of tasks are again what they were,
 * and the worker is stale, so that everything else is built again from the store, from the
 * committed offsets, before it does anything more. The way back itself must not read. */
#ifndef PINPIPE_CONNECT_WORKER_INTERNAL_H
#define PINPIPE_CONNECT_WORKER_INTERNAL_H

#include "broker.h"
#include "connect_connector_internal.h"
#include "undo.h"

enum {
    CONNECT_CONNECTORS_MAX = 1000,
    CONNECT_BATCH_RECORDS = 250,
    CONNECT_BATCH_BYTES = 1024 * 1024,
    /* Of partitions that keep up with their topic, a turn: a record that a thousand connectors take
     * is their work of several turns. */
    CONNECT_RUN_RECORDS_MAX = 2000,
    CONNECT_RUN_BYTES_MAX = 4 * 1024 * 1024,
    CONNECT_RUN_PARTITIONS_MAX = 250,
    CONNECT_BEHIND_RECORDS_MAX = 1000, /* of those that have fallen behind */
    CONNECT_BEHIND_US_MAX = 2000,
    CONNECT_BEHIND_PARTITIONS = 64, /* the search for more of them waits for these */
    CONNECT_RELOAD_RETRY_MS = 5000,
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
    struct sink_pool pool;
    struct connect_queue fresh;  /* kept up with their topic so far */
    struct connect_queue behind; /* have more to take than one turn may */
    struct connect_partitions partitions;
    struct connect_batch batch;
    struct timer timer; /* of the next reload */
    bool work_due;      /* something may be to do: a run looks closer */
    bool stale; /* memory is not what the store holds: a turn was lost, a run or loading failed */
    uint64_t noted_epoch; /* of the undo log, when the way back was noted last */
    size_t topic_count;
    int64_t topic_id_max; /* looked for only where a connector has scheduled rotations */
    bool topic_id_known;
};

/* Is the way back from what changes now noted (connect_set_enter)? No longer so when the store has
 * failed the turn. */
static inline bool connect_worker_is_noted(const struct connect_worker *worker)
{
    return worker->noted_epoch == undo_epoch(store_undo_log(worker->options.store));
}

/* --- connect_memory.c --- */
/* Makes what is held so many bytes of the budget's share of pairs. False: that is used up. */
bool connect_worker_count_bytes(struct connect_worker *worker, size_t *held, size_t bytes);
/* The same for what is in memory already. */
void connect_worker_note_bytes(struct connect_worker *worker, size_t *held, size_t bytes);
/* LIMIT, with the words for it. */
enum status connect_worker_refuse(const struct connect_worker *worker, struct error *err);

/* --- connect_set.c --- */
/* The connector of that name; NULL: there is none. */
struct connector *connect_set_find(const struct connect_worker *worker, struct span name);
/* Makes room for one more connector. */
enum status connect_set_reserve(struct connect_worker *worker, struct error *err) PP_MUST_USE;
/* Takes a connector whose name is new; room has been reserved. */
void connect_set_insert(struct connect_worker *worker, struct connector *connector);
/* Takes the connector out and frees it. */
void connect_set_remove(struct connect_worker *worker, struct connector *connector);
/* Reads all connectors from the store. A connector that is still what it was keeps the states of
 * its tasks; what they had taken in is gone. */
enum status connect_set_load(struct connect_worker *worker, struct error *err) PP_MUST_USE;
/* Before anything changes in a turn: notes the way back, and loads anew what is stale. */
enum status connect_set_enter(struct connect_worker *worker, struct error *err) PP_MUST_USE;

/* --- connect_worker_run.c --- */
bool connect_worker_run(void *ctx);
void connect_worker_on_append(void *ctx, const struct broker_topic *topic, int32_t partition);
void connect_worker_on_timer(struct timer *timer);

#endif
