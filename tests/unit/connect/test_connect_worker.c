/* The Connect worker over a real store: what becomes of connectors, tasks and offsets, turn by turn
 * (specs/s3-sink-connector.md 2, 6, 7). */
#include "group.h"
#include "lost_turn.h"
#include "sink_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- the workshop ----------------------------------------------------------------------------- */

static void an_object_is_in_the_turn_of_its_record(void **state)
{
    struct sink_world *f = *state;
    struct store_object object;
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    sink_world_produce(f, "u.geo",
                       "{\"ind\":7528,\"timestamp\":\"2020-08-28 03:52:47\",\"latitude\":-89.9787,"
                       "\"longitude\":-173.293,\"country\":\"Albania\"}");
    sink_world_run(f);
    sink_world_assert_object(
        f, "topics/u.geo/partition=0/u.geo+0+0000000000.json",
        "{\"country\":\"Albania\",\"latitude\":-89.9787,\"ind\":7528,\"timestamp\":"
        "\"2020-08-28 03:52:47\",\"longitude\":-173.293}\n");
    assert_int_equal(sink_world_committed(f, "u.geo", 0), 1);
    (void)sink_world_object_bytes(f, "topics/u.geo/partition=0/u.geo+0+0000000000.json", &object);
    /* openssl md5 -binary | md5sum */
    assert_true(span_equal_cstr(object.etag, "bdd8e0e4eed04b40bcf824ae5a949e41-1"));
    assert_true(span_equal_cstr(object.headers, "content-type: application/octet-stream\n"));
    assert_int_equal(object.modified_ms, sink_world_start_us / 1000);
    sink_world_turn(f);
}

static void a_thousand_records_of_a_turn_are_a_thousand_objects(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    sink_world_produce_many(f, "u.pin", 600);
    sink_world_produce_many(f, "u.user", 400);
    assert_false(sink_world_run(f));
    assert_int_equal(sink_world_key_count(f), 1000);
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 600);
    assert_int_equal(sink_world_committed(f, "u.user", 0), 400);
    sink_world_turn(f);
}

static void a_backlog_is_taken_slice_by_slice(void **state)
{
    struct sink_world *f = *state;
    sink_world_produce_many(f, "u.pin", 2500);
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    assert_int_equal(sink_world_key_count(f), 1000);
    sink_world_produce(f, "u.geo", "{}"); /* others do not wait for it */
    assert_true(sink_world_run(f));
    sink_world_assert_object(f, "topics/u.geo/partition=0/u.geo+0+0000000000.json", "{}\n");
    sink_world_turn(f);
    sink_world_turn(f);
    assert_false(sink_world_run(f));
    assert_int_equal(sink_world_key_count(f), 2501);
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 2500);
}

static void partitions_and_wide_offsets_are_in_the_names(void **state)
{
    struct sink_world *f = *state;
    struct store_topic_spec spec = {.name = SPAN_LIT("u.wide"), .partition_count = 4};
    assert_int_equal(store_topic_create(f->store, &spec, NULL), STATUS_OK);
    sink_world_workshop_settings(f);
    sink_world_set(f, "filename.offset.zero.pad.width", "1");
    sink_world_put_connector(f);
    for (int i = 0; i < 12; i++) {
        struct broker_record record = {.partition = 3,
                                       .has_value = true,
                                       .value = SPAN_LIT("1"),
                                       .headers = SPAN_EMPTY,
                                       .timestamp_ms = -1};
        sink_world_produce_record(f, "u.wide", &record);
    }
    sink_world_turn(f);
    sink_world_assert_object(f, "topics/u.wide/partition=3/u.wide+3+9.json", "1\n");
    sink_world_assert_object(f, "topics/u.wide/partition=3/u.wide+3+11.json", "1\n");
    assert_int_equal(sink_world_committed(f, "u.wide", 3), 12);
    assert_int_equal(sink_world_committed(f, "u.wide", 2), -1);
}

static void names_have_the_configured_delimiters(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "topics.dir", " ");
    sink_world_set(f, "directory.delim", "!");
    sink_world_set(f, "file.delim", "-");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "[1.50]");
    sink_world_turn(f);
    sink_world_assert_object(f, "u.pin!partition=0!u.pin-0-0000000000.json", "[1.5]\n");
}

