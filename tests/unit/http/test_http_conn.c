/* A connection at its edges, over real sockets: half a request behind a whole one, ends and resets
 * while a turn is under way, reads that bring nothing, who is closed where memory is short. A gate
 * holds the server in a turn, so that what comes meanwhile comes at once. */
#include "alloc_fault.h"
#include "call_fault.h"
#include "echo_bench.h"
#include "http_internal.h"
#include "line_echo.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { short_ms = 60, soon_ms = 2000, long_ms = 60 * 1000, megabyte = 1000 * 1000 };

#define POST(path, length) "POST " path " HTTP/1.1\r\nHost: a\r\nContent-Length: " length "\r\n\r\n"

/* --- the gate --- */

struct gate {
    atomic_bool shut;
    atomic_int waiting; /* turns that have come to it */
};

struct fixture {
    struct echo_bench b; /* first: the bench's setup and teardown see it */
    struct gate gate;
    int keeper; /* whose request is in the turn that waits */
};

static bool gate_pass(void *ctx)
{
    struct gate *gate = ctx;
    if (atomic_load(&gate->shut)) {
        atomic_fetch_add(&gate->waiting, 1);
    }
    while (atomic_load(&gate->shut)) {
        raw_pause_ms(1);
    }
    return false;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return 1;
    }
    echo_server_init(&f->b.echo);
    f->b.echo.work = (struct turn_work){gate_pass, &f->gate};
    f->keeper = -1;
    *state = f;
    return 0;
}

static int setup_started(void **state)
{
    if (setup(state) != 0) {
        return 1;
    }
    echo_server_start(&((struct fixture *)*state)->b.echo);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    call_fault_end();
    alloc_fault_end();
    atomic_store(&f->gate.shut, false);
    if (f->keeper >= 0) {
        raw_close(f->keeper);
    }
    return echo_bench_teardown(state);
}

static void expect(struct fixture *f, int fd, int status, const char *body)
{
    raw_receive(fd, false, &f->b.reply);
    assert_int_equal(f->b.reply.status, status);
    assert_string_equal(raw_body(&f->b.reply), body);
}

static void expect_hello(struct fixture *f, int fd)
{
    raw_send_text(fd, GET("/hello"));
    expect(f, fd, 200, "hello");
}

static int connect_served(struct fixture *f)
{
    int fd = raw_connect(f->b.echo.port);
    expect_hello(f, fd);
    return fd;
}

/* From now on the server waits at the end of the turn that handles this; whose connection is being
 * served, so that its acceptance has no turn of its own. */
static void gate_shut_behind(struct fixture *f, int fd, const char *text)
{
    int before = atomic_load(&f->gate.waiting);
    atomic_store(&f->gate.shut, true);
    raw_send_text(fd, text);
    echo_server_await(&f->gate.waiting, before + 1);
}

static void gate_shut(struct fixture *f)
{
    f->keeper = connect_served(f);
    gate_shut_behind(f, f->keeper, GET("/hello"));
}

static void gate_open(struct fixture *f)
{
    atomic_store(&f->gate.shut, false);
}

/* How many bytes come until the server closes; at most `max` are read. */
static size_t drain(int fd, size_t max)
{
    static char got[256 * 1024];
    size_t len = 0;
    for (size_t some = 1; some > 0 && len < max; len += some) {
        some = raw_receive_some(fd, got, sizeof(got));
    }
    return len;
}

/* --- half a request behind a whole one --- */

static void half_a_request_is_completed_by_what_comes_while_it_waits(void **state)
{
    struct fixture *f = *state;
    int fd = connect_served(f);
    gate_shut_behind(f, fd, GET("/hello") POST("/echo", "4") "ab");
    raw_send_text(fd, "cd" GET("/facts"));
    gate_open(f);
    expect(f, fd, 200, "hello");
    expect(f, fd, 200, "abcd");
    expect(f, fd, 200, "GET /facts a 1");
    raw_close(fd);
}

static void each_allocation_for_the_rest_of_half_a_request_may_fail(void **state)
{
    enum { rest = 20 * 1000 };
    static char bytes[rest];
    struct fixture *f = *state;
    bool failed = true;
    memset(bytes, 'x', sizeof(bytes));
    for (long n = 1; failed; n++) {
        int fd = connect_served(f);
        gate_shut_behind(f, fd, GET("/hello") POST("/echo", "20000"));
        raw_send(fd, bytes, sizeof(bytes));
        alloc_fault_begin_elsewhere(n, ALLOC_FAILS_ONCE);
        gate_open(f);
        expect(f, fd, 200, "hello");
        raw_receive(fd, false, &f->b.reply);
        failed = alloc_fault_end();
        if (f->b.reply.status == 200) {
            assert_int_equal(strspn(raw_body(&f->b.reply), "x"), sizeof(bytes));
        } else {
            assert_true(failed && (f->b.reply.status == 0 || f->b.reply.status == 500));
        }
        raw_close(fd);
    }
}

