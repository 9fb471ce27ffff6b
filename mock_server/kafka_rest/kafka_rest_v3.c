/* v3's clusters: there is one. */
#include "kafka_rest_v3.h"
#include "kafka_rest_handlers.h"

static void v3_append_cluster(struct v3_writer *w)
{
    v3_begin(w, "KafkaCluster", "", "");
    json_member_string(&w->json, "cluster_id", w->cluster_id);
    v3_link(w, "controller", v3_path(w, "/brokers/%d", BROKER_ID));
    v3_link(w, "acls", "/acls");
    v3_link(w, "brokers", "/brokers");
    v3_link(w, "broker_configs", "/broker-configs");
    v3_link(w, "consumer_groups", "/consumer-groups");
    v3_link(w, "topics", "/topics");
    v3_link(w, "partition_reassignments", "/topics/-/partitions/-/reassignment");
    json_write_end(&w->json);
}

static enum handled v3_clusters_answer(struct kafka_rest_call *call)
{
    const struct broker_metadata *answer = KAFKA_REST_ANSWER(call, broker_metadata);
    struct v3_writer w;
    if (answer->base.status != STATUS_OK) {
        return kafka_rest_error_broker(call, &answer->base);
    }
    call->cluster_id = answer->cluster_id;
    v3_writer_open(&w, call);
    v3_list_begin(&w, "KafkaClusterList", NULL);
    v3_append_cluster(&w);
    v3_list_end(&w);
    return v3_writer_end(&w);
}

enum handled kafka_rest_v3_clusters(struct kafka_rest_call *call)
{
    return v3_cluster_ask(call, v3_clusters_answer);
}

static enum handled v3_cluster_answer(struct kafka_rest_call *call)
{
    struct v3_writer w;
    if (!v3_cluster_is_named(call) || !kafka_rest_cluster_permitted(call, TOPIC_CLUSTER_DESCRIBE)) {
        return HANDLED;
    }
    v3_writer_open(&w, call);
    v3_append_cluster(&w);
    return v3_writer_end(&w);
}

enum handled kafka_rest_v3_cluster(struct kafka_rest_call *call)
{
    return v3_cluster_ask(call, v3_cluster_answer);
}
