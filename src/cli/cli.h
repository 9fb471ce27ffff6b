/* The context that every command gets: its parsed options, the configuration, the streams. The
 * command line is the composition root; the libraries below never read flags, environment or files
 * of settings. */
#ifndef PINPIPE_CLI_H
#define PINPIPE_CLI_H

#include "arena.h"
#include "buf.h"
#include "config.h"
#include "env.h"
#include "error.h"
#include "log.h"
#include "terminal.h"

#include <stdio.h>

struct cli;

enum option_kind {
    OPTION_SWITCH, /* --forever */
    OPTION_TEXT,
    OPTION_COUNT,  /* a whole number from 0 */
    OPTION_NUMBER, /* a decimal from 0 */
    OPTION_PORT,   /* 0..65535 */
    OPTION_CHOICE, /* one of `choices`, separated by | */
};

struct option_spec {
    const char *flag; /* "rows" for --rows */
    enum option_kind kind;
    const char *argument; /* "N"; NULL for a switch */
    const char *fallback; /* as typed; NULL: not set */
    const char *choices;  /* "full|normal|off" */
    const char *help;
};

/* A command with subcommands (`topics list`) has `subcommands`; run is then NULL. */
struct command {
    const char *name;
    const char *summary;               /* one line for `pinpipe --help` */
    const char *arguments;             /* "TOPIC", "TABLE FILE.csv", "" */
    const struct option_spec *options; /* beside --data, --json? and the configuration's keys */
    size_t option_count;
    const char *example; /* one line */
    size_t args_min;
    size_t args_max;
    int (*run)(struct cli *cli);
    const struct command *subcommands;
    size_t subcommand_count;
};

struct cli {
    struct env env;
    struct log log;
    struct arena arena; /* lives as long as the command */
    /* Whatever is printed goes through these two. On a terminal they escape what could steer it
     * (base/terminal.h), so no command has to remember that. */
    FILE *out;                     /* results */
    FILE *err;                     /* progress, logs, complaints */
    FILE *err_plain;               /* stderr as it is, for a process that leaves the terminal */
    struct terminal *out_terminal; /* NULL: a file or a pipe */
    struct terminal *err_terminal;
    bool out_is_terminal;
    bool err_is_terminal; /* and one that can redraw a line */
    bool raw;             /* --raw */
    struct config *config;
    const char *program; /* as it was called: "pinpipe", "build/release/pinpipe" */
    const struct command *command;
    const char *command_path; /* "topics list" */
    const char **args;        /* positional */
    size_t arg_count;
    const char **option_texts; /* private: one a spec, NULL when not given */
    bool told_of_server_file;  /* private: said once (server_file.h) */
};

/* The value of one of the command's own options; the name must be in its table. */
const char *cli_text(const struct cli *cli, const char *flag); /* NULL when not set */
bool cli_switch(const struct cli *cli, const char *flag);
bool cli_is_set(const struct cli *cli, const char *flag); /* given or with a fallback */
int64_t cli_count(const struct cli *cli, const char *flag);
double cli_number(const struct cli *cli, const char *flag);
/* A configuration key's value (config.h), NULL when it has none. */
const char *cli_config(const struct cli *cli, const char *key);
/* --timeout in milliseconds, 0 when it is not set; CONFIG when it is no time. */
enum status cli_timeout_ms(const struct cli *cli, int64_t *out, struct error *err) PP_MUST_USE;
/* --data, by default ./.pinpipe */
const char *cli_data_dir(const struct cli *cli);

/* Prints what a server or a file said as a part of a line: on a terminal, and on stderr wherever it
 * goes, its line ends are escaped too, so that nobody adds a line of his own. */
void cli_put_text(const struct cli *cli, FILE *out, struct span text);
/* Prints "pinpipe COMMAND: message" to stderr and returns the exit code of the status. Silent when
 * the reader of stdout has gone, which is no news to whoever closed it. */
int cli_report(const struct cli *cli, const struct error *err);
/* The same of a lack of memory. */
int cli_no_memory(const struct cli *cli);
/* Prints a document and a line's end; the exit code, which is 0 only when all of it was there. */
int cli_put_document(const struct cli *cli, const struct buf *document);
/* Says what is wrong with the command line and points to --help. Returns exit code 2. */
int cli_usage(const struct cli *cli, const char *format, ...) PP_PRINTF(2, 3);

/* Whoever read stdout has closed it (`| head`): a complaint would be noise. */
bool cli_reader_is_gone(void);

/* Whoever asks for what a running server was asked asks for the latest too, which is in the journal
 * 0.1 s behind its answer: waits as long, if a server runs. */
void cli_await_journal(struct cli *cli);

/* Whether a terminal is shown colours: not where NO_COLOR is set (no-color.org), and no dumb one.
 */
bool cli_wants_colours(void);

/* Characters a line of this terminal holds; 80 when it does not say. */
size_t cli_terminal_columns(int fd);

/* SIGINT/SIGTERM set a flag that long work polls between two units. Installed on the first call. */
void cli_watch_signals(void);
bool cli_interrupted(void);
/* cli_interrupted as a callback; the context is not looked at. */
bool cli_should_stop(void *ctx);

#endif
