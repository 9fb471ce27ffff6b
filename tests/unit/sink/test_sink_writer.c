/* The files that a sink makes of records: sizes, rotation, compression, keys and headers, what is
 * skipped (specs/s3-sink-connector.md 3..5, 7). */
#include "sink_world.h"
#include "topic_policy.h"

#include "digest.h"
#include "record_headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- files of many records -------------------------------------------------------------------- */

static void a_file_has_flush_size_lines_and_the_rest_waits(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "3");
    sink_world_put_connector(f);
    for (int i = 0; i < 5; i++) {
        sink_world_produce(f, "u.pin", "{\"n\":1}");
        sink_world_turn(f);
    }
    assert_string_equal(sink_world_keys(f), "topics/u.pin/partition=0/u.pin+0+0000000000.json\n");
    sink_world_assert_object(f, "topics/u.pin/partition=0/u.pin+0+0000000000.json",
                             "{\"n\":1}\n{\"n\":1}\n{\"n\":1}\n");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 3);
    sink_world_produce(f, "u.pin", "6");
    sink_world_turn(f);
    sink_world_assert_object(f, "topics/u.pin/partition=0/u.pin+0+0000000003.json",
                             "{\"n\":1}\n{\"n\":1}\n6\n");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 6);
}

static void a_file_without_a_size_rotates_after_every_record(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "-1");
    sink_world_put_connector(f);
    sink_world_produce_many(f, "u.pin", 2);
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 2);
}

/* 400 records of 1000 bytes: beyond what stays in memory. */
static void a_large_file_is_whole_and_hashed(void **state)
{
    struct sink_world *f = *state;
    struct store_object object;
    char value[1001];
    memset(value, 'x', sizeof(value) - 1);
    value[0] = '"';
    value[sizeof(value) - 2] = '"';
    value[sizeof(value) - 1] = '\0';
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "400");
    sink_world_put_connector(f);
    for (int i = 0; i < 400; i++) {
        sink_world_produce(f, "u.pin", value);
        if (i % 100 == 0) {
            sink_world_turn(f);
        }
    }
    sink_world_turn(f);
    struct span bytes =
        sink_world_object_bytes(f, "topics/u.pin/partition=0/u.pin+0+0000000000.json", &object);
    assert_int_equal(bytes.len, 400 * 1001);
    for (size_t i = 0; i < 400; i++) {
        assert_memory_equal(bytes.ptr + i * 1001, value, 1000);
        assert_int_equal(bytes.ptr[i * 1001 + 1000], '\n');
    }
    struct digest_value md5 = digest_of(f->crypto, DIGEST_MD5, bytes);
    struct digest_value outer = digest_of(f->crypto, DIGEST_MD5, digest_span(&md5));
    char hex[DIGEST_HEX_BYTES_MAX];
    char etag[DIGEST_HEX_BYTES_MAX + 8];
    digest_hex(&outer, hex);
    snprintf(etag, sizeof(etag), "%s-1", hex);
    assert_true(span_equal_cstr(object.etag, etag));
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 400);
}

static void gzip_holds_the_whole_file(void **state)
{
    struct sink_world *f = *state;
    struct store_object object;
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "2");
    sink_world_set(f, "s3.compression.type", "gzip");
    sink_world_put_connector(f);
    for (int i = 0; i < 4; i++) {
        sink_world_produce(f, "u.pin", "{\"a\":1}");
    }
    sink_world_turn(f);
    /* What java.util.zip.GZIPOutputStream makes of it (Java 16 writes 0xff for the system). */
    static const unsigned char expected[] = {
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xab, 0x56, 0x4a, 0x54, 0xb2,
        0x32, 0xac, 0xe5, 0xaa, 0x86, 0xd2, 0x00, 0x3f, 0x7e, 0x1c, 0x1b, 0x10, 0x00, 0x00, 0x00};
    for (int i = 0; i < 2; i++) {
        struct span bytes =
            sink_world_object_bytes(f,
                                    i == 0 ? "topics/u.pin/partition=0/u.pin+0+0000000000.json.gz"
                                           : "topics/u.pin/partition=0/u.pin+0+0000000002.json.gz",
                                    &object);
        assert_int_equal(bytes.len, sizeof(expected));
        assert_memory_equal(bytes.ptr, expected, sizeof(expected));
    }
}

