/* Private to the room: what a server and its sessions are. */
#ifndef PINPIPE_MYSQL_SESSION_H
#define PINPIPE_MYSQL_SESSION_H

#include "mysql_handle.h"

enum { MYSQL_NAME_BYTES = 256 };

struct mysql_db {
    struct mysql_handles handles;
    char database[MYSQL_NAME_BYTES];
    struct env *env;
    struct log *log;
    struct budget *budget;
    int64_t execution_ms_max;
    size_t sessions;
};

enum { MYSQL_USER_VARIABLES_MAX = 32, MYSQL_MODE_BYTES = 512 };

struct mysql_user_value {
    char name[64];
    bool is_integer;
    int64_t integer;
    char text[MYSQL_NAME_BYTES];
};

struct mysql_session {
    struct mysql_db *db;
    char user[MYSQL_NAME_BYTES];
    char host[MYSQL_NAME_BYTES];
    char database[MYSQL_NAME_BYTES]; /* "": none chosen */
    uint32_t connection_id;
    uint8_t charset;
    bool autocommit;
    bool in_transaction;
    char sql_mode[MYSQL_MODE_BYTES];
    char isolation[64];
    int64_t execution_ms_max; /* of SET max_execution_time; 0: the server's */
    struct mysql_user_value variables[MYSQL_USER_VARIABLES_MAX];
    size_t variable_count;
};

/* The modes as after a login. */
void mysql_session_modes(struct mysql_session *session);

#endif
