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

struct s3_client_options {
    struct env *env;
    const char *url;        /* "http://127.0.0.1:9000", "https://s3.us-east-1.amazonaws.com" */
    const char *region;     /* "us-east-1" */
    const char *access_key; /* NULL: requests are not signed */
    const char *secret;
    const char *session_token;
    size_t concurrency; /* requests in flight; 0: 8 */
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
/* All pages, in key order, while visit returns true. delimiter empty: none. The next page is under
 * way while the present one is visited. */
struct s3_list {
    struct span bucket;
    struct span prefix;
    struct span delimiter;
    struct span start_after;
};
enum status s3_client_list(struct s3_client *client, const struct s3_list *list,
                           bool (*visit)(void *ctx, const struct s3_listed *item), void *ctx,
                           struct error *err) PP_MUST_USE;
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
/* Asks `next` for keys until it says no; gives each object to `visit` in the order asked for.
 * Objects above bytes_max fail with LIMIT. */
struct s3_fetch {
    struct span bucket;
    bool (*next)(void *ctx, struct buf *key);
    /* status of this object: OK, NOT_FOUND, ... ; false stops. */
    bool (*visit)(void *ctx, struct span key, enum status status, struct span bytes);
    void *ctx;
    size_t bytes_max;
};
enum status s3_client_fetch(struct s3_client *client, const struct s3_fetch *fetch,
                            struct error *err) PP_MUST_USE;

/* --- files --- */
struct s3_transfer_progress {
    void (*moved)(void *ctx, uint64_t done, uint64_t total);
    void *ctx;
};
/* Ranged and concurrent above 8 MiB; the file appears whole or not at all. */
enum status s3_client_download(struct s3_client *client, struct span bucket, struct span key,
                               const char *path, const struct s3_transfer_progress *progress,
                               struct error *err) PP_MUST_USE;
/* Multipart above 8 MiB; an upload that fails is aborted. */
enum status s3_client_upload(struct s3_client *client, struct span bucket, struct span key,
                             const char *path, const struct s3_transfer_progress *progress,
                             struct error *err) PP_MUST_USE;

#endif
