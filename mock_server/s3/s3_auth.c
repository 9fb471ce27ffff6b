/* S3's answers to the verdicts on a signature (aws_auth.h): each has a code, words and elements of
 * its own (specs/aws-s3.md sections 5 and 7). */
#include "s3_auth.h"

#include "answer.h"
#include "aws_auth.h"
#include "hex.h"
#include "s3_errors.h"
#include "s3_time.h"

#include <string.h>

static struct arena *arena_of(struct s3_call *call)
{
    return &call->exchange->arena;
}

static struct span time_text(struct s3_call *call, int64_t seconds)
{
    struct buf text;
    buf_init(&text, 64);
    s3_time_append(&text, S3_TIME_ISO_SHORT, seconds * 1000);
    char *copy = arena_copy_cstr(arena_of(call), buf_span(&text));
    buf_release(&text);
    return span_from_cstr(copy);
}

/* --- a claim that cannot be read --- */

struct flaw_row {
    enum sigv4_flaw flaw;
    const char *part; /* of the claim, as sigv4_claim.h names it; NULL: any */
    enum s3_error_id error;
    const char *message; /* NULL: the error's own */
};

static const struct flaw_row flaw_rows[] = {
    {SIGV4_MALFORMED_HEADER, "Credential", S3_ERROR_AUTHORIZATION_HEADER_MALFORMED,
     "The authorization header is malformed; the Credential is mal-formed; expecting "
     "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."},
    {SIGV4_MALFORMED_HEADER, "SignedHeaders", S3_ERROR_AUTHORIZATION_HEADER_MALFORMED,
     "The authorization header is malformed; the authorization header requires SignedHeaders, "
     "among them host, in lower case."},
    {SIGV4_MALFORMED_HEADER, "Signature", S3_ERROR_AUTHORIZATION_HEADER_MALFORMED,
     "The authorization header is malformed; the authorization header requires a Signature."},
    {SIGV4_MALFORMED_HEADER, NULL, S3_ERROR_AUTHORIZATION_HEADER_MALFORMED, NULL},
    {SIGV4_MALFORMED_QUERY, "X-Amz-Credential", S3_ERROR_AUTHORIZATION_QUERY_ERROR,
     "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "
     "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\"."},
    {SIGV4_MALFORMED_QUERY, "AWSAccessKeyId", S3_ERROR_ACCESS_DENIED,
     "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"},
    {SIGV4_MALFORMED_QUERY, "Signature", S3_ERROR_ACCESS_DENIED,
     "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"},
    {SIGV4_MALFORMED_QUERY, "Expires", S3_ERROR_ACCESS_DENIED,
     "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"},
    {SIGV4_MALFORMED_QUERY, NULL, S3_ERROR_AUTHORIZATION_QUERY_ERROR, NULL},
    {SIGV4_BAD_EXPIRES, "Expires", S3_ERROR_ACCESS_DENIED,
     "Invalid date (should be seconds since epoch)"},
    {SIGV4_BAD_DATE, "X-Amz-Date", S3_ERROR_ACCESS_DENIED,
     "AWS authentication requires a valid Date or x-amz-date header"},
    {SIGV4_BAD_DATE, "Date", S3_ERROR_ACCESS_DENIED,
     "AWS authentication requires a valid Date or x-amz-date header"},
    {SIGV4_UNKNOWN_ALGORITHM, "X-Amz-Algorithm", S3_ERROR_AUTHORIZATION_QUERY_ERROR,
     "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\""},
    {SIGV4_UNKNOWN_ALGORITHM, NULL, S3_ERROR_INVALID_REQUEST,
     "The authorization mechanism you have provided is not supported. Please use "
     "AWS4-HMAC-SHA256."},
    {SIGV4_AMBIGUOUS, NULL, S3_ERROR_INVALID_ARGUMENT,
     "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query "
     "string parameter or the Authorization header should be specified"},
};

/* S3 has a sentence for each way in which X-Amz-Expires can be wrong. */
static const char *expires_message(const struct s3_call *call)
{
    struct span text;
    int64_t seconds;
    if (!s3_query(call, "X-Amz-Expires", &text) || !span_parse_i64(text, &seconds)) {
        return "X-Amz-Expires should be a number";
    }
    return seconds <= 0 ? "X-Amz-Expires must be non-negative"
                        : "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                          "X-Amz-Expires must be less than 604800 seconds";
}

