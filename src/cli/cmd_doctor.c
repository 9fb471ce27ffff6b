/* `pinpipe doctor`: what is set up, what is not, and the command that mends it. The setup mistakes
 * of the workshop fail late and opaquely; here they are named before anything is sent. */
#include "commands.h"
#include "dotenv.h"
#include "file.h"
#include "http_client.h"
#include "json_write.h"
#include "options.h"
#include "resolve.h"
#include "rows_place.h"
#include "url.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

enum check_result { CHECK_OK, CHECK_NOTE, CHECK_BAD };

enum { path_bytes_max = 1024, finding_bytes_max = 700, findings_max = 24, probe_timeout_ms = 3000 };

struct finding {
    const char *name;
    enum check_result result;
    char text[finding_bytes_max];
};

struct examination {
    struct cli *cli;
    struct finding findings[findings_max];
    size_t count;
};

PP_PRINTF(4, 5)
static void doctor_find(struct examination *x, const char *name, enum check_result result,
                        const char *format, ...)
{
    PP_ASSERT(x->count < findings_max);
    struct finding *f = &x->findings[x->count++];
    va_list args;
    f->name = name;
    f->result = result;
    va_start(args, format);
    vsnprintf(f->text, sizeof(f->text), format, args);
    va_end(args);
}

static void check_data_dir(struct examination *x)
{
    const char *dir = cli_data_dir(x->cli);
    if (!file_exists(dir)) {
        doctor_find(x, "data directory", CHECK_NOTE,
                    "%s is not there yet; serve, demo and data make it", dir);
    } else if (access(dir, R_OK | W_OK | X_OK) != 0) {
        doctor_find(x, "data directory", CHECK_BAD, "%s: %s; choose another with --data", dir,
                    strerror(errno));
    } else {
        doctor_find(x, "data directory", CHECK_OK, "%s", dir);
    }
}

static void check_file_tables(struct examination *x)
{
    struct row_source *source = NULL;
    struct error err;
    int64_t rows = 0;
    enum status status = row_source_sqlite_open(cli_data_dir(x->cli), &x->cli->env, &source, &err);
    if (status != STATUS_OK) {
        doctor_find(x, "tables", status == STATUS_NOT_FOUND ? CHECK_NOTE : CHECK_BAD, "%s",
                    err.message);
        return;
    }
    if (source->ops->count(source, TABLE_PIN, &rows, &err) != STATUS_OK) {
        doctor_find(x, "tables", CHECK_BAD, "%s", err.message);
    } else {
        doctor_find(x, "tables", CHECK_OK, "rds.db has %lld rows a table", (long long)rows);
    }
    source->ops->free(source);
}

/* A row of each table says whether they are the workshop's. */
static enum status ask_server_tables(struct row_source *source, int64_t *rows, struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t t = 0; status == STATUS_OK && t < TABLE_COUNT; t++) {
        struct row row;
        int64_t count = 0;
        status = source->ops->count(source, (enum table_id)t, &count, err);
        if (status == STATUS_OK) {
            status = source->ops->fetch(source, (enum table_id)t, 0, &row, err);
        }
        *rows = t == 0 || count < *rows ? count : *rows;
    }
    return status;
}

static void check_server_tables(struct examination *x, const struct mysql_account *found)
{
    struct mysql_account account = *found;
    struct row_source *source = NULL;
    struct error err;
    int64_t rows = 0;
    account.timeout_ms = account.timeout_ms > 0 ? account.timeout_ms : probe_timeout_ms;
    enum status status = row_source_mysql_open(&account, &source, &err);
    if (status == STATUS_OK) {
        status = ask_server_tables(source, &rows, &err);
    }
    const char *cipher = source != NULL ? row_source_mysql_cipher(source) : NULL;
    if (status != STATUS_OK) {
        doctor_find(x, "tables", CHECK_BAD, "%s", err.message);
    } else if (cipher == NULL) {
        doctor_find(x, "tables", CHECK_OK,
                    "%s:%d has %lld rows a table; the connection is not encrypted", account.host,
                    account.port, (long long)rows);
    } else {
        doctor_find(x, "tables", CHECK_OK, "%s:%d has %lld rows a table; encrypted (%s), %s",
                    account.host, account.port, (long long)rows, cipher,
                    account.tls_ca != NULL ? "its certificate is checked"
                                           : "its certificate is not checked: SSL_CA does that");
    }
    rows_place_close(source);
}

