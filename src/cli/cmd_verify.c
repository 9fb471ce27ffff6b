/* `pinpipe verify`: the verdict on stdout; exit 0 for PASS, 1 for FAIL. */
#include "cli_junit.h"
#include "cli_moment.h"
#include "cli_progress.h"
#include "commands.h"
#include "lake_access.h"
#include "resolve.h"
#include "rows_place.h"
#include "table.h"
#include "verdict_report.h"
#include "verifier.h"

#include <errno.h>
#include <string.h>

/* How far down the pipeline to look; AUTO: as far as records have come. */
enum verify_through { THROUGH_AUTO, THROUGH_TOPICS, THROUGH_S3 };

static enum status write_reports(struct cli *cli, const struct verdict *verdict, struct error *err)
{
    const char *junit = cli_text(cli, "junit");
    enum status status = junit != NULL ? cli_junit_write(junit, verdict, err) : STATUS_OK;
    bool written;
    if (cli_switch(cli, "json")) {
        written = verdict_write_json(verdict, cli->out);
    } else if (cli_switch(cli, "tap")) {
        written = verdict_write_tap(verdict, cli->out);
    } else {
        written = verdict_write_text(verdict, cli->out);
    }
    if (status == STATUS_OK && (!written || fflush(cli->out) != 0)) {
        status = error_set_errno(err, errno, "cannot write to stdout");
    }
    return status;
}

static enum status lake_open(struct cli *cli, const struct endpoints *endpoints,
                             const struct connect_landing *landing, struct lake_access *lake,
                             struct error *err)
{
    const char *bucket = landing->bucket[0] != '\0' ? landing->bucket : NULL;
    struct s3_client_options s3;
    const char *connect_url = NULL;
    enum status status = resolve_s3(cli, &s3, err);
    if (status == STATUS_OK) {
        status = resolve_connect(cli, &connect_url, err);
    }
    s3.should_stop = cli_should_stop;
    return status == STATUS_OK
               ? lake_access_open(lake, &s3, endpoints->user_id, bucket, connect_url, err)
               : status;
}

/* Asks for a connector of this user: where there is one, S3 is in use. A worker that does not
 * answer has none; the usual port is not asked, because somebody else's may be there. */
static enum status find_connector(struct cli *cli, const struct endpoints *endpoints,
                                  bool is_asked_for, struct connect_landing *found,
                                  struct error *err)
{
    const char *topics[TABLE_COUNT + 1] = {NULL};
    struct connect_client *client;
    struct connect_client_options options = {.env = &cli->env, .should_stop = cli_should_stop};
    *found = (struct connect_landing){.found = false};
    enum status status = resolve_connect_known(cli, &options.url, err);
    if (status == STATUS_OK) {
        status = cli_timeout_ms(cli, &options.timeout_ms, err);
    }
    for (size_t t = 0; status == STATUS_OK && t < TABLE_COUNT; t++) {
        topics[t] = arena_printf(&cli->arena, "%s.%s", endpoints->user_id,
                                 table_get((enum table_id)t)->topic_suffix);
        status = topics[t] != NULL ? STATUS_OK : error_no_memory(err);
    }
    if (status != STATUS_OK || options.url == NULL) {
        return status;
    }
    status = connect_client_new(&options, &client, err);
    if (status != STATUS_OK) {
        return status;
    }
    status = connect_client_find_landing(client, endpoints->user_id, topics, found, err);
    connect_client_free(client);
    /* Trouble of our own says nothing about who lands in S3. */
    if (status == STATUS_NO_MEMORY || status == STATUS_INTERRUPTED || status == STATUS_FAILED) {
        return status;
    }
    if (status != STATUS_OK && !is_asked_for) {
        fprintf(cli->err, "verify: S3 is not looked at, because Kafka Connect does not tell who "
                          "lands there: ");
        cli_put_text(cli, cli->err, span_from_cstr(err->message));
        fputs("\n", cli->err);
    }
    *err = ERROR_NONE;
    return STATUS_OK;
}