static void only_topics_that_match_as_a_whole_are_taken(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "topics.regex", "u.(pin|geo)");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "1");
    sink_world_produce(f, "u.user", "1");
    sink_world_produce(f, "u.pin2", "1");
    sink_world_produce(f, "xu.pin", "1");
    sink_world_turn(f);
    assert_string_equal(sink_world_keys(f), "topics/u.pin/partition=0/u.pin+0+0000000000.json\n");
}

static void a_regex_that_takes_too_long_is_given_up_and_told(void **state)
{
    struct sink_world *f = *state;
    char topic[64];
    char log[16 * 1024];
    for (int i = 0; i < GROUP_PATTERN_OVERRUNS_MAX; i++) {
        snprintf(topic, sizeof(topic), "%040d-%d", 0, i);
        sink_world_produce(f, topic, "1");
    }
    sink_world_workshop_settings(f);
    sink_world_set(f, "topics.regex", "(0+)+[.,]");
    sink_world_put_connector(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    sink_world_produce(f, "u.pin", "1");
    sink_world_turn(f);
    rewind(f->log_file);
    log[fread(log, 1, sizeof(log) - 1, f->log_file)] = '\0';
    const char *told = strstr(log, "connector c: topics.regex=(0+)+[.,] takes too long");
    assert_non_null(told);
    assert_null(strstr(told + 1, "connector c: topics.regex"));
}

static void topics_can_be_listed_and_appear_later(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    f->settings[6].key = SPAN_LIT("topics");
    sink_world_set(f, "topics", "later, u.geo");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "1");
    sink_world_produce(f, "later", "1"); /* created by this very record */
    sink_world_turn(f);
    assert_string_equal(sink_world_keys(f), "topics/later/partition=0/later+0+0000000000.json\n");
}

static bool note_topic(void *ctx, struct span topic)
{
    buf_append_span(ctx, topic);
    buf_append_byte(ctx, ' ');
    return true;
}

static void the_topics_it_took_from_are_known_until_they_are_reset(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "1");
    sink_world_produce(f, "u.geo", "1");
    sink_world_turn(f);
    buf_reset(&f->text);
    assert_int_equal(connect_worker_topics(f->worker, SPAN_LIT("c"), note_topic, &f->text, NULL),
                     STATUS_OK);
    assert_string_equal(buf_cstr(&f->text), "u.geo u.pin ");
    assert_int_equal(connect_worker_topics_reset(f->worker, SPAN_LIT("c"), NULL), STATUS_OK);
    sink_world_produce(f, "u.pin", "1");
    sink_world_turn(f);
    buf_reset(&f->text);
    assert_int_equal(connect_worker_topics(f->worker, SPAN_LIT("c"), note_topic, &f->text, NULL),
                     STATUS_OK);
    assert_string_equal(buf_cstr(&f->text), "u.pin ");
}

static void a_topic_made_anew_begins_at_its_first_record(void **state)
{
    struct sink_world *f = *state;
    struct store_topic_spec spec = {.name = SPAN_LIT("u.pin"), .partition_count = 1};
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    sink_world_produce_many(f, "u.pin", 3);
    sink_world_turn(f);
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("u.pin"), NULL), STATUS_OK);
    assert_int_equal(store_topic_create(f->store, &spec, NULL), STATUS_OK);
    sink_world_produce(f, "u.pin", "\"new\"");
    sink_world_turn(f);
    sink_world_assert_object(f, "topics/u.pin/partition=0/u.pin+0+0000000000.json", "\"new\"\n");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 1);
}

static void a_committed_offset_that_the_log_has_not_begins_at_the_earliest(void **state)
{
    struct sink_world *f = *state;
    struct store_commit commit = {.topic = SPAN_LIT("u.pin"), .offset = 77, .metadata = SPAN_EMPTY};
    sink_world_produce_many(f, "u.pin", 2);
    assert_int_equal(store_group_commit(f->store, SPAN_LIT("connect-c"), &commit, NULL), STATUS_OK);
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    assert_int_equal(sink_world_key_count(f), 2);
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 2);
}

