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

struct mysql_session {
    struct mysql_db *db;
    char user[MYSQL_NAME_BYTES];
    char host[MYSQL_NAME_BYTES];
    char database[MYSQL_NAME_BYTES]; /* "": none chosen */
    uint32_t connection_id;
    uint8_t charset;
    bool autocommit;
    bool in_transaction;
};

#endif
