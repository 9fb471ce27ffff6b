/* CopyObject: another name for the same bytes, which are linked and never read. */
#include "s3_copy.h"

#include "answer.h"
#include "s3_checksum.h"
#include "s3_conditions.h"
#include "s3_customer_keys.h"
#include "s3_errors.h"
#include "s3_features.h"
#include "s3_headers.h"
#include "s3_operations.h"
#include "s3_xml.h"
#include "url.h"

/* --- the source --- */

/* The error names the header where its value should stand, as recorded. */
static bool refuse_source(struct s3_call *call, const char *message)
{
    s3_invalid_argument(call, message, "x-amz-copy-source", SPAN_LIT("x-amz-copy-source"));
    return false;
}

/* A source is "[/]bucket/key[?versionId=null]", percent-encoded. */
static bool source_parse(struct s3_call *call, struct span *bucket, struct span *key)
{
    struct span text = s3_header(call, "x-amz-copy-source");
    size_t question = span_find_byte(text, '?');
    struct span query = span_skip(text, question + 1);
    struct span version;
    if (url_query_find(query, "versionId", &version) && !span_equal_cstr(version, "null")) {
        return refuse_source(call, version.len > 0 ? "Invalid version id specified"
                                                   : "Version id cannot be the empty string");
    }
    struct buf decoded;
    buf_init(&decoded, HTTP_HEAD_BYTES_MAX);
    bool sound = url_decode(span_first(text, question), false, &decoded) && buf_ok(&decoded) &&
                 span_is_utf8(buf_span(&decoded));
    char *copy = sound ? arena_copy_cstr(&call->exchange->arena, buf_span(&decoded)) : NULL;
    struct span path = copy != NULL ? span_from(copy, decoded.len) : SPAN_EMPTY;
    bool no_memory = decoded.no_memory || (sound && copy == NULL);
    buf_release(&decoded);
    if (no_memory) {
        s3_error(call, S3_ERROR_INTERNAL_ERROR);
        return false;
    }
    if (!sound) {
        return refuse_source(call, "Invalid copy source encoding");
    }
    if (span_starts_with(path, SPAN_LIT("/"))) {
        path = span_skip(path, 1);
    }
    size_t slash = span_find_byte(path, '/');
    *bucket = span_first(path, slash);
    *key = span_skip(path, slash + 1);
    return (bucket->len > 0 && key->len > 0) ||
           refuse_source(call, "Invalid copy source object key");
}

static bool source_find(struct s3_call *call, struct span bucket, struct span key,
                        struct store_object *out)
{
    struct store_bucket found;
    struct error err = ERROR_NONE;
    struct arena *arena = &call->exchange->arena;
    struct store *store = call->s3->options.store;
    enum status status = store_bucket_find(store, bucket, arena, &found, &err);
    if (status == STATUS_NOT_FOUND) {
        struct aws_error_detail details[] = {{"BucketName", bucket}, {NULL, SPAN_EMPTY}};
        s3_error_with(call, S3_ERROR_NO_SUCH_BUCKET, details);
        return false;
    }
    if (status == STATUS_OK && !s3_owner_is_expected(call, "x-amz-source-expected-bucket-owner")) {
        return false;
    }
    if (status == STATUS_OK) {
        status = store_object_find(store, found.id, key, arena, out, &err);
    }
    if (status == STATUS_NOT_FOUND) {
        struct aws_error_detail details[] = {{"Key", key}, {NULL, SPAN_EMPTY}};
        s3_error_with(call, S3_ERROR_NO_SUCH_KEY, details);
        return false;
    }
    if (status != STATUS_OK) {
        s3_error_store(call, &err);
        return false;
    }
    return true;
}

bool s3_copy_source(struct s3_call *call, struct store_object *out)
{
    struct span bucket;
    struct span key;
    return source_parse(call, &bucket, &key) && source_find(call, bucket, key, out) &&
           s3_customer_key_is_absent(call, S3_KEY_OF_SOURCE) &&
           s3_conditions_hold(call, out, "x-amz-copy-source-");
}

/* --- CopyObject --- */

enum directive { DIRECTIVE_COPY, DIRECTIVE_REPLACE };

static bool directive_take(struct s3_call *call, enum directive *out)
{
    struct span text = s3_header(call, "x-amz-metadata-directive");
    *out = span_equal_cstr(text, "REPLACE") ? DIRECTIVE_REPLACE : DIRECTIVE_COPY;
    if (text.len == 0 || *out == DIRECTIVE_REPLACE || span_equal_cstr(text, "COPY")) {
        return true;
    }
    s3_invalid_argument(call, "Unknown metadata directive.", "x-amz-metadata-directive", text);
    return false;
}

/* An object may be copied onto itself only with something new about it. */
static bool changes_something(struct s3_call *call, const struct store_object *source,
                              enum directive directive)
{
    if (source->bucket_id != call->bucket.id || !span_equal(source->key, call->key) ||
        directive == DIRECTIVE_REPLACE || s3_has_header(call, "x-amz-storage-class") ||
        s3_has_header(call, "x-amz-server-side-encryption")) {
        return true;
    }
    s3_error_text(call, S3_ERROR_INVALID_REQUEST,
                  SPAN_LIT("This copy request is illegal because it is trying to copy an object to "
                           "itself without changing the object's metadata, storage class, website "
                           "redirect location or encryption attributes."),
                  NULL);
    return false;
}

static bool is_small_enough(struct s3_call *call, const struct store_object *source)
{
    if (source->size <= (uint64_t)S3_OBJECT_BYTES_MAX_GIB << 30) {
        return true;
    }
    answer_hint(call->exchange, "copy it in parts: CreateMultipartUpload, UploadPartCopy");
    s3_error_text(call, S3_ERROR_INVALID_REQUEST,
                  SPAN_LIT("The specified copy source is larger than the maximum allowable size "
                           "for a copy source: 5368709120"),
                  NULL);
    return false;
}

static void write_result(struct s3_call *call, const struct store_object_put *put)
{
    s3_xml_begin(call, "CopyObjectResult");
    s3_xml_time(call, "LastModified", put->modified_ms);
    s3_xml_etag(call, put->etag);
    s3_checksum_xml(call, put->checksum);
    s3_xml_end(call, "CopyObjectResult");
}

enum handled s3_copy_object(struct s3_call *call)
{
    struct store_object source;
    enum directive directive;
    struct error err = ERROR_NONE;
    if (!s3_call_bucket(call) || !s3_object_features_exist(call) ||
        !directive_take(call, &directive) || !s3_copy_source(call, &source) ||
        !is_small_enough(call, &source) || !changes_something(call, &source, directive) ||
        !s3_key_may_be_written(call)) {
        return HANDLED;
    }
    /* DIFFERS: the copy of an object that came in parts keeps its entity tag ("...-3") and its
     * checksum, because its bytes are not read; the real one makes the MD5 of the whole. */
    struct store_object_put put = {
        .bucket_id = call->bucket.id,
        .key = call->key,
        .etag = source.etag,
        .headers = directive == DIRECTIVE_REPLACE ? s3_headers_take(call) : source.headers,
        .checksum = source.checksum,
        .modified_ms = s3_now_ms(call),
        .bytes = SPAN_EMPTY,
    };
    if (call->failed) {
        return HANDLED;
    }
    if (store_object_copy(call->s3->options.store, &source, &put, &err) != STATUS_OK) {
        return s3_error_store(call, &err);
    }
    write_result(call, &put);
    s3_encryption_header(call);
    return HANDLED;
}
