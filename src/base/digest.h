/* Cryptographic hashes (MD5, SHA-1, SHA-256) and HMACs, by OpenSSL's libcrypto, which is loaded on
 * first use: linked in, it would double every start (DESIGN section 3). One struct crypto a server
 * or client, used by one thread, outliving its digests; making it costs nothing. Hashing needs no
 * memory and cannot fail. */
#ifndef PINPIPE_DIGEST_H
#define PINPIPE_DIGEST_H

#include "error.h"
#include "span.h"

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256 };
enum { DIGEST_BYTES_MAX = 32, DIGEST_HEX_BYTES_MAX = 2 * DIGEST_BYTES_MAX + 1 };

struct digest_value {
    unsigned char bytes[DIGEST_BYTES_MAX];
    size_t len;
};

struct crypto;
enum status crypto_new(struct crypto **out) PP_MUST_USE;
void crypto_free(struct crypto *crypto); /* NULL is fine */
/* Loads the library when it is not there yet; cheap afterwards. CONFIG: there is none; the message
 * says what to install. Everything below asserts that it has succeeded once. */
enum status crypto_ready(struct crypto *crypto, struct error *err) PP_MUST_USE;

/* The digest of bytes that are all there; no allocation. */
struct digest_value digest_of(struct crypto *crypto, enum digest_kind kind, struct span bytes);
struct digest_value digest_hmac(struct crypto *crypto, enum digest_kind kind, struct span key,
                                struct span bytes);

/* Piece by piece. */
struct digest;
enum status digest_new(struct crypto *crypto, enum digest_kind kind,
                       struct digest **out) PP_MUST_USE;
void digest_update(struct digest *digest, struct span bytes);
/* Once; begins anew afterwards. */
struct digest_value digest_finish(struct digest *digest);
void digest_free(struct digest *digest); /* NULL is fine */

struct span digest_span(const struct digest_value *value);
/* Lower-case hex with its NUL. */
void digest_hex(const struct digest_value *value, char out[DIGEST_HEX_BYTES_MAX]);
/* Takes the same time wherever they differ. */
bool digest_text_equal(struct span a, struct span b);

#endif
