/* A row on its way out, as text or, for a prepared statement, in binary. A row may be larger than
 * any buffer, and than a packet: it is written in as many steps as there is room for, and its
 * values stay where they are meanwhile. */
#ifndef PINPIPE_MYSQL_ROW_H
#define PINPIPE_MYSQL_ROW_H

#include "mysql_db.h"
#include "mysql_packet.h"

struct mysql_row {
    const struct mysql_column *columns;
    const struct mysql_value *values;
    size_t count;
    bool binary;
    bool begun; /* some of it has been written */
    bool whole; /* nothing is left of it, not even an empty packet */
    /* How far it is. */
    size_t column;        /* 0: what stands before the values; then the values */
    size_t written_bytes; /* of that part */
    uint64_t left_bytes;  /* of the row's payload */
    size_t packet_left_bytes;
    bool packet_ends_row; /* no further packet follows the one under way */
};

/* Columns and values are `count` each and stay until the row is whole. */
void mysql_row_begin(struct mysql_row *row, const struct mysql_column *columns,
                     const struct mysql_value *values, size_t count, bool binary);
/* The length of a row's payload. */
uint64_t mysql_row_bytes(const struct mysql_row *row);
/* Appends as much of it as fits into `room` bytes; true: that was all that was left. */
bool mysql_row_write(struct mysql_row *row, struct mysql_writer *w, size_t room);

/* A double as MySQL writes it: the shortest text that reads back as the same number. */
enum { MYSQL_DOUBLE_BYTES = 32 };
size_t mysql_double_text(double value, char out[MYSQL_DOUBLE_BYTES]);

#endif
