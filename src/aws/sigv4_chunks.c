/* Every chunk of a streamed body signs its data and the signature before it; the first chunk signs
 * that of the request's head. */
#include "sigv4_chunks.h"

#include "sigv4_internal.h"

#include <stdio.h>
#include <string.h>

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

void sigv4_chunks_init(struct sigv4_chunks *chunks, struct crypto *crypto,
                       const struct sigv4_claim *claim, struct span secret)
{
    *chunks = (struct sigv4_chunks){.crypto = crypto};
    chunks->key = sigv4_signing_key(crypto, secret, &claim->scope);
    snprintf(chunks->date_time, sizeof(chunks->date_time), "%.*s", SPAN_ARG(claim->date_time));
    snprintf(chunks->scope, sizeof(chunks->scope), "%.*s/%.*s/%.*s/" SIGV4_TERMINATOR,
             SPAN_ARG(claim->scope.date), SPAN_ARG(claim->scope.region),
             SPAN_ARG(claim->scope.service));
    snprintf(chunks->previous, sizeof(chunks->previous), "%.*s", SPAN_ARG(claim->signature));
}

/* Signs "<algorithm>\n<moment>\n<scope>\n<previous>\n<hashes>". */
static void chunk_sign_next(struct sigv4_chunks *chunks, const char *algorithm, const char *hashes,
                            char out[SIGV4_SIGNATURE_BYTES])
{
    char text[sizeof(chunks->scope) + sizeof(chunks->date_time) + 4 * SIGV4_SIGNATURE_BYTES];
    int len = snprintf(text, sizeof(text), "%s\n%s\n%s\n%s\n%s", algorithm, chunks->date_time,
                       chunks->scope, chunks->previous, hashes);
    PP_ASSERT(len > 0 && (size_t)len < sizeof(text));
    sigv4_signature(chunks->crypto, &chunks->key, span_from(text, (size_t)len), out);
    memcpy(chunks->previous, out, sizeof(chunks->previous));
}

void sigv4_chunk_sign(struct sigv4_chunks *chunks, const struct digest_value *data_sha256,
                      char out[SIGV4_SIGNATURE_BYTES])
{
    char hashes[sizeof(EMPTY_SHA256 "\n") + DIGEST_HEX_BYTES_MAX] = EMPTY_SHA256 "\n";
    digest_hex(data_sha256, hashes + strlen(hashes));
    chunk_sign_next(chunks, SIGV4_ALGORITHM "-PAYLOAD", hashes, out);
}

void sigv4_trailer_sign(struct sigv4_chunks *chunks, const struct digest_value *trailer_sha256,
                        char out[SIGV4_SIGNATURE_BYTES])
{
    char hash[DIGEST_HEX_BYTES_MAX];
    digest_hex(trailer_sha256, hash);
    chunk_sign_next(chunks, SIGV4_ALGORITHM "-TRAILER", hash, out);
}
