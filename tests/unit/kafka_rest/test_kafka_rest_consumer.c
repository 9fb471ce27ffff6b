/* The consumers of the REST proxy, in process on a virtual clock: life cycle, first poll, long
 * polls, rebalances, expiry, and turns whose commit fails. Bodies and statuses of single requests
 * are in tests/golden/consumers. */
#include "consumer_bench.h"

#include "kafka_rest_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- life --- */

static void an_instance_lives_from_create_to_delete(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    consumer_expect(
        b, "POST /consumers/g", "{\"name\":\"c\"}", 200,
        "{\"instance_id\":\"c\",\"base_uri\":\"http://localhost:8082/consumers/g/instances/"
        "c\"}");
    consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 404,
                    "{\"error_code\":40403,\"message\":\"Consumer instance not found.\"}");
}

static void an_instance_without_a_name_gets_one(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    const struct bench_call *one = bench_call(b, "POST /consumers/g", NULL, NULL);
    const struct bench_call *two = bench_call(b, "POST /consumers/g", NULL, "null");
    assert_int_equal(one->status, 200);
    assert_memory_equal(one->body, "{\"instance_id\":\"rest-consumer-", 30);
    assert_int_equal(two->status, 200);
    assert_string_not_equal(one->body, two->body);
}

static void the_old_id_wins_over_the_name(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    consumer_expect(
        b, "POST /consumers/g", "{\"name\":\"n\",\"id\":\"i\"}", 200,
        "{\"instance_id\":\"i\",\"base_uri\":\"http://localhost:8082/consumers/g/instances/"
        "i\"}");
}

static void an_advertised_url_replaces_the_host(void **state)
{
    struct bench *b = *state;
    b->options.advertised_url = "https://kafka.example/";
    bench_open(b);
    consumer_expect(b, "POST /consumers/a%20b", "{\"name\":\"c/d\"}", 200,
                    "{\"instance_id\":\"c/d\",\"base_uri\":\"https://kafka.example/consumers/a%20b/"
                    "instances/c/d\"}");
}

static void the_same_name_is_free_in_another_group_and_after_a_delete(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    consumer_create(b, "c", "");
    consumer_expect(
        b, "POST /consumers/g", "{\"name\":\"c\"}", 409,
        "{\"error_code\":40902,\"message\":\"Consumer with specified consumer ID already exists "
        "in the specified consumer group.\"}");
    assert_int_equal(bench_call(b, "POST /consumers/h", NULL, "{\"name\":\"c\"}")->status, 200);
    consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    consumer_create(b, "c", "");
}

static void five_silent_minutes_end_an_instance_and_a_request_begins_them_anew(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    consumer_create(b, "c", "");
    bench_advance_ms(b, 299000);
    consumer_expect(b, "GET /consumers/g/instances/c/subscription", NULL, 200, "{\"topics\":[]}");
    bench_advance_ms(b, 299000);
    consumer_expect(b, "GET /consumers/g/instances/c/subscription", NULL, 200, "{\"topics\":[]}");
    bench_advance_ms(b, 300001);
    consumer_expect(b, "GET /consumers/g/instances/c/subscription", NULL, 404,
                    "{\"error_code\":40403,\"message\":\"Consumer instance not found.\"}");
}

static void expiry_commits_and_frees_the_partitions(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(consumer_read(b, "c"), "0");
    bench_advance_ms(b, 300001);
    assert_int_equal(consumer_committed(b, "u1.pin", 0), 1);
    consumer_create(b, "d", consumer_eager_json);
    consumer_subscribe(b, "d", "u1.pin");
    bench_produce(b, "u1.pin", 0, "2");
    assert_string_equal(consumer_read(b, "d"), "1");
}

static void there_is_a_named_limit_to_instances(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    int made = 0;
    struct bench_call *last = NULL;
    for (int i = 0; i < 10001; i++) {
        last = bench_call(b, "POST /consumers/g", NULL, NULL);
        made += last->status == 200 ? 1 : 0;
    }
    assert_int_equal(made, 10000);
    assert_int_equal(last->status, 503);
    assert_non_null(last->hint);
}

