/* Large produces, which take turns: the same answers as at once, a step a turn, and nothing left
 * behind when the client, the turn or the memory goes. White space before a body makes it large. */
#include "kafka_rest_produce_steps.h"
#include "kafka_rest_produce_walk.h"
#include "rest_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define JSON_TYPE   "application/vnd.kafka.json.v2+json"
#define BINARY_TYPE "application/vnd.kafka.binary.v2+json"
#define AVRO_TYPE   "application/vnd.kafka.avro.v2+json"

enum {
    blank_bytes = PRODUCE_AT_ONCE_BYTES_MAX, /* one byte behind them makes a body large */
    /* Three steps' records; few bytes. */
    records_count = 2 * PRODUCE_WALK_RECORDS + 500,
};

static struct bench *open_bench(bool answers_later)
{
    struct bench *b = malloc(sizeof(*b));
    assert_non_null(b);
    bench_init(b);
    b->content_type = JSON_TYPE;
    b->answers_later = answers_later;
    return b;
}

static int setup(void **state)
{
    *state = open_bench(false);
    return 0;
}

static void close_bench(struct bench *b)
{
    struct turn *turn = &b->turn;
    if (b->rest != NULL) {
        bench_close(b);
        assert_int_equal(turn->budget.shares[BUDGET_REQUESTS].used_bytes, 0);
        assert_int_equal(turn->budget.shares[BUDGET_REPLIES].used_bytes, 0);
    }
    free(b);
}

static int teardown(void **state)
{
    close_bench(*state);
    return 0;
}

static int64_t end_offset(struct bench *b, const char *topic)
{
    return store_topic_find(b->store, span_from_cstr(topic))->partitions[0].next_offset;
}

/* {"records":[{"value":0},{"value":1},...]}, one of them something else; free() it. */
static char *body_of(size_t count, size_t special, const char *special_record)
{
    struct buf text;
    buf_init(&text, (size_t)64 * 1024 * 1024);
    BUF_APPEND_LIT(&text, "{\"records\":[");
    for (size_t i = 0; i < count; i++) {
        buf_append_cstr(&text, i > 0 ? "," : "");
        if (i == special) {
            buf_append_cstr(&text, special_record);
        } else {
            buf_printf(&text, "{\"value\":%zu}", i);
        }
    }
    BUF_APPEND_LIT(&text, "]}");
    assert_true(buf_ok(&text));
    return text.ptr;
}

static char *plain_body(size_t count)
{
    return body_of(count, SIZE_MAX, "");
}

/* --- the same answers --- */

struct pair {
    struct bench *now;
    struct bench *steps;
    char *large; /* blank_bytes of white space, and room */
    size_t room;
};

static struct pair open_pair(bool permissions, bool answers_later)
{
    struct pair pair = {open_bench(false), open_bench(answers_later), NULL, 64 * 1024};
    pair.now->policy.enforced = permissions;
    pair.steps->policy.enforced = permissions;
    bench_open(pair.now);
    bench_open(pair.steps);
    if (answers_later) {
        pair.steps->later.delay_us = 0;
    }
    pair.large = malloc(blank_bytes + pair.room);
    assert_non_null(pair.large);
    memset(pair.large, ' ', blank_bytes);
    return pair;
}

static void close_pair(struct pair *pair)
{
    close_bench(pair->now);
    close_bench(pair->steps);
    free(pair->large);
}

static void expect_equal(const char *body, const char *what, const char *now, const char *steps)
{
    if ((now == NULL) != (steps == NULL) || (now != NULL && strcmp(now, steps) != 0)) {
        print_error("%s of %s\n  at once: %s\n  in steps: %s\n", what, body,
                    now != NULL ? now : "(none)", steps != NULL ? steps : "(none)");
        fail();
    }
}

