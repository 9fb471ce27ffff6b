/* libmariadb, as shared_library.h loads it. */
#include "mariadb_library.h"

#include "shared_library.h"

#if defined(__APPLE__)
#define MARIADB_FILE_NAME "libmariadb.3.dylib"
#else
#define MARIADB_FILE_NAME "libmariadb.so.3"
#endif

static const char *const mariadb_file_names[] = {
    MARIADB_FILE_NAME,
#if defined(__APPLE__)
    "/opt/homebrew/opt/mariadb-connector-c/lib/mariadb/" MARIADB_FILE_NAME,
    "/usr/local/opt/mariadb-connector-c/lib/mariadb/" MARIADB_FILE_NAME,
#else
    "libmariadb.so",
#endif
    NULL,
};

#define NAMED(member, name)                                                                        \
    {                                                                                              \
        "mysql_" #name, offsetof(struct mariadb_library, member)                                   \
    }
#define FUNCTION(name) NAMED(name, name)

static const struct shared_function mariadb_functions[] = {
    FUNCTION(init),
    FUNCTION(close),
    FUNCTION(options),
    NAMED(error_number, errno),
    NAMED(error_text, error),
    FUNCTION(get_socket),
    FUNCTION(get_ssl_cipher),
    FUNCTION(real_connect_start),
    FUNCTION(real_connect_cont),
    FUNCTION(real_query_start),
    FUNCTION(real_query_cont),
    FUNCTION(fetch_row_start),
    FUNCTION(fetch_row_cont),
    FUNCTION(use_result),
    FUNCTION(free_result),
    FUNCTION(num_fields),
    FUNCTION(fetch_field_direct),
    FUNCTION(fetch_lengths),
};

enum status mariadb_library_open(struct mariadb_library *library, struct error *err)
{
    static const struct shared_library spec = {
        .title = "libmariadb",
        .file_names = mariadb_file_names,
        .missing = "rows are read from MySQL by libmariadb, which is not installed "
                   "(" MARIADB_FILE_NAME " is missing): apt-get install libmariadb3, dnf install "
                   "mariadb-connector-c or brew install mariadb-connector-c",
        .too_old = "install libmariadb 3.1 or newer",
        .functions = mariadb_functions,
        .function_count = ARRAY_COUNT(mariadb_functions),
    };
    struct error why = ERROR_NONE;
    *library = (struct mariadb_library){.handle = NULL};
    library->handle = shared_library_open(&spec, library, &why);
    return library->handle != NULL ? STATUS_OK : error_set(err, why.code, "%s", why.message);
}

void mariadb_library_close(struct mariadb_library *library)
{
    shared_library_close(library->handle);
    *library = (struct mariadb_library){.handle = NULL};
}
