/* Every handler of the proxy, for its route tables (kafka_rest_routes.c). */
#ifndef PINPIPE_KAFKA_REST_HANDLERS_H
#define PINPIPE_KAFKA_REST_HANDLERS_H

#include "kafka_rest_internal.h"
#include "route.h"

/* A row of the route tables. */
struct kafka_rest_route {
    struct route route;
    enum handled (*handle)(struct kafka_rest_call *call);
    enum kafka_rest_profile profile;
};

/* One table for each first segment of a path. */
extern const struct route_table kafka_rest_v2_routes;
extern const struct route_table kafka_rest_v3_routes;
extern const struct route_table kafka_rest_consumer_routes;

/* --- v2: kafka_rest_metadata.c, kafka_rest_produce.c --- */

enum handled kafka_rest_produce_topic(struct kafka_rest_call *call);
enum handled kafka_rest_produce_partition(struct kafka_rest_call *call);
enum handled kafka_rest_root(struct kafka_rest_call *call);
enum handled kafka_rest_root_post(struct kafka_rest_call *call);
enum handled kafka_rest_brokers(struct kafka_rest_call *call);
enum handled kafka_rest_topics(struct kafka_rest_call *call);
enum handled kafka_rest_topic(struct kafka_rest_call *call);
enum handled kafka_rest_partitions(struct kafka_rest_call *call);
enum handled kafka_rest_partition(struct kafka_rest_call *call);
enum handled kafka_rest_partition_offsets(struct kafka_rest_call *call);

/* --- v2: the consumers, rows 11 to 22 (kafka_rest_consumer_*.c) --- */

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

/* --- v3 (kafka_rest_v3_*.c) --- */

enum handled kafka_rest_v3_clusters(struct kafka_rest_call *call);
enum handled kafka_rest_v3_cluster(struct kafka_rest_call *call);
enum handled kafka_rest_v3_topics(struct kafka_rest_call *call);
enum handled kafka_rest_v3_topic_create(struct kafka_rest_call *call);
enum handled kafka_rest_v3_topic(struct kafka_rest_call *call);
enum handled kafka_rest_v3_topic_delete(struct kafka_rest_call *call);
enum handled kafka_rest_v3_partitions(struct kafka_rest_call *call);
enum handled kafka_rest_v3_partition(struct kafka_rest_call *call);
/* All settings, or the one of the third capture. */
enum handled kafka_rest_v3_configs(struct kafka_rest_call *call);
enum handled kafka_rest_v3_records(struct kafka_rest_call *call);
enum handled kafka_rest_v3_groups(struct kafka_rest_call *call);
enum handled kafka_rest_v3_group(struct kafka_rest_call *call);
enum handled kafka_rest_v3_consumers(struct kafka_rest_call *call);
enum handled kafka_rest_v3_lags(struct kafka_rest_call *call);
enum handled kafka_rest_v3_lag_summary(struct kafka_rest_call *call);

#endif
