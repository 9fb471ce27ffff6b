/* The REST proxy before a broker that answers each call later: the same answers as with the
 * embedded one, and nothing left behind when the client, the gateway's time, the server or the turn
 * goes. */
#include "consumer_bench.h"

#include "kafka_rest_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define V3       "/v3/clusters/"
#define INSTANCE "/consumers/g/instances/c"

struct step {
    const char *target; /* "%" stands for the cluster's id */
    const char *body;
    const char *content_type;
};

/* Each endpoint, and each of its ways to the broker; a step sees what those before it did. */
static const struct step steps[] = {
    {"GET /topics", NULL, NULL},
    {"GET /topics/u1.pin", NULL, NULL},
    {"GET /topics/pin", NULL, NULL},
    {"GET /topics/u2.pin/partitions", NULL, NULL},
    {"GET /topics/wide/partitions", NULL, NULL},
    {"GET /topics/wide/partitions/2", NULL, NULL},
    {"GET /topics/wide/partitions/3", NULL, NULL},
    {"GET /topics/wide/partitions/x", NULL, NULL},
    {"POST /topics/u1.pin", "{\"records\":[{\"value\":1},{\"key\":\"k\",\"value\":{\"a\":2}}]}",
     JSON_TYPE},
    {"POST /topics/wide/partitions/1", "{\"records\":[{\"value\":\"x\"},{\"value\":null}]}",
     JSON_TYPE},
    {"POST /topics/wide", "{\"records\":[{\"value\":1},{\"value\":2,\"partition\":7}]}", JSON_TYPE},
    {"POST /topics/nowhere", "{\"records\":[{\"value\":1}]}", JSON_TYPE},
    {"POST /topics/geo", "{\"records\":[{\"value\":1}]}", JSON_TYPE},
    {"POST /topics/pin", "{\"records\":[{\"value\":1}]}", JSON_TYPE},
    {"GET /topics/wide/partitions/1/offsets", NULL, NULL},
    {"GET /topics/u1.geo/partitions/0/offsets", NULL, NULL},
    {"GET " V3, NULL, NULL},
    {"GET " V3 "%", NULL, NULL},
    {"GET " V3 "other", NULL, NULL},
    {"GET " V3 "%/topics", NULL, NULL},
    {"GET " V3 "other/topics", NULL, NULL},
    {"POST " V3 "%/topics",
     "{\"topic_name\":\"u1.new\",\"partitions_count\":2,\"configs\":[{\"name\":\"retention.ms\","
     "\"value\":\"1000\"}]}",
     "application/json"},
    {"POST " V3 "%/topics", "{\"topic_name\":\"u1.new\"}", "application/json"},
    {"POST " V3 "%/topics", "{\"topic_name\":\"no name\"}", "application/json"},
    {"POST " V3 "other/topics", "{\"topic_name\":\"u1.other\"}", "application/json"},
    {"GET " V3 "%/topics/u1.new", NULL, NULL},
    {"GET " V3 "%/topics/u1.none", NULL, NULL},
    {"GET " V3 "%/topics/u1.new/partitions", NULL, NULL},
    {"GET " V3 "%/topics/u1.new/partitions/1", NULL, NULL},
    {"GET " V3 "%/topics/u1.new/partitions/2", NULL, NULL},
    {"GET " V3 "%/topics/u1.new/configs", NULL, NULL},
    {"GET " V3 "%/topics/u1.new/configs/retention.ms", NULL, NULL},
    {"GET " V3 "%/topics/u1.new/configs/none", NULL, NULL},
    {"POST " V3 "%/topics/u1.new/records",
     "{\"value\":{\"type\":\"JSON\",\"data\":1},\"partition_id\":0}{\"value\":{\"type\":\"NONE\","
     "\"data\":1}}{\"key\":{\"type\":\"BINARY\",\"data\":\"AQ==\"},\"headers\":[{\"name\":\"h\","
     "\"value\":\"AQ==\"}],\"timestamp\":\"2021-02-05T19:14:42Z\"}",
     "application/json"},
    {"POST " V3 "%/topics/u1.none/records", "{\"value\":{\"type\":\"JSON\",\"data\":1}}",
     "application/json"},
    {"POST /consumers/g",
     "{\"name\":\"c\",\"format\":\"json\",\"auto.offset.reset\":\"earliest\",\"fetch.min.bytes\":"
     "0}",
     NULL},
    {"POST /consumers/g", "{\"name\":\"c\"}", NULL},
    {"GET " INSTANCE "/records", NULL, NULL},
    {"POST " INSTANCE "/subscription", "{\"topics\":[\"u1.pin\",\"wide\",\"u1.later\"]}", NULL},
    {"POST " INSTANCE "/subscription", "{\"topic_pattern\":\"u1.*\"}", NULL},
    {"GET " INSTANCE "/subscription", NULL, NULL},
    {"GET " INSTANCE "/assignments", NULL, NULL},
    {"GET " INSTANCE "/records", NULL, NULL},
    {"GET " INSTANCE "/assignments", NULL, NULL},
    {"GET " INSTANCE "/records?max_bytes=2", NULL, NULL},
    {"GET " INSTANCE "/records", NULL, NULL},
    {"POST " INSTANCE "/offsets", NULL, NULL},
    {"POST " INSTANCE "/offsets",
     "{\"offsets\":[{\"topic\":\"wide\",\"partition\":2,\"offset\":4,\"metadata\":\"m\"}]}", NULL},
    {"GET " INSTANCE "/offsets",
     "{\"partitions\":[{\"topic\":\"wide\",\"partition\":2},{\"topic\":\"wide\",\"partition\":9},"
     "{\"topic\":\"u1.pin\",\"partition\":0}]}",
     NULL},
    {"POST " INSTANCE "/positions",
     "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":1}],\"timestamps\":[{"
     "\"topic\":\"wide\",\"partition\":1,\"timestamp\":\"2001-02-05T19:14:42Z\"}]}",
     NULL},
    {"POST " INSTANCE "/positions",
     "{\"timestamps\":[{\"topic\":\"wide\",\"partition\":1,\"timestamp\":\"2099-02-05T19:14:42Z\"}]"
     "}",
     NULL},
    {"POST " INSTANCE "/positions",
     "{\"timestamps\":[{\"topic\":\"none\",\"partition\":1,\"timestamp\":\"2099-02-05T19:14:42Z\"}]"
     "}",
     NULL},
    {"GET " INSTANCE "/records", NULL, NULL},
    {"POST " INSTANCE "/positions/beginning", "{\"partitions\":[]}", NULL},
    {"GET " INSTANCE "/records?max_bytes=1", NULL, NULL},
    {"POST " INSTANCE "/positions/end", "{\"partitions\":[{\"topic\":\"wide\",\"partition\":1}]}",
     NULL},
    {"GET " INSTANCE "/records", NULL, NULL},
    {"GET " V3 "%/consumer-groups", NULL, NULL},
    {"GET " V3 "%/consumer-groups/g", NULL, NULL},
    {"GET " V3 "%/consumer-groups/none", NULL, NULL},
    {"GET " V3 "%/consumer-groups/g/consumers", NULL, NULL},
    {"GET " V3 "%/consumer-groups/none/consumers", NULL, NULL},
    {"GET " V3 "%/consumer-groups/g/lags", NULL, NULL},
    {"GET " V3 "%/consumer-groups/none/lags", NULL, NULL},
    {"GET " V3 "%/consumer-groups/g/lag-summary", NULL, NULL},
    {"DELETE " INSTANCE "/subscription", NULL, NULL},
    {"POST " INSTANCE "/subscription", "{\"topic_pattern\":\"u1[.].*\"}", NULL},
    {"GET " INSTANCE "/records", NULL, NULL},
    {"GET " INSTANCE "/subscription", NULL, NULL},
    {"DELETE " INSTANCE "/subscription", NULL, NULL},
    {"POST " INSTANCE "/assignments",
     "{\"partitions\":[{\"topic\":\"u1.pin\",\"partition\":0},{\"topic\":\"none\",\"partition\":0}]"
     "}",
     NULL},
    {"GET " INSTANCE "/records", NULL, NULL},
    {"DELETE " V3 "%/topics/u1.new", NULL, NULL},
    {"DELETE " V3 "%/topics/u1.new", NULL, NULL},
    {"DELETE " INSTANCE, NULL, NULL},
    {"DELETE " INSTANCE, NULL, NULL},
};

