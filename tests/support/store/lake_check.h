/* What must always hold between the tables of the lake, whatever failed before. */
#ifndef PINPIPE_TESTS_LAKE_CHECK_H
#define PINPIPE_TESTS_LAKE_CHECK_H

#include <sqlite3.h>
#include <stdbool.h>

/* References equal the rows that refer, sizes add up, nothing is without an owner. NULL when all of
 * it holds, else the name of the first rule that does not. */
const char *lake_check(sqlite3 *db);
/* Rows of content, chunk, piece, dead objects and dead uploads: 0 after the last slice of the sweep
 * when nothing large is left. -1: the query failed. */
long long lake_rows(sqlite3 *db);

#endif
