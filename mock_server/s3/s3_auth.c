/* Who is asking: Signature Version 4 in the header or in the query (presigned), and the Signature
 * Version 2 that boto3 still presigns with (specs/aws-s3.md section 7). Only when credentials are
 * configured; without them everybody may do everything, signed or not.
 *
 * The mathematics is base/sigv4.h's. Here is what S3 demands beyond it, in its order: one
 * mechanism, a known key, the right scope, a fitting time, every x-amz-* header signed, the
 * signature. */
#include "s3_internal.h"

#include <string.h>

enum {
    skew_max_s = 15 * 60,
    canonical_bytes_max = 256 * 1024, /* of a head of 32 KiB, each byte at most tripled */
};

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

/* --- what was sent --- */

static bool request_of(struct s3_call *call, struct sigv4_request *out)
{
    const struct http_request *request = &call->exchange->request;
    struct sigv4_header *headers =
        arena_alloc_array(arena_of(call), request->header_count + 1, sizeof(*headers));
    if (headers == NULL) {
        s3_error(call, S3_ERROR_INTERNAL_ERROR);
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
        .payload_hash = SPAN_LIT(SIGV4_UNSIGNED_PAYLOAD),
        .path_style = SIGV4_PATH_S3,
    };
    return true;
}

/* --- refusals --- */

