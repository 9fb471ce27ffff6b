/* Does a claim's signature fit the request? The signature is made again from the secret, and
 * compared. */
#include "sigv4_claim.h"
#include "sigv4_internal.h"

struct attempt {
    const struct sigv4_check *check;
    struct digest_value key;
    struct buf *canonical;
    struct buf *string_to_sign;
};

static bool attempt_fits(const struct attempt *attempt, enum sigv4_path path_style)
{
    const struct sigv4_claim *claim = attempt->check->claim;
    struct sigv4_request request = *attempt->check->request;
    struct span leave_out = claim->kind == SIGV4_QUERY ? SPAN_LIT("X-Amz-Signature") : SPAN_EMPTY;
    char signature[SIGV4_SIGNATURE_BYTES];
    if (!buf_ok(attempt->canonical) || !buf_ok(attempt->string_to_sign)) {
        return false; /* the attempt before lacked memory, and might have fitted */
    }
    request.path_style = path_style;
    buf_reset(attempt->canonical);
    buf_reset(attempt->string_to_sign);
    sigv4_canonical_request(&request, claim->signed_headers, leave_out, attempt->canonical);
    sigv4_string_to_sign(attempt->check->crypto, buf_span(attempt->canonical), claim->date_time,
                         &claim->scope, attempt->string_to_sign);
    sigv4_signature(attempt->check->crypto, &attempt->key, buf_span(attempt->string_to_sign),
                    signature);
    return buf_ok(attempt->canonical) && buf_ok(attempt->string_to_sign) &&
           digest_text_equal(claim->signature, span_from_cstr(signature));
}

bool sigv4_claim_verify(const struct sigv4_check *check, struct buf *canonical,
                        struct buf *string_to_sign)
{
    enum sigv4_path style = check->request->path_style;
    struct attempt attempt = {check,
                              sigv4_signing_key(check->crypto, check->secret, &check->claim->scope),
                              canonical, string_to_sign};
    buf_reset(canonical);
    buf_reset(string_to_sign);
    switch (style) {
    case SIGV4_PATH_RAW:
        return attempt_fits(&attempt, SIGV4_PATH_RAW);
    case SIGV4_PATH_S3:
        /* Clients differ on '+' and '=', and most sign what they send. */
        return attempt_fits(&attempt, SIGV4_PATH_RAW) || attempt_fits(&attempt, SIGV4_PATH_S3);
    case SIGV4_PATH_DOUBLE:
        if (attempt_fits(&attempt, SIGV4_PATH_DOUBLE) || attempt_fits(&attempt, SIGV4_PATH_RAW)) {
            return true;
        }
        /* Leaves the text that the service would have expected. */
        return attempt_fits(&attempt, SIGV4_PATH_DOUBLE);
    }
    return false;
}

bool sigv4_claim_signs(const struct sigv4_claim *claim, struct span name)
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

static bool is_first_of_its_name(const struct sigv4_request *request, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (span_equal_nocase(request->headers[i].name, request->headers[index].name)) {
            return false;
        }
    }
    return true;
}

bool sigv4_unsigned_headers(const struct sigv4_request *request, const struct sigv4_claim *claim,
                            struct buf *names)
{
    bool any = false;
    for (size_t i = 0; i < request->header_count; i++) {
        struct span name = request->headers[i].name;
        if (!sigv4_is_amz_header(name) || sigv4_claim_signs(claim, name) ||
            !is_first_of_its_name(request, i)) {
            continue;
        }
        buf_append_cstr(names, any ? ", " : "");
        sigv4_lower_append(name, names);
        any = true;
    }
    return any;
}