static void expect_same(struct pair *pair, const char *target, const char *type, const char *body)
{
    size_t len = strlen(body);
    assert_true(len < pair->room);
    memcpy(pair->large + blank_bytes, body, len + 1);
    pair->now->content_type = type;
    pair->steps->content_type = type;
    const struct bench_call *now = bench_call(pair->now, target, NULL, body);
    const struct bench_call *steps =
        bench_call(pair->steps, target, NULL, len > 0 ? pair->large : "");
    expect_equal(body, "the body", now->body, steps->body);
    expect_equal(body, "the hint", now->hint, steps->hint);
    expect_equal(body, "the type", now->content_type, steps->content_type);
    expect_equal(body, "the code", now->exchange.reply.error_code,
                 steps->exchange.reply.error_code);
    assert_int_equal(now->status, steps->status);
    assert_int_equal(end_offset(pair->now, "u1.pin"), end_offset(pair->steps, "u1.pin"));
    assert_int_equal(end_offset(pair->now, "wide"), end_offset(pair->steps, "wide"));
}

static const char *const json_bodies[] = {
    "{\"records\":[{\"value\":1}]}",
    "{\"records\":[{\"value\":{\"b\":1.50,\"a\":\"\\u00e9\\/\",\"b\":2}},{\"key\":\"k\"}]}",
    "{\"records\":[{},{\"value\":null},{\"key\":null,\"value\":[]}]}",
    "{\"records\":[{\"value\":1,\"partition\":0},{\"value\":2,\"partition\":7}]}",
    "{\"records\":[{\"value\":1},{\"value\":2,\"partition\":-1},{\"value\":3}]}",
    "{\"records\":[{\"value\":1,\"partition\":-7}]}",
    "{\"records\":[{\"value\":1,\"partition\":\"0\"},{\"value\":1,\"partition\":0.5}]}",
    "{\"records\":[{\"value\":1,\"partition\":null},{\"value\":1,\"partition\":\"\"}]}",
    "{\"records\":[{\"value\":1,\"partition\":\"x\"}]}",
    "{\"records\":[{\"value\":1,\"partition\":99999999999}]}",
    "{\"records\":[{\"value\":1,\"partition\":[]}]}",
    "{\"records\":[{\"value\":1},null,{\"value\":2}]}",
    "{\"records\":[{\"value\":1},7]}",
    "{\"records\":[{\"value\":1},\"x\"]}",
    "{\"records\":[{\"value\":1},[]]}",
    "{\"records\":[{\"value\":1,\"vaule\":2}]}",
    "{\"records\":[{\"val\\u0075e\":1,\"part\\u0069tion\":0}]}",
    "{\"records\":[{\"value\":1,\"v\\u00e4lue\":2,\"other\":3}]}",
    "{\"records\":[]}",
    "{\"records\":null}",
    "{\"records\":{\"value\":1}}",
    "{\"records\":5}",
    "{\"record\":[{\"value\":1}]}",
    "{\"records\":[{\"value\":1}],\"recor\\u0064\":1,\"other\":{\"a\":[1,2]}}",
    "{\"records\":[{\"value\":1}],\"records\":[{\"value\":2},{\"value\":3}]}",
    "{\"records\":[null],\"records\":[{\"value\":2}]}",
    "{\"records\":[{\"value\":1}],\"records\":null}",
    "{\"records\":[{\"value\":1}],\"records\":[null]}",
    "{\"records\":[{\"value\":1}],\"key_schema\":\"\\\"x\",\"value_schema_id\":\"4\"}",
    "{\"records\":[{\"value\":1}],\"value_schema_id\":{}}",
    "{\"records\":[{\"value\":1}]} and more",
    "{\"records\":[{\"value\":1},]}",
    "{\"records\":[{\"value\":1} {\"value\":2}]}",
    "{\"records\":[{\"value\":'1'}]}",
    "{\"records\":[{\"value\":tru}]}",
    "{'records':[]}",
    "[{\"value\":1}]",
    "null",
    "7",
    "\"x\"",
    "true",
    "1.5",
    " ",
    "{}",
};

static const char *const binary_bodies[] = {
    "{\"records\":[{\"value\":\"AQ==\"},{\"key\":\"AQI=\",\"value\":null},{\"value\":\"A\\/==\"}]}",
    "{\"records\":[{\"value\":\"AQ==\"},{\"value\":\"not base64\"},{\"value\":{\"a\":1}}]}",
    "{\"records\":[{\"value\":\"AQ==\"},{\"value\":{\"a\":1.0}},{\"value\":\"!\"}]}",
    "{\"records\":[{\"key\":7,\"value\":\"!\"}]}",
    "{\"records\":[{\"value\":\"!\",\"value\":\"AQ==\"}]}",
    "{\"records\":[{\"value\":\"!\"}],\"records\":[{\"value\":\"AQ==\"}]}",
    "{\"records\":[{\"value\":\"!\"}],\"x\":1}",
    "{\"records\":[{\"value\":\"!\"},null]}",
    "{\"records\":[{\"value\":\"!\"},{]}",
    "{\"records\":[{\"value\":\"AQ==\",\"partition\":-2}]}",
};

