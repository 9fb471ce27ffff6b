/* `pinpipe tail`: what a server in --data answers, as it comes, from its journal and, where it runs
 * in the background, from its log. It looks anew ten times a second and holds nothing open between,
 * so a server may stop, start and begin its files anew meanwhile. */
#include "commands.h"
#include "file.h"
#include "journal_reader.h"
#include "log_follower.h"
#include "watch_print.h"

#include <string.h>

enum {
    tail_look_us = 100 * 1000,
    tail_patience_us = 5 * 1000 * 1000, /* with a journal that cannot be read */
    tail_path_bytes_max = 1024,
    tail_json_bytes_max = 1024 * 1024,
};

struct tail {
    struct cli *cli;
    struct request_filter filter;
    bool json;
    bool caught_up;    /* what was there at the start has been told */
    bool has_journal;  /* it has been read: hints are told from there */
    bool has_place;    /* and this is where it was */
    int64_t failed_us; /* since when it cannot be read; 0: it can */
    uint64_t missed_told;
    struct journal_place place;
    struct log_follower *log;
    struct log_line line; /* taken from the log, not told yet */
    bool has_line;
    bool no_memory; /* for a line of --json */
    struct buf out;
};

static bool tail_should_stop(const struct tail *tail)
{
    (void)tail;
    return cli_interrupted() || cli_reader_is_gone();
}

/* --- one line each --- */

static void tail_put_json(struct tail *tail)
{
    buf_append_byte(&tail->out, '\n');
    if (buf_ok(&tail->out)) {
        fwrite(tail->out.ptr, 1, tail->out.len, tail->cli->out);
    }
    tail->no_memory = tail->no_memory || !buf_ok(&tail->out);
    buf_reset(&tail->out);
}

static void tail_print_log(struct tail *tail, const struct log_line *line)
{
    if (tail->json) {
        struct json_writer w = json_writer_to(&tail->out);
        json_write_object(&w);
        json_member_cstr(&w, "type", "log");
        json_member_string(&w, "time", line->stamp);
        json_member_string(&w, "level", line->level);
        json_member_string(&w, "area", line->area);
        json_member_string(&w, "message", line->message);
        json_write_end(&w);
        tail_put_json(tail);
        return;
    }
    enum terminal_colour colour = line->kind == LOG_LINE_ERROR  ? TERMINAL_RED
                                  : line->kind == LOG_LINE_WARN ? TERMINAL_YELLOW
                                                                : TERMINAL_FAINT;
    bool is_log = line->stamp.len > 0;
    const struct terminal_piece pieces[] = {
        {TERMINAL_FAINT, span_skip(line->stamp, sizeof("2026-12-01T") - 1)},
        {colour, is_log ? SPAN_LIT(" ") : SPAN_EMPTY},
        {colour, line->level},
        {colour, is_log ? SPAN_LIT(" ") : SPAN_EMPTY},
        {colour, line->area},
        {colour, is_log ? SPAN_LIT(" ") : SPAN_EMPTY},
        {colour, line->message}};
    watch_print_line(tail->cli, pieces, ARRAY_COUNT(pieces));
}

static bool text_has(struct span text, struct span word)
{
    for (size_t i = 0; i + word.len <= text.len; i++) {
        if (span_starts_with(span_skip(text, i), word)) {
            return true;
        }
    }
    return false;
}

/* Text without a stamp is how a server begins and ends: told when it happens. */
static bool log_line_is_wanted(const struct tail *tail, const struct log_line *line)
{
    const struct request_filter *filter = &tail->filter;
    bool is_problem = line->kind == LOG_LINE_WARN || line->kind == LOG_LINE_ERROR;
    if (line->kind == LOG_LINE_HINT) {
        return !tail->has_journal && !filter->errors &&
               (filter->topic.len == 0 || text_has(line->message, filter->topic));
    }
    if (line->stamp.len == 0 && (!tail->caught_up || tail->json)) {
        return false;
    }
    return (!filter->errors || is_problem) && !filter->hints &&
           (filter->topic.len == 0 || text_has(line->message, filter->topic));
}

/* The log's lines up to this time; NULL: all there are. */
static void tail_log(struct tail *tail, const char *until)
{
    while (!tail_should_stop(tail)) {
        struct span text;
        if (!tail->has_line && !log_follower_next(tail->log, &text)) {
            return;
        }
        if (!tail->has_line) {
            tail->line = log_line_read(text);
            tail->has_line = true;
        }
        if (until != NULL && span_compare(tail->line.stamp, span_from_cstr(until)) > 0) {
            return;
        }
        if (log_line_is_wanted(tail, &tail->line)) {
            tail_print_log(tail, &tail->line);
        }
        tail->has_line = false;
    }
}

static bool tail_request(void *ctx, const struct watched_request *request)
{
    struct tail *tail = ctx;
    char stamp[REQUEST_STAMP_BYTES];
    request_stamp(request->received_us, stamp);
    tail_log(tail, stamp);
    if (tail->json) {
        struct json_writer w = json_writer_to(&tail->out);
        json_write_object(&w);
        json_member_cstr(&w, "type", "request");
        watch_json_request(&w, request);
        json_write_end(&w);
        tail_put_json(tail);
    } else {
        watch_print_request(tail->cli, "", request);
        watch_print_hint(tail->cli, request->hint);
    }
    return !tail_should_stop(tail);
}

