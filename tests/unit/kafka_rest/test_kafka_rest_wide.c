/* Instances of wide topics: what they and their waiting reads take of memory, and what is done step
 * by step. */
#include "consumer_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HUGE_PARTITIONS = 10000 };

static size_t pairs_used(const struct bench *b)
{
    return b->turn.budget.shares[BUDGET_PAIRS].used_bytes;
}

/* Others hold all of the share but so many bytes. */
static void pairs_leave(struct bench *b, size_t *others, size_t bytes)
{
    size_t room = budget_room(&b->turn.budget, BUDGET_PAIRS) + *others;
    budget_note(&b->turn.budget, BUDGET_PAIRS, others, room - bytes);
}

static void pairs_release(struct bench *b, size_t *others)
{
    budget_note(&b->turn.budget, BUDGET_PAIRS, others, 0);
}

static void huge_open(struct bench *b, const char *settings)
{
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    const struct store_topic_spec spec = {.name = SPAN_LIT("huge"),
                                          .partition_count = HUGE_PARTITIONS};
    assert_int_equal(store_topic_create(b->store, &spec, NULL), STATUS_OK);
    turn_end(&b->turn);
    consumer_create(b, "c", settings);
    consumer_subscribe(b, "c", "huge");
}

static const char uncommitted[] = "\"format\":\"json\",\"auto.offset.reset\":\"earliest\","
                                  "\"fetch.min.bytes\":0,\"auto.commit.enable\":\"false\"";

static void assert_refused(const struct bench_call *call)
{
    consumer_assert_answer(call, 503,
                           "{\"error_code\":503,\"message\":\"HTTP 503 Service Unavailable\"}");
    assert_non_null(strstr(call->hint, "--memory"));
}

/* --- memory --- */

static void instances_count_until_they_are_gone(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    assert_int_equal(pairs_used(b), 0);
    consumer_create(b, "c", "");
    size_t one = pairs_used(b);
    assert_in_range(one, 256, 1258); /* 10000 of them fit into a quarter of 48 MiB */
    consumer_create(b, "d", "");
    assert_int_equal(pairs_used(b), 2 * one);
    consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    assert_int_equal(pairs_used(b), one);
    bench_advance_ms(b, 300001);
    assert_int_equal(pairs_used(b), 0);
}

static void the_newest_instance_is_refused_when_memory_runs_out(void **state)
{
    struct bench *b = *state;
    size_t others = 0;
    bench_open(b);
    consumer_create(b, "c", "");
    size_t one = pairs_used(b);
    pairs_leave(b, &others, one - 1);
    assert_refused(bench_call(b, "POST /consumers/g", NULL, "{\"name\":\"d\"}"));
    consumer_expect(b, "DELETE /consumers/g/instances/d", NULL, 404,
                    "{\"error_code\":40403,\"message\":\"Consumer instance not found.\"}");
    consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    consumer_create(b, "d", "");
    pairs_release(b, &others);
}

static void ten_thousand_empty_partitions_cost_a_waiting_read_nothing(void **state)
{
    struct bench *b = *state;
    huge_open(b, uncommitted);
    size_t before = pairs_used(b);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    assert_false(read->sent);
    assert_true(pairs_used(b) > before);
    assert_true(pairs_used(b) - before < 16 * 1024);
    bench_produce(b, "huge", HUGE_PARTITIONS - 1, "1");
    bench_turn(b);
    assert_true(read->sent);
    consumer_assert_answer(
        read, 200,
        "[{\"topic\":\"huge\",\"key\":null,\"value\":1,\"partition\":9999,\"offset\":0}]");
    bench_produce(b, "huge", 0, "2");
    assert_string_equal(consumer_read(b, "c"), "0");
}

static void a_waiting_read_gives_its_memory_back_however_it_ends(void **state)
{
    struct bench *b = *state;
    consumer_open(b, uncommitted);
    assert_string_equal(consumer_read(b, "c"), "");
    size_t before = pairs_used(b);
    struct bench_call *left = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *behind = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    assert_true(pairs_used(b) > before);
    bench_cancel(b, left);
    bench_wait(b, behind);
    assert_int_equal(pairs_used(b), before);
    struct bench_call *refused = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    assert_true(refused->sent);
    assert_int_equal(pairs_used(b), 0);
}