static void check_creds_and_tables(struct examination *x)
{
    const struct mysql_account *account = NULL;
    struct error err;
    const char *path = cli_config(x->cli, "creds_path");
    enum status status = rows_place_find(x->cli, &account, &err);
    if (status != STATUS_OK) {
        doctor_find(x, "creds.yaml", CHECK_BAD, "%s", err.message);
    } else {
        doctor_find(x, "creds.yaml", CHECK_OK, "%s: the tables are read from %s",
                    path != NULL ? path : "not set", account != NULL ? account->host : "rds.db");
    }
    if (account != NULL) {
        check_server_tables(x, account);
    } else {
        check_file_tables(x);
    }
}

/* A key that is nearly one of ours is silently nobody's; others' keys may well be in the file. */
static void check_dotenv_key(void *ctx, struct span name, struct span value)
{
    struct examination *x = ctx;
    char word[64];
    const char *best = NULL;
    (void)value;
    if (name.len >= sizeof(word) || x->count >= findings_max / 2) {
        return;
    }
    for (size_t i = 0; i < name.len; i++) {
        char ch = name.ptr[i];
        word[i] = ch >= 'A' && ch <= 'Z' ? (char)(ch + 32) : ch;
    }
    word[name.len] = '\0';
    for (size_t i = 0; i < config_key_count; i++) {
        if (config_is_key(&config_keys[i], name)) {
            return;
        }
        best = options_nearer(word, best, config_keys[i].name);
    }
    if (best != NULL) {
        doctor_find(x, ".env", CHECK_NOTE, "%.*s is not a setting of pinpipe; did you mean %s?",
                    SPAN_ARG(name), best);
    }
}

static void check_dotenv(struct examination *x)
{
    struct buf text;
    struct error err;
    size_t before = x->count;
    buf_init(&text, DOTENV_BYTES_MAX);
    /* Whether it can be read at all was settled when the configuration was loaded. */
    bool read = file_read(".env", &text, &err) == STATUS_OK &&
                dotenv_parse(buf_span(&text), check_dotenv_key, x, &err) == STATUS_OK;
    if (read && x->count == before) {
        doctor_find(x, ".env", CHECK_OK, "read; pinpipe config show --origin says what it sets");
    }
    buf_release(&text);
}

/* A secret in a git working tree that .gitignore does not name will be pushed one day. */
static void check_secret(struct examination *x, const char *secret, struct span ignored)
{
    struct span line;
    bool found = false;
    while (!found && span_next_part(&ignored, '\n', &line)) {
        found = span_equal_cstr(span_trim(line), secret);
    }
    if (!found) {
        doctor_find(
            x, "secrets", CHECK_BAD,
            "%s is here, in a git work tree, and .gitignore does not name it: pinpipe config init",
            secret);
    }
}

static void check_secrets(struct examination *x)
{
    static const char *const secrets[] = {".env", "creds.yaml", "db_creds.yaml",
                                          "authentication_credentials.csv"};
    struct buf ignored;
    struct error err;
    size_t before = x->count;
    if (!file_exists(".git")) {
        return;
    }
    buf_init(&ignored, 1024 * 1024);
    enum status status = file_read(".gitignore", &ignored, &err);
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++) {
        if (file_exists(secrets[i])) {
            check_secret(x, secrets[i], status == STATUS_OK ? buf_span(&ignored) : SPAN_EMPTY);
        }
    }
    if (x->count == before) {
        doctor_find(x, "secrets", CHECK_OK, "no file with secrets is open to git here");
    }
    buf_release(&ignored);
}

static void judge_answer(struct examination *x, const char *url,
                         const struct http_response *response)
{
    struct span hint = http_response_header(response, "X-Pinpipe-Hint");
    if (response->failure != HTTP_FAILURE_NONE) {
        doctor_find(x, "gateway", CHECK_BAD, "%s cannot be reached: %s; start it: pinpipe serve",
                    url, response->message);
    } else if (response->status == 200) {
        doctor_find(x, "gateway", CHECK_OK, "%s answers", url);
    } else if (response->status == 403) {
        doctor_find(
            x, "gateway", CHECK_BAD,
            "%s answers 403 %.*s: is the stage right, is the API deployed, does it want an API "
            "key? %.*s",
            url, SPAN_ARG(span_first(buf_span(&response->body), 120)), SPAN_ARG(hint));
    } else if (response->status >= 500) {
        doctor_find(
            x, "gateway", CHECK_BAD,
            "%s answers %d: the gateway is there, the REST proxy behind it is not (is it started, "
            "does the integration URL begin with http://, has the EC2 host name changed?)",
            url, response->status);
    } else {
        doctor_find(x, "gateway", CHECK_BAD, "%s answers %d. %.*s", url, response->status,
                    SPAN_ARG(hint));
    }
}

