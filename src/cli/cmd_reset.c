/* `pinpipe reset`: the data directory as it was before anything was posted. Never while a server
 * runs on it: what somebody looks at in another terminal is not taken away, and only he knows how
 * to start it again. The tables stay in any case: those of a real RDS may be all that is left of
 * it. */
#include "commands.h"
#include "ledger.h"
#include "pinpipe/mock.h"
#include "server_file.h"

#include <string.h>
#include <unistd.h>

enum { PART_LEDGER = 1 << 16 }; /* beside enum pinpipe_reset */

static const struct reset_part {
    const char *flag; /* NULL: goes with --all alone */
    unsigned bit;
    const char *words;
} parts[] = {
    {"topics", PINPIPE_RESET_TOPICS, "topics with their records and commits"},
    {"lake", PINPIPE_RESET_LAKE, "buckets, objects and connectors"},
    {"ledger", PART_LEDGER, "the emulator's ledger"},
    {NULL, PINPIPE_RESET_JOURNAL, "the journal of requests"},
};

static unsigned reset_parts(const struct cli *cli)
{
    unsigned what = 0;
    unsigned all = 0;
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        all |= parts[i].bit;
        if (parts[i].flag != NULL && cli_switch(cli, parts[i].flag)) {
            what |= parts[i].bit;
        }
    }
    return what == 0 || cli_switch(cli, "all") ? all : what;
}

static void print_parts(FILE *out, unsigned what)
{
    const char *between = "";
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if ((what & parts[i].bit) != 0) {
            fprintf(out, "%s%s", between, parts[i].words);
            between = "; ";
        }
    }
}

/* The server's parts are refused before anybody is asked; what decides is its lock, later. */
static enum status reset_check(const char *dir, unsigned what, struct error *err)
{
    struct server_view view;
    enum status status = server_look(dir, &view, err);
    if (status == STATUS_OK && (what & ~(unsigned)PART_LEDGER) != 0) {
        if (view.state == SERVER_RUNNING) {
            status = error_set(err, STATUS_BUSY,
                               "a server (pid %lld) runs on %s: `pinpipe stop` ends it, then reset",
                               (long long)view.pid, dir);
        } else if (view.state == SERVER_BUSY) {
            status = error_set(err, STATUS_BUSY,
                               "a server is starting or ending on %s: `pinpipe stop` ends it, then "
                               "reset",
                               dir);
        }
    }
    server_view_release(&view);
    return status;
}

/* Anything but a y at the beginning is a no. */
static bool reset_agreed(struct cli *cli, unsigned what)
{
    char answer[64];
    fputs("Remove from ", cli->err);
    cli_put_text(cli, cli->err, span_from_cstr(cli_data_dir(cli)));
    fputs(": ", cli->err);
    print_parts(cli->err, what);
    fputs("? [y/N] ", cli->err);
    fflush(cli->err);
    ssize_t len = read(STDIN_FILENO, answer, sizeof(answer));
    return len > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

static int do_reset(struct cli *cli, const char *dir, unsigned what)
{
    struct error err = ERROR_NONE;
    char why[PINPIPE_MESSAGE_BYTES];
    unsigned of_server = what & ~(unsigned)PART_LEDGER;
    enum pinpipe_result result =
        of_server != 0 ? pinpipe_mock_reset(dir, of_server, why) : PINPIPE_OK;
    if (result != PINPIPE_OK) {
        error_set(&err, result == PINPIPE_CONFIG ? STATUS_CONFIG : STATUS_FAILED, "%s", why);
        return cli_report(cli, &err);
    }
    if ((what & PART_LEDGER) != 0 && ledger_remove(dir, &cli->env, &err) != STATUS_OK) {
        return cli_report(cli, &err);
    }
    fputs("pinpipe reset: removed from ", cli->err);
    cli_put_text(cli, cli->err, span_from_cstr(dir));
    fputs(": ", cli->err);
    print_parts(cli->err, what);
    fputs(". The tables stay\n", cli->err);
    return EXIT_CODE_DONE;
}

static int command_reset(struct cli *cli)
{
    struct error err = ERROR_NONE;
    const char *dir = cli_data_dir(cli);
    unsigned what = reset_parts(cli);
    bool asks = isatty(STDIN_FILENO) != 0 && cli->err_terminal != NULL;
    if (strcmp(dir, ":memory:") == 0) {
        return cli_usage(cli, "a server in memory keeps nothing: there is nothing to reset");
    }
    if (!cli_switch(cli, "yes") && !asks) {
        return cli_usage(cli, "nobody is there to be asked: --yes says that it is meant");
    }
    if (reset_check(dir, what, &err) != STATUS_OK) {
        return cli_report(cli, &err);
    }
    if (!cli_switch(cli, "yes") && !reset_agreed(cli, what)) {
        error_set(&err, STATUS_INTERRUPTED, "nothing was removed");
        return cli_report(cli, &err);
    }
    return do_reset(cli, dir, what);
}

static const struct option_spec reset_options[] = {
    {"topics", OPTION_SWITCH, NULL, NULL, NULL, "topics, their records, all consumers' commits"},
    {"lake", OPTION_SWITCH, NULL, NULL, NULL,
     "buckets, objects, uploads, connectors and how far they were"},
    {"ledger", OPTION_SWITCH, NULL, NULL, NULL, "what the emulator posted; a server may run"},
    {"all", OPTION_SWITCH, NULL, NULL, NULL,
     "these three and the journal of requests; the default"},
    {"yes", OPTION_SWITCH, NULL, NULL, NULL, "do not ask; where there is no terminal, needed"},
};

const struct command cmd_reset = {
    .name = "reset",
    .summary = "Forget what was posted and landed; the tables stay. Not while a server runs",
    .arguments = "",
    .options = reset_options,
    .option_count = ARRAY_COUNT(reset_options),
    .example = "pinpipe reset --all --yes",
    .run = command_reset,
};
