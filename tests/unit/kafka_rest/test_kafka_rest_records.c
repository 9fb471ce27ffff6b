/* What reads give and where they stand: sizes and cuts, records that are not JSON, commits, seeks.
 */
#include "consumer_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- sizes --- */

static void max_bytes_cuts_before_the_record_that_would_reach_it(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    for (int i = 0; i < 3; i++) {
        bench_produce(b, "u1.pin", 0, "12345"); /* 5 bytes each */
    }
    assert_string_equal(consumer_read_query(b, "c", "?max_bytes=15"), "0,1");
    assert_string_equal(consumer_read_query(b, "c", "?max_bytes=6"), "2");
}

static void max_bytes_ends_the_default_wait_early(void **state)
{
    struct bench *b = *state;
    consumer_open(b, "\"format\":\"json\",\"auto.offset.reset\":\"earliest\"");
    int64_t start_ms = bench_now_ms(b);
    struct bench_call *read = bench_begin(b, RECORDS "?max_bytes=10", JSON_TYPE, NULL);
    bench_produce(b, "u1.pin", 0, "12345");
    bench_turn(b);
    assert_false(read->sent);
    bench_produce(b, "u1.pin", 0, "12345");
    bench_turn(b);
    assert_true(read->sent);
    assert_string_equal(consumer_offsets_in(read), "0");
    assert_int_equal(bench_now_ms(b), start_ms);
}

static void a_record_as_large_as_max_bytes_is_never_delivered(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "12345");
    int64_t start_ms = bench_now_ms(b);
    for (int i = 0; i < 3; i++) {
        struct bench_call *read = bench_call(b, RECORDS "?max_bytes=5", JSON_TYPE, NULL);
        consumer_assert_answer(read, 200, "[]");
        assert_non_null(strstr(read->hint, "never be delivered"));
    }
    assert_int_equal(bench_now_ms(b), start_ms);
    assert_string_equal(consumer_read_query(b, "c", "?max_bytes=6"), "0");
}

static void keys_count_and_tombstones_are_null(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_append(b, "u1.pin", 0, "\"k1\"", NULL);
    bench_append(b, "u1.pin", 0, NULL, NULL);
    bench_produce(b, "u1.pin", 0, "{\"a\":[1.5,null]}");
    consumer_assert_answer(bench_call(b, RECORDS "?max_bytes=4", JSON_TYPE, NULL), 200, "[]");
    consumer_assert_answer(
        bench_call(b, RECORDS, JSON_TYPE, NULL), 200,
        "[{\"topic\":\"u1.pin\",\"key\":\"k1\",\"value\":null,\"partition\":0,\"offset\":"
        "0},{\"topic\":\"u1.pin\",\"key\":null,\"value\":null,\"partition\":0,\"offset\":"
        "1},{\"topic\":\"u1.pin\",\"key\":null,\"value\":{\"a\":[1.5,null]},\"partition\":"
        "0,\"offset\":2}]");
}

static void an_answer_has_a_largest_size_and_the_next_goes_on(void **state)
{
    struct bench *b = *state;
    enum { value_bytes = 100000, records = 25 };
    char *value = malloc(value_bytes + 1);
    consumer_open(b, consumer_eager_json);
    memset(value, 'x', value_bytes);
    value[0] = '"';
    value[value_bytes - 1] = '"';
    value[value_bytes] = '\0';
    for (int i = 0; i < records; i++) {
        bench_produce(b, "u1.pin", 0, value);
    }
    free(value);
    enum { room_bytes = 256 * 1024 * 1024 }; /* whose eighth is more than that */
    b->turn.budget.max_bytes = room_bytes;
    b->turn.budget.shares[BUDGET_REPLIES].max_bytes = room_bytes;
    int64_t start_ms = bench_now_ms(b);
    assert_string_equal(consumer_read(b, "c"), "0,1,2,3,4,5,6,7,8,9");
    assert_string_equal(consumer_read(b, "c"), "10,11,12,13,14,15,16,17,18,19");
    assert_string_equal(consumer_read(b, "c"), "20,21,22,23,24");
    assert_int_equal(bench_now_ms(b), start_ms);
}

