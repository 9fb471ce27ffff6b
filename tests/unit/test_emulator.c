/* The emulator on a virtual clock, with rows made here and a poster that answers from a script. */
#include "emulator.h"
#include "fault_vfs.h"
#include "sqlite_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { posts_kept_max = 4096, slots_max = 16, latency_usual_us = 1000 };

/* --- rows ---------------------------------------------------------------------------------- */

struct fake_rows {
    struct row_source base;
    int64_t counts[TABLE_COUNT];
};

static enum status rows_fetch(struct row_source *source, enum table_id table, int64_t row_number,
                              struct row *row, struct error *err)
{
    struct fake_rows *rows = PP_CONTAINER_OF(source, struct fake_rows, base);
    if (row_number >= rows->counts[table]) {
        return error_set(err, STATUS_NOT_FOUND, "no such row");
    }
    *row = (struct row){.table = table_get(table)};
    for (size_t i = 0; i < row->table->column_count; i++) {
        row->values[i].integer = row_number;
        row->values[i].text = SPAN_LIT("2020-01-02 03:04:05");
    }
    return STATUS_OK;
}

static enum status rows_count(struct row_source *source, enum table_id table, int64_t *count,
                              struct error *err)
{
    (void)err;
    *count = PP_CONTAINER_OF(source, struct fake_rows, base)->counts[table];
    return STATUS_OK;
}

static const struct row_source_ops fake_rows_ops = {.fetch = rows_fetch, .count = rows_count};

/* --- poster -------------------------------------------------------------------------------- */

struct fake_post {
    enum table_id table;
    int64_t row;
    int64_t at_us;
    bool intent_was_durable;
};

struct fake_slot {
    bool busy;
    enum table_id table;
    int64_t row;
    int64_t answer_us;
};

struct fixture;
/* What becomes of the n-th send (from 0) of this row. */
typedef void (*script_fn)(struct fixture *f, enum table_id table, int64_t row, int64_t n,
                          struct post_outcome *outcome);

struct fixture {
    struct env env;
    char dir[64];
    struct endpoints endpoints;
    struct emulator_options options;
    struct emulator_summary summary;
    struct error err;
    struct progress progress;
    char notes[4096];

    struct fake_rows rows;
    struct poster poster;
    struct fake_slot slots[slots_max];
    size_t in_flight;
    int64_t latency_us;
    size_t in_flight_most;
    script_fn script;
    struct fake_post posts[posts_kept_max];
    size_t post_count;
    int64_t offsets[TABLE_COUNT];
    enum status identify_status;
    int identify_busy; /* so many times first */
    const char *cluster_id;
    bool never_answers;
    size_t stop_after_posts; /* 0: never */
    sqlite3 *watcher;        /* another connection to the ledger */
    bool do_not_watch;
};

static struct fixture *fixture_of(struct poster *poster)
{
    return PP_CONTAINER_OF(poster, struct fixture, poster);
}

static const char *fake_target(const struct poster *poster, enum table_id table)
{
    static const char *const names[] = {"u.pin", "u.geo", "u.user"};
    (void)poster;
    return names[table];
}

static enum status fake_identify(struct poster *poster, char out[POSTER_CLUSTER_ID_BYTES_MAX],
                                 struct error *err)
{
    struct fixture *f = fixture_of(poster);
    if (f->identify_busy-- > 0) {
        return error_set(err, STATUS_BUSY, "HTTP 502");
    }
    if (f->identify_status != STATUS_OK) {
        return error_set(err, f->identify_status, "nobody is there");
    }
    snprintf(out, POSTER_CLUSTER_ID_BYTES_MAX, "%s", f->cluster_id);
    return STATUS_OK;
}

