/* What consumers do in one turn, when many of them have much to do at once. */
#include "consumer_bench.h"
#include "kafka_rest_consumer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    READERS = 8,
    LARGE_BYTES = 900 * 1024,
    LARGE_RECORDS = 3,
    HUGE_PARTITIONS = CONSUMER_LIST_MAX
};

#define BINARY_TYPE "application/vnd.kafka.binary.v2+json"

static const char settings[] = "\"format\":\"binary\",\"auto.offset.reset\":\"earliest\","
                               "\"fetch.min.bytes\":0,\"auto.commit.enable\":\"false\"";

static const struct consumer_turn *turn_of(const struct bench *b)
{
    return &b->rest->consumers->turn;
}

/* Each reads the partition for itself. */
static void readers_make(struct bench *b, const char *topic, int32_t partitions)
{
    struct buf body;
    char target[128];
    char name[16];
    buf_init(&body, 1024 * 1024);
    BUF_APPEND_LIT(&body, "{\"partitions\":[");
    for (int32_t i = 0; i < partitions; i++) {
        buf_printf(&body, "%s{\"topic\":\"%s\",\"partition\":%d}", i > 0 ? "," : "", topic, (int)i);
    }
    BUF_APPEND_LIT(&body, "]}");
    for (int i = 0; i < READERS; i++) {
        snprintf(name, sizeof(name), "r%d", i);
        consumer_create(b, name, settings);
        snprintf(target, sizeof(target), "POST /consumers/g/instances/r%d/assignments", i);
        consumer_expect(b, target, buf_cstr(&body), 204, "");
    }
    buf_release(&body);
}

static void readers_begin(struct bench *b, struct bench_call *calls[READERS])
{
    char target[128];
    for (int i = 0; i < READERS; i++) {
        snprintf(target, sizeof(target), "GET /consumers/g/instances/r%d/records", i);
        calls[i] = bench_begin_in_turn(b, target, BINARY_TYPE, NULL);
    }
}

static int readers_answered(struct bench_call *const calls[READERS])
{
    int count = 0;
    for (int i = 0; i < READERS; i++) {
        count += calls[i]->sent ? 1 : 0;
    }
    return count;
}

static void large_append(struct bench *b)
{
    char *value = malloc(LARGE_BYTES + 1);
    assert_non_null(value);
    memset(value, '1', LARGE_BYTES);
    value[LARGE_BYTES] = '\0';
    for (int i = 0; i < LARGE_RECORDS; i++) {
        bench_append(b, "u1.pin", 0, NULL, value);
    }
    free(value);
}

static void readers_that_wake_at_once_are_answered_over_several_turns(void **state)
{
    struct bench *b = *state;
    struct bench_call *calls[READERS];
    int answered = 0;
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    readers_make(b, "u1.pin", 1);
    readers_begin(b, calls);
    turn_end(&b->turn);
    large_append(b);
    while (answered < READERS) {
        bench_turn(b);
        int now = readers_answered(calls);
        /* An answer is three quarters of a turn's share: the second one goes beyond it. */
        assert_in_range(now, answered + 1, answered + 2);
        answered = now;
    }
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(calls[i]->status, 200);
    }
    assert_int_equal(turn_of(b)->waiting, 0);
}

/* There is room in the next turn, and others are to have it. */
static void who_comes_later_stands_behind_who_waits(void **state)
{
    struct bench *b = *state;
    struct bench_call *calls[READERS];
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    readers_make(b, "u1.pin", 1);
    consumer_create(b, "late", settings);
    consumer_subscribe(b, "late", "u1.pin");
    large_append(b);
    turn_end(&b->turn);
    readers_begin(b, calls);
    int before = readers_answered(calls);
    turn_end(&b->turn);
    struct bench_call *late =
        bench_begin_in_turn(b, "GET /consumers/g/instances/late/records", BINARY_TYPE, NULL);
    assert_false(late->sent);
    timer_heap_run(&b->timers);
    turn_end(&b->turn);
    assert_true(readers_answered(calls) > before);
    assert_false(late->sent);
    bench_wait(b, late);
    assert_int_equal(readers_answered(calls), READERS);
}

