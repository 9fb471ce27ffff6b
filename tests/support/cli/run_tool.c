#include "run_tool.h"

#include "commands.h"
#include "options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { words_max = 20, words_bytes = 4096, arena_usual_bytes = 16 << 20 };

void tool_said_release(struct tool_said *said)
{
    free(said->out);
    free(said->err);
    *said = (struct tool_said){0};
}

/* Takes the line apart as a shell would; the words lie in `text`. */
static size_t words_split(const char *line, char text[words_bytes], const char *words[words_max])
{
    static char number_text[16];
    static int number;
    size_t count = 0;
    char *rest = text;
    char *word;
    snprintf(text, words_bytes, "%s", line);
    while ((word = strsep(&rest, " ")) != NULL && count < words_max) {
        bool quoted = word[0] == '"' || strncmp(word, "SELECT", 6) == 0;
        for (char *p = word; quoted && *p != '\0'; p++) {
            *p = *p == '_' ? ' ' : *p;
        }
        if (strcmp(word, "\x1e") == 0) {
            snprintf(number_text, sizeof(number_text), "%d", ++number);
            word = number_text;
        }
        words[count++] = quoted && word[0] == '"' ? word + 1 : word;
    }
    return count;
}

static int run(struct cli *cli, const char *const *words, size_t count)
{
    struct error err = ERROR_NONE;
    bool wants_help;
    enum status status = config_load(cli->config, &cli->arena, ".env", &err);
    if (status == STATUS_OK) {
        status = options_parse(cli, words, count, &wants_help, &err);
    }
    if (status == STATUS_USAGE) {
        return cli_usage(cli, "%s", err.message);
    }
    return status == STATUS_OK ? cli->command->run(cli) : cli_report(cli, &err);
}

bool tool_run(const char *line, struct tool_lack lack, struct tool_said *said)
{
    char text[words_bytes];
    const char *words[words_max];
    const char *nearest;
    size_t used;
    size_t out_bytes;
    size_t err_bytes;
    struct config config;
    struct cli cli = {.config = &config, .program = "pinpipe"};
    size_t count = words_split(line, text, words);
    cli.command = command_find(words, count, &used, &nearest);
    if (cli.command == NULL || cli.command->run == NULL) {
        fail_msg("there is no command: %s", line);
        return false;
    }
    cli.command_path = cli.command->name;
    *said = (struct tool_said){0};
    cli.out = open_memstream(&said->out, &out_bytes);
    cli.err = open_memstream(&said->err, &err_bytes);
    env_init_system(&cli.env);
    log_init(&cli.log, &cli.env, cli.err, LOG_INFO);
    arena_init(&cli.arena, lack.arena_bytes > 0 ? lack.arena_bytes : (size_t)arena_usual_bytes);
    if (lack.allocation > 0) {
        alloc_fault_begin_own(lack.allocation, lack.mode);
    }
    said->code = run(&cli, words + used, count - used);
    bool failed = lack.allocation > 0 && alloc_fault_end();
    said->arena_bytes = cli.arena.used_bytes;
    arena_release(&cli.arena);
    fclose(cli.out);
    fclose(cli.err);
    return failed;
}

void tool_run_well(const char *line, struct tool_said *said)
{
    (void)tool_run(line, (struct tool_lack){0, ALLOC_FAILS_ONCE, 0}, said);
}
