/* A produce under way: brokers that answer later, the imitated wait for a topic that is not there,
 * clients that leave meanwhile, commits that fail. Bodies and statuses of plain requests are in
 * tests/golden/rest. */
#include "rest_bench.h"

#include "kafka_rest_produce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define JSON_TYPE "application/vnd.kafka.json.v2+json"
#define TAIL      "],\"key_schema_id\":null,\"value_schema_id\":null}"
#define MISSING(topic)                                                                             \
    "{\"partition\":null,\"offset\":null,\"error_code\":50003,\"error\":\"Topic " topic            \
    " not present in metadata after 60000 ms.\"}"

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    bench_init(b);
    b->content_type = JSON_TYPE;
    *state = b;
    return b == NULL;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    bench_close(b);
    free(b);
    return 0;
}

static void assert_answer(const struct bench_call *call, int status, const char *body)
{
    assert_true(call->sent);
    assert_string_equal(call->body, body);
    assert_int_equal(call->status, status);
}

static int64_t end_offset(struct bench *b, const char *topic)
{
    return store_topic_find(b->store, span_from_cstr(topic))->partitions[0].next_offset;
}

/* --- a broker that answers later --- */

struct report_broker {
    struct broker broker;
    struct broker_produce *pending;
    enum kafka_error error;
};

static enum broker_outcome produce_later(struct broker *broker, struct broker_produce *produce)
{
    ((struct report_broker *)broker)->pending = produce;
    return BROKER_LATER;
}

static void free_nothing(struct broker *broker)
{
    (void)broker;
}

static const struct broker_ops report_ops = {.produce = produce_later, .free = free_nothing};

static void deliver(struct bench *b, struct report_broker *later)
{
    struct broker_produce *produce = later->pending;
    later->pending = NULL;
    for (size_t i = 0; i < produce->count; i++) {
        produce->results[i] = (struct broker_result){
            .offset = (int64_t)i,
            .error = later->error,
        };
    }
    produce->base.done(&produce->base);
    turn_end(&b->turn);
}

/* Opens the bench and puts another broker before the proxy. */
static void open_later(struct bench *b, struct report_broker *later)
{
    bench_open(b);
    *later = (struct report_broker){.broker = {.ops = &report_ops}};
    kafka_rest_free(b->rest);
    b->options.broker = &later->broker;
    assert_int_equal(kafka_rest_new(&b->options, &b->rest, NULL), STATUS_OK);
}

static void a_later_delivery_report_answers_the_parked_request(void **state)
{
    struct bench *b = *state;
    static struct report_broker later; /* the bench closes it after the test */
    open_later(b, &later);
    struct bench_call *one =
        bench_begin(b, "POST /topics/u1.pin", NULL, "{\"records\":[{\"value\":1},{\"value\":2}]}");
    assert_false(one->sent);
    assert_int_equal(later.pending->count, 2);
    assert_memory_equal(later.pending->records[1].value.ptr, "2", 1);
    deliver(b, &later);
    assert_answer(one, 200,
                  "{\"offsets\":[{\"partition\":0,\"offset\":0,\"error_code\":null,\"error\":null},"
                  "{\"partition\":0,\"offset\":1,\"error_code\":null,\"error\":null}" TAIL);
}

static void requests_wait_for_the_broker_side_by_side(void **state)
{
    struct bench *b = *state;
    static struct report_broker later; /* the bench closes it after the test */
    open_later(b, &later);
    struct bench_call *one =
        bench_begin(b, "POST /topics/u1.pin", NULL, "{\"records\":[{\"value\":\"first\"}]}");
    struct broker_produce *first = later.pending;
    struct bench_call *two =
        bench_begin(b, "POST /topics/u1.pin", NULL, "{\"records\":[{\"value\":\"second\"}]}");
    assert_memory_equal(first->records[0].value.ptr, "\"first\"", 7);
    deliver(b, &later);
    assert_true(two->sent);
    assert_false(one->sent);
    later.pending = first;
    deliver(b, &later);
    assert_true(one->sent);
}

