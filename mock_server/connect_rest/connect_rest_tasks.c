/* Tasks and the topics that a connector has read. */
#include "connect_rest_internal.h"

/* An int as Jersey takes one from a path; false: 404 is in the reply. */
static bool tasks_number_of(const struct connect_rest_call *call, int *task)
{
    int64_t number;
    if (!span_parse_i64(call->match.captures[1], &number) || number > INT32_MAX ||
        number < INT32_MIN) {
        connect_rest_error(call->exchange, 404, "HTTP 404 Not Found");
        return false;
    }
    *task = (int)number;
    return true;
}

enum handled connect_rest_tasks(const struct connect_rest_call *call)
{
    struct connect_connector_view view;
    if (!connect_rest_find(call, &view)) {
        return connect_rest_not_found(call);
    }
    struct json_writer w = connect_rest_reply(call, 200);
    json_write_array(&w);
    for (size_t i = 0; i < view.task_count; i++) {
        json_write_object(&w);
        json_member_object(&w, "id");
        json_member_string(&w, "connector", view.name);
        json_member_u64(&w, "task", i);
        json_write_end(&w);
        json_write_name(&w, "config");
        connect_rest_write_task_config(&view, &w);
        json_write_end(&w);
    }
    json_write_end(&w);
    return HANDLED;
}

enum handled connect_rest_tasks_config(const struct connect_rest_call *call)
{
    struct connect_connector_view view;
    if (!connect_rest_find(call, &view)) {
        return connect_rest_not_found(call);
    }
    struct json_writer w = connect_rest_reply(call, 200);
    struct buf id;
    buf_init(&id, CONNECT_REST_BODY_BYTES_MAX);
    json_write_object(&w);
    for (size_t i = 0; i < view.task_count; i++) {
        buf_reset(&id);
        buf_append_span(&id, view.name);
        buf_printf(&id, "-%zu", i);
        json_write_name_span(&w, buf_span(&id));
        connect_rest_write_task_config(&view, &w);
    }
    json_write_end(&w);
    buf_release(&id);
    return HANDLED;
}

enum handled connect_rest_task_status(const struct connect_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct connect_connector_view view;
    int task;
    if (!tasks_number_of(call, &task)) {
        return HANDLED;
    }
    if (!connect_rest_find(call, &view) || task < 0 || (size_t)task >= view.task_count) {
        return connect_rest_error(exchange, 404, "No status found for task %.*s-%d",
                                  SPAN_ARG(connect_rest_name(call)), task);
    }
    struct json_writer w = connect_rest_reply(call, 200);
    connect_rest_write_task_status(&view, (size_t)task, call->rest->options.worker_id, &w);
    return HANDLED;
}

enum handled connect_rest_task_restart(const struct connect_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct connect_connector_view view;
    struct error err;
    int task;
    if (!tasks_number_of(call, &task)) {
        return HANDLED;
    }
    if (!connect_rest_find(call, &view)) {
        return connect_rest_error(exchange, 404, "Unknown connector: %.*s",
                                  SPAN_ARG(connect_rest_name(call)));
    }
    if (task < 0 || (size_t)task >= view.task_count) {
        return connect_rest_error(exchange, 404, "Unknown task: %.*s-%d",
                                  SPAN_ARG(connect_rest_name(call)), task);
    }
    if (connect_worker_restart_task(call->rest->options.worker, connect_rest_name(call), task,
                                    &err) != STATUS_OK) {
        return connect_rest_error_internal(call, &err);
    }
    exchange->reply.status = 204;
    return HANDLED;
}

/* --- topics --- */

static bool tasks_write_topic(void *ctx, struct span topic)
{
    json_write_string(ctx, topic);
    return true;
}

/* A connector that there is none of has read no topics. */
enum handled connect_rest_topics(const struct connect_rest_call *call)
{
    struct json_writer w = connect_rest_reply(call, 200);
    struct span name = connect_rest_name(call);
    struct error err;
    json_write_object(&w);
    json_write_name_span(&w, name);
    json_write_object(&w);
    json_member_array(&w, "topics");
    enum status status =
        connect_worker_topics(call->rest->options.worker, name, tasks_write_topic, &w, &err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        return connect_rest_error_internal(call, &err);
    }
    json_write_end(&w);
    json_write_end(&w);
    json_write_end(&w);
    return HANDLED;
}

enum handled connect_rest_topics_reset(const struct connect_rest_call *call)
{
    struct error err;
    enum status status =
        connect_worker_topics_reset(call->rest->options.worker, connect_rest_name(call), &err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        return connect_rest_error_internal(call, &err);
    }
    call->exchange->reply.status = 202;
    return HANDLED;
}
