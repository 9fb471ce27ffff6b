/* The three tables of a MySQL server into rds.db: what the workshop's account will not keep. */
#ifndef PINPIPE_RDS_COPY_H
#define PINPIPE_RDS_COPY_H

#include "mysql_account.h"
#include "rds_csv.h"

struct rds_copy_options {
    const char *data_dir;
    const struct mysql_account *account;
    const struct progress *progress; /* may be NULL */
};

/* Puts the server's rows in the place of all three tables', or leaves rds.db as it was. A
 * connection that is lost is made anew and the copy begun again, once. INVALID, EXISTS (a key
 * twice): the server's tables; INTERRUPTED; else as mariadb_client_open and rds_build_*. */
enum status rds_copy(const struct rds_copy_options *options,
                     struct rds_import_result results[TABLE_COUNT], struct error *err) PP_MUST_USE;

#endif
