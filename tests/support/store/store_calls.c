#include "store_calls.h"

#include "store_connectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LARGE_BYTES = 150000, PART_BYTES = 70000, RECORDS = 5, TEXT_BYTES = 400000 };

#define MUST(call)                                                                                 \
    do {                                                                                           \
        struct error must_error = ERROR_NONE;                                                      \
        struct error *err = &must_error;                                                           \
        if ((call) != STATUS_OK) {                                                                 \
            fail_msg("%s: %s", #call, must_error.message);                                         \
        }                                                                                          \
    } while (0)

/* What a visit has seen; the last name, to tell that it was read whole. */
struct seen {
    int count;
    size_t bytes;
};

/* OK only when the list was whole. */
static enum status whole(enum status status, const struct seen *seen, int expected)
{
    if (status == STATUS_OK) {
        assert_int_equal(seen->count, expected);
    }
    return status;
}

static struct store *store_of(struct store_calls *calls)
{
    return calls->lake->store;
}

/* --- topics, records, groups --- */

static struct store_place place(struct store_calls *calls)
{
    const struct store_topic *topic = store_topic_find(store_of(calls), SPAN_LIT("kept"));
    assert_non_null(topic);
    return (struct store_place){topic, 0};
}

static enum status topic_create(struct store_calls *calls, struct error *err)
{
    const struct store_config_entry configs[] = {{"retention.ms", "1"}, {"cleanup.policy", "x"}};
    struct store_topic_spec spec = {SPAN_LIT("new"), 3, configs, ARRAY_COUNT(configs)};
    return store_topic_create(store_of(calls), &spec, err);
}

static enum status topic_delete(struct store_calls *calls, struct error *err)
{
    return store_topic_delete(store_of(calls), SPAN_LIT("kept"), err);
}

static void see_config(void *ctx, struct span name, struct span value)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->bytes += name.len + value.len;
}

static enum status topic_configs(struct store_calls *calls, struct error *err)
{
    struct seen seen = {0};
    enum status status =
        store_topic_configs(store_of(calls), place(calls).topic, see_config, &seen, err);
    return whole(status, &seen, 1);
}

static enum status append_at(struct store_calls *calls, int64_t timestamp_ms, struct error *err)
{
    int64_t offset = -1;
    struct store_record record = {.timestamp_ms = timestamp_ms,
                                  .has_key = true,
                                  .has_value = true,
                                  .key = SPAN_LIT("key"),
                                  .value = SPAN_LIT("value"),
                                  .headers = SPAN_LIT("x")};
    return store_record_append(store_of(calls), place(calls), &record, &offset, err);
}

static enum status record_append(struct store_calls *calls, struct error *err)
{
    return append_at(calls, 1700000009000, err);
}

/* Before the one before it: the partition can be searched by time no longer. */
static enum status record_append_late(struct store_calls *calls, struct error *err)
{
    return append_at(calls, 1600000000000, err);
}

static bool see_record(void *ctx, const struct store_record *record)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->bytes += record->value.len;
    return true;
}

static enum status records_read(struct store_calls *calls, struct error *err)
{
    struct seen seen = {0};
    struct store_range range = {place(calls).topic, 0, 0, 100};
    enum status status = store_records_read(store_of(calls), range, see_record, &seen, err);
    return whole(status, &seen, RECORDS + 1);
}

static enum status offset_for_time(struct store_calls *calls, struct error *err)
{
    int64_t offset = -1;
    enum status status =
        store_offset_for_time(store_of(calls), place(calls), 1700000000002, &offset, err);
    assert_true(status != STATUS_OK || offset == 2);
    return status;
}

static enum status batch_append(struct store_calls *calls, struct error *err)
{
    struct store_record record = {
        .timestamp_ms = 1700000009000, .has_value = true, .value = SPAN_LIT("batched")};
    struct store_record records[] = {record, record};
    struct store_batch_put put = {SPAN_LIT("the bytes"), records, ARRAY_COUNT(records)};
    int64_t first = -1;
    return store_batch_append(store_of(calls), place(calls), &put, &first, err);
}