static void a_large_body_is_answered_as_a_small_one(void **state)
{
    (void)state;
    for (int variant = 0; variant < 3; variant++) {
        struct pair pair = open_pair(variant == 2, variant == 1);
        for (size_t i = 0; i < ARRAY_COUNT(json_bodies); i++) {
            expect_same(&pair, "POST /topics/u1.pin", JSON_TYPE, json_bodies[i]);
            expect_same(&pair, "POST /topics/wide/partitions/0", JSON_TYPE, json_bodies[i]);
            expect_same(&pair, "POST /topics/wide/partitions/-1", JSON_TYPE, json_bodies[i]);
            expect_same(&pair, "POST /topics/nowhere", JSON_TYPE, json_bodies[i]);
            expect_same(&pair, "POST /topics/no%20name", JSON_TYPE, json_bodies[i]);
            expect_same(&pair, "POST /topics/u1.pin", AVRO_TYPE, json_bodies[i]);
        }
        for (size_t i = 0; i < ARRAY_COUNT(binary_bodies); i++) {
            expect_same(&pair, "POST /topics/u1.pin", BINARY_TYPE, binary_bodies[i]);
            expect_same(&pair, "POST /topics/u1.pin", NULL, binary_bodies[i]);
        }
        close_pair(&pair);
    }
}

static void a_large_body_is_refused_wherever_it_breaks(void **state)
{
    static const char whole[] =
        "{\"key_schema\":\"a\\nb\",\"records\":[{\"key\":{\"k\":[1.5e3,true]},\"value\":\"\xc3\xa9"
        "\"},{\"value\":null,\"partition\":0}, {\"value\":-12}],\"value_schema_id\":1}";
    static const char wrong[] = "x{}[],:\"\\1\x01\xff";
    struct pair pair = open_pair(false, false);
    char body[sizeof(whole)];
    (void)state;
    for (size_t i = 1; i < sizeof(whole) - 1; i++) {
        memcpy(body, whole, sizeof(whole));
        body[i] = '\0';
        expect_same(&pair, "POST /topics/u1.pin", JSON_TYPE, body);
        memcpy(body, whole, sizeof(whole));
        body[i] = wrong[i % (sizeof(wrong) - 1)];
        expect_same(&pair, "POST /topics/u1.pin", JSON_TYPE, body);
    }
    close_pair(&pair);
}

/* --- where the limit is --- */

static void so_many_records_are_produced_at_once_and_one_more_in_steps(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    char *at_once = plain_body(PRODUCE_AT_ONCE_RECORDS_MAX);
    char *in_steps = plain_body(PRODUCE_AT_ONCE_RECORDS_MAX + 1);
    struct bench_call *one = bench_begin(b, "POST /topics/u1.pin", NULL, at_once);
    assert_true(one->sent);
    assert_int_equal(end_offset(b, "u1.pin"), PRODUCE_AT_ONCE_RECORDS_MAX);
    struct bench_call *two = bench_begin(b, "POST /topics/wide/partitions/0", NULL, in_steps);
    assert_false(two->sent);
    bench_wait(b, two);
    assert_int_equal(two->status, 200);
    size_t len = strlen(one->body) - strlen(PRODUCE_RECEIPTS_TAIL);
    assert_memory_equal(one->body, two->body, len);
    assert_string_equal(two->body + len, ",{\"partition\":0,\"offset\":2000,\"error_code\":null,"
                                         "\"error\":null}" PRODUCE_RECEIPTS_TAIL);
    free(at_once);
    free(in_steps);
}

