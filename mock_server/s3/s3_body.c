/* A body on its way in: takes off the aws-chunked framing, hashes, hands the bytes to the store (or
 * gathers them, for XML), and at the end checks everything that the client said about it
 * (specs/aws-s3.md section 6).
 *
 *   bytes -> [aws_chunked: signatures of chunks, trailers] -> MD5, SHA-256, checksum -> store_body
 *
 * Nothing is kept of a body that does not hold what its headers promise. */
#include "s3_body.h"

#include "answer.h"
#include "aws_chunked.h"
#include "base64.h"
#include "s3_errors.h"
#include "s3_promises.h"
#include "sigv4_chunks.h"

#include <ctype.h>

struct s3_body {
    struct s3_call *call;
    struct s3_promises promises;
    uint64_t received;           /* decoded bytes */
    struct digest *md5;          /* NULL: not needed */
    struct digest *sha256;       /* NULL: not promised */
    struct digest *chunk_sha256; /* NULL: chunk signatures are not looked at */
    bool has_checksum;           /* `checksum` is initialised */
    struct checksum checksum;
    struct store_body *store; /* NULL: gathered */
    struct buf gathered;      /* of a chunked one */
    struct aws_chunked decoder;
    struct sigv4_chunks chunks;
    char md5_hex[DIGEST_HEX_BYTES_MAX];
    struct span checksum_text;
};

/* --- refusals --- */

static bool body_refuse(struct s3_call *call, enum s3_error_id id)
{
    s3_error(call, id);
    return false;
}

static bool body_refuse_store(struct s3_call *call, const struct error *err)
{
    s3_error_store(call, err);
    return false;
}

static bool body_refuse_torn(struct s3_call *call)
{
    s3_error_text(call, S3_ERROR_INCOMPLETE_BODY,
                  SPAN_LIT("The request body terminated unexpectedly"), NULL);
    return false;
}

/* --- beginning --- */

static bool digest_begin(struct s3_body *body, enum digest_kind kind, struct digest **out)
{
    struct crypto *crypto = body->call->s3->options.crypto;
    struct error err = ERROR_NONE;
    if (crypto_ready(crypto, &err) != STATUS_OK) {
        return body_refuse_store(body->call, &err);
    }
    return digest_new(crypto, kind, out) == STATUS_OK ||
           body_refuse(body->call, S3_ERROR_INTERNAL_ERROR);
}

static bool is_kept(const struct s3_body *body)
{
    enum s3_body_kind kind = body->call->operation->body;
    return kind == S3_BODY_OBJECT || kind == S3_BODY_PART;
}

static bool has_signed_chunks(const struct s3_body *body)
{
    return body->call->claim.kind == SIGV4_HEADER &&
           (body->promises.payload == S3_PAYLOAD_STREAMING_SIGNED ||
            body->promises.payload == S3_PAYLOAD_STREAMING_SIGNED_TRAILER);
}

