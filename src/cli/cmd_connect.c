/* `pinpipe connect`: connectors over Kafka Connect's REST API, so that it works on a real worker.
 */
#include "commands.h"
#include "connect_client.h"
#include "connect_properties.h"
#include "file.h"
#include "json.h"
#include "json_write.h"
#include "resolve.h"

#include <errno.h>
#include <string.h>

enum {
    answer_bytes_max = 16 * 1024 * 1024,
    path_bytes_max = 16 * 1024,
    name_columns = 32,
    read_bytes = 64 * 1024,
    created_wait_ms = 10 * 1000,
    created_look_ms = 50,
};

struct connect_session {
    struct cli *cli;
    struct connect_client *client;
    const char *name; /* of the connector: the first argument, else <id>-connector */
    struct buf path;
    struct buf answer;
};

static enum status connect_session_open(struct connect_session *s, struct cli *cli,
                                        struct error *err)
{
    struct endpoints endpoints;
    struct connect_client_options options = {.env = &cli->env, .should_stop = cli_should_stop};
    *s = (struct connect_session){.cli = cli};
    buf_init(&s->path, path_bytes_max);
    buf_init(&s->answer, answer_bytes_max);
    cli_watch_signals();
    /* Checks the id, which names the connector and its bucket. */
    enum status status = resolve_endpoints(cli, &endpoints, err);
    if (status == STATUS_OK) {
        status = resolve_connect(cli, &options.url, err);
    }
    options.timeout_ms = endpoints.timeout_ms;
    if (status == STATUS_OK) {
        s->name = cli->arg_count > 0 ? cli->args[0]
                                     : arena_printf(&cli->arena, "%s-connector", endpoints.user_id);
        status =
            s->name != NULL ? connect_client_new(&options, &s->client, err) : error_no_memory(err);
    }
    return status;
}

static int connect_session_close(struct connect_session *s, enum status status,
                                 const struct error *err)
{
    connect_client_free(s->client);
    buf_release(&s->path);
    buf_release(&s->answer);
    return status == STATUS_OK ? 0 : cli_report(s->cli, err);
}

static enum status connect_call(struct connect_session *s, const char *method,
                                const struct span *body, struct error *err)
{
    enum status status =
        buf_ok(&s->path)
            ? connect_client_call(s->client, method, buf_cstr(&s->path), body, &s->answer, err)
            : buf_error(&s->path, err, STATUS_LIMIT, "the name is too long");
    struct span hint = connect_client_hint(s->client);
    if (status == STATUS_OK && hint.len > 0) {
        fputs("connect: ", s->cli->err);
        cli_put_text(s->cli, s->cli->err, hint);
        fputc('\n', s->cli->err);
    }
    return status;
}

typedef bool (*connect_fits_fn)(const struct json_node *root);

/* Some server answers 200 to anything; what is no document of Connect's is not shown as one. */
static enum status connect_parse(const struct connect_session *s, connect_fits_fn fits,
                                 struct json_doc **doc, struct error *err)
{
    enum status status = json_doc_parse(buf_span(&s->answer), doc, err);
    if ((status == STATUS_OK && fits(json_doc_root(*doc))) || status == STATUS_NO_MEMORY) {
        return status;
    }
    return error_set(
        err, STATUS_FAILED,
        "the answer to %s is not Kafka Connect's (2.3 or newer): is connect_url right?",
        buf_cstr(&s->path));
}

/* Scripts get the API's own document. */
static void connect_print_document(const struct connect_session *s)
{
    fprintf(s->cli->out, "%.*s\n", SPAN_ARG(span_trim(buf_span(&s->answer))));
}

static void put_text(struct cli *cli, const char *text)
{
    cli_put_text(cli, cli->out, span_from_cstr(text));
}

/* --- create and validate --------------------------------------------------------------------- */

static void connect_print_note(void *ctx, const char *text)
{
    struct cli *cli = ctx;
    fprintf(cli->err, "connect: %s: ", cli_text(cli, "config"));
    cli_put_text(cli, cli->err, span_from_cstr(text));
    fputc('\n', cli->err);
}

static enum status read_stdin(struct buf *out, struct error *err)
{
    size_t got;
    do {
        if (!buf_reserve(out, read_bytes)) {
            return error_set(err, STATUS_LIMIT, "stdin: more than %zu bytes", out->max);
        }
        got = fread(out->ptr + out->len, 1, read_bytes, stdin);
        out->len += got;
        out->ptr[out->len] = '\0';
    } while (got > 0);
    return ferror(stdin) == 0 ? STATUS_OK : error_set_errno(err, errno, "stdin");
}

