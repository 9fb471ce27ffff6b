/* What a client says about its signature, taken apart: Authorization, or the parameters of a
 * presigned URL, of either version. Nothing is compared with a secret or a clock here. */
#include "sigv4_claim.h"

#include "http_date.h"
#include "sigv4_internal.h"
#include "url.h"

#include <string.h>

enum { signed_headers_max = 128 };

/* A claim on its way: where it comes from, where it goes. */
struct reading {
    const struct sigv4_request *request;
    struct arena *arena;
    struct sigv4_claim *claim;
    const char **what;
    bool no_memory;
};

static enum sigv4_flaw claim_flaw(struct reading *r, enum sigv4_flaw kind, const char *what)
{
    *r->what = what;
    return r->no_memory ? SIGV4_NO_MEMORY : kind;
}

/* Every part of a claim is printable ASCII without blanks, and not empty. */
static bool is_word(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= ' ' || s.ptr[i] >= 0x7f) {
            return false;
        }
    }
    return s.len > 0;
}

/* --- parts that all have --- */

/* Cuts the part behind the last '/' off the end; false when there is no slash. */
static bool cut_last(struct span *rest, struct span *part)
{
    size_t slash = rest->len;
    while (slash > 0 && rest->ptr[slash - 1] != '/') {
        slash--;
    }
    if (slash == 0) {
        return false;
    }
    *part = span_skip(*rest, slash);
    *rest = span_first(*rest, slash - 1);
    return true;
}

static bool is_day(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            return false;
        }
    }
    return s.len == 8;
}

/* A credential is "AKID/20260102/us-east-1/s3/aws4_request"; the key's id may hold slashes. */
static bool credential_parse(struct span text, struct sigv4_claim *claim)
{
    struct sigv4_scope scope;
    struct span terminator;
    if (!is_word(text) || !cut_last(&text, &terminator) || !cut_last(&text, &scope.service) ||
        !cut_last(&text, &scope.region) || !cut_last(&text, &scope.date)) {
        return false;
    }
    if (!span_equal_cstr(terminator, SIGV4_TERMINATOR) || !is_day(scope.date) || text.len == 0 ||
        text.len > SIGV4_ACCESS_KEY_BYTES_MAX || scope.region.len > SIGV4_SCOPE_PART_BYTES_MAX ||
        scope.service.len == 0 || scope.service.len > SIGV4_SCOPE_PART_BYTES_MAX) {
        return false;
    }
    claim->access_key = text;
    claim->scope = scope;
    return true;
}

/* Signed headers are named in lower case, and the host is among them. */
static bool signed_headers_are_good(struct span names)
{
    bool has_host = false;
    size_t count = 0;
    struct span name;
    if (!is_word(names)) {
        return false;
    }
    while (span_next_part(&names, ';', &name)) {
        has_host = has_host || span_equal_cstr(name, "host");
        for (size_t i = 0; i < name.len; i++) {
            if (name.ptr[i] >= 'A' && name.ptr[i] <= 'Z') {
                return false;
            }
        }
        if (name.len == 0 || ++count > signed_headers_max) {
            return false;
        }
    }
    return has_host;
}

static enum sigv4_flaw moment_take(struct reading *r, struct span date_time, const char *what)
{
    struct sigv4_claim *claim = r->claim;
    if (!sigv4_date_parse(date_time, &claim->signed_at_s)) {
        return claim_flaw(r, SIGV4_BAD_DATE, what);
    }
    claim->date_time = date_time;
    if (!span_equal(claim->scope.date, span_first(date_time, 8))) {
        return claim_flaw(r, SIGV4_BAD_DATE, "Credential");
    }
    return SIGV4_SOUND;
}

/* The moment of a signed header: x-amz-date, else Date in either form. */
static bool header_moment(struct reading *r, struct span *date_time, const char **what)
{
    struct span text = sigv4_header_value(r->request, "x-amz-date");
    int64_t seconds;
    *what = "X-Amz-Date";
    if (text.len == 0) {
        text = sigv4_header_value(r->request, "date");
        *what = "Date";
    }
    *date_time = text;
    if (sigv4_date_parse(text, &seconds)) {
        return true;
    }
    if (!http_date_parse(text, &seconds)) {
        return false;
    }
    char *iso = arena_alloc(r->arena, SIGV4_DATE_BYTES);
    if (iso == NULL) {
        r->no_memory = true;
        return false;
    }
    sigv4_date(seconds * 1000000, iso);
    *date_time = span_from_cstr(iso);
    return true;
}

/* --- in a header --- */

struct header_part {
    const char *name;
    struct span value;
};

enum { part_credential, part_signed_headers, part_signature, part_count };

