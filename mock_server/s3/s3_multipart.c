/* Multipart uploads: begin, parts, abort. */
#include "s3_body.h"
#include "s3_checksum.h"
#include "s3_customer_keys.h"
#include "s3_errors.h"
#include "s3_features.h"
#include "s3_headers.h"
#include "s3_operations.h"
#include "s3_upload.h"
#include "s3_xml.h"

/* --- CreateMultipartUpload --- */

static enum handled upload_refuse(struct s3_call *call, const char *message)
{
    return s3_error_text(call, S3_ERROR_INVALID_REQUEST, span_from_cstr(message), NULL);
}

static bool checksum_choose_type(struct s3_call *call, struct span type,
                                 struct s3_upload_checksum *checksum)
{
    checksum->full_object = s3_checksum_is_full_by_default(checksum->kind);
    if (type.len == 0) {
        return true;
    }
    checksum->full_object = span_equal_cstr(type, "FULL_OBJECT");
    if (!checksum->full_object && !span_equal_cstr(type, "COMPOSITE")) {
        (void)upload_refuse(call, "Value for x-amz-checksum-type header is invalid.");
        return false;
    }
    if (!s3_checksum_type_fits(checksum->kind, checksum->full_object)) {
        (void)upload_refuse(call,
                            arena_printf(&call->exchange->arena,
                                         "The %s checksum type cannot be used with the %s checksum "
                                         "algorithm.",
                                         s3_checksum_type(checksum->full_object),
                                         checksum_name(checksum->kind)));
        return false;
    }
    return true;
}

/* DIFFERS: an object or an upload that comes without a checksum has none; the real S3 adds a
 * CRC64NVME of its own, which shows in x-amz-checksum-crc64nvme. */
