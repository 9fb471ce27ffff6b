/* The sink at its edges: what ends a task and what is skipped, with the words of Connect, and what
 * stands in the log and in a dead letter then. */
#include "sink_world.h"

#include "record_headers.h"
#include "sqlite_db.h"
#include "store_sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONNECT       "org.apache.kafka.connect."
#define FORMATS       "io.confluent.connect.s3.format."
#define PARTITIONERS  "io.confluent.connect.storage.partitioner."
#define LARGE_KEY     "topics/u.pin/partition=0/u.pin+0+0000000000.json"
#define INT_IN_SCHEMA "{\"schema\":{\"type\":\"int32\"},\"payload\":5}"

struct setting {
    const char *key;
    const char *value;
};

static void settings_put(struct sink_world *f, const struct setting *settings, size_t count)
{
    for (size_t i = 0; i < count && settings[i].key != NULL; i++) {
        sink_world_set(f, settings[i].key, settings[i].value);
    }
}

static bool log_has(struct sink_world *f, const char *words)
{
    char line[4096];
    bool found = false;
    fflush(f->log_file);
    rewind(f->log_file);
    while (fgets(line, sizeof(line), f->log_file) != NULL) {
        found = found || strstr(line, words) != NULL;
    }
    return found;
}

/* --- what ends a task --- */

static const struct failing {
    const char *label;
    struct setting settings[6];
    const char *key; /* of the record; NULL: none */
    const char *value;
    struct span headers;
    const char *words;
} failing[] = {
    {"a bucket's name that is none",
     {{"s3.bucket.name", "Not_A_Bucket"}},
     NULL,
     "1",
     {NULL, 0},
     "The specified bucket is not valid. (Service: Amazon S3; Status Code: 400; Error Code: "
     "InvalidBucketName)"},
    {"bytes of a text",
     {{"format.class", FORMATS "bytearray.ByteArrayFormat"},
      {"value.converter", CONNECT "storage.StringConverter"}},
     NULL,
     "text",
     {NULL, 0},
     "Invalid schema type for ByteArrayConverter: STRING"},
    {"bytes of a number with a schema",
     {{"format.class", FORMATS "bytearray.ByteArrayFormat"},
      {"value.converter.schemas.enable", "true"}},
     NULL,
     INT_IN_SCHEMA,
     {NULL, 0},
     "Invalid schema type for ByteArrayConverter: INT32"},
    {"fields of what has none",
     {{"partitioner.class", PARTITIONERS "FieldPartitioner"}, {"partition.field.name", "a"}},
     NULL,
     "{\"a\":1}",
     {NULL, 0},
     "PartitionException: Error encoding partition."},
    {"fields of a number",
     {{"partitioner.class", PARTITIONERS "FieldPartitioner"},
      {"partition.field.name", "a"},
      {"value.converter.schemas.enable", "true"}},
     NULL,
     INT_IN_SCHEMA,
     {NULL, 0},
     "PartitionException: Error encoding partition."},
    {"a time that is missing",
     {{"partitioner.class", PARTITIONERS "TimeBasedPartitioner"},
      {"path.format", "YYYY"},
      {"partition.duration.ms", "1000"},
      {"locale", "en"},
      {"timezone", "UTC"},
      {"timestamp.extractor", "RecordField"}},
     NULL,
     "{\"n\":1}",
     {NULL, 0},
     "The nested field named 'timestamp' does not exist."},
    {"a key that is no JSON",
     {{"key.converter", CONNECT "json.JsonConverter"}},
     "{",
     "1",
     {NULL, 0},
     "Converting byte[] to Kafka Connect data failed due to serialization error"},
    {"no headers where they are stored",
     {{"store.kafka.headers", "true"}, {"headers.format.class", FORMATS "json.JsonFormat"}},
     NULL,
     "1",
     {NULL, 0},
     "Headers cannot be null for SinkRecord: SinkRecord{kafkaOffset=0, topic='u.pin'"},
    {"headers without a value",
     {{"store.kafka.headers", "true"}, {"headers.format.class", FORMATS "json.JsonFormat"}},
     NULL,
     "1",
     {"\x04\x02h\x02v\x02i\x01", 8},
     "Invalid value: null used for required field: \"value\", schema type: STRING"},
    {"a tombstone",
     {{"behavior.on.null.values", "fail"}},
     "k",
     NULL,
     {NULL, 0},
     "Null valued records are not writeable with current behavior.on.null.values 'settings."},
};

