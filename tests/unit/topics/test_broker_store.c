/* The embedded broker: partitions, sizes, and Kafka's error for each failure. */
#include "broker.h"

#include "sqlite_db.h"
#include "store.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS_MAX = 16, BIG_BYTES = 1048576 };

struct fixture {
    struct env env;
    struct store *store;
    struct broker *broker;
    struct arena texts;
    struct broker_record records[RECORDS_MAX];
    struct broker_result results[RECORDS_MAX];
    char appended[128]; /* "topic/partition " of each call */
};

static void note_append(void *ctx, const struct broker_topic *topic, int32_t partition)
{
    struct fixture *f = ctx;
    size_t used = strlen(f->appended);
    snprintf(f->appended + used, sizeof(f->appended) - used, "%.*s/%d ", SPAN_ARG(topic->name),
             (int)partition);
}

static void make_broker(struct fixture *f, bool auto_create)
{
    struct broker_store_options options = {
        .store = f->store, .env = &f->env, .auto_create = auto_create};
    if (f->broker != NULL) {
        broker_free(f->broker);
    }
    assert_int_equal(broker_store_new(&options, &f->broker), STATUS_OK);
    broker_listen(f->broker, (struct broker_listener){note_append, f});
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    env_init_virtual(&f->env, 1, INT64_C(1700000000123456));
    struct store_options options = {.env = &f->env};
    assert_int_equal(store_open(&options, &f->store, NULL), STATUS_OK);
    assert_int_equal(store_topic_create(f->store,
                                        &(struct store_topic_spec){.name = SPAN_LIT("u1.pin"),
                                                                   .partition_count = 1},
                                        NULL),
                     STATUS_OK);
    assert_int_equal(store_topic_create(
                         f->store,
                         &(struct store_topic_spec){.name = SPAN_LIT("wide"), .partition_count = 3},
                         NULL),
                     STATUS_OK);
    arena_init(&f->texts, 1 << 20);
    make_broker(f, false);
    for (size_t i = 0; i < RECORDS_MAX; i++) {
        f->records[i] = (struct broker_record){
            .partition = -1, .has_value = true, .value = SPAN_LIT("v"), .timestamp_ms = -1};
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    broker_free(f->broker);
    arena_release(&f->texts);
    store_close(f->store);
    free(f);
    return 0;
}

static void produce(struct fixture *f, const char *topic, size_t count)
{
    struct broker_produce request = {
        .base = {.arena = &f->texts},
        .topic = span_from_cstr(topic),
        .records = f->records,
        .results = f->results,
        .count = count,
    };
    memset(f->results, 0xee, sizeof(f->results)); /* every field must be filled */
    assert_int_equal(f->broker->ops->produce(f->broker, &request), BROKER_DONE);
}

static void assert_error(const struct fixture *f, size_t i, enum kafka_error error,
                         int32_t partition, int32_t partition_count)
{
    assert_int_equal(f->results[i].error, error);
    assert_int_equal(f->results[i].partition, partition);
    assert_int_equal(f->results[i].partition_count, partition_count);
    assert_int_equal(f->results[i].offset, -1);
    assert_int_equal(f->results[i].timestamp_ms, -1);
}

static void assert_kept(const struct fixture *f, size_t i, int32_t partition, int64_t offset)
{
    assert_int_equal(f->results[i].error, KAFKA_ERROR_NONE);
    assert_int_equal(f->results[i].partition, partition);
    assert_int_equal(f->results[i].offset, offset);
}

static void records_of_a_request_are_kept_in_order_at_the_brokers_time(void **state)
{
    struct fixture *f = *state;
    f->records[1].timestamp_ms = 42;
    produce(f, "u1.pin", 3);
    for (size_t i = 0; i < 3; i++) {
        assert_kept(f, i, 0, (int64_t)i);
    }
    assert_int_equal(f->results[0].timestamp_ms, INT64_C(1700000000123));
    assert_int_equal(f->results[1].timestamp_ms, 42);
    assert_string_equal(f->appended, "u1.pin/0 ");
}

static void a_missing_topic_is_kafkas_error_3_for_each_record(void **state)
{
    struct fixture *f = *state;
    produce(f, "nope", 2);
    for (size_t i = 0; i < 2; i++) {
        assert_error(f, i, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, -1, 0);
    }
    assert_string_equal(f->appended, "");
}

static void an_illegal_topic_name_is_kafkas_error_17(void **state)
{
    struct fixture *f = *state;
    make_broker(f, true);
    produce(f, "bad topic", 1);
    assert_error(f, 0, KAFKA_ERROR_INVALID_TOPIC, -1, 0);
}

static void a_missing_topic_is_created_where_the_broker_may(void **state)
{
    struct fixture *f = *state;
    make_broker(f, true);
    produce(f, "fresh", 1);
    assert_kept(f, 0, 0, 0);
    const struct store_topic *topic = store_topic_find(f->store, SPAN_LIT("fresh"));
    assert_non_null(topic);
    assert_int_equal(topic->partition_count, 1);
}

static void a_partition_out_of_range_fails_alone(void **state)
{
    struct fixture *f = *state;
    f->records[0].partition = 2;
    f->records[1].partition = 7;
    f->records[2].partition = 2;
    produce(f, "wide", 3);
    assert_kept(f, 0, 2, 0);
    assert_error(f, 1, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, 7, 3);
    assert_kept(f, 2, 2, 1);
    assert_string_equal(f->appended, "wide/2 ");
}

static void a_key_chooses_its_partition_as_kafka_does(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *key;
        int32_t murmur2; /* Kafka's own test vectors */
    } cases[] = {
        {"21", -973932308}, {"foobar", -790332482}, {"a-little-bit-long-string", -985981536}};
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f->records[i].has_key = true;
        f->records[i].key = span_from_cstr(cases[i].key);
    }
    produce(f, "wide", ARRAY_COUNT(cases));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(f->results[i].partition, (cases[i].murmur2 & 0x7fffffff) % 3);
    }
}

