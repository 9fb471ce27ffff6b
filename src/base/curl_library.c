/* libcurl, as shared_library.h loads it. It counts its own global initialisations, so every client
 * pairs one init with one cleanup. */
#include "curl_library.h"

#include "shared_library.h"

/* 7.80 brought CURLOPT_PREREQFUNCTION, by which http_client refuses hidden re-sends. */
enum { curl_version_min = 0x075000 };

#if defined(__APPLE__)
#define CURL_FILE_NAME "libcurl.4.dylib"
#else
#define CURL_FILE_NAME "libcurl.so.4"
#endif

static const char *const curl_file_names[] = {
    CURL_FILE_NAME,
#if defined(__APPLE__)
    "libcurl.dylib",
    "/usr/lib/libcurl.4.dylib",
    "/opt/homebrew/opt/curl/lib/libcurl.4.dylib",
    "/usr/local/opt/curl/lib/libcurl.4.dylib",
#else
    "libcurl-gnutls.so.4",
    "libcurl.so",
#endif
    NULL,
};

#define FUNCTION(name)                                                                             \
    {                                                                                              \
        "curl_" #name, offsetof(struct curl_library, name)                                         \
    }

static const struct shared_function curl_functions[] = {
    FUNCTION(global_init),     FUNCTION(global_cleanup),      FUNCTION(version_info),
    FUNCTION(easy_init),       FUNCTION(easy_cleanup),        FUNCTION(easy_setopt),
    FUNCTION(easy_getinfo),    FUNCTION(easy_strerror),       FUNCTION(multi_init),
    FUNCTION(multi_cleanup),   FUNCTION(multi_setopt),        FUNCTION(multi_add_handle),
    FUNCTION(multi_info_read), FUNCTION(multi_remove_handle), FUNCTION(multi_socket_action),
    FUNCTION(multi_strerror),
};

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
    static const struct shared_library spec = {
        .title = "libcurl",
        .file_names = curl_file_names,
        .missing = "libcurl is not installed (" CURL_FILE_NAME
                   " is missing): apt-get install libcurl4, dnf install libcurl or brew install "
                   "curl",
        .too_old = "install libcurl 7.80 or newer",
        .functions = curl_functions,
        .function_count = ARRAY_COUNT(curl_functions),
    };
    *library = (struct curl_library){.handle = NULL};
    library->handle = shared_library_open(&spec, library, err);
    enum status status = library->handle != NULL ? STATUS_OK : STATUS_CONFIG;
    if (status == STATUS_OK) {
        status = version_check(library, err);
    }
    if (status == STATUS_OK && library->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        status =
            error_set(err, STATUS_FAILED,
                      "libcurl cannot start: curl_global_init failed, perhaps for lack of memory");
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
    shared_library_close(library->handle);
    *library = (struct curl_library){.handle = NULL};
}
