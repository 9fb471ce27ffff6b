/* Custom plugins: a zip or jar in S3. Creating one answers CREATING; what a look at the file has
 * shown is there when it is described: ACTIVE, or CREATE_FAILED and why. Whether the S3 sink is in
 * it matters when a connector is made from it. */
#include "msk_internal.h"
#include "zip_directory.h"

#include <string.h>

#define LOCATION "location.s3Location."

static const struct msk_rule rules[] = {
    {"name", MSK_TEXT, MSK_REQUIRED, 1, MSK_NAME_BYTES_MAX, NULL, MSK_NONE},
    {"contentType", MSK_TEXT, MSK_REQUIRED, 0, 0, "JAR,ZIP", MSK_NONE},
    {"description", MSK_TEXT, MSK_OPTIONAL, 0, 1024, NULL, MSK_NONE},
    {LOCATION "bucketArn", MSK_TEXT, MSK_REQUIRED | MSK_PARENTS, 0, 0, NULL, MSK_BUCKET_ARN},
    {LOCATION "fileKey", MSK_TEXT, MSK_REQUIRED, 0, 0, NULL, MSK_FILE_KEY},
    {LOCATION "objectVersion", MSK_TEXT, MSK_OPTIONAL, 0, 0, NULL, MSK_NONE},
    {"tags", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL, MSK_NONE},
    {"name", MSK_IDENTIFIER, MSK_REQUIRED, 0, 0, NULL, MSK_NAME},
};

static const struct msk_field fields[] = {
    {"creationTime", MSK_SHOWN, MSK_TIME, NULL},
    {"customPluginArn", MSK_SHOWN | MSK_CREATED | MSK_CHANGED, MSK_ARN, NULL},
    {"customPluginState", MSK_SHOWN | MSK_CREATED | MSK_CHANGED, MSK_STATE, NULL},
    {"description", MSK_SHOWN | MSK_NOT_EMPTY, MSK_NONE, NULL},
    {"latestRevision.contentType", MSK_SHOWN, MSK_NONE, "contentType"},
    {"latestRevision.creationTime", MSK_SHOWN, MSK_TIME, NULL},
    {"latestRevision.description", MSK_SHOWN | MSK_NOT_EMPTY, MSK_NONE, "description"},
    {"latestRevision.fileDescription.fileMd5", MSK_SHOWN, MSK_FILE_MD5, NULL},
    {"latestRevision.fileDescription.fileSize", MSK_SHOWN, MSK_FILE_SIZE, NULL},
    {"latestRevision." LOCATION "bucketArn", MSK_SHOWN, MSK_NONE, LOCATION "bucketArn"},
    {"latestRevision." LOCATION "fileKey", MSK_SHOWN, MSK_NONE, LOCATION "fileKey"},
    {"latestRevision.revision", MSK_SHOWN, MSK_REVISION, NULL},
    {"name", MSK_SHOWN | MSK_CREATED, MSK_NONE, NULL},
    {"revision", MSK_CREATED, MSK_REVISION, NULL},
    {"stateDescription.code", MSK_KEPT | MSK_DESCRIBED, MSK_CODE, NULL},
    {"stateDescription.message", MSK_KEPT | MSK_DESCRIBED, MSK_MESSAGE, NULL},
    {"s3Sink", MSK_KEPT, MSK_HAS_SINK, NULL}, /* our own */
};

/* --- the file --- */

struct plugin_file {
    struct store *store;
    struct store_object object;
    bool has_sink;
};

static bool plugin_file_read(void *ctx, uint64_t offset, size_t len, struct buf *out)
{
    const struct plugin_file *file = ctx;
    return store_object_read(file->store, file->object.id, offset, len, out, NULL) == STATUS_OK;
}

/* The Confluent S3 sink as it is packed: its own jar, or its class in a jar of everything. */
static bool plugin_file_look(void *ctx, struct span name)
{
    struct plugin_file *file = ctx;
    size_t slash = name.len;
    while (slash > 0 && name.ptr[slash - 1] != '/') {
        slash--;
    }
    struct span base = span_skip(name, slash);
    file->has_sink = (span_starts_with(base, SPAN_LIT("kafka-connect-s3-")) &&
                      span_ends_with(base, SPAN_LIT(".jar"))) ||
                     span_equal_cstr(name, "io/confluent/connect/s3/S3SinkConnector.class");
    return !file->has_sink;
}