static void an_explicit_partition_wins_over_the_key(void **state)
{
    struct fixture *f = *state;
    for (int32_t p = 0; p < 3; p++) {
        f->records[p].has_key = true;
        f->records[p].key = SPAN_LIT("21");
        f->records[p].partition = p;
    }
    produce(f, "wide", 3);
    for (int32_t p = 0; p < 3; p++) {
        assert_kept(f, (size_t)p, p, 0);
    }
    assert_string_equal(f->appended, "wide/0 wide/1 wide/2 ");
}

static void each_partition_is_told_once_however_records_alternate(void **state)
{
    struct fixture *f = *state;
    for (int32_t i = 0; i < 9; i++) {
        f->records[i].partition = i % 3;
    }
    produce(f, "wide", 9);
    assert_string_equal(f->appended, "wide/0 wide/1 wide/2 ");
}

static void keyless_records_of_a_request_stick_together_and_requests_move_on(void **state)
{
    struct fixture *f = *state;
    bool seen[3] = {false};
    for (int round = 0; round < 3; round++) {
        produce(f, "wide", 4);
        for (size_t i = 1; i < 4; i++) {
            assert_int_equal(f->results[i].partition, f->results[0].partition);
        }
        seen[f->results[0].partition] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2]);
}

static void a_tombstone_is_kept(void **state)
{
    struct fixture *f = *state;
    f->records[0].has_value = false;
    produce(f, "u1.pin", 1);
    assert_kept(f, 0, 0, 0);
}

