/* `pinpipe emulate batch|stream|both`: the workshop's user_posting_emulation.py. Options in,
 * pipeline/emulator.h does the work, the summary out. */
#include "cli_progress.h"
#include "commands.h"
#include "emulator.h"
#include "json_write.h"
#include "resolve.h"
#include "rows_place.h"

#include <string.h>

enum { summary_json_bytes_max = 16 * 1024, attempts_most = RETRY_ATTEMPTS_MAX };

struct emulate_view {
    struct cli *cli;
    struct cli_progress progress;
};

static void emulate_print_note(void *ctx, const char *text)
{
    struct emulate_view *view = ctx;
    cli_progress_end(&view->progress);
    fprintf(view->cli->err, "pinpipe %s: note: %s\n", view->cli->command_path, text);
}

/* --- options ------------------------------------------------------------------------------- */

static int emulate_check_limits(struct cli *cli, const struct emulator_options *o)
{
    if (cli_switch(cli, "forever") && cli_is_set(cli, "rows")) {
        return cli_usage(cli, "--rows and --forever exclude each other: leave one out");
    }
    if (o->rows == 0) {
        return cli_usage(cli, "--rows 0 would post nothing: say how many row numbers to post");
    }
    if (o->concurrency < 1 || o->concurrency > EMULATOR_CONCURRENCY_MAX) {
        return cli_usage(cli, "--concurrency %lld: say a number from 1 to %d",
                         (long long)cli_count(cli, "concurrency"), EMULATOR_CONCURRENCY_MAX);
    }
    if (o->retry.attempts_max < 1 || o->retry.attempts_max > attempts_most) {
        return cli_usage(cli, "--attempts %lld: say a number from 1 to %d",
                         (long long)o->retry.attempts_max, attempts_most);
    }
    if (cli_is_set(cli, "rate") && o->post_rate <= 0) {
        return cli_usage(cli, "--rate 0 would never post: leave --rate out for no limit");
    }
    if (o->post_rate > 0 && o->workshop_pace) {
        return cli_usage(cli, "--rate and --pace exclude each other: leave one out");
    }
    return 0;
}

static int emulate_take_options(struct cli *cli, struct emulator_options *o)
{
    emulator_options_init(o);
    o->env = &cli->env;
    o->data_dir = cli_data_dir(cli);
    if (cli_is_set(cli, "rows")) {
        o->rows = cli_count(cli, "rows");
    } else if (cli_switch(cli, "forever")) {
        o->rows = EMULATOR_ROWS_FOREVER;
    }
    o->post_rate = cli_is_set(cli, "rate") ? cli_number(cli, "rate") : 0;
    o->workshop_pace = cli_is_set(cli, "pace");
    o->concurrency = (size_t)cli_count(cli, "concurrency");
    o->seed = (uint64_t)cli_count(cli, "seed");
    o->retry.attempts_max = cli_count(cli, "attempts");
    o->datetime = strcmp(cli_text(cli, "datetime"), "space") == 0 ? DATETIME_SPACE : DATETIME_ISO;
    if (!row_order_find(cli_text(cli, "order"), &o->order)) {
        BUG("an order in the option table that row_pick.c does not know");
    }
    return emulate_check_limits(cli, o);
}

/* --- the summary --------------------------------------------------------------------------- */

static const char *post_word(const struct emulator_partial *partial, size_t table)
{
    static const char *const words[] = {
        [LEDGER_INTENT] = "unknown",
        [LEDGER_ACKED] = "acked",
        [LEDGER_FAILED] = "failed",
        [LEDGER_IN_DOUBT] = "in doubt",
    };
    return partial->unsent[table] ? "not sent" : words[partial->states[table]];
}

static const char *end_word(enum emulator_end end)
{
    static const char *const words[] = {
        [EMULATOR_END_DONE] = "done",
        [EMULATOR_END_INTERRUPTED] = "interrupted",
        [EMULATOR_END_REFUSED] = "refused",
        [EMULATOR_END_SAME_FAILURES] = "same_failures",
        [EMULATOR_END_UNREACHABLE] = "unreachable",
        [EMULATOR_END_ERROR] = "error",
    };
    return words[end];
}

static double posts_per_second(const struct emulator_summary *s)
{
    return s->elapsed_us > 0 ? (double)s->posts_acked * 1e6 / (double)s->elapsed_us : 0;
}

