#include "sink_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- the world -------------------------------------------------------------------------------- */

void sink_world_open(struct sink_world *f)
{
    static const char *const topics[] = {"u.pin", "u.geo", "u.user"};
    struct store_options store = {.env = &f->env,
                                  .log = &f->log,
                                  .directory = f->on_disk ? f->dir.path : NULL,
                                  .topics = topics,
                                  .topic_count = ARRAY_COUNT(topics)};
    assert_int_equal(store_open(&store, &f->store, NULL), STATUS_OK);
    struct broker_store_options broker = {.store = f->store, .env = &f->env, .auto_create = true};
    assert_int_equal(broker_store_new(&broker, &f->broker), STATUS_OK);
    timer_heap_init(&f->timers, &f->env);
    struct connect_worker_options options = {.store = f->store,
                                             .crypto = f->crypto,
                                             .broker = f->broker,
                                             .policy = f->policy,
                                             .timers = &f->timers,
                                             .budget = &f->budget,
                                             .env = &f->env,
                                             .log = &f->log};
    assert_int_equal(connect_worker_new(&options, &f->worker, NULL), STATUS_OK);
}

void sink_world_close(struct sink_world *f)
{
    connect_worker_free(f->worker);
    assert_int_equal(f->budget.used_bytes, 0);
    broker_free(f->broker);
    timer_heap_release(&f->timers);
    store_close(f->store);
}

bool sink_world_run(struct sink_world *f)
{
    timer_heap_run(&f->timers);
    struct turn_work work = connect_worker_work(f->worker);
    return work.run(work.ctx);
}

void sink_world_turn(struct sink_world *f)
{
    sink_world_run(f);
    assert_int_equal(store_turn_commit(f->store, NULL), STATUS_OK);
}

/* Of an empty store. */
static void world_begin(struct sink_world *f)
{
    sink_world_open(f);
    assert_int_equal(
        store_bucket_create(f->store, SPAN_LIT(WORLD_BUCKET), SPAN_LIT("us-east-1"), NULL),
        STATUS_OK);
    sink_world_turn(f);
}

int sink_world_setup(void **state)
{
    struct sink_world *f = calloc(1, sizeof(*f));
    env_init_virtual(&f->env, 1, sink_world_start_us);
    budget_init(&f->budget, TURN_BUDGET_BYTES_MAX);
    f->log_file = tmpfile();
    log_init(&f->log, &f->env, f->log_file, LOG_INFO);
    arena_init(&f->arena, WORLD_TEXT_BYTES_MAX);
    buf_init(&f->text, WORLD_TEXT_BYTES_MAX);
    assert_int_equal(crypto_new(&f->crypto), STATUS_OK);
    world_begin(f);
    *state = f;
    return 0;
}

int sink_world_setup_on_disk(void **state)
{
    sink_world_setup(state);
    struct sink_world *f = *state;
    sink_world_close(f);
    f->on_disk = true;
    temp_dir_make(&f->dir);
    world_begin(f);
    return 0;
}

int sink_world_teardown(void **state)
{
    struct sink_world *f = *state;
    sink_world_close(f);
    if (f->on_disk) {
        temp_dir_remove(&f->dir);
    }
    crypto_free(f->crypto);
    arena_release(&f->arena);
    buf_release(&f->text);
    fclose(f->log_file);
    free(f);
    return 0;
}

/* --- connectors ------------------------------------------------------------------------------- */

void sink_world_set(struct sink_world *f, const char *key, const char *value)
{
    for (size_t i = 0; i < f->setting_count; i++) {
        if (span_equal_cstr(f->settings[i].key, key)) {
            f->settings[i].value = span_from_cstr(value);
            return;
        }
    }
    assert_true(f->setting_count < WORLD_SETTINGS_MAX);
    f->settings[f->setting_count++] =
        (struct connect_entry){span_from_cstr(key), span_from_cstr(value)};
}

void sink_world_workshop_settings(struct sink_world *f)
{
    sink_world_set(f, "name", "c");
    sink_world_set(f, "connector.class", "io.confluent.connect.s3.S3SinkConnector");
    sink_world_set(f, "s3.region", "us-east-1");
    sink_world_set(f, "flush.size", "1");
    sink_world_set(f, "schema.compatibility", "NONE");
    sink_world_set(f, "tasks.max", "3");
    sink_world_set(f, "topics.regex", "u.*");
    sink_world_set(f, "format.class", "io.confluent.connect.s3.format.json.JsonFormat");
    sink_world_set(f, "partitioner.class",
                   "io.confluent.connect.storage.partitioner.DefaultPartitioner");
    sink_world_set(f, "value.converter", "org.apache.kafka.connect.json.JsonConverter");
    sink_world_set(f, "value.converter.schemas.enable", "false");
    sink_world_set(f, "storage.class", "io.confluent.connect.s3.storage.S3Storage");
    sink_world_set(f, "key.converter", "org.apache.kafka.connect.storage.StringConverter");
    sink_world_set(f, "s3.bucket.name", WORLD_BUCKET);
}