static void a_step_sends_so_many_records_and_others_have_their_turn_behind_it(void **state)
{
    static const int64_t ends[] = {0, PRODUCE_WALK_RECORDS, 2 * PRODUCE_WALK_RECORDS,
                                   records_count};
    struct bench *b = *state;
    bench_open(b);
    char *body = plain_body(records_count);
    struct bench_call *call = bench_begin(b, "POST /topics/u1.pin", NULL, body);
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        char expected[96];
        assert_false(call->sent);
        snprintf(expected, sizeof(expected), "{\"beginning_offset\":0,\"end_offset\":%d}",
                 (int)ends[i]);
        b->content_type = NULL;
        const struct bench_call *other =
            bench_begin(b, "GET /topics/u1.pin/partitions/0/offsets", NULL, NULL);
        assert_true(other->sent);
        assert_string_equal(other->body, expected);
        bench_turn(b);
    }
    assert_true(call->sent);
    assert_int_equal(call->status, 200);
    free(body);
}

static void a_body_is_checked_in_steps_too(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    /* Eight steps' work, and it is not good. */
    size_t count = (size_t)8 * PRODUCE_WALK_CHECK_WORK / (PRODUCE_WALK_ITEM_WORK + 16);
    char *body = body_of(count, count - 1, "{\"value\":}");
    struct bench_call *call = bench_begin(b, "POST /topics/u1.pin", NULL, body);
    size_t turns = 0;
    for (; !call->sent; turns++) {
        bench_turn(b);
    }
    assert_true(turns >= 6 && turns <= 10);
    assert_int_equal(call->status, 400);
    assert_int_equal(end_offset(b, "u1.pin"), 0);
    free(body);
}

static void two_large_ones_share_the_turns(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    char *body = plain_body(records_count);
    struct bench_call *one = bench_begin(b, "POST /topics/u1.pin", NULL, body);
    struct bench_call *two = bench_begin(b, "POST /topics/wide/partitions/0", NULL, body);
    for (int64_t steps = 1; steps <= 4; steps++) {
        bench_turn(b);
        int64_t sent = end_offset(b, "u1.pin") + end_offset(b, "wide");
        assert_int_equal(sent, steps * PRODUCE_WALK_RECORDS);
    }
    bench_wait(b, one);
    bench_wait(b, two);
    assert_int_equal(end_offset(b, "wide"), records_count);
    assert_string_equal(one->body, two->body);
    free(body);
}

/* --- records that fail --- */

static void expect_special(struct bench *b, const char *record, int status, int64_t stored,
                           const char *words)
{
    int64_t before = end_offset(b, "u1.pin");
    char *body = body_of(records_count, 1500, record);
    struct bench_call *call = bench_call(b, "POST /topics/u1.pin", NULL, body);
    assert_int_equal(call->status, status);
    if (strstr(call->body, words) == NULL) {
        print_error("%s\n", strstr(call->body, "error\":\""));
        fail();
    }
    assert_int_equal(end_offset(b, "u1.pin") - before, stored);
    free(body);
}

static void what_ends_a_produce_in_the_middle_ends_it_in_the_middle(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    expect_special(b, "{\"value\":1,\"partition\":-3}", 500, 1500, "Internal Server Error");
    expect_special(b, "{\"value\":1,\"partition\":9}", 200, records_count - 1,
                   "Partition 9 of topic u1.pin with partition count 1");
    expect_special(b, "null", 400, 0, "problem: at index 1500");
    expect_special(b, "{\"value\":1", 400, 0, "Unexpected character");
    expect_special(b, "{\"value\":1,\"x\":2}", 422, 0, "Unrecognized field: x");
}

static void every_record_of_a_large_produce_may_fail(void **state)
{
    static const char one[] = "{\"partition\":null,\"offset\":null,\"error_code\":50003,\"error\":"
                              "\"Topic nowhere not present in metadata after 60000 ms.\"}";
    struct bench *b = *state;
    bench_open(b);
    char *body = plain_body(records_count);
    struct bench_call *call = bench_call(b, "POST /topics/nowhere", NULL, body);
    assert_int_equal(call->status, 200);
    assert_string_equal(call->exchange.reply.error_code, "50003");
    assert_int_equal(strlen(call->body), strlen(PRODUCE_RECEIPTS_HEAD PRODUCE_RECEIPTS_TAIL) +
                                             records_count * sizeof(one) - 1);
    assert_non_null(strstr(call->body, one));
    assert_non_null(call->hint);
    free(body);
}