static enum status document_read(struct cli *cli, const char *path, struct connect_document *out,
                                 struct error *err)
{
    struct buf text;
    buf_init(&text, CONNECT_CONFIG_BYTES_MAX);
    enum status status =
        strcmp(path, "-") == 0 ? read_stdin(&text, err) : file_read(path, &text, err);
    if (status == STATUS_OK) {
        status = connect_document_read(buf_span(&text), connect_print_note, cli, out, err);
        if (status != STATUS_OK) {
            error_prefix(err, "%s", path);
        }
    }
    buf_release(&text);
    if (status == STATUS_NOT_FOUND || status == STATUS_INVALID) {
        status = err->code = STATUS_CONFIG;
    }
    return status;
}

/* The configuration of --config, else the workshop's. */
static enum status document_get(struct cli *cli, struct connect_document *out, struct error *err)
{
    const char *path = cli_text(cli, "config");
    if (path != NULL) {
        return document_read(cli, path, out, err);
    }
    const char *user_id = cli_config(cli, "iam_username");
    if (cli_config(cli, "connect_url") == NULL &&
        resolve_user_id(cli, &user_id, err) != STATUS_OK) {
        return err->code;
    }
    connect_workshop_config(user_id, &out->config);
    BUF_APPEND_LIT(&out->class, "io.confluent.connect.s3.S3SinkConnector");
    buf_inherit(&out->config, &out->class);
    return buf_ok(&out->config)
               ? STATUS_OK
               : buf_error(&out->config, err, STATUS_LIMIT, "the configuration is too long");
}

/* The configuration carries the name too. */
static void config_with_name(const struct connect_document *document, const char *name,
                             struct buf *out)
{
    struct span config = span_trim(buf_span(&document->config));
    struct json_writer w = json_writer_to(out);
    json_write_object(&w);
    if (config.len > 2) {
        json_write_raw(&w, span_from(config.ptr + 1, config.len - 2)); /* all its members */
    }
    json_member_cstr(&w, "name", name);
    json_write_end(&w);
}

static enum status connect_create(struct connect_session *s, struct connect_document *document,
                                  struct error *err)
{
    struct buf body;
    struct buf config;
    buf_init(&body, answer_bytes_max);
    buf_init(&config, answer_bytes_max);
    if (s->cli->arg_count == 0 && document->name.len > 0) {
        s->name = buf_cstr(&document->name);
    }
    config_with_name(document, s->name, &config);
    connect_create_body(&body, span_from_cstr(s->name), buf_span(&config));
    const struct span bytes = buf_span(&body);
    buf_reset(&s->path);
    BUF_APPEND_LIT(&s->path, "/connectors");
    enum status status = buf_ok(&body) && buf_ok(&config)
                             ? connect_call(s, "POST", &bytes, err)
                             : buf_error(buf_ok(&config) ? &body : &config, err, STATUS_LIMIT,
                                         "the configuration is too long");
    buf_release(&body);
    buf_release(&config);
    return status;
}

static bool is_connector(const struct json_node *root)
{
    const char *name;
    return json_node_string(json_node_get(root, "name"), &name) &&
           json_node_is_object(json_node_get(root, "config"));
}

/* "s3.bucket.name: Missing required ..." for each error of the answer; how many. */
static size_t print_findings(struct cli *cli, const struct json_node *root)
{
    size_t found = 0;
    const struct json_node *configs = json_node_get(root, "configs");
    for (size_t i = 0; i < json_node_count(configs); i++) {
        const struct json_node *value = json_node_get(json_node_at(configs, i), "value");
        const struct json_node *errors = json_node_get(value, "errors");
        const char *name = "?";
        const char *text = "";
        json_node_string(json_node_get(value, "name"), &name);
        for (size_t e = 0; e < json_node_count(errors); e++) {
            if (json_node_string(json_node_at(errors, e), &text)) {
                put_text(cli, name);
                fputs(": ", cli->out);
                put_text(cli, text);
                fputc('\n', cli->out);
                found++;
            }
        }
    }
    return found;
}

static bool is_validation(const struct json_node *root)
{
    int64_t count;
    return json_node_i64(json_node_get(root, "error_count"), &count) &&
           json_node_is_array(json_node_get(root, "configs"));
}

