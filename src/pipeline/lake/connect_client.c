/* Requests to a Connect worker, each one blocking. A worker in a rebalance answers 409 for a
 * moment, in the same status as "already exists": its words tell them apart. */
#include "connect_client.h"

#include "http_client.h"
#include "json.h"
#include "json_write.h"
#include "printable.h"
#include "retry.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    answer_bytes_max = 16 * 1024 * 1024,
    url_bytes_max = 16 * 1024,
    attempts_max = 6,
    words_bytes_max = 400,
};

struct connect_client {
    struct connect_client_options options;
    struct http_client *http;
    struct http_response response;
    struct buf url;
    struct retry_policy retry;
};

/* --- answers --------------------------------------------------------------------------------- */

static enum status connect_status_of(int status)
{
    switch (status) {
    case 400:
        return STATUS_INVALID;
    case 404:
        return STATUS_NOT_FOUND;
    case 409:
        return STATUS_EXISTS;
    case 401:
    case 403:
        return STATUS_CONFIG;
    default:
        return STATUS_FAILED;
    }
}

/* "message" of {"error_code":...,"message":...}, else the start of the body. */
static void worker_words(const struct http_response *response, char out[words_bytes_max])
{
    struct json_doc *doc = NULL;
    const char *message = NULL;
    if (json_doc_parse(buf_span(&response->body), &doc, NULL) == STATUS_OK &&
        json_node_string(json_node_get(json_doc_root(doc), "message"), &message)) {
        snprintf(out, words_bytes_max, "%s", message);
    } else {
        struct span start = span_first(buf_span(&response->body), 120);
        snprintf(out, words_bytes_max,
                 "and not as Kafka Connect does (is connect_url right?): %.*s", SPAN_ARG(start));
    }
    json_doc_free(doc);
}

static bool is_rebalancing(const struct http_response *response)
{
    char words[words_bytes_max];
    if (response->failure != HTTP_FAILURE_NONE || response->status != 409) {
        return false;
    }
    worker_words(response, words);
    return strstr(words, "rebalance") != NULL || strstr(words, "momentarily") != NULL;
}

static enum status connect_answer_judge(const struct connect_client *client, const char *method,
                                        struct error *err)
{
    const struct http_response *response = &client->response;
    char words[words_bytes_max];
    enum status failure = http_failure_status(response->failure);
    if (failure != STATUS_OK && failure != STATUS_UNREACHABLE) {
        return error_set(err, failure, "%s %s: %s", method, buf_cstr(&client->url),
                         response->message);
    }
    if (failure != STATUS_OK) {
        return error_set(err, STATUS_UNREACHABLE,
                         "%s cannot be reached: %s; start a server with `pinpipe serve`, or set "
                         "connect_url",
                         client->options.url, response->message);
    }
    if (response->status < 300) {
        return STATUS_OK;
    }
    worker_words(response, words);
    struct span hint = http_response_header(response, "X-Pinpipe-Hint");
    return error_set(err, connect_status_of(response->status), "%s answered %d: %s%s%.*s",
                     client->options.url, response->status, words, hint.len > 0 ? "; " : "",
                     SPAN_ARG(hint));
}

/* --- calls ----------------------------------------------------------------------------------- */

static bool is_stopped(const struct connect_client *client)
{
    const struct connect_client_options *options = &client->options;
    return options->should_stop != NULL && options->should_stop(options->should_stop_ctx);
}