static void produce(struct sink_world *f, const struct failing *c)
{
    struct broker_record record = {.partition = -1,
                                   .has_key = c->key != NULL,
                                   .key = span_from_cstr(c->key != NULL ? c->key : ""),
                                   .has_value = c->value != NULL,
                                   .value = span_from_cstr(c->value != NULL ? c->value : ""),
                                   .headers = c->headers,
                                   .timestamp_ms = 42};
    sink_world_produce_record(f, "u.pin", &record);
}

static void a_record_that_cannot_be_taken_ends_its_task(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(failing); i++) {
        void *world;
        sink_world_setup(&world);
        struct sink_world *f = world;
        sink_world_workshop_settings(f);
        sink_world_set(f, "tasks.max", "1");
        settings_put(f, failing[i].settings, ARRAY_COUNT(failing[i].settings));
        sink_world_put_connector(f);
        produce(f, &failing[i]);
        sink_world_turn(f);
        if (strcmp(sink_world_task_states(f), "FAILED") != 0 ||
            strstr(sink_world_trace(f, 0), failing[i].words) == NULL) {
            fail_msg("%s: %s: %s", failing[i].label, sink_world_task_states(f),
                     sink_world_trace(f, 0));
        }
        assert_int_equal(sink_world_key_count(f), 0);
        sink_world_teardown(&world);
    }
}

/* With a reporter they are skipped, but for those that no reporter is asked about. */
static void a_record_that_cannot_be_taken_is_left_out_where_that_is_tolerated(void **state)
{
    static const struct {
        const char *label; /* of `failing` */
        const char *states;
        int64_t letters;
        const char *log;
    } cases[] = {
        {"bytes of a text", "RUNNING", 1,
         "Executing stage 'TASK_PUT' with class '" CONNECT "sink.SinkTask': " CONNECT
         "errors.DataException"},
        {"fields of what has none", "RUNNING", 1, "Executing stage 'TASK_PUT'"},
        {"a key that is no JSON", "RUNNING", 1,
         "Executing stage 'KEY_CONVERTER' with class '" CONNECT "json.JsonConverter'"},
        {"no headers where they are stored", "RUNNING", 1, "Executing stage 'TASK_PUT'"},
        {"headers without a value", "RUNNING", 1, "Executing stage 'TASK_PUT'"},
        {"a time that is missing", "FAILED", 0, NULL},
        {"a tombstone", "FAILED", 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        void *world;
        const struct failing *c = failing;
        while (strcmp(c->label, cases[i].label) != 0) {
            c++;
        }
        sink_world_setup(&world);
        struct sink_world *f = world;
        sink_world_workshop_settings(f);
        sink_world_set(f, "tasks.max", "1");
        sink_world_set(f, "errors.tolerance", "all");
        sink_world_set(f, "errors.log.enable", "true");
        sink_world_set(f, "errors.deadletterqueue.topic.name", "letters");
        sink_world_set(f, "errors.deadletterqueue.context.headers.enable", "true");
        settings_put(f, c->settings, ARRAY_COUNT(c->settings));
        sink_world_put_connector(f);
        produce(f, c);
        sink_world_turn(f);
        const struct store_topic *letters = store_topic_find(f->store, SPAN_LIT("letters"));
        if (strcmp(sink_world_task_states(f), cases[i].states) != 0 ||
            letters->partitions[0].next_offset != cases[i].letters ||
            (cases[i].log != NULL && !log_has(f, cases[i].log))) {
            fail_msg("%s: %s: %s", c->label, sink_world_task_states(f), sink_world_trace(f, 0));
        }
        assert_int_equal(sink_world_committed(f, "u.pin", 0), cases[i].letters > 0 ? 1 : -1);
        sink_world_teardown(&world);
    }
}

/* --- what is told of it --- */

static void the_log_names_the_record_only_where_that_is_asked_for(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "errors.tolerance", "all");
    sink_world_set(f, "errors.log.enable", "true");
    sink_world_set(f, "behavior.on.null.values", "ignore");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "bad");
    sink_world_produce(f, "u.pin", NULL); /* the log is a reporter too */
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    assert_true(log_has(f, "Executing stage 'VALUE_CONVERTER'"));
    assert_true(log_has(f, "Skipping null value record."));
    assert_false(log_has(f, "where consumed record is"));
    sink_world_set(f, "errors.log.include.messages", "true");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "worse");
    sink_world_turn(f);
    assert_true(log_has(f, "where consumed record is {topic='u.pin', partition=0, offset=2"));
}

struct letter {
    bool valid;
    size_t count;
    size_t topics; /* headers that name the record's topic */
    char text[4096];
};