static void the_size_limit_is_that_of_kafkas_estimate(void **state)
{
    struct fixture *f = *state;
    char *big = calloc(1, BIG_BYTES + 64);
    /* 61 (batch) + 21 (record) + 1 (null key) + 4 (length of the value) + 1 (no headers) = 88; a
     * key has a byte of length and itself; a value below 2^20 has a length of 3 bytes. */
    const struct {
        size_t key_len; /* 0: none */
        size_t value_len;
        size_t expected; /* 0: it fits */
    } cases[] = {
        {0, BIG_BYTES - 87, 0},      {0, BIG_BYTES - 86, BIG_BYTES + 1},
        {0, BIG_BYTES + 1, 1048665}, /* the example of the spec */
        {10, BIG_BYTES - 97, 0},     {10, BIG_BYTES - 96, BIG_BYTES + 1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f->records[0].has_key = cases[i].key_len > 0;
        f->records[0].key = span_from(big, cases[i].key_len);
        f->records[0].value = span_from(big, cases[i].value_len);
        produce(f, "u1.pin", 2);
        if (cases[i].expected == 0) {
            assert_int_equal(f->results[0].error, KAFKA_ERROR_NONE);
        } else {
            assert_error(f, 0, KAFKA_ERROR_MESSAGE_TOO_LARGE, 0, 1);
            assert_int_equal(broker_record_bytes(&f->records[0]), cases[i].expected);
        }
        assert_int_equal(f->results[1].error, KAFKA_ERROR_NONE);
    }
    free(big);
}

static void without_memory_the_errors_stay_right(void **state)
{
    struct fixture *f = *state;
    arena_release(&f->texts);
    arena_init(&f->texts, 0);
    produce(f, "nope", 1);
    assert_error(f, 0, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, -1, 0);
    f->records[0].partition = 0;
    f->records[1].partition = 1;
    f->records[2].partition = 9;
    produce(f, "wide", 3);
    assert_kept(f, 0, 0, 0);
    assert_kept(f, 1, 1, 0);
    assert_error(f, 2, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, 9, 3);
    assert_string_equal(f->appended, "wide/0 wide/1 ");
}

/* A record that cannot be written costs the turn, and with it a topic made in the same turn. */
static void a_record_that_cannot_be_stored_takes_its_request_and_new_topic_along(void **state)
{
    struct fixture *f = *state;
    struct temp_dir dir;
    struct sqlite_db db;
    char path[512];
    temp_dir_make(&dir);
    struct store_options options = {.directory = dir.path, .env = &f->env};
    store_close(f->store);
    assert_int_equal(store_open(&options, &f->store, NULL), STATUS_OK);
    snprintf(path, sizeof(path), "%s/state.db", dir.path);
    struct sqlite_db_options other = {.path = path, .env = &f->env, .busy_timeout_ms = 1000};
    assert_int_equal(sqlite_db_open(&db, &other, NULL), STATUS_OK);
    assert_int_equal(
        sqlite_db_exec(&db,
                       "CREATE TRIGGER refuse BEFORE INSERT ON record WHEN new.offset = 1 "
                       "BEGIN SELECT raise(ABORT, 'no room'); END",
                       NULL),
        STATUS_OK);
    sqlite_db_close(&db);
    make_broker(f, true);
    produce(f, "new", 3);
    for (size_t i = 0; i < 3; i++) {
        assert_error(f, i, KAFKA_ERROR_STORAGE, -1, 0);
    }
    assert_string_equal(f->appended, "");
    assert_null(store_topic_find(f->store, SPAN_LIT("new")));
    assert_int_not_equal(store_turn_commit(f->store, NULL), STATUS_OK);
    store_close(f->store);
    temp_dir_remove(&dir);
    assert_int_equal(store_open(&(struct store_options){.env = &f->env}, &f->store, NULL),
                     STATUS_OK);
}

static void the_numbers_are_those_of_kafkas_protocol(void **state)
{
    static const struct {
        enum kafka_error error;
        int code; /* specs/kafka-wire.md section 5 */
        bool is_retriable;
    } rows[] = {
        {KAFKA_ERROR_NONE, 0, false},
        {KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION, 3, true},
        {KAFKA_ERROR_MESSAGE_TOO_LARGE, 10, false},
        {KAFKA_ERROR_INVALID_TOPIC, 17, false},
        {KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED, 29, false},
        {KAFKA_ERROR_STORAGE, 56, true},
        {KAFKA_ERROR_SASL_AUTHENTICATION_FAILED, 58, false},
        {KAFKA_ERROR_INVALID_RECORD, 87, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_int_equal(rows[i].error, rows[i].code);
        assert_int_equal(kafka_error_is_retriable(rows[i].error), rows[i].is_retriable);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(kafka_error_words(rows[i].error),
                                    kafka_error_words(rows[j].error));
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_of_a_request_are_kept_in_order_at_the_brokers_time),
        TEST(a_missing_topic_is_kafkas_error_3_for_each_record),
        TEST(an_illegal_topic_name_is_kafkas_error_17),
        TEST(a_missing_topic_is_created_where_the_broker_may),
        TEST(a_partition_out_of_range_fails_alone),
        TEST(a_key_chooses_its_partition_as_kafka_does),
        TEST(an_explicit_partition_wins_over_the_key),
        TEST(each_partition_is_told_once_however_records_alternate),
        TEST(keyless_records_of_a_request_stick_together_and_requests_move_on),
        TEST(a_tombstone_is_kept),
        TEST(the_size_limit_is_that_of_kafkas_estimate),
        TEST(without_memory_the_errors_stay_right),
        TEST(a_record_that_cannot_be_stored_takes_its_request_and_new_topic_along),
        cmocka_unit_test(the_numbers_are_those_of_kafkas_protocol),
    };
    return cmocka_run_group_tests_name("broker_store", tests, NULL, NULL);
}
