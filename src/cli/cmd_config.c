/* `pinpipe config show|init`: what is in force and where it came from; commented templates. */
#include "commands.h"
#include "creds.h"
#include "file.h"
#include "json_write.h"
#include "url.h"

#include <string.h>

struct template_file {
    const char *path;
    unsigned mode;
    const char *text;
};

static const struct template_file templates[] = {
    {".env", 0600,
     "# Settings of pinpipe; flags and the environment win over this file. KEY = value.\n"
     "# Every key and where its value comes from: pinpipe config show --origin\n\n"
     "# Your user id: topics are named <id>.pin, <id>.geo and <id>.user.\n"
     "iam_username = workshop\n\n"
     "# Where the tables are; leave it out to use rds.db in the data directory.\n"
     "# creds_path = creds.yaml\n\n"
     "# The gateway's invoke URL with its stage. Leave it out to use the server of this "
     "directory.\n"
     "# invoke_URL = https://abcde12345.execute-api.us-east-1.amazonaws.com/test\n\n"
     "# The stage, when the invoke URL has none.\n"
     "# deployment_stage = test\n\n"
     "# The only consumer group that the workshop's policy allows.\n"
     "consumer_group = students\n\n"
     "# Brokers of a real cluster.\n"
     "# bootstrap_servers = b-1.example:9098,b-2.example:9098\n"},
    {"creds.yaml", 0600,
     "# The database that your script reads its rows from: the tables in rds.db, which\n"
     "# `pinpipe serve` shows as MySQL here. For the workshop's RDS put its own values in.\n"
     "HOST: 127.0.0.1\n"
     "USER: project_user\n"
     "PASSWORD: any-will-do # unless serve was given --mysql-credentials USER:PASSWORD\n"
     "DATABASE: pinterest_data\n"
     "PORT: 3306 # or another, where serve says so because this one is taken\n"
     "# For RDS, the authorities that sign for it: the connection must then be encrypted, and\n"
     "# HOST must prove its name.\n"
     "# SSL_CA: global-bundle.pem\n"},
    {".gitignore", 0644,
     "# Secrets and state stay out of the repository.\n"
     ".env\ncreds.yaml\ndb_creds.yaml\n*.pem\nauthentication_credentials.csv\n.pinpipe/\n"},
};

/* The value as it may be seen: *** for a secret, a URL without its password. */
static const char *value_shown(size_t key, const char *text, char shown[URL_SHOWN_BYTES])
{
    if (text == NULL) {
        return NULL;
    }
    return config_keys[key].secret ? "***" : strstr(text, "://") ? url_shown(text, shown) : text;
}

static void show_text(struct cli *cli, bool with_origin)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_value *value = &cli->config->values[i];
        char shown[URL_SHOWN_BYTES];
        const char *text = value_shown(i, value->text, shown);
        text = text != NULL ? text : "(unset)";
        if (with_origin) {
            fprintf(cli->out, "%-22s %-12s %s\n", config_keys[i].name,
                    config_origin_name(value->origin), text);
        } else {
            fprintf(cli->out, "%-22s %s\n", config_keys[i].name, text);
        }
    }
}

static int show_json(struct cli *cli)
{
    struct buf out;
    buf_init(&out, 1024 * 1024);
    struct json_writer w = json_writer_to(&out);
    json_write_object(&w);
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_value *value = &cli->config->values[i];
        char shown[URL_SHOWN_BYTES];
        json_member_object(&w, config_keys[i].name);
        json_member_cstr(&w, "value", value_shown(i, value->text, shown));
        json_member_cstr(&w, "origin", config_origin_name(value->origin));
        json_write_end(&w);
    }
    json_write_end(&w);
    int code = cli_put_document(cli, &out);
    buf_release(&out);
    return code;
}