/* --- failures --------------------------------------------------------------------------------- */

static void a_record_that_is_no_json_fails_one_task_after_the_other(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "{\"good\":1}");
    sink_world_produce(f, "u.pin", "bad");
    sink_world_produce(f, "u.pin", "{\"good\":2}");
    sink_world_turn(f);
    /* Its partitions go to the next task, which meets the same record. */
    assert_string_equal(sink_world_task_states(f), "FAILED FAILED FAILED");
    assert_string_equal(
        sink_world_trace(f, 2),
        "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\n"
        "Caused by: org.apache.kafka.connect.errors.DataException: Converting byte[] to Kafka "
        "Connect data failed due to serialization error: \n"
        "Caused by: org.apache.kafka.common.errors.SerializationException: "
        "com.fasterxml.jackson.core.JsonParseException: Unrecognized token 'bad': was expecting "
        "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n"
        "Caused by: com.fasterxml.jackson.core.JsonParseException: Unrecognized token 'bad': was "
        "expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n");
    assert_int_equal(sink_world_key_count(f), 1);
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 1);
    sink_world_produce(f, "u.geo", "1"); /* nobody is left to take it */
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 1);
    assert_int_equal(connect_worker_restart(f->worker, SPAN_LIT("c"), NULL), STATUS_OK);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "FAILED FAILED FAILED");
}

static void a_restarted_task_goes_on_at_the_committed_offset(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "tasks.max", "1");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "1");
    sink_world_produce(f, "u.pin", NULL);
    sink_world_produce(f, "u.pin", "3");
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "FAILED");
    assert_string_equal(
        sink_world_trace(f, 0),
        "org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask due to "
        "unrecoverable exception.\n"
        "Caused by: org.apache.kafka.connect.errors.ConnectException: Null valued records are not "
        "writeable with current behavior.on.null.values 'settings.\n");
    assert_int_equal(connect_worker_restart_task(f->worker, SPAN_LIT("c"), 0, NULL), STATUS_OK);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "FAILED"); /* the tombstone is still there */
    assert_int_equal(sink_world_key_count(f), 1);
    sink_world_set(f, "behavior.on.null.values", "ignore");
    sink_world_put_connector(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING");
    assert_int_equal(sink_world_key_count(f), 2);
    sink_world_assert_object(f, "topics/u.pin/partition=0/u.pin+0+0000000002.json", "3\n");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 3);
    assert_int_equal(connect_worker_restart_task(f->worker, SPAN_LIT("c"), 1, NULL),
                     STATUS_NOT_FOUND);
}

static void a_bucket_that_is_not_there_fails_the_start(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "s3.bucket.name", "user-x-bucket");
    sink_world_put_connector(f);
    assert_string_equal(sink_world_task_states(f), "FAILED FAILED FAILED");
    assert_string_equal(sink_world_trace(f, 1), "org.apache.kafka.connect.errors.ConnectException: "
                                                "Non-existent S3 bucket: user-x-bucket\n");
    assert_int_equal(store_bucket_create(f->store, SPAN_LIT("user-x-bucket"), SPAN_LIT("r"), NULL),
                     STATUS_OK);
    assert_int_equal(connect_worker_restart_task(f->worker, SPAN_LIT("c"), 1, NULL), STATUS_OK);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "FAILED RUNNING FAILED");
}

static void a_bucket_name_with_a_comment_is_s3s_complaint(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "s3.bucket.name", WORLD_BUCKET " # mine");
    sink_world_put_connector(f);
    assert_string_equal(
        sink_world_trace(f, 0),
        "org.apache.kafka.connect.errors.ConnectException: "
        "com.amazonaws.services.s3.model.AmazonS3Exception: The specified bucket is not valid. "
        "(Service: Amazon S3; Status Code: 400; Error Code: InvalidBucketName)\n"
        "Caused by: com.amazonaws.services.s3.model.AmazonS3Exception: The specified bucket is "
        "not valid. (Service: Amazon S3; Status Code: 400; Error Code: InvalidBucketName)\n");
}