static const char *accept_of(const struct step *step)
{
    return strstr(step->target, "/records") != NULL && strncmp(step->target, "GET", 3) == 0
               ? JSON_TYPE
               : NULL;
}

static void fill_target(const struct bench *b, const struct step *step, char out[256])
{
    const char *mark = strchr(step->target, '%');
    if (mark == NULL) {
        snprintf(out, 256, "%s", step->target);
    } else {
        snprintf(out, 256, "%.*s%s%s", (int)(mark - step->target), step->target,
                 store_cluster_id(b->store), mark + 1);
    }
}

static struct bench_call *begin_step(struct bench *b, const struct step *step)
{
    char target[256];
    fill_target(b, step, target);
    b->content_type = step->content_type;
    return bench_begin(b, target, accept_of(step), step->body);
}

static struct bench *open_bench(bool answers_later)
{
    struct bench *b = malloc(sizeof(*b));
    assert_non_null(b);
    bench_init(b);
    b->answers_later = answers_later;
    bench_open(b);
    return b;
}

static void close_bench(struct bench *b)
{
    bench_close(b);
    free(b);
}

static void assert_same(const struct step *step, const char *one, const char *two)
{
    if ((one == NULL) != (two == NULL) || (one != NULL && strcmp(one, two) != 0)) {
        print_error("%s\n  at once: %s\n    later: %s\n", step->target,
                    one != NULL ? one : "(none)", two != NULL ? two : "(none)");
        fail();
    }
}

