/* The composition root: finds the command, loads the configuration, parses the options, runs. */
#include "commands.h"
#include "help.h"
#include "options.h"
#include "version.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    cli_arena_bytes_max = 16 * 1024 * 1024,
    command_path_bytes_max = 64,
    memory_probe_bytes = 64 * 1024
};

/* Commands of the design that come with their services: told apart from a typing mistake. */
static const char *const commands_to_come[] = {"streams", "batch", "dag"};

/* A standard stream that the caller closed would be the next file or socket that is opened, and
 * text meant for people would go into it. Closed ones are held by something that refuses writes. */
static void hold_standard_files(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
}

static void command_path(const char *const *words, size_t used, char *out, size_t cap)
{
    snprintf(out, cap, "%s%s%s", words[0], used > 1 ? " " : "", used > 1 ? words[1] : "");
}

/* The two streams that are written to, and the terminals behind them, if any. */
struct output_streams {
    struct terminal *out_terminal;
    struct terminal *err_terminal;
    FILE *out;
    FILE *err;
};

static enum status output_open(int fd, FILE *file, struct terminal **terminal, FILE **out,
                               struct error *err)
{
    *out = file;
    if (isatty(fd) == 0) {
        return STATUS_OK;
    }
    enum status status = terminal_open(fd, terminal, err);
    *out = status == STATUS_OK ? terminal_stream(*terminal) : file;
    return status;
}

static enum status outputs_open(struct output_streams *streams, struct error *err)
{
    *streams = (struct output_streams){.out = stdout};
    enum status status =
        output_open(STDOUT_FILENO, stdout, &streams->out_terminal, &streams->out, err);
    return status == STATUS_OK
               ? output_open(STDERR_FILENO, stderr, &streams->err_terminal, &streams->err, err)
               : status;
}

static int report_unknown(const struct output_streams *streams, const char *word,
                          const char *nearest)
{
    FILE *err = streams->err;
    for (size_t i = 0; i < ARRAY_COUNT(commands_to_come); i++) {
        if (strcmp(word, commands_to_come[i]) == 0) {
            fprintf(err, "pinpipe: %s is not in this build yet; see: pinpipe --help\n", word);
            return status_exit_code(STATUS_CONFIG);
        }
    }
    if (word[0] == '-') {
        fprintf(err, "pinpipe: the command comes first, options behind it; see: pinpipe --help\n");
    } else if (nearest != NULL) {
        fprintf(err, "pinpipe: there is no command \"%s\"; did you mean \"%s\"?\n", word, nearest);
    } else {
        fprintf(err, "pinpipe: there is no command \"%s\"; see: pinpipe --help\n", word);
    }
    return status_exit_code(STATUS_USAGE);
}

static int report_unknown_subcommand(const struct cli *cli, const char *word)
{
    const char *best = NULL;
    for (size_t i = 0; i < cli->command->subcommand_count; i++) {
        best = options_nearer(word, best, cli->command->subcommands[i].name);
    }
    return best != NULL
               ? cli_usage(cli, "there is no subcommand \"%s\"; did you mean \"%s\"?", word, best)
               : cli_usage(cli, "there is no subcommand \"%s\"", word);
}

static int run_command(struct cli *cli, const char *const *words, size_t count)
{
    struct error err = ERROR_NONE;
    bool wants_help;
    if (cli->command->run == NULL && count > 0 && words[0][0] != '-') {
        return report_unknown_subcommand(cli, words[0]);
    }
    enum status status = config_load(cli->config, &cli->arena, ".env", &err);
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    status = options_parse(cli, words, count, &wants_help, &err);
    if (cli->raw && cli->out_terminal != NULL) {
        terminal_set_raw(cli->out_terminal);
    }
    if (cli->raw && cli->err_terminal != NULL) {
        terminal_set_raw(cli->err_terminal);
    }
    if (wants_help) {
        help_print_command(cli->out, cli->command, cli->command_path);
        return 0;
    }
    if (status == STATUS_USAGE) {
        return cli_usage(cli, "%s", err.message);
    }
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    if (cli->command->run == NULL) {
        return cli_usage(cli, "wants a subcommand");
    }
    return cli->command->run(cli);
}

/* A result that did not reach its reader (a full disk) is not a success. A reader that has seen
 * enough (`| head`) needs no complaint. */