static void an_upload_that_fails_is_tried_again(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    assert_int_equal(store_bucket_delete(f->store, sink_world_bucket_id(f), NULL), STATUS_OK);
    sink_world_produce_many(f, "u.pin", 3);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), -1);
    assert_int_equal(store_bucket_create(f->store, SPAN_LIT(WORLD_BUCKET), SPAN_LIT("r"), NULL),
                     STATUS_OK);
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 0);
    env_advance(&f->env, 5000000); /* retry.backoff.ms */
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 3);
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 3);
}

static void a_key_that_s3_does_not_take_is_tried_again_too(void **state)
{
    struct sink_world *f = *state;
    char directory[1100];
    memset(directory, 'd', sizeof(directory) - 1);
    directory[sizeof(directory) - 1] = '\0';
    sink_world_workshop_settings(f);
    sink_world_set(f, "topics.dir", directory);
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "1");
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    assert_int_equal(sink_world_key_count(f), 0);
}

static void open_files_have_a_bound(void **state)
{
    struct sink_world *f = *state;
    sink_world_time_settings(f);
    sink_world_set(f, "path.format", "DDD-HH-mm-ss");
    sink_world_set(f, "flush.size", "100000");
    sink_world_put_connector(f);
    for (int i = 0; i < SINK_OPEN_STREAMS_MAX; i++) {
        sink_world_produce_at(f, "u.pin", "1", i * INT64_C(1000));
    }
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    sink_world_produce_at(f, "u.pin", "1", SINK_OPEN_STREAMS_MAX * INT64_C(1000));
    sink_world_turn(f);
    assert_non_null(strstr(sink_world_trace(f, 0),
                           "Caused by: java.lang.OutOfMemoryError: Java heap "
                           "space\n"));
    assert_int_equal(sink_world_key_count(f), 0);
    assert_int_equal(sink_world_committed(f, "u.pin", 0), -1);
}

static void files_of_one_connector_do_not_keep_another_from_its_own(void **state)
{
    struct sink_world *f = *state;
    sink_world_time_settings(f);
    sink_world_set(f, "path.format", "DDD-HH-mm-ss");
    sink_world_set(f, "flush.size", "100000");
    struct connect_entries hog = {f->settings, f->setting_count};
    struct connect_spec spec = {.name = SPAN_LIT("hog"), .config = &hog, .msk = SPAN_EMPTY};
    assert_int_equal(connect_worker_put(f->worker, &spec, NULL), STATUS_OK);
    for (int i = 0; i < SINK_OPEN_STREAMS_MAX; i++) {
        sink_world_produce_at(f, "u.pin", "1", i * INT64_C(1000));
    }
    sink_world_turn(f);
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    assert_int_equal(sink_world_key_count(f), SINK_OPEN_STREAMS_MAX);
    sink_world_set(f, "flush.size", "2");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.geo", "1"); /* the hog's one too many */
    sink_world_produce(f, "u.geo", "2");
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    sink_world_assert_object(f, "topics/u.geo/partition=0/u.geo+0+0000000000.json", "1\n2\n");
}

/* --- pausing, changing, deleting -------------------------------------------------------------- */

static void a_paused_connector_takes_nothing_until_it_is_resumed(void **state)
{
    struct sink_world *f = *state;
    struct connect_connector_view view;
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "2");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "0");
    sink_world_turn(f);
    assert_int_equal(connect_worker_pause(f->worker, SPAN_LIT("c"), true, NULL), STATUS_OK);
    sink_world_produce(f, "u.pin", "1");
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "PAUSED PAUSED PAUSED");
    assert_true(connect_worker_find(f->worker, SPAN_LIT("c"), &view));
    assert_int_equal(view.state, CONNECT_PAUSED);
    assert_int_equal(sink_world_key_count(f), 0);
    assert_int_equal(sink_world_committed(f, "u.pin", 0), -1);
    assert_int_equal(connect_worker_pause(f->worker, SPAN_LIT("c"), false, NULL), STATUS_OK);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    sink_world_assert_object(f, "topics/u.pin/partition=0/u.pin+0+0000000000.json", "0\n1\n");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 2);
}

