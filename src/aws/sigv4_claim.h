/* What a client says about its signature, taken apart and held against the secret. Both versions of
 * signatures come out as one struct. */
#ifndef PINPIPE_SIGV4_CLAIM_H
#define PINPIPE_SIGV4_CLAIM_H

#include "arena.h"
#include "sigv4.h"

enum sigv4_kind { SIGV4_NONE, SIGV4_HEADER, SIGV4_QUERY, SIGV2_HEADER, SIGV2_QUERY };
/* A claim as it was sent; its texts are in the request or the arena. */
struct sigv4_claim {
    enum sigv4_kind kind;
    struct span access_key;
    struct sigv4_scope scope;
    struct span signed_headers;
    struct span signature;
    struct span date_time; /* X-Amz-Date, or Date turned into its form */
    int64_t signed_at_s;   /* date_time in seconds since 1970 */
    int64_t expires_s;     /* presigned: how long it holds; presigned by SigV2: until when */
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
    SIGV4_NO_MEMORY,         /* the arena is full, and the rest could not be read */
};
/* Reads Authorization or the presigned parameters; decoded texts live in the arena. kind NONE and
 * SOUND when there is neither. Not SOUND: *what names the flawed part as the wire does
 * ("Credential", "X-Amz-Expires", "Date"), and *out holds the parts before it. */
enum sigv4_flaw sigv4_claim_parse(const struct sigv4_request *request, struct arena *arena,
                                  struct sigv4_claim *out, const char **what);

/* --- verifying --- */
/* A claim, the request that it came with, and the secret that it should have been made from. */
struct sigv4_check {
    struct crypto *crypto;
    const struct sigv4_claim *claim;
    const struct sigv4_request *request;
    struct span secret;
};
/* Does the claim's signature fit? Fills canonical and string_to_sign (for the error answer) in any
 * case. For s3 the raw path is tried first, then the decoded and encoded one; for others the doubly
 * encoded, then the raw one. */
bool sigv4_claim_verify(const struct sigv4_check *check, struct buf *canonical,
                        struct buf *string_to_sign);
/* Does the claim say that the header, in any case of letters, is signed? */
bool sigv4_claim_signs(const struct sigv4_claim *claim, struct span name);
/* Appends the names of the request's x-amz-* headers that the claim leaves unsigned, in lower case
 * with ", " between them. True when there are any, which S3 refuses. */
bool sigv4_unsigned_headers(const struct sigv4_request *request, const struct sigv4_claim *claim,
                            struct buf *names);

#endif