enum status connect_client_call(struct connect_client *client, const char *method, const char *path,
                                const struct span *body, struct buf *out, struct error *err)
{
    static const char *const headers[] = {"Accept: application/json",
                                          "Content-Type: application/json", NULL};
    static const char *const headers_alone[] = {"Accept: application/json", NULL};
    struct env *env = client->options.env;
    buf_reset(&client->url);
    buf_printf(&client->url, "%s%s", client->options.url, path);
    if (!buf_ok(&client->url)) {
        return buf_error(&client->url, err, STATUS_INVALID, "a URL longer than %d bytes",
                         url_bytes_max);
    }
    const struct http_call_request request = {
        .method = method,
        .url = buf_cstr(&client->url),
        .headers = body != NULL ? headers : headers_alone,
        .body = body != NULL ? *body : SPAN_EMPTY,
        .has_body = body != NULL,
    };
    enum status status = STATUS_OK;
    for (int64_t attempts = 1; status == STATUS_OK; attempts++) {
        status = http_client_request(client->http, &request, &client->response, err);
        if (status != STATUS_OK || !is_rebalancing(&client->response) ||
            !retry_is_left(&client->retry, attempts) || is_stopped(client)) {
            break;
        }
        env->sleep_us(env, retry_delay_us(&client->retry, env, attempts, 0));
    }
    if (status == STATUS_OK) {
        status = connect_answer_judge(client, method, err);
    }
    buf_reset(out);
    if (status == STATUS_OK) {
        buf_append_span(out, buf_span(&client->response.body));
        if (!buf_ok(out)) {
            status = buf_error(out, err, STATUS_LIMIT, "the answer of %s is too long",
                               buf_cstr(&client->url));
        }
    }
    return status;
}

struct span connect_client_hint(const struct connect_client *client)
{
    return http_response_header(&client->response, "X-Pinpipe-Hint");
}

void connect_path(struct buf *out, const char *name, const char *below)
{
    buf_reset(out);
    BUF_APPEND_LIT(out, "/connectors/");
    url_encode(span_from_cstr(name), false, out);
    buf_append_cstr(out, below);
}

void connect_create_body(struct buf *out, struct span name, struct span config_json)
{
    buf_reset(out);
    struct json_writer w = json_writer_to(out);
    json_write_object(&w);
    json_member_string(&w, "name", name);
    json_member_raw(&w, "config", config_json);
    json_write_end(&w);
}

/* --- the workshop's connector ---------------------------------------------------------------- */

void connect_workshop_config(const char *user_id, struct buf *out)
{
    static const char *const fixed[][2] = {
        {"connector.class", "io.confluent.connect.s3.S3SinkConnector"},
        {"s3.region", "us-east-1"},
        {"flush.size", "1"},
        {"schema.compatibility", "NONE"},
        {"tasks.max", "3"},
        {"format.class", "io.confluent.connect.s3.format.json.JsonFormat"},
        {"partitioner.class", "io.confluent.connect.storage.partitioner.DefaultPartitioner"},
        {"value.converter.schemas.enable", "false"},
        {"value.converter", "org.apache.kafka.connect.json.JsonConverter"},
        {"storage.class", "io.confluent.connect.s3.storage.S3Storage"},
        {"key.converter", "org.apache.kafka.connect.storage.StringConverter"},
    };
    struct json_writer w = json_writer_to(out);
    json_write_object(&w);
    for (size_t i = 0; i < ARRAY_COUNT(fixed); i++) {
        json_member_cstr(&w, fixed[i][0], fixed[i][1]);
    }
    /* The id is checked by whoever resolved it: nothing in it needs an escape. */
    json_write_name(&w, "topics.regex");
    buf_printf(json_write_value(&w), "\"%s.*\"", user_id);
    json_write_name(&w, "s3.bucket.name");
    buf_printf(json_write_value(&w), "\"user-%s-bucket\"", user_id);
    json_write_end(&w);
}

/* --- who runs -------------------------------------------------------------------------------- */

static bool state_is(const struct json_node *node, const char *wanted)
{
    const char *state = "";
    json_node_string(json_node_get(node, "state"), &state);
    return strcmp(state, wanted) == 0;
}

/* The last "Caused by: " of a trace, which is where it began; else its first line. */
static struct span root_cause(struct span trace)
{
    struct span rest = trace;
    struct span line;
    struct span cause = span_first(trace, span_find_byte(trace, '\n'));
    while (span_next_part(&rest, '\n', &line)) {
        if (span_starts_with(line, SPAN_LIT("Caused by: "))) {
            cause = span_skip(line, sizeof("Caused by: ") - 1);
        }
    }
    return cause;
}

