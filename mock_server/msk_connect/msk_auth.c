/* Who is asking, as the API Gateway before AWS's services judges it: one signature in the header,
 * of a known key, for this service and region, not old, and fitting. The check is aws_auth.h's; the
 * words are here. */
#include "aws_auth.h"
#include "msk_internal.h"

static void deny(const struct msk_call *call, const char *type, const char *message)
{
    msk_error_denied(call->exchange, type, span_from_cstr(message != NULL ? message : ""));
}

static void deny_skewed(const struct msk_call *call, const struct aws_auth_result *result)
{
    char now[SIGV4_DATE_BYTES];
    char edge[SIGV4_DATE_BYTES];
    bool old = result->claim.signed_at_s < result->now_s - result->skew_max_s;
    sigv4_date(result->now_s * 1000000, now);
    sigv4_date((result->now_s + (old ? -result->skew_max_s : result->skew_max_s)) * 1000000, edge);
    answer_hint(call->exchange,
                "the client's clock and the server's are more than 5 minutes apart");
    deny(call, "InvalidSignatureException",
         arena_printf(&call->exchange->arena, "Signature %s: %.*s is %s %s (%s %c 5 min.)",
                      old ? "expired" : "not yet current", SPAN_ARG(result->claim.date_time),
                      old ? "now earlier than" : "still later than", edge, now, old ? '-' : '+'));
}

static void deny_scope(const struct msk_call *call, const struct sigv4_scope *scope)
{
    const char *region = call->msk->options.identity->region;
    if (!span_equal_cstr(scope->region, region)) {
        answer_hint(call->exchange, "sign for region %s", region);
        deny(call, "InvalidSignatureException", "Credential should be scoped to a valid region. ");
        return;
    }
    deny(call, "InvalidSignatureException",
         "Credential should be scoped to correct service: '" MSK_SERVICE "'. ");
}

static void deny_verdict(const struct msk_call *call, enum aws_verdict verdict,
                         const struct aws_auth_result *result)
{
    switch (verdict) {
    case AWS_GRANTED:
        break;
    case AWS_MALFORMED:
        deny(call, "IncompleteSignatureException",
             arena_printf(&call->exchange->arena,
                          "Authorization header requires a valid '%s' parameter. "
                          "Authorization=AWS4-HMAC-SHA256",
                          result->part));
        break;
    case AWS_ANONYMOUS:
        answer_hint(call->exchange, "the server was started with --credentials: sign the request "
                                    "(aws configure, or AWS_ACCESS_KEY_ID and "
                                    "AWS_SECRET_ACCESS_KEY)");
        deny(call, "MissingAuthenticationTokenException", "Missing Authentication Token");
        break;
    case AWS_UNKNOWN_KEY:
        answer_hint(call->exchange, "the server was started with other --credentials");
        deny(call, "UnrecognizedClientException",
             "The security token included in the request is invalid.");
        break;
    case AWS_WRONG_SCOPE:
        deny_scope(call, &result->claim.scope);
        break;
    case AWS_SKEWED:
        deny_skewed(call, result);
        break;
    case AWS_MISMATCH:
        deny(call, "InvalidSignatureException",
             "The request signature we calculated does not match the signature you provided. Check "
             "your AWS Secret Access Key and signing method. Consult the service documentation for "
             "details.");
        break;
    case AWS_AUTH_FAILED:
        msk_error_store(call, &result->error);
        break;
    case AWS_FOREIGN_TOKEN:
    case AWS_NOT_YET_VALID:
    case AWS_EXPIRED:
    case AWS_PAYLOAD_UNNAMED:
    case AWS_HEADERS_UNSIGNED:
        BUG("a verdict that only S3's dialect gives");
    }
}

bool msk_authorize(const struct msk_call *call)
{
    const struct msk_connect_options *options = &call->msk->options;
    const struct aws_auth auth = {
        .identity = options->identity,
        .service = MSK_SERVICE,
        .dialect = AWS_AUTH_COMMON,
        .crypto = options->crypto,
        .env = options->env,
    };
    const struct aws_auth_request request = {
        .http = &call->exchange->request,
        .host_bucket = SPAN_EMPTY,
        .arena = &call->exchange->arena,
    };
    struct aws_auth_result result;
    enum aws_verdict verdict = aws_authorize(&auth, &request, &result);
    deny_verdict(call, verdict, &result);
    return verdict == AWS_GRANTED;
}

/* --- names --- */

bool msk_is_workshops_name(const struct msk_call *call, struct span name, const char *suffix)
{
    struct span user = span_from_cstr(call->msk->options.identity->user_id);
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
    answer_hint(call->exchange, "the workshop's policy allows only the name %s%s",
                call->msk->options.identity->user_id, suffix);
    msk_error_not_permitted(call, kind, name);
    return false;
}
