#include "commands.h"

#include "options.h"

#include <string.h>

const struct command *const commands[] = {
    &cmd_serve, &cmd_up,      &cmd_wait,    &cmd_status,  &cmd_stop,   &cmd_reset, &cmd_demo,
    &cmd_data,  &cmd_topics,  &cmd_emulate, &cmd_consume, &cmd_verify, &cmd_tail,  &cmd_hints,
    &cmd_sql,   &cmd_connect, &cmd_s3,      &cmd_config,  &cmd_doctor,
};
const size_t command_count = ARRAY_COUNT(commands);

static const struct command *subcommand_find(const struct command *command, const char *word)
{
    for (size_t i = 0; i < command->subcommand_count; i++) {
        if (strcmp(command->subcommands[i].name, word) == 0) {
            return &command->subcommands[i];
        }
    }
    return NULL;
}

static const char *nearest_command(const char *word)
{
    const char *best = NULL;
    for (size_t i = 0; i < command_count; i++) {
        best = options_nearer(word, best, commands[i]->name);
    }
    return best;
}

const struct command *command_find(const char *const *words, size_t count, size_t *used,
                                   const char **nearest)
{
    *used = 0;
    *nearest = NULL;
    if (count == 0) {
        return NULL;
    }
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i]->name, words[0]) != 0) {
            continue;
        }
        const struct command *sub = count > 1 ? subcommand_find(commands[i], words[1]) : NULL;
        *used = sub != NULL ? 2 : 1;
        return sub != NULL ? sub : commands[i];
    }
    *nearest = nearest_command(words[0]);
    return NULL;
}
