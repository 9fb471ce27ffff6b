/* `pinpipe verify`: the verdict on stdout; exit 0 for PASS, 1 for FAIL. */
#include "cli_junit.h"
#include "cli_progress.h"
#include "commands.h"
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

static int run_verify(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct endpoints endpoints;
    struct cli_progress progress;
    struct verdict verdict;
    if (cli_switch(cli, "json") && cli_switch(cli, "tap")) {
        return cli_usage(cli, "--json and --tap both want stdout: choose one");
    }
    if (strcmp(cli_text(cli, "through"), "topics") != 0) {
        error_set(&err, STATUS_CONFIG,
                  "--through %s is not in this build yet: use --through topics",
                  cli_text(cli, "through"));
        return cli_report(cli, &err);
    }
    const char *junit = cli_text(cli, "junit");
    if (resolve_endpoints(cli, &endpoints, &err) != STATUS_OK ||
        (junit != NULL && cli_junit_check(junit, &err) != STATUS_OK)) {
        return cli_report(cli, &err);
    }
    cli_progress_init(&progress, cli);
    const struct verifier_options options = {
        .env = &cli->env,
        .endpoints = endpoints,
        .data_dir = cli_data_dir(cli),
        .progress = &progress.progress,
    };
    enum status status = verifier_run(&options, &verdict, &err);
    cli_progress_end(&progress);
    if (status == STATUS_OK) {
        status = write_reports(cli, &verdict, &err);
    }
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    return verdict_passed(&verdict) ? 0 : 1;
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
    .summary = "Read every topic back and reconcile it with the ledger and the tables",
    .arguments = "",
    .options = verify_options,
    .option_count = ARRAY_COUNT(verify_options),
    .example = "pinpipe verify --junit verdict.xml",
    .run = run_verify,
};
