/* `pinpipe topics`: list, create, describe, delete, over the REST proxy's v3 API, so that it works
 * on a real cluster too. */
#include "commands.h"
#include "http_client.h"
#include "json.h"
#include "json_write.h"
#include "resolve.h"
#include "url.h"

#include <string.h>

enum { name_columns = 40, reply_bytes_max = 16 * 1024 * 1024, body_bytes_max = 64 * 1024 };

struct topics_session {
    struct cli *cli;
    const char *api_key; /* NULL: none is sent */
    struct http_client *http;
    const char *base; /* "http://127.0.0.1:8082/v3/clusters/<id>/topics" */
    struct http_response response;
};

/* The proxy's {"error_code":...,"message":...} or whatever the gateway said instead. */
static enum status answer_is_error(const struct topics_session *s, const char *url,
                                   struct error *err)
{
    struct json_doc *doc = NULL;
    const char *message = NULL;
    struct span hint = http_response_header(&s->response, "X-Pinpipe-Hint");
    if (json_doc_parse(buf_span(&s->response.body), &doc, NULL) == STATUS_OK) {
        json_node_string(json_node_get(json_doc_root(doc), "message"), &message);
    }
    if (message == NULL) {
        error_set(err, STATUS_FAILED, "%s answered %d, and not as a REST proxy does: %.*s", url,
                  s->response.status, SPAN_ARG(span_first(buf_span(&s->response.body), 120)));
    } else {
        error_set(err, STATUS_FAILED, "%s answered %d: %s%s%.*s", url, s->response.status, message,
                  hint.len > 0 ? "; " : "", SPAN_ARG(hint));
    }
    json_doc_free(doc);
    return STATUS_FAILED;
}

static enum status topics_call(struct topics_session *s, const char *method, const char *url,
                               struct span body, struct error *err)
{
    static const char *const headers[] = {"Content-Type: application/json",
                                          "Accept: application/json", NULL};
    const char *api_key = s->api_key;
    const char *all[4] = {headers[1], NULL, NULL, NULL};
    size_t count = 1;
    if (body.len > 0) {
        all[count++] = headers[0];
    }
    if (api_key != NULL) {
        all[count] = arena_printf(&s->cli->arena, "x-api-key: %s", api_key);
        if (all[count] == NULL) { /* without it, the answer would be that it is wrong */
            return error_no_memory(err);
        }
    }
    const struct http_call_request request = {
        .method = method, .url = url, .headers = all, .body = body, .has_body = body.len > 0};
    buf_reset(&s->response.body);
    buf_reset(&s->response.headers);
    enum status status = http_client_request(s->http, &request, &s->response, err);
    if (status != STATUS_OK) {
        return status;
    }
    enum status failure = http_failure_status(s->response.failure);
    if (failure != STATUS_OK && failure != STATUS_UNREACHABLE) {
        return error_set(err, failure, "%s: %s", url, s->response.message);
    }
    if (failure != STATUS_OK) {
        return error_set(err, STATUS_UNREACHABLE,
                         "%s cannot be reached: %s. Is a server running? Start one: pinpipe serve",
                         url, s->response.message);
    }
    return s->response.status < 300 ? STATUS_OK : answer_is_error(s, url, err);
}

static enum status topics_answer_parse(struct topics_session *s, const char *url,
                                       struct json_doc **doc, struct error *err)
{
    enum status status = json_doc_parse(buf_span(&s->response.body), doc, err);
    return status == STATUS_OK ? status : error_prefix(err, "the answer of %s", url);
}

/* Some server answers 200 to anything; what is no document of the proxy's is not shown as one. */
static enum status topics_check_shape(bool fits, const char *url, struct error *err)
{
    return fits ? STATUS_OK
                : error_set(err, STATUS_FAILED, "the answer of %s is not a REST proxy's", url);
}

static bool is_topic(const struct json_node *node)
{
    const char *name;
    return json_node_string(json_node_get(node, "topic_name"), &name);
}

static bool is_topic_list(const struct json_node *root)
{
    const struct json_node *data = json_node_get(root, "data");
    bool fits = json_node_is_array(data);
    for (size_t i = 0; fits && i < json_node_count(data); i++) {
        fits = is_topic(json_node_at(data, i));
    }
    return fits;
}

