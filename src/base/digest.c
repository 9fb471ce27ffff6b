/* Hashing by libcrypto's own MD5_, SHA1_ and SHA256_ functions. Their contexts are plain memory of
 * the caller's, so that hashing cannot fail: EVP, which stands above them, allocates even where it
 * begins anew, and a digest that lacked memory could only have ended the program or been wrong.
 * They need no initialisation of the library either, in which a failed allocation crashes. */
#include "digest.h"

#include "crypto_library.h"
#include "hex.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* The block of MD5, SHA-1 and SHA-256 alike (RFC 2104's B). */
    hmac_block_bytes = 64,
};

struct crypto {
    struct crypto_library library;
    bool ready;
};

struct digest_context {
    enum digest_kind kind;
    union {
        MD5_CTX md5;
        SHA_CTX sha1;
        SHA256_CTX sha256;
    } state;
};

struct digest {
    struct crypto *crypto;
    struct digest_context context;
};

/* --- the library --- */

enum status crypto_new(struct crypto **out)
{
    struct crypto *crypto = calloc(1, sizeof(*crypto));
    if (crypto == NULL) {
        return STATUS_NO_MEMORY;
    }
    *out = crypto;
    return STATUS_OK;
}

void crypto_free(struct crypto *crypto)
{
    if (crypto == NULL) {
        return;
    }
    crypto_library_close(&crypto->library);
    free(crypto);
}

enum status crypto_ready(struct crypto *crypto, struct error *err)
{
    if (PP_LIKELY(crypto->ready)) {
        return STATUS_OK;
    }
    enum status status = crypto_library_open(&crypto->library, err);
    crypto->ready = status == STATUS_OK;
    return status;
}

/* --- one context: begin, add, end; the functions' results are always 1 --- */

static void context_begin(const struct crypto *crypto, enum digest_kind kind,
                          struct digest_context *context)
{
    const struct crypto_library *library = &crypto->library;
    context->kind = kind;
    switch (kind) {
    case DIGEST_MD5:
        library->MD5_Init(&context->state.md5);
        break;
    case DIGEST_SHA1:
        library->SHA1_Init(&context->state.sha1);
        break;
    case DIGEST_SHA256:
        library->SHA256_Init(&context->state.sha256);
        break;
    }
}

static void digest_context_add(const struct crypto *crypto, struct digest_context *context,
                               struct span bytes)
{
    const struct crypto_library *library = &crypto->library;
    switch (context->kind) {
    case DIGEST_MD5:
        library->MD5_Update(&context->state.md5, bytes.ptr, bytes.len);
        break;
    case DIGEST_SHA1:
        library->SHA1_Update(&context->state.sha1, bytes.ptr, bytes.len);
        break;
    case DIGEST_SHA256:
        library->SHA256_Update(&context->state.sha256, bytes.ptr, bytes.len);
        break;
    }
}

static struct digest_value context_end(const struct crypto *crypto, struct digest_context *context)
{
    const struct crypto_library *library = &crypto->library;
    struct digest_value value = {.len = 0};
    switch (context->kind) {
    case DIGEST_MD5:
        library->MD5_Final(value.bytes, &context->state.md5);
        value.len = MD5_DIGEST_LENGTH;
        break;
    case DIGEST_SHA1:
        library->SHA1_Final(value.bytes, &context->state.sha1);
        value.len = SHA_DIGEST_LENGTH;
        break;
    case DIGEST_SHA256:
        library->SHA256_Final(value.bytes, &context->state.sha256);
        value.len = SHA256_DIGEST_LENGTH;
        break;
    }
    return value;
}

/* --- in one go --- */

struct digest_value digest_of(struct crypto *crypto, enum digest_kind kind, struct span bytes)
{
    PP_ASSERT(crypto->ready);
    struct digest_context context;
    context_begin(crypto, kind, &context);
    digest_context_add(crypto, &context, bytes);
    return context_end(crypto, &context);
}

/* H((key ^ pad) text), one half of RFC 2104's construction. */
static struct digest_value keyed_hash(struct crypto *crypto, enum digest_kind kind,
                                      const unsigned char *padded_key, struct span bytes)
{
    struct digest_context context;
    context_begin(crypto, kind, &context);
    digest_context_add(crypto, &context, span_from((const char *)padded_key, hmac_block_bytes));
    digest_context_add(crypto, &context, bytes);
    return context_end(crypto, &context);
}

struct digest_value digest_hmac(struct crypto *crypto, enum digest_kind kind, struct span key,
                                struct span bytes)
{
    PP_ASSERT(crypto->ready);
    struct digest_value short_key = {.len = 0};
    if (key.len > hmac_block_bytes) {
        short_key = digest_of(crypto, kind, key);
        key = digest_span(&short_key);
    }
    unsigned char inner[hmac_block_bytes];
    unsigned char outer[hmac_block_bytes];
    for (size_t i = 0; i < hmac_block_bytes; i++) {
        unsigned char byte = i < key.len ? (unsigned char)key.ptr[i] : 0;
        inner[i] = byte ^ 0x36;
        outer[i] = byte ^ 0x5c;
    }
    struct digest_value value = keyed_hash(crypto, kind, inner, bytes);
    return keyed_hash(crypto, kind, outer, digest_span(&value));
}

/* --- piece by piece --- */

enum status digest_new(struct crypto *crypto, enum digest_kind kind, struct digest **out)
{
    PP_ASSERT(crypto->ready);
    struct digest *digest = malloc(sizeof(*digest));
    if (digest == NULL) {
        return STATUS_NO_MEMORY;
    }
    digest->crypto = crypto;
    context_begin(crypto, kind, &digest->context);
    *out = digest;
    return STATUS_OK;
}

void digest_update(struct digest *digest, struct span bytes)
{
    digest_context_add(digest->crypto, &digest->context, bytes);
}

struct digest_value digest_finish(struct digest *digest)
{
    struct digest_value value = context_end(digest->crypto, &digest->context);
    context_begin(digest->crypto, digest->context.kind, &digest->context);
    return value;
}

void digest_free(struct digest *digest)
{
    free(digest);
}

/* --- values --- */

struct span digest_span(const struct digest_value *value)
{
    return span_from((const char *)value->bytes, value->len);
}

void digest_hex(const struct digest_value *value, char out[DIGEST_HEX_BYTES_MAX])
{
    for (size_t i = 0; i < value->len; i++) {
        out[2 * i] = HEX_LOWER[value->bytes[i] >> 4];
        out[2 * i + 1] = HEX_LOWER[value->bytes[i] & 0xf];
    }
    out[2 * value->len] = '\0';
}

bool digest_text_equal(struct span a, struct span b)
{
    if (a.len != b.len) {
        return false;
    }
    volatile unsigned char differs = 0;
    for (size_t i = 0; i < a.len; i++) {
        differs = (unsigned char)(differs | (a.ptr[i] ^ b.ptr[i]));
    }
    return differs == 0;
}
