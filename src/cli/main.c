/* The composition root: finds the command, loads the configuration, parses the options, runs. */
#include "commands.h"
#include "help.h"
#include "options.h"
#include "version.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { cli_arena_bytes_max = 16 * 1024 * 1024, command_path_bytes_max = 64 };

/* Commands of the design that come with their services: told apart from a typing mistake. */
static const char *const commands_to_come[] = {"s3", "connect", "streams", "batch", "dag"};

static int report_unknown(const char *word, const char *nearest)
{
    for (size_t i = 0; i < ARRAY_COUNT(commands_to_come); i++) {
        if (strcmp(word, commands_to_come[i]) == 0) {
            fprintf(stderr, "pinpipe: %s is not in this build yet; see: pinpipe --help\n", word);
            return status_exit_code(STATUS_CONFIG);
        }
    }
    if (nearest != NULL) {
        fprintf(stderr, "pinpipe: there is no command \"%s\"; did you mean \"%s\"?\n", word,
                nearest);
    } else {
        fprintf(stderr, "pinpipe: there is no command \"%s\"; see: pinpipe --help\n", word);
    }
    return status_exit_code(STATUS_USAGE);
}

static int run_command(struct cli *cli, const char *const *words, size_t count)
{
    struct error err = ERROR_NONE;
    bool wants_help;
    if (cli->command->run == NULL && count > 0 && words[0][0] != '-') {
        return cli_usage(cli, "there is no subcommand \"%s\"", words[0]);
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

static int start(const struct command *command, const char *const *words, size_t used, size_t count)
{
    char path[command_path_bytes_max];
    struct config config;
    struct cli cli = {.out = stdout, .err = stderr, .command = command, .command_path = path};
    snprintf(path, sizeof(path), "%s%s%s", words[0], used > 1 ? " " : "", used > 1 ? words[1] : "");
    env_init_system(&cli.env);
    log_init(&cli.log, &cli.env, stderr, LOG_INFO);
    arena_init(&cli.arena, cli_arena_bytes_max);
    cli.config = &config;
    cli.out_is_terminal = isatty(STDOUT_FILENO) != 0;
    cli.err_is_terminal = isatty(STDERR_FILENO) != 0;
    int code = run_command(&cli, words + used, count - used);
    arena_release(&cli.arena);
    /* A result that did not reach its reader (a full disk, a closed pipe) is not a success. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == 0) {
        fprintf(stderr, "pinpipe %s: the result could not be written to stdout\n", path);
        code = status_exit_code(STATUS_IO);
    }
    return code;
}

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)(argv + (argc > 0 ? 1 : 0));
    size_t count = argc > 0 ? (size_t)argc - 1 : 0;
    size_t used;
    const char *nearest;
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error code, not the end of us */
    if (count == 0) {
        help_print_program(stderr);
        return status_exit_code(STATUS_USAGE);
    }
    if (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0 ||
        strcmp(words[0], "help") == 0) {
        const struct command *command = command_find(words + 1, count - 1, &used, &nearest);
        if (command != NULL) {
            help_print_command(stdout, command, command->name);
        } else {
            help_print_program(stdout);
        }
        return 0;
    }
    if (strcmp(words[0], "--version") == 0) {
        printf("pinpipe %s\n", pinpipe_version);
        return 0;
    }
    if (strcmp(words[0], "--man") == 0) {
        help_print_man(stdout);
        return 0;
    }
    const struct command *command = command_find(words, count, &used, &nearest);
    return command != NULL ? start(command, words, used, count) : report_unknown(words[0], nearest);
}
