/* Loading libcrypto by name and filling the table of its functions.
 *
 * The object is never unloaded (RTLD_NODELETE): it registers an exit handler that must stay mapped,
 * and libcurl may be using it too. Only names with a version are tried: on macOS the bare one is a
 * trap of the system's that aborts the program. */
#include "crypto_library.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

static const char *const library_names[] = {
#if defined(__APPLE__)
    "libcrypto.3.dylib",
    "/opt/homebrew/opt/openssl@3/lib/libcrypto.3.dylib",
    "/usr/local/opt/openssl@3/lib/libcrypto.3.dylib",
    "/opt/homebrew/opt/openssl@1.1/lib/libcrypto.1.1.dylib",
    "/usr/local/opt/openssl@1.1/lib/libcrypto.1.1.dylib",
#else
    "libcrypto.so.3",
    "libcrypto.so.1.1",
#endif
};

struct function_entry {
    const char *name;
    size_t member;
    bool may_lack;
};

#define FUNCTION(name, may_lack)                                                                   \
    {                                                                                              \
#name, offsetof(struct crypto_library, name), may_lack                                     \
    }

static const struct function_entry functions[] = {
    FUNCTION(EVP_MD_CTX_new, false),     FUNCTION(EVP_MD_CTX_free, false),
    FUNCTION(EVP_DigestInit_ex, false),  FUNCTION(EVP_DigestUpdate, false),
    FUNCTION(EVP_DigestFinal_ex, false), FUNCTION(EVP_get_digestbyname, false),
    FUNCTION(EVP_MD_fetch, true),        FUNCTION(EVP_MD_free, true),
};

static enum status functions_find(struct crypto_library *library, struct error *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(functions); i++) {
        void *address = dlsym(library->handle, functions[i].name);
        if (address == NULL && !functions[i].may_lack) {
            return error_set(err, STATUS_CONFIG,
                             "this libcrypto has no %s: install OpenSSL 1.1 or newer",
                             functions[i].name);
        }
        /* POSIX promises that a function's address survives the trip through void *. */
        memcpy((char *)library + functions[i].member, &address, sizeof(address));
    }
    return STATUS_OK;
}

enum status crypto_library_open(struct crypto_library *library, struct error *err)
{
    *library = (struct crypto_library){.handle = NULL};
    for (size_t i = 0; i < ARRAY_COUNT(library_names) && library->handle == NULL; i++) {
        library->handle = dlopen(library_names[i], RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    }
    if (library->handle == NULL) {
        return error_set(err, STATUS_CONFIG,
                         "OpenSSL is not installed (%s is missing): apt-get install libssl3, "
                         "dnf install openssl-libs or brew install openssl@3",
                         library_names[0]);
    }
    enum status status = functions_find(library, err);
    if (status != STATUS_OK) {
        crypto_library_close(library);
    }
    return status;
}

void crypto_library_close(struct crypto_library *library)
{
    if (library->handle != NULL) {
        dlclose(library->handle);
    }
    *library = (struct crypto_library){.handle = NULL};
}
