/* CompleteMultipartUpload: the parts that the client names become the object.
 *
 * Everything is checked against the stored parts before anything is written. A client that never
 * saw the first answer may ask again with the same parts, and gets the same answer as long as the
 * object is the one that they made. */
#include "aws_xml.h"
#include "base64.h"
#include "hex.h"
#include "s3_body.h"
#include "s3_checksum.h"
#include "s3_conditions.h"
#include "s3_errors.h"
#include "s3_headers.h"
#include "s3_operations.h"
#include "s3_upload.h"
#include "s3_xml.h"
#include "s3_xml_read.h"
#include "url.h"

#include <ctype.h>

enum {
    md5_hex_bytes = 32,
    checksum_text_bytes_max = 256,
};

struct named_part {
    int32_t number;
    struct span etag; /* without quotes */
    struct span checksum[CHECKSUM_KIND_COUNT];
};

struct complete_request {
    struct named_part *parts;
    size_t count;
    bool no_memory; /* to read it */
};

/* --- decoding --- */

static bool part_decode(const struct s3_xml_node *node, struct named_part *out)
{
    int64_t number;
    if (!span_parse_i64(s3_xml_child_word(node, "PartNumber"), &number) || number < 0 ||
        number > INT32_MAX) {
        return false;
    }
    out->number = (int32_t)number;
    out->etag = s3_etag_bare(s3_xml_child_word(node, "ETag"));
    for (size_t i = 0; i < CHECKSUM_KIND_COUNT; i++) {
        out->checksum[i] = s3_xml_child_word(node, s3_checksum_element_name((enum checksum_kind)i));
    }
    return out->etag.len > 0;
}

static bool complete_request_decode(struct arena *arena, struct span body,
                                    struct complete_request *out)
{
    size_t count = 0;
    *out = (struct complete_request){0};
    const struct s3_xml_node *root = s3_xml_read(arena, body, &out->no_memory);
    if (root == NULL || !span_equal_cstr(root->name, "CompleteMultipartUpload")) {
        return false;
    }
    for (const struct s3_xml_node *n = root->children; n != NULL; n = n->next) {
        if (!span_equal_cstr(n->name, "Part")) {
            return false;
        }
        count++;
    }
    if (count == 0 || count > STORE_PART_NUMBER_MAX) {
        return false;
    }
    out->parts = arena_alloc_array(arena, count, sizeof(*out->parts));
    if (out->parts == NULL) {
        out->no_memory = true;
        return false;
    }
    for (const struct s3_xml_node *n = root->children; n != NULL; n = n->next) {
        if (!part_decode(n, &out->parts[out->count])) {
            return false;
        }
        out->count++;
    }
    return true;
}

/* False: an error is in the reply. */
static bool complete_request_is_in_order(struct s3_call *call,
                                         const struct complete_request *request)
{
    struct span id = SPAN_EMPTY;
    (void)s3_query(call, "uploadId", &id);
    const struct aws_error_detail details[] = {{"UploadId", id}, {NULL, SPAN_EMPTY}};
    for (size_t i = 0; i < request->count; i++) {
        int32_t number = request->parts[i].number;
        if (number == 0) {
            (void)s3_invalid_argument(call, "PartNumber must be >= 1", "PartNumber", SPAN_LIT("0"));
            return false;
        }
        if (i > 0 && number <= request->parts[i - 1].number) {
            (void)s3_error_with(call, S3_ERROR_INVALID_PART_ORDER, details);
            return false;
        }
    }
    return true;
}

/* --- the ETag: MD5 of the parts' MD5s --- */

/* S3 writes MD5s in lower case, so digits in upper case make no ETag of ours. */
static bool md5_append(struct span hex, struct buf *out)
{
    bool good = hex.len == md5_hex_bytes;
    for (size_t i = 0; good && i < hex.len; i += 2) {
        int high = hex_value(hex.ptr[i]);
        int low = hex_value(hex.ptr[i + 1]);
        good = high >= 0 && low >= 0 && !isupper((unsigned char)hex.ptr[i]) &&
               !isupper((unsigned char)hex.ptr[i + 1]);
        buf_append_byte(out, (char)(high * 16 + low));
    }
    return good && buf_ok(out);
}

