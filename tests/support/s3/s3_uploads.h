/* Multipart uploads in few words, on an s3_fixture. */
#ifndef PINPIPE_S3_UPLOADS_H
#define PINPIPE_S3_UPLOADS_H

#include "s3_fixture.h"

enum { s3_mib = 1024 * 1024, s3_upload_id_bytes = 128 };

/* Bytes that repeat nowhere near: byte i is i * 31 + i / 256 + seed. Freed by the caller. */
struct span s3_pattern(size_t len, unsigned seed);

/* Begins an upload of /bkt/<key> with these headers (NULL-terminated; NULL: none) and leaves its id
 * in out. */
void s3_upload_begin(struct s3_fixture *f, const char *key, const char *const *headers,
                     char out[s3_upload_id_bytes]);
/* PUTs a part with one more header (NULL: none); the reply is in the fixture. */
void s3_upload_part_put(struct s3_fixture *f, const char *key, const char *id, int number,
                        struct span body, const char *header);
/* The same of a pattern. */
void s3_upload_part_pattern(struct s3_fixture *f, const char *key, const char *id, int number,
                            size_t len);
/* POSTs this text between <CompleteMultipartUpload> and its end. */
void s3_upload_finish(struct s3_fixture *f, const char *key, const char *id, const char *parts);
/* Any request on an upload: "GET", "DELETE". */
void s3_upload_do(struct s3_fixture *f, const char *method, const char *key, const char *id);

#endif
