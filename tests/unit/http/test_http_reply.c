/* Streamed replies over real sockets: whole, to slow readers, cut off, in turns. The service is
 * tests/support/stream_server.c. */
#include "http_internal.h"
#include "stream_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { short_ms = 60, soon_ms = 2000 };

/* More than the kernels of both sides take in. */
#define STUCK "/stream/50000000"

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define HEAD(path) "HEAD " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static void ask(struct stream_fixture *f, int fd, const char *text)
{
    f->replies += strstr(text, "/stream") != NULL;
    raw_send_text(fd, text);
}

static void expect_hello(struct stream_fixture *f, int fd)
{
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_string_equal(raw_body(&f->reply), "hello");
}

static void assert_header(struct stream_fixture *f, const char *name, const char *value)
{
    char got[64];
    raw_header(&f->reply, name, got, sizeof(got));
    assert_string_equal(got, value);
}

/* `count` bytes of a body whose head has been read, from `position` on. */
static void expect_bytes(int fd, uint64_t position, size_t count)
{
    static char got[64 * 1024];
    static char wanted[sizeof(got)];
    while (count > 0) {
        size_t len = raw_receive_some(fd, got, count < sizeof(got) ? count : sizeof(got));
        assert_true(len > 0);
        stream_fill(wanted, len, position);
        assert_memory_equal(got, wanted, len);
        position += len;
        count -= len;
    }
}

/* --- whole --- */

static void a_streamed_reply_is_whole_and_the_next_one_follows(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    ask(f, fd, GET("/stream/3000000") GET("/hello"));
    ask(f, fd, GET("/stream/1"));
    raw_receive(fd, true, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_header(f, "Content-Length", "3000000");
    expect_bytes(fd, 0, 3000000);
    expect_hello(f, fd);
    raw_receive(fd, false, &f->reply);
    assert_string_equal(raw_body(&f->reply), "a");
    assert_int_equal(atomic_load(&f->stream.largest_asked), HTTP_PIECE_BYTES_MAX);
    raw_close(fd);
}

static void head_of_a_streamed_reply_asks_for_no_piece(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    ask(f, fd, HEAD("/stream/3000000"));
    raw_receive(fd, true, &f->reply);
    assert_header(f, "Content-Length", "3000000");
    ask(f, fd, GET("/stream/0"));
    raw_receive(fd, false, &f->reply);
    assert_header(f, "Content-Length", "0");
    ask(f, fd, GET("/hello"));
    expect_hello(f, fd);
    assert_int_equal(atomic_load(&f->stream.asked), 0);
    assert_int_equal(atomic_load(&f->stream.released), 2);
    raw_close(fd);
}

static void http_1_0_gets_a_streamed_reply_and_the_end(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    ask(f, fd, "GET /stream/1000000 HTTP/1.0\r\n\r\n");
    raw_receive(fd, true, &f->reply);
    expect_bytes(fd, 0, 1000000);
    assert_true(raw_is_closed_within(fd, soon_ms));
    raw_close(fd);
}

/* --- slow and gone readers --- */

static void a_slow_reader_gets_it_all_and_others_do_not_wait(void **state)
{
    struct stream_fixture *f = *state;
    int slow = stream_connect(f);
    ask(f, slow, GET(STUCK));
    raw_receive(slow, true, &f->reply);
    expect_bytes(slow, 0, 1000);
    int fd = stream_connect(f);
    for (int i = 0; i < 20; i++) {
        ask(f, fd, GET("/hello"));
        expect_hello(f, fd);
    }
    expect_bytes(slow, 1000, 50000000 - 1000);
    ask(f, slow, GET("/hello"));
    expect_hello(f, slow);
    raw_close(slow);
    raw_close(fd);
}

static void a_reader_of_a_stream_that_does_not_read_is_closed(void **state)
{
    struct stream_fixture *f = *state;
    f->stream.echo.http_limits.send_ms = short_ms;
    echo_server_start(&f->stream.echo);
    int fd = stream_connect(f);
    ask(f, fd, GET(STUCK));
    echo_server_await(&f->stream.released, 1);
    assert_true((uint64_t)atomic_load(&f->stream.asked) * HTTP_PIECE_BYTES_MAX < 50000000);
    raw_close(fd);
}

static void a_reader_that_leaves_ends_its_stream(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    ask(f, fd, GET(STUCK));
    raw_receive(fd, true, &f->reply);
    raw_close(fd);
    echo_server_await(&f->stream.released, 1);
    fd = stream_connect(f);
    ask(f, fd, GET("/hello"));
    expect_hello(f, fd);
    raw_close(fd);
}

static void a_stop_does_not_wait_for_ever_for_a_stream(void **state)
{
    struct stream_fixture *f = *state;
    f->stream.echo.limits.stop_ms = short_ms;
    echo_server_start(&f->stream.echo);
    int fd = stream_connect(f);
    ask(f, fd, GET(STUCK));
    raw_receive(fd, true, &f->reply);
    echo_server_stop(&f->stream.echo);
    assert_int_equal(atomic_load(&f->stream.released), 1);
    raw_close(fd);
}

/* --- streams that fail --- */

static void a_stream_that_cannot_begin_is_the_services_5xx(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    ask(f, fd, GET("/stream-never/1000000"));
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 500);
    assert_string_equal(raw_body(&f->reply), "no memory");
    ask(f, fd, GET("/hello"));
    expect_hello(f, fd);
    raw_close(fd);
}

