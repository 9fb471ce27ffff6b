/* Who has a place among the connections, over real sockets: a port's and an address's share, who
 * yields to a newcomer and who does not, and a listener that had no memory for one. */
#include "echo_bench.h"
#include "line_echo.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { soon_ms = 2000, places = 4 };

static struct listener_options line_listener;

static struct echo_bench *bench_with_lines(void **state, const struct conn_protocol *protocol)
{
    struct echo_bench *f = *state;
    line_listener = (struct listener_options){
        .kind = line_echo_kind(), .address = "127.0.0.1", .flag = "--line"};
    if (protocol != NULL) {
        line_listener.kind.protocol = protocol;
    }
    f->echo.beside = &line_listener;
    return f;
}

static void expect_hello(struct echo_bench *f, int fd)
{
    raw_send_text(fd, GET("/hello"));
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_string_equal(raw_body(&f->reply), "hello");
}

static void expect_line(int fd)
{
    char got[8];
    raw_send_text(fd, "hi\n");
    assert_int_equal(raw_receive_some(fd, got, sizeof(got)), 3);
    assert_memory_equal(got, "hi\n", 3);
}

static void the_longest_silent_yields_to_a_newcomer(void **state)
{
    struct echo_bench *f = *state;
    f->echo.limits.connections_max = 2;
    echo_server_start(&f->echo);
    int used = raw_connect(f->echo.port);
    expect_hello(f, used);
    int silent = raw_connect(f->echo.port);
    raw_pause_ms(20);
    expect_hello(f, used); /* now the other one has been silent for longer */
    int newcomer = raw_connect(f->echo.port);
    expect_hello(f, newcomer);
    assert_true(raw_is_closed_within(silent, soon_ms));
    expect_hello(f, used);
    raw_close(used);
    raw_close(silent);
    raw_close(newcomer);
}

static void hundreds_of_silent_strangers_lock_nobody_out(void **state)
{
    enum { strangers = 300 };
    struct echo_bench *f = *state;
    int silent[strangers];
    f->echo.limits.connections_max = 100;
    f->echo.limits.port_connections_max = 75;
    echo_server_start(&f->echo);
    for (int i = 0; i < strangers; i++) {
        silent[i] = raw_connect(f->echo.port);
        if (i % 50 == 0) {
            echo_bench_ask(f, GET("/hello"));
            assert_int_equal(f->reply.status, 200);
        }
    }
    echo_bench_ask(f, GET("/hello"));
    assert_int_equal(f->reply.status, 200);
    for (int i = 0; i < strangers; i++) {
        raw_close(silent[i]);
    }
}

/* A head that never ends is silence, however often a byte of it comes. */
static void a_head_that_dribbles_in_keeps_no_place(void **state)
{
    struct echo_bench *f = *state;
    f->echo.limits.connections_max = 1;
    f->echo.http_limits.yield_ms = 30;
    echo_server_start(&f->echo);
    int slow = raw_connect(f->echo.port);
    raw_send_text(slow, "GET /hello HTTP/1.1\r\nx: ");
    for (int i = 0; i < 10; i++) {
        raw_pause_ms(10);
        raw_send_text(slow, "x");
    }
    echo_bench_ask(f, GET("/hello"));
    assert_int_equal(f->reply.status, 200);
    assert_true(raw_is_closed_within(slow, soon_ms));
    raw_close(slow);
}

static void who_is_owed_an_answer_keeps_his_place(void **state)
{
    struct echo_bench *f = *state;
    f->echo.limits.connections_max = 2;
    echo_server_start(&f->echo);
    int parked = raw_connect(f->echo.port);
    raw_send_text(parked, GET("/park"));
    echo_server_await(&f->echo.parked, 1);
    for (int i = 0; i < 3; i++) {
        int fd = raw_connect(f->echo.port);
        expect_hello(f, fd);
        raw_close(fd);
    }
    int silent = raw_connect(f->echo.port);
    echo_bench_ask(f, GET("/wake"));
    raw_receive(parked, false, &f->reply);
    assert_string_equal(raw_body(&f->reply), "woken");
    raw_close(parked);
    raw_close(silent);
}

static void a_reader_that_takes_nothing_yields(void **state)
{
    struct echo_bench *f = *state;
    f->echo.limits.connections_max = 1;
    f->echo.http_limits.reader_yield_ms = 20;
    echo_server_start(&f->echo);
    int reader = raw_connect(f->echo.port);
    raw_send_text(reader, GET("/bytes/20000000"));
    echo_server_await(&f->echo.requests, 1);
    f->reply.status = 0;
    for (int i = 0; i < 100 && f->reply.status != 200; i++) {
        raw_pause_ms(30); /* until it has waited for long enough */
        echo_bench_ask(f, GET("/hello"));
    }
    assert_int_equal(f->reply.status, 200);
    raw_close(reader);
}