static bool see_letter(void *ctx, const struct store_record *record)
{
    struct letter *letter = ctx;
    struct record_headers walk;
    struct record_header header;
    *letter = (struct letter){.valid = record_headers_are_valid(record->headers)};
    bool more = record_headers_open(&walk, record->headers);
    while (more && record_headers_next(&walk, &header)) {
        letter->count++;
        if (span_equal_cstr(header.name, "__connect.errors.topic")) {
            letter->topics++;
            snprintf(letter->text, sizeof(letter->text), "%.*s", SPAN_ARG(header.value));
        }
    }
    return true;
}

static struct letter last_letter(struct sink_world *f)
{
    struct letter letter = {0};
    struct store_range range = {.topic = store_topic_find(f->store, SPAN_LIT("letters")),
                                .limit = 1000};
    assert_non_null(range.topic);
    assert_int_equal(store_records_read(f->store, range, see_letter, &letter, NULL), STATUS_OK);
    return letter;
}

static void put_letters(struct sink_world *f)
{
    sink_world_workshop_settings(f);
    sink_world_set(f, "errors.tolerance", "all");
    sink_world_set(f, "errors.deadletterqueue.topic.name", "letters");
    sink_world_set(f, "errors.deadletterqueue.context.headers.enable", "true");
    sink_world_put_connector(f);
}

/* A letter that was written before keeps what was said of it first. */
static void a_context_that_is_there_already_stays(void **state)
{
    struct sink_world *f = *state;
    struct buf headers;
    struct buf entries;
    put_letters(f);
    buf_init(&entries, 1000);
    buf_init(&headers, 1000);
    record_header_append(&entries, &(struct record_header){SPAN_LIT("mine"), true, SPAN_LIT("1")});
    record_header_append(&entries, &(struct record_header){SPAN_LIT("__connect.errors.topic"), true,
                                                           SPAN_LIT("first")});
    record_headers_write(&headers, 2, buf_span(&entries));
    struct broker_record record = {.partition = -1,
                                   .has_value = true,
                                   .value = SPAN_LIT("bad"),
                                   .headers = buf_span(&headers),
                                   .timestamp_ms = 42};
    sink_world_produce_record(f, "u.pin", &record);
    sink_world_turn(f);
    struct letter letter = last_letter(f);
    assert_true(letter.valid);
    assert_int_equal(letter.topics, 1);
    assert_string_equal(letter.text, "first");
    assert_int_equal(letter.count, 2 + 9);
    buf_release(&entries);
    buf_release(&headers);
}

/* state.db is open to everybody's SQL: headers that are none are no part of a letter. */
static void damaged_headers_make_no_damaged_letter(void **state)
{
    static const char *const damages[] = {"x'04026802'", "x'0402680276'", "x'ff'", "NULL"};
    struct sink_world *f = *state;
    put_letters(f);
    for (size_t i = 0; i < ARRAY_COUNT(damages); i++) {
        char sql[128];
        struct error err = ERROR_NONE;
        sink_world_produce(f, "u.pin", "bad");
        assert_int_equal(store_turn_commit(f->store, &err), STATUS_OK);
        snprintf(sql, sizeof(sql),
                 "UPDATE record SET headers = %s WHERE value = CAST('bad' AS BLOB)", damages[i]);
        assert_int_equal(sqlite_db_exec(store_sql(f->store), sql, &err), STATUS_OK);
        sink_world_turn(f);
        struct letter letter = last_letter(f);
        if (!letter.valid || letter.count != 10 || strcmp(letter.text, "u.pin") != 0) {
            fail_msg("%s: %zu headers", damages[i], letter.count);
        }
        assert_int_equal(sink_world_committed(f, "u.pin", 0), i + 1);
    }
}

static void damaged_headers_are_stored_as_none(void **state)
{
    static const char *const damages[] = {"x'04026802'", "x'0402680276'", "x'ff'", "x'00'", "NULL"};
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "store.kafka.headers", "true");
    sink_world_set(f, "headers.format.class", FORMATS "json.JsonFormat");
    sink_world_set(f, "errors.tolerance", "all");
    sink_world_set(f, "errors.log.enable", "true");
    sink_world_put_connector(f);
    for (size_t i = 0; i < ARRAY_COUNT(damages); i++) {
        char sql[128];
        struct error err = ERROR_NONE;
        sink_world_produce(f, "u.pin", "1");
        assert_int_equal(store_turn_commit(f->store, &err), STATUS_OK);
        snprintf(sql, sizeof(sql), "UPDATE record SET headers = %s WHERE offset = %zu", damages[i],
                 i);
        assert_int_equal(sqlite_db_exec(store_sql(f->store), sql, &err), STATUS_OK);
        sink_world_turn(f);
        assert_int_equal(sink_world_committed(f, "u.pin", 0), i + 1);
    }
    assert_int_equal(sink_world_key_count(f), 0);
}

