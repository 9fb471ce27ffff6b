/* The group commit without HTTP: answers of a line protocol, alone and beside those of another,
 * through committed, failed and read-only turns; what the journal is told. The store is the real
 * one on a file system that fails on command. An exchange's way is in test_exchange.c. */
#include "fault_vfs.h"
#include "journal.h"
#include "line_echo.h"
#include "sqlite_db.h"
#include "store.h"
#include "temp_dir.h"
#include "timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { trace_bytes = 512 };

static const char vfs_name[] = "pinpipe-turn-fault";

/* Another protocol's answer: a number, which a failed commit makes negative. */
struct number_answer {
    struct held held;
    struct fixture *fixture;
    int number;
};

struct fixture {
    struct env env;
    struct log log;
    struct timer_heap timers;
    struct temp_dir dir;
    struct fault_vfs vfs;
    struct store *store;
    struct journal *journal;
    struct turn turn;
    struct line_answer lines[3];
    struct number_answer numbers[2];
    int finished;
    char trace[trace_bytes]; /* what left, in its order: "+a 7 " */
};

static void trace_add(struct fixture *f, const char *text, size_t len)
{
    size_t used = strlen(f->trace);
    snprintf(f->trace + used, sizeof(f->trace) - used, "%.*s ", (int)len, text);
}

/* --- the two protocols --- */

static void on_line_sent(struct line_answer *answer, void *ctx)
{
    struct fixture *f = ctx;
    assert_false(store_turn_has_writes(f->store));
    assert_int_equal(f->finished, 0); /* all are sent before any is finished */
    trace_add(f, answer->text, answer->len);
}

static void on_line_finished(struct line_answer *answer, void *ctx)
{
    struct fixture *f = ctx;
    f->finished++;
    memset(answer, 0xee, sizeof(*answer)); /* it is the turn's no more */
}

static void say(struct fixture *f, size_t which, const char *line)
{
    struct line_answer *answer = &f->lines[which];
    *answer =
        (struct line_answer){.on_send = on_line_sent, .on_finished = on_line_finished, .ctx = f};
    line_answer_begin(answer, &f->turn, span_from_cstr(line));
}

static void number_settle(struct held *held, enum turn_outcome outcome)
{
    struct number_answer *answer = PP_CONTAINER_OF(held, struct number_answer, held);
    answer->number = outcome == TURN_FAILED ? -answer->number : answer->number;
}

static void number_send(struct held *held)
{
    struct number_answer *answer = PP_CONTAINER_OF(held, struct number_answer, held);
    char text[16];
    int len = snprintf(text, sizeof(text), "%d", answer->number);
    trace_add(answer->fixture, text, (size_t)len);
}

static void number_finished(struct held *held)
{
    struct number_answer *answer = PP_CONTAINER_OF(held, struct number_answer, held);
    turn_count(&answer->fixture->turn, held, 0);
    answer->fixture->finished++;
}

static void count(struct fixture *f, size_t which, int number)
{
    static const struct held_ops ops = {number_settle, number_send, number_finished};
    struct number_answer *answer = &f->numbers[which];
    *answer = (struct number_answer){.held = {.ops = &ops}, .fixture = f, .number = number};
    turn_count(&f->turn, &answer->held, sizeof(int));
    turn_hold(&f->turn, &answer->held);
}

static void fail_syncs(struct fixture *f)
{
    fault_vfs_fail(&f->vfs, FAULT_SYNC, 1, SQLITE_IOERR_FSYNC, true);
}

/* --- the fixture --- */

static int setup(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    memset(f, 0, sizeof(*f));
    env_init_virtual(&f->env, 1, INT64_C(1700000000123456));
    log_init(&f->log, &f->env, stderr, LOG_OFF);
    timer_heap_init(&f->timers, &f->env);
    temp_dir_make(&f->dir);
    fault_vfs_install(&f->vfs, vfs_name);
    f->env.sqlite_vfs = vfs_name;
    const struct store_options store = {
        .directory = f->dir.path, .env = &f->env, .log = &f->log, .durability = STORE_FULL};
    const struct journal_options journal = {
        .directory = f->dir.path, .env = &f->env, .log = &f->log, .rows_max = 10};
    struct error err = ERROR_NONE;
    if (store_open(&store, &f->store, &err) != STATUS_OK ||
        journal_open(&journal, &f->journal, &err) != STATUS_OK) {
        return 1;
    }
    turn_init(&f->turn, f->store, &f->timers, &f->env, &f->log);
    f->turn.journal = f->journal;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(f->turn.budget.shares[BUDGET_REPLIES].used_bytes, 0);
    timer_heap_release(&f->timers);
    journal_close(f->journal);
    store_close(f->store);
    fault_vfs_uninstall(&f->vfs);
    temp_dir_remove(&f->dir);
    return 0;
}

/* --- outcomes --- */

static void a_committed_turn_sends_what_was_said(void **state)
{
    struct fixture *f = *state;
    say(f, 0, "+a");
    say(f, 1, "hello");
    assert_string_equal(f->trace, "");
    assert_int_equal(f->turn.budget.shares[BUDGET_REPLIES].used_bytes, 7);
    uint64_t syncs = f->vfs.syncs;
    assert_int_equal(turn_end(&f->turn), TURN_COMMITTED);
    assert_true(f->vfs.syncs > syncs);
    assert_string_equal(f->trace, "+a hello ");
    assert_int_equal(f->finished, 2);
    assert_int_equal(store_topic_count(f->store), 1);
}

