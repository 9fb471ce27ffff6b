/* The server's sockets when the kernel says no: it lacks memory, a peer is gone between two calls,
 * bytes are taken one by one. What a client sees is a whole answer or a closed connection, and the
 * next client sees nothing of it. */
#include "alloc_fault.h"
#include "call_fault.h"
#include "echo_bench.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int teardown(void **state)
{
    call_fault_end();
    alloc_fault_end();
    return echo_bench_teardown(state);
}

static void expect_hello(struct echo_bench *f)
{
    echo_bench_ask(f, GET("/hello"));
    assert_int_equal(f->reply.status, 200);
    assert_string_equal(raw_body(&f->reply), "hello");
}

/* --- coming --- */

static void a_connection_that_cannot_be_accepted_costs_nobody_else(void **state)
{
    static const int codes[] = {ENOMEM, ENOBUFS, EPERM, ECONNABORTED, EINTR};
    struct echo_bench *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
        call_fault_begin((struct call_fault){CALL_ACCEPT, .times = 1, .code = codes[i]});
        expect_hello(f); /* waits in the kernel until it is accepted */
        call_fault_end();
        expect_hello(f);
    }
}

static void who_cannot_be_named_is_served_all_the_same(void **state)
{
    struct echo_bench *f = *state;
    call_fault_begin((struct call_fault){CALL_GETPEERNAME, .times = 1, .code = ENOTCONN});
    expect_hello(f);
    assert_int_equal(call_fault_end(), 1);
}

/* --- reading --- */

static void a_read_that_fails_closes_its_connection_only(void **state)
{
    static const int codes[] = {ECONNRESET, ETIMEDOUT, EIO};
    struct echo_bench *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
        int other = raw_connect(f->echo.port);
        raw_send_text(other, GET("/hello"));
        raw_receive(other, false, &f->reply);
        int fd = raw_connect(f->echo.port);
        call_fault_begin((struct call_fault){CALL_READ, .times = 1, .code = codes[i]});
        raw_send_text(fd, GET("/hello"));
        assert_true(raw_is_closed_within(fd, RAW_WAIT_MS));
        assert_int_equal(call_fault_end(), 1);
        raw_send_text(other, GET("/facts"));
        raw_receive(other, false, &f->reply);
        assert_string_equal(raw_body(&f->reply), "GET /facts a 1");
        raw_close(other);
        raw_close(fd);
    }
}

static void a_read_that_a_signal_interrupts_is_made_again(void **state)
{
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    call_fault_begin((struct call_fault){CALL_READ, .times = 1, .code = EINTR});
    raw_send_text(fd, GET("/hello"));
    raw_receive(fd, false, &f->reply);
    assert_int_equal(call_fault_end(), 1);
    assert_int_equal(f->reply.status, 200);
    raw_close(fd);
}

/* --- writing --- */

static void a_write_to_a_peer_that_is_gone_closes_its_connection_only(void **state)
{
    static const int codes[] = {EPIPE, ECONNRESET, EIO};
    struct echo_bench *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
        int fd = raw_connect(f->echo.port);
        call_fault_begin((struct call_fault){CALL_WRITE, .times = 1, .code = codes[i]});
        raw_send_text(fd, GET("/hello"));
        assert_true(raw_is_closed_within(fd, RAW_WAIT_MS));
        assert_int_equal(call_fault_end(), 1);
        raw_close(fd);
        expect_hello(f);
    }
}

static void a_reply_that_leaves_byte_by_byte_is_whole(void **state)
{
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    call_fault_begin((struct call_fault){CALL_WRITE, .times = 400, .code = 0});
    raw_send_text(fd, GET("/bytes/300"));
    raw_receive(fd, false, &f->reply);
    assert_true(call_fault_end() > 100);
    assert_int_equal(strspn(raw_body(&f->reply), "x"), 300);
    raw_send_text(fd, GET("/hello"));
    raw_receive(fd, false, &f->reply);
    assert_string_equal(raw_body(&f->reply), "hello");
    raw_close(fd);
}

static void a_reply_that_must_wait_for_the_kernel_is_whole(void **state)
{
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    call_fault_begin((struct call_fault){CALL_WRITE, .times = 3, .code = EAGAIN});
    raw_send_text(fd, GET("/bytes/70000"));
    raw_receive(fd, false, &f->reply);
    assert_true(call_fault_end() > 0);
    assert_int_equal(strspn(raw_body(&f->reply), "x"), 70000);
    raw_close(fd);
}

