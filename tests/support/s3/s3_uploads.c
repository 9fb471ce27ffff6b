#include "s3_uploads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { target_bytes = 2048, body_bytes_max = 8 * 1024 * 1024 };

struct span s3_pattern(size_t len, unsigned seed)
{
    char *bytes = malloc(len > 0 ? len : 1);
    PP_ASSERT(bytes != NULL);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)((i * 31 + (i >> 8) + seed) & 255);
    }
    return span_from(bytes, len);
}

void s3_upload_begin(struct s3_fixture *f, const char *key, const char *const *headers,
                     char out[s3_upload_id_bytes])
{
    char target[target_bytes];
    snprintf(target, sizeof(target), "/bkt/%s?uploads", key);
    struct s3_ask ask = {.method = "POST", .target = target, .body = SPAN_EMPTY};
    for (size_t i = 0; headers != NULL && headers[i] != NULL; i++) {
        ask.headers[i] = headers[i];
    }
    s3_ask(f, &ask);
    s3_assert_status(f, 200);
    struct span id = s3_reply_element(f, "UploadId");
    assert_true(id.len > 0 && id.len < s3_upload_id_bytes);
    snprintf(out, s3_upload_id_bytes, "%.*s", SPAN_ARG(id));
}

void s3_upload_part_put(struct s3_fixture *f, const char *key, const char *id, int number,
                        struct span body, const char *header)
{
    char target[target_bytes];
    snprintf(target, sizeof(target), "/bkt/%s?partNumber=%d&uploadId=%s", key, number, id);
    struct s3_ask ask = {.method = "PUT", .target = target, .headers = {header}, .body = body};
    s3_ask(f, &ask);
}

void s3_upload_part_pattern(struct s3_fixture *f, const char *key, const char *id, int number,
                            size_t len)
{
    struct span bytes = s3_pattern(len, (unsigned)number);
    s3_upload_part_put(f, key, id, number, bytes, NULL);
    free((void *)(uintptr_t)bytes.ptr);
    s3_assert_status(f, 200);
}

void s3_upload_finish(struct s3_fixture *f, const char *key, const char *id, const char *parts)
{
    char target[target_bytes];
    struct buf body;
    snprintf(target, sizeof(target), "/bkt/%s?uploadId=%s", key, id);
    buf_init(&body, body_bytes_max);
    buf_append_cstr(&body, "<CompleteMultipartUpload "
                           "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    buf_append_cstr(&body, parts);
    buf_append_cstr(&body, "</CompleteMultipartUpload>");
    struct s3_ask ask = {.method = "POST", .target = target, .body = buf_span(&body)};
    s3_ask(f, &ask);
    buf_release(&body);
}

void s3_upload_do(struct s3_fixture *f, const char *method, const char *key, const char *id)
{
    char target[target_bytes];
    snprintf(target, sizeof(target), "/bkt/%s?uploadId=%s", key, id);
    s3_do(f, method, target);
}
