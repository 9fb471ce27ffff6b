#include "cli.h"

#include "file.h"
#include "printable.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    usage_bytes_max = 2048,
    timeout_s_max = 24 * 60 * 60,
    path_bytes_max = 1024,
    journal_wait_us = 150 * 1000,
};

static size_t spec_position(const struct cli *cli, const char *flag)
{
    for (size_t i = 0; i < cli->command->option_count; i++) {
        if (strcmp(cli->command->options[i].flag, flag) == 0) {
            return i;
        }
    }
    BUG("a flag that is not in the command's table");
}

const char *cli_text(const struct cli *cli, const char *flag)
{
    size_t i = spec_position(cli, flag);
    const char *given = cli->option_texts[i];
    return given != NULL ? given : cli->command->options[i].fallback;
}

bool cli_switch(const struct cli *cli, const char *flag)
{
    return cli_text(cli, flag) != NULL;
}

bool cli_is_set(const struct cli *cli, const char *flag)
{
    return cli_text(cli, flag) != NULL;
}

int64_t cli_count(const struct cli *cli, const char *flag)
{
    int64_t value = 0;
    const char *text = cli_text(cli, flag);
    PP_ASSERT(text != NULL && span_parse_i64(span_from_cstr(text), &value));
    return value;
}

double cli_number(const struct cli *cli, const char *flag)
{
    double value = 0;
    const char *text = cli_text(cli, flag);
    PP_ASSERT(text != NULL && span_parse_double(span_from_cstr(text), &value));
    return value;
}

const char *cli_config(const struct cli *cli, const char *key)
{
    return config_get(cli->config, key);
}

enum status cli_timeout_ms(const struct cli *cli, int64_t *out, struct error *err)
{
    double seconds = 0;
    const char *text = cli_config(cli, "pinpipe_timeout");
    *out = 0;
    if (text == NULL) {
        return STATUS_OK;
    }
    /* Written so that NaN, too, is refused. */
    if (!span_parse_double(span_from_cstr(text), &seconds) ||
        !(seconds >= 0.001 && seconds <= timeout_s_max)) {
        return error_set(err, STATUS_CONFIG,
                         "pinpipe_timeout (--timeout) \"%s\" is no time: write seconds, such as 5 "
                         "or 0.5, at most %d",
                         text, timeout_s_max);
    }
    *out = (int64_t)(seconds * 1000);
    return STATUS_OK;
}

const char *cli_data_dir(const struct cli *cli)
{
    return config_get(cli->config, "pinpipe_data");
}

void cli_put_text(const struct cli *cli, FILE *out, struct span text)
{
    char escape[PRINTABLE_ESCAPE_BYTES];
    struct span piece;
    if (cli->raw || (out == cli->out && cli->out_terminal == NULL)) {
        fwrite(text.ptr, 1, text.len, out);
        return;
    }
    while ((piece = printable_next(&text, PRINTABLE_LINE, escape)).len > 0) {
        fwrite(piece.ptr, 1, piece.len, out);
    }
}

int cli_report(const struct cli *cli, const struct error *err)
{
    PP_ASSERT(err->code != STATUS_OK); /* a failure without a cause would be a success */
    if (err->code != STATUS_IO || !cli_reader_is_gone()) {
        fprintf(cli->err, "pinpipe %s: ", cli->command_path);
        cli_put_text(cli, cli->err, span_from_cstr(err->message));
        fputc('\n', cli->err);
    }
    return status_exit_code(err->code);
}

int cli_no_memory(const struct cli *cli)
{
    struct error err = ERROR_NONE;
    (void)error_no_memory(&err);
    return cli_report(cli, &err);
}

int cli_put_document(const struct cli *cli, const struct buf *document)
{
    if (!buf_ok(document)) {
        return cli_no_memory(cli);
    }
    fprintf(cli->out, "%s\n", buf_cstr(document));
    return 0;
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
    char words[usage_bytes_max];
    va_list args;
    fprintf(cli->err, "pinpipe %s: ", cli->command_path);
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    cli_put_text(cli, cli->err, span_from_cstr(words));
    fprintf(cli->err, "\nTry: pinpipe %s --help\n", cli->command_path);
    return status_exit_code(STATUS_USAGE);
}

bool cli_reader_is_gone(void)
{
    struct pollfd pipe_end = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&pipe_end, 1, 0) == 1 && (pipe_end.revents & POLLERR) != 0;
}

size_t cli_terminal_columns(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool cli_wants_colours(void)
{
    const char *no_color = env_variable("NO_COLOR");
    const char *term = env_variable("TERM");
    return (no_color == NULL || no_color[0] == '\0') && (term == NULL || strcmp(term, "dumb") != 0);
}

void cli_await_journal(struct cli *cli)
{
    char server[path_bytes_max];
    snprintf(server, sizeof(server), "%s/server.json", cli_data_dir(cli));
    if (file_exists(server)) {
        cli->env.sleep_us(&cli->env, journal_wait_us);
    }
}

/* The one mutable global: a signal handler can reach nothing else (lint's allow-list names it). */
static volatile sig_atomic_t signal_seen;

static void note_signal(int number)
{
    if (signal_seen != 0) {
        /* Asked twice: the user wants out now; the default action ends the process. */
        signal(number, SIG_DFL);
        raise(number);
    }
    signal_seen = 1;
}

void cli_watch_signals(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = note_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
    return signal_seen != 0;
}

bool cli_should_stop(void *ctx)
{
    (void)ctx;
    return cli_interrupted();
}
