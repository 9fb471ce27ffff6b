/* The loop of the server (DESIGN section 2, "The turn"):
 *
 *   wait for something -> requests go to their services, who waits for its turn goes on -> while
 *   they write and more keep coming: take those in too -> the work that joins the turn (the sink)
 *   -> commit, send the replies, journal -> again
 *
 * uv_run is not re-entrant, so the drain is a second call without blocking, not a callback.
 *
 * Invariant: turn_end runs here and nowhere else, never inside uv_run; so no reply is sent from a
 * socket callback. */
#include "server_internal.h"

#include "journal.h"
#include "store.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    close_rounds_max = 64, /* of the loop, until every closed handle has been let go */
};

/* --- what is due --- */

static void on_journal_due(struct timer *timer)
{
    struct server *server = PP_CONTAINER_OF(timer, struct server, journal_timer);
    server->turn.journal_fed = false;
    journal_flush(server->turn.journal);
}

static void on_watch_due(struct timer *timer)
{
    struct turn *turn = &PP_CONTAINER_OF(timer, struct server, watch_timer)->turn;
    turn->watcher_fed = turn->watcher.tick(turn->watcher.ctx);
}

static void on_accept_due(struct timer *timer)
{
    listeners_accept_again(PP_CONTAINER_OF(timer, struct server, accept_timer));
}

/* The timer has made the loop turn, and a turn does its work. */
static void on_work_due(struct timer *timer)
{
    struct server *server = PP_CONTAINER_OF(timer, struct server, work_timer);
    server->turn.work_left = true;
}

/* --- stopping --- */

static void conns_close(struct server *server)
{
    for (struct conn *conn = server->conns; conn != NULL; conn = conn->next) {
        conn_close(conn);
    }
}

static void on_stop_due(struct timer *timer)
{
    struct server *server = PP_CONTAINER_OF(timer, struct server, stop_timer);
    server->stop_overdue = true;
}

static void stop_begin(struct server *server)
{
    if (server->stopping) {
        return;
    }
    server->stopping = true;
    listeners_close(server);
    loop_timer_after_ms(server, &server->stop_timer, server->limits.stop_ms);
    for (struct conn *conn = server->conns; conn != NULL; conn = conn->next) {
        if (!conn->closing) {
            conn->protocol->stopping(conn);
        }
    }
}

static void on_interrupt(uv_async_t *async)
{
    stop_begin(async->data);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    LOG_INFOF(server->log, "server", "%s: stopping; again to stop at once",
              number == SIGINT ? "SIGINT" : "SIGTERM");
    stop_begin(server);
}

void server_interrupt(struct server *server)
{
    uv_async_send(&server->interrupt);
}

/* --- life --- */

/* The same part of `fit` as `max` is of all connections. */
static size_t share_of(size_t max, size_t fit, const struct server_limits *limits)
{
    size_t share = max * fit / limits->connections_max;
    return share > 0 ? share : 1;
}

/* No more connections than the process may have files open, less some for everything else. */
static void connections_fit_files(struct server_limits *limits)
{
    struct rlimit files;
    PP_ASSERT(limits->connections_max > 0);
    PP_ASSERT(getrlimit(RLIMIT_NOFILE, &files) == 0);
    size_t spare = SERVER_FILES_SPARE + SERVER_CONNECTIONS_REFUSED_MAX;
    size_t fit = files.rlim_cur > spare ? (size_t)files.rlim_cur - spare : 1;
    if (fit < limits->connections_max) {
        limits->port_connections_max = share_of(limits->port_connections_max, fit, limits);
        limits->address_connections_max = share_of(limits->address_connections_max, fit, limits);
        limits->connections_max = fit;
    }
}

