/* Dates are compared as text that is put together from the table's: a date that does not exist has
 * spellings too, and no calendar is asked. */
#include "verifier_spelling.h"

#include "json_text.h"

#include <stdio.h>
#include <string.h>

enum { decoded_bytes_max = 1 << 20, moment_bytes = 19, wrappings_max = 2 };

const char *spelling_words(unsigned flags)
{
    static const struct {
        unsigned flag;
        const char *words;
    } all[] = {
        {SPELLING_IN_LIST, "the row stands in a list, which Spark reads as nulls"},
        {SPELLING_IN_TEXT, "the row is JSON inside a text, which Spark reads as nulls"},
        {SPELLING_KEY_NAME, "the key has another name than in the table: joins need it renamed"},
        {SPELLING_DATETIME, "the date is spelled in a way that Spark's to_timestamp reads as null"},
        {SPELLING_NUMBER_TEXT, "a number is a text"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
        if ((flags & all[i].flag) != 0) {
            return all[i].words;
        }
    }
    return "";
}

/* --- the object ------------------------------------------------------------------------------ */

static bool list_of_one(struct span value, struct span *element)
{
    struct json_cursor c = json_cursor_at(value);
    struct json_error err = {0};
    bool first = true;
    return json_enter(&c, JSON_ARRAY, &err) && json_next_element(&c, &first, &err) &&
           json_skip(&c, element, &err) && !json_next_element(&c, &first, &err) &&
           err.message[0] == '\0' && json_at_end(&c);
}

static bool text_inside(struct span value, struct buf *scratch, struct span *inner)
{
    struct json_cursor c = json_cursor_at(value);
    struct json_error err = {0};
    struct span raw;
    if (!json_skip(&c, &raw, &err) || !json_at_end(&c)) {
        return false;
    }
    buf_reset(scratch);
    json_string_decode(raw, scratch);
    *inner = buf_span(scratch);
    return buf_ok(scratch);
}

bool spelling_unwrap(struct span value, struct buf *scratch, struct span *object, unsigned *flags)
{
    for (int depth = 0; depth <= wrappings_max && value.ptr != NULL; depth++) {
        struct json_cursor c = json_cursor_at(value);
        struct json_error err = {0};
        enum json_kind kind;
        if (!json_peek(&c, &kind, &err)) {
            return false;
        }
        if (kind == JSON_OBJECT) {
            *object = value;
            return true;
        }
        if (kind == JSON_ARRAY && list_of_one(value, &value)) {
            *flags |= SPELLING_IN_LIST;
        } else if (kind == JSON_STRING && (*flags & SPELLING_IN_TEXT) == 0 &&
                   text_inside(value, scratch, &value)) {
            *flags |= SPELLING_IN_TEXT;
        } else {
            return false;
        }
    }
    return false;
}

/* --- members --------------------------------------------------------------------------------- */

/* A member's name as bare text; what is written with escapes is no column of ours. */
static struct span bare_name(struct span raw)
{
    return span_first(span_skip(raw, 1), raw.len - 2);
}

static bool is_key_name(struct span name)
{
    return span_equal_cstr(name, "index") || span_equal_cstr(name, "ind") ||
           span_equal_cstr(name, "idx");
}

/* The column of a member, or column_count. */
static size_t spelling_column(const struct table *table, struct span name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (span_equal_cstr(name, table->columns[i].name)) {
            return i;
        }
    }
    return is_key_name(name) ? 0 : table->column_count;
}

/* A text without its quotes; anything else as it is. */
static struct span unquoted(struct span raw, enum json_kind kind)
{
    return kind == JSON_STRING ? bare_name(raw) : raw;
}

struct spelling_guess spelling_guess(struct span object)
{
    struct spelling_guess guess = {.table = -1};
    size_t columns[TABLE_COUNT] = {0};
    struct json_cursor c = json_cursor_at(object);
    struct json_error err = {0};
    struct span name;
    struct span raw;
    enum json_kind kind;
    bool first = true;
    if (!json_enter(&c, JSON_OBJECT, &err)) {
        return guess;
    }
    while (json_next_member(&c, &first, &name, &err)) {
        name = bare_name(name);
        if (!json_peek(&c, &kind, &err) || !json_skip(&c, &raw, &err)) {
            return guess;
        }
        if (is_key_name(name)) {
            guess.has_key = span_parse_i64(unquoted(raw, kind), &guess.key);
        }
        for (size_t t = 0; t < TABLE_COUNT; t++) {
            const struct table *table = table_get((enum table_id)t);
            size_t column = spelling_column(table, name);
            columns[t] += column > 0 && column < table->column_count ? 1 : 0;
        }
    }
    size_t most = guess.has_key ? 0 : 1;
    for (int t = 0; t < TABLE_COUNT && err.message[0] == '\0'; t++) {
        if (columns[t] > most) {
            most = columns[t];
            guess.table = t;
        }
    }
    return guess;
}

/* --- values ---------------------------------------------------------------------------------- */

static bool text_equals(struct span raw, struct span text)
{
    struct span inner = bare_name(raw);
    if (span_find_byte(inner, '\\') == inner.len) {
        return span_equal(inner, text);
    }
    struct buf decoded;
    buf_init(&decoded, decoded_bytes_max);
    json_string_decode(raw, &decoded);
    bool equal = buf_ok(&decoded) && span_equal(buf_span(&decoded), text);
    buf_release(&decoded);
    return equal;
}