/* The object's ETag, the MD5 of its parts' MD5s; empty: one of them is no MD5. */
static struct span etag_of_parts(struct s3_call *call, const struct complete_request *request)
{
    char hex[DIGEST_HEX_BYTES_MAX];
    struct buf raw;
    bool good = true;
    buf_init(&raw, STORE_PART_NUMBER_MAX * md5_hex_bytes / 2);
    for (size_t i = 0; good && i < request->count; i++) {
        good = md5_append(request->parts[i].etag, &raw);
    }
    struct digest_value value = digest_of(call->s3->options.crypto, DIGEST_MD5, buf_span(&raw));
    digest_hex(&value, hex);
    buf_release(&raw);
    return good
               ? span_from_cstr(arena_printf(&call->exchange->arena, "%s-%zu", hex, request->count))
               : SPAN_EMPTY;
}

/* --- what the stored parts come to --- */

enum assembly_problem {
    ASSEMBLY_SOUND,
    ASSEMBLY_INVALID_PART,
    ASSEMBLY_TOO_SMALL,
    ASSEMBLY_NO_CHECKSUM,
    ASSEMBLY_NO_MEMORY,
};

struct assembly {
    const struct complete_request *request;
    struct s3_upload_checksum checksum;
    size_t next; /* of the request's parts, the one that is looked for */
    uint64_t size;
    uint64_t crc;                  /* FULL_OBJECT: of all parts so far */
    struct buf checksums;          /* COMPOSITE: the parts' raw checksums */
    enum assembly_problem problem; /* with request->parts[next] */
    uint64_t part_size;            /* of the one that is too small */
};

static bool assembly_refuse(struct assembly *a, enum assembly_problem problem)
{
    a->problem = problem;
    return false;
}

/* Does the checksum that the client names agree with the stored one (if both are there)? */
static bool checksum_agrees(const struct named_part *named, struct span stored)
{
    struct s3_checksum_text text;
    if (!s3_checksum_text_read(stored, &text)) {
        return true;
    }
    struct span value = named->checksum[text.kind];
    return value.len == 0 || span_equal(value, text.value);
}

static bool assembly_add_checksum(struct assembly *a, const struct store_part *part)
{
    struct s3_checksum_text text;
    if (!a->checksum.has) {
        return true;
    }
    if (!s3_checksum_text_read(part->checksum, &text) || text.kind != a->checksum.kind) {
        return assembly_refuse(a, ASSEMBLY_INVALID_PART);
    }
    if (a->checksum.full_object) {
        uint64_t crc = 0;
        if (!checksum_crc_parse(text.kind, text.value, &crc)) {
            return assembly_refuse(a, ASSEMBLY_INVALID_PART);
        }
        a->crc = checksum_crc_combine(text.kind, a->crc, crc, part->size);
        return true;
    }
    if (a->request->parts[a->next].checksum[text.kind].len == 0) {
        return assembly_refuse(a, ASSEMBLY_NO_CHECKSUM);
    }
    return (base64_decode(text.value, &a->checksums) && buf_ok(&a->checksums)) ||
           assembly_refuse(a, ASSEMBLY_NO_MEMORY);
}

static bool assembly_visit(void *ctx, const struct store_part *part)
{
    struct assembly *a = ctx;
    const struct named_part *named = &a->request->parts[a->next];
    if (part->number < named->number) {
        return true; /* not wanted: it goes with the upload */
    }
    if (part->number > named->number || !span_equal(part->etag, named->etag) ||
        !checksum_agrees(named, part->checksum)) {
        return assembly_refuse(a, ASSEMBLY_INVALID_PART);
    }
    if (part->size < S3_PART_BYTES_MIN && a->next + 1 < a->request->count) {
        a->part_size = part->size;
        return assembly_refuse(a, ASSEMBLY_TOO_SMALL);
    }
    if (!assembly_add_checksum(a, part)) {
        return false;
    }
    a->size += part->size;
    a->next++;
    return a->next < a->request->count;
}

