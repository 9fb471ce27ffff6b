/* Where rows come from: rds.db (row_source_sqlite.c), or a MySQL server such as the workshop's RDS
 * (row_source_mysql.c). */
#ifndef PINPIPE_ROW_SOURCE_H
#define PINPIPE_ROW_SOURCE_H

#include "env.h"
#include "error.h"
#include "mysql_account.h"
#include "table.h"

struct row_source;

struct row_source_ops {
    /* `SELECT * FROM table LIMIT n, 1`: the row whose key is the n-th in key order, from 0. Spans
     * in *row live until the next call for the same table. NOT_FOUND when there is no such row. */
    enum status (*fetch)(struct row_source *source, enum table_id table, int64_t row_number,
                         struct row *row, struct error *err);
    enum status (*count)(struct row_source *source, enum table_id table, int64_t *rows,
                         struct error *err);
    /* Many fetches follow: a source may keep its read lock until hold(false). May be NULL. */
    void (*hold)(struct row_source *source, bool held);
    void (*free)(struct row_source *source);
};

struct row_source {
    const struct row_source_ops *ops;
};

/* The tables of a MySQL server, read as the workshop's script reads them, a statement a row: row
 * number n is the n-th that the server gives, which is the n-th in key order where the key is the
 * primary one. A connection that is lost is made anew, once a row. The account and its texts must
 * outlive the source. Fails as mariadb_client_open. */
enum status row_source_mysql_open(const struct mysql_account *account, struct row_source **out,
                                  struct error *err) PP_MUST_USE;
/* The cipher of its connection; NULL: it is not encrypted. */
const char *row_source_mysql_cipher(const struct row_source *source);

/* rds.db in the data directory, read-only. NOT_FOUND says to run `pinpipe data generate`. */
enum status row_source_sqlite_open(const char *data_dir, const struct env *env,
                                   struct row_source **out, struct error *err) PP_MUST_USE;

#endif
