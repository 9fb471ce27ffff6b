/* The consumers of the REST proxy, in process on a virtual clock: life cycle, long polls, commit
 * rules, rebalances, expiry, and turns whose commit fails. Bodies and statuses of single requests
 * are in tests/golden/consumers. */
#include "rest_bench.h"

#include "kafka_rest_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define JSON_TYPE "application/vnd.kafka.json.v2+json"
#define RECORDS   "GET /consumers/g/instances/c/records"

static int setup(void **state)
{
    struct bench *b = malloc(sizeof(*b));
    bench_init(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench_close(*state);
    free(*state);
    return 0;
}

/* --- helpers --- */

static void assert_answer(const struct bench_call *call, int status, const char *body)
{
    if (call->status != status || strcmp(call->body, body) != 0) {
        print_error("expected %d %s\n     got %d %s\n", status, body, call->status, call->body);
    }
    assert_int_equal(call->status, status);
    assert_string_equal(call->body, body);
}

static void expect(struct bench *b, const char *method_target, const char *body, int status,
                   const char *answer)
{
    assert_answer(bench_call(b, method_target, NULL, body), status, answer);
}

static void create(struct bench *b, const char *name, const char *settings)
{
    char body[256];
    snprintf(body, sizeof(body), "{\"name\":\"%s\"%s%s}", name, settings[0] != '\0' ? "," : "",
             settings);
    assert_int_equal(bench_call(b, "POST /consumers/g", NULL, body)->status, 200);
}

static const char *const eager_json =
    "\"format\":\"json\",\"auto.offset.reset\":\"earliest\",\"fetch.min.bytes\":0";

static void subscribe(struct bench *b, const char *name, const char *topic)
{
    char target[128];
    char body[64];
    snprintf(target, sizeof(target), "POST /consumers/g/instances/%s/subscription", name);
    snprintf(body, sizeof(body), "{\"topics\":[\"%s\"]}", topic);
    expect(b, target, body, 204, "");
}

/* The offsets of a records answer, "0,1,2"; its status instead when that is not 200. */
static const char *offsets_in(const struct bench_call *call)
{
    static char text[512];
    size_t used = 0;
    text[0] = '\0';
    if (call->status != 200) {
        snprintf(text, sizeof(text), "%d", call->status);
        return text;
    }
    for (const char *p = strstr(call->body, "\"offset\":"); p != NULL;
         p = strstr(p + 1, "\"offset\":")) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d", used > 0 ? "," : "",
                                 (int)strtol(p + strlen("\"offset\":"), NULL, 10));
    }
    return text;
}

static const char *read_query(struct bench *b, const char *name, const char *query)
{
    char target[160];
    snprintf(target, sizeof(target), "GET /consumers/g/instances/%s/records%s", name, query);
    return offsets_in(bench_call(b, target, JSON_TYPE, NULL));
}

static const char *read_offsets(struct bench *b, const char *name)
{
    return read_query(b, name, "");
}

static int64_t committed(struct bench *b, const char *topic, int32_t partition)
{
    int64_t offset = -1;
    enum status status = store_group_committed(b->store, SPAN_LIT("g"), span_from_cstr(topic),
                                               partition, &offset, NULL, NULL);
    return status == STATUS_OK ? offset : -1;
}

static int64_t now_ms(struct bench *b)
{
    return b->env.monotonic_us(&b->env) / 1000;
}

/* An instance that reads u1.pin as JSON from the start, without a first empty poll. */
static void open_reader(struct bench *b, const char *settings)
{
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    create(b, "c", settings);
    subscribe(b, "c", "u1.pin");
}

/* --- life --- */

