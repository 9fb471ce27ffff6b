/* The REST proxy's routes as data: three tables, chosen by the path's first segment. The rows are
 * those of specs/kafka-rest-v2.md section 1; the profile says what a row consumes
 * and produces. */
#include "kafka_rest_handlers.h"

#define INSTANCE  "/consumers/{group}/instances/{instance}"
#define PARTITION "/topics/{topic}/partitions/{partition}"

static const struct kafka_rest_route consumer_routes[] = {
    {{METHOD_GET, INSTANCE "/records"}, kafka_rest_consumer_records, PROFILE_RECORDS},
    {{METHOD_POST, "/consumers/{group}"}, kafka_rest_consumer_create, PROFILE_CONSUMER},
    {{METHOD_DELETE, INSTANCE}, kafka_rest_consumer_delete, PROFILE_CONSUMER},
    {{METHOD_POST, INSTANCE "/subscription"}, kafka_rest_consumer_subscribe, PROFILE_CONSUMER},
    {{METHOD_GET, INSTANCE "/subscription"}, kafka_rest_consumer_subscription, PROFILE_CONSUMER},
    {{METHOD_DELETE, INSTANCE "/subscription"}, kafka_rest_consumer_unsubscribe, PROFILE_CONSUMER},
    {{METHOD_POST, INSTANCE "/assignments"}, kafka_rest_consumer_assign, PROFILE_CONSUMER},
    {{METHOD_GET, INSTANCE "/assignments"}, kafka_rest_consumer_assignments, PROFILE_CONSUMER},
    {{METHOD_POST, INSTANCE "/positions"}, kafka_rest_consumer_seek, PROFILE_CONSUMER},
    {{METHOD_POST, INSTANCE "/positions/beginning"},
     kafka_rest_consumer_seek_beginning,
     PROFILE_CONSUMER},
    {{METHOD_POST, INSTANCE "/positions/end"}, kafka_rest_consumer_seek_end, PROFILE_CONSUMER},
    {{METHOD_POST, INSTANCE "/offsets"}, kafka_rest_consumer_commit, PROFILE_CONSUMER},
    {{METHOD_GET, INSTANCE "/offsets"}, kafka_rest_consumer_committed, PROFILE_CONSUMER},
};

const struct route_table kafka_rest_consumer_routes = ROUTE_TABLE(consumer_routes);

/* The produce first: it is what a pipeline does all day. */
static const struct kafka_rest_route v2_routes[] = {
    {{METHOD_POST, "/topics/{topic}"}, kafka_rest_produce_topic, PROFILE_PRODUCE},
    {{METHOD_GET, "/topics/{topic}"}, kafka_rest_topic, PROFILE_V2},
    {{METHOD_GET, "/topics"}, kafka_rest_topics, PROFILE_V2},
    {{METHOD_GET, "/topics/{topic}/partitions"}, kafka_rest_partitions, PROFILE_V2},
    {{METHOD_GET, PARTITION}, kafka_rest_partition, PROFILE_V2},
    {{METHOD_POST, PARTITION}, kafka_rest_produce_partition, PROFILE_PRODUCE},
    {{METHOD_GET, PARTITION "/offsets"}, kafka_rest_partition_offsets, PROFILE_V2},
    {{METHOD_GET, "/brokers"}, kafka_rest_brokers, PROFILE_ANY},
    {{METHOD_GET, "/"}, kafka_rest_root, PROFILE_V2},
    {{METHOD_POST, "/"}, kafka_rest_root_post, PROFILE_V2},
};

const struct route_table kafka_rest_v2_routes = ROUTE_TABLE(v2_routes);

#define CLUSTER "/v3/clusters/{cluster}"
#define TOPIC   CLUSTER "/topics/{topic}"
#define GROUP   CLUSTER "/consumer-groups/{group}"

static const struct kafka_rest_route v3_routes[] = {
    {{METHOD_POST, TOPIC "/records"}, kafka_rest_v3_records, PROFILE_V3_BODY},
    {{METHOD_GET, "/v3/clusters"}, kafka_rest_v3_clusters, PROFILE_V3},
    {{METHOD_GET, CLUSTER}, kafka_rest_v3_cluster, PROFILE_V3},
    {{METHOD_GET, CLUSTER "/topics"}, kafka_rest_v3_topics, PROFILE_V3},
    {{METHOD_POST, CLUSTER "/topics"}, kafka_rest_v3_topic_create, PROFILE_V3_BODY},
    {{METHOD_GET, TOPIC}, kafka_rest_v3_topic, PROFILE_V3},
    {{METHOD_DELETE, TOPIC}, kafka_rest_v3_topic_delete, PROFILE_V3},
    {{METHOD_GET, TOPIC "/partitions"}, kafka_rest_v3_partitions, PROFILE_V3},
    {{METHOD_GET, TOPIC "/partitions/{partition}"}, kafka_rest_v3_partition, PROFILE_V3},
    {{METHOD_GET, TOPIC "/configs"}, kafka_rest_v3_configs, PROFILE_V3},
    {{METHOD_GET, TOPIC "/configs/{name}"}, kafka_rest_v3_configs, PROFILE_V3},
    {{METHOD_GET, CLUSTER "/consumer-groups"}, kafka_rest_v3_groups, PROFILE_V3},
    {{METHOD_GET, GROUP}, kafka_rest_v3_group, PROFILE_V3},
    {{METHOD_GET, GROUP "/consumers"}, kafka_rest_v3_consumers, PROFILE_V3},
    {{METHOD_GET, GROUP "/lags"}, kafka_rest_v3_lags, PROFILE_V3},
    {{METHOD_GET, GROUP "/lag-summary"}, kafka_rest_v3_lag_summary, PROFILE_V3},
};

const struct route_table kafka_rest_v3_routes = ROUTE_TABLE(v3_routes);
