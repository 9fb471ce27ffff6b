/* --help and the man page, printed from the tables of commands, options and configuration keys. */
#ifndef PINPIPE_HELP_H
#define PINPIPE_HELP_H

#include "commands.h"

void help_print_program(FILE *out);
void help_print_command(FILE *out, const struct command *command, const char *path);
/* roff, for docs/pinpipe.1 (`make docs`). */
void help_print_man(FILE *out);

#endif
