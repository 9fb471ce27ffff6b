#include "help.h"

#include "options.h"
#include "version.h"

#include <string.h>

enum { flag_column_chars = 30 };

static void print_usage_line(FILE *out, const struct command *command, const char *path)
{
    fprintf(out, "pinpipe %s", path);
    if (command->subcommand_count > 0) {
        fprintf(out, " SUBCOMMAND");
    }
    if (command->arguments != NULL && command->arguments[0] != '\0') {
        fprintf(out, " %s", command->arguments);
    }
    fprintf(out, " [options]");
}

static void print_row(FILE *out, const char *left, const char *right)
{
    fprintf(out, "  %-*s  %s", flag_column_chars, left, right);
}

static void option_head(const struct option_spec *spec, char *out, size_t cap)
{
    if (spec->kind == OPTION_SWITCH) {
        snprintf(out, cap, "--%s", spec->flag);
    } else if (spec->kind == OPTION_CHOICE) {
        snprintf(out, cap, "--%s %s", spec->flag, spec->choices);
    } else {
        snprintf(out, cap, "--%s %s", spec->flag, spec->argument);
    }
}

static void print_options(FILE *out, const struct command *command)
{
    char head[128];
    for (size_t i = 0; i < command->option_count; i++) {
        const struct option_spec *spec = &command->options[i];
        option_head(spec, head, sizeof(head));
        print_row(out, head, spec->help);
        if (spec->fallback != NULL) {
            fprintf(out, " (default %s)", spec->fallback);
        }
        fputc('\n', out);
    }
}

static void print_config_keys(FILE *out)
{
    char head[128];
    for (size_t i = 0; i < config_key_count; i++) {
        snprintf(head, sizeof(head), "--%s %s", config_keys[i].flag, config_keys[i].argument);
        print_row(out, head, config_keys[i].help);
        if (config_keys[i].fallback != NULL) {
            fprintf(out, " (default %s)", config_keys[i].fallback);
        }
        fputc('\n', out);
    }
}

static const struct exit_code_text {
    int code;
    const char *text;
    const char *more;
} exit_codes[] = {
#define X(name, code, text, more) {code, text, more},
#include "exit_codes.def"
#undef X
};

static void print_exit_codes(FILE *out)
{
    fputs("Exit codes:", out);
    for (size_t i = 0; i < ARRAY_COUNT(exit_codes); i++) {
        fprintf(out, "%s%s %d %s", i > 0 ? "," : "", i == ARRAY_COUNT(exit_codes) / 2 ? "\n " : "",
                exit_codes[i].code, exit_codes[i].text);
    }
    fputc('\n', out);
}

