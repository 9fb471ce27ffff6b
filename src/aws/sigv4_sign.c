/* From the canonical request to the signature, and the signer that puts it into a request. */
#include "sigv4_internal.h"

#include "url.h"

#include <stdlib.h>
#include <string.h>

enum { short_secret_bytes = 1024 };

static void scope_append(const struct sigv4_scope *scope, struct buf *out)
{
    buf_append_span(out, scope->date);
    buf_append_byte(out, '/');
    buf_append_span(out, scope->region);
    buf_append_byte(out, '/');
    buf_append_span(out, scope->service);
    BUF_APPEND_LIT(out, "/" SIGV4_TERMINATOR);
}

void sigv4_string_to_sign(struct crypto *crypto, struct span canonical_request,
                          struct span date_time, const struct sigv4_scope *scope, struct buf *out)
{
    char hex[DIGEST_HEX_BYTES_MAX];
    struct digest_value digest = digest_of(crypto, DIGEST_SHA256, canonical_request);
    digest_hex(&digest, hex);
    BUF_APPEND_LIT(out, SIGV4_ALGORITHM "\n");
    buf_append_span(out, date_time);
    buf_append_byte(out, '\n');
    scope_append(scope, out);
    buf_append_byte(out, '\n');
    buf_append_cstr(out, hex);
}

struct digest_value sigv4_signing_key(struct crypto *crypto, struct span secret,
                                      const struct sigv4_scope *scope)
{
    const struct span steps[] = {scope->date, scope->region, scope->service,
                                 SPAN_LIT(SIGV4_TERMINATOR)};
    char short_first[short_secret_bytes] = "AWS4";
    struct buf first;
    struct span start = span_from(short_first, 4 + secret.len);
    buf_init(&first, secret.len + sizeof("AWS4"));
    if (start.len <= sizeof(short_first)) { /* as all that AWS gives away: needs no memory */
        memcpy(short_first + 4, secret.ptr, secret.len);
    } else {
        BUF_APPEND_LIT(&first, "AWS4");
        buf_append_span(&first, secret);
        PP_ASSERT(buf_ok(&first)); /* as in digest.c: out of memory, and nothing to go on with */
        start = buf_span(&first);
    }
    struct digest_value key = digest_hmac(crypto, DIGEST_SHA256, start, steps[0]);
    for (size_t i = 1; i < ARRAY_COUNT(steps); i++) {
        key = digest_hmac(crypto, DIGEST_SHA256, digest_span(&key), steps[i]);
    }
    buf_release(&first);
    return key;
}

void sigv4_signature(struct crypto *crypto, const struct digest_value *signing_key,
                     struct span string_to_sign, char out[SIGV4_SIGNATURE_BYTES])
{
    struct digest_value value =
        digest_hmac(crypto, DIGEST_SHA256, digest_span(signing_key), string_to_sign);
    digest_hex(&value, out);
}

/* --- the signer --- */

/* Appends the list of signed headers, "host;x-amz-date": all that the request has, each once. */
static void names_append(const struct sigv4_request *request, struct buf *out)
{
    struct span *names = calloc(request->header_count + 1, sizeof(*names));
    struct buf text;
    size_t bytes = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        bytes += request->headers[i].name.len;
    }
    buf_init(&text, bytes + 1);
    if (names == NULL || !buf_reserve(&text, bytes)) {
        buf_no_memory(out);
    } else {
        for (size_t i = 0; i < request->header_count; i++) {
            size_t start = text.len;
            sigv4_lower_append(request->headers[i].name, &text);
            names[i] = span_skip(buf_span(&text), start);
        }
        qsort(names, request->header_count, sizeof(*names), sigv4_span_order);
        for (size_t i = 0; i < request->header_count; i++) {
            if (i == 0 || !span_equal(names[i], names[i - 1])) {
                buf_append_cstr(out, i > 0 ? ";" : "");
                buf_append_span(out, names[i]);
            }
        }
    }
    buf_release(&text);
    free(names);
}

static struct sigv4_scope signer_scope(const struct sigv4_signer *signer, struct span date_time)
{
    return (struct sigv4_scope){span_first(date_time, 8), signer->region, signer->service};
}

