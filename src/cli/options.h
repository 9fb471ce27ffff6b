/* Taking a command line apart by the tables of the command and of the configuration. */
#ifndef PINPIPE_OPTIONS_H
#define PINPIPE_OPTIONS_H

#include "cli.h"

/* Help for --raw, which every command takes. */
extern const char options_raw_help[];

/* Fills cli->option_texts, cli->args and the configuration's flags from the words behind the
 * command.
 * `--flag value` and `--flag=value`; `--` ends the options. Values are checked against their kind.
 * USAGE names the word, what was expected and the nearest flag. *wants_help is set by -h/--help. */
enum status options_parse(struct cli *cli, const char *const *words, size_t count, bool *wants_help,
                          struct error *err) PP_MUST_USE;

/* Whichever of the two candidates is more like `word`; NULL when neither is near enough. */
const char *options_nearer(const char *word, const char *best, const char *candidate);

#endif
