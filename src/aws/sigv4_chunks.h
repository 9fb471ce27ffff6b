/* Signatures of the chunks of a streamed body (STREAMING-AWS4-HMAC-SHA256-PAYLOAD). */
#ifndef PINPIPE_SIGV4_CHUNKS_H
#define PINPIPE_SIGV4_CHUNKS_H

#include "sigv4_claim.h"

/* Each chunk signs the one before it, so they are signed in order. */
struct sigv4_chunks {
    struct crypto *crypto;
    struct digest_value key;
    char date_time[SIGV4_DATE_BYTES];
    char scope[160];                      /* date/region/service/aws4_request */
    char previous[SIGV4_SIGNATURE_BYTES]; /* the seed, then each chunk's */
};
/* The claim is the head's, whose signature is the seed. */
void sigv4_chunks_init(struct sigv4_chunks *chunks, struct crypto *crypto,
                       const struct sigv4_claim *claim, struct span secret);
/* Signs the next chunk, whose data has this SHA-256. */
void sigv4_chunk_sign(struct sigv4_chunks *chunks, const struct digest_value *data_sha256,
                      char out[SIGV4_SIGNATURE_BYTES]);
/* Signs the trailer, by the SHA-256 of its "name:value\n" lines. */
void sigv4_trailer_sign(struct sigv4_chunks *chunks, const struct digest_value *trailer_sha256,
                        char out[SIGV4_SIGNATURE_BYTES]);

#endif