static void a_missing_partition_costs_its_delay_in_a_large_produce_too(void **state)
{
    struct bench *b = *state;
    b->options.missing_topic_delay_ms = 60000;
    bench_open(b);
    char *body = body_of(records_count, 1500, "{\"value\":1,\"partition\":5}");
    int64_t start_us = b->env.monotonic_us(&b->env);
    struct bench_call *call = bench_call(b, "POST /topics/u1.pin", NULL, body);
    assert_int_equal((b->env.monotonic_us(&b->env) - start_us) / 1000, 60000);
    assert_int_equal(call->status, 200);
    assert_int_equal(end_offset(b, "u1.pin"), records_count - 1);
    free(body);
}

/* --- what goes meanwhile --- */

static void a_client_that_leaves_keeps_what_was_sent(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    char *body = plain_body(records_count);
    for (int64_t steps = 0; steps <= 3; steps++) {
        int64_t before = end_offset(b, "u1.pin");
        struct bench_call *call = bench_begin(b, "POST /topics/u1.pin", NULL, body);
        for (int64_t i = 0; i < steps; i++) {
            bench_turn(b);
        }
        bench_cancel(b, call);
        int64_t sent = steps < 3 ? steps * PRODUCE_WALK_RECORDS : records_count;
        assert_int_equal(end_offset(b, "u1.pin") - before, sent);
        bench_advance_ms(b, 1000);
        assert_int_equal(end_offset(b, "u1.pin") - before, sent);
        assert_int_equal(b->turn.budget.shares[BUDGET_REQUESTS].used_bytes, 0);
    }
    free(body);
}

static void a_client_may_leave_while_the_broker_has_a_step(void **state)
{
    struct bench *b = *state;
    b->answers_later = true;
    bench_open(b);
    char *body = plain_body(records_count);
    struct bench_call *call = bench_begin(b, "POST /topics/u1.pin", NULL, body);
    bench_turn(b);
    assert_int_equal(b->later.waiting, 1);
    bench_cancel(b, call);
    bench_advance_ms(b, 1000);
    assert_int_equal(b->later.waiting, 0);
    assert_int_equal(end_offset(b, "u1.pin"), PRODUCE_WALK_RECORDS);
    bench_wait(b, bench_begin(b, "POST /topics/u1.pin", NULL, body));
    assert_int_equal(end_offset(b, "u1.pin"), PRODUCE_WALK_RECORDS + records_count);
    free(body);
}

/* Whichever step's commit fails, no receipt names its records. */
static void a_failed_commit_of_a_step_ends_the_produce(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    char *body = plain_body(records_count);
    for (int64_t failing = 1; failing <= 3; failing++) {
        int64_t before = end_offset(b, "u1.pin");
        struct bench_call *call = bench_begin(b, "POST /topics/u1.pin", NULL, body);
        for (int64_t step = 1; step <= failing; step++) {
            b->fail_commits = step == failing;
            bench_turn(b);
        }
        b->fail_commits = false;
        assert_false(call->sent);
        bench_wait(b, call);
        assert_int_equal(call->status, 500);
        assert_non_null(strstr(call->hint, "some of the records may be stored"));
        assert_int_equal(end_offset(b, "u1.pin") - before, (failing - 1) * PRODUCE_WALK_RECORDS);
    }
    free(body);
}

static void the_answers_own_turn_may_fail(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    char *body = plain_body(records_count);
    struct bench_call *call = bench_begin(b, "POST /topics/u1.pin", NULL, body);
    for (int64_t step = 1; step <= 3; step++) {
        bench_turn(b);
    }
    assert_false(call->sent);
    bench_append(b, "wide", 0, NULL, "1"); /* another's, and lost */
    b->fail_commits = true;
    bench_turn(b);
    b->fail_commits = false;
    assert_true(call->sent);
    assert_int_equal(call->status, 200);
    assert_int_equal(end_offset(b, "u1.pin"), records_count);
    free(body);
}

static void a_stop_ends_a_large_produce(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    char *body = plain_body(records_count);
    struct bench_call *call = bench_begin(b, "POST /topics/u1.pin", NULL, body);
    bench_turn(b);
    exchange_abort(&call->exchange, EXCHANGE_STOPPING);
    turn_end(&b->turn);
    assert_int_equal(call->status, 503);
    assert_int_equal(end_offset(b, "u1.pin"), PRODUCE_WALK_RECORDS);
    free(body);
}

