/* S3 from the client's side, this laptop's or the real one: signed when there are credentials,
 * many requests at a time, transient failures retried. Built on base/http_client and base/sigv4.
 *
 * Errors: UNREACHABLE, NOT_FOUND (no such bucket, key), CONFIG (403: credentials, wrong region),
 * BUSY (503 after retries), INVALID, FAILED. Messages name the request, S3's own code and words and
 * its X-Pinpipe-Hint when there is one; never a secret. */
#ifndef PINPIPE_S3_CLIENT_H
#define PINPIPE_S3_CLIENT_H

#include "buf.h"
#include "env.h"
#include "error.h"

struct s3_client;

/* The texts are borrowed for the client's life. */
struct s3_client_options {
    struct env *env;
    const char *url;        /* "http://127.0.0.1:9000", "https://s3.us-east-1.amazonaws.com" */
    const char *region;     /* "us-east-1" */
    const char *access_key; /* NULL: requests are not signed */
    const char *secret;
    const char *session_token;
    size_t concurrency; /* requests in flight; 0: 8 */
    int64_t timeout_ms; /* of a request; 0: 5 minutes, and 60 s without a byte */
    bool (*should_stop)(void *ctx);
    void *should_stop_ctx;
};

enum status s3_client_new(const struct s3_client_options *options, struct s3_client **out,
                          struct error *err) PP_MUST_USE;
void s3_client_free(struct s3_client *client);

/* --- listing --- */
struct s3_listed {
    struct span key; /* or common prefix */
    bool is_prefix;
    uint64_t size;
    struct span etag;
    int64_t modified_ms;
};
/* Visits the items of all pages, in key order, while visit returns true. delimiter empty: none. The
 * next page is under way while the present one is visited. */
struct s3_list {
    struct span bucket;
    struct span prefix;
    struct span delimiter;
    struct span start_after;
};
enum status s3_client_list(struct s3_client *client, const struct s3_list *list,
                           bool (*visit)(void *ctx, const struct s3_listed *item), void *ctx,
                           struct error *err) PP_MUST_USE;
/* A listing gives its items one by one, for whoever merges it with something else. *more false:
 * that was all; the item is valid until the next call. Other requests of the client may be made in
 * between. */
struct s3_listing;
enum status s3_listing_open(struct s3_client *client, const struct s3_list *list,
                            struct s3_listing **out, struct error *err) PP_MUST_USE;
enum status s3_listing_next(struct s3_listing *listing, struct s3_listed *item, bool *more,
                            struct error *err) PP_MUST_USE;
void s3_listing_close(struct s3_listing *listing); /* NULL is fine */
enum status s3_client_buckets(struct s3_client *client,
                              bool (*visit)(void *ctx, struct span name, int64_t created_ms),
                              void *ctx, struct error *err) PP_MUST_USE;

/* --- objects --- */
struct s3_head {
    uint64_t size;
    int64_t modified_ms;
    char etag[128];
    char content_type[128];
};
enum status s3_client_head(struct s3_client *client, struct span bucket, struct span key,
                           struct s3_head *out, struct error *err) PP_MUST_USE;
/* At most `len` bytes from `offset` (len 0: to the end) appended to out. if_match: an ETag the
 * object must still have, or empty. */
struct s3_range {
    uint64_t offset;
    uint64_t len;
    const char *if_match;
};
enum status s3_client_get(struct s3_client *client, struct span bucket, struct span key,
                          struct s3_range range, struct buf *out, struct error *err) PP_MUST_USE;
enum status s3_client_put(struct s3_client *client, struct span bucket, struct span key,
                          struct span bytes, const char *content_type,
                          struct error *err) PP_MUST_USE;

/* --- many objects, in order, `concurrency` of them in flight --- */
/* Asks `next` for keys until it says no; gives each object to `visit` in the order asked for, with
 * OK, NOT_FOUND, or LIMIT for an object above bytes_max. Any other failure ends the fetch. Both may
 * make requests of their own. */
