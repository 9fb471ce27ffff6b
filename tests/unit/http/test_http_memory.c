/* Requests without memory, or without the disk that large ones go to: each allocation of theirs
 * fails in turn. What a client sees is its answer, the service's 5xx or a closed connection, never
 * a wrong answer; the next client sees nothing of it, and nothing stays counted (server_free
 * looks). */
#include "alloc_fault.h"
#include "echo_bench.h"
#include "http_internal.h"
#include "stream_server.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

enum {
    text_bytes = 512 * 1024,
    gathered_bytes = 100 * 1000,
    streamed_bytes = 300 * 1000,
    spooled_bytes = 250 * 1000,
    long_head_bytes = 8 * 1000,
    spool_bytes = 20 * 1024,
    parked_max = 8,
};

/* A server of both kinds: planned and streamed bodies, and the echo server's. */
struct fixture {
    struct stream_server stream;
    struct echo_bench *b; /* only for its reply */
    char *text;           /* of a request */
    size_t len;
    int parked[parked_max]; /* connections whose requests have taken the spare works */
    int parked_count;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return 1;
    }
    stream_server_init(&f->stream);
    f->stream.echo.http_limits.spool_bytes = spool_bytes;
    f->b = calloc(1, sizeof(*f->b));
    f->text = malloc(text_bytes);
    *state = f;
    return f->b == NULL || f->text == NULL;
}

/* With what a listener is made with, and nothing that requests have left. */
static void server_begin(struct fixture *f)
{
    echo_server_start(&f->stream.echo);
}

static void server_end(struct fixture *f)
{
    echo_server_stop(&f->stream.echo);
    while (f->parked_count > 0) {
        raw_close(f->parked[--f->parked_count]);
    }
    atomic_store(&f->stream.echo.parked, 0);
    assert_int_equal(atomic_load(&f->stream.wrong), 0);
    assert_int_equal(atomic_load(&f->stream.released), atomic_load(&f->stream.states));
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    alloc_fault_end();
    if (f->stream.echo.server != NULL) {
        server_end(f);
    }
    free(f->text);
    free(f->b);
    free(f);
    return 0;
}

static int client(struct fixture *f)
{
    return raw_connect(f->stream.echo.port);
}

static void expect_hello(struct fixture *f)
{
    int fd = client(f);
    raw_send_text(fd, GET_CLOSE("/hello"));
    raw_receive(fd, false, &f->b->reply);
    assert_int_equal(f->b->reply.status, 200);
    assert_string_equal(raw_body(&f->b->reply), "hello");
    raw_close(fd);
}

/* What earlier requests have left for the next ones is in use: the next one needs memory. */
static void spares_use_up(struct fixture *f)
{
    int fd = client(f);
    PP_ASSERT(f->parked_count < parked_max);
    f->parked[f->parked_count++] = fd;
    raw_send_text(fd, GET("/park"));
    echo_server_await(&f->stream.echo.parked, f->parked_count);
}

/* --- the texts of requests --- */

static void text_append(struct fixture *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(f->text + f->len, text_bytes - f->len, format, args);
    va_end(args);
    PP_ASSERT(len >= 0 && f->len + (size_t)len < text_bytes);
    f->len += (size_t)len;
}

static void body_append(struct fixture *f, size_t count)
{
    PP_ASSERT(f->len + count < text_bytes);
    stream_fill(f->text + f->len, count, 0);
    f->len += count;
}

static void head_begin(struct fixture *f, const char *method_target)
{
    text_append(f, "%s HTTP/1.1\r\nHost: a\r\n", method_target);
}

/* Until it is all sent or the server has answered or closed. */
static void text_send(struct fixture *f, int fd)
{
    size_t sent = 0;
    while (sent < f->len && !raw_is_readable_within(fd, 0)) {
        size_t fitted = raw_send_what_fits(fd, f->text + sent, f->len - sent);
        sent += fitted;
        raw_pause_ms(fitted > 0 ? 0 : 1);
    }
    f->len = 0;
}