static bool checksum_decode(struct s3_call *call, struct s3_upload_checksum *out)
{
    struct span algorithm = s3_header(call, "x-amz-checksum-algorithm");
    struct span type = s3_header(call, "x-amz-checksum-type");
    struct s3_upload_checksum checksum = {.has = algorithm.len > 0};
    if (!checksum.has && type.len > 0) {
        (void)upload_refuse(call, "The x-amz-checksum-type header can only be used with the "
                                  "x-amz-checksum-algorithm header.");
        return false;
    }
    if (checksum.has && !checksum_from_name(algorithm, &checksum.kind)) {
        (void)upload_refuse(call,
                            "Checksum algorithm provided is unsupported. Please try again with any "
                            "of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
        return false;
    }
    *out = checksum;
    return !checksum.has || checksum_choose_type(call, type, out);
}

/* An upload id begins with the time, so that the uploads of one key are listed in the order in
 * which they were begun; nobody can guess the rest. */
static struct span upload_id_make(struct s3_call *call, int64_t now_ms)
{
    struct env *env = call->s3->options.env;
    uint64_t random[3];
    for (size_t i = 0; i < ARRAY_COUNT(random); i++) {
        random[i] = env->random_u64(env);
    }
    return span_from_cstr(arena_printf(&call->exchange->arena, "%011llx%016llx%016llx%016llx",
                                       (unsigned long long)now_ms, (unsigned long long)random[0],
                                       (unsigned long long)random[1],
                                       (unsigned long long)random[2]));
}

static void encode_created(struct s3_call *call, const struct store_upload *upload,
                           struct s3_upload_checksum checksum)
{
    struct reply *reply = &call->exchange->reply;
    if (checksum.has) {
        reply_add_header_cstr(reply, "x-amz-checksum-algorithm",
                              s3_checksum_algorithm(checksum.kind));
        reply_add_header_cstr(reply, "x-amz-checksum-type", s3_checksum_type(checksum.full_object));
    }
    s3_encryption_header(call);
    s3_xml_begin(call, "InitiateMultipartUploadResult");
    s3_xml_text(call, "Bucket", call->bucket_name);
    s3_xml_text(call, "Key", call->key);
    s3_xml_text(call, "UploadId", upload->id);
    s3_xml_end(call, "InitiateMultipartUploadResult");
}

enum handled s3_create_upload(struct s3_call *call)
{
    struct s3_upload_checksum checksum;
    struct error err = ERROR_NONE;
    if (!s3_call_bucket(call) || !s3_object_features_exist(call) ||
        !checksum_decode(call, &checksum)) {
        return HANDLED;
    }
    struct store_upload upload = {.bucket_id = call->bucket.id,
                                  .key = call->key,
                                  .created_ms = s3_now_ms(call),
                                  .headers = s3_headers_take(call),
                                  .checksum_algorithm = SPAN_EMPTY};
    if (call->failed) {
        return HANDLED;
    }
    upload.id = upload_id_make(call, upload.created_ms);
    if (upload.id.len == 0) {
        return s3_error(call, S3_ERROR_INTERNAL_ERROR);
    }
    if (checksum.has) {
        upload.checksum_algorithm = span_from_cstr(
            arena_printf(&call->exchange->arena, "%s %s", checksum_name(checksum.kind),
                         s3_checksum_type(checksum.full_object)));
    }
    if (store_upload_create(call->s3->options.store, &upload, &err) != STATUS_OK) {
        return s3_error_store(call, &err);
    }
    encode_created(call, &upload, checksum);
    return HANDLED;
}

/* --- UploadPart --- */

/* The part's own checksum, "crc32 NhCmhg=="; false: it is not of the upload's kind, and an error is
 * in the reply. */
static bool part_checksum(struct s3_call *call, const struct store_upload *upload, struct span *out)
{
    struct s3_upload_checksum expected = s3_upload_checksum_of(upload);
    struct s3_checksum_text actual;
    bool has = s3_checksum_text_read(s3_body_checksum(call->body), &actual);
    if (expected.has && (!has || actual.kind != expected.kind)) {
        (void)upload_refuse(call,
                            arena_printf(&call->exchange->arena,
                                         "Checksum Type mismatch occurred, expected checksum Type: "
                                         "%s, actual checksum Type: %s",
                                         checksum_name(expected.kind),
                                         has ? checksum_name(actual.kind) : "null"));
        return false;
    }
    *out = has ? span_from_cstr(arena_printf(&call->exchange->arena, "%s %.*s",
                                             checksum_name(actual.kind), SPAN_ARG(actual.value)))
               : SPAN_EMPTY;
    return true;
}

/* A part's checksum has no x-amz-checksum-type, which is the object's. */
static void part_checksum_header(struct s3_call *call, struct span text)
{
    struct s3_checksum_text checksum;
    if (s3_checksum_text_read(text, &checksum)) {
        buf_printf(&call->exchange->reply.headers, "x-amz-checksum-%s: %.*s\r\n",
                   checksum_name(checksum.kind), SPAN_ARG(checksum.value));
    }
}

enum handled s3_upload_part(struct s3_call *call)
{
    struct store_upload upload;
    struct error err = ERROR_NONE;
    struct store_part part = {.etag = span_from_cstr(s3_body_md5(call->body))};
    if (!s3_upload_find(call, &upload) || !s3_part_number(call, &part.number) ||
        !s3_customer_key_is_absent(call, S3_KEY_OF_OBJECT) ||
        !part_checksum(call, &upload, &part.checksum)) {
        return HANDLED;
    }
    struct store_body *body = s3_body_store(call->body);
    part.size = store_body_size(body);
    part.modified_ms = s3_now_ms(call);
    if (store_part_put(call->s3->options.store, upload.id, &part, body, &err) != STATUS_OK) {
        return s3_error_store(call, &err);
    }
    s3_etag_header(call, part.etag);
    part_checksum_header(call, part.checksum);
    s3_encryption_header(call);
    call->exchange->reply.status = 200;
    return HANDLED;
}

/* --- AbortMultipartUpload --- */

enum handled s3_abort_upload(struct s3_call *call)
{
    struct store_upload upload;
    struct error err = ERROR_NONE;
    if (!s3_upload_find(call, &upload)) {
        return HANDLED;
    }
    if (store_upload_abort(call->s3->options.store, upload.id, &err) != STATUS_OK) {
        return s3_error_store(call, &err);
    }
    call->exchange->reply.status = 204;
    return HANDLED;
}