static void an_instance_lives_from_create_to_delete(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    expect(b, "POST /consumers/g", "{\"name\":\"c\"}", 200,
           "{\"instance_id\":\"c\",\"base_uri\":\"http://localhost:8082/consumers/g/instances/"
           "c\"}");
    expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    expect(b, "DELETE /consumers/g/instances/c", NULL, 404,
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
    expect(b, "POST /consumers/g", "{\"name\":\"n\",\"id\":\"i\"}", 200,
           "{\"instance_id\":\"i\",\"base_uri\":\"http://localhost:8082/consumers/g/instances/"
           "i\"}");
}

static void an_advertised_url_replaces_the_host(void **state)
{
    struct bench *b = *state;
    b->options.advertised_url = "https://kafka.example/";
    bench_open(b);
    expect(b, "POST /consumers/a%20b", "{\"name\":\"c/d\"}", 200,
           "{\"instance_id\":\"c/d\",\"base_uri\":\"https://kafka.example/consumers/a%20b/"
           "instances/c/d\"}");
}

static void the_same_name_is_free_in_another_group_and_after_a_delete(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    create(b, "c", "");
    expect(b, "POST /consumers/g", "{\"name\":\"c\"}", 409,
           "{\"error_code\":40902,\"message\":\"Consumer with specified consumer ID already exists "
           "in the specified consumer group.\"}");
    assert_int_equal(bench_call(b, "POST /consumers/h", NULL, "{\"name\":\"c\"}")->status, 200);
    expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    create(b, "c", "");
}

static void five_silent_minutes_end_an_instance_and_a_request_begins_them_anew(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    create(b, "c", "");
    bench_advance_ms(b, 299000);
    expect(b, "GET /consumers/g/instances/c/subscription", NULL, 200, "{\"topics\":[]}");
    bench_advance_ms(b, 299000);
    expect(b, "GET /consumers/g/instances/c/subscription", NULL, 200, "{\"topics\":[]}");
    bench_advance_ms(b, 300001);
    expect(b, "GET /consumers/g/instances/c/subscription", NULL, 404,
           "{\"error_code\":40403,\"message\":\"Consumer instance not found.\"}");
}

static void expiry_commits_and_frees_the_partitions(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(read_offsets(b, "c"), "0");
    bench_advance_ms(b, 300001);
    assert_int_equal(committed(b, "u1.pin", 0), 1);
    create(b, "d", eager_json);
    subscribe(b, "d", "u1.pin");
    bench_produce(b, "u1.pin", 0, "2");
    assert_string_equal(read_offsets(b, "d"), "1");
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
    create(b, "c", eager_json);
    subscribe(b, "c", "u1.pin");
    bench_produce(b, "u1.pin", 0, "1");
    int64_t start_ms = now_ms(b);
    struct bench_call *first = bench_call(b, RECORDS, JSON_TYPE, NULL);
    assert_answer(first, 200, "[]");
    assert_non_null(strstr(first->hint, "first read"));
    assert_int_equal(now_ms(b) - start_ms, 1000);
    assert_answer(bench_call(b, RECORDS, JSON_TYPE, NULL), 200,
                  "[{\"topic\":\"u1.pin\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":0}]");
}

static void latest_never_sees_what_came_before_the_first_read(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    create(b, "c", "\"format\":\"json\",\"fetch.min.bytes\":0");
    subscribe(b, "c", "u1.pin");
    bench_produce(b, "u1.pin", 0, "0");
    struct bench_call *first = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_produce(b, "u1.pin", 0, "1");
    bench_wait(b, first);
    assert_answer(first, 200, "[]");
    assert_string_equal(read_offsets(b, "c"), "1");
}

static void an_eager_server_answers_the_first_read_with_data(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(read_offsets(b, "c"), "0");
}

static void assigned_partitions_need_no_first_poll(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    create(b, "c", eager_json);
    expect(b, "POST /consumers/g/instances/c/assignments",
           "{\"partitions\":[{\"topic\":\"u1.pin\",\"partition\":0}]}", 204, "");
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(read_offsets(b, "c"), "0");
}

