/* The check of a signature, in the order in which AWS's front door looks: what the client claims,
 * whose key, which scope, when, what is signed, and only then the signature itself. */
#include "aws_auth.h"

#include "query.h"
#include "sigv2.h"

enum {
    common_skew_max_s = 5 * 60,
    s3_skew_max_s = 15 * 60,
    auth_text_bytes_max = 256 * 1024, /* of a head of 32 KiB, each byte at most tripled */
};

/* A check under way. */
struct auth_check {
    const struct aws_auth *auth;
    const struct aws_auth_request *request;
    struct sigv4_request signed_request;
    struct aws_auth_result *result;
};

static bool is_s3(const struct auth_check *check)
{
    return check->auth->dialect == AWS_AUTH_S3;
}

static enum aws_verdict auth_no_memory(const struct auth_check *check)
{
    error_set(&check->result->error, STATUS_NO_MEMORY, "signature: out of memory");
    return AWS_AUTH_FAILED;
}

/* Copies the text into the request's arena; empty when the arena is full. */
static struct span auth_keep(const struct auth_check *check, struct span text)
{
    char *copy = arena_copy_cstr(check->request->arena, text);
    return copy != NULL ? span_from(copy, text.len) : SPAN_EMPTY;
}

/* --- what was sent --- */

static bool signed_request_fill(struct auth_check *check)
{
    const struct http_request *http = check->request->http;
    struct sigv4_header *headers =
        arena_alloc_array(check->request->arena, http->header_count + 1, sizeof(*headers));
    if (headers == NULL) {
        return false;
    }
    for (size_t i = 0; i < http->header_count; i++) {
        headers[i] = (struct sigv4_header){http->headers[i].name, http->headers[i].value};
    }
    check->signed_request = (struct sigv4_request){
        .method = http->method_name,
        .path = http->path,
        .query = http->query,
        .headers = headers,
        .header_count = http->header_count,
        .payload_hash = SPAN_LIT(SIGV4_UNSIGNED_PAYLOAD),
        .path_style = is_s3(check) ? SIGV4_PATH_S3 : SIGV4_PATH_DOUBLE,
    };
    return true;
}

static bool kind_is_taken(const struct auth_check *check)
{
    switch (check->result->claim.kind) {
    case SIGV4_NONE:
        return false;
    case SIGV4_HEADER:
    case SIGV4_QUERY:
        return true;
    case SIGV2_HEADER:
    case SIGV2_QUERY:
        return is_s3(check);
    }
    return false;
}

static bool is_sigv2(const struct auth_check *check)
{
    return check->result->claim.kind == SIGV2_HEADER || check->result->claim.kind == SIGV2_QUERY;
}

/* --- key and scope --- */

static enum aws_verdict key_judge(const struct auth_check *check)
{
    const struct sigv4_claim *claim = &check->result->claim;
    if (!span_equal_cstr(claim->access_key, check->auth->identity->access_key)) {
        return AWS_UNKNOWN_KEY;
    }
    return is_s3(check) && claim->session_token.len > 0 ? AWS_FOREIGN_TOKEN : AWS_GRANTED;
}

static enum aws_verdict scope_judge(const struct auth_check *check)
{
    const struct sigv4_scope *scope = &check->result->claim.scope;
    if (is_sigv2(check)) { /* which has no scope */
        return AWS_GRANTED;
    }
    bool fits = span_equal_cstr(scope->service, check->auth->service) &&
                span_equal_cstr(scope->region, check->auth->identity->region);
    return fits ? AWS_GRANTED : AWS_WRONG_SCOPE;
}

/* --- the time --- */

static enum aws_verdict presigned_time_judge(const struct auth_check *check)
{
    struct aws_auth_result *result = check->result;
    const struct sigv4_claim *claim = &result->claim;
    if (is_sigv2(check)) {
        result->end_s = claim->expires_s;
    } else {
        result->end_s = claim->signed_at_s + claim->expires_s;
        if (claim->signed_at_s > result->now_s + result->skew_max_s) {
            return AWS_NOT_YET_VALID;
        }
    }
    return result->now_s <= result->end_s ? AWS_GRANTED : AWS_EXPIRED;
}

static enum aws_verdict time_judge(const struct auth_check *check)
{
    struct aws_auth_result *result = check->result;
    const struct sigv4_claim *claim = &result->claim;
    bool presigned = claim->kind == SIGV4_QUERY || claim->kind == SIGV2_QUERY;
    if (presigned && is_s3(check)) {
        return presigned_time_judge(check);
    }
    bool fits = claim->signed_at_s >= result->now_s - result->skew_max_s &&
                claim->signed_at_s <= result->now_s + result->skew_max_s;
    return fits ? AWS_GRANTED : AWS_SKEWED;
}

/* --- the payload and the headers --- */

/* S3's last line of the canonical request is what the client says of its payload; the body is held
 * against that when it has come. */
static enum aws_verdict s3_payload_judge(struct auth_check *check)
{
    struct span header = http_request_header(check->request->http, "x-amz-content-sha256");
    const struct sigv4_claim *claim = &check->result->claim;
    struct span parameter;
    if (claim->kind == SIGV4_HEADER) {
        check->signed_request.payload_hash = header;
        return header.len > 0 ? AWS_GRANTED : AWS_PAYLOAD_UNNAMED;
    }
    if (sigv4_claim_signs(claim, SPAN_LIT("x-amz-content-sha256"))) {
        check->signed_request.payload_hash = header;
        return AWS_GRANTED;
    }
    switch (query_value_in(check->request->arena, check->request->http->query,
                           "X-Amz-Content-Sha256", &parameter)) {
    case QUERY_UNREAD:
        return auth_no_memory(check);
    case QUERY_FOUND:
    case QUERY_BROKEN: /* which is empty: no payload's hash, so no signature fits */
        check->signed_request.payload_hash = parameter;
        break;
    case QUERY_ABSENT:
        break;
    }
    return AWS_GRANTED;
}