static void a_new_configuration_goes_on_where_the_old_one_was(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "0");
    sink_world_turn(f);
    sink_world_set(f, "topics.dir", "other");
    sink_world_set(f, "tasks.max", "1");
    sink_world_put_connector(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING");
    sink_world_produce(f, "u.pin", "1");
    sink_world_turn(f);
    assert_string_equal(sink_world_keys(f), "other/u.pin/partition=0/u.pin+0+0000000001.json\n"
                                            "topics/u.pin/partition=0/u.pin+0+0000000000.json\n");
}

/* Measured on Connect 2.8.1. */
static void the_same_configuration_again_leaves_the_tasks_alone(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "s3.bucket.name", "later");
    sink_world_put_connector(f);
    assert_int_equal(store_bucket_create(f->store, SPAN_LIT("later"), SPAN_LIT("us-east-1"), NULL),
                     STATUS_OK);
    sink_world_put_connector(f);
    assert_string_equal(sink_world_task_states(f), "FAILED FAILED FAILED");
    sink_world_set(f, "flush.size", "2");
    sink_world_put_connector(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
}

static void a_deleted_connector_is_gone_and_its_offsets_stay(void **state)
{
    struct sink_world *f = *state;
    struct connect_connector_view view;
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "0");
    sink_world_turn(f);
    assert_int_equal(connect_worker_delete(f->worker, SPAN_LIT("c"), NULL), STATUS_OK);
    sink_world_produce(f, "u.pin", "1");
    sink_world_turn(f);
    assert_false(connect_worker_find(f->worker, SPAN_LIT("c"), &view));
    assert_int_equal(connect_worker_delete(f->worker, SPAN_LIT("c"), NULL), STATUS_NOT_FOUND);
    assert_int_equal(connect_worker_pause(f->worker, SPAN_LIT("c"), true, NULL), STATUS_NOT_FOUND);
    assert_int_equal(sink_world_key_count(f), 1);
    sink_world_put_connector(f);
    assert_int_equal(sink_world_key_count(f), 2);
}

static void a_connector_with_a_fault_has_no_tasks(void **state)
{
    struct sink_world *f = *state;
    struct connect_connector_view view;
    sink_world_workshop_settings(f);
    sink_world_set(f, "rotate.schedule.interval.ms", "1000");
    sink_world_put_connector(f);
    assert_true(connect_worker_find(f->worker, SPAN_LIT("c"), &view));
    assert_int_equal(view.state, CONNECT_FAILED);
    assert_true(
        span_starts_with(view.trace, SPAN_LIT("org.apache.kafka.common.config.ConfigException: ")));
    assert_int_equal(view.task_count, 0);
}

static void a_configuration_that_is_not_sound_is_refused(void **state)
{
    struct sink_world *f = *state;
    struct error err;
    sink_world_workshop_settings(f);
    sink_world_set(f, "topics.regex", "u.(");
    struct connect_entries entries = {f->settings, f->setting_count};
    struct connect_spec spec = {.name = SPAN_LIT("c"), .config = &entries, .msk = SPAN_EMPTY};
    assert_int_equal(connect_worker_put(f->worker, &spec, &err), STATUS_INVALID);
    assert_int_equal(connect_worker_count(f->worker), 0);
}

static void a_row_that_is_not_sound_is_left_out(void **state)
{
    struct sink_world *f = *state;
    struct store_connector row = {
        .name = SPAN_LIT("broken"), .config = SPAN_LIT("{"), .msk = SPAN_EMPTY};
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    assert_int_equal(store_connector_put(f->store, &row, NULL), STATUS_OK);
    sink_world_turn(f);
    sink_world_close(f);
    sink_world_open(f);
    sink_world_produce(f, "u.pin", "1");
    sink_world_turn(f);
    assert_int_equal(connect_worker_count(f->worker), 1);
    assert_int_equal(sink_world_key_count(f), 1);
}

/* --- turns that are lost ---------------------------------------------------------------------- */

