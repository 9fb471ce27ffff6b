/* libmariadb, loaded when somebody reads rows from a MySQL server. The functions are members named
 * as the library's own without "mysql_". What is declared here is the part of its ABI that is used:
 * handles are opaque, and of a column only the name, its first member, is looked at. */
#ifndef PINPIPE_MARIADB_LIBRARY_H
#define PINPIPE_MARIADB_LIBRARY_H

#include "error.h"

struct mariadb_handle; /* MYSQL */
struct mariadb_result; /* MYSQL_RES */
struct mariadb_field { /* MYSQL_FIELD, which goes on */
    const char *name;
};

/* enum mysql_option */
enum {
    MARIADB_CHARSET_NAME = 7,
    MARIADB_LOCAL_INFILE = 8,
    MARIADB_PROTOCOL = 9,
    MARIADB_TLS_VERIFY = 21,
    MARIADB_TLS_CA = 27,
    MARIADB_TLS_ENFORCE = 38,
    MARIADB_PACKET_BYTES_MAX = 39,
    MARIADB_NONBLOCK = 6000,
    MARIADB_RESTRICTED_AUTH = 7026,
};

enum { MARIADB_PROTOCOL_TCP = 1 };

/* What a call that was begun waits for, and what then has happened. */
enum {
    MARIADB_WAIT_READ = 1,
    MARIADB_WAIT_WRITE = 2,
    MARIADB_WAIT_EXCEPT = 4,
    MARIADB_WAIT_TIMEOUT = 8
};

struct mariadb_library {
    void *handle;

    struct mariadb_handle *(*init)(struct mariadb_handle *place);
    void (*close)(struct mariadb_handle *mysql);
    int (*options)(struct mariadb_handle *mysql, int option, const void *value);
    unsigned (*error_number)(struct mariadb_handle *mysql);
    const char *(*error_text)(struct mariadb_handle *mysql);
    int (*get_socket)(struct mariadb_handle *mysql);
    const char *(*get_ssl_cipher)(struct mariadb_handle *mysql);

    int (*real_connect_start)(struct mariadb_handle **ret, struct mariadb_handle *mysql,
                              const char *host, const char *user, const char *password,
                              const char *database, unsigned port, const char *,
                              unsigned long flags);
    int (*real_connect_cont)(struct mariadb_handle **ret, struct mariadb_handle *mysql, int events);
    int (*real_query_start)(int *ret, struct mariadb_handle *mysql, const char *text,
                            unsigned long len);
    int (*real_query_cont)(int *ret, struct mariadb_handle *mysql, int events);
    int (*fetch_row_start)(char ***ret, struct mariadb_result *result);
    int (*fetch_row_cont)(char ***ret, struct mariadb_result *result, int events);

    struct mariadb_result *(*use_result)(struct mariadb_handle *mysql);
    void (*free_result)(struct mariadb_result *result);
    unsigned (*num_fields)(struct mariadb_result *result);
    const struct mariadb_field *(*fetch_field_direct)(struct mariadb_result *result, unsigned i);
    const unsigned long *(*fetch_lengths)(struct mariadb_result *result);
};

/* CONFIG when the library is missing: the message says what to install. close is safe after a
 * failed open. */
enum status mariadb_library_open(struct mariadb_library *library, struct error *err) PP_MUST_USE;
void mariadb_library_close(struct mariadb_library *library);

#endif
