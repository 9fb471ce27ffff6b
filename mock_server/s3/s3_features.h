/* Features of S3 that a header asks for and that are not here. */
#ifndef PINPIPE_S3_FEATURES_H
#define PINPIPE_S3_FEATURES_H

#include "s3_call.h"

/* Do the headers ask only for what objects have here (no KMS, no ACLs, no tags, ...)? False:
 * answered. */
bool s3_object_features_exist(struct s3_call *call);
/* The same of a bucket that is to be made. */
bool s3_bucket_features_exist(struct s3_call *call);

#endif