/* "Credential=..., SignedHeaders=..., Signature=..." come in any order; other parts are ignored. */
static bool parts_read(struct span text, struct header_part *parts)
{
    struct span part;
    while (span_next_part(&text, ',', &part)) {
        part = span_trim(part);
        size_t equals = span_find_byte(part, '=');
        for (size_t i = 0; i < part_count; i++) {
            if (!span_equal_cstr(span_first(part, equals), parts[i].name)) {
                continue;
            }
            if (parts[i].value.len > 0) {
                return false;
            }
            parts[i].value = span_skip(part, equals + 1);
        }
    }
    return true;
}

static enum sigv4_flaw read_header(struct reading *r, struct span text)
{
    struct header_part parts[part_count] = {
        {"Credential", SPAN_EMPTY}, {"SignedHeaders", SPAN_EMPTY}, {"Signature", SPAN_EMPTY}};
    struct sigv4_claim *claim = r->claim;
    struct span date_time;
    const char *moment_name;
    size_t blank = span_find_byte(text, ' ');
    claim->kind = SIGV4_HEADER;
    claim->session_token = sigv4_header_value(r->request, "x-amz-security-token");
    if (!span_equal_cstr(span_first(text, blank), SIGV4_ALGORITHM)) {
        return claim_flaw(r, SIGV4_UNKNOWN_ALGORITHM, "Authorization");
    }
    if (!parts_read(span_skip(text, blank), parts)) {
        return claim_flaw(r, SIGV4_MALFORMED_HEADER, "Authorization");
    }
    if (!credential_parse(parts[part_credential].value, claim)) {
        return claim_flaw(r, SIGV4_MALFORMED_HEADER, "Credential");
    }
    if (!is_word(parts[part_signature].value)) {
        return claim_flaw(r, SIGV4_MALFORMED_HEADER, "Signature");
    }
    claim->signature = parts[part_signature].value;
    if (!signed_headers_are_good(parts[part_signed_headers].value)) {
        return claim_flaw(r, SIGV4_MALFORMED_HEADER, "SignedHeaders");
    }
    claim->signed_headers = parts[part_signed_headers].value;
    if (!header_moment(r, &date_time, &moment_name)) {
        return claim_flaw(r, SIGV4_BAD_DATE, moment_name);
    }
    return moment_take(r, date_time, moment_name);
}

/* SigV2's header is "AWS AKID:base64". */
static enum sigv4_flaw read_header_v2(struct reading *r, struct span text)
{
    struct sigv4_claim *claim = r->claim;
    const char *moment_name;
    struct span rest = span_trim(span_skip(text, sizeof("AWS") - 1));
    size_t colon = rest.len;
    while (colon > 0 && rest.ptr[colon - 1] != ':') {
        colon--;
    }
    claim->kind = SIGV2_HEADER;
    claim->session_token = sigv4_header_value(r->request, "x-amz-security-token");
    if (colon <= 1 || colon == rest.len || !is_word(rest) ||
        colon - 1 > SIGV4_ACCESS_KEY_BYTES_MAX) {
        return claim_flaw(r, SIGV4_MALFORMED_HEADER, "Authorization");
    }
    claim->access_key = span_first(rest, colon - 1);
    claim->signature = span_skip(rest, colon);
    if (!header_moment(r, &claim->date_time, &moment_name) ||
        !sigv4_date_parse(claim->date_time, &claim->signed_at_s)) {
        return claim_flaw(r, SIGV4_BAD_DATE, moment_name);
    }
    return SIGV4_SOUND;
}

/* --- in the query --- */

static bool has_parameter(const struct sigv4_request *request, const char *name)
{
    struct span value;
    return url_query_find(request->query, name, &value);
}

/* Decodes a parameter's value into the arena. A plus stays a plus: tokens and base64 hold pluses,
 * never blanks. */
static bool parameter_read(struct reading *r, const char *name, struct span *out)
{
    struct span raw;
    if (!url_query_find(r->request->query, name, &raw)) {
        return false;
    }
    char *text = arena_alloc(r->arena, raw.len + 1);
    if (text == NULL) {
        r->no_memory = true;
        return false;
    }
    size_t len = 0;
    while (raw.len > 0) {
        text[len++] = (char)sigv4_decode_next(&raw, false);
    }
    struct span value = span_from(text, len);
    if (is_word(value)) {
        *out = value;
    }
    return is_word(value);
}