static enum status batch_find(struct store_calls *calls, struct error *err)
{
    struct store_batch batch = {0};
    struct buf bytes;
    buf_init(&bytes, TEXT_BYTES);
    enum status status = store_batch_find(store_of(calls), place(calls), 0, &batch, &bytes, err);
    assert_true(status != STATUS_OK || span_equal_cstr(batch.bytes, "a batch"));
    buf_release(&bytes);
    return status;
}

static enum status group_commit(struct store_calls *calls, struct error *err)
{
    struct store_commit commit = {SPAN_LIT("kept"), 0, 3, SPAN_LIT("metadata")};
    return store_group_commit(store_of(calls), SPAN_LIT("students"), &commit, err);
}

static enum status group_committed(struct store_calls *calls, struct error *err)
{
    struct store_group_place at = {SPAN_LIT("students"), SPAN_LIT("kept"), 0};
    struct buf metadata;
    int64_t offset = -1;
    buf_init(&metadata, TEXT_BYTES);
    enum status status = store_group_committed(store_of(calls), at, &offset, &metadata, err);
    if (status == STATUS_OK && !buf_ok(&metadata)) {
        status = error_no_memory(err); /* the caller's to see */
    }
    assert_true(status != STATUS_OK || (offset == 2 && metadata.len > 0));
    buf_release(&metadata);
    return status;
}

static void see_commit(void *ctx, struct span group, const struct store_commit *commit)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->bytes += group.len + commit->metadata.len;
}

static bool see_commit_from(void *ctx, const struct store_commit *commit)
{
    see_commit(ctx, SPAN_EMPTY, commit);
    return true;
}

static enum status group_visit(struct store_calls *calls, struct error *err)
{
    struct seen seen = {0};
    enum status status =
        store_group_visit(store_of(calls), SPAN_LIT("students"), see_commit, &seen, err);
    return whole(status, &seen, 1);
}

static enum status groups_visit(struct store_calls *calls, struct error *err)
{
    struct seen seen = {0};
    return whole(store_group_visit(store_of(calls), SPAN_EMPTY, see_commit, &seen, err), &seen, 2);
}

static enum status group_visit_from(struct store_calls *calls, struct error *err)
{
    struct seen seen = {0};
    struct store_group_place from = {SPAN_LIT("students"), SPAN_EMPTY, 0};
    return whole(store_group_visit_from(store_of(calls), from, see_commit_from, &seen, err), &seen,
                 1);
}

/* --- buckets and objects --- */

static enum status bucket_create(struct store_calls *calls, struct error *err)
{
    return store_bucket_create(store_of(calls), SPAN_LIT("new-bucket"), SPAN_LIT("eu-west-1"), err);
}

static enum status bucket_find(struct store_calls *calls, struct error *err)
{
    struct store_bucket bucket;
    return store_bucket_find(store_of(calls), SPAN_LIT("spare"), &calls->found, &bucket, err);
}

static enum status bucket_delete(struct store_calls *calls, struct error *err)
{
    return store_bucket_delete(store_of(calls), calls->spare_bucket, err);
}

static bool see_bucket(void *ctx, const struct store_bucket *bucket)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->bytes += bucket->region.len;
    return true;
}

static enum status buckets_visit(struct store_calls *calls, struct error *err)
{
    struct seen seen = {0};
    return whole(store_buckets_visit(store_of(calls), see_bucket, &seen, err), &seen, 2);
}

/* A body of made-up bytes in two pieces; NULL when that failed. */
static struct store_body *body_of(struct store_calls *calls, bool small, size_t size,
                                  enum status *status, struct error *err)
{
    static const char bytes[LARGE_BYTES];
    struct store_body *body = NULL;
    *status = store_body_new(store_of(calls), small, &body);
    if (*status != STATUS_OK) {
        error_no_memory(err);
        return NULL;
    }
    *status = store_body_append(body, span_from(bytes, size / 3), err);
    if (*status == STATUS_OK) {
        *status = store_body_append(body, span_from(bytes, size - size / 3), err);
    }
    return body;
}

