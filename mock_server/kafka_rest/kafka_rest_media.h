/* The proxy's media types, and what a route takes and gives of them. */
#ifndef PINPIPE_KAFKA_REST_MEDIA_H
#define PINPIPE_KAFKA_REST_MEDIA_H

#include "http.h"

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

#endif
