/* S3's XML answers, read with expat: errors, pages of a listing, the list of buckets, the two
 * answers of a multipart upload. Documents with a DOCTYPE (entities) are refused. */
#ifndef PINPIPE_S3_ANSWER_H
#define PINPIPE_S3_ANSWER_H

#include "arena.h"
#include "s3_client.h"

enum {
    S3_ANSWER_TEXT_BYTES_MAX = 16 * 1024, /* of one element: a key of 1024 bytes, all escaped */
    S3_ANSWER_DEPTH_MAX = 12,
    S3_PAGE_BYTES_MAX = 8 * 1024 * 1024,
    S3_UPLOAD_ID_BYTES = 512,
};

/* <Error>; texts that are absent are "". */
struct s3_error_answer {
    char code[64];
    char message[256]; /* printable */
    char region[64];   /* the one that would be right */
};
/* INVALID: the body is no <Error> document; NO_MEMORY: nobody knows. */
enum status s3_answer_error(struct span body, struct s3_error_answer *out);

/* A page of ListObjectsV2, ListObjects or ListBuckets (a bucket is an item with its name as key
 * and its creation as modified_ms). Everything lives in the arena. */
struct s3_page {
    struct arena arena;
    struct s3_listed *items; /* keys and common prefixes together, in key order */
    size_t count;
    size_t cap;
    bool truncated;
    struct span next_token; /* as the next request must send it, not yet encoded */
};
void s3_page_init(struct s3_page *page);
void s3_page_release(struct s3_page *page);
/* Replaces what the page held. INVALID: not such a document; NO_MEMORY. */
enum status s3_answer_list(struct span body, struct s3_page *page, struct error *err) PP_MUST_USE;

/* The UploadId of InitiateMultipartUpload; INVALID. */
enum status s3_answer_upload_id(struct span body, char out[S3_UPLOAD_ID_BYTES],
                                struct error *err) PP_MUST_USE;

/* "2026-01-02T03:04:05.000Z"; false for anything else. */
bool s3_time_iso(struct span text, int64_t *unix_ms);

#endif