static enum status put_under(struct store_calls *calls, const char *key, size_t size,
                             struct error *err)
{
    struct store_object_put put = lake_put_of(calls->lake, key);
    enum status status;
    put.checksum = SPAN_LIT("crc32 NhCmhg== FULL_OBJECT");
    put.body = body_of(calls, true, size, &status, err);
    if (status == STATUS_OK) {
        status = store_object_put(store_of(calls), &put, err);
    }
    store_body_free(put.body);
    return status;
}

static enum status object_put_small(struct store_calls *calls, struct error *err)
{
    return put_under(calls, "new", 1000, err);
}

static enum status object_put_large(struct store_calls *calls, struct error *err)
{
    return put_under(calls, "new", LARGE_BYTES, err);
}

static enum status object_replace(struct store_calls *calls, struct error *err)
{
    return put_under(calls, "large", LARGE_BYTES, err);
}

static enum status object_replace_by_small(struct store_calls *calls, struct error *err)
{
    return put_under(calls, "joined", 10, err);
}

static enum status object_find(struct store_calls *calls, struct error *err)
{
    struct store_object object = {0};
    enum status status = store_object_find(store_of(calls), calls->lake->bucket, SPAN_LIT("joined"),
                                           &calls->found, &object, err);
    assert_true(status != STATUS_OK || object.size == 2 * PART_BYTES);
    return status;
}

static enum status object_delete(struct store_calls *calls, struct error *err)
{
    bool existed = false;
    enum status status =
        store_object_delete(store_of(calls), calls->lake->bucket, SPAN_LIT("large"), &existed, err);
    assert_true(status != STATUS_OK || existed);
    return status;
}

static enum status object_copy(struct store_calls *calls, struct error *err)
{
    struct store_object_put put = lake_put_of(calls->lake, "copy");
    return store_object_copy(store_of(calls), &calls->large, &put, err);
}

static enum status object_copy_small(struct store_calls *calls, struct error *err)
{
    struct store_object_put put = lake_put_of(calls->lake, "large");
    return store_object_copy(store_of(calls), &calls->small, &put, err);
}

static enum status read_whole(struct store_calls *calls, const struct store_object *object,
                              struct error *err)
{
    struct buf out;
    buf_init(&out, TEXT_BYTES);
    enum status status =
        store_object_read(store_of(calls), object->id, 0, TEXT_BYTES - 1, &out, err);
    assert_true(status != STATUS_OK || out.len == object->size);
    buf_release(&out);
    return status;
}

static enum status object_read_small(struct store_calls *calls, struct error *err)
{
    return read_whole(calls, &calls->small, err);
}

static enum status object_read_large(struct store_calls *calls, struct error *err)
{
    return read_whole(calls, &calls->large, err);
}

static enum status object_read_joined(struct store_calls *calls, struct error *err)
{
    return read_whole(calls, &calls->joined, err);
}

static enum status object_piece(struct store_calls *calls, struct error *err)
{
    struct store_object_piece piece = {0};
    enum status status = store_object_piece(store_of(calls), calls->joined.id, 1, &piece, err);
    assert_true(status != STATUS_OK || (piece.start == PART_BYTES && piece.count == 2));
    return status;
}

static enum status object_pin(struct store_calls *calls, struct error *err)
{
    enum status status = store_object_pin(store_of(calls), calls->large.id);
    if (status == STATUS_OK) {
        store_object_unpin(store_of(calls), calls->large.id);
        return STATUS_OK;
    }
    return error_no_memory(err);
}

static bool see_object(void *ctx, const struct store_object *object)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->bytes += object->key.len;
    return true;
}

static enum status objects_visit(struct store_calls *calls, struct error *err)
{
    struct seen seen = {0};
    struct store_object_range range = {.bucket_id = calls->lake->bucket};
    return whole(store_objects_visit(store_of(calls), range, see_object, &seen, err), &seen, 3);
}

/* --- uploads --- */

