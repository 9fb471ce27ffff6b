#include "mysql_sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { message_bytes_max = 400, code_digits = 4 };

void mysql_sql_fail(sqlite3_context *context, int code, const char *format, ...)
{
    char text[message_bytes_max];
    va_list args;
    int used = snprintf(text, sizeof(text), "%04d|", code);
    va_start(args, format);
    vsnprintf(text + used, sizeof(text) - (size_t)used, format, args);
    va_end(args);
    text_make_utf8(text, strlen(text));
    sqlite3_result_error(context, text, -1);
}

const char *mysql_sql_failed(const char *message, int *code)
{
    int64_t number = 0;
    size_t len = strlen(message);
    if (len <= code_digits || message[code_digits] != '|' ||
        !span_parse_i64(span_from(message, code_digits), &number)) {
        return NULL;
    }
    *code = (int)number;
    return message + code_digits + 1;
}

struct span mysql_sql_text(sqlite3_value *value)
{
    const char *text = (const char *)sqlite3_value_text(value);
    return text != NULL ? span_from(text, (size_t)sqlite3_value_bytes(value)) : SPAN_EMPTY;
}

bool mysql_sql_is_null(sqlite3_value *value)
{
    return sqlite3_value_type(value) == SQLITE_NULL;
}

bool mysql_sql_any_null(sqlite3_context *context, int count, sqlite3_value **values)
{
    for (int i = 0; i < count; i++) {
        if (mysql_sql_is_null(values[i])) {
            sqlite3_result_null(context);
            return true;
        }
    }
    return false;
}

void mysql_sql_give_text(sqlite3_context *context, struct span text)
{
    sqlite3_result_text64(context, text.ptr, text.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

void mysql_sql_give_buf(sqlite3_context *context, struct buf *text)
{
    if (buf_ok(text)) {
        mysql_sql_give_text(context, buf_span(text));
    } else if (text->no_memory) {
        sqlite3_result_error_nomem(context);
    } else { /* longer than max_allowed_packet: NULL, and a warning in MySQL */
        sqlite3_result_null(context);
    }
    buf_release(text);
}

static int collate_ci(void *unused, int a_len, const void *a, int b_len, const void *b)
{
    (void)unused;
    return mysql_compare_ci(span_from(a, (size_t)a_len), span_from(b, (size_t)b_len));
}

static int register_list(sqlite3 *db, const struct mysql_sql_function *list, size_t count)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
    for (size_t i = 0; i < count; i++) {
        bool repeats = strcmp(list[i].name, "my_rand") != 0 && strcmp(list[i].name, "my_uuid") != 0;
        int code = sqlite3_create_function_v2(db, list[i].name, list[i].arguments,
                                              repeats ? flags : SQLITE_UTF8, NULL, list[i].call,
                                              NULL, NULL, NULL);
        if (code != SQLITE_OK) {
            return code;
        }
    }
    return SQLITE_OK;
}

int mysql_sql_register(sqlite3 *db)
{
    int code = sqlite3_create_collation_v2(db, "my_ci", SQLITE_UTF8, NULL, collate_ci, NULL);
    if (code == SQLITE_OK) {
        code = register_list(db, mysql_sql_texts, mysql_sql_texts_count);
    }
    if (code == SQLITE_OK) {
        code = register_list(db, mysql_sql_numbers, mysql_sql_numbers_count);
    }
    if (code == SQLITE_OK) {
        code = register_list(db, mysql_sql_dates, mysql_sql_dates_count);
    }
    if (code == SQLITE_OK) {
        code = register_list(db, mysql_sql_patterns, mysql_sql_patterns_count);
    }
    return code == SQLITE_OK ? mysql_sql_register_aggregates(db) : code;
}
