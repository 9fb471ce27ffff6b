/* A body on its way in: takes off the aws-chunked framing, hashes, hands the bytes to the store (or
 * gathers them, for XML), and at the end checks everything that the client said about it
 * (specs/aws-s3.md section 6).
 *
 *   bytes -> [aws_chunked: signatures of chunks, trailers] -> MD5, SHA-256, checksum -> store_body
 *
 * Nothing is kept of a body that does not hold what its headers promise. */
#include "s3_internal.h"

#include "aws_chunked.h"
#include "base64.h"
#include "checksum.h"

#include <ctype.h>
#include <string.h>

#define OBJECT_BYTES_MAX ((uint64_t)S3_OBJECT_BYTES_MAX_GIB << 30)

enum { md5_bytes = 16, sha256_hex_bytes = 64 };

enum payload {
    PAYLOAD_UNSAID,   /* no x-amz-content-sha256 */
    PAYLOAD_UNSIGNED, /* plain, not hashed */
    PAYLOAD_HASH,     /* plain, with its SHA-256 */
    PAYLOAD_STREAMING_UNSIGNED_TRAILER,
    PAYLOAD_STREAMING_SIGNED,
    PAYLOAD_STREAMING_SIGNED_TRAILER,
};

struct s3_body {
    struct s3_call *call;
    enum payload payload;
    struct span payload_word; /* as sent */
    bool ignores_checksum;    /* the headers are not about this body */
    bool chunked;
    uint64_t expected; /* decoded bytes */
    uint64_t received;
    struct digest *md5;          /* NULL: not needed */
    struct digest *sha256;       /* NULL: not promised */
    struct digest *chunk_sha256; /* NULL: chunk signatures are not looked at */
    struct span content_md5;     /* as sent; empty: not promised */
    bool has_checksum;
    bool checksum_in_trailer;
    struct checksum checksum;
    struct span checksum_promised; /* as sent */
    struct store_body *store;      /* NULL: gathered */
    struct buf gathered;           /* of a chunked one */
    struct aws_chunked decoder;
    struct sigv4_chunks chunks;
    char md5_hex[DIGEST_HEX_BYTES_MAX];
    struct span checksum_text;
};

/* --- refusals --- */

static bool refuse(struct s3_call *call, enum s3_error_id id)
{
    s3_error(call, id);
    return false;
}

static bool refuse_request(struct s3_call *call, const char *message)
{
    s3_error_text(call, S3_ERROR_INVALID_REQUEST, span_from_cstr(message), NULL);
    return false;
}

static bool refuse_store(struct s3_call *call, const struct error *err)
{
    s3_error_store(call, err);
    return false;
}

static bool refuse_torn(struct s3_call *call)
{
    s3_error_text(call, S3_ERROR_INCOMPLETE_BODY,
                  SPAN_LIT("The request body terminated unexpectedly"), NULL);
    return false;
}

/* --- what the head promises --- */

static bool is_sha256_hex(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!isxdigit((unsigned char)text.ptr[i])) {
            return false;
        }
    }
    return text.len == sha256_hex_bytes;
}

/* A presigned URL may have it as a parameter, which is signed; a header beside it need not be. */
static struct span payload_word(const struct s3_call *call)
{
    struct span word;
    if (call->claim.kind == SIGV4_QUERY && s3_query(call, "X-Amz-Content-Sha256", &word)) {
        return word;
    }
    return s3_header(call, "x-amz-content-sha256");
}

