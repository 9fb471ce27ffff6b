/* The source of a copy. */
#ifndef PINPIPE_S3_COPY_H
#define PINPIPE_S3_COPY_H

#include "s3_call.h"

/* The object that x-amz-copy-source names, when it is there and the x-amz-copy-source-if-* hold.
 * False: answered. */
bool s3_copy_source(struct s3_call *call, struct store_object *out);

#endif