static void every_endpoint_answers_as_with_the_embedded_broker(void **state)
{
    struct bench *now = open_bench(false);
    struct bench *later = open_bench(true);
    (void)state;
    later->later.delay_us = 0; /* the timestamps of both are the same */
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        struct bench_call *a = begin_step(now, &steps[i]);
        struct bench_call *b = begin_step(later, &steps[i]);
        bench_wait(now, a);
        bench_wait(later, b);
        assert_same(&steps[i], a->body, b->body);
        assert_same(&steps[i], a->hint, b->hint);
        assert_same(&steps[i], a->content_type, b->content_type);
        assert_int_equal(a->status, b->status);
    }
    for (size_t call = 0; call < LATER_CALL_COUNT; call++) {
        if (later->later.answered[call] == 0) {
            print_error("no step needed call %zu of the broker\n", call);
            fail();
        }
    }
    close_bench(now);
    close_bench(later);
}

/* The client of every step leaves while the broker is at work, after 0, 1, 2, ... answers of the
 * broker, until the step is over before it can leave. */
static void a_client_may_leave_between_any_two_answers_of_the_broker(void **state)
{
    (void)state;
    size_t left = 0;
    for (size_t answers = 0; answers < 6; answers++) {
        struct bench *b = open_bench(true);
        for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
            struct bench_call *call = begin_step(b, &steps[i]);
            for (size_t k = 0; k < answers && !call->sent && b->later.waiting > 0; k++) {
                bench_advance_ms(b, 1);
            }
            if (!call->sent) {
                left++;
                bench_cancel(b, call);
            }
            bench_wait(b, begin_step(b, &steps[i]));
        }
        bench_advance_ms(b, 2000);
        assert_int_equal(b->later.waiting, 0);
        consumer_expect(b, "GET /brokers", NULL, 200, "{\"brokers\":[1]}");
        close_bench(b);
    }
    assert_true(left > ARRAY_COUNT(steps));
}

static void write_gateway_timeout(struct exchange *exchange, void *ctx)
{
    (void)ctx;
    exchange->reply.status = 504;
    BUF_APPEND_LIT(&exchange->reply.body, "gateway");
}

static void the_gateways_deadline_ends_every_wait_for_the_broker(void **state)
{
    struct bench *b = open_bench(true);
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        b->later.delay_us = INT64_C(60000000);
        struct bench_call *call = begin_step(b, &steps[i]);
        if (!call->sent) {
            exchange_set_outer_deadline(&call->exchange,
                                        b->env.monotonic_us(&b->env) + INT64_C(29000000),
                                        write_gateway_timeout, NULL);
            bench_advance_ms(b, 29000);
            assert_true(call->sent);
            assert_int_equal(call->status, 504);
            assert_string_equal(call->body, "gateway");
        }
        bench_advance_ms(b, 60000);
        b->later.delay_us = 1000;
        bench_wait(b, begin_step(b, &steps[i]));
    }
    close_bench(b);
}

static void a_stop_answers_every_wait_for_the_broker(void **state)
{
    struct bench *b = open_bench(true);
    size_t stopped = 0;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(steps); i++) {
        struct bench_call *call = begin_step(b, &steps[i]);
        if (!call->sent) {
            exchange_abort(&call->exchange, EXCHANGE_STOPPING);
            turn_end(&b->turn);
            assert_int_equal(call->status, 503);
            stopped++;
        }
        if (strncmp(steps[i].target, "POST /topics", 12) != 0) {
            bench_wait(b, begin_step(b, &steps[i])); /* an instance, a topic, ... for the next */
        }
    }
    assert_true(stopped > ARRAY_COUNT(steps) / 2);
    struct bench_call *produce =
        bench_begin(b, "POST /topics/u1.pin", NULL, "{\"records\":[{\"value\":\"AQ==\"}]}");
    bench_cancel(b, produce);
    assert_true(b->later.waiting > 0);
    close_bench(b); /* takes the records back that nobody waits for any more */
}

