/* v3: its first steps, and writing its JSON: resources with kind, metadata and links
 * (specs/kafka-rest-v2.md section 5). */
#ifndef PINPIPE_KAFKA_REST_V3_H
#define PINPIPE_KAFKA_REST_V3_H

#include "json_write.h"
#include "kafka_rest_internal.h"

struct v3_writer {
    const struct kafka_rest_call *call;
    struct json_writer json; /* into the reply's body */
    struct span cluster_id;
    struct buf base;    /* "http://host/v3/clusters" */
    struct buf scratch; /* the link in hand */
};

/* --- first steps (kafka_rest_v3_ask.c) --- */

/* Asks the broker for the cluster alone, or for the topic of the second capture with it. */
enum handled v3_cluster_ask(struct kafka_rest_call *call, kafka_rest_step *then);
enum handled v3_topic_ask(struct kafka_rest_call *call, kafka_rest_step *then);
/* In `then`: does the path name this cluster? False: the 404 is written. True: call->cluster_id is
 * set. */
bool v3_cluster_is_named(struct kafka_rest_call *call);
/* In `then`: the topic, its cluster named, permitted and there; NULL: the answer is written. */
const struct broker_topic *v3_topic_of(struct kafka_rest_call *call);

/* --- writing (kafka_rest_v3_writer.c) --- */

/* The call's writer; the answer's status is set to 200. */
void v3_writer_open(struct v3_writer *w, const struct kafka_rest_call *call);
/* Gives the memory back; returns HANDLED. */
enum handled v3_writer_end(struct v3_writer *w);

/* {"kind":...,"metadata":{"self":"<clusters>/<cluster><path>","resource_name":"crn:///kafka=
 * <cluster><crn>"}; json_write_end closes it. */
void v3_begin(struct v3_writer *w, const char *kind, const char *path, const char *crn);
/* {"kind":...,"metadata":{"self":...,"next":null},"data":[ ... ]}; path NULL: the address of all
 * clusters. */
void v3_list_begin(struct v3_writer *w, const char *kind, const char *path);
void v3_list_end(struct v3_writer *w);

/* "name":{"related":"<clusters>/<cluster><path>"} */
void v3_link(struct v3_writer *w, const char *name, const char *path);
/* A path or crn, printed into the arena; "" when that is full. */
const char *v3_path(struct v3_writer *w, const char *format, ...) PP_PRINTF(2, 3);

/* A KafkaTopic resource (kafka_rest_v3_topics.c). */
void v3_append_topic(struct v3_writer *w, struct span name, int64_t replication_factor,
                     int64_t partitions_count);

#endif