/* --- first poll --- */

static void the_first_read_after_a_subscribe_waits_and_is_empty(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    consumer_create(b, "c", consumer_eager_json);
    consumer_subscribe(b, "c", "u1.pin");
    bench_produce(b, "u1.pin", 0, "1");
    int64_t start_ms = bench_now_ms(b);
    struct bench_call *first = bench_call(b, RECORDS, JSON_TYPE, NULL);
    consumer_assert_answer(first, 200, "[]");
    assert_non_null(strstr(first->hint, "first read"));
    assert_int_equal(bench_now_ms(b) - start_ms, 1000);
    consumer_assert_answer(
        bench_call(b, RECORDS, JSON_TYPE, NULL), 200,
        "[{\"topic\":\"u1.pin\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":0}]");
}

static void latest_never_sees_what_came_before_the_first_read(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    consumer_create(b, "c", "\"format\":\"json\",\"fetch.min.bytes\":0");
    consumer_subscribe(b, "c", "u1.pin");
    bench_produce(b, "u1.pin", 0, "0");
    struct bench_call *first = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_produce(b, "u1.pin", 0, "1");
    bench_wait(b, first);
    consumer_assert_answer(first, 200, "[]");
    assert_string_equal(consumer_read(b, "c"), "1");
}

static void an_eager_server_answers_the_first_read_with_data(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(consumer_read(b, "c"), "0");
}

static void assigned_partitions_need_no_first_poll(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    consumer_create(b, "c", consumer_eager_json);
    consumer_expect(b, "POST /consumers/g/instances/c/assignments",
                    "{\"partitions\":[{\"topic\":\"u1.pin\",\"partition\":0}]}", 204, "");
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(consumer_read(b, "c"), "0");
}

static void none_without_a_commit_fails_every_read(void **state)
{
    struct bench *b = *state;
    consumer_open(b, "\"format\":\"json\",\"auto.offset.reset\":\"none\"");
    for (int i = 0; i < 2; i++) {
        consumer_assert_answer(
            bench_call(b, RECORDS, JSON_TYPE, NULL), 500,
            "{\"error_code\":50002,\"message\":\"Undefined offset with no reset policy "
            "for partitions: [u1.pin-0]\"}");
    }
}

/* --- waiting --- */

static void a_read_waits_as_long_as_the_smallest_of_three_settings(void **state)
{
    static const struct {
        const char *setting;
        const char *query;
        int64_t wait_ms;
    } rows[] = {
        {"", "", 1000},
        {"", "?timeout=200", 200},
        {"", "?timeout=5000", 1000},
        {"", "?timeout=0", 1000},
        {"", "?timeout=-1", 1000},
        {"", "?timeout=", 1000},
        {"\"consumer.request.timeout.ms\":300", "", 300},
        {"\"consumer.request.timeout.ms\":300", "?timeout=700", 300},
        {"\"consumer.request.timeout.ms\":9000", "", 1000}, /* the defect of 7.2 */
        {"\"requestWaitMs\":\"300\"", "", 300},
        {"\"consumer.request.timeout.ms\":0", "", 0},
    };
    struct bench *b = *state;
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char target[128];
        consumer_create(b, "c", rows[i].setting);
        consumer_subscribe(b, "c", "u1.pin");
        snprintf(target, sizeof(target), RECORDS "%s", rows[i].query);
        int64_t start_ms = bench_now_ms(b);
        consumer_expect(b, target, NULL, 200, "[]");
        assert_int_equal(bench_now_ms(b) - start_ms, rows[i].wait_ms);
        consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    }
}

static void by_default_a_read_waits_its_whole_time_even_with_data(void **state)
{
    struct bench *b = *state;
    consumer_open(b, "\"format\":\"json\",\"auto.offset.reset\":\"earliest\"");
    bench_produce(b, "u1.pin", 0, "0");
    int64_t start_ms = bench_now_ms(b);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_advance_ms(b, 500);
    bench_produce(b, "u1.pin", 0, "1");
    bench_wait(b, read);
    assert_string_equal(consumer_offsets_in(read), "0,1");
    assert_int_equal(bench_now_ms(b) - start_ms, 1000);
}

