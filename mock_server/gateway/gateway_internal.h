/* What the files of the gateway share.
 *
 * A request's way: gateway.c finds stage and resource (gateway_resource.c), asks for the key and
 * the throttle, answers CORS itself; gateway_text.c re-encodes path and query; gateway_headers.c
 * maps the headers; then the request goes to the backend in this process or, by gateway_upstream.c,
 * to a real one. The answer comes back through gateway_reply_map. Its own errors are
 * gateway_errors.c's. */
#ifndef PINPIPE_GATEWAY_INTERNAL_H
#define PINPIPE_GATEWAY_INTERNAL_H

#include "gateway.h"
#include "http_date.h"
#include "throttle.h"

enum {
    GATEWAY_BODY_BYTES_MAX = 10485760, /* both ways */
    GATEWAY_HEADER_VALUE_BYTES_MAX = 10240,
    GATEWAY_STAGE_BYTES_MAX = 128,
    GATEWAY_API_KEY_BYTES_MAX = 128,
    GATEWAY_API_ID_BYTES = 10,
    GATEWAY_TIMEOUT_MS = 29000,
};

/* The backend's name as the integration URL has it: with it base_uri is as useless to a client as
 * on AWS. */
#define GATEWAY_BACKEND_HOST "ec2-kafka-rest.internal:8082"
/* What the REST proxy of Confluent Platform 7.2 calls itself. */
#define GATEWAY_BACKEND_SERVER "Jetty(9.4.48.v20220622)"

struct gateway_upstream;

struct gateway {
    struct gateway_options options;
    struct service service;
    char *stage; /* owned copies of the options' texts, or NULL */
    char *api_key;
    char *upstream_url;
    struct throttle throttle;
    char api_id[GATEWAY_API_ID_BYTES + 1];
    char date[HTTP_DATE_BYTES]; /* of date_s */
    int64_t date_s;
    struct gateway_upstream *upstream; /* NULL: the backend is in this process */
};

/* One forwarded request; lives in the exchange's arena. */
struct gateway_call {
    struct gateway *gateway;
    struct exchange *exchange;
    struct upstream_slot *slot; /* gateway_upstream.c */
    /* What the client may trip over, for the hint on the answer. */
    bool body_dropped;
    bool body_repaired;
    bool accept_added;
    bool double_slash;
    bool stage_twice;
    bool creates_consumer;
    bool names_kinesis_action;
    bool names_streams;
    struct span stage;
    struct span stray; /* the segment between the stage and /topics and the like; empty: none */
};

/* --- gateway_resource.c --- */

struct gateway_target {
    struct span stage;    /* empty: the path has none */
    struct span resource; /* what is behind the stage, with one slash; "" or "/" is the root */
};

bool gateway_is_stage_name(struct span text);
struct gateway_target gateway_target_of(struct span path);
bool gateway_stage_is_deployed(const struct gateway *gateway, struct span stage);
/* The hint for a stage that is not deployed; NULL: out of memory. */
const char *gateway_stage_hint(const struct gateway *gateway, struct arena *arena,
                               struct span stage);
/* NULL when {proxy+} takes the resource, else why none does. */
const char *gateway_resource_refusal(enum http_method method, struct span resource);
/* Does the path end in the name of a Kinesis action? */
bool gateway_names_kinesis(struct span resource);
/* Is the segment the first of a path that a service behind the gateway knows? */
bool gateway_is_service_path(struct span segment);
/* Cuts "/segment" off the front; the rest begins with a slash or is empty. */
struct span gateway_segment_take(struct span *path);

/* --- gateway_text.c --- */

/* Decoded and encoded again, as the integration's URL is built. False when out of memory. *out is
 * the input itself when nothing changes. */
bool gateway_path_recode(struct arena *arena, struct span path, struct span *out);
bool gateway_query_recode(struct arena *arena, struct span query, struct span *out);
/* The text with U+FFFD in place of what is not UTF-8; the input itself when nothing is wrong. */
bool gateway_text_repair(struct arena *arena, struct span text, struct span *out);

/* --- gateway_headers.c --- */

/* Replaces exchange->request.headers (and host) by what the backend gets; sets accept_added. False
 * when out of memory. */
bool gateway_request_map(struct gateway_call *call);
/* Maps the backend's reply to the gateway's own: remapped headers, ids, Date, text, limits. With
 * from_upstream, reply->headers are the upstream's lines as received. */
void gateway_reply_map(struct gateway_call *call, bool from_upstream);

/* --- gateway_identity.c --- */

/* The ids and the Date that every answer of the gateway carries. */
void gateway_add_identity(struct gateway *gateway, struct reply *reply);
const char *gateway_date(struct gateway *gateway);

/* --- gateway_errors.c --- */

enum gateway_error_id {
    GATEWAY_ERROR_NO_ROUTE,           /* 403 Missing Authentication Token */
    GATEWAY_ERROR_FORBIDDEN,          /* 403 Forbidden: no such stage, API key */
    GATEWAY_ERROR_BAD_REQUEST,        /* 400 */
    GATEWAY_ERROR_SENDER_SLOW,        /* 408 */
    GATEWAY_ERROR_BODY_TOO_LARGE,     /* 413 */
    GATEWAY_ERROR_URI_TOO_LONG,       /* 414 */
    GATEWAY_ERROR_THROTTLED,          /* 429 */
    GATEWAY_ERROR_HEADERS_TOO_LARGE,  /* 431 */
    GATEWAY_ERROR_INTERNAL,           /* 500 */
    GATEWAY_ERROR_UNAVAILABLE,        /* 503 */
    GATEWAY_ERROR_ENDPOINT_TIMED_OUT, /* 504 */
    GATEWAY_ERROR_NETWORK,            /* 504, or the configured status */
    GATEWAY_ERROR_COUNT,
};

/* Replaces the reply by this error; hint may be NULL (static, or in the exchange's arena). The
 * exchange is the gateway's again. Returns HANDLED. */
enum handled gateway_error_write(struct gateway *gateway, struct exchange *exchange,
                                 enum gateway_error_id id, const char *hint);
/* struct service's fail. */
void gateway_fail(void *ctx, struct exchange *exchange, enum exchange_failure failure);

/* --- gateway_upstream.c --- */

enum status gateway_upstream_new(struct gateway *gateway, struct gateway_upstream **out,
                                 struct error *err) PP_MUST_USE;
void gateway_upstream_free(struct gateway_upstream *upstream);
/* Sends exchange->request on; the exchange is parked until its answer comes. */
enum handled gateway_upstream_forward(struct gateway_upstream *upstream, struct gateway_call *call);

#endif
