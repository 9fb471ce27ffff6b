/* Encryption with a customer's own key (SSE-C), which is not here: what a request may be wrong
 * about it, and that no object has one. */
#ifndef PINPIPE_S3_CUSTOMER_KEYS_H
#define PINPIPE_S3_CUSTOMER_KEYS_H

#include "s3_call.h"

/* Are the three headers under the prefix ("x-amz-", "x-amz-copy-source-") all there or none, and
 * the algorithm one that S3 knows? *given: they are there. False: answered. */
bool s3_customer_key_is_whole(struct s3_call *call, const char *prefix, bool *given);
/* Does the request read an object without a customer's key, as all objects here are? False:
 * answered. */
bool s3_customer_key_is_absent(struct s3_call *call, const char *prefix);

#endif
