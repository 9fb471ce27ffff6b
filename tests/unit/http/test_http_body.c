/* Bodies that their service plans, over real sockets: streamed, gathered, refused, cut off. The
 * service is tests/support/stream_server.c. */
#include "http_internal.h"
#include "stream_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { short_ms = 60, soon_ms = 2000 };

static void expect(struct stream_fixture *f, int fd, int status, const char *body)
{
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.status, status);
    assert_string_equal(raw_body(&f->reply), body);
}

#define PUT(path, framing)                                                                         \
    "PUT " path " HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\n" framing "\r\n\r\n"
#define GET_HELLO "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"

/* Bytes of a body from `position` on, in writes of at most 64 KiB. */
static void send_body(int fd, uint64_t position, uint64_t count)
{
    static char bytes[64 * 1024];
    while (count > 0) {
        size_t len = count < sizeof(bytes) ? (size_t)count : sizeof(bytes);
        stream_fill(bytes, len, position);
        raw_send(fd, bytes, len);
        position += len;
        count -= len;
    }
}

static void send_chunk(int fd, const char *extension, uint64_t position, size_t len)
{
    char line[64];
    snprintf(line, sizeof(line), "%zx%s\r\n", len, extension);
    raw_send_text(fd, line);
    send_body(fd, position, len);
    raw_send_text(fd, "\r\n");
}

/* --- streamed --- */

static void a_streamed_body_comes_in_pieces_and_is_handled_when_it_is_whole(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    raw_send_text(fd, PUT("/sum", "Content-Length: 3000000"));
    send_body(fd, 0, 2999999);
    echo_server_await(&f->stream.pieces, 1);
    assert_int_equal(atomic_load(&f->stream.handled), 0);
    send_body(fd, 2999999, 1);
    expect(f, fd, 200, "3000000");
    assert_in_range(atomic_load(&f->stream.largest_piece), 1, BODY_PIECE_BYTES_MAX);
    /* The connection goes on. */
    raw_send_text(fd, GET_HELLO);
    expect(f, fd, 200, "hello");
    raw_close(fd);
}

static void a_streamed_body_may_come_in_chunks_of_any_size(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    uint64_t position = 0;
    raw_send_text(fd, PUT("/sum", "Transfer-Encoding: chunked"));
    for (size_t i = 1; i < 300; i++) {
        size_t len = i % 100 == 0 ? 400 * 1000 : i;
        send_chunk(fd, i % 3 == 0 ? ";a=b" : "", position, len);
        position += len;
    }
    raw_send_text(fd, "0\r\nTrailer: x\r\n\r\n" GET_HELLO);
    char expected[32];
    snprintf(expected, sizeof(expected), "%llu", (unsigned long long)position);
    expect(f, fd, 200, expected);
    expect(f, fd, 200, "hello");
    raw_close(fd);
}

static void a_streamed_body_may_come_byte_by_byte(void **state)
{
    static const char *const texts[] = {
        PUT("/sum", "Content-Length: 9") "ahovcjqxe",
        PUT("/sum", "Transfer-Encoding: chunked") "3;x=y\r\naho\r\n6\r\nvcjqxe\r\n0\r\n\r\n",
        PUT("/sum", "Transfer-Encoding: chunked") "009\r\nahovcjqxe\r\n0\r\nTrailer: x\r\n\r\n",
    };
    struct stream_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        int fd = stream_connect(f);
        for (const char *p = texts[i]; *p != '\0'; p++) {
            raw_send(fd, p, 1);
        }
        expect(f, fd, 200, "9");
        raw_close(fd);
    }
}

static void only_a_body_that_follows_is_planned(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    raw_send_text(fd, PUT("/hello", "Content-Length: 0"));
    expect(f, fd, 200, "hello");
    raw_send_text(fd, GET_HELLO);
    expect(f, fd, 200, "hello");
    assert_int_equal(atomic_load(&f->stream.begun), 0);
    /* That this one is empty shows only later. */
    raw_send_text(fd, PUT("/sum", "Transfer-Encoding: chunked") "0\r\n\r\n");
    expect(f, fd, 200, "0");
    assert_int_equal(atomic_load(&f->stream.begun), 1);
    assert_int_equal(atomic_load(&f->stream.pieces), 0);
    raw_close(fd);
}