static bool digests_begin(struct s3_body *body)
{
    const struct s3_options *options = &body->call->s3->options;
    if ((is_kept(body) || body->promises.content_md5.len > 0) &&
        !digest_begin(body, DIGEST_MD5, &body->md5)) {
        return false;
    }
    if (body->promises.payload == S3_PAYLOAD_HASH &&
        !digest_begin(body, DIGEST_SHA256, &body->sha256)) {
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
    body->checksum_text = SPAN_EMPTY;
    buf_init(&body->gathered, S3_BODY_BYTES_MAX);
    aws_chunked_init(&body->decoder);
    call->body = body;
    return body;
}

static bool checksum_begin(struct s3_body *body)
{
    const struct s3_promises *promises = &body->promises;
    struct error err = ERROR_NONE;
    if (promises->has_checksum &&
        checksum_init(&body->checksum, promises->checksum_kind, body->call->s3->options.crypto,
                      &err) != STATUS_OK) {
        return body_refuse_store(body->call, &err);
    }
    body->has_checksum = promises->has_checksum;
    return true;
}

/* Begins everything but the length and the place that the bytes go to. */
static bool promises_take(struct s3_body *body, bool with_checksum)
{
    return s3_promises_read(body->call, with_checksum, &body->promises) && checksum_begin(body) &&
           digests_begin(body);
}

bool s3_body_begin(struct s3_call *call)
{
    struct s3_body *body = body_new(call);
    if (body == NULL || !promises_take(body, true) ||
        !s3_promises_read_length(call, &body->promises)) {
        return false;
    }
    bool small = call->operation->body == S3_BODY_OBJECT;
    return store_body_new(call->s3->options.store, small, &body->store) == STATUS_OK ||
           body_refuse(call, S3_ERROR_INTERNAL_ERROR);
}

/* --- pieces --- */

static bool data_take(void *ctx, struct span bytes)
{
    struct s3_body *body = ctx;
    struct error err = ERROR_NONE;
    body->received += bytes.len;
    if (body->received > body->promises.length) {
        return body_refuse(body->call, S3_ERROR_INCOMPLETE_BODY);
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
               body_refuse_store(body->call, &err);
    }
    if (body->promises.chunked) {
        buf_append_span(&body->gathered, bytes);
        return buf_ok(&body->gathered) || body_refuse(body->call, S3_ERROR_MESSAGE_TOO_LARGE);
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
    answer_hint(body->call->exchange,
                "the signature of a chunk or of the trailer does not fit its bytes");
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

static bool framing_take(struct s3_call *call, struct span bytes)
{
    struct s3_body *body = call->body;
    if (!body->promises.chunked) {
        return data_take(body, bytes);
    }
    struct aws_chunked_sink sink = {.data = data_take, .chunk_end = chunk_end, .ctx = body};
    return aws_chunked_feed(&body->decoder, bytes, &sink) ||
           (!call->failed && body_refuse_torn(call));
}

bool s3_body_piece(struct s3_call *call, struct span bytes)
{
    struct s3_body *body = call->body;
    bool taken = framing_take(call, bytes);
    size_t staged = body->store != NULL ? store_body_memory(body->store) : 0;
    exchange_hold(call->exchange, staged + body->gathered.cap);
    return taken;
}

/* --- the end --- */

static bool trailer_signature_fits(struct s3_body *body)
{
    static const char name[] = "x-amz-trailer-signature";
    struct buf lines;
    char computed[SIGV4_SIGNATURE_BYTES];
    if (body->chunk_sha256 == NULL ||
        body->promises.payload != S3_PAYLOAD_STREAMING_SIGNED_TRAILER) {
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
    if (body->promises.chunked && !aws_chunked_end(&body->decoder)) {
        return body_refuse_torn(body->call);
    }
    if (body->received != body->promises.length) {
        return body_refuse(body->call, S3_ERROR_INCOMPLETE_BODY);
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
    struct span promised = body->promises.payload_word;
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
    if (body->promises.content_md5.len == 0) {
        return true;
    }
    struct buf computed;
    buf_init(&computed, 64);
    base64_encode(digest_span(&value), &computed);
    bool fits = span_equal(buf_span(&computed), body->promises.content_md5);
    if (!buf_ok(&computed)) {
        s3_error(body->call, S3_ERROR_INTERNAL_ERROR);
    } else if (!fits) {
        struct aws_error_detail details[] = {{"ExpectedDigest", body->promises.content_md5},
                                             {"CalculatedDigest", buf_span(&computed)},
                                             {NULL, SPAN_EMPTY}};
        s3_error_with(body->call, S3_ERROR_BAD_DIGEST, details);
    }
    buf_release(&computed);
    return fits;
}

static bool body_refuse_checksum(struct s3_body *body)
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
    if (!body->promises.checksum_in_trailer) {
        return true;
    }
    char *name = arena_printf(&call->exchange->arena, "x-amz-checksum-%s",
                              checksum_name(body->checksum.kind));
    if (name == NULL) {
        return body_refuse(call, S3_ERROR_INTERNAL_ERROR);
    }
    return s3_promises_read_trailer(call, aws_chunked_trailer_value(&body->decoder, name),
                                    &body->promises);
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
    bool fits = span_equal(buf_span(&computed), body->promises.checksum);
    char *text = arena_printf(&body->call->exchange->arena, "%s %s FULL_OBJECT",
                              checksum_name(body->checksum.kind), buf_cstr(&computed));
    bool made = buf_ok(&computed) && text != NULL;
    buf_release(&computed);
    if (!made) {
        return body_refuse(body->call, S3_ERROR_INTERNAL_ERROR);
    }
    body->checksum_text = span_from_cstr(text);
    return fits || body_refuse_checksum(body);
}

bool s3_body_finish(struct s3_call *call)
{
    struct s3_body *body = call->body;
    return framing_is_sound(body) && sha256_fits(body) && md5_fits(body) && checksum_fits(body);
}

void s3_body_drop(struct s3_call *call)
{
    struct s3_body *body = call->body;
    call->body = NULL;
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
    exchange_hold(call->exchange, 0);
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

/* A gathered body's length is known, because all of it is here; aws-chunked promises another. */
static bool gathered_length_take(struct s3_body *body, struct span sent)
{
    body->promises.length = sent.len;
    return !body->promises.chunked || s3_promises_read_length(body->call, &body->promises);
}

bool s3_body_gathered(struct s3_call *call, struct span *bytes, bool *had_digest)
{
    struct span sent = call->exchange->request.body;
    struct s3_body *body = body_new(call);
    if (body == NULL) {
        return false;
    }
    if (!promises_take(body, had_digest != NULL) || !gathered_length_take(body, sent) ||
        (sent.len > 0 && !s3_body_piece(call, sent)) || !s3_body_finish(call)) {
        return false;
    }
    *bytes = body->promises.chunked ? buf_span(&body->gathered) : sent;
    if (had_digest != NULL) {
        *had_digest = body->promises.content_md5.len > 0 || body->has_checksum;
    }
    return true;
}