/* --- memory --- */

static void without_room_for_its_receipts_nothing_is_produced(void **state)
{
    struct bench *b = *state;
    size_t held = 0;
    bench_open(b);
    size_t room = budget_room(&b->turn.budget, BUDGET_REQUESTS);
    assert_true(budget_take(&b->turn.budget, BUDGET_REQUESTS, &held, room - 1000));
    char *body = plain_body(records_count);
    struct bench_call *call = bench_call(b, "POST /topics/u1.pin", NULL, body);
    assert_int_equal(call->status, 503);
    assert_int_equal(end_offset(b, "u1.pin"), 0);
    budget_note(&b->turn.budget, BUDGET_REQUESTS, &held, 0);
    call = bench_call(b, "POST /topics/u1.pin", NULL, body);
    assert_int_equal(call->status, 200);
    free(body);
}

static void many_records_take_little_memory(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    char *body = plain_body(200 * PRODUCE_WALK_RECORDS);
    struct bench_call *call = bench_call(b, "POST /topics/u1.pin", NULL, body);
    assert_int_equal(call->status, 200);
    /* A fifth of a million; what does not grow with it is a megabyte or two. */
    assert_true(b->turn.budget.shares[BUDGET_REQUESTS].peak_bytes < (size_t)3 * 1024 * 1024);
    free(body);
}

static void expect_too_long(struct bench *b, const char *before, char filler, const char *after)
{
    size_t len = PRODUCE_RECORD_TEXT_BYTES_MAX;
    char *body = malloc(strlen(before) + len + strlen(after) + 1);
    memcpy(body, before, strlen(before));
    memset(body + strlen(before), filler, len);
    memcpy(body + strlen(before) + len, after, strlen(after) + 1);
    struct bench_call *call = bench_call(b, "POST /topics/u1.pin", NULL, body);
    assert_int_equal(call->status, 413);
    assert_non_null(strstr(call->hint, "6 MiB of text"));
    assert_int_equal(end_offset(b, "u1.pin"), 0);
    free(body);
}

static void no_part_of_a_body_is_looked_at_for_long(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    expect_too_long(b, "", ' ', "{\"records\":[{\"value\":1}]}");
    expect_too_long(b, "{", ' ', "\"records\":[{\"value\":1}]}");
    expect_too_long(b, "{\"records\":[{\"value\":1},", ' ', "{\"value\":1}]}");
    expect_too_long(b, "{\"records\":[{\"value\":1},{\"value\":\"", 'x', "\"}]}");
    expect_too_long(b, "{\"records\":[{\"value\":1},{\"value\":", '7', "}]}");
    expect_too_long(b, "{\"records\":[{\"value\":1},{\"value\":\"a\",\"partition\":", '7', "}]}");
    expect_too_long(b, "{\"key_schema_id\":", '1', ",\"records\":[{\"value\":1}]}");
    expect_too_long(b, "{\"key_schema\":\"", 'x', "\",\"records\":[{\"value\":1}]}");
    expect_too_long(b, "{\"other\":\"", 'x', "\",\"records\":[{\"value\":1}]}");
    expect_too_long(b, "{\"", 'x', "\":1,\"records\":[{\"value\":1}]}");
}

/* One of a text of more than 1 MiB is refused with the others kept, and its bytes are counted. */
static void a_record_that_is_too_large_stands_among_the_others(void **state)
{
    struct bench *b = *state;
    size_t len = (size_t)3 * 1024 * 1024;
    char *record = malloc(len + 32);
    bench_open(b);
    memcpy(record, "{\"value\":\"", 10);
    memset(record + 10, 'x', len);
    memcpy(record + 10 + len, "\"}", 3);
    expect_special(b, record, 200, records_count - 1, "\"The message is 3145818 bytes when");
    memset(record + 10, ' ', len);
    record[9] = ' ';
    record[10 + len] = '1';
    expect_special(b, record, 200, records_count, "\"error\":null");
    free(record);
}