enum status server_new(const struct server_options *options, struct server **out, struct error *err)
{
    struct server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    int code = uv_loop_init(&server->loop);
    if (code != 0) {
        free(server);
        return error_set(err, STATUS_FAILED, "cannot make an event loop: %s", uv_strerror(code));
    }
    server->env = options->env;
    server->log = options->log;
    if (options->limits != NULL) {
        server->limits = *options->limits;
    } else {
        server_limits_init(&server->limits);
    }
    connections_fit_files(&server->limits);
    timer_heap_init(&server->timers, server->env);
    turn_init(&server->turn, NULL, &server->timers, server->env, server->log);
    budget_init(&server->turn.budget, server->limits.budget_bytes_max);
    server->stop_timer.fire = on_stop_due;
    server->journal_timer.fire = on_journal_due;
    server->watch_timer.fire = on_watch_due;
    server->work_timer.fire = on_work_due;
    server->accept_timer.fire = on_accept_due;
    server->wake_due_us = INT64_MAX;
    uv_timer_init(&server->loop, &server->wake);
    server->wake.data = server;
    server->interrupt.data = server;
    /* The descriptor that an interrupt needs is the loop's, which has one for all that wake it. */
    PP_ASSERT(uv_async_init(&server->loop, &server->interrupt, on_interrupt) == 0);
    for (size_t i = 0; i < ARRAY_COUNT(server->signals); i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
    }
    loop_descriptors_reserve(server);
    /* Room for the deadlines of all; each connection takes its own of it. */
    if (timer_heap_reserve(&server->timers, server->limits.connections_max) == STATUS_OK) {
        timer_heap_unreserve(&server->timers, server->limits.connections_max);
    } else {
        code = UV_ENOMEM;
    }
    if (code != 0) {
        server_free(server);
        return error_set(err, STATUS_FAILED, "cannot make an event loop: %s", uv_strerror(code));
    }
    *out = server;
    return STATUS_OK;
}

void server_set_store(struct server *server, struct store *store, struct journal *journal)
{
    server->turn.store = store;
    server->turn.journal = journal;
    server->housekeeping = store != NULL;
}

void server_set_recent(struct server *server, struct recent *recent)
{
    server->turn.recent = recent;
}

void server_set_watcher(struct server *server, struct turn_watcher watcher)
{
    PP_ASSERT(watcher.saw != NULL && watcher.tick != NULL);
    server->turn.watcher = watcher;
}

void server_set_work(struct server *server, struct turn_work work)
{
    server->turn.work = work;
    server->turn.work_left = work.run != NULL;
}

void server_keep(struct server *server, struct server_part *part)
{
    PP_ASSERT(part->release != NULL);
    part->next = server->parts;
    server->parts = part;
}

void server_free(struct server *server)
{
    if (server == NULL) {
        return;
    }
    listeners_close(server);
    conns_close(server);
    uv_close((uv_handle_t *)&server->wake, NULL);
    uv_close((uv_handle_t *)&server->interrupt, NULL);
    for (size_t i = 0; i < ARRAY_COUNT(server->signals); i++) {
        uv_close((uv_handle_t *)&server->signals[i], NULL);
    }
    /* Services close their own handles (an upstream's sockets) before this. */
    for (int i = 0; i < close_rounds_max && uv_run(&server->loop, UV_RUN_NOWAIT) != 0; i++) {
    }
    PP_ASSERT(uv_loop_close(&server->loop) == 0);
    PP_ASSERT(server->conn_count == 0 && server->open_count == 0 && server->conns == NULL);
    PP_ASSERT(server->ready_count == 0 && server->waits_oldest == NULL);
    for (size_t i = 0; i < BUDGET_SHARES; i++) {
        PP_ASSERT(server->turn.budget.shares[i].used_bytes == 0); /* all was given back */
    }
    while (server->parts != NULL) {
        struct server_part *part = server->parts;
        server->parts = part->next;
        part->release(part);
    }
    timer_heap_release(&server->timers);
    free(server);
}

/* --- running --- */

/* The first `count` of those that are ready, as far as a turn's time goes: the rest has the next
 * one, behind the sockets. Who becomes ready meanwhile is for the next turn too. */
static void ready_run(struct server *server, size_t count)
{
    int64_t until_us = count > 0 ? server_now_us(server) + TURN_US_MAX : 0;
    for (; count > 0 && server->ready_first != NULL; count--) {
        struct conn *conn = server->ready_first;
        server->ready_first = conn->next_ready;
        if (server->ready_first == NULL) {
            server->ready_last = NULL;
        }
        PP_ASSERT(server->ready_count > 0);
        server->ready_count--;
        conn_run_ready(conn);
        if (server_now_us(server) >= until_us) {
            return;
        }
    }
}

