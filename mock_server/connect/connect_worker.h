/* The Connect worker: which connectors there are, what their tasks do, and the work that the sink
 * adds to each turn. The REST API (connect_rest.c) and MSK Connect's (msk_connect.c) are two faces
 * of it. Connectors are kept in the store; tasks run in memory and begin anew with each start.
 *
 * Everything a function here changes is part of the turn. What a lost turn changed is taken back by
 * the store's undo log, and read from the store again before the worker does anything else. */
#ifndef PINPIPE_CONNECT_WORKER_H
#define PINPIPE_CONNECT_WORKER_H

#include "connect_config.h"
#include "timer.h"
#include "turn.h"

struct broker;
struct budget;
struct connect_worker;
struct crypto;
struct env;
struct log;
struct store;
struct topic_policy;

struct connect_worker_options {
    struct store *store;
    struct crypto *crypto;
    /* The embedded broker: listened to; dead letters are produced through it, within the turn. */
    struct broker *broker;
    const struct topic_policy *policy; /* of the dead letters' topics; NULL: any; borrowed */
    struct timer_heap *timers;
    /* The memory of connectors counts in its share of pairs; NULL: it does not. */
    struct budget *budget;
    struct env *env;
    struct log *log;
};

/* Loads the connectors of the store and starts their tasks. */
enum status connect_worker_new(const struct connect_worker_options *options,
                               struct connect_worker **out, struct error *err) PP_MUST_USE;
void connect_worker_free(struct connect_worker *worker);
/* The work that the server runs before each commit: records to objects. */
struct turn_work connect_worker_work(struct connect_worker *worker);

/* The id of the cluster that the worker reads from. */
const char *connect_worker_cluster_id(const struct connect_worker *worker);

enum connect_state {
    CONNECT_UNASSIGNED,
    CONNECT_RUNNING,
    CONNECT_PAUSED,
    CONNECT_FAILED,
};
const char *connect_state_name(enum connect_state state); /* "RUNNING" */

struct connect_task_view {
    enum connect_state state;
    struct span trace; /* empty unless FAILED */
};
/* Borrowed until the next change. */
struct connect_connector_view {
    struct span name;
    const struct connect_entries *config;
    enum connect_state state;
    struct span trace;
    const struct connect_task_view *tasks;
    size_t task_count;
    int64_t created_ms;
    struct span msk; /* JSON; empty: made by the REST API */
};

size_t connect_worker_count(struct connect_worker *worker);
/* Connectors stand in the order of their names. */
struct connect_connector_view connect_worker_at(const struct connect_worker *worker, size_t index);
/* Finds a connector; false when there is none of that name. */
bool connect_worker_find(struct connect_worker *worker, struct span name,
                         struct connect_connector_view *out);

/* Creates or reconfigures (then its tasks restart; not when nothing changes: what has failed stays
 * so, as in Connect). The configuration is valid already
 * (connect_config_parse had no findings) and contains "name". */
struct connect_spec {
    struct span name;
    const struct connect_entries *config;
    struct span msk;
};
enum status connect_worker_put(struct connect_worker *worker, const struct connect_spec *spec,
                               struct error *err) PP_MUST_USE;
/* NOT_FOUND, as all below. */
enum status connect_worker_delete(struct connect_worker *worker, struct span name,
                                  struct error *err) PP_MUST_USE;
enum status connect_worker_pause(struct connect_worker *worker, struct span name, bool paused,
                                 struct error *err) PP_MUST_USE;
/* The connector, not its tasks. */
enum status connect_worker_restart(struct connect_worker *worker, struct span name,
                                   struct error *err) PP_MUST_USE;
enum status connect_worker_restart_task(struct connect_worker *worker, struct span name, int task,
                                        struct error *err) PP_MUST_USE;
/* The topics it has taken records from. */
enum status connect_worker_topics(struct connect_worker *worker, struct span name,
                                  bool (*visit)(void *ctx, struct span topic), void *ctx,
                                  struct error *err) PP_MUST_USE;
enum status connect_worker_topics_reset(struct connect_worker *worker, struct span name,
                                        struct error *err) PP_MUST_USE;

#endif
