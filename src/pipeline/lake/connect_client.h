/* Kafka Connect's REST API as calls, this laptop's or any other worker's. Errors as in
 * rest_client.h: UNREACHABLE, NOT_FOUND (404), EXISTS (409), INVALID (400: the configuration;
 * the message is the worker's), FAILED. */
#ifndef PINPIPE_CONNECT_CLIENT_H
#define PINPIPE_CONNECT_CLIENT_H

#include "buf.h"
#include "env.h"
#include "error.h"

struct connect_client;

struct connect_client_options {
    struct env *env;
    const char *url;    /* "http://127.0.0.1:8083" */
    int64_t timeout_ms; /* of a request; 0: 60 s */
    bool (*should_stop)(void *ctx);
    void *should_stop_ctx;
};

enum status connect_client_new(const struct connect_client_options *options,
                               struct connect_client **out, struct error *err) PP_MUST_USE;
void connect_client_free(struct connect_client *client);

/* Sends a request; the answer's body replaces out's contents. path: "/connectors/x/status",
 * encoded. body NULL: none. */
enum status connect_client_call(struct connect_client *client, const char *method, const char *path,
                                const struct span *body, struct buf *out,
                                struct error *err) PP_MUST_USE;
/* The X-Pinpipe-Hint of the last answer, empty when there was none; valid until the next call. That
 * of a failure is in its message already. */
struct span connect_client_hint(const struct connect_client *client);
/* "/connectors/NAME" with the name encoded, then `below` as it is: into out, replaced. */
void connect_path(struct buf *out, const char *name, const char *below);
/* The body of POST /connectors. */
void connect_create_body(struct buf *out, struct span name, struct span config_json);
/* The workshop's configuration for one user id, as a JSON object. */
void connect_workshop_config(const char *user_id, struct buf *out);
/* How many connectors there are, and how many of them are running with a task that runs. */
struct connect_census {
    size_t connectors;
    size_t running;
    char failed[256]; /* the first FAILED connector or task and what its trace says was the cause */
};
enum status connect_client_census(struct connect_client *client, struct connect_census *out,
                                  struct error *err) PP_MUST_USE;
/* The first connector that is meant to land a user's topics, whatever its state: it names the user
 * in `topics` or `topics.regex`, or has taken records of one of the topics. */
struct connect_landing {
    bool found;
    char bucket[256]; /* its s3.bucket.name; "" when it has none */
};
/* topics: ended by NULL. */
enum status connect_client_find_landing(struct connect_client *client, const char *user_id,
                                        const char *const *topics, struct connect_landing *out,
                                        struct error *err) PP_MUST_USE;
/* Gives for each of the topics (ended by NULL) the largest flush.size of the connectors that run
 * and have taken records of it; 1 where none says more. A worker that does not tell who takes what
 * (before Kafka 2.5, or with topic.tracking.enable=false) has each of its connectors count for all.
 */
enum status connect_client_flush_sizes(struct connect_client *client, const char *const *topics,
                                       int64_t *sizes, struct error *err) PP_MUST_USE;

#endif