static void none_without_a_commit_fails_every_read(void **state)
{
    struct bench *b = *state;
    open_reader(b, "\"format\":\"json\",\"auto.offset.reset\":\"none\"");
    for (int i = 0; i < 2; i++) {
        assert_answer(bench_call(b, RECORDS, JSON_TYPE, NULL), 500,
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
        create(b, "c", rows[i].setting);
        subscribe(b, "c", "u1.pin");
        snprintf(target, sizeof(target), RECORDS "%s", rows[i].query);
        int64_t start_ms = now_ms(b);
        expect(b, target, NULL, 200, "[]");
        assert_int_equal(now_ms(b) - start_ms, rows[i].wait_ms);
        expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    }
}

static void by_default_a_read_waits_its_whole_time_even_with_data(void **state)
{
    struct bench *b = *state;
    open_reader(b, "\"format\":\"json\",\"auto.offset.reset\":\"earliest\"");
    bench_produce(b, "u1.pin", 0, "0");
    int64_t start_ms = now_ms(b);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_advance_ms(b, 500);
    bench_produce(b, "u1.pin", 0, "1");
    bench_wait(b, read);
    assert_string_equal(offsets_in(read), "0,1");
    assert_int_equal(now_ms(b) - start_ms, 1000);
}

static void a_parked_read_is_woken_by_a_record(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_advance_ms(b, 400);
    assert_false(read->sent);
    bench_produce(b, "u1.pin", 0, "7");
    int64_t produced_ms = now_ms(b);
    bench_wait(b, read);
    assert_string_equal(offsets_in(read), "0");
    assert_int_equal(now_ms(b), produced_ms);
}

static void records_of_other_topics_wake_nobody(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_produce(b, "wide", 0, "7");
    bench_turn(b);
    assert_false(read->sent);
    bench_wait(b, read);
    assert_answer(read, 200, "[]");
}

static void a_minimum_waits_until_there_is_more_than_it(void **state)
{
    struct bench *b = *state;
    open_reader(b, "\"format\":\"json\",\"auto.offset.reset\":\"earliest\",\"fetch.min.bytes\":10");
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_produce(b, "u1.pin", 0, "12345");
    bench_turn(b);
    bench_produce(b, "u1.pin", 0, "12345");
    bench_turn(b);
    assert_false(read->sent); /* 10 is not more than 10 */
    bench_produce(b, "u1.pin", 0, "1");
    bench_turn(b);
    assert_true(read->sent);
    assert_string_equal(offsets_in(read), "0,1,2");
}

static void a_topic_made_while_a_read_waits_is_read(void **state)
{
    struct bench *b = *state;
    static const char *const ways[] = {"{\"topics\":[\"late\"]}", "{\"topic_pattern\":\"l.te\"}"};
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        create(b, "c", eager_json);
        expect(b, "POST /consumers/g/instances/c/subscription", ways[i], 204, "");
        struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
        assert_int_equal(store_topic_create(b->store, SPAN_LIT("late"), 1, NULL, 0, NULL),
                         STATUS_OK);
        bench_produce(b, "late", 0, "7");
        bench_turn(b);
        assert_true(read->sent);
        assert_string_equal(offsets_in(read), "0");
        expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
        assert_int_equal(store_topic_delete(b->store, SPAN_LIT("late"), NULL), STATUS_OK);
    }
}

static void a_client_that_leaves_takes_its_read_along(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_cancel(b, read);
    bench_produce(b, "u1.pin", 0, "7");
    assert_string_equal(read_offsets(b, "c"), "0");
}

static void a_delete_ends_the_reads_of_its_instance(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    struct bench_call *one = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *two = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    assert_int_equal(one->status, 404);
    assert_int_equal(two->status, 404);
}

static void parallel_reads_stand_in_line_and_split_the_data(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    struct bench_call *one = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *two = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *three = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_produce(b, "u1.pin", 0, "0");
    bench_turn(b);
    assert_true(one->sent && !two->sent && !three->sent);
    assert_string_equal(offsets_in(one), "0");
    bench_produce(b, "u1.pin", 0, "1");
    bench_turn(b);
    assert_true(two->sent && !three->sent);
    assert_string_equal(offsets_in(two), "1");
    bench_wait(b, three);
    assert_answer(three, 200, "[]");
}

static void a_read_in_line_is_answered_when_its_own_time_is_up(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    struct bench_call *one = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *two = bench_begin(b, RECORDS "?timeout=100", JSON_TYPE, NULL);
    bench_wait(b, two);
    assert_answer(two, 200, "[]");
    assert_false(one->sent);
    bench_wait(b, one);
}

