/* Loading libcurl by name and filling the table of its functions.
 *
 * The object is never unloaded (RTLD_NODELETE): OpenSSL, which it brings in, registers exit
 * handlers that must stay mapped. libcurl counts its own global initialisations, so every client
 * pairs one init with one cleanup. */
#include "curl_library.h"

#include <dlfcn.h>
#include <string.h>

/* 7.80 brought CURLOPT_PREREQFUNCTION, by which http_client refuses hidden re-sends. */
enum { curl_version_min = 0x075000 };

static const char *const library_names[] = {
#if defined(__APPLE__)
    "libcurl.4.dylib",
    "libcurl.dylib",
    "/usr/lib/libcurl.4.dylib",
    "/opt/homebrew/opt/curl/lib/libcurl.4.dylib",
    "/usr/local/opt/curl/lib/libcurl.4.dylib",
#else
    "libcurl.so.4",
    "libcurl-gnutls.so.4",
    "libcurl.so",
#endif
};

struct function_entry {
    const char *name;
    size_t member;
};

#define FUNCTION(name)                                                                             \
    {                                                                                              \
        "curl_" #name, offsetof(struct curl_library, name)                                         \
    }

static const struct function_entry functions[] = {
    FUNCTION(global_init),     FUNCTION(global_cleanup),      FUNCTION(version_info),
    FUNCTION(easy_init),       FUNCTION(easy_cleanup),        FUNCTION(easy_setopt),
    FUNCTION(easy_getinfo),    FUNCTION(easy_strerror),       FUNCTION(multi_init),
    FUNCTION(multi_cleanup),   FUNCTION(multi_setopt),        FUNCTION(multi_add_handle),
    FUNCTION(multi_info_read), FUNCTION(multi_remove_handle), FUNCTION(multi_socket_action),
    FUNCTION(multi_strerror),
};

static enum status functions_find(struct curl_library *library, struct error *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(functions); i++) {
        void *address = dlsym(library->handle, functions[i].name);
        if (address == NULL) {
            return error_set(err, STATUS_CONFIG,
                             "this libcurl has no %s: install libcurl 7.80 or newer",
                             functions[i].name);
        }
        /* POSIX promises that a function's address survives the trip through void *. */
        memcpy((char *)library + functions[i].member, &address, sizeof(address));
    }
    return STATUS_OK;
}

static enum status version_check(const struct curl_library *library, struct error *err)
{
    const curl_version_info_data *info = library->version_info(CURLVERSION_NOW);
    if (info->version_num < curl_version_min) {
        return error_set(err, STATUS_CONFIG, "libcurl %s is too old: install 7.80 or newer",
                         info->version);
    }
    return STATUS_OK;
}

enum status curl_library_open(struct curl_library *library, struct error *err)
{
    *library = (struct curl_library){.handle = NULL};
    for (size_t i = 0; i < ARRAY_COUNT(library_names) && library->handle == NULL; i++) {
        library->handle = dlopen(library_names[i], RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    }
    if (library->handle == NULL) {
        return error_set(err, STATUS_CONFIG,
                         "libcurl is not installed (%s is missing): apt-get install libcurl4, "
                         "dnf install libcurl or brew install curl",
                         library_names[0]);
    }
    enum status status = functions_find(library, err);
    if (status == STATUS_OK) {
        status = version_check(library, err);
    }
    if (status == STATUS_OK && library->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        status = error_set(err, STATUS_FAILED, "libcurl cannot start (curl_global_init failed)");
    }
    library->initialised = status == STATUS_OK;
    if (status != STATUS_OK) {
        curl_library_close(library);
    }
    return status;
}

void curl_library_close(struct curl_library *library)
{
    if (library->initialised) {
        library->global_cleanup();
    }
    if (library->handle != NULL) {
        dlclose(library->handle);
    }
    *library = (struct curl_library){.handle = NULL};
}
