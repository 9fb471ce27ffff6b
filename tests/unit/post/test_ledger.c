#include "ledger.h"
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

struct fixture {
    struct env env;
    char dir[64];
    struct ledger *ledger;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    env_init_virtual(&f->env, 1, INT64_C(1700000000000000));
    snprintf(f->dir, sizeof(f->dir), "/tmp/pinpipe-ledger-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    *state = f;
    return 0;
}

static void file_name(const struct fixture *f, const char *suffix, char out[128])
{
    snprintf(out, 128, "%s/ledger.db%s", f->dir, suffix);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char path[128];
    ledger_close(f->ledger);
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        file_name(f, suffixes[i], path);
        unlink(path);
    }
    rmdir(f->dir);
    free(f);
    return 0;
}

static int count_posts(struct ledger *ledger)
{
    struct ledger_cursor *cursor = NULL;
    struct ledger_post post;
    struct error err = ERROR_NONE;
    bool more = true;
    int count = -1;
    assert_int_equal(ledger_cursor_open(ledger, LEDGER_BY_ID, &cursor, &err), STATUS_OK);
    do {
        count++;
        assert_int_equal(ledger_cursor_next(cursor, &post, &more, &err), STATUS_OK);
    } while (more);
    ledger_cursor_close(cursor);
    return count;
}

static void open_ledger(struct fixture *f)
{
    struct error err = ERROR_NONE;
    if (ledger_open(f->dir, &f->env, &f->ledger, &err) != STATUS_OK) {
        fail_msg("%s", err.message);
    }
}

static void reopen(struct fixture *f)
{
    ledger_close(f->ledger);
    f->ledger = NULL;
    open_ledger(f);
}

static int64_t begin_run(struct fixture *f)
{
    struct error err = ERROR_NONE;
    struct ledger_run run = {
        .user_id = "workshop",
        .order = ROW_ORDER_PYTHON,
        .seed = 100,
        .datetime = DATETIME_SPACE,
        .lanes_per_topic = 1,
        .rows_wanted = -1,
    };
    assert_int_equal(ledger_begin_run(f->ledger, &run, &err), STATUS_OK);
    return run.id;
}

/* Three posts of one triple, committed. */
static void add_triple(struct fixture *f, int64_t run_id, int64_t triple, int64_t ids[3])
{
    static const char *const topics[] = {"w.pin", "w.geo", "w.user"};
    struct error err = ERROR_NONE;
    assert_int_equal(ledger_begin(f->ledger, &err), STATUS_OK);
    for (int t = 0; t < 3; t++) {
        const struct ledger_intent intent = {
            .run_id = run_id,
            .triple = triple,
            .table = (enum table_id)t,
            .row_number = 1000 + triple,
            .topic = span_from_cstr(topics[t]),
            .value_hash = {UINT64_C(0xfedcba9876543210) + (uint64_t)triple, (uint64_t)t},
        };
        assert_int_equal(ledger_add_intent(f->ledger, &intent, &ids[t], &err), STATUS_OK);
    }
    assert_int_equal(ledger_commit(f->ledger, &err), STATUS_OK);
}

static void put_outcome(struct fixture *f, const struct ledger_outcome *outcome)
{
    struct error err = ERROR_NONE;
    assert_int_equal(ledger_begin(f->ledger, &err), STATUS_OK);
    assert_int_equal(ledger_put_outcome(f->ledger, outcome, &err), STATUS_OK);
    assert_int_equal(ledger_commit(f->ledger, &err), STATUS_OK);
}

static struct ledger_cursor *open_cursor(struct fixture *f, enum ledger_view view)
{
    struct ledger_cursor *cursor = NULL;
    struct error err = ERROR_NONE;
    assert_int_equal(ledger_cursor_open(f->ledger, view, &cursor, &err), STATUS_OK);
    return cursor;
}

static bool next_post(struct ledger_cursor *cursor, struct ledger_post *post)
{
    struct error err = ERROR_NONE;
    bool more = false;
    assert_int_equal(ledger_cursor_next(cursor, post, &more, &err), STATUS_OK);
    return more;
}