static void polls_over_many_partitions_wait_for_later_turns(void **state)
{
    struct bench *b = *state;
    struct bench_call *calls[READERS];
    size_t waiting = READERS;
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    const struct store_topic_spec spec = {.name = SPAN_LIT("huge"),
                                          .partition_count = HUGE_PARTITIONS};
    assert_int_equal(store_topic_create(b->store, &spec, NULL), STATUS_OK);
    turn_end(&b->turn);
    readers_make(b, "huge", HUGE_PARTITIONS);
    readers_begin(b, calls);
    for (int turns = 0; waiting > 0; turns++) {
        assert_true(turn_of(b)->waiting < waiting);
        waiting = turn_of(b)->waiting;
        /* One look settles and measures each partition. */
        assert_true(turn_of(b)->looks <= CONSUMER_TURN_LOOKS_MAX + 3 * HUGE_PARTITIONS);
        assert_true(waiting == 0 || turn_of(b)->looks >= CONSUMER_TURN_LOOKS_MAX);
        assert_true(turns < READERS);
        turn_end(&b->turn);
        timer_heap_run(&b->timers);
    }
    for (int i = 0; i < READERS; i++) {
        bench_wait(b, calls[i]);
        assert_string_equal(calls[i]->body, "[]");
    }
}

static void who_leaves_while_waiting_for_a_turn_holds_up_nobody(void **state)
{
    struct bench *b = *state;
    struct bench_call *calls[READERS];
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    readers_make(b, "u1.pin", 1);
    large_append(b);
    turn_end(&b->turn);
    readers_begin(b, calls);
    size_t waiting = turn_of(b)->waiting;
    assert_true(waiting > 2);
    bench_cancel(b, calls[READERS - 2]);
    assert_int_equal(turn_of(b)->waiting, waiting - 1);
    struct bench_call *deleted =
        bench_begin_in_turn(b, "DELETE /consumers/g/instances/r5", NULL, NULL);
    assert_int_equal(turn_of(b)->waiting, waiting);
    bench_wait(b, deleted);
    assert_int_equal(deleted->status, 204);
    assert_true(calls[5]->sent);
    bench_wait(b, calls[READERS - 1]);
    assert_int_equal(calls[READERS - 1]->status, 200);
    assert_int_equal(turn_of(b)->waiting, 0);
}

