/* Headers that are stored with an object and go back with it, and those that S3 adds of its own. */
#ifndef PINPIPE_S3_HEADERS_H
#define PINPIPE_S3_HEADERS_H

#include "s3_call.h"

/* The "name: value\n" lines of the request's own headers (content-type by default
 * binary/octet-stream); empty with the call failed: MetadataTooLarge. In the arena. */
struct span s3_headers_take(struct s3_call *call);
/* Writes an object's headers (or what the query's response-* puts in their place), ETag,
 * Last-Modified and the rest to the reply. */
void s3_headers_give(struct s3_call *call, const struct store_object *object, bool with_checksum);
/* x-amz-server-side-encryption, which S3 gives with every object and part. */
void s3_encryption_header(struct s3_call *call);
/* The ETag header, whose value stands in quotes. */
void s3_etag_header(struct s3_call *call, struct span etag);

#endif