static void half_a_request_dies_with_its_sender(void **state)
{
    static const char *const halves[] = {"GET /fac", POST("/echo", "4") "ab"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(halves); i++) {
        char text[256];
        int fd = connect_served(f);
        snprintf(text, sizeof(text), "%s%s", GET("/hello"), halves[i]);
        gate_shut_behind(f, fd, text);
        raw_end_sending(fd);
        gate_open(f);
        expect(f, fd, 200, "hello");
        assert_true(raw_is_closed_within(fd, soon_ms));
        raw_close(fd);
    }
    assert_int_equal(atomic_load(&f->b.echo.requests), 2 * ARRAY_COUNT(halves));
}

static void half_a_head_behind_a_request_is_408_after_its_time(void **state)
{
    struct fixture *f = *state;
    f->b.echo.http_limits.head_ms = short_ms;
    echo_server_start(&f->b.echo);
    int fd = raw_connect(f->b.echo.port);
    raw_send_text(fd, GET("/hello") "GET /fac");
    expect(f, fd, 200, "hello");
    raw_receive_all(fd, &f->b.reply);
    assert_int_equal(f->b.reply.status, 408);
    raw_close(fd);
}

/* A newcomer's place is worth more than a head that does not come. */
static void half_a_head_behind_a_request_keeps_no_place(void **state)
{
    struct fixture *f = *state;
    f->b.echo.limits.connections_max = 1;
    f->b.echo.http_limits.yield_ms = 0;
    echo_server_start(&f->b.echo);
    int fd = raw_connect(f->b.echo.port);
    raw_send_text(fd, GET("/hello") "GET /fac");
    expect(f, fd, 200, "hello");
    f->b.reply.status = 0;
    for (int i = 0; i < 100 && f->b.reply.status != 200; i++) {
        echo_bench_ask(&f->b, GET("/hello")); /* refused until the half is looked at */
    }
    assert_int_equal(f->b.reply.status, 200);
    assert_true(raw_is_closed_within(fd, soon_ms));
    raw_close(fd);
}

/* There is nobody to linger for. */
static void a_refusal_behind_the_end_of_what_was_sent_closes_at_once(void **state)
{
    struct fixture *f = *state;
    f->b.echo.http_limits.linger_ms = long_ms;
    echo_server_start(&f->b.echo);
    int fd = raw_connect(f->b.echo.port);
    raw_send_text(fd, GET("/park") "NONSENSE\r\n\r\n");
    raw_end_sending(fd);
    echo_server_await(&f->b.echo.parked, 1);
    echo_bench_ask(&f->b, GET("/wake"));
    expect(f, fd, 200, "woken");
    raw_receive_all(fd, &f->b.reply);
    assert_int_equal(f->b.reply.status, 400);
    raw_close(fd);
}

/* --- reads, ends and resets --- */

/* The kernel said that there was something, and then there was not. */
static void a_read_that_brings_nothing_changes_nothing(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f->b.echo.port);
    call_fault_begin((struct call_fault){CALL_READ, .times = 1, .code = EAGAIN});
    raw_send_text(fd, POST("/echo", "4") "ab");
    echo_bench_ask(&f->b, GET("/hello"));
    assert_int_equal(call_fault_end(), 1);
    call_fault_begin((struct call_fault){CALL_READ, .times = 1, .code = EAGAIN});
    raw_send_text(fd, "cd");
    expect(f, fd, 200, "abcd");
    assert_int_equal(call_fault_end(), 1);
    raw_close(fd);
}

/* What was handled is kept, whether or not there is still somebody to be told. */
static void who_resets_before_the_commit_has_acted_all_the_same(void **state)
{
    static char behind[32 * 1024];
    struct fixture *f = *state;
    int fd = connect_served(f);
    gate_shut(f);
    memset(behind, '\n', sizeof(behind));
    memcpy(behind, GET("/facts"), sizeof(GET("/facts")) - 1);
    raw_send(fd, behind, sizeof(behind)); /* more than is read at once */
    call_fault_begin((struct call_fault){CALL_READ, .skip = 1, .times = 1, .code = ECONNRESET});
    gate_open(f);
    assert_int_equal(drain(fd, SIZE_MAX), 0);
    assert_int_equal(call_fault_end(), 1);
    assert_int_equal(atomic_load(&f->b.echo.requests), 4);
    expect(f, f->keeper, 200, "hello");
    expect_hello(f, f->keeper);
    raw_close(fd);
}