static void an_answer_has_so_many_records_at_most(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    for (int i = 0; i < CONSUMER_REPLY_RECORDS_MAX + 3; i++) {
        bench_append(b, "u1.pin", 0, NULL, "1");
    }
    turn_end(&b->turn);
    struct bench_call *first = bench_call(b, RECORDS, JSON_TYPE, NULL);
    assert_int_equal(first->status, 200);
    char last[64];
    snprintf(last, sizeof(last), "\"offset\":%d}]", CONSUMER_REPLY_RECORDS_MAX - 1);
    assert_string_equal(first->body + strlen(first->body) - strlen(last), last);
    assert_string_equal(consumer_read(b, "c"), "10000,10001,10002");
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

/* Many small records have as many of them as one large one. */
static void an_answer_rounds_so_many_decimals(void **state)
{
    struct bench *b = *state;
    enum { a_record = 1000, records = 6 };
    struct buf value;
    consumer_open(b, consumer_eager_json);
    buf_init(&value, 1024 * 1024);
    for (int i = 0; i < a_record; i++) {
        buf_printf(&value, "%s1.23456789012345678e3", i == 0 ? "[" : ",");
    }
    buf_append_byte(&value, ']');
    for (int i = 0; i < records; i++) {
        bench_append(b, "u1.pin", 0, NULL, buf_cstr(&value));
    }
    buf_release(&value);
    turn_end(&b->turn);
    const struct bench_call *read = bench_call(b, RECORDS, JSON_TYPE, NULL);
    assert_int_equal(read->status, 200);
    assert_int_equal(count_of(read->body, "1234.567890123457"), JSON_LONG_DECIMALS_MAX);
    assert_int_equal(count_of(read->body, "678e3"), records * a_record - JSON_LONG_DECIMALS_MAX);
}

/* JSON is parsed and written anew, which takes its time. */
static void an_answer_in_json_is_smaller(void **state)
{
    struct bench *b = *state;
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    consumer_create(b, "c", consumer_eager_json);
    consumer_subscribe(b, "c", "u1.pin");
    large_append(b);
    turn_end(&b->turn);
    const struct bench_call *read = bench_call(b, RECORDS, JSON_TYPE, NULL);
    assert_true(strlen(read->body) <= CONSUMER_REPLY_JSON_BYTES_MAX);
    assert_string_equal(consumer_offsets_in(read), "0");
}

/* So many elements are parsed in a turn, and what goes beyond it waits in line. */
static void large_bodies_have_a_share_of_each_turn(void **state)
{
    struct bench *b = *state;
    enum { body_bytes = 400 * 1024, a_turn = 2 };
    struct bench_call *calls[READERS];
    char *body = malloc(body_bytes + 1);
    assert_non_null(body);
    for (size_t i = 0; i < body_bytes; i++) {
        body[i] = i % 16 == 0 ? ',' : '1';
    }
    memcpy(body, "{\"records\":[{\"value\":[", 22);
    memcpy(body + body_bytes - 4, "]}]}", 5);
    bench_open(b);
    b->content_type = JSON_TYPE;
    for (int i = 0; i < READERS; i++) {
        calls[i] = bench_begin_in_turn(b, "POST /topics/u1.pin", NULL, body);
    }
    assert_int_equal(turn_of(b)->waiting, READERS - a_turn);
    struct bench_call *small =
        bench_begin_in_turn(b, "POST /topics/u1.pin", NULL, "{\"records\":[{\"value\":1}]}");
    assert_int_equal(turn_of(b)->waiting, READERS - a_turn);
    turn_end(&b->turn);
    assert_true(small->sent); /* it did not wait */
    for (int done = a_turn; done < READERS; done += a_turn) {
        assert_int_equal(readers_answered(calls), done);
        bench_turn(b);
    }
    for (int i = 0; i < READERS; i++) {
        char offset[32];
        assert_true(calls[i]->sent);
        assert_int_equal(calls[i]->status, 200);
        snprintf(offset, sizeof(offset), "\"offset\":%d,", i < a_turn ? i : i + 1);
        assert_non_null(strstr(calls[i]->body, offset)); /* in the order in which they came */
    }
    free(body);
}

/* Also when the first thing that a turn does is counted without a question before it. */
static void what_is_counted_belongs_to_its_own_turn(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    consumer_turn_note(b->rest->consumers, CONSUMER_TURN_LOOKS_MAX);
    assert_true(consumer_turn_is_used(b->rest->consumers));
    turn_end(&b->turn);
    consumer_turn_note(b->rest->consumers, CONSUMER_TURN_LOOKS_MAX);
    assert_int_equal(turn_of(b)->looks, CONSUMER_TURN_LOOKS_MAX);
    assert_true(consumer_turn_is_used(b->rest->consumers));
    turn_end(&b->turn);
    assert_false(consumer_turn_is_used(b->rest->consumers));
}

static void a_list_of_lags_has_the_greatest(void **state)
{
    struct bench *b = *state;
    enum { partitions = 6000, listed = 5000 };
    char target[160];
    bench_open(b);
    const struct store_topic_spec spec = {.name = SPAN_LIT("huge"), .partition_count = partitions};
    assert_int_equal(store_topic_create(b->store, &spec, NULL), STATUS_OK);
    for (int32_t i = 0; i < partitions; i++) {
        const struct store_commit commit = {
            .topic = SPAN_LIT("huge"), .partition = i, .metadata = SPAN_EMPTY};
        assert_int_equal(store_group_commit(b->store, SPAN_LIT("g"), &commit, NULL), STATUS_OK);
    }
    bench_produce(b, "huge", partitions - 1, "1");
    snprintf(target, sizeof(target), "GET /v3/clusters/%s/consumer-groups/g/lags",
             store_cluster_id(b->store));
    const struct bench_call *lags = bench_call(b, target, NULL, NULL);
    assert_int_equal(lags->status, 200);
    assert_int_equal(count_of(lags->body, "\"KafkaConsumerLag\""), listed);
    assert_int_equal(count_of(lags->body, "\"lag\":1"), 1);
    assert_non_null(strstr(lags->body, "\"partition_id\":5999"));
}

/* --- bodies that are read as a whole --- */

static const struct bench_call *call_padded(struct bench *b, const char *target, const char *body,
                                            size_t bytes)
{
    char *padded = malloc(bytes + 1);
    size_t len = strlen(body);
    assert_true(padded != NULL && len <= bytes);
    memset(padded, ' ', bytes);
    memcpy(padded, body, len);
    padded[bytes] = '\0';
    const struct bench_call *call = bench_call(b, target, NULL, padded);
    free(padded);
    return call;
}

static void a_body_that_is_read_as_a_whole_has_a_limit(void **state)
{
    struct bench *b = *state;
    static const char too_large[] =
        "{\"error_code\":413,\"message\":\"HTTP 413 Request Entity Too Large\"}";
    const size_t max = KAFKA_REST_DOCUMENT_BYTES_MAX;
    bench_open(b);
    assert_int_equal(call_padded(b, "POST /consumers/g", "{\"name\":\"c\"}", max)->status, 200);
    const struct bench_call *call =
        call_padded(b, "POST /consumers/g", "{\"name\":\"d\"}", max + 1);
    consumer_assert_answer(call, 413, too_large);
    assert_non_null(strstr(call->hint, "1 MiB"));
    call = call_padded(b, "POST /consumers/g/instances/c/subscription", "{\"topics\":[\"u1.pin\"]}",
                       max + 1);
    consumer_assert_answer(call, 413, too_large);
    call = call_padded(b, "POST /consumers/g/instances/c/offsets", "{}", max + 1);
    consumer_assert_answer(call, 413, too_large);
}

static int subscribe_to(struct bench *b, int topics)
{
    struct buf body;
    buf_init(&body, KAFKA_REST_DOCUMENT_BYTES_MAX);
    BUF_APPEND_LIT(&body, "{\"topics\":[");
    for (int i = 0; i < topics; i++) {
        buf_printf(&body, "%s\"t%d\"", i > 0 ? "," : "", i);
    }
    BUF_APPEND_LIT(&body, "]}");
    int status =
        bench_call(b, "POST /consumers/g/instances/c/subscription", NULL, buf_cstr(&body))->status;
    buf_release(&body);
    return status;
}

static void a_list_has_so_many_entries_at_most(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    consumer_create(b, "c", "");
    assert_int_equal(subscribe_to(b, CONSUMER_LIST_MAX + 1), 422);
    assert_int_equal(subscribe_to(b, CONSUMER_LIST_MAX), 204);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, consumer_setup, consumer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(readers_that_wake_at_once_are_answered_over_several_turns),
        TEST(who_comes_later_stands_behind_who_waits),
        TEST(polls_over_many_partitions_wait_for_later_turns),
        TEST(who_leaves_while_waiting_for_a_turn_holds_up_nobody),
        TEST(an_answer_has_so_many_records_at_most),
        TEST(an_answer_rounds_so_many_decimals),
        TEST(an_answer_in_json_is_smaller),
        TEST(large_bodies_have_a_share_of_each_turn),
        TEST(what_is_counted_belongs_to_its_own_turn),
        TEST(a_list_of_lags_has_the_greatest),
        TEST(a_body_that_is_read_as_a_whole_has_a_limit),
        TEST(a_list_has_so_many_entries_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
