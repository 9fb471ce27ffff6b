/* An exchange's way through the group commit: nothing leaves before the commit, a failed commit
 * turns every held reply into an error; what the journal is told of it. The store is the real one
 * on a file system that fails on command; parking and deadlines run on a virtual clock. */
#include "alloc_fault.h"
#include "exchange.h"
#include "line_echo.h"
#include "sqlite_db.h"
#include "turn_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { trace_bytes = 512 };

/* --- the fixture --- */

struct fixture {
    struct turn_world w;
    int topics; /* made so far; their names are numbered */
    uint64_t syncs_before;
    char trace[trace_bytes]; /* what was sent: "200 200 " */
    struct service service;
    struct exchange exchanges[3];
    int deadlines;
    int cancels;
    int released;
    int work_runs;
    bool work_writes;
    bool work_fails; /* at the commit */
    bool work_wakes;
    bool work_is_left;
};

static struct fixture *fixture_of(struct exchange *exchange)
{
    return exchange->service->ctx;
}

/* A write of this turn. */
static void write_something(struct fixture *f)
{
    char name[32];
    struct error err = ERROR_NONE;
    int len = snprintf(name, sizeof(name), "topic-%d", f->topics++);
    f->syncs_before = f->w.vfs.syncs;
    const struct store_topic_spec spec = {.name = span_from(name, (size_t)len),
                                          .partition_count = 1};
    assert_int_equal(store_topic_create(f->w.store, &spec, &err), STATUS_OK);
}

static void send_reply(struct exchange *exchange)
{
    struct fixture *f = fixture_of(exchange);
    size_t len = strlen(f->trace);
    snprintf(f->trace + len, sizeof(f->trace) - len, "%d ", exchange->reply.status);
    assert_false(store_turn_has_writes(f->w.store));
    if (exchange->reply.status == 200 && f->topics > 0) {
        assert_true(f->w.vfs.syncs > f->syncs_before);
    }
}

static void finished(struct exchange *exchange)
{
    exchange_sent(exchange);
}

static const struct exchange_owner owner = {.send = send_reply, .finished = finished};

static enum handled handle(void *ctx, struct exchange *exchange)
{
    (void)ctx;
    exchange->reply.status = 200;
    BUF_APPEND_LIT(&exchange->reply.body, "body");
    return HANDLED;
}

static void answer_failure(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    (void)ctx;
    exchange->reply.status = failure == EXCHANGE_STOPPING ? 503 : 500;
}

static void let_go(void *ctx, struct exchange *exchange)
{
    struct fixture *f = ctx;
    assert_non_null(exchange->state);
    f->released++;
}

static int setup(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    memset(f, 0, sizeof(*f));
    turn_world_open(&f->w, 0);
    f->service = (struct service){.name = "test",
                                  .body_bytes_max = 100,
                                  .reply_bytes_max = 4 * 1024 * 1024,
                                  .ctx = f,
                                  .handle = handle,
                                  .fail = answer_failure,
                                  .release = let_go};
    for (size_t i = 0; i < ARRAY_COUNT(f->exchanges); i++) {
        if (exchange_init(&f->exchanges[i], &f->w.turn, &owner) != STATUS_OK) {
            return 1;
        }
        exchange_reset(&f->exchanges[i], &f->service);
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(f->exchanges); i++) {
        exchange_release(&f->exchanges[i]);
    }
    turn_world_close(&f->w);
    return 0;
}

/* --- commit and replies --- */

static void nothing_is_sent_before_the_commit(void **state)
{
    struct fixture *f = *state;
    write_something(f);
    exchange_handle(&f->exchanges[0]);
    exchange_handle(&f->exchanges[1]);
    assert_string_equal(f->trace, "");
    assert_true(turn_needs_commit(&f->w.turn));
    turn_end(&f->w.turn); /* send_reply() looks whether the commit was synced */
    assert_string_equal(f->trace, "200 200 ");
    assert_int_equal(f->w.turn.held_count, 0);
    assert_true(f->w.turn.journal_fed);
}

static void a_failed_commit_turns_every_held_reply_into_an_error(void **state)
{
    struct fixture *f = *state;
    write_something(f);
    exchange_handle(&f->exchanges[0]);
    exchange_handle(&f->exchanges[1]);
    turn_world_fail_syncs(&f->w);
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "500 500 ");
    assert_int_equal(f->exchanges[0].reply.body.len, 0);
    assert_int_equal(store_topic_count(f->w.store), 0);
}