static void emulate_print_text(const struct cli *cli, const struct emulator_summary *s)
{
    FILE *out = cli->out;
    fprintf(out, "posts    %lld acknowledged, %lld failed, %lld in doubt",
            (long long)s->posts_acked, (long long)s->posts_failed, (long long)s->posts_in_doubt);
    if (s->posts_unsent > 0) {
        fprintf(out, ", %lld not sent", (long long)s->posts_unsent);
    }
    fprintf(out, "; %lld %s\n", (long long)s->retries, s->retries == 1 ? "retry" : "retries");
    fprintf(out, "triples  %lld complete, %lld partial, %lld failed",
            (long long)s->triples_complete, (long long)s->triples_partial,
            (long long)s->triples_failed);
    if (s->rows_wanted != EMULATOR_ROWS_FOREVER) {
        fprintf(out, " of %lld", (long long)s->rows_wanted);
    }
    fputc('\n', out);
    if (s->has_partial) {
        const struct emulator_partial *p = &s->first_partial;
        fprintf(out, "partial  triple %lld (row %lld): pin %s, geo %s, user %s%s\n",
                (long long)p->triple, (long long)p->row_number, post_word(p, TABLE_PIN),
                post_word(p, TABLE_GEO), post_word(p, TABLE_USER),
                s->triples_partial > 1 ? "; it is the first" : "");
    }
    if (s->first_failure[0] != '\0') {
        fprintf(out, "failure  %s\n", s->first_failure);
    }
    if (s->end == EMULATOR_END_INTERRUPTED) {
        fprintf(out, "ended    by a signal (Ctrl-C), between two posts\n");
    }
    fprintf(out, "time     %.2f s, %.0f posts/s\n", (double)s->elapsed_us / 1e6,
            posts_per_second(s));
    fprintf(out, "ledger   run %lld in %s/ledger.db, cluster %s\n", (long long)s->run_id,
            cli_data_dir(cli), s->cluster_id);
}

static void write_partial(struct json_writer *w, const struct emulator_summary *s)
{
    const struct emulator_partial *p = &s->first_partial;
    if (!s->has_partial) {
        json_member_null(w, "first_partial");
        return;
    }
    json_member_object(w, "first_partial");
    json_member_i64(w, "triple", p->triple);
    json_member_i64(w, "row", p->row_number);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        json_member_cstr(w, table_get((enum table_id)t)->topic_suffix,
                         post_word(p, (enum table_id)t));
    }
    json_write_end(w);
}

static void write_counts(struct json_writer *w, const struct emulator_summary *s)
{
    json_member_object(w, "posts");
    json_member_i64(w, "acked", s->posts_acked);
    json_member_i64(w, "failed", s->posts_failed);
    json_member_i64(w, "in_doubt", s->posts_in_doubt);
    json_member_i64(w, "unsent", s->posts_unsent);
    json_write_end(w);
    json_member_i64(w, "retries", s->retries);
    json_member_object(w, "triples");
    json_member_i64(w, "complete", s->triples_complete);
    json_member_i64(w, "partial", s->triples_partial);
    json_member_i64(w, "failed", s->triples_failed);
    json_write_end(w);
}

static void write_summary(struct json_writer *w, const struct emulator_options *o,
                          const struct emulator_summary *s)
{
    json_write_object(w);
    json_member_i64(w, "run", s->run_id);
    json_member_cstr(w, "cluster_id", s->cluster_id);
    json_member_cstr(w, "order", row_order_name(o->order));
    json_member_u64(w, "seed", o->seed);
    json_member_u64(w, "concurrency", o->concurrency);
    json_member_i64(w, "lanes_per_topic", s->lanes_per_topic);
    if (s->rows_wanted == EMULATOR_ROWS_FOREVER) {
        json_member_null(w, "rows");
    } else {
        json_member_i64(w, "rows", s->rows_wanted);
    }
    json_member_cstr(w, "end", end_word(s->end));
    write_counts(w, s);
    write_partial(w, s);
    json_member_cstr(w, "first_failure", s->first_failure[0] != '\0' ? s->first_failure : NULL);
    json_write_name(w, "seconds");
    buf_printf(json_write_value(w), "%.6f", (double)s->elapsed_us / 1e6);
    json_write_name(w, "posts_per_second");
    buf_printf(json_write_value(w), "%.1f", posts_per_second(s));
    json_write_end(w);
}

static int emulate_print_json(const struct cli *cli, const struct emulator_options *o,
                              const struct emulator_summary *s)
{
    struct buf b;
    buf_init(&b, summary_json_bytes_max);
    struct json_writer w = json_writer_to(&b);
    write_summary(&w, o, s);
    int code = cli_put_document(cli, &b);
    buf_release(&b);
    return code;
}