/* `before`, so often `part`, and `after`; the caller's to free. */
static char *text_of(const char *before, const char *part, size_t count, const char *after)
{
    struct buf text;
    buf_init(&text, (size_t)8 * 1024 * 1024);
    buf_append_cstr(&text, before);
    for (size_t i = 0; i < count; i++) {
        buf_append_cstr(&text, part);
    }
    buf_append_cstr(&text, after);
    assert_true(buf_ok(&text));
    return text.ptr;
}

static const struct {
    const char *before, *part;
    size_t count;
    const char *after;
    bool is_kept;
    const char *answer;
} long_texts[] = {
    {"{\"value\":\"", "\\u4e2d", 175000, "\"}", true, "\"error\":null"},
    {"{\"value\":\"", "\\u4e2d", 350000, "\"}", false, "\"The message is 1050090 bytes when"},
    {"{\"value\":\"", "\\u0061", 1048487, "\"}", true, "\"error\":null"},
    {"{\"value\":\"", "\\u0061", 1048488, "\"}", false, "\"The message is 1048577 bytes when"},
    {"{\"value\":\"", "\xf0\x9f\x98\x80", 270000, "\"}", false,
     "\"The message is 3240090 bytes when"},
    {"{\"value\":[1", ",\n        2", 300000, "]}", true, "\"error\":null"},
    {"{\"key\":[1", ",\n        2", 300000, "],\"value\":1}", true, "\"error\":null"},
    {"{\"value\":[1", ", 0.12345678901234567890123456789", 50000, "]}", false, "\"The message is "},
};

static void a_long_text_that_becomes_a_small_record_is_stored(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    for (size_t i = 0; i < ARRAY_COUNT(long_texts); i++) {
        char *record = text_of(long_texts[i].before, long_texts[i].part, long_texts[i].count,
                               long_texts[i].after);
        expect_special(b, record, 200, records_count - (long_texts[i].is_kept ? 0 : 1),
                       long_texts[i].answer);
        free(record);
    }
}

/* Its text may be long because of blanks and escapes alone. */
static void a_record_of_many_values_is_not_looked_at_for_long(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    char *body = text_of("{\"records\":[{\"value\":1},{\"key\":[1", ",1",
                         PRODUCE_COUNTED_BYTES_MAX / 2, "],\"value\":1}]}");
    struct bench_call *call = bench_call(b, "POST /topics/u1.pin", NULL, body);
    assert_int_equal(call->status, 413);
    assert_non_null(strstr(call->hint, "6 MiB of text"));
    assert_int_equal(end_offset(b, "u1.pin"), 0);
    free(body);
}

/* --- v3, which does all at once --- */

static struct bench_call *call_v3(struct bench *b, size_t count, const char *record, char filler,
                                  size_t fill)
{
    char target[128];
    struct buf body;
    buf_init(&body, (size_t)8 * 1024 * 1024);
    for (size_t i = 0; i < count; i++) {
        buf_append_cstr(&body, record);
    }
    for (size_t i = 0; i < fill; i++) {
        buf_append_byte(&body, filler);
    }
    snprintf(target, sizeof(target), "POST /v3/clusters/%s/topics/u1.pin/records",
             store_cluster_id(b->store));
    b->content_type = "application/json";
    struct bench_call *call = bench_call(b, target, NULL, buf_cstr(&body));
    buf_release(&body);
    return call;
}

static void a_v3_produce_has_so_many_records_and_bytes(void **state)
{
    static const char record[] = "{\"value\":{\"type\":\"JSON\",\"data\":1}}";
    struct bench *b = *state;
    bench_open(b);
    assert_int_equal(call_v3(b, 10000, record, ' ', 0)->status, 200);
    assert_int_equal(end_offset(b, "u1.pin"), 10000);
    struct bench_call *call = call_v3(b, 10001, record, ' ', 0);
    assert_int_equal(call->status, 413);
    assert_string_equal(call->body,
                        "{\"error_code\":413,\"message\":\"HTTP 413 Request Entity Too Large\"}");
    assert_non_null(strstr(call->hint, "10000 records"));
    size_t rest = (size_t)2 * 1024 * 1024 - (sizeof(record) - 1);
    assert_int_equal(call_v3(b, 1, record, ' ', rest)->status, 200);
    call = call_v3(b, 1, record, ' ', rest + 1);
    assert_int_equal(call->status, 413);
    assert_non_null(strstr(call->hint, "2 MiB"));
    assert_int_equal(end_offset(b, "u1.pin"), 10001);
}