/* --- memory ----------------------------------------------------------------------------------- */

static void put_as(struct sink_world *f, const char *name)
{
    struct connect_entries entries = {f->settings, f->setting_count};
    struct connect_spec spec = {
        .name = span_from_cstr(name), .config = &entries, .msk = SPAN_EMPTY};
    assert_int_equal(connect_worker_put(f->worker, &spec, NULL), STATUS_OK);
    sink_world_turn(f);
}

/* A text that the levels of gzip make differently long. */
static void produce_large(struct sink_world *f, const char *topic, int64_t timestamp_ms)
{
    char value[30 * 1024];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof(value); i++) {
        seed = seed * 1664525 + 1013904223;
        value[i] = (char)('a' + (seed >> 24) % 4);
    }
    value[0] = '"';
    value[sizeof(value) - 2] = '"';
    value[sizeof(value) - 1] = '\0';
    sink_world_produce_at(f, topic, value, timestamp_ms);
}

static size_t object_len(struct sink_world *f, const char *directory, int offset)
{
    char key[128];
    struct store_object object;
    snprintf(key, sizeof(key), "%s/u.pin/partition=0/u.pin+0+%010d.json.gz", directory, offset);
    return sink_world_object_bytes(f, key, &object).len;
}

static void an_open_file_counts_until_it_is_an_object(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "2");
    sink_world_put_connector(f);
    size_t before = f->budget.shares[BUDGET_PAIRS].used_bytes;
    produce_large(f, "u.pin", -1);
    sink_world_turn(f);
    assert_true(f->budget.shares[BUDGET_PAIRS].used_bytes - before >= 30 * 1024);
    produce_large(f, "u.pin", -1);
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 1);
    assert_true(f->budget.shares[BUDGET_PAIRS].used_bytes - before < 20 * 1024);
}

static void files_for_which_no_memory_is_left_fail_their_task(void **state)
{
    struct sink_world *f = *state;
    enum { share = 1024 * 1024 };
    sink_world_time_settings(f);
    sink_world_set(f, "flush.size", "100000");
    sink_world_set(f, "topics.regex", "u.pin");
    sink_world_set(f, "tasks.max", "1");
    sink_world_put_connector(f);
    sink_world_set(f, "topics.regex", "u.geo");
    sink_world_set(f, "flush.size", "3");
    put_as(f, "other");
    f->budget.shares[BUDGET_PAIRS].max_bytes = share;
    for (int i = 0; i < 60; i++) {
        produce_large(f, "u.pin", i * INT64_C(1000));
        sink_world_turn(f);
        assert_true(f->budget.shares[BUDGET_PAIRS].used_bytes <= share);
        if (i == 30) {
            produce_large(f, "u.geo", 0); /* a few files are any connector's own */
        }
    }
    assert_string_equal(sink_world_task_states(f), "FAILED");
    assert_non_null(strstr(sink_world_trace(f, 0), "java.lang.OutOfMemoryError: Java heap space"));
    assert_non_null(strstr(sink_world_trace(f, 0), "`pinpipe serve --memory` gives more"));
    produce_large(f, "u.geo", 0);
    produce_large(f, "u.geo", 0);
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 1);
}

