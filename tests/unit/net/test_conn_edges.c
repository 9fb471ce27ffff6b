/* A connection at the edges of what conn.h lets a protocol and a transport do: reading that pauses
 * and goes on in the midst of what the transport has, ends that come early, deadlines that are
 * taken back, calls from inside a close, places that are crowded.
 *
 * The protocol is a player: each byte is a command. Its answers are "<command>" or, on a connection
 * that is over a limit, "#". */
#include "alloc_fault.h"
#include "echo_bench.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SOON_US = 1000, TEXT_BYTES = 64, REFUSED = 64 };

/* --- the protocol ----------------------------------------------------------------------------- */

struct player {
    struct conn conn; /* first: cast */
    bool over_limit;
    bool is_full; /* has no room for more */
    bool stays;   /* behind the peer's end */
    char in[1];
};

static atomic_int stops;   /* players that were told that the server stops */
static atomic_int reads;   /* bytes */
static atomic_int clients; /* players that are there */

static struct player *player_of(struct conn *conn)
{
    return (struct player *)(void *)conn;
}

static struct conn *player_new(struct server *server, void *ctx)
{
    struct player *player = calloc(1, sizeof(*player));
    (void)server;
    (void)ctx;
    atomic_fetch_add(&clients, player != NULL);
    return player != NULL ? &player->conn : NULL;
}

static void player_free(struct conn *conn)
{
    free(player_of(conn));
    atomic_fetch_sub(&clients, 1);
}

static void player_opened(struct conn *conn, bool over_limit)
{
    player_of(conn)->over_limit = over_limit;
    conn_read_start(conn);
}

static uv_buf_t player_room(struct conn *conn)
{
    struct player *player = player_of(conn);
    return uv_buf_init(player->in, player->is_full ? 0 : sizeof(player->in));
}

static void player_say(struct conn *conn, char word)
{
    struct player *player = player_of(conn);
    player->in[0] = player->over_limit ? '#' : word;
    const uv_buf_t buf = {.base = player->in, .len = 1};
    PP_ASSERT(conn_send(conn, &buf, 1) == CONN_SENT);
}

static void player_pause(struct conn *conn)
{
    conn_read_stop(conn);
    conn_set_deadline(conn, server_now_us(conn->server) + SOON_US);
}

static void player_received(struct conn *conn, size_t count)
{
    struct player *player = player_of(conn);
    PP_ASSERT(count <= 1 && !conn->closing && !conn->ended);
    if (count == 0) {
        return;
    }
    atomic_fetch_add(&reads, 1);
    switch (player->in[0]) {
    case 'p': /* reads on when its deadline has come */
        player_pause(conn);
        return;
    case 'c':
        conn_close(conn);
        return;
    case 'f':
        player->is_full = true;
        return;
    case 'k':
        player->stays = true;
        return;
    case 'd': /* a deadline that is taken back before it comes */
        conn_set_deadline(conn, server_now_us(conn->server) + SOON_US);
        conn_set_deadline(conn, INT64_MAX);
        break;
    case 'z': /* ends sending, and once more */
        conn_end_sending(conn);
        conn_end_sending(conn);
        return;
    case 'w': /* may be asked for its place */
        conn_wait_begin(conn, 0);
        break;
    case 'W': /* may be asked for it later */
        conn_wait_begin(conn, 60 * 1000);
        break;
    case 'P': /* as a write to a peer that has gone does on some systems */
        pthread_kill(pthread_self(), SIGPIPE);
        break;
    default:
        break;
    }
    player_say(conn, player->in[0]);
}

static void player_ended(struct conn *conn)
{
    PP_ASSERT(conn->ended);
    if (!player_of(conn)->stays) {
        conn_close(conn);
        return;
    }
    conn_read_start(conn); /* there is nothing more to read */
    player_say(conn, '.');
    conn_set_deadline(conn, server_now_us(conn->server) + SOON_US);
}

static void player_expired(struct conn *conn)
{
    if (conn->ended) {
        conn_close(conn);
    } else {
        conn_read_start(conn);
    }
}

static void player_stopping(struct conn *conn)
{
    (void)conn; /* and stays */
    atomic_fetch_add(&stops, 1);
}

/* Whatever a protocol asks for here, there is no more of it. */
static void player_closing(struct conn *conn)
{
    conn_make_ready(conn);
    conn_set_deadline(conn, server_now_us(conn->server));
    conn_wait_begin(conn, 0);
    conn_read_start(conn);
    conn_close(conn);
}

static void player_never(struct conn *conn)
{
    (void)conn;
    BUG("a turn that nobody asked for");
}

static void player_sent(struct conn *conn, bool ok)
{
    (void)conn;
    (void)ok;
}

