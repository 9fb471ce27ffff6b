/* The rows of the three RDS tables in a data directory (rds.db), as text by column.
 *
 *     struct pinpipe_rows *rows;
 *     struct pinpipe_row *row;
 *     if (pinpipe_rows_open("./.pinpipe", &rows, why) == PINPIPE_OK) {
 *         if (pinpipe_rows_read(rows, PINPIPE_PIN, 7528, &row, why) == PINPIPE_OK) {
 *             puts(pinpipe_row_text(row, "title"));
 *             pinpipe_row_free(row);
 *         }
 *         pinpipe_rows_close(rows);
 *     } */
#ifndef PINPIPE_ROWS_H
#define PINPIPE_ROWS_H

#include "result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pinpipe_rows;
struct pinpipe_row;

enum pinpipe_table { PINPIPE_PIN, PINPIPE_GEO, PINPIPE_USER };

/* Opens the tables read-only. Otherwise `why` (of PINPIPE_MESSAGE_BYTES, may be NULL) says the
 * cause and the fix. */
enum pinpipe_result pinpipe_rows_open(const char *data_dir, struct pinpipe_rows **out, char *why);
void pinpipe_rows_close(struct pinpipe_rows *rows);

/* How many rows the table has; -1 when that failed. */
int64_t pinpipe_rows_count(struct pinpipe_rows *rows, enum pinpipe_table table);
/* `SELECT * FROM table LIMIT n, 1`: the n-th row in key order, from 0. PINPIPE_FAILED when there is
 * no such row. The row is the caller's. */
enum pinpipe_result pinpipe_rows_read(struct pinpipe_rows *rows, enum pinpipe_table table,
                                      int64_t row_number, struct pinpipe_row **out, char *why);
void pinpipe_row_free(struct pinpipe_row *row);

size_t pinpipe_row_columns(const struct pinpipe_row *row);
/* NULL beyond the last column. */
const char *pinpipe_row_name(const struct pinpipe_row *row, size_t column);
/* NUL-terminated UTF-8; numbers as the workshop's script prints them; NULL for SQL NULL. */
const char *pinpipe_row_value(const struct pinpipe_row *row, size_t column);
/* A column's value by its name; NULL also when there is no such column. */
const char *pinpipe_row_text(const struct pinpipe_row *row, const char *name);
/* The row as the JSON object that is posted. */
const char *pinpipe_row_json(const struct pinpipe_row *row);

#ifdef __cplusplus
}
#endif

#endif