static void an_upstreams_answer_survives_a_failed_commit(void **state)
{
    struct fixture *f = *state;
    write_something(f);
    exchange_handle(&f->exchanges[0]);
    f->exchanges[0].outside_turn = true;
    exchange_handle(&f->exchanges[1]);
    turn_world_fail_syncs(&f->w);
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "200 500 ");
}

static void a_turn_that_only_read_commits_nothing(void **state)
{
    struct fixture *f = *state;
    exchange_handle(&f->exchanges[0]);
    turn_world_fail_syncs(&f->w);
    turn_end(&f->w.turn);
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "200 ");
}

static void writes_without_a_reply_are_committed_too(void **state)
{
    struct fixture *f = *state;
    write_something(f);
    turn_end(&f->w.turn);
    assert_false(turn_needs_commit(&f->w.turn));
    assert_int_equal(store_topic_count(f->w.store), 1);
}

static void add_one_to_status(struct exchange *exchange, void *ctx)
{
    int *seen = ctx;
    *seen = exchange->reply.status;
    exchange->reply.status += 1;
}

static void filters_run_after_the_commit(void **state)
{
    struct fixture *f = *state;
    int seen = 0;
    write_something(f);
    f->exchanges[0].filter = add_one_to_status;
    f->exchanges[0].filter_ctx = &seen;
    exchange_handle(&f->exchanges[0]);
    assert_int_equal(seen, 0);
    turn_world_fail_syncs(&f->w);
    turn_end(&f->w.turn);
    assert_int_equal(seen, 500);
    assert_string_equal(f->trace, "501 ");
}

static void a_reply_at_its_ceiling_becomes_an_error(void **state)
{
    struct fixture *f = *state;
    exchange_handle(&f->exchanges[0]);
    buf_reserve(&f->exchanges[0].reply.body, f->service.reply_bytes_max);
    assert_false(buf_ok(&f->exchanges[0].reply.body));
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "500 ");
}

static void what_could_not_read_its_request_becomes_an_error(void **state)
{
    struct fixture *f = *state;
    exchange_handle(&f->exchanges[0]);
    f->exchanges[0].starved = true;
    exchange_handle(&f->exchanges[1]);
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "500 200 ");
}

static void an_answer_without_a_status_becomes_an_error(void **state)
{
    struct fixture *f = *state;
    BUF_APPEND_LIT(&f->exchanges[0].reply.body, "forgotten");
    exchange_answer(&f->exchanges[0]);
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "500 ");
    assert_int_equal(f->exchanges[0].reply.body.len, 0);
}

static void headers_at_their_ceiling_become_an_error(void **state)
{
    struct fixture *f = *state;
    exchange_handle(&f->exchanges[0]);
    buf_reserve(&f->exchanges[0].reply.headers, EXCHANGE_REPLY_HEADERS_MAX + 1);
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "500 ");
    assert_int_equal(f->exchanges[0].reply.body.len, 0);
}

static void add_more_headers_than_fit(struct exchange *exchange, void *ctx)
{
    (void)ctx;
    buf_reserve(&exchange->reply.headers, EXCHANGE_REPLY_HEADERS_MAX + 1);
}

static void a_filter_that_leaves_no_sound_answer_makes_it_an_error(void **state)
{
    struct fixture *f = *state;
    f->exchanges[0].filter = add_more_headers_than_fit;
    exchange_handle(&f->exchanges[0]);
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "500 ");
    assert_true(buf_ok(&f->exchanges[0].reply.headers));
}

/* What was acknowledged is there to be read; what would have to be kept is refused. */
static void once_nothing_is_kept_any_more_only_reading_is_answered(void **state)
{
    static const struct {
        enum http_method method;
        const char *sent;
    } cases[] = {
        {METHOD_GET, "200 "},  {METHOD_HEAD, "200 "},   {METHOD_OPTIONS, "200 "},
        {METHOD_POST, "500 "}, {METHOD_DELETE, "500 "}, {METHOD_OTHER, "500 "},
    };
    struct fixture *f = *state;
    struct exchange *exchange = &f->exchanges[0];
    write_something(f);
    turn_world_fail_syncs(&f->w);
    assert_int_equal(turn_end(&f->w.turn), TURN_FAILED);
    f->topics = 0; /* so many were made */
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f->trace[0] = '\0';
        exchange_reset(exchange, &f->service);
        exchange->request.method = cases[i].method;
        exchange_handle(exchange);
        assert_int_equal(turn_end(&f->w.turn), TURN_STOPPED);
        assert_string_equal(f->trace, cases[i].sent);
        assert_int_equal(exchange->reply.hint != NULL, strcmp(cases[i].sent, "500 ") == 0);
    }
}

