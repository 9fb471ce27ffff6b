/* SQL of tests in other rooms: what a user's own `sqlite3 state.db` would say, over the store's
 * connection. */
#ifndef PINPIPE_TEST_STORE_SQL_H
#define PINPIPE_TEST_STORE_SQL_H

#include "sqlite_db.h"

struct store;

struct sqlite_db *store_sql(struct store *store);

#endif
