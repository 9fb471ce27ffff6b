/* The transport is sealed: whatever a connection sends leaves through conn_send. The server runs
 * over a transport that scrambles every byte, so a byte that is written beside it reaches the
 * client plain and shows; and over one that fails, as a socket may at any moment. */
#include "echo_server.h"
#include "raw_socket.h"
#include "stream_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { scrambled_bytes_max = 8 * 1024 * 1024, scramble_key = 0x55 };

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

static atomic_int sends_until_failure; /* 0: none fails */

static enum conn_sent send_or_fail(struct conn *conn, const uv_buf_t *bufs, unsigned count)
{
    if (atomic_load(&sends_until_failure) > 0 && atomic_fetch_sub(&sends_until_failure, 1) == 1) {
        conn_close(conn);
        return CONN_SENT_FAILED;
    }
    return conn_tcp_send(conn, bufs, count);
}

static const struct conn_transport scrambling = {send_scrambled};
static const struct conn_transport failing = {send_or_fail};

static int start(void **state, const struct conn_transport *transport)
{
    struct fixture *f = calloc(1, sizeof(*f));
    stream_server_init(&f->stream);
    f->stream.echo.transport = transport;
    echo_server_start(&f->stream.echo);
    *state = f;
    return 0;
}

static int setup_scrambling(void **state)
{
    return start(state, &scrambling);
}

static int setup_failing(void **state)
{
    atomic_store(&sends_until_failure, 0);
    return start(state, &failing);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    echo_server_stop(&f->stream.echo);
    free(f);
    return 0;
}

/* --- everything is scrambled --- */

#define CLOSE "Connection: close\r\n"

/* Sends the text; everything that comes back until the end is made plain again in f->reply.text. */
static void ask_scrambled(struct fixture *f, const char *text)
{
    int fd = raw_connect(f->stream.echo.port);
    size_t len = 0;
    raw_send_text(fd, text);
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
        raw_send_text(fd, requests[i]);
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

/* --- a send that fails --- */

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
        FAILING(a_failing_send_ends_the_connection_and_nothing_else),
    };
    return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