/* The rest of it fails when the kernel has room again. */
static void a_write_that_fails_in_the_midst_of_a_reply_closes_the_connection(void **state)
{
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    call_fault_begin((struct call_fault){CALL_WRITE, .skip = 1, .times = 1, .code = EPIPE});
    raw_send_text(fd, GET("/bytes/60000000"));
    while (raw_receive_some(fd, f->reply.text, sizeof(f->reply.text)) > 0) {
    }
    assert_int_equal(call_fault_end(), 1);
    raw_close(fd);
    expect_hello(f);
}

static void a_refusal_is_told_although_the_sending_side_cannot_be_ended(void **state)
{
    struct echo_bench *f = *state;
    call_fault_begin((struct call_fault){CALL_SHUTDOWN, .times = 1, .code = ENOTCONN});
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, "NONSENSE\r\n\r\n");
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 400);
    raw_close(fd);
    expect_hello(f);
}

/* --- memory --- */

/* What a connection and a request of any kind allocate; the client is told or the connection is
 * closed. */
static void each_allocation_of_a_session_may_fail(void **state)
{
    static const char *const asked[] = {
        GET("/hello"),
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        GET("/bytes/90000"),
        GET("/park/1"),
        GET("/hint/3000"),
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "NONSENSE\r\n\r\n",
    };
    struct echo_bench *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(asked); i++) {
        for (int mode = ALLOC_FAILS_ONCE; mode <= ALLOC_FAILS_FROM_THERE_ON; mode++) {
            for (long n = 1; alloc_fault_goes_on(n); n++) {
                alloc_fault_begin_elsewhere(n, mode);
                int fd = raw_connect(f->echo.port);
                raw_send_text(fd, asked[i]);
                raw_end_sending(fd);
                if (mode == ALLOC_FAILS_ONCE) { /* else it may never be accepted */
                    raw_receive_all(fd, &f->reply);
                } else {
                    raw_pause_ms(1);
                }
                alloc_fault_end();
                raw_close(fd);
                expect_hello(f);
            }
        }
    }
}

/* Eight have room from the start: those of two connections and of their requests leave none, and
 * what a connection is kept in was left by an earlier one. */
static void who_finds_no_room_for_a_deadline_waits_until_there_is(void **state)
{
    enum { before = 3, parked = 2 };
    struct echo_bench *f = *state;
    int fds[before];
    f->echo.limits.connections_max = 8;
    echo_server_start(&f->echo);
    for (int i = 0; i < before; i++) {
        fds[i] = raw_connect(f->echo.port);
    }
    for (int i = 0; i < before; i++) {
        raw_end_sending(fds[i]);
        assert_true(raw_is_closed_within(fds[i], RAW_WAIT_MS));
        raw_close(fds[i]);
    }
    for (int i = 0; i < parked; i++) {
        fds[i] = raw_connect(f->echo.port);
        raw_send_text(fds[i], GET("/park"));
    }
    echo_server_await(&f->echo.parked, parked);
    alloc_fault_begin_elsewhere(1, ALLOC_FAILS_FROM_THERE_ON);
    int fd = raw_connect(f->echo.port);
    raw_pause_ms(20); /* the server has no memory while it looks at the newcomer */
    alloc_fault_end();
    raw_send_text(fd, GET("/wake"));
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    raw_close(fd);
    for (int i = 0; i < parked; i++) {
        raw_receive(fds[i], false, &f->reply);
        assert_string_equal(raw_body(&f->reply), "woken");
        raw_close(fds[i]);
    }
}

#define STARTED(name) cmocka_unit_test_setup_teardown(name, echo_bench_setup_started, teardown)
#define OWN(name)     cmocka_unit_test_setup_teardown(name, echo_bench_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STARTED(a_connection_that_cannot_be_accepted_costs_nobody_else),
        STARTED(who_cannot_be_named_is_served_all_the_same),
        STARTED(a_read_that_fails_closes_its_connection_only),
        STARTED(a_read_that_a_signal_interrupts_is_made_again),
        STARTED(a_write_to_a_peer_that_is_gone_closes_its_connection_only),
        STARTED(a_reply_that_leaves_byte_by_byte_is_whole),
        STARTED(a_reply_that_must_wait_for_the_kernel_is_whole),
        STARTED(a_write_that_fails_in_the_midst_of_a_reply_closes_the_connection),
        STARTED(a_refusal_is_told_although_the_sending_side_cannot_be_ended),
        STARTED(each_allocation_of_a_session_may_fail),
        OWN(who_finds_no_room_for_a_deadline_waits_until_there_is),
    };
    return cmocka_run_group_tests_name("net_faults", tests, NULL, NULL);
}
