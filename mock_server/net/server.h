/* The server: one thread, one libuv loop, listeners, connections, timers, the turn (turn.h), start
 * and graceful stop. It knows no protocol and nothing of what is served. */
#ifndef PINPIPE_SERVER_H
#define PINPIPE_SERVER_H

#include "conn.h"
#include "turn.h"

enum {
    SERVER_CONNECTIONS_MAX = 1024,
    SERVER_PORT_CONNECTIONS_MAX = 768,    /* of these: one port's, so that others have some left, */
    SERVER_ADDRESS_CONNECTIONS_MAX = 768, /* ... and one address's, or an IPv6 network's */
    SERVER_CONNECTIONS_REFUSED_MAX = 64,  /* beyond a limit: these get a 503, others are dropped */
    SERVER_ACCEPT_RETRY_MS = 50,          /* for whom there was no memory */
    SERVER_CROWDED_LOG_MS = 1000,         /* from one line about too many connections to the next */
    SERVER_FILES_SPARE = 64,              /* descriptors kept for the store, the upstream, ... */
    SERVER_TURN_BYTES_MAX = 4 * 1024 * 1024, /* received by all in one turn; beyond it each ... */
    SERVER_CROWDED_READ_BYTES = 16 * 1024,   /* ... reads only these at once */
    SERVER_STOP_MS = 3 * 1000,               /* for requests under way when the server stops */
    SERVER_JOURNAL_MS = 100,                 /* from a reply to its row in the journal */
    SERVER_WATCH_MS = 100,                   /* from a reply to the watcher's tick */
    SERVER_TRIM_MS = 100, /* from one look for memory that nobody uses any more to the next */
    SERVER_WORK_RETRY_MS = 1000, /* after a commit failed, before the turn's work is tried again */
    SERVER_BACKLOG = 511,
};

/* The named limits above, so that a test can have shorter ones. */
struct server_limits {
    size_t connections_max;
    size_t port_connections_max;
    size_t address_connections_max;
    size_t budget_bytes_max;
    int64_t stop_ms;
    int64_t work_retry_ms;
};

struct server_listener;

/* Something that connections share and that outlives them; embedded in its owner's struct. */
struct server_part {
    struct server_part *next;
    /* The last connection has gone; timers and the turn are still there. */
    void (*release)(struct server_part *part);
};

struct server {
    uv_loop_t loop;
    uv_timer_t wake; /* the one timer behind the heap */
    uv_async_t interrupt;
    uv_signal_t signals[2];
    struct env *env;
    struct log *log;
    struct server_limits limits;
    struct timer_heap timers;
    struct turn turn;
    struct server_listener *listeners;
    struct conn *conns;
    size_t conn_count;         /* with those that are closing */
    size_t open_count;         /* without them */
    struct conn *waits_oldest; /* the connections that wait for their peers */
    struct conn *waits_newest;
    int64_t crowded_logged_us; /* monotonic; 0: never */
    int64_t trimmed_us;        /* the same, of what malloc gives back */
    struct conn *ready_first;
    struct conn *ready_last;
    size_t ready_count;
    struct timer stop_timer;
    struct timer work_timer;
    struct timer accept_timer;
    struct timer journal_timer;
    struct timer watch_timer;
    int64_t wake_due_us; /* what `wake` is armed for; INT64_MAX: not */
    bool stopping;
    bool stop_overdue;
    bool heap_is_ours; /* and no other program's around us: malloc may be told how to work */
    bool heap_crowded; /* much is in use, and it has been told so */
    bool housekeeping; /* the store has background work left */
    size_t turn_bytes; /* received in this turn; conn.c counts them */
    struct server_part *parts;
};

struct server_options {
    struct env *env;
    struct log *log;
    const struct server_limits *limits; /* NULL: the named ones */
};

void server_limits_init(struct server_limits *limits);
enum status server_new(const struct server_options *options, struct server **out,
                       struct error *err) PP_MUST_USE;
/* The store that turns commit to and the journal that they feed; both may be NULL. Before
 * server_run. */
void server_set_store(struct server *server, struct store *store, struct journal *journal);
/* Keeps the latest requests for the report of a bug. Before server_run. */
void server_set_recent(struct server *server, struct recent *recent);
/* Told of each request behind its answer. Before server_run. */
void server_set_watcher(struct server *server, struct turn_watcher watcher);
/* The work that runs before each commit; at once for the first time. Before server_run. */
void server_set_work(struct server *server, struct turn_work work);

/* The part belongs to the server from now on: server_free releases it. */
void server_keep(struct server *server, struct server_part *part);

struct listener_options {
    struct conn_kind kind;
    const char *address; /* IPv4 or IPv6, or "localhost" */
    int port;            /* 0: any free one */
    const char *flag;    /* how the user chooses another: "--gateway" */
};
/* Connections wait in the kernel until server_run. CONFIG names the port, the cause, the fix. */
enum status server_listen(struct server *server, const struct listener_options *options,
                          int *bound_port, struct error *err) PP_MUST_USE;

/* The same in two steps, for whoever must know that the port is his before he knows what answers
 * there: the options' kind is given later, before server_run. */
enum status server_bind(struct server *server, const struct listener_options *options,
                        struct server_listener **out, struct error *err) PP_MUST_USE;
int listener_port(const struct server_listener *listener);
void listener_speak(struct server_listener *listener, struct conn_kind kind);

/* Serves until server_interrupt (or SIGINT, SIGTERM when asked to handle them; a second one then
 * ends the process at once). Replies under way are finished, parked requests answered. */
void server_run(struct server *server, bool handle_signals);
/* From any thread, from a signal handler. */
void server_interrupt(struct server *server);
void server_free(struct server *server);

int64_t server_now_us(const struct server *server);

/* Have all senders together sent what one turn takes in? */
static inline bool server_is_crowded(const struct server *server)
{
    return server->turn_bytes >= SERVER_TURN_BYTES_MAX;
}

#endif
