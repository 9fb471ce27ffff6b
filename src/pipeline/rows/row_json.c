/* A row as JSON, in the exact text that the REST proxy keeps: a faithful pipeline returns what
 * row_json_append writes byte for byte. What comes back is compared by meaning all the same (key
 * order, number spelling), because a record may have been posted by another client.
 *
 * Duplicate members: the last one counts, as with Jackson. */
#include "row_json.h"

#include "json_text.h"

#include <string.h>

enum { decoded_text_bytes_max = 1024 * 1024, datetime_separator_at = 10 };

/* The stored text with the separator of the style; other lengths are not of our making and stay. */
static struct span datetime_styled(struct span text, enum datetime_style style,
                                   char stamp[TABLE_STAMP_BYTES_MAX])
{
    if (text.len != TABLE_STAMP_BYTES && text.len != TABLE_STAMP_BYTES_MAX) {
        return text;
    }
    memcpy(stamp, text.ptr, text.len);
    stamp[datetime_separator_at] = style == DATETIME_ISO ? 'T' : ' ';
    return span_from(stamp, text.len);
}

void row_value_append(struct buf *out, const struct row_value *value, enum column_type type)
{
    switch (type) {
    case COLUMN_INT:
        buf_append_i64(out, value->integer);
        break;
    case COLUMN_FLOAT:
        json_double_append(out, value->real);
        break;
    case COLUMN_TEXT:
    case COLUMN_DATETIME:
        buf_append_span(out, value->text);
        break;
    }
}

static void row_json_value_append(struct buf *out, const struct row_value *value,
                                  enum column_type type, enum datetime_style style)
{
    char stamp[TABLE_STAMP_BYTES_MAX];
    if (value->is_null) {
        BUF_APPEND_LIT(out, "null");
        return;
    }
    switch (type) {
    case COLUMN_INT:
    case COLUMN_FLOAT:
        row_value_append(out, value, type);
        break;
    case COLUMN_TEXT:
        json_string_append(out, value->text);
        break;
    case COLUMN_DATETIME:
        json_string_append(out, datetime_styled(value->text, style, stamp));
        break;
    }
}

void row_json_append(struct buf *out, const struct row *row, enum datetime_style style)
{
    for (size_t i = 0; i < row->table->column_count; i++) {
        const struct table_column *column = &row->table->columns[i];
        buf_append_byte(out, i == 0 ? '{' : ',');
        buf_append_byte(out, '"');
        buf_append_cstr(out, column->name);
        BUF_APPEND_LIT(out, "\":");
        row_json_value_append(out, &row->values[i], column->type, style);
    }
    buf_append_byte(out, '}');
}

/* Does the raw string token (with quotes) mean `text`? */
static bool string_equals(struct span raw, struct span text)
{
    struct span inner = span_skip(span_first(raw, raw.len - 1), 1);
    if (span_find_byte(inner, '\\') == inner.len) {
        return span_equal(inner, text);
    }
    struct buf decoded;
    buf_init(&decoded, decoded_text_bytes_max);
    json_string_decode(raw, &decoded);
    bool equal = buf_ok(&decoded) && span_equal(buf_span(&decoded), text);
    buf_release(&decoded);
    return equal;
}

static bool number_equals(struct span raw, enum json_kind kind, const struct row_value *value,
                          enum column_type type)
{
    int64_t integer;
    double real;
    if (type == COLUMN_INT && kind == JSON_INTEGER) {
        return span_parse_i64(raw, &integer) && integer == value->integer;
    }
    if (!span_parse_double(raw, &real)) {
        return false;
    }
    /* 2^53: beyond it a double no longer names one integer. */
    if (type == COLUMN_INT) {
        return real >= -9007199254740992.0 && real <= 9007199254740992.0 &&
               real == (double)value->integer;
    }
    return real == value->real;
}

static bool value_equals(struct span raw, enum json_kind kind, const struct row_value *value,
                         enum column_type type, enum datetime_style style)
{
    char stamp[TABLE_STAMP_BYTES_MAX];
    if (value->is_null || kind == JSON_NULL) {
        return value->is_null && kind == JSON_NULL;
    }
    switch (type) {
    case COLUMN_INT:
    case COLUMN_FLOAT:
        return (kind == JSON_INTEGER || kind == JSON_DECIMAL) &&
               number_equals(raw, kind, value, type);
    case COLUMN_TEXT:
        return kind == JSON_STRING && string_equals(raw, value->text);
    case COLUMN_DATETIME:
        break;
    }
    return kind == JSON_STRING && string_equals(raw, datetime_styled(value->text, style, stamp));
}

/* The column with this raw name, or column_count. */
static size_t row_json_column_find(const struct table *table, struct span key_raw)
{
    size_t i = 0;
    while (i < table->column_count &&
           !string_equals(key_raw, span_from_cstr(table->columns[i].name))) {
        i++;
    }
    return i;
}

static void unknown_note(struct buf *unknown, struct span key_raw)
{
    if (unknown == NULL) {
        return;
    }
    if (unknown->len > 0) {
        BUF_APPEND_LIT(unknown, ", ");
    }
    json_string_decode(key_raw, unknown);
}

enum row_json_match row_json_compare(struct span value, const struct row *row,
                                     enum datetime_style style, const char **field,
                                     struct buf *unknown)
{
    bool same[TABLE_COLUMNS_MAX] = {false}; /* a missing column stays false */
    bool any_unknown = false;
    bool first = true;
    enum json_kind kind;
    struct json_cursor c = json_cursor_at(value);
    struct json_error json_err = {0};
    struct span key_raw;
    *field = "";
    if (!json_peek(&c, &kind, &json_err) || kind != JSON_OBJECT ||
        !json_enter(&c, JSON_OBJECT, &json_err)) {
        return ROW_JSON_NOT_AN_OBJECT;
    }
    while (json_next_member(&c, &first, &key_raw, &json_err)) {
        struct span raw;
        if (!json_peek(&c, &kind, &json_err) || !json_skip(&c, &raw, &json_err)) {
            return ROW_JSON_NOT_AN_OBJECT;
        }
        size_t column = row_json_column_find(row->table, key_raw);
        if (column == row->table->column_count) {
            any_unknown = true;
            unknown_note(unknown, key_raw);
            continue;
        }
        same[column] =
            value_equals(raw, kind, &row->values[column], row->table->columns[column].type, style);
    }
    if (json_err.message[0] != '\0' || !json_at_end(&c)) {
        return ROW_JSON_NOT_AN_OBJECT;
    }
    for (size_t i = 0; i < row->table->column_count; i++) {
        if (!same[i]) {
            *field = row->table->columns[i].name;
            return ROW_JSON_DIFFERS;
        }
    }
    return any_unknown ? ROW_JSON_DIFFERS : ROW_JSON_SAME;
}