static int64_t sql_i64(struct fixture *f, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    char path[128];
    snprintf(path, sizeof(path), "%s/ledger.db", f->dir);
    if (f->watcher == NULL) {
        assert_int_equal(sqlite3_open_v2(path, &f->watcher, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    }
    assert_int_equal(sqlite3_prepare_v2(f->watcher, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

static int64_t row_of_value(struct span value)
{
    const char *colon = memchr(value.ptr, ':', value.len);
    assert_non_null(colon);
    return strtoll(colon + 1, NULL, 10);
}

static bool intent_is_durable(struct fixture *f, enum table_id table, int64_t row)
{
    char sql[160];
    if (f->do_not_watch) {
        return true;
    }
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM post WHERE tbl = %d AND row_number = %lld AND state = 0",
             (int)table, (long long)row);
    return sql_i64(f, sql) > 0;
}

static enum status fake_send(struct poster *poster, size_t slot, enum table_id table,
                             struct span value, struct error *err)
{
    struct fixture *f = fixture_of(poster);
    (void)err;
    assert_true(slot < slots_max && !f->slots[slot].busy);
    assert_true(f->post_count < posts_kept_max);
    int64_t row = row_of_value(value);
    f->slots[slot] = (struct fake_slot){true, table, row, f->env.virtual_us + f->latency_us};
    f->posts[f->post_count++] =
        (struct fake_post){table, row, f->env.virtual_us, intent_is_durable(f, table, row)};
    f->in_flight++;
    f->in_flight_most = f->in_flight > f->in_flight_most ? f->in_flight : f->in_flight_most;
    return STATUS_OK;
}

static int64_t sends_before(const struct fixture *f, enum table_id table, int64_t row)
{
    int64_t n = -1;
    for (size_t i = 0; i < f->post_count; i++) {
        n += f->posts[i].table == table && f->posts[i].row == row;
    }
    return n;
}

static enum status fake_run(struct poster *poster, int timeout_ms, struct error *err)
{
    struct fixture *f = fixture_of(poster);
    int64_t until_us = f->env.virtual_us + (int64_t)timeout_ms * 1000;
    int64_t next_us = until_us;
    (void)err;
    for (size_t i = 0; i < slots_max && !f->never_answers; i++) {
        if (f->slots[i].busy && f->slots[i].answer_us < next_us) {
            next_us = f->slots[i].answer_us;
        }
    }
    if (next_us > f->env.virtual_us) {
        env_advance(&f->env, next_us - f->env.virtual_us);
    }
    for (size_t i = 0; i < slots_max && !f->never_answers; i++) {
        struct fake_slot *slot = &f->slots[i];
        if (slot->busy && slot->answer_us <= f->env.virtual_us) {
            struct post_outcome outcome = {.result = POST_ACKED};
            slot->busy = false;
            f->in_flight--;
            if (f->script != NULL) {
                f->script(f, slot->table, slot->row, sends_before(f, slot->table, slot->row),
                          &outcome);
            }
            outcome.offset = outcome.result == POST_ACKED ? f->offsets[slot->table]++ : 0;
            poster->done(poster->ctx, i, &outcome);
        }
    }
    return STATUS_OK;
}

static void fake_cancel(struct poster *poster, size_t slot)
{
    struct fixture *f = fixture_of(poster);
    assert_true(f->slots[slot].busy);
    f->slots[slot].busy = false;
    f->in_flight--;
}

static void fake_free(struct poster *poster)
{
    (void)poster;
    fail_msg("a borrowed poster was freed");
}

static const struct poster_ops fake_poster_ops = {
    .target = fake_target,
    .identify = fake_identify,
    .send = fake_send,
    .run = fake_run,
    .cancel = fake_cancel,
    .free = fake_free,
};

/* --- scripts ------------------------------------------------------------------------------- */

static void fail_with(struct post_outcome *outcome, enum post_result result, int status,
                      bool maybe_kept)
{
    outcome->result = result;
    outcome->http_status = status;
    outcome->maybe_kept = maybe_kept;
    snprintf(outcome->reason, sizeof(outcome->reason), "HTTP %d", status);
}

static void first_two_throttled(struct fixture *f, enum table_id table, int64_t row, int64_t n,
                                struct post_outcome *outcome)
{
    (void)f;
    if (table == TABLE_GEO && row == 1 && n < 2) {
        fail_with(outcome, POST_RETRY, 429, false);
    }
}

static void once_timed_out(struct fixture *f, enum table_id table, int64_t row, int64_t n,
                           struct post_outcome *outcome)
{
    (void)f;
    if (table == TABLE_USER && row == 2 && n == 0) {
        fail_with(outcome, POST_RETRY, 504, true);
    }
}

static void row_one_always_504(struct fixture *f, enum table_id table, int64_t row, int64_t n,
                               struct post_outcome *outcome)
{
    (void)f;
    (void)n;
    if (table == TABLE_PIN && row == 1) {
        fail_with(outcome, POST_RETRY, 504, true);
    }
}

static void geo_of_row_one_refused(struct fixture *f, enum table_id table, int64_t row, int64_t n,
                                   struct post_outcome *outcome)
{
    (void)f;
    (void)n;
    if (table == TABLE_GEO && row == 1) {
        fail_with(outcome, POST_GIVE_UP, 413, false);
    }
}

static void all_forbidden(struct fixture *f, enum table_id table, int64_t row, int64_t n,
                          struct post_outcome *outcome)
{
    (void)f;
    (void)table;
    (void)row;
    (void)n;
    fail_with(outcome, POST_GIVE_UP, 403, false);
}

static void all_gone(struct fixture *f, enum table_id table, int64_t row, int64_t n,
                     struct post_outcome *outcome)
{
    (void)table;
    (void)row;
    (void)n;
    if (f->post_count > 30) {
        fail_with(outcome, POST_RETRY, 0, false);
        outcome->unreachable = true;
    }
}

static void pin_slow_to_succeed(struct fixture *f, enum table_id table, int64_t row, int64_t n,
                                struct post_outcome *outcome)
{
    (void)f;
    if (table == TABLE_PIN && row % 5 == 0 && n == 0) {
        fail_with(outcome, POST_RETRY, 503, true);
    }
}

/* --- fixture ------------------------------------------------------------------------------- */

static void keep_note(void *ctx, const char *text)
{
    struct fixture *f = ctx;
    size_t used = strlen(f->notes);
    snprintf(f->notes + used, sizeof(f->notes) - used, "%s\n", text);
}

static bool stop_when_told(void *ctx)
{
    struct fixture *f = ctx;
    return f->stop_after_posts > 0 && f->post_count >= f->stop_after_posts;
}

static void no_update(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    (void)ctx;
    (void)what;
    assert_true(total == 0 || done <= total);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    env_init_virtual(&f->env, 1, INT64_C(1700000000000000));
    snprintf(f->dir, sizeof(f->dir), "/tmp/pinpipe-emulator-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->endpoints = (struct endpoints){.invoke_url = "http://127.0.0.1:1/test", .user_id = "u"};
    f->rows.base.ops = &fake_rows_ops;
    f->poster.ops = &fake_poster_ops;
    f->cluster_id = "cluster-one";
    f->latency_us = latency_usual_us;
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        f->rows.counts[t] = 20000;
    }
    f->progress = (struct progress){no_update, stop_when_told, f};
    emulator_options_init(&f->options);
    f->options.env = &f->env;
    f->options.data_dir = f->dir;
    f->options.endpoints = &f->endpoints;
    f->options.order = ROW_ORDER_SEQUENTIAL;
    f->options.rows = 10;
    f->options.rows_from = &f->rows.base;
    f->options.poster = &f->poster;
    f->options.progress = &f->progress;
    f->options.note = keep_note;
    f->options.note_ctx = f;
    *state = f;
    return 0;
}

static void forget_ledger(struct fixture *f)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char path[128];
    sqlite3_close(f->watcher);
    f->watcher = NULL;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(path, sizeof(path), "%s/ledger.db%s", f->dir, suffixes[i]);
        unlink(path);
    }
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    forget_ledger(f);
    rmdir(f->dir);
    free(f);
    return 0;
}

static void run_ok(struct fixture *f)
{
    if (emulator_run(&f->options, &f->summary, &f->err) != STATUS_OK) {
        fail_msg("%s", f->err.message);
    }
}

/* --- tests --------------------------------------------------------------------------------- */

static void every_post_is_acked_and_in_the_ledger(void **state)
{
    struct fixture *f = *state;
    f->options.rows = 400;
    run_ok(f);
    assert_int_equal(f->summary.end, EMULATOR_END_DONE);
    assert_int_equal(f->summary.posts_acked, 1200);
    assert_int_equal(f->summary.triples_complete, 400);
    assert_int_equal(f->summary.triples_partial, 0);
    assert_int_equal(f->summary.retries, 0);
    assert_true(emulator_succeeded(&f->summary));
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE state = 1 AND attempts = 1 AND "
                                "\"offset\" = triple AND row_number = triple AND maybe_kept = 0"),
                     1200);
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE length(value_hash) = 16"), 1200);
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM run WHERE ended_ms NOT NULL"), 1);
}

