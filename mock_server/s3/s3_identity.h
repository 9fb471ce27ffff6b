/* The ids that S3 gives a request: x-amz-request-id and x-amz-id-2, in every answer and every
 * error. */
#ifndef PINPIPE_S3_IDENTITY_H
#define PINPIPE_S3_IDENTITY_H

#include "env.h"
#include "http.h"

/* The one account there is, as S3 names an owner. */
#define S3_OWNER_ID "b5f2c7a0d94e4f4a8b1e6d3c9a7f5e2b1c8d0e6f4a3b2c1d9e8f7a6b5c4d3e2f"

enum { S3_REQUEST_ID_BYTES = 17, S3_HOST_ID_BYTES = 77 };

struct s3_identity {
    char request_id[S3_REQUEST_ID_BYTES];
    char host_id[S3_HOST_ID_BYTES]; /* x-amz-id-2; empty when memory was out */
};

/* Makes new ids out of the environment's random numbers. */
void s3_identity_make(struct env *env, struct s3_identity *out);
/* Adds x-amz-request-id, x-amz-id-2 and Server. */
void s3_identity_headers(const struct s3_identity *identity, struct reply *reply);

#endif