static void a_parked_read_is_woken_by_a_record(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_advance_ms(b, 400);
    assert_false(read->sent);
    bench_produce(b, "u1.pin", 0, "7");
    int64_t produced_ms = bench_now_ms(b);
    bench_wait(b, read);
    assert_string_equal(consumer_offsets_in(read), "0");
    assert_int_equal(bench_now_ms(b), produced_ms);
}

static void records_of_other_topics_wake_nobody(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_produce(b, "wide", 0, "7");
    bench_turn(b);
    assert_false(read->sent);
    bench_wait(b, read);
    consumer_assert_answer(read, 200, "[]");
}

static void a_minimum_waits_until_there_is_more_than_it(void **state)
{
    struct bench *b = *state;
    consumer_open(b,
                  "\"format\":\"json\",\"auto.offset.reset\":\"earliest\",\"fetch.min.bytes\":10");
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_produce(b, "u1.pin", 0, "12345");
    bench_turn(b);
    bench_produce(b, "u1.pin", 0, "12345");
    bench_turn(b);
    assert_false(read->sent); /* 10 is not more than 10 */
    bench_produce(b, "u1.pin", 0, "1");
    bench_turn(b);
    assert_true(read->sent);
    assert_string_equal(consumer_offsets_in(read), "0,1,2");
}

static void a_topic_made_while_a_read_waits_is_read(void **state)
{
    struct bench *b = *state;
    static const char *const ways[] = {"{\"topics\":[\"late\"]}", "{\"topic_pattern\":\"l.te\"}"};
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        consumer_create(b, "c", consumer_eager_json);
        consumer_expect(b, "POST /consumers/g/instances/c/subscription", ways[i], 204, "");
        struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
        assert_int_equal(store_topic_create(b->store,
                                            &(struct store_topic_spec){.name = SPAN_LIT("late"),
                                                                       .partition_count = 1},
                                            NULL),
                         STATUS_OK);
        bench_produce(b, "late", 0, "7");
        bench_turn(b);
        assert_true(read->sent);
        assert_string_equal(consumer_offsets_in(read), "0");
        consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
        assert_int_equal(store_topic_delete(b->store, SPAN_LIT("late"), NULL), STATUS_OK);
    }
}

static void a_read_says_that_its_pattern_gave_up(void **state)
{
    struct bench *b = *state;
    char name[64];
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    for (int i = 0; i < 16; i++) {
        snprintf(name, sizeof(name), "%040dbx%d", 0, i);
        const struct store_topic_spec spec = {.name = span_from_cstr(name), .partition_count = 1};
        assert_int_equal(store_topic_create(b->store, &spec, NULL), STATUS_OK);
    }
    consumer_create(b, "c", consumer_eager_json);
    consumer_expect(b, "POST /consumers/g/instances/c/subscription",
                    "{\"topic_pattern\":\"(0*)*(0*)*b\"}", 204, "");
    struct bench_call *read = bench_call(b, RECORDS, JSON_TYPE, NULL);
    consumer_assert_answer(read, 200, "[]");
    assert_non_null(read->hint);
    assert_non_null(strstr(read->hint, "topic_pattern takes too long"));
}

static void a_client_that_leaves_takes_its_read_along(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_cancel(b, read);
    bench_produce(b, "u1.pin", 0, "7");
    assert_string_equal(consumer_read(b, "c"), "0");
}

static void a_delete_ends_the_reads_of_its_instance(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    struct bench_call *one = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *two = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    assert_int_equal(one->status, 404);
    assert_int_equal(two->status, 404);
}

