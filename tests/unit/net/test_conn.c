/* The life of connections over real sockets: ends and disconnects, parked requests, every timeout
 * and limit, stopping, listening. The service is tests/support/echo_server.c. */
#include "echo_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { short_ms = 60, soon_ms = 2000 };

/* --- ends of connections --- */

static void a_client_that_ended_its_side_still_gets_its_answers(void **state)
{
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, GET("/hello") GET("/hello") GET("/facts"));
    raw_end_sending(fd);
    raw_receive(fd, false, &f->reply);
    assert_string_equal(raw_body(&f->reply), "hello");
    raw_receive(fd, false, &f->reply);
    assert_string_equal(raw_body(&f->reply), "hello");
    raw_receive_all(fd, &f->reply);
    assert_string_equal(raw_body(&f->reply), "GET /facts a 1");
    raw_close(fd);
}

static void a_request_cut_off_is_dropped_silently(void **state)
{
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    raw_end_sending(fd);
    raw_receive_all(fd, &f->reply);
    assert_int_equal(f->reply.status, 0);
    assert_int_equal(atomic_load(&f->echo.requests), 0);
    raw_close(fd);
}

static void a_parked_request_is_answered_behind_a_closed_sending_side(void **state)
{
    struct echo_bench *f = *state;
    int before = raw_connect(f->echo.port);
    int after = raw_connect(f->echo.port);
    raw_send_text(before, GET("/park"));
    raw_end_sending(before); /* with the request */
    raw_send_text(after, GET("/park"));
    echo_server_await(&f->echo.parked, 2);
    raw_end_sending(after);
    echo_bench_ask(f, GET("/wake"));
    raw_receive_all(before, &f->reply);
    assert_string_equal(raw_body(&f->reply), "woken");
    raw_receive_all(after, &f->reply);
    assert_string_equal(raw_body(&f->reply), "woken");
    raw_close(before);
    raw_close(after);
}

static void a_parked_request_is_cancelled_when_its_client_resets(void **state)
{
    struct echo_bench *f = *state;
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, GET("/park"));
    echo_server_await(&f->echo.parked, 1);
    raw_reset(fd);
    echo_server_await(&f->echo.cancelled, 1);
    echo_bench_ask(f, GET("/wake"));
    assert_int_equal(f->reply.status, 200);
}

static void a_parked_request_is_answered_when_woken(void **state)
{
    struct echo_bench *f = *state;
    int waiting[3];
    for (int i = 0; i < 3; i++) {
        waiting[i] = raw_connect(f->echo.port);
        raw_send_text(waiting[i], GET("/park"));
    }
    echo_server_await(&f->echo.parked, 3);
    echo_bench_ask(f, GET("/wake"));
    for (int i = 0; i < 3; i++) {
        raw_receive(waiting[i], false, &f->reply);
        assert_string_equal(raw_body(&f->reply), "woken");
        raw_close(waiting[i]);
    }
    assert_int_equal(atomic_load(&f->echo.cancelled), 0);
}

static void deadlines_answer_parked_requests(void **state)
{
    struct echo_bench *f = *state;
    echo_bench_ask(f, GET("/park/5"));
    assert_string_equal(raw_body(&f->reply), "late");
    echo_bench_ask(f, GET("/outer/5"));
    assert_int_equal(f->reply.status, 504);
    assert_string_equal(raw_body(&f->reply), "outer");
    assert_int_equal(atomic_load(&f->echo.cancelled), 1);
}

/* --- limits in time and number --- */

static void a_head_that_dribbles_in_is_408(void **state)
{
    struct echo_bench *f = *state;
    f->echo.http_limits.head_ms = short_ms;
    echo_server_start(&f->echo);
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, "GET /hello HT");
    raw_receive_all(fd, &f->reply);
    assert_int_equal(f->reply.status, 408);
    raw_close(fd);
}

static void a_body_that_dribbles_in_is_408(void **state)
{
    struct echo_bench *f = *state;
    f->echo.http_limits.body_ms = short_ms;
    echo_server_start(&f->echo);
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
    /* Each byte comes in time, but they do not add up to a rate. */
    for (int i = 0; i < 500; i++) {
        if (!raw_send_some(fd, "x", 1) || raw_is_readable_within(fd, 10)) {
            break;
        }
    }
    raw_receive_all(fd, &f->reply);
    assert_int_equal(f->reply.status, 408);
    raw_close(fd);
}