static int finish_output(struct output_streams *streams, const char *path, int code)
{
    bool written = streams->out_terminal != NULL ? terminal_close(streams->out_terminal)
                                                 : fflush(stdout) == 0 && !ferror(stdout);
    if (!written && code == 0) {
        code = status_exit_code(STATUS_IO);
        if (!cli_reader_is_gone()) {
            fprintf(streams->err, "pinpipe %s: the result could not be written to stdout\n", path);
        }
    }
    terminal_close(streams->err_terminal);
    return code;
}

static int print_help(const struct output_streams *streams, const char *const *words, size_t count)
{
    char path[command_path_bytes_max];
    size_t used;
    const char *nearest;
    const struct command *command = command_find(words, count, &used, &nearest);
    if (count > 0 && command == NULL) {
        return report_unknown(streams, words[0], nearest);
    }
    if (command == NULL) {
        help_print_program(streams->out);
    } else {
        command_path(words, used, path, sizeof(path));
        help_print_command(streams->out, command, path);
    }
    return 0;
}

/* A terminal that cannot go back to the line's beginning gets plain lines, as a file does. */
static bool terminal_is_dumb(void)
{
    const char *term = env_variable("TERM");
    return term != NULL && strcmp(term, "dumb") == 0;
}

/* The words of the command line, of which the first `used` name the command. */
struct command_words {
    const char *const *words;
    size_t count;
    size_t used;
};

static int cli_start(const struct output_streams *streams, const char *program,
                     const struct command *command, struct command_words line)
{
    char path[command_path_bytes_max];
    struct config config;
    struct cli cli = {
        .out = streams->out,
        .err = streams->err,
        .err_plain = stderr,
        .out_terminal = streams->out_terminal,
        .err_terminal = streams->err_terminal,
        .program = program,
        .command = command,
        .command_path = path,
    };
    command_path(line.words, line.used, path, sizeof(path));
    env_init_system(&cli.env);
    log_init(&cli.log, &cli.env, cli.err, LOG_INFO);
    arena_init(&cli.arena, cli_arena_bytes_max);
    cli.config = &config;
    cli.out_is_terminal = cli.out_terminal != NULL;
    cli.err_is_terminal = cli.err_terminal != NULL && !terminal_is_dumb();
    int code = run_command(&cli, line.words + line.used, line.count - line.used);
    arena_release(&cli.arena);
    return code;
}

static int run_words(const struct output_streams *streams, const char *program,
                     const char *const *words, size_t count)
{
    size_t used;
    const char *nearest;
    if (count == 0) {
        help_print_program(streams->err);
        return status_exit_code(STATUS_USAGE);
    }
    if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0 ||
        strcmp(words[0], "help") == 0) {
        return print_help(streams, words + 1, count - 1);
    }
    if (strcmp(words[0], "--version") == 0) {
        fprintf(streams->out, "pinpipe %s\n", pinpipe_version);
        return 0;
    }
    if (strcmp(words[0], "--man") == 0) {
        help_print_man(streams->out);
        return 0;
    }
    const struct command *command = command_find(words, count, &used, &nearest);
    const struct command_words line = {words, count, used};
    return command != NULL ? cli_start(streams, program, command, line)
                           : report_unknown(streams, words[0], nearest);
}

/* Libraries that were loaded clean up at the end, and some ask for memory then: where there is none
 * the loader ends the process with a code of its own. */
static bool memory_is_out(void)
{
    void *volatile probe = malloc(memory_probe_bytes);
    bool is_out = probe == NULL;
    free(probe);
    return is_out;
}

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)(argv + (argc > 0 ? 1 : 0));
    size_t count = argc > 0 ? (size_t)argc - 1 : 0;
    char path[command_path_bytes_max];
    struct output_streams streams;
    struct error err;
    size_t used = 0;
    const char *nearest;
    hold_standard_files();
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error code, not the end of us */
    signal(SIGXFSZ, SIG_IGN); /* nor is a file that must not grow */
    if (outputs_open(&streams, &err) != STATUS_OK) {
        fprintf(stderr, "pinpipe: %s\n", err.message);
        return status_exit_code(err.code);
    }
    int code = run_words(&streams, argv[0], words, count);
    bool named = count > 0 && command_find(words, count, &used, &nearest) != NULL;
    command_path(count > 0 ? words : (const char *const[]){""}, named ? used : 1, path,
                 sizeof(path));
    code = finish_output(&streams, path, code);
    if (memory_is_out()) {
        _exit(code);
    }
    return code;
}