/* --- looking --- */

static void tell_missed(struct tail *tail)
{
    uint64_t missed = tail->place.missed - tail->missed_told;
    if (missed > 0) {
        fprintf(tail->cli->err,
                "tail: %llu requests went by before they could be read; serve --journal N keeps "
                "more\n",
                (unsigned long long)missed);
    }
    tail->missed_told = tail->place.missed;
}

static enum status tail_read(struct tail *tail, struct error *err)
{
    struct journal_reader *reader;
    enum status status =
        journal_reader_open(cli_data_dir(tail->cli), &tail->cli->env, &reader, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (!tail->has_place) {
        status = journal_reader_seek(reader, &tail->filter, (uint64_t)cli_count(tail->cli, "last"),
                                     &tail->place, err);
        tail->has_place = status == STATUS_OK;
    }
    if (status == STATUS_OK) {
        tail->has_journal = true;
        status = journal_reader_next(reader, &tail->filter, &tail->place, tail_request, tail, err);
        tell_missed(tail);
    }
    journal_reader_close(reader);
    return status;
}

/* A journal that is begun anew, or put aside because it is damaged, cannot be read for a moment. */
static enum status tail_look(struct tail *tail, struct error *err)
{
    struct env *env = &tail->cli->env;
    enum status status = tail_read(tail, err);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) {
        /* Where there is none yet, all of it will be news. */
        tail->has_place = true;
        tail->failed_us = 0;
        status = STATUS_OK;
    } else if (status == STATUS_BUSY || status == STATUS_IO || status == STATUS_CORRUPT) {
        int64_t now_us = env->monotonic_us(env);
        tail->failed_us = tail->failed_us != 0 ? tail->failed_us : now_us;
        bool may_change =
            !cli_switch(tail->cli, "once") && now_us - tail->failed_us < tail_patience_us;
        status = may_change ? STATUS_OK : status;
    }
    tail_log(tail, NULL);
    tail->caught_up = true;
    if (tail->no_memory) {
        return error_no_memory(err);
    }
    return status == STATUS_OK ? log_follower_status(tail->log, err) : status;
}

static enum status tail_follow(struct tail *tail, struct error *err)
{
    struct cli *cli = tail->cli;
    enum status status;
    for (;;) {
        status = tail_look(tail, err);
        if (fflush(cli->out) != 0 && !cli_reader_is_gone()) {
            return error_set(err, STATUS_IO, "the lines could not be written to stdout");
        }
        if (status != STATUS_OK || cli_switch(cli, "once") || tail_should_stop(tail)) {
            return status;
        }
        cli->env.sleep_us(&cli->env, tail_look_us);
    }
}

static int run_tail(struct cli *cli)
{
    struct error err = ERROR_NONE;
    char path[tail_path_bytes_max];
    struct tail tail = {
        .cli = cli,
        .filter = {.errors = cli_switch(cli, "errors"),
                   .hints = cli_switch(cli, "hints"),
                   .topic = span_from_cstr(cli_text(cli, "topic"))},
        .json = cli_switch(cli, "json"),
    };
    if (!file_exists(cli_data_dir(cli))) {
        error_set(&err, STATUS_CONFIG,
                  "%s: there is no such directory; run `pinpipe serve` first, or name another with "
                  "--data",
                  cli_data_dir(cli));
        return cli_report(cli, &err);
    }
    snprintf(path, sizeof(path), "%s/server.log", cli_data_dir(cli));
    if (log_follower_new(path, (uint64_t)cli_count(cli, "last"), &tail.log) != STATUS_OK) {
        error_no_memory(&err);
        return cli_report(cli, &err);
    }
    buf_init(&tail.out, tail_json_bytes_max);
    cli_watch_signals();
    watch_print_begin(cli);
    if (cli->err_is_terminal && !cli_switch(cli, "once")) {
        fprintf(cli->err, "tail: following the server in %s; Ctrl-C ends it\n", cli_data_dir(cli));
    }
    if (cli_switch(cli, "once")) {
        cli_await_journal(cli);
    }
    enum status status = tail_follow(&tail, &err);
    log_follower_free(tail.log);
    buf_release(&tail.out);
    return status == STATUS_OK ? 0 : cli_report(cli, &err);
}

static const struct option_spec tail_options[] = {
    {"errors", OPTION_SWITCH, NULL, NULL, NULL,
     "only requests with an error status, and warnings and errors of the log"},
    {"hints", OPTION_SWITCH, NULL, NULL, NULL, "only requests that a hint was given for"},
    {"topic", OPTION_TEXT, "T", NULL, NULL,
     "only requests whose path names the topic, and the connector's objects of it"},
    {"last", OPTION_COUNT, "N", "10", NULL, "begin with the last N of what happened before"},
    {"once", OPTION_SWITCH, NULL, NULL, NULL, "end when all that is there has been printed"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL,
     "each request, and each line of the log, as one JSON object a line"},
};

const struct command cmd_tail = {
    .name = "tail",
    .summary = "Follow what a running server answers, as it comes",
    .arguments = "",
    .options = tail_options,
    .option_count = ARRAY_COUNT(tail_options),
    .example = "pinpipe tail --errors --last 20",
    .run = run_tail,
};
