/* Custom plugins: a zip or jar in S3. Creating one answers CREATING; what a look at the file has
 * shown is there when it is described: ACTIVE, or CREATE_FAILED and why. Whether the S3 sink is in
 * it matters when a connector is made from it. */
#include "msk_internal.h"
#include "zip_directory.h"

#include <string.h>

static const struct msk_rule create_rules[] = {
    {.path = "name", .type = MSK_TEXT, .required = true, .min = 1, .max = MSK_NAME_BYTES_MAX},
    {.path = "contentType", .type = MSK_TEXT, .required = true, .words = "JAR,ZIP"},
    {.path = "description", .type = MSK_TEXT, .min = 0, .max = 1024},
    {.path = "location", .type = MSK_OBJECT, .required = true},
    {.path = "location.s3Location", .type = MSK_OBJECT, .required = true},
    {.path = "location.s3Location.bucketArn", .type = MSK_TEXT, .required = true},
    {.path = "location.s3Location.fileKey", .type = MSK_TEXT, .required = true},
    {.path = "location.s3Location.objectVersion", .type = MSK_TEXT},
    {.path = "tags", .type = MSK_OBJECT},
};

/* --- the file --- */

struct inspection {
    enum zip_outcome outcome;
    bool has_sink;
};

/* The Confluent S3 sink as it is packed: its own jar, or its class in a jar of everything. */
static bool look_at_name(void *ctx, struct span name)
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

static bool read_object(void *ctx, uint64_t offset, size_t len, struct buf *out)
{
    const struct object_reader *reader = ctx;
    return store_object_read(reader->store, reader->object_id, offset, len, out, NULL) == STATUS_OK;
}

static struct inspection inspect(const struct msk_call *call, const struct store_object *object)
{
    struct inspection inspection = {.has_sink = false};
    struct object_reader reader = {call->msk->options.store, object->id};
    struct zip_source source = {.size = object->size, .read = read_object, .ctx = &reader};
    inspection.outcome = zip_directory_visit(&source, look_at_name, &inspection);
    return inspection;
}

/* The object that the location names. False: an error is in the reply. */
static bool find_object(const struct msk_call *call, const struct json_doc *doc,
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

/* --- the document --- */

static bool is_md5(struct span etag)
{
    return etag.len == 32; /* of a multipart upload it is no hash of the file */
}

/* Beside what is described: s3Sink, our own. */
static void write_document(const struct json_doc *doc, const struct store_resource *resource,
                           const struct store_object *object, const struct inspection *inspection,
                           struct buf *out)
{
    struct span description = msk_text(doc, "description");
    bool good = inspection->outcome == ZIP_READ;
    BUF_APPEND_LIT(out, "{");
    msk_time_write(out, "creationTime", resource->created_ms);
    msk_text_write(out, "customPluginArn", resource->arn);
    msk_text_write(out, "customPluginState", good ? SPAN_LIT("ACTIVE") : SPAN_LIT("CREATE_FAILED"));
    if (description.len > 0) {
        msk_text_write(out, "description", description);
    }
    BUF_APPEND_LIT(out, ",\"latestRevision\":{");
    msk_text_write(out, "contentType", msk_text(doc, "contentType"));
    msk_time_write(out, "creationTime", resource->created_ms);
    if (description.len > 0) {
        msk_text_write(out, "description", description);
    }
    BUF_APPEND_LIT(out, ",\"fileDescription\":{");
    if (is_md5(object->etag)) {
        msk_text_write(out, "fileMd5", object->etag);
        BUF_APPEND_LIT(out, ",");
    }
    buf_printf(out, "\"fileSize\":%llu},\"location\":{\"s3Location\":{",
               (unsigned long long)object->size);
    msk_text_write(out, "bucketArn", msk_text(doc, "location.s3Location.bucketArn"));
    msk_text_write(out, "fileKey", msk_text(doc, "location.s3Location.fileKey"));
    BUF_APPEND_LIT(out, "}},\"revision\":1}");
    msk_text_write(out, "name", resource->name);
    if (!good) {
        BUF_APPEND_LIT(out, ",\"stateDescription\":{");
        msk_text_write(out, "code", SPAN_LIT("InvalidInput.InvalidPluginFile"));
        msk_text_write(out, "message",
                       inspection->outcome == ZIP_TOO_LARGE
                           ? SPAN_LIT("The file has more entries than can be read.")
                           : SPAN_LIT("The file is not a valid ZIP or JAR file."));
        BUF_APPEND_LIT(out, "}");
    }
    buf_printf(out, ",\"s3Sink\":%s}", inspection->has_sink ? "true" : "false");
}

static void hint_plugin(const struct msk_call *call, struct span name,
                        const struct inspection *inspection)
{
    if (inspection->outcome != ZIP_READ) {
        answer_hint(call->exchange, "the object is no zip (or was cut off): the plugin will be "
                                    "CREATE_FAILED");
    } else if (!inspection->has_sink) {
        answer_hint(call->exchange,
                    "no kafka-connect-s3-<version>.jar is in it: a connector made of "
                    "this plugin will fail; upload Confluent's kafka-connect-s3 zip");
    } else if (!msk_is_workshops_name(call, name, "-plugin")) {
        answer_hint(call->exchange,
                    "allowed here, but the workshop's AWS takes only the name %s-plugin",
                    call->msk->options.identity->user_id);
    }
}

static void create(const struct msk_call *call, const struct json_doc *doc)
{
    struct env *env = call->msk->options.env;
    struct store_resource resource = {
        .kind = SPAN_LIT(MSK_KIND_PLUGIN),
        .name = msk_text(doc, "name"),
        .created_ms = env->wall_us(env) / 1000,
    };
    struct store_object object;
    struct buf document;
    if (!msk_check_name(call, "name", resource.name) ||
        !msk_permits_name(call, MSK_KIND_PLUGIN, resource.name, "-plugin") ||
        !find_object(call, doc, &object)) {
        return;
    }
    struct inspection inspection = inspect(call, &object);
    resource.arn = span_from_cstr(msk_arn_new(call, MSK_KIND_PLUGIN, resource.name));
    buf_init(&document, 2 * MSK_BODY_BYTES_MAX);
    write_document(doc, &resource, &object, &inspection, &document);
    resource.document = buf_span(&document);
    if (resource.arn.len == 0 || !buf_ok(&document) || inspection.outcome == ZIP_FAILED) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
    } else if (msk_resource_keep(call, &resource)) {
        struct buf *out = msk_reply(call->exchange);
        hint_plugin(call, resource.name, &inspection);
        BUF_APPEND_LIT(out, "{");
        msk_text_write(out, "customPluginArn", resource.arn);
        msk_text_write(out, "customPluginState", SPAN_LIT("CREATING"));
        msk_text_write(out, "name", resource.name);
        BUF_APPEND_LIT(out, ",\"revision\":1}");
    }
    buf_release(&document);
}

