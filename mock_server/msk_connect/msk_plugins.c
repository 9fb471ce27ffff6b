/* Custom plugins: a zip or jar in S3. Creating one answers CREATING; what a look at the file has
 * shown is there when it is described: ACTIVE, or CREATE_FAILED and why. Whether the S3 sink is in
 * it matters when a connector is made from it. */
#include "msk_internal.h"
#include "zip_directory.h"

#include <string.h>

static const struct msk_rule create_rules[] = {
    {"name", MSK_TEXT, MSK_REQUIRED, 1, MSK_NAME_BYTES_MAX, NULL},
    {"contentType", MSK_TEXT, MSK_REQUIRED, 0, 0, "JAR,ZIP"},
    {"description", MSK_TEXT, MSK_OPTIONAL, 0, 1024, NULL},
    {"location", MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL},
    {"location.s3Location", MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL},
    {"location.s3Location.bucketArn", MSK_TEXT, MSK_REQUIRED, 0, 0, NULL},
    {"location.s3Location.fileKey", MSK_TEXT, MSK_REQUIRED, 0, 0, NULL},
    {"location.s3Location.objectVersion", MSK_TEXT, MSK_OPTIONAL, 0, 0, NULL},
    {"tags", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL},
};

#define LOCATION "location.s3Location."

static const struct msk_field document[] = {
    {"creationTime", MSK_FROM_FACT, MSK_FACT_CREATED, NULL},
    {"customPluginArn", MSK_FROM_FACT, MSK_FACT_ARN, NULL},
    {"customPluginState", MSK_FROM_FACT, MSK_FACT_STATE, NULL},
    {"description", MSK_FROM_BODY, 0, "description"},
    {"latestRevision.contentType", MSK_FROM_BODY, 0, "contentType"},
    {"latestRevision.creationTime", MSK_FROM_FACT, MSK_FACT_CREATED, NULL},
    {"latestRevision.description", MSK_FROM_BODY, 0, "description"},
    {"latestRevision.fileDescription.fileMd5", MSK_FROM_FACT, MSK_FACT_FILE_MD5, NULL},
    {"latestRevision.fileDescription.fileSize", MSK_FROM_JSON, MSK_FACT_FILE_SIZE, NULL},
    {"latestRevision." LOCATION "bucketArn", MSK_FROM_BODY, 0, LOCATION "bucketArn"},
    {"latestRevision." LOCATION "fileKey", MSK_FROM_BODY, 0, LOCATION "fileKey"},
    {"latestRevision.revision", MSK_FROM_NUMBER, 0, "1"},
    {"name", MSK_FROM_BODY, 0, NULL},
    {"stateDescription.code", MSK_FROM_FACT, MSK_FACT_CODE, NULL},
    {"stateDescription.message", MSK_FROM_FACT, MSK_FACT_MESSAGE, NULL},
    {"s3Sink", MSK_FROM_JSON, MSK_FACT_HAS_SINK, NULL}, /* our own */
};

static const struct msk_field created[] = {
    {"customPluginArn", MSK_FROM_FACT, MSK_FACT_ARN, NULL},
    {"customPluginState", MSK_FROM_WORD, 0, "CREATING"},
    {"name", MSK_FROM_BODY, 0, NULL},
    {"revision", MSK_FROM_NUMBER, 0, "1"},
};

/* --- the file --- */

struct inspection {
    enum zip_outcome outcome;
    bool has_sink;
};

/* The Confluent S3 sink as it is packed: its own jar, or its class in a jar of everything. */
static bool plugin_look_at_name(void *ctx, struct span name)
{
    struct inspection *inspection = ctx;
    size_t slash = name.len;
    while (slash > 0 && name.ptr[slash - 1] != '/') {
        slash--;
    }
    struct span base = span_skip(name, slash);
    inspection->has_sink = (span_starts_with(base, SPAN_LIT("kafka-connect-s3-")) &&
                            span_ends_with(base, SPAN_LIT(".jar"))) ||
                           span_equal_cstr(name, "io/confluent/connect/s3/S3SinkConnector.class");
    return !inspection->has_sink;
}

struct object_reader {
    struct store *store;
    int64_t object_id;
};

static bool plugin_read_object(void *ctx, uint64_t offset, size_t len, struct buf *out)
{
    const struct object_reader *reader = ctx;
    return store_object_read(reader->store, reader->object_id, offset, len, out, NULL) == STATUS_OK;
}

static struct inspection plugin_inspect(const struct msk_call *call,
                                        const struct store_object *object)
{
    struct inspection inspection = {.has_sink = false};
    struct object_reader reader = {call->msk->options.store, object->id};
    struct zip_source source = {.size = object->size, .read = plugin_read_object, .ctx = &reader};
    inspection.outcome = zip_directory_visit(&source, plugin_look_at_name, &inspection);
    return inspection;
}

