/* Tasks and the topics that a connector has read. */
#include "connect_rest_internal.h"

#include "json_text.h"

static struct span name_of(const struct connect_rest_call *call)
{
    return call->match.captures[0];
}

static bool find(const struct connect_rest_call *call, struct connect_connector_view *view)
{
    return connect_worker_find(call->rest->options.worker, name_of(call), view);
}

static enum handled not_found(const struct connect_rest_call *call)
{
    return connect_rest_error(call->exchange, 404, "Connector %.*s not found",
                              SPAN_ARG(name_of(call)));
}

/* An int as Jersey takes one from a path; false: 404 is in the reply. */
static bool task_of(const struct connect_rest_call *call, int *task)
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
    if (!find(call, &view)) {
        return not_found(call);
    }
    struct buf *out = connect_rest_reply(call->exchange, 200);
    BUF_APPEND_LIT(out, "[");
    for (size_t i = 0; i < view.task_count; i++) {
        buf_append_cstr(out, i > 0 ? ",{\"id\":{\"connector\":" : "{\"id\":{\"connector\":");
        json_string_append(out, view.name);
        buf_printf(out, ",\"task\":%zu},\"config\":", i);
        connect_rest_write_task_config(&view, out);
        BUF_APPEND_LIT(out, "}");
    }
    BUF_APPEND_LIT(out, "]");
    return HANDLED;
}

enum handled connect_rest_tasks_config(const struct connect_rest_call *call)
{
    struct connect_connector_view view;
    if (!find(call, &view)) {
        return not_found(call);
    }
    struct buf *out = connect_rest_reply(call->exchange, 200);
    struct buf id;
    buf_init(&id, CONNECT_REST_BODY_BYTES_MAX);
    BUF_APPEND_LIT(out, "{");
    for (size_t i = 0; i < view.task_count; i++) {
        buf_reset(&id);
        buf_append_span(&id, view.name);
        buf_printf(&id, "-%zu", i);
        buf_append_cstr(out, i > 0 ? "," : "");
        json_string_append(out, buf_span(&id));
        BUF_APPEND_LIT(out, ":");
        connect_rest_write_task_config(&view, out);
    }
    BUF_APPEND_LIT(out, "}");
    buf_release(&id);
    return HANDLED;
}

enum handled connect_rest_task_status(const struct connect_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct connect_connector_view view;
    int task;
    if (!task_of(call, &task)) {
        return HANDLED;
    }
    if (!find(call, &view) || task < 0 || (size_t)task >= view.task_count) {
        return connect_rest_error(exchange, 404, "No status found for task %.*s-%d",
                                  SPAN_ARG(name_of(call)), task);
    }
    connect_rest_write_task_status(&view, (size_t)task, call->rest->options.worker_id,
                                   connect_rest_reply(exchange, 200));
    return HANDLED;
}

enum handled connect_rest_task_restart(const struct connect_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct connect_connector_view view;
    struct error err;
    int task;
    if (!task_of(call, &task)) {
        return HANDLED;
    }
    if (!find(call, &view)) {
        return connect_rest_error(exchange, 404, "Unknown connector: %.*s",
                                  SPAN_ARG(name_of(call)));
    }
    if (task < 0 || (size_t)task >= view.task_count) {
        return connect_rest_error(exchange, 404, "Unknown task: %.*s-%d", SPAN_ARG(name_of(call)),
                                  task);
    }
    if (connect_worker_restart_task(call->rest->options.worker, name_of(call), task, &err) !=
        STATUS_OK) {
        return connect_rest_error_internal(call, &err);
    }
    exchange->reply.status = 204;
    return HANDLED;
}

/* --- topics --- */

struct topic_list {
    struct buf *out;
    bool first;
};

static bool append_topic(void *ctx, struct span topic)
{
    struct topic_list *list = ctx;
    buf_append_cstr(list->out, list->first ? "" : ",");
    list->first = false;
    json_string_append(list->out, topic);
    return true;
}

/* A connector that there is none of has read no topics. */
enum handled connect_rest_topics(const struct connect_rest_call *call)
{
    struct topic_list list = {connect_rest_reply(call->exchange, 200), true};
    struct error err;
    BUF_APPEND_LIT(list.out, "{");
    json_string_append(list.out, name_of(call));
    BUF_APPEND_LIT(list.out, ":{\"topics\":[");
    enum status status =
        connect_worker_topics(call->rest->options.worker, name_of(call), append_topic, &list, &err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        return connect_rest_error_internal(call, &err);
    }
    BUF_APPEND_LIT(list.out, "]}}");
    return HANDLED;
}

enum handled connect_rest_topics_reset(const struct connect_rest_call *call)
{
    struct error err;
    enum status status =
        connect_worker_topics_reset(call->rest->options.worker, name_of(call), &err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        return connect_rest_error_internal(call, &err);
    }
    call->exchange->reply.status = 202;
    return HANDLED;
}