static void requests_before_and_behind_a_streamed_body_keep_their_order(void **state)
{
    enum { body_bytes = 200 * 1000 };
    static char text[body_bytes + 1024];
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    int len = snprintf(text, sizeof(text),
                       "GET /park/20 HTTP/1.1\r\nHost: a\r\n\r\n" PUT("/sum", "Content-Length: %d"),
                       body_bytes);
    stream_fill(text + len, body_bytes, 0);
    len += body_bytes;
    len += snprintf(text + len, sizeof(text) - (size_t)len, "%s",
                    GET_HELLO PUT("/gather", "Content-Length: 2") "ok" PUT(
                        "/sum", "Content-Length: 1") "a" GET_HELLO);
    raw_send(fd, text, (size_t)len);
    expect(f, fd, 200, "late");
    expect(f, fd, 200, "200000");
    expect(f, fd, 200, "hello");
    expect(f, fd, 200, "ok");
    expect(f, fd, 200, "1");
    expect(f, fd, 200, "hello");
    raw_close(fd);
}

static void a_body_is_begun_before_it_is_asked_for(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    raw_send_text(fd, PUT("/sum", "Expect: 100-continue\r\nContent-Length: 5"));
    raw_receive(fd, true, &f->reply);
    assert_int_equal(f->reply.status, 100);
    assert_int_equal(atomic_load(&f->stream.begun), 1);
    send_body(fd, 0, 5);
    expect(f, fd, 200, "5");
    /* Refused: the final status comes instead, and no body will. */
    raw_send_text(fd, PUT("/refuse", "Expect: 100-continue\r\nContent-Length: 5"));
    raw_receive_all(fd, &f->reply);
    assert_int_equal(f->reply.status, 403);
    assert_string_equal(raw_body(&f->reply), "refused");
    raw_close(fd);
}

/* --- gathered --- */

static void a_gathered_body_is_whole_and_leaves_the_head_where_it_was(void **state)
{
    static char body[250 * 1024];
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    stream_fill(body, sizeof(body), 0);
    raw_send_text(fd, PUT("/gather", "Content-Length: 200000"));
    raw_send(fd, body, 200000);
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.len - f->reply.head_len, 200000);
    assert_memory_equal(raw_body(&f->reply), body, 200000);
    assert_int_equal(atomic_load(&f->stream.pieces), 0);
    raw_close(fd);
}

struct limit_case {
    const char *text;
    int begun;
};

/* The service allows ECHO_BODY_BYTES_MAX, 300 KiB, of a gathered body. */
static void each_plan_has_its_own_limit(void **state)
{
    static const struct limit_case cases[] = {
        {PUT("/gather", "Content-Length: 307201"), 1},
        {PUT("/gather", "Content-Length: 307201\r\nExpect: 100-continue"), 1},
        {PUT("/gather", "Transfer-Encoding: chunked") "4b001\r\n", 1},
        {PUT("/sum", "Content-Length: 2199023255553"), 0},
        {PUT("/sum", "Content-Length: 18446744073709551615"), 0},
    };
    struct stream_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int before = atomic_load(&f->stream.begun);
        int fd = stream_connect(f);
        raw_send_text(fd, cases[i].text);
        if (strstr(cases[i].text, "chunked") != NULL) {
            send_body(fd, 0, 0x4b001);
        }
        raw_receive(fd, false, &f->reply);
        assert_int_equal(f->reply.status, 413);
        assert_int_equal(atomic_load(&f->stream.begun) - before, cases[i].begun);
        raw_close(fd);
    }
    assert_int_equal(atomic_load(&f->stream.handled), 0);
}

