/* Ids look like S3's: sixteen hex digits, and 76 characters of Base64. */
#include "s3_identity.h"

#include "base64.h"
#include "hex.h"

#include <string.h>

void s3_identity_make(struct env *env, struct s3_identity *out)
{
    enum { host_words = 7 };
    uint64_t words[host_words];
    struct buf text;
    uint64_t word = env->random_u64(env);
    *out = (struct s3_identity){.host_id = ""};
    for (size_t i = 0; i < S3_REQUEST_ID_BYTES - 1; i++, word >>= 4) {
        out->request_id[i] = HEX_UPPER[word & 15];
    }
    for (size_t i = 0; i < host_words; i++) {
        words[i] = env->random_u64(env);
    }
    buf_init(&text, S3_HOST_ID_BYTES);
    base64_encode(span_from((const char *)words, sizeof(words)), &text);
    if (buf_ok(&text)) {
        PP_ASSERT(text.len == S3_HOST_ID_BYTES - 1);
        memcpy(out->host_id, text.ptr, text.len);
    }
    buf_release(&text);
}

void s3_identity_headers(const struct s3_identity *identity, struct reply *reply)
{
    reply_add_header_cstr(reply, "x-amz-id-2", identity->host_id);
    reply_add_header_cstr(reply, "x-amz-request-id", identity->request_id);
    reply_add_header_cstr(reply, "Server", "AmazonS3");
}