static void a_line_has_a_named_limit(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
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
    open_reader(b, eager_json);
    bench_produce(b, "u1.pin", 0, "0");
    assert_string_equal(read_offsets(b, "c"), "0");
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    expect(b, "POST /consumers/g/instances/c/positions/beginning", "{\"partitions\":[]}", 204, "");
    bench_turn(b);
    assert_true(read->sent);
    assert_string_equal(offsets_in(read), "0");
}

static void an_unsubscribe_fails_a_read_that_waits(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    expect(b, "DELETE /consumers/g/instances/c/subscription", NULL, 204, "");
    bench_turn(b);
    assert_true(read->sent);
    assert_answer(read, 500, "{\"error_code\":500,\"message\":\"Internal Server Error\"}");
}

/* --- sizes --- */

static void max_bytes_cuts_before_the_record_that_would_reach_it(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    for (int i = 0; i < 3; i++) {
        bench_produce(b, "u1.pin", 0, "12345"); /* 5 bytes each */
    }
    assert_string_equal(read_query(b, "c", "?max_bytes=15"), "0,1");
    assert_string_equal(read_query(b, "c", "?max_bytes=6"), "2");
}

static void max_bytes_ends_the_default_wait_early(void **state)
{
    struct bench *b = *state;
    open_reader(b, "\"format\":\"json\",\"auto.offset.reset\":\"earliest\"");
    int64_t start_ms = now_ms(b);
    struct bench_call *read = bench_begin(b, RECORDS "?max_bytes=10", JSON_TYPE, NULL);
    bench_produce(b, "u1.pin", 0, "12345");
    bench_turn(b);
    assert_false(read->sent);
    bench_produce(b, "u1.pin", 0, "12345");
    bench_turn(b);
    assert_true(read->sent);
    assert_string_equal(offsets_in(read), "0");
    assert_int_equal(now_ms(b), start_ms);
}

static void a_record_as_large_as_max_bytes_is_never_delivered(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    bench_produce(b, "u1.pin", 0, "12345");
    int64_t start_ms = now_ms(b);
    for (int i = 0; i < 3; i++) {
        struct bench_call *read = bench_call(b, RECORDS "?max_bytes=5", JSON_TYPE, NULL);
        assert_answer(read, 200, "[]");
        assert_non_null(strstr(read->hint, "never be delivered"));
    }
    assert_int_equal(now_ms(b), start_ms);
    assert_string_equal(read_query(b, "c", "?max_bytes=6"), "0");
}

static void keys_count_and_tombstones_are_null(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    bench_append(b, "u1.pin", 0, "\"k1\"", NULL);
    bench_append(b, "u1.pin", 0, NULL, NULL);
    bench_produce(b, "u1.pin", 0, "{\"a\":[1.5,null]}");
    assert_answer(bench_call(b, RECORDS "?max_bytes=4", JSON_TYPE, NULL), 200, "[]");
    assert_answer(
        bench_call(b, RECORDS, JSON_TYPE, NULL), 200,
        "[{\"topic\":\"u1.pin\",\"key\":\"k1\",\"value\":null,\"partition\":0,\"offset\":"
        "0},{\"topic\":\"u1.pin\",\"key\":null,\"value\":null,\"partition\":0,\"offset\":"
        "1},{\"topic\":\"u1.pin\",\"key\":null,\"value\":{\"a\":[1.5,null]},\"partition\":"
        "0,\"offset\":2}]");
}

static void an_answer_has_a_largest_size_and_the_next_goes_on(void **state)
{
    struct bench *b = *state;
    enum { value_bytes = 1000000, records = 20 };
    char *value = malloc(value_bytes + 1);
    open_reader(b, eager_json);
    memset(value, 'x', value_bytes);
    value[0] = '"';
    value[value_bytes - 1] = '"';
    value[value_bytes] = '\0';
    for (int i = 0; i < records; i++) {
        bench_produce(b, "u1.pin", 0, value);
    }
    free(value);
    int64_t start_ms = now_ms(b);
    assert_string_equal(read_offsets(b, "c"), "0,1,2,3,4,5,6,7");
    assert_string_equal(read_offsets(b, "c"), "8,9,10,11,12,13,14,15");
    assert_string_equal(read_offsets(b, "c"), "16,17,18,19");
    assert_int_equal(now_ms(b), start_ms);
}

