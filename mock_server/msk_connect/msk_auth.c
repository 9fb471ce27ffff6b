/* Who is asking, as the API Gateway before AWS's services judges it: one signature in the header,
 * of a known key, for this service and region, not old, and fitting. The check is aws_auth.h's; the
 * words are here. */
#include "aws_arn.h"
#include "aws_auth.h"
#include "msk_internal.h"

static void refuse_skewed(struct exchange *exchange, const struct aws_auth_result *result)
{
    char now[SIGV4_DATE_BYTES];
    char edge[SIGV4_DATE_BYTES];
    bool old = result->claim.signed_at_s < result->now_s - result->skew_max_s;
    sigv4_date(result->now_s * 1000000, now);
    sigv4_date((result->now_s + (old ? -result->skew_max_s : result->skew_max_s)) * 1000000, edge);
    answer_hint(exchange, "the client's clock and the server's are more than 5 minutes apart");
    msk_refuse(exchange, MSK_INVALID_SIGNATURE, "Signature %s: %.*s is %s %s (%s %c 5 min.)",
               old ? "expired" : "not yet current", SPAN_ARG(result->claim.date_time),
               old ? "now earlier than" : "still later than", edge, now, old ? '-' : '+');
}

static void refuse_scope(const struct msk_call *call, const struct sigv4_scope *scope)
{
    const char *region = call->msk->options.identity->region;
    if (span_equal_cstr(scope->region, region)) {
        msk_refuse(call->exchange, MSK_INVALID_SIGNATURE,
                   "Credential should be scoped to correct service: '" MSK_SERVICE "'. ");
        return;
    }
    answer_hint(call->exchange, "sign for region %s", region);
    msk_refuse(call->exchange, MSK_INVALID_SIGNATURE,
               "Credential should be scoped to a valid region. ");
}

/* Verdicts on which there is one thing to say. */
static const struct {
    enum msk_fault fault;
    const char *message;
    const char *hint;
} plain_verdicts[] = {
    [AWS_ANONYMOUS] = {MSK_MISSING_TOKEN, "Missing Authentication Token",
                       "the server was started with --credentials: sign the request (aws "
                       "configure, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"},
    [AWS_UNKNOWN_KEY] = {MSK_UNRECOGNIZED_CLIENT,
                         "The security token included in the request is invalid.",
                         "the server was started with other --credentials"},
    [AWS_MISMATCH] = {MSK_INVALID_SIGNATURE,
                      "The request signature we calculated does not match the signature you "
                      "provided. Check your AWS Secret Access Key and signing method. Consult the "
                      "service documentation for details.",
                      NULL},
};

static void refuse_verdict(const struct msk_call *call, enum aws_verdict verdict,
                           const struct aws_auth_result *result)
{
    switch (verdict) {
    case AWS_GRANTED:
        break;
    case AWS_ANONYMOUS:
    case AWS_UNKNOWN_KEY:
    case AWS_MISMATCH:
        if (plain_verdicts[verdict].hint != NULL) {
            answer_hint(call->exchange, "%s", plain_verdicts[verdict].hint);
        }
        msk_refuse(call->exchange, plain_verdicts[verdict].fault, "%s",
                   plain_verdicts[verdict].message);
        break;
    case AWS_MALFORMED:
        msk_refuse(call->exchange, MSK_INCOMPLETE_SIGNATURE,
                   "Authorization header requires a valid '%s' parameter. "
                   "Authorization=AWS4-HMAC-SHA256",
                   result->part);
        break;
    case AWS_WRONG_SCOPE:
        refuse_scope(call, &result->claim.scope);
        break;
    case AWS_SKEWED:
        refuse_skewed(call->exchange, result);
        break;
    case AWS_AUTH_FAILED:
        msk_refuse_store(call, &result->error);
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
    refuse_verdict(call, verdict, &result);
    return verdict == AWS_GRANTED;
}

/* --- names --- */

bool msk_is_workshops_name(const struct msk_call *call, struct span name)
{
    struct span user = span_from_cstr(call->msk->options.identity->user_id);
    struct span end = span_from_cstr(call->kind->suffix);
    return name.len == user.len + end.len && span_starts_with(name, user) &&
           span_ends_with(name, end);
}

bool msk_permits(const struct msk_call *call, struct span name)
{
    const struct msk_kind *kind = call->kind;
    const struct aws_identity *identity = call->msk->options.identity;
    if (!call->msk->options.workshop_permissions || kind->suffix == NULL ||
        msk_is_workshops_name(call, name)) {
        return true;
    }
    answer_hint(call->exchange, "the workshop's policy allows only the name %s%s",
                identity->user_id, kind->suffix);
    return msk_refuse(call->exchange, MSK_ACCESS_DENIED,
                      "User: %s is not authorized to perform: " MSK_SERVICE ":%s on resource: "
                      "arn:aws:" MSK_SERVICE ":%s:%s:%s/%.*s/*",
                      aws_arn_user(&call->exchange->arena, identity), call->action,
                      identity->region, identity->account, kind->name, SPAN_ARG(name));
}