static const struct conn_protocol playing = {
    .name = "player",
    .conn_new = player_new,
    .conn_free = player_free,
    .opened = player_opened,
    .room = player_room,
    .received = player_received,
    .ended = player_ended,
    .sent = player_sent,
    .ready = player_never,
    .expired = player_expired,
    .stopping = player_stopping,
    .closing = player_closing,
};

/* --- the transports --------------------------------------------------------------------------- */

/* Plain bytes, read many at a time; "!" is the peer's end. */
struct seal {
    size_t start;
    size_t len;
    char in[TEXT_BYTES];
};

static bool seal_opened(struct conn *conn)
{
    conn->transport_state = calloc(1, sizeof(struct seal));
    return conn->transport_state != NULL;
}

static uv_buf_t seal_room(struct conn *conn)
{
    struct seal *seal = conn->transport_state;
    PP_ASSERT(seal->len == 0);
    return uv_buf_init(seal->in, sizeof(seal->in));
}

static void seal_deliver(struct conn *conn)
{
    struct seal *seal = conn->transport_state;
    const char *bytes = seal->in + seal->start;
    const char *end = memchr(bytes, '!', seal->len);
    size_t plain = end != NULL ? (size_t)(end - bytes) : seal->len;
    size_t taken = conn_deliver(conn, bytes, plain);
    seal->start += taken;
    seal->len -= taken;
    if (end != NULL && taken == plain && !conn->closing) {
        conn_peer_ended(conn);
    }
}

static void seal_received(struct conn *conn, size_t count)
{
    struct seal *seal = conn->transport_state;
    seal->start = 0;
    seal->len = count;
    seal_deliver(conn);
}

static void seal_released(struct conn *conn)
{
    free(conn->transport_state);
}

static bool cannot_open(struct conn *conn)
{
    (void)conn;
    return false;
}

static const struct conn_transport sealed = {
    .opened = seal_opened,
    .room = seal_room,
    .received = seal_received,
    .resumed = seal_deliver,
    .released = seal_released,
};
static const struct conn_transport shut = {.opened = cannot_open};

/* --- the bench -------------------------------------------------------------------------------- */

static struct listener_options player_listener;

static int setup(void **state)
{
    int outcome = echo_bench_setup(state);
    struct echo_bench *f = *state;
    player_listener = (struct listener_options){
        .kind = {.protocol = &playing}, .address = "127.0.0.1", .flag = "--play"};
    f->echo.beside = &player_listener;
    f->echo.limits.stop_ms = 100; /* players stay until then */
    atomic_store(&stops, 0);
    return outcome;
}

static int teardown(void **state)
{
    alloc_fault_end();
    int outcome = echo_bench_teardown(state);
    assert_int_equal(atomic_load(&clients), 0);
    return outcome;
}

static void start(struct echo_bench *f, const struct conn_transport *transport)
{
    player_listener.kind.transport = transport;
    echo_server_start(&f->echo);
}

static int player_connect(struct echo_bench *f)
{
    return raw_connect(f->echo.beside_port);
}

static void expect(int fd, const char *expected)
{
    char got[TEXT_BYTES] = "";
    size_t len = 0;
    while (len < strlen(expected)) {
        size_t more = raw_receive_some(fd, got + len, strlen(expected) - len);
        assert_int_not_equal(more, 0);
        len += more;
    }
    assert_string_equal(got, expected);
}

static void say(int fd, const char *text, const char *expected)
{
    raw_send_text(fd, text);
    expect(fd, expected);
}

static void expect_end(int fd)
{
    assert_true(raw_is_closed_within(fd, RAW_WAIT_MS));
    raw_close(fd);
}

/* --- reading ---------------------------------------------------------------------------------- */

/* "p" stops reading amid what came with it. Whatever the rest is, it comes when reading goes on,
 * and then what the socket has. */
static void what_is_left_comes_before_what_the_socket_has(void **state)
{
    static const struct {
        const char *sent;
        const char *answers;
    } cases[] = {
        {"pab", "ab"},     /* reads on */
        {"pap", "a"},      /* takes all of it and stops again */
        {"papb", "ab"},    /* stops again before the rest */
        {"ppppab", "ab"},  /* and again */
        {"apbpcde", "ab"}, /* closes amid it */
        {"pac", "a"},      /* closes at its end */
    };
    struct echo_bench *f = *state;
    start(f, &sealed);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int fd = player_connect(f);
        say(fd, cases[i].sent, cases[i].answers);
        if (strchr(cases[i].sent, 'c') != NULL) {
            expect_end(fd);
            continue;
        }
        say(fd, "xy", "xy");
        raw_close(fd);
    }
}