static void partitions_take_turns_when_answers_are_cut(void **state)
{
    struct bench *b = *state;
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    create(b, "c", eager_json);
    subscribe(b, "c", "wide");
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
    open_reader(b, eager_json);
    for (int i = 0; i < 40; i++) {
        bench_append(b, "u1.pin", 0, NULL, "1");
    }
    turn_end(&b->turn);
    assert_string_equal(read_query(b, "c", "?max_bytes=3"), "0,1");
    expect(b, "POST /consumers/g/instances/c/offsets", NULL, 200, "[]");
    assert_int_equal(committed(b, "u1.pin", 0), 30); /* one poll's worth */
    assert_string_equal(read_query(b, "c", "?max_bytes=3"), "2,3");
    expect(b, "POST /consumers/g/instances/c/offsets", NULL, 200, "[]");
    assert_int_equal(committed(b, "u1.pin", 0), 30);
}

static void a_seek_leaves_the_proxys_buffer_alone(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    for (int i = 0; i < 4; i++) {
        bench_produce(b, "u1.pin", 0, "1");
    }
    assert_string_equal(read_query(b, "c", "?max_bytes=3"), "0,1");
    expect(b, "POST /consumers/g/instances/c/positions",
           "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":1}]}", 204, "");
    assert_string_equal(read_offsets(b, "c"), "2,3,1,2,3");
}

/* --- records that are not JSON --- */

static void a_record_that_is_not_json_blocks_a_json_instance(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    bench_produce(b, "u1.pin", 0, "1");
    bench_produce(b, "u1.pin", 0, "hello");
    bench_produce(b, "u1.pin", 0, "2");
    assert_string_equal(read_offsets(b, "c"), "0");
    for (int i = 0; i < 2; i++) {
        struct bench_call *read = bench_call(b, RECORDS, JSON_TYPE, NULL);
        assert_int_equal(read->status, 408);
        assert_non_null(strstr(read->body, "{\"error_code\":40801,\"message\":\"com.fasterxml."
                                           "jackson.core.JsonParseException: Unrecognized token "
                                           "'hello'"));
        assert_non_null(strstr(read->hint, "offset 1"));
    }
    expect(b, "POST /consumers/g/instances/c/positions",
           "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":2}]}", 204, "");
    assert_string_equal(read_offsets(b, "c"), "2");
}

static void a_binary_instance_reads_anything_as_base64(void **state)
{
    struct bench *b = *state;
    open_reader(b, "\"auto.offset.reset\":\"earliest\",\"fetch.min.bytes\":0");
    bench_produce(b, "u1.pin", 0, "{\"a\":1}");
    bench_produce(b, "u1.pin", 0, "hello");
    bench_produce(b, "u1.pin", 0, "");
    expect(b, RECORDS, NULL, 200,
           "[{\"topic\":\"u1.pin\",\"key\":null,\"value\":\"eyJhIjoxfQ==\",\"partition\":0,"
           "\"offset\":0},{\"topic\":\"u1.pin\",\"key\":null,\"value\":\"aGVsbG8=\",\"partition\":"
           "0,\"offset\":1},{\"topic\":\"u1.pin\",\"key\":null,\"value\":\"\",\"partition\":0,"
           "\"offset\":2}]");
}

static void bytes_that_are_json_come_out_as_jackson_prints_them(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    bench_produce(b, "u1.pin", 0, " { \"b\" : 1e3, \"b\" : 2 } trailing");
    bench_produce(b, "u1.pin", 0, "12345678901234567890");
    assert_answer(bench_call(b, RECORDS, JSON_TYPE, NULL), 200,
                  "[{\"topic\":\"u1.pin\",\"key\":null,\"value\":{\"b\":2},\"partition\":0,"
                  "\"offset\":0},{\"topic\":\"u1.pin\",\"key\":null,\"value\":12345678901234567890,"
                  "\"partition\":0,\"offset\":1}]");
}

/* --- commits --- */