static void closed_files_are_used_again_by_whoever_comes(void **state)
{
    struct sink_world *f = *state;
    char name[16];
    sink_world_workshop_settings(f);
    put_as(f, "a-plain");
    sink_world_set(f, "s3.compression.type", "gzip");
    sink_world_set(f, "topics.dir", "fast");
    sink_world_set(f, "s3.compression.level", "1");
    put_as(f, "b-fast");
    sink_world_set(f, "topics.dir", "small");
    sink_world_set(f, "s3.compression.level", "9");
    put_as(f, "c-small");
    for (int i = 0; i < 3; i++) {
        produce_large(f, "u.pin", -1);
        sink_world_turn(f);
        assert_int_equal(object_len(f, "fast", i), object_len(f, "fast", 0));
        assert_int_equal(object_len(f, "small", i), object_len(f, "small", 0));
        assert_true(object_len(f, "small", i) < object_len(f, "fast", i));
    }
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "d-%d", i);
        put_as(f, name);
    }
    size_t before = f->budget.shares[BUDGET_PAIRS].used_bytes;
    sink_world_produce(f, "u.pin", "1");
    sink_world_turn(f);
    /* As many gzip streams as are kept for all of them, not for each. */
    assert_true(f->budget.shares[BUDGET_PAIRS].used_bytes - before <
                (SINK_FILES_KEPT + 1) * 400 * 1024);
}

/* --- rotation --------------------------------------------------------------------------------- */

static void the_count_is_that_of_all_paths_together(void **state)
{
    struct sink_world *f = *state;
    sink_world_time_settings(f);
    sink_world_set(f, "flush.size", "3");
    sink_world_put_connector(f);
    sink_world_produce_at(f, "u.pin", "0", 0);
    sink_world_produce_at(f, "u.pin", "1", 1000);
    sink_world_produce_at(f, "u.pin", "2", 500);
    sink_world_produce_at(f, "u.pin", "3", 0);
    sink_world_turn(f);
    assert_string_equal(sink_world_keys(f), "topics/u.pin/00/u.pin+0+0000000000.json\n"
                                            "topics/u.pin/01/u.pin+0+0000000001.json\n");
    sink_world_assert_object(f, "topics/u.pin/00/u.pin+0+0000000000.json", "0\n2\n");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 3);
}

static void rotate_interval_compares_record_timestamps(void **state)
{
    struct sink_world *f = *state;
    sink_world_time_settings(f);
    sink_world_set(f, "path.format", "mm");
    sink_world_set(f, "partition.duration.ms", "60000");
    sink_world_set(f, "rotate.interval.ms", "500");
    sink_world_put_connector(f);
    sink_world_produce_at(f, "u.pin", "0", 1000);
    sink_world_produce_at(f, "u.pin", "1", 1499);
    sink_world_produce_at(f, "u.pin", "2", 1500); /* the next file */
    env_advance(&f->env, INT64_C(3600000000));
    sink_world_turn(f);
    assert_string_equal(sink_world_keys(f), "topics/u.pin/00/u.pin+0+0000000000.json\n");
    sink_world_assert_object(f, "topics/u.pin/00/u.pin+0+0000000000.json", "0\n1\n");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 2);
    sink_world_produce_at(f, "u.pin", "3", 60001); /* another path rotates too */
    sink_world_turn(f);
    sink_world_assert_object(f, "topics/u.pin/00/u.pin+0+0000000002.json", "2\n");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 3);
}

static void rotate_interval_means_nothing_without_a_time_based_partitioner(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "100");
    sink_world_set(f, "rotate.interval.ms", "1");
    sink_world_put_connector(f);
    sink_world_produce_at(f, "u.pin", "0", 0);
    sink_world_produce_at(f, "u.pin", "1", 100000);
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 0);
}

static void a_scheduled_rotation_needs_no_new_record(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "100");
    sink_world_set(f, "rotate.schedule.interval.ms", "600000");
    sink_world_set(f, "timezone", "UTC");
    sink_world_put_connector(f); /* at 22:13:20 */
    sink_world_produce_many(f, "u.pin", 2);
    sink_world_turn(f);
    env_advance(&f->env, INT64_C(399) * 1000000);
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 0);
    assert_int_equal(sink_world_committed(f, "u.pin", 0), -1);
    assert_int_equal(timer_heap_next_us(&f->timers) - f->env.monotonic_us(&f->env), 1000000);
    env_advance(&f->env, 1000000);
    sink_world_turn(f);
    assert_string_equal(sink_world_keys(f), "topics/u.pin/partition=0/u.pin+0+0000000000.json\n");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 2);
    assert_true(timer_heap_next_us(&f->timers) == INT64_MAX);
}

