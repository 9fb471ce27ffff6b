/* `pinpipe consume TOPIC`: values one a line on stdout, everything else on stderr. */
#include "cli_progress.h"
#include "commands.h"
#include "consumer.h"
#include "resolve.h"

#include "json_text.h"

#include <errno.h>
#include <string.h>

/* Joining a group takes Kafka some seconds, however short an idle time the user wants. */
enum { joining_ms = 10 * 1000 };

struct output {
    struct cli *cli;
    bool json;
};

static void write_span(const struct output *output, struct span text)
{
    FILE *out = output->cli->out;
    if (text.ptr == NULL) {
        fputs("null", out);
    } else {
        fwrite(text.ptr, 1, text.len, out);
    }
}

static enum status consume_write_record(void *ctx, const struct page_record *record,
                                        struct error *err)
{
    struct output *output = ctx;
    FILE *out = output->cli->out;
    if (output->json) {
        fprintf(out, "{\"topic\":\"%.*s\",\"partition\":%d,\"offset\":%lld,\"key\":",
                SPAN_ARG(record->topic), (int)record->partition, (long long)record->offset);
        write_span(output, record->key);
        fputs(",\"value\":", out);
    }
    write_span(output, record->value);
    fputs(output->json ? "}\n" : "\n", out);
    return ferror(out) == 0 ? STATUS_OK : error_set_errno(err, errno, "cannot write to stdout");
}

static enum status flush_output(void *ctx, struct error *err)
{
    struct output *output = ctx;
    return fflush(output->cli->out) == 0 ? STATUS_OK
                                         : error_set_errno(err, errno, "cannot write to stdout");
}

static void write_note(void *ctx, const char *text)
{
    struct output *output = ctx;
    fputs("consume: ", output->cli->err);
    cli_put_text(output->cli, output->cli->err, span_from_cstr(text));
    fputc('\n', output->cli->err);
}

/* `pinpipe consume TOPIC | head`: without a reader there is nothing to follow for. */
static bool output_should_stop(void *ctx)
{
    (void)ctx;
    return cli_interrupted() || cli_reader_is_gone();
}

static int run_consume(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct endpoints endpoints;
    struct cli_progress progress;
    struct consumer_summary summary;
    struct output output = {cli, cli_switch(cli, "json")};
    if (cli_is_set(cli, "max-messages") && cli_count(cli, "max-messages") == 0) {
        return cli_usage(cli, "--max-messages counts from 1; leave it out for no limit");
    }
    if (cli_is_set(cli, "timeout") && cli_count(cli, "timeout") == 0) {
        return cli_usage(cli, "--timeout counts from 1; leave it out to wait for ever");
    }
    if (cli_is_set(cli, "group") && cli_text(cli, "group")[0] == '\0') {
        return cli_usage(cli, "--group is empty: name a group, or leave it out");
    }
    if (resolve_endpoints(cli, &endpoints, &err) != STATUS_OK) {
        return cli_report(cli, &err);
    }
    if (endpoints.timeout_ms == 0 && cli_is_set(cli, "timeout")) {
        int64_t idle_ms = cli_count(cli, "timeout");
        endpoints.timeout_ms = idle_ms > joining_ms ? idle_ms : joining_ms;
    }
    cli_progress_init(&progress, cli);
    progress.progress.should_stop = output_should_stop;
    progress.progress.ctx = cli;
    progress.progress.update = NULL;
    const char *group = cli_text(cli, "group");
    const struct consumer_options options = {
        .env = &cli->env,
        .endpoints = endpoints,
        .topic = cli->args[0],
        .group = group != NULL ? group : endpoints.consumer_group,
        .from_beginning = cli_switch(cli, "from-beginning"),
        .messages_max =
            cli_is_set(cli, "max-messages") ? (uint64_t)cli_count(cli, "max-messages") : 0,
        .idle_ms = cli_is_set(cli, "timeout") ? cli_count(cli, "timeout") : 0,
        .progress = &progress.progress,
    };
    if (cli->err_is_terminal && options.messages_max == 0 && options.idle_ms == 0) {
        fprintf(cli->err, "consume: following %s; Ctrl-C ends it%s\n", options.topic,
                options.from_beginning ? "" : ", --from-beginning reads all there is");
    }
    const struct consumer_sink sink = {&output, consume_write_record, flush_output, write_note};
    enum status status = consumer_run(&options, &sink, &summary, &err);
    if (status == STATUS_OK || summary.records > 0) {
        fprintf(cli->err, "consume: %llu records of %s%s\n", (unsigned long long)summary.records,
                options.topic, summary.interrupted ? " (stopped)" : "");
    }
    return status == STATUS_OK ? 0 : cli_report(cli, &err);
}

static const struct option_spec consume_options[] = {
    {"group", OPTION_TEXT, "G", NULL, NULL,
     "consumer group (default: the configuration's consumer_group)"},
    {"from-beginning", OPTION_SWITCH, NULL, NULL, NULL,
     "from the first record, whatever the group has read already"},
    {"max-messages", OPTION_COUNT, "N", NULL, NULL,
     "end after N records (default: none, it goes on until Ctrl-C)"},
    {"timeout", OPTION_COUNT, "MS", NULL, NULL,
     "end when nothing came for MS milliseconds (default: never); bounds each request too (10 s at "
     "least)"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL,
     "each record as one JSON object a line: topic, partition, offset, key, value"},
};

const struct command cmd_consume = {
    .name = "consume",
    .summary = "Print a topic's records as they come, through the gateway",
    .arguments = "TOPIC",
    .options = consume_options,
    .option_count = ARRAY_COUNT(consume_options),
    .example = "pinpipe consume workshop.pin --from-beginning --max-messages 5",
    .args_min = 1,
    .args_max = 1,
    .run = run_consume,
};
