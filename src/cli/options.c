#include "options.h"

#include <string.h>

const char options_raw_help[] =
    "bytes as they are on a terminal too, where control characters are shown escaped (\\x1b)";

enum { word_compare_max = 32, distance_near_max = 2 };

/* Levenshtein distance of the first 32 characters. */
static size_t word_distance(const char *a, const char *b)
{
    size_t row[word_compare_max + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    a_len = a_len < word_compare_max ? a_len : word_compare_max;
    b_len = b_len < word_compare_max ? b_len : word_compare_max;
    for (size_t k = 0; k <= b_len; k++) {
        row[k] = k;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= b_len; k++) {
            size_t above = row[k];
            size_t best = diagonal + (a[i - 1] != b[k - 1] ? 1 : 0);
            best = above + 1 < best ? above + 1 : best;
            best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
            row[k] = best;
            diagonal = above;
        }
    }
    return row[b_len];
}

const char *options_nearer(const char *word, const char *best, const char *candidate)
{
    size_t distance = word_distance(word, candidate);
    if (distance > distance_near_max || distance >= strlen(candidate)) {
        return best;
    }
    return best == NULL || distance < word_distance(word, best) ? candidate : best;
}

static bool choice_is_listed(const char *choices, const char *text)
{
    struct span rest = span_from_cstr(choices);
    struct span part;
    while (span_next_part(&rest, '|', &part)) {
        if (span_equal_cstr(part, text)) {
            return true;
        }
    }
    return false;
}

static enum status option_check_value(const struct option_spec *spec, const char *text,
                                      struct error *err)
{
    struct span value = span_from_cstr(text);
    uint64_t whole;
    double number;
    switch (spec->kind) {
    case OPTION_SWITCH:
    case OPTION_TEXT:
        return STATUS_OK;
    case OPTION_COUNT:
        if (span_parse_u64(value, &whole) && whole <= INT64_MAX) {
            return STATUS_OK;
        }
        return error_set(err, STATUS_USAGE, "--%s wants a whole number from 0 on, not \"%s\"",
                         spec->flag, text);
    case OPTION_NUMBER:
        if (span_parse_double(value, &number) && number >= 0 && number <= 1e15) {
            return STATUS_OK;
        }
        return error_set(err, STATUS_USAGE, "--%s wants a number from 0 on, not \"%s\"", spec->flag,
                         text);
    case OPTION_PORT:
        if (span_parse_u64(value, &whole) && whole <= 65535) {
            return STATUS_OK;
        }
        return error_set(err, STATUS_USAGE, "--%s wants a port (0 to 65535), not \"%s\"",
                         spec->flag, text);
    case OPTION_CHOICE:
        if (choice_is_listed(spec->choices, text)) {
            return STATUS_OK;
        }
        return error_set(err, STATUS_USAGE, "--%s wants one of %s, not \"%s\"", spec->flag,
                         spec->choices, text);
    }
    BUG("an option kind without a check");
}

static size_t find_spec(const struct command *command, struct span flag)
{
    for (size_t i = 0; i < command->option_count; i++) {
        if (span_equal_cstr(flag, command->options[i].flag)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static enum status unknown_flag(const struct cli *cli, struct span flag, struct error *err)
{
    char word[64];
    size_t len = flag.len < sizeof(word) - 1 ? flag.len : sizeof(word) - 1;
    memcpy(word, flag.ptr, len);
    word[len] = '\0';
    const char *best = NULL;
    for (size_t i = 0; i < cli->command->option_count; i++) {
        best = options_nearer(word, best, cli->command->options[i].flag);
    }
    for (size_t i = 0; i < config_key_count; i++) {
        best = options_nearer(word, best, config_keys[i].flag);
    }
    if (best != NULL) {
        return error_set(err, STATUS_USAGE, "there is no --%s; did you mean --%s?", word, best);
    }
    return error_set(err, STATUS_USAGE, "there is no --%s", word);
}

/* Takes a "--flag[=value]"; `next` is the word behind it, taken when a value is needed. */
static enum status take_flag(struct cli *cli, const char *word, const char *next, bool *took_next,
                             struct error *err)
{
    struct span rest = span_from_cstr(word + 2);
    size_t equals = span_find_byte(rest, '=');
    struct span flag = span_first(rest, equals);
    const char *value = equals < rest.len ? word + 2 + equals + 1 : NULL;
    size_t spec = find_spec(cli->command, flag);
    size_t key = spec == SIZE_MAX ? config_find_flag(flag) : SIZE_MAX;
    if (spec == SIZE_MAX && key == SIZE_MAX) {
        return unknown_flag(cli, flag, err);
    }
    bool is_switch = spec != SIZE_MAX && cli->command->options[spec].kind == OPTION_SWITCH;
    if (is_switch && value != NULL) {
        return error_set(err, STATUS_USAGE, "--%.*s takes no value", SPAN_ARG(flag));
    }
    if (!is_switch && value == NULL) {
        if (next == NULL) {
            return error_set(err, STATUS_USAGE, "--%.*s wants a value", SPAN_ARG(flag));
        }
        value = next;
        *took_next = true;
    }
    if (key != SIZE_MAX) {
        config_set_flag(cli->config, key, value);
        return STATUS_OK;
    }
    cli->option_texts[spec] = is_switch ? "yes" : value;
    return is_switch ? STATUS_OK : option_check_value(&cli->command->options[spec], value, err);
}

static enum status check_args(const struct cli *cli, struct error *err)
{
    const struct command *command = cli->command;
    if (cli->arg_count < command->args_min) {
        return error_set(err, STATUS_USAGE, "wants %s",
                         command->arguments != NULL ? command->arguments : "more words");
    }
    if (cli->arg_count > command->args_max) {
        return error_set(err, STATUS_USAGE, "\"%s\" is one word too many",
                         cli->args[command->args_max]);
    }
    return STATUS_OK;
}

enum status options_parse(struct cli *cli, const char *const *words, size_t count, bool *wants_help,
                          struct error *err)
{
    *wants_help = false;
    cli->option_texts =
        arena_alloc_array(&cli->arena, cli->command->option_count + 1, sizeof(char *));
    cli->args = arena_alloc_array(&cli->arena, count + 1, sizeof(char *));
    if (cli->option_texts == NULL || cli->args == NULL) {
        return error_no_memory(err);
    }
    bool only_args = false;
    for (size_t i = 0; i < count; i++) {
        const char *word = words[i];
        bool took_next = false;
        if (!only_args && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            *wants_help = true;
            return STATUS_OK;
        }
        if (!only_args && strcmp(word, "--raw") == 0) {
            cli->raw = true;
        } else if (!only_args && strcmp(word, "--") == 0) {
            only_args = true;
        } else if (!only_args && strncmp(word, "--", 2) == 0) {
            const char *next = i + 1 < count ? words[i + 1] : NULL;
            enum status status = take_flag(cli, word, next, &took_next, err);
            if (status != STATUS_OK) {
                return status;
            }
        } else if (!only_args && word[0] == '-' && word[1] != '\0') {
            return error_set(err, STATUS_USAGE, "\"%s\": options are written --name", word);
        } else {
            cli->args[cli->arg_count++] = word;
        }
        i += took_next ? 1 : 0;
    }
    return check_args(cli, err);
}