static enum status connect_validate(struct connect_session *s,
                                    const struct connect_document *document, struct error *err)
{
    struct buf config;
    if (document->class.len == 0) {
        return error_set(err, STATUS_CONFIG,
                         "the configuration has no connector.class, which names what validates it");
    }
    buf_init(&config, answer_bytes_max);
    config_with_name(document, document->name.len > 0 ? buf_cstr(&document->name) : s->name,
                     &config);
    buf_reset(&s->path);
    /* An alias is taken there too; the class's last part is the usual one. */
    struct span class = buf_span(&document->class);
    size_t dot = class.len;
    while (dot > 0 && class.ptr[dot - 1] != '.') {
        dot--;
    }
    buf_printf(&s->path, "/connector-plugins/%.*s/config/validate",
               SPAN_ARG(span_skip(class, dot)));
    const struct span body = buf_span(&config);
    enum status status =
        buf_ok(&config) ? connect_call(s, "PUT", &body, err)
                        : buf_error(&config, err, STATUS_LIMIT, "the configuration is too long");
    buf_release(&config);
    return status;
}

static int connect_run_validate(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct connect_session s;
    struct connect_document document;
    struct json_doc *doc = NULL;
    size_t found = 0;
    connect_document_init(&document);
    enum status status = connect_session_open(&s, cli, &err);
    if (status == STATUS_OK) {
        status = document_get(cli, &document, &err);
    }
    if (status == STATUS_OK) {
        status = connect_validate(&s, &document, &err);
    }
    if (status == STATUS_OK) {
        status = connect_parse(&s, is_validation, &doc, &err);
    }
    if (status == STATUS_OK && cli_switch(cli, "json")) {
        int64_t count = 0;
        json_node_i64(json_node_get(json_doc_root(doc), "error_count"), &count);
        found = count > 0 ? (size_t)count : 0;
        connect_print_document(&s);
    } else if (status == STATUS_OK) {
        found = print_findings(cli, json_doc_root(doc));
        if (found == 0) {
            fputs("valid\n", cli->out);
        }
    }
    json_doc_free(doc);
    int code = connect_session_close(&s, status, &err);
    connect_document_release(&document);
    return code == 0 && found > 0 ? status_exit_code(STATUS_INVALID) : code;
}

/* --- list, status, plugins ------------------------------------------------------------------- */

static bool is_status(const struct json_node *root)
{
    const char *state;
    return json_node_string(json_node_get(json_node_get(root, "connector"), "state"), &state) &&
           json_node_is_array(json_node_get(root, "tasks"));
}

static bool is_list(const struct json_node *root)
{
    bool fits = json_node_is_object(root);
    for (size_t i = 0; fits && i < json_node_count(root); i++) {
        fits = is_status(json_node_get(json_node_at(root, i), "status"));
    }
    return fits;
}

static bool is_plugins(const struct json_node *root)
{
    const char *class;
    bool fits = json_node_is_array(root);
    for (size_t i = 0; fits && i < json_node_count(root); i++) {
        fits = json_node_string(json_node_get(json_node_at(root, i), "class"), &class);
    }
    return fits;
}

static const char *connect_text_of(const struct json_node *node, const char *member)
{
    const char *text = "?";
    json_node_string(json_node_get(node, member), &text);
    return text;
}

static void print_connector(struct cli *cli, const char *name, const struct json_node *status)
{
    const struct json_node *tasks = json_node_get(status, "tasks");
    put_text(cli, name);
    int pad = name_columns > (int)strlen(name) ? name_columns - (int)strlen(name) : 0;
    fprintf(cli->out, "%*s ", pad, "");
    put_text(cli, connect_text_of(json_node_get(status, "connector"), "state"));
    for (size_t i = 0; i < json_node_count(tasks); i++) {
        fputs(i == 0 ? "  tasks: " : ", ", cli->out);
        put_text(cli, connect_text_of(json_node_at(tasks, i), "state"));
    }
    fputc('\n', cli->out);
}

static void print_trace(struct cli *cli, const struct json_node *of)
{
    const char *trace = NULL;
    struct span line;
    if (!json_node_string(json_node_get(of, "trace"), &trace)) {
        return;
    }
    struct span rest = span_from_cstr(trace);
    while (span_next_part(&rest, '\n', &line)) {
        fputs("    ", cli->out);
        cli_put_text(cli, cli->out, line);
        fputc('\n', cli->out);
    }
}