enum handled msk_create_plugin(const struct msk_call *call)
{
    struct json_doc *doc = NULL;
    if (msk_decode(call, create_rules, ARRAY_COUNT(create_rules), &doc)) {
        create(call, doc);
        json_doc_free(doc);
    }
    return HANDLED;
}

enum handled msk_list_plugins(const struct msk_call *call)
{
    static const struct msk_listing listing = {"customPlugins", "namePrefix",
                                               "stateDescription,s3Sink"};
    struct msk_items items;
    return msk_items_load(call, MSK_KIND_PLUGIN, 0, &items)
               ? msk_items_answer(call, &items, &listing)
               : HANDLED;
}

enum handled msk_describe_plugin(const struct msk_call *call)
{
    struct msk_item item;
    if (!msk_item_find(call, MSK_KIND_PLUGIN, call->match.captures[0], &item)) {
        return HANDLED;
    }
    struct buf *out = msk_reply(call->exchange);
    BUF_APPEND_LIT(out, "{");
    msk_members_write(item.document, "s3Sink", out);
    BUF_APPEND_LIT(out, "}");
    return HANDLED;
}

/* The connector that was made of it; empty: none is left. */
static struct span user_of(const struct msk_call *call, struct span arn)
{
    struct connect_worker *worker = call->msk->options.worker;
    for (size_t i = 0; i < connect_worker_count(worker); i++) {
        struct connect_connector_view view = connect_worker_at(worker, i);
        struct buf plugins;
        buf_init(&plugins, MSK_BODY_BYTES_MAX);
        msk_member_copy(view.msk, "plugins", &plugins);
        const char *text = arena_copy_cstr(&call->exchange->arena, arn);
        bool uses = text != NULL && plugins.len > 0 && strstr(buf_cstr(&plugins), text) != NULL;
        buf_release(&plugins);
        if (uses) {
            return view.name;
        }
    }
    return SPAN_EMPTY;
}

enum handled msk_delete_plugin(const struct msk_call *call)
{
    struct exchange *exchange = call->exchange;
    struct msk_item item;
    struct error err;
    if (!msk_item_find(call, MSK_KIND_PLUGIN, call->match.captures[0], &item) ||
        !msk_permits_name(call, MSK_KIND_PLUGIN, item.name, "-plugin")) {
        return HANDLED;
    }
    struct span user = user_of(call, item.arn);
    if (user.len > 0) {
        return msk_error(exchange, MSK_BAD_REQUEST,
                         "The custom plugin is in use by the connector %.*s", SPAN_ARG(user));
    }
    if (store_resource_delete(call->msk->options.store, item.arn, &err) != STATUS_OK) {
        return msk_error_store(call, &err);
    }
    struct buf *out = msk_reply(exchange);
    BUF_APPEND_LIT(out, "{");
    msk_text_write(out, "customPluginArn", item.arn);
    msk_text_write(out, "customPluginState", SPAN_LIT("DELETING"));
    BUF_APPEND_LIT(out, "}");
    return HANDLED;
}
