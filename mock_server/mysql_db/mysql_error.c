#include "mysql_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct mysql_error_row {
    uint16_t code;
    const char *sqlstate;
    const char *format;
};

static const struct mysql_error_row error_rows[] = {
#define X(name, number, state, words) {number, state, words},
#include "mysql_errors.def"
#undef X
};

static const struct mysql_error_row *error_row(enum mysql_error_code code)
{
    size_t i = 0;
    while (error_rows[i].code != code) {
        i++;
        PP_ASSERT(i < ARRAY_COUNT(error_rows));
    }
    return &error_rows[i];
}

static void error_begin(struct mysql_error *error, const struct mysql_error_row *row)
{
    error->code = row->code;
    memcpy(error->sqlstate, row->sqlstate, sizeof(error->sqlstate));
}

bool mysql_error_set(struct mysql_error *error, enum mysql_error_code code, ...)
{
    const struct mysql_error_row *row = error_row(code);
    va_list args;
    error_begin(error, row);
    va_start(args, code);
    /* The formats are those of the table, each beside the arguments that its name asks for. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(error->message, sizeof(error->message), row->format, args);
#pragma GCC diagnostic pop
    va_end(args);
    text_make_utf8(error->message, strlen(error->message));
    return false;
}

bool mysql_error_say(struct mysql_error *error, enum mysql_error_code code, const char *format, ...)
{
    va_list args;
    error_begin(error, error_row(code));
    va_start(args, format);
    vsnprintf(error->message, sizeof(error->message), format, args);
    va_end(args);
    text_make_utf8(error->message, strlen(error->message));
    return false;
}

void mysql_error_by_number(struct mysql_error *error, int code, const char *words)
{
    const struct mysql_error_row unknown = {(uint16_t)code, "HY000", ""};
    const struct mysql_error_row *row = &unknown;
    for (size_t i = 0; i < ARRAY_COUNT(error_rows); i++) {
        row = error_rows[i].code == code ? &error_rows[i] : row;
    }
    error_begin(error, row);
    snprintf(error->message, sizeof(error->message), "%s", words);
    text_make_utf8(error->message, strlen(error->message));
}
