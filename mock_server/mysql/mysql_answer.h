/* What a server answers, packet by packet: OK, ERR, EOF, the definitions of columns. Rows are in
 * mysql_row.h. */
#ifndef PINPIPE_MYSQL_ANSWER_H
#define PINPIPE_MYSQL_ANSWER_H

#include "mysql_db.h"
#include "mysql_packet.h"

enum {
    MYSQL_NAME_BYTES_MAX = 1024,           /* of a column, on the wire: MySQL's 256 characters */
    MYSQL_DEFINITION_BYTES_MAX = 6 * 1024, /* of a column: five names and what is fixed */
    MYSQL_STATUS_AUTOCOMMIT = 0x0002,      /* before there is a session that has a status */
};

struct mysql_ok {
    uint64_t affected;
    uint16_t status;
    uint16_t warnings;
};
void mysql_put_ok(struct mysql_writer *w, const struct mysql_ok *ok);
void mysql_put_eof(struct mysql_writer *w, uint16_t status, uint16_t warnings);
/* With its SQLSTATE, or as before the client has said what it understands. */
void mysql_put_error(struct mysql_writer *w, const struct mysql_error *error, bool with_state);
/* A bare number in a packet: how many columns come. */
void mysql_put_count(struct mysql_writer *w, uint64_t count);
/* `as_field`: as COM_FIELD_LIST has it, with a default value (NULL) behind it. */
void mysql_put_column(struct mysql_writer *w, const struct mysql_column *column, bool as_field);
/* A parameter of a prepared statement, whose type is not known. */
void mysql_put_param(struct mysql_writer *w);

/* An error of the protocol's own, where no statement is to blame. */
void mysql_refuse(struct mysql_error *error, uint16_t code, const char *sqlstate,
                  const char *format, ...) PP_PRINTF(4, 5);

#endif