static void a_client_that_leaves_leaves_the_broker_its_records(void **state)
{
    struct bench *b = *state;
    static struct report_broker later; /* the bench closes it after the test */
    open_later(b, &later);
    struct bench_call *call =
        bench_begin(b, "POST /topics/u1.pin", NULL, "{\"records\":[{\"value\":1}]}");
    bench_cancel(b, call);
    assert_memory_equal(later.pending->records[0].value.ptr, "1", 1);
    deliver(b, &later);
}

static void a_failed_authentication_makes_the_status_401(void **state)
{
    struct bench *b = *state;
    static struct report_broker later; /* the bench closes it after the test */
    open_later(b, &later);
    later.error = KAFKA_ERROR_SASL_AUTHENTICATION_FAILED;
    struct bench_call *call =
        bench_begin(b, "POST /topics/u1.pin", NULL, "{\"records\":[{\"value\":1}]}");
    deliver(b, &later);
    assert_answer(call, 401,
                  "{\"offsets\":[{\"partition\":null,\"offset\":null,\"error_code\":40101,"
                  "\"error\":\"SASL Authentication failed.\"}" TAIL);
}

/* --- permissions --- */

static void a_topic_outside_the_permitted_ones_takes_no_records(void **state)
{
    struct bench *b = *state;
    b->policy.enforced = true;
    bench_open(b);
    assert_answer(bench_begin(b, "POST /topics/wide", NULL, "{\"records\":[{\"value\":1}]}"), 403,
                  "{\"offsets\":[{\"partition\":null,\"offset\":null,\"error_code\":40301,"
                  "\"error\":\"Not authorized to access topics: [wide]\"}" TAIL);
    /* Existence is not revealed. */
    assert_answer(bench_begin(b, "POST /topics/nope", NULL, "{\"records\":[{\"value\":1}]}"), 403,
                  "{\"offsets\":[{\"partition\":null,\"offset\":null,\"error_code\":40301,"
                  "\"error\":\"Not authorized to access topics: [nope]\"}" TAIL);
    assert_int_equal(end_offset(b, "wide"), 0);
}

/* --- the wait for a topic that is not there --- */

static void a_missing_topic_costs_its_delay_record_by_record(void **state)
{
    struct bench *b = *state;
    b->options.missing_topic_delay_ms = 60000;
    bench_open(b);
    struct bench_call *call =
        bench_begin(b, "POST /topics/nowhere", NULL, "{\"records\":[{\"value\":1},{\"value\":2}]}");
    bench_advance_ms(b, 119999);
    assert_false(call->sent);
    bench_advance_ms(b, 1);
    assert_answer(call, 200, "{\"offsets\":[" MISSING("nowhere") "," MISSING("nowhere") TAIL);
}

static void a_topic_that_appears_during_the_wait_takes_the_records(void **state)
{
    struct bench *b = *state;
    b->options.missing_topic_delay_ms = 60000;
    bench_open(b);
    struct bench_call *call =
        bench_begin(b, "POST /topics/late", NULL, "{\"records\":[{\"value\":1},{\"value\":2}]}");
    assert_int_equal(store_topic_create(
                         b->store,
                         &(struct store_topic_spec){.name = SPAN_LIT("late"), .partition_count = 1},
                         NULL),
                     STATUS_OK);
    bench_wait(b, call);
    assert_int_equal(end_offset(b, "late"), 2);
    assert_null(strstr(call->body, "50003"));
}

static void records_round_a_missing_partition_are_stored_at_once_and_after_the_wait(void **state)
{
    struct bench *b = *state;
    b->options.missing_topic_delay_ms = 60000;
    bench_open(b);
    struct bench_call *call =
        bench_begin(b, "POST /topics/u1.pin", NULL,
                    "{\"records\":[{\"value\":1},{\"value\":2,\"partition\":5},{\"value\":3}]}");
    assert_int_equal(end_offset(b, "u1.pin"), 1);
    bench_wait(b, call);
    assert_int_equal(end_offset(b, "u1.pin"), 2);
    assert_int_equal(call->status, 200);
}