static enum status upload_create(struct store_calls *calls, struct error *err)
{
    struct store_upload upload = {.id = SPAN_LIT("new-upload"),
                                  .bucket_id = calls->lake->bucket,
                                  .key = SPAN_LIT("new"),
                                  .created_ms = 1,
                                  .headers = SPAN_LIT("a: b\n"),
                                  .checksum_algorithm = SPAN_LIT("crc32 FULL_OBJECT")};
    return store_upload_create(store_of(calls), &upload, err);
}

static enum status upload_find(struct store_calls *calls, struct error *err)
{
    struct store_upload_place at = {calls->lake->bucket, SPAN_LIT("open"), SPAN_LIT("upload")};
    struct store_upload upload;
    return store_upload_find(store_of(calls), at, &calls->found, &upload, err);
}

static enum status put_part(struct store_calls *calls, int32_t number, struct error *err)
{
    struct store_part part = {.number = number, .etag = SPAN_LIT("e"), .modified_ms = 1};
    enum status status;
    struct store_body *body = body_of(calls, false, PART_BYTES, &status, err);
    if (status == STATUS_OK) {
        status = store_part_put(store_of(calls), SPAN_LIT("upload"), &part, body, err);
    }
    store_body_free(body);
    return status;
}

static enum status part_put(struct store_calls *calls, struct error *err)
{
    return put_part(calls, 9, err);
}

static enum status part_replace(struct store_calls *calls, struct error *err)
{
    return put_part(calls, 1, err);
}

static enum status copy_part(struct store_calls *calls, const struct store_object *from,
                             struct error *err)
{
    struct store_part part = {
        .number = 3, .size = from->size - 10, .etag = SPAN_LIT("e"), .modified_ms = 1};
    return store_part_copy(store_of(calls), SPAN_LIT("upload"), &part, from->id, 5, err);
}

static enum status part_copy_small(struct store_calls *calls, struct error *err)
{
    return copy_part(calls, &calls->small, err);
}

static enum status part_copy_large(struct store_calls *calls, struct error *err)
{
    return copy_part(calls, &calls->large, err);
}

static enum status part_copy_joined(struct store_calls *calls, struct error *err)
{
    return copy_part(calls, &calls->joined, err);
}

static bool see_part(void *ctx, const struct store_part *part)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->bytes += part->etag.len;
    return true;
}

static enum status parts_visit(struct store_calls *calls, struct error *err)
{
    struct seen seen = {0};
    return whole(store_parts_visit(store_of(calls), SPAN_LIT("upload"), 0, see_part, &seen, err),
                 &seen, 2);
}

static enum status upload_complete(struct store_calls *calls, struct error *err)
{
    const int32_t numbers[] = {1, 2};
    struct store_object_put put = lake_put_of(calls->lake, "open");
    return store_upload_complete(store_of(calls), SPAN_LIT("upload"), numbers, 2, &put, err);
}

static enum status upload_abort(struct store_calls *calls, struct error *err)
{
    return store_upload_abort(store_of(calls), SPAN_LIT("upload"), err);
}

static bool see_upload(void *ctx, const struct store_upload *upload)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->bytes += upload->key.len;
    return true;
}

static enum status uploads_visit(struct store_calls *calls, struct error *err)
{
    struct seen seen = {0};
    struct store_upload_range range = {.bucket_id = calls->lake->bucket};
    return whole(store_uploads_visit(store_of(calls), range, see_upload, &seen, err), &seen, 1);
}

/* --- connectors --- */

static enum status connector_put(struct store_calls *calls, struct error *err)
{
    struct store_connector connector = {
        .name = SPAN_LIT("new"), .config = SPAN_LIT("{}"), .msk = SPAN_LIT("{}"), .created_ms = 1};
    return store_connector_put(store_of(calls), &connector, err);
}

static enum status connector_delete(struct store_calls *calls, struct error *err)
{
    return store_connector_delete(store_of(calls), SPAN_LIT("sink"), err);
}

static bool see_connector(void *ctx, const struct store_connector *connector)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->bytes += connector->config.len;
    return true;
}

static enum status connectors_visit(struct store_calls *calls, struct error *err)
{
    struct seen seen = {0};
    return whole(store_connectors_visit(store_of(calls), see_connector, &seen, err), &seen, 1);
}