static void answer_scope(struct s3_call *call, const char *fault, struct span region)
{
    bool in_query = call->claim.kind == SIGV4_QUERY;
    struct aws_error_detail details[] = {{region.len > 0 ? "Region" : NULL, region},
                                         {NULL, SPAN_EMPTY}};
    char *message = arena_printf(arena_of(call), "%s; %s",
                                 in_query ? "Error parsing the X-Amz-Credential parameter"
                                          : "The authorization header is malformed",
                                 fault != NULL ? fault : "");
    s3_error_text(call,
                  in_query ? S3_ERROR_AUTHORIZATION_QUERY_ERROR
                           : S3_ERROR_AUTHORIZATION_HEADER_MALFORMED,
                  span_from_cstr(message), details);
}

static void answer_flaw(struct s3_call *call, enum sigv4_flaw flaw, const char *part)
{
    if (flaw == SIGV4_BAD_DATE && strcmp(part, "Credential") == 0) {
        answer_scope(call, "the date of the Credential is not that of X-Amz-Date.", SPAN_EMPTY);
        return;
    }
    if (flaw == SIGV4_BAD_EXPIRES && strcmp(part, "X-Amz-Expires") == 0) {
        s3_error_text(call, S3_ERROR_AUTHORIZATION_QUERY_ERROR,
                      span_from_cstr(expires_message(call)), NULL);
        return;
    }
    if (flaw == SIGV4_BAD_DATE && call->claim.kind == SIGV4_QUERY) {
        s3_error_text(call, S3_ERROR_AUTHORIZATION_QUERY_ERROR,
                      SPAN_LIT("X-Amz-Date must be in the ISO8601 Long Format "
                               "\"yyyyMMdd'T'HHmmss'Z'\""),
                      NULL);
        return;
    }
    for (size_t i = 0; i < ARRAY_COUNT(flaw_rows); i++) {
        const struct flaw_row *row = &flaw_rows[i];
        if (row->flaw == flaw && (row->part == NULL || strcmp(row->part, part) == 0)) {
            const char *message =
                row->message != NULL ? row->message : s3_error_message(row->error);
            s3_error_text(call, row->error, span_from_cstr(message), NULL);
            return;
        }
    }
    BUG("a flaw of a signature without an answer");
}

/* --- a claim that does not hold --- */

static void answer_wrong_scope(struct s3_call *call)
{
    const struct sigv4_scope *scope = &call->claim.scope;
    const char *region = call->s3->options.identity->region;
    if (!span_equal_cstr(scope->service, "s3")) {
        answer_scope(call,
                     arena_printf(arena_of(call),
                                  "incorrect service \"%.*s\". This endpoint belongs to \"s3\".",
                                  SPAN_ARG(scope->service)),
                     SPAN_EMPTY);
        return;
    }
    answer_scope(call,
                 arena_printf(arena_of(call), "the region '%.*s' is wrong; expecting '%s'",
                              SPAN_ARG(scope->region), region),
                 span_from_cstr(region));
}

static void answer_unknown_key(struct s3_call *call)
{
    struct aws_error_detail details[] = {{"AWSAccessKeyId", call->claim.access_key},
                                         {NULL, SPAN_EMPTY}};
    answer_hint(call->exchange, "the server was started with other --credentials");
    s3_error_with(call, S3_ERROR_INVALID_ACCESS_KEY_ID, details);
}

static void answer_skewed(struct s3_call *call, const struct aws_auth_result *result)
{
    struct aws_error_detail details[] = {
        {"RequestTime", call->claim.date_time},
        {"ServerTime", time_text(call, result->now_s)},
        {"MaxAllowedSkewMilliseconds",
         span_from_cstr(arena_printf(arena_of(call), "%lld000", (long long)result->skew_max_s))},
        {NULL, SPAN_EMPTY},
    };
    s3_error_with(call, S3_ERROR_REQUEST_TIME_TOO_SKEWED, details);
}

static void answer_expired(struct s3_call *call, const struct aws_auth_result *result)
{
    struct span seconds =
        span_from_cstr(arena_printf(arena_of(call), "%lld", (long long)call->claim.expires_s));
    struct aws_error_detail details[] = {
        {"X-Amz-Expires", seconds},
        {"Expires", time_text(call, result->end_s)},
        {"ServerTime", time_text(call, result->now_s)},
        {NULL, SPAN_EMPTY},
    };
    /* SigV2 gives a moment and no duration, so X-Amz-Expires is left out. */
    s3_error_with(call, S3_ERROR_REQUEST_EXPIRED, details + (call->claim.kind == SIGV2_QUERY));
}