static void auto_commit_happens_in_a_later_poll_only(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    bench_produce(b, "u1.pin", 0, "0");
    assert_string_equal(read_offsets(b, "c"), "0");
    bench_advance_ms(b, 6000);
    assert_int_equal(committed(b, "u1.pin", 0), -1); /* nobody polled */
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(read_offsets(b, "c"), "1");
    assert_int_equal(committed(b, "u1.pin", 0), 1); /* before that poll's own records */
    bench_produce(b, "u1.pin", 0, "2");
    assert_string_equal(read_offsets(b, "c"), "2");
    assert_int_equal(committed(b, "u1.pin", 0), 1); /* the interval is not over */
    expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    assert_int_equal(committed(b, "u1.pin", 0), 3);
}

static void without_auto_commit_nothing_is_committed_unasked(void **state)
{
    struct bench *b = *state;
    open_reader(b, "\"format\":\"json\",\"auto.offset.reset\":\"earliest\",\"fetch.min.bytes\":0,"
                   "\"auto.commit.enable\":\"false\"");
    bench_produce(b, "u1.pin", 0, "0");
    assert_string_equal(read_offsets(b, "c"), "0");
    bench_advance_ms(b, 6000);
    assert_string_equal(read_offsets(b, "c"), "");
    expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    assert_int_equal(committed(b, "u1.pin", 0), -1);
}

static void an_explicit_commit_stores_the_offset_plus_one(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    expect(b, "POST /consumers/g/instances/c/offsets",
           "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":20,\"metadata\":\"m\"},{"
           "\"topic\":\"nowhere\",\"partition\":7,\"offset\":-1}]}",
           200, "[]");
    expect(b, "GET /consumers/g/instances/c/offsets",
           "{\"partitions\":[{\"topic\":\"u1.pin\",\"partition\":0},{\"topic\":\"u1.pin\","
           "\"partition\":1},{\"topic\":\"nowhere\",\"partition\":7}]}",
           200,
           "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":21,\"metadata\":\"m\"},{"
           "\"topic\":\"nowhere\",\"partition\":7,\"offset\":0,\"metadata\":\"\"}]}");
}

static void a_refused_commit_stores_none_of_its_entries(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    expect(b, "POST /consumers/g/instances/c/offsets",
           "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":20},{\"topic\":\"u1."
           "pin\",\"partition\":0,\"offset\":-2}]}",
           500, "{\"error_code\":500,\"message\":\"Internal Server Error\"}");
    assert_int_equal(committed(b, "u1.pin", 0), -1);
}

static void a_new_instance_goes_on_where_the_group_committed(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    bench_produce(b, "u1.pin", 0, "0");
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(read_offsets(b, "c"), "0,1");
    expect(b, "POST /consumers/g/instances/c/offsets",
           "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":0}]}", 200, "[]");
    create(b, "d", eager_json);
    expect(b, "POST /consumers/g/instances/d/assignments",
           "{\"partitions\":[{\"topic\":\"u1.pin\",\"partition\":0}]}", 204, "");
    assert_string_equal(read_offsets(b, "d"), "1");
}

/* --- seeking --- */

static void a_seek_by_time_finds_the_first_record_that_is_not_older(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    bench_produce(b, "u1.pin", 0, "0"); /* at 2023-11-14T22:13:20Z */
    bench_advance_ms(b, 10000);
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(read_offsets(b, "c"), "0,1");
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
        assert_string_equal(read_offsets(b, "c"), rows[i].offsets);
    }
}

static void a_seek_to_the_end_is_settled_at_the_next_poll(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    assert_string_equal(read_offsets(b, "c"), "");
    expect(b, "POST /consumers/g/instances/c/positions/end", "{\"partitions\":[]}", 204, "");
    bench_produce(b, "u1.pin", 0, "0");
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_produce(b, "u1.pin", 0, "1");
    bench_wait(b, read);
    assert_string_equal(offsets_in(read), "1");
}

static void nothing_can_be_sought_before_the_first_poll(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    expect(b, "POST /consumers/g/instances/c/positions/beginning",
           "{\"partitions\":[{\"topic\":\"u1.pin\",\"partition\":0}]}", 409,
           "{\"error_code\":40903,\"message\":\"Illegal state: No current assignment for partition "
           "u1.pin-0\"}");
}

