/* DeleteObjects: up to 1000 keys in one request. Each key has an answer of its own; only a request
 * that cannot be read fails as a whole. */
#include "log.h"
#include "s3_body.h"
#include "s3_errors.h"
#include "s3_operations.h"
#include "s3_xml.h"
#include "s3_xml_read.h"

enum { deletions_max = 1000 };

struct deletion {
    struct span key;
    struct span version; /* empty: none was named */
    struct span etag;    /* delete only this content; empty: any */
    bool of_directory;   /* it has a condition that only directory buckets know */
};

struct delete_request {
    bool no_memory; /* to read it */
    struct deletion *deletions;
    size_t count;
    bool quiet;
};

/* --- decoding --- */

static bool quiet_is_true(struct span text)
{
    return span_equal_nocase(text, SPAN_LIT("true")) || span_equal_cstr(text, "1");
}

static bool deletion_decode(const struct s3_xml_node *node, struct deletion *out)
{
    const struct s3_xml_node *key = s3_xml_child(node, "Key");
    if (key == NULL || key->text.len == 0) {
        return false;
    }
    *out = (struct deletion){.key = key->text,
                             .version = s3_xml_child_word(node, "VersionId"),
                             .etag = s3_etag_bare(s3_xml_child_word(node, "ETag")),
                             .of_directory = s3_xml_child(node, "LastModifiedTime") != NULL ||
                                             s3_xml_child(node, "Size") != NULL};
    return true;
}

/* Reads the body as S3's schema has it; false: it is something else. */
static bool delete_request_decode(struct arena *arena, struct span body, struct delete_request *out)
{
    *out = (struct delete_request){0};
    const struct s3_xml_node *root = s3_xml_read(arena, body, &out->no_memory);
    if (root == NULL || !span_equal_cstr(root->name, "Delete")) {
        return false;
    }
    out->deletions = arena_alloc_array(arena, deletions_max, sizeof(*out->deletions));
    if (out->deletions == NULL) {
        out->no_memory = true;
        return false;
    }
    out->quiet = quiet_is_true(s3_xml_child_word(root, "Quiet"));
    for (const struct s3_xml_node *n = root->children; n != NULL; n = n->next) {
        if (!span_equal_cstr(n->name, "Object")) {
            continue;
        }
        if (out->count == deletions_max || !deletion_decode(n, &out->deletions[out->count])) {
            return false;
        }
        out->count++;
    }
    return out->count > 0;
}

/* --- acting --- */

/* Deletes one key; S3_ERROR_COUNT: the key is free now. */
static enum s3_error_id deletion_act(struct s3_call *call, const struct deletion *deletion)
{
    struct store *store = call->s3->options.store;
    struct error err = ERROR_NONE;
    if (deletion->key.len > STORE_KEY_BYTES_MAX) {
        return S3_ERROR_KEY_TOO_LONG;
    }
    if (deletion->of_directory) {
        return S3_ERROR_NOT_IMPLEMENTED;
    }
    if (deletion->version.len > 0 && !span_equal_cstr(deletion->version, "null")) {
        return S3_ERROR_NO_SUCH_VERSION;
    }
    if (deletion->etag.len > 0 && !span_equal_cstr(deletion->etag, "*")) {
        struct store_object object;
        enum status status = store_object_find(store, call->bucket.id, deletion->key,
                                               &call->exchange->arena, &object, &err);
        if (status == STATUS_NOT_FOUND) {
            return S3_ERROR_COUNT;
        }
        if (status == STATUS_OK && !span_equal(object.etag, deletion->etag)) {
            return S3_ERROR_PRECONDITION_FAILED;
        }
    }
    if (err.code == STATUS_OK &&
        store_object_delete(store, call->bucket.id, deletion->key, NULL, &err) == STATUS_OK) {
        return S3_ERROR_COUNT;
    }
    LOG_ERRORF(call->s3->options.log, "s3", "delete: %s", err.message);
    return S3_ERROR_INTERNAL_ERROR;
}

/* --- encoding --- */

static void deletion_key_write(struct s3_call *call, const struct deletion *deletion)
{
    s3_xml_text(call, "Key", deletion->key);
    if (deletion->version.len > 0) {
        s3_xml_text(call, "VersionId", deletion->version);
    }
}

static void deletion_outcome_write(struct s3_call *call, const struct deletion *deletion,
                                   bool quiet, enum s3_error_id id)
{
    if (id != S3_ERROR_COUNT) {
        s3_xml_open(call, "Error");
        deletion_key_write(call, deletion);
        s3_xml_text(call, "Code", span_from_cstr(s3_error_code(id)));
        s3_xml_text(call, "Message", span_from_cstr(s3_error_message(id)));
        s3_xml_close(call, "Error");
    } else if (!quiet) {
        s3_xml_open(call, "Deleted");
        deletion_key_write(call, deletion);
        s3_xml_close(call, "Deleted");
    }
}

enum handled s3_delete_objects(struct s3_call *call)
{
    struct span body;
    bool had_digest;
    struct delete_request request;
    if (!s3_call_bucket(call) || !s3_body_gathered(call, &body, &had_digest)) {
        return HANDLED;
    }
    if (!had_digest) {
        return s3_error_text(
            call, S3_ERROR_INVALID_REQUEST,
            SPAN_LIT("Missing required header for this request: Content-MD5 OR x-amz-checksum-*"),
            NULL);
    }
    if (!delete_request_decode(&call->exchange->arena, body, &request)) {
        return s3_error(call, request.no_memory ? S3_ERROR_INTERNAL_ERROR : S3_ERROR_MALFORMED_XML);
    }
    s3_xml_begin(call, "DeleteResult");
    for (size_t i = 0; i < request.count; i++) {
        const struct deletion *deletion = &request.deletions[i];
        deletion_outcome_write(call, deletion, request.quiet, deletion_act(call, deletion));
    }
    s3_xml_end(call, "DeleteResult");
    return HANDLED;
}
