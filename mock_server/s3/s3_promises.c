/* Promises of a request's head about its body: its framing, its length, its hashes (specs/aws-s3.md
 * section 6). Promises that contradict each other are refused before a byte of the body is taken
 * in. */
#include "s3_promises.h"

#include "answer.h"
#include "base64.h"
#include "s3_errors.h"

#include <ctype.h>

#define OBJECT_BYTES_MAX ((uint64_t)S3_OBJECT_BYTES_MAX_GIB << 30)

enum { md5_bytes = 16, sha256_hex_bytes = 64 };

static bool promise_refuse(struct s3_call *call, enum s3_error_id id)
{
    s3_error(call, id);
    return false;
}

static bool promise_refuse_request(struct s3_call *call, const char *message)
{
    s3_error_text(call, S3_ERROR_INVALID_REQUEST, span_from_cstr(message), NULL);
    return false;
}

/* --- the payload --- */

static bool is_sha256_hex(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!isxdigit((unsigned char)text.ptr[i])) {
            return false;
        }
    }
    return text.len == sha256_hex_bytes;
}

/* A presigned URL may name the payload in a parameter, which is signed; a header beside it need not
 * be. */
static struct span payload_word(const struct s3_call *call)
{
    struct span word;
    if (call->claim.kind == SIGV4_QUERY && s3_query(call, "X-Amz-Content-Sha256", &word)) {
        return word;
    }
    return s3_header(call, "x-amz-content-sha256");
}

static bool payload_take(struct s3_call *call, struct s3_promises *out)
{
    static const struct {
        const char *word;
        enum s3_payload payload;
    } words[] = {
        {"", S3_PAYLOAD_UNSAID},
        {SIGV4_UNSIGNED_PAYLOAD, S3_PAYLOAD_UNSIGNED},
        {SIGV4_STREAMING_UNSIGNED_TRAILER, S3_PAYLOAD_STREAMING_UNSIGNED_TRAILER},
        {SIGV4_STREAMING_SIGNED, S3_PAYLOAD_STREAMING_SIGNED},
        {SIGV4_STREAMING_SIGNED_TRAILER, S3_PAYLOAD_STREAMING_SIGNED_TRAILER},
    };
    struct span text = payload_word(call);
    out->payload_word = text;
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (span_equal_cstr(text, words[i].word)) {
            out->payload = words[i].payload;
            return true;
        }
    }
    if (is_sha256_hex(text)) {
        out->payload = S3_PAYLOAD_HASH;
        return true;
    }
    s3_invalid_argument(
        call,
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, "
        "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
        "x-amz-content-sha256", text);
    return false;
}

static bool has_token(struct span list, const char *token)
{
    struct span part;
    while (span_next_part(&list, ',', &part)) {
        if (span_equal_nocase(span_trim(part), span_from_cstr(token))) {
            return true;
        }
    }
    return false;
}

/* SDK v1 may leave Content-Encoding out, so the payload's word decides; an unsigned client has only
 * Content-Encoding. */
static bool is_aws_chunked(const struct s3_call *call, enum s3_payload payload)
{
    switch (payload) {
    case S3_PAYLOAD_STREAMING_UNSIGNED_TRAILER:
    case S3_PAYLOAD_STREAMING_SIGNED:
    case S3_PAYLOAD_STREAMING_SIGNED_TRAILER:
        return true;
    case S3_PAYLOAD_UNSAID:
    case S3_PAYLOAD_UNSIGNED:
        return has_token(s3_header(call, "content-encoding"), "aws-chunked") &&
               s3_has_header(call, "x-amz-decoded-content-length");
    case S3_PAYLOAD_HASH:
        return false;
    }
    return false;
}

/* How many bytes it will be, which every body must say. */
bool s3_promises_read_length(struct s3_call *call, struct s3_promises *out)
{
    bool http_chunked = s3_has_header(call, "transfer-encoding");
    struct span text =
        s3_header(call, out->chunked ? "x-amz-decoded-content-length" : "content-length");
    if (!out->chunked && http_chunked) {
        struct aws_error_detail details[] = {{"Header", SPAN_LIT("Transfer-Encoding")},
                                             {NULL, SPAN_EMPTY}};
        answer_hint(call->exchange,
                    "S3 takes Transfer-Encoding: chunked only round aws-chunked: send a "
                    "Content-Length");
        s3_error_with(call, S3_ERROR_NOT_IMPLEMENTED, details);
        return false;
    }
    if (!span_parse_u64(text, &out->length)) {
        return promise_refuse(call, S3_ERROR_MISSING_CONTENT_LENGTH);
    }
    if (out->length > OBJECT_BYTES_MAX) {
        s3_error_too_large(call, text);
        return false;
    }
    return true;
}