static enum sigv4_flaw read_query(struct reading *r)
{
    struct sigv4_claim *claim = r->claim;
    struct span text;
    struct span date_time;
    claim->kind = SIGV4_QUERY;
    if (!parameter_read(r, "X-Amz-Algorithm", &text)) {
        return claim_flaw(r, SIGV4_MALFORMED_QUERY, "X-Amz-Algorithm");
    }
    if (!span_equal_cstr(text, SIGV4_ALGORITHM)) {
        return claim_flaw(r, SIGV4_UNKNOWN_ALGORITHM, "X-Amz-Algorithm");
    }
    if (!parameter_read(r, "X-Amz-Credential", &text) || !credential_parse(text, claim)) {
        return claim_flaw(r, SIGV4_MALFORMED_QUERY, "X-Amz-Credential");
    }
    if (!parameter_read(r, "X-Amz-Signature", &claim->signature)) {
        return claim_flaw(r, SIGV4_MALFORMED_QUERY, "X-Amz-Signature");
    }
    if (!parameter_read(r, "X-Amz-SignedHeaders", &text) || !signed_headers_are_good(text)) {
        return claim_flaw(r, SIGV4_MALFORMED_QUERY, "X-Amz-SignedHeaders");
    }
    claim->signed_headers = text;
    if (has_parameter(r->request, "X-Amz-Security-Token") &&
        !parameter_read(r, "X-Amz-Security-Token", &claim->session_token)) {
        return claim_flaw(r, SIGV4_MALFORMED_QUERY, "X-Amz-Security-Token");
    }
    if (!parameter_read(r, "X-Amz-Date", &date_time)) {
        return claim_flaw(r, SIGV4_MALFORMED_QUERY, "X-Amz-Date");
    }
    if (!parameter_read(r, "X-Amz-Expires", &text)) {
        return claim_flaw(r, SIGV4_MALFORMED_QUERY, "X-Amz-Expires");
    }
    if (!span_parse_i64(text, &claim->expires_s) || claim->expires_s < 1 ||
        claim->expires_s > SIGV4_EXPIRES_MAX) {
        return claim_flaw(r, SIGV4_BAD_EXPIRES, "X-Amz-Expires");
    }
    return moment_take(r, date_time, "X-Amz-Date");
}

static enum sigv4_flaw read_query_v2(struct reading *r)
{
    struct sigv4_claim *claim = r->claim;
    struct span text;
    claim->kind = SIGV2_QUERY;
    if (!parameter_read(r, "AWSAccessKeyId", &text) || text.len > SIGV4_ACCESS_KEY_BYTES_MAX) {
        return claim_flaw(r, SIGV4_MALFORMED_QUERY, "AWSAccessKeyId");
    }
    claim->access_key = text;
    if (!parameter_read(r, "Signature", &claim->signature)) {
        return claim_flaw(r, SIGV4_MALFORMED_QUERY, "Signature");
    }
    if (has_parameter(r->request, "x-amz-security-token") &&
        !parameter_read(r, "x-amz-security-token", &claim->session_token)) {
        return claim_flaw(r, SIGV4_MALFORMED_QUERY, "x-amz-security-token");
    }
    if (!parameter_read(r, "Expires", &text)) {
        return claim_flaw(r, SIGV4_MALFORMED_QUERY, "Expires");
    }
    if (!span_parse_i64(text, &claim->expires_s) || claim->expires_s < 0) {
        return claim_flaw(r, SIGV4_BAD_EXPIRES, "Expires");
    }
    return SIGV4_SOUND;
}

enum sigv4_flaw sigv4_claim_parse(const struct sigv4_request *request, struct arena *arena,
                                  struct sigv4_claim *out, const char **what)
{
    struct reading r = {request, arena, out, what, false};
    *out = (struct sigv4_claim){
        .kind = SIGV4_NONE,
        .access_key = SPAN_EMPTY,
        .scope = {SPAN_EMPTY, SPAN_EMPTY, SPAN_EMPTY},
        .signed_headers = SPAN_EMPTY,
        .signature = SPAN_EMPTY,
        .date_time = SPAN_EMPTY,
        .session_token = SPAN_EMPTY,
    };
    *what = "";
    size_t headers = sigv4_header_count(request, "authorization");
    bool query = has_parameter(request, "X-Amz-Algorithm") ||
                 has_parameter(request, "X-Amz-Credential") ||
                 has_parameter(request, "X-Amz-Signature");
    bool query_v2 = has_parameter(request, "AWSAccessKeyId") || has_parameter(request, "Signature");
    if (headers + query + query_v2 > 1) {
        return claim_flaw(&r, SIGV4_AMBIGUOUS, "Authorization");
    }
    if (query) {
        return read_query(&r);
    }
    if (query_v2) {
        return read_query_v2(&r);
    }
    if (headers == 0) {
        return SIGV4_SOUND;
    }
    struct span text = sigv4_header_value(request, "authorization");
    if (span_starts_with(text, SPAN_LIT("AWS "))) {
        return read_header_v2(&r, text);
    }
    return read_header(&r, text);
}