static void who_asks_in_the_last_turn_is_answered(void **state)
{
    struct fixture *f = *state;
    int fd = connect_served(f);
    gate_shut(f);
    raw_send_text(fd, GET("/hello"));
    server_interrupt(f->b.echo.server);
    gate_open(f);
    raw_receive_all(fd, &f->b.reply);
    assert_int_equal(f->b.reply.status, 200);
    assert_true(echo_bench_has_header(&f->b, "Connection", "close"));
    raw_close(fd);
}

static void who_lingers_does_not_hold_up_the_end(void **state)
{
    struct fixture *f = *state;
    f->b.echo.http_limits.linger_ms = long_ms;
    f->b.echo.limits.stop_ms = long_ms;
    echo_server_start(&f->b.echo);
    int fd = raw_connect(f->b.echo.port);
    raw_send_text(fd, "NONSENSE\r\n\r\n");
    raw_receive(fd, false, &f->b.reply);
    assert_int_equal(f->b.reply.status, 400);
    echo_server_stop(&f->b.echo); /* joins the server's thread */
    raw_close(fd);
}

/* Nobody has been promised the body: the client begins again. */
static void a_go_ahead_that_cannot_leave_closes_the_connection(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f->b.echo.port);
    call_fault_begin((struct call_fault){CALL_WRITE, .times = 1, .code = EAGAIN});
    raw_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                      "Content-Length: 2\r\n\r\n");
    (void)drain(fd, SIZE_MAX);
    assert_int_equal(call_fault_end(), 1);
    assert_int_equal(atomic_load(&f->b.echo.requests), 0);
    raw_close(fd);
    echo_bench_ask(&f->b, GET("/hello"));
    assert_int_equal(f->b.reply.status, 200);
}

/* --- readers --- */

static void a_slow_reader_that_goes_on_reading_gets_it_all(void **state)
{
    enum { bytes = 60 * megabyte, at_once = 2 * megabyte };
    struct fixture *f = *state;
    f->b.echo.http_limits.send_ms = 400;
    echo_server_start(&f->b.echo);
    int fd = raw_connect(f->b.echo.port);
    raw_send_text(fd, GET("/bytes/60000000"));
    raw_receive(fd, true, &f->b.reply);
    size_t len = 0;
    while (len < bytes) {
        size_t left = bytes - len;
        size_t some = drain(fd, left < at_once ? left : at_once);
        assert_true(some > 0);
        len += some;
        raw_pause_ms(30);
    }
    assert_int_equal(len, bytes);
    expect_hello(f, fd);
    raw_close(fd);
}

/* A connection of another protocol that waits for its peer, like the idle ones of this. */
static void waiting_line_opened(struct conn *conn, bool over_limit)
{
    line_echo_kind().protocol->opened(conn, over_limit);
    conn_wait_begin(conn, long_ms);
}

static int line_beside(struct fixture *f)
{
    static struct conn_protocol protocol;
    static struct listener_options listener;
    protocol = *line_echo_kind().protocol;
    protocol.opened = waiting_line_opened;
    listener = (struct listener_options){
        .kind = {.protocol = &protocol}, .address = "127.0.0.1", .flag = "--line"};
    f->b.echo.beside = &listener;
    echo_server_start(&f->b.echo);
    return raw_connect(f->b.echo.beside_port);
}

static void expect_line(int fd)
{
    char got[8];
    raw_send_text(fd, "hi\n");
    assert_int_equal(raw_receive_some(fd, got, sizeof(got)), 3);
    assert_memory_equal(got, "hi\n", 3);
}

/* A client that asks for so much and reads nothing of it yet. */
static int reader_begin(struct fixture *f, const char *text)
{
    int requests = atomic_load(&f->b.echo.requests);
    int fd = raw_connect(f->b.echo.port);
    raw_send_text(fd, text);
    echo_server_await(&f->b.echo.requests, requests + 1);
    return fd;
}