static void parallel_reads_stand_in_line_and_split_the_data(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    struct bench_call *one = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *two = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *three = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_produce(b, "u1.pin", 0, "0");
    bench_turn(b);
    assert_true(one->sent && !two->sent && !three->sent);
    assert_string_equal(consumer_offsets_in(one), "0");
    bench_produce(b, "u1.pin", 0, "1");
    bench_turn(b);
    assert_true(two->sent && !three->sent);
    assert_string_equal(consumer_offsets_in(two), "1");
    bench_wait(b, three);
    consumer_assert_answer(three, 200, "[]");
}

static void a_read_in_line_is_answered_when_its_own_time_is_up(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    struct bench_call *one = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *two = bench_begin(b, RECORDS "?timeout=100", JSON_TYPE, NULL);
    bench_wait(b, two);
    consumer_assert_answer(two, 200, "[]");
    assert_false(one->sent);
    bench_wait(b, one);
}

static void a_line_has_a_named_limit(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    for (int i = 0; i < 50; i++) {
        assert_false(bench_begin(b, RECORDS, JSON_TYPE, NULL)->sent);
    }
    struct bench_call *refused = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    assert_true(refused->sent);
    assert_int_equal(refused->status, 503);
}

static void a_seek_reaches_a_read_that_waits(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "0");
    assert_string_equal(consumer_read(b, "c"), "0");
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    consumer_expect(b, "POST /consumers/g/instances/c/positions/beginning", "{\"partitions\":[]}",
                    204, "");
    bench_turn(b);
    assert_true(read->sent);
    assert_string_equal(consumer_offsets_in(read), "0");
}

static void an_unsubscribe_fails_a_read_that_waits(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    consumer_expect(b, "DELETE /consumers/g/instances/c/subscription", NULL, 204, "");
    bench_turn(b);
    assert_true(read->sent);
    consumer_assert_answer(read, 500, "{\"error_code\":500,\"message\":\"Internal Server Error\"}");
}

static void a_read_without_room_for_its_answer_stays_parked(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "1");
    size_t others = 0; /* what other clients, slow to read, hold */
    budget_note(&b->turn.budget, BUDGET_REPLIES, &others, TURN_BUDGET_BYTES_MAX / 4 * 3);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_advance_ms(b, 500);
    assert_false(read->sent);
    budget_note(&b->turn.budget, BUDGET_REPLIES, &others, 0);
    bench_advance_ms(b, 10);
    assert_true(read->sent);
    assert_string_equal(consumer_offsets_in(read), "0");
}

static void room_leave(struct bench *b, size_t *others, size_t bytes)
{
    size_t all = b->turn.budget.shares[BUDGET_REPLIES].max_bytes;
    budget_note(&b->turn.budget, BUDGET_REPLIES, others, all - bytes);
}

static void a_read_whose_time_is_up_without_room_says_so(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    size_t others = 0;
    room_leave(b, &others, 50);
    struct bench_call *read = bench_call(b, RECORDS, JSON_TYPE, NULL);
    consumer_assert_answer(read, 200, "[]"); /* that is so, and takes no room */
    bench_produce(b, "u1.pin", 0, "1");
    int64_t start_ms = bench_now_ms(b);
    read = bench_call(b, RECORDS, JSON_TYPE, NULL);
    consumer_assert_answer(read, 503,
                           "{\"error_code\":503,\"message\":\"HTTP 503 Service Unavailable\"}");
    assert_non_null(strstr(read->hint, "--memory"));
    assert_int_equal(bench_now_ms(b) - start_ms, 1000);
    room_leave(b, &others, 1000);
    assert_string_equal(consumer_read(b, "c"), "0");
    budget_note(&b->turn.budget, BUDGET_REPLIES, &others, 0);
}

static void produce_of_size(struct bench *b, size_t bytes)
{
    char *value = malloc(bytes + 1);
    memset(value, '1', bytes);
    value[bytes] = '\0';
    bench_produce(b, "u1.pin", 0, value);
    free(value);
}

