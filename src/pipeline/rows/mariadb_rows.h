/* Rows of the three tables out of a result of MySQL: columns by name, values by what the tables
 * hold, whatever the types that somebody's own dump gave them. */
#ifndef PINPIPE_MARIADB_ROWS_H
#define PINPIPE_MARIADB_ROWS_H

#include "mariadb_client.h"
#include "table.h"

struct mariadb_rows {
    struct mariadb_client *client;
    const struct mysql_account *account;
    const struct table *table;
    size_t places[TABLE_COLUMNS_MAX]; /* the result's column of each of the table's */
    char stamps[TABLE_COLUMNS_MAX][TABLE_STAMP_BYTES_MAX];
};

/* Sends the statement, whose result must have the table's columns, in any order; INVALID names the
 * one that is missing or too many. Else as mariadb_client_query. */
enum status mariadb_rows_ask(struct mariadb_rows *rows, const char *sql, int64_t whole_ms,
                             struct error *err) PP_MUST_USE;
/* The next row; its texts live until the next call. INVALID: a value that the table cannot hold,
 * with its key and column. */
enum status mariadb_rows_next(struct mariadb_rows *rows, struct row *row, bool *got,
                              struct error *err) PP_MUST_USE;
/* How many rows the table has. CONFIG: none, which is no table of the workshop's. */
enum status mariadb_rows_count(const struct mariadb_rows *rows, int64_t *count,
                               struct error *err) PP_MUST_USE;

#endif
