/* Writing v3's JSON: resources with kind, metadata and links (specs/kafka-rest-v2.md section 5). */
#ifndef PINPIPE_KAFKA_REST_V3_H
#define PINPIPE_KAFKA_REST_V3_H

#include "kafka_rest_internal.h"

struct v3_writer {
    const struct kafka_rest_call *call;
    struct buf *body;
    const char *cluster_id;
    struct buf base;    /* "http://host/v3/clusters" */
    struct buf scratch; /* the link in hand */
};

/* The call's writer, when the path names this cluster; false: the 404 is written. The answer's
 * status is set to 200. */
bool v3_writer_begin(struct v3_writer *w, const struct kafka_rest_call *call);
/* Gives the memory back; returns HANDLED. */
enum handled v3_writer_end(struct v3_writer *w);

/* {"kind":...,"metadata":{"self":"<clusters>/<cluster><path>","resource_name":"crn:///kafka=
 * <cluster><crn>"}, without the closing brace. */
void v3_begin(struct v3_writer *w, const char *kind, const char *path, const char *crn);
void v3_end(struct v3_writer *w);
/* {"kind":...,"metadata":{"self":...,"next":null},"data":[ ... ]} */
void v3_list_begin(struct v3_writer *w, const char *kind, const char *path);
void v3_list_end(struct v3_writer *w);

void v3_name(struct v3_writer *w, const char *name);
void v3_string(struct v3_writer *w, const char *name, struct span value);
void v3_int(struct v3_writer *w, const char *name, int64_t value);
void v3_bool(struct v3_writer *w, const char *name, bool value);
void v3_null(struct v3_writer *w, const char *name);
/* "name":{"related":"<clusters>/<cluster><path>"} */
void v3_link(struct v3_writer *w, const char *name, const char *path);
/* A path or crn, printed into the arena; "" when that is full. */
const char *v3_path(struct v3_writer *w, const char *format, ...) PP_PRINTF(2, 3);

/* The topic named by the second capture, permitted and there; NULL: the answer is written. */
const struct store_topic *v3_topic_of(struct v3_writer *w);
/* A KafkaTopic resource (kafka_rest_v3_topics.c). */
void v3_append_topic(struct v3_writer *w, struct span name, int64_t replication_factor,
                     int64_t partitions_count);

#endif
