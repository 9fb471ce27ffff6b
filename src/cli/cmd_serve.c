/* `pinpipe serve`: AWS on this laptop until Ctrl-C. Flags in, pinpipe/mock.h does the work. `up` is
 * the same in the background (server_start.c). */
#include "commands.h"
#include "pinpipe/mock.h"
#include "resolve.h"
#include "rest_properties.h"
#include "serve_live.h"
#include "server_start.h"
#include "url.h"
#include "version.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <string.h>

/* The services of this build, in the order in which people see them. */
struct served {
    enum pinpipe_service id;
    const char *flag;
    const char *label;
    int default_port; /* -1: not open unless asked for */
};

static const struct served all_served[] = {
#define PINPIPE_SERVICE(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP)                   \
    {PINPIPE_##ID, FLAG, LABEL, PORT},
#define PINPIPE_SERVICE_ON_REQUEST(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP)        \
    {PINPIPE_##ID, FLAG, LABEL, -1},
#include "pinpipe/services.def"
};

static const struct option_spec serve_options[] = {
#define PINPIPE_SERVICE(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP)                   \
    {FLAG, OPTION_PORT, "PORT", NULL, NULL, TITLE "'s port; 0: any free one (default " #PORT ")"},
#define PINPIPE_SERVICE_ON_REQUEST(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP)        \
    {FLAG,   OPTION_PORT,                                                                          \
     "PORT", NULL,                                                                                 \
     NULL,   "opens " TITLE ", usually on " #PORT "; 0: on any free port (default: not open)"},
#include "pinpipe/services.def"
    {"credentials", OPTION_TEXT, "ID:SECRET", NULL, NULL,
     "S3 and MSK Connect accept requests signed with these only (default: all)"},
    {"mysql-credentials", OPTION_TEXT, "USER:PASSWORD", NULL, NULL,
     "MySQL accepts this user and password only (default: any)"},
    {"ephemeral", OPTION_SWITCH, NULL, NULL, NULL, "free ports where none is given"},
    {"bind", OPTION_TEXT, "ADDR", "127.0.0.1", NULL, "the address to listen on, IPv4 or IPv6"},
    {"ready-file", OPTION_TEXT, "FILE", NULL, NULL,
     "JSON with all URLs, there from when every listener accepts until the end"},
    {"durability", OPTION_CHOICE, "MODE", "full", "full|normal|off",
     "full: fsync before the answer; normal: survives a killed process; off: memory speed"},
    {"seed", OPTION_COUNT, "S", NULL, NULL,
     "request ids and the like repeat with it (default: none, they differ)"},
    {"journal", OPTION_COUNT, "N", "100000", NULL, "keep the last N requests; 0: none"},
    {"stage", OPTION_TEXT, "NAME", NULL, NULL,
     "the only stage there is (default: deployment_stage where it is set, else any)"},
    {"lenient", OPTION_SWITCH, NULL, NULL, NULL,
     "accept application/json where the real proxy answers 415"},
    {"first-poll", OPTION_CHOICE, "MODE", "empty", "empty|eager",
     "empty: a consumer's first poll gives [], as on the real proxy"},
    {"auto-create", OPTION_SWITCH, NULL, NULL, NULL, "produce creates missing topics"},
    {"permissions", OPTION_CHOICE, "MODE", "open", "open|workshop",
     "workshop: only topics <iam_username>.* and the group students"},
    {"throttle", OPTION_TEXT, "RATE:BURST", NULL, NULL,
     "the usage plan, requests a second and burst: 429 beyond (default: none)"},
    {"gateway-upstream", OPTION_TEXT, "URL", NULL, NULL,
     "the gateway forwards to a REST proxy elsewhere"},
    {"gateway-refused-status", OPTION_COUNT, "CODE", "504", NULL,
     "the gateway's answer when that one refuses connections"},
    {"advertised-url", OPTION_TEXT, "URL", NULL, NULL,
     "what base_uri of a consumer begins with (default: the request's Host)"},
    {"missing-topic-delay", OPTION_COUNT, "MS", "0", NULL,
     "wait before refusing a produce to a missing topic (the real one: 60000)"},
    {"memory", OPTION_COUNT, "MIB", "64", NULL,
     "what clients can make the server hold at once, at least 48; beyond it they get 503 or wait"},
    {"kafka-rest-properties", OPTION_TEXT, "FILE", NULL, NULL,
     "the workshop's kafka-rest.properties, as pasted"},
    {"log", OPTION_TEXT, "SPEC", "info", NULL,
     "debug, info, warn, error, off, or area:level,...; on a terminal each request is a line of "
     "its "
     "service's area, but for info,requests:off"},
};

/* --- flags to options --- */

static int take_throttle(struct cli *cli, struct pinpipe_mock_options *o)
{
    const char *text = cli_text(cli, "throttle");
    if (text == NULL) {
        return 0;
    }
    struct span rest = span_from_cstr(text);
    struct span rate;
    if (!span_next_part(&rest, ':', &rate) || !span_parse_double(rate, &o->throttle_rate) ||
        !span_parse_double(rest, &o->throttle_burst) || !(o->throttle_rate > 0) ||
        !(o->throttle_burst >= 1)) {
        return cli_usage(cli,
                         "--throttle \"%s\": write requests a second and a burst of at least 1, "
                         "such as 10:5",
                         text);
    }
    return 0;
}

static int take_credentials(struct cli *cli, struct pinpipe_mock_options *o)
{
    const char *text = cli_text(cli, "credentials");
    if (text == NULL) {
        return 0;
    }
    struct span secret = span_from_cstr(text);
    struct span id = SPAN_EMPTY;
    if (!span_next_part(&secret, ':', &id) || id.len == 0 || secret.len == 0) {
        /* The text itself is not repeated: half of it is a secret. */
        return cli_usage(cli, "--credentials wants ID:SECRET, such as AKIDEXAMPLE:a-secret");
    }
    o->access_key = arena_copy_cstr(&cli->arena, id);
    o->secret = arena_copy_cstr(&cli->arena, secret);
    return o->access_key != NULL && o->secret != NULL ? 0 : cli_no_memory(cli);
}

static int take_mysql_credentials(struct cli *cli, struct pinpipe_mock_options *o)
{
    const char *text = cli_text(cli, "mysql-credentials");
    if (text == NULL) {
        return 0;
    }
    struct span password = span_from_cstr(text);
    struct span user = SPAN_EMPTY;
    if (span_find_byte(password, ':') == password.len || !span_next_part(&password, ':', &user) ||
        user.len == 0) {
        return cli_usage(cli, "--mysql-credentials wants USER:PASSWORD, such as project_user:pw");
    }
    o->mysql_user = arena_copy_cstr(&cli->arena, user);
    o->mysql_password = arena_copy_cstr(&cli->arena, password);
    return o->mysql_user != NULL && o->mysql_password != NULL ? 0
                                                              : status_exit_code(STATUS_NO_MEMORY);
}

/* The gateway's and the REST proxy's ports stand in people's scripts; another service is found
 * where the summary, the ready file and server.json say, so that a MySQL of the user's own at 3306
 * is in nobody's way. A port that was asked for is meant. */
static bool port_may_move(const struct cli *cli, const struct served *served)
{
    return served->id != PINPIPE_GATEWAY && served->id != PINPIPE_REST &&
           !cli_is_set(cli, served->flag);
}

static int take_port(const struct cli *cli, const struct served *served, int from_file)
{
    if (cli_is_set(cli, served->flag)) {
        return (int)cli_count(cli, served->flag);
    }
    if (from_file >= 0) {
        return from_file;
    }
    return cli_switch(cli, "ephemeral") && served->default_port >= 0 ? 0 : served->default_port;
}

static int take_properties(struct cli *cli, struct pinpipe_mock_options *o)
{
    struct rest_properties properties = {.rest_port = -1};
    const char *path = cli_text(cli, "kafka-rest-properties");
    if (path != NULL) {
        struct error err = ERROR_NONE;
        if (rest_properties_load(path, &cli->arena, cli->err, &properties, &err) != STATUS_OK) {
            return cli_report(cli, &err);
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(all_served); i++) {
        const struct served *served = &all_served[i];
        int from_file = served->id == PINPIPE_REST ? properties.rest_port : -1;
        o->ports[served->id] = take_port(cli, served, from_file);
        o->port_may_move[served->id] = port_may_move(cli, served);
    }
    o->advertised_url = cli_is_set(cli, "advertised-url") ? cli_text(cli, "advertised-url")
                                                          : properties.advertised_url;
    struct url url;
    if (o->advertised_url != NULL && !url_parse(span_from_cstr(o->advertised_url), &url)) {
        char shown[URL_SHOWN_BYTES];
        return cli_usage(cli, "--advertised-url \"%s\" is not a URL such as http://my-laptop:8082",
                         url_shown(o->advertised_url, shown));
    }
    return 0;
}

static enum pinpipe_durability take_durability(const struct cli *cli)
{
    const char *text = cli_text(cli, "durability");
    if (strcmp(text, "normal") == 0) {
        return PINPIPE_NORMAL;
    }
    return strcmp(text, "off") == 0 ? PINPIPE_OFF : PINPIPE_FULL;
}

/* A stage that the configuration names is deployed, and then no other is. */
static const char *take_stage(const struct cli *cli)
{
    if (cli_is_set(cli, "stage")) {
        return cli_text(cli, "stage");
    }
    bool configured = config_get_origin(cli->config, "deployment_stage") > ORIGIN_DEFAULT;
    return configured ? cli_config(cli, "deployment_stage") : NULL;
}

static int take_options(struct cli *cli, struct pinpipe_mock_options *o)
{
    const char *data_dir = cli_data_dir(cli);
    pinpipe_mock_options_init(o);
    o->data_dir = strcmp(data_dir, ":memory:") == 0 ? NULL : data_dir;
    o->bind_addr = cli_text(cli, "bind");
    o->user_id = cli_config(cli, "iam_username");
    o->stage = take_stage(cli);
    o->durability = take_durability(cli);
    o->has_seed = cli_is_set(cli, "seed");
    o->seed = o->has_seed ? (uint64_t)cli_count(cli, "seed") : 0;
    o->journal_rows = cli_count(cli, "journal");
    o->lenient = cli_switch(cli, "lenient");
    o->auto_create = cli_switch(cli, "auto-create");
    o->first_poll = strcmp(cli_text(cli, "first-poll"), "eager") == 0 ? PINPIPE_FIRST_POLL_EAGER
                                                                      : PINPIPE_FIRST_POLL_EMPTY;
    o->permissions = strcmp(cli_text(cli, "permissions"), "workshop") == 0
                         ? PINPIPE_PERMISSIONS_WORKSHOP
                         : PINPIPE_PERMISSIONS_OPEN;
    o->api_key = cli_config(cli, "api_key");
    o->gateway_upstream = cli_text(cli, "gateway-upstream");
    o->missing_topic_delay_ms = cli_count(cli, "missing-topic-delay");
    o->memory_mib = cli_count(cli, "memory");
    o->log_spec = cli_text(cli, "log");
    o->ready_file = cli_text(cli, "ready-file");
    o->version = pinpipe_version;
    int64_t refused = cli_count(cli, "gateway-refused-status");
    if (refused < 500 || refused > 599) {
        return cli_usage(cli, "--gateway-refused-status %lld: write a status from 500 to 599",
                         (long long)refused);
    }
    o->gateway_refused_status = (int)refused;
    int code = take_throttle(cli, o);
    if (code == 0) {
        code = take_credentials(cli, o);
    }
    if (code == 0) {
        code = take_mysql_credentials(cli, o);
    }
    return code != 0 ? code : take_properties(cli, o);
}

/* --- what a user sees --- */

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strcmp(address, "localhost") == 0;
}

static const char *durability_words(enum pinpipe_durability durability)
{
    switch (durability) {
    case PINPIPE_FULL:
        return "full: an answer means it is on the disk";
    case PINPIPE_NORMAL:
        return "normal: a power cut may take the last records";
    case PINPIPE_OFF:
        return "off: after a power cut the file may be unusable";
    }
    return "";
}

/* A word beside a service's URL that its user needs to know; NULL: none. It follows from the
 * options, which are named by service here anyway, so it is no column of services.def. */
static const char *summary_note(enum pinpipe_service service, const struct pinpipe_mock_options *o)
{
    if (service == PINPIPE_GATEWAY) {
        return o->stage != NULL ? "invoke_URL" : "invoke_URL; any stage works";
    }
    if (service == PINPIPE_S3) {
        return o->access_key != NULL ? "signed requests only" : "signed or not";
    }
    if (service == PINPIPE_MYSQL) {
        return o->mysql_user != NULL ? "read-only" : "read-only; any user and password";
    }
    return NULL;
}

static int port_of(const char *address)
{
    struct url url;
    bool known =
        url_parse(span_from_cstr(address), &url) || url_parse_mysql(span_from_cstr(address), &url);
    return known ? url.port : 0;
}

static void print_services(FILE *err, const struct pinpipe_mock_options *o,
                           const struct pinpipe_mock *mock)
{
    for (size_t i = 0; i < ARRAY_COUNT(all_served); i++) {
        const char *url = pinpipe_mock_url(mock, all_served[i].id);
        const char *note = summary_note(all_served[i].id, o);
        if (url == NULL) { /* no listener */
            continue;
        }
        fprintf(err, "  %-11s %s", all_served[i].label, url);
        int usual = all_served[i].default_port;
        if (o->ports[all_served[i].id] > 0 && port_of(url) != o->ports[all_served[i].id]) {
            fprintf(err, "   (port %d is another program's)", usual);
        }
        if (note != NULL) {
            fprintf(err, "   (%s)", note);
        }
        fputc('\n', err);
    }
}

static void print_summary(const struct cli *cli, const struct pinpipe_mock_options *o,
                          const struct pinpipe_mock *mock, const char *end)
{
    FILE *err = cli->err;
    fprintf(err, "pinpipe %s serves AWS on this laptop; %s stops it.\n", pinpipe_version, end);
    print_services(err, o, mock);
    if (o->gateway_upstream != NULL) {
        fprintf(err, "  upstream    %s   (behind the gateway)\n", o->gateway_upstream);
    }
    fprintf(err, "  topics      %s.pin  %s.geo  %s.user\n", o->user_id, o->user_id, o->user_id);
    if (o->data_dir == NULL) {
        fprintf(err, "  data        in memory, gone at the end\n");
    } else {
        fprintf(err, "  data        %s   (durability %s)\n", o->data_dir,
                durability_words(o->durability));
    }
    if (!is_loopback(o->bind_addr)) {
        fprintf(err, "  CAREFUL     --bind %s: others on the network can read and write all this\n",
                o->bind_addr);
    }
    fprintf(
        err,
        "Try:\n  curl -X POST %s/topics/%s.pin -H 'Content-Type: "
        "application/vnd.kafka.json.v2+json' %s-d '{\"records\":[{\"value\":{\"index\":1}}]}'\n",
        pinpipe_mock_url(mock, PINPIPE_GATEWAY), o->user_id,
        o->api_key != NULL ? "-H \"x-api-key: $API_KEY\" " : "");
}

static int serve_exit_code(enum pinpipe_result result)
{
    switch (result) {
    case PINPIPE_OK:
        return EXIT_CODE_DONE;
    case PINPIPE_USAGE:
        return EXIT_CODE_USAGE;
    case PINPIPE_UNREACHABLE:
        return EXIT_CODE_UNREACHABLE;
    case PINPIPE_CONFIG:
        return EXIT_CODE_CONFIG;
    case PINPIPE_FAILED:
    case PINPIPE_STOPPED:
        return EXIT_CODE_WORK;
    }
    BUG("a result without an exit code");
}

static int report(const struct cli *cli, enum pinpipe_result result, const char *why)
{
    fprintf(cli->err, "pinpipe %s: %s\n", cli->command_path, why);
    return serve_exit_code(result);
}

/* glibc would raise its thresholds with each large block that is freed, and keep a server's peaks
 * for ever. What is allocated at the start stays: rings that nothing is in yet are mapped, and cost
 * nothing until they are used. Once it runs the server decides. */
static void memory_map_large_blocks(void)
{
#ifdef __GLIBC__
    enum { mapped_from_bytes = 32 * 1024 };
    mallopt(M_MMAP_THRESHOLD, mapped_from_bytes);
#endif
}

static int serve_run(struct cli *cli, const struct pinpipe_mock_options *options,
                     struct serve_live *view, const struct serve_background *background)
{
    struct pinpipe_mock *mock;
    char why[PINPIPE_MESSAGE_BYTES] = "";
    enum pinpipe_result result = pinpipe_mock_new(options, &mock, why);
    if (result != PINPIPE_OK) {
        serve_live_close(view);
        return report(cli, result, why);
    }
    if (background != NULL) {
        background->leave(background->ctx);
    }
    print_summary(cli, options, mock, background != NULL ? "`pinpipe stop`" : "Ctrl-C");
    result = pinpipe_mock_run(mock, true, why);
    /* The mock's log is in the view's stream: the view is closed behind it. */
    if (result == PINPIPE_OK) {
        result = pinpipe_mock_close(mock, why);
    } else {
        pinpipe_mock_free(mock);
    }
    serve_live_close(view);
    if (result != PINPIPE_OK) {
        return report(cli, result, why);
    }
    fprintf(cli->err, "pinpipe serve: stopped, everything is committed\n");
    return 0;
}

static int serve_behind(struct cli *cli, const struct serve_background *background)
{
    struct pinpipe_mock_options options;
    struct serve_live *view = NULL;
    struct error err = ERROR_NONE;
    int code = take_options(cli, &options);
    if (code != 0) {
        return code;
    }
    memory_map_large_blocks();
    if (background == NULL && serve_live_open(cli, &options, &view, &err) != STATUS_OK) {
        return cli_report(cli, &err);
    }
    return serve_run(cli, &options, view, background);
}

static int run_serve(struct cli *cli)
{
    return serve_behind(cli, NULL);
}

static int run_up(struct cli *cli)
{
    return server_up(cli, serve_behind);
}

const struct command cmd_serve = {
    .name = "serve",
    .summary = "Run the AWS side: API gateway, Kafka REST proxy, topics, Connect, S3",
    .arguments = "",
    .options = serve_options,
    .option_count = ARRAY_COUNT(serve_options),
    .example = "pinpipe serve --ephemeral --ready-file ready.json",
    .run = run_serve,
};

const struct command cmd_up = {
    .name = "up",
    .summary = "Serve in the background: waits until it answers, prints the URLs",
    .arguments = "",
    .options = serve_options,
    .option_count = ARRAY_COUNT(serve_options),
    .example = "pinpipe up",
    .run = run_up,
};