void help_print_program(FILE *out)
{
    fprintf(out, "pinpipe %s: the AWS side of the Pinterest data pipeline on a laptop\n\n",
            pinpipe_version);
    fprintf(out, "Usage: pinpipe COMMAND [options]\n\nCommands:\n");
    for (size_t i = 0; i < command_count; i++) {
        fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    fprintf(out, "\nStart here:\n  pinpipe demo\n\n"
                 "Each command explains itself: pinpipe COMMAND --help\n"
                 "Settings come from flags, the environment, ./.env and defaults: pinpipe config "
                 "show --origin\n");
    print_exit_codes(out);
}

void help_print_command(FILE *out, const struct command *command, const char *path)
{
    fprintf(out, "%s\n\nUsage: ", command->summary);
    print_usage_line(out, command, path);
    fputc('\n', out);
    if (command->subcommand_count > 0) {
        fprintf(out, "\nSubcommands:\n");
        for (size_t i = 0; i < command->subcommand_count; i++) {
            const struct command *sub = &command->subcommands[i];
            char head[64];
            snprintf(head, sizeof(head), "%s %s", sub->name,
                     sub->arguments != NULL ? sub->arguments : "");
            print_row(out, head, sub->summary);
            fputc('\n', out);
        }
    }
    if (command->option_count > 0) {
        fprintf(out, "\nOptions:\n");
        print_options(out, command);
    }
    fprintf(out, "\nConfiguration (also in the environment and .env):\n");
    print_config_keys(out);
    fprintf(out, "\nEvery command:\n");
    print_row(out, "--raw", options_raw_help);
    fputc('\n', out);
    fprintf(out, "\nExample:\n  %s\n", command->example);
}

/* roff: a line that begins with a dot or a quote would be a request, a backslash an escape. */
static void print_roff(FILE *out, const char *text)
{
    if (text[0] == '.' || text[0] == '\'') {
        fputs("\\&", out);
    }
    for (; *text != '\0'; text++) {
        if (*text == '\\') {
            fputs("\\e", out);
        } else if (*text == '-') {
            fputs("\\-", out);
        } else {
            fputc(*text, out);
        }
    }
}

static void print_man_item(FILE *out, const char *head, const char *text, const char *fallback)
{
    fputs(".TP\n.B ", out);
    print_roff(out, head);
    fputc('\n', out);
    print_roff(out, text);
    if (fallback != NULL) {
        fputs(" (default ", out);
        print_roff(out, fallback);
        fputs(")", out);
    }
    fputc('\n', out);
}

static void print_man_command(FILE *out, const struct command *command, const char *prefix)
{
    char path[64];
    char head[128];
    snprintf(path, sizeof(path), "%s%s%s", prefix, prefix[0] != '\0' ? " " : "", command->name);
    fputs(".SS ", out);
    print_roff(out, path);
    if (command->arguments != NULL && command->arguments[0] != '\0') {
        fputc(' ', out);
        print_roff(out, command->arguments);
    }
    fputc('\n', out);
    print_roff(out, command->summary);
    fputs(".\n", out);
    for (size_t i = 0; i < command->option_count; i++) {
        option_head(&command->options[i], head, sizeof(head));
        print_man_item(out, head, command->options[i].help, command->options[i].fallback);
    }
    fputs(".PP\nExample: ", out);
    print_roff(out, command->example);
    fputc('\n', out);
    for (size_t i = 0; i < command->subcommand_count; i++) {
        print_man_command(out, &command->subcommands[i], path);
    }
}

static void print_man_config(FILE *out)
{
    char head[128];
    fputs(".SH OPTIONS OF EVERY COMMAND\n", out);
    print_man_item(out, "--raw", options_raw_help, NULL);
    fputs(".SH CONFIGURATION\nEach key is a flag, an environment variable (as written or in upper "
          "case) or a line of ./.env; flags win over the environment, that over .env.\n",
          out);
    for (size_t i = 0; i < config_key_count; i++) {
        snprintf(head, sizeof(head), "%s, --%s %s", config_keys[i].name, config_keys[i].flag,
                 config_keys[i].argument);
        print_man_item(out, head, config_keys[i].help, config_keys[i].fallback);
    }
}

static void print_man_exit_codes(FILE *out)
{
    char code[16];
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < ARRAY_COUNT(exit_codes); i++) {
        snprintf(code, sizeof(code), "%d", exit_codes[i].code);
        print_man_item(out, code, exit_codes[i].text, NULL);
        fputs("(", out);
        print_roff(out, exit_codes[i].more);
        fputs(").\n", out);
    }
}

void help_print_man(FILE *out)
{
    fprintf(out, ".TH PINPIPE 1 \"\" \"pinpipe %s\"\n.SH NAME\n", pinpipe_version);
    fputs("pinpipe \\- the AWS side of the Pinterest data pipeline on a laptop\n.SH SYNOPSIS\n"
          ".B pinpipe\nCOMMAND [options]\n.SH COMMANDS\n",
          out);
    for (size_t i = 0; i < command_count; i++) {
        print_man_command(out, commands[i], "");
    }
    print_man_config(out);
    print_man_exit_codes(out);
    fputs(".SH "
          "FILES\n.TP\n.B state.db\ntopics, records, offsets (the server)\n.TP\n"
          ".B rds.db\nthe three tables\n.TP\n.B ledger.db\nwhat the emulator posted\n.TP\n"
          ".B journal.db\nthe latest requests\n",
          out);
}
