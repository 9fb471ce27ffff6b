/* A row as the JSON object the workshop's script sends (fields in column order), and back. */
#ifndef PINPIPE_ROW_JSON_H
#define PINPIPE_ROW_JSON_H

#include "buf.h"
#include "table.h"

enum datetime_style { DATETIME_ISO, DATETIME_SPACE }; /* 2021-02-05T19:14:42 or with a blank */

/* Compact, raw UTF-8, numbers as the REST proxy gives them back: the text that a faithful pipeline
 * returns byte for byte. */
void row_json_append(struct buf *out, const struct row *row, enum datetime_style style);

/* A value that is not NULL, as bare text: a number as in the JSON above, a text as the table holds
 * it. */
void row_value_append(struct buf *out, const struct row_value *value, enum column_type type);

/* Compares a record's value with the row, field by field, numbers by value, whatever the key order.
 * *field is the first column (in column order) that differs or is missing; "" when the columns are
 * all there and right and only unknown members make the difference. The names of unknown members
 * are appended to `unknown` (may be NULL), separated by ", ". Anything but one JSON object is
 * NOT_AN_OBJECT. */
enum row_json_match { ROW_JSON_SAME, ROW_JSON_DIFFERS, ROW_JSON_NOT_AN_OBJECT };
enum row_json_match row_json_compare(struct span value, const struct row *row,
                                     enum datetime_style style, const char **field,
                                     struct buf *unknown);

#endif
