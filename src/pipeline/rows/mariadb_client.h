/* One connection to a MySQL server, through libmariadb. Rows stream: memory is bounded by one of
 * them. Nothing blocks for longer than the account's limits, and should_stop is polled while it
 * waits (not while a host's name is looked up). */
#ifndef PINPIPE_MARIADB_CLIENT_H
#define PINPIPE_MARIADB_CLIENT_H

#include "error.h"
#include "mysql_account.h"
#include "span.h"

struct mariadb_client;

enum { MARIADB_ROW_BYTES_MAX = 16 * 1024 * 1024 };

/* The account must outlive the client. CONFIG: no library, or the server refuses who asks;
 * UNREACHABLE, TIMED_OUT, INTERRUPTED; every message begins with host and port and says what to
 * do. */
enum status mariadb_client_open(const struct mysql_account *account, struct mariadb_client **out,
                                struct error *err) PP_MUST_USE;
/* NULL is allowed. */
void mariadb_client_close(struct mariadb_client *client);

/* The cipher of the connection; NULL: it is not encrypted. */
const char *mariadb_client_cipher(const struct mariadb_client *client);

/* Sends a statement that has a result; whole_ms is the default for all of the answer. What was left
 * of the result before is dropped. NOT_FOUND: there is no such table. UNREACHABLE when the
 * connection was lost: mariadb_client_is_lost. */
enum status mariadb_client_query(struct mariadb_client *client, const char *sql, int64_t whole_ms,
                                 struct error *err) PP_MUST_USE;
size_t mariadb_client_columns(const struct mariadb_client *client);
struct span mariadb_client_column_name(const struct mariadb_client *client, size_t column);

/* The next row: *got is false behind the last one. Its values live until the next call. */
enum status mariadb_client_next(struct mariadb_client *client, bool *got,
                                struct error *err) PP_MUST_USE;
/* False for NULL. */
bool mariadb_client_value(const struct mariadb_client *client, size_t column, struct span *out);

/* Did the server go away, so that asking again through a new connection may help? */
bool mariadb_client_is_lost(const struct mariadb_client *client);

#endif