static enum status find_cluster(struct topics_session *s, const char *root, struct error *err)
{
    struct json_doc *doc = NULL;
    const char *id = NULL;
    const char *url = arena_printf(&s->cli->arena, "%s/v3/clusters", root);
    if (url == NULL) {
        return error_no_memory(err);
    }
    enum status status = topics_call(s, "GET", url, SPAN_EMPTY, err);
    if (status == STATUS_OK) {
        status = topics_answer_parse(s, url, &doc, err);
    }
    if (status == STATUS_OK) {
        const struct json_node *data = json_node_get(json_doc_root(doc), "data");
        if (!json_node_string(json_node_get(json_node_at(data, 0), "cluster_id"), &id)) {
            status = error_set(err, STATUS_FAILED, "%s named no cluster: is it a REST proxy?", url);
        } else {
            s->base = arena_printf(&s->cli->arena, "%s/%s/topics", url, id);
            status = s->base != NULL ? STATUS_OK : error_no_memory(err);
        }
    }
    json_doc_free(doc);
    return status;
}

static enum status topics_session_open(struct topics_session *s, struct cli *cli, struct error *err)
{
    struct endpoints endpoints;
    struct http_client_options options = {.response_bytes_max = reply_bytes_max};
    *s = (struct topics_session){.cli = cli};
    http_response_init(&s->response, reply_bytes_max);
    enum status status = resolve_endpoints(cli, &endpoints, err);
    if (status == STATUS_OK) {
        s->api_key = endpoints.api_key;
        options.timeout_ms = endpoints.timeout_ms;
        status = http_client_new(&cli->env, &options, &s->http, err);
    }
    /* {proxy+} hands /v3 through as well, so a gateway alone is enough. */
    return status != STATUS_OK
               ? status
               : find_cluster(
                     s, endpoints.rest_url != NULL ? endpoints.rest_url : endpoints.invoke_url,
                     err);
}

static void topics_session_close(struct topics_session *s)
{
    http_response_release(&s->response);
    http_client_free(s->http);
}

static const char *topic_url(struct topics_session *s, const char *topic, const char *below)
{
    struct buf encoded;
    buf_init(&encoded, 4096);
    url_encode(span_from_cstr(topic), false, &encoded);
    const char *url = buf_ok(&encoded) ? arena_printf(&s->cli->arena, "%s/%s%s", s->base,
                                                      buf_cstr(&encoded), below)
                                       : NULL;
    buf_release(&encoded);
    return url;
}

static int topics_finish(struct topics_session *s, enum status status, const struct error *err)
{
    int code = status == STATUS_OK ? 0 : cli_report(s->cli, err);
    topics_session_close(s);
    return code;
}

/* Scripts get the API's own document. */
static void topics_print_document(struct topics_session *s)
{
    fprintf(s->cli->out, "%.*s\n", SPAN_ARG(buf_span(&s->response.body)));
}

static void print_topic_line(struct cli *cli, const struct json_node *topic)
{
    const char *name = "?";
    int64_t partitions = 0;
    json_node_string(json_node_get(topic, "topic_name"), &name);
    json_node_i64(json_node_get(topic, "partitions_count"), &partitions);
    cli_put_text(cli, cli->out, span_from_cstr(name));
    int pad = name_columns > (int)strlen(name) ? name_columns - (int)strlen(name) : 0;
    fprintf(cli->out, "%*s %lld partition%s\n", pad, "", (long long)partitions,
            partitions == 1 ? "" : "s");
}

static int topics_run_list(struct cli *cli)
{
    struct topics_session s;
    struct error err = ERROR_NONE;
    struct json_doc *doc = NULL;
    enum status status = topics_session_open(&s, cli, &err);
    if (status == STATUS_OK) {
        status = topics_call(&s, "GET", s.base, SPAN_EMPTY, &err);
    }
    if (status == STATUS_OK) {
        status = topics_answer_parse(&s, s.base, &doc, &err);
    }
    if (status == STATUS_OK) {
        status = topics_check_shape(is_topic_list(json_doc_root(doc)), s.base, &err);
    }
    if (status == STATUS_OK && cli_switch(cli, "json")) {
        topics_print_document(&s);
    } else if (status == STATUS_OK) {
        const struct json_node *data = json_node_get(json_doc_root(doc), "data");
        for (size_t i = 0; i < json_node_count(data); i++) {
            print_topic_line(cli, json_node_at(data, i));
        }
    }
    json_doc_free(doc);
    return topics_finish(&s, status, &err);
}

static int topics_run_create(struct cli *cli)
{
    struct topics_session s;
    struct error err = ERROR_NONE;
    struct buf body;
    buf_init(&body, body_bytes_max);
    struct json_writer w = json_writer_to(&body);
    json_write_object(&w);
    json_member_cstr(&w, "topic_name", cli->args[0]);
    json_member_i64(&w, "partitions_count", cli_count(cli, "partitions"));
    json_write_end(&w);
    enum status status = topics_session_open(&s, cli, &err);
    if (status == STATUS_OK) {
        status = buf_ok(&body) ? topics_call(&s, "POST", s.base, buf_span(&body), &err)
                               : buf_error(&body, &err, STATUS_LIMIT, "the name is too long");
    }
    if (status == STATUS_OK && cli_switch(cli, "json")) {
        topics_print_document(&s);
    } else if (status == STATUS_OK) {
        fprintf(cli->out, "created %s\n", cli->args[0]);
    }
    buf_release(&body);
    return topics_finish(&s, status, &err);
}

