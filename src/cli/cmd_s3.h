/* Commands of `pinpipe s3` that have files of their own, for its table. */
#ifndef PINPIPE_CMD_S3_H
#define PINPIPE_CMD_S3_H

#include "cli.h"

/* cmd_s3_cp.c */
int s3_run_cp(struct cli *cli);
int s3_run_rm(struct cli *cli);
int s3_run_mb(struct cli *cli);
int s3_run_rb(struct cli *cli);
/* cmd_s3_sync.c */
int s3_run_sync(struct cli *cli);

#endif
