/* DIFFERS: a configuration keeps the order it was given in; the real worker answers in the order of
 * a hash map once it has read it back from its topic. */
#include "connect_rest_internal.h"

void connect_rest_write_info(const struct connect_connector_view *view, size_t task_count,
                             struct json_writer *w)
{
    json_write_object(w);
    json_member_string(w, "name", view->name);
    json_member_object(w, "config");
    connect_entries_members(view->config, w);
    json_write_end(w);
    json_member_array(w, "tasks");
    for (size_t i = 0; i < task_count; i++) {
        json_write_object(w);
        json_member_string(w, "connector", view->name);
        json_member_u64(w, "task", i);
        json_write_end(w);
    }
    json_write_end(w);
    json_member_cstr(w, "type", "sink");
    json_write_end(w);
}

static void encode_state(enum connect_state state, struct span trace, const char *worker_id,
                         struct json_writer *w)
{
    json_member_cstr(w, "state", connect_state_name(state));
    json_member_cstr(w, "worker_id", worker_id);
    if (trace.len > 0) {
        json_member_string(w, "trace", trace);
    }
    json_write_end(w);
}

void connect_rest_write_task_status(const struct connect_connector_view *view, size_t task,
                                    const char *worker_id, struct json_writer *w)
{
    json_write_object(w);
    json_member_u64(w, "id", task);
    encode_state(view->tasks[task].state, view->tasks[task].trace, worker_id, w);
}

void connect_rest_write_status(const struct connect_connector_view *view, const char *worker_id,
                               struct json_writer *w)
{
    json_write_object(w);
    json_member_string(w, "name", view->name);
    json_member_object(w, "connector");
    encode_state(view->state, view->trace, worker_id, w);
    json_member_array(w, "tasks");
    for (size_t i = 0; i < view->task_count; i++) {
        connect_rest_write_task_status(view, i, worker_id, w);
    }
    json_write_end(w);
    json_member_cstr(w, "type", "sink");
    json_write_end(w);
}

void connect_rest_write_task_config(const struct connect_connector_view *view,
                                    struct json_writer *w)
{
    json_write_object(w);
    connect_entries_members(view->config, w);
    json_member_cstr(w, "task.class", connect_plugin.task_class);
    json_write_end(w);
}
