/* Multipart uploads: begin, parts, abort, and what the other files of uploads share. */
#include "s3_multipart.h"

#include <stdio.h>

/* --- checksums --- */

static const struct checksum_words {
    const char *algorithm; /* as headers and XML name it */
    const char *element;
    bool composite;
    bool full_object;
    bool full_by_default;
} words[CHECKSUM_KIND_COUNT] = {
    [CHECKSUM_CRC32] = {"CRC32", "ChecksumCRC32", true, true, false},
    [CHECKSUM_CRC32C] = {"CRC32C", "ChecksumCRC32C", true, true, false},
    [CHECKSUM_CRC64NVME] = {"CRC64NVME", "ChecksumCRC64NVME", false, true, true},
    [CHECKSUM_SHA1] = {"SHA1", "ChecksumSHA1", true, false, false},
    [CHECKSUM_SHA256] = {"SHA256", "ChecksumSHA256", true, false, false},
};

static const char *type_name(bool full_object)
{
    return full_object ? "FULL_OBJECT" : "COMPOSITE";
}

const char *s3_checksum_element_name(enum checksum_kind kind)
{
    return words[kind].element;
}

bool s3_checksum_text_read(struct span text, struct s3_checksum_text *out)
{
    struct span name;
    struct s3_checksum_text read = {.value = SPAN_EMPTY, .type = SPAN_EMPTY};
    if (!span_next_part(&text, ' ', &name) || !checksum_from_name(name, &read.kind)) {
        return false;
    }
    (void)span_next_part(&text, ' ', &read.value);
    (void)span_next_part(&text, ' ', &read.type);
    *out = read;
    return true;
}

struct s3_upload_checksum s3_upload_checksum_of(const struct store_upload *upload)
{
    struct s3_checksum_text text; /* with the type where an object's has its value */
    if (!s3_checksum_text_read(upload->checksum_algorithm, &text)) {
        return (struct s3_upload_checksum){.has = false};
    }
    return (struct s3_upload_checksum){
        .has = true, .kind = text.kind, .full_object = span_equal_cstr(text.value, "FULL_OBJECT")};
}

void s3_checksum_element(struct s3_call *call, struct span text)
{
    struct s3_checksum_text checksum;
    if (s3_checksum_text_read(text, &checksum)) {
        s3_xml_text(call, words[checksum.kind].element, checksum.value);
    }
}

void s3_checksum_algorithm_elements(struct s3_call *call, struct s3_upload_checksum checksum)
{
    if (checksum.has) {
        s3_xml_text(call, "ChecksumAlgorithm", span_from_cstr(words[checksum.kind].algorithm));
        s3_xml_text(call, "ChecksumType", span_from_cstr(type_name(checksum.full_object)));
    }
}

/* --- finding --- */

enum handled s3_no_such_upload(struct s3_call *call)
{
    struct span id = SPAN_EMPTY;
    (void)s3_query(call, "uploadId", &id);
    const struct aws_error_detail details[] = {{"UploadId", id}, {NULL, SPAN_EMPTY}};
    return s3_error_with(call, S3_ERROR_NO_SUCH_UPLOAD, details);
}

bool s3_upload_find(struct s3_call *call, struct store_upload *out)
{
    struct span id = SPAN_EMPTY;
    struct error err = ERROR_NONE;
    if (!s3_call_bucket(call)) {
        return false;
    }
    (void)s3_query(call, "uploadId", &id);
    struct store_upload_place place = {.bucket_id = call->bucket.id, .key = call->key, .id = id};
    enum status status =
        store_upload_find(call->s3->options.store, place, &call->exchange->arena, out, &err);
    if (status == STATUS_NOT_FOUND) {
        (void)s3_no_such_upload(call);
    } else if (status != STATUS_OK) {
        (void)s3_error_store(call, &err);
    }
    return status == STATUS_OK;
}

bool s3_upload_is_open(struct s3_call *call)
{
    struct store_upload upload;
    return s3_upload_find(call, &upload);
}

bool s3_part_number(struct s3_call *call, int32_t *out)
{
    struct span text = SPAN_EMPTY;
    int64_t number = 0;
    (void)s3_query(call, "partNumber", &text);
    if (!span_parse_i64(text, &number) || number < 1 || number > STORE_PART_NUMBER_MAX) {
        (void)s3_invalid_argument(call,
                                  "Part number must be an integer between 1 and 10000, inclusive",
                                  "partNumber", text);
        return false;
    }
    *out = (int32_t)number;
    return true;
}

/* --- CreateMultipartUpload --- */

static enum handled refuse(struct s3_call *call, const char *message)
{
    return s3_error_text(call, S3_ERROR_INVALID_REQUEST, span_from_cstr(message), NULL);
}

static bool checksum_choose_type(struct s3_call *call, struct span type,
                                 struct s3_upload_checksum *checksum)
{
    const struct checksum_words *w = &words[checksum->kind];
    checksum->full_object = w->full_by_default;
    if (type.len == 0) {
        return true;
    }
    checksum->full_object = span_equal_cstr(type, "FULL_OBJECT");
    if (!checksum->full_object && !span_equal_cstr(type, "COMPOSITE")) {
        (void)refuse(call, "Value for x-amz-checksum-type header is invalid.");
        return false;
    }
    if (checksum->full_object ? !w->full_object : !w->composite) {
        (void)refuse(call,
                     arena_printf(&call->exchange->arena,
                                  "The %s checksum type cannot be used with the %s checksum "
                                  "algorithm.",
                                  type_name(checksum->full_object), checksum_name(checksum->kind)));
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
        (void)refuse(call, "The x-amz-checksum-type header can only be used with the "
                           "x-amz-checksum-algorithm header.");
        return false;
    }
    if (checksum.has && !checksum_from_name(algorithm, &checksum.kind)) {
        (void)refuse(call, "Checksum algorithm provided is unsupported. Please try again with any "
                           "of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
        return false;
    }
    *out = checksum;
    return !checksum.has || checksum_choose_type(call, type, out);
}

/* The time stands first, so that the uploads of one key are listed in the order in which they were
 * begun; the rest nobody can guess. */
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
        reply_add_header_cstr(reply, "x-amz-checksum-algorithm", words[checksum.kind].algorithm);
        reply_add_header_cstr(reply, "x-amz-checksum-type", type_name(checksum.full_object));
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
    if (!s3_call_bucket(call) || !checksum_decode(call, &checksum)) {
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
        upload.checksum_algorithm = span_from_cstr(arena_printf(&call->exchange->arena, "%s %s",
                                                                checksum_name(checksum.kind),
                                                                type_name(checksum.full_object)));
    }
    if (store_upload_create(call->s3->options.store, &upload, &err) != STATUS_OK) {
        return s3_error_store(call, &err);
    }
    encode_created(call, &upload, checksum);
    return HANDLED;
}

/* --- UploadPart --- */

/* The part's own checksum, "crc32 NhCmhg==", when it is of the upload's kind. */
static bool part_checksum(struct s3_call *call, const struct store_upload *upload, struct span *out)
{
    struct s3_upload_checksum expected = s3_upload_checksum_of(upload);
    struct s3_checksum_text actual;
    bool has = s3_checksum_text_read(s3_body_checksum(call->body), &actual);
    if (expected.has && (!has || actual.kind != expected.kind)) {
        (void)refuse(call, arena_printf(&call->exchange->arena,
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

/* Without x-amz-checksum-type, which is the object's. */
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
