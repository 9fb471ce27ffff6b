/* Promises of a request's head about its body. */
#ifndef PINPIPE_S3_PROMISES_H
#define PINPIPE_S3_PROMISES_H

#include "checksum.h"
#include "s3_call.h"

enum s3_payload {
    S3_PAYLOAD_UNSAID,   /* no x-amz-content-sha256 */
    S3_PAYLOAD_UNSIGNED, /* plain, not hashed */
    S3_PAYLOAD_HASH,     /* plain, with its SHA-256 */
    S3_PAYLOAD_STREAMING_UNSIGNED_TRAILER,
    S3_PAYLOAD_STREAMING_SIGNED,
    S3_PAYLOAD_STREAMING_SIGNED_TRAILER,
};

struct s3_promises {
    enum s3_payload payload;
    struct span payload_word; /* x-amz-content-sha256 as sent */
    bool chunked;             /* aws-chunked */
    uint64_t length;          /* decoded bytes, once s3_promises_read_length has read it */
    struct span content_md5;  /* as sent; empty: not promised */
    bool has_checksum;
    enum checksum_kind checksum_kind;
    bool checksum_in_trailer;
    struct span checksum; /* as sent; of one in the trailer empty until that is read */
};

/* Reads everything but the length. with_checksum false: the x-amz-checksum-* headers are not about
 * this body and are not looked at. False: an error is in the reply. */
bool s3_promises_read(struct s3_call *call, bool with_checksum, struct s3_promises *out);
/* Reads the length, which every streamed body must say. False: an error is in the reply. */
bool s3_promises_read_length(struct s3_call *call, struct s3_promises *out);
/* Takes the checksum that the trailer gave (empty: it gave none). False: an error is in the
 * reply. */
bool s3_promises_read_trailer(struct s3_call *call, struct span value, struct s3_promises *out);

#endif
