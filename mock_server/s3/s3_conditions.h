/* Conditional requests. */
#ifndef PINPIPE_S3_CONDITIONS_H
#define PINPIPE_S3_CONDITIONS_H

#include "s3_call.h"

/* If-Match, If-None-Match, If-(Un)Modified-Since for reads (304, 412); `prefix`
 * "x-amz-copy-source-" for copies. False: answered. */
bool s3_conditions_hold(struct s3_call *call, const struct store_object *object,
                        const char *prefix);
/* If-Match and If-None-Match: * for writes; object NULL: the key is free. False: answered. */
bool s3_write_conditions_hold(struct s3_call *call, const struct store_object *object);
/* Do If-Match and If-None-Match let the key be written, whatever is under it? False: answered. */
bool s3_key_may_be_written(struct s3_call *call);
/* The same for a deletion, which may ask for any object by If-Match: *. */
bool s3_key_may_be_deleted(struct s3_call *call);

#endif