static void lost_turn(struct sink_world *f)
{
    lose_turn(f->store);
    sink_world_run(f);
    assert_int_equal(store_turn_commit(f->store, NULL), STATUS_DISK_FULL);
}

static void a_lost_turn_is_taken_again(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "2");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "0");
    sink_world_turn(f);
    sink_world_produce(f, "u.pin", "1");
    sink_world_run(f);
    lost_turn(f);
    assert_int_equal(sink_world_key_count(f), 0);
    assert_int_equal(sink_world_committed(f, "u.pin", 0), -1);
    sink_world_produce(f, "u.pin", "one");
    sink_world_produce(f, "u.pin", "2");
    sink_world_set(f, "errors.tolerance", "all");
    sink_world_turn(f);
    /* "one" is no JSON: the task that met it failed for good. */
    assert_string_equal(sink_world_task_states(f), "FAILED FAILED FAILED");
    sink_world_put_connector(f);
    sink_world_assert_object(f, "topics/u.pin/partition=0/u.pin+0+0000000000.json", "0\n2\n");
}

static void what_a_lost_turn_did_to_connectors_is_undone(void **state)
{
    struct sink_world *f = *state;
    struct connect_connector_view view;
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "bad");
    sink_world_run(f);
    assert_string_equal(sink_world_task_states(f), "FAILED FAILED FAILED");
    lost_turn(f);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f),
                        "RUNNING RUNNING RUNNING"); /* the record never was */
    assert_int_equal(connect_worker_delete(f->worker, SPAN_LIT("c"), NULL), STATUS_OK);
    lost_turn(f);
    assert_true(connect_worker_find(f->worker, SPAN_LIT("c"), &view));
    sink_world_turn(f);
    assert_true(connect_worker_find(f->worker, SPAN_LIT("c"), &view));
    sink_world_produce(f, "u.pin", "1");
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 1);
}

static void a_task_that_changed_twice_in_a_lost_turn_is_what_it_was_before(void **state)
{
    struct sink_world *f = *state;
    struct span name = SPAN_LIT("c");
    sink_world_workshop_settings(f);
    sink_world_set(f, "tasks.max", "1");
    sink_world_put_connector(f);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING");
    assert_int_equal(connect_worker_pause(f->worker, name, true, NULL), STATUS_OK);
    assert_int_equal(connect_worker_pause(f->worker, name, false, NULL), STATUS_OK);
    sink_world_produce(f, "u.pin", "bad");
    sink_world_run(f);
    assert_string_equal(sink_world_task_states(f), "FAILED");
    lost_turn(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING");
    assert_int_equal(connect_worker_pause(f->worker, name, true, NULL), STATUS_OK);
    sink_world_turn(f);
    assert_int_equal(connect_worker_pause(f->worker, name, false, NULL), STATUS_OK);
    assert_string_equal(sink_world_task_states(f), "RUNNING");
    lost_turn(f);
    assert_string_equal(sink_world_task_states(f), "PAUSED");
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "PAUSED");
}

static void what_a_savepoint_takes_back_is_undone_and_the_rest_of_the_turn_stays(void **state)
{
    struct sink_world *f = *state;
    struct span name = SPAN_LIT("c");
    struct connect_connector_view view;
    sink_world_workshop_settings(f);
    sink_world_set(f, "tasks.max", "1");
    sink_world_put_connector(f);
    sink_world_turn(f);
    assert_int_equal(connect_worker_pause(f->worker, name, true, NULL), STATUS_OK);
    assert_int_equal(store_savepoint(f->store, NULL), STATUS_OK);
    assert_int_equal(connect_worker_restart_task(f->worker, name, 0, NULL), STATUS_OK);
    store_savepoint_rollback(f->store);
    assert_string_equal(sink_world_task_states(f), "PAUSED");
    assert_int_equal(store_savepoint(f->store, NULL), STATUS_OK);
    assert_int_equal(connect_worker_delete(f->worker, name, NULL), STATUS_OK);
    store_savepoint_rollback(f->store);
    assert_true(connect_worker_find(f->worker, name, &view));
    assert_int_equal(view.state, CONNECT_PAUSED);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "PAUSED");
}

