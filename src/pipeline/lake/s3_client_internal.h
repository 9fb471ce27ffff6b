/* Private to s3_client*.c: one request at a time in a slot, any number of slots side by side.
 *
 *   s3_client.c           requests (where to, how signed), slots (sending, retries, verdicts)
 *   s3_client_objects.c   listings, single objects, many objects in order
 *   s3_client_buckets.c   copies within S3, buckets made and deleted
 *   s3_client_read.c      objects in pieces, to files
 *   s3_client_upload.c    files to objects
 *   s3_client_jobs.c      many files */
#ifndef PINPIPE_S3_CLIENT_INTERNAL_H
#define PINPIPE_S3_CLIENT_INTERNAL_H

#include "digest.h"
#include "http_client.h"
#include "retry.h"
#include "s3_answer.h"
#include "s3_client.h"

enum {
    S3_CONCURRENCY_DEFAULT = 8,
    S3_CONCURRENCY_MAX = 64,
    S3_RETRY_ATTEMPTS = 6, /* with the delays of retry.h about 3 s on average, 6 s at most */
    S3_ANSWER_BYTES_MAX = 64 * 1024 * 1024 + 64 * 1024,
    S3_URL_BYTES_MAX = 32 * 1024, /* a key of 1024 bytes, all escaped, and a listing's query */
    S3_HEADER_TEXT_BYTES = 256,
    S3_KEY_BYTES_MAX = 1024,
    S3_PATH_BYTES_MAX = 4096,
    S3_PIECES_IN_FLIGHT_MAX = 8, /* of one object: with S3_PART_BYTES each 64 MiB at most */
};

struct s3_request {
    const char *method;
    struct span bucket; /* empty: the list of buckets */
    struct span key;    /* empty: the bucket itself */
    struct span query;  /* encoded, without '?' */
    const char *content_type;
    const char *range;       /* "bytes=0-7" */
    const char *if_match;    /* with its quotes */
    struct span copy_bucket; /* of the object that is copied; empty: none */
    struct span copy_key;
    struct span body; /* borrowed until the slot has settled */
    bool has_body;
};

enum s3_slot_state {
    S3_SLOT_IDLE,    /* sent by s3_slot_send */
    S3_SLOT_FLYING,  /* an answer settles it or makes it wait */
    S3_SLOT_WAITING, /* for the next attempt */
    S3_SLOT_SETTLED, /* its verdict is known; may be sent again */
};

struct s3_slot {
    struct s3_slot *next;
    struct s3_client *client;
    struct http_call *call;
    enum s3_slot_state state;
    bool taken;

    /* The request as it is sent, again and again if need be. */
    const char *method;
    struct buf path; /* encoded */
    struct buf query;
    struct buf url;
    struct buf headers; /* lines, a NUL behind each */
    char content_type[S3_HEADER_TEXT_BYTES];
    char range[S3_HEADER_TEXT_BYTES];
    char if_match[S3_HEADER_TEXT_BYTES];
    struct buf copy_source;          /* encoded */
    char what[S3_HEADER_TEXT_BYTES]; /* "GET s3://bucket/key", for messages */
    struct buf host;
    struct span body;
    bool has_body;
    int64_t attempts;
    int64_t due_us;

    /* The verdict; the response is valid until the slot is sent again or given back. */
    enum status status;
    struct error error;
    const struct http_response *response;

    struct buf bytes; /* for whoever has the slot: a part on its way */
    uint64_t tag;
};

struct s3_client {
    struct s3_client_options options;
    struct env *env;
    struct http_client *http;
    struct crypto *crypto;
    struct retry_policy retry;
    struct s3_slot *slots;
    size_t concurrency;
    char *texts; /* the host below */
    struct span scheme;
    struct span host; /* as it stands in a URL: with brackets and with a port that is not usual */
    bool is_aws;
    bool was_reached; /* something has answered: a refused connection may pass */
    bool cleaning;    /* after an interruption or a failure: one attempt, and no time */
};

/* Where a request goes: "http://host" or "https://bucket.host", and the encoded path. */
void s3_client_address(const struct s3_client *client, const struct s3_request *request,
                       struct buf *host, struct buf *path);
/* Is it worth another attempt? */
bool s3_client_should_retry(const struct http_response *response, bool was_reached);
/* The status that the answer means; *err says it with the request in front. */
enum status s3_client_judge(const struct s3_client *client, const char *what,
                            const struct http_response *response, struct error *err);

/* NULL (and *err): no memory. */
struct s3_slot *s3_slot_take(struct s3_client *client, struct error *err);
/* Ends what is under way. NULL is fine. */
void s3_slot_give(struct s3_slot *slot);
/* INVALID: no bucket or key that could be sent. */
enum status s3_slot_send(struct s3_slot *slot, const struct s3_request *request,
                         struct error *err) PP_MUST_USE;
/* Until the slot has settled. INTERRUPTED: should_stop said so. */
enum status s3_slot_wait(struct s3_slot *slot, struct error *err) PP_MUST_USE;
/* Until one of them has settled (those that are idle do not count). */
enum status s3_slots_wait_any(struct s3_client *client, struct s3_slot *const *slots, size_t count,
                              size_t *settled, struct error *err) PP_MUST_USE;
/* The verdict of a settled slot, its words in *err. */
enum status s3_slot_verdict(const struct s3_slot *slot, struct error *err);
/* take, send, wait, verdict. The slot is the caller's also after a failure (or NULL). */
enum status s3_client_call(struct s3_client *client, const struct s3_request *request,
                           struct s3_slot **slot, struct error *err) PP_MUST_USE;
/* What a copy's answer means: S3 may say 200 first and fail later, in the body. */
enum status s3_copy_verdict(const struct s3_slot *slot, struct error *err);
/* ETag, size and time of an answer; the size is the whole object's, of a range too. */
void s3_client_head_read(const struct http_response *response, struct s3_head *out);

/* A file that is written beside its place, as <name>.pinpipe-part; finish gives it the object's
 * time and its name, abandon removes it (and does nothing after finish or a failed open). What a
 * killed process has left there is swept by the next open; BUSY: a running one is writing it. */
#define S3_PART_SUFFIX ".pinpipe-part"
struct s3_new_file {
    const char *path;
    char beside[S3_PATH_BYTES_MAX];
    int fd;
    uint64_t written;
};
enum status s3_new_file_open(struct s3_new_file *file, const char *path,
                             struct error *err) PP_MUST_USE;
enum status s3_new_file_write(struct s3_new_file *file, struct span bytes,
                              struct error *err) PP_MUST_USE;
enum status s3_new_file_finish(struct s3_new_file *file, int64_t modified_ms,
                               struct error *err) PP_MUST_USE;
void s3_new_file_abandon(struct s3_new_file *file);

/* Sends a file of at most S3_PART_BYTES, which is read into the slot first. */
enum status s3_client_upload_start(struct s3_slot *slot, struct span bucket, struct span key,
                                   const char *path, struct error *err) PP_MUST_USE;

#endif
