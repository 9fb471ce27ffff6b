/* Connectors and plugins: list, create, read, reconfigure, delete, pause, resume, restart. */
#include "connect_rest_internal.h"

#include "query.h"
#include "url.h"

static enum handled connectors_no_content(const struct connect_rest_call *call, int status)
{
    call->exchange->reply.status = status;
    return HANDLED;
}

/* --- reading --- */

enum handled connect_rest_root(const struct connect_rest_call *call)
{
    struct json_writer w = connect_rest_reply(call, 200);
    json_write_object(&w);
    json_member_cstr(&w, "version", CONNECT_VERSION);
    json_member_cstr(&w, "commit", CONNECT_COMMIT);
    json_member_cstr(&w, "kafka_cluster_id", connect_worker_cluster_id(call->rest->options.worker));
    json_write_end(&w);
    return HANDLED;
}

struct expansion {
    bool asked;
    bool status;
    bool info;
};

/* ?expand=status&expand=info; other words expand to nothing. */
static struct expansion expansion_of(struct span query)
{
    struct expansion expansion = {.asked = false};
    struct query_parameter parameter;
    while (query_next(&query, &parameter)) {
        if (!parameter.has_value || !span_equal_cstr(parameter.name, "expand")) {
            continue;
        }
        expansion.asked = true;
        expansion.status |= span_equal_cstr(parameter.value, "status");
        expansion.info |= span_equal_cstr(parameter.value, "info");
    }
    return expansion;
}

static void connectors_write_expanded(const struct connect_rest *rest,
                                      const struct expansion *expansion,
                                      const struct connect_connector_view *view,
                                      struct json_writer *w)
{
    json_write_object(w);
    if (expansion->status) {
        json_write_name(w, "status");
        connect_rest_write_status(view, rest->options.worker_id, w);
    }
    if (expansion->info) {
        json_write_name(w, "info");
        connect_rest_write_info(view, view->task_count, w);
    }
    json_write_end(w);
}

enum handled connect_rest_list(const struct connect_rest_call *call)
{
    struct connect_worker *worker = call->rest->options.worker;
    struct expansion expansion = expansion_of(call->exchange->request.query);
    struct json_writer w = connect_rest_reply(call, 200);
    if (expansion.asked) {
        json_write_object(&w);
    } else {
        json_write_array(&w);
    }
    for (size_t i = 0; i < connect_worker_count(worker); i++) {
        struct connect_connector_view view = connect_worker_at(worker, i);
        if (expansion.asked) {
            json_write_name_span(&w, view.name);
            connectors_write_expanded(call->rest, &expansion, &view, &w);
        } else {
            json_write_string(&w, view.name);
        }
    }
    json_write_end(&w);
    return HANDLED;
}

enum handled connect_rest_get(const struct connect_rest_call *call)
{
    struct connect_connector_view view;
    if (!connect_rest_find(call, &view)) {
        return connect_rest_not_found(call);
    }
    struct json_writer w = connect_rest_reply(call, 200);
    connect_rest_write_info(&view, view.task_count, &w);
    return HANDLED;
}

enum handled connect_rest_get_config(const struct connect_rest_call *call)
{
    struct connect_connector_view view;
    if (!connect_rest_find(call, &view)) {
        return connect_rest_not_found(call);
    }
    struct json_writer w = connect_rest_reply(call, 200);
    json_write_object(&w);
    connect_entries_members(view.config, &w);
    json_write_end(&w);
    return HANDLED;
}

enum handled connect_rest_status(const struct connect_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct connect_connector_view view;
    if (!connect_rest_find(call, &view)) {
        return connect_rest_error(exchange, 404, "No status found for connector %.*s",
                                  SPAN_ARG(connect_rest_name(call)));
    }
    struct json_writer w = connect_rest_reply(call, 200);
    connect_rest_write_status(&view, call->rest->options.worker_id, &w);
    return HANDLED;
}

/* --- creating and reconfiguring --- */

/* False: the answer says what is wrong with the configuration. */
static bool connectors_check_config(const struct connect_rest_call *call,
                                    const struct connect_entries *entries,
                                    const struct sink_config **config)
{
    struct exchange *exchange = call->exchange;
    struct connect_findings findings;
    struct error err;
    struct buf text;
    if (connect_config_parse(&exchange->arena, entries, config, &findings, &err) != STATUS_OK) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    if (findings.count == 0) {
        return true;
    }
    connect_rest_hint_findings(exchange, entries, &findings);
    if (findings.exception != NULL) {
        connect_rest_error_text(exchange, findings.exception_status,
                                span_from_cstr(findings.errors[0]));
        return false;
    }
    buf_init(&text, CONNECT_REST_REPLY_BYTES_MAX);
    connect_findings_write(&findings, &text);
    connect_rest_error_text(exchange, 400, buf_span(&text));
    buf_release(&text);
    return false;
}