static void a_committed_intent_survives_without_its_outcome(void **state)
{
    struct fixture *f = *state;
    int64_t ids[3];
    struct ledger_post post;
    open_ledger(f);
    int64_t run_id = begin_run(f);
    add_triple(f, run_id, 0, ids);
    assert_int_equal(ids[1], ids[0] + 1);
    assert_int_equal(ids[2], ids[0] + 2);
    reopen(f);
    struct ledger_cursor *cursor = open_cursor(f, LEDGER_UNSETTLED);
    for (int t = 0; t < 3; t++) {
        assert_true(next_post(cursor, &post));
        assert_int_equal(post.id, ids[t]);
        assert_int_equal(post.table, t);
        assert_int_equal(post.row_number, 1000);
        assert_int_equal(post.state, LEDGER_INTENT);
        assert_int_equal(post.attempts, 0);
        assert_false(post.has_place);
        assert_true(post.has_hash);
        assert_true(post.value_hash.high == UINT64_C(0xfedcba9876543210));
        assert_int_equal(post.value_hash.low, t);
    }
    assert_false(next_post(cursor, &post));
    ledger_cursor_close(cursor);
}

static void outcomes_keep_place_attempts_and_reason(void **state)
{
    struct fixture *f = *state;
    int64_t ids[3];
    struct ledger_post post;
    open_ledger(f);
    add_triple(f, begin_run(f), 0, ids);
    const struct ledger_outcome outcomes[] = {
        {.post_id = ids[0], .state = LEDGER_ACKED, .attempts = 2, .maybe_kept = 1, .offset = 7},
        {.post_id = ids[1], .state = LEDGER_FAILED, .attempts = 1, .reason = SPAN_LIT("413")},
        {.post_id = ids[2],
         .state = LEDGER_IN_DOUBT,
         .attempts = 8,
         .maybe_kept = 8,
         .reason = SPAN_LIT("timeout")},
    };
    for (size_t i = 0; i < 3; i++) {
        put_outcome(f, &outcomes[i]);
    }
    reopen(f);
    struct ledger_cursor *cursor = open_cursor(f, LEDGER_BY_ID);
    assert_true(next_post(cursor, &post));
    assert_int_equal(post.state, LEDGER_ACKED);
    assert_true(post.has_place);
    assert_int_equal(post.partition, 0);
    assert_int_equal(post.offset, 7);
    assert_int_equal(post.attempts, 2);
    assert_int_equal(post.maybe_kept, 1);
    assert_true(next_post(cursor, &post));
    assert_int_equal(post.state, LEDGER_FAILED);
    assert_false(post.has_place);
    assert_true(span_equal_cstr(post.reason, "413"));
    assert_true(span_equal_cstr(post.topic, "w.geo"));
    assert_true(next_post(cursor, &post));
    assert_int_equal(post.state, LEDGER_IN_DOUBT);
    assert_int_equal(post.maybe_kept, 8);
    assert_false(next_post(cursor, &post));
    ledger_cursor_close(cursor);
}

static void posts_are_read_by_place(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    static const int64_t offsets[] = {2, 0, 1};
    int64_t ids[3][3];
    struct ledger_post post;
    struct ledger_cursor *cursor = NULL;
    open_ledger(f);
    int64_t run_id = begin_run(f);
    for (int i = 0; i < 3; i++) {
        add_triple(f, run_id, i, ids[i]);
        put_outcome(f, &(struct ledger_outcome){
                           .post_id = ids[i][0], .state = LEDGER_ACKED, .offset = offsets[i]});
        put_outcome(f, &(struct ledger_outcome){.post_id = ids[i][1],
                                                .state = LEDGER_ACKED,
                                                .partition = 1 - i % 2,
                                                .offset = i});
    }
    assert_int_equal(ledger_cursor_open_partition(f->ledger, SPAN_LIT("w.pin"), 0, &cursor, &err),
                     STATUS_OK);
    for (int64_t offset = 0; offset < 3; offset++) {
        assert_true(next_post(cursor, &post));
        assert_int_equal(post.offset, offset);
    }
    assert_false(next_post(cursor, &post));
    ledger_cursor_close(cursor);
    cursor = open_cursor(f, LEDGER_BY_PLACE);
    static const struct {
        const char *topic;
        int partition;
        int64_t offset;
    } want[] = {{"w.geo", 0, 1}, {"w.geo", 1, 0}, {"w.geo", 1, 2},
                {"w.pin", 0, 0}, {"w.pin", 0, 1}, {"w.pin", 0, 2}};
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        assert_true(next_post(cursor, &post));
        assert_true(span_equal_cstr(post.topic, want[i].topic));
        assert_int_equal(post.partition, want[i].partition);
        assert_int_equal(post.offset, want[i].offset);
    }
    assert_false(next_post(cursor, &post));
    ledger_cursor_close(cursor);
}