static void write_hello(struct fixture *f)
{
    head_begin(f, "GET /hello");
    text_append(f, "\r\n");
}

static void write_many_headers(struct fixture *f)
{
    head_begin(f, "GET /facts");
    for (int i = 1; i < HTTP_HEADERS_MAX; i++) {
        text_append(f, "X-%d: y\r\n", i);
    }
    text_append(f, "\r\n");
}

static void write_body(struct fixture *f, const char *method_target, size_t count)
{
    head_begin(f, method_target);
    text_append(f, "X: %0*d\r\nContent-Length: %zu\r\n\r\n", long_head_bytes, 0, count);
    body_append(f, count);
}

static void write_gathered(struct fixture *f)
{
    write_body(f, "POST /gather", spool_bytes - 1);
}

static void write_spooled(struct fixture *f)
{
    write_body(f, "POST /gather", spooled_bytes);
}

static void write_streamed(struct fixture *f)
{
    write_body(f, "PUT /sum", streamed_bytes);
}

static void write_stream(struct fixture *f)
{
    head_begin(f, "GET /stream/200000");
    text_append(f, "\r\n");
}

static void write_echo(struct fixture *f)
{
    write_body(f, "POST /echo", spooled_bytes);
}

/* Refused by its announcement, with a head that is kept for the refusal. */
static void write_chunk_too_large(struct fixture *f, const char *method_target)
{
    head_begin(f, method_target);
    text_append(f, "X: %0*d\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n99999999\r\n",
                long_head_bytes, 0);
}

static void write_too_large(struct fixture *f)
{
    write_chunk_too_large(f, "POST /gather");
}

static void write_echo_too_large(struct fixture *f)
{
    write_chunk_too_large(f, "POST /echo");
}

struct request_case {
    void (*write)(struct fixture *f);
    int status;
    const char *body; /* NULL: `body_bytes` of the streamed ones */
    size_t body_bytes;
};

static const struct request_case cases[] = {
    {write_hello, 200, "hello", 0},
    {write_many_headers, 200, "GET /facts a 100", 0},
    {write_gathered, 200, NULL, spool_bytes - 1},
    {write_spooled, 200, NULL, spooled_bytes},
    {write_streamed, 200, "300000", 0},
    {write_stream, 200, NULL, 200000},
    {write_too_large, 413, "body too large", 0},
};

/* The reply is the right one, or one that there was no memory for. */
static void reply_check(struct fixture *f, const struct request_case *wanted, bool failed)
{
    static char body[text_bytes];
    const struct raw_reply *reply = &f->b->reply;
    size_t len = reply->len - reply->head_len;
    if (reply->status != wanted->status) {
        assert_true(failed);
        assert_true(reply->status == 0 || reply->status == 500 || reply->status == 503);
        return;
    }
    size_t body_len = wanted->body != NULL ? strlen(wanted->body) : wanted->body_bytes;
    if (wanted->body != NULL) {
        memcpy(body, wanted->body, body_len);
    } else {
        stream_fill(body, body_len, 0);
    }
    assert_true(len == body_len || (failed && reply->closed && len < body_len)); /* cut off */
    assert_memory_equal(raw_body(reply), body, len);
}

static void each_allocation_fails(struct fixture *f, const struct request_case *wanted)
{
    bool failed = true;
    for (long n = 1; failed; n++) {
        server_begin(f);
        spares_use_up(f);
        int fd = client(f);
        expect_hello(f); /* by now it is accepted */
        spares_use_up(f);
        wanted->write(f);
        alloc_fault_begin_elsewhere(n, ALLOC_FAILS_ONCE);
        text_send(f, fd);
        raw_receive(fd, false, &f->b->reply);
        failed = alloc_fault_end();
        reply_check(f, wanted, failed);
        raw_close(fd);
        expect_hello(f);
        server_end(f);
    }
}

static void each_allocation_of_a_request_may_fail(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        each_allocation_fails(*state, &cases[i]);
    }
}

