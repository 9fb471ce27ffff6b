/* AWS Signature Version 4 (and the presigned SigV2 that boto3 still makes), our own because
 * libcurl's is measurably wrong for us (specs/aws-s3.md section 8). Signer and verifier stand on
 * one canonicaliser. Nothing here reads a clock or a credential by itself. */
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
    /* What goes into the last line: 64 hex digits, or one of the words above. */
    struct span payload_hash;
    enum sigv4_path path_style;
};

/* --- the canonicaliser --- */
/* Appends the canonical request; signed_headers is the sorted lower-case list "host;x-amz-date".
 * leave_out is a query parameter that is not part of it (X-Amz-Signature), or empty. */
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
/* Appends the value of the Authorization header, over every header given (which include Host,
 * x-amz-date, for s3 x-amz-content-sha256, and the session token's). */
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

/* --- taking apart what a client sent --- */
enum sigv4_kind { SIGV4_NONE, SIGV4_HEADER, SIGV4_QUERY, SIGV2_HEADER, SIGV2_QUERY };
struct sigv4_claim {
    enum sigv4_kind kind;
    struct span access_key;
    struct sigv4_scope scope;
    struct span signed_headers;
    struct span signature;
    struct span date_time; /* X-Amz-Date, or the header's, or Date turned into that form */
    int64_t signed_at_s;   /* the same in seconds since 1970 */
    int64_t expires_s;     /* of a presigned one: its duration; of SigV2: the moment */
    struct span session_token;
};
enum sigv4_flaw {
    SIGV4_SOUND,
    SIGV4_MALFORMED_HEADER,  /* a part of Authorization is missing or not well-formed */
    SIGV4_MALFORMED_QUERY,   /* a parameter is missing or not well-formed */
    SIGV4_BAD_EXPIRES,       /* no number, or not 1..604800 */
    SIGV4_BAD_DATE,          /* none, not well-formed, or not the credential's day */
    SIGV4_UNKNOWN_ALGORITHM, /* or another kind of Authorization: Basic, Bearer, ... */
    SIGV4_AMBIGUOUS,         /* two claims: a header and a query, or two headers */
};
/* Reads Authorization or the presigned parameters; decoded texts live in the arena. kind NONE and
 * SOUND when there is neither. Not SOUND: *what names the part as the wire does ("Credential",
 * "X-Amz-Expires", "Date"), and *out holds what was read before it. MALFORMED also when the arena
 * is full. */
enum sigv4_flaw sigv4_claim_parse(const struct sigv4_request *request, struct arena *arena,
                                  struct sigv4_claim *out, const char **what);

/* Does the claim's signature fit? Fills canonical and string_to_sign (for the error answer) in any
 * case. For s3 the raw path is tried first, then the decoded and encoded one; for others the doubly
 * encoded, then the raw one. */
struct sigv4_check {
    struct crypto *crypto;
    const struct sigv4_claim *claim;
    const struct sigv4_request *request;
    struct span secret;
};
bool sigv4_claim_verify(const struct sigv4_check *check, struct buf *canonical,
                        struct buf *string_to_sign);
/* What S3 wants signed and is not: appends the names of the x-amz-* headers that the claim leaves
 * out, in lower case with ", " between them. True when there are any. */
bool sigv4_unsigned_headers(const struct sigv4_request *request, const struct sigv4_claim *claim,
                            struct buf *names);
/* SigV2's resource: "/bucket" when the host names the bucket (else empty), the path as it was sent,
 * the sub-resources that count. */
void sigv2_resource(struct span bucket, const struct sigv4_request *request, struct buf *out);
/* SigV2, in a query (boto3's default presigned URLs) or a header; `resource` by the above. */
bool sigv2_claim_verify(const struct sigv4_check *check, struct span resource,
                        struct buf *string_to_sign);

/* --- signed chunks (STREAMING-AWS4-HMAC-SHA256-PAYLOAD) --- */
struct sigv4_chunks {
    struct crypto *crypto;
    struct digest_value key;
    char date_time[SIGV4_DATE_BYTES];
    char scope[160];                      /* date/region/service/aws4_request */
    char previous[SIGV4_SIGNATURE_BYTES]; /* the seed, then each chunk's */
};
void sigv4_chunks_init(struct sigv4_chunks *chunks, struct crypto *crypto,
                       const struct sigv4_claim *claim, struct span secret);
/* The signature of the next chunk, whose data has this SHA-256; becomes the previous one. */
void sigv4_chunk_sign(struct sigv4_chunks *chunks, const struct digest_value *data_sha256,
                      char out[SIGV4_SIGNATURE_BYTES]);
/* The same for the trailer: SHA-256 of its "name:value\n" lines. */
void sigv4_trailer_sign(struct sigv4_chunks *chunks, const struct digest_value *trailer_sha256,
                        char out[SIGV4_SIGNATURE_BYTES]);

#endif