static void a_chunked_body_over_the_limit_of_streams_is_413(void **state)
{
    struct stream_fixture *f = *state;
    f->stream.echo.service.stream_bytes_max = 1000000;
    f->stream.echo.service.body_bytes_max = 1000;
    echo_server_start(&f->stream.echo);
    int fd = stream_connect(f);
    raw_send_text(fd, PUT("/sum", "Transfer-Encoding: chunked"));
    send_chunk(fd, "", 0, 999999);
    send_chunk(fd, "", 999999, 2);
    raw_receive(fd, false, &f->reply);
    assert_int_equal(f->reply.status, 413);
    raw_close(fd);
}

/* --- refused --- */

static void a_small_refused_body_is_dropped_and_the_connection_kept(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    for (int i = 0; i < 3; i++) {
        raw_send_text(fd, PUT("/refuse", "Content-Length: 65536"));
        send_body(fd, 0, 65536);
        expect(f, fd, 403, "refused");
    }
    raw_send_text(fd, PUT("/refuse/1000", "Content-Length: 40000"));
    send_body(fd, 0, 40000);
    expect(f, fd, 403, "refused");
    /* By the last piece: nothing is left to be dropped. */
    raw_send_text(fd, PUT("/refuse/10", "Content-Length: 10"));
    send_body(fd, 0, 10);
    expect(f, fd, 403, "refused");
    raw_send_text(fd, GET_HELLO);
    expect(f, fd, 200, "hello");
    assert_int_equal(atomic_load(&f->stream.handled), 0);
    assert_int_equal(atomic_load(&f->stream.refused), 5);
    raw_close(fd);
}

static void a_large_refused_body_is_not_waited_for(void **state)
{
    static const char *const heads[] = {
        PUT("/refuse", "Content-Length: 65537"),
        PUT("/refuse", "Content-Length: 1099511627776"),
        PUT("/refuse", "Transfer-Encoding: chunked"),
        PUT("/refuse/1", "Content-Length: 65538") "a",
        PUT("/refuse/1", "Transfer-Encoding: chunked") "1\r\na\r\n",
    };
    struct stream_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(heads); i++) {
        char connection[16];
        int fd = stream_connect(f);
        raw_send_text(fd, heads[i]);
        raw_receive(fd, false, &f->reply);
        assert_int_equal(f->reply.status, 403);
        assert_true(raw_header(&f->reply, "Connection", connection, sizeof(connection)));
        assert_string_equal(connection, "close");
        raw_close(fd);
    }
    assert_int_equal(atomic_load(&f->stream.handled), 0);
}

/* It writes its whole body before it reads: without lingering it would see a reset, not the 403. */
static void a_refusal_is_readable_although_the_body_still_comes(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    raw_send_text(fd, PUT("/refuse/100000", "Content-Length: 3000000"));
    send_body(fd, 0, 3000000);
    raw_end_sending(fd);
    raw_receive_all(fd, &f->reply);
    assert_int_equal(f->reply.status, 403);
    raw_close(fd);
}

static void a_refusal_waits_no_longer_for_its_body_than_others(void **state)
{
    struct stream_fixture *f = *state;
    f->stream.echo.http_limits.body_ms = short_ms;
    echo_server_start(&f->stream.echo);
    int fd = stream_connect(f);
    raw_send_text(fd, PUT("/refuse", "Content-Length: 10") "a");
    raw_receive_all(fd, &f->reply);
    assert_int_equal(f->reply.status, 403);
    raw_close(fd);
}

/* Something that nobody can be asked to give up takes all of the memory for requests. */
struct others {
    struct stream_server *stream;
    size_t held;
    atomic_bool here;
};

static bool others_hold(void *ctx)
{
    struct others *others = ctx;
    struct budget *budget = &others->stream->echo.server->turn.budget;
    size_t all = budget->shares[BUDGET_REQUESTS].max_bytes + 1;
    budget_note(budget, BUDGET_REQUESTS, &others->held, atomic_load(&others->here) ? all : 0);
    return false;
}