static enum status verify_run_all(struct cli *cli, enum verify_through through,
                                  struct verdict *verdict, struct error *err)
{
    struct endpoints endpoints;
    struct cli_progress progress;
    struct lake_access lake = {.s3 = NULL};
    struct row_source *rows = NULL;
    const char *junit = cli_text(cli, "junit");
    const char *since = cli_text(cli, "since");
    int64_t since_ms = 0;
    struct connect_landing landing = {.found = false};
    enum status status = resolve_endpoints(cli, &endpoints, err);
    if (status == STATUS_OK && junit != NULL) {
        status = cli_junit_check(junit, err);
    }
    if (status == STATUS_OK && since != NULL) {
        status = cli_moment_parse(cli, since, &since_ms, err);
    }
    cli_progress_init(&progress, cli);
    if (status == STATUS_OK && through != THROUGH_TOPICS) {
        status = find_connector(cli, &endpoints, through == THROUGH_S3, &landing, err);
    }
    if (status == STATUS_OK && (landing.found || through == THROUGH_S3)) {
        status = lake_open(cli, &endpoints, &landing, &lake, err);
    }
    if (status == STATUS_OK) {
        status = rows_place_open_copy(cli, &progress.progress, &rows, err);
    }
    if (status == STATUS_OK) {
        const struct verifier_options options = {
            .env = &cli->env,
            .endpoints = endpoints,
            .data_dir = cli_data_dir(cli),
            .progress = &progress.progress,
            .rows = rows,
            .lake = lake.reader,
            .connect = lake.connect,
            .since_ms = since_ms,
            .strict = cli_switch(cli, "strict"),
        };
        status = verifier_run(&options, verdict, err);
    }
    cli_progress_end(&progress);
    rows_place_close(rows);
    lake_access_close(&lake);
    return status;
}

static int run_verify(struct cli *cli)
{
    static const struct {
        const char *word;
        enum verify_through through;
    } words[] = {{"auto", THROUGH_AUTO},
                 {"topics", THROUGH_TOPICS},
                 {"s3", THROUGH_S3},
                 {"all", THROUGH_S3}};
    struct error err = ERROR_NONE;
    struct verdict verdict;
    enum verify_through through = THROUGH_AUTO;
    const char *word = cli_text(cli, "through");
    if (cli_switch(cli, "json") && cli_switch(cli, "tap")) {
        return cli_usage(cli, "--json and --tap both want stdout: choose one");
    }
    if (strcmp(word, "streams") == 0) {
        error_set(&err, STATUS_CONFIG,
                  "--through streams is not in this build yet: use --through topics or s3");
        return cli_report(cli, &err);
    }
    if (strcmp(word, "all") == 0) {
        fputs("verify: streams are not in this build yet: all is topics and S3\n", cli->err);
    }
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        through = strcmp(word, words[i].word) == 0 ? words[i].through : through;
    }
    enum status status = verify_run_all(cli, through, &verdict, &err);
    if (status == STATUS_OK) {
        status = write_reports(cli, &verdict, &err);
    }
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    return verdict_passed(&verdict) ? EXIT_CODE_DONE : EXIT_CODE_VERDICT;
}

static const struct option_spec verify_options[] = {
    {"through", OPTION_CHOICE, "WHERE", "auto", "auto|topics|s3|streams|all",
     "how far down the pipeline to look; auto: through S3 where a connector is"},
    {"since", OPTION_TEXT, "TIME", NULL, NULL,
     "judge what came since: 10:32, \"2026-12-01 10:32:05\", 10m (ago), last-start (of the "
     "server)"},
    {"strict", OPTION_SWITCH, NULL, NULL, NULL,
     "only the ledger explains records: what your own script posted fails"},
    {"junit", OPTION_TEXT, "FILE", NULL, NULL, "also write the verdict as JUnit XML"},
    {"tap", OPTION_SWITCH, NULL, NULL, NULL, "the verdict as TAP instead of text"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "the verdict as one JSON document instead of text"},
};

const struct command cmd_verify = {
    .name = "verify",
    .summary = "Read every topic, and S3, back and say whether every record is there",
    .arguments = "",
    .options = verify_options,
    .option_count = ARRAY_COUNT(verify_options),
    .example = "pinpipe verify --junit verdict.xml",
    .run = run_verify,
};