static void partitions_take_turns_when_answers_are_cut(void **state)
{
    struct bench *b = *state;
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    consumer_create(b, "c", consumer_eager_json);
    consumer_subscribe(b, "c", "wide");
    /* More than one poll's 30, so that the proxy's own buffer does not hide the log. */
    for (int i = 0; i < 120; i++) {
        bench_append(b, "wide", i % 3, NULL, "1");
    }
    turn_end(&b->turn);
    bool seen[3] = {false, false, false};
    for (int i = 0; i < 9; i++) {
        struct bench_call *read = bench_call(b, RECORDS "?max_bytes=30", JSON_TYPE, NULL);
        for (int p = 0; p < 3; p++) {
            char part[32];
            snprintf(part, sizeof(part), "\"partition\":%d", p);
            seen[p] = seen[p] || strstr(read->body, part) != NULL;
        }
        if (i == 3) {
            assert_true(seen[0] && seen[1]);
        }
    }
    assert_true(seen[0] && seen[1] && seen[2]);
}

/* --- the proxy's own buffer after a cut --- */

static void after_a_cut_the_committed_position_is_past_what_was_returned(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    for (int i = 0; i < 40; i++) {
        bench_append(b, "u1.pin", 0, NULL, "1");
    }
    turn_end(&b->turn);
    assert_string_equal(consumer_read_query(b, "c", "?max_bytes=3"), "0,1");
    consumer_expect(b, "POST /consumers/g/instances/c/offsets", NULL, 200, "[]");
    assert_int_equal(consumer_committed(b, "u1.pin", 0), 30); /* one poll's worth */
    assert_string_equal(consumer_read_query(b, "c", "?max_bytes=3"), "2,3");
    consumer_expect(b, "POST /consumers/g/instances/c/offsets", NULL, 200, "[]");
    assert_int_equal(consumer_committed(b, "u1.pin", 0), 30);
}

static void a_seek_leaves_the_proxys_buffer_alone(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    for (int i = 0; i < 4; i++) {
        bench_produce(b, "u1.pin", 0, "1");
    }
    assert_string_equal(consumer_read_query(b, "c", "?max_bytes=3"), "0,1");
    consumer_expect(b, "POST /consumers/g/instances/c/positions",
                    "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":1}]}", 204, "");
    assert_string_equal(consumer_read(b, "c"), "2,3,1,2,3");
}

/* --- records that are not JSON --- */

static void a_record_that_is_not_json_blocks_a_json_instance(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "1");
    bench_produce(b, "u1.pin", 0, "hello");
    bench_produce(b, "u1.pin", 0, "2");
    assert_string_equal(consumer_read(b, "c"), "0");
    for (int i = 0; i < 2; i++) {
        struct bench_call *read = bench_call(b, RECORDS, JSON_TYPE, NULL);
        assert_int_equal(read->status, 408);
        assert_non_null(strstr(read->body, "{\"error_code\":40801,\"message\":\"com.fasterxml."
                                           "jackson.core.JsonParseException: Unrecognized token "
                                           "'hello'"));
        assert_non_null(strstr(read->hint, "offset 1"));
    }
    consumer_expect(b, "POST /consumers/g/instances/c/positions",
                    "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":2}]}", 204, "");
    assert_string_equal(consumer_read(b, "c"), "2");
}