/* Writes that the broker did in a turn whose commit fails are acknowledged to nobody, and
 * positions, instances and topics are what they were. */
static void a_failed_turn_takes_back_what_the_broker_did_in_it(void **state)
{
    static const char *const writes[] = {
        "POST /topics/u1.pin",
        "POST " V3 "%/topics",
        "DELETE " V3 "%/topics/wide",
        "POST " INSTANCE "/offsets",
        "POST " V3 "%/topics/u1.pin/records",
    };
    static const char *const bodies[] = {
        "{\"records\":[{\"value\":1}]}",
        "{\"topic_name\":\"u1.new\"}",
        NULL,
        "{\"offsets\":[{\"topic\":\"u1.pin\",\"partition\":0,\"offset\":4}]}",
        "{\"value\":{\"type\":\"JSON\",\"data\":1}}",
    };
    static const char *const types[] = {JSON_TYPE, "application/json", NULL, NULL,
                                        "application/json"};
    struct bench *b = open_bench(true);
    (void)state;
    consumer_create(b, "c", consumer_eager_json);
    for (size_t i = 0; i < ARRAY_COUNT(writes); i++) {
        const struct step step = {writes[i], bodies[i], types[i]};
        struct bench_call *call = begin_step(b, &step);
        b->fail_commits = true;
        bench_wait(b, call);
        b->fail_commits = false;
        consumer_assert_answer(call, 500,
                               "{\"error_code\":500,\"message\":\"Internal Server Error\"}");
        assert_non_null(strstr(call->hint, "nothing was stored"));
    }
    b->content_type = NULL;
    consumer_expect(b, "GET /topics", NULL, 200, "[\"u1.pin\",\"wide\"]");
    consumer_expect(b, "GET /topics/u1.pin/partitions/0/offsets", NULL, 200,
                    "{\"beginning_offset\":0,\"end_offset\":0}");
    assert_int_equal(consumer_committed(b, "u1.pin", 0), -1);
    close_bench(b);
}

/* The same for a read: its answer was lost with the turn, so its records are read again. */
static void a_failed_turn_takes_positions_back(void **state)
{
    struct bench *b = malloc(sizeof(*b));
    (void)state;
    bench_init(b);
    b->answers_later = true;
    consumer_open(b, consumer_eager_json);
    bench_produce(b, "u1.pin", 0, "1");
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    while (!exchange_is_held(&read->exchange)) {
        env_advance(&b->env, 1000);
        timer_heap_run(&b->timers);
        if (!exchange_is_held(&read->exchange)) {
            turn_end(&b->turn);
        }
    }
    bench_append(b, "wide", 0, NULL, "1"); /* somebody writes in that turn */
    b->fail_commits = true;
    turn_end(&b->turn);
    b->fail_commits = false;
    assert_int_equal(read->status, 500);
    assert_string_equal(consumer_read(b, "c"), "0");
    close_bench(b);
}

/* What is asked of an instance while its DELETE is with the broker finds it gone, and what was
 * asked before is answered. */
static void an_instance_outlives_the_calls_of_its_member(void **state)
{
    struct bench *b = open_bench(true);
    (void)state;
    consumer_create(b, "c", consumer_eager_json);
    struct bench_call *subscribe =
        bench_begin(b, "POST " INSTANCE "/subscription", NULL, "{\"topics\":[\"u1.pin\"]}");
    struct bench_call *read = bench_begin(b, RECORDS, JSON_TYPE, NULL);
    struct bench_call *remove = bench_begin(b, "DELETE " INSTANCE, NULL, NULL);
    consumer_expect(b, "GET " INSTANCE "/assignments", NULL, 404,
                    "{\"error_code\":40403,\"message\":\"Consumer instance not found.\"}");
    bench_wait(b, remove);
    consumer_assert_answer(subscribe, 204, "");
    consumer_assert_answer(remove, 204, "");
    assert_true(read->sent);
    assert_int_equal(b->later.waiting, 0);
    close_bench(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_endpoint_answers_as_with_the_embedded_broker),
        cmocka_unit_test(a_client_may_leave_between_any_two_answers_of_the_broker),
        cmocka_unit_test(the_gateways_deadline_ends_every_wait_for_the_broker),
        cmocka_unit_test(a_stop_answers_every_wait_for_the_broker),
        cmocka_unit_test(a_failed_turn_takes_back_what_the_broker_did_in_it),
        cmocka_unit_test(a_failed_turn_takes_positions_back),
        cmocka_unit_test(an_instance_outlives_the_calls_of_its_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