/* --- files --- */

/* A file is uploaded in parts, and its ETag says in how many. */
static void the_etag_of_a_large_file_counts_its_parts(void **state)
{
    enum { part = 5 * 1024 * 1024, line = 900 * 1024 };
    struct sink_world *f = *state;
    struct store_object object;
    struct buf bytes;
    char *value = malloc(line);
    assert_non_null(value);
    memset(value, 'x', line);
    value[0] = '"';
    value[line - 3] = '"';
    value[line - 2] = '\0';
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "6");
    sink_world_set(f, "s3.part.size", "5242880");
    sink_world_put_connector(f);
    buf_init(&bytes, 16 << 20);
    for (int i = 0; i < 6; i++) {
        sink_world_produce(f, "u.pin", value);
        sink_world_turn(f);
    }
    assert_int_equal(store_object_find(f->store, sink_world_bucket_id(f), SPAN_LIT(LARGE_KEY),
                                       &f->arena, &object, NULL),
                     STATUS_OK);
    assert_int_equal(store_object_read(f->store, object.id, 0, bytes.max, &bytes, NULL), STATUS_OK);
    assert_int_equal(bytes.len, 6 * (line - 1));
    struct digest_value parts[] = {
        digest_of(f->crypto, DIGEST_MD5, span_first(buf_span(&bytes), part)),
        digest_of(f->crypto, DIGEST_MD5, span_skip(buf_span(&bytes), part))};
    struct buf both;
    char hex[DIGEST_HEX_BYTES_MAX];
    char etag[DIGEST_HEX_BYTES_MAX + 8];
    buf_init(&both, 100);
    buf_append_span(&both, digest_span(&parts[0]));
    buf_append_span(&both, digest_span(&parts[1]));
    struct digest_value outer = digest_of(f->crypto, DIGEST_MD5, buf_span(&both));
    digest_hex(&outer, hex);
    snprintf(etag, sizeof(etag), "%s-2", hex);
    assert_int_equal(object.etag.len, strlen(etag));
    assert_memory_equal(object.etag.ptr, etag, object.etag.len);
    buf_release(&both);
    buf_release(&bytes);
    free(value);
}

/* A bucket that is gone when files are due is waited for, and nothing is lost. */
static void a_rotation_waits_for_its_bucket(void **state)
{
    struct sink_world *f = *state;
    struct error err = ERROR_NONE;
    sink_world_time_settings(f);
    sink_world_set(f, "rotate.interval.ms", "500");
    sink_world_set(f, "retry.backoff.ms", "1000");
    sink_world_put_connector(f);
    sink_world_produce_at(f, "u.pin", "0", 0);
    sink_world_turn(f);
    assert_int_equal(store_bucket_delete(f->store, sink_world_bucket_id(f), &err), STATUS_OK);
    assert_int_equal(store_turn_commit(f->store, &err), STATUS_OK);
    sink_world_produce_at(f, "u.pin", "1", 1000);
    sink_world_produce_at(f, "u.pin", "2", 2000);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), -1);
    assert_int_equal(
        store_bucket_create(f->store, SPAN_LIT(WORLD_BUCKET), SPAN_LIT("us-east-1"), &err),
        STATUS_OK);
    sink_world_turn(f);
    for (int i = 0; i < 3; i++) {
        env_advance(&f->env, INT64_C(2000000));
        sink_world_turn(f);
    }
    assert_string_equal(sink_world_keys(f), "topics/u.pin/00/u.pin+0+0000000000.json\n"
                                            "topics/u.pin/01/u.pin+0+0000000001.json\n");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 2);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, sink_world_setup, sink_world_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_that_cannot_be_taken_ends_its_task),
        cmocka_unit_test(a_record_that_cannot_be_taken_is_left_out_where_that_is_tolerated),
        T(the_log_names_the_record_only_where_that_is_asked_for),
        T(a_context_that_is_there_already_stays),
        T(damaged_headers_make_no_damaged_letter),
        T(damaged_headers_are_stored_as_none),
        T(the_etag_of_a_large_file_counts_its_parts),
        T(a_rotation_waits_for_its_bucket),
    };
#undef T
    return cmocka_run_group_tests_name("sink_edges", tests, NULL, NULL);
}
