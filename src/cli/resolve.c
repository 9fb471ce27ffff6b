#include "resolve.h"

#include "json.h"
#include "pinpipe/mock.h"
#include "server_file.h"
#include "url.h"

#include <string.h>

/* A port that nobody has named may be anybody's: neither keys nor signatures go there. */
static void secrets_keep(const struct cli *cli, const char *what, const char *url,
                         const char *setting)
{
    fprintf(cli->err, "pinpipe %s: %s %s, where no setting and no running server leads: set %s\n",
            cli->command_path, what, url, setting);
}

static struct span without_trailing_slashes(struct span text)
{
    while (text.len > 0 && text.ptr[text.len - 1] == '/') {
        text.len--;
    }
    return text;
}

/* A URL that was pasted whole, with what belongs behind the stage. */
static enum status check_ends_in_stage(const char *text, struct span path, struct error *err)
{
    static const char *const resources[] = {"topics", "consumers", "brokers", "v3", "streams"};
    struct span rest = path;
    struct span segment;
    while (span_next_part(&rest, '/', &segment)) {
        for (size_t i = 0; i < ARRAY_COUNT(resources); i++) {
            if (span_equal_cstr(segment, resources[i])) {
                char shown[URL_SHOWN_BYTES];
                return error_set(err, STATUS_CONFIG,
                                 "invoke_URL \"%s\" goes on behind the stage: cut it before "
                                 "/%s, so that it ends in the stage",
                                 url_shown(text, shown), resources[i]);
            }
        }
    }
    return STATUS_OK;
}