static void print_tasks(struct cli *cli, const struct json_node *root)
{
    const struct json_node *tasks = json_node_get(root, "tasks");
    print_trace(cli, json_node_get(root, "connector"));
    for (size_t i = 0; i < json_node_count(tasks); i++) {
        const struct json_node *task = json_node_at(tasks, i);
        int64_t id = (int64_t)i;
        json_node_i64(json_node_get(task, "id"), &id);
        fprintf(cli->out, "  task %lld  ", (long long)id);
        put_text(cli, connect_text_of(task, "state"));
        fputc('\n', cli->out);
        print_trace(cli, task);
    }
}

static void print_status(const struct connect_session *s, const struct json_node *root)
{
    struct cli *cli = s->cli;
    const struct json_node *connector = json_node_get(root, "connector");
    put_text(cli, s->name);
    fputs("  ", cli->out);
    put_text(cli, connect_text_of(connector, "state"));
    fputs("  on ", cli->out);
    put_text(cli, connect_text_of(connector, "worker_id"));
    fputc('\n', cli->out);
    print_tasks(cli, root);
}

/* --- create ---------------------------------------------------------------------------------- */

/* The state of a task that a worker has not taken yet changes by itself. */
static bool task_is_settled(const struct json_node *task)
{
    static const char *const settled[] = {"RUNNING", "FAILED", "PAUSED"};
    const char *state = connect_text_of(task, "state");
    for (size_t i = 0; i < ARRAY_COUNT(settled); i++) {
        if (strcmp(state, settled[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool connector_has_failed(const struct json_node *root)
{
    const struct json_node *tasks = json_node_get(root, "tasks");
    bool failed = strcmp(connect_text_of(json_node_get(root, "connector"), "state"), "FAILED") == 0;
    for (size_t i = 0; i < json_node_count(tasks); i++) {
        failed = failed || strcmp(connect_text_of(json_node_at(tasks, i), "state"), "FAILED") == 0;
    }
    return failed;
}

static bool connector_is_settled(const struct json_node *root)
{
    const struct json_node *tasks = json_node_get(root, "tasks");
    bool settled = json_node_count(tasks) > 0;
    for (size_t i = 0; i < json_node_count(tasks); i++) {
        settled = settled && task_is_settled(json_node_at(tasks, i));
    }
    return settled || connector_has_failed(root);
}

/* A worker deals tasks out after it has answered, and what a task stumbles over comes with its
 * first records: so a connector that runs is looked at once more. *doc is NULL where the worker
 * told nothing in time. */
static enum status created_watch(struct connect_session *s, struct json_doc **doc,
                                 struct error *err)
{
    struct env *env = &s->cli->env;
    int64_t deadline_us = env->monotonic_us(env) + (int64_t)created_wait_ms * 1000;
    bool again = false;
    for (;;) {
        connect_path(&s->path, s->name, "/status");
        enum status status = connect_call(s, "GET", NULL, err);
        json_doc_free(*doc);
        *doc = NULL;
        if (status == STATUS_OK) {
            status = connect_parse(s, is_status, doc, err);
        }
        if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
            return status;
        }
        bool settled = *doc != NULL && connector_is_settled(json_doc_root(*doc));
        if ((settled && (again || connector_has_failed(json_doc_root(*doc)))) ||
            env->monotonic_us(env) >= deadline_us || cli_interrupted()) {
            return STATUS_OK;
        }
        again = settled;
        env->sleep_us(env, (int64_t)created_look_ms * 1000);
    }
}

/* The end of a creation: its tasks are told, and FAILED says that one of them has failed. */
static enum status created_tell(struct connect_session *s, struct error *err)
{
    struct cli *cli = s->cli;
    struct json_doc *doc = NULL;
    enum status status = created_watch(s, &doc, err);
    if (status != STATUS_OK) {
        json_doc_free(doc);
        return status;
    }
    const struct json_node *root = doc != NULL ? json_doc_root(doc) : NULL;
    if (root != NULL && !cli_switch(cli, "json")) {
        print_tasks(cli, root);
    }
    if (root == NULL || !connector_is_settled(root)) {
        fputs("connect: no worker has taken its tasks yet; `pinpipe connect status` tells when\n",
              cli->err);
    } else if (connector_has_failed(root)) {
        status =
            error_set(err, STATUS_FAILED,
                      "%s is there, but has failed: `pinpipe connect status` has the trace; "
                      "mend what it names, then `pinpipe connect restart`, or delete and create",
                      s->name);
    }
    json_doc_free(doc);
    return status;
}

static int connect_run_create(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct json_doc *doc = NULL;
    struct connect_session s;
    struct connect_document document;
    connect_document_init(&document);
    enum status status = connect_session_open(&s, cli, &err);
    if (status == STATUS_OK) {
        status = document_get(cli, &document, &err);
    }
    if (status == STATUS_OK) {
        status = connect_create(&s, &document, &err);
    }
    if (status == STATUS_OK) {
        status = connect_parse(&s, is_connector, &doc, &err);
    }
    json_doc_free(doc);
    if (status == STATUS_OK && cli_switch(cli, "json")) {
        connect_print_document(&s);
    } else if (status == STATUS_OK) {
        fputs("created ", cli->out);
        put_text(cli, s.name);
        fputc('\n', cli->out);
    }
    if (status == STATUS_OK) {
        status = created_tell(&s, &err);
    }
    int code = connect_session_close(&s, status, &err);
    connect_document_release(&document);
    return code;
}

/* --- showing --------------------------------------------------------------------------------- */

/* What a command that shows something prints of the answer's document. */
typedef void (*connect_print_fn)(const struct connect_session *s, const struct json_node *root);

/* Asks for the path that the session has, prints the answer (with --json its own document) and
 * closes the session. */
static int connect_show(struct connect_session *s, enum status status, connect_fits_fn fits,
                        connect_print_fn print, struct error *err)
{
    struct json_doc *doc = NULL;
    if (status == STATUS_OK) {
        status = connect_call(s, "GET", NULL, err);
    }
    if (status == STATUS_OK) {
        status = connect_parse(s, fits, &doc, err);
    }
    if (status == STATUS_OK && cli_switch(s->cli, "json")) {
        connect_print_document(s);
    } else if (status == STATUS_OK) {
        print(s, json_doc_root(doc));
    }
    json_doc_free(doc);
    return connect_session_close(s, status, err);
}

static void print_list(const struct connect_session *s, const struct json_node *root)
{
    for (size_t i = 0; i < json_node_count(root); i++) {
        const struct json_node *connector = json_node_at(root, i);
        print_connector(s->cli, json_node_name(connector), json_node_get(connector, "status"));
    }
}

static int connect_run_list(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct connect_session s;
    enum status status = connect_session_open(&s, cli, &err);
    BUF_APPEND_LIT(&s.path, "/connectors?expand=status&expand=info");
    return connect_show(&s, status, is_list, print_list, &err);
}

static int connect_run_status(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct connect_session s;
    enum status status = connect_session_open(&s, cli, &err);
    if (status == STATUS_OK) {
        connect_path(&s.path, s.name, "/status");
    }
    return connect_show(&s, status, is_status, print_status, &err);
}

static void print_plugins(const struct connect_session *s, const struct json_node *root)
{
    for (size_t i = 0; i < json_node_count(root); i++) {
        const struct json_node *plugin = json_node_at(root, i);
        put_text(s->cli, connect_text_of(plugin, "class"));
        fputs("  ", s->cli->out);
        put_text(s->cli, connect_text_of(plugin, "type"));
        fputs("  ", s->cli->out);
        put_text(s->cli, connect_text_of(plugin, "version"));
        fputc('\n', s->cli->out);
    }
}

static int connect_run_plugins(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct connect_session s;
    enum status status = connect_session_open(&s, cli, &err);
    BUF_APPEND_LIT(&s.path, "/connector-plugins");
    return connect_show(&s, status, is_plugins, print_plugins, &err);
}

/* --- pause, resume, restart, delete ---------------------------------------------------------- */

static int connect_run_change(struct cli *cli, const char *method, const char *below,
                              const char *done)
{
    struct error err = ERROR_NONE;
    struct connect_session s;
    enum status status = connect_session_open(&s, cli, &err);
    if (status == STATUS_OK) {
        connect_path(&s.path, s.name, below);
        status = connect_call(&s, method, NULL, &err);
    }
    if (status == STATUS_OK) {
        fprintf(cli->out, "%s ", done);
        put_text(cli, s.name);
        fputc('\n', cli->out);
    }
    return connect_session_close(&s, status, &err);
}

static int connect_run_pause(struct cli *cli)
{
    return connect_run_change(cli, "PUT", "/pause", "paused");
}

static int connect_run_resume(struct cli *cli)
{
    return connect_run_change(cli, "PUT", "/resume", "resumed");
}

static int connect_run_delete(struct cli *cli)
{
    return connect_run_change(cli, "DELETE", "", "deleted");
}

/* Connect 2.8 restarts the connector alone; its failed tasks stay failed until each is told. */
static enum status restart_failed_tasks(struct connect_session *s, size_t *restarted,
                                        struct error *err)
{
    struct json_doc *doc = NULL;
    char below[64];
    connect_path(&s->path, s->name, "/status");
    enum status status = connect_call(s, "GET", NULL, err);
    if (status == STATUS_OK) {
        status = json_doc_parse(buf_span(&s->answer), &doc, err);
    }
    const struct json_node *tasks = doc != NULL ? json_node_get(json_doc_root(doc), "tasks") : NULL;
    for (size_t i = 0; status == STATUS_OK && i < json_node_count(tasks); i++) {
        const struct json_node *task = json_node_at(tasks, i);
        int64_t id = -1;
        if (strcmp(connect_text_of(task, "state"), "FAILED") != 0 ||
            !json_node_i64(json_node_get(task, "id"), &id)) {
            continue;
        }
        snprintf(below, sizeof(below), "/tasks/%lld/restart", (long long)id);
        connect_path(&s->path, s->name, below);
        status = connect_call(s, "POST", NULL, err);
        *restarted += status == STATUS_OK ? 1 : 0;
    }
    json_doc_free(doc);
    return status;
}

static int connect_run_restart(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct connect_session s;
    size_t tasks = 0;
    enum status status = connect_session_open(&s, cli, &err);
    if (status == STATUS_OK) {
        connect_path(&s.path, s.name, "/restart");
        status = connect_call(&s, "POST", NULL, &err);
    }
    if (status == STATUS_OK) {
        status = restart_failed_tasks(&s, &tasks, &err);
    }
    if (status == STATUS_OK) {
        fputs("restarted ", cli->out);
        put_text(cli, s.name);
        fprintf(cli->out, "%s\n", tasks > 0 ? " and its failed tasks" : "");
    }
    return connect_session_close(&s, status, &err);
}

/* --- the table ------------------------------------------------------------------------------- */

static const struct option_spec json_options[] = {
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "the API's JSON document"},
};

static const struct option_spec config_options[] = {
    {"config", OPTION_TEXT, "FILE", NULL, NULL,
     "JSON or .properties, - for stdin (default: the workshop's)"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "the API's JSON document"},
};

#define ONE_CONNECTOR(word, text, function)                                                        \
    {                                                                                              \
        .name = word, .summary = text, .arguments = "[NAME]",                                      \
        .example = "pinpipe connect " word " workshop-connector", .args_max = 1, .run = function,  \
    }

static const struct command subcommands[] = {
    {
        .name = "create",
        .summary =
            "Make a connector and tell its tasks' states; without --config the workshop's S3 sink",
        .arguments = "[NAME]",
        .options = config_options,
        .option_count = ARRAY_COUNT(config_options),
        .example = "pinpipe connect create --config s3-sink.properties",
        .args_max = 1,
        .run = connect_run_create,
    },
    {
        .name = "list",
        .summary = "All connectors with their states",
        .arguments = "",
        .options = json_options,
        .option_count = ARRAY_COUNT(json_options),
        .example = "pinpipe connect list",
        .run = connect_run_list,
    },
    {
        .name = "status",
        .summary = "One connector: its state, its tasks, the trace of what failed",
        .arguments = "[NAME]",
        .options = json_options,
        .option_count = ARRAY_COUNT(json_options),
        .example = "pinpipe connect status workshop-connector",
        .args_max = 1,
        .run = connect_run_status,
    },
    ONE_CONNECTOR("pause", "Let its tasks rest", connect_run_pause),
    ONE_CONNECTOR("resume", "Let its tasks work again", connect_run_resume),
    ONE_CONNECTOR("restart", "Restart it and those of its tasks that failed", connect_run_restart),
    ONE_CONNECTOR("delete", "Delete it; its objects and offsets stay", connect_run_delete),
    {
        .name = "plugins",
        .summary = "The connector classes there are",
        .arguments = "",
        .options = json_options,
        .option_count = ARRAY_COUNT(json_options),
        .example = "pinpipe connect plugins",
        .run = connect_run_plugins,
    },
    {
        .name = "validate",
        .summary = "What is wrong with a configuration; exit 5 when anything is",
        .arguments = "",
        .options = config_options,
        .option_count = ARRAY_COUNT(config_options),
        .example = "pinpipe connect validate --config s3-sink.properties",
        .run = connect_run_validate,
    },
};

const struct command cmd_connect = {
    .name = "connect",
    .summary = "Create, watch and steer connectors (Kafka Connect's REST API)",
    .example = "pinpipe connect create",
    .subcommands = subcommands,
    .subcommand_count = ARRAY_COUNT(subcommands),
};
