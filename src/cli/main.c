/* The composition root: finds the command, loads the configuration, parses the options, runs. */
#include "commands.h"
#include "help.h"
#include "options.h"
#include "version.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { cli_arena_bytes_max = 16 * 1024 * 1024, command_path_bytes_max = 64 };

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

static int report_unknown(const char *word, const char *nearest)
{
    for (size_t i = 0; i < ARRAY_COUNT(commands_to_come); i++) {
        if (strcmp(word, commands_to_come[i]) == 0) {
            fprintf(stderr, "pinpipe: %s is not in this build yet; see: pinpipe --help\n", word);
            return status_exit_code(STATUS_CONFIG);
        }
    }
    if (word[0] == '-') {
        fprintf(stderr,
                "pinpipe: the command comes first, options behind it; see: pinpipe --help\n");
    } else if (nearest != NULL) {
        fprintf(stderr, "pinpipe: there is no command \"%s\"; did you mean \"%s\"?\n", word,
                nearest);
    } else {
        fprintf(stderr, "pinpipe: there is no command \"%s\"; see: pinpipe --help\n", word);
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
static int finish_output(const char *path, int code)
{
    if ((fflush(stdout) == 0 && !ferror(stdout)) || code != 0) {
        return code;
    }
    if (!cli_reader_is_gone(stdout)) {
        fprintf(stderr, "pinpipe %s: the result could not be written to stdout\n", path);
    }
    return status_exit_code(STATUS_IO);
}

static int print_help(const char *const *words, size_t count)
{
    char path[command_path_bytes_max];
    size_t used;
    const char *nearest;
    const struct command *command = command_find(words, count, &used, &nearest);
    if (count > 0 && command == NULL) {
        return report_unknown(words[0], nearest);
    }
    if (command == NULL) {
        help_print_program(stdout);
    } else {
        command_path(words, used, path, sizeof(path));
        help_print_command(stdout, command, path);
    }
    return 0;
}

/* A terminal that cannot go back to the line's beginning gets plain lines, as a file does. */
static bool terminal_is_dumb(void)
{
    const char *term = env_variable("TERM");
    return term != NULL && strcmp(term, "dumb") == 0;
}

static int cli_start(const char *program, const struct command *command, const char *const *words,
                     size_t used, size_t count)
{
    char path[command_path_bytes_max];
    struct config config;
    struct cli cli = {
        .out = stdout,
        .err = stderr,
        .program = program,
        .command = command,
        .command_path = path,
    };
    command_path(words, used, path, sizeof(path));
    env_init_system(&cli.env);
    log_init(&cli.log, &cli.env, stderr, LOG_INFO);
    arena_init(&cli.arena, cli_arena_bytes_max);
    cli.config = &config;
    cli.out_is_terminal = isatty(STDOUT_FILENO) != 0;
    cli.err_is_terminal = isatty(STDERR_FILENO) != 0 && !terminal_is_dumb();
    int code = run_command(&cli, words + used, count - used);
    arena_release(&cli.arena);
    return finish_output(path, code);
}

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)(argv + (argc > 0 ? 1 : 0));
    size_t count = argc > 0 ? (size_t)argc - 1 : 0;
    size_t used;
    const char *nearest;
    hold_standard_files();
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error code, not the end of us */
    signal(SIGXFSZ, SIG_IGN); /* nor is a file that must not grow */
    if (count == 0) {
        help_print_program(stderr);
        return status_exit_code(STATUS_USAGE);
    }
    if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0 ||
        strcmp(words[0], "help") == 0) {
        return finish_output("help", print_help(words + 1, count - 1));
    }
    if (strcmp(words[0], "--version") == 0) {
        printf("pinpipe %s\n", pinpipe_version);
        return finish_output(words[0], 0);
    }
    if (strcmp(words[0], "--man") == 0) {
        help_print_man(stdout);
        return finish_output(words[0], 0);
    }
    const struct command *command = command_find(words, count, &used, &nearest);
    return command != NULL ? cli_start(argv[0], command, words, used, count)
                           : report_unknown(words[0], nearest);
}