static void a_refused_body_keeps_its_own_answer_where_memory_is_short(void **state)
{
    struct stream_fixture *f = *state;
    struct others others = {.stream = &f->stream};
    atomic_store(&others.here, true);
    f->stream.echo.work = (struct turn_work){others_hold, &others};
    f->stream.echo.http_limits.crowded_ms = 0; /* whoever comes in slowly would be given up */
    f->stream.echo.http_limits.crowded_rate_min = INT64_MAX;
    echo_server_start(&f->stream.echo);
    int refused = stream_connect(f);
    int gathered = stream_connect(f);
    raw_send_text(refused, PUT("/refuse", "Content-Length: 2") "a");
    echo_server_await(&f->stream.refused, 1);
    raw_send_text(gathered, PUT("/gather", "Content-Length: 2") "a");
    raw_receive(gathered, false, &f->reply);
    assert_int_not_equal(f->reply.status, 200);
    raw_send_text(refused, "a");
    expect(f, refused, 403, "refused");
    raw_send_text(refused, GET_HELLO);
    expect(f, refused, 200, "hello");
    atomic_store(&others.here, false);
    raw_send_text(refused, PUT("/gather", "Content-Length: 2") "aa");
    expect(f, refused, 200, "aa");
    raw_close(refused);
    raw_close(gathered);
    echo_server_stop(&f->stream.echo);
}

/* --- cut off --- */

static void a_client_that_leaves_in_its_body_is_let_go_of(void **state)
{
    struct stream_fixture *f = *state;
    int left = stream_connect(f);
    int ended = stream_connect(f);
    raw_send_text(left, PUT("/sum", "Content-Length: 100") "a");
    raw_send_text(ended, PUT("/sum", "Transfer-Encoding: chunked") "1\r\na\r\n");
    echo_server_await(&f->stream.pieces, 2);
    raw_close(left);
    raw_end_sending(ended);
    echo_server_await(&f->stream.released, 2);
    assert_int_equal(atomic_load(&f->stream.handled), 0);
    raw_close(ended);
}

static void a_stop_in_a_body_lets_go_of_it(void **state)
{
    struct stream_fixture *f = *state;
    f->stream.echo.limits.stop_ms = short_ms;
    echo_server_start(&f->stream.echo);
    int fd = stream_connect(f);
    raw_send_text(fd, PUT("/sum", "Content-Length: 100") "a");
    echo_server_await(&f->stream.pieces, 1);
    echo_server_stop(&f->stream.echo);
    assert_true(raw_is_closed_within(fd, soon_ms));
    assert_int_equal(atomic_load(&f->stream.released), 1);
    raw_close(fd);
}

static void a_bad_chunk_in_a_streamed_body_is_400(void **state)
{
    struct stream_fixture *f = *state;
    int fd = stream_connect(f);
    raw_send_text(fd, PUT("/sum", "Transfer-Encoding: chunked") "1\r\na\r\n");
    echo_server_await(&f->stream.pieces, 1);
    raw_send_text(fd, "zz\r\n");
    raw_receive_all(fd, &f->reply);
    assert_int_equal(f->reply.status, 400);
    assert_int_equal(atomic_load(&f->stream.handled), 0);
    raw_close(fd);
}

/* A gathered body that came fast may pause; the megabyte of this one would have earned it a quarter
 * of an hour of silence. */
static void a_streamed_body_that_falls_silent_is_408(void **state)
{
    struct stream_fixture *f = *state;
    f->stream.echo.http_limits.body_ms = short_ms;
    echo_server_start(&f->stream.echo);
    int fd = stream_connect(f);
    raw_send_text(fd, PUT("/sum", "Content-Length: 2000000"));
    send_body(fd, 0, 1000000);
    raw_receive_all(fd, &f->reply);
    assert_int_equal(f->reply.status, 408);
    raw_close(fd);
}

static void what_was_given_away_is_not_in_the_budget_of_bodies(void **state)
{
    struct stream_fixture *f = *state;
    f->stream.echo.limits.budget_bytes_max = 2 * 1024 * 1024;
    echo_server_start(&f->stream.echo);
    int fd = stream_connect(f);
    raw_send_text(fd, PUT("/sum", "Content-Length: 8000000"));
    send_body(fd, 0, 8000000);
    expect(f, fd, 200, "8000000");
    raw_close(fd);
}

/* --- turns --- */

enum { flood_senders_max = 32 };