static void a_failed_turn_tells_each_answer_and_the_protocol_decides(void **state)
{
    struct fixture *f = *state;
    say(f, 0, "+a");
    say(f, 1, "hello"); /* which wrote nothing, so it has nothing to take back */
    fail_syncs(f);
    assert_int_equal(turn_end(&f->turn), TURN_FAILED);
    assert_string_equal(f->trace, "-a hello ");
    assert_int_equal(store_topic_count(f->store), 0);
}

static void a_turn_that_only_read_syncs_nothing(void **state)
{
    struct fixture *f = *state;
    say(f, 0, "hello");
    fail_syncs(f);
    assert_int_equal(turn_end(&f->turn), TURN_ONLY_READ);
    assert_string_equal(f->trace, "hello ");
    assert_int_equal(f->vfs.failures, 0);
}

static void two_protocols_share_one_commit(void **state)
{
    struct fixture *f = *state;
    count(f, 0, 7);
    say(f, 0, "+a");
    count(f, 1, 8);
    say(f, 1, "+b");
    assert_int_equal(f->turn.held_count, 4);
    assert_int_equal(turn_end(&f->turn), TURN_COMMITTED);
    assert_string_equal(f->trace, "7 +a 8 +b "); /* in the order in which they were held */
    assert_int_equal(f->finished, 4);
    assert_int_equal(store_topic_count(f->store), 2);
}

static void two_protocols_share_one_failure(void **state)
{
    struct fixture *f = *state;
    count(f, 0, 7);
    say(f, 0, "+a");
    fail_syncs(f);
    assert_int_equal(turn_end(&f->turn), TURN_FAILED);
    assert_string_equal(f->trace, "-7 -a ");
    assert_int_equal(f->finished, 2);
}

static void all_protocols_answers_fill_the_same_turn_and_room(void **state)
{
    struct fixture *f = *state;
    size_t before = turn_unsent_room(&f->turn);
    count(f, 0, 7);
    say(f, 0, "hello");
    assert_int_equal(turn_unsent_room(&f->turn), before - sizeof(int) - 5);
    assert_false(turn_is_full(&f->turn));
    env_advance(&f->env, TURN_US_MAX);
    assert_true(turn_is_full(&f->turn));
    (void)turn_end(&f->turn);
    assert_int_equal(turn_unsent_room(&f->turn), before);
    f->numbers[0].held.bytes = 0;
    turn_count(&f->turn, &f->numbers[0].held, TURN_BUDGET_BYTES_MAX);
    assert_int_equal(turn_unsent_room(&f->turn), 0);
    turn_count(&f->turn, &f->numbers[0].held, 0);
}

/* --- the journal --- */

static int64_t query(struct fixture *f, const char *sql)
{
    struct sqlite_db db;
    struct error err = ERROR_NONE;
    int64_t value = -1;
    char path[512];
    temp_dir_path(&f->dir, "journal.db", path, sizeof(path));
    const struct sqlite_db_options options = {.path = path, .env = &f->env, .read_only = true};
    assert_int_equal(sqlite_db_open(&db, &options, &err), STATUS_OK);
    assert_int_equal(sqlite_db_query_i64(&db, sql, &value, &err), STATUS_OK);
    sqlite_db_close(&db);
    return value;
}

static void the_journal_is_told_what_left_and_when(void **state)
{
    struct fixture *f = *state;
    say(f, 0, "+abc");
    say(f, 1, "/b?token=abc");
    env_advance(&f->env, 250);
    fail_syncs(f);
    (void)turn_end(&f->turn);
    assert_true(f->turn.journal_fed);
    fault_vfs_fail(&f->vfs, FAULT_SYNC, 0, 0, false);
    journal_flush(f->journal);
    assert_int_equal(query(f, "SELECT count(*) FROM requests"), 2);
    assert_int_equal(
        query(f, "SELECT count(*) FROM requests WHERE service = 'line' AND method = 'WRITE' "
                 "AND path = 'abc' AND status = 1 AND error_code = 'LOST' "
                 "AND time = '2023-11-14T22:13:20.123Z' AND latency_us = 250 "
                 "AND request_bytes = 4 AND response_bytes = 4"),
        1);
    assert_int_equal(query(f, "SELECT count(*) FROM requests WHERE method = 'READ' "
                              "AND path = 'b?token=***' AND error_code IS NULL"),
                     1);
}

static void without_a_journal_nothing_is_told(void **state)
{
    struct fixture *f = *state;
    f->turn.journal = NULL;
    say(f, 0, "hello");
    (void)turn_end(&f->turn);
    assert_false(f->turn.journal_fed);
    assert_string_equal(f->trace, "hello ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_committed_turn_sends_what_was_said),
        TEST(a_failed_turn_tells_each_answer_and_the_protocol_decides),
        TEST(a_turn_that_only_read_syncs_nothing),
        TEST(two_protocols_share_one_commit),
        TEST(two_protocols_share_one_failure),
        TEST(all_protocols_answers_fill_the_same_turn_and_room),
        TEST(the_journal_is_told_what_left_and_when),
        TEST(without_a_journal_nothing_is_told),
    };
    return cmocka_run_group_tests_name("turn", tests, NULL, NULL);
}