/* Closed are those that hold most, and no more of them than it takes. */
static void the_slow_readers_that_hold_most_are_closed_first(void **state)
{
    struct fixture *f = *state;
    f->b.echo.limits.budget_bytes_max = (size_t)98 * megabyte; /* of it 73.5 for replies */
    f->b.echo.http_limits.crowded_ms = short_ms;
    f->b.echo.http_limits.crowded_rate_min = INT64_C(1) << 40;
    int line = line_beside(f);
    expect_line(line);
    int small = reader_begin(f, GET("/bytes/22000000"));
    int large = reader_begin(f, GET("/bytes/26000000"));
    int medium = reader_begin(f, GET("/bytes/24000000"));
    int fd = raw_connect(f->b.echo.port);
    expect_hello(f, fd); /* all of them are being sent by now */
    raw_pause_ms(3 * short_ms);
    raw_send_text(fd, GET("/want/40000000"));
    expect(f, fd, 200, "");
    assert_true(drain(large, SIZE_MAX) < 26000000);
    assert_true(drain(medium, SIZE_MAX) < 24000000);
    raw_receive(small, true, &f->b.reply);
    assert_int_equal(drain(small, 22000000), 22000000);
    expect_hello(f, small);
    expect_line(line);
    raw_close(small);
    raw_close(large);
    raw_close(medium);
    raw_close(fd);
    raw_close(line);
}

struct waiting_case {
    int64_t crowded_ms;
    int64_t yield_ms;
    int status; /* of who finds no room at all */
};

/* Where nothing is left the one that has waited longest goes, though it is not too slow for a
 * crowd: too early to say, or a crowd that asks for no speed. */
static void the_longest_waiting_reader_makes_room_where_there_is_none(void **state)
{
    static const struct waiting_case cases[] = {
        {long_ms, long_ms, 503}, {0, long_ms, 503}, {long_ms, 0, 200}, {0, 0, 200}};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f->b.echo.limits.budget_bytes_max = (size_t)52 * megabyte; /* of it 39 for replies */
        f->b.echo.http_limits.crowded_ms = cases[i].crowded_ms;
        f->b.echo.http_limits.crowded_rate_min = 0;
        f->b.echo.http_limits.yield_ms = cases[i].yield_ms;
        int line = line_beside(f);
        expect_line(line);
        int silent = connect_served(f);
        int idle = raw_connect(f->b.echo.port);
        int first = reader_begin(f, GET("/bytes/26000000"));
        int second = reader_begin(f, GET("/bytes/24000000"));
        raw_send_text(idle, GET("/hello"));
        raw_receive(idle, false, &f->b.reply);
        assert_int_equal(f->b.reply.status, cases[i].status);
        raw_receive(first, true, &f->b.reply);
        bool whole = drain(first, 26000000) == 26000000;
        assert_int_equal(whole, cases[i].status == 503);
        raw_receive(second, true, &f->b.reply);
        assert_int_equal(drain(second, 24000000), 24000000);
        expect_line(line);
        expect_hello(f, silent);
        raw_close(silent);
        raw_close(idle);
        raw_close(first);
        raw_close(second);
        raw_close(line);
        echo_server_stop(&f->b.echo);
    }
}

/* --- senders --- */

static char body[290 * 1024];

/* Whoever has come with little is let in for whoever holds much; what waits elsewhere stays. */
static void bodies_make_room_for_bodies_and_not_for_other_protocols(void **state)
{
    enum { hoarders = 3, newcomers = 30 };
    struct fixture *f = *state;
    int fds[hoarders + newcomers];
    int given_up = 0;
    f->b.echo.limits.budget_bytes_max = 2 * 1000 * 1024;
    f->b.echo.http_limits.crowded_ms = long_ms;
    int line = line_beside(f);
    expect_line(line);
    for (int i = 0; i < hoarders; i++) {
        fds[i] = connect_served(f);
        raw_send_text(fds[i], POST("/echo", "296960"));
        raw_send(fds[i], body, sizeof(body) - 1);
        echo_bench_ask(&f->b, GET("/hello"));
    }
    for (int i = hoarders; i < hoarders + newcomers; i++) {
        fds[i] = connect_served(f);
        raw_send_text(fds[i], POST("/echo", "2") "a");
    }
    for (int i = hoarders; i < hoarders + newcomers; i++) {
        raw_send_text(fds[i], "b");
        expect(f, fds[i], 200, "ab");
        raw_close(fds[i]);
    }
    for (int i = 0; i < hoarders; i++) {
        given_up += raw_is_readable_within(fds[i], 0);
        raw_close(fds[i]);
    }
    assert_int_equal(given_up, 1);
    expect_line(line);
    raw_close(line);
}