static void a_client_that_leaves_during_the_wait_takes_its_job_along(void **state)
{
    struct bench *b = *state;
    b->options.missing_topic_delay_ms = 60000;
    bench_open(b);
    struct bench_call *one =
        bench_begin(b, "POST /topics/nowhere", NULL, "{\"records\":[{\"value\":1}]}");
    struct bench_call *two =
        bench_begin(b, "POST /topics/nowhere", NULL, "{\"records\":[{\"value\":2}]}");
    bench_cancel(b, one);
    bench_wait(b, two);
    assert_answer(two, 200, "{\"offsets\":[" MISSING("nowhere") TAIL);
}

/* --- commits --- */

static void a_failed_commit_acknowledges_nothing(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    b->fail_commits = true;
    struct bench_call *call =
        bench_call(b, "POST /topics/u1.pin", NULL, "{\"records\":[{\"value\":1}]}");
    assert_answer(call, 500, "{\"error_code\":500,\"message\":\"Internal Server Error\"}");
    assert_non_null(strstr(call->hint, "nothing was stored"));
    b->fail_commits = false;
    call = bench_call(b, "POST /topics/u1.pin", NULL, "{\"records\":[{\"value\":2}]}");
    assert_answer(
        call, 200,
        "{\"offsets\":[{\"partition\":0,\"offset\":0,\"error_code\":null,\"error\":null}" TAIL);
}

/* The first record is of a turn that failed while the second waited for its partition. */
static void a_produce_that_waited_names_no_record_of_a_failed_turn(void **state)
{
    struct bench *b = *state;
    b->options.missing_topic_delay_ms = 1000;
    bench_open(b);
    b->fail_commits = true;
    struct bench_call *call =
        bench_begin(b, "POST /topics/wide", NULL,
                    "{\"records\":[{\"value\":1,\"partition\":0},{\"value\":2,\"partition\":7}]}");
    b->fail_commits = false;
    assert_false(call->sent);
    bench_wait(b, call);
    assert_int_equal(end_offset(b, "wide"), 0);
    assert_answer(call, 500, "{\"error_code\":500,\"message\":\"Internal Server Error\"}");
    assert_non_null(strstr(call->hint, "some of the records may be stored"));
}

static void every_failure_of_the_server_has_the_proxys_shape(void **state)
{
    static const struct {
        enum exchange_failure failure;
        int status;
        const char *body;
    } rows[] = {
        {EXCHANGE_COMMIT_FAILED, 500, "{\"error_code\":500,\"message\":\"Internal Server Error\"}"},
        {EXCHANGE_BODY_TOO_LARGE, 413,
         "{\"error_code\":413,\"message\":\"HTTP 413 Request Entity Too Large\"}"},
        {EXCHANGE_HEAD_TOO_LARGE, 431,
         "{\"error_code\":431,\"message\":\"HTTP 431 Request Header Fields Too Large\"}"},
        {EXCHANGE_URI_TOO_LONG, 414,
         "{\"error_code\":414,\"message\":\"HTTP 414 Request-URI Too Long\"}"},
        {EXCHANGE_MALFORMED, 400, "{\"error_code\":400,\"message\":\"HTTP 400 Bad Request\"}"},
        {EXCHANGE_TIMED_OUT, 408, "{\"error_code\":408,\"message\":\"HTTP 408 Request Timeout\"}"},
        {EXCHANGE_OVERLOADED, 503,
         "{\"error_code\":503,\"message\":\"HTTP 503 Service Unavailable\"}"},
        {EXCHANGE_STOPPING, 503,
         "{\"error_code\":50302,\"message\":\"The broker is not available.\"}"},
        {EXCHANGE_NO_MEMORY, 500, "{\"error_code\":500,\"message\":\"Internal Server Error\"}"},
    };
    struct bench *b = *state;
    bench_open(b);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct bench_call *call = bench_begin_in_turn(b, "GET /topics", NULL, NULL);
        exchange_fail(&call->exchange, rows[i].failure);
        turn_end(&b->turn);
        assert_answer(call, rows[i].status, rows[i].body);
        assert_string_equal(call->content_type, "application/json");
    }
}