static void intents_are_durable_before_their_requests_leave(void **state)
{
    struct fixture *f = *state;
    f->options.rows = 350;
    run_ok(f);
    assert_int_equal(f->post_count, 1050);
    for (size_t i = 0; i < f->post_count; i++) {
        assert_true(f->posts[i].intent_was_durable);
    }
}

static void python_order_posts_the_scripts_rows(void **state)
{
    struct fixture *f = *state;
    static const int64_t rows[] = {7528, 2863, 5730, 8304, 8731, 1313};
    f->options.order = ROW_ORDER_PYTHON;
    f->options.concurrency = 1;
    f->options.rows = 6;
    run_ok(f);
    assert_int_equal(f->post_count, 18);
    for (size_t i = 0; i < f->post_count; i++) {
        assert_int_equal(f->posts[i].row, rows[i / 3]);
        assert_int_equal(f->posts[i].table, i % 3);
    }
    assert_int_equal(f->in_flight_most, 1);
    assert_string_equal(f->notes, "");
}

static void a_small_table_is_said_to_change_the_walk(void **state)
{
    struct fixture *f = *state;
    f->rows.counts[TABLE_GEO] = 10;
    f->options.order = ROW_ORDER_PYTHON;
    run_ok(f);
    assert_non_null(strstr(f->notes, "not the script's"));
    assert_non_null(strstr(f->notes, "only the first 10"));
    for (size_t i = 0; i < f->post_count; i++) {
        assert_in_range(f->posts[i].row, 0, 9);
    }
}