/* --- several instances --- */

static void instances_of_a_group_share_the_partitions(void **state)
{
    struct bench *b = *state;
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    create(b, "c", eager_json);
    create(b, "d", eager_json);
    subscribe(b, "c", "wide");
    subscribe(b, "d", "wide");
    assert_string_equal(read_offsets(b, "c"), "");
    assert_string_equal(read_offsets(b, "d"), "");
    expect(b, "GET /consumers/g/instances/c/assignments", NULL, 200,
           "{\"partitions\":[{\"topic\":\"wide\",\"partition\":0},{\"topic\":\"wide\","
           "\"partition\":1}]}");
    expect(b, "GET /consumers/g/instances/d/assignments", NULL, 200,
           "{\"partitions\":[{\"topic\":\"wide\",\"partition\":2}]}");
    expect(b, "DELETE /consumers/g/instances/c", NULL, 204, "");
    expect(b, "GET /consumers/g/instances/d/assignments", NULL, 200,
           "{\"partitions\":[{\"topic\":\"wide\",\"partition\":0},{\"topic\":\"wide\","
           "\"partition\":1},{\"topic\":\"wide\",\"partition\":2}]}");
}

static void a_waiting_read_follows_a_rebalance(void **state)
{
    struct bench *b = *state;
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    create(b, "c", eager_json);
    create(b, "d", eager_json);
    subscribe(b, "c", "wide");
    subscribe(b, "d", "wide");
    assert_string_equal(read_offsets(b, "c"), "");
    struct bench_call *mine = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *other =
        bench_begin(b, "GET /consumers/g/instances/d/records", JSON_TYPE, NULL);
    bench_produce(b, "wide", 2, "7"); /* d's since it joined */
    bench_turn(b);
    bench_turn(b);
    assert_true(other->sent && !mine->sent);
    assert_string_equal(offsets_in(other), "0");
    expect(b, "DELETE /consumers/g/instances/d", NULL, 204, "");
    bench_produce(b, "wide", 2, "8"); /* and c's again */
    bench_turn(b);
    bench_turn(b);
    assert_true(mine->sent);
    assert_string_equal(offsets_in(mine), "1");
}

struct member_notes {
    char text[512];
};

static void note_member(void *ctx, const struct kafka_rest_member *member)
{
    struct member_notes *notes = ctx;
    size_t used = strlen(notes->text);
    snprintf(notes->text + used, sizeof(notes->text) - used, "%.*s:%zu ",
             SPAN_ARG(member->client_id), member->partition_count);
    assert_true(span_starts_with(member->consumer_id, member->client_id));
}

static void v3_sees_the_members_that_have_joined(void **state)
{
    struct bench *b = *state;
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    struct member_notes notes = {""};
    create(b, "c", eager_json);
    create(b, "d", eager_json);
    subscribe(b, "c", "wide");
    struct kafka_rest_consumers *consumers = b->rest->consumers;
    assert_int_equal(kafka_rest_group_members_visit(consumers, SPAN_LIT("g"), NULL, NULL), 0);
    assert_string_equal(read_offsets(b, "c"), "");
    assert_int_equal(kafka_rest_group_members_visit(consumers, SPAN_LIT("g"), note_member, &notes),
                     1);
    assert_string_equal(notes.text, "consumer-g-1:3 ");
}

/* --- permissions --- */

static void the_workshop_allows_only_its_group_and_its_topics(void **state)
{
    struct bench *b = *state;
    b->options.workshop_permissions = true;
    bench_open(b);
    create(b, "c", "");
    subscribe(b, "c", "u1.pin");
    expect(b, RECORDS, NULL, 403,
           "{\"error_code\":40301,\"message\":\"Not authorized to access group: g\"}");
    expect(b, "POST /consumers/g/instances/c/offsets", NULL, 403,
           "{\"error_code\":40301,\"message\":\"Not authorized to access group: g\"}");
    assert_int_equal(bench_call(b, "POST /consumers/students", NULL, "{\"name\":\"s\"}")->status,
                     200);
    expect(b, "POST /consumers/students/instances/s/subscription", "{\"topics\":[\"wide\"]}", 204,
           "");
    expect(b, "GET /consumers/students/instances/s/records", NULL, 403,
           "{\"error_code\":40301,\"message\":\"Not authorized to access topics: [wide]\"}");
}

