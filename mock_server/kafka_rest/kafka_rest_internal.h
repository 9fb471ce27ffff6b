/* The service as its files see it, one call, its errors and hints: below all files of the REST
 * proxy. The parts that stand on it (topics of a path, produces, consumers, handlers, v3) have a
 * header each; here they are names only, which the service on top (kafka_rest_service.c) fills in.
 *
 * A request's way: kafka_rest_service.c finds the route (404, 405), negotiates (415, 406:
 * kafka_rest_media.c) and calls the route's handler with a struct kafka_rest_call. By then
 * exchange->reply.content_type is the negotiated type, which an error raised in the handler keeps.
 * A handler decodes (400, 422), asks the broker, and in the step behind that encodes into
 * exchange->reply.body and sets reply.status. */
#ifndef PINPIPE_KAFKA_REST_INTERNAL_H
#define PINPIPE_KAFKA_REST_INTERNAL_H

#include "answer.h"
#include "json_text.h"
#include "kafka_rest.h"
#include "kafka_rest_media.h"
#include "log.h"
#include "route.h"
#include "topic_policy.h"

enum {
    /* DIFFERS: the real proxy reads any body; here a longer one is 413. */
    KAFKA_REST_BODY_BYTES_MAX = 100 * 1024 * 1024,
    /* A request with more waits for a turn that has room for it (kafka_rest_consumer_turn.c): many
     * of them may come at once, and parsing takes what it takes. */
    KAFKA_REST_LARGE_BODY_BYTES = 16 * 1024,
    /* The largest answer: 64 MiB of records as base64 with their frame; or a produce receipt. */
    KAFKA_REST_REPLY_BYTES_MAX = 160 * 1024 * 1024,
};

struct kafka_rest_consumers; /* kafka_rest_consumer.h */
struct kafka_rest_produces;  /* kafka_rest_produce.h */

struct kafka_rest {
    struct kafka_rest_options options;
    struct service service;
    struct kafka_rest_consumers *consumers;
    struct kafka_rest_produces *produces;
};

/* --- one request (kafka_rest_call.c) --- */

struct kafka_rest_call;

/* A handler, or what follows in it when the broker has answered. */
typedef enum handled kafka_rest_step(struct kafka_rest_call *call);

/* What every handler is given; in the exchange's arena, so it outlives parking. */
struct kafka_rest_call {
    struct kafka_rest *rest;
    struct exchange *exchange;
    struct route_match match;
    struct kafka_rest_negotiated media;
    struct broker_request *asked; /* the last request for the broker; it holds the answer later */
    kafka_rest_step *then;        /* who gets the answer */
    void *state;                  /* the handler's own, from step to step */
    unsigned slices;              /* how often the same was asked for the rest of it */
    /* Waits in line for a turn that has room for it, and does `later` then. */
    bool waits;
    kafka_rest_step *later;
    kafka_rest_step *handle; /* the route's */
    struct kafka_rest_call *next_waiting;
    /* The client has left between two steps: lets go of `state`. NULL: it is in the arena. */
    void (*abandon)(struct kafka_rest_call *call);
    struct span cluster_id; /* v3: known from its first step on */
};

/* A zeroed request for the broker in the exchange's arena; `then` gets its answer. NULL: no memory,
 * and the exchange has been failed. */
#define KAFKA_REST_ASK(call, type, then)                                                           \
    ((struct type *)kafka_rest_ask((call), sizeof(struct type), (then)))
void *kafka_rest_ask(struct kafka_rest_call *call, size_t bytes, kafka_rest_step *then);
/* What the broker made of that request: goes on at once, or parks until the broker is done. What a
 * handler returns after asking. */
enum handled kafka_rest_asked(struct kafka_rest_call *call, enum broker_outcome outcome);
/* In `then`: the request that has been answered. */
#define KAFKA_REST_ANSWER(call, type) ((struct type *)(void *)(call)->asked)

/* "http://localhost:8082", no slash behind: --advertised-url or the request's Host. base_uri and
 * v3's links begin with it. */
void kafka_rest_base_url(const struct kafka_rest_call *call, struct buf *out);

/* --- errors and hints (kafka_rest_errors.c) --- */

