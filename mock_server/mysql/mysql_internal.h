/* What the files of the protocol share. mysql_conn.c (what a connection's bytes, ends and timeouts
 * do) stands on mysql_access.c (logins) and mysql_command.c (commands), both on mysql_result.c
 * (rows on their way out), and that on mysql_held.c (an answer in its turn). */
#ifndef PINPIPE_MYSQL_INTERNAL_H
#define PINPIPE_MYSQL_INTERNAL_H

#include "arena.h"
#include "mysql_answer.h"
#include "mysql_login.h"
#include "mysql_params.h"
#include "mysql_row.h"
#include "mysql_service.h"
#include "server.h"

enum {
    MYSQL_USER_BYTES = 97, /* with its NUL: MySQL's 32 characters */
    MYSQL_DATABASE_BYTES = 257,
    MYSQL_HOST_BYTES = 46,
    MYSQL_PATH_BYTES = 512, /* of what the journal keeps */
    MYSQL_OUTLINE_BYTES = 256,
    MYSQL_IN_BYTES_KEPT = 2 * 1024,
    MYSQL_OUT_BYTES_KEPT = 2 * 1024,
    MYSQL_PIECE_BYTES_MIN = 8 * 1024, /* when the room that all answers share runs out */
    MYSQL_PIECE_BYTES_MAX = MYSQL_OUT_BYTES_MAX - 1024, /* an end or an error fits behind it */
    MYSQL_PIECE_PART = 64,                              /* of that room, for one answer */
    MYSQL_READ_BYTES_MAX = 256 * 1024,                  /* with one system call */
    MYSQL_UNCOUNTED_BYTES = 8 * 1024, /* of a command: less is not worth counting */
    MYSQL_DISCARD_BYTES = 16 * 1024,
    MYSQL_PARAMS_BYTES_MAX = 256 * 1024, /* values of an execution, beside their texts */
};

enum mysql_state {
    MYSQL_GREETING,  /* waits until the greeting has left: LOGIN */
    MYSQL_LOGIN,     /* waits for the client's answer: SWITCHED, BUSY; login timeout: refused */
    MYSQL_SWITCHED,  /* waits for another proof of the password: as LOGIN */
    MYSQL_IDLE,      /* waits for a command: BUSY; idle or command timeout: refused */
    MYSQL_BUSY,      /* a command is being answered: the state `after` it */
    MYSQL_LINGERING, /* refused; drops input until the peer ends or a timeout: closed */
};

struct mysql_service {
    struct mysql_db *db;
    struct crypto *crypto;
    struct env *env;
    struct log *log;
    const char *user; /* NULL: any */
    const char *password;
    struct mysql_limits limits;
    uint32_t last_connection_id;
    uint64_t questions;
    size_t threads;
    int64_t start_us; /* monotonic */
    char discard[MYSQL_DISCARD_BYTES];
};

struct mysql_prepared {
    uint32_t id;
    struct mysql_statement *statement;
    struct mysql_params params;
    bool has_long_data; /* which is not taken: it cannot be executed */
    size_t outline_len;
    char outline[MYSQL_OUTLINE_BYTES];
};

/* An answer, or a piece of one: its bytes, and what the journal is told of it when its last piece
 * has left. Outlives its connection while the turn has it. */
struct mysql_reply {
    struct held held;
    struct turn *turn;
    struct mysql_conn *c; /* NULL: the client has left, the turn still has it */
    struct buf out;
    bool is_held;
    bool sent; /* what was in `out` is with the kernel */
    bool last;
    const char *method; /* NULL: nothing is told */
    uint16_t code;      /* of the error; 0: none */
    int64_t received_us;
    int64_t start_us;
    uint64_t request_bytes;
    uint64_t response_bytes;
    uint64_t recent_number;
    size_t path_len;
    char path[MYSQL_PATH_BYTES];
};

enum mysql_phase {
    MYSQL_NO_RESULT,
    MYSQL_FIRST_STEP, /* the query runs, and its columns are not known yet */
    MYSQL_PARAM_DEFINITIONS,
    MYSQL_COLUMN_DEFINITIONS,
    MYSQL_ROWS,
};

