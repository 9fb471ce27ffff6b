/* What makes the loop turn although no socket has anything: timers, and work that is left. */
#include "fault_vfs.h"
#include "server.h"
#include "store.h"
#include "temp_dir.h"

#include <setjmp.h>
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

/* The work says that it is done; but what it did was rolled back, and nobody else comes by. */
static void work_whose_commit_failed_is_tried_again(void **state)
{
    static const char vfs_name[] = "pinpipe-wake-fault";
    struct env env;
    struct log log;
    struct error err = ERROR_NONE;
    struct temp_dir dir;
    struct fault_vfs vfs;
    struct server_limits limits;
    struct store *store = NULL;
    (void)state;
    env_init_system(&env);
    log_init(&log, &env, stderr, LOG_OFF);
    temp_dir_make(&dir);
    fault_vfs_install(&vfs, vfs_name);
    env.sqlite_vfs = vfs_name;
    const struct store_options store_options = {
        .directory = dir.path, .env = &env, .log = &log, .durability = STORE_FULL};
    assert_int_equal(store_open(&store_options, &store, &err), STATUS_OK);
    server_limits_init(&limits);
    limits.work_retry_ms = 1;
    const struct server_options options = {.env = &env, .log = &log, .limits = &limits};
    struct busywork work = {.store = store, .vfs = &vfs, .runs_wanted = 2};
    assert_int_equal(server_new(&options, &work.server, &err), STATUS_OK);
    server_set_store(work.server, store, NULL);
    server_set_work(work.server, (struct turn_work){busywork_run, &work});
    alarm(20);
    server_run(work.server, false);
    alarm(0);
    assert_int_equal(store_topic_count(store), 1);
    server_free(work.server);
    store_close(store);
    fault_vfs_uninstall(&vfs);
    temp_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_behind_one_that_is_due_at_once_still_fires),
        cmocka_unit_test(work_that_is_left_is_gone_on_with_at_once),
        cmocka_unit_test(work_whose_commit_failed_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