static void answer_problem(struct s3_call *call, const struct assembly *a, struct span upload_id)
{
    const struct named_part *named = &a->request->parts[a->next];
    struct span number = s3_number_text(call, (uint64_t)named->number);
    const struct aws_error_detail invalid[] = {
        {"UploadId", upload_id}, {"PartNumber", number}, {"ETag", named->etag}, {NULL, SPAN_EMPTY}};
    const struct aws_error_detail small[] = {
        {"ProposedSize", s3_number_text(call, a->part_size)},
        {"MinSizeAllowed", s3_number_text(call, S3_PART_BYTES_MIN)},
        {"PartNumber", number},
        {"ETag", named->etag},
        {NULL, SPAN_EMPTY}};
    switch (a->problem) {
    case ASSEMBLY_SOUND:
        BUG("no problem to answer");
    case ASSEMBLY_INVALID_PART:
        (void)s3_error_with(call, S3_ERROR_INVALID_PART, invalid);
        return;
    case ASSEMBLY_TOO_SMALL:
        (void)s3_error_with(call, S3_ERROR_ENTITY_TOO_SMALL, small);
        return;
    case ASSEMBLY_NO_CHECKSUM:
        (void)s3_error_text(
            call, S3_ERROR_INVALID_REQUEST,
            span_from_cstr(arena_printf(&call->exchange->arena,
                                        "The upload was created using a %s checksum. The complete "
                                        "request must include the checksum for each part. It was "
                                        "missing for part %d in the request.",
                                        checksum_name(a->checksum.kind), (int)named->number)),
            NULL);
        return;
    case ASSEMBLY_NO_MEMORY:
        (void)s3_error(call, S3_ERROR_INTERNAL_ERROR);
        return;
    }
}

/* "crc32 NhCmhg==-2 COMPOSITE", in the arena; empty: the upload has none. False: 500. */
static bool assembly_checksum(struct s3_call *call, struct assembly *a, struct span *out)
{
    struct error err = ERROR_NONE;
    struct checksum checksum;
    struct buf text;
    *out = SPAN_EMPTY;
    if (!a->checksum.has) {
        return true;
    }
    if (checksum_init(&checksum, a->checksum.kind, call->s3->options.crypto, &err) != STATUS_OK) {
        (void)s3_error_store(call, &err);
        return false;
    }
    buf_init(&text, checksum_text_bytes_max);
    buf_printf(&text, "%s ", checksum_name(a->checksum.kind));
    if (a->checksum.full_object) {
        checksum_crc_append(a->checksum.kind, a->crc, &text);
        BUF_APPEND_LIT(&text, " FULL_OBJECT");
    } else {
        checksum_update(&checksum, buf_span(&a->checksums));
        checksum_finish(&checksum, &text);
        buf_printf(&text, "-%zu COMPOSITE", a->request->count);
    }
    bool good = buf_ok(&text) && s3_span_copy(&call->exchange->arena, buf_span(&text), out);
    buf_release(&text);
    checksum_release(&checksum);
    if (!good) {
        (void)s3_error(call, S3_ERROR_INTERNAL_ERROR);
    }
    return good;
}

/* --- what the client expects of the whole --- */

/* An object's checksum without the "-2" of a composite one. */
static struct span without_count(struct span value)
{
    return span_first(value, span_find_byte(value, '-'));
}

