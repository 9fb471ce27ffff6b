/* How v3 writes its resources and lists. */
#include "kafka_rest_v3.h"

#include <stdio.h>

enum { link_bytes_max = 64 * 1024 };

void v3_writer_open(struct v3_writer *w, const struct kafka_rest_call *call)
{
    *w = (struct v3_writer){.call = call,
                            .json = json_writer_to(&call->exchange->reply.body),
                            .cluster_id = call->cluster_id};
    buf_init(&w->base, link_bytes_max);
    buf_init(&w->scratch, link_bytes_max);
    kafka_rest_base_url(call, &w->base);
    BUF_APPEND_LIT(&w->base, "/v3/clusters");
    call->exchange->reply.status = 200;
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

static void v3_append_url(struct v3_writer *w, const char *path)
{
    buf_reset(&w->scratch);
    buf_append_span(&w->scratch, buf_span(&w->base));
    buf_append_byte(&w->scratch, '/');
    buf_append_span(&w->scratch, w->cluster_id);
    buf_append_cstr(&w->scratch, path);
    json_write_string(&w->json, buf_span(&w->scratch));
}

void v3_link(struct v3_writer *w, const char *name, const char *path)
{
    json_member_object(&w->json, name);
    json_write_name(&w->json, "related");
    v3_append_url(w, path);
    json_write_end(&w->json);
}

void v3_begin(struct v3_writer *w, const char *kind, const char *path, const char *crn)
{
    json_write_object(&w->json);
    json_member_cstr(&w->json, "kind", kind);
    json_member_object(&w->json, "metadata");
    json_write_name(&w->json, "self");
    v3_append_url(w, path);
    buf_reset(&w->scratch);
    BUF_APPEND_LIT(&w->scratch, "crn:///kafka=");
    buf_append_span(&w->scratch, w->cluster_id);
    buf_append_cstr(&w->scratch, crn);
    json_member_string(&w->json, "resource_name", buf_span(&w->scratch));
    json_write_end(&w->json);
}

void v3_list_begin(struct v3_writer *w, const char *kind, const char *path)
{
    json_write_object(&w->json);
    json_member_cstr(&w->json, "kind", kind);
    json_member_object(&w->json, "metadata");
    json_write_name(&w->json, "self");
    if (path != NULL) {
        v3_append_url(w, path);
    } else {
        json_write_string(&w->json, buf_span(&w->base));
    }
    json_member_null(&w->json, "next");
    json_write_end(&w->json);
    json_member_array(&w->json, "data");
}

void v3_list_end(struct v3_writer *w)
{
    json_write_end(&w->json);
    json_write_end(&w->json);
}