/* A run that ended before its time says why, and what to do. */
static void print_end(const struct cli *cli, const struct emulator_summary *s)
{
    switch (s->end) {
    case EMULATOR_END_REFUSED:
        fprintf(
            cli->err,
            "pinpipe %s: stopped at the first post that no other attempt would help: %s. Run it "
            "again once that is mended\n",
            cli->command_path, s->first_failure);
        break;
    case EMULATOR_END_SAME_FAILURES:
        fprintf(cli->err,
                "pinpipe %s: stopped, because %d posts in a row failed alike: %s. Nothing more was "
                "sent; run it again once that is mended\n",
                cli->command_path, EMULATOR_SAME_FAILURES_MAX, s->first_failure);
        break;
    case EMULATOR_END_UNREACHABLE:
        fprintf(cli->err,
                "pinpipe %s: stopped, because the server went away and did not come back: %s. "
                "Start it with `pinpipe serve`\n",
                cli->command_path, s->first_failure);
        break;
    case EMULATOR_END_DONE:
    case EMULATOR_END_INTERRUPTED:
    case EMULATOR_END_ERROR:
        break;
    }
}

static int exit_code_of_failure(const struct emulator_summary *s)
{
    if (s->end == EMULATOR_END_UNREACHABLE) {
        return status_exit_code(STATUS_UNREACHABLE);
    }
    return status_exit_code(STATUS_FAILED);
}

/* --- commands ------------------------------------------------------------------------------ */

static int run_batch(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct emulator_options options;
    struct emulator_summary summary;
    struct endpoints endpoints;
    struct emulate_view view = {.cli = cli};
    int code = emulate_take_options(cli, &options);
    if (code != 0) {
        return code;
    }
    enum status status = resolve_endpoints(cli, &endpoints, &err);
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    status = rows_place_open(cli, &options.rows_from, &err);
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    cli_progress_init(&view.progress, cli);
    options.endpoints = &endpoints;
    options.progress = &view.progress.progress;
    options.note = emulate_print_note;
    options.note_ctx = &view;
    status = emulator_run(&options, &summary, &err);
    cli_progress_end(&view.progress);
    rows_place_close(options.rows_from);
    if (status == STATUS_OK || summary.run_id != 0) {
        if (cli_switch(cli, "json")) {
            code = emulate_print_json(cli, &options, &summary);
        } else {
            emulate_print_text(cli, &summary);
        }
    }
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    print_end(cli, &summary);
    return emulator_succeeded(&summary) ? code : exit_code_of_failure(&summary);
}

static int run_without_kinesis(struct cli *cli)
{
    struct error err = ERROR_NONE;
    error_set(&err, STATUS_CONFIG,
              "Kinesis is not in this build yet; `pinpipe emulate batch` posts to the topics");
    return cli_report(cli, &err);
}

static const struct option_spec options[] = {
    {"rows", OPTION_COUNT, "N", NULL, NULL,
     "row numbers to post, three posts each (default 1000; with --order sequential each row once)"},
    {"forever", OPTION_SWITCH, NULL, NULL, NULL, "until Ctrl-C, as the script"},
    {"rate", OPTION_NUMBER, "R", NULL, NULL, "at most R posts a second (default: no limit)"},
    {"pace", OPTION_CHOICE, "workshop", NULL, "workshop",
     "sleep 0 or 1 second before each round, as the script"},
    {"concurrency", OPTION_COUNT, "C", "3", NULL,
     "posts in flight: 1 strictly in turn; 3 one lane a topic, each in order; more: no order"},
    {"seed", OPTION_COUNT, "S", "100", NULL, "of the row numbers and of --pace"},
    {"order", OPTION_CHOICE, "ORDER", "python", "python|sequential|random",
     "python: the rows the workshop's script visits with this seed"},
    {"datetime", OPTION_CHOICE, "STYLE", "iso", "iso|space",
     "2021-02-05T19:14:42, or with a blank for the T"},
    {"attempts", OPTION_COUNT, "N", "10", NULL, "tries of one post before it is given up"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "the summary as one JSON document"},
};

static const struct command subcommands[] = {
    {.name = "batch",
     .summary = "Post rows of the three tables to their topics, through the gateway",
     .options = options,
     .option_count = ARRAY_COUNT(options),
     .example = "pinpipe emulate batch --rows 500",
     .run = run_batch},
    {.name = "stream",
     .summary = "Post rows to the Kinesis streams (not in this build yet)",
     .options = options,
     .option_count = ARRAY_COUNT(options),
     .example = "pinpipe emulate stream --rows 500",
     .run = run_without_kinesis},
    {.name = "both",
     .summary = "Post each row to topic and stream (not in this build yet)",
     .options = options,
     .option_count = ARRAY_COUNT(options),
     .example = "pinpipe emulate both --rows 500",
     .run = run_without_kinesis},
};

const struct command cmd_emulate = {
    .name = "emulate",
    .summary = "Post rows as the workshop's user_posting_emulation.py does",
    .example = "pinpipe emulate batch",
    .subcommands = subcommands,
    .subcommand_count = ARRAY_COUNT(subcommands),
};
