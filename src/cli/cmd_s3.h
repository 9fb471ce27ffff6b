/* `pinpipe s3 sync`, for the table of `pinpipe s3`. */
#ifndef PINPIPE_CMD_S3_H
#define PINPIPE_CMD_S3_H

#include "cli.h"

int s3_run_sync(struct cli *cli);

#endif
