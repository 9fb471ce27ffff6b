/* Where the commands that read rows find them: the MySQL server whose HOST creds.yaml names, else
 * rds.db in --data. */
#ifndef PINPIPE_ROWS_PLACE_H
#define PINPIPE_ROWS_PLACE_H

#include "cli.h"
#include "mysql_account.h"
#include "progress.h"
#include "row_source.h"

/* *account is NULL when no HOST is named. It lives in cli->arena, and asks cli_should_stop. CONFIG:
 * creds.yaml cannot be read, or lacks a value that goes with HOST. */
enum status rows_place_find(struct cli *cli, const struct mysql_account **account,
                            struct error *err) PP_MUST_USE;

/* Opens the server's rows, and says on stderr where they come from. *source is NULL when no HOST is
 * named: the pipeline's tools then read rds.db themselves. */
enum status rows_place_open(struct cli *cli, struct row_source **source,
                            struct error *err) PP_MUST_USE;
/* The same for whoever looks at most of the rows, many times: they are fetched once, into a file
 * that has no name any more. */
enum status rows_place_open_copy(struct cli *cli, const struct progress *progress,
                                 struct row_source **source, struct error *err) PP_MUST_USE;
/* NULL is allowed. */
void rows_place_close(struct row_source *source);

#endif