static void a_binary_instance_reads_anything_as_base64(void **state)
{
    struct bench *b = *state;
    consumer_open(b, "\"auto.offset.reset\":\"earliest\",\"fetch.min.bytes\":0");
    bench_produce(b, "u1.pin", 0, "{\"a\":1}");
    bench_produce(b, "u1.pin", 0, "hello");
    bench_produce(b, "u1.pin", 0, "");
    consumer_expect(
        b, RECORDS, NULL, 200,
        "[{\"topic\":\"u1.pin\",\"key\":null,\"value\":\"eyJhIjoxfQ==\",\"partition\":0,"
        "\"offset\":0},{\"topic\":\"u1.pin\",\"key\":null,\"value\":\"aGVsbG8=\",\"partition\":"
        "0,\"offset\":1},{\"topic\":\"u1.pin\",\"key\":null,\"value\":\"\",\"partition\":0,"
        "\"offset\":2}]");
}

static void bytes_that_are_json_come_out_as_jackson_prints_them(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, " { \"b\" : 1e3, \"b\" : 2 } trailing");
    bench_produce(b, "u1.pin", 0, "12345678901234567890");
    consumer_assert_answer(
        bench_call(b, RECORDS, JSON_TYPE, NULL), 200,
        "[{\"topic\":\"u1.pin\",\"key\":null,\"value\":{\"b\":2},\"partition\":0,"
        "\"offset\":0},{\"topic\":\"u1.pin\",\"key\":null,\"value\":12345678901234567890,"
        "\"partition\":0,\"offset\":1}]");
}

/* --- commits --- */

static void auto_commit_happens_in_a_later_poll_only(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "0");
    assert_string_equal(consumer_read(b, "c"), "0");
    bench_advance_ms(b, 6000);
    assert_int_equal(consumer_committed(b, "u1.pin", 0), -1); /* nobody polled */
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(consumer_read(b, "c"), "1");
    assert_int_equal(consumer_committed(b, "u1.pin", 0), 1); /* before that poll's own records */
    bench_produce(b, "u1.pin", 0, "2");
    assert_string_equal(consumer_read(b, "c"), "2");
    assert_int_equal(consumer_committed(b, "u1.pin", 0), 1); /* the interval is not over */
    consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    assert_int_equal(consumer_committed(b, "u1.pin", 0), 3);
}

static void without_auto_commit_nothing_is_committed_unasked(void **state)
{
    struct bench *b = *state;
    consumer_open(b, "\"format\":\"json\",\"auto.offset.reset\":\"earliest\",\"fetch.min.bytes\":0,"
                     "\"auto.commit.enable\":\"false\"");
    bench_produce(b, "u1.pin", 0, "0");
    assert_string_equal(consumer_read(b, "c"), "0");
    bench_advance_ms(b, 6000);
    assert_string_equal(consumer_read(b, "c"), "");
    consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    assert_int_equal(consumer_committed(b, "u1.pin", 0), -1);
}

static void an_explicit_commit_stores_the_offset_plus_one(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    consumer_expect(
        b, "POST /consumers/g/instances/c/offsets",
        "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":20,\"metadata\":\"m\"},{"
        "\"topic\":\"nowhere\",\"partition\":7,\"offset\":-1}]}",
        200, "[]");
    consumer_expect(
        b, "GET /consumers/g/instances/c/offsets",
        "{\"partitions\":[{\"topic\":\"u1.pin\",\"partition\":0},{\"topic\":\"u1.pin\","
        "\"partition\":1},{\"topic\":\"nowhere\",\"partition\":7}]}",
        200,
        "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":21,\"metadata\":\"m\"},{"
        "\"topic\":\"nowhere\",\"partition\":7,\"offset\":0,\"metadata\":\"\"}]}");
}

static void a_refused_commit_stores_none_of_its_entries(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    consumer_expect(
        b, "POST /consumers/g/instances/c/offsets",
        "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":20},{\"topic\":\"u1."
        "pin\",\"partition\":0,\"offset\":-2}]}",
        500, "{\"error_code\":500,\"message\":\"Internal Server Error\"}");
    assert_int_equal(consumer_committed(b, "u1.pin", 0), -1);
}

