#include "server.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_behind_one_that_is_due_at_once_still_fires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