/* All in one turn: the answer that takes all memory, a whole request that waits until it has left,
 * one whose client has just left, and one that would need somebody to give way. */
static void who_is_gone_or_waits_for_a_turn_gives_way_to_nobody(void **state)
{
    struct fixture *f = *state;
    f->b.echo.limits.budget_bytes_max = 2 * megabyte;
    f->b.echo.http_limits.crowded_ms = 0;
    f->b.echo.http_limits.crowded_rate_min = INT64_MAX; /* nobody is fast enough */
    echo_server_start(&f->b.echo);
    int gone = connect_served(f);
    int large = connect_served(f);
    int whole = connect_served(f);
    int coming = connect_served(f);
    raw_send_text(gone, POST("/echo", "4") "ab");
    gate_shut(f);
    raw_reset(gone);
    raw_send_text(large, GET("/bytes/2200000"));
    raw_send_text(whole, POST("/echo", "4") "abcd");
    raw_send_text(coming, POST("/echo", "4") "ab");
    gate_open(f);
    raw_receive(coming, false, &f->b.reply);
    assert_int_not_equal(f->b.reply.status, 200);
    raw_receive(large, true, &f->b.reply);
    assert_int_equal(drain(large, 2200000), 2200000);
    expect(f, whole, 200, "abcd");
    raw_close(large);
    raw_close(whole);
    raw_close(coming);
}

/* It has sent as much as one may in a slice and waits for the next one when it is refused; its
 * refusal may have to wait as well, for the kernel. */
static void a_body_that_outgrows_all_memory_is_told_so_while_it_still_comes(void **state)
{
    enum { share_bytes = HTTP_SLICE_BYTES_MAX + 6 * 1024 };
    static char bytes[64 * 1024];
    struct fixture *f = *state;
    f->b.echo.limits.budget_bytes_max = 2 * (size_t)share_bytes;
    f->b.echo.service.body_bytes_max = 3 * megabyte;
    f->b.echo.http_limits.spool_bytes = 3 * megabyte;
    echo_server_start(&f->b.echo);
    for (int busy = 0; busy <= 4; busy += 2) {
        int fd = raw_connect(f->b.echo.port);
        call_fault_begin((struct call_fault){CALL_WRITE, .times = busy, .code = EAGAIN});
        raw_send_text(fd, POST("/echo", "3000000"));
        for (size_t left = 3 * megabyte; left > 0;) {
            size_t len = left < sizeof(bytes) ? left : sizeof(bytes);
            raw_send(fd, bytes, len);
            left -= len;
        }
        raw_receive(fd, false, &f->b.reply);
        assert_int_equal(call_fault_end(), busy);
        assert_int_equal(f->b.reply.status, 503);
        raw_end_sending(fd);
        assert_true(raw_is_closed_within(fd, soon_ms));
        raw_close(fd);
    }
    echo_bench_ask(&f->b, GET("/hello"));
    assert_int_equal(f->b.reply.status, 200);
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, setup_started, teardown)
#define OWN(test)     cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STARTED(half_a_request_is_completed_by_what_comes_while_it_waits),
        STARTED(each_allocation_for_the_rest_of_half_a_request_may_fail),
        STARTED(half_a_request_dies_with_its_sender),
        OWN(half_a_head_behind_a_request_is_408_after_its_time),
        OWN(half_a_head_behind_a_request_keeps_no_place),
        OWN(a_refusal_behind_the_end_of_what_was_sent_closes_at_once),
        STARTED(a_read_that_brings_nothing_changes_nothing),
        STARTED(who_resets_before_the_commit_has_acted_all_the_same),
        STARTED(who_asks_in_the_last_turn_is_answered),
        OWN(who_lingers_does_not_hold_up_the_end),
        STARTED(a_go_ahead_that_cannot_leave_closes_the_connection),
        OWN(a_slow_reader_that_goes_on_reading_gets_it_all),
        OWN(the_slow_readers_that_hold_most_are_closed_first),
        OWN(the_longest_waiting_reader_makes_room_where_there_is_none),
        OWN(bodies_make_room_for_bodies_and_not_for_other_protocols),
        OWN(who_is_gone_or_waits_for_a_turn_gives_way_to_nobody),
        OWN(a_body_that_outgrows_all_memory_is_told_so_while_it_still_comes),
    };
    return cmocka_run_group_tests_name("http_conn", tests, NULL, NULL);
}