/* MySQL's FLOAT comes as its six digits, or as the float that it is. */
static bool spelling_number_equals(struct span raw, const struct row_value *value,
                                   enum column_type type)
{
    int64_t integer;
    double real;
    if (type == COLUMN_INT && span_parse_i64(raw, &integer)) {
        return integer == value->integer;
    }
    if (!span_parse_double(raw, &real)) {
        return false;
    }
    return type == COLUMN_INT ? real == (double)value->integer
                              : real == value->real || (float)real == (float)value->real;
}

/* The tail behind the seconds: ".000", "Z", "+00:00". */
static bool is_whole_utc(struct span tail)
{
    if (tail.len > 1 && tail.ptr[0] == '.') {
        size_t zeros = 1;
        while (zeros < tail.len && tail.ptr[zeros] == '0') {
            zeros++;
        }
        tail = span_skip(tail, zeros > 1 ? zeros : 0);
    }
    return tail.len == 0 || span_equal_cstr(tail, "Z") || span_equal_cstr(tail, "+00:00") ||
           span_equal_cstr(tail, "+0000");
}

/* Is `text` this moment ("2021-02-05 19:14:42") in a spelling that we know? */
static bool spelling_is_datetime(struct span text, struct span moment, unsigned *flags)
{
    char spelled[32];
    const char *m = moment.ptr;
    if (moment.len != moment_bytes) {
        return span_equal(text, moment);
    }
    if (text.len >= moment_bytes && (text.ptr[10] == 'T' || text.ptr[10] == ' ') &&
        memcmp(text.ptr, m, 10) == 0 && memcmp(text.ptr + 11, m + 11, 8) == 0) {
        return is_whole_utc(span_skip(text, moment_bytes));
    }
    snprintf(spelled, sizeof(spelled), "%.4s:%.2s:%.2s %.8s", m, m + 5, m + 8, m + 11);
    bool equal = span_equal_cstr(text, spelled);
    if (!equal) { /* %m/%d/%Y, %H:%M:%S */
        snprintf(spelled, sizeof(spelled), "%.2s/%.2s/%.4s, %.8s", m + 5, m + 8, m, m + 11);
        equal = span_equal_cstr(text, spelled);
    }
    *flags |= equal ? SPELLING_DATETIME : 0;
    return equal;
}

static bool datetime_equals(struct span raw, struct span moment, unsigned *flags)
{
    char text[40];
    struct buf decoded;
    struct span inner = bare_name(raw);
    if (span_find_byte(inner, '\\') == inner.len) {
        return spelling_is_datetime(inner, moment, flags);
    }
    buf_init(&decoded, sizeof(text)); /* "02\/05\/2021" */
    json_string_decode(raw, &decoded);
    bool equal = buf_ok(&decoded) && spelling_is_datetime(buf_span(&decoded), moment, flags);
    buf_release(&decoded);
    return equal;
}

static bool spelling_value_equals(struct span raw, enum json_kind kind,
                                  const struct row_value *value, enum column_type type,
                                  unsigned *flags)
{
    if (value->is_null || kind == JSON_NULL) {
        return value->is_null && kind == JSON_NULL;
    }
    if (type == COLUMN_TEXT) {
        return kind == JSON_STRING && text_equals(raw, value->text);
    }
    if (type == COLUMN_DATETIME) {
        return kind == JSON_STRING && datetime_equals(raw, value->text, flags);
    }
    if (kind != JSON_INTEGER && kind != JSON_DECIMAL && kind != JSON_STRING) {
        return false;
    }
    bool equal = spelling_number_equals(unquoted(raw, kind), value, type);
    *flags |= equal && kind == JSON_STRING ? SPELLING_NUMBER_TEXT : 0;
    return equal;
}

static void spelling_note_unknown(struct buf *unknown, struct span name)
{
    if (unknown->len > 0) {
        BUF_APPEND_LIT(unknown, ", ");
    }
    buf_append_span(unknown, name);
}

struct spelling_answer spelling_compare(struct span object, const struct row *row,
                                        struct buf *unknown)
{
    const struct table *table = row->table;
    struct spelling_answer answer = {.field = ""};
    bool same[TABLE_COLUMNS_MAX] = {false}; /* a missing column stays false */
    struct json_cursor c = json_cursor_at(object);
    struct json_error err = {0};
    struct span name;
    struct span raw;
    enum json_kind kind;
    bool first = true;
    buf_reset(unknown);
    if (!json_enter(&c, JSON_OBJECT, &err)) {
        return answer;
    }
    while (json_next_member(&c, &first, &name, &err)) {
        if (!json_peek(&c, &kind, &err) || !json_skip(&c, &raw, &err)) {
            return answer;
        }
        name = bare_name(name);
        size_t column = spelling_column(table, name);
        if (column == table->column_count) {
            spelling_note_unknown(unknown, name);
            continue;
        }
        same[column] = spelling_value_equals(raw, kind, &row->values[column],
                                             table->columns[column].type, &answer.flags);
        if (column == 0 && !span_equal_cstr(name, table->columns[0].name)) {
            answer.flags |= SPELLING_KEY_NAME;
        }
    }
    for (size_t i = 0; i < table->column_count; i++) {
        answer.equal_columns += same[i] ? 1 : 0;
        if (!same[i] && answer.field[0] == '\0') {
            answer.field = table->columns[i].name;
        }
    }
    answer.same = answer.equal_columns == table->column_count && unknown->len == 0 &&
                  err.message[0] == '\0' && json_at_end(&c);
    return answer;
}
