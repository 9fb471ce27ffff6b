/* Where a request points. */
#ifndef PINPIPE_S3_ADDRESS_H
#define PINPIPE_S3_ADDRESS_H

#include "s3_call.h"

/* Fills bucket_name, key, virtual_host from Host and path. False: an error is in the reply. */
bool s3_address(struct s3_call *call);

#endif
