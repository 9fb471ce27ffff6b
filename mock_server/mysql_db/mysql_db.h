/* The three tables of rds.db as a MySQL 8 server shows them: statements of its dialect in, typed
 * columns and rows out, its own errors for the rest. No protocol here, and no sockets: who answers
 * with it is the room mysql.
 *
 * SQLite runs the statements. A long one runs in slices, on a stack of its own: mysql_query_step
 * says MYSQL_STEP_LATER when its slice of the turn is over, and goes on where it was at the next
 * call. */
#ifndef PINPIPE_MYSQL_DB_H
#define PINPIPE_MYSQL_DB_H

#include "error.h"
#include "span.h"

struct budget;
struct env;
struct log;
struct mysql_db;
struct mysql_query;
struct mysql_session;
struct mysql_statement;

enum {
    MYSQL_STATEMENT_BYTES_MAX = 16 * 1024 * 1024, /* a quarter of RDS's max_allowed_packet */
    MYSQL_MESSAGE_BYTES = 512,                    /* of an error, as MySQL's own limit */
    MYSQL_PARAMS_MAX = 1000,
};

/* What a client is told: MySQL's number, SQLSTATE and words. */
struct mysql_error {
    uint16_t code;    /* 1064; 0: none */
    char sqlstate[6]; /* "42000" */
    char message[MYSQL_MESSAGE_BYTES];
};

struct mysql_db_options {
    const char *data_dir; /* of rds.db; ":memory:": tables that nobody else sees */
    const char *database; /* the name the three tables are under: "pinterest_data" */
    struct env *env;
    struct log *log;
    struct budget *budget;
    int64_t execution_ms_max; /* of a statement; 0: the default. Beyond it: 3024 */
};

/* Does not open rds.db yet: the first session does, and generates the tables where there are none.
 */
enum status mysql_db_new(const struct mysql_db_options *options, struct mysql_db **out,
                         struct error *err) PP_MUST_USE;
void mysql_db_free(struct mysql_db *db);                 /* NULL is fine; all sessions have ended */
const char *mysql_db_version(const struct mysql_db *db); /* "8.0.36-pinpipe" */

/* --- sessions: one a login --- */

struct mysql_login {
    struct span user;
    const char *host; /* as MySQL names the client: "127.0.0.1" */
    uint32_t connection_id;
    struct span database; /* empty: none chosen yet */
    uint8_t charset;      /* the client's collation */
};
/* NULL and *error: 1049 (no such database), 1105 (rds.db cannot be opened, or no memory). */
struct mysql_session *mysql_session_new(struct mysql_db *db, const struct mysql_login *login,
                                        struct mysql_error *error);
void mysql_session_free(struct mysql_session *session); /* its queries and statements have ended */
/* COM_INIT_DB. False and *error: 1049. */
bool mysql_session_use(struct mysql_session *session, struct span database,
                       struct mysql_error *error);
/* COM_RESET_CONNECTION: variables and statements as after the login. */
void mysql_session_reset(struct mysql_session *session);
uint16_t
mysql_session_status(const struct mysql_session *session); /* SERVER_STATUS_... of OK and EOF */

/* --- columns and values --- */

struct mysql_column {
    struct span schema;
    struct span table; /* the alias, and what it is called in the schema: */
    struct span org_table;
    struct span name;
    struct span org_name;
    uint16_t charset; /* 63: binary, of numbers and dates too */
    uint32_t length;
    uint8_t type; /* MYSQL_TYPE_... */
    uint16_t flags;
    uint8_t decimals;
};
enum mysql_type {
    MYSQL_TYPE_DECIMAL = 0,
    MYSQL_TYPE_TINY = 1,
    MYSQL_TYPE_SHORT = 2,
    MYSQL_TYPE_LONG = 3,
    MYSQL_TYPE_FLOAT = 4,
    MYSQL_TYPE_DOUBLE = 5,
    MYSQL_TYPE_NULL = 6,
    MYSQL_TYPE_TIMESTAMP = 7,
    MYSQL_TYPE_LONGLONG = 8,
    MYSQL_TYPE_INT24 = 9,
    MYSQL_TYPE_DATE = 10,
    MYSQL_TYPE_TIME = 11,
    MYSQL_TYPE_DATETIME = 12,
    MYSQL_TYPE_YEAR = 13,
    MYSQL_TYPE_VARCHAR = 15,
    MYSQL_TYPE_NEWDECIMAL = 246,
    MYSQL_TYPE_BLOB = 252,
    MYSQL_TYPE_VAR_STRING = 253,
    MYSQL_TYPE_STRING = 254,
};

enum mysql_kind { MYSQL_NULL, MYSQL_INT, MYSQL_DOUBLE, MYSQL_TEXT };
/* Of a row or a parameter. A date is a TEXT in MySQL's spelling ("2023-11-14 22:13:20[.ffffff]"),
 * whatever its column's type. */
struct mysql_value {
    enum mysql_kind kind;
    bool is_unsigned;
    int64_t integer;
    double real;
    struct span text; /* of a row: valid until the next step */
};

/* --- statements --- */

/* Prepares a statement with its '?' (COM_STMT_PREPARE), or without (COM_QUERY: params is 0 then).
 * NULL and *error: what MySQL says. */
struct mysql_statement *mysql_prepare(struct mysql_session *session, struct span sql,
                                      struct mysql_error *error);
void mysql_statement_free(struct mysql_statement *statement); /* its query has ended */
size_t mysql_statement_params(const struct mysql_statement *statement);
/* 0: it gives no rows. Valid as long as the statement. */
size_t mysql_statement_columns(const struct mysql_statement *statement,
                               const struct mysql_column **out);

/* Begins to run it. The values are copied. NULL and *error as above. */
struct mysql_query *mysql_execute(struct mysql_statement *statement,
                                  const struct mysql_value *params, size_t count,
                                  struct mysql_error *error);
/* Ends it wherever it is. */
void mysql_query_free(struct mysql_query *query);

enum mysql_stepped {
    MYSQL_STEP_ROW,   /* mysql_query_row has it */
    MYSQL_STEP_DONE,  /* no further row */
    MYSQL_STEP_LATER, /* its share of the turn is used: ask again in the next */
    MYSQL_STEP_FAILED,
};
/* *error is set on FAILED. */
enum mysql_stepped mysql_query_step(struct mysql_query *query, struct mysql_error *error);
/* Columns of the rows: known from the statement's beginning, but an expression's type is that of
 * its first row, so they may differ from mysql_statement_columns; valid after the first step that
 * was ROW or DONE. */
size_t mysql_query_columns(const struct mysql_query *query, const struct mysql_column **out);
const struct mysql_value *mysql_query_row(const struct mysql_query *query);
/* Of a statement without rows. */
uint64_t mysql_query_affected(const struct mysql_query *query);
uint16_t mysql_query_warnings(const struct mysql_query *query);

#endif