static void a_crash_neither_loses_nor_repeats(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "2");
    sink_world_put_connector(f);
    for (int i = 0; i < 3; i++) {
        char value[16];
        snprintf(value, sizeof(value), "%d", i);
        sink_world_produce(f, "u.pin", value);
        sink_world_turn(f);
    }
    sink_world_produce(f, "u.pin", "3");
    sink_world_run(f); /* its object is put, and nothing is committed */
    assert_int_equal(sink_world_key_count(f), 2);
    sink_world_close(f);
    sink_world_open(f);
    assert_int_equal(sink_world_key_count(f), 1);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 2);
    sink_world_produce(f, "u.pin", "3");
    sink_world_turn(f);
    assert_string_equal(sink_world_keys(f), "topics/u.pin/partition=0/u.pin+0+0000000000.json\n"
                                            "topics/u.pin/partition=0/u.pin+0+0000000002.json\n");
    sink_world_assert_object(f, "topics/u.pin/partition=0/u.pin+0+0000000000.json", "0\n1\n");
    sink_world_assert_object(f, "topics/u.pin/partition=0/u.pin+0+0000000002.json", "2\n3\n");
    assert_int_equal(sink_world_committed(f, "u.pin", 0), 4);
}

static void pausing_outlives_a_restart_and_failing_does_not(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "tasks.max", "2");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "bad");
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "FAILED FAILED");
    assert_int_equal(connect_worker_pause(f->worker, SPAN_LIT("c"), true, NULL), STATUS_OK);
    sink_world_turn(f);
    sink_world_close(f);
    sink_world_open(f);
    sink_world_turn(f);
    assert_string_equal(sink_world_task_states(f), "PAUSED PAUSED");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, sink_world_setup, sink_world_teardown)
#define DISK(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, sink_world_setup_on_disk, sink_world_teardown)
    const struct CMUnitTest tests[] = {
        T(an_object_is_in_the_turn_of_its_record),
        T(a_thousand_records_of_a_turn_are_a_thousand_objects),
        T(a_backlog_is_taken_slice_by_slice),
        T(partitions_and_wide_offsets_are_in_the_names),
        T(names_have_the_configured_delimiters),
        T(only_topics_that_match_as_a_whole_are_taken),
        T(a_regex_that_takes_too_long_is_given_up_and_told),
        T(topics_can_be_listed_and_appear_later),
        T(the_topics_it_took_from_are_known_until_they_are_reset),
        T(a_topic_made_anew_begins_at_its_first_record),
        T(a_committed_offset_that_the_log_has_not_begins_at_the_earliest),
        T(a_record_that_is_no_json_fails_one_task_after_the_other),
        T(a_restarted_task_goes_on_at_the_committed_offset),
        T(a_bucket_that_is_not_there_fails_the_start),
        T(a_bucket_name_with_a_comment_is_s3s_complaint),
        T(an_upload_that_fails_is_tried_again),
        T(a_key_that_s3_does_not_take_is_tried_again_too),
        T(open_files_have_a_bound),
        T(files_of_one_connector_do_not_keep_another_from_its_own),
        T(a_paused_connector_takes_nothing_until_it_is_resumed),
        T(a_new_configuration_goes_on_where_the_old_one_was),
        T(the_same_configuration_again_leaves_the_tasks_alone),
        T(a_deleted_connector_is_gone_and_its_offsets_stay),
        T(a_connector_with_a_fault_has_no_tasks),
        T(a_configuration_that_is_not_sound_is_refused),
        DISK(a_row_that_is_not_sound_is_left_out),
        T(a_lost_turn_is_taken_again),
        T(what_a_lost_turn_did_to_connectors_is_undone),
        T(a_task_that_changed_twice_in_a_lost_turn_is_what_it_was_before),
        T(what_a_savepoint_takes_back_is_undone_and_the_rest_of_the_turn_stays),
        DISK(a_crash_neither_loses_nor_repeats),
        DISK(pausing_outlives_a_restart_and_failing_does_not),
    };
#undef T
#undef DISK
    return cmocka_run_group_tests(tests, NULL, NULL);
}
