/* Where posts go: the REST proxy's topics now (poster_rest.c), Kinesis streams later. A poster has
 * a fixed number of slots; each carries one post at a time. It sends once and reports: whether and
 * when to send again is the emulator's business. */
#ifndef PINPIPE_POSTER_H
#define PINPIPE_POSTER_H

#include "endpoints.h"
#include "env.h"
#include "error.h"
#include "table.h"

enum {
    POST_REASON_BYTES_MAX = 400,
    POSTER_SLOTS_MAX = 256,
    POSTER_VALUE_BYTES_MAX = 4 * 1024 * 1024,
    POSTER_CLUSTER_ID_BYTES_MAX = 256,
};

enum post_result {
    POST_ACKED,
    POST_RETRY,   /* it may work the next time */
    POST_GIVE_UP, /* it will not */
};

struct post_outcome {
    enum post_result result;
    bool maybe_kept; /* not acked, and nobody can say whether the record is in the topic */
    int32_t partition;
    int64_t offset;
    int http_status;    /* 0: no answer */
    int64_t error_code; /* the service's own; 0: none */
    bool permanent;     /* given up, and any other post of the run would be as well */
    bool unreachable;   /* nothing listens there, or nobody answers in time */
    int64_t wish_us;    /* Retry-After; 0: none */
    char reason[POST_REASON_BYTES_MAX];
};

struct poster;
/* `done` is called from run; the slot is free again then, and `done` may send it anew. */
typedef void (*post_done_fn)(void *ctx, size_t slot, const struct post_outcome *outcome);

struct poster_ops {
    /* The name of the topic that a table's rows go to. */
    const char *(*target)(const struct poster *poster, enum table_id table);
    /* Asks which cluster answers there; "" when it does not say (the message says why). Blocks.
     * UNREACHABLE: nothing listens (the message says what to start); BUSY: ask again later. */
    enum status (*identify)(struct poster *poster, char out[POSTER_CLUSTER_ID_BYTES_MAX],
                            struct error *err);
    /* Sends a row's JSON on a free slot; the value is copied. */
    enum status (*send)(struct poster *poster, size_t slot, enum table_id table, struct span value,
                        struct error *err);
    /* Waits at most timeout_ms for news and reports it through `done`. With nothing in flight it
     * may return at once. */
    enum status (*run)(struct poster *poster, int timeout_ms, struct error *err);
    /* Forgets what the slot carries, without a report. */
    void (*cancel)(struct poster *poster, size_t slot);
    void (*free)(struct poster *poster);
};

struct poster {
    const struct poster_ops *ops;
    post_done_fn done; /* set by the user before the first send */
    void *ctx;
    /* Ends a call that blocks; NULL: nobody asks. */
    bool (*should_stop)(void *ctx);
    void *should_stop_ctx;
};

/* POST <invoke_url>/topics/<user_id>.pin|geo|user in the embedded JSON format. endpoints and env
 * are borrowed. A request may take 35 s, which is longer than the gateway's own 29 s, or what
 * endpoints say. */
enum status poster_rest_new(const struct endpoints *endpoints, struct env *env, size_t slots,
                            struct poster **out, struct error *err) PP_MUST_USE;

#endif
