/* Who is asking. */
#ifndef PINPIPE_S3_AUTH_H
#define PINPIPE_S3_AUTH_H

#include "s3_call.h"

/* Checks the signature, when the identity has a key, and fills call->claim. False: an error is in
 * the reply. */
bool s3_authorize(struct s3_call *call);

#endif
