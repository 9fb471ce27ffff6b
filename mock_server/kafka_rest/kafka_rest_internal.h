/* What the files of the REST proxy share; nobody outside kafka_rest*.c includes it.
 *
 * A request's way: kafka_rest.c finds the route (404, 405), negotiates (415, 406:
 * kafka_rest_media.c) and calls the route's handler with a struct kafka_rest_call as its ctx. By
 * then exchange->reply.content_type is the negotiated type, which an error raised in the handler
 * keeps. A handler decodes (400, 422), acts, encodes into exchange->reply.body and sets
 * reply.status. */
#ifndef PINPIPE_KAFKA_REST_INTERNAL_H
#define PINPIPE_KAFKA_REST_INTERNAL_H

#include "answer.h"
#include "json_text.h"
#include "kafka_rest.h"
#include "log.h"
#include "route.h"
#include "store.h"
#include "topic_policy.h"

#include <stdarg.h>

enum {
    /* DIFFERS: the real proxy reads any body; here a longer one is 413. */
    KAFKA_REST_BODY_BYTES_MAX = 100 * 1024 * 1024,
    /* The largest answer: 64 MiB of records as base64 with their frame; or a produce receipt. */
    KAFKA_REST_REPLY_BYTES_MAX = 160 * 1024 * 1024,
    /* The cluster's only broker. */
    KAFKA_REST_BROKER_ID = 1, /* as MSK counts */
};

struct kafka_rest_consumers; /* kafka_rest_consumer*.c */
struct produce_job;          /* kafka_rest_produce.c */

struct kafka_rest {
    struct kafka_rest_options options;
    struct service service;
    struct kafka_rest_consumers *consumers;
    struct produce_job *produce_job; /* scratch of the produce in hand, reused */
};

/* --- media types (kafka_rest_media.c) --- */

enum kafka_rest_media {
    MEDIA_NONE,
    MEDIA_APPLICATION_JSON, /* application/json */
    MEDIA_V2,               /* application/vnd.kafka.v2+json */
    MEDIA_BINARY,           /* application/vnd.kafka.binary.v2+json, and so on */
    MEDIA_JSON,
    MEDIA_AVRO,
    MEDIA_JSONSCHEMA,
    MEDIA_PROTOBUF,
    MEDIA_COUNT,
};

/* "application/json", ...: static. "" for MEDIA_NONE. */
const char *kafka_rest_media_type(enum kafka_rest_media media);

/* A route's tag: what it consumes and produces (spec section 1, column by column). */
enum kafka_rest_profile {
    PROFILE_V2,       /* takes V, gives V */
    PROFILE_ANY,      /* takes anything, gives V (GET /brokers) */
    PROFILE_PRODUCE,  /* takes B J AV JS PB, gives V */
    PROFILE_CONSUMER, /* takes V B J AV JS PB, gives V or the embedded type asked for */
    PROFILE_RECORDS,  /* takes the same, gives B (default), V, J, AV, JS, PB */
    PROFILE_V3,       /* takes anything (no body is read), gives application/json */
    PROFILE_V3_BODY,  /* application/json both ways */
    PROFILE_COUNT,
};

struct kafka_rest_negotiated {
    /* Of the Content-Type. MEDIA_BINARY when it is absent on a produce (the heaviest weight wins),
     * MEDIA_V2 when absent elsewhere; application/json in lenient mode counts as MEDIA_JSON on a
     * produce and as MEDIA_V2 elsewhere. */
    enum kafka_rest_media in;
    /* Of the answer. On PROFILE_RECORDS it decides the reader: V2 and BINARY are the binary one;
     * MEDIA_APPLICATION_JSON (only in lenient mode) the JSON one. */
    enum kafka_rest_media out;
};

enum kafka_rest_negotiation { NEGOTIATED, NEGOTIATION_UNSUPPORTED, NEGOTIATION_NOT_ACCEPTABLE };

/* Empty headers count as absent. */
enum kafka_rest_negotiation kafka_rest_negotiate(const struct http_request *request,
                                                 enum kafka_rest_profile profile, bool lenient,
                                                 struct kafka_rest_negotiated *out);
/* The type of a 415's own body: from Accept if that names application/json or V. */
enum kafka_rest_media kafka_rest_error_media(const struct http_request *request);

/* --- one request --- */

/* What every handler is given; in the exchange's arena, so it outlives parking. */
struct kafka_rest_call {
    struct kafka_rest *rest;
    struct exchange *exchange;
    struct route_match match;
    struct kafka_rest_negotiated media;
};