static void a_long_text_that_becomes_a_small_record_is_stored_by_v3(void **state)
{
    struct bench *b = *state;
    static const char before[] = "{\"value\":{\"type\":\"JSON\",\"data\":\"";
    bench_open(b);
    char *record = text_of(before, "\\u4e2d", 340000, "\"}}");
    assert_non_null(strstr(call_v3(b, 1, record, ' ', 0)->body, "\"size\":1020002"));
    assert_int_equal(end_offset(b, "u1.pin"), 1);
    free(record);
    record = text_of(before, "\\u4e2d", 349497, "\"}}");
    assert_non_null(
        strstr(call_v3(b, 1, record, ' ', 0)->body, "The message is 1048580 bytes when"));
    free(record);
}

/* How many of twenty such posts of 100 KB are answered by the commit of the turn they came in. */
static size_t answered_in_one_turn(struct bench *b, const char *before, const char *part,
                                   size_t count, const char *after)
{
    enum { posts = 20 };
    struct bench_call *calls[posts];
    char *body = text_of(before, part, count, after);
    size_t answered = 0;
    for (size_t i = 0; i < posts; i++) {
        calls[i] = bench_begin_in_turn(b, "POST /topics/u1.pin", NULL, body);
    }
    bench_turn(b);
    for (size_t i = 0; i < posts; i++) {
        answered += calls[i]->sent;
        bench_wait(b, calls[i]);
        assert_int_equal(calls[i]->status, 200);
    }
    free(body);
    return answered;
}

static void texts_share_a_commit_with_more_others_than_members(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    size_t texts =
        answered_in_one_turn(b, "{\"records\":[{\"value\":\"", "0123456789", 10000, "\"}]}");
    size_t members =
        answered_in_one_turn(b, "{\"records\":[{\"value\":[0", ",123456789", 10000, "]}]}");
    assert_int_equal(texts, 20);
    assert_in_range(members, 1, texts - 1);
    size_t nested = answered_in_one_turn(b, "{\"records\":[{\"value\":[[[[[[[[[[", "[],", 33000,
                                         "1]]]]]]]]]]}]}");
    size_t escaped =
        answered_in_one_turn(b, "{\"records\":[{\"value\":\"", "\\u0041", 16600, "\"}]}");
    assert_in_range(nested, 1, texts - 1);
    assert_in_range(escaped, 1, texts - 1);
}

#define STEPS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_body_is_answered_as_a_small_one),
        cmocka_unit_test(a_large_body_is_refused_wherever_it_breaks),
        STEPS_TEST(so_many_records_are_produced_at_once_and_one_more_in_steps),
        STEPS_TEST(a_step_sends_so_many_records_and_others_have_their_turn_behind_it),
        STEPS_TEST(a_body_is_checked_in_steps_too),
        STEPS_TEST(two_large_ones_share_the_turns),
        STEPS_TEST(what_ends_a_produce_in_the_middle_ends_it_in_the_middle),
        STEPS_TEST(every_record_of_a_large_produce_may_fail),
        STEPS_TEST(a_missing_partition_costs_its_delay_in_a_large_produce_too),
        STEPS_TEST(a_client_that_leaves_keeps_what_was_sent),
        STEPS_TEST(a_client_may_leave_while_the_broker_has_a_step),
        STEPS_TEST(a_failed_commit_of_a_step_ends_the_produce),
        STEPS_TEST(the_answers_own_turn_may_fail),
        STEPS_TEST(a_stop_ends_a_large_produce),
        STEPS_TEST(without_room_for_its_receipts_nothing_is_produced),
        STEPS_TEST(many_records_take_little_memory),
        STEPS_TEST(no_part_of_a_body_is_looked_at_for_long),
        STEPS_TEST(a_record_that_is_too_large_stands_among_the_others),
        STEPS_TEST(a_long_text_that_becomes_a_small_record_is_stored),
        STEPS_TEST(a_long_text_that_becomes_a_small_record_is_stored_by_v3),
        STEPS_TEST(a_record_of_many_values_is_not_looked_at_for_long),
        STEPS_TEST(texts_share_a_commit_with_more_others_than_members),
        STEPS_TEST(a_v3_produce_has_so_many_records_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