/* --- limits and hints --- */

static void the_scratch_gives_a_large_requests_memory_back(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    size_t len = 3 * 1024 * 1024;
    char *body = malloc(len + 64);
    memset(body, ' ', len + 63);
    body[len + 63] = '\0';
    memcpy(body, "{\"records\":[{\"value\":\"", 22);
    memset(body + 22, 'x', len);
    memcpy(body + 22 + len, "\"}]}", 4);
    struct bench_call *call = bench_call(b, "POST /topics/u1.pin", NULL, body);
    assert_int_equal(call->status, 200);
    assert_non_null(strstr(call->body, "max.request.size"));
    assert_true(b->rest->produces->scratch->request.bytes.cap <= PRODUCE_SCRATCH_KEEP_BYTES);
    struct bench_call *next =
        bench_call(b, "POST /topics/u1.pin", NULL, "{\"records\":[{\"value\":1}]}");
    assert_null(strstr(next->body, "error_code\":5"));
    free(body);
}

static void more_records_than_an_answer_holds_are_413(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    size_t count = PRODUCE_RECORDS_MAX + 1;
    char *body = malloc(count * 3 + 32);
    size_t len = 0;
    memcpy(body, "{\"records\":[", 12);
    len = 12;
    for (size_t i = 0; i < count; i++) {
        memcpy(body + len, i == 0 ? "{}" : ",{}", i == 0 ? 2 : 3);
        len += i == 0 ? 2 : 3;
    }
    memcpy(body + len, "]}", 3);
    struct bench_call *call = bench_call(b, "POST /topics/u1.pin", NULL, body);
    assert_int_equal(call->status, 413);
    assert_non_null(strstr(call->hint, "1000000 records"));
    assert_int_equal(end_offset(b, "u1.pin"), 0);
    free(body);
}

static void the_first_hint_of_a_request_stays(void **state)
{
    struct bench *b = *state;
    bench_open(b);
    /* Both true: the topic has no user id, and the partition is not there. */
    struct bench_call *call =
        bench_call(b, "POST /topics/wide", NULL, "{\"records\":[{\"value\":1,\"partition\":9}]}");
    assert_non_null(strstr(call->hint, "3 partition"));
    call = bench_call(b, "POST /topics/wide", NULL, "{\"records\":[{\"value\":1}]}");
    assert_non_null(strstr(call->hint, "\"u1.\""));
    call = bench_call(b, "POST /topics/u1.pin", NULL, "{\"records\":[{\"value\":1}]}");
    assert_null(call->hint);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_later_delivery_report_answers_the_parked_request, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(requests_wait_for_the_broker_side_by_side, setup, teardown),
        cmocka_unit_test_setup_teardown(a_client_that_leaves_leaves_the_broker_its_records, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_failed_authentication_makes_the_status_401, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_topic_outside_the_permitted_ones_takes_no_records, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_missing_topic_costs_its_delay_record_by_record, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_topic_that_appears_during_the_wait_takes_the_records,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            records_round_a_missing_partition_are_stored_at_once_and_after_the_wait, setup,
            teardown),
        cmocka_unit_test_setup_teardown(a_client_that_leaves_during_the_wait_takes_its_job_along,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_commit_acknowledges_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_produce_that_waited_names_no_record_of_a_failed_turn,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(every_failure_of_the_server_has_the_proxys_shape, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_scratch_gives_a_large_requests_memory_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(more_records_than_an_answer_holds_are_413, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_hint_of_a_request_stays, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
