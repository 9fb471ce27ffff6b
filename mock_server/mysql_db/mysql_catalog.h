/* What the server shows as its schema: the three tables with the types they have on RDS. */
#ifndef PINPIPE_MYSQL_CATALOG_H
#define PINPIPE_MYSQL_CATALOG_H

#include "mysql_db.h"
#include "table.h"

enum {
    MYSQL_CHARSET_BINARY = 63,
    MYSQL_CHARSET_UTF8MB4 = 255, /* utf8mb4_0900_ai_ci */
};
enum mysql_flag {
    MYSQL_FLAG_NOT_NULL = 1,
    MYSQL_FLAG_PRI_KEY = 2,
    MYSQL_FLAG_BLOB = 16,
    MYSQL_FLAG_UNSIGNED = 32,
    MYSQL_FLAG_BINARY = 128,
    MYSQL_FLAG_NO_DEFAULT = 4096,
    MYSQL_FLAG_PART_KEY = 16384,
};
enum { MYSQL_DECIMALS_OF_FLOATS = 31 };

/* The column as it is announced; schema and alias are the caller's. */
struct mysql_column mysql_catalog_column(const struct table *table, size_t column);
/* "int", "text", "float", "datetime" */
const char *mysql_catalog_type(enum column_type type);

#endif
