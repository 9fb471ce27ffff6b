/* A listener carries the protocol of its connections: a line protocol and HTTP on one server, over
 * real sockets, with one store behind their turns. */
#include "echo_server.h"
#include "line_echo.h"
#include "raw_socket.h"
#include "store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct echo_server echo;
    struct store *store;
    int line_port;
    atomic_size_t turns_bytes; /* what all turns counted as received */
};

/* Runs in every turn. */
static bool turn_passes(void *ctx)
{
    struct fixture *f = ctx;
    atomic_fetch_add(&f->turns_bytes, f->echo.server->turn_bytes);
    return false;
}

static int setup_kind(void **state, struct conn_kind kind)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    struct error err = ERROR_NONE;
    memset(f, 0, sizeof(*f));
    echo_server_init(&f->echo);
    const struct store_options store = {.env = &f->echo.env, .log = &f->echo.log};
    assert_int_equal(store_open(&store, &f->store, &err), STATUS_OK);
    const struct listener_options line = {.kind = kind, .address = "127.0.0.1", .flag = "--line"};
    f->echo.store = f->store;
    f->echo.work = (struct turn_work){turn_passes, f};
    f->echo.beside = &line;
    echo_server_start(&f->echo);
    f->line_port = f->echo.beside_port;
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_kind(state, line_echo_kind());
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->echo.server != NULL) {
        echo_server_stop(&f->echo);
    }
    store_close(f->store);
    return 0;
}

static void expect(int fd, const char *answer)
{
    char got[256];
    size_t len = 0;
    while (len < strlen(answer)) {
        size_t count = raw_receive_some(fd, got + len, strlen(answer) - len);
        assert_int_not_equal(count, 0);
        len += count;
    }
    assert_memory_equal(got, answer, len);
}