struct flaw_row {
    enum sigv4_flaw flaw;
    const char *part; /* of the claim, as base/sigv4.h names it; NULL: any */
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

/* S3 has a sentence for each way of going wrong. */
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

static bool answer_scope(struct s3_call *call, const char *fault, struct span region)
{
    bool in_query = call->claim.kind == SIGV4_QUERY;
    struct s3_error_detail details[] = {{region.len > 0 ? "Region" : NULL, region},
                                        {NULL, SPAN_EMPTY}};
    char *message = arena_printf(arena_of(call), "%s; %s",
                                 in_query ? "Error parsing the X-Amz-Credential parameter"
                                          : "The authorization header is malformed",
                                 fault != NULL ? fault : "");
    s3_error_text(call,
                  in_query ? S3_ERROR_AUTHORIZATION_QUERY_ERROR
                           : S3_ERROR_AUTHORIZATION_HEADER_MALFORMED,
                  span_from_cstr(message), details);
    return false;
}

static bool answer_flaw(struct s3_call *call, enum sigv4_flaw flaw, const char *part)
{
    if (flaw == SIGV4_BAD_DATE && strcmp(part, "Credential") == 0) {
        return answer_scope(call, "the date of the Credential is not that of X-Amz-Date.",
                            SPAN_EMPTY);
    }
    if (flaw == SIGV4_BAD_EXPIRES && strcmp(part, "X-Amz-Expires") == 0) {
        s3_error_text(call, S3_ERROR_AUTHORIZATION_QUERY_ERROR,
                      span_from_cstr(expires_message(call)), NULL);
        return false;
    }
    if (flaw == SIGV4_BAD_DATE && call->claim.kind == SIGV4_QUERY) {
        s3_error_text(call, S3_ERROR_AUTHORIZATION_QUERY_ERROR,
                      SPAN_LIT("X-Amz-Date must be in the ISO8601 Long Format "
                               "\"yyyyMMdd'T'HHmmss'Z'\""),
                      NULL);
        return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(flaw_rows); i++) {
        const struct flaw_row *row = &flaw_rows[i];
        if (row->flaw == flaw && (row->part == NULL || strcmp(row->part, part) == 0)) {
            const char *message =
                row->message != NULL ? row->message : s3_error_message(row->error);
            s3_error_text(call, row->error, span_from_cstr(message), NULL);
            return false;
        }
    }
    BUG("a flaw of a signature without an answer");
}

static bool key_is_known(struct s3_call *call)
{
    struct span own = span_from_cstr(call->s3->options.access_key);
    if (!span_equal(call->claim.access_key, own)) {
        struct s3_error_detail details[] = {{"AWSAccessKeyId", call->claim.access_key},
                                            {NULL, SPAN_EMPTY}};
        s3_hint(call, "the server was started with other --credentials");
        s3_error_with(call, S3_ERROR_INVALID_ACCESS_KEY_ID, details);
        return false;
    }
    if (call->claim.session_token.len > 0) {
        /* The configured key is no temporary one. */
        s3_hint(call, "unset AWS_SESSION_TOKEN: the key of --credentials has no session token");
        s3_error(call, S3_ERROR_INVALID_TOKEN);
        return false;
    }
    return true;
}

static bool scope_fits(struct s3_call *call)
{
    const struct sigv4_claim *claim = &call->claim;
    const char *region = call->s3->options.region;
    if (!span_equal_cstr(claim->scope.service, "s3")) {
        return answer_scope(call,
                            arena_printf(arena_of(call),
                                         "incorrect service \"%.*s\". This endpoint belongs to "
                                         "\"s3\".",
                                         SPAN_ARG(claim->scope.service)),
                            SPAN_EMPTY);
    }
    if (!span_equal_cstr(claim->scope.region, region)) {
        return answer_scope(call,
                            arena_printf(arena_of(call),
                                         "the region '%.*s' is wrong; expecting '%s'",
                                         SPAN_ARG(claim->scope.region), region),
                            span_from_cstr(region));
    }
    return true;
}

/* --- the time --- */

static bool header_time_fits(struct s3_call *call)
{
    int64_t now_s = s3_now_ms(call) / 1000;
    int64_t signed_at_s = call->claim.signed_at_s;
    if (signed_at_s >= now_s - skew_max_s && signed_at_s <= now_s + skew_max_s) {
        return true;
    }
    struct s3_error_detail details[] = {
        {"RequestTime", call->claim.date_time},
        {"ServerTime", time_text(call, now_s)},
        {"MaxAllowedSkewMilliseconds", SPAN_LIT("900000")},
        {NULL, SPAN_EMPTY},
    };
    s3_error_with(call, S3_ERROR_REQUEST_TIME_TOO_SKEWED, details);
    return false;
}

static bool presigned_time_fits(struct s3_call *call)
{
    const struct sigv4_claim *claim = &call->claim;
    int64_t now_s = s3_now_ms(call) / 1000;
    bool v2 = claim->kind == SIGV2_QUERY;
    int64_t end_s = v2 ? claim->expires_s : claim->signed_at_s + claim->expires_s;
    if (!v2 && claim->signed_at_s > now_s + skew_max_s) {
        s3_error(call, S3_ERROR_REQUEST_NOT_YET_VALID);
        return false;
    }
    if (now_s <= end_s) {
        return true;
    }
    struct span seconds =
        span_from_cstr(arena_printf(arena_of(call), "%lld", (long long)claim->expires_s));
    struct s3_error_detail details[] = {
        {"X-Amz-Expires", seconds},
        {"Expires", time_text(call, end_s)},
        {"ServerTime", time_text(call, now_s)},
        {NULL, SPAN_EMPTY},
    };
    s3_error_with(call, S3_ERROR_REQUEST_EXPIRED, details + v2);
    return false;
}

/* --- the headers and the payload --- */

static bool is_signed(const struct sigv4_claim *claim, struct span name)
{
    struct span rest = claim->signed_headers;
    struct span part;
    while (span_next_part(&rest, ';', &part)) {
        if (span_equal_nocase(part, name)) {
            return true;
        }
    }
    return false;
}

/* A presigned request's payload is settled by its query: the header may stay outside. */
static bool headers_are_signed(struct s3_call *call, const struct sigv4_request *request)
{
    struct buf names;
    buf_init(&names, HTTP_HEAD_BYTES_MAX);
    bool all = !sigv4_unsigned_headers(request, &call->claim, &names) ||
               (call->claim.kind == SIGV4_QUERY &&
                span_equal_cstr(buf_span(&names), "x-amz-content-sha256"));
    if (!all) {
        struct s3_error_detail details[] = {{"HeadersNotSigned", buf_span(&names)},
                                            {NULL, SPAN_EMPTY}};
        s3_error_with(call, S3_ERROR_HEADERS_NOT_SIGNED, details);
    }
    buf_release(&names);
    return all;
}

/* What the canonical request's last line says. */
static bool payload_take(struct s3_call *call, struct sigv4_request *request)
{
    struct span header = s3_header(call, "x-amz-content-sha256");
    struct span query;
    if (call->claim.kind == SIGV4_QUERY) {
        if (is_signed(&call->claim, SPAN_LIT("x-amz-content-sha256"))) {
            request->payload_hash = header;
        } else if (s3_query(call, "X-Amz-Content-Sha256", &query)) {
            request->payload_hash = query;
        }
        return true;
    }
    if (header.len == 0) {
        s3_hint(call, "S3's signatures cover the payload's SHA-256, or UNSIGNED-PAYLOAD");
        s3_error_text(call, S3_ERROR_INVALID_REQUEST,
                      SPAN_LIT("Missing required header for this request: x-amz-content-sha256"),
                      NULL);
        return false;
    }
    request->payload_hash = header;
    return true;
}

/* --- the signature --- */

static struct span hex_bytes(struct s3_call *call, struct span text)
{
    static const char hex[] = "0123456789abcdef";
    char *out = arena_alloc_array(arena_of(call), text.len + 1, 3);
    if (out == NULL || text.len == 0) {
        return SPAN_EMPTY;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        out[3 * i] = hex[byte >> 4];
        out[3 * i + 1] = hex[byte & 15];
        out[3 * i + 2] = ' ';
    }
    return span_from(out, 3 * text.len - 1);
}

static void answer_mismatch(struct s3_call *call, struct span canonical, struct span string_to_sign)
{
    struct s3_error_detail details[] = {
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

static bool signature_fits(struct s3_call *call, const struct sigv4_request *request)
{
    struct sigv4_check check = {
        .crypto = call->s3->options.crypto,
        .claim = &call->claim,
        .request = request,
        .secret = span_from_cstr(call->s3->options.secret),
    };
    struct buf canonical;
    struct buf string_to_sign;
    buf_init(&canonical, canonical_bytes_max);
    buf_init(&string_to_sign, canonical_bytes_max);
    bool fits;
    if (call->claim.kind == SIGV2_QUERY || call->claim.kind == SIGV2_HEADER) {
        struct buf resource;
        buf_init(&resource, canonical_bytes_max);
        sigv2_resource(call->virtual_host ? call->bucket_name : SPAN_EMPTY, request, &resource);
        fits =
            buf_ok(&resource) && sigv2_claim_verify(&check, buf_span(&resource), &string_to_sign);
        buf_release(&resource);
    } else {
        fits = sigv4_claim_verify(&check, &canonical, &string_to_sign);
    }
    if (!fits) {
        answer_mismatch(call, buf_span(&canonical), buf_span(&string_to_sign));
    }
    buf_release(&canonical);
    buf_release(&string_to_sign);
    return fits;
}

/* --- each mechanism --- */

static bool answer_anonymous(struct s3_call *call)
{
    s3_hint(call, "this server was started with --credentials: sign the request");
    s3_error(call, S3_ERROR_ACCESS_DENIED);
    return false;
}

bool s3_authorize(struct s3_call *call)
{
    const struct s3_options *options = &call->s3->options;
    struct sigv4_request request;
    struct error err = ERROR_NONE;
    const char *what = NULL;
    if (options->access_key == NULL) {
        return true;
    }
    if (crypto_ready(options->crypto, &err) != STATUS_OK) {
        s3_error_store(call, &err);
        return false;
    }
    if (!request_of(call, &request)) {
        return false;
    }
    enum sigv4_flaw flaw = sigv4_claim_parse(&request, arena_of(call), &call->claim, &what);
    if (flaw != SIGV4_SOUND) {
        return answer_flaw(call, flaw, what);
    }
    switch (call->claim.kind) {
    case SIGV4_NONE:
        return answer_anonymous(call);
    case SIGV4_HEADER:
        return key_is_known(call) && scope_fits(call) && header_time_fits(call) &&
               payload_take(call, &request) && headers_are_signed(call, &request) &&
               signature_fits(call, &request);
    case SIGV4_QUERY:
        return key_is_known(call) && scope_fits(call) && presigned_time_fits(call) &&
               payload_take(call, &request) && headers_are_signed(call, &request) &&
               signature_fits(call, &request);
    case SIGV2_HEADER:
        return key_is_known(call) && header_time_fits(call) && signature_fits(call, &request);
    case SIGV2_QUERY:
        return key_is_known(call) && presigned_time_fits(call) && signature_fits(call, &request);
    }
    return false;
}
