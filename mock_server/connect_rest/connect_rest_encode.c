/* DIFFERS: a configuration keeps the order it was given in; the real worker answers in the order of
 * a hash map once it has read it back from its topic. */
#include "connect_rest_internal.h"

#include "json_text.h"

void connect_rest_write_info(const struct connect_connector_view *view, size_t task_count,
                             struct buf *out)
{
    BUF_APPEND_LIT(out, "{\"name\":");
    json_string_append(out, view->name);
    BUF_APPEND_LIT(out, ",\"config\":");
    connect_entries_write(view->config, out);
    BUF_APPEND_LIT(out, ",\"tasks\":[");
    for (size_t i = 0; i < task_count; i++) {
        buf_append_cstr(out, i > 0 ? ",{\"connector\":" : "{\"connector\":");
        json_string_append(out, view->name);
        buf_printf(out, ",\"task\":%zu}", i);
    }
    BUF_APPEND_LIT(out, "],\"type\":\"sink\"}");
}

static void write_state(enum connect_state state, struct span trace, const char *worker_id,
                        struct buf *out)
{
    buf_printf(out, "\"state\":\"%s\",\"worker_id\":", connect_state_name(state));
    json_string_append(out, span_from_cstr(worker_id));
    if (trace.len > 0) {
        BUF_APPEND_LIT(out, ",\"trace\":");
        json_string_append(out, trace);
    }
    BUF_APPEND_LIT(out, "}");
}

void connect_rest_write_task_status(const struct connect_connector_view *view, size_t task,
                                    const char *worker_id, struct buf *out)
{
    buf_printf(out, "{\"id\":%zu,", task);
    write_state(view->tasks[task].state, view->tasks[task].trace, worker_id, out);
}

void connect_rest_write_status(const struct connect_connector_view *view, const char *worker_id,
                               struct buf *out)
{
    BUF_APPEND_LIT(out, "{\"name\":");
    json_string_append(out, view->name);
    BUF_APPEND_LIT(out, ",\"connector\":{");
    write_state(view->state, view->trace, worker_id, out);
    BUF_APPEND_LIT(out, ",\"tasks\":[");
    for (size_t i = 0; i < view->task_count; i++) {
        buf_append_cstr(out, i > 0 ? "," : "");
        connect_rest_write_task_status(view, i, worker_id, out);
    }
    BUF_APPEND_LIT(out, "],\"type\":\"sink\"}");
}

void connect_rest_write_task_config(const struct connect_connector_view *view, struct buf *out)
{
    BUF_APPEND_LIT(out, "{");
    for (size_t i = 0; i < view->config->count; i++) {
        json_string_append(out, view->config->items[i].key);
        BUF_APPEND_LIT(out, ":");
        json_string_append(out, view->config->items[i].value);
        BUF_APPEND_LIT(out, ",");
    }
    buf_printf(out, "\"task.class\":\"%s\"}", connect_plugin.task_class);
}