static void an_answer_takes_a_fair_share_of_the_room(void **state)
{
    struct bench *b = *state;
    enum { records = 9, record_bytes = 100 * 1000 };
    consumer_open(b, consumer_eager_json);
    for (int i = 0; i < records; i++) {
        produce_of_size(b, record_bytes);
    }
    size_t others = 0;
    room_leave(b, &others, 8 * 4 * record_bytes);
    struct bench_call *read = bench_call(b, RECORDS, JSON_TYPE, NULL);
    assert_string_equal(consumer_offsets_in(read), "0,1,2");
    room_leave(b, &others, 2 * record_bytes); /* less than a record is its share */
    assert_string_equal(consumer_read(b, "c"), "3");
    budget_note(&b->turn.budget, BUDGET_REPLIES, &others, 0);
    assert_string_equal(consumer_read(b, "c"), "4,5,6,7,8");
}

static void a_read_that_waits_for_its_minimum_does_not_wait_for_more_than_its_share(void **state)
{
    struct bench *b = *state;
    enum { record_bytes = 40 * 1000 };
    consumer_open(b, "\"format\":\"json\",\"auto.offset.reset\":\"earliest\"");
    size_t others = 0;
    room_leave(b, &others, 200 * 1000);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    produce_of_size(b, record_bytes);
    bench_turn(b);
    assert_false(read->sent);
    produce_of_size(b, record_bytes);
    bench_turn(b);
    assert_true(read->sent);
    assert_string_equal(consumer_offsets_in(read), "0");
    budget_note(&b->turn.budget, BUDGET_REPLIES, &others, 0);
}

static void stopping_the_proxy_commits_as_a_delete_does(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(consumer_read(b, "c"), "0");
    kafka_rest_free(b->rest);
    b->rest = NULL;
    assert_int_equal(consumer_committed(b, "u1.pin", 0), 1);
}

/* --- several instances --- */

static void instances_of_a_group_share_the_partitions(void **state)
{
    struct bench *b = *state;
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    consumer_create(b, "c", consumer_eager_json);
    consumer_create(b, "d", consumer_eager_json);
    consumer_subscribe(b, "c", "wide");
    consumer_subscribe(b, "d", "wide");
    assert_string_equal(consumer_read(b, "c"), "");
    assert_string_equal(consumer_read(b, "d"), "");
    consumer_expect(b, "GET /consumers/g/instances/c/assignments", NULL, 200,
                    "{\"partitions\":[{\"topic\":\"wide\",\"partition\":0},{\"topic\":\"wide\","
                    "\"partition\":1}]}");
    consumer_expect(b, "GET /consumers/g/instances/d/assignments", NULL, 200,
                    "{\"partitions\":[{\"topic\":\"wide\",\"partition\":2}]}");
    consumer_expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    consumer_expect(b, "GET /consumers/g/instances/d/assignments", NULL, 200,
                    "{\"partitions\":[{\"topic\":\"wide\",\"partition\":0},{\"topic\":\"wide\","
                    "\"partition\":1},{\"topic\":\"wide\",\"partition\":2}]}");
}

static void a_waiting_read_follows_a_rebalance(void **state)
{
    struct bench *b = *state;
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    consumer_create(b, "c", consumer_eager_json);
    consumer_create(b, "d", consumer_eager_json);
    consumer_subscribe(b, "c", "wide");
    consumer_subscribe(b, "d", "wide");
    assert_string_equal(consumer_read(b, "c"), "");
    struct bench_call *mine = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *other =
        bench_begin(b, "GET /consumers/g/instances/d/records", JSON_TYPE, NULL);
    bench_produce(b, "wide", 2, "7"); /* d's since it joined */
    bench_turn(b);
    bench_turn(b);
    assert_true(other->sent && !mine->sent);
    assert_string_equal(consumer_offsets_in(other), "0");
    consumer_expect(b, "DELETE /consumers/g/instances/d", NULL, 204, "");
    bench_produce(b, "wide", 2, "8"); /* and c's again */
    bench_turn(b);
    bench_turn(b);
    assert_true(mine->sent);
    assert_string_equal(consumer_offsets_in(mine), "1");
}

static struct broker_describe describe_group(struct bench *b, struct arena *arena)
{
    struct broker_describe describe = {.base = {.arena = arena}, .group = SPAN_LIT("g")};
    assert_int_equal(b->broker->ops->describe(b->broker, &describe), BROKER_DONE);
    assert_int_equal(describe.base.status, STATUS_OK);
    return describe;
}