static enum status probe(struct examination *x, const char *url, const char *key, struct error *err)
{
    struct http_client *client = NULL;
    struct http_response response;
    int64_t timeout_ms;
    enum status status = cli_timeout_ms(x->cli, &timeout_ms, err);
    const struct http_client_options options = {.timeout_ms =
                                                    timeout_ms > 0 ? timeout_ms : probe_timeout_ms,
                                                .response_bytes_max = 1024 * 1024};
    const char *key_header =
        key != NULL ? arena_printf(&x->cli->arena, "x-api-key: %s", key) : NULL;
    const char *const headers[] = {"Accept: */*", key_header, NULL};
    const struct http_call_request request = {.method = "GET", .url = url, .headers = headers};
    http_response_init(&response, 1024 * 1024);
    if (status == STATUS_OK) {
        status = http_client_new(&x->cli->env, &options, &client, err);
    }
    if (status == STATUS_OK) {
        status = http_client_request(client, &request, &response, err);
    }
    if (status == STATUS_OK) {
        judge_answer(x, url, &response);
    }
    http_response_release(&response);
    http_client_free(client);
    return status;
}

static void check_gateway(struct examination *x)
{
    struct endpoints endpoints;
    struct error err;
    enum status status = resolve_endpoints(x->cli, &endpoints, &err);
    if (status == STATUS_OK) {
        const char *url = arena_printf(&x->cli->arena, "%s/topics", endpoints.invoke_url);
        status = url != NULL ? probe(x, url, endpoints.api_key, &err) : error_no_memory(&err);
    }
    if (status != STATUS_OK) {
        doctor_find(x, "gateway", CHECK_BAD, "%s", err.message);
    }
}

static const char *const result_names[] = {
    [CHECK_OK] = "ok", [CHECK_NOTE] = "note", [CHECK_BAD] = "BAD"};

static void doctor_print_text(const struct examination *x)
{
    for (size_t i = 0; i < x->count; i++) {
        fprintf(x->cli->out, "%-5s %-15s ", result_names[x->findings[i].result],
                x->findings[i].name);
        cli_put_text(x->cli, x->cli->out, span_from_cstr(x->findings[i].text));
        fputc('\n', x->cli->out);
    }
}

static int doctor_print_json(const struct examination *x)
{
    struct buf out;
    buf_init(&out, 256 * 1024);
    struct json_writer w = json_writer_to(&out);
    json_write_array(&w);
    for (size_t i = 0; i < x->count; i++) {
        json_write_object(&w);
        json_member_cstr(&w, "check", x->findings[i].name);
        json_member_cstr(&w, "result", result_names[x->findings[i].result]);
        json_member_cstr(&w, "text", x->findings[i].text);
        json_write_end(&w);
    }
    json_write_end(&w);
    int code = cli_put_document(x->cli, &out);
    buf_release(&out);
    return code;
}

static int doctor_run(struct cli *cli)
{
    struct examination *x = ARENA_NEW(&cli->arena, struct examination);
    if (x == NULL) {
        return cli_no_memory(cli);
    }
    x->cli = cli;
    check_data_dir(x);
    check_dotenv(x);
    check_creds_and_tables(x);
    check_secrets(x);
    check_gateway(x);
    int code = 0;
    if (cli_switch(cli, "json")) {
        code = doctor_print_json(x);
    } else {
        doctor_print_text(x);
    }
    for (size_t i = 0; i < x->count; i++) {
        if (x->findings[i].result == CHECK_BAD) {
            return status_exit_code(STATUS_FAILED);
        }
    }
    return code;
}

static const struct option_spec options[] = {
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "one JSON array"},
};

const struct command cmd_doctor = {
    .name = "doctor",
    .summary = "Look over the set-up and name what is wrong with its fix",
    .arguments = "",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .example = "pinpipe doctor",
    .run = doctor_run,
};