/* Its head is kept only when its body goes to a file or is given up. */
static void each_allocation_of_a_request_that_nobody_plans_may_fail(void **state)
{
    static const struct request_case unplanned[] = {
        {write_echo, 200, NULL, spooled_bytes},
        {write_echo_too_large, 413, "body too large", 0},
    };
    struct fixture *f = *state;
    f->stream.echo.service.body_begin = NULL;
    f->stream.echo.service.body_piece = NULL;
    for (size_t i = 0; i < ARRAY_COUNT(unplanned); i++) {
        each_allocation_fails(f, &unplanned[i]);
    }
}

/* What waits behind a request is put aside, and taken over when that is answered. */
static void each_allocation_of_what_waits_behind_a_request_may_fail(void **state)
{
    struct fixture *f = *state;
    bool failed = true;
    for (long n = 1; failed; n++) {
        server_begin(f);
        int fd = client(f);
        int waker = client(f);
        raw_send_text(fd, GET("/park"));
        echo_server_await(&f->stream.echo.parked, 1);
        expect_hello(f);
        write_gathered(f);
        alloc_fault_begin_elsewhere(n, ALLOC_FAILS_ONCE);
        text_send(f, fd);
        raw_end_sending(fd);
        (void)raw_is_readable_within(fd, 10); /* put aside, or closed */
        raw_send_text(waker, GET("/wake"));
        raw_receive(fd, false, &f->b->reply);
        if (f->b->reply.status != 0) {
            assert_string_equal(raw_body(&f->b->reply), "woken");
            raw_receive(fd, false, &f->b->reply);
        }
        failed = alloc_fault_end();
        reply_check(f, &cases[2], failed);
        raw_close(waker);
        raw_close(fd);
        expect_hello(f);
        server_end(f);
    }
}

/* A large request's buffer is given back, so that the next one needs one of its own. */
static void each_allocation_of_a_request_behind_a_large_one_may_fail(void **state)
{
    struct fixture *f = *state;
    bool failed = true;
    for (long n = 1; failed; n++) {
        server_begin(f);
        int fd = client(f);
        write_gathered(f);
        text_send(f, fd);
        raw_receive(fd, false, &f->b->reply);
        reply_check(f, &cases[2], false);
        write_hello(f);
        alloc_fault_begin_elsewhere(n, ALLOC_FAILS_ONCE);
        text_send(f, fd);
        raw_receive(fd, false, &f->b->reply);
        failed = alloc_fault_end();
        reply_check(f, &cases[0], failed);
        raw_close(fd);
        server_end(f);
    }
}

static void each_allocation_of_a_refusal_for_want_of_places_may_fail(void **state)
{
    struct fixture *f = *state;
    bool failed = true;
    f->stream.echo.limits.connections_max = 1;
    for (long n = 1; failed; n++) {
        server_begin(f);
        spares_use_up(f);
        alloc_fault_begin_elsewhere(n, ALLOC_FAILS_ONCE);
        int fd = client(f);
        raw_receive(fd, false, &f->b->reply);
        failed = alloc_fault_end();
        assert_true(f->b->reply.status == 503 || (failed && f->b->reply.status == 0));
        raw_close(fd);
        server_end(f);
    }
}

/* --- without disk --- */

static void file_size_limit(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* When it comes, and when it is whole and its file gets its end. */
static void a_large_body_without_room_on_the_disk_is_503(void **state)
{
    static const rlim_t sizes[] = {1, spooled_bytes / 2, spooled_bytes};
    struct fixture *f = *state;
    server_begin(f);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        int fd = client(f);
        write_spooled(f);
        file_size_limit(sizes[i]);
        text_send(f, fd);
        raw_receive(fd, false, &f->b->reply);
        file_size_limit(RLIM_INFINITY);
        assert_int_equal(f->b->reply.status, 503);
        raw_close(fd);
        fd = client(f);
        write_spooled(f);
        text_send(f, fd);
        raw_receive(fd, false, &f->b->reply);
        reply_check(f, &cases[3], false);
        raw_close(fd);
    }
    signal(SIGXFSZ, SIG_DFL);
}