static void sequential_order_takes_each_row_once_when_no_number_is_given(void **state)
{
    struct fixture *f = *state;
    f->options.rows = EMULATOR_ROWS_UNSET;
    f->rows.counts[TABLE_PIN] = f->rows.counts[TABLE_GEO] = f->rows.counts[TABLE_USER] = 7;
    run_ok(f);
    assert_int_equal(f->summary.rows_wanted, 7);
    assert_int_equal(f->summary.posts_acked, 21);
}

static void each_lane_keeps_its_order_through_retries(void **state)
{
    struct fixture *f = *state;
    int64_t last[TABLE_COUNT] = {-1, -1, -1};
    f->script = pin_slow_to_succeed;
    f->options.rows = 200;
    run_ok(f);
    assert_int_equal(f->summary.posts_acked, 600);
    assert_int_equal(f->summary.retries, 40);
    assert_int_equal(f->summary.lanes_per_topic, 1);
    for (size_t i = 0; i < f->post_count; i++) {
        int64_t *before = &last[f->posts[i].table];
        assert_true(f->posts[i].row == *before || f->posts[i].row == *before + 1);
        *before = f->posts[i].row;
    }
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE \"offset\" = triple"), 600);
}

static void in_flight_posts_follow_the_concurrency(void **state)
{
    static const struct {
        size_t concurrency;
        int64_t lanes;
    } cases[] = {{1, 1}, {2, 1}, {3, 1}, {4, 2}, {12, 4}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        f->options.concurrency = cases[i].concurrency;
        f->in_flight_most = 0;
        f->post_count = 0;
        f->options.rows = 120;
        run_ok(f);
        assert_int_equal(f->in_flight_most, cases[i].concurrency);
        assert_int_equal(f->summary.lanes_per_topic, cases[i].lanes);
        assert_int_equal(f->summary.posts_acked, 360);
    }
}

static void a_definite_no_is_tried_again_and_leaves_no_doubt(void **state)
{
    struct fixture *f = *state;
    f->script = first_two_throttled;
    run_ok(f);
    assert_int_equal(f->summary.posts_acked, 30);
    assert_int_equal(f->summary.retries, 2);
    assert_true(emulator_succeeded(&f->summary));
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE tbl = 1 AND row_number = 1 AND "
                                "state = 1 AND attempts = 3 AND maybe_kept = 0"),
                     1);
    assert_non_null(strstr(f->notes, "geo row 1: HTTP 429; trying again"));
}

static void an_ambiguous_attempt_is_remembered_when_the_next_is_acked(void **state)
{
    struct fixture *f = *state;
    f->script = once_timed_out;
    run_ok(f);
    assert_int_equal(f->summary.posts_acked, 30);
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE maybe_kept > 0"), 1);
    assert_int_equal(sql_i64(f, "SELECT maybe_kept FROM post WHERE tbl = 2 AND row_number = 2 AND "
                                "state = 1 AND attempts = 2"),
                     1);
}