static bool header_agrees(struct s3_call *call, struct s3_checksum_text computed)
{
    const char *name =
        arena_printf(&call->exchange->arena, "x-amz-checksum-%s", checksum_name(computed.kind));
    struct span wanted = name != NULL ? s3_header(call, name) : SPAN_EMPTY;
    if (wanted.len == 0 || span_equal(without_count(wanted), without_count(computed.value))) {
        return true;
    }
    (void)s3_error_text(
        call, S3_ERROR_BAD_DIGEST,
        span_from_cstr(arena_printf(&call->exchange->arena,
                                    "The %s you specified did not match the calculated checksum.",
                                    checksum_name(computed.kind))),
        NULL);
    return false;
}

/* False: an error is in the reply. */
static bool expectations_hold(struct s3_call *call, const struct assembly *a, struct span checksum)
{
    struct s3_checksum_text computed;
    struct span size = s3_header(call, "x-amz-mp-object-size");
    struct span type = s3_header(call, "x-amz-checksum-type");
    uint64_t wanted_size = 0;
    bool has = s3_checksum_text_read(checksum, &computed);
    if (size.len > 0 && (!span_parse_u64(size, &wanted_size) || wanted_size != a->size)) {
        (void)s3_error_text(call, S3_ERROR_INVALID_REQUEST,
                            SPAN_LIT("The provided 'x-amz-mp-object-size' header does not match "
                                     "what was computed."),
                            NULL);
        return false;
    }
    if (has && type.len > 0 && !span_equal(type, computed.type)) {
        (void)s3_error_text(
            call, S3_ERROR_INVALID_REQUEST,
            span_from_cstr(arena_printf(&call->exchange->arena,
                                        "The upload was created using the %.*s checksum mode. The "
                                        "complete request must use the same checksum mode.",
                                        SPAN_ARG(computed.type))),
            NULL);
        return false;
    }
    return !has || header_agrees(call, computed);
}

/* If-Match and If-None-Match are about the object that is under the key now; for If-Match it must
 * be older than the upload.
 *
 * DIFFERS: with If-None-Match the real S3 also answers 409 when an object under the key was deleted
 * after the upload was created; here nothing remembers it, and the upload is completed. */
static bool conditions_hold(struct s3_call *call, const struct store_upload *upload)
{
    struct store_object object;
    bool found;
    if (!s3_call_look_up(call, &object, &found) ||
        !s3_write_conditions_hold(call, found ? &object : NULL)) {
        return false;
    }
    if (s3_header(call, "if-match").len == 0 || object.modified_ms <= upload->created_ms) {
        return true;
    }
    const struct aws_error_detail details[] = {
        {"Condition", SPAN_LIT("If-Match")}, {"Key", call->key}, {NULL, SPAN_EMPTY}};
    (void)s3_error_with(call, S3_ERROR_CONDITIONAL_CONFLICT, details);
    return false;
}

/* --- the answer --- */

static void write_location(struct s3_call *call)
{
    struct buf *out = &call->exchange->reply.body;
    s3_xml_open(call, "Location");
    BUF_APPEND_LIT(out, "http://");
    aws_xml_escape(out, call->exchange->request.host);
    BUF_APPEND_LIT(out, "/");
    if (!call->virtual_host) {
        aws_xml_escape(out, call->bucket_name);
        BUF_APPEND_LIT(out, "/");
    }
    url_encode(call->key, false, out); /* slashes too, as the real one does */
    s3_xml_close(call, "Location");
}

static enum handled completed_encode(struct s3_call *call, struct span etag, struct span checksum)
{
    s3_xml_begin(call, "CompleteMultipartUploadResult");
    write_location(call);
    s3_xml_text(call, "Bucket", call->bucket_name);
    s3_xml_text(call, "Key", call->key);
    s3_xml_etag(call, etag);
    s3_checksum_xml(call, checksum);
    s3_xml_end(call, "CompleteMultipartUploadResult");
    s3_encryption_header(call);
    return HANDLED;
}

/* An upload that is not there any more has the same answer again if it made the object under the
 * key, of these parts. */