static void connect_note_failed(struct connect_census *census, const char *name,
                                const struct json_node *of)
{
    const char *trace = "";
    if (census->failed[0] != '\0' || !state_is(of, "FAILED")) {
        return;
    }
    json_node_string(json_node_get(of, "trace"), &trace);
    struct span line = root_cause(span_from_cstr(trace));
    snprintf(census->failed, sizeof(census->failed), "%s: %.*s", name, SPAN_ARG(line));
    printable_make(census->failed, sizeof(census->failed));
}

static bool connector_is_running(const struct json_node *connector)
{
    const struct json_node *status = json_node_get(connector, "status");
    const struct json_node *tasks = json_node_get(status, "tasks");
    bool has_task = false;
    for (size_t i = 0; i < json_node_count(tasks); i++) {
        has_task = has_task || state_is(json_node_at(tasks, i), "RUNNING");
    }
    return has_task && state_is(json_node_get(status, "connector"), "RUNNING");
}

static void count_connector(struct connect_census *census, const struct json_node *connector)
{
    const struct json_node *status = json_node_get(connector, "status");
    const struct json_node *tasks = json_node_get(status, "tasks");
    const char *name = json_node_name(connector);
    census->connectors++;
    census->running += connector_is_running(connector) ? 1 : 0;
    connect_note_failed(census, name, json_node_get(status, "connector"));
    for (size_t i = 0; i < json_node_count(tasks); i++) {
        connect_note_failed(census, name, json_node_at(tasks, i));
    }
}

static enum status connect_client_ask(struct connect_client *client, const char *path,
                                      struct json_doc **doc, struct error *err)
{
    struct buf text;
    *doc = NULL;
    buf_init(&text, answer_bytes_max);
    enum status status = connect_client_call(client, "GET", path, NULL, &text, err);
    if (status == STATUS_OK) {
        status = json_doc_parse(buf_span(&text), doc, err);
    }
    buf_release(&text);
    return status;
}

/* An object with a member for each connector. */
static enum status ask_connectors(struct connect_client *client, struct json_doc **doc,
                                  struct error *err)
{
    enum status status =
        connect_client_ask(client, "/connectors?expand=status&expand=info", doc, err);
    if (status == STATUS_OK && !json_node_is_object(json_doc_root(*doc))) {
        json_doc_free(*doc);
        *doc = NULL;
        status = error_set(err, STATUS_FAILED, "%s does not list connectors", client->options.url);
    }
    return status;
}

enum status connect_client_census(struct connect_client *client, struct connect_census *out,
                                  struct error *err)
{
    struct json_doc *doc;
    *out = (struct connect_census){.connectors = 0};
    enum status status = ask_connectors(client, &doc, err);
    if (status == STATUS_OK) {
        const struct json_node *root = json_doc_root(doc);
        for (size_t i = 0; i < json_node_count(root); i++) {
            count_connector(out, json_node_at(root, i));
        }
    }
    json_doc_free(doc);
    return status;
}

static int64_t flush_size_of(const struct json_node *connector)
{
    const struct json_node *config = json_node_get(json_node_get(connector, "info"), "config");
    const char *text = "";
    int64_t size = 1;
    json_node_string(json_node_get(config, "flush.size"), &text);
    return span_parse_i64(span_trim(span_from_cstr(text)), &size) ? size : 1;
}

static bool is_among(const struct json_node *names, const char *wanted)
{
    const char *name = "";
    for (size_t i = 0; i < json_node_count(names); i++) {
        if (json_node_string(json_node_at(names, i), &name) && strcmp(name, wanted) == 0) {
            return true;
        }
    }
    return false;
}

/* {"NAME":{"topics":["t",...]}}; *told is NULL when the worker does not say. The document is the
 * caller's. */
static struct json_doc *ask_taken(struct connect_client *client, const char *name,
                                  const struct json_node **told)
{
    struct json_doc *doc;
    struct buf path;
    struct error ignored;
    buf_init(&path, url_bytes_max);
    connect_path(&path, name, "/topics");
    *told = connect_client_ask(client, buf_cstr(&path), &doc, &ignored) == STATUS_OK
                ? json_node_get(json_node_get(json_doc_root(doc), name), "topics")
                : NULL;
    buf_release(&path);
    return doc;
}