static bool payload_take(struct s3_body *body)
{
    struct s3_call *call = body->call;
    static const struct {
        const char *word;
        enum payload payload;
    } words[] = {
        {"", PAYLOAD_UNSAID},
        {SIGV4_UNSIGNED_PAYLOAD, PAYLOAD_UNSIGNED},
        {SIGV4_STREAMING_UNSIGNED_TRAILER, PAYLOAD_STREAMING_UNSIGNED_TRAILER},
        {SIGV4_STREAMING_SIGNED, PAYLOAD_STREAMING_SIGNED},
        {SIGV4_STREAMING_SIGNED_TRAILER, PAYLOAD_STREAMING_SIGNED_TRAILER},
    };
    struct span text = payload_word(call);
    body->payload_word = text;
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (span_equal_cstr(text, words[i].word)) {
            body->payload = words[i].payload;
            return true;
        }
    }
    if (is_sha256_hex(text)) {
        body->payload = PAYLOAD_HASH;
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
static bool is_aws_chunked(const struct s3_call *call, enum payload payload)
{
    switch (payload) {
    case PAYLOAD_STREAMING_UNSIGNED_TRAILER:
    case PAYLOAD_STREAMING_SIGNED:
    case PAYLOAD_STREAMING_SIGNED_TRAILER:
        return true;
    case PAYLOAD_UNSAID:
    case PAYLOAD_UNSIGNED:
        return has_token(s3_header(call, "content-encoding"), "aws-chunked") &&
               s3_has_header(call, "x-amz-decoded-content-length");
    case PAYLOAD_HASH:
        return false;
    }
    return false;
}

/* How many bytes it will be, which every body must say. */
static bool length_take(struct s3_body *body)
{
    struct s3_call *call = body->call;
    bool http_chunked = s3_has_header(call, "transfer-encoding");
    struct span text =
        s3_header(call, body->chunked ? "x-amz-decoded-content-length" : "content-length");
    if (!body->chunked && http_chunked) {
        struct aws_error_detail details[] = {{"Header", SPAN_LIT("Transfer-Encoding")},
                                             {NULL, SPAN_EMPTY}};
        s3_hint(call, "S3 takes Transfer-Encoding: chunked only round aws-chunked: send a "
                      "Content-Length");
        s3_error_with(call, S3_ERROR_NOT_IMPLEMENTED, details);
        return false;
    }
    if (!span_parse_u64(text, &body->expected)) {
        return refuse(call, S3_ERROR_MISSING_CONTENT_LENGTH);
    }
    if (body->expected > OBJECT_BYTES_MAX) {
        s3_error_too_large(call, text);
        return false;
    }
    return true;
}

static bool is_base64_of(struct span text, size_t bytes)
{
    struct buf decoded;
    buf_init(&decoded, 256);
    bool fits =
        text.len == (bytes + 2) / 3 * 4 && base64_decode(text, &decoded) && decoded.len == bytes;
    buf_release(&decoded);
    return fits;
}

static bool content_md5_take(struct s3_body *body)
{
    struct s3_call *call = body->call;
    if (!s3_has_header(call, "content-md5")) {
        return true;
    }
    body->content_md5 = s3_header(call, "content-md5");
    if (is_base64_of(body->content_md5, md5_bytes)) {
        return true;
    }
    struct aws_error_detail details[] = {{"Content-MD5", body->content_md5}, {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_INVALID_DIGEST, details);
    return false;
}

/* --- checksums --- */

static bool refuse_checksum_value(struct s3_call *call, enum checksum_kind kind, const char *where)
{
    return refuse_request(call, arena_printf(&call->exchange->arena,
                                             "Value for x-amz-checksum-%s %s is invalid.",
                                             checksum_name(kind), where));
}

/* x-amz-checksum-crc32 and its like; -algorithm, -mode and -type are about them. */
static bool checksum_from_header(struct span name, enum checksum_kind *kind)
{
    struct span prefix = SPAN_LIT("x-amz-checksum-");
    return span_equal_nocase(span_first(name, prefix.len), prefix) &&
           checksum_from_name(name, kind);
}

static bool checksum_header_take(struct s3_body *body, enum checksum_kind *kind)
{
    struct s3_call *call = body->call;
    const struct http_request *request = &call->exchange->request;
    for (size_t i = 0; i < request->header_count; i++) {
        enum checksum_kind found;
        if (!checksum_from_header(request->headers[i].name, &found)) {
            continue;
        }
        if (body->has_checksum) {
            return refuse_request(call, "Expecting a single x-amz-checksum- header. Multiple "
                                        "checksum Types are not allowed.");
        }
        body->has_checksum = true;
        body->checksum_promised = request->headers[i].value;
        *kind = found;
    }
    return !body->has_checksum || is_base64_of(body->checksum_promised, checksum_bytes(*kind)) ||
           refuse_checksum_value(call, *kind, "header");
}

static bool checksum_trailer_take(struct s3_body *body, enum checksum_kind *kind)
{
    struct s3_call *call = body->call;
    struct span name = span_trim(s3_header(call, "x-amz-trailer"));
    if (name.len == 0) {
        return true;
    }
    if (!checksum_from_header(name, kind)) {
        return refuse_request(call,
                              "The value specified in the x-amz-trailer header is not supported");
    }
    if (body->has_checksum) {
        return refuse_request(call, "Expecting a single x-amz-checksum- header");
    }
    if (!body->chunked) {
        return refuse(call, S3_ERROR_MALFORMED_TRAILER);
    }
    body->has_checksum = true;
    body->checksum_in_trailer = true;
    return true;
}

static bool algorithm_fits(struct s3_body *body, enum checksum_kind kind)
{
    enum checksum_kind wanted;
    struct s3_call *call = body->call;
    struct span text = s3_header(call, "x-amz-sdk-checksum-algorithm");
    if (text.len == 0) {
        return true;
    }
    if (!checksum_from_name(text, &wanted) || (body->has_checksum && wanted != kind)) {
        return refuse_request(call, "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    }
    return body->has_checksum ||
           refuse_request(call, "x-amz-sdk-checksum-algorithm specified, but no corresponding "
                                "x-amz-checksum-* or x-amz-trailer headers were found.");
}

static bool checksum_take(struct s3_body *body)
{
    enum checksum_kind kind = CHECKSUM_CRC32;
    struct error err = ERROR_NONE;
    if (body->ignores_checksum) {
        return true;
    }
    if (!checksum_header_take(body, &kind) || !checksum_trailer_take(body, &kind) ||
        !algorithm_fits(body, kind)) {
        body->has_checksum = false; /* not initialised: nothing to release */
        return false;
    }
    if (body->has_checksum &&
        checksum_init(&body->checksum, kind, body->call->s3->options.crypto, &err) != STATUS_OK) {
        body->has_checksum = false;
        return refuse_store(body->call, &err);
    }
    return true;
}

/* --- beginning --- */

static bool digest_begin(struct s3_body *body, enum digest_kind kind, struct digest **out)
{
    struct crypto *crypto = body->call->s3->options.crypto;
    struct error err = ERROR_NONE;
    if (crypto_ready(crypto, &err) != STATUS_OK) {
        return refuse_store(body->call, &err);
    }
    return digest_new(crypto, kind, out) == STATUS_OK ||
           refuse(body->call, S3_ERROR_INTERNAL_ERROR);
}

static bool is_kept(const struct s3_body *body)
{
    enum s3_body_kind kind = body->call->operation->body;
    return kind == S3_BODY_OBJECT || kind == S3_BODY_PART;
}

static bool has_signed_chunks(const struct s3_body *body)
{
    return body->call->claim.kind == SIGV4_HEADER &&
           (body->payload == PAYLOAD_STREAMING_SIGNED ||
            body->payload == PAYLOAD_STREAMING_SIGNED_TRAILER);
}

static bool digests_begin(struct s3_body *body)
{
    const struct s3_options *options = &body->call->s3->options;
    if ((is_kept(body) || body->content_md5.len > 0) &&
        !digest_begin(body, DIGEST_MD5, &body->md5)) {
        return false;
    }
    if (body->payload == PAYLOAD_HASH && !digest_begin(body, DIGEST_SHA256, &body->sha256)) {
        return false;
    }
    if (!has_signed_chunks(body)) {
        return true;
    }
    if (!digest_begin(body, DIGEST_SHA256, &body->chunk_sha256)) {
        return false;
    }
    sigv4_chunks_init(&body->chunks, options->crypto, &body->call->claim,
                      span_from_cstr(options->identity->secret));
    return true;
}

static struct s3_body *body_new(struct s3_call *call)
{
    struct s3_body *body = ARENA_NEW(&call->exchange->arena, struct s3_body);
    if (body == NULL) {
        s3_error(call, S3_ERROR_INTERNAL_ERROR);
        return NULL;
    }
    body->call = call;
    body->payload_word = SPAN_EMPTY;
    body->content_md5 = SPAN_EMPTY;
    body->checksum_promised = SPAN_EMPTY;
    body->checksum_text = SPAN_EMPTY;
    buf_init(&body->gathered, S3_BODY_BYTES_MAX);
    aws_chunked_init(&body->decoder);
    call->body = body;
    return body;
}

/* Everything but where the bytes go. */
static bool promises_take(struct s3_body *body)
{
    if (!payload_take(body)) {
        return false;
    }
    body->chunked = is_aws_chunked(body->call, body->payload);
    return content_md5_take(body) && checksum_take(body) && digests_begin(body);
}

bool s3_body_begin(struct s3_call *call)
{
    struct s3_body *body = body_new(call);
    if (body == NULL || !promises_take(body) || !length_take(body)) {
        return false;
    }
    bool small = call->operation->body == S3_BODY_OBJECT;
    return store_body_new(call->s3->options.store, small, &body->store) == STATUS_OK ||
           refuse(call, S3_ERROR_INTERNAL_ERROR);
}

/* --- pieces --- */

static bool data_take(void *ctx, struct span bytes)
{
    struct s3_body *body = ctx;
    struct error err = ERROR_NONE;
    body->received += bytes.len;
    if (body->received > body->expected) {
        return refuse(body->call, S3_ERROR_INCOMPLETE_BODY);
    }
    if (body->md5 != NULL) {
        digest_update(body->md5, bytes);
    }
    if (body->sha256 != NULL) {
        digest_update(body->sha256, bytes);
    }
    if (body->chunk_sha256 != NULL) {
        digest_update(body->chunk_sha256, bytes);
    }
    if (body->has_checksum) {
        checksum_update(&body->checksum, bytes);
    }
    if (body->store != NULL) {
        return store_body_append(body->store, bytes, &err) == STATUS_OK ||
               refuse_store(body->call, &err);
    }
    if (body->chunked) {
        buf_append_span(&body->gathered, bytes);
        return buf_ok(&body->gathered) || refuse(body->call, S3_ERROR_MESSAGE_TOO_LARGE);
    }
    return true;
}

static bool signature_fits(struct s3_body *body, const char *computed, struct span sent)
{
    if (digest_text_equal(span_from_cstr(computed), sent)) {
        return true;
    }
    struct aws_error_detail details[] = {{"AWSAccessKeyId", body->call->claim.access_key},
                                         {"SignatureProvided", sent},
                                         {NULL, SPAN_EMPTY}};
    s3_hint(body->call, "the signature of a chunk or of the trailer does not fit its bytes");
    s3_error_with(body->call, S3_ERROR_SIGNATURE_DOES_NOT_MATCH, details);
    return false;
}

static bool chunk_end(void *ctx, struct span signature)
{
    struct s3_body *body = ctx;
    char computed[SIGV4_SIGNATURE_BYTES];
    if (body->chunk_sha256 == NULL) {
        return true;
    }
    struct digest_value sha256 = digest_finish(body->chunk_sha256);
    sigv4_chunk_sign(&body->chunks, &sha256, computed);
    return signature_fits(body, computed, signature);
}

bool s3_body_piece(struct s3_call *call, struct span bytes)
{
    struct s3_body *body = call->body;
    if (!body->chunked) {
        return data_take(body, bytes);
    }
    struct aws_chunked_sink sink = {.data = data_take, .chunk_end = chunk_end, .ctx = body};
    return aws_chunked_feed(&body->decoder, bytes, &sink) || (!call->failed && refuse_torn(call));
}

/* --- the end --- */

static bool trailer_signature_fits(struct s3_body *body)
{
    static const char name[] = "x-amz-trailer-signature";
    struct buf lines;
    char computed[SIGV4_SIGNATURE_BYTES];
    if (body->chunk_sha256 == NULL || body->payload != PAYLOAD_STREAMING_SIGNED_TRAILER) {
        return true;
    }
    buf_init(&lines, AWS_CHUNKED_TRAILERS_MAX * sizeof(struct aws_chunked_trailer));
    for (size_t i = 0; i < body->decoder.trailer_count; i++) {
        const struct aws_chunked_trailer *trailer = &body->decoder.trailers[i];
        if (!span_equal_nocase(span_from_cstr(trailer->name), span_from_cstr(name))) {
            buf_printf(&lines, "%s:%s\n", trailer->name, trailer->value);
        }
    }
    struct digest_value sha256 =
        digest_of(body->call->s3->options.crypto, DIGEST_SHA256, buf_span(&lines));
    buf_release(&lines);
    sigv4_trailer_sign(&body->chunks, &sha256, computed);
    return signature_fits(body, computed, aws_chunked_trailer_value(&body->decoder, name));
}

static bool framing_is_sound(struct s3_body *body)
{
    if (body->chunked && !aws_chunked_end(&body->decoder)) {
        return refuse_torn(body->call);
    }
    if (body->received != body->expected) {
        return refuse(body->call, S3_ERROR_INCOMPLETE_BODY);
    }
    return trailer_signature_fits(body);
}

static bool sha256_fits(struct s3_body *body)
{
    char computed[DIGEST_HEX_BYTES_MAX];
    if (body->sha256 == NULL) {
        return true;
    }
    struct digest_value value = digest_finish(body->sha256);
    digest_hex(&value, computed);
    struct span promised = body->payload_word;
    if (span_equal_nocase(promised, span_from_cstr(computed))) {
        return true;
    }
    struct aws_error_detail details[] = {
        {"ClientComputedContentSHA256", promised},
        {"S3ComputedContentSHA256", span_from_cstr(computed)},
        {NULL, SPAN_EMPTY},
    };
    s3_error_with(body->call, S3_ERROR_CONTENT_SHA256_MISMATCH, details);
    return false;
}

static bool md5_fits(struct s3_body *body)
{
    if (body->md5 == NULL) {
        return true;
    }
    struct digest_value value = digest_finish(body->md5);
    digest_hex(&value, body->md5_hex);
    if (body->content_md5.len == 0) {
        return true;
    }
    struct buf computed;
    buf_init(&computed, 64);
    base64_encode(digest_span(&value), &computed);
    bool fits = span_equal(buf_span(&computed), body->content_md5);
    if (!fits) {
        struct aws_error_detail details[] = {{"ExpectedDigest", body->content_md5},
                                             {"CalculatedDigest", buf_span(&computed)},
                                             {NULL, SPAN_EMPTY}};
        s3_error_with(body->call, S3_ERROR_BAD_DIGEST, details);
    }
    buf_release(&computed);
    return fits;
}

static bool refuse_checksum(struct s3_body *body)
{
    char name[16];
    size_t len = 0;
    for (const char *p = checksum_name(body->checksum.kind); *p != '\0' && len < 15; p++) {
        name[len++] = (char)toupper((unsigned char)*p);
    }
    name[len] = '\0';
    char *message =
        arena_printf(&body->call->exchange->arena,
                     "The %s you specified did not match the calculated checksum.", name);
    s3_error_text(body->call, S3_ERROR_BAD_DIGEST, span_from_cstr(message), NULL);
    return false;
}

static bool trailer_value_take(struct s3_body *body)
{
    struct s3_call *call = body->call;
    if (!body->checksum_in_trailer) {
        return true;
    }
    char *name = arena_printf(&call->exchange->arena, "x-amz-checksum-%s",
                              checksum_name(body->checksum.kind));
    if (name == NULL) {
        return refuse(call, S3_ERROR_INTERNAL_ERROR);
    }
    body->checksum_promised = aws_chunked_trailer_value(&body->decoder, name);
    if (body->checksum_promised.len == 0) {
        return refuse(call, S3_ERROR_MALFORMED_TRAILER);
    }
    return is_base64_of(body->checksum_promised, checksum_bytes(body->checksum.kind)) ||
           refuse_checksum_value(call, body->checksum.kind, "trailing header");
}

static bool checksum_fits(struct s3_body *body)
{
    struct buf computed;
    if (!body->has_checksum) {
        return true;
    }
    if (!trailer_value_take(body)) {
        return false;
    }
    buf_init(&computed, 64);
    checksum_finish(&body->checksum, &computed);
    bool fits = span_equal(buf_span(&computed), body->checksum_promised);
    char *text = arena_printf(&body->call->exchange->arena, "%s %s FULL_OBJECT",
                              checksum_name(body->checksum.kind), buf_cstr(&computed));
    body->checksum_text = span_from_cstr(text);
    buf_release(&computed);
    return fits || refuse_checksum(body);
}

bool s3_body_finish(struct s3_call *call)
{
    struct s3_body *body = call->body;
    return framing_is_sound(body) && sha256_fits(body) && md5_fits(body) && checksum_fits(body);
}

void s3_body_free(struct s3_body *body)
{
    if (body == NULL) {
        return;
    }
    digest_free(body->md5);
    digest_free(body->sha256);
    digest_free(body->chunk_sha256);
    if (body->has_checksum) {
        checksum_release(&body->checksum);
    }
    buf_release(&body->gathered);
    store_body_free(body->store);
}

/* --- for handlers --- */

struct store_body *s3_body_store(struct s3_body *body)
{
    return body->store;
}

const char *s3_body_md5(const struct s3_body *body)
{
    return body->md5_hex;
}

struct span s3_body_checksum(const struct s3_body *body)
{
    return body->checksum_text;
}

/* The length of a gathered body is known: it is here. */
static bool gathered_length_take(struct s3_body *body, struct span sent)
{
    body->expected = sent.len;
    return !body->chunked || length_take(body);
}

bool s3_body_gathered(struct s3_call *call, struct span *bytes, bool *had_digest)
{
    struct span sent = call->exchange->request.body;
    struct s3_body *body = body_new(call);
    if (body == NULL) {
        return false;
    }
    body->ignores_checksum = had_digest == NULL;
    if (!promises_take(body) || !gathered_length_take(body, sent) ||
        (sent.len > 0 && !s3_body_piece(call, sent)) || !s3_body_finish(call)) {
        return false;
    }
    *bytes = body->chunked ? buf_span(&body->gathered) : sent;
    if (had_digest != NULL) {
        *had_digest = body->content_md5.len > 0 || body->has_checksum;
    }
    return true;
}
