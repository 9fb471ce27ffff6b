/* Signature Version 2 as S3 has it: HMAC-SHA1 over a few headers and the resource. */
#include "sigv2.h"

#include "base64.h"
#include "sigv4_internal.h"

#include <stdlib.h>

/* --- the resource --- */

/* Parameters that name another thing than the object itself, or change the answer, are signed; in
 * this order. */
static const char *const subresources[] = {
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
};

static void decoded_append(struct span text, struct buf *out)
{
    while (text.len > 0) {
        buf_append_byte(out, (char)sigv4_decode_next(&text, true));
    }
}

void sigv2_resource(struct span bucket, const struct sigv4_request *request, struct buf *out)
{
    bool first = true;
    bool is_bucket_alone = request->path.len > 1 && span_find_byte(span_skip(request->path, 1),
                                                                   '/') == request->path.len - 1;
    buf_append_cstr(out, bucket.len > 0 ? "/" : "");
    buf_append_span(out, bucket);
    buf_append_span(out, request->path.len > 0 ? request->path : SPAN_LIT("/"));
    /* "/bucket" is signed as "/bucket/", however it is sent. */
    buf_append_cstr(out, bucket.len == 0 && is_bucket_alone ? "/" : "");
    for (size_t i = 0; i < ARRAY_COUNT(subresources); i++) {
        struct span rest = request->query;
        struct span part;
        while (span_next_part(&rest, '&', &part)) {
            size_t equals = span_find_byte(part, '=');
            if (!span_equal_cstr(span_first(part, equals), subresources[i])) {
                continue;
            }
            buf_append_cstr(out, first ? "?" : "&");
            buf_append_cstr(out, subresources[i]);
            buf_append_cstr(out, equals < part.len ? "=" : "");
            decoded_append(span_skip(part, equals + 1), out);
            first = false;
        }
    }
}

/* --- the x-amz-* headers --- */

struct amz_header {
    struct span name; /* in lower case */
    struct span value;
};

/* All x-amz-* of headers and parameters; the spans point into `text`. */
struct amz_headers {
    struct amz_header *items;
    size_t count;
    struct buf text;
};

static int amz_header_order(const void *a, const void *b)
{
    const struct amz_header *left = a;
    const struct amz_header *right = b;
    int order = span_compare(left->name, right->name);
    /* Equal names keep the order in which they were gathered: one value lies behind the other. */
    return order != 0 ? order
                      : (left->value.ptr > right->value.ptr) - (left->value.ptr < right->value.ptr);
}

static struct span amz_name_keep(struct span text, struct buf *out)
{
    size_t start = out->len;
    sigv4_lower_append(text, out);
    return span_skip(buf_span(out), start);
}

static struct span amz_value_keep(struct span text, bool decode, struct buf *out)
{
    size_t start = out->len;
    if (decode) {
        decoded_append(text, out);
    } else {
        buf_append_span(out, span_trim(text));
    }
    return span_skip(buf_span(out), start);
}

/* Takes the parameters too, because a presigned URL carries in them the headers that were signed.
 */
static void amz_headers_gather(const struct sigv4_check *check, struct amz_headers *headers)
{
    const struct sigv4_request *request = check->request;
    for (size_t i = 0; i < request->header_count; i++) {
        if (sigv4_is_amz_header(request->headers[i].name)) {
            struct span name = amz_name_keep(request->headers[i].name, &headers->text);
            headers->items[headers->count++] = (struct amz_header){
                name, amz_value_keep(request->headers[i].value, false, &headers->text)};
        }
    }
    struct span rest = check->claim->kind == SIGV2_QUERY ? request->query : SPAN_EMPTY;
    struct span part;
    while (span_next_part(&rest, '&', &part)) {
        size_t equals = span_find_byte(part, '=');
        if (sigv4_is_amz_header(part)) {
            struct span name = amz_name_keep(span_first(part, equals), &headers->text);
            headers->items[headers->count++] = (struct amz_header){
                name, amz_value_keep(span_skip(part, equals + 1), true, &headers->text)};
        }
    }
}

static void gathered_append(const struct amz_headers *headers, struct buf *out)
{
    for (size_t i = 0; i < headers->count; i++) {
        bool same = i > 0 && span_equal(headers->items[i].name, headers->items[i - 1].name);
        if (!same) {
            buf_append_cstr(out, i > 0 ? "\n" : "");
            buf_append_span(out, headers->items[i].name);
        }
        buf_append_byte(out, same ? ',' : ':');
        buf_append_span(out, headers->items[i].value);
    }
    buf_append_cstr(out, headers->count > 0 ? "\n" : "");
}

static void amz_headers_append(const struct sigv4_check *check, struct buf *out)
{
    const struct sigv4_request *request = check->request;
    size_t count_max = request->header_count + 1;
    size_t bytes = request->query.len;
    for (size_t i = 0; i < request->header_count; i++) {
        bytes += request->headers[i].name.len + request->headers[i].value.len;
    }
    for (size_t i = 0; i < request->query.len; i++) {
        count_max += request->query.ptr[i] == '&';
    }
    struct amz_headers headers = {calloc(count_max, sizeof(*headers.items)), 0, {.ptr = NULL}};
    buf_init(&headers.text, bytes + 1);
    if (headers.items == NULL || !buf_reserve(&headers.text, bytes)) {
        buf_no_memory(out);
    } else {
        amz_headers_gather(check, &headers);
        qsort(headers.items, headers.count, sizeof(*headers.items), amz_header_order);
        gathered_append(&headers, out);
    }
    buf_release(&headers.text);
    free(headers.items);
}

/* --- the signature --- */

/* The moment that is signed: the URL's end, or Date, which x-amz-date makes empty. */
static void moment_append(const struct sigv4_check *check, struct buf *out)
{
    if (check->claim->kind == SIGV2_QUERY) {
        buf_append_i64(out, check->claim->expires_s);
    } else if (sigv4_header_count(check->request, "x-amz-date") == 0) {
        buf_append_span(out, sigv4_header_value(check->request, "date"));
    }
}

bool sigv2_claim_verify(const struct sigv4_check *check, struct span resource,
                        struct buf *string_to_sign)
{
    struct buf signature;
    buf_reset(string_to_sign);
    buf_append_span(string_to_sign, check->request->method);
    buf_append_byte(string_to_sign, '\n');
    buf_append_span(string_to_sign, sigv4_header_value(check->request, "content-md5"));
    buf_append_byte(string_to_sign, '\n');
    buf_append_span(string_to_sign, sigv4_header_value(check->request, "content-type"));
    buf_append_byte(string_to_sign, '\n');
    moment_append(check, string_to_sign);
    buf_append_byte(string_to_sign, '\n');
    amz_headers_append(check, string_to_sign);
    buf_append_span(string_to_sign, resource);

    struct digest_value value =
        digest_hmac(check->crypto, DIGEST_SHA1, check->secret, buf_span(string_to_sign));
    buf_init(&signature, 64);
    base64_encode(digest_span(&value), &signature);
    if (!buf_ok(&signature)) {
        buf_no_memory(string_to_sign);
    }
    bool fits =
        buf_ok(string_to_sign) && digest_text_equal(buf_span(&signature), check->claim->signature);
    buf_release(&signature);
    return fits;
}
