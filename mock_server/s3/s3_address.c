/* Where a request points: bucket and key out of Host and path (specs/aws-s3.md section 2).
 *
 * The path is percent-decoded once; a plus in it is a plus, and dots and empty segments are bytes
 * of the key like any others: keys are names, not files. */
#include "s3_address.h"

#include "answer.h"
#include "query.h"
#include "s3_errors.h"
#include "url.h"

#include <ctype.h>
#include <string.h>

/* --- virtual hosts --- */

/* Cuts the port off "[::1]:9000" and "h:9000"; "h" has none. */
static struct span host_without_port(struct span host)
{
    size_t colon = host.len;
    while (colon > 0 && host.ptr[colon - 1] >= '0' && host.ptr[colon - 1] <= '9') {
        colon--;
    }
    return colon > 0 && host.ptr[colon - 1] == ':' ? span_first(host, colon - 1) : host;
}

/* The part of the host before ".<base>", by the longest base domain; empty: path style. */
static struct span host_bucket(const struct s3_options *options, struct span host)
{
    struct span bucket = SPAN_EMPTY;
    for (size_t i = 0; options->base_domains != NULL && options->base_domains[i] != NULL; i++) {
        struct span base = span_from_cstr(options->base_domains[i]);
        if (span_equal_nocase(host, base)) {
            return SPAN_EMPTY;
        }
        if (host.len < base.len + 2 ||
            !span_equal_nocase(span_skip(host, host.len - base.len), base) ||
            host.ptr[host.len - base.len - 1] != '.') {
            continue;
        }
        struct span before = span_first(host, host.len - base.len - 1);
        if (bucket.len == 0 || before.len < bucket.len) {
            bucket = before;
        }
    }
    return bucket;
}

static bool lower_copy(struct s3_call *call, struct span text, struct span *out)
{
    char *copy = arena_copy_cstr(&call->exchange->arena, text);
    if (copy == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        copy[i] = (char)tolower((unsigned char)copy[i]);
    }
    *out = span_from(copy, text.len);
    return true;
}

/* --- decoding --- */

static bool answer_invalid_uri(struct s3_call *call)
{
    struct aws_error_detail details[] = {{"URI", call->exchange->request.path}, {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_INVALID_URI, details);
    return false;
}

static bool address_decode(struct s3_call *call, struct span raw, struct span *out)
{
    switch (query_decode(&call->exchange->arena, raw, false, out)) {
    case QUERY_DECODED:
        return span_is_utf8(*out) || answer_invalid_uri(call);
    case QUERY_BAD_ESCAPE:
        return answer_invalid_uri(call);
    case QUERY_NO_MEMORY:
        break;
    }
    exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
    return false;
}

/* A query is sound when all its escapes can be decoded and none is a NUL, so that s3_query cannot
 * fail later. */
static bool query_is_sound(struct s3_call *call)
{
    struct span rest = call->exchange->request.query;
    char ignored;
    while (rest.len > 0) {
        if (!url_next_byte(&rest, true, &ignored)) {
            return answer_invalid_uri(call);
        }
    }
    return true;
}

static bool address_key_fits(struct s3_call *call)
{
    if (call->key.len <= STORE_KEY_BYTES_MAX) {
        return true;
    }
    struct aws_error_detail details[] = {
        {"Size", span_from_cstr(arena_printf(&call->exchange->arena, "%zu", call->key.len))},
        {"MaxSizeAllowed",
         span_from_cstr(arena_printf(&call->exchange->arena, "%d", STORE_KEY_BYTES_MAX))},
        {NULL, SPAN_EMPTY},
    };
    s3_error_with(call, S3_ERROR_KEY_TOO_LONG, details);
    return false;
}

static bool address_bucket_fits(struct s3_call *call)
{
    if (store_bucket_name_is_legal(call->bucket_name)) {
        return true;
    }
    struct aws_error_detail details[] = {{"BucketName", call->bucket_name}, {NULL, SPAN_EMPTY}};
    answer_hint(
        call->exchange,
        "a bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens; a comment "
        "behind s3.bucket.name in a .properties file is part of the name");
    s3_error_with(call, S3_ERROR_INVALID_BUCKET_NAME, details);
    return false;
}

bool s3_address(struct s3_call *call)
{
    const struct http_request *request = &call->exchange->request;
    struct span path = request->path;
    if (!query_is_sound(call)) {
        return false;
    }
    if (path.len == 0 || path.ptr[0] != '/') {
        /* "OPTIONS *" is the only target without a slash that a parser lets through. */
        return answer_invalid_uri(call);
    }
    path = span_skip(path, 1);
    struct span bucket = host_bucket(&call->s3->options, host_without_port(request->host));
    call->virtual_host = bucket.len > 0;
    if (call->virtual_host) {
        return lower_copy(call, bucket, &call->bucket_name) && address_bucket_fits(call) &&
               address_decode(call, path, &call->key) && address_key_fits(call);
    }
    if (path.len == 0) {
        return true;
    }
    size_t slash = span_find_byte(path, '/');
    return address_decode(call, span_first(path, slash), &call->bucket_name) &&
           address_bucket_fits(call) &&
           address_decode(call, span_skip(path, slash + 1), &call->key) && address_key_fits(call);
}
