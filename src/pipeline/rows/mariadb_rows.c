/* What a driver of Python makes of the same texts is what comes out: a DATETIME(6) whose fraction
 * is 0 has none, any other has six digits; a FLOAT is the decimal that the server shows. */
#include "mariadb_rows.h"

#include "rds_csv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    row_whole_ms = 60 * 1000,
    value_shown_bytes = 40,
    fraction_digits = TABLE_STAMP_BYTES_MAX - TABLE_STAMP_BYTES - 1,
    sql_bytes_max = 128,
};

/* --- columns --------------------------------------------------------------------------------- */

/* The key has another name in some people's dumps; nothing else is called like one of these. */
static bool name_is_key(struct span name)
{
    return span_equal_nocase(name, SPAN_LIT("index")) || span_equal_nocase(name, SPAN_LIT("ind")) ||
           span_equal_nocase(name, SPAN_LIT("idx"));
}

static size_t column_of_name(const struct table *table, struct span name)
{
    size_t i = 0;
    while (i < table->column_count &&
           !span_equal_nocase(name, span_from_cstr(table->columns[i].name))) {
        i++;
    }
    return i == table->column_count && name_is_key(name) ? 0 : i;
}

static enum status columns_refuse(const struct mariadb_rows *rows, const char *what,
                                  struct span name, struct error *err)
{
    return error_set(err, STATUS_INVALID,
                     "%s:%d: %s %s \"%.*s\", so it is not the workshop's table: mend it there, or "
                     "bring its rows as CSV with `pinpipe data import %s FILE.csv`",
                     rows->account->host, rows->account->port, rows->table->name, what,
                     SPAN_ARG(name), rows->table->topic_suffix);
}

static enum status columns_match(struct mariadb_rows *rows, struct error *err)
{
    bool present[TABLE_COLUMNS_MAX] = {false};
    const struct table *table = rows->table;
    for (size_t i = 0; i < mariadb_client_columns(rows->client); i++) {
        struct span name = mariadb_client_column_name(rows->client, i);
        size_t column = column_of_name(table, name);
        if (column == table->column_count) {
            return columns_refuse(rows, "has a column", name, err);
        }
        if (present[column]) {
            return columns_refuse(rows, "has twice what could be its column",
                                  span_from_cstr(table->columns[column].name), err);
        }
        present[column] = true;
        rows->places[column] = i;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        if (!present[i]) {
            return columns_refuse(rows, "has no column", span_from_cstr(table->columns[i].name),
                                  err);
        }
    }
    return STATUS_OK;
}

enum status mariadb_rows_ask(struct mariadb_rows *rows, const char *sql, int64_t whole_ms,
                             struct error *err)
{
    enum status status = mariadb_client_query(rows->client, sql, whole_ms, err);
    return status == STATUS_OK ? columns_match(rows, err) : status;
}

/* --- values ---------------------------------------------------------------------------------- */

static bool stamp_parse(struct span text, char stamp[TABLE_STAMP_BYTES_MAX], struct span *out)
{
    struct row_value value;
    uint64_t fraction = 0;
    struct span digits = span_skip(text, TABLE_STAMP_BYTES + 1);
    if (!rds_value_parse(span_first(text, TABLE_STAMP_BYTES), COLUMN_DATETIME, stamp, &value)) {
        return false;
    }
    if (text.len > TABLE_STAMP_BYTES &&
        (text.ptr[TABLE_STAMP_BYTES] != '.' || digits.len > fraction_digits ||
         !span_parse_u64(digits, &fraction))) {
        return false;
    }
    if (fraction > 0) {
        stamp[TABLE_STAMP_BYTES] = '.';
        memset(stamp + TABLE_STAMP_BYTES + 1, '0', fraction_digits);
        memcpy(stamp + TABLE_STAMP_BYTES + 1, digits.ptr, digits.len);
    }
    *out = span_from(stamp, fraction > 0 ? TABLE_STAMP_BYTES_MAX : TABLE_STAMP_BYTES);
    return true;
}

static bool value_take(struct span text, enum column_type type, char stamp[TABLE_STAMP_BYTES_MAX],
                       struct row_value *out)
{
    switch (type) {
    case COLUMN_INT:
        return span_parse_i64(text, &out->integer);
    case COLUMN_FLOAT:
        /* More digits than a FLOAT's stay, as Python keeps them; no negative zero. */
        if (!span_parse_double(text, &out->real) || !isfinite(out->real)) {
            return false;
        }
        out->real += 0.0;
        return true;
    case COLUMN_TEXT:
        out->text = text;
        return span_is_utf8(text);
    case COLUMN_DATETIME:
        break;
    }
    return stamp_parse(text, stamp, &out->text);
}

static enum status value_refuse(const struct mariadb_rows *rows, size_t column, struct span text,
                                struct error *err)
{
    static const char *const wanted[] = {
        [COLUMN_INT] = "a whole number",
        [COLUMN_TEXT] = "a text in UTF-8",
        [COLUMN_FLOAT] = "a decimal number",
        [COLUMN_DATETIME] = "a time such as 2021-02-05 19:14:42",
    };
    const struct table_column *c = &rows->table->columns[column];
    struct span key = SPAN_EMPTY;
    (void)mariadb_client_value(rows->client, rows->places[0], &key);
    return error_set(err, STATUS_INVALID,
                     "%s:%d: %s, row with the key %.*s: %s is \"%.*s\", and should be %s: mend it "
                     "there",
                     rows->account->host, rows->account->port, rows->table->name,
                     SPAN_ARG(span_first(key, value_shown_bytes)), c->name,
                     SPAN_ARG(span_first(text, value_shown_bytes)), wanted[c->type]);
}

enum status mariadb_rows_next(struct mariadb_rows *rows, struct row *row, bool *got,
                              struct error *err)
{
    enum status status = mariadb_client_next(rows->client, got, err);
    if (status != STATUS_OK || !*got) {
        return status;
    }
    row->table = rows->table;
    for (size_t i = 0; i < rows->table->column_count; i++) {
        struct span text;
        struct row_value *value = &row->values[i];
        *value = (struct row_value){.text = SPAN_EMPTY};
        value->is_null = !mariadb_client_value(rows->client, rows->places[i], &text);
        if (value->is_null
                ? i == 0
                : !value_take(text, rows->table->columns[i].type, rows->stamps[i], value)) {
            return value_refuse(rows, i, value->is_null ? SPAN_LIT("NULL") : text, err);
        }
    }
    return STATUS_OK;
}

enum status mariadb_rows_count(const struct mariadb_rows *rows, int64_t *count, struct error *err)
{
    char sql[sql_bytes_max];
    struct span text = SPAN_EMPTY;
    bool got = false;
    snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM %s", rows->table->name);
    enum status status = mariadb_client_query(rows->client, sql, row_whole_ms, err);
    if (status == STATUS_OK) {
        status = mariadb_client_next(rows->client, &got, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (!got || !mariadb_client_value(rows->client, 0, &text) || !span_parse_i64(text, count)) {
        return error_set(err, STATUS_FAILED, "%s:%d: it cannot count the rows of %s",
                         rows->account->host, rows->account->port, rows->table->name);
    }
    if (*count == 0) {
        return error_set(err, STATUS_CONFIG,
                         "%s:%d: %s has no rows: is DATABASE of creds.yaml (\"%s\") the right one?",
                         rows->account->host, rows->account->port, rows->table->name,
                         rows->account->database);
    }
    return mariadb_client_next(rows->client, &got, err); /* the result's end */
}