/* The transport knows of the end before the socket does, and of bytes before it. */
static void an_end_comes_behind_the_bytes_before_it(void **state)
{
    static const char *const sent[] = {"kab!", "kpab!", "kapb!", "kapbp!"};
    struct echo_bench *f = *state;
    start(f, &sealed);
    for (size_t i = 0; i < ARRAY_COUNT(sent); i++) {
        int fd = player_connect(f);
        say(fd, sent[i], "ab.");
        expect_end(fd);
    }
}

static void behind_the_peers_end_all_can_still_be_said(void **state)
{
    struct echo_bench *f = *state;
    start(f, NULL);
    int fd = player_connect(f);
    say(fd, "ka", "a");
    raw_end_sending(fd);
    expect(fd, ".");
    expect_end(fd);
}

static void who_has_no_room_for_more_is_closed(void **state)
{
    struct echo_bench *f = *state;
    const struct conn_transport *const transports[] = {NULL, &sealed};
    for (size_t t = 0; t < ARRAY_COUNT(transports); t++) {
        start(f, transports[t]);
        int fd = player_connect(f);
        say(fd, "afb", "a");
        expect_end(fd);
        echo_server_stop(&f->echo);
    }
    start(f, NULL);
}

/* --- deadlines, closing ----------------------------------------------------------------------- */

static void a_deadline_that_was_taken_back_never_comes(void **state)
{
    struct echo_bench *f = *state;
    start(f, NULL);
    int fd = player_connect(f);
    say(fd, "d", "d");
    raw_pause_ms(20); /* its timer is still armed */
    say(fd, "a", "a");
    raw_close(fd);
}

/* The player asks for a turn, a deadline, a place and bytes while it is closing. */
static void who_is_closing_asks_in_vain(void **state)
{
    struct echo_bench *f = *state;
    start(f, NULL);
    int fd = player_connect(f);
    raw_send_text(fd, "c");
    expect_end(fd);
    fd = player_connect(f);
    say(fd, "a", "a");
    raw_close(fd);
}

static void sending_ends_once(void **state)
{
    struct echo_bench *f = *state;
    start(f, NULL);
    int fd = player_connect(f);
    raw_send_text(fd, "z");
    expect_end(fd);
    fd = player_connect(f);
    say(fd, "a", "a");
    raw_close(fd);
}

static void a_transport_that_cannot_open_costs_its_connection_only(void **state)
{
    struct echo_bench *f = *state;
    start(f, &shut);
    int before = atomic_load(&reads);
    int fd = player_connect(f);
    expect_end(fd);
    assert_int_equal(atomic_load(&reads), before);
    echo_bench_ask(f, GET("/hello"));
    assert_int_equal(f->reply.status, 200);
}

/* --- places ----------------------------------------------------------------------------------- */

/* One place is enough for a newcomer whose port is full and who finds all taken, too. */
static void of_two_limits_one_who_yields_is_enough(void **state)
{
    struct echo_bench *f = *state;
    f->echo.limits.port_connections_max = 1;
    f->echo.limits.address_connections_max = 1;
    f->echo.limits.connections_max = 1;
    start(f, NULL);
    int waits = player_connect(f);
    say(waits, "w", "w");
    int newcomer = player_connect(f);
    say(newcomer, "a", "a");
    expect_end(waits);
    raw_close(newcomer);
}

/* The one who has waited longest is of another port, which is not crowded. */
static void who_is_of_another_port_keeps_his_place(void **state)
{
    struct echo_bench *f = *state;
    f->echo.limits.port_connections_max = 1;
    f->echo.limits.connections_max = 2;
    start(f, NULL);
    int other = raw_connect(f->echo.port);
    raw_send_text(other, GET("/hello"));
    raw_receive(other, false, &f->reply);
    int waits = player_connect(f);
    say(waits, "w", "w");
    int newcomer = player_connect(f);
    say(newcomer, "a", "a");
    expect_end(waits);
    raw_send_text(other, GET("/hello"));
    raw_receive(other, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    raw_close(other);
    raw_close(newcomer);
}

static void nobody_yields_before_what_he_is_owed_is_over(void **state)
{
    struct echo_bench *f = *state;
    f->echo.limits.connections_max = 1;
    start(f, NULL);
    int waits = player_connect(f);
    say(waits, "W", "W");
    int newcomer = player_connect(f);
    say(newcomer, "a", "#");
    say(waits, "a", "a");
    raw_close(newcomer);
    raw_close(waits);
}

/* Who yields for the port does not count twice: beside him somebody is there who keeps his place.
 */
static void who_yields_already_is_not_asked_again(void **state)
{
    struct echo_bench *f = *state;
    f->echo.limits.port_connections_max = 1;
    f->echo.limits.connections_max = 1;
    start(f, NULL);
    int waits = player_connect(f);
    say(waits, "a", "a");
    int refused = player_connect(f);
    say(refused, "a", "#");
    say(waits, "w", "w");
    int newcomer = player_connect(f);
    say(newcomer, "a", "#");
    raw_close(newcomer);
    raw_close(refused);
    raw_close(waits);
}

static void beyond_a_limit_so_many_are_told_and_no_more(void **state)
{
    struct echo_bench *f = *state;
    int fds[1 + REFUSED];
    f->echo.limits.connections_max = 1;
    start(f, NULL);
    assert_int_equal(REFUSED, SERVER_CONNECTIONS_REFUSED_MAX);
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
        fds[i] = player_connect(f);
        say(fds[i], "a", i == 0 ? "a" : "#");
    }
    int dropped = player_connect(f);
    expect_end(dropped);
    say(fds[0], "b", "b");
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
        raw_close(fds[i]);
    }
}

