/* libcrypto (OpenSSL 1.1 or 3), loaded when somebody first needs a hash: linked in, it would double
 * every start. The functions are members named as libcrypto's own. */
#ifndef PINPIPE_CRYPTO_LIBRARY_H
#define PINPIPE_CRYPTO_LIBRARY_H

#include "error.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

struct crypto_library {
    void *handle;

    int (*MD5_Init)(MD5_CTX *context);
    int (*MD5_Update)(MD5_CTX *context, const void *bytes, size_t len);
    int (*MD5_Final)(unsigned char *out, MD5_CTX *context);
    int (*SHA1_Init)(SHA_CTX *context);
    int (*SHA1_Update)(SHA_CTX *context, const void *bytes, size_t len);
    int (*SHA1_Final)(unsigned char *out, SHA_CTX *context);
    int (*SHA256_Init)(SHA256_CTX *context);
    int (*SHA256_Update)(SHA256_CTX *context, const void *bytes, size_t len);
    int (*SHA256_Final)(unsigned char *out, SHA256_CTX *context);
};

/* CONFIG when the library or one of its functions is missing: the message says what to install.
 * close is safe after a failed open. */
enum status crypto_library_open(struct crypto_library *library, struct error *err) PP_MUST_USE;
void crypto_library_close(struct crypto_library *library);

#endif