/* Appends the request's signature. */
static void signature_append(const struct sigv4_signer *signer, const struct sigv4_request *request,
                             struct span date_time, struct span names, struct buf *out)
{
    struct sigv4_scope scope = signer_scope(signer, date_time);
    struct digest_value key = sigv4_signing_key(signer->crypto, signer->credentials.secret, &scope);
    struct buf canonical;
    struct buf text;
    char signature[SIGV4_SIGNATURE_BYTES];
    buf_init(&canonical, SIGV4_SCRATCH_BYTES_MAX);
    buf_init(&text, SIGV4_SCRATCH_BYTES_MAX);
    sigv4_canonical_request(request, names, SPAN_EMPTY, &canonical);
    sigv4_string_to_sign(signer->crypto, buf_span(&canonical), date_time, &scope, &text);
    sigv4_signature(signer->crypto, &key, buf_span(&text), signature);
    buf_append_cstr(out, signature); /* a wrong one where a text did not fit: then out fails */
    buf_inherit(out, &canonical);
    buf_inherit(out, &text);
    buf_release(&canonical);
    buf_release(&text);
}

void sigv4_authorization(const struct sigv4_signer *signer, const struct sigv4_request *request,
                         struct span date_time, struct buf *out)
{
    struct sigv4_scope scope = signer_scope(signer, date_time);
    struct buf names;
    buf_init(&names, SIGV4_SCRATCH_BYTES_MAX);
    names_append(request, &names);
    BUF_APPEND_LIT(out, SIGV4_ALGORITHM " Credential=");
    buf_append_span(out, signer->credentials.access_key);
    buf_append_byte(out, '/');
    scope_append(&scope, out);
    BUF_APPEND_LIT(out, ", SignedHeaders=");
    buf_append_span(out, buf_span(&names));
    BUF_APPEND_LIT(out, ", Signature=");
    signature_append(signer, request, date_time, buf_span(&names), out);
    buf_inherit(out, &names);
    buf_release(&names);
}

static void presigned_append(struct buf *out, const char *name, struct span value)
{
    buf_append_byte(out, '&');
    buf_append_cstr(out, name);
    buf_append_byte(out, '=');
    url_encode(value, false, out);
}

void sigv4_presign(const struct sigv4_signer *signer, const struct sigv4_request *request,
                   const struct sigv4_presign *presign, struct buf *out)
{
    struct sigv4_scope scope = signer_scope(signer, presign->date_time);
    struct sigv4_request presigned = *request;
    size_t start = out->len;
    struct buf credential;
    struct buf names;
    buf_init(&credential, SIGV4_SCRATCH_BYTES_MAX);
    buf_init(&names, SIGV4_SCRATCH_BYTES_MAX);
    names_append(request, &names);
    buf_append_span(&credential, signer->credentials.access_key);
    buf_append_byte(&credential, '/');
    scope_append(&scope, &credential);

    buf_append_span(out, request->query);
    buf_append_cstr(out, request->query.len > 0 ? "&" : "");
    BUF_APPEND_LIT(out, "X-Amz-Algorithm=" SIGV4_ALGORITHM);
    presigned_append(out, "X-Amz-Credential", buf_span(&credential));
    presigned_append(out, "X-Amz-Date", presign->date_time);
    BUF_APPEND_LIT(out, "&X-Amz-Expires=");
    buf_append_i64(out, presign->expires_s);
    presigned_append(out, "X-Amz-SignedHeaders", buf_span(&names));
    if (signer->credentials.session_token.len > 0) {
        presigned_append(out, "X-Amz-Security-Token", signer->credentials.session_token);
    }
    /* The query that is signed stands in `out`, which may move while it grows: a copy. */
    struct buf query;
    buf_init(&query, SIGV4_SCRATCH_BYTES_MAX);
    buf_append_span(&query, span_skip(buf_span(out), start));
    presigned.query = buf_span(&query);
    BUF_APPEND_LIT(out, "&X-Amz-Signature=");
    signature_append(signer, &presigned, presign->date_time, buf_span(&names), out);
    buf_inherit(out, &names);
    buf_inherit(out, &credential);
    buf_inherit(out, &query);
    buf_release(&query);
    buf_release(&names);
    buf_release(&credential);
}
