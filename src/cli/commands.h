/* Every command of the program, one file each; the table is in commands.c. */
#ifndef PINPIPE_COMMANDS_H
#define PINPIPE_COMMANDS_H

#include "cli.h"

extern const struct command cmd_demo;
extern const struct command cmd_serve;
extern const struct command cmd_up;
extern const struct command cmd_wait;
extern const struct command cmd_status;
extern const struct command cmd_stop;
extern const struct command cmd_reset;
extern const struct command cmd_data;
extern const struct command cmd_topics;
extern const struct command cmd_emulate;
extern const struct command cmd_consume;
extern const struct command cmd_verify;
extern const struct command cmd_sql;
extern const struct command cmd_config;
extern const struct command cmd_connect;
extern const struct command cmd_s3;
extern const struct command cmd_doctor;
extern const struct command cmd_tail;
extern const struct command cmd_hints;

extern const struct command *const commands[];
extern const size_t command_count;

/* The command (or subcommand) that the words name; *used is how many of them. NULL: unknown, and
 * *nearest is the command with the most similar name, or NULL. */
const struct command *command_find(const char *const *words, size_t count, size_t *used,
                                   const char **nearest);

#endif
