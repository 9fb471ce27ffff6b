/* Encryption with a customer's own key (SSE-C), which is not here: what a request may be wrong
 * about it, and that no object has one. */
#ifndef PINPIPE_S3_CUSTOMER_KEYS_H
#define PINPIPE_S3_CUSTOMER_KEYS_H

#include "s3_call.h"

/* A key is that of the object the request is about, or of the one that it copies. */
enum s3_key_of { S3_KEY_OF_OBJECT, S3_KEY_OF_SOURCE };

/* Are the key's three headers all there or none, and the algorithm one that S3 knows? *given: they
 * are there. False: answered. */
bool s3_customer_key_is_whole(struct s3_call *call, enum s3_key_of of, bool *given);
/* Does the request name no key, as no object here has one? False: answered. */
bool s3_customer_key_is_absent(struct s3_call *call, enum s3_key_of of);

#endif
