/* libcrypto (OpenSSL 1.1 or 3), loaded when somebody first needs a hash: linked in, it would double
 * every start. The functions are members named as libcrypto's own. */
#ifndef PINPIPE_CRYPTO_LIBRARY_H
#define PINPIPE_CRYPTO_LIBRARY_H

#include "error.h"

#include <openssl/evp.h>

/* OpenSSL 1.1's headers lack the type; nobody looks inside. */
struct ossl_lib_ctx_st;

struct crypto_library {
    void *handle;

    EVP_MD_CTX *(*EVP_MD_CTX_new)(void);
    void (*EVP_MD_CTX_free)(EVP_MD_CTX *ctx);
    int (*EVP_DigestInit_ex)(EVP_MD_CTX *ctx, const EVP_MD *type, ENGINE *engine);
    int (*EVP_DigestUpdate)(EVP_MD_CTX *ctx, const void *bytes, size_t len);
    int (*EVP_DigestFinal_ex)(EVP_MD_CTX *ctx, unsigned char *out, unsigned int *len);
    const EVP_MD *(*EVP_get_digestbyname)(const char *name);
    /* NULL in OpenSSL 1.1, whose algorithms need no fetching. */
    EVP_MD *(*EVP_MD_fetch)(struct ossl_lib_ctx_st *library, const char *name, const char *want);
    void (*EVP_MD_free)(EVP_MD *md);
};

/* CONFIG when the library or one of its functions is missing: the message says what to install.
 * close is safe after a failed open. */
enum status crypto_library_open(struct crypto_library *library, struct error *err) PP_MUST_USE;
void crypto_library_close(struct crypto_library *library);

#endif
