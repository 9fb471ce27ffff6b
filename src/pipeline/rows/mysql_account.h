/* Where a MySQL server with the three tables is, as whom it is asked, and how long it may take. */
#ifndef PINPIPE_MYSQL_ACCOUNT_H
#define PINPIPE_MYSQL_ACCOUNT_H

#include "env.h"

enum { MYSQL_USUAL_PORT = 3306 };

struct mysql_account {
    const char *host;
    int port;
    const char *user;
    const char *password; /* never in a message */
    const char *database;
    const char *tls_ca; /* the certificates' file: TLS is then a must, certificate and name are
                           checked; NULL: TLS where the server has it, with whoever answers */
    struct env *env;
    int64_t timeout_ms; /* of a login, of an answer's begin, of all of it; 0: 10, 60 and 60 s, and
                           300 s for all of a table */
    bool (*should_stop)(void *ctx); /* polled while it waits; may be NULL */
    void *stop_ctx;
};

#endif