/* --- what waits where memory is short --- */

/* Something that nobody can be asked to give up takes all of a share of the memory. */
struct others {
    struct stream_server *stream;
    enum budget_share share;
    size_t held;
    size_t most; /* that is held beside it */
    atomic_bool here;
};

static bool others_hold(void *ctx)
{
    struct others *others = ctx;
    struct budget *budget = &others->stream->echo.server->turn.budget;
    size_t all = budget->shares[others->share].max_bytes + 1;
    bool here = atomic_load(&others->here);
    budget_note(budget, others->share, &others->held, here ? all : 0);
    size_t beside = budget->shares[others->share].used_bytes - others->held;
    others->most = here && beside > others->most ? beside : others->most;
    return false;
}

/* One read of it is taken, or nobody could see that it is there. */
static void what_waits_behind_a_request_is_left_in_the_kernel_where_memory_is_short(void **state)
{
    enum { behind = 1500 };
    struct fixture *f = *state;
    struct others others = {.stream = &f->stream, .share = BUDGET_REQUESTS};
    atomic_store(&others.here, true);
    f->stream.echo.work = (struct turn_work){others_hold, &others};
    server_begin(f);
    int fd = client(f);
    raw_send_text(fd, GET("/park"));
    echo_server_await(&f->stream.echo.parked, 1);
    for (int i = 0; i < behind; i++) {
        write_hello(f);
    }
    PP_ASSERT(f->len > 2 * HTTP_DISCARD_BYTES && f->len < HTTP_AHEAD_BYTES_MAX);
    raw_send(fd, f->text, f->len);
    expect_hello(f); /* by now it has been looked at */
    atomic_store(&others.here, false);
    int waker = client(f);
    raw_send_text(waker, GET("/wake"));
    raw_receive(fd, false, &f->b->reply);
    assert_string_equal(raw_body(&f->b->reply), "woken");
    for (int i = 0; i < behind; i++) {
        raw_receive(fd, false, &f->b->reply);
        assert_string_equal(raw_body(&f->b->reply), "hello");
    }
    raw_close(waker);
    raw_close(fd);
    server_end(f);
    assert_in_range(others.most, 1, 2 * HTTP_DISCARD_BYTES);
}

/* Who only waits for his next request is no reader that could be closed for it. */
static void an_answer_that_finds_no_room_and_no_reader_is_503(void **state)
{
    struct fixture *f = *state;
    struct others others = {.stream = &f->stream, .share = BUDGET_REPLIES};
    atomic_store(&others.here, true);
    f->stream.echo.work = (struct turn_work){others_hold, &others};
    f->stream.echo.http_limits.yield_ms = 0;
    server_begin(f);
    int idle = client(f);
    int fd = client(f);
    raw_send_text(fd, GET("/hello"));
    raw_receive(fd, false, &f->b->reply);
    assert_int_equal(f->b->reply.status, 503);
    atomic_store(&others.here, false);
    expect_hello(f); /* in whose turn they leave */
    raw_send_text(idle, GET("/hello"));
    raw_receive(idle, false, &f->b->reply);
    assert_int_equal(f->b->reply.status, 200);
    raw_close(fd);
    raw_close(idle);
    server_end(f);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_allocation_of_a_request_may_fail),
        TEST(each_allocation_of_a_request_that_nobody_plans_may_fail),
        TEST(each_allocation_of_what_waits_behind_a_request_may_fail),
        TEST(each_allocation_of_a_request_behind_a_large_one_may_fail),
        TEST(each_allocation_of_a_refusal_for_want_of_places_may_fail),
        TEST(a_large_body_without_room_on_the_disk_is_503),
        TEST(an_answer_that_finds_no_room_and_no_reader_is_503),
        TEST(what_waits_behind_a_request_is_left_in_the_kernel_where_memory_is_short),
    };
    return cmocka_run_group_tests_name("http_memory", tests, NULL, NULL);
}
