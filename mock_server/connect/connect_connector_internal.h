/* One connector in memory: its configuration, the states of its tasks, which topics it takes, and
 * the partitions of these about which there is something to remember. A partition belongs to one
 * task. */
#ifndef PINPIPE_CONNECT_CONNECTOR_INTERNAL_H
#define PINPIPE_CONNECT_CONNECTOR_INTERNAL_H

#include "connect_partition_internal.h"
#include "connect_topics_internal.h"
#include "connect_worker.h"
#include "group_pattern.h"
#include "sink_config.h"
#include "store.h"
#include "store_connectors.h"

enum {
    CONNECT_CONFIG_BYTES_MAX = 1024 * 1024,
    /* Partitions that wait for their next try: a search for more would find what fails too. */
    CONNECT_WAITING_MAX = 256,
};

/* A task has this beside its view. */
struct connect_task {
    char *trace;  /* NULL: none */
    bool starved; /* there was no memory to remember a partition for it */
    bool changed; /* in this turn; before it the task was as follows */
    enum connect_state kept_state;
    char *kept_trace;
};

/* Where the search for partitions with records to take goes on, in the order of topics' names. */
struct connect_scan {
    bool due;
    char topic[STORE_TOPIC_NAME_MAX];
    size_t topic_len;
    int32_t number;
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
    bool bucket_known;            /* looked up in this run */
    struct connect_topics topics; /* that it takes */
    int *live;                    /* tasks that have a consumer */
    size_t live_count;
    struct connect_partition *partitions; /* about which something is remembered */
    size_t partition_count;
    struct connect_scan scan;
    size_t waiting_count; /* partitions that wait for their next try */
    /* With scheduled rotations: topics up to this id were there before the present period began. */
    int64_t period_topic_id;
    int64_t period_end_ms;
    size_t counted; /* in the budget, without topics and partitions */
    bool assign_due;
    bool start_due; /* a task is UNASSIGNED */
    bool starved;   /* a task is */
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
/* There is no memory to remember a partition of the task: it will fail in this turn's run. */
void connector_starve(struct connector *connector, int task);
/* Forgets all partitions and what was found out about topics. */
void connector_reset(struct connector *connector);

/* --- connect_assign.c --- */
/* Looks anew at the tasks that live: what is remembered goes to them, and all partitions are
 * searched for records to take. */
enum status connector_assign(struct connector *connector, struct error *err) PP_MUST_USE;
/* The task that reads the partition; there is a live one. */
int connector_task_of(const struct connector *connector, int32_t partition_count, int32_t number);
/* Forgets the partitions of topics that are gone. */
void connector_forget_gone(struct connector *connector);

/* --- connect_scan.c --- */
/* Goes on with the search until so much time has passed, or what was found has to be taken first.
 */
enum status connector_scan(struct connector *connector, int64_t until_us,
                           struct error *err) PP_MUST_USE;

#endif
