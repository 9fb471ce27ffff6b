/* The REST proxy's v2 consumer and metadata calls (and v3's cluster id) as functions, through API
 * Gateway: URLs are built from the invoke URL, the group and the instance id, never from base_uri,
 * which behind a gateway names a private host. One request at a time; a page of records can also be
 * fetched while the caller works (rest_pages).
 *
 * Errors: UNREACHABLE (nothing answers, or not in time), NOT_FOUND (404: topic, partition or
 * instance), INVALID (408: a record that is not JSON), BUSY (429 and 503,
 * also after some tries), CONFIG (403: wrong stage, missing key, not
 * authorized), FAILED (the rest). Messages name the request, the server's own words and its
 * X-Pinpipe-Hint when there is one. */
#ifndef PINPIPE_REST_CLIENT_H
#define PINPIPE_REST_CLIENT_H

#include "env.h"
#include "error.h"
#include "http_client.h"

struct rest_client;

enum {
    REST_INSTANCE_ID_BYTES = 256,
    REST_GROUP_BYTES = 256,
    REST_URL_BYTES = 2048,
};

struct rest_client_options {
    struct env *env;
    const char *invoke_url;         /* with the stage, without a trailing slash */
    const char *api_key;            /* sent as x-api-key; NULL: none */
    size_t answer_bytes_max;        /* 0: 64 MiB */
    int64_t timeout_ms;             /* of a request, beyond a poll's own wait; 0: 60 s */
    bool (*should_stop)(void *ctx); /* polled while waiting; may be NULL */
    void *should_stop_ctx;
};

enum status rest_client_new(const struct rest_client_options *options, struct rest_client **out,
                            struct error *err) PP_MUST_USE;
void rest_client_free(struct rest_client *client);

/* Topics and partitions. */
enum status rest_topic_partitions(struct rest_client *client, const char *topic, int32_t *count,
                                  struct error *err) PP_MUST_USE;
enum status rest_partition_offsets(struct rest_client *client, const char *topic, int32_t partition,
                                   int64_t *begin, int64_t *end, struct error *err) PP_MUST_USE;
/* The one cluster's id of GET /v3/clusters, NUL-terminated in out. */
enum status rest_cluster_id(struct rest_client *client, char *out, size_t out_bytes,
                            struct error *err) PP_MUST_USE;

/* Consumer instances. */
struct rest_instance {
    char group[REST_GROUP_BYTES];
    char id[REST_INSTANCE_ID_BYTES];
    char base_uri[REST_URL_BYTES]; /* as the server says; for comparing only */
};
struct rest_instance_options {
    const char *group;
    const char *format;            /* "json", "binary" */
    const char *auto_offset_reset; /* "earliest", "latest" */
    bool auto_commit;
    int fetch_min_bytes; /* 1: answer as soon as there is something */
};
enum status rest_instance_create(struct rest_client *client,
                                 const struct rest_instance_options *options,
                                 struct rest_instance *out, struct error *err) PP_MUST_USE;
/* Works after should_stop said yes too: a request that begins then cleans up, so it is not
 * interrupted, but it has a second and no more. */
enum status rest_instance_delete(struct rest_client *client, const struct rest_instance *instance,
                                 struct error *err) PP_MUST_USE;
enum status rest_instance_subscribe(struct rest_client *client,
                                    const struct rest_instance *instance, const char *topic,
                                    struct error *err) PP_MUST_USE;
/* Replaces the assignment by this one partition. */
enum status rest_instance_assign(struct rest_client *client, const struct rest_instance *instance,
                                 const char *topic, int32_t partition,
                                 struct error *err) PP_MUST_USE;
struct rest_place {
    const char *topic;
    int32_t partition;
    int64_t offset;
};
enum status rest_instance_seek(struct rest_client *client, const struct rest_instance *instance,
                               struct rest_place place, struct error *err) PP_MUST_USE;
/* Moves to the first record that is not older than the time. Where there is none the proxy says
 * 500, which is FAILED. */
enum status rest_instance_seek_time(struct rest_client *client,
                                    const struct rest_instance *instance, const char *topic,
                                    int32_t partition, int64_t time_ms,
                                    struct error *err) PP_MUST_USE;
/* Moves all assigned partitions to their beginning. */
enum status rest_instance_seek_to_beginning(struct rest_client *client,
                                            const struct rest_instance *instance,
                                            struct error *err) PP_MUST_USE;
enum status rest_instance_assigned(struct rest_client *client, const struct rest_instance *instance,
                                   size_t *partitions, struct error *err) PP_MUST_USE;
/* The places name the last processed offsets; the proxy stores one more. */
enum status rest_instance_commit(struct rest_client *client, const struct rest_instance *instance,
                                 const struct rest_place *places, size_t count,
                                 struct error *err) PP_MUST_USE;

/* GET .../records. `start` sends it and returns; `poll` moves it on without waiting; `wait` blocks
 * until it is there and swaps the page into *page, which the caller owns (initialised by buf_init,
 * so that two buffers go round). INTERRUPTED when should_stop said yes: the request is cancelled.
 * ENDLESS: the answer is too large. INVALID: a record is not JSON (40801), and every later fetch of
 * a JSON instance will say so again. */
struct rest_fetch {
    int64_t timeout_ms;
    int64_t max_bytes;
    bool binary; /* what the instance was created for, else JSON */
};
enum status rest_records_start(struct rest_client *client, const struct rest_instance *instance,
                               struct rest_fetch fetch, struct error *err) PP_MUST_USE;
void rest_records_poll(struct rest_client *client);
enum status rest_records_wait(struct rest_client *client, struct buf *page,
                              struct error *err) PP_MUST_USE;
void rest_records_cancel(struct rest_client *client);

#endif