static void print_configs(struct cli *cli, const struct json_node *data)
{
    for (size_t i = 0; i < json_node_count(data); i++) {
        const struct json_node *entry = json_node_at(data, i);
        const char *name;
        const char *value;
        bool is_default = true;
        json_node_bool(json_node_get(entry, "is_default"), &is_default);
        if (!is_default && json_node_string(json_node_get(entry, "name"), &name) &&
            json_node_string(json_node_get(entry, "value"), &value)) {
            fputs("  ", cli->out);
            cli_put_text(cli, cli->out, span_from_cstr(name));
            fputs(" = ", cli->out);
            cli_put_text(cli, cli->out, span_from_cstr(value));
            fputc('\n', cli->out);
        }
    }
}

static int topics_run_describe(struct cli *cli)
{
    struct topics_session s;
    struct error err = ERROR_NONE;
    struct json_doc *doc = NULL;
    const char *url = NULL;
    enum status status = topics_session_open(&s, cli, &err);
    if (status == STATUS_OK) {
        url = topic_url(&s, cli->args[0], "");
        status =
            url != NULL ? topics_call(&s, "GET", url, SPAN_EMPTY, &err) : error_no_memory(&err);
    }
    if (status == STATUS_OK && cli_switch(cli, "json")) {
        topics_print_document(&s);
        return topics_finish(&s, status, &err);
    }
    if (status == STATUS_OK) {
        status = topics_answer_parse(&s, url, &doc, &err);
    }
    if (status == STATUS_OK) {
        print_topic_line(cli, json_doc_root(doc));
        json_doc_free(doc);
        doc = NULL;
        url = topic_url(&s, cli->args[0], "/configs");
        status =
            url != NULL ? topics_call(&s, "GET", url, SPAN_EMPTY, &err) : error_no_memory(&err);
    }
    if (status == STATUS_OK) {
        status = topics_answer_parse(&s, url, &doc, &err);
    }
    if (status == STATUS_OK) {
        print_configs(cli, json_node_get(json_doc_root(doc), "data"));
    }
    json_doc_free(doc);
    return topics_finish(&s, status, &err);
}

static int topics_run_delete(struct cli *cli)
{
    struct topics_session s;
    struct error err = ERROR_NONE;
    enum status status = topics_session_open(&s, cli, &err);
    if (status == STATUS_OK) {
        const char *url = topic_url(&s, cli->args[0], "");
        status =
            url != NULL ? topics_call(&s, "DELETE", url, SPAN_EMPTY, &err) : error_no_memory(&err);
    }
    if (status == STATUS_OK) {
        fprintf(cli->out, "deleted %s\n", cli->args[0]);
    }
    return topics_finish(&s, status, &err);
}

static const struct option_spec json_options[] = {
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "the API's JSON document"},
};

static const struct option_spec create_options[] = {
    {"partitions", OPTION_COUNT, "N", "1", NULL, "how many partitions"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "the API's JSON document"},
};

static const struct command subcommands[] = {
    {
        .name = "list",
        .summary = "All topics, by name",
        .arguments = "",
        .options = json_options,
        .option_count = ARRAY_COUNT(json_options),
        .example = "pinpipe topics list",
        .run = topics_run_list,
    },
    {
        .name = "create",
        .summary = "Make a topic",
        .arguments = "NAME",
        .options = create_options,
        .option_count = ARRAY_COUNT(create_options),
        .example = "pinpipe topics create workshop.extra --partitions 3",
        .args_min = 1,
        .args_max = 1,
        .run = topics_run_create,
    },
    {
        .name = "describe",
        .summary = "One topic: its partitions and the settings that are not the default",
        .arguments = "NAME",
        .options = json_options,
        .option_count = ARRAY_COUNT(json_options),
        .example = "pinpipe topics describe workshop.pin",
        .args_min = 1,
        .args_max = 1,
        .run = topics_run_describe,
    },
    {
        .name = "delete",
        .summary = "Delete a topic and its records",
        .arguments = "NAME",
        .example = "pinpipe topics delete workshop.extra",
        .args_min = 1,
        .args_max = 1,
        .run = topics_run_delete,
    },
};

const struct command cmd_topics = {
    .name = "topics",
    .summary = "List, create, describe and delete topics (REST v3)",
    .example = "pinpipe topics list",
    .subcommands = subcommands,
    .subcommand_count = ARRAY_COUNT(subcommands),
};