/* AbstractHerder's order: the name in the configuration must be the connector's, or is put there.
 */
static bool connectors_check_name(const struct connect_rest_call *call,
                                  struct connect_entries *entries, struct span name)
{
    const struct connect_entry *own = connect_entries_find(entries, "name");
    if (own != NULL && !span_equal(own->value, name)) {
        connect_rest_error(call->exchange, 400,
                           "Connector name configuration (%.*s) doesn't match connector name in "
                           "the URL (%.*s)",
                           SPAN_ARG(own->value), SPAN_ARG(name));
        return false;
    }
    connect_entries_name(entries, name);
    return true;
}

/* The body was null, or it had no config. */
static enum handled connectors_refuse_null(struct exchange *exchange)
{
    connect_rest_hint_body(exchange);
    return connect_rest_error(exchange, 500,
                              "Cannot invoke \"java.util.Map.get(Object)\" because "
                              "\"connectorConfig\" is null");
}

static void connectors_add_location(struct exchange *exchange, struct span name)
{
    struct span host = exchange->request.host;
    struct buf url;
    buf_init(&url, 4 * CONNECT_REST_BODY_BYTES_MAX);
    BUF_APPEND_LIT(&url, "http://");
    buf_append_span(&url, host.len > 0 ? host : SPAN_LIT("localhost:8083"));
    BUF_APPEND_LIT(&url, "/connectors/");
    url_encode(name, true, &url);
    reply_add_header(&exchange->reply, "Location", buf_span(&url));
    buf_release(&url);
}

/* Tasks that a configuration changes begin anew. */
static void connectors_hint_if_failed(struct exchange *exchange,
                                      const struct connect_connector_view *view)
{
    for (size_t i = 0; i < view->task_count; i++) {
        if (view->tasks[i].state == CONNECT_FAILED) {
            answer_hint(exchange,
                        "the configuration is the same, so its failed tasks stay failed: "
                        "POST /connectors/<name>/tasks/<n>/restart (pinpipe connect restart)");
            return;
        }
    }
}

/* The configuration is sound; `before` is how many tasks it had (real answers show those). */
static enum handled connectors_put(const struct connect_rest_call *call,
                                   const struct connect_entries *entries,
                                   const struct sink_config *config, bool created)
{
    struct connect_worker *worker = call->rest->options.worker;
    struct connect_connector_view view;
    struct connect_spec spec = {.name = connect_config_name(config), .config = entries};
    struct error err;
    size_t tasks_before = 0;
    if (!created && connect_worker_find(worker, spec.name, &view)) {
        tasks_before = view.task_count;
        /* Whoever made it keeps it: MSK Connect knows its connectors by this. */
        spec.msk = span_from_cstr(arena_copy_cstr(&call->exchange->arena, view.msk));
    }
    enum status status = connect_worker_put(worker, &spec, &err);
    if (status == STATUS_LIMIT) {
        answer_hint(call->exchange, "%s on this server", err.message);
    }
    if (status != STATUS_OK || !connect_worker_find(worker, spec.name, &view)) {
        return connect_rest_error_internal(call, &err);
    }
    connectors_hint_if_failed(call->exchange, &view);
    connect_rest_hint_config(call, config, created);
    if (created) {
        connectors_add_location(call->exchange, spec.name);
    }
    struct json_writer w = connect_rest_reply(call, created ? 201 : 200);
    connect_rest_write_info(&view, tasks_before, &w);
    return HANDLED;
}

enum handled connect_rest_create(const struct connect_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct connect_rest_create request;
    struct connect_connector_view view;
    const struct sink_config *config;
    if (!connect_rest_decode_create(call, &request)) {
        return HANDLED;
    }
    if (!request.has_config) {
        return connectors_refuse_null(exchange);
    }
    if (!connectors_check_name(call, &request.config, request.name) ||
        !connectors_check_config(call, &request.config, &config)) {
        return HANDLED;
    }
    if (connect_worker_find(call->rest->options.worker, connect_config_name(config), &view)) {
        answer_hint(exchange, "to change it, PUT /connectors/<name>/config with the flat "
                              "configuration");
        return connect_rest_error(exchange, 409, "Connector %.*s already exists",
                                  SPAN_ARG(connect_config_name(config)));
    }
    return connectors_put(call, &request.config, config, true);
}

