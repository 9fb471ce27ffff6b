/* The three RDS tables as data: names, columns, types, and the topic each one feeds. Everything
 * that reads, writes, posts or compares rows walks these. */
#ifndef PINPIPE_TABLE_H
#define PINPIPE_TABLE_H

#include "span.h"

enum table_id { TABLE_PIN, TABLE_GEO, TABLE_USER, TABLE_COUNT };

enum column_type {
    COLUMN_INT,
    COLUMN_TEXT,
    COLUMN_FLOAT,    /* MySQL FLOAT: six significant digits */
    COLUMN_DATETIME, /* "YYYY-MM-DD HH:MM:SS", or with ".ffffff" where the fraction is not 0 */
};

enum { TABLE_STAMP_BYTES = 19, TABLE_STAMP_BYTES_MAX = 26 }; /* of a COLUMN_DATETIME */

struct table_column {
    const char *name;
    enum column_type type;
};

enum { TABLE_COLUMNS_MAX = 12 };

struct table {
    enum table_id id;
    const char *name;                   /* "pinterest_data" */
    const char *topic_suffix;           /* "pin" */
    const struct table_column *columns; /* columns[0] is the key */
    size_t column_count;
};

const struct table *table_get(enum table_id id);
/* The table of a table's name or a topic's suffix; NULL when there is none. */
const struct table *table_find(struct span name);

struct row_value {
    bool is_null;
    int64_t integer;  /* COLUMN_INT */
    double real;      /* COLUMN_FLOAT */
    struct span text; /* COLUMN_TEXT, COLUMN_DATETIME */
};

/* A row of a table; the spans belong to whoever filled it. */
struct row {
    const struct table *table;
    struct row_value values[TABLE_COLUMNS_MAX];
};

#endif