static enum status check_stage(const char *stage, struct error *err)
{
    size_t len = strlen(stage);
    bool ok =
        len > 0 && len <= 128 &&
        strspn(stage, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == len;
    return ok ? STATUS_OK
              : error_set(err, STATUS_CONFIG,
                          "deployment_stage \"%s\" is not a stage's name: write letters, digits, "
                          "'_' and '-' alone, such as test",
                          stage);
}

/* The invoke URL of the configuration: a path in it is the stage; deployment_stage is appended only
 * where there is none. */
static enum status invoke_url_configured(struct cli *cli, const char *text, struct endpoints *out,
                                         struct error *err)
{
    struct url url;
    const char *stage = cli_config(cli, "deployment_stage");
    bool stage_given = config_get_origin(cli->config, "deployment_stage") > ORIGIN_DEFAULT;
    struct span trimmed = without_trailing_slashes(span_from_cstr(text));
    if (!url_parse(trimmed, &url) || url.query.len > 0) {
        char shown[URL_SHOWN_BYTES];
        return error_set(err, STATUS_CONFIG,
                         "invoke_URL \"%s\" is not a URL: write it like "
                         "https://abcde12345.execute-api.us-east-1.amazonaws.com/test",
                         url_shown(text, shown));
    }
    struct span path = span_skip(url.path, 1);
    if (check_ends_in_stage(text, path, err) != STATUS_OK) {
        return STATUS_CONFIG;
    }
    if (path.len == 0) {
        out->invoke_url = arena_printf(&cli->arena, "%.*s/%s", SPAN_ARG(trimmed), stage);
    } else if (stage_given && !span_equal_cstr(path, stage)) {
        return error_set(err, STATUS_CONFIG,
                         "invoke_URL ends in the stage \"%.*s\", but deployment_stage is \"%s\": "
                         "remove one of them",
                         SPAN_ARG(path), stage);
    } else {
        out->invoke_url = arena_copy_cstr(&cli->arena, trimmed);
    }
    return out->invoke_url != NULL ? STATUS_OK : error_no_memory(err);
}

/* "http://127.0.0.1:34567/test": the stage of a running server gives way to one that was asked for.
 */
static const char *invoke_url_of_server(struct cli *cli, const char *url)
{
    struct url parts;
    bool stage_given = config_get_origin(cli->config, "deployment_stage") > ORIGIN_DEFAULT;
    if (!stage_given || !url_parse(span_from_cstr(url), &parts)) {
        return arena_copy_cstr(&cli->arena, span_from_cstr(url));
    }
    size_t base_len = strlen(url) - parts.path.len;
    return arena_printf(&cli->arena, "%.*s/%s", (int)base_len, url,
                        cli_config(cli, "deployment_stage"));
}

static enum status check_user_id(const char *id, struct error *err)
{
    size_t len = strlen(id);
    bool ok =
        len > 0 && len <= 200 &&
        strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
    return ok ? STATUS_OK
              : error_set(err, STATUS_CONFIG,
                          "iam_username \"%s\" cannot begin a topic's name: use letters, digits, "
                          "'.', '_' and '-' only",
                          id);
}

/* The user whom the running server serves, unless the configuration names one. */
static enum status user_id_of_server(struct cli *cli, const struct json_node *root,
                                     const char **user_id, struct error *err)
{
    const char *id;
    if (config_get_origin(cli->config, "iam_username") != ORIGIN_DEFAULT ||
        !json_node_string(json_node_get(root, "user_id"), &id)) {
        return STATUS_OK;
    }
    enum status status = check_user_id(id, err);
    if (status == STATUS_OK) {
        *user_id = arena_copy_cstr(&cli->arena, span_from_cstr(id));
        status = *user_id != NULL ? STATUS_OK : error_no_memory(err);
    }
    return status;
}

static enum status read_server_json(struct cli *cli, struct endpoints *out, struct error *err)
{
    struct json_doc *doc;
    const char *url;
    enum status status = server_file_load(cli, &doc, err);
    if (doc != NULL) {
        const struct json_node *root = json_doc_root(doc);
        if (out->invoke_url == NULL && json_node_string(json_node_get(root, "gateway_url"), &url)) {
            out->invoke_url = invoke_url_of_server(cli, url);
            status = out->invoke_url != NULL ? status : error_no_memory(err);
        }
        if (out->rest_url == NULL && json_node_string(json_node_get(root, "rest_url"), &url)) {
            out->rest_url = arena_copy_cstr(&cli->arena, span_from_cstr(url));
            status = out->rest_url != NULL ? status : error_no_memory(err);
        }
        status = status == STATUS_OK ? user_id_of_server(cli, root, &out->user_id, err) : status;
    }
    json_doc_free(doc);
    return status;
}

/* A service's URL from the configuration, without slashes at its end. */
static enum status url_configured(struct cli *cli, const char *key, int port, const char **out,
                                  struct error *err)
{
    struct url url;
    const char *text = cli_config(cli, key);
    struct span trimmed = without_trailing_slashes(span_from_cstr(text));
    if (!url_parse(trimmed, &url)) {
        char shown[URL_SHOWN_BYTES];
        return error_set(err, STATUS_CONFIG,
                         "%s \"%s\" is not a URL: write it like http://127.0.0.1:%d", key,
                         url_shown(text, shown), port);
    }
    *out = arena_copy_cstr(&cli->arena, trimmed);
    return *out != NULL ? STATUS_OK : error_no_memory(err);
}

/* A service's URL as it is configured or as the running server says; NULL: neither. */
static enum status service_find(struct cli *cli, const char *key, int port, const char **out,
                                struct error *err)
{
    struct json_doc *doc;
    const char *url = NULL;
    *out = NULL;
    if (cli_config(cli, key) != NULL) {
        return url_configured(cli, key, port, out, err);
    }
    enum status status = server_file_load(cli, &doc, err);
    if (doc != NULL && json_node_string(json_node_get(json_doc_root(doc), key), &url)) {
        *out = arena_copy_cstr(&cli->arena, span_from_cstr(url));
        status = *out != NULL ? status : error_no_memory(err);
    }
    json_doc_free(doc);
    return status;
}

static enum status usual_url(struct cli *cli, int port, const char **out, struct error *err)
{
    *out = arena_printf(&cli->arena, "http://127.0.0.1:%d", port);
    return *out != NULL ? STATUS_OK : error_no_memory(err);
}

enum status resolve_user_id(struct cli *cli, const char **user_id, struct error *err)
{
    struct json_doc *doc;
    *user_id = cli_config(cli, "iam_username");
    enum status status = server_file_load(cli, &doc, err);
    if (doc != NULL && status == STATUS_OK) {
        status = user_id_of_server(cli, json_doc_root(doc), user_id, err);
    }
    json_doc_free(doc);
    return status;
}

enum status resolve_connect_known(struct cli *cli, const char **url, struct error *err)
{
    return service_find(cli, "connect_url", PINPIPE_CONNECT_USUAL_PORT, url, err);
}

enum status resolve_connect(struct cli *cli, const char **url, struct error *err)
{
    enum status status = resolve_connect_known(cli, url, err);
    return status == STATUS_OK && *url == NULL
               ? usual_url(cli, PINPIPE_CONNECT_USUAL_PORT, url, err)
               : status;
}

enum status resolve_s3(struct cli *cli, struct s3_client_options *out, struct error *err)
{
    *out = (struct s3_client_options){.env = &cli->env, .region = cli_config(cli, "aws_region")};
    const char *access_key = cli_config(cli, "aws_access_key_id");
    const char *secret = cli_config(cli, "aws_secret_access_key");
    enum status status = cli_timeout_ms(cli, &out->timeout_ms, err);
    if (status == STATUS_OK) {
        status = service_find(cli, "s3_url", PINPIPE_S3_USUAL_PORT, &out->url, err);
    }
    if (status == STATUS_OK && out->url == NULL) {
        status = usual_url(cli, PINPIPE_S3_USUAL_PORT, &out->url, err);
        if (status == STATUS_OK && (access_key != NULL || secret != NULL)) {
            secrets_keep(cli, "requests are not signed for", out->url, "s3_url");
        }
        return status;
    }
    out->access_key = access_key;
    out->secret = secret;
    out->session_token = cli_config(cli, "aws_session_token");
    return status;
}

/* Fills in the usual endpoints: those that neither a setting nor a running server said. */
static enum status endpoints_usual(struct cli *cli, struct endpoints *out, struct error *err)
{
    if (out->invoke_url == NULL) {
        out->invoke_url =
            arena_printf(&cli->arena, "http://127.0.0.1:%d/%s", PINPIPE_GATEWAY_USUAL_PORT,
                         cli_config(cli, "deployment_stage"));
        if (out->invoke_url == NULL) {
            return error_no_memory(err);
        }
        if (out->api_key != NULL) {
            secrets_keep(cli, "api_key is not sent to", out->invoke_url, "invoke_URL");
            out->api_key = NULL;
        }
    }
    return out->rest_url == NULL ? usual_url(cli, PINPIPE_REST_USUAL_PORT, &out->rest_url, err)
                                 : STATUS_OK;
}

enum status resolve_endpoints(struct cli *cli, struct endpoints *out, struct error *err)
{
    const char *invoke_url = cli_config(cli, "invoke_URL");
    const char *rest_url = cli_config(cli, "rest_url");
    *out = (struct endpoints){
        .user_id = cli_config(cli, "iam_username"),
        .consumer_group = cli_config(cli, "consumer_group"),
        .api_key = cli_config(cli, "api_key"),
    };
    enum status status = check_user_id(out->user_id, err);
    if (status == STATUS_OK) {
        status = cli_timeout_ms(cli, &out->timeout_ms, err);
    }
    if (status == STATUS_OK) {
        status = check_stage(cli_config(cli, "deployment_stage"), err);
    }
    if (status == STATUS_OK && invoke_url != NULL) {
        status = invoke_url_configured(cli, invoke_url, out, err);
    }
    if (status == STATUS_OK && rest_url != NULL) {
        status = url_configured(cli, "rest_url", PINPIPE_REST_USUAL_PORT, &out->rest_url, err);
    }
    /* An invoke URL of one's own may be AWS: the laptop's server.json then says nothing about it.
     */
    if (status == STATUS_OK && invoke_url == NULL) {
        status = read_server_json(cli, out, err);
        if (status == STATUS_OK) {
            status = endpoints_usual(cli, out, err);
        }
    }
    return status;
}