/* The object that the location names. False: an error is in the reply. */
static bool plugin_find_object(const struct msk_call *call, const struct json_doc *doc,
                               struct store_object *out)
{
    struct span prefix = SPAN_LIT("arn:aws:s3:::");
    struct arena *arena = &call->exchange->arena;
    struct span arn = msk_text(doc, "location.s3Location.bucketArn");
    struct span key = msk_text(doc, "location.s3Location.fileKey");
    struct store *store = call->msk->options.store;
    struct store_bucket bucket;
    struct error err;
    if (!span_starts_with(arn, prefix) || arn.len == prefix.len) {
        answer_hint(call->exchange, "a bucket's ARN is arn:aws:s3:::<bucket>");
        msk_error(call->exchange, MSK_BAD_REQUEST,
                  "Invalid request body: location.s3Location.bucketArn is no ARN of a bucket");
        return false;
    }
    struct span name = span_skip(arn, prefix.len);
    enum status status = store_bucket_find(store, name, arena, &bucket, &err);
    if (status == STATUS_OK) {
        status = store_object_find(store, bucket.id, key, arena, out, &err);
    }
    if (status == STATUS_OK) {
        return true;
    }
    if (status != STATUS_NOT_FOUND) {
        msk_error_store(call, &err);
        return false;
    }
    answer_hint(call->exchange, "upload it first: pinpipe s3 put <plugin>.zip s3://%.*s/%.*s",
                SPAN_ARG(name), SPAN_ARG(key));
    msk_error(call->exchange, MSK_BAD_REQUEST,
              "The specified S3 object s3://%.*s/%.*s does not exist or cannot be accessed",
              SPAN_ARG(name), SPAN_ARG(key));
    return false;
}

/* --- what is kept of it ----------------------------------------------------------------------- */

static const char *plugin_hint(const struct msk_call *call, struct span name,
                               const struct inspection *inspection)
{
    if (inspection->outcome != ZIP_READ) {
        return "the object is no zip (or was cut off): the plugin will be CREATE_FAILED";
    }
    if (!inspection->has_sink) {
        return "no kafka-connect-s3-<version>.jar is in it: a connector made of this plugin will "
               "fail; upload Confluent's kafka-connect-s3 zip";
    }
    return msk_is_workshops_name(call, name, msk_plugins.suffix)
               ? NULL
               : arena_printf(&call->exchange->arena,
                              "allowed here, but the workshop's AWS takes only the name %s%s",
                              call->msk->options.identity->user_id, msk_plugins.suffix);
}

static bool plugin_look(const struct msk_call *call, struct msk_making *making)
{
    struct span *facts = making->facts;
    struct store_object object;
    if (!plugin_find_object(call, making->doc, &object)) {
        return false;
    }
    struct inspection inspection = plugin_inspect(call, &object);
    const char *size =
        arena_printf(&call->exchange->arena, "%llu", (unsigned long long)object.size);
    if (inspection.outcome == ZIP_FAILED || size == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    facts[MSK_FACT_STATE] = SPAN_LIT("ACTIVE");
    facts[MSK_FACT_FILE_SIZE] = span_from_cstr(size);
    facts[MSK_FACT_HAS_SINK] = inspection.has_sink ? SPAN_LIT("true") : SPAN_LIT("false");
    if (object.etag.len == 32) { /* of a multipart upload it is no hash of the file */
        facts[MSK_FACT_FILE_MD5] = object.etag;
    }
    if (inspection.outcome != ZIP_READ) {
        facts[MSK_FACT_STATE] = SPAN_LIT("CREATE_FAILED");
        facts[MSK_FACT_CODE] = SPAN_LIT("InvalidInput.InvalidPluginFile");
        facts[MSK_FACT_MESSAGE] = inspection.outcome == ZIP_TOO_LARGE
                                      ? SPAN_LIT("The file has more entries than can be read.")
                                      : SPAN_LIT("The file is not a valid ZIP or JAR file.");
    }
    making->hint = plugin_hint(call, making->name, &inspection);
    return true;
}

/* The connector that was made of it; empty: none is left. */
static struct span plugin_user(const struct msk_call *call, struct span arn)
{
    struct arena *arena = &call->exchange->arena;
    struct connect_worker *worker = call->msk->options.worker;
    const char *wanted = arena_copy_cstr(arena, arn);
    for (size_t i = 0; i < connect_worker_count(worker); i++) {
        struct connect_connector_view view = connect_worker_at(worker, i);
        const char *plugins = arena_copy_cstr(arena, msk_member(view.msk, "plugins"));
        if (plugins != NULL && wanted != NULL && strstr(plugins, wanted) != NULL) {
            return view.name;
        }
    }
    return SPAN_EMPTY;
}

static bool plugin_may_delete(const struct msk_call *call, const struct msk_item *item)
{
    struct span user = plugin_user(call, item->arn);
    if (user.len > 0) {
        msk_error(call->exchange, MSK_BAD_REQUEST,
                  "The custom plugin is in use by the connector %.*s", SPAN_ARG(user));
    }
    return user.len == 0;
}

const struct msk_kind msk_plugins = {
    .name = "custom-plugin",
    .list = "customPlugins",
    .prefix = "namePrefix",
    .name_member = "name",
    .arn_member = "customPluginArn",
    .state_member = "customPluginState",
    .suffix = "-plugin",
    .create_rules = MSK_RULES(create_rules),
    .document = MSK_FIELDS(document),
    .created = MSK_FIELDS(created),
    .listed_without = "stateDescription,s3Sink",
    .described_without = "s3Sink",
    .look = plugin_look,
    .keep = msk_resource_keep,
    .may_delete = plugin_may_delete,
};