static void attempts_that_all_end_open_leave_a_post_in_doubt(void **state)
{
    struct fixture *f = *state;
    f->script = row_one_always_504;
    f->options.retry.attempts_max = 4;
    run_ok(f);
    assert_int_equal(f->summary.posts_acked, 29);
    assert_int_equal(f->summary.posts_in_doubt, 1);
    assert_int_equal(f->summary.triples_partial, 1);
    assert_int_equal(f->summary.first_partial.row_number, 1);
    assert_int_equal(f->summary.first_partial.states[TABLE_PIN], LEDGER_IN_DOUBT);
    assert_int_equal(f->summary.first_partial.states[TABLE_GEO], LEDGER_ACKED);
    assert_false(emulator_succeeded(&f->summary));
    assert_string_equal(f->summary.first_failure, "HTTP 504");
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE state = 3 AND attempts = 4 AND "
                                "maybe_kept = 4 AND reason = 'HTTP 504' AND \"offset\" IS NULL"),
                     1);
}

static void a_refused_post_fails_with_its_reason_and_the_rest_goes_on(void **state)
{
    struct fixture *f = *state;
    f->script = geo_of_row_one_refused;
    run_ok(f);
    assert_int_equal(f->summary.end, EMULATOR_END_DONE);
    assert_int_equal(f->summary.posts_acked, 29);
    assert_int_equal(f->summary.posts_failed, 1);
    assert_int_equal(f->summary.triples_partial, 1);
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE state = 2 AND attempts = 1 AND "
                                "reason = 'HTTP 413'"),
                     1);
}

static void the_same_refusal_again_and_again_ends_the_run(void **state)
{
    struct fixture *f = *state;
    f->script = all_forbidden;
    f->options.rows = 1000;
    run_ok(f);
    assert_int_equal(f->summary.end, EMULATOR_END_SAME_FAILURES);
    assert_in_range(f->post_count, EMULATOR_SAME_FAILURES_MAX, EMULATOR_SAME_FAILURES_MAX + 3);
    assert_int_equal(f->summary.posts_failed, f->post_count);
    assert_int_equal(f->summary.posts_acked, 0);
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE state = 0"), 0);
    assert_string_equal(f->summary.first_failure, "HTTP 403");
}

static void a_server_that_is_gone_for_good_ends_the_run_as_unreachable(void **state)
{
    struct fixture *f = *state;
    f->script = all_gone;
    f->options.rows = 1000;
    int64_t start_us = f->env.virtual_us;
    run_ok(f);
    assert_int_equal(f->summary.end, EMULATOR_END_UNREACHABLE);
    assert_true(f->summary.posts_failed > 0);
    assert_int_equal(f->summary.posts_in_doubt, 0);
    assert_int_equal(sql_i64(f, "SELECT max(attempts) FROM post WHERE state = 2"),
                     RETRY_ATTEMPTS_DEFAULT);
    assert_true(f->env.virtual_us - start_us > 1000000);
}

static void a_stop_leaves_a_named_partial_triple_and_no_open_intent(void **state)
{
    struct fixture *f = *state;
    f->options.concurrency = 1;
    f->options.rows = 1000;
    f->stop_after_posts = 11; /* three triples, then pin and geo of row 3 */
    run_ok(f);
    assert_int_equal(f->summary.end, EMULATOR_END_INTERRUPTED);
    assert_int_equal(f->summary.posts_acked, 11);
    assert_int_equal(f->summary.posts_unsent, 1);
    assert_int_equal(f->summary.triples_complete, 3);
    assert_int_equal(f->summary.triples_partial, 1);
    assert_true(f->summary.has_partial);
    assert_int_equal(f->summary.first_partial.triple, 3);
    assert_int_equal(f->summary.first_partial.row_number, 3);
    assert_int_equal(f->summary.first_partial.states[TABLE_GEO], LEDGER_ACKED);
    assert_true(f->summary.first_partial.unsent[TABLE_USER]);
    assert_false(emulator_succeeded(&f->summary));
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post"), 12);
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE tbl = 2 AND triple = 3 AND state ="
                                " 2 AND attempts = 0 AND reason LIKE 'not sent%'"),
                     1);
}

static void a_stop_between_two_triples_leaves_nothing_partial(void **state)
{
    struct fixture *f = *state;
    f->options.concurrency = 1;
    f->options.rows = EMULATOR_ROWS_FOREVER;
    f->stop_after_posts = 9;
    run_ok(f);
    assert_int_equal(f->summary.triples_complete, 3);
    assert_int_equal(f->summary.triples_partial, 0);
    assert_true(emulator_succeeded(&f->summary));
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post"), 9);
}