static enum status connector_task_put(struct store_calls *calls, struct error *err)
{
    return store_connector_task_put(store_of(calls), SPAN_LIT("sink"), 1, "FAILED",
                                    SPAN_LIT("a trace"), err);
}

static enum status connector_tasks_remove(struct store_calls *calls, struct error *err)
{
    return store_connector_task_put(store_of(calls), SPAN_LIT("sink"), 0, NULL, SPAN_EMPTY, err);
}

static enum status connector_topic_add(struct store_calls *calls, struct error *err)
{
    return store_connector_topic_add(store_of(calls), SPAN_LIT("sink"), SPAN_LIT("other"), err);
}

static enum status connector_topics_reset(struct store_calls *calls, struct error *err)
{
    return store_connector_topics_reset(store_of(calls), SPAN_LIT("sink"), err);
}

static bool see_topic(void *ctx, struct span topic)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->bytes += topic.len;
    return true;
}

static enum status connector_topics_visit(struct store_calls *calls, struct error *err)
{
    struct seen seen = {0};
    return whole(
        store_connector_topics_visit(store_of(calls), SPAN_LIT("sink"), see_topic, &seen, err),
        &seen, 1);
}

static enum status put_resource(struct store_calls *calls, const char *arn, struct error *err)
{
    struct store_resource resource = {.arn = span_from_cstr(arn),
                                      .kind = SPAN_LIT("custom-plugin"),
                                      .name = span_from_cstr(arn),
                                      .document = SPAN_LIT("{}"),
                                      .created_ms = 1};
    return store_resource_put(store_of(calls), &resource, err);
}

static enum status resource_put(struct store_calls *calls, struct error *err)
{
    return put_resource(calls, "arn:new", err);
}

static enum status resource_delete(struct store_calls *calls, struct error *err)
{
    return store_resource_delete(store_of(calls), SPAN_LIT("arn:kept"), err);
}

static bool see_resource(void *ctx, const struct store_resource *resource)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->bytes += resource->document.len;
    return true;
}

static enum status resources_visit(struct store_calls *calls, struct error *err)
{
    struct seen seen = {0};
    return whole(
        store_resources_visit(store_of(calls), SPAN_LIT("custom-plugin"), see_resource, &seen, err),
        &seen, 1);
}

/* --- the turn --- */

static enum status savepoint_kept(struct store_calls *calls, struct error *err)
{
    enum status status = store_savepoint(store_of(calls), err);
    if (status != STATUS_OK) {
        return status;
    }
    status = record_append(calls, err);
    enum status released =
        store_savepoint_release(store_of(calls), status == STATUS_OK ? err : NULL);
    return status == STATUS_OK ? released : status;
}

/* Says OK only when the turn lives on without what was taken back. */
static enum status savepoint_taken_back(struct store_calls *calls, struct error *err)
{
    enum status status = store_savepoint(store_of(calls), err);
    if (status != STATUS_OK) {
        return status;
    }
    status = object_put_large(calls, err);
    store_savepoint_rollback(store_of(calls));
    return status == STATUS_OK ? group_commit(calls, err) : status;
}

/* --- all of them --- */

const struct store_call store_calls[] = {
#define CALL(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    CALL(topic_create),
    CALL(topic_delete),
    CALL(topic_configs),
    CALL(record_append),
    CALL(record_append_late),
    CALL(records_read),
    CALL(offset_for_time),
    CALL(batch_append),
    CALL(batch_find),
    CALL(group_commit),
    CALL(group_committed),
    CALL(group_visit),
    CALL(groups_visit),
    CALL(group_visit_from),
    CALL(bucket_create),
    CALL(bucket_find),
    CALL(bucket_delete),
    CALL(buckets_visit),
    CALL(object_put_small),
    CALL(object_put_large),
    CALL(object_replace),
    CALL(object_find),
    CALL(object_replace_by_small),
    CALL(object_delete),
    CALL(object_copy),
    CALL(object_copy_small),
    CALL(object_read_small),
    CALL(object_read_large),
    CALL(object_read_joined),
    CALL(object_piece),
    CALL(object_pin),
    CALL(objects_visit),
    CALL(upload_create),
    CALL(upload_find),
    CALL(part_put),
    CALL(part_replace),
    CALL(part_copy_small),
    CALL(part_copy_large),
    CALL(part_copy_joined),
    CALL(parts_visit),
    CALL(upload_complete),
    CALL(upload_abort),
    CALL(uploads_visit),
    CALL(connector_put),
    CALL(connector_delete),
    CALL(connectors_visit),
    CALL(connector_task_put),
    CALL(connector_tasks_remove),
    CALL(connector_topic_add),
    CALL(connector_topics_reset),
    CALL(connector_topics_visit),
    CALL(resource_put),
    CALL(resource_delete),
    CALL(resources_visit),
    CALL(savepoint_kept),
    CALL(savepoint_taken_back),
#undef CALL
};
const size_t store_call_count = ARRAY_COUNT(store_calls);

