/* The values that a prepared statement is executed with, as COM_STMT_EXECUTE carries them. */
#ifndef PINPIPE_MYSQL_PARAMS_H
#define PINPIPE_MYSQL_PARAMS_H

#include "arena.h"
#include "mysql_db.h"
#include "mysql_packet.h"

/* Parameters of a statement, which keeps their types: they stand in a packet only when they have
 * changed. */
struct mysql_params {
    size_t count;
    uint16_t *types; /* `count` of them */
    bool typed;      /* they have been given once */
};

/* The reader is behind the statement's id; *out gets `count` values, which last as long as the
 * arena and the packet. False and *error: 1210, 1835, 1041. */
bool mysql_params_read(struct mysql_params *params, struct mysql_reader *r, struct arena *arena,
                       struct mysql_value **out, struct mysql_error *error);

#endif