/* --- converters, keys, headers ---------------------------------------------------------------- */

static void keys_and_headers_have_files_beside_the_values(void **state)
{
    struct sink_world *f = *state;
    struct broker_record record = {
        .partition = -1,
        .has_key = true,
        .key = SPAN_LIT("k\"1"),
        .has_value = true,
        .value = SPAN_LIT("{\"v\":1}"),
        .headers = SPAN_LIT("\x04\x02h\x06"
                            "abc\x02i\x00"),
        .timestamp_ms = -1,
    };
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "2");
    sink_world_set(f, "store.kafka.keys", "true");
    sink_world_set(f, "store.kafka.headers", "true");
    sink_world_set(f, "keys.format.class", "io.confluent.connect.s3.format.json.JsonFormat");
    sink_world_set(f, "headers.format.class", "io.confluent.connect.s3.format.json.JsonFormat");
    sink_world_put_connector(f);
    sink_world_produce_record(f, "u.pin", &record);
    sink_world_produce_record(f, "u.pin", &record);
    sink_world_turn(f);
    sink_world_assert_object(f, "topics/u.pin/partition=0/u.pin+0+0000000000.json",
                             "{\"v\":1}\n{\"v\":1}\n");
    sink_world_assert_object(f, "topics/u.pin/partition=0/u.pin+0+0000000000.keys.json",
                             "\"k\\\"1\"\n\"k\\\"1\"\n");
    sink_world_assert_object(
        f, "topics/u.pin/partition=0/u.pin+0+0000000000.headers.json",
        "{\"headers\":[{\"key\":\"h\",\"value\":\"abc\"},{\"key\":\"i\",\"value\":"
        "\"\"}]}\n"
        "{\"headers\":[{\"key\":\"h\",\"value\":\"abc\"},{\"key\":\"i\",\"value\":"
        "\"\"}]}\n");
    record.has_key = false;
    sink_world_produce_record(f, "u.pin", &record);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "FAILED FAILED FAILED");
    assert_string_equal(
        sink_world_trace(f, 0),
        "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to "
        "unrecoverable exception.\n"
        "Caused by: org.apache.kafka.connect.errors.ConnectException: "
        "org.apache.kafka.connect.errors.DataException: Key cannot be null for SinkRecord: "
        "SinkRecord{kafkaOffset=2, topic='u.pin', kafkaPartition=0} \n"
        "Caused by: org.apache.kafka.connect.errors.DataException: Key cannot be null for "
        "SinkRecord: SinkRecord{kafkaOffset=2, topic='u.pin', kafkaPartition=0} \n");
}

static void bytes_are_written_as_they_are(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "format.class", "io.confluent.connect.s3.format.bytearray.ByteArrayFormat");
    sink_world_set(f, "value.converter", "org.apache.kafka.connect.converters.ByteArrayConverter");
    sink_world_set(f, "flush.size", "2");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "{ no json");
    sink_world_produce(f, "u.pin", "");
    sink_world_turn(f);
    sink_world_assert_object(f, "topics/u.pin/partition=0/u.pin+0+0000000000.bin", "{ no json\n\n");
}

static void bytes_want_their_own_converter(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "format.class", "io.confluent.connect.s3.format.bytearray.ByteArrayFormat");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "{\"a\":1}");
    sink_world_turn(f);
    assert_non_null(strstr(sink_world_trace(f, 0),
                           "ByteArrayConverter is not compatible with objects of type class "
                           "java.util.HashMap"));
}

/* --- tolerance -------------------------------------------------------------------------------- */

