/* The transport is sealed: all bytes of a connection go through it, in both directions. The server
 * runs over a transport that scrambles every byte, so a byte that goes beside it is plain where it
 * must not be and shows; and over some that fail, as a socket may at any moment. */
#include "echo_server.h"
#include "line_echo.h"
#include "raw_socket.h"
#include "stream_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { scrambled_bytes_max = 8 * 1024 * 1024, scramble_key = 0x55, short_ms = 50 };
enum { ahead_bytes_max = 512 }; /* a few pipelined requests */

struct fixture {
    struct stream_server stream;
    struct raw_reply reply;
};

/* --- the transports --- */

/* At most one connection at a time is served here: its bytes stay until they have been sent. */
static char scrambled[scrambled_bytes_max];

static enum conn_sent send_scrambled(struct conn *conn, const uv_buf_t *bufs, unsigned count)
{
    size_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        for (size_t k = 0; k < bufs[i].len; k++) {
            PP_ASSERT(len < sizeof(scrambled));
            scrambled[len++] = (char)(bufs[i].base[k] ^ scramble_key);
        }
    }
    const uv_buf_t all = {.base = scrambled, .len = len};
    return conn_tcp_send(conn, &all, 1);
}

/* Of a connection: what came in, plain again, from `start` on. */
struct scrambler {
    size_t start;
    size_t len;
    char in[64 * 1024];
};

static atomic_int scramblers; /* that are there */
static atomic_int ends_sent;
static atomic_int ends_received;
static atomic_int closings;
static atomic_int looks_at_unsent;
static atomic_int later_sends;
static atomic_int left_overs; /* times that the protocol did not take all */

static bool scrambler_opened(struct conn *conn)
{
    conn->transport_state = calloc(1, sizeof(struct scrambler));
    atomic_fetch_add(&scramblers, 1);
    return conn->transport_state != NULL;
}

static uv_buf_t scrambler_room(struct conn *conn)
{
    struct scrambler *s = conn->transport_state;
    PP_ASSERT(s->len == 0); /* the socket is not read while something is left */
    return uv_buf_init(s->in, sizeof(s->in));
}

static void scrambler_deliver(struct conn *conn)
{
    struct scrambler *s = conn->transport_state;
    size_t taken = conn_deliver(conn, s->in + s->start, s->len);
    s->start += taken;
    s->len -= taken;
    if (s->len > 0 && !conn->closing) {
        atomic_fetch_add(&left_overs, 1);
    }
}

static void scrambler_received(struct conn *conn, size_t count)
{
    struct scrambler *s = conn->transport_state;
    for (size_t i = 0; i < count; i++) {
        s->in[i] = (char)(s->in[i] ^ scramble_key);
    }
    s->start = 0;
    s->len = count;
    scrambler_deliver(conn);
}

static void scrambler_ended(struct conn *conn)
{
    atomic_fetch_add(&ends_received, 1);
    conn_peer_ended(conn);
}

static size_t scrambler_unsent_bytes(const struct conn *conn)
{
    atomic_fetch_add(&looks_at_unsent, 1);
    return conn_tcp_unsent_bytes(conn);
}

static void scrambler_end_sending(struct conn *conn)
{
    atomic_fetch_add(&ends_sent, 1);
    conn_tcp_end_sending(conn);
}

static void scrambler_sent(struct conn *conn, bool ok)
{
    atomic_fetch_add(&later_sends, 1);
    conn_sent(conn, ok);
}

static void scrambler_closing(struct conn *conn)
{
    (void)conn;
    atomic_fetch_add(&closings, 1);
}

static void scrambler_released(struct conn *conn)
{
    free(conn->transport_state);
    atomic_fetch_sub(&scramblers, 1);
}

static atomic_int sends_until_failure; /* 0: none fails */

static enum conn_sent send_or_fail(struct conn *conn, const uv_buf_t *bufs, unsigned count)
{
    if (atomic_load(&sends_until_failure) > 0 && atomic_fetch_sub(&sends_until_failure, 1) == 1) {
        conn_close(conn);
        return CONN_SENT_FAILED;
    }
    return conn_tcp_send(conn, bufs, count);
}

