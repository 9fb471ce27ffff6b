/* One connector in memory: its configuration, the states of its tasks, its partitions. A partition
 * belongs to one task. */
#ifndef PINPIPE_CONNECT_CONNECTOR_INTERNAL_H
#define PINPIPE_CONNECT_CONNECTOR_INTERNAL_H

#include "connect_partition_internal.h"
#include "connect_worker.h"
#include "group_pattern.h"
#include "sink_config.h"
#include "store_connectors.h"

enum { CONNECT_CONFIG_BYTES_MAX = 1024 * 1024 };

/* A task has this beside its view. */
struct connect_task {
    char *trace;  /* NULL: none */
    bool changed; /* in this turn; before it the task was as follows */
    enum connect_state kept_state;
    char *kept_trace;
};

struct connector {
    struct connect_worker *worker;
    struct arena arena; /* of the configuration */
    struct span name;
    struct span config_text;
    struct connect_entries entries;
    const struct sink_config *config;
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

/* --- connect_connector.c --- */
/* Parses the configuration; no task runs yet. INVALID: a configuration that the table refuses;
 * LIMIT; NO_MEMORY. */
enum status connector_new(struct connect_worker *worker, const struct store_connector *row,
                          struct connector **out, struct error *err) PP_MUST_USE;
void connector_free(struct connector *connector);
/* The way back must have been noted (connect_set_enter). */
void connector_set_state(struct connector *connector, int task, enum connect_state state,
                         struct span trace);
/* Writes what the task is now into its row, for readers of the table. */
enum status connector_put_task_row(struct connector *connector, int task,
                                   struct error *err) PP_MUST_USE;
/* Tasks are PAUSED, or RUNNING again; what failed stays so. */
void connector_apply_paused(struct connector *connector);
/* The states that the turn gave to tasks are final / are taken back, which needs no memory. */
void connector_keep_states(struct connector *connector);
void connector_restore_states(struct connector *connector);
bool connector_wants(struct connector *connector, struct span topic);
/* The partition of this place; NULL: it is not among the connector's. */
struct connect_partition *connector_partition(const struct connector *connector, int64_t topic_id,
                                              int32_t number);
/* Lets go of all partitions. */
void connector_release_partitions(struct connector *connector);

/* --- connect_assign.c --- */
/* Takes and lets go of partitions: topics and live tasks are looked at anew. */
enum status connector_assign(struct connector *connector, struct error *err) PP_MUST_USE;

#endif