/* "http://localhost:8082", no slash behind: --advertised-url or the request's Host. base_uri and
 * v3's links begin with it. */
void kafka_rest_base_url(const struct kafka_rest_call *call, struct buf *out);

struct topic_config_values;
enum status kafka_rest_configs_read(const struct kafka_rest_call *call, struct span topic,
                                    struct topic_config_values *values, struct error *err);

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
/* The store failed (disk, memory): logs it, 500/500. */
enum handled kafka_rest_error_store(const struct kafka_rest_call *call, const struct error *err);

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
void kafka_rest_hint_missing_topic(const struct kafka_rest_call *call, struct span topic);

/* `--permissions`: false when refused (403/40301 is written). In open mode the hint says that the
 * workshop's AWS would refuse it. */
bool kafka_rest_topic_permitted(const struct kafka_rest_call *call, struct span topic);
/* Only the hint of that, for answers that carry the refusal in their records. */
void kafka_rest_hint_topic_policy(const struct kafka_rest_call *call, struct span topic);
bool kafka_rest_group_permitted(const struct kafka_rest_call *call, struct span group);

/* --- typed bodies, as Jackson binds them (kafka_rest_decode.c) --- */

/* Every decode function reads the value under the cursor; on false the answer (400 or 422 in
 * Jackson's words) is written and the handler returns HANDLED. Strings live in the arena. */
struct kafka_rest_decoder {
    struct exchange *exchange;
    struct json_cursor cursor;
};

struct kafka_rest_string {
    bool present; /* false: absent or null */
    struct span text;
};
struct kafka_rest_int {
    bool present;
    int64_t value;
};

struct kafka_rest_field {
    const char *name;
    /* `into` is the struct that the table describes. */
    bool (*decode)(struct kafka_rest_decoder *decoder, void *into);
};
struct kafka_rest_class {
    const char *java_name; /* for "Cannot construct instance of `...`" */
    const struct kafka_rest_field *fields;
    size_t field_count;
};

enum kafka_rest_body { BODY_ABSENT, BODY_DECODED, BODY_REFUSED };

/* The request's body as one object of that class. ABSENT: nothing but white space, or null (the
 * caller decides: defaults, or kafka_rest_error_null). Whatever follows the value is ignored. */
enum kafka_rest_body kafka_rest_decode_body(struct exchange *exchange,
                                            const struct kafka_rest_class *class, void *into);
/* 422 "<where> must not be null (was null)", e.g. where = "subscribe.arg3". */
enum handled kafka_rest_error_null(struct exchange *exchange, const char *where);

/* A nested object; *is_null tells a null. Unknown fields are 422, duplicates: the last wins. */
bool kafka_rest_decode_object(struct kafka_rest_decoder *decoder,
                              const struct kafka_rest_class *class, void *into, bool *is_null);
/* A list: calls element for each value under the cursor; *is_null tells a null instead of a list.
 * java_type: e.g. "java.util.ArrayList<java.lang.String>". */
bool kafka_rest_decode_list(struct kafka_rest_decoder *decoder, const char *java_type,
                            bool (*element)(struct kafka_rest_decoder *decoder, void *into),
                            void *into, bool *is_null);
/* Strings take numbers and booleans too; ints take "1", "" (null) and 1.5 (1). */
bool kafka_rest_decode_string(struct kafka_rest_decoder *decoder, struct kafka_rest_string *out);
bool kafka_rest_decode_int(struct kafka_rest_decoder *decoder, struct kafka_rest_int *out);
bool kafka_rest_decode_long(struct kafka_rest_decoder *decoder, struct kafka_rest_int *out);
/* Writes the 400 of a value that is not JSON. */
bool kafka_rest_decode_failed(struct kafka_rest_decoder *decoder, const struct json_error *err);

/* --- topics: kafka_rest_produce.c, kafka_rest_metadata.c, kafka_rest_v3*.c --- */

/* A row of the route tables. */
struct kafka_rest_route {
    struct route route;
    enum handled (*handle)(struct kafka_rest_call *call);
    enum kafka_rest_profile profile;
};

extern const struct route_table kafka_rest_v2_routes;
extern const struct route_table kafka_rest_v3_routes;

enum handled kafka_rest_produce_topic(struct kafka_rest_call *call);
enum handled kafka_rest_produce_partition(struct kafka_rest_call *call);
/* A partition of the path: false (404 HTTP 404 Not Found is written) when it is not an int. */
bool kafka_rest_partition_number(struct exchange *exchange, struct span text, int32_t *out);
void kafka_rest_produce_free(struct kafka_rest *rest);