static enum handled answer_again(struct s3_call *call, struct span upload_id,
                                 const struct complete_request *request)
{
    struct store_object object;
    struct span etag = etag_of_parts(call, request);
    bool found;
    if (!s3_call_look_up(call, &object, &found)) {
        return HANDLED;
    }
    if (found && upload_id.len > 0 && span_equal(object.upload_id, upload_id) &&
        span_equal(object.etag, etag)) {
        return completed_encode(call, etag, object.checksum);
    }
    return s3_no_such_upload(call);
}

static enum handled complete(struct s3_call *call, const struct store_upload *upload,
                             const struct assembly *a, struct span checksum)
{
    struct error err = ERROR_NONE;
    const struct complete_request *request = a->request;
    int32_t *numbers = arena_alloc_array(&call->exchange->arena, request->count, sizeof(*numbers));
    struct span etag = etag_of_parts(call, request);
    if (numbers == NULL || etag.len == 0) {
        return s3_error(call, S3_ERROR_INTERNAL_ERROR);
    }
    for (size_t i = 0; i < request->count; i++) {
        numbers[i] = request->parts[i].number;
    }
    /* An object's time is that of its upload's beginning ("Last-Modified" of GetObject in the S3
     * API reference). */
    struct store_object_put put = {.bucket_id = upload->bucket_id,
                                   .key = upload->key,
                                   .etag = etag,
                                   .headers = upload->headers,
                                   .checksum = checksum,
                                   .modified_ms = upload->created_ms,
                                   .bytes = SPAN_EMPTY};
    enum status status = store_upload_complete(call->s3->options.store, upload->id, numbers,
                                               request->count, &put, &err);
    return status == STATUS_OK ? completed_encode(call, etag, checksum)
                               : s3_error_store(call, &err);
}

static enum handled assemble(struct s3_call *call, const struct store_upload *upload,
                             const struct complete_request *request)
{
    struct error err = ERROR_NONE;
    struct assembly a = {.request = request, .checksum = s3_upload_checksum_of(upload)};
    struct span checksum;
    buf_init(&a.checksums, STORE_PART_NUMBER_MAX * DIGEST_BYTES_MAX);
    if (store_parts_visit(call->s3->options.store, upload->id, 0, assembly_visit, &a, &err) !=
        STATUS_OK) {
        (void)s3_error_store(call, &err);
    } else {
        if (a.problem == ASSEMBLY_SOUND && a.next < request->count) {
            a.problem = ASSEMBLY_INVALID_PART;
        }
        if (a.problem != ASSEMBLY_SOUND) {
            answer_problem(call, &a, upload->id);
        } else if (assembly_checksum(call, &a, &checksum) &&
                   expectations_hold(call, &a, checksum) && conditions_hold(call, upload)) {
            (void)complete(call, upload, &a, checksum);
        }
    }
    buf_release(&a.checksums);
    return HANDLED;
}

enum handled s3_complete_upload(struct s3_call *call)
{
    struct span body;
    struct span id = SPAN_EMPTY;
    struct complete_request request;
    struct store_upload upload;
    struct error err = ERROR_NONE;
    if (!s3_call_bucket(call) || !s3_body_gathered(call, &body, NULL)) {
        return HANDLED;
    }
    if (!complete_request_decode(&call->exchange->arena, body, &request)) {
        return s3_error(call, request.no_memory ? S3_ERROR_INTERNAL_ERROR : S3_ERROR_MALFORMED_XML);
    }
    if (!complete_request_is_in_order(call, &request)) {
        return HANDLED;
    }
    if (crypto_ready(call->s3->options.crypto, &err) != STATUS_OK) {
        return s3_error_store(call, &err);
    }
    (void)s3_query(call, "uploadId", &id);
    struct store_upload_place place = {.bucket_id = call->bucket.id, .key = call->key, .id = id};
    switch (
        store_upload_find(call->s3->options.store, place, &call->exchange->arena, &upload, &err)) {
    case STATUS_OK:
        return assemble(call, &upload, &request);
    case STATUS_NOT_FOUND:
        return answer_again(call, id, &request);
    default:
        return s3_error_store(call, &err);
    }
}