static void an_interrupted_bounded_run_did_not_succeed(void **state)
{
    struct fixture *f = *state;
    f->options.concurrency = 1;
    f->options.rows = 5;
    f->stop_after_posts = 9;
    run_ok(f);
    assert_int_equal(f->summary.triples_partial, 0);
    assert_false(emulator_succeeded(&f->summary));
}

static void a_stop_waits_for_answers_only_so_long(void **state)
{
    struct fixture *f = *state;
    f->never_answers = true;
    f->stop_after_posts = 3;
    int64_t start_us = f->env.virtual_us;
    run_ok(f);
    assert_true(f->env.virtual_us - start_us >= (int64_t)EMULATOR_DRAIN_MS * 1000);
    assert_int_equal(f->summary.posts_in_doubt, 3);
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE state = 3 AND maybe_kept = 1"), 3);
}

static void a_stop_gives_up_waiting_retries(void **state)
{
    struct fixture *f = *state;
    f->script = row_one_always_504;
    f->options.concurrency = 1;
    f->stop_after_posts = 5; /* the second attempt of pin row 1 */
    run_ok(f);
    assert_int_equal(f->summary.posts_in_doubt, 1);
    assert_int_equal(f->summary.first_partial.row_number, 1);
    assert_int_equal(f->summary.posts_unsent, 2);
}

static void answers_that_come_at_once_are_followed_at_once(void **state)
{
    struct fixture *f = *state;
    f->latency_us = 0;
    f->options.rows = 300;
    run_ok(f);
    assert_int_equal(f->summary.posts_acked, 900);
    assert_int_equal(f->summary.elapsed_us, 0);
}

static void a_rate_is_kept(void **state)
{
    struct fixture *f = *state;
    f->options.post_rate = 100;
    f->options.rows = 100;
    run_ok(f);
    assert_in_range(f->summary.elapsed_us, 2900000, 3100000);
    for (size_t i = 1; i < f->post_count; i++) {
        assert_true(f->posts[i].at_us - f->posts[i - 1].at_us >= 8000);
    }
}

static void the_workshops_pace_sleeps_before_each_round(void **state)
{
    struct fixture *f = *state;
    static const int64_t seconds[] = {0, 1, 1, 1, 0, 0}; /* randrange(0, 2) with seed 100 */
    f->options.order = ROW_ORDER_PYTHON;
    f->options.workshop_pace = true;
    f->options.rows = 6;
    run_ok(f);
    assert_int_equal(f->post_count, 18);
    for (size_t round = 1; round < 6; round++) {
        int64_t gap_us = f->posts[3 * round].at_us - f->posts[3 * round - 1].at_us;
        assert_in_range(gap_us, seconds[round] * 1000000, seconds[round] * 1000000 + 60000);
    }
}

static void an_endless_run_holds_a_bounded_number_of_triples(void **state)
{
    struct fixture *f = *state;
    f->options.rows = EMULATOR_ROWS_FOREVER;
    f->options.order = ROW_ORDER_RANDOM;
    f->stop_after_posts = 3500;
    run_ok(f);
    assert_int_equal(f->summary.end, EMULATOR_END_INTERRUPTED);
    assert_true(f->summary.posts_acked >= 3500);
    assert_int_equal(sql_i64(f, "SELECT rows_wanted IS NULL FROM run"), 1);
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE state = 0"), 0);
}

static void a_re_run_is_a_second_run_of_the_same_ledger(void **state)
{
    struct fixture *f = *state;
    run_ok(f);
    run_ok(f);
    assert_int_equal(f->summary.run_id, 2);
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE state = 1"), 60);
}

static void another_cluster_is_refused_before_anything_is_sent(void **state)
{
    struct fixture *f = *state;
    run_ok(f);
    f->cluster_id = "cluster-two";
    f->post_count = 0;
    assert_int_equal(emulator_run(&f->options, &f->summary, &f->err), STATUS_CONFIG);
    assert_non_null(strstr(f->err.message, "cluster-one"));
    assert_non_null(strstr(f->err.message, "cluster-two"));
    assert_int_equal(f->post_count, 0);
}

static void a_cluster_without_a_name_is_called_unknown(void **state)
{
    struct fixture *f = *state;
    f->cluster_id = "";
    run_ok(f);
    assert_string_equal(f->summary.cluster_id, "unknown");
    assert_non_null(strstr(f->notes, "unknown"));
}