/* The deadlines of more connections than were reckoned with need memory of their own. */
static void a_newcomer_waits_until_there_is_memory_for_his_deadline(void **state)
{
    enum { newcomers = 20 };
    struct echo_bench *f = *state;
    int fds[newcomers];
    f->echo.limits.connections_max = 1;
    start(f, NULL);
    for (size_t i = 0; i < newcomers; i++) {
        alloc_fault_begin_elsewhere(2, ALLOC_FAILS_ONCE); /* behind the connection's own */
        fds[i] = player_connect(f);
        say(fds[i], "a", i == 0 ? "a" : "#");
        alloc_fault_end();
    }
    for (size_t i = 0; i < newcomers; i++) {
        raw_close(fds[i]);
    }
}

/* One timer is enough for all listeners that lack memory. */
static void two_listeners_without_memory_hear_again(void **state)
{
    struct echo_bench *f = *state;
    start(f, NULL);
    int early = raw_connect(f->echo.port); /* has what is kept for one */
    raw_send_text(early, GET("/hello"));
    raw_receive(early, false, &f->reply);
    alloc_fault_begin_elsewhere(1, ALLOC_FAILS_FROM_THERE_ON);
    int play = player_connect(f);
    int hello = raw_connect(f->echo.port);
    raw_pause_ms(10);
    alloc_fault_end();
    say(play, "a", "a");
    raw_send_text(hello, GET("/hello"));
    raw_receive(hello, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    raw_close(hello);
    raw_close(play);
    raw_close(early);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* The second word comes while the first is being followed: by the bench's teardown. */
static void who_is_told_to_stop_twice_stops_once(void **state)
{
    struct echo_bench *f = *state;
    start(f, NULL);
    int fd = player_connect(f);
    say(fd, "a", "a");
    server_interrupt(f->echo.server);
    echo_server_await(&stops, 1);
    say(fd, "b", "b"); /* until stop_ms are over */
    server_interrupt(f->echo.server);
    expect_end(fd);
    assert_int_equal(atomic_load(&stops), 1);
}

/* Delivered after the server's end, the signal would end the process. */
static void a_peer_that_has_gone_does_not_end_the_process(void **state)
{
    struct echo_bench *f = *state;
    start(f, NULL);
    int fd = player_connect(f);
    say(fd, "P", "P");
    raw_close(fd);
    echo_server_stop(&f->echo);
    start(f, NULL);
    fd = player_connect(f);
    say(fd, "a", "a");
    raw_close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_left_comes_before_what_the_socket_has),
        TEST(an_end_comes_behind_the_bytes_before_it),
        TEST(behind_the_peers_end_all_can_still_be_said),
        TEST(who_has_no_room_for_more_is_closed),
        TEST(a_deadline_that_was_taken_back_never_comes),
        TEST(who_is_closing_asks_in_vain),
        TEST(sending_ends_once),
        TEST(a_transport_that_cannot_open_costs_its_connection_only),
        TEST(of_two_limits_one_who_yields_is_enough),
        TEST(who_is_of_another_port_keeps_his_place),
        TEST(nobody_yields_before_what_he_is_owed_is_over),
        TEST(who_yields_already_is_not_asked_again),
        TEST(beyond_a_limit_so_many_are_told_and_no_more),
        TEST(a_newcomer_waits_until_there_is_memory_for_his_deadline),
        TEST(two_listeners_without_memory_hear_again),
        TEST(who_is_told_to_stop_twice_stops_once),
        TEST(a_peer_that_has_gone_does_not_end_the_process),
    };
    return cmocka_run_group_tests_name("conn_edges", tests, NULL, NULL);
}