static void v3_sees_the_members_that_have_joined(void **state)
{
    struct bench *b = *state;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    consumer_create(b, "c", consumer_eager_json);
    consumer_create(b, "d", consumer_eager_json);
    consumer_subscribe(b, "c", "wide");
    assert_int_equal(describe_group(b, &arena).member_count, 0);
    assert_string_equal(consumer_read(b, "c"), "");
    struct broker_describe seen = describe_group(b, &arena);
    assert_int_equal(seen.member_count, 1);
    assert_true(span_equal_cstr(seen.members[0].client_id, "consumer-g-1"));
    assert_true(span_starts_with(seen.members[0].member_id, seen.members[0].client_id));
    assert_int_equal(seen.members[0].place_count, 3);
    arena_release(&arena);
}

/* --- permissions --- */

static void the_workshop_allows_only_its_group_and_its_topics(void **state)
{
    struct bench *b = *state;
    b->policy.enforced = true;
    bench_open(b);
    consumer_create(b, "c", "");
    consumer_subscribe(b, "c", "u1.pin");
    consumer_expect(b, RECORDS, NULL, 403,
                    "{\"error_code\":40301,\"message\":\"Not authorized to access group: g\"}");
    consumer_expect(b, "POST /consumers/g/instances/c/offsets", NULL, 403,
                    "{\"error_code\":40301,\"message\":\"Not authorized to access group: g\"}");
    assert_int_equal(bench_call(b, "POST /consumers/students", NULL, "{\"name\":\"s\"}")->status,
                     200);
    consumer_expect(b, "POST /consumers/students/instances/s/subscription",
                    "{\"topics\":[\"wide\"]}", 204, "");
    consumer_expect(
        b, "GET /consumers/students/instances/s/records", NULL, 403,
        "{\"error_code\":40301,\"message\":\"Not authorized to access topics: [wide]\"}");
}

static void the_cluster_may_be_left_alone_only(void **state)
{
    static const char *const targets[][2] = {
        {"GET", ""}, {"POST", "/topics"}, {"DELETE", "/topics/u1.pin"}};
    struct bench *b = *state;
    b->policy.enforced = true;
    b->policy.cluster_refused = ~0U;
    bench_open(b);
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        char target[128];
        snprintf(target, sizeof(target), "%s /v3/clusters/%s%s", targets[i][0],
                 store_cluster_id(b->store), targets[i][1]);
        struct bench_call *call = bench_call(b, target, "application/json",
                                             i == 1 ? "{\"topic_name\":\"u1.new\"}" : NULL);
        assert_int_equal(call->status, 403);
        assert_string_equal(call->body,
                            "{\"error_code\":40301,\"message\":\"Cluster authorization failed.\"}");
    }
    assert_non_null(store_topic_find(b->store, SPAN_LIT("u1.pin")));
    assert_null(store_topic_find(b->store, SPAN_LIT("u1.new")));
}

/* --- turns whose commit fails --- */

static void a_read_whose_turn_failed_is_repeated(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "0");
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(consumer_read(b, "c"), "0,1");
    bench_produce(b, "u1.pin", 0, "2");
    struct bench_call *read = bench_begin_in_turn(b, RECORDS, JSON_TYPE, NULL);
    bench_append(b, "wide", 0, NULL, "9"); /* somebody else's write, in the same turn */
    b->fail_commits = true;
    turn_end(&b->turn);
    b->fail_commits = false;
    consumer_assert_answer(read, 500, "{\"error_code\":500,\"message\":\"Internal Server Error\"}");
    assert_string_equal(consumer_read(b, "c"), "2");
}

