/* A number that the server's database holds. */
#ifndef PINPIPE_TESTS_STATE_QUERY_H
#define PINPIPE_TESTS_STATE_QUERY_H

#include "raw_http.h"

#include <sqlite3.h>

static inline int64_t state_query(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        die("%s: %s", sql, sqlite3_errmsg(db));
    }
    int64_t value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

#endif