/* A handshake that never ends would look like this. */
static enum conn_sent send_never(struct conn *conn, const uv_buf_t *bufs, unsigned count)
{
    (void)conn;
    (void)bufs;
    (void)count;
    return CONN_SENT_LATER;
}

static uv_buf_t faulty_room(struct conn *conn)
{
    static char in[1024];
    (void)conn;
    return uv_buf_init(in, sizeof(in));
}

static const struct conn_transport scrambling = {
    .opened = scrambler_opened,
    .room = scrambler_room,
    .received = scrambler_received,
    .resumed = scrambler_deliver,
    .ended = scrambler_ended,
    .send = send_scrambled,
    .unsent_bytes = scrambler_unsent_bytes,
    .end_sending = scrambler_end_sending,
    .sent = scrambler_sent,
    .closing = scrambler_closing,
    .released = scrambler_released,
};
static const struct conn_transport failing = {.send = send_or_fail};
static const struct conn_transport withholding = {.send = send_never};

static void receive_fails(struct conn *conn, size_t count)
{
    (void)count;
    conn_close(conn);
}

static const struct conn_transport faulty = {
    .room = faulty_room, .received = receive_fails, .resumed = conn_close};

static int start(void **state, const struct conn_transport *transport)
{
    struct fixture *f = calloc(1, sizeof(*f));
    stream_server_init(&f->stream);
    f->stream.echo.transport = transport;
    f->stream.echo.http_limits.ahead_bytes_max = ahead_bytes_max;
    echo_server_start(&f->stream.echo);
    *state = f;
    return 0;
}

static int setup_scrambling(void **state)
{
    atomic_int *const counters[] = {&ends_sent,       &ends_received, &closings,
                                    &looks_at_unsent, &later_sends,   &left_overs};
    for (size_t i = 0; i < ARRAY_COUNT(counters); i++) {
        atomic_store(counters[i], 0);
    }
    return start(state, &scrambling);
}

static int setup_failing(void **state)
{
    atomic_store(&sends_until_failure, 0);
    return start(state, &failing);
}

static int setup_withholding(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    stream_server_init(&f->stream);
    f->stream.echo.transport = &withholding;
    f->stream.echo.http_limits.send_ms = short_ms;
    echo_server_start(&f->stream.echo);
    *state = f;
    return 0;
}

static int setup_faulty(void **state)
{
    return start(state, &faulty);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    echo_server_stop(&f->stream.echo);
    free(f);
    assert_int_equal(atomic_load(&scramblers), 0);
    return 0;
}

/* --- everything is scrambled --- */

#define CLOSE "Connection: close\r\n"

static void send_text_scrambled(int fd, const char *text)
{
    char *bytes = strdup(text);
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)(bytes[i] ^ scramble_key);
    }
    raw_send(fd, bytes, len);
    free(bytes);
}

/* Sends the text; everything that comes back until the end is made plain again in f->reply.text. */
static void ask_scrambled(struct fixture *f, const char *text)
{
    int fd = raw_connect(f->stream.echo.port);
    size_t len = 0;
    send_text_scrambled(fd, text);
    for (;;) {
        size_t got = raw_receive_some(fd, f->reply.text + len, sizeof(f->reply.text) - 1 - len);
        if (got == 0) {
            break;
        }
        len += got;
    }
    raw_close(fd);
    for (size_t i = 0; i < len; i++) {
        f->reply.text[i] = (char)(f->reply.text[i] ^ scramble_key);
    }
    f->reply.text[len] = '\0';
    f->reply.len = len;
}

static void assert_begins(const char *text, const char *beginning)
{
    if (strncmp(text, beginning, strlen(beginning)) != 0) {
        fail_msg("\"%s\" begins with \"%.60s\"", beginning, text);
    }
}

static void replies_leave_through_the_transport(void **state)
{
    struct fixture *f = *state;
    ask_scrambled(f, "GET /hello HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n");
    assert_begins(f->reply.text, "HTTP/1.1 200 OK\r\n");
    assert_string_equal(f->reply.text + f->reply.len - 5, "hello");
}