static void a_rolled_back_window_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    int64_t id;
    open_ledger(f);
    const struct ledger_intent intent = {.run_id = 1, .topic = SPAN_LIT("w.pin")};
    assert_int_equal(ledger_begin(f->ledger, &err), STATUS_OK);
    assert_int_equal(ledger_add_intent(f->ledger, &intent, &id, &err), STATUS_OK);
    ledger_rollback(f->ledger);
    ledger_rollback(f->ledger); /* again is no harm */
    assert_int_equal(count_posts(f->ledger), 0);
}

static void a_withdrawn_intent_was_never_there(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    int64_t ids[3];
    open_ledger(f);
    add_triple(f, begin_run(f), 0, ids);
    assert_int_equal(ledger_begin(f->ledger, &err), STATUS_OK);
    assert_int_equal(ledger_withdraw(f->ledger, ids[2], &err), STATUS_OK);
    assert_int_equal(ledger_commit(f->ledger, &err), STATUS_OK);
    assert_int_equal(count_posts(f->ledger), 2);
}

static void runs_remember_how_they_were_made(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    struct ledger_run run;
    open_ledger(f);
    int64_t first = begin_run(f);
    int64_t second = begin_run(f);
    assert_int_not_equal(first, second);
    env_advance(&f->env, 5000000);
    assert_int_equal(ledger_end_run(f->ledger, second, &err), STATUS_OK);
    reopen(f);
    assert_int_equal(ledger_get_run(f->ledger, first, &run, &err), STATUS_OK);
    assert_false(run.ended);
    assert_string_equal(run.user_id, "workshop");
    assert_int_equal(run.order, ROW_ORDER_PYTHON);
    assert_int_equal(run.seed, 100);
    assert_int_equal(run.datetime, DATETIME_SPACE);
    assert_int_equal(run.lanes_per_topic, 1);
    assert_int_equal(run.rows_wanted, -1);
    assert_int_equal(ledger_get_run(f->ledger, second, &run, &err), STATUS_OK);
    assert_true(run.ended);
    assert_true(run.ended_ms - run.started_ms == 5000);
    assert_int_equal(ledger_get_run(f->ledger, 99, &run, &err), STATUS_NOT_FOUND);
}

static void a_ledger_of_which_nothing_was_kept_belongs_to_none(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    int64_t ids[3];
    open_ledger(f);
    assert_int_equal(ledger_bind_cluster(f->ledger, "unknown", &err), STATUS_OK);
    add_triple(f, begin_run(f), 0, ids);
    for (int t = 0; t < 3; t++) {
        const struct ledger_outcome refused = {.post_id = ids[t],
                                               .state = LEDGER_FAILED,
                                               .attempts = 1,
                                               .reason = SPAN_LIT("HTTP 403")};
        put_outcome(f, &refused);
    }
    assert_int_equal(ledger_check_cluster(f->ledger, "first", &err), STATUS_CONFIG);
    assert_int_equal(ledger_bind_cluster(f->ledger, "first", &err), STATUS_OK);
    reopen(f);
    assert_int_equal(ledger_check_cluster(f->ledger, "first", &err), STATUS_OK);
    const struct ledger_outcome doubt = {
        .post_id = ids[0], .state = LEDGER_IN_DOUBT, .attempts = 1, .maybe_kept = 1};
    put_outcome(f, &doubt);
    assert_int_equal(ledger_bind_cluster(f->ledger, "second", &err), STATUS_CONFIG);
}

static void a_ledger_belongs_to_one_cluster(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    open_ledger(f);
    assert_int_equal(ledger_check_cluster(f->ledger, "any", &err), STATUS_OK);
    assert_int_equal(ledger_bind_cluster(f->ledger, "first", &err), STATUS_OK);
    reopen(f);
    assert_int_equal(ledger_check_cluster(f->ledger, "first", &err), STATUS_OK);
    assert_int_equal(ledger_check_cluster(f->ledger, "any", &err), STATUS_CONFIG);
    assert_int_equal(ledger_bind_cluster(f->ledger, "first", &err), STATUS_OK);
    int64_t ids[3];
    add_triple(f, begin_run(f), 0, ids);
    assert_int_equal(ledger_bind_cluster(f->ledger, "second", &err), STATUS_CONFIG);
    assert_non_null(strstr(err.message, "first"));
    assert_non_null(strstr(err.message, "second"));
    assert_non_null(strstr(err.message, "--data"));
}

