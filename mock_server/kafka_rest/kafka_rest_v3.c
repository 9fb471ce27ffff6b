/* v3: the cluster, and how its resources are written. Topics, records and groups have a file each.
 * JSON both ways; errors have the same two fields as in v2. */
#include "kafka_rest_v3.h"

#include <stdio.h>

enum { link_bytes_max = 64 * 1024 };

/* --- writing --- */

static void writer_open(struct v3_writer *w, const struct kafka_rest_call *call)
{
    *w = (struct v3_writer){.call = call,
                            .body = &call->exchange->reply.body,
                            .cluster_id = store_cluster_id(call->rest->options.store)};
    buf_init(&w->base, link_bytes_max);
    buf_init(&w->scratch, link_bytes_max);
    kafka_rest_base_url(call, &w->base);
    BUF_APPEND_LIT(&w->base, "/v3/clusters");
    call->exchange->reply.status = 200;
}

bool v3_writer_begin(struct v3_writer *w, const struct kafka_rest_call *call)
{
    const char *cluster_id = store_cluster_id(call->rest->options.store);
    if (!span_equal_cstr(call->match.captures[0], cluster_id)) {
        answer_hint(call->exchange, "this cluster's id is %s (GET /v3/clusters)", cluster_id);
        kafka_rest_error(call->exchange, 404, 404, "Cluster %.*s cannot be found.",
                         SPAN_ARG(call->match.captures[0]));
        return false;
    }
    writer_open(w, call);
    return true;
}

enum handled v3_writer_end(struct v3_writer *w)
{
    buf_release(&w->base);
    buf_release(&w->scratch);
    return HANDLED;
}

const char *v3_path(struct v3_writer *w, const char *format, ...)
{
    char text[4096]; /* a longer group or consumer name is cut in its links */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    const char *copy = arena_copy_cstr(&w->call->exchange->arena, span_from_cstr(text));
    return copy != NULL ? copy : "";
}

static void separate(struct v3_writer *w)
{
    char last = w->body->len > 0 ? w->body->ptr[w->body->len - 1] : '{';
    if (last != '{' && last != '[') {
        buf_append_byte(w->body, ',');
    }
}

void v3_name(struct v3_writer *w, const char *name)
{
    separate(w);
    json_string_append(w->body, span_from_cstr(name));
    buf_append_byte(w->body, ':');
}

void v3_string(struct v3_writer *w, const char *name, struct span value)
{
    v3_name(w, name);
    json_string_append(w->body, value);
}

void v3_int(struct v3_writer *w, const char *name, int64_t value)
{
    v3_name(w, name);
    buf_append_i64(w->body, value);
}

void v3_bool(struct v3_writer *w, const char *name, bool value)
{
    v3_name(w, name);
    buf_append_cstr(w->body, value ? "true" : "false");
}

void v3_null(struct v3_writer *w, const char *name)
{
    v3_name(w, name);
    BUF_APPEND_LIT(w->body, "null");
}

static void append_url(struct v3_writer *w, const char *path)
{
    buf_reset(&w->scratch);
    buf_append_span(&w->scratch, buf_span(&w->base));
    buf_append_byte(&w->scratch, '/');
    buf_append_cstr(&w->scratch, w->cluster_id);
    buf_append_cstr(&w->scratch, path);
    json_string_append(w->body, buf_span(&w->scratch));
}

void v3_link(struct v3_writer *w, const char *name, const char *path)
{
    v3_name(w, name);
    BUF_APPEND_LIT(w->body, "{\"related\":");
    append_url(w, path);
    buf_append_byte(w->body, '}');
}

void v3_begin(struct v3_writer *w, const char *kind, const char *path, const char *crn)
{
    separate(w);
    buf_append_byte(w->body, '{');
    v3_string(w, "kind", span_from_cstr(kind));
    BUF_APPEND_LIT(w->body, ",\"metadata\":{\"self\":");
    append_url(w, path);
    BUF_APPEND_LIT(w->body, ",\"resource_name\":");
    buf_reset(&w->scratch);
    BUF_APPEND_LIT(&w->scratch, "crn:///kafka=");
    buf_append_cstr(&w->scratch, w->cluster_id);
    buf_append_cstr(&w->scratch, crn);
    json_string_append(w->body, buf_span(&w->scratch));
    buf_append_byte(w->body, '}');
}

void v3_end(struct v3_writer *w)
{
    buf_append_byte(w->body, '}');
}

void v3_list_begin(struct v3_writer *w, const char *kind, const char *path)
{
    buf_append_byte(w->body, '{');
    v3_string(w, "kind", span_from_cstr(kind));
    BUF_APPEND_LIT(w->body, ",\"metadata\":{\"self\":");
    append_url(w, path);
    BUF_APPEND_LIT(w->body, ",\"next\":null},\"data\":[");
}

void v3_list_end(struct v3_writer *w)
{
    BUF_APPEND_LIT(w->body, "]}");
}

/* --- clusters --- */

static void append_cluster(struct v3_writer *w)
{
    v3_begin(w, "KafkaCluster", "", "");
    v3_string(w, "cluster_id", span_from_cstr(w->cluster_id));
    v3_link(w, "controller", v3_path(w, "/brokers/%d", KAFKA_REST_BROKER_ID));
    v3_link(w, "acls", "/acls");
    v3_link(w, "brokers", "/brokers");
    v3_link(w, "broker_configs", "/broker-configs");
    v3_link(w, "consumer_groups", "/consumer-groups");
    v3_link(w, "topics", "/topics");
    v3_link(w, "partition_reassignments", "/topics/-/partitions/-/reassignment");
    v3_end(w);
}

enum handled kafka_rest_v3_clusters(struct kafka_rest_call *call)
{
    struct v3_writer w;
    writer_open(&w, call);
    /* The only list whose address does not name the cluster. */
    BUF_APPEND_LIT(w.body, "{\"kind\":\"KafkaClusterList\",\"metadata\":{\"self\":");
    json_string_append(w.body, buf_span(&w.base));
    BUF_APPEND_LIT(w.body, ",\"next\":null},\"data\":[");
    append_cluster(&w);
    v3_list_end(&w);
    return v3_writer_end(&w);
}

enum handled kafka_rest_v3_cluster(struct kafka_rest_call *call)
{
    struct v3_writer w;
    if (!v3_writer_begin(&w, call)) {
        return HANDLED;
    }
    append_cluster(&w);
    return v3_writer_end(&w);
}