/* What came in fast has earned hours by its rate. */
static void a_body_that_goes_silent_is_408(void **state)
{
    static char body[250 * 1024];
    struct echo_bench *f = *state;
    f->echo.http_limits.body_ms = short_ms;
    echo_server_start(&f->echo);
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 256001\r\n\r\n");
    raw_send(fd, body, sizeof(body));
    raw_receive_all(fd, &f->reply);
    assert_int_equal(f->reply.status, 408);
    raw_close(fd);
}

static void idle_connections_are_closed(void **state)
{
    struct echo_bench *f = *state;
    f->echo.http_limits.idle_ms = short_ms;
    echo_server_start(&f->echo);
    int silent = raw_connect(f->echo.port);
    int used = raw_connect(f->echo.port);
    raw_send_text(used, GET("/hello"));
    raw_receive(used, false, &f->reply);
    assert_true(raw_is_closed_within(silent, soon_ms));
    assert_true(raw_is_closed_within(used, soon_ms));
    raw_close(silent);
    raw_close(used);
}

static void a_reader_that_does_not_read_is_closed(void **state)
{
    struct echo_bench *f = *state;
    f->echo.http_limits.send_ms = short_ms;
    echo_server_start(&f->echo);
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, GET("/bytes/20000000"));
    echo_server_await(&f->echo.requests, 1);
    /* Others are served meanwhile. */
    echo_bench_ask(f, GET("/hello"));
    assert_int_equal(f->reply.status, 200);
    for (int i = 0; i < 200 && raw_send_some(fd, "x", 1); i++) {
        raw_pause_ms(10);
    }
    assert_false(raw_send_some(fd, "x", 1));
    raw_close(fd);
}

static void connections_beyond_the_limit_are_told_so(void **state)
{
    struct echo_bench *f = *state;
    f->echo.limits.connections_max = 2;
    echo_server_start(&f->echo);
    int waiting[2];
    for (int i = 0; i < 2; i++) {
        waiting[i] = raw_connect(f->echo.port);
        raw_send_text(waiting[i], GET("/park/300"));
    }
    echo_server_await(&f->echo.parked, 2);
    int third = raw_connect(f->echo.port);
    raw_receive_all(third, &f->reply);
    assert_int_equal(f->reply.status, 503);
    assert_string_equal(raw_body(&f->reply), "overloaded");
    raw_close(third);
    for (int i = 0; i < 2; i++) {
        raw_receive(waiting[i], false, &f->reply);
        assert_string_equal(raw_body(&f->reply), "late");
        raw_close(waiting[i]);
    }
}