static void prepare_topics(struct store_calls *calls)
{
    const struct store_config_entry config = {"retention.ms", "1000"};
    struct store_topic_spec spec = {SPAN_LIT("kept"), 2, &config, 1};
    struct store_commit commit = {SPAN_LIT("kept"), 0, 2, SPAN_LIT("of the student")};
    MUST(store_topic_create(store_of(calls), &spec, err));
    for (int i = 0; i < RECORDS; i++) {
        MUST(append_at(calls, 1700000000000 + i, err));
    }
    struct store_record record = {
        .timestamp_ms = 1700000000009, .has_value = true, .value = SPAN_LIT("batched")};
    struct store_batch_put put = {SPAN_LIT("a batch"), &record, 1};
    int64_t first;
    MUST(store_batch_append(store_of(calls), place(calls), &put, &first, err));
    MUST(store_group_commit(store_of(calls), SPAN_LIT("students"), &commit, err));
    MUST(store_group_commit(store_of(calls), SPAN_LIT("teachers"), &commit, err));
}

static void prepare_lake(struct store_calls *calls)
{
    struct lake_fixture *f = calls->lake;
    const int32_t numbers[] = {1, 2};
    lake_put(f, "small", 1, 1000);
    lake_put(f, "large", 2, LARGE_BYTES);
    lake_upload(f, "joining", "joined");
    lake_part(f, "joining", 1, 3, PART_BYTES);
    lake_part(f, "joining", 2, 4, PART_BYTES);
    assert_int_equal(lake_complete(f, "joining", "joined", numbers, 2), STATUS_OK);
    lake_upload(f, "upload", "open");
    lake_part(f, "upload", 1, 5, PART_BYTES);
    lake_part(f, "upload", 2, 6, PART_BYTES);
    MUST(store_bucket_create(f->store, SPAN_LIT("spare"), SPAN_LIT("eu-west-1"), err));
}

static void prepare_connectors(struct store_calls *calls)
{
    struct store_connector connector = {
        .name = SPAN_LIT("sink"), .config = SPAN_LIT("{}"), .created_ms = 1};
    struct store *store = store_of(calls);
    MUST(store_connector_put(store, &connector, err));
    MUST(store_connector_task_put(store, connector.name, 0, "RUNNING", SPAN_EMPTY, err));
    MUST(store_connector_topic_add(store, connector.name, SPAN_LIT("kept"), err));
    MUST(put_resource(calls, "arn:kept", err));
}

void store_calls_prepare(struct store_calls *calls, struct lake_fixture *lake)
{
    struct store_bucket spare;
    *calls = (struct store_calls){.lake = lake};
    arena_init(&calls->found, TEXT_BYTES);
    prepare_topics(calls);
    prepare_lake(calls);
    prepare_connectors(calls);
    lake_commit(lake);
    MUST(store_bucket_find(lake->store, SPAN_LIT("spare"), &lake->arena, &spare, err));
    calls->spare_bucket = spare.id;
    calls->small = lake_object(lake, "small");
    calls->large = lake_object(lake, "large");
    calls->joined = lake_object(lake, "joined");
}

void store_calls_reopen(struct store_calls *calls)
{
    arena_release(&calls->found);
    lake_reopen(calls->lake);
}