struct s3_fetch {
    struct span bucket;
    bool (*next)(void *ctx, struct buf *key);
    /* false stops */
    bool (*visit)(void *ctx, struct span key, enum status status, struct span bytes);
    void *ctx;
    size_t bytes_max;
};
enum status s3_client_fetch(struct s3_client *client, const struct s3_fetch *fetch,
                            struct error *err) PP_MUST_USE;

/* Deletes the object; STATUS_OK also when there was none. */
enum status s3_client_delete(struct s3_client *client, struct span bucket, struct span key,
                             struct error *err) PP_MUST_USE;

/* Copies an object within S3, whatever its size; the copy keeps type and metadata. NOT_FOUND: no
 * such source. */
struct s3_copy {
    struct span from_bucket;
    struct span from_key;
    struct span to_bucket;
    struct span to_key;
};
enum status s3_client_copy(struct s3_client *client, const struct s3_copy *copy,
                           struct error *err) PP_MUST_USE;

/* --- buckets --- */
/* In the client's region. EXISTS: it is there, this account's or another's. */
enum status s3_client_bucket_create(struct s3_client *client, struct span bucket,
                                    struct error *err) PP_MUST_USE;
/* Deletes an empty bucket. */
enum status s3_client_bucket_delete(struct s3_client *client, struct span bucket,
                                    struct error *err) PP_MUST_USE;

/* --- files --- */
enum {
    S3_PART_BYTES = 8 * 1024 * 1024, /* of a ranged read and of a multipart upload */
    S3_PART_BYTES_MAX = 64 * 1024 * 1024,
    S3_PARTS_MAX = 10000,
};

struct s3_transfer_progress {
    void (*moved)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};
/* The whole object in pieces of S3_PART_BYTES, several of them in flight, given to `write` in
 * order; an object that changes meanwhile is FAILED. *head is filled before the first write. */
struct s3_sink {
    enum status (*write)(void *ctx, struct span bytes, struct error *err);
    void *ctx;
};
enum status s3_client_read(struct s3_client *client, struct span bucket, struct span key,
                           const struct s3_sink *sink, struct s3_head *head,
                           struct error *err) PP_MUST_USE;
/* Reads an object into a file, which appears whole or not at all and has the object's time. */
enum status s3_client_download(struct s3_client *client, struct span bucket, struct span key,
                               const char *path, const struct s3_transfer_progress *progress,
                               struct error *err) PP_MUST_USE;
/* Multipart above S3_PART_BYTES; an upload that fails is aborted. LIMIT: more than S3_PARTS_MAX of
 * S3_PART_BYTES_MAX. */
enum status s3_client_upload(struct s3_client *client, struct span bucket, struct span key,
                             const char *path, const struct s3_transfer_progress *progress,
                             struct error *err) PP_MUST_USE;

/* --- many files --- */
enum s3_job_kind { S3_JOB_UPLOAD, S3_JOB_DOWNLOAD, S3_JOB_DELETE, S3_JOB_COPY };
struct s3_job {
    enum s3_job_kind kind;
    struct span key;
    const char *path; /* of the file; for COPY "bucket/key" of the source; not for DELETE */
    uint64_t size;    /* as far as it is known */
};
/* Asks `next` for jobs until it says no (its texts are copied) and does them, those above
 * S3_PART_BYTES one after the other in parts, the others side by side; `done` hears of each in the
 * order in which they end. A job that fails does not end the rest. What would fail all of them
 * (INTERRUPTED, UNREACHABLE, CONFIG, NO_MEMORY, DISK_FULL) ends the run with that status, and
 * `done` does not hear of it. */
struct s3_jobs {
    struct span bucket;
    enum status (*next)(void *ctx, struct s3_job *job, bool *more, struct error *err);
    void (*done)(void *ctx, const struct s3_job *job, enum status status, const struct error *err);
    void *ctx;
};
enum status s3_client_run_jobs(struct s3_client *client, const struct s3_jobs *jobs,
                               struct error *err) PP_MUST_USE;

#endif