/* One look at the sockets, then at those that wait for their turn, then at the timers. */
static void take_in(struct server *server, uv_run_mode mode, size_t ready_count)
{
    loop_wake_arm(server);
    uv_run(&server->loop, mode);
    ready_run(server, ready_count);
    timer_heap_run(&server->timers);
}

static void turn_run(struct server *server)
{
    struct turn *turn = &server->turn;
    size_t ready = server->ready_count;
    PP_ASSERT((server->ready_first == NULL) == (ready == 0));
    server->turn_bytes = 0;
    bool must_not_wait = ready > 0 || server->housekeeping || turn->work_left;
    take_in(server, must_not_wait ? UV_RUN_NOWAIT : UV_RUN_ONCE, ready);
    size_t seen = 0;
    size_t seen_bytes = 0;
    int64_t until_us = server_now_us(server) + TURN_US_MAX;
    /* Waiting for more only pays when there is a commit to share. Who has sent a part of a request
     * is about to send the rest. */
    while ((turn->held_count > seen || server->turn_bytes > seen_bytes) &&
           turn_needs_commit(turn) && !turn_is_full(turn) && server_now_us(server) < until_us) {
        seen = turn->held_count;
        seen_bytes = server->turn_bytes;
        take_in(server, UV_RUN_NOWAIT, 0);
    }
    enum turn_outcome outcome = turn_end(turn);
    if (turn->journal_fed && !timer_is_set(&server->journal_timer)) {
        loop_timer_after_ms(server, &server->journal_timer, SERVER_JOURNAL_MS);
    }
    if (turn->watcher_fed && !timer_is_set(&server->watch_timer)) {
        loop_timer_after_ms(server, &server->watch_timer, SERVER_WATCH_MS);
    }
    if (outcome == TURN_FAILED && turn->work.run != NULL && !timer_is_set(&server->work_timer)) {
        loop_timer_after_ms(server, &server->work_timer, server->limits.work_retry_ms);
    }
    /* Behind the replies: checkpoints and the rows of deleted topics are in nobody's latency. Also
     * behind turns that only read: an upload that broke off has left bytes, and a download's end
     * sets free what was deleted meanwhile. */
    server->housekeeping = turn->store != NULL && store_housekeep(turn->store);
    heap_look(server);
}

/* A peer that has gone must be an error of one write, not the end of the process; the host's own
 * handling of SIGPIPE is left as it is. */
static void sigpipe_block(sigset_t *before)
{
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    PP_ASSERT(pthread_sigmask(SIG_BLOCK, &pipe, before) == 0);
}

static void sigpipe_restore(const sigset_t *before)
{
    sigset_t pending;
    PP_ASSERT(sigpending(&pending) == 0);
    if (sigismember(before, SIGPIPE) == 0 && sigismember(&pending, SIGPIPE) == 1) {
        sigset_t pipe;
        int number;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        sigwait(&pipe, &number);
    }
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

void server_run(struct server *server, bool handle_signals)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    sigset_t before;
    sigpipe_block(&before);
    for (size_t i = 0; handle_signals && i < ARRAY_COUNT(server->signals); i++) {
        /* One shot: the second signal finds the default handler and ends the process. */
        uv_signal_start_oneshot(&server->signals[i], on_signal, numbers[i]);
    }
    if (handle_signals) {
        heap_take_over(server);
    }
    while (!server->stopping || server->conn_count > 0) {
        turn_run(server);
        if (server->stop_overdue) {
            conns_close(server);
        }
    }
    (void)turn_end(&server->turn);
    PP_ASSERT(server->conn_count == 0 && server->ready_count == 0);
    timer_clear(&server->timers, &server->stop_timer);
    timer_clear(&server->timers, &server->journal_timer);
    timer_clear(&server->timers, &server->watch_timer);
    timer_clear(&server->timers, &server->work_timer);
    timer_clear(&server->timers, &server->accept_timer);
    for (size_t i = 0; i < ARRAY_COUNT(server->signals); i++) {
        uv_signal_stop(&server->signals[i]);
    }
    sigpipe_restore(&before);
}
