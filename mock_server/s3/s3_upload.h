/* Multipart uploads: finding one, and what names a part. */
#ifndef PINPIPE_S3_UPLOAD_H
#define PINPIPE_S3_UPLOAD_H

#include "s3_call.h"

enum { S3_PART_BYTES_MIN = 5 * 1024 * 1024 }; /* of all parts but the last */

/* Finds the bucket, then the upload that uploadId names. False: NoSuchBucket, NoSuchUpload (or 500)
 * is in the reply. */
bool s3_upload_find(struct s3_call *call, struct store_upload *out);
/* Does the upload that uploadId names take parts? False: answered as by s3_upload_find. */
bool s3_upload_is_open(struct s3_call *call);
/* NoSuchUpload with the request's id. */
enum handled s3_no_such_upload(struct s3_call *call);
/* partNumber, 1 to 10000. False: InvalidArgument is in the reply. */
bool s3_part_number(struct s3_call *call, int32_t *out);

#endif