/* Finds the object that the location names. */
static bool plugin_file_find(const struct msk_call *call, const struct msk_resource *r,
                             struct plugin_file *out)
{
    struct span prefix = SPAN_LIT("arn:aws:s3:::");
    struct exchange *exchange = call->exchange;
    struct span arn = r->values[MSK_BUCKET_ARN];
    struct span key = r->values[MSK_FILE_KEY];
    struct store_bucket bucket;
    struct error err;
    if (!span_starts_with(arn, prefix) || arn.len == prefix.len) {
        answer_hint(exchange, "a bucket's ARN is arn:aws:s3:::<bucket>");
        return msk_refuse(exchange, MSK_BAD_REQUEST,
                          "Invalid request body: location.s3Location.bucketArn is no ARN of a "
                          "bucket");
    }
    struct span name = span_skip(arn, prefix.len);
    enum status status = store_bucket_find(out->store, name, &exchange->arena, &bucket, &err);
    if (status == STATUS_OK) {
        status =
            store_object_find(out->store, bucket.id, key, &exchange->arena, &out->object, &err);
    }
    if (status == STATUS_NOT_FOUND) {
        answer_hint(exchange, "upload it first: pinpipe s3 put <plugin>.zip s3://%.*s/%.*s",
                    SPAN_ARG(name), SPAN_ARG(key));
        return msk_refuse(exchange, MSK_BAD_REQUEST,
                          "The specified S3 object s3://%.*s/%.*s does not exist or cannot be "
                          "accessed",
                          SPAN_ARG(name), SPAN_ARG(key));
    }
    return status == STATUS_OK || msk_refuse_store(call, &err);
}

/* --- creating and deleting --- */

static const char *plugin_hint(const struct msk_call *call, const struct msk_resource *r,
                               bool is_zip, bool has_sink)
{
    if (!is_zip) {
        return "the object is no zip (or was cut off): the plugin will be CREATE_FAILED";
    }
    if (!has_sink) {
        return "no kafka-connect-s3-<version>.jar is in it: a connector made of this plugin will "
               "fail; upload Confluent's kafka-connect-s3 zip";
    }
    return msk_is_workshops_name(call, r->values[MSK_NAME])
               ? NULL
               : arena_printf(&call->exchange->arena,
                              "allowed here, but the workshop's AWS takes only the name %s%s",
                              call->msk->options.identity->user_id, call->kind->suffix);
}

static bool plugin_look(const struct msk_call *call, struct msk_resource *r)
{
    struct plugin_file file = {.store = call->msk->options.store};
    if (!plugin_file_find(call, r, &file)) {
        return false;
    }
    struct zip_source source = {file.object.size, plugin_file_read, &file};
    enum zip_outcome outcome = zip_directory_visit(&source, plugin_file_look, &file);
    const char *size =
        arena_printf(&call->exchange->arena, "%llu", (unsigned long long)source.size);
    if (outcome == ZIP_FAILED || size == NULL) {
        return msk_refuse_memory(call);
    }
    r->values[MSK_STATE] = SPAN_LIT("ACTIVE");
    r->values[MSK_FILE_SIZE] = span_from_cstr(size);
    r->values[MSK_HAS_SINK] = file.has_sink ? SPAN_LIT("true") : SPAN_LIT("false");
    if (file.object.etag.len == 32) { /* of a multipart upload it is no hash of the file */
        r->values[MSK_FILE_MD5] = file.object.etag;
    }
    if (outcome != ZIP_READ) {
        r->values[MSK_STATE] = SPAN_LIT("CREATE_FAILED");
        r->values[MSK_CODE] = SPAN_LIT("InvalidInput.InvalidPluginFile");
        r->values[MSK_MESSAGE] = outcome == ZIP_TOO_LARGE
                                     ? SPAN_LIT("The file has more entries than can be read.")
                                     : SPAN_LIT("The file is not a valid ZIP or JAR file.");
    }
    r->hint = plugin_hint(call, r, outcome == ZIP_READ, file.has_sink);
    return true;
}

/* A plugin stays while a connector was made of it. */
static bool plugin_may_delete(const struct msk_call *call, const struct msk_resource *r)
{
    struct arena *arena = &call->exchange->arena;
    struct connect_worker *worker = call->msk->options.worker;
    const char *wanted = arena_copy_cstr(arena, r->values[MSK_ARN]);
    for (size_t i = 0; i < connect_worker_count(worker); i++) {
        struct connect_connector_view view = connect_worker_at(worker, i);
        const char *plugins = arena_copy_cstr(arena, msk_member(view.msk, "plugins"));
        if (plugins != NULL && wanted != NULL && strstr(plugins, wanted) != NULL) {
            return msk_refuse(call->exchange, MSK_BAD_REQUEST,
                              "The custom plugin is in use by the connector %.*s",
                              SPAN_ARG(view.name));
        }
    }
    return true;
}

const struct msk_kind msk_plugins = {
    .name = "custom-plugin",
    .list = "customPlugins",
    .prefix = "namePrefix",
    .suffix = "-plugin",
    .created_state = "CREATING",
    .rules = rules,
    .rule_count = ARRAY_COUNT(rules),
    .fields = fields,
    .field_count = ARRAY_COUNT(fields),
    .look = plugin_look,
    .keep = msk_resource_keep,
    .may_delete = plugin_may_delete,
};