/* --- turns whose commit fails --- */

static void a_read_whose_turn_failed_is_repeated(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    bench_produce(b, "u1.pin", 0, "0");
    bench_produce(b, "u1.pin", 0, "1");
    assert_string_equal(read_offsets(b, "c"), "0,1");
    bench_produce(b, "u1.pin", 0, "2");
    struct bench_call *read = bench_begin_in_turn(b, RECORDS, JSON_TYPE, NULL);
    bench_append(b, "wide", 0, NULL, "9"); /* somebody else's write, in the same turn */
    b->fail_commits = true;
    turn_end(&b->turn);
    b->fail_commits = false;
    assert_answer(read, 500, "{\"error_code\":500,\"message\":\"Internal Server Error\"}");
    assert_string_equal(read_offsets(b, "c"), "2");
}

static void a_cut_read_whose_turn_failed_is_repeated_whole(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    for (int i = 0; i < 5; i++) {
        bench_produce(b, "u1.pin", 0, "1");
    }
    assert_string_equal(read_query(b, "c", "?max_bytes=3"), "0,1");
    struct bench_call *one = bench_begin_in_turn(b, RECORDS "?max_bytes=2", JSON_TYPE, NULL);
    struct bench_call *two = bench_begin_in_turn(b, RECORDS "?max_bytes=3", JSON_TYPE, NULL);
    bench_append(b, "wide", 0, NULL, "9");
    b->fail_commits = true;
    turn_end(&b->turn);
    b->fail_commits = false;
    assert_int_equal(one->status, 500);
    assert_int_equal(two->status, 500);
    assert_string_equal(read_offsets(b, "c"), "2,3,4");
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
    create(b, "c", "");
}

static void a_commit_of_a_failed_turn_is_made_again(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    bench_produce(b, "u1.pin", 0, "0");
    assert_string_equal(read_offsets(b, "c"), "0");
    struct bench_call *commit =
        bench_begin_in_turn(b, "POST /consumers/g/instances/c/offsets", NULL, NULL);
    b->fail_commits = true;
    turn_end(&b->turn);
    b->fail_commits = false;
    assert_int_equal(commit->status, 500);
    assert_int_equal(committed(b, "u1.pin", 0), -1);
    expect(b, "POST /consumers/g/instances/c/offsets", NULL, 200, "[]");
    assert_int_equal(committed(b, "u1.pin", 0), 1);
}

static void records_of_a_failed_turn_are_never_read(void **state)
{
    struct bench *b = *state;
    open_reader(b, eager_json);
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    bench_append(b, "u1.pin", 0, NULL, "0");
    b->fail_commits = true;
    turn_end(&b->turn);
    b->fail_commits = false;
    bench_turn(b);
    assert_false(read->sent);
    bench_produce(b, "u1.pin", 0, "1");
    bench_wait(b, read);
    assert_answer(read, 200,
                  "[{\"topic\":\"u1.pin\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":0}]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
        TEST(a_client_that_leaves_takes_its_read_along),
        TEST(a_delete_ends_the_reads_of_its_instance),
        TEST(parallel_reads_stand_in_line_and_split_the_data),
        TEST(a_read_in_line_is_answered_when_its_own_time_is_up),
        TEST(a_line_has_a_named_limit),
        TEST(a_seek_reaches_a_read_that_waits),
        TEST(an_unsubscribe_fails_a_read_that_waits),
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
        TEST(instances_of_a_group_share_the_partitions),
        TEST(a_waiting_read_follows_a_rebalance),
        TEST(v3_sees_the_members_that_have_joined),
        TEST(the_workshop_allows_only_its_group_and_its_topics),
        TEST(a_read_whose_turn_failed_is_repeated),
        TEST(a_cut_read_whose_turn_failed_is_repeated_whole),
        TEST(an_instance_made_in_a_failed_turn_does_not_exist),
        TEST(a_commit_of_a_failed_turn_is_made_again),
        TEST(records_of_a_failed_turn_are_never_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