static enum aws_verdict body_hash(struct auth_check *check)
{
    char hex[DIGEST_HEX_BYTES_MAX];
    struct digest_value digest =
        digest_of(check->auth->crypto, DIGEST_SHA256, check->request->http->body);
    digest_hex(&digest, hex);
    check->signed_request.payload_hash = auth_keep(check, span_from_cstr(hex));
    return check->signed_request.payload_hash.len > 0 ? AWS_GRANTED : auth_no_memory(check);
}

static enum aws_verdict payload_judge(struct auth_check *check)
{
    if (is_sigv2(check)) { /* which covers no payload */
        return AWS_GRANTED;
    }
    return is_s3(check) ? s3_payload_judge(check) : body_hash(check);
}

/* A presigned request's payload is settled by its query: the header may stay outside. */
static enum aws_verdict headers_judge(const struct auth_check *check)
{
    const struct sigv4_claim *claim = &check->result->claim;
    struct buf names;
    if (is_sigv2(check) || !is_s3(check)) {
        return AWS_GRANTED;
    }
    buf_init(&names, HTTP_HEAD_BYTES_MAX);
    bool all =
        !sigv4_unsigned_headers(&check->signed_request, claim, &names) ||
        (claim->kind == SIGV4_QUERY && span_equal_cstr(buf_span(&names), "x-amz-content-sha256"));
    if (!all) {
        check->result->unsigned_headers = auth_keep(check, buf_span(&names));
    }
    buf_release(&names);
    return all ? AWS_GRANTED : AWS_HEADERS_UNSIGNED;
}

/* --- the signature --- */

static bool sigv2_fits(const struct auth_check *check, const struct sigv4_check *what,
                       struct buf *string_to_sign)
{
    struct buf resource;
    buf_init(&resource, auth_text_bytes_max);
    sigv2_resource(check->request->host_bucket, &check->signed_request, &resource);
    bool fits = sigv2_claim_verify(what, buf_span(&resource), string_to_sign);
    if (!buf_ok(&resource)) {
        buf_no_memory(string_to_sign);
        fits = false;
    }
    buf_release(&resource);
    return fits;
}

static enum aws_verdict signature_judge(const struct auth_check *check)
{
    struct aws_auth_result *result = check->result;
    const struct sigv4_check what = {
        .crypto = check->auth->crypto,
        .claim = &result->claim,
        .request = &check->signed_request,
        .secret = span_from_cstr(check->auth->identity->secret),
    };
    struct buf canonical;
    struct buf string_to_sign;
    buf_init(&canonical, auth_text_bytes_max);
    buf_init(&string_to_sign, auth_text_bytes_max);
    bool fits = is_sigv2(check) ? sigv2_fits(check, &what, &string_to_sign)
                                : sigv4_claim_verify(&what, &canonical, &string_to_sign);
    if (!fits) {
        result->canonical = auth_keep(check, buf_span(&canonical));
        result->string_to_sign = auth_keep(check, buf_span(&string_to_sign));
    }
    bool made = buf_ok(&canonical) && buf_ok(&string_to_sign);
    buf_release(&canonical);
    buf_release(&string_to_sign);
    return fits ? AWS_GRANTED : made ? AWS_MISMATCH : auth_no_memory(check);
}

/* --- all of it --- */

static void result_init(const struct aws_auth *auth, struct aws_auth_result *result)
{
    *result = (struct aws_auth_result){
        .claim.kind = SIGV4_NONE,
        .flaw = SIGV4_SOUND,
        .part = "",
        .now_s = auth->env->wall_us(auth->env) / 1000000,
        .skew_max_s = auth->dialect == AWS_AUTH_S3 ? s3_skew_max_s : common_skew_max_s,
        .unsigned_headers = SPAN_EMPTY,
        .canonical = SPAN_EMPTY,
        .string_to_sign = SPAN_EMPTY,
        .error = ERROR_NONE,
    };
}

enum aws_verdict aws_authorize(const struct aws_auth *auth, const struct aws_auth_request *request,
                               struct aws_auth_result *out)
{
    struct auth_check check = {.auth = auth, .request = request, .result = out};
    result_init(auth, out);
    if (auth->identity->access_key == NULL) {
        return AWS_GRANTED;
    }
    if (crypto_ready(auth->crypto, &out->error) != STATUS_OK) {
        return AWS_AUTH_FAILED;
    }
    if (!signed_request_fill(&check)) {
        return auth_no_memory(&check);
    }
    out->flaw = sigv4_claim_parse(&check.signed_request, request->arena, &out->claim, &out->part);
    if (out->flaw == SIGV4_NO_MEMORY) {
        return auth_no_memory(&check);
    }
    if (out->flaw != SIGV4_SOUND) {
        return AWS_MALFORMED;
    }
    if (!kind_is_taken(&check)) {
        return AWS_ANONYMOUS;
    }
    enum aws_verdict verdict = key_judge(&check);
    verdict = verdict == AWS_GRANTED ? scope_judge(&check) : verdict;
    verdict = verdict == AWS_GRANTED ? time_judge(&check) : verdict;
    verdict = verdict == AWS_GRANTED ? payload_judge(&check) : verdict;
    verdict = verdict == AWS_GRANTED ? headers_judge(&check) : verdict;
    return verdict == AWS_GRANTED ? signature_judge(&check) : verdict;
}