static void request_bytes_in_flight_have_a_budget(void **state)
{
    static char body[150 * 1024];
    struct echo_bench *f = *state;
    f->echo.limits.budget_bytes_max = 2 * 200 * 1024;
    echo_server_start(&f->echo);
    int first = raw_connect(f->echo.port);
    raw_send_text(first, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 153601\r\n\r\n");
    raw_send(first, body, sizeof(body));
    echo_bench_ask(f, GET("/hello"));
    int second = raw_connect(f->echo.port);
    raw_send_text(second, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 153601\r\n\r\n");
    raw_send(second, body, sizeof(body));
    raw_receive(second, false, &f->reply);
    assert_int_equal(f->reply.status, 503);
    raw_close(second);
    raw_send_text(first, "!");
    raw_receive(first, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    raw_close(first);
}

static void refusals_for_want_of_room_leave_room_for_the_rest(void **state)
{
    static char body[150 * 1024];
    enum { clients = 4 };
    struct echo_bench *f = *state;
    int fds[clients];
    int served = 0;
    f->echo.limits.budget_bytes_max = 2 * 400 * 1024;
    echo_server_start(&f->echo);
    for (int i = 0; i < clients; i++) {
        fds[i] = raw_connect(f->echo.port);
        raw_send_text(fds[i], "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 153600\r\n\r\n");
        raw_send(fds[i], body, sizeof(body) - 1);
    }
    echo_bench_ask(f, GET("/hello")); /* by now the server has looked at all of them */
    for (int i = 0; i < clients; i++) {
        (void)raw_send_some(fds[i], "!", 1);
        raw_receive(fds[i], false, &f->reply);
        served += f->reply.status == 200;
        raw_close(fds[i]);
    }
    assert_int_equal(served, 2);
}

/* --- bodies that are too large for memory --- */

static char spooled_body[250 * 1024];

static void spooled_body_fill(void)
{
    for (size_t i = 0; i < sizeof(spooled_body); i++) {
        spooled_body[i] = (char)('a' + i % 23);
    }
}

/* With another request behind it. */
static void a_large_body_waits_in_a_file(void **state)
{
    struct echo_bench *f = *state;
    spooled_body_fill();
    f->echo.http_limits.spool_bytes = 20 * 1024;
    echo_server_start(&f->echo);
    int fd = raw_connect(f->echo.port);
    for (int i = 0; i < 2; i++) {
        raw_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 256000\r\n\r\n");
        raw_send(fd, spooled_body, sizeof(spooled_body));
        raw_send_text(fd, GET("/facts"));
        raw_receive(fd, false, &f->reply);
        assert_int_equal(f->reply.status, 200);
        assert_memory_equal(raw_body(&f->reply), spooled_body, sizeof(spooled_body));
        raw_receive(fd, false, &f->reply);
        assert_string_equal(raw_body(&f->reply), "GET /facts a 1");
    }
    raw_close(fd);
}

static void what_waits_in_a_file_is_not_in_memory(void **state)
{
    enum { times = 20 };
    struct echo_bench *f = *state;
    f->echo.service.body_bytes_max = (times + 1) * sizeof(spooled_body);
    f->echo.http_limits.spool_bytes = 20 * 1024;
    f->echo.limits.budget_bytes_max = 2 * 1024 * 1024;
    echo_server_start(&f->echo);
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, "POST /nothing HTTP/1.1\r\nHost: a\r\nContent-Length: 5120000\r\n\r\n");
    for (int i = 0; i < times; i++) {
        raw_send(fd, spooled_body, sizeof(spooled_body));
    }
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 404);
    raw_close(fd);
}

static void a_large_chunked_body_waits_in_a_file(void **state)
{
    enum { chunk_bytes = 25000 };
    struct echo_bench *f = *state;
    spooled_body_fill();
    f->echo.http_limits.spool_bytes = 20 * 1024;
    echo_server_start(&f->echo);
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t i = 0; i < 10; i++) {
        raw_send_text(fd, "61a8\r\n");
        raw_send(fd, spooled_body + i * chunk_bytes, chunk_bytes);
        raw_send_text(fd, "\r\n");
    }
    raw_send_text(fd, "0\r\n\r\n");
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_memory_equal(raw_body(&f->reply), spooled_body, 10 * chunk_bytes);
    raw_close(fd);
}

static void a_large_body_that_cannot_be_kept_is_503(void **state)
{
    static const struct {
        const char *directory;
        size_t spools_max;
        size_t spooled_bytes_max;
    } cases[] = {{"/tmp", 0, 1 << 30}, {"/nowhere at all", 1, 1 << 30}, {"/tmp", 1, 30 * 1024}};
    struct echo_bench *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f->echo.http_limits.spool_bytes = 20 * 1024;
        f->echo.http_limits.spool_directory = cases[i].directory;
        f->echo.http_limits.spools_max = cases[i].spools_max;
        f->echo.http_limits.spooled_bytes_max = cases[i].spooled_bytes_max;
        echo_server_start(&f->echo);
        int fd = raw_connect(f->echo.port);
        raw_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 256000\r\n\r\n");
        raw_send(fd, spooled_body, sizeof(spooled_body) - 1);
        raw_receive(fd, false, &f->reply);
        assert_int_equal(f->reply.status, 503);
        raw_close(fd);
        echo_bench_ask(f, GET("/hello"));
        assert_int_equal(f->reply.status, 200);
        echo_server_stop(&f->echo);
    }
    echo_server_start(&f->echo); /* for the teardown */
}