static bool never_asked(struct exchange *exchange, struct buf *out, size_t max)
{
    (void)exchange;
    (void)out;
    (void)max;
    fail_msg("a piece was asked for");
    return false;
}

static void stream_a_reply(struct fixture *f, struct exchange *exchange)
{
    exchange->state = f;
    exchange->reply.status = 200;
    exchange->reply.stream = never_asked;
    exchange->reply.stream_bytes = UINT64_C(6) << 30;
    exchange_answer(exchange);
}

static void a_streamed_reply_takes_no_room_until_it_has_pieces(void **state)
{
    struct fixture *f = *state;
    size_t before = exchange_reply_room(&f->exchanges[1]);
    stream_a_reply(f, &f->exchanges[0]);
    assert_int_equal(exchange_reply_room(&f->exchanges[1]), before);
    assert_false(turn_is_full(&f->w.turn));
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "200 ");
    assert_int_equal(f->released, 1);
}

static void a_failed_commit_drops_a_streamed_reply(void **state)
{
    struct fixture *f = *state;
    write_something(f);
    stream_a_reply(f, &f->exchanges[0]);
    turn_world_fail_syncs(&f->w);
    assert_int_equal(turn_end(&f->w.turn), TURN_FAILED);
    assert_string_equal(f->trace, "500 ");
    assert_null(f->exchanges[0].reply.stream);
    assert_int_equal(reply_body_bytes(&f->exchanges[0].reply), 0);
    assert_int_equal(f->released, 1);
    assert_null(f->exchanges[0].state);
}

static void append_records(struct fixture *f, int count)
{
    write_something(f);
    const struct store_place place = {.topic = store_topic_at(f->w.store, 0), .partition = 0};
    const struct store_record record = {.has_value = true, .value = SPAN_LIT("{}")};
    for (int i = 0; i < count; i++) {
        int64_t offset;
        struct error err = ERROR_NONE;
        assert_int_equal(store_record_append(f->w.store, place, &record, &offset, &err), STATUS_OK);
    }
}

static void a_turn_is_full_by_records_bytes_or_time(void **state)
{
    struct fixture *f = *state;
    assert_false(turn_is_full(&f->w.turn));
    exchange_handle(&f->exchanges[0]);
    assert_false(turn_is_full(&f->w.turn));
    env_advance(&f->w.env, TURN_US_MAX);
    assert_true(turn_is_full(&f->w.turn));
    turn_end(&f->w.turn);
    assert_false(turn_is_full(&f->w.turn));
    append_records(f, TURN_RECORDS_MAX);
    assert_true(turn_is_full(&f->w.turn));
    turn_end(&f->w.turn);
    f->exchanges[1].reply.status = 200;
    buf_reserve(&f->exchanges[1].reply.body, TURN_HELD_BYTES_MAX);
    f->exchanges[1].reply.body.len = TURN_HELD_BYTES_MAX;
    exchange_answer(&f->exchanges[1]);
    assert_true(turn_is_full(&f->w.turn));
    turn_end(&f->w.turn);
}

/* --- parked exchanges --- */

static void on_deadline(struct exchange *exchange, void *ctx)
{
    struct fixture *f = ctx;
    f->deadlines++;
    if (f->deadlines == 1) {
        static const struct park_ops again = {on_deadline, NULL};
        exchange_park(exchange, f->w.env.monotonic_us(&f->w.env) + 50, &again, f);
        return;
    }
    exchange->reply.status = 204;
    exchange_answer(exchange);
}

static void on_cancel(struct exchange *exchange, void *ctx)
{
    struct fixture *f = ctx;
    (void)exchange;
    f->cancels++;
}

static const struct park_ops ops = {on_deadline, on_cancel};

static void tick(struct fixture *f, int64_t duration_us)
{
    env_advance(&f->w.env, duration_us);
    timer_heap_run(&f->w.timers);
}