/* Nothing but a body shorter than its Content-Length can tell the reader now. */
static void a_stream_that_cannot_go_on_is_cut(void **state)
{
    static const char *const requests[] = {
        GET("/stream-fail/1000000"),
        GET("/stream-empty/1000000"),
        GET("/stream-long/1000000"),
    };
    struct stream_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        int fd = stream_connect(f);
        ask(f, fd, requests[i]);
        raw_receive(fd, true, &f->reply);
        assert_header(f, "Content-Length", "1000000");
        expect_bytes(fd, 0, HTTP_PIECE_BYTES_MAX);
        assert_true(raw_is_closed_within(fd, soon_ms));
        assert_int_equal(atomic_load(&f->stream.asked), 2 * (i + 1));
        raw_close(fd);
    }
}

/* --- turns and room --- */

static void each_stream_sends_one_piece_a_turn(void **state)
{
    enum { readers = 3, bytes = 4000000 };
    struct stream_fixture *f = *state;
    int fds[readers];
    for (int i = 0; i < readers; i++) {
        fds[i] = stream_connect(f);
        ask(f, fds[i], GET("/stream/4000000"));
    }
    for (int i = 0; i < readers; i++) {
        raw_receive(fds[i], true, &f->reply);
        expect_bytes(fds[i], 0, bytes);
        raw_close(fds[i]);
    }
    /* Counted from the work of one turn to that of the next: the first piece leaves behind the
     * one, the second before the other. */
    assert_in_range(atomic_load(&f->stream.most_asked), 1, 2 * readers);
}

static void pieces_get_small_when_the_room_for_replies_does(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    ask(f, fd, GET("/stream-crowd/200000"));
    raw_receive(fd, true, &f->reply);
    expect_bytes(fd, 0, 200000);
    assert_int_equal(atomic_load(&f->stream.largest_asked), HTTP_PIECE_BYTES_MIN);
    raw_close(fd);
}

/* The head's room ends at 128 KiB, which stands for memory that ends sooner: whoever has taken
 * something for this answer gets it back, and the client an answer on the same connection. */
static void a_head_without_room_is_the_services_5xx_and_its_answer_lost(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    ask(f, fd, GET("/hint/100000"));
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 200);
    assert_string_equal(raw_body(&f->reply), "hinted");
    ask(f, fd, GET("/hint/200000"));
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 500);
    assert_string_equal(raw_body(&f->reply), "no memory");
    assert_int_equal(atomic_load(&f->stream.echo.lost), 1);
    ask(f, fd, GET("/hello"));
    expect_hello(f, fd);
    raw_close(fd);
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, stream_setup_started, stream_teardown)
#define OWN(test)     cmocka_unit_test_setup_teardown(test, stream_setup, stream_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STARTED(a_streamed_reply_is_whole_and_the_next_one_follows),
        STARTED(head_of_a_streamed_reply_asks_for_no_piece),
        STARTED(http_1_0_gets_a_streamed_reply_and_the_end),
        STARTED(a_slow_reader_gets_it_all_and_others_do_not_wait),
        OWN(a_reader_of_a_stream_that_does_not_read_is_closed),
        STARTED(a_reader_that_leaves_ends_its_stream),
        OWN(a_stop_does_not_wait_for_ever_for_a_stream),
        STARTED(a_stream_that_cannot_begin_is_the_services_5xx),
        STARTED(a_head_without_room_is_the_services_5xx_and_its_answer_lost),
        STARTED(a_stream_that_cannot_go_on_is_cut),
        STARTED(each_stream_sends_one_piece_a_turn),
        STARTED(pieces_get_small_when_the_room_for_replies_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