static void a_cut_read_whose_turn_failed_is_repeated_whole(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    for (int i = 0; i < 5; i++) {
        bench_produce(b, "u1.pin", 0, "1");
    }
    assert_string_equal(consumer_read_query(b, "c", "?max_bytes=3"), "0,1");
    struct bench_call *one = bench_begin_in_turn(b, RECORDS "?max_bytes=2", JSON_TYPE, NULL);
    struct bench_call *two = bench_begin_in_turn(b, RECORDS "?max_bytes=3", JSON_TYPE, NULL);
    bench_append(b, "wide", 0, NULL, "9");
    b->fail_commits = true;
    turn_end(&b->turn);
    b->fail_commits = false;
    assert_int_equal(one->status, 500);
    assert_int_equal(two->status, 500);
    assert_string_equal(consumer_read(b, "c"), "2,3,4");
}

static void end_turn_in_failure(struct bench *b)
{
    bench_append(b, "wide", 0, NULL, "9");
    b->fail_commits = true;
    turn_end(&b->turn);
    b->fail_commits = false;
}

static void break_answer(struct exchange *exchange, void *ctx)
{
    (void)ctx;
    exchange_fail(exchange, EXCHANGE_NO_MEMORY);
}

/* The turn is kept, yet the client is told 500: the records are its still. */
static void an_answer_that_breaks_on_its_way_out_gives_its_records_back(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    for (int i = 0; i < 3; i++) {
        bench_produce(b, "u1.pin", 0, "0");
    }
    struct bench_call *broken = bench_begin_in_turn(b, RECORDS, JSON_TYPE, NULL);
    broken->exchange.filter = break_answer;
    turn_end(&b->turn);
    assert_int_equal(broken->status, 500);
    assert_string_equal(consumer_read(b, "c"), "0,1,2");
    assert_string_equal(consumer_read(b, "c"), "");
}

/* A cut leaves records of several partitions in the proxy's own buffer, past the positions. */
static void a_failed_turn_loses_nothing_of_the_proxys_buffer(void **state)
{
    struct bench *b = *state;
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    consumer_create(b, "c", consumer_eager_json);
    consumer_subscribe(b, "c", "wide");
    for (int i = 0; i < 9; i++) {
        bench_append(b, "wide", i % 3, NULL, "1");
    }
    turn_end(&b->turn);
    assert_string_equal(consumer_read_query(b, "c", "?max_bytes=2"), "0");
    struct bench_call *lost = bench_begin_in_turn(b, RECORDS "?max_bytes=2", JSON_TYPE, NULL);
    end_turn_in_failure(b);
    assert_int_equal(lost->status, 500);
    assert_string_equal(consumer_read(b, "c"), "0,1,2,0,1,2,1,2");
}

/* The read's records would be committed by the rebalance, and the other instance go on behind. */
static void a_rebalance_in_a_failed_turn_skips_nothing(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    consumer_create(b, "a", consumer_eager_json);
    consumer_subscribe(b, "a", "u1.pin");
    assert_string_equal(consumer_read(b, "c"), "");
    bench_produce(b, "u1.pin", 0, "0");
    struct bench_call *lost = bench_begin_in_turn(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *gone =
        bench_begin_in_turn(b, "GET /consumers/g/instances/a/records", JSON_TYPE, NULL);
    struct bench_call *deleted =
        bench_begin_in_turn(b, "DELETE /consumers/g/instances/c", NULL, NULL);
    end_turn_in_failure(b);
    assert_int_equal(lost->status, 500);
    assert_int_equal(deleted->status, 500);
    bench_wait(b, gone);
    assert_string_equal(consumer_offsets_in(gone), "0");
}

static void an_instance_made_in_a_failed_turn_does_not_exist(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    struct bench_call *made = bench_begin_in_turn(b, "POST /consumers/g", NULL, "{\"name\":\"c\"}");
    bench_append(b, "wide", 0, NULL, "9");
    b->fail_commits = true;
    turn_end(&b->turn);
    b->fail_commits = false;
    assert_int_equal(made->status, 500);
    consumer_create(b, "c", "");
}

static void a_commit_of_a_failed_turn_is_made_again(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "0");
    assert_string_equal(consumer_read(b, "c"), "0");
    struct bench_call *commit =
        bench_begin_in_turn(b, "POST /consumers/g/instances/c/offsets", NULL, NULL);
    b->fail_commits = true;
    turn_end(&b->turn);
    b->fail_commits = false;
    assert_int_equal(commit->status, 500);
    assert_int_equal(consumer_committed(b, "u1.pin", 0), -1);
    consumer_expect(b, "POST /consumers/g/instances/c/offsets", NULL, 200, "[]");
    assert_int_equal(consumer_committed(b, "u1.pin", 0), 1);
}

