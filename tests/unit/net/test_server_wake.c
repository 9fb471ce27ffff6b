/* What makes the loop turn although no socket has anything: timers, and work that is left. */
#include "fault_vfs.h"
#include "server.h"
#include "store.h"
#include "temp_dir.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

struct alarm_clock {
    struct timer timer;
    struct server *server;
    int rings;
};

static void ring(struct timer *timer)
{
    PP_CONTAINER_OF(timer, struct alarm_clock, timer)->rings++;
}

static void ring_and_stop(struct timer *timer)
{
    ring(timer);
    server_interrupt(PP_CONTAINER_OF(timer, struct alarm_clock, timer)->server);
}

/* The loop looks at its timer before it waits for sockets: when the first one has run there, the
 * second must still be waited for with a limit, though nothing happens on any socket. */
static void a_timer_behind_one_that_is_due_at_once_still_fires(void **state)
{
    struct env env;
    struct server *server = NULL;
    struct error err = ERROR_NONE;
    (void)state;
    env_init_system(&env);
    struct log log;
    log_init(&log, &env, stderr, LOG_OFF);
    const struct server_options options = {.env = &env, .log = &log};
    assert_int_equal(server_new(&options, &server, &err), STATUS_OK);
    struct alarm_clock first = {.timer = {.fire = ring}, .server = server};
    struct alarm_clock second = {.timer = {.fire = ring_and_stop}, .server = server};
    int64_t now_us = server_now_us(server);
    assert_int_equal(timer_set(&server->timers, &first.timer, now_us), STATUS_OK);
    assert_int_equal(timer_set(&server->timers, &second.timer, now_us + 20000), STATUS_OK);
    alarm(20); /* a server that sleeps for ever ends the test */
    server_run(server, false);
    alarm(0);
    assert_int_equal(first.rings, 1);
    assert_int_equal(second.rings, 1);
    server_free(server);
}

/* Work for a few turns, which then stops the server. */
struct busywork {
    struct server *server;
    struct store *store; /* NULL: nothing is written */
    struct fault_vfs *vfs;
    int runs;
    int runs_wanted;
};

static bool busywork_run(void *ctx)
{
    struct busywork *work = ctx;
    work->runs++;
    if (work->store != NULL) {
        struct error err = ERROR_NONE;
        const struct store_topic_spec spec = {.name = SPAN_LIT("t"), .partition_count = 1};
        assert_int_equal(store_topic_create(work->store, &spec, &err), STATUS_OK);
    }
    if (work->runs >= work->runs_wanted) {
        server_interrupt(work->server);
        work->store = NULL;
        return false;
    }
    if (work->store != NULL) {
        fault_vfs_fail(work->vfs, FAULT_WRITE, 1, SQLITE_FULL, false);
    }
    return work->store == NULL;
}

static void work_that_is_left_is_gone_on_with_at_once(void **state)
{
    struct env env;
    struct log log;
    struct error err = ERROR_NONE;
    (void)state;
    env_init_system(&env);
    log_init(&log, &env, stderr, LOG_OFF);
    const struct server_options options = {.env = &env, .log = &log};
    struct busywork work = {.runs_wanted = 5};
    assert_int_equal(server_new(&options, &work.server, &err), STATUS_OK);
    server_set_work(work.server, (struct turn_work){busywork_run, &work});
    alarm(20); /* a server that sleeps for ever ends the test */
    server_run(work.server, false);
    alarm(0);
    assert_true(work.runs >= 5);
    server_free(work.server);
}

/* The work says that it is done; but what it did was rolled back. Without an alarm nobody else
 * comes by; with one another turn fails before the work's own time has come. */
static void work_fails_and_is_tried_again(int64_t retry_ms, bool with_alarm)
{
    static const char vfs_name[] = "pinpipe-wake-fault";
    struct env env;
    struct log log;
    struct error err = ERROR_NONE;
    struct temp_dir dir;
    struct fault_vfs vfs;
    struct server_limits limits;
    struct store *store = NULL;
    env_init_system(&env);
    log_init(&log, &env, stderr, LOG_OFF);
    temp_dir_make(&dir);
    fault_vfs_install(&vfs, vfs_name);
    env.sqlite_vfs = vfs_name;
    const struct store_options store_options = {
        .directory = dir.path, .env = &env, .log = &log, .durability = STORE_FULL};
    assert_int_equal(store_open(&store_options, &store, &err), STATUS_OK);
    server_limits_init(&limits);
    limits.work_retry_ms = retry_ms;
    const struct server_options options = {.env = &env, .log = &log, .limits = &limits};
    struct busywork work = {.store = store, .vfs = &vfs, .runs_wanted = with_alarm ? 3 : 2};
    struct alarm_clock clock = {.timer = {.fire = ring}};
    assert_int_equal(server_new(&options, &work.server, &err), STATUS_OK);
    server_set_store(work.server, store, NULL);
    server_set_work(work.server, (struct turn_work){busywork_run, &work});
    if (with_alarm) {
        int64_t due_us = server_now_us(work.server) + 1000;
        assert_int_equal(timer_set(&work.server->timers, &clock.timer, due_us), STATUS_OK);
    }
    alarm(20);
    server_run(work.server, false);
    alarm(0);
    assert_int_equal(store_topic_count(store), 1);
    assert_true(work.runs >= work.runs_wanted);
    server_free(work.server);
    store_close(store);
    fault_vfs_uninstall(&vfs);
    temp_dir_remove(&dir);
}

static void work_whose_commit_failed_is_tried_again(void **state)
{
    (void)state;
    work_fails_and_is_tried_again(1, false);
}

static void work_that_fails_again_meanwhile_keeps_its_time(void **state)
{
    (void)state;
    work_fails_and_is_tried_again(200, true);
}

static void ring_for_a_broken_pipe(struct timer *timer)
{
    pthread_kill(pthread_self(), SIGPIPE);
    ring_and_stop(timer);
}

/* Whoever blocks SIGPIPE himself finds his own as he left them. */
static void a_hosts_own_broken_pipe_is_left_to_him(void **state)
{
    struct env env;
    struct log log;
    struct server *server = NULL;
    sigset_t pipe;
    sigset_t before;
    sigset_t pending;
    int number = 0;
    (void)state;
    env_init_system(&env);
    log_init(&log, &env, stderr, LOG_OFF);
    const struct server_options options = {.env = &env, .log = &log};
    assert_int_equal(server_new(&options, &server, NULL), STATUS_OK);
    struct alarm_clock clock = {.timer = {.fire = ring_for_a_broken_pipe}, .server = server};
    assert_int_equal(timer_set(&server->timers, &clock.timer, server_now_us(server)), STATUS_OK);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &pipe, &before), 0);
    alarm(20);
    server_run(server, false);
    alarm(0);
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&pending, SIGPIPE), 1);
    assert_int_equal(sigwait(&pipe, &number), 0);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_behind_one_that_is_due_at_once_still_fires),
        cmocka_unit_test(work_that_is_left_is_gone_on_with_at_once),
        cmocka_unit_test(work_whose_commit_failed_is_tried_again),
        cmocka_unit_test(work_that_fails_again_meanwhile_keeps_its_time),
        cmocka_unit_test(a_hosts_own_broken_pipe_is_left_to_him),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
