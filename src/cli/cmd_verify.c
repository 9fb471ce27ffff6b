/* `pinpipe verify`: the verdict on stdout; exit 0 for PASS, 1 for FAIL. */
#include "cli_junit.h"
#include "cli_progress.h"
#include "commands.h"
#include "lake_access.h"
#include "resolve.h"
#include "verdict_report.h"
#include "verifier.h"

#include <errno.h>
#include <string.h>

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
                             struct lake_access *lake, struct error *err)
{
    struct s3_client_options s3;
    const char *connect_url = NULL;
    enum status status = resolve_s3(cli, &s3, err);
    if (status == STATUS_OK) {
        status = resolve_connect(cli, &connect_url, err);
    }
    s3.should_stop = cli_should_stop;
    return status == STATUS_OK ? lake_access_open(lake, &s3, endpoints->user_id, connect_url, err)
                               : status;
}

static enum status verify_run_all(struct cli *cli, bool through_s3, struct verdict *verdict,
                                  struct error *err)
{
    struct endpoints endpoints;
    struct cli_progress progress;
    struct lake_access lake = {.s3 = NULL};
    const char *junit = cli_text(cli, "junit");
    enum status status = resolve_endpoints(cli, &endpoints, err);
    if (status == STATUS_OK && junit != NULL) {
        status = cli_junit_check(junit, err);
    }
    cli_progress_init(&progress, cli);
    if (status == STATUS_OK && through_s3) {
        status = lake_open(cli, &endpoints, &lake, err);
    }
    if (status == STATUS_OK) {
        const struct verifier_options options = {
            .env = &cli->env,
            .endpoints = endpoints,
            .data_dir = cli_data_dir(cli),
            .progress = &progress.progress,
            .lake = lake.reader,
            .connect = lake.connect,
        };
        status = verifier_run(&options, verdict, err);
    }
    cli_progress_end(&progress);
    lake_access_close(&lake);
    return status;
}

static int run_verify(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct verdict verdict;
    const char *through = cli_text(cli, "through");
    bool all = strcmp(through, "all") == 0;
    if (cli_switch(cli, "json") && cli_switch(cli, "tap")) {
        return cli_usage(cli, "--json and --tap both want stdout: choose one");
    }
    if (strcmp(through, "streams") == 0) {
        error_set(&err, STATUS_CONFIG,
                  "--through streams is not in this build yet: use --through topics or s3");
        return cli_report(cli, &err);
    }
    if (all) {
        fputs("verify: streams are not in this build yet: all is topics and S3\n", cli->err);
    }
    enum status status = verify_run_all(cli, all || strcmp(through, "s3") == 0, &verdict, &err);
    if (status == STATUS_OK) {
        status = write_reports(cli, &verdict, &err);
    }
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    return verdict_passed(&verdict) ? EXIT_CODE_DONE : EXIT_CODE_VERDICT;
}

static const struct option_spec verify_options[] = {
    {"through", OPTION_CHOICE, "WHERE", "topics", "topics|s3|streams|all",
     "how far down the pipeline to look"},
    {"junit", OPTION_TEXT, "FILE", NULL, NULL, "also write the verdict as JUnit XML"},
    {"tap", OPTION_SWITCH, NULL, NULL, NULL, "the verdict as TAP instead of text"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "the verdict as one JSON document instead of text"},
};

const struct command cmd_verify = {
    .name = "verify",
    .summary = "Read every topic, and S3, back and reconcile them with the ledger and the tables",
    .arguments = "",
    .options = verify_options,
    .option_count = ARRAY_COUNT(verify_options),
    .example = "pinpipe verify --junit verdict.xml",
    .run = run_verify,
};