static void a_continue_leaves_through_the_transport(void **state)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    static const char *const requests[] = {
        /* One waits for its body, one has none to wait for. */
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n" CLOSE
        "\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n" CLOSE
        "\r\n",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        char word[sizeof(go_on)] = "";
        size_t len = 0;
        int fd = raw_connect(f->stream.echo.port);
        send_text_scrambled(fd, requests[i]);
        while (len < sizeof(go_on) - 1) {
            size_t got = raw_receive_some(fd, word + len, sizeof(go_on) - 1 - len);
            assert_int_not_equal(got, 0);
            len += got;
        }
        for (size_t k = 0; k < len; k++) {
            word[k] = (char)(word[k] ^ scramble_key);
        }
        assert_string_equal(word, go_on);
        raw_close(fd);
    }
}

static void refusals_leave_through_the_transport(void **state)
{
    struct fixture *f = *state;
    ask_scrambled(f, "NONSENSE\r\n\r\n");
    assert_begins(f->reply.text, "HTTP/1.1 400 ");
    ask_scrambled(f, "PUT /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n");
    assert_begins(f->reply.text, "HTTP/1.1 403 ");
    /* Both linger, so that their refusal can be read, and say that no more is coming. */
    assert_int_equal(atomic_load(&ends_sent), 2);
}

static void pieces_of_a_streamed_reply_leave_through_the_transport(void **state)
{
    enum { bytes = 200 * 1024 };
    struct fixture *f = *state;
    ask_scrambled(f, "GET /stream/204800 HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n");
    assert_begins(f->reply.text, "HTTP/1.1 200 OK\r\n");
    assert_true(f->reply.len > bytes);
    const char *body = f->reply.text + f->reply.len - bytes;
    for (size_t i = 0; i < bytes; i++) {
        assert_int_equal(body[i], stream_byte(i));
    }
}

static void a_plain_request_is_not_understood(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f->stream.echo.port);
    raw_send_text(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    raw_receive_all(fd, &f->reply);
    raw_close(fd);
    assert_int_equal(atomic_load(&f->stream.echo.requests), 0);
}

/* More than a connection may have waiting behind a request: reading stops in the middle of what the
 * transport has, and goes on there, though nothing more comes from the socket. */
static void what_the_protocol_did_not_take_comes_when_it_reads_again(void **state)
{
    enum { pipelined = 600 }; /* more than one room of the protocol */
    static const char request[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    static char all[sizeof(request) * (pipelined + 1)];
    struct fixture *f = *state;
    size_t len = 0;
    int hellos = 0;
    for (int i = 0; i < pipelined; i++) {
        len += (size_t)snprintf(all + len, sizeof(all) - len, "%s", request);
    }
    snprintf(all + len, sizeof(all) - len, "GET /hello HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n");
    ask_scrambled(f, all);
    for (const char *at = f->reply.text; (at = strstr(at, "hello")) != NULL; at++) {
        hellos++;
    }
    assert_int_equal(hellos, pipelined + 1);
    assert_true(atomic_load(&left_overs) > 0);
}

/* --- a protocol that takes a sip at a time and stops reading in between --- */

static char sips[256];
static atomic_int sipped;

static uv_buf_t sip_room(struct conn *conn)
{
    (void)conn;
    return uv_buf_init(sips + atomic_load(&sipped), 5);
}

static void sip_received(struct conn *conn, size_t count)
{
    atomic_fetch_add(&sipped, (int)count);
    conn_read_stop(conn);
    conn_set_deadline(conn, server_now_us(conn->server) + 1000);
}

static int setup_sipping(void **state)
{
    static struct conn_protocol sipping;
    static struct listener_options beside;
    struct fixture *f = calloc(1, sizeof(*f));
    sipping = *line_echo_kind().protocol;
    sipping.room = sip_room;
    sipping.received = sip_received;
    sipping.expired = conn_read_start;
    beside = (struct listener_options){.kind = {.protocol = &sipping, .transport = &scrambling},
                                       .address = "127.0.0.1",
                                       .flag = "--sip"};
    stream_server_init(&f->stream);
    f->stream.echo.beside = &beside;
    echo_server_start(&f->stream.echo);
    *state = f;
    return 0;
}

/* A timer starts reading again; neither the socket nor the protocol's own turn would. */
static void reading_again_is_enough_to_get_what_is_left(void **state)
{
    static const char text[] = "The transport has all of it after its first read.";
    struct fixture *f = *state;
    int fd = raw_connect(f->stream.echo.beside_port);
    send_text_scrambled(fd, text);
    echo_server_await(&sipped, sizeof(text) - 1);
    raw_close(fd);
    assert_memory_equal(sips, text, sizeof(text) - 1);
}

static void ends_and_unsent_bytes_are_the_transports(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f->stream.echo.port);
    send_text_scrambled(fd, "GET /stream/60000000 HTTP/1.1\r\nHost: a\r\n\r\n");
    echo_server_await(&looks_at_unsent, 1); /* the reader takes nothing */
    raw_close(fd);
    echo_server_await(&later_sends, 1);
    fd = raw_connect(f->stream.echo.port);
    raw_end_sending(fd);
    echo_server_await(&ends_received, 1);
    echo_server_await(&closings, 2);
    raw_close(fd);
}

