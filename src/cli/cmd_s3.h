/* What cmd_s3.c and cmd_s3_sync.c share. */
#ifndef PINPIPE_CMD_S3_H
#define PINPIPE_CMD_S3_H

#include "cli.h"

int s3_run_sync(struct cli *cli);
/* "upload: FROM to TO" on stdout; without `to` "delete: FROM". */
void s3_print_move(struct cli *cli, const char *what, const char *from, const char *to);

#endif
