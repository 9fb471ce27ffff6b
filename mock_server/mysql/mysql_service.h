/* MySQL on its own port: the protocol of clients and servers over the tables of mysql_db. */
#ifndef PINPIPE_MYSQL_SERVICE_H
#define PINPIPE_MYSQL_SERVICE_H

#include "conn.h"
#include "error.h"

struct crypto;
struct env;
struct log;
struct mysql_db;
struct mysql_service;

enum {
    MYSQL_LOGIN_MS = 10 * 1000,       /* from the greeting to the proof; connect_timeout */
    MYSQL_IDLE_MS = 28800 * 1000,     /* between two commands; wait_timeout */
    MYSQL_COMMAND_MS = 20 * 1000,     /* for a command to come in, and a second more for each ... */
    MYSQL_COMMAND_RATE_MIN = 1024,    /* ... of these bytes received */
    MYSQL_SEND_MS = 30 * 1000,        /* a reader must take ... */
    MYSQL_SEND_BYTES_MIN = 4096,      /* ... at least these in that time */
    MYSQL_CROWDED_SEND_MS = 2 * 1000, /* the time, where answers have less room left than ... */
    MYSQL_CROWDED_ROOM_BYTES = 4 * 1024 * 1024, /* ... these */
    MYSQL_YIELD_MS = 1000,            /* no byte of a command: its place may be another's */
    MYSQL_READER_YIELD_MS = 5 * 1000, /* a reader takes nothing: the same */
    MYSQL_LINGER_MS = 5 * 1000,       /* reading on after a refusal, so that it is read */
    /* DIFFERS: a connection has 1024 prepared statements at most; on RDS all connections together
     * have 16382. Parameters cannot be sent in pieces (COM_STMT_SEND_LONG_DATA): executing such a
     * statement is error 1295. */
    MYSQL_STATEMENTS_MAX = 1024,        /* prepared ones of a connection: 1461 */
    MYSQL_OUT_BYTES_MAX = 64 * 1024,    /* of an answer that are in memory at once */
    MYSQL_LOGIN_BYTES_MAX = 128 * 1024, /* before who it is is known */
    MYSQL_BEHIND_BYTES_MAX = 64 * 1024, /* of commands that wait behind one in progress */
};

/* The named limits above, so that a test can have shorter ones. */
struct mysql_limits {
    int64_t login_ms;
    int64_t idle_ms;
    int64_t command_ms;
    int64_t send_ms;
    int64_t crowded_send_ms;
    int64_t linger_ms;
};
void mysql_limits_init(struct mysql_limits *limits);

struct mysql_service_options {
    struct mysql_db *db; /* the service's from now on, also where it cannot be made */
    struct crypto *crypto;
    struct env *env;
    struct log *log;
    /* The only login, both or neither. NULL: any user and password. */
    const char *user;
    const char *password;
    const struct mysql_limits *limits; /* NULL: the named ones */
};
/* CONFIG: a login is to be checked, and there is no library that can. */
enum status mysql_service_new(const struct mysql_service_options *options,
                              struct mysql_service **out, struct error *err) PP_MUST_USE;
void mysql_service_free(struct mysql_service *service); /* its connections have gone */
/* What a listener's connections are. */
struct conn_kind mysql_service_kind(struct mysql_service *service);

/* The row of mock_server/services.c. */
struct host;
enum status mysql_wire_open(const struct host *host, void **out, struct error *err) PP_MUST_USE;
const void *mysql_wire_face(void *service);
void mysql_wire_close(void *service);
const char *mysql_wire_url_path(const struct host *host); /* the database */
enum status mysql_wire_kind(const struct host *host, const void *face,
                            struct conn_kind *out) PP_MUST_USE;

#endif