enum handled connect_rest_put_config(const struct connect_rest_call *call)
{
    struct connect_entries entries;
    struct connect_connector_view view;
    const struct sink_config *config;
    bool has_config;
    if (!connect_rest_decode_config(call, &entries, &has_config)) {
        return HANDLED;
    }
    if (!has_config) {
        return connectors_refuse_null(call->exchange);
    }
    if (!connectors_check_name(call, &entries, connect_rest_name(call)) ||
        !connectors_check_config(call, &entries, &config)) {
        return HANDLED;
    }
    return connectors_put(call, &entries, config, !connect_rest_find(call, &view));
}

/* --- acting --- */

enum handled connect_rest_delete(const struct connect_rest_call *call)
{
    struct error err;
    switch (connect_worker_delete(call->rest->options.worker, connect_rest_name(call), &err)) {
    case STATUS_OK:
        return connectors_no_content(call, 204);
    case STATUS_NOT_FOUND:
        return connect_rest_not_found(call);
    default:
        return connect_rest_error_internal(call, &err);
    }
}

static enum handled connectors_pause(const struct connect_rest_call *call, bool paused)
{
    struct error err;
    switch (
        connect_worker_pause(call->rest->options.worker, connect_rest_name(call), paused, &err)) {
    case STATUS_OK:
        return connectors_no_content(call, 202);
    case STATUS_NOT_FOUND:
        return connect_rest_error(call->exchange, 404, "Unknown connector %.*s",
                                  SPAN_ARG(connect_rest_name(call)));
    default:
        return connect_rest_error_internal(call, &err);
    }
}

enum handled connect_rest_pause(const struct connect_rest_call *call)
{
    return connectors_pause(call, true);
}

enum handled connect_rest_resume(const struct connect_rest_call *call)
{
    return connectors_pause(call, false);
}

/* 2.8 knows neither includeTasks nor onlyFailed. */
enum handled connect_rest_restart(const struct connect_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct error err;
    if (exchange->request.query.len > 0) {
        answer_hint(exchange, "Connect 2.8 restarts the connector only, whatever the query "
                              "says: a task by POST .../tasks/<n>/restart");
    }
    switch (connect_worker_restart(call->rest->options.worker, connect_rest_name(call), &err)) {
    case STATUS_OK:
        return connectors_no_content(call, 204);
    case STATUS_NOT_FOUND:
        return connect_rest_error(exchange, 404, "Unknown connector: %.*s",
                                  SPAN_ARG(connect_rest_name(call)));
    default:
        return connect_rest_error_internal(call, &err);
    }
}

/* --- plugins --- */

/* DIFFERS: the S3 sink is the only plugin; a Connect 2.8 installation brings FileStream connectors
 * too. */
enum handled connect_rest_plugins(const struct connect_rest_call *call)
{
    struct json_writer w = connect_rest_reply(call, 200);
    json_write_array(&w);
    json_write_object(&w);
    json_member_cstr(&w, "class", connect_plugin.class_name);
    json_member_cstr(&w, "type", "sink");
    json_member_cstr(&w, "version", connect_plugin.version);
    json_write_end(&w);
    json_write_end(&w);
    return HANDLED;
}

static struct span plugin_without_suffix(struct span name)
{
    struct span suffix = SPAN_LIT("Connector");
    if (name.len > suffix.len && span_ends_with(name, suffix)) {
        return span_first(name, name.len - suffix.len);
    }
    return name;
}

enum handled connect_rest_validate(const struct connect_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct connect_entries entries = {.count = 0};
    struct connect_findings findings;
    const struct sink_config *config;
    struct error err;
    bool has_config;
    struct span type = call->match.captures[0];
    if (!connect_rest_decode_config(call, &entries, &has_config)) {
        return HANDLED;
    }
    if (!has_config) {
        return connectors_refuse_null(exchange);
    }
    const struct connect_entry *word = connect_entries_find(&entries, "connector.class");
    if (word != NULL &&
        !span_ends_with(plugin_without_suffix(word->value), plugin_without_suffix(type))) {
        return connect_rest_error(exchange, 400,
                                  "Included connector type %.*s does not match request type %.*s",
                                  SPAN_ARG(word->value), SPAN_ARG(type));
    }
    if (connect_config_parse(&exchange->arena, &entries, &config, &findings, &err) != STATUS_OK) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    if (findings.exception != NULL) {
        connect_rest_hint_findings(exchange, &entries, &findings);
        return connect_rest_error(exchange, 500, "%s: %s", findings.exception, findings.errors[0]);
    }
    if (connect_config_validate(&exchange->arena, &entries, connect_rest_reply(call, 200).out,
                                &err) != STATUS_OK) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
    }
    return HANDLED;
}