static void show_creds(struct cli *cli, const struct creds *creds)
{
    fprintf(cli->out, "%-18s host=%s user=%s password=%s database=%s port=%s ssl_ca=%s\n",
            "creds.yaml", creds->host, creds->user, creds->password[0] != '\0' ? "***" : "",
            creds->database, creds->port, creds->ssl_ca);
    if (creds->host[0] != '\0') {
        fprintf(cli->out, "%-18s from MySQL at that host; without HOST from rds.db\n", "rows");
    } else {
        fprintf(cli->out, "%-18s from rds.db in %s\n", "rows", cli_data_dir(cli));
    }
}

static int run_show(struct cli *cli)
{
    const char *creds_path = cli_config(cli, "creds_path");
    struct creds creds;
    struct error err;
    if (cli_switch(cli, "json")) {
        return show_json(cli);
    }
    show_text(cli, cli_switch(cli, "origin"));
    if (creds_path == NULL || creds_path[0] == '\0') {
        return 0;
    }
    if (creds_read(creds_path, &creds, &err) != STATUS_OK) {
        return cli_report(cli, &err);
    }
    show_creds(cli, &creds);
    memset(&creds, 0, sizeof(creds));
    return 0;
}

/* Lines of the template that the existing file lacks are appended: secrets must stay out of git
 * even where a .gitignore is there already. */
static enum status extend_gitignore(const struct template_file *file, bool *changed,
                                    struct error *err)
{
    struct buf text;
    struct span line;
    struct span wanted = span_from_cstr(file->text);
    buf_init(&text, 1024 * 1024);
    *changed = false;
    enum status status = file_read(file->path, &text, err);
    while (status == STATUS_OK && span_next_part(&wanted, '\n', &line)) {
        struct span have = buf_span(&text);
        struct span present;
        bool found = line.len == 0 || line.ptr[0] == '#';
        while (!found && span_next_part(&have, '\n', &present)) {
            found = span_equal(span_trim(present), line);
        }
        if (!found) {
            buf_append_cstr(&text, text.len > 0 && text.ptr[text.len - 1] != '\n' ? "\n" : "");
            buf_append_span(&text, line);
            buf_append_byte(&text, '\n');
            *changed = true;
        }
    }
    if (status == STATUS_OK && *changed) {
        status = buf_ok(&text) ? file_replace(file->path, buf_span(&text), file->mode, err)
                               : buf_error(&text, err, STATUS_LIMIT, "%s: too large", file->path);
    }
    buf_release(&text);
    return status;
}

static int run_init(struct cli *cli)
{
    for (size_t i = 0; i < ARRAY_COUNT(templates); i++) {
        const struct template_file *file = &templates[i];
        struct error err;
        enum status status = STATUS_OK;
        bool exists = file_exists(file->path);
        bool changed = !exists;
        if (!exists) {
            status = file_replace(file->path, span_from_cstr(file->text), file->mode, &err);
        } else if (strcmp(file->path, ".gitignore") == 0) {
            status = extend_gitignore(file, &changed, &err);
        }
        if (status != STATUS_OK) {
            return cli_report(cli, &err);
        }
        fprintf(cli->out, "%-9s %s\n",
                !exists   ? "wrote"
                : changed ? "extended"
                          : "kept",
                file->path);
    }
    return 0;
}

static const struct option_spec show_options[] = {
    {"origin", OPTION_SWITCH, NULL, NULL, NULL, "say where each value came from"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "one JSON document, with origins"},
};

static const struct command subcommands[] = {
    {
        .name = "show",
        .summary = "The configuration in force; secrets print as ***",
        .arguments = "",
        .options = show_options,
        .option_count = ARRAY_COUNT(show_options),
        .example = "pinpipe config show --origin",
        .run = run_show,
    },
    {
        .name = "init",
        .summary = "Write commented templates (.env, creds.yaml, .gitignore); keeps what is there",
        .arguments = "",
        .example = "pinpipe config init",
        .run = run_init,
    },
};

const struct command cmd_config = {
    .name = "config",
    .summary = "Show the configuration or write commented templates",
    .example = "pinpipe config show --origin",
    .subcommands = subcommands,
    .subcommand_count = ARRAY_COUNT(subcommands),
};