static bool is_base64_of(struct span text, size_t bytes, bool *no_memory)
{
    struct buf decoded;
    buf_init(&decoded, 256);
    bool fits =
        text.len == (bytes + 2) / 3 * 4 && base64_decode(text, &decoded) && decoded.len == bytes;
    *no_memory = decoded.no_memory;
    buf_release(&decoded);
    return fits;
}

static bool content_md5_take(struct s3_call *call, struct s3_promises *out)
{
    if (!s3_has_header(call, "content-md5")) {
        return true;
    }
    bool no_memory;
    out->content_md5 = s3_header(call, "content-md5");
    if (is_base64_of(out->content_md5, md5_bytes, &no_memory)) {
        return true;
    }
    if (no_memory) {
        return promise_refuse(call, S3_ERROR_INTERNAL_ERROR);
    }
    struct aws_error_detail details[] = {{"Content-MD5", out->content_md5}, {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_INVALID_DIGEST, details);
    return false;
}

/* --- checksums --- */

static bool checksum_value_check(struct s3_call *call, const struct s3_promises *promises,
                                 const char *where)
{
    bool no_memory;
    if (is_base64_of(promises->checksum, checksum_bytes(promises->checksum_kind), &no_memory)) {
        return true;
    }
    char *message =
        arena_printf(&call->exchange->arena, "Value for x-amz-checksum-%s %s is invalid.",
                     checksum_name(promises->checksum_kind), where);
    return no_memory || message == NULL ? promise_refuse(call, S3_ERROR_INTERNAL_ERROR)
                                        : promise_refuse_request(call, message);
}

/* A checksum's header is x-amz-checksum-crc32 or its like; -algorithm, -mode and -type are no
 * checksums. */
static bool checksum_from_header(struct span name, enum checksum_kind *kind)
{
    struct span prefix = SPAN_LIT("x-amz-checksum-");
    return span_equal_nocase(span_first(name, prefix.len), prefix) &&
           checksum_from_name(name, kind);
}

static bool checksum_header_take(struct s3_call *call, struct s3_promises *out)
{
    const struct http_request *request = &call->exchange->request;
    for (size_t i = 0; i < request->header_count; i++) {
        enum checksum_kind found;
        if (!checksum_from_header(request->headers[i].name, &found)) {
            continue;
        }
        if (out->has_checksum) {
            return promise_refuse_request(call,
                                          "Expecting a single x-amz-checksum- header. Multiple "
                                          "checksum Types are not allowed.");
        }
        out->has_checksum = true;
        out->checksum = request->headers[i].value;
        out->checksum_kind = found;
    }
    return !out->has_checksum || checksum_value_check(call, out, "header");
}

static bool checksum_trailer_take(struct s3_call *call, struct s3_promises *out)
{
    struct span name = span_trim(s3_header(call, "x-amz-trailer"));
    if (name.len == 0) {
        return true;
    }
    if (!checksum_from_header(name, &out->checksum_kind)) {
        return promise_refuse_request(
            call, "The value specified in the x-amz-trailer header is not supported");
    }
    if (out->has_checksum) {
        return promise_refuse_request(call, "Expecting a single x-amz-checksum- header");
    }
    if (!out->chunked) {
        return promise_refuse(call, S3_ERROR_MALFORMED_TRAILER);
    }
    out->has_checksum = true;
    out->checksum_in_trailer = true;
    return true;
}

static bool algorithm_fits(struct s3_call *call, const struct s3_promises *out)
{
    enum checksum_kind wanted;
    struct span text = s3_header(call, "x-amz-sdk-checksum-algorithm");
    if (text.len == 0) {
        return true;
    }
    if (!checksum_from_name(text, &wanted) || (out->has_checksum && wanted != out->checksum_kind)) {
        return promise_refuse_request(call,
                                      "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    }
    return out->has_checksum ||
           promise_refuse_request(call,
                                  "x-amz-sdk-checksum-algorithm specified, but no corresponding "
                                  "x-amz-checksum-* or x-amz-trailer headers were found.");
}

/* --- all of them --- */

bool s3_promises_read(struct s3_call *call, bool with_checksum, struct s3_promises *out)
{
    *out = (struct s3_promises){
        .payload_word = SPAN_EMPTY, .content_md5 = SPAN_EMPTY, .checksum = SPAN_EMPTY};
    if (!payload_take(call, out)) {
        return false;
    }
    out->chunked = is_aws_chunked(call, out->payload);
    return content_md5_take(call, out) &&
           (!with_checksum || (checksum_header_take(call, out) &&
                               checksum_trailer_take(call, out) && algorithm_fits(call, out)));
}

bool s3_promises_read_trailer(struct s3_call *call, struct span value, struct s3_promises *out)
{
    if (value.len == 0) {
        return promise_refuse(call, S3_ERROR_MALFORMED_TRAILER);
    }
    out->checksum = value;
    return checksum_value_check(call, out, "trailing header");
}
