/* What a request under way counts in the server's budget: as much as it takes of the process's
 * memory, from its first byte until its work is given back. */
#include "alloc_fault.h"
#include "echo_server.h"
#include "http_internal.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { works_max = 100, body_bytes = 100 * 1024 };

struct fixture {
    struct echo_server echo; /* for its service and limits; nothing listens */
    struct server *server;
    struct http_pool *pool;
    struct http_conn conns[works_max];
};

static const struct exchange_owner nobody = {.send = NULL};

/* --- the fixture --- */

static struct server *server_make(struct fixture *f)
{
    struct server *server;
    struct error err = ERROR_NONE;
    const struct server_options options = {
        .env = &f->echo.env, .log = &f->echo.log, .limits = &f->echo.limits};
    PP_ASSERT(server_new(&options, &server, &err) == STATUS_OK);
    return server;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return 1;
    }
    echo_server_init(&f->echo);
    f->server = server_make(f);
    PP_ASSERT(http_pool_new(f->server, NULL, &f->pool) == STATUS_OK);
    const struct http_site *site = http_pool_site(f->pool, &f->echo.service);
    for (size_t i = 0; i < works_max; i++) {
        f->conns[i].site = site;
    }
    *state = f;
    return 0;
}

/* server_free looks whether all that was counted has been given back. */
static int teardown(void **state)
{
    struct fixture *f = *state;
    server_free(f->server);
    free(f);
    return 0;
}

static size_t counted(const struct fixture *f)
{
    return f->server->turn.budget.shares[BUDGET_REQUESTS].used_bytes;
}

static struct http_work *take(struct fixture *f, size_t i)
{
    struct http_work *work = http_work_take(&f->conns[i], &nobody);
    assert_non_null(work);
    return work;
}

/* --- what is counted --- */

/* 0 where malloc does not tell, as a sanitizer's does not. */
static size_t allocated(void)
{
#ifdef __GLIBC__
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#else
    return 0;
#endif
}

static void a_request_counts_what_it_takes(void **state)
{
    struct fixture *f = *state;
    size_t before = allocated();
    for (size_t i = 0; i < works_max; i++) {
        (void)take(f, i);
    }
    size_t took = allocated() - before;
    assert_in_range(counted(f), works_max * sizeof(struct http_work), works_max * 16 * 1024);
    if (before > 0 && took > 0) {
        assert_in_range(counted(f), took - took / 20, took + took / 20);
    }
    for (size_t i = 0; i < works_max; i++) {
        http_work_give_back(f->conns[i].work);
    }
    assert_int_equal(counted(f), 0);
}

static void a_body_counts_as_far_as_it_has_come(void **state)
{
    static char body[body_bytes];
    struct fixture *f = *state;
    struct http_work *work = take(f, 0);
    size_t quiet = counted(f);
    assert_true(buf_reserve(&work->in, 2 * body_bytes));
    buf_append(&work->in, body, body_bytes);
    http_work_charge(work);
    assert_in_range(counted(f), quiet + body_bytes - HTTP_READ_BYTES_KEPT - 1, quiet + body_bytes);
    /* A body in pieces fills its buffer again and again. */
    work->parser.in_pieces = true;
    http_work_charge(work);
    assert_true(counted(f) > quiet + 2 * body_bytes);
    http_work_give_back(work);
    assert_int_equal(counted(f), 0);
}

static void what_a_service_makes_of_a_request_counts_too(void **state)
{
    struct fixture *f = *state;
    struct http_work *work = take(f, 0);
    size_t quiet = counted(f);
    assert_non_null(arena_alloc(&work->exchange.arena, body_bytes));
    http_work_charge(work);
    assert_true(counted(f) >= quiet + body_bytes);
    exchange_hold(&work->exchange, body_bytes);
    assert_true(counted(f) >= quiet + 2 * body_bytes);
    exchange_hold(&work->exchange, 1);
    assert_true(counted(f) < quiet + 2 * body_bytes);
    http_work_give_back(work);
    assert_int_equal(counted(f), 0);
}

/* However it is taken over by the share that it is already in. */
static void a_request_is_counted_once_in_whichever_share(void **state)
{
    struct fixture *f = *state;
    struct http_work *work = take(f, 0);
    size_t bytes = counted(f);
    http_work_charge_to(work, BUDGET_REQUESTS);
    assert_int_equal(counted(f), bytes);
    http_work_charge_to(work, BUDGET_REPLIES);
    assert_int_equal(counted(f), 0);
    assert_int_equal(f->server->turn.budget.used_bytes, bytes);
    http_work_give_back(work);
    assert_int_equal(f->server->turn.budget.used_bytes, 0);
}