static bool note_record(void *ctx, const struct store_record *record)
{
    struct buf *out = ctx;
    buf_reset(out);
    buf_printf(out, "%.*s|%.*s|%lld|", SPAN_ARG(record->key), SPAN_ARG(record->value),
               (long long)record->timestamp_ms);
    if (record->headers.len > 0) {
        assert_true(record_headers_to_text(record->headers, out));
    }
    return true;
}

static const char *last_record(struct sink_world *f, const char *topic)
{
    const struct store_topic *found = store_topic_find(f->store, span_from_cstr(topic));
    assert_non_null(found);
    struct store_range range = {.topic = found, .limit = 1000};
    buf_reset(&f->text);
    assert_int_equal(store_records_read(f->store, range, note_record, &f->text, NULL), STATUS_OK);
    return buf_cstr(&f->text);
}

static void tolerated_errors_skip_the_record(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "errors.tolerance", "all");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "{\"good\":1}");
    sink_world_produce(f, "u.pin", "bad");
    sink_world_produce(f, "u.pin", "{\"good\":2}");
    sink_world_produce(f, "u.pin", "worse");
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    assert_string_equal(sink_world_keys(f), "topics/u.pin/partition=0/u.pin+0+0000000000.json\n"
                                            "topics/u.pin/partition=0/u.pin+0+0000000002.json\n");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 4);
}

static void dead_letters_keep_key_value_time_and_headers(void **state)
{
    struct sink_world *f = *state;
    struct broker_record record = {.partition = -1,
                                   .has_key = true,
                                   .key = SPAN_LIT("k"),
                                   .has_value = true,
                                   .value = SPAN_LIT("bad"),
                                   .headers = SPAN_LIT("\x02\x02h\x06"
                                                       "abc"),
                                   .timestamp_ms = 42};
    sink_world_workshop_settings(f);
    sink_world_set(f, "errors.tolerance", "all");
    sink_world_set(f, "errors.deadletterqueue.topic.name", "letters");
    sink_world_put_connector(f);
    assert_non_null(store_topic_find(f->store, SPAN_LIT("letters")));
    sink_world_produce_record(f, "u.pin", &record);
    sink_world_turn(f);
    assert_string_equal(last_record(f, "letters"),
                        "k|bad|42|[{\"name\":\"h\",\"value\":\"YWJj\"}]");
    sink_world_set(f, "errors.deadletterqueue.context.headers.enable", "true");
    sink_world_put_connector(f);
    sink_world_produce_record(f, "u.pin", &record);
    sink_world_turn(f);
    const char *text = last_record(f, "letters");
    static const char *const expected[] = {
        "[{\"name\":\"h\",\"value\":\"YWJj\"},",
        "{\"name\":\"__connect.errors.topic\",\"value\":\"dS5waW4=\"}",
        "{\"name\":\"__connect.errors.partition\",\"value\":\"MA==\"}",
        "{\"name\":\"__connect.errors.offset\",\"value\":\"MQ==\"}",
        "{\"name\":\"__connect.errors.connector.name\",\"value\":\"Yw==\"}",
        "{\"name\":\"__connect.errors.task.id\",\"value\":\"MA==\"}",
        "{\"name\":\"__connect.errors.stage\",\"value\":\"VkFMVUVfQ09OVkVSVEVS\"}",
        "{\"name\":\"__connect.errors.class.name\",\"value\":"
        "\"b3JnLmFwYWNoZS5rYWZrYS5jb25uZWN0Lmpzb24uSnNvbkNvbnZlcnRlcg==\"}",
        "{\"name\":\"__connect.errors.exception.class.name\",\"value\":"
        "\"b3JnLmFwYWNoZS5rYWZrYS5jb25uZWN0LmVycm9ycy5EYXRhRXhjZXB0aW9u\"}",
        "\"__connect.errors.exception.message\"",
        "\"__connect.errors.exception.stacktrace\"",
    };
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
        if (strstr(text, expected[i]) == NULL) {
            fail_msg("%s is not in %s", expected[i], text);
        }
    }
}