static void answer_unsigned(struct s3_call *call, struct span names)
{
    struct aws_error_detail details[] = {{"HeadersNotSigned", names}, {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_HEADERS_NOT_SIGNED, details);
}

static struct span hex_bytes(struct s3_call *call, struct span text)
{
    char *out = arena_alloc_array(arena_of(call), text.len + 1, 3);
    if (out == NULL || text.len == 0) {
        return SPAN_EMPTY;
    }
    for (size_t i = 0; i < text.len; i++) {
        *hex_write(out + 3 * i, (unsigned char)text.ptr[i], 2) = ' ';
    }
    return span_from(out, 3 * text.len - 1);
}

static void answer_mismatch(struct s3_call *call, struct span canonical, struct span string_to_sign)
{
    struct aws_error_detail details[] = {
        {"AWSAccessKeyId", call->claim.access_key},
        {"StringToSign", string_to_sign},
        {"SignatureProvided", call->claim.signature},
        {"StringToSignBytes", hex_bytes(call, string_to_sign)},
        {canonical.len > 0 ? "CanonicalRequest" : NULL, canonical},
        {"CanonicalRequestBytes", hex_bytes(call, canonical)},
        {NULL, SPAN_EMPTY},
    };
    s3_error_with(call, S3_ERROR_SIGNATURE_DOES_NOT_MATCH, details);
}

/* --- all verdicts --- */

static void answer_verdict(struct s3_call *call, enum aws_verdict verdict,
                           const struct aws_auth_result *result)
{
    switch (verdict) {
    case AWS_GRANTED:
        break;
    case AWS_MALFORMED:
        answer_flaw(call, result->flaw, result->part);
        break;
    case AWS_ANONYMOUS:
        answer_hint(call->exchange, "this server was started with --credentials: sign the request");
        s3_error(call, S3_ERROR_ACCESS_DENIED);
        break;
    case AWS_UNKNOWN_KEY:
        answer_unknown_key(call);
        break;
    case AWS_FOREIGN_TOKEN:
        answer_hint(call->exchange,
                    "unset AWS_SESSION_TOKEN: the key of --credentials has no session token");
        s3_error(call, S3_ERROR_INVALID_TOKEN);
        break;
    case AWS_WRONG_SCOPE:
        answer_wrong_scope(call);
        break;
    case AWS_SKEWED:
        answer_skewed(call, result);
        break;
    case AWS_NOT_YET_VALID:
        s3_error(call, S3_ERROR_REQUEST_NOT_YET_VALID);
        break;
    case AWS_EXPIRED:
        answer_expired(call, result);
        break;
    case AWS_PAYLOAD_UNNAMED:
        answer_hint(call->exchange,
                    "S3's signatures cover the payload's SHA-256, or UNSIGNED-PAYLOAD");
        s3_error_text(call, S3_ERROR_INVALID_REQUEST,
                      SPAN_LIT("Missing required header for this request: x-amz-content-sha256"),
                      NULL);
        break;
    case AWS_HEADERS_UNSIGNED:
        answer_unsigned(call, result->unsigned_headers);
        break;
    case AWS_MISMATCH:
        answer_mismatch(call, result->canonical, result->string_to_sign);
        break;
    case AWS_AUTH_FAILED:
        s3_error_store(call, &result->error);
        break;
    }
}

bool s3_authorize(struct s3_call *call)
{
    const struct s3_options *options = &call->s3->options;
    const struct aws_auth auth = {
        .identity = options->identity,
        .service = "s3",
        .dialect = AWS_AUTH_S3,
        .crypto = options->crypto,
        .env = options->env,
    };
    const struct aws_auth_request request = {
        .http = &call->exchange->request,
        .host_bucket = call->virtual_host ? call->bucket_name : SPAN_EMPTY,
        .arena = arena_of(call),
    };
    struct aws_auth_result result;
    enum aws_verdict verdict = aws_authorize(&auth, &request, &result);
    call->claim = result.claim;
    answer_verdict(call, verdict, &result);
    return verdict == AWS_GRANTED;
}
