/* The check of a request's signature: is it made with the one key there is, for this service, now?
 * Every service of AWS makes this call before it handles a request, and gets a verdict rather than
 * an answer, because each says what is wrong in words and a wire shape of its own. The mathematics
 * is src/aws's.
 *
 * Everybody may do everything where the identity has no key. */
#ifndef PINPIPE_AWS_AUTH_H
#define PINPIPE_AWS_AUTH_H

#include "aws_identity.h"
#include "env.h"
#include "error.h"
#include "http.h"
#include "sigv4_claim.h"

/* The ways in which services want to be signed. */
enum aws_auth_dialect {
    /* Every service but S3: SigV4 over the body's own SHA-256 and a doubly encoded path, at most
     * five minutes old however it is presigned. */
    AWS_AUTH_COMMON,
    /* S3: a path that is encoded once, the payload's hash as the request names it, every x-amz-*
     * header signed, no session token (the one key is no temporary one), fifteen minutes; a
     * presigned URL holds for as long as it says; SigV2 is still taken. */
    AWS_AUTH_S3,
};

enum aws_verdict {
    AWS_GRANTED,
    AWS_MALFORMED,        /* flaw and part say what cannot be read */
    AWS_ANONYMOUS,        /* no signature, or one of a kind that the service does not take */
    AWS_UNKNOWN_KEY,      /* claim.access_key is another than the identity's */
    AWS_FOREIGN_TOKEN,    /* a session token, which the key does not have */
    AWS_WRONG_SCOPE,      /* claim.scope names another service, another region, or both */
    AWS_SKEWED,           /* the clocks are further apart than skew_max_s */
    AWS_NOT_YET_VALID,    /* presigned, to begin later */
    AWS_EXPIRED,          /* presigned, ended at end_s */
    AWS_PAYLOAD_UNNAMED,  /* no x-amz-content-sha256 */
    AWS_HEADERS_UNSIGNED, /* unsigned_headers names them */
    AWS_MISMATCH,    /* another signature; canonical and string_to_sign are what was expected */
    AWS_AUTH_FAILED, /* nothing could be checked: error says why (no crypto, no memory) */
};

struct aws_auth {
    const struct aws_identity *identity;
    const char *service; /* as it stands in a scope: "kinesis" */
    enum aws_auth_dialect dialect;
    struct crypto *crypto;
    struct env *env;
};

/* The verdict's circumstances; texts are in the arena or the request. */
struct aws_auth_result {
    struct sigv4_claim claim; /* as far as it was read; kind SIGV4_NONE without a key to check */
    enum sigv4_flaw flaw;
    const char *part;   /* of the claim, as sigv4_claim_parse names it */
    int64_t now_s;      /* the moment that the claim was held against */
    int64_t skew_max_s; /* of the dialect */
    int64_t end_s;      /* AWS_EXPIRED: when it was over */
    struct span unsigned_headers;
    struct span canonical; /* empty for SigV2, which has none */
    struct span string_to_sign;
    struct error error;
};

struct aws_auth_request {
    const struct http_request *http;
    struct span host_bucket; /* SigV2: the bucket that the host names; empty otherwise */
    struct arena *arena;
};

enum aws_verdict aws_authorize(const struct aws_auth *auth, const struct aws_auth_request *request,
                               struct aws_auth_result *out) PP_MUST_USE;

#endif
