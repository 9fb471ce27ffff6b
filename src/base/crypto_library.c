/* libcrypto, as shared_library.h loads it; libcurl may be using it too. Only file names with a
 * version are tried: on macOS the bare one is a trap of the system's that aborts the program. */
#include "crypto_library.h"

#include "shared_library.h"

#if defined(__APPLE__)
#define CRYPTO_FILE_NAME "libcrypto.3.dylib"
#else
#define CRYPTO_FILE_NAME "libcrypto.so.3"
#endif

static const char *const crypto_file_names[] = {
    CRYPTO_FILE_NAME,
#if defined(__APPLE__)
    "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
    "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
    "/opt/homebrew/opt/openssl@1.1/lib/libcrypto.1.1.dylib",
    "/usr/local/opt/openssl@1.1/lib/libcrypto.1.1.dylib",
#else
    "libcrypto.so.1.1",
#endif
    NULL,
};

#define FUNCTION(name)                                                                             \
    {                                                                                              \
#name, offsetof(struct crypto_library, name)                                               \
    }

static const struct shared_function crypto_functions[] = {
    FUNCTION(MD5_Init),    FUNCTION(MD5_Update),    FUNCTION(MD5_Final),
    FUNCTION(SHA1_Init),   FUNCTION(SHA1_Update),   FUNCTION(SHA1_Final),
    FUNCTION(SHA256_Init), FUNCTION(SHA256_Update), FUNCTION(SHA256_Final),
};

enum status crypto_library_open(struct crypto_library *library, struct error *err)
{
    static const struct shared_library spec = {
        .title = "libcrypto",
        .file_names = crypto_file_names,
        .missing = "OpenSSL is not installed (" CRYPTO_FILE_NAME
                   " is missing): apt-get install libssl3, dnf install openssl-libs or brew "
                   "install openssl@3",
        .too_old = "install OpenSSL 1.1 or 3, built with its MD5 and SHA functions",
        .functions = crypto_functions,
        .function_count = ARRAY_COUNT(crypto_functions),
    };
    *library = (struct crypto_library){.handle = NULL};
    library->handle = shared_library_open(&spec, library, err);
    return library->handle != NULL ? STATUS_OK : STATUS_CONFIG;
}

void crypto_library_close(struct crypto_library *library)
{
    shared_library_close(library->handle);
    *library = (struct crypto_library){.handle = NULL};
}