struct flood {
    int count; /* of senders */
    int fds[flood_senders_max];
    uint64_t positions[flood_senders_max];
    atomic_bool stop;
};

/* Never ends by itself: tebibytes are announced. */
static void *flood_main(void *ctx)
{
    static char bytes[64 * 1024];
    struct flood *flood = ctx;
    for (int i = 0; !atomic_load(&flood->stop); i = (i + 1) % flood->count) {
        stream_fill(bytes, sizeof(bytes), flood->positions[i]);
        flood->positions[i] += raw_send_what_fits(flood->fds[i], bytes, sizeof(bytes));
    }
    return NULL;
}

/* So many clients send without end, and another one is answered all the same. Returns the bytes of
 * the largest turn. */
static size_t answer_in_a_flood(struct stream_fixture *f, int senders)
{
    struct flood flood = {.count = senders};
    pthread_t thread;
    for (int i = 0; i < senders; i++) {
        flood.fds[i] = stream_connect(f);
        raw_send_text(flood.fds[i], PUT("/sum", "Content-Length: 1099511627776"));
    }
    assert_int_equal(pthread_create(&thread, NULL, flood_main, &flood), 0);
    int fd = stream_connect(f);
    for (int i = 0; i < 50 || atomic_load(&f->stream.body_bytes) < 20000000; i++) {
        raw_send_text(fd, GET_HELLO);
        expect(f, fd, 200, "hello");
    }
    atomic_store(&flood.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&f->stream.handled), 0);
    for (int i = 0; i < senders; i++) {
        raw_close(flood.fds[i]);
    }
    echo_server_await(&f->stream.released, senders);
    raw_close(fd);
    assert_int_equal(atomic_load(&f->stream.wrong), 0);
    return atomic_load(&f->stream.largest_turn);
}

static void others_are_answered_between_the_slices_of_a_large_body(void **state)
{
    assert_in_range(answer_in_a_flood(*state, 1), 1, HTTP_SLICE_BYTES_MAX + BODY_PIECE_BYTES_MAX);
}

static void many_large_bodies_share_one_turn(void **state)
{
    size_t first_reads = (size_t)flood_senders_max * SERVER_CROWDED_READ_BYTES;
    assert_in_range(answer_in_a_flood(*state, flood_senders_max), 1,
                    SERVER_TURN_BYTES_MAX + BODY_PIECE_BYTES_MAX + first_reads);
}

#define STARTED(test) cmocka_unit_test_setup_teardown(test, stream_setup_started, stream_teardown)
#define OWN(test)     cmocka_unit_test_setup_teardown(test, stream_setup, stream_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STARTED(a_streamed_body_comes_in_pieces_and_is_handled_when_it_is_whole),
        STARTED(a_streamed_body_may_come_in_chunks_of_any_size),
        STARTED(a_streamed_body_may_come_byte_by_byte),
        STARTED(only_a_body_that_follows_is_planned),
        STARTED(requests_before_and_behind_a_streamed_body_keep_their_order),
        STARTED(a_body_is_begun_before_it_is_asked_for),
        STARTED(a_gathered_body_is_whole_and_leaves_the_head_where_it_was),
        STARTED(each_plan_has_its_own_limit),
        OWN(a_chunked_body_over_the_limit_of_streams_is_413),
        STARTED(a_small_refused_body_is_dropped_and_the_connection_kept),
        STARTED(a_large_refused_body_is_not_waited_for),
        STARTED(a_refusal_is_readable_although_the_body_still_comes),
        OWN(a_refusal_waits_no_longer_for_its_body_than_others),
        OWN(a_refused_body_keeps_its_own_answer_where_memory_is_short),
        STARTED(a_client_that_leaves_in_its_body_is_let_go_of),
        OWN(a_stop_in_a_body_lets_go_of_it),
        STARTED(a_bad_chunk_in_a_streamed_body_is_400),
        OWN(a_streamed_body_that_falls_silent_is_408),
        OWN(what_was_given_away_is_not_in_the_budget_of_bodies),
        STARTED(others_are_answered_between_the_slices_of_a_large_body),
        STARTED(many_large_bodies_share_one_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