static void nothing_listening_at_the_start_is_said_at_once(void **state)
{
    struct fixture *f = *state;
    char path[128];
    f->identify_status = STATUS_UNREACHABLE;
    int64_t start_us = f->env.virtual_us;
    assert_int_equal(emulator_run(&f->options, &f->summary, &f->err), STATUS_UNREACHABLE);
    assert_int_equal(f->env.virtual_us, start_us);
    snprintf(path, sizeof(path), "%s/ledger.db", f->dir);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_gateway_whose_proxy_is_starting_is_asked_again(void **state)
{
    struct fixture *f = *state;
    f->identify_busy = 3;
    run_ok(f);
    assert_int_equal(f->summary.posts_acked, 30);
    f->identify_busy = 1000;
    assert_int_equal(emulator_run(&f->options, &f->summary, &f->err), STATUS_UNREACHABLE);
    assert_string_equal(f->err.message, "HTTP 502");
}

static void an_empty_table_is_a_configuration_mistake(void **state)
{
    struct fixture *f = *state;
    f->rows.counts[TABLE_USER] = 0;
    assert_int_equal(emulator_run(&f->options, &f->summary, &f->err), STATUS_CONFIG);
    assert_non_null(strstr(f->err.message, "user_data"));
    assert_non_null(strstr(f->err.message, "generate"));
}

static enum status refuse_to_send(struct poster *poster, size_t slot, enum table_id table,
                                  struct span value, struct error *err)
{
    struct fixture *f = fixture_of(poster);
    if (f->post_count < 7) {
        return fake_send(poster, slot, table, value, err);
    }
    return error_set(err, STATUS_NO_MEMORY, "no memory for a request");
}

static void an_error_of_our_own_ends_the_run_with_clean_books(void **state)
{
    struct fixture *f = *state;
    struct poster_ops ops = fake_poster_ops;
    ops.send = refuse_to_send;
    f->poster.ops = &ops;
    assert_int_equal(emulator_run(&f->options, &f->summary, &f->err), STATUS_NO_MEMORY);
    assert_string_equal(f->err.message, "no memory for a request");
    assert_int_equal(f->summary.end, EMULATOR_END_ERROR);
    assert_int_equal(f->summary.posts_acked, 7);
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE state = 1"), 7);
    assert_int_equal(sql_i64(f, "SELECT count(*) FROM post WHERE state = 0"), 0);
}

/* A run of its own on a fresh ledger, 250 triples, with the storage layer under the test's control.
 */
static enum status run_on(struct fixture *f, struct fault_vfs *vfs)
{
    forget_ledger(f);
    memset(f->slots, 0, sizeof(f->slots));
    memset(f->offsets, 0, sizeof(f->offsets));
    f->post_count = 0;
    f->in_flight = 0;
    f->options.rows = 250;
    f->env.sqlite_vfs = vfs->name;
    return emulator_run(&f->options, &f->summary, &f->err);
}

static void a_full_disk_ends_the_run_and_nothing_unwritten_is_sent(void **state)
{
    struct fixture *f = *state;
    struct fault_vfs vfs;
    fault_vfs_install(&vfs, "emulator-full");
    fault_vfs_fail(&vfs, FAULT_WRITE, 0, SQLITE_FULL, false);
    assert_int_equal(run_on(f, &vfs), STATUS_OK);
    uint64_t writes = vfs.count;
    size_t ended_early = 0;
    for (uint64_t nth = 1; nth <= writes; nth += 5) {
        fault_vfs_fail(&vfs, FAULT_WRITE, nth, SQLITE_FULL, true);
        enum status status = run_on(f, &vfs);
        assert_true(status == STATUS_DISK_FULL || (status == STATUS_OK && vfs.failures > 0));
        for (size_t i = 0; i < f->post_count; i++) {
            assert_true(f->posts[i].intent_was_durable);
        }
        if (status != STATUS_OK && f->post_count > 0) {
            assert_int_equal(f->summary.end, EMULATOR_END_ERROR);
            assert_int_equal(f->in_flight, 0);
            ended_early += f->post_count < 750;
        }
    }
    assert_true(ended_early > 0);
    fault_vfs_uninstall(&vfs);
}

static void a_power_cut_never_loses_the_intent_of_a_post_that_left(void **state)
{
    struct fixture *f = *state;
    struct fault_vfs vfs;
    char image[sizeof(f->dir)] = "/tmp/pinpipe-cut-XXXXXX";
    char dir[sizeof(f->dir)];
    memcpy(dir, f->dir, sizeof(dir));
    assert_non_null(mkdtemp(image));
    fault_vfs_install(&vfs, "emulator-cut");
    fault_vfs_fail(&vfs, FAULT_ANY, 0, 0, false);
    f->do_not_watch = true;
    assert_int_equal(run_on(f, &vfs), STATUS_OK);
    uint64_t operations = vfs.count;
    size_t cut_under_way = 0;
    for (uint64_t nth = operations / 40; nth <= operations; nth += operations / 40) {
        fault_vfs_crash_at(&vfs, nth);
        enum status status = run_on(f, &vfs);
        fault_vfs_write_image(&vfs, nth % 2 == 0 ? DAMAGE_LOST : DAMAGE_TORN, nth, f->dir, image);
        memcpy(f->dir, image, sizeof(image));
        f->env.sqlite_vfs = NULL;
        for (size_t i = 0; i < f->post_count; i += 7) {
            char sql[120];
            snprintf(sql, sizeof(sql),
                     "SELECT count(*) FROM post WHERE tbl = %d AND row_number = %lld",
                     (int)f->posts[i].table, (long long)f->posts[i].row);
            assert_int_equal(sql_i64(f, sql), 1);
        }
        cut_under_way += status != STATUS_OK && f->post_count > 0;
        forget_ledger(f);
        memcpy(f->dir, dir, sizeof(dir));
    }
    assert_true(cut_under_way > 5);
    forget_ledger(f);
    rmdir(image);
    fault_vfs_uninstall(&vfs);
}

#define EMULATOR_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EMULATOR_TEST(every_post_is_acked_and_in_the_ledger),
        EMULATOR_TEST(intents_are_durable_before_their_requests_leave),
        EMULATOR_TEST(python_order_posts_the_scripts_rows),
        EMULATOR_TEST(a_small_table_is_said_to_change_the_walk),
        EMULATOR_TEST(sequential_order_takes_each_row_once_when_no_number_is_given),
        EMULATOR_TEST(each_lane_keeps_its_order_through_retries),
        EMULATOR_TEST(in_flight_posts_follow_the_concurrency),
        EMULATOR_TEST(a_definite_no_is_tried_again_and_leaves_no_doubt),
        EMULATOR_TEST(an_ambiguous_attempt_is_remembered_when_the_next_is_acked),
        EMULATOR_TEST(attempts_that_all_end_open_leave_a_post_in_doubt),
        EMULATOR_TEST(a_refused_post_fails_with_its_reason_and_the_rest_goes_on),
        EMULATOR_TEST(the_same_refusal_again_and_again_ends_the_run),
        EMULATOR_TEST(a_server_that_is_gone_for_good_ends_the_run_as_unreachable),
        EMULATOR_TEST(a_stop_leaves_a_named_partial_triple_and_no_open_intent),
        EMULATOR_TEST(a_stop_between_two_triples_leaves_nothing_partial),
        EMULATOR_TEST(an_interrupted_bounded_run_did_not_succeed),
        EMULATOR_TEST(a_stop_waits_for_answers_only_so_long),
        EMULATOR_TEST(a_stop_gives_up_waiting_retries),
        EMULATOR_TEST(answers_that_come_at_once_are_followed_at_once),
        EMULATOR_TEST(a_rate_is_kept),
        EMULATOR_TEST(the_workshops_pace_sleeps_before_each_round),
        EMULATOR_TEST(an_endless_run_holds_a_bounded_number_of_triples),
        EMULATOR_TEST(a_re_run_is_a_second_run_of_the_same_ledger),
        EMULATOR_TEST(another_cluster_is_refused_before_anything_is_sent),
        EMULATOR_TEST(a_cluster_without_a_name_is_called_unknown),
        EMULATOR_TEST(nothing_listening_at_the_start_is_said_at_once),
        EMULATOR_TEST(a_gateway_whose_proxy_is_starting_is_asked_again),
        EMULATOR_TEST(an_empty_table_is_a_configuration_mistake),
        EMULATOR_TEST(an_error_of_our_own_ends_the_run_with_clean_books),
        EMULATOR_TEST(a_full_disk_ends_the_run_and_nothing_unwritten_is_sent),
        EMULATOR_TEST(a_power_cut_never_loses_the_intent_of_a_post_that_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