static void a_letter_to_a_topic_that_the_policy_refuses_is_told_in_the_log(void **state)
{
    static const struct topic_policy policy = {.enforced = true, .user_id = "u"};
    struct sink_world *f = *state;
    sink_world_turn(f);
    sink_world_close(f);
    f->policy = &policy;
    sink_world_open(f);
    sink_world_workshop_settings(f);
    sink_world_set(f, "errors.tolerance", "all");
    sink_world_set(f, "errors.deadletterqueue.topic.name", "letters");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "bad");
    sink_world_turn(f);
    assert_int_equal(store_topic_find(f->store, SPAN_LIT("letters"))->partitions[0].next_offset, 0);
    char line[1024] = "";
    bool told = false;
    rewind(f->log_file);
    while (fgets(line, sizeof(line), f->log_file) != NULL) {
        told = told || strstr(line, "topic=letters: Not authorized to access topics: [letters]");
    }
    if (!told) {
        fail_msg("the log ends with %s", line);
    }
}

static void without_tolerance_the_letter_is_sent_and_the_task_fails(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "tasks.max", "1");
    sink_world_set(f, "errors.deadletterqueue.topic.name", "letters");
    sink_world_set(f, "behavior.on.null.values", "ignore");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", NULL);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "FAILED");
    assert_string_equal(
        sink_world_trace(f, 0),
        "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to "
        "unrecoverable exception.\n"
        "Caused by: org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error "
        "handler\n"
        "Caused by: org.apache.kafka.connect.errors.DataException: Skipping null value record.\n");
    assert_non_null(strstr(last_record(f, "letters"), "||"));
}

static void tombstones_can_be_written_as_keys(void **state)
{
    struct sink_world *f = *state;
    struct broker_record record = {
        .partition = -1, .has_key = true, .key = SPAN_LIT("gone"), .headers = SPAN_EMPTY};
    sink_world_workshop_settings(f);
    sink_world_set(f, "behavior.on.null.values", "write");
    sink_world_set(f, "store.kafka.keys", "true");
    sink_world_set(f, "keys.format.class", "io.confluent.connect.s3.format.json.JsonFormat");
    sink_world_put_connector(f);
    sink_world_produce_record(f, "u.pin", &record);
    sink_world_turn(f);
    assert_string_equal(sink_world_keys(f),
                        "topics/u.pin/tombstone/u.pin+0+0000000000.keys.json\n");
    sink_world_assert_object(f, "topics/u.pin/tombstone/u.pin+0+0000000000.keys.json",
                             "\"gone\"\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, sink_world_setup, sink_world_teardown)
    const struct CMUnitTest tests[] = {
        T(a_file_has_flush_size_lines_and_the_rest_waits),
        T(a_file_without_a_size_rotates_after_every_record),
        T(a_large_file_is_whole_and_hashed),
        T(gzip_holds_the_whole_file),
        T(an_open_file_counts_until_it_is_an_object),
        T(files_for_which_no_memory_is_left_fail_their_task),
        T(closed_files_are_used_again_by_whoever_comes),
        T(the_count_is_that_of_all_paths_together),
        T(rotate_interval_compares_record_timestamps),
        T(rotate_interval_means_nothing_without_a_time_based_partitioner),
        T(a_scheduled_rotation_needs_no_new_record),
        T(keys_and_headers_have_files_beside_the_values),
        T(bytes_are_written_as_they_are),
        T(bytes_want_their_own_converter),
        T(tolerated_errors_skip_the_record),
        cmocka_unit_test_setup_teardown(
            a_letter_to_a_topic_that_the_policy_refuses_is_told_in_the_log,
            sink_world_setup_on_disk, sink_world_teardown),
        T(dead_letters_keep_key_value_time_and_headers),
        T(without_tolerance_the_letter_is_sent_and_the_task_fails),
        T(tombstones_can_be_written_as_keys),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