static void raise_sizes(struct connect_client *client, const struct json_node *connector,
                        const char *const *topics, int64_t *sizes)
{
    const struct json_node *taken;
    int64_t size = flush_size_of(connector);
    struct json_doc *doc = ask_taken(client, json_node_name(connector), &taken);
    for (size_t i = 0; topics[i] != NULL; i++) {
        if (size > sizes[i] && (doc == NULL || is_among(taken, topics[i]))) {
            sizes[i] = size;
        }
    }
    json_doc_free(doc);
}

static bool connector_lands(struct connect_client *client, const struct json_node *connector,
                            const char *user_id, const char *const *topics)
{
    static const char *const keys[] = {"topics", "topics.regex"};
    const struct json_node *config = json_node_get(json_node_get(connector, "info"), "config");
    const struct json_node *taken;
    const char *text = "";
    bool lands = false;
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        lands = lands || (json_node_string(json_node_get(config, keys[i]), &text) &&
                          strstr(text, user_id) != NULL);
    }
    if (lands) {
        return true;
    }
    struct json_doc *doc = ask_taken(client, json_node_name(connector), &taken);
    for (size_t i = 0; topics[i] != NULL; i++) {
        lands = lands || is_among(taken, topics[i]);
    }
    json_doc_free(doc);
    return lands;
}

enum status connect_client_find_landing(struct connect_client *client, const char *user_id,
                                        const char *const *topics, struct connect_landing *out,
                                        struct error *err)
{
    struct json_doc *doc;
    *out = (struct connect_landing){.found = false};
    enum status status = ask_connectors(client, &doc, err);
    if (status == STATUS_OK) {
        const struct json_node *root = json_doc_root(doc);
        for (size_t i = 0; !out->found && i < json_node_count(root); i++) {
            const struct json_node *connector = json_node_at(root, i);
            const struct json_node *config =
                json_node_get(json_node_get(connector, "info"), "config");
            const char *bucket = "";
            out->found = connector_lands(client, connector, user_id, topics);
            if (out->found) {
                json_node_string(json_node_get(config, "s3.bucket.name"), &bucket);
                snprintf(out->bucket, sizeof(out->bucket), "%s", bucket);
            }
        }
    }
    json_doc_free(doc);
    return status;
}

enum status connect_client_flush_sizes(struct connect_client *client, const char *const *topics,
                                       int64_t *sizes, struct error *err)
{
    struct json_doc *doc;
    for (size_t i = 0; topics[i] != NULL; i++) {
        sizes[i] = 1;
    }
    enum status status = ask_connectors(client, &doc, err);
    if (status == STATUS_OK) {
        const struct json_node *root = json_doc_root(doc);
        for (size_t i = 0; i < json_node_count(root); i++) {
            const struct json_node *connector = json_node_at(root, i);
            if (connector_is_running(connector) && flush_size_of(connector) > 1) {
                raise_sizes(client, connector, topics, sizes);
            }
        }
    }
    json_doc_free(doc);
    return status;
}

/* --- life ------------------------------------------------------------------------------------ */

enum status connect_client_new(const struct connect_client_options *options,
                               struct connect_client **out, struct error *err)
{
    struct connect_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the Connect client");
    }
    const struct http_client_options http = {.connections_max = 1,
                                             .timeout_ms = options->timeout_ms,
                                             .response_bytes_max = answer_bytes_max};
    client->options = *options;
    client->retry = retry_policy_default();
    client->retry.attempts_max = attempts_max;
    buf_init(&client->url, url_bytes_max);
    http_response_init(&client->response, answer_bytes_max);
    enum status status = http_client_new(options->env, &http, &client->http, err);
    if (status != STATUS_OK) {
        connect_client_free(client);
        return status;
    }
    http_client_stop_when(client->http, options->should_stop, options->should_stop_ctx);
    *out = client;
    return STATUS_OK;
}

void connect_client_free(struct connect_client *client)
{
    if (client == NULL) {
        return;
    }
    if (client->http != NULL) {
        http_client_free(client->http);
    }
    http_response_release(&client->response);
    buf_release(&client->url);
    free(client);
}