/* --- a transport that fails --- */

static void a_receive_may_fail(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f->stream.echo.port);
    raw_send_text(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(raw_is_closed_within(fd, RAW_WAIT_MS));
    raw_close(fd);
    assert_int_equal(atomic_load(&f->stream.echo.requests), 0);
}

/* The protocol is told that its bytes never left, and lets go of them. */
static void what_a_transport_kept_back_is_given_up_with_the_connection(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f->stream.echo.port);
    raw_send_text(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(raw_is_closed_within(fd, RAW_WAIT_MS));
    raw_close(fd);
}

/* The server goes on, whatever it was sending when the peer went away. */
static void a_failing_send_ends_the_connection_and_nothing_else(void **state)
{
    static const char *const requests[] = {
        "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
        "GET /stream/900000 HTTP/1.1\r\nHost: a\r\n\r\n",
        "PUT /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n",
        "NONSENSE\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    struct fixture *f = *state;
    for (int nth = 1; nth <= 2; nth++) {
        for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
            int fd = raw_connect(f->stream.echo.port);
            atomic_store(&sends_until_failure, nth);
            raw_send_text(fd, requests[i]);
            if (nth == 1) {
                assert_int_equal(raw_receive_some(fd, f->reply.text, 1), 0);
            } else {
                raw_pause_ms(5);
            }
            raw_close(fd);
            atomic_store(&sends_until_failure, 0);
            fd = raw_connect(f->stream.echo.port);
            raw_send_text(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
            raw_receive(fd, false, &f->reply);
            assert_string_equal(raw_body(&f->reply), "hello");
            raw_close(fd);
        }
    }
}

#define SCRAMBLED(test) cmocka_unit_test_setup_teardown(test, setup_scrambling, teardown)
#define FAILING(test)   cmocka_unit_test_setup_teardown(test, setup_failing, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRAMBLED(replies_leave_through_the_transport),
        SCRAMBLED(a_continue_leaves_through_the_transport),
        SCRAMBLED(refusals_leave_through_the_transport),
        SCRAMBLED(pieces_of_a_streamed_reply_leave_through_the_transport),
        SCRAMBLED(a_plain_request_is_not_understood),
        SCRAMBLED(what_the_protocol_did_not_take_comes_when_it_reads_again),
        cmocka_unit_test_setup_teardown(reading_again_is_enough_to_get_what_is_left, setup_sipping,
                                        teardown),
        SCRAMBLED(ends_and_unsent_bytes_are_the_transports),
        cmocka_unit_test_setup_teardown(a_receive_may_fail, setup_faulty, teardown),
        cmocka_unit_test_setup_teardown(what_a_transport_kept_back_is_given_up_with_the_connection,
                                        setup_withholding, teardown),
        FAILING(a_failing_send_ends_the_connection_and_nothing_else),
    };
    return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
