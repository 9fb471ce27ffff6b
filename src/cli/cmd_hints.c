/* `pinpipe hints`: the mistakes that the journal knows, each kind once. */
#include "commands.h"
#include "file.h"
#include "journal_reader.h"
#include "watch_print.h"

enum { hints_json_bytes_max = 4 * 1024 * 1024, hints_label_bytes = 32 };

struct hints {
    struct cli *cli;
    struct json_writer json;
    struct buf out; /* of --json */
    bool is_json;
    uint64_t kinds;
};

static bool hints_print(void *ctx, const struct mistake *mistake)
{
    struct hints *hints = ctx;
    char label[hints_label_bytes];
    hints->kinds++;
    if (!hints->is_json) {
        snprintf(label, sizeof(label), "%5llux ", (unsigned long long)mistake->count);
        watch_print_request(hints->cli, label, &mistake->latest);
        watch_print_hint(hints->cli, mistake->latest.hint);
        return !cli_interrupted();
    }
    char stamp[REQUEST_STAMP_BYTES];
    struct json_writer *w = &hints->json;
    request_stamp(mistake->first_us, stamp);
    json_write_object(w);
    json_member_u64(w, "count", mistake->count);
    json_member_string(w, "hint", mistake->latest.hint);
    json_member_cstr(w, "first", stamp);
    json_member_object(w, "latest");
    watch_json_request(w, &mistake->latest);
    json_write_end(w);
    json_write_end(w);
    return !cli_interrupted();
}

static void hints_summary(struct hints *hints, int64_t requests, int64_t unexplained)
{
    FILE *err = hints->cli->err;
    fprintf(err, "hints: %llu kinds of mistakes in %lld requests\n",
            (unsigned long long)hints->kinds, (long long)requests);
    if (unexplained > 0) {
        fprintf(err, "hints: %lld errors have no hint; see: pinpipe tail --errors --once\n",
                (long long)unexplained);
    }
}

static enum status hints_read(struct hints *hints, struct error *err)
{
    struct journal_reader *reader;
    int64_t requests = 0;
    int64_t unexplained = 0;
    enum status status =
        journal_reader_open(cli_data_dir(hints->cli), &hints->cli->env, &reader, err);
    if (status == STATUS_NOT_FOUND) { /* nothing was asked yet */
        hints_summary(hints, 0, 0);
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = journal_reader_mistakes(reader, hints_print, hints, err);
    if (status == STATUS_OK) {
        status = journal_reader_count(reader, &requests, &unexplained, err);
    }
    if (status == STATUS_OK) {
        hints_summary(hints, requests, unexplained);
    }
    journal_reader_close(reader);
    return status;
}

static int run_hints(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct hints hints = {.cli = cli, .is_json = cli_switch(cli, "json")};
    if (!file_exists(cli_data_dir(cli))) {
        error_set(&err, STATUS_CONFIG,
                  "%s: there is no such directory; run `pinpipe serve` first, or name another with "
                  "--data",
                  cli_data_dir(cli));
        return cli_report(cli, &err);
    }
    buf_init(&hints.out, hints_json_bytes_max);
    hints.json = json_writer_to(&hints.out);
    cli_watch_signals();
    cli_await_journal(cli);
    watch_print_begin(cli);
    json_write_array(&hints.json);
    enum status status = hints_read(&hints, &err);
    json_write_end(&hints.json);
    buf_append_byte(&hints.out, '\n');
    if (status == STATUS_OK && hints.is_json) {
        status = buf_ok(&hints.out) ? STATUS_OK : error_no_memory(&err);
        fwrite(buf_cstr(&hints.out), 1, status == STATUS_OK ? hints.out.len : 0, cli->out);
    }
    buf_release(&hints.out);
    return status == STATUS_OK ? 0 : cli_report(cli, &err);
}

static const struct option_spec hints_options[] = {
    {"json", OPTION_SWITCH, NULL, NULL, NULL,
     "one JSON array: count, hint, first, latest (the request)"},
};

const struct command cmd_hints = {
    .name = "hints",
    .summary = "List the mistakes that a server has met, how often, and the fix of each",
    .arguments = "",
    .options = hints_options,
    .option_count = ARRAY_COUNT(hints_options),
    .example = "pinpipe hints",
    .run = run_hints,
};
