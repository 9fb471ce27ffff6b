/* A body on its way in. s3.c begins it, gives it its pieces and ends it; handlers of S3_BODY_OBJECT
 * and S3_BODY_PART find call->body finished, also for a request without a body. */
#ifndef PINPIPE_S3_BODY_H
#define PINPIPE_S3_BODY_H

#include "s3_call.h"

/* Reads the integrity headers, makes call->body. False: an error is in the reply. */
bool s3_body_begin(struct s3_call *call);
bool s3_body_piece(struct s3_call *call, struct span bytes);
/* Checks lengths, digests, chunk signatures and trailers, when all bytes have come. False: an error
 * is in the reply. */
bool s3_body_finish(struct s3_call *call);
/* Lets go of what the call has of its body; nothing, where it has none. */
void s3_body_drop(struct s3_call *call);

/* --- after finish --- */
struct store_body *s3_body_store(struct s3_body *body);
/* 32 hex digits. */
const char *s3_body_md5(const struct s3_body *body);
/* "crc32 NhCmhg== FULL_OBJECT", or empty. */
struct span s3_body_checksum(const struct s3_body *body);

/* The decoded bytes of a gathered (S3_BODY_XML) request body, checked. False: an error is in the
 * reply. *had_digest: Content-MD5 or x-amz-checksum-* was there. With had_digest NULL the
 * x-amz-checksum-* headers are not looked at, because they are about something else than this body
 * (CompleteMultipartUpload: the object). */
bool s3_body_gathered(struct s3_call *call, struct span *bytes, bool *had_digest);

#endif