static void a_parked_exchange_may_park_again_at_its_deadline(void **state)
{
    struct fixture *f = *state;
    exchange_park(&f->exchanges[0], 100, &ops, f);
    tick(f, 99);
    assert_int_equal(f->deadlines, 0);
    tick(f, 1);
    assert_int_equal(f->deadlines, 1);
    assert_true(exchange_is_parked(&f->exchanges[0]));
    tick(f, 50);
    assert_true(exchange_is_held(&f->exchanges[0]));
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "204 ");
}

static void an_answer_disarms_both_deadlines(void **state)
{
    struct fixture *f = *state;
    exchange_set_outer_deadline(&f->exchanges[0], 200, on_deadline, f);
    exchange_park(&f->exchanges[0], 100, &ops, f);
    f->exchanges[0].reply.status = 200;
    exchange_answer(&f->exchanges[0]);
    tick(f, 1000);
    assert_int_equal(f->deadlines, 0);
    assert_int_equal(f->cancels, 0);
    turn_end(&f->w.turn);
}

static void an_outer_deadline_comes_too_late_for_what_is_answered(void **state)
{
    struct fixture *f = *state;
    exchange_handle(&f->exchanges[0]);
    exchange_set_outer_deadline(&f->exchanges[0], 100, on_deadline, f);
    tick(f, 1000);
    assert_int_equal(f->deadlines, 0);
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "200 ");
}

static void outer_time_is_up(struct exchange *exchange, void *ctx)
{
    struct fixture *f = ctx;
    assert_int_equal(f->cancels, 1);
    assert_int_equal(exchange->reply.status, 0);
    exchange->reply.status = 504;
}

static void the_outer_deadline_cancels_at_the_service_and_answers(void **state)
{
    struct fixture *f = *state;
    exchange_set_outer_deadline(&f->exchanges[0], 100, outer_time_is_up, f);
    exchange_park(&f->exchanges[0], INT64_MAX, &ops, f);
    f->exchanges[0].reply.status = 200; /* half built by the service */
    tick(f, 100);
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "504 ");
}

static void aborting_a_parked_exchange_cancels_and_fails_it(void **state)
{
    struct fixture *f = *state;
    exchange_park(&f->exchanges[0], 100, &ops, f);
    exchange_abort(&f->exchanges[0], EXCHANGE_STOPPING);
    tick(f, 1000);
    assert_int_equal(f->cancels, 1);
    assert_int_equal(f->deadlines, 0);
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "503 ");
}

static void held_replies_take_from_the_room_until_they_have_left(void **state)
{
    struct fixture *f = *state;
    size_t before = exchange_reply_room(&f->exchanges[1]);
    exchange_handle(&f->exchanges[0]);
    assert_int_equal(exchange_reply_room(&f->exchanges[1]), before - 4);
    turn_end(&f->w.turn);
    assert_int_equal(exchange_reply_room(&f->exchanges[1]), before);
}

/* As in a bench without sockets: there is nobody who could make room. */
static void an_owner_without_readers_is_asked_for_no_room(void **state)
{
    struct fixture *f = *state;
    size_t before = exchange_reply_room(&f->exchanges[0]);
    exchange_park(&f->exchanges[0], INT64_MAX, &ops, f);
    exchange_want_reply_room(&f->exchanges[0], before + 1);
    assert_int_equal(exchange_reply_room(&f->exchanges[0]), before);
    assert_true(exchange_is_parked(&f->exchanges[0]));
    exchange_cancel(&f->exchanges[0]);
}

static void an_exchange_has_what_its_refusal_takes_or_is_none(void **state)
{
    struct fixture *f = *state;
    struct timer_heap *timers = &f->w.timers;
    struct exchange exchange;
    enum status status = STATUS_NO_MEMORY;
    for (long n = 1; status != STATUS_OK; n++) {
        size_t left = timers->cap - timers->count - timers->reserved;
        size_t reserved = timers->reserved;
        assert_int_equal(timer_heap_reserve(timers, left), STATUS_OK); /* by others */
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        status = exchange_init(&exchange, &f->w.turn, &owner);
        assert_int_equal(status, alloc_fault_end() ? STATUS_NO_MEMORY : STATUS_OK);
        timer_heap_unreserve(timers, left);
        assert_int_equal(timers->reserved, reserved + (status == STATUS_OK ? 2 : 0));
    }
    exchange_reset(&exchange, &f->service);
    alloc_fault_begin(1, ALLOC_FAILS_FROM_THERE_ON);
    exchange_abort(&exchange, EXCHANGE_NO_MEMORY);
    turn_end(&f->w.turn);
    alloc_fault_end();
    assert_string_equal(f->trace, "500 ");
    exchange_release(&exchange);
}

