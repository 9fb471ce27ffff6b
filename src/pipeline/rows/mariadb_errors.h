/* What MySQL's error numbers mean for whoever reads rows: an outcome, and what to do. */
#ifndef PINPIPE_MARIADB_ERRORS_H
#define PINPIPE_MARIADB_ERRORS_H

#include "error.h"
#include "mysql_account.h"

/* "host:port: <the server's words> (1045): <what to do>"; the outcome of the number. */
enum status mariadb_error_set(const struct mysql_account *account, unsigned number,
                              const char *words, struct error *err);
/* TIMED_OUT, with the limit that changes it. */
enum status mariadb_timed_out(const struct mysql_account *account, const char *doing,
                              struct error *err);
/* Has the connection gone, so that a new one may do? */
bool mariadb_error_is_loss(unsigned number);

#endif
