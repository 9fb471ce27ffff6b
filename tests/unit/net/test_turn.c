/* The group commit without HTTP: answers of a line protocol, alone and beside those of another,
 * through committed, failed and read-only turns; what the journal is told. The store is the real
 * one on a file system that fails on command. An exchange's way is in test_exchange.c. */
#include "line_echo.h"
#include "sqlite_db.h"
#include "turn_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { trace_bytes = 512 };

/* Another protocol's answer: a number, which a failed commit makes negative. */
struct number_answer {
    struct held held;
    struct fixture *fixture;
    int number;
};

struct fixture {
    struct turn_world w;
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
    assert_false(store_turn_has_writes(f->w.store));
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
    line_answer_begin(answer, &f->w.turn, span_from_cstr(line));
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
    turn_count(&answer->fixture->w.turn, held, 0);
    answer->fixture->finished++;
}

static void count(struct fixture *f, size_t which, int number)
{
    static const struct held_ops ops = {number_settle, number_send, number_finished};
    struct number_answer *answer = &f->numbers[which];
    *answer = (struct number_answer){.held = {.ops = &ops}, .fixture = f, .number = number};
    turn_count(&f->w.turn, &answer->held, sizeof(int));
    turn_hold(&f->w.turn, &answer->held);
}

/* --- the fixture --- */

static int setup(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    memset(f, 0, sizeof(*f));
    turn_world_open(&f->w, INT64_C(1700000000123456));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    turn_world_close(&f->w);
    return 0;
}

/* --- outcomes --- */

static void a_committed_turn_sends_what_was_said(void **state)
{
    struct fixture *f = *state;
    say(f, 0, "+a");
    say(f, 1, "hello");
    assert_string_equal(f->trace, "");
    assert_int_equal(f->w.turn.budget.shares[BUDGET_REPLIES].used_bytes, 7);
    uint64_t syncs = f->w.vfs.syncs;
    assert_int_equal(turn_end(&f->w.turn), TURN_COMMITTED);
    assert_true(f->w.vfs.syncs > syncs);
    assert_string_equal(f->trace, "+a hello ");
    assert_int_equal(f->finished, 2);
    assert_int_equal(store_topic_count(f->w.store), 1);
}

static void a_failed_turn_tells_each_answer_and_the_protocol_decides(void **state)
{
    struct fixture *f = *state;
    say(f, 0, "+a");
    say(f, 1, "hello"); /* which wrote nothing, so it has nothing to take back */
    turn_world_fail_syncs(&f->w);
    assert_int_equal(turn_end(&f->w.turn), TURN_FAILED);
    assert_string_equal(f->trace, "-a hello ");
    assert_int_equal(store_topic_count(f->w.store), 0);
}

static void a_turn_that_only_read_syncs_nothing(void **state)
{
    struct fixture *f = *state;
    say(f, 0, "hello");
    turn_world_fail_syncs(&f->w);
    assert_int_equal(turn_end(&f->w.turn), TURN_ONLY_READ);
    assert_string_equal(f->trace, "hello ");
    assert_int_equal(f->w.vfs.failures, 0);
}

static void two_protocols_share_one_commit(void **state)
{
    struct fixture *f = *state;
    count(f, 0, 7);
    say(f, 0, "+a");
    count(f, 1, 8);
    say(f, 1, "+b");
    assert_int_equal(f->w.turn.held_count, 4);
    assert_int_equal(turn_end(&f->w.turn), TURN_COMMITTED);
    assert_string_equal(f->trace, "7 +a 8 +b "); /* in the order in which they were held */
    assert_int_equal(f->finished, 4);
    assert_int_equal(store_topic_count(f->w.store), 2);
}

static void two_protocols_share_one_failure(void **state)
{
    struct fixture *f = *state;
    count(f, 0, 7);
    say(f, 0, "+a");
    turn_world_fail_syncs(&f->w);
    assert_int_equal(turn_end(&f->w.turn), TURN_FAILED);
    assert_string_equal(f->trace, "-7 -a ");
    assert_int_equal(f->finished, 2);
}