/* Definitions and rows that do not fit into one piece. */
struct mysql_result {
    enum mysql_phase phase;
    struct mysql_statement *statement; /* ends with the result; NULL: a prepared one */
    struct mysql_query *query;         /* NULL: definitions are all */
    bool binary;
    bool as_fields;
    size_t params_left; /* definitions to come */
    const struct mysql_column *columns;
    size_t column_count;
    size_t column; /* the next one's definition */
    bool has_row;  /* `row` is not whole yet */
    bool done;     /* there is no further row */
    struct mysql_row row;
};

struct mysql_conn {
    struct conn conn; /* first: struct conn * and struct mysql_conn * are cast */
    struct mysql_service *service;
    enum mysql_state state;
    enum mysql_state after; /* BUSY or GREETING */
    struct mysql_reply *reply;
    struct mysql_writer w; /* of reply->out */
    /* The command that comes in: payload_bytes of it in `in`, without heads, then what came behind.
     */
    struct buf in;
    size_t in_charged; /* in the budget */
    size_t payload_bytes;
    size_t packet_left_bytes; /* of the packet under way */
    bool packet_begun;        /* its head has been read */
    bool packet_goes_on;      /* the payload goes on in the next one */
    bool dropping;            /* what else the peer sends is of no use */
    bool receiving;           /* a command has begun to come in ... */
    int64_t receiving_us;     /* ... then */
    size_t unsent_before;     /* at the last look, to see whether the reader takes anything */
    /* The login. */
    uint32_t id;
    uint32_t caps;
    uint8_t charset;
    bool knows_states; /* errors carry a SQLSTATE */
    enum mysql_plugin plugin;
    char salt[MYSQL_SALT_BYTES];
    char user[MYSQL_USER_BYTES];
    char database[MYSQL_DATABASE_BYTES];
    char host[MYSQL_HOST_BYTES];
    struct mysql_session *session; /* NULL: not logged in */
    /* Statements that it has prepared. */
    struct mysql_prepared **prepared;
    size_t prepared_count;
    size_t prepared_capacity;
    uint32_t last_statement_id;
    struct arena values; /* of an execution */
    struct mysql_result result;
};

/* --- mysql_held.c --- */
/* NULL: no memory. */
struct mysql_reply *mysql_reply_new(struct mysql_conn *c);
void mysql_reply_free(struct mysql_reply *reply); /* neither held nor being sent */
/* An answer begins, to a request of that name; `path` says what about. NULL: the journal has no
 * use for it. */
void mysql_reply_begin(struct mysql_conn *c, const char *method, struct span path,
                       size_t request_bytes);
/* The piece that is in `out` leaves after this turn's commit. No memory for it: the connection
 * closes. */
void mysql_reply_hold(struct mysql_conn *c, bool last);
/* The whole answer at once, then `after`. */
void mysql_reply_end(struct mysql_conn *c, enum mysql_state after);
/* A reader has been sent more than it takes at once: its time for that runs. */
void mysql_reply_wait(struct mysql_conn *c);
void mysql_reply_ok(struct mysql_conn *c);
void mysql_reply_error(struct mysql_conn *c, const struct mysql_error *error,
                       enum mysql_state after);

/* --- mysql_conn.c --- */
/* The piece has left, or its last byte is with the kernel: the next one, or the state after it. */
void mysql_conn_reply_gone(struct mysql_conn *c);

/* --- mysql_access.c --- */
void mysql_access_greet(struct mysql_conn *c);
/* The payloads that LOGIN and SWITCHED wait for, and COM_CHANGE_USER's. */
void mysql_access_hello(struct mysql_conn *c, struct span payload);
void mysql_access_proof(struct mysql_conn *c, struct span payload);
void mysql_access_change_user(struct mysql_conn *c, struct span payload);
/* Lets go of the session with all that stands on it. */
void mysql_access_end(struct mysql_conn *c);

/* --- mysql_command.c --- */
void mysql_command_run(struct mysql_conn *c, struct span payload);
void mysql_command_forget_statements(struct mysql_conn *c);

/* --- mysql_result.c --- */
/* The result is filled: its first piece. */
void mysql_result_begin(struct mysql_conn *c);
/* The result's turn to go on. */
void mysql_result_go_on(struct mysql_conn *c);
/* Ends it wherever it is. */
void mysql_result_release(struct mysql_conn *c);

#endif
