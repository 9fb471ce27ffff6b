#include "signed_request.h"

#include "sigv2.h"

#include <stdlib.h>

void signed_request_parse(const struct signed_request *texts, struct parsed_request *out)
{
    struct span rest = span_from_cstr(texts->headers);
    struct span line;
    size_t count = 0;
    while (span_next_part(&rest, '\n', &line)) {
        size_t colon = span_find_byte(line, ':');
        PP_ASSERT(count < signed_request_headers_max);
        out->headers[count++] =
            (struct sigv4_header){span_first(line, colon), span_skip(line, colon + 1)};
    }
    out->request = (struct sigv4_request){
        .method = span_from_cstr(texts->method),
        .path = span_from_cstr(texts->path),
        .query = span_from_cstr(texts->query),
        .headers = out->headers,
        .header_count = count,
        .payload_hash = span_from_cstr(texts->payload_hash),
        .path_style = span_equal_cstr(span_from_cstr(texts->service), "s3") ? SIGV4_PATH_S3
                                                                            : SIGV4_PATH_DOUBLE,
    };
}

struct crypto *signed_request_crypto(void)
{
    struct crypto *crypto;
    PP_ASSERT(crypto_new(&crypto) == STATUS_OK);
    PP_ASSERT(crypto_ready(crypto, NULL) == STATUS_OK);
    return crypto;
}

bool signed_request_fits(struct crypto *crypto, const struct sigv4_request *request,
                         struct span bucket, struct span secret)
{
    struct arena arena;
    struct buf canonical;
    struct buf text;
    struct sigv4_claim claim;
    const char *what;
    bool fits = false;
    struct sigv4_check check = {crypto, &claim, request, secret};
    arena_init(&arena, 1 << 16);
    buf_init(&canonical, 1 << 16);
    buf_init(&text, 1 << 16);
    if (sigv4_claim_parse(request, &arena, &claim, &what) == SIGV4_SOUND) {
        if (claim.kind == SIGV4_HEADER || claim.kind == SIGV4_QUERY) {
            fits = sigv4_claim_verify(&check, &canonical, &text);
        } else if (claim.kind != SIGV4_NONE) {
            sigv2_resource(bucket, request, &canonical);
            fits = sigv2_claim_verify(&check, buf_span(&canonical), &text);
        }
    }
    buf_release(&text);
    buf_release(&canonical);
    arena_release(&arena);
    return fits;
}
