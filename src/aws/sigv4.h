/* AWS Signature Version 4: the canonical request, and signing one. Our own, because libcurl's is
 * measurably wrong for us (specs/aws-s3.md section 8). The verifier (sigv4_claim.h) stands on the
 * same canonicaliser. No clock and no credential is read here: the caller brings both. */
#ifndef PINPIPE_SIGV4_H
#define PINPIPE_SIGV4_H

#include "arena.h"
#include "buf.h"
#include "digest.h"

enum {
    SIGV4_DATE_BYTES = 17,      /* "20260102T030405Z" and its NUL */
    SIGV4_SIGNATURE_BYTES = 65, /* 64 hex digits and the NUL */
    SIGV4_EXPIRES_MAX = 604800,
    SIGV4_SCOPE_PART_BYTES_MAX = 64, /* of a region and of a service */
    SIGV4_ACCESS_KEY_BYTES_MAX = 128,
};

#define SIGV4_UNSIGNED_PAYLOAD           "UNSIGNED-PAYLOAD"
#define SIGV4_STREAMING_UNSIGNED_TRAILER "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
#define SIGV4_STREAMING_SIGNED           "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
#define SIGV4_STREAMING_SIGNED_TRAILER   "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"

struct sigv4_credentials {
    struct span access_key;
    struct span secret;
    struct span session_token; /* empty: none */
};

struct sigv4_scope {
    struct span date; /* "20260102" */
    struct span region;
    struct span service;
};

struct sigv4_header {
    struct span name;
    struct span value;
};

/* How the path of the request line becomes the canonical URI. */
enum sigv4_path {
    SIGV4_PATH_S3,     /* decoded and encoded once, no dot segments */
    SIGV4_PATH_RAW,    /* taken as it is written */
    SIGV4_PATH_DOUBLE, /* dot segments removed, encoded again: every other service */
};

struct sigv4_request {
    struct span method;
    struct span path;                   /* as in the request line, still encoded */
    struct span query;                  /* as in the request line, without '?' */
    const struct sigv4_header *headers; /* all of them, with Host */
    size_t header_count;
    /* The canonical request's last line: 64 hex digits, or one of the words above. */
    struct span payload_hash;
    enum sigv4_path path_style;
};

/* --- the canonicaliser --- */
/* Appends the canonical request; signed_headers is the sorted lower-case list "host;x-amz-date".
 * leave_out is a query parameter that is not signed (X-Amz-Signature), or empty. */
void sigv4_canonical_request(const struct sigv4_request *request, struct span signed_headers,
                             struct span leave_out, struct buf *out);
void sigv4_string_to_sign(struct crypto *crypto, struct span canonical_request,
                          struct span date_time, const struct sigv4_scope *scope, struct buf *out);
struct digest_value sigv4_signing_key(struct crypto *crypto, struct span secret,
                                      const struct sigv4_scope *scope);
void sigv4_signature(struct crypto *crypto, const struct digest_value *signing_key,
                     struct span string_to_sign, char out[SIGV4_SIGNATURE_BYTES]);

/* --- signing --- */
struct sigv4_signer {
    struct crypto *crypto;
    struct sigv4_credentials credentials;
    struct span region;
    struct span service;
};
/* "20260102T030405Z" for microseconds since 1970. */
void sigv4_date(int64_t wall_us, char out[SIGV4_DATE_BYTES]);
/* Appends the value of the Authorization header, over every header given (Host and x-amz-date among
 * them, the session token's, and for s3 x-amz-content-sha256). */
void sigv4_authorization(const struct sigv4_signer *signer, const struct sigv4_request *request,
                         struct span date_time, struct buf *out);
/* Appends the presigned query, without '?': the request's own, then X-Amz-..., the signature last.
 */
struct sigv4_presign {
    struct span date_time;
    int64_t expires_s;
};
void sigv4_presign(const struct sigv4_signer *signer, const struct sigv4_request *request,
                   const struct sigv4_presign *presign, struct buf *out);

#endif