void sink_world_put_connector(struct sink_world *f)
{
    struct connect_entries entries = {f->settings, f->setting_count};
    struct connect_spec spec = {.name = SPAN_LIT("c"), .config = &entries, .msk = SPAN_EMPTY};
    struct error err = ERROR_NONE;
    if (connect_worker_put(f->worker, &spec, &err) != STATUS_OK) {
        fail_msg("%s", err.message);
    }
    sink_world_turn(f);
}

void sink_world_time_settings(struct sink_world *f)
{
    sink_world_workshop_settings(f);
    sink_world_set(f, "partitioner.class",
                   "io.confluent.connect.storage.partitioner.TimeBasedPartitioner");
    sink_world_set(f, "path.format", "ss");
    sink_world_set(f, "partition.duration.ms", "1000");
    sink_world_set(f, "locale", "en-US");
    sink_world_set(f, "timezone", "UTC");
    sink_world_set(f, "timestamp.extractor", "Record");
    sink_world_set(f, "flush.size", "100");
}

const char *sink_world_task_states(struct sink_world *f)
{
    struct connect_connector_view view;
    assert_true(connect_worker_find(f->worker, SPAN_LIT("c"), &view));
    buf_reset(&f->text);
    for (size_t i = 0; i < view.task_count; i++) {
        buf_printf(&f->text, "%s%s", i > 0 ? " " : "", connect_state_name(view.tasks[i].state));
    }
    return buf_cstr(&f->text);
}

const char *sink_world_trace(struct sink_world *f, size_t task)
{
    struct connect_connector_view view;
    assert_true(connect_worker_find(f->worker, SPAN_LIT("c"), &view));
    assert_true(task < view.task_count);
    return arena_copy_cstr(&f->arena, view.tasks[task].trace);
}

/* --- records ---------------------------------------------------------------------------------- */

void sink_world_produce_record(struct sink_world *f, const char *topic,
                               const struct broker_record *record)
{
    struct broker_result result;
    struct broker_produce request = {.topic = span_from_cstr(topic),
                                     .records = record,
                                     .results = &result,
                                     .count = 1,
                                     .base = {.arena = &f->arena}};
    assert_int_equal(f->broker->ops->produce(f->broker, &request), BROKER_DONE);
    assert_int_equal(result.error, KAFKA_ERROR_NONE);
}

void sink_world_produce_at(struct sink_world *f, const char *topic, const char *value,
                           int64_t timestamp_ms)
{
    struct broker_record record = {.partition = -1,
                                   .has_value = value != NULL,
                                   .value = span_from_cstr(value),
                                   .headers = SPAN_EMPTY,
                                   .timestamp_ms = timestamp_ms};
    sink_world_produce_record(f, topic, &record);
}

void sink_world_produce(struct sink_world *f, const char *topic, const char *value)
{
    sink_world_produce_at(f, topic, value, -1);
}

void sink_world_produce_many(struct sink_world *f, const char *topic, int count)
{
    for (int i = 0; i < count; i++) {
        sink_world_produce(f, topic, "{\"a\":1}");
    }
}

/* --- what came of it -------------------------------------------------------------------------- */

int64_t sink_world_bucket_id(struct sink_world *f)
{
    struct store_bucket bucket;
    assert_int_equal(store_bucket_find(f->store, SPAN_LIT(WORLD_BUCKET), &f->arena, &bucket, NULL),
                     STATUS_OK);
    return bucket.id;
}

static bool list_key(void *ctx, const struct store_object *object)
{
    struct buf *out = ctx;
    buf_append_span(out, object->key);
    buf_append_byte(out, '\n');
    return true;
}

const char *sink_world_keys(struct sink_world *f)
{
    struct store_object_range range = {.bucket_id = sink_world_bucket_id(f), .from = SPAN_EMPTY};
    buf_reset(&f->text);
    assert_int_equal(store_objects_visit(f->store, range, list_key, &f->text, NULL), STATUS_OK);
    return buf_cstr(&f->text);
}

size_t sink_world_key_count(struct sink_world *f)
{
    size_t count = 0;
    for (const char *p = sink_world_keys(f); *p != '\0'; p++) {
        count += *p == '\n';
    }
    return count;
}

struct span sink_world_object_bytes(struct sink_world *f, const char *key,
                                    struct store_object *object)
{
    buf_reset(&f->text);
    if (store_object_find(f->store, sink_world_bucket_id(f), span_from_cstr(key), &f->arena, object,
                          NULL) != STATUS_OK) {
        fail_msg("%s is not there, but:\n%s", key, sink_world_keys(f));
    }
    assert_int_equal(
        store_object_read(f->store, object->id, 0, WORLD_TEXT_BYTES_MAX, &f->text, NULL),
        STATUS_OK);
    return buf_span(&f->text);
}

void sink_world_assert_object(struct sink_world *f, const char *key, const char *expected)
{
    struct store_object object;
    (void)sink_world_object_bytes(f, key, &object);
    assert_string_equal(buf_cstr(&f->text), expected);
}

int64_t sink_world_committed(struct sink_world *f, const char *topic, int32_t partition)
{
    struct store_group_place place = {SPAN_LIT("connect-c"), span_from_cstr(topic), partition};
    int64_t offset = -1;
    enum status status = store_group_committed(f->store, place, &offset, NULL, NULL);
    assert_true(status == STATUS_OK || status == STATUS_NOT_FOUND);
    return offset;
}
