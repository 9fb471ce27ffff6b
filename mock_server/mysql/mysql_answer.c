#include "mysql_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    ok_mark = 0x00,
    eof_mark = 0xfe,
    error_mark = 0xff,
    fixed_fields_bytes = 0x0c,
    null_mark = 0xfb,
    charset_binary = 63,
};

void mysql_put_ok(struct mysql_writer *w, const struct mysql_ok *ok)
{
    size_t start = mysql_packet_begin(w);
    mysql_put_int(w->out, ok_mark, 1);
    mysql_put_lenenc(w->out, ok->affected);
    mysql_put_lenenc(w->out, 0); /* the last insert's id: nothing is inserted */
    mysql_put_int(w->out, ok->status, 2);
    mysql_put_int(w->out, ok->warnings, 2);
    mysql_packet_end(w, start);
}

void mysql_put_eof(struct mysql_writer *w, uint16_t status, uint16_t warnings)
{
    size_t start = mysql_packet_begin(w);
    mysql_put_int(w->out, eof_mark, 1);
    mysql_put_int(w->out, warnings, 2);
    mysql_put_int(w->out, status, 2);
    mysql_packet_end(w, start);
}

void mysql_put_error(struct mysql_writer *w, const struct mysql_error *error, bool with_state)
{
    size_t start = mysql_packet_begin(w);
    mysql_put_int(w->out, error_mark, 1);
    mysql_put_int(w->out, error->code, 2);
    if (with_state) {
        buf_append_byte(w->out, '#');
        buf_append(w->out, error->sqlstate, sizeof(error->sqlstate) - 1);
    }
    buf_append_cstr(w->out, error->message);
    mysql_packet_end(w, start);
}

void mysql_put_count(struct mysql_writer *w, uint64_t count)
{
    size_t start = mysql_packet_begin(w);
    mysql_put_lenenc(w->out, count);
    mysql_packet_end(w, start);
}

/* A name that is too long is cut between characters. */
static void name_put(struct buf *out, struct span name)
{
    if (name.len > MYSQL_NAME_BYTES_MAX) {
        name.len = MYSQL_NAME_BYTES_MAX;
        while (name.len > 0 && ((unsigned char)name.ptr[name.len] & 0xc0) == 0x80) {
            name.len--;
        }
    }
    mysql_put_text(out, name);
}

void mysql_put_column(struct mysql_writer *w, const struct mysql_column *column, bool as_field)
{
    struct buf *out = w->out;
    size_t start = mysql_packet_begin(w);
    mysql_put_text(out, SPAN_LIT("def"));
    name_put(out, column->schema);
    name_put(out, column->table);
    name_put(out, column->org_table);
    name_put(out, column->name);
    name_put(out, column->org_name);
    mysql_put_int(out, fixed_fields_bytes, 1);
    mysql_put_int(out, column->charset, 2);
    mysql_put_int(out, column->length, 4);
    mysql_put_int(out, column->type, 1);
    mysql_put_int(out, column->flags, 2);
    mysql_put_int(out, column->decimals, 1);
    mysql_put_zeros(out, 2);
    if (as_field) {
        mysql_put_int(out, null_mark, 1);
    }
    mysql_packet_end(w, start);
}

void mysql_put_param(struct mysql_writer *w)
{
    static const struct mysql_column param = {
        .schema = {"", 0},
        .table = {"", 0},
        .org_table = {"", 0},
        .name = {"?", 1},
        .org_name = {"", 0},
        .charset = charset_binary,
        .type = MYSQL_TYPE_VAR_STRING,
    };
    mysql_put_column(w, &param, false);
}

void mysql_refuse(struct mysql_error *error, uint16_t code, const char *sqlstate,
                  const char *format, ...)
{
    va_list arguments;
    error->code = code;
    snprintf(error->sqlstate, sizeof(error->sqlstate), "%s", sqlstate);
    va_start(arguments, format);
    vsnprintf(error->message, sizeof(error->message), format, arguments);
    va_end(arguments);
    text_make_utf8(error->message, strlen(error->message));
}
