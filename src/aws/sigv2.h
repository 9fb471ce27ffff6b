/* Signature Version 2, which boto3 still makes its presigned URLs with and old clients of S3 send
 * in a header. A claim (sigv4_claim.h) says which. */
#ifndef PINPIPE_SIGV2_H
#define PINPIPE_SIGV2_H

#include "sigv4_claim.h"

/* Appends the resource that is signed: "/bucket" when the host names the bucket (else empty), the
 * path as it was sent, the sub-resources that count. */
void sigv2_resource(struct span bucket, const struct sigv4_request *request, struct buf *out);
/* Does the signature of a claim of kind SIGV2_HEADER or SIGV2_QUERY fit? `resource` is
 * sigv2_resource's. Fills string_to_sign in any case. */
bool sigv2_claim_verify(const struct sigv4_check *check, struct span resource,
                        struct buf *string_to_sign);

#endif
