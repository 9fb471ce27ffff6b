/* What a request under way counts in the server's budget: as much as it takes of the process's
 * memory, from its first byte until its work is given back. */
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

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err = ERROR_NONE;
    if (f == NULL) {
        return 1;
    }
    echo_server_init(&f->echo);
    const struct server_options options = {
        .env = &f->echo.env, .log = &f->echo.log, .limits = &f->echo.limits};
    PP_ASSERT(server_new(&options, &f->server, &err) == STATUS_OK);
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
        cmocka_unit_test(a_piece_is_a_small_part_of_the_room),
    };
    return cmocka_run_group_tests_name("http_pool", tests, NULL, NULL);
}