static void records_of_a_failed_turn_are_never_read(void **state)
{
    struct bench *b = *state;
    consumer_open(b, consumer_eager_json);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_append(b, "u1.pin", 0, NULL, "0");
    b->fail_commits = true;
    turn_end(&b->turn);
    b->fail_commits = false;
    bench_turn(b);
    assert_false(read->sent);
    bench_produce(b, "u1.pin", 0, "1");
    bench_wait(b, read);
    consumer_assert_answer(
        read, 200,
        "[{\"topic\":\"u1.pin\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":0}]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, consumer_setup, consumer_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_instance_lives_from_create_to_delete),
        TEST(an_instance_without_a_name_gets_one),
        TEST(the_old_id_wins_over_the_name),
        TEST(an_advertised_url_replaces_the_host),
        TEST(the_same_name_is_free_in_another_group_and_after_a_delete),
        TEST(five_silent_minutes_end_an_instance_and_a_request_begins_them_anew),
        TEST(expiry_commits_and_frees_the_partitions),
        TEST(there_is_a_named_limit_to_instances),
        TEST(the_first_read_after_a_subscribe_waits_and_is_empty),
        TEST(latest_never_sees_what_came_before_the_first_read),
        TEST(an_eager_server_answers_the_first_read_with_data),
        TEST(assigned_partitions_need_no_first_poll),
        TEST(none_without_a_commit_fails_every_read),
        TEST(a_read_waits_as_long_as_the_smallest_of_three_settings),
        TEST(by_default_a_read_waits_its_whole_time_even_with_data),
        TEST(a_parked_read_is_woken_by_a_record),
        TEST(records_of_other_topics_wake_nobody),
        TEST(a_minimum_waits_until_there_is_more_than_it),
        TEST(a_topic_made_while_a_read_waits_is_read),
        TEST(a_read_says_that_its_pattern_gave_up),
        TEST(a_client_that_leaves_takes_its_read_along),
        TEST(a_delete_ends_the_reads_of_its_instance),
        TEST(parallel_reads_stand_in_line_and_split_the_data),
        TEST(a_read_in_line_is_answered_when_its_own_time_is_up),
        TEST(a_line_has_a_named_limit),
        TEST(a_seek_reaches_a_read_that_waits),
        TEST(an_unsubscribe_fails_a_read_that_waits),
        TEST(a_read_without_room_for_its_answer_stays_parked),
        TEST(a_read_whose_time_is_up_without_room_says_so),
        TEST(an_answer_takes_a_fair_share_of_the_room),
        TEST(a_read_that_waits_for_its_minimum_does_not_wait_for_more_than_its_share),
        TEST(stopping_the_proxy_commits_as_a_delete_does),
        TEST(instances_of_a_group_share_the_partitions),
        TEST(a_waiting_read_follows_a_rebalance),
        TEST(v3_sees_the_members_that_have_joined),
        TEST(the_workshop_allows_only_its_group_and_its_topics),
        TEST(the_cluster_may_be_left_alone_only),
        TEST(a_read_whose_turn_failed_is_repeated),
        TEST(a_cut_read_whose_turn_failed_is_repeated_whole),
        TEST(an_answer_that_breaks_on_its_way_out_gives_its_records_back),
        TEST(a_failed_turn_loses_nothing_of_the_proxys_buffer),
        TEST(a_rebalance_in_a_failed_turn_skips_nothing),
        TEST(an_instance_made_in_a_failed_turn_does_not_exist),
        TEST(a_commit_of_a_failed_turn_is_made_again),
        TEST(records_of_a_failed_turn_are_never_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