static void the_newest_read_does_not_wait_when_memory_runs_out(void **state)
{
    struct bench *b = *state;
    size_t others = 0;
    consumer_open(b, uncommitted);
    assert_string_equal(consumer_read(b, "c"), "");
    struct bench_call *first = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    pairs_leave(b, &others, 16);
    struct bench_call *behind = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    assert_true(behind->sent);
    assert_refused(behind);
    bench_produce(b, "u1.pin", 0, "1");
    bench_turn(b);
    assert_true(first->sent);
    assert_string_equal(consumer_offsets_in(first), "0");
    pairs_leave(b, &others, 16);
    assert_refused(bench_call(b, RECORDS, JSON_TYPE, NULL)); /* there is nothing: it would wait */
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(consumer_read(b, "c"), "1");
    pairs_release(b, &others);
}

/* A place for each of 10000 partitions is made when the first of them is read. */
static void a_read_that_may_not_remember_is_refused_and_loses_nothing(void **state)
{
    struct bench *b = *state;
    size_t others = 0;
    huge_open(b, uncommitted);
    assert_string_equal(consumer_read(b, "c"), "");
    bench_produce(b, "huge", 77, "1");
    pairs_leave(b, &others, HUGE_PARTITIONS * sizeof(int64_t) - 1);
    assert_refused(bench_call(b, RECORDS, JSON_TYPE, NULL));
    consumer_create(b, "d", uncommitted);
    consumer_expect(b, "DELETE /consumers/g/instances/d", NULL, 204, "");
    pairs_release(b, &others);
    assert_string_equal(consumer_read(b, "c"), "0");
    assert_string_equal(consumer_read(b, "c"), "");
}

static void a_subscription_that_may_not_be_remembered_is_refused(void **state)
{
    struct bench *b = *state;
    size_t others = 0;
    bench_open(b);
    consumer_create(b, "c", uncommitted);
    pairs_leave(b, &others, 16);
    assert_refused(bench_call(b, "POST /consumers/g/instances/c/subscription", NULL,
                              "{\"topics\":[\"u1.pin\"]}"));
    assert_refused(bench_call(b, "POST /consumers/g/instances/c/assignments", NULL,
                              "{\"partitions\":[{\"topic\":\"u1.pin\",\"partition\":0}]}"));
    consumer_expect(b, "GET /consumers/g/instances/c/subscription", NULL, 200, "{\"topics\":[]}");
    pairs_release(b, &others);
    consumer_subscribe(b, "c", "u1.pin");
}

/* --- steps --- */

static void a_commit_of_many_takes_turns(void **state)
{
    struct bench *b = *state;
    huge_open(b, uncommitted);
    assert_string_equal(consumer_read(b, "c"), "");
    struct bench_call *commit = bench_begin(b, "POST /consumers/g/instances/c/offsets", NULL, NULL);
    assert_false(commit->sent);
    assert_int_equal(consumer_committed(b, "huge", 0), 0);
    assert_int_equal(consumer_committed(b, "huge", HUGE_PARTITIONS - 1), -1);
    bench_wait(b, commit);
    consumer_assert_answer(commit, 200, "[]");
    assert_int_equal(consumer_committed(b, "huge", HUGE_PARTITIONS - 1), 0);
    consumer_expect(b, "POST /consumers/g/instances/c/offsets", NULL, 200, "[]");
}

static void an_instance_may_go_while_its_commit_takes_turns(void **state)
{
    struct bench *b = *state;
    huge_open(b, uncommitted);
    assert_string_equal(consumer_read(b, "c"), "");
    struct bench_call *commit = bench_begin(b, "POST /consumers/g/instances/c/offsets", NULL, NULL);
    struct bench_call *left = bench_begin(b, "POST /consumers/g/instances/c/offsets", NULL, NULL);
    bench_cancel(b, left);
    consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    bench_wait(b, commit);
    assert_int_equal(commit->status, 404);
}

static void a_read_commits_in_turns_before_it_answers(void **state)
{
    struct bench *b = *state;
    huge_open(b, consumer_eager_json);
    bench_produce(b, "huge", HUGE_PARTITIONS - 1, "1");
    assert_string_equal(consumer_read(b, "c"), "0");
    bench_advance_ms(b, 5001);
    bench_produce(b, "huge", HUGE_PARTITIONS - 1, "1");
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    assert_false(read->sent);
    assert_int_equal(consumer_committed(b, "huge", 0), 0);
    assert_int_equal(consumer_committed(b, "huge", HUGE_PARTITIONS - 1), -1);
    bench_wait(b, read);
    assert_string_equal(consumer_offsets_in(read), "1");
    assert_int_equal(consumer_committed(b, "huge", HUGE_PARTITIONS - 1), 1);
}