/* --- beside other protocols --- */

static void on_line_sent(struct line_answer *answer, void *ctx)
{
    struct fixture *f = ctx;
    size_t len = strlen(f->trace);
    snprintf(f->trace + len, sizeof(f->trace) - len, "%.*s ", (int)answer->len, answer->text);
}

static void on_line_finished(struct line_answer *answer, void *ctx)
{
    (void)answer;
    (void)ctx;
}

static void exchanges_and_lines_share_a_turn(void **state)
{
    struct fixture *f = *state;
    for (int failing = 0; failing <= 1; failing++) {
        struct line_answer line = {
            .on_send = on_line_sent, .on_finished = on_line_finished, .ctx = f};
        f->trace[0] = '\0';
        exchange_reset(&f->exchanges[0], &f->service);
        exchange_reset(&f->exchanges[1], &f->service);
        f->syncs_before = f->w.vfs.syncs;
        exchange_handle(&f->exchanges[0]);
        line_answer_begin(&line, &f->w.turn, failing ? SPAN_LIT("+b") : SPAN_LIT("+a"));
        exchange_handle(&f->exchanges[1]);
        if (failing) {
            turn_world_fail_syncs(&f->w);
        }
        assert_int_equal(turn_end(&f->w.turn), failing ? TURN_FAILED : TURN_COMMITTED);
        assert_string_equal(f->trace, failing ? "500 -b 500 " : "200 +a 200 ");
    }
}

/* --- what the journal is told --- */

static int64_t query_journal(struct fixture *f, const char *sql)
{
    struct sqlite_db db;
    struct error err = ERROR_NONE;
    int64_t value = -1;
    char path[512];
    journal_flush(f->w.journal);
    temp_dir_path(&f->w.dir, "journal.db", path, sizeof(path));
    const struct sqlite_db_options options = {.path = path, .env = &f->w.env, .read_only = true};
    assert_int_equal(sqlite_db_open(&db, &options, &err), STATUS_OK);
    assert_int_equal(sqlite_db_query_i64(&db, sql, &value, &err), STATUS_OK);
    sqlite_db_close(&db);
    return value;
}

static void the_journal_has_the_path_before_the_gateway_rewrote_it(void **state)
{
    struct fixture *f = *state;
    struct exchange *exchange = &f->exchanges[0];
    exchange->request.method_name = SPAN_LIT("POST");
    exchange->request.target = SPAN_LIT("/topics/t");
    exchange->journal_path = SPAN_LIT("/test/topics/t");
    exchange_handle(exchange);
    turn_end(&f->w.turn);
    exchange = &f->exchanges[1];
    exchange->request.method_name = SPAN_LIT("GET");
    exchange->request.target = SPAN_LIT("/topics");
    exchange_handle(exchange);
    turn_end(&f->w.turn);
    assert_int_equal(query_journal(f, "SELECT count(*) FROM requests WHERE service = 'test' AND "
                                      "method = 'POST' AND path = '/test/topics/t'"),
                     1);
    assert_int_equal(query_journal(f, "SELECT count(*) FROM requests WHERE path = '/topics'"), 1);
}

static void the_journal_counts_bodies_gathered_and_streamed(void **state)
{
    struct fixture *f = *state;
    struct exchange *exchange = &f->exchanges[0];
    exchange->request.body = SPAN_LIT("body!");
    exchange->streamed_bytes = UINT64_C(5368709120);
    stream_a_reply(f, exchange);
    turn_end(&f->w.turn);
    assert_int_equal(query_journal(f, "SELECT request_bytes FROM requests"),
                     INT64_C(5368709120) + 5);
    assert_int_equal(query_journal(f, "SELECT response_bytes FROM requests"), INT64_C(6) << 30);
}

static void the_journal_has_the_answer_that_left(void **state)
{
    struct fixture *f = *state;
    write_something(f);
    f->exchanges[0].start_us = f->w.env.monotonic_us(&f->w.env) - 300;
    exchange_handle(&f->exchanges[0]);
    turn_world_fail_syncs(&f->w);
    turn_end(&f->w.turn);
    assert_int_equal(query_journal(f, "SELECT count(*) FROM requests WHERE status = 500 AND "
                                      "latency_us = 300"),
                     1);
}

/* --- work that joins the turn --- */