static void a_full_port_leaves_places_to_the_others(void **state)
{
    struct echo_bench *f = bench_with_lines(state, NULL);
    int parked[places];
    f->echo.limits.connections_max = places + 2;
    f->echo.limits.port_connections_max = places;
    echo_server_start(&f->echo);
    for (int i = 0; i < places; i++) {
        parked[i] = raw_connect(f->echo.port);
        raw_send_text(parked[i], GET("/park"));
    }
    echo_server_await(&f->echo.parked, places);
    echo_bench_ask(f, GET("/hello"));
    assert_int_equal(f->reply.status, 503);
    int line = raw_connect(f->echo.beside_port);
    expect_line(line);
    raw_close(line);
    for (int i = 0; i < places; i++) {
        raw_close(parked[i]);
    }
}

static void a_full_address_leaves_places_to_the_others(void **state)
{
    struct echo_bench *f = *state;
    int parked[places];
    f->echo.limits.connections_max = places + 2;
    f->echo.limits.address_connections_max = places;
    echo_server_start(&f->echo);
    for (int i = 0; i < places; i++) {
        parked[i] = raw_connect(f->echo.port);
        raw_send_text(parked[i], GET("/park"));
    }
    echo_server_await(&f->echo.parked, places);
    echo_bench_ask(f, GET("/hello"));
    assert_int_equal(f->reply.status, 503);
    int other = raw_connect_from("127.0.0.2", f->echo.port);
    if (other < 0) {
        print_message("not tested: this machine has no address 127.0.0.2\n");
    } else {
        expect_hello(f, other);
        raw_close(other);
    }
    for (int i = 0; i < places; i++) {
        raw_close(parked[i]);
    }
}

/* An IPv4 client of a listener for both comes as an IPv6 address, and has one share all the same.
 */
static void an_address_is_the_same_whichever_way_it_comes(void **state)
{
    struct echo_bench *f = bench_with_lines(state, NULL);
    int parked[places];
    int other = raw_connect_ipv6(9); /* nobody there; is there IPv6? */
    if (other < 0 && errno != ECONNREFUSED) {
        skip();
    }
    f->echo.address = "::";
    f->echo.limits.connections_max = places + 4;
    f->echo.limits.address_connections_max = places;
    echo_server_start(&f->echo);
    for (int i = 0; i < places; i++) { /* half of them over the IPv4 listener */
        parked[i] = raw_connect(i % 2 == 0 ? f->echo.port : f->echo.beside_port);
        raw_send_text(parked[i], i % 2 == 0 ? GET("/park") : "a line");
    }
    echo_server_await(&f->echo.parked, places / 2);
    echo_bench_ask(f, GET("/hello"));
    assert_int_equal(f->reply.status, 503);
    other = raw_connect_ipv6(f->echo.port);
    expect_hello(f, other);
    raw_close(other);
    for (int i = 0; i < places; i++) {
        raw_close(parked[i]);
    }
}

/* --- no memory for a newcomer --- */

static atomic_int lacking; /* connections for which there is none */

static struct conn *poor_conn_new(struct server *server, void *ctx)
{
    if (atomic_load(&lacking) > 0) {
        atomic_fetch_sub(&lacking, 1);
        return NULL;
    }
    return line_echo_kind().protocol->conn_new(server, ctx);
}

/* Nothing else happens that could wake the server. */
static void a_listener_without_memory_hears_again_by_itself(void **state)
{
    static struct conn_protocol poor;
    poor = *line_echo_kind().protocol;
    poor.conn_new = poor_conn_new;
    struct echo_bench *f = bench_with_lines(state, &poor);
    echo_server_start(&f->echo);
    atomic_store(&lacking, 3);
    int line = raw_connect(f->echo.beside_port);
    expect_line(line);
    assert_int_equal(atomic_load(&lacking), 0);
    raw_close(line);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, echo_bench_setup, echo_bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_longest_silent_yields_to_a_newcomer),
        TEST(hundreds_of_silent_strangers_lock_nobody_out),
        TEST(a_head_that_dribbles_in_keeps_no_place),
        TEST(who_is_owed_an_answer_keeps_his_place),
        TEST(a_reader_that_takes_nothing_yields),
        TEST(a_full_port_leaves_places_to_the_others),
        TEST(a_full_address_leaves_places_to_the_others),
        TEST(an_address_is_the_same_whichever_way_it_comes),
        TEST(a_listener_without_memory_hears_again_by_itself),
    };
    return cmocka_run_group_tests_name("places", tests, NULL, NULL);
}