/* The answers with fixed words, one row each in the table of kafka_rest_errors.c. */
enum kafka_rest_error_id {
    ERROR_NOT_FOUND,               /* 404/404 HTTP 404 Not Found: also non-numeric parameters */
    ERROR_METHOD_NOT_ALLOWED,      /* 405/405 */
    ERROR_UNSUPPORTED_MEDIA,       /* 415/415 */
    ERROR_PARTITION_NOT_FOUND,     /* 404/40402 */
    ERROR_TOPIC_PARTITION_UNKNOWN, /* 404/40403 This server does not host this topic-partition. */
    ERROR_INSTANCE_NOT_FOUND,      /* 404/40403 Consumer instance not found. */
    ERROR_FORMAT_MISMATCH,         /* 406/40601 */
    ERROR_INSTANCE_EXISTS,         /* 409/40902 */
    ERROR_SUBSCRIPTION_CONFLICT,   /* 409/40903 Illegal state: Subscription to topics, ... */
    ERROR_INVALID_FORMAT,          /* 422/422 Invalid format type. */
    ERROR_KEY_SCHEMA_MISSING,      /* 422/42201 */
    ERROR_VALUE_SCHEMA_MISSING,    /* 422/42202 */
    ERROR_REGISTRY_MISSING,        /* 422/42206 */
    ERROR_SERIALIZER_MISSING,      /* 422/42207 */
    ERROR_INTERNAL,                /* 500/500 Internal Server Error */
    ERROR_COUNT,
};

/* Empties the body and writes {"error_code":code,"message":...}; keeps the content type already
 * negotiated, or application/json. Returns HANDLED, so that handlers can return it. */
enum handled kafka_rest_error(struct exchange *exchange, int http_status, int code,
                              const char *format, ...) PP_PRINTF(4, 5);
enum handled kafka_rest_error_known(struct exchange *exchange, enum kafka_rest_error_id id);
/* The broker could not do it (disk, memory): logs it, 500/500. */
enum handled kafka_rest_error_broker(const struct kafka_rest_call *call,
                                     const struct broker_request *request);
/* 422 "<where> must not be null (was null)", e.g. where = "subscribe.arg3". */
enum handled kafka_rest_error_null(struct exchange *exchange, const char *where);
/* 204 without a body. */
enum handled kafka_rest_no_content(struct exchange *exchange);
/* A partition of the path: false (404 HTTP 404 Not Found is written) when it is not an int. */
bool kafka_rest_partition_number(struct exchange *exchange, struct span text, int32_t *out);

/* The mistakes people make, each with its fix (kafka_rest_hints.c). */
void kafka_rest_hint_unrecognized(struct exchange *exchange, const char *java_name,
                                  struct span name);
/* Something else where an object of that class belongs. */
void kafka_rest_hint_wrong_shape(struct exchange *exchange, const char *java_name,
                                 enum json_kind kind);
void kafka_rest_hint_unsupported(struct exchange *exchange, enum kafka_rest_profile profile);
void kafka_rest_hint_not_acceptable(struct exchange *exchange, enum kafka_rest_profile profile);
void kafka_rest_hint_method(struct exchange *exchange, const char *allow);
void kafka_rest_hint_path(struct exchange *exchange);
/* A path or query parameter that is not a number. */
void kafka_rest_hint_number(struct exchange *exchange, const char *what);
/* The topic that `topic` was perhaps meant to be: "u1.pin" for "pin" or "u2.pin"; in the arena.
 * Empty: none comes to mind. */
struct span kafka_rest_topic_meant(struct kafka_rest_call *call, struct span topic);
/* There is no topic of that name; `meant` (may be empty) is there. */
void kafka_rest_hint_missing_topic(struct kafka_rest_call *call, struct span topic,
                                   struct span meant);

/* `--permissions` (kafka_rest_permissions.c): false when refused (403/40301 is written). In open
 * mode the hint says that the workshop's AWS would refuse it. */
bool kafka_rest_topic_permitted(const struct kafka_rest_call *call, struct span topic);
/* Only the hint of that, for answers that carry the refusal in their records. */
void kafka_rest_hint_topic_policy(const struct kafka_rest_call *call, struct span topic);
bool kafka_rest_group_permitted(const struct kafka_rest_call *call, struct span group);
bool kafka_rest_cluster_permitted(const struct kafka_rest_call *call,
                                  enum topic_cluster_action action);

#endif