static bool work(void *ctx)
{
    struct fixture *f = ctx;
    f->work_runs++;
    assert_string_equal(f->trace, ""); /* before anything leaves */
    if (f->work_writes) {
        write_something(f);
    }
    if (f->work_fails) {
        turn_world_fail_syncs(&f->w);
    }
    if (f->work_wakes) {
        f->exchanges[2].reply.status = 201;
        exchange_answer(&f->exchanges[2]);
    }
    return f->work_is_left;
}

static void work_runs_in_every_turn(void **state)
{
    struct fixture *f = *state;
    f->w.turn.work = (struct turn_work){work, f};
    assert_int_equal(turn_end(&f->w.turn), TURN_ONLY_READ);
    assert_int_equal(f->work_runs, 1);
    assert_false(f->w.turn.work_left);
    f->work_is_left = true;
    turn_end(&f->w.turn);
    assert_true(f->w.turn.work_left);
}

static void what_only_the_work_wrote_is_committed(void **state)
{
    struct fixture *f = *state;
    f->w.turn.work = (struct turn_work){work, f};
    f->work_writes = true;
    assert_int_equal(turn_end(&f->w.turn), TURN_COMMITTED);
    assert_int_equal(store_topic_count(f->w.store), 1);
    assert_false(turn_needs_commit(&f->w.turn));
}

static void whom_the_work_wakes_is_answered_in_the_same_turn(void **state)
{
    struct fixture *f = *state;
    f->w.turn.work = (struct turn_work){work, f};
    f->work_writes = true;
    f->work_wakes = true;
    exchange_park(&f->exchanges[2], INT64_MAX, &ops, f);
    exchange_handle(&f->exchanges[0]);
    turn_end(&f->w.turn);
    assert_string_equal(f->trace, "200 201 ");
}

static void work_whose_commit_failed_fails_the_replies_and_waits(void **state)
{
    struct fixture *f = *state;
    f->w.turn.work = (struct turn_work){work, f};
    f->work_writes = true;
    f->work_is_left = true;
    f->work_fails = true;
    exchange_handle(&f->exchanges[0]);
    assert_int_equal(turn_end(&f->w.turn), TURN_FAILED);
    assert_string_equal(f->trace, "500 ");
    assert_int_equal(store_topic_count(f->w.store), 0);
    assert_false(f->w.turn.work_left); /* a full disk does not keep the loop spinning */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_sent_before_the_commit),
        TEST(a_failed_commit_turns_every_held_reply_into_an_error),
        TEST(an_upstreams_answer_survives_a_failed_commit),
        TEST(a_turn_that_only_read_commits_nothing),
        TEST(writes_without_a_reply_are_committed_too),
        TEST(filters_run_after_the_commit),
        TEST(a_reply_at_its_ceiling_becomes_an_error),
        TEST(what_could_not_read_its_request_becomes_an_error),
        TEST(an_answer_without_a_status_becomes_an_error),
        TEST(headers_at_their_ceiling_become_an_error),
        TEST(a_filter_that_leaves_no_sound_answer_makes_it_an_error),
        TEST(once_nothing_is_kept_any_more_only_reading_is_answered),
        TEST(a_streamed_reply_takes_no_room_until_it_has_pieces),
        TEST(a_failed_commit_drops_a_streamed_reply),
        TEST(a_turn_is_full_by_records_bytes_or_time),
        TEST(a_parked_exchange_may_park_again_at_its_deadline),
        TEST(an_answer_disarms_both_deadlines),
        TEST(an_outer_deadline_comes_too_late_for_what_is_answered),
        TEST(the_outer_deadline_cancels_at_the_service_and_answers),
        TEST(aborting_a_parked_exchange_cancels_and_fails_it),
        TEST(exchanges_and_lines_share_a_turn),
        TEST(the_journal_has_the_path_before_the_gateway_rewrote_it),
        TEST(the_journal_counts_bodies_gathered_and_streamed),
        TEST(the_journal_has_the_answer_that_left),
        TEST(held_replies_take_from_the_room_until_they_have_left),
        TEST(an_owner_without_readers_is_asked_for_no_room),
        TEST(an_exchange_has_what_its_refusal_takes_or_is_none),
        TEST(work_runs_in_every_turn),
        TEST(what_only_the_work_wrote_is_committed),
        TEST(whom_the_work_wakes_is_answered_in_the_same_turn),
        TEST(work_whose_commit_failed_fails_the_replies_and_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
