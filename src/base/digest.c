/* Hashing through libcrypto's EVP. OpenSSL 3 looks an algorithm up by name at every init unless it
 * was fetched before, and that costs more than hashing a small object; so each algorithm is fetched
 * once and each has a context that the one-go calls use again and again.
 *
 * A failing EVP call cannot be the input's fault, only memory's: it ends the program, because a
 * silently wrong digest would be stored and acknowledged. */
#include "digest.h"

#include "crypto_library.h"
#include "hex.h"

#include <stdlib.h>
#include <string.h>

enum {
    digest_kinds = DIGEST_SHA256 + 1,
    /* The block of MD5, SHA-1 and SHA-256 alike (RFC 2104's B). */
    hmac_block_bytes = 64,
};

struct algorithm {
    const EVP_MD *md;
    EVP_MD *fetched;     /* md, when it must be given back */
    EVP_MD_CTX *context; /* of the one-go calls */
};

struct crypto {
    struct crypto_library library;
    bool ready;
    struct algorithm algorithms[digest_kinds];
};

struct digest {
    struct crypto *crypto;
    enum digest_kind kind;
    EVP_MD_CTX *context;
};

static const char *const digest_names[digest_kinds] = {"MD5", "SHA1", "SHA256"};

/* --- the library --- */

static void algorithms_release(struct crypto *crypto)
{
    for (size_t i = 0; i < digest_kinds; i++) {
        struct algorithm *algorithm = &crypto->algorithms[i];
        if (algorithm->context != NULL) {
            crypto->library.EVP_MD_CTX_free(algorithm->context);
        }
        if (algorithm->fetched != NULL) {
            crypto->library.EVP_MD_free(algorithm->fetched);
        }
        *algorithm = (struct algorithm){.md = NULL};
    }
}

static void algorithm_find(struct crypto *crypto, enum digest_kind kind)
{
    const struct crypto_library *library = &crypto->library;
    struct algorithm *algorithm = &crypto->algorithms[kind];
    const char *name = digest_names[kind];
    if (library->EVP_MD_fetch == NULL || library->EVP_MD_free == NULL) {
        algorithm->md = library->EVP_get_digestbyname(name);
        return;
    }
    algorithm->fetched = library->EVP_MD_fetch(NULL, name, NULL);
    if (algorithm->fetched == NULL) {
        /* A machine in FIPS mode has MD5 only for those who say that it guards nothing: an ETag. */
        algorithm->fetched = library->EVP_MD_fetch(NULL, name, "-fips");
    }
    algorithm->md = algorithm->fetched;
}

static enum status algorithm_open(struct crypto *crypto, enum digest_kind kind, struct error *err)
{
    struct algorithm *algorithm = &crypto->algorithms[kind];
    algorithm_find(crypto, kind);
    if (algorithm->md == NULL) {
        return error_set(err, STATUS_CONFIG, "this libcrypto has no %s", digest_names[kind]);
    }
    algorithm->context = crypto->library.EVP_MD_CTX_new();
    if (algorithm->context == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for a hash");
    }
    if (crypto->library.EVP_DigestInit_ex(algorithm->context, algorithm->md, NULL) != 1) {
        return error_set(err, STATUS_CONFIG, "this libcrypto refuses %s", digest_names[kind]);
    }
    return STATUS_OK;
}

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
    algorithms_release(crypto);
    crypto_library_close(&crypto->library);
    free(crypto);
}

enum status crypto_ready(struct crypto *crypto, struct error *err)
{
    if (PP_LIKELY(crypto->ready)) {
        return STATUS_OK;
    }
    enum status status = crypto_library_open(&crypto->library, err);
    for (int kind = 0; kind < digest_kinds && status == STATUS_OK; kind++) {
        status = algorithm_open(crypto, (enum digest_kind)kind, err);
    }
    crypto->ready = status == STATUS_OK;
    if (!crypto->ready) {
        algorithms_release(crypto);
        crypto_library_close(&crypto->library);
    }
    return status;
}

/* --- one context: begin, add, end --- */

static void context_begin(const struct crypto *crypto, enum digest_kind kind, EVP_MD_CTX *context)
{
    PP_ASSERT(crypto->library.EVP_DigestInit_ex(context, crypto->algorithms[kind].md, NULL) == 1);
}

static void digest_context_add(const struct crypto *crypto, EVP_MD_CTX *context, struct span bytes)
{
    PP_ASSERT(crypto->library.EVP_DigestUpdate(context, bytes.ptr, bytes.len) == 1);
}

static struct digest_value context_end(const struct crypto *crypto, EVP_MD_CTX *context)
{
    struct digest_value value = {.len = 0};
    unsigned int len = 0;
    PP_ASSERT(crypto->library.EVP_DigestFinal_ex(context, value.bytes, &len) == 1);
    PP_ASSERT(len <= sizeof(value.bytes));
    value.len = len;
    return value;
}

/* --- in one go --- */

struct digest_value digest_of(struct crypto *crypto, enum digest_kind kind, struct span bytes)
{
    PP_ASSERT(crypto->ready);
    EVP_MD_CTX *context = crypto->algorithms[kind].context;
    context_begin(crypto, kind, context);
    digest_context_add(crypto, context, bytes);
    return context_end(crypto, context);
}

/* H((key ^ pad) text), one half of RFC 2104's construction. */
static struct digest_value keyed_hash(struct crypto *crypto, enum digest_kind kind,
                                      const unsigned char *padded_key, struct span bytes)
{
    EVP_MD_CTX *context = crypto->algorithms[kind].context;
    context_begin(crypto, kind, context);
    digest_context_add(crypto, context, span_from((const char *)padded_key, hmac_block_bytes));
    digest_context_add(crypto, context, bytes);
    return context_end(crypto, context);
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
    struct digest *digest = calloc(1, sizeof(*digest));
    if (digest == NULL) {
        return STATUS_NO_MEMORY;
    }
    *digest = (struct digest){crypto, kind, crypto->library.EVP_MD_CTX_new()};
    if (digest->context == NULL || crypto->library.EVP_DigestInit_ex(
                                       digest->context, crypto->algorithms[kind].md, NULL) != 1) {
        digest_free(digest);
        return STATUS_NO_MEMORY;
    }
    *out = digest;
    return STATUS_OK;
}

void digest_update(struct digest *digest, struct span bytes)
{
    digest_context_add(digest->crypto, digest->context, bytes);
}

struct digest_value digest_finish(struct digest *digest)
{
    struct digest_value value = context_end(digest->crypto, digest->context);
    context_begin(digest->crypto, digest->kind, digest->context);
    return value;
}

void digest_free(struct digest *digest)
{
    if (digest == NULL) {
        return;
    }
    if (digest->context != NULL) {
        digest->crypto->library.EVP_MD_CTX_free(digest->context);
    }
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