static void a_new_instance_goes_on_where_the_group_committed(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "0");
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(consumer_read(b, "c"), "0,1");
    consumer_expect(b, "POST /consumers/g/instances/c/offsets",
                    "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":0}]}", 200,
                    "[]");
    consumer_create(b, "d", consumer_eager_json);
    consumer_expect(b, "POST /consumers/g/instances/d/assignments",
                    "{\"partitions\":[{\"topic\":\"u1.pin\",\"partition\":0}]}", 204, "");
    assert_string_equal(consumer_read(b, "d"), "1");
}

/* --- seeking --- */

static void a_seek_by_time_finds_the_first_record_that_is_not_older(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "0"); /* at 2023-11-14T22:13:20Z */
    bench_advance_ms(b, 10000);
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(consumer_read(b, "c"), "0,1");
    static const struct {
        const char *time;
        int status;
        const char *offsets;
    } rows[] = {
        {"\"2023-11-14T22:13:20Z\"", 204, "0,1"},
        {"\"2023-11-14T22:13:20.001Z\"", 204, "1"},
        {"\"2023-11-14T23:13:30+01:00\"", 204, "1"},
        {"1700000000", 204, "0,1"},
        {"1700000000.5", 204, "1"},
        {"\"2023-11-14T22:13:31Z\"", 500, ""},
        {"\"yesterday\"", 400, ""},
        {"null", 400, ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char body[128];
        snprintf(body, sizeof(body),
                 "{\"timestamps\":[{\"topic\":\"u1.pin\",\"partition\":0,\"timestamp\":%s}]}",
                 rows[i].time);
        struct bench_call *seek =
            bench_call(b, "POST /consumers/g/instances/c/positions", NULL, body);
        assert_int_equal(seek->status, rows[i].status);
        assert_string_equal(consumer_read(b, "c"), rows[i].offsets);
    }
}

static void a_seek_to_the_end_is_settled_at_the_next_poll(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    assert_string_equal(consumer_read(b, "c"), "");
    consumer_expect(b, "POST /consumers/g/instances/c/positions/end", "{\"partitions\":[]}", 204,
                    "");
    bench_produce(b, "u1.pin", 0, "0");
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_produce(b, "u1.pin", 0, "1");
    bench_wait(b, read);
    assert_string_equal(consumer_offsets_in(read), "1");
}

static void nothing_can_be_sought_before_the_first_poll(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    consumer_expect(
        b, "POST /consumers/g/instances/c/positions/beginning",
        "{\"partitions\":[{\"topic\":\"u1.pin\",\"partition\":0}]}", 409,
        "{\"error_code\":40903,\"message\":\"Illegal state: No current assignment for partition "
        "u1.pin-0\"}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, consumer_setup, consumer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(max_bytes_cuts_before_the_record_that_would_reach_it),
        TEST(max_bytes_ends_the_default_wait_early),
        TEST(a_record_as_large_as_max_bytes_is_never_delivered),
        TEST(keys_count_and_tombstones_are_null),
        TEST(an_answer_has_a_largest_size_and_the_next_goes_on),
        TEST(partitions_take_turns_when_answers_are_cut),
        TEST(after_a_cut_the_committed_position_is_past_what_was_returned),
        TEST(a_seek_leaves_the_proxys_buffer_alone),
        TEST(a_record_that_is_not_json_blocks_a_json_instance),
        TEST(a_binary_instance_reads_anything_as_base64),
        TEST(bytes_that_are_json_come_out_as_jackson_prints_them),
        TEST(auto_commit_happens_in_a_later_poll_only),
        TEST(without_auto_commit_nothing_is_committed_unasked),
        TEST(an_explicit_commit_stores_the_offset_plus_one),
        TEST(a_refused_commit_stores_none_of_its_entries),
        TEST(a_new_instance_goes_on_where_the_group_committed),
        TEST(a_seek_by_time_finds_the_first_record_that_is_not_older),
        TEST(a_seek_to_the_end_is_settled_at_the_next_poll),
        TEST(nothing_can_be_sought_before_the_first_poll),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