/* --- without memory --- */

static void a_request_without_memory_for_its_work_is_none_and_counts_nothing(void **state)
{
    struct fixture *f = *state;
    struct http_work *work = NULL;
    for (long n = 1; work == NULL; n++) {
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        work = http_work_take(&f->conns[0], &nobody);
        assert_int_equal(work == NULL, alloc_fault_end());
        assert_int_equal(counted(f) > 0, work != NULL);
        assert_ptr_equal(f->conns[0].work, work);
    }
    http_work_give_back(work);
    alloc_fault_begin(1, ALLOC_FAILS_FROM_THERE_ON);
    work = http_work_take(&f->conns[1], &nobody); /* what the one before has left */
    alloc_fault_end();
    assert_non_null(work);
    http_work_give_back(work);
}

/* There is what a first connection and its request need, or the server does not start. */
static void a_listener_has_what_a_first_request_needs_or_is_none(void **state)
{
    struct fixture *f = *state;
    enum status status = STATUS_NO_MEMORY;
    bool failed = true;
    for (long n = 1; status != STATUS_OK || failed; n++) {
        struct server *server = server_make(f);
        struct http_pool *pool;
        struct conn_kind kind;
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        status = http_pool_new(server, NULL, &pool);
        status = status == STATUS_OK ? http_kind(pool, &f->echo.service, &kind) : status;
        failed = alloc_fault_end();
        assert_true(status == STATUS_OK || (status == STATUS_NO_MEMORY && failed));
        if (status == STATUS_OK) {
            alloc_fault_begin(1, ALLOC_FAILS_FROM_THERE_ON);
            struct conn *conn = kind.protocol->conn_new(server, kind.ctx);
            struct http_work *work =
                conn != NULL ? http_work_take((struct http_conn *)(void *)conn, &nobody) : NULL;
            alloc_fault_end();
            assert_non_null(work);
            http_work_give_back(work);
            conn->server = server;
            kind.protocol->conn_free(conn);
        }
        server_free(server);
    }
}

/* --- how much at once --- */

static enum body_plan plan_nothing(void *ctx, struct exchange *exchange)
{
    (void)ctx;
    (void)exchange;
    return BODY_GATHER;
}

static enum body_plan take_nothing(void *ctx, struct exchange *exchange, struct span bytes)
{
    (void)ctx;
    (void)exchange;
    (void)bytes;
    return BODY_STREAM;
}

/* Until the service has said which of the two a body is to be. */
static void a_body_may_be_as_large_as_the_larger_of_its_services_limits(void **state)
{
    static const struct {
        uint64_t streamed;
        uint64_t allowed;
    } cases[] = {{0, ECHO_BODY_BYTES_MAX},
                 {ECHO_BODY_BYTES_MAX - 1, ECHO_BODY_BYTES_MAX},
                 {ECHO_BODY_BYTES_MAX + 1, ECHO_BODY_BYTES_MAX + 1},
                 {UINT64_C(1) << 40, UINT64_C(1) << 40}};
    struct fixture *f = *state;
    f->echo.service.body_begin = plan_nothing;
    f->echo.service.body_piece = take_nothing;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f->echo.service.stream_bytes_max = cases[i].streamed;
        struct http_work *work = take(f, 0);
        assert_int_equal(work->parser.body_bytes_max, cases[i].allowed);
        http_work_give_back(work);
    }
}

/* Others keep some, however many there are. */
static void a_piece_is_a_small_part_of_the_room(void **state)
{
    (void)state;
    assert_int_equal(http_piece_bytes(SIZE_MAX), HTTP_PIECE_BYTES_MAX);
    assert_int_equal(http_piece_bytes(0), HTTP_PIECE_BYTES_MIN);
    for (size_t room = 1024 * 1024; room < 64 * 1024 * 1024; room += 999999) {
        size_t piece = http_piece_bytes(room);
        assert_true(piece <= room / 32);
        assert_in_range(piece, HTTP_PIECE_BYTES_MIN, HTTP_PIECE_BYTES_MAX);
        assert_int_equal(piece & (piece - 1), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_counts_what_it_takes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_counts_as_far_as_it_has_come, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_service_makes_of_a_request_counts_too, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_request_is_counted_once_in_whichever_share, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_request_without_memory_for_its_work_is_none_and_counts_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_listener_has_what_a_first_request_needs_or_is_none, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_body_may_be_as_large_as_the_larger_of_its_services_limits,
                                        setup, teardown),
        cmocka_unit_test(a_piece_is_a_small_part_of_the_room),
    };
    return cmocka_run_group_tests_name("http_pool", tests, NULL, NULL);
}