static void each_port_speaks_its_own_protocol(void **state)
{
    struct fixture *f = *state;
    static struct raw_reply reply;
    int line = raw_connect(f->line_port);
    int http = raw_connect(f->echo.port);
    raw_send_text(line, "hello\nworld\n+a\n");
    raw_send_text(http, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(line, "hello\nworld\n+a\n");
    raw_receive(http, false, &reply);
    assert_string_equal(raw_body(&reply), "hello");
    raw_close(http);
    raw_close(line);
    echo_server_stop(&f->echo);
    assert_int_equal(store_topic_count(f->store), 1);
}

static void a_client_that_leaves_does_not_take_its_commit_along(void **state)
{
    struct fixture *f = *state;
    int line = raw_connect(f->line_port);
    raw_send_text(line, "+a\n");
    raw_close(line);
    line = raw_connect(f->line_port);
    raw_send_text(line, "still there?\n");
    expect(line, "still there?\n");
    raw_close(line);
    echo_server_stop(&f->echo);
    assert_int_equal(store_topic_count(f->store), 1);
}

static void whatever_a_protocol_receives_counts_in_its_turn(void **state)
{
    static const char lines[] = "hello\nworld\n+a\n";
    struct fixture *f = *state;
    int line = raw_connect(f->line_port);
    raw_send_text(line, lines);
    expect(line, lines);
    raw_close(line);
    echo_server_stop(&f->echo);
    assert_int_equal(atomic_load(&f->turns_bytes), strlen(lines));
}

/* --- a protocol that would take everything at once --- */

static char gulp[8 * SERVER_CROWDED_READ_BYTES];
static atomic_size_t gulped;
static atomic_size_t largest_gulp;

/* The others have sent enough already, in every turn. */
static uv_buf_t gulp_room(struct conn *conn)
{
    conn->server->turn_bytes = SERVER_TURN_BYTES_MAX;
    return uv_buf_init(gulp, sizeof(gulp));
}

static void gulp_received(struct conn *conn, size_t count)
{
    (void)conn;
    if (count > atomic_load(&largest_gulp)) {
        atomic_store(&largest_gulp, count);
    }
    atomic_fetch_add(&gulped, count);
}

static int setup_gulping(void **state)
{
    static struct conn_protocol gulping;
    gulping = *line_echo_kind().protocol;
    gulping.room = gulp_room;
    gulping.received = gulp_received;
    return setup_kind(state, (struct conn_kind){.protocol = &gulping});
}

static void no_protocol_reads_much_in_a_crowded_turn(void **state)
{
    static const char bytes[1024 * 1024];
    struct fixture *f = *state;
    int line = raw_connect(f->line_port);
    raw_send(line, bytes, sizeof(bytes));
    raw_end_sending(line);
    assert_true(raw_is_closed_within(line, RAW_WAIT_MS));
    raw_close(line);
    assert_int_equal(atomic_load(&gulped), sizeof(bytes));
    assert_in_range(atomic_load(&largest_gulp), 1, SERVER_CROWDED_READ_BYTES);
}

/* --- a protocol that always has something to do --- */

enum { busy_conns = 8, busy_step_us = TURN_US_MAX / 2 };

static atomic_llong busy_clock_us; /* that its work takes */
static atomic_int busy_steps;
static atomic_int busy_steps_most; /* in one turn */

static int64_t busy_monotonic_us(struct env *env)
{
    (void)env;
    return atomic_load(&busy_clock_us);
}

static void busy_received(struct conn *conn, size_t count)
{
    (void)count;
    conn_make_ready(conn);
}

static void busy_ready(struct conn *conn)
{
    atomic_fetch_add(&busy_steps, 1);
    atomic_fetch_add(&busy_clock_us, busy_step_us);
    conn_make_ready(conn);
}

static bool busy_turn(void *ctx)
{
    static int steps_before;
    int steps = atomic_load(&busy_steps);
    (void)ctx;
    if (steps - steps_before > atomic_load(&busy_steps_most)) {
        atomic_store(&busy_steps_most, steps - steps_before);
    }
    steps_before = steps;
    return false;
}

static int setup_busy(void **state)
{
    static struct fixture fixture;
    static struct conn_protocol busy;
    static struct listener_options line;
    struct fixture *f = &fixture;
    memset(f, 0, sizeof(*f));
    busy = *line_echo_kind().protocol;
    busy.received = busy_received;
    busy.ready = busy_ready;
    line = (struct listener_options){
        .kind = {.protocol = &busy}, .address = "127.0.0.1", .flag = "--line"};
    echo_server_init(&f->echo);
    f->echo.env.monotonic_us = busy_monotonic_us;
    f->echo.work = (struct turn_work){busy_turn, NULL};
    f->echo.beside = &line;
    echo_server_start(&f->echo);
    *state = f;
    return 0;
}

static void those_that_are_ready_leave_time_to_the_sockets(void **state)
{
    struct fixture *f = *state;
    int fds[busy_conns];
    for (int i = 0; i < busy_conns; i++) {
        fds[i] = raw_connect(f->echo.beside_port);
        raw_send_text(fds[i], "x");
    }
    echo_server_await(&busy_steps, 20 * busy_conns);
    assert_in_range(atomic_load(&busy_steps_most), 1, TURN_US_MAX / busy_step_us);
    for (int i = 0; i < busy_conns; i++) {
        raw_close(fds[i]);
    }
}

static void stopping_closes_all_protocols_connections(void **state)
{
    struct fixture *f = *state;
    int line = raw_connect(f->line_port);
    int http = raw_connect(f->echo.port);
    raw_send_text(line, "hello\n");
    expect(line, "hello\n");
    echo_server_stop(&f->echo);
    assert_true(raw_is_closed_within(line, 2000));
    assert_true(raw_is_closed_within(http, 2000));
    raw_close(http);
    raw_close(line);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_port_speaks_its_own_protocol),
        TEST(a_client_that_leaves_does_not_take_its_commit_along),
        TEST(whatever_a_protocol_receives_counts_in_its_turn),
        cmocka_unit_test_setup_teardown(no_protocol_reads_much_in_a_crowded_turn, setup_gulping,
                                        teardown),
        cmocka_unit_test_setup_teardown(those_that_are_ready_leave_time_to_the_sockets, setup_busy,
                                        teardown),
        TEST(stopping_closes_all_protocols_connections),
    };
    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