enum handled kafka_rest_root(struct kafka_rest_call *call);
enum handled kafka_rest_root_post(struct kafka_rest_call *call);
enum handled kafka_rest_brokers(struct kafka_rest_call *call);
enum handled kafka_rest_topics(struct kafka_rest_call *call);
enum handled kafka_rest_topic(struct kafka_rest_call *call);
enum handled kafka_rest_partitions(struct kafka_rest_call *call);
enum handled kafka_rest_partition(struct kafka_rest_call *call);
enum handled kafka_rest_partition_offsets(struct kafka_rest_call *call);

enum handled kafka_rest_v3_clusters(struct kafka_rest_call *call);
enum handled kafka_rest_v3_cluster(struct kafka_rest_call *call);
enum handled kafka_rest_v3_topics(struct kafka_rest_call *call);
enum handled kafka_rest_v3_topic_create(struct kafka_rest_call *call);
enum handled kafka_rest_v3_topic(struct kafka_rest_call *call);
enum handled kafka_rest_v3_topic_delete(struct kafka_rest_call *call);
enum handled kafka_rest_v3_partitions(struct kafka_rest_call *call);
enum handled kafka_rest_v3_partition(struct kafka_rest_call *call);
enum handled kafka_rest_v3_configs(struct kafka_rest_call *call);
enum handled kafka_rest_v3_config(struct kafka_rest_call *call);
enum handled kafka_rest_v3_records(struct kafka_rest_call *call);
enum handled kafka_rest_v3_groups(struct kafka_rest_call *call);
enum handled kafka_rest_v3_group(struct kafka_rest_call *call);
enum handled kafka_rest_v3_consumers(struct kafka_rest_call *call);
enum handled kafka_rest_v3_lags(struct kafka_rest_call *call);
enum handled kafka_rest_v3_lag_summary(struct kafka_rest_call *call);

/* --- consumers (kafka_rest_consumer*.c) --- */

enum status kafka_rest_consumers_new(struct kafka_rest *rest, struct kafka_rest_consumers **out,
                                     struct error *err) PP_MUST_USE;
/* Parked reads are already answered or cancelled by then. */
void kafka_rest_consumers_free(struct kafka_rest_consumers *consumers);
/* New records in a partition, before their commit: parked reads may be woken. */
void kafka_rest_consumers_on_append(struct kafka_rest_consumers *consumers,
                                    const struct broker_topic *topic, int32_t partition);

/* Rows 11 to 22: the table in kafka_rest_routes.c points at these; ctx is the kafka_rest_call. */
enum handled kafka_rest_consumer_create(struct kafka_rest_call *call);
enum handled kafka_rest_consumer_delete(struct kafka_rest_call *call);
enum handled kafka_rest_consumer_subscribe(struct kafka_rest_call *call);
enum handled kafka_rest_consumer_subscription(struct kafka_rest_call *call);
enum handled kafka_rest_consumer_unsubscribe(struct kafka_rest_call *call);
enum handled kafka_rest_consumer_assign(struct kafka_rest_call *call);
enum handled kafka_rest_consumer_assignments(struct kafka_rest_call *call);
enum handled kafka_rest_consumer_seek(struct kafka_rest_call *call);
enum handled kafka_rest_consumer_seek_beginning(struct kafka_rest_call *call);
enum handled kafka_rest_consumer_seek_end(struct kafka_rest_call *call);
enum handled kafka_rest_consumer_records(struct kafka_rest_call *call);
enum handled kafka_rest_consumer_commit(struct kafka_rest_call *call);
enum handled kafka_rest_consumer_committed(struct kafka_rest_call *call);
extern const struct route_table kafka_rest_consumer_routes;

/* Live members, for v3's consumer groups. A group exists when it has a member that has joined (its
 * first poll after a subscribe) or a commit in the store. */
struct kafka_rest_member_partition {
    struct span topic;
    int32_t partition;
};
struct kafka_rest_member {
    struct span consumer_id; /* Kafka's member id: "<client id>-<uuid>" */
    struct span client_id;   /* "consumer-<group>-<n>" */
    const struct kafka_rest_member_partition *partitions; /* assigned by the group */
    size_t partition_count;
};
/* Each group with at least one live member, in name order. */
void kafka_rest_groups_visit(struct kafka_rest_consumers *consumers,
                             void (*visit)(void *ctx, struct span group), void *ctx);
/* The live members of one group, in member id order; returns how many. visit may be NULL. */
size_t kafka_rest_group_members_visit(struct kafka_rest_consumers *consumers, struct span group,
                                      void (*visit)(void *ctx,
                                                    const struct kafka_rest_member *member),
                                      void *ctx);

#endif