static void all_protocols_answers_fill_the_same_turn_and_room(void **state)
{
    struct fixture *f = *state;
    size_t before = turn_unsent_room(&f->w.turn);
    count(f, 0, 7);
    say(f, 0, "hello");
    assert_int_equal(turn_unsent_room(&f->w.turn), before - sizeof(int) - 5);
    assert_false(turn_is_full(&f->w.turn));
    env_advance(&f->w.env, TURN_US_MAX);
    assert_true(turn_is_full(&f->w.turn));
    (void)turn_end(&f->w.turn);
    assert_int_equal(turn_unsent_room(&f->w.turn), before);
    f->numbers[0].held.bytes = 0;
    turn_count(&f->w.turn, &f->numbers[0].held, TURN_BUDGET_BYTES_MAX);
    assert_int_equal(turn_unsent_room(&f->w.turn), 0);
    turn_count(&f->w.turn, &f->numbers[0].held, 0);
}

/* --- the journal --- */

static int64_t query(struct fixture *f, const char *sql)
{
    struct sqlite_db db;
    struct error err = ERROR_NONE;
    int64_t value = -1;
    char path[512];
    temp_dir_path(&f->w.dir, "journal.db", path, sizeof(path));
    const struct sqlite_db_options options = {.path = path, .env = &f->w.env, .read_only = true};
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
    env_advance(&f->w.env, 250);
    turn_world_fail_syncs(&f->w);
    (void)turn_end(&f->w.turn);
    assert_true(f->w.turn.journal_fed);
    fault_vfs_fail(&f->w.vfs, FAULT_SYNC, 0, 0, false);
    journal_flush(f->w.journal);
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

/* As where only a clock and sockets are tested. */
static void a_turn_without_a_store_is_full_by_what_it_holds(void **state)
{
    struct fixture *f = *state;
    struct store *store = f->w.turn.store;
    f->w.turn.store = NULL;
    assert_false(turn_is_full(&f->w.turn));
    say(f, 0, "hello");
    assert_false(turn_is_full(&f->w.turn));
    env_advance(&f->w.env, TURN_US_MAX);
    assert_true(turn_is_full(&f->w.turn));
    assert_int_equal(turn_end(&f->w.turn), TURN_ONLY_READ);
    assert_string_equal(f->trace, "hello ");
    f->w.turn.store = store;
}

static void a_turn_is_full_of_so_many_records(void **state)
{
    struct fixture *f = *state;
    say(f, 0, "+a");
    assert_int_equal(turn_end(&f->w.turn), TURN_COMMITTED);
    const struct store_place place = {store_topic_at(f->w.store, 0), 0};
    for (size_t i = 0; i < TURN_RECORDS_MAX; i++) {
        const struct store_record record = {.has_value = true, .value = SPAN_LIT("v")};
        int64_t offset;
        assert_false(turn_is_full(&f->w.turn));
        assert_int_equal(store_record_append(f->w.store, place, &record, &offset, NULL), STATUS_OK);
    }
    assert_true(turn_is_full(&f->w.turn));
    assert_int_equal(turn_end(&f->w.turn), TURN_COMMITTED);
    assert_false(turn_is_full(&f->w.turn));
}

/* A sync that failed once is never believed again, whatever the disk says later. */
static void behind_a_failed_sync_no_turn_is_kept(void **state)
{
    struct fixture *f = *state;
    say(f, 0, "+a");
    turn_world_fail_syncs(&f->w);
    assert_int_equal(turn_end(&f->w.turn), TURN_FAILED);
    fault_vfs_fail(&f->w.vfs, 0, 0, 0, false);
    for (size_t i = 1; i < ARRAY_COUNT(f->lines); i++) {
        f->finished = 0;
        say(f, i, "hello");
        assert_int_equal(turn_end(&f->w.turn), TURN_STOPPED);
    }
    assert_string_equal(f->trace, "-a -ello -ello ");
}

static void without_a_journal_nothing_is_told(void **state)
{
    struct fixture *f = *state;
    f->w.turn.journal = NULL;
    say(f, 0, "hello");
    (void)turn_end(&f->w.turn);
    assert_false(f->w.turn.journal_fed);
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
        TEST(a_turn_without_a_store_is_full_by_what_it_holds),
        TEST(a_turn_is_full_of_so_many_records),
        TEST(behind_a_failed_sync_no_turn_is_kept),
        TEST(without_a_journal_nothing_is_told),
    };
    return cmocka_run_group_tests_name("turn", tests, NULL, NULL);
}
