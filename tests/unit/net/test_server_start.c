/* A server that starts where something is missing: memory, descriptors, an address, a port that it
 * may have. It says what, with the fix where there is one, and leaves nothing behind; or it starts
 * and is as good as any other. */
#include "alloc_fault.h"
#include "call_fault.h"
#include "line_echo.h"
#include "raw_socket.h"
#include "server.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

struct fixture {
    struct env env;
    struct log log;
    struct error err;
    struct server *server;
    int port;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.server = NULL};
    env_init_system(&fixture.env);
    log_init(&fixture.log, &fixture.env, stderr, LOG_OFF);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    call_fault_end();
    alloc_fault_end();
    server_free(f->server);
    return 0;
}

static enum status start(struct fixture *f, const char *address, int port)
{
    const struct server_options options = {.env = &f->env, .log = &f->log};
    const struct listener_options line = {line_echo_kind(), address, port, "--line"};
    f->err = ERROR_NONE;
    f->port = 0;
    enum status status = server_new(&options, &f->server, &f->err);
    return status == STATUS_OK ? server_listen(f->server, &line, &f->port, &f->err) : status;
}

static void end(struct fixture *f)
{
    server_free(f->server);
    f->server = NULL;
}

static void *serve(void *ctx)
{
    server_run(ctx, false);
    return NULL;
}

/* Runs it for one client. */
static void assert_serves(struct fixture *f)
{
    pthread_t thread;
    char got[3] = "";
    size_t len = 0;
    assert_int_equal(pthread_create(&thread, NULL, serve, f->server), 0);
    int fd = raw_connect(f->port);
    raw_send_text(fd, "a\n");
    while (len < 2) {
        len += raw_receive_some(fd, got + len, 2 - len);
    }
    assert_string_equal(got, "a\n");
    raw_close(fd);
    server_interrupt(f->server);
    pthread_join(thread, NULL);
}

/* --- memory and descriptors --- */

/* Its own allocations and those of which libuv says that they failed: the first two and the last
 * two. Those between are libuv's tables, for which it aborts: they are made here, at the start, so
 * that it cannot happen later (loop_descriptors_reserve). */
static void without_memory_it_says_so_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    alloc_fault_begin(LONG_MAX, ALLOC_FAILS_ONCE);
    assert_int_equal(start(f, "127.0.0.1", 0), STATUS_OK);
    alloc_fault_end();
    long all = alloc_fault_asked();
    end(f);
    if (all == 0) {
        skip(); /* no allocation fails here */
    }
    const long points[] = {1, 2, all - 1, all};
    for (size_t i = 0; i < ARRAY_COUNT(points); i++) {
        long alive = alloc_fault_alive();
        alloc_fault_begin(points[i], ALLOC_FAILS_ONCE);
        enum status status = start(f, "127.0.0.1", 0);
        assert_true(alloc_fault_end());
        assert_int_not_equal(status, STATUS_OK);
        assert_non_null(strstr(f->err.message, "memory"));
        end(f);
        assert_int_equal(alloc_fault_alive(), alive);
    }
}

static void without_descriptors_it_says_so_and_leaves_nothing(void **state)
{
    static const enum call needed[] = {CALL_EPOLL_CREATE, CALL_EVENTFD};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(needed); i++) {
        call_fault_begin((struct call_fault){needed[i], .times = 1, .code = EMFILE, .here = true});
        assert_int_equal(start(f, "127.0.0.1", 0), STATUS_FAILED);
        assert_int_equal(call_fault_end(), 1);
        assert_non_null(strstr(f->err.message, "cannot make an event loop"));
        end(f);
    }
}

/* What it keeps in reserve for later is no condition. */
static void without_the_spare_it_starts_all_the_same(void **state)
{
    static const enum call spared[] = {CALL_SOCKET, CALL_FCNTL, CALL_EPOLL_CTL};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(spared); i++) {
        call_fault_begin((struct call_fault){spared[i], .times = 1, .code = EMFILE, .here = true});
        assert_int_equal(start(f, "127.0.0.1", 0), STATUS_OK);
        assert_int_equal(call_fault_end(), 1);
        assert_serves(f);
        end(f);
    }
}

static void it_takes_no_more_connections_than_it_may_have_files(void **state)
{
    struct fixture *f = *state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlim_t limits[] = {300, SERVER_FILES_SPARE + SERVER_CONNECTIONS_REFUSED_MAX - 1};
    const size_t expected[] = {300 - SERVER_FILES_SPARE - SERVER_CONNECTIONS_REFUSED_MAX, 1};
    for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
        struct rlimit few = {limits[i], before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        enum status status = start(f, "127.0.0.1", 0);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(status, STATUS_OK);
        const struct server_limits *fit = &f->server->limits;
        assert_int_equal(fit->connections_max, expected[i]);
        assert_in_range(fit->port_connections_max, 1, expected[i]);
        assert_in_range(fit->address_connections_max, 1, expected[i]);
        end(f);
    }
}

/* --- addresses and ports --- */

static void an_address_that_cannot_be_had_is_named_with_the_way_out(void **state)
{
    static const struct {
        const char *address;
        enum call call;
        int code;
        const char *says;
    } cases[] = {
        {"127.0.0.1", CALL_BIND, EACCES, "choose another with --line PORT"},
        {"192.0.2.1", CALL_NONE, 0, "192.0.2.1 is not an address of this machine"},
        {"::1", CALL_LISTEN, EADDRINUSE,
         "another server is on [::1]:7; choose another with --line"},
        {"127.0.0.1", CALL_LISTEN, EADDRINUSE, "another server is on 127.0.0.1:7;"},
        {"127.0.0.1", CALL_LISTEN, ENOBUFS, "cannot listen on 127.0.0.1:7: no buffer space"},
        {"127.0.0.1", CALL_GETSOCKNAME, ENOBUFS, "cannot listen on 127.0.0.1:7: no buffer space"},
        {"localhost", CALL_SOCKET, EMFILE, "cannot listen on localhost:7: too many open files"},
        {"example.com", CALL_NONE, 0, "\"example.com\" is not an IPv4 or IPv6 address"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        /* The first socket is not the listener's but the spare's. */
        call_fault_begin((struct call_fault){cases[i].call,
                                             .skip = cases[i].call == CALL_SOCKET ? 1 : 0,
                                             .times = 1, .code = cases[i].code, .here = true});
        enum status status = start(f, cases[i].address, 7);
        call_fault_end();
        if (status != STATUS_CONFIG || strstr(f->err.message, cases[i].says) == NULL) {
            fail_msg("%s: %s: %s", cases[i].says, status_name(status), f->err.message);
        }
        end(f);
    }
}

static void the_names_of_this_machine_are_served(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(start(f, "localhost", 0), STATUS_OK);
    assert_int_not_equal(f->port, 0);
    assert_serves(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_memory_it_says_so_and_leaves_nothing),
        TEST(without_descriptors_it_says_so_and_leaves_nothing),
        TEST(without_the_spare_it_starts_all_the_same),
        TEST(it_takes_no_more_connections_than_it_may_have_files),
        TEST(an_address_that_cannot_be_had_is_named_with_the_way_out),
        TEST(the_names_of_this_machine_are_served),
    };
    return cmocka_run_group_tests_name("server_start", tests, NULL, NULL);
}