/* Bodies that are sent for the most part and then dribble on hold the memory of all requests. */
static void held_back_bodies_are_given_up_for_those_that_come(void **state)
{
    static char body[150 * 1024];
    enum { hostages = 2 };
    struct echo_bench *f = *state;
    int fds[hostages];
    f->echo.limits.budget_bytes_max = 2 * 350 * 1024;
    f->echo.http_limits.crowded_ms = short_ms;
    f->echo.http_limits.crowded_rate_min = INT64_MAX;
    echo_server_start(&f->echo);
    for (int i = 0; i < hostages; i++) {
        fds[i] = raw_connect(f->echo.port);
        raw_send_text(fds[i], "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
        raw_send(fds[i], body, sizeof(body));
    }
    raw_pause_ms(5 * short_ms);
    int honest = raw_connect(f->echo.port);
    raw_send_text(honest, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 153600\r\n\r\n");
    raw_send(honest, body, sizeof(body));
    raw_receive(honest, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    raw_receive_all(fds[0], &f->reply);
    assert_int_equal(f->reply.status, 408);
    raw_close(honest);
    for (int i = 0; i < hostages; i++) {
        raw_close(fds[i]);
    }
}

/* Whoever has just come with little is let in at once, however fast the others' bodies came. */
static void who_holds_most_gives_way_to_who_holds_little(void **state)
{
    static char body[290 * 1024];
    enum { hoarders = 6, newcomers = 20, budget_bytes = 2 * 2 * 1024 * 1024 };
    struct echo_bench *f = *state;
    int fds[hoarders + newcomers];
    int served = 0;
    f->echo.limits.budget_bytes_max = budget_bytes;
    echo_server_start(&f->echo);
    for (int i = 0; i < hoarders; i++) {
        fds[i] = raw_connect(f->echo.port);
        raw_send_text(fds[i], "POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 296960\r\n\r\n");
        raw_send(fds[i], body, sizeof(body) - 1);
        echo_bench_ask(f, GET("/hello"));
    }
    for (int i = hoarders; i < hoarders + newcomers; i++) {
        fds[i] = raw_connect(f->echo.port);
        raw_send_text(fds[i], "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na");
        echo_bench_ask(f, GET("/hello"));
    }
    for (int i = hoarders; i < hoarders + newcomers; i++) {
        raw_send_text(fds[i], "b");
        raw_receive(fds[i], false, &f->reply);
        assert_int_equal(f->reply.status, 200);
        assert_string_equal(raw_body(&f->reply), "ab");
    }
    for (int i = 0; i < hoarders; i++) {
        (void)raw_send_some(fds[i], "!", 1);
        raw_receive(fds[i], false, &f->reply);
        assert_true(f->reply.status == 404 || f->reply.status == 503);
        served += f->reply.status == 404;
    }
    assert_int_equal(served, hoarders - 1);
    for (int i = 0; i < hoarders + newcomers; i++) {
        raw_close(fds[i]);
    }
}

/* Waits in the first turn until the test lets it go on. */
static bool first_turn_waits(void *ctx)
{
    atomic_bool *may_go_on = ctx;
    while (!atomic_load(may_go_on)) {
        raw_pause_ms(1);
    }
    return false;
}

/* Answers that leave with their turn are no reason to refuse one: it waits for the next turn. */
static void what_finds_no_room_for_its_answer_waits_for_the_next_turn(void **state)
{
    enum { clients = 20 };
    struct echo_bench *f = *state;
    int fds[clients];
    static atomic_bool may_go_on; /* outlives a test that fails */
    f->echo.limits.budget_bytes_max = 512 * 1024;
    f->echo.work = (struct turn_work){first_turn_waits, &may_go_on};
    echo_server_start(&f->echo);
    for (int i = 0; i < clients; i++) {
        fds[i] = raw_connect(f->echo.port);
        raw_send_text(fds[i], GET("/bytes/40000"));
    }
    atomic_store(&may_go_on, true);
    for (int i = 0; i < clients; i++) {
        raw_receive(fds[i], false, &f->reply);
        assert_int_equal(f->reply.status, 200);
        raw_close(fds[i]);
    }
    echo_server_stop(&f->echo);
}

/* Heads that never end take memory as well: the one that has been there longest gives way. */
static void heads_that_never_end_give_way_to_others(void **state)
{
    enum { dribblers = 170, budget_bytes = 2 * 2 * 1024 * 1024 };
    struct echo_bench *f = *state;
    int fds[dribblers];
    f->echo.limits.budget_bytes_max = budget_bytes;
    echo_server_start(&f->echo);
    for (int i = 0; i < dribblers; i++) {
        fds[i] = raw_connect(f->echo.port);
        raw_send_text(fds[i], "GET /hello HTTP/1.1\r\nHost: a\r\nX-A: ");
    }
    echo_bench_ask(f, GET("/hello"));
    assert_int_equal(f->reply.status, 200);
    raw_receive_all(fds[0], &f->reply);
    assert_int_equal(f->reply.status, 503);
    raw_send_text(fds[dribblers - 1], "b\r\n\r\n");
    raw_receive(fds[dribblers - 1], false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    for (int i = 0; i < dribblers; i++) {
        raw_close(fds[i]);
    }
}

static void slow_readers_are_closed_for_those_that_read(void **state)
{
    struct echo_bench *f = *state;
    f->echo.limits.budget_bytes_max = 38 * 1024 * 1024;
    f->echo.http_limits.crowded_ms = short_ms;
    f->echo.http_limits.crowded_rate_min = 1024 * 1024 * 1024;
    echo_server_start(&f->echo);
    f->reply.status = 0;
    int slow = raw_connect(f->echo.port);
    raw_send_text(slow, GET("/bytes/30000000"));
    echo_server_await(&f->echo.requests, 1);
    for (int i = 0; i < 100 && f->reply.status != 200; i++) {
        raw_pause_ms(short_ms); /* until it has been slow for long enough to say */
        echo_bench_ask(f, GET("/hello"));
    }
    assert_int_equal(f->reply.status, 200);
    static char got[64 * 1024];
    size_t len = 0;
    for (size_t some = 1; some > 0; len += some) {
        some = raw_receive_some(slow, got, sizeof(got));
    }
    assert_true(len < 30000000);
    raw_close(slow);
}

/* Measured by what the kernels do not hold: a client that never reads its answers goes on sending
 * until the server stops reading. */
static void a_flood_of_pipelined_requests_is_left_in_the_kernel(void **state)
{
    static char flood[64 * 1024];
    static const char request[] = GET("/hello");
    enum { flood_bytes_max = 64 * 1024 * 1024, kernel_bytes_max = 24 * 1024 * 1024 };
    struct echo_bench *f = *state;
    size_t filled = 0;
    for (; filled + sizeof(request) <= sizeof(flood); filled += sizeof(request) - 1) {
        memcpy(flood + filled, request, sizeof(request) - 1);
    }
    int fd = raw_connect(f->echo.port);
    size_t sent = 0;
    int stuck = 0;
    while (sent < flood_bytes_max && stuck < 100) {
        size_t count = raw_send_what_fits(fd, flood + sent % filled, filled - sent % filled);
        sent += count;
        stuck = count > 0 ? 0 : stuck + 1;
        raw_pause_ms(count > 0 ? 0 : 1);
    }
    size_t taken = (size_t)atomic_load(&f->echo.requests) * (sizeof(request) - 1);
    assert_true(sent - taken < kernel_bytes_max);
    assert_true(raw_send_some(fd, "x", 1)); /* it waits, it is not cut off */
    echo_bench_ask(f, GET("/hello"));
    assert_int_equal(f->reply.status, 200);
    raw_close(fd);
}

static void pipelined_requests_of_any_size_are_all_answered(void **state)
{
    enum { rounds = 40 };
    static char text[rounds * 8200];
    struct echo_bench *f = *state;
    size_t len = 0;
    for (size_t i = 0; i < rounds; i++) {
        size_t body = (i * 797) % 8000;
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len,
                             "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", body);
        memset(text + len, 'a' + (int)(i % 26), body);
        len += body;
    }
    int fd = raw_connect(f->echo.port);
    raw_send(fd, text, len);
    raw_end_sending(fd);
    raw_receive_all(fd, &f->reply);
    assert_int_equal(atomic_load(&f->echo.requests), rounds);
    assert_int_equal(f->reply.text[f->reply.len - 1], 'a' + (rounds - 1) % 26);
    raw_close(fd);
}

/* --- stopping --- */

static void stopping_answers_the_parked_and_closes_the_idle(void **state)
{
    struct echo_bench *f = *state;
    int idle = raw_connect(f->echo.port);
    int waiting = raw_connect(f->echo.port);
    raw_send_text(idle, GET("/hello"));
    raw_receive(idle, false, &f->reply);
    raw_send_text(waiting, GET("/park"));
    echo_server_await(&f->echo.parked, 1);
    echo_server_stop(&f->echo);
    raw_receive_all(waiting, &f->reply);
    assert_int_equal(f->reply.status, 503);
    assert_string_equal(raw_body(&f->reply), "stopping");
    assert_true(echo_bench_has_header(f, "Connection", "close"));
    assert_true(raw_is_closed_within(idle, soon_ms));
    assert_int_equal(atomic_load(&f->echo.cancelled), 1);
    raw_close(idle);
    raw_close(waiting);
}

static void stopping_does_not_wait_for_ever_for_a_request_under_way(void **state)
{
    struct echo_bench *f = *state;
    f->echo.limits.stop_ms = short_ms;
    echo_server_start(&f->echo);
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
    echo_bench_ask(f, GET("/hello"));
    echo_server_stop(&f->echo);
    assert_true(raw_is_closed_within(fd, soon_ms));
    raw_close(fd);
}

/* --- listening --- */

static void a_taken_port_is_named_with_the_flag_that_changes_it(void **state)
{
    struct echo_bench *f = *state;
    const struct server_options options = {.env = &f->echo.env, .log = &f->echo.log};
    struct server *server;
    struct error err = ERROR_NONE;
    char expected[64];
    int port;
    assert_int_equal(server_new(&options, &server, &err), STATUS_OK);
    const struct conn_kind kind = {.protocol = NULL}; /* nobody connects */
    const struct listener_options taken = {kind, "127.0.0.1", f->echo.port, "--gateway"};
    assert_int_equal(server_listen(server, &taken, &port, &err), STATUS_CONFIG);
    snprintf(expected, sizeof(expected), "127.0.0.1:%d", f->echo.port);
    assert_non_null(strstr(err.message, expected));
    assert_non_null(strstr(err.message, "--gateway"));
    const struct listener_options nonsense = {kind, "ec2-host", 0, "--gateway"};
    assert_int_equal(server_listen(server, &nonsense, &port, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.message, "--bind"));
    const struct listener_options foreign = {kind, "203.0.113.7", 0, "--gateway"};
    assert_int_equal(server_listen(server, &foreign, &port, &err), STATUS_CONFIG);
    server_free(server);
}

#define STARTED(test)                                                                              \
    cmocka_unit_test_setup_teardown(test, echo_bench_setup_started, echo_bench_teardown)
#define OWN(test) cmocka_unit_test_setup_teardown(test, echo_bench_setup, echo_bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STARTED(a_client_that_ended_its_side_still_gets_its_answers),
        STARTED(a_request_cut_off_is_dropped_silently),
        STARTED(a_parked_request_is_answered_behind_a_closed_sending_side),
        STARTED(a_parked_request_is_cancelled_when_its_client_resets),
        STARTED(a_parked_request_is_answered_when_woken),
        STARTED(deadlines_answer_parked_requests),
        OWN(a_head_that_dribbles_in_is_408),
        OWN(a_body_that_dribbles_in_is_408),
        OWN(a_body_that_goes_silent_is_408),
        OWN(idle_connections_are_closed),
        OWN(a_reader_that_does_not_read_is_closed),
        OWN(connections_beyond_the_limit_are_told_so),
        OWN(request_bytes_in_flight_have_a_budget),
        OWN(refusals_for_want_of_room_leave_room_for_the_rest),
        OWN(a_large_body_waits_in_a_file),
        OWN(what_waits_in_a_file_is_not_in_memory),
        OWN(a_large_chunked_body_waits_in_a_file),
        OWN(a_large_body_that_cannot_be_kept_is_503),
        OWN(held_back_bodies_are_given_up_for_those_that_come),
        OWN(who_holds_most_gives_way_to_who_holds_little),
        OWN(heads_that_never_end_give_way_to_others),
        OWN(what_finds_no_room_for_its_answer_waits_for_the_next_turn),
        OWN(slow_readers_are_closed_for_those_that_read),
        STARTED(a_flood_of_pipelined_requests_is_left_in_the_kernel),
        STARTED(pipelined_requests_of_any_size_are_all_answered),
        STARTED(stopping_answers_the_parked_and_closes_the_idle),
        OWN(stopping_does_not_wait_for_ever_for_a_request_under_way),
        STARTED(a_taken_port_is_named_with_the_flag_that_changes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
