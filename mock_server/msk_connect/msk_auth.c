/* Who is asking, as the API Gateway before AWS's services judges it: one signature in the header,
 * of a known key, for this service and region, not old, and fitting. The body's own hash is what
 * was signed. */
#include "msk_internal.h"
#include "sigv4.h"

#include <string.h>

enum {
    skew_max_s = 5 * 60,
    canonical_bytes_max = 256 * 1024, /* of a head of 32 KiB, each byte at most tripled */
};

static bool deny(const struct msk_call *call, const char *type, const char *message)
{
    msk_error_denied(call->exchange, type, span_from_cstr(message));
    return false;
}

static bool request_of(const struct msk_call *call, const char *body_sha256,
                       struct sigv4_request *out)
{
    const struct http_request *request = &call->exchange->request;
    struct sigv4_header *headers =
        arena_alloc_array(&call->exchange->arena, request->header_count + 1, sizeof(*headers));
    if (headers == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    for (size_t i = 0; i < request->header_count; i++) {
        headers[i] = (struct sigv4_header){request->headers[i].name, request->headers[i].value};
    }
    *out = (struct sigv4_request){
        .method = request->method_name,
        .path = request->path,
        .query = request->query,
        .headers = headers,
        .header_count = request->header_count,
        .payload_hash = span_from_cstr(body_sha256),
        .path_style = SIGV4_PATH_DOUBLE,
    };
    return true;
}

static bool time_fits(const struct msk_call *call, const struct sigv4_claim *claim)
{
    struct env *env = call->msk->options.env;
    int64_t now_us = env->wall_us(env);
    int64_t now_s = now_us / 1000000;
    char now[SIGV4_DATE_BYTES];
    char edge[SIGV4_DATE_BYTES];
    bool old = claim->signed_at_s < now_s - skew_max_s;
    if (!old && claim->signed_at_s <= now_s + skew_max_s) {
        return true;
    }
    sigv4_date(now_us, now);
    sigv4_date((old ? now_s - skew_max_s : now_s + skew_max_s) * 1000000, edge);
    msk_hint(call->exchange, "the client's clock and the server's are more than 5 minutes apart");
    const char *message =
        arena_printf(&call->exchange->arena, "Signature %s: %.*s is %s %s (%s %c 5 min.)",
                     old ? "expired" : "not yet current", SPAN_ARG(claim->date_time),
                     old ? "now earlier than" : "still later than", edge, now, old ? '-' : '+');
    return deny(call, "InvalidSignatureException", message != NULL ? message : "");
}

static bool claim_fits(const struct msk_call *call, const struct sigv4_claim *claim)
{
    const struct msk_connect_options *options = &call->msk->options;
    if (!span_equal_cstr(claim->access_key, options->access_key)) {
        msk_hint(call->exchange, "the server was started with other --credentials");
        return deny(call, "UnrecognizedClientException",
                    "The security token included in the request is invalid.");
    }
    if (!span_equal_cstr(claim->scope.region, options->region)) {
        msk_hint(call->exchange, "sign for region %s", options->region);
        return deny(call, "InvalidSignatureException",
                    "Credential should be scoped to a valid region. ");
    }
    if (!span_equal_cstr(claim->scope.service, "kafkaconnect")) {
        return deny(call, "InvalidSignatureException",
                    "Credential should be scoped to correct service: 'kafkaconnect'. ");
    }
    return time_fits(call, claim);
}

static bool signature_fits(const struct msk_call *call, const struct sigv4_claim *claim,
                           const struct sigv4_request *request)
{
    struct sigv4_check check = {
        .crypto = call->msk->options.crypto,
        .claim = claim,
        .request = request,
        .secret = span_from_cstr(call->msk->options.secret),
    };
    struct buf canonical;
    struct buf to_sign;
    buf_init(&canonical, canonical_bytes_max);
    buf_init(&to_sign, canonical_bytes_max);
    bool fits = sigv4_claim_verify(&check, &canonical, &to_sign);
    buf_release(&canonical);
    buf_release(&to_sign);
    return fits || deny(call, "InvalidSignatureException",
                        "The request signature we calculated does not match the signature you "
                        "provided. Check your AWS Secret Access Key and signing method. Consult "
                        "the service documentation for details.");
}

bool msk_authorize(const struct msk_call *call)
{
    const struct msk_connect_options *options = &call->msk->options;
    char body_sha256[DIGEST_HEX_BYTES_MAX];
    struct sigv4_request request;
    struct sigv4_claim claim;
    struct error err;
    const char *what = "";
    if (options->access_key == NULL) {
        return true;
    }
    if (crypto_ready(options->crypto, &err) != STATUS_OK) {
        msk_error_store(call, &err);
        return false;
    }
    struct digest_value hash =
        digest_of(options->crypto, DIGEST_SHA256, call->exchange->request.body);
    digest_hex(&hash, body_sha256);
    if (!request_of(call, body_sha256, &request)) {
        return false;
    }
    enum sigv4_flaw flaw = sigv4_claim_parse(&request, &call->exchange->arena, &claim, &what);
    if (flaw != SIGV4_SOUND) {
        const char *message = arena_printf(&call->exchange->arena,
                                           "Authorization header requires a valid '%s' parameter. "
                                           "Authorization=AWS4-HMAC-SHA256",
                                           what);
        return deny(call, "IncompleteSignatureException", message != NULL ? message : "");
    }
    if (claim.kind != SIGV4_HEADER && claim.kind != SIGV4_QUERY) {
        msk_hint(call->exchange, "the server was started with --credentials: sign the request "
                                 "(aws configure, or AWS_ACCESS_KEY_ID and "
                                 "AWS_SECRET_ACCESS_KEY)");
        return deny(call, "MissingAuthenticationTokenException", "Missing Authentication Token");
    }
    return claim_fits(call, &claim) && signature_fits(call, &claim, &request);
}

/* --- names --- */

bool msk_is_workshops_name(const struct msk_call *call, struct span name, const char *suffix)
{
    struct span user = span_from_cstr(call->msk->options.user_id);
    struct span end = span_from_cstr(suffix);
    return name.len == user.len + end.len && span_starts_with(name, user) &&
           span_ends_with(name, end);
}

bool msk_permits_name(const struct msk_call *call, const char *kind, struct span name,
                      const char *suffix)
{
    if (!call->msk->options.workshop_permissions || msk_is_workshops_name(call, name, suffix)) {
        return true;
    }
    msk_hint(call->exchange, "the workshop's policy allows only the name %s%s",
             call->msk->options.user_id, suffix);
    msk_error_not_permitted(call, kind, name);
    return false;
}