static void a_reader_sees_the_view_while_a_writer_has_it_open(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    struct ledger *reader = NULL;
    int64_t ids[3];
    assert_int_equal(ledger_open_read_only(f->dir, &f->env, &reader, &err), STATUS_NOT_FOUND);
    assert_non_null(strstr(err.message, "emulate"));
    open_ledger(f);
    add_triple(f, begin_run(f), 0, ids);
    assert_int_equal(ledger_open_read_only(f->dir, &f->env, &reader, &err), STATUS_OK);
    assert_int_equal(count_posts(reader), 3);
    assert_int_not_equal(ledger_begin_run(reader, &(struct ledger_run){.user_id = "x"}, &err),
                         STATUS_OK);
    ledger_close(reader);
}

static void rows_posted_speaks_in_words(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    struct sqlite_db db;
    char path[128];
    int64_t ids[3];
    int64_t matches = 0;
    open_ledger(f);
    add_triple(f, begin_run(f), 4, ids);
    put_outcome(f, &(struct ledger_outcome){.post_id = ids[0],
                                            .state = LEDGER_ACKED,
                                            .attempts = 1,
                                            .offset = 3,
                                            .acked_ms = INT64_C(1700000000123)});
    file_name(f, "", path);
    const struct sqlite_db_options options = {.path = path, .read_only = true};
    assert_int_equal(sqlite_db_open(&db, &options, &err), STATUS_OK);
    assert_int_equal(
        sqlite_db_query_i64(&db,
                            "SELECT count(*) FROM rows_posted WHERE run = 1 AND triple = 4 AND kind"
                            " = 'pin' AND row = 1004 AND topic = 'w.pin' AND partition = 0 AND"
                            " \"offset\" = 3 AND state = 'acked' AND attempts = 1 AND acked ="
                            " '2023-11-14T22:13:20.123Z'",
                            &matches, &err),
        STATUS_OK);
    assert_int_equal(matches, 1);
    sqlite_db_close(&db);
}

static void write_file(const struct fixture *f, const char *text)
{
    char path[128];
    file_name(f, "", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void run_sql(const struct fixture *f, const char *sql)
{
    char path[128];
    sqlite3 *db = NULL;
    file_name(f, "", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_file_that_is_no_ledger_of_ours_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    write_file(f, "this is a shopping list, long enough to be taken for a page of a database?\n");
    assert_int_equal(ledger_open(f->dir, &f->env, &f->ledger, &err), STATUS_CORRUPT);
    assert_non_null(strstr(err.message, f->dir));
    write_file(f, "");
    run_sql(f, "CREATE TABLE other (x)");
    assert_int_equal(ledger_open(f->dir, &f->env, &f->ledger, &err), STATUS_CONFIG);
}

static void a_ledger_of_a_newer_version_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    open_ledger(f);
    ledger_close(f->ledger);
    f->ledger = NULL;
    run_sql(f, "PRAGMA user_version = 2");
    assert_int_equal(ledger_open(f->dir, &f->env, &f->ledger, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.message, "version 2"));
}

static void a_data_directory_that_cannot_be_made_is_a_configuration_mistake(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    struct ledger *ledger = NULL;
    assert_int_equal(ledger_open("/proc/nowhere/at/all", &f->env, &ledger, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.message, "/proc/nowhere"));
}

#define LEDGER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LEDGER_TEST(a_committed_intent_survives_without_its_outcome),
        LEDGER_TEST(outcomes_keep_place_attempts_and_reason),
        LEDGER_TEST(posts_are_read_by_place),
        LEDGER_TEST(a_rolled_back_window_leaves_nothing),
        LEDGER_TEST(a_withdrawn_intent_was_never_there),
        LEDGER_TEST(runs_remember_how_they_were_made),
        LEDGER_TEST(a_ledger_belongs_to_one_cluster),
        LEDGER_TEST(a_ledger_of_which_nothing_was_kept_belongs_to_none),
        LEDGER_TEST(a_reader_sees_the_view_while_a_writer_has_it_open),
        LEDGER_TEST(rows_posted_speaks_in_words),
        LEDGER_TEST(a_file_that_is_no_ledger_of_ours_is_refused),
        LEDGER_TEST(a_ledger_of_a_newer_version_is_refused),
        LEDGER_TEST(a_data_directory_that_cannot_be_made_is_a_configuration_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