static void a_delete_commits_in_turns(void **state)
{
    struct bench *b = *state;
    huge_open(b, consumer_eager_json);
    assert_string_equal(consumer_read(b, "c"), "");
    struct bench_call *gone = bench_begin(b, "DELETE /consumers/g/instances/c", NULL, NULL);
    assert_false(gone->sent);
    assert_int_equal(bench_call(b, RECORDS, JSON_TYPE, NULL)->status, 404);
    bench_wait(b, gone);
    consumer_assert_answer(gone, 204, "");
    assert_int_equal(consumer_committed(b, "huge", HUGE_PARTITIONS - 1), 0);
    assert_int_equal(pairs_used(b), 0);
}

static void a_stop_ends_what_takes_turns(void **state)
{
    struct bench *b = *state;
    huge_open(b, consumer_eager_json);
    assert_string_equal(consumer_read(b, "c"), "");
    struct bench_call *gone = bench_begin(b, "DELETE /consumers/g/instances/c", NULL, NULL);
    assert_false(gone->sent);
    exchange_abort(&gone->exchange, EXCHANGE_STOPPING);
    turn_end(&b->turn);
    kafka_rest_free(b->rest);
    b->rest = NULL;
    assert_int_equal(consumer_committed(b, "huge", HUGE_PARTITIONS - 1), 0);
    assert_int_equal(pairs_used(b), 0);
}

static void a_new_subscription_commits_the_old_one_in_turns(void **state)
{
    struct bench *b = *state;
    huge_open(b, consumer_eager_json);
    assert_string_equal(consumer_read(b, "c"), "");
    struct bench_call *other = bench_begin(b, "POST /consumers/g/instances/c/subscription", NULL,
                                           "{\"topics\":[\"u1.pin\"]}");
    assert_false(other->sent);
    consumer_expect(b, "GET /consumers/g/instances/c/subscription", NULL, 200,
                    "{\"topics\":[\"huge\"]}");
    bench_wait(b, other);
    consumer_assert_answer(other, 204, "");
    assert_int_equal(consumer_committed(b, "huge", HUGE_PARTITIONS - 1), 0);
    consumer_expect(b, "GET /consumers/g/instances/c/subscription", NULL, 200,
                    "{\"topics\":[\"u1.pin\"]}");
}

/* The same with a broker that answers each step later. */
static void steps_of_a_broker_that_answers_later_are_the_same(void **state)
{
    struct bench *b = *state;
    b->answers_later = true;
    huge_open(b, consumer_eager_json);
    bench_produce(b, "huge", HUGE_PARTITIONS - 1, "1");
    assert_string_equal(consumer_read(b, "c"), "0");
    consumer_expect(b, "POST /consumers/g/instances/c/offsets", NULL, 200, "[]");
    assert_int_equal(consumer_committed(b, "huge", HUGE_PARTITIONS - 1), 1);
    consumer_create(b, "d", consumer_eager_json);
    consumer_subscribe(b, "d", "huge");
    assert_string_equal(consumer_read(b, "d"), "");
    consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    consumer_expect(b, "DELETE /consumers/g/instances/d", NULL, 204, "");
    assert_int_equal(pairs_used(b), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, consumer_setup, consumer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(instances_count_until_they_are_gone),
        TEST(the_newest_instance_is_refused_when_memory_runs_out),
        TEST(ten_thousand_empty_partitions_cost_a_waiting_read_nothing),
        TEST(a_waiting_read_gives_its_memory_back_however_it_ends),
        TEST(the_newest_read_does_not_wait_when_memory_runs_out),
        TEST(a_read_that_may_not_remember_is_refused_and_loses_nothing),
        TEST(a_subscription_that_may_not_be_remembered_is_refused),
        TEST(a_commit_of_many_takes_turns),
        TEST(an_instance_may_go_while_its_commit_takes_turns),
        TEST(a_read_commits_in_turns_before_it_answers),
        TEST(a_delete_commits_in_turns),
        TEST(a_stop_ends_what_takes_turns),
        TEST(a_new_subscription_commits_the_old_one_in_turns),
        TEST(steps_of_a_broker_that_answers_later_are_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
