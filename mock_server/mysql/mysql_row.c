#include "mysql_row.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    small_bytes_max = 16 + 4096 / 8, /* a row's null bitmap, or a number as text */
    bitmap_offset = 2, /* of a binary row's bitmap: its first two bits stand for nothing */
    null_mark = 0xfb,
    fixed_digits_max = 15, /* a number with a point further away gets an exponent */
};

/* A part of a row: what is made of its value here, and the value's own bytes behind that. */
struct row_part {
    size_t small_len;
    struct span text;
    unsigned char small[small_bytes_max];
};

/* --- numbers --- */

/* Digits and the decimal point's place behind the first of them, of the shortest text that reads
 * back as the same number. */
static size_t double_digits(double value, char *digits, int *exponent)
{
    char text[MYSQL_DOUBLE_BYTES];
    int precision = value < DBL_MIN ? 0 : DBL_DIG - 1; /* the smallest have fewer digits */
    do {
        snprintf(text, sizeof(text), "%.*e", precision, value);
    } while (strtod(text, NULL) != value && ++precision <= 16);
    char *e = strchr(text, 'e');
    size_t len = 0;
    for (const char *p = text; p < e; p++) {
        if (*p != '.') {
            digits[len++] = *p;
        }
    }
    while (len > 1 && digits[len - 1] == '0') {
        len--;
    }
    *exponent = (int)strtol(e + 1, NULL, 10);
    return len;
}

static size_t double_fixed(const char *digits, size_t count, int point, char *out)
{
    size_t len = 0;
    if (point <= 0) {
        out[len++] = '0';
        out[len++] = '.';
    }
    for (int i = point; i < 0; i++) {
        out[len++] = '0';
    }
    for (size_t i = 0; i < count; i++) {
        if (point > 0 && i == (size_t)point) {
            out[len++] = '.';
        }
        out[len++] = digits[i];
    }
    for (size_t i = count; point > 0 && i < (size_t)point; i++) {
        out[len++] = '0';
    }
    return len;
}

size_t mysql_double_text(double value, char out[MYSQL_DOUBLE_BYTES])
{
    char digits[MYSQL_DOUBLE_BYTES];
    int exponent = 0;
    size_t len = 0;
    if (!isfinite(value) || value == 0) {
        out[0] = '0'; /* MySQL has no others: what computes one gives NULL or an error */
        return 1;
    }
    if (value < 0) {
        out[len++] = '-';
    }
    size_t count = double_digits(fabs(value), digits, &exponent);
    if (exponent > -fixed_digits_max && exponent < fixed_digits_max) {
        return len + double_fixed(digits, count, exponent + 1, out + len);
    }
    out[len++] = digits[0];
    if (count > 1) {
        out[len++] = '.';
        memcpy(out + len, digits + 1, count - 1);
        len += count - 1;
    }
    return len + (size_t)snprintf(out + len, MYSQL_DOUBLE_BYTES - len, "e%d", exponent);
}

/* Most values of most rows are these: written out by hand, where printf would take most of the time
 * that a row takes here. */
static size_t int_text(const struct mysql_value *value, char out[MYSQL_DOUBLE_BYTES])
{
    char digits[MYSQL_DOUBLE_BYTES];
    bool negative = !value->is_unsigned && value->integer < 0;
    uint64_t rest = negative ? 0 - (uint64_t)value->integer : (uint64_t)value->integer;
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (negative) {
        digits[--at] = '-';
    }
    memcpy(out, digits + at, sizeof(digits) - at);
    return sizeof(digits) - at;
}

/* The number that a value is, whatever it is kept as. */
static double value_double(const struct mysql_value *value)
{
    char text[64];
    if (value->kind == MYSQL_INT) {
        return value->is_unsigned ? (double)(uint64_t)value->integer : (double)value->integer;
    }
    if (value->kind == MYSQL_DOUBLE) {
        return value->real;
    }
    snprintf(text, sizeof(text), "%.*s", SPAN_ARG(span_first(value->text, sizeof(text) - 1)));
    double number = strtod(text, NULL);
    return isfinite(number) ? number : 0;
}

static int64_t value_int(const struct mysql_value *value)
{
    int64_t number;
    if (value->kind == MYSQL_INT) {
        return value->integer;
    }
    if (value->kind == MYSQL_TEXT && span_parse_i64(value->text, &number)) {
        return number;
    }
    double real = round(value_double(value));
    if (real >= 9223372036854775807.0) {
        return INT64_MAX;
    }
    return real <= -9223372036854775808.0 ? INT64_MIN : (int64_t)real;
}

/* --- parts --- */

static void part_put_int(struct row_part *part, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        part->small[part->small_len++] = (unsigned char)(number >> (8 * i));
    }
}

static void part_put_text(struct row_part *part, const struct mysql_value *value)
{
    char text[MYSQL_DOUBLE_BYTES];
    size_t len = 0;
    switch (value->kind) {
    case MYSQL_NULL:
        part_put_int(part, null_mark, 1);
        return;
    case MYSQL_INT:
        len = int_text(value, text);
        break;
    case MYSQL_DOUBLE:
        len = mysql_double_text(value->real, text);
        break;
    case MYSQL_TEXT:
        part->small_len = mysql_lenenc_write(part->small, value->text.len);
        part->text = value->text;
        return;
    }
    part_put_int(part, len, 1);
    memcpy(part->small + part->small_len, text, len);
    part->small_len += len;
}

/* The next number of a date or time, behind whatever is none. */
static uint64_t number_next(struct span *rest, size_t *digits)
{
    uint64_t number = 0;
    while (rest->len > 0 && (rest->ptr[0] < '0' || rest->ptr[0] > '9')) {
        *rest = span_skip(*rest, 1);
    }
    *digits = 0;
    while (rest->len > 0 && rest->ptr[0] >= '0' && rest->ptr[0] <= '9') {
        number = number * 10 + (uint64_t)(rest->ptr[0] - '0');
        *rest = span_skip(*rest, 1);
        (*digits)++;
    }
    return number;
}

/* Of a fraction as many microseconds as its first six digits are. */
static uint32_t micros_next(struct span *rest)
{
    size_t digits;
    if (rest->len == 0 || rest->ptr[0] != '.') {
        return 0;
    }
    struct span six = span_first(*rest, 7);
    uint64_t micros = number_next(&six, &digits);
    for (size_t i = digits; i < 6; i++) {
        micros *= 10;
    }
    return (uint32_t)micros;
}

/* "2023-11-14 22:13:20.5": as few fields as tell it. */
static void part_put_datetime(struct row_part *part, struct span text)
{
    uint64_t fields[6];
    size_t digits;
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        fields[i] = number_next(&text, &digits);
    }
    uint32_t micros = micros_next(&text);
    bool time = fields[3] != 0 || fields[4] != 0 || fields[5] != 0;
    bool date = fields[0] != 0 || fields[1] != 0 || fields[2] != 0;
    size_t len = micros != 0 ? 11 : time ? 7 : date ? 4 : 0;
    part_put_int(part, len, 1);
    if (len > 0) {
        part_put_int(part, fields[0], 2);
        part_put_int(part, fields[1], 1);
        part_put_int(part, fields[2], 1);
    }
    for (size_t i = 3; len > 4 && i < ARRAY_COUNT(fields); i++) {
        part_put_int(part, fields[i], 1);
    }
    if (len > 7) {
        part_put_int(part, micros, 4);
    }
}

/* "-26:01:02.5": days, hours, minutes, seconds. */
static void part_put_time(struct row_part *part, struct span text)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    size_t digits;
    uint64_t hours = number_next(&text, &digits);
    uint64_t minutes = number_next(&text, &digits);
    uint64_t seconds = number_next(&text, &digits);
    uint32_t micros = micros_next(&text);
    if (hours == 0 && minutes == 0 && seconds == 0 && micros == 0) {
        part_put_int(part, 0, 1);
        return;
    }
    part_put_int(part, micros != 0 ? 12 : 8, 1);
    part_put_int(part, negative, 1);
    part_put_int(part, hours / 24, 4);
    part_put_int(part, hours % 24, 1);
    part_put_int(part, minutes, 1);
    part_put_int(part, seconds, 1);
    if (micros != 0) {
        part_put_int(part, micros, 4);
    }
}

static void part_put_double(struct row_part *part, const struct mysql_value *value)
{
    double number = value_double(value);
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    part_put_int(part, bits, sizeof(bits));
}

static void part_put_float(struct row_part *part, const struct mysql_value *value)
{
    float number = (float)value_double(value);
    uint32_t bits;
    memcpy(&bits, &number, sizeof(bits));
    part_put_int(part, bits, sizeof(bits));
}

/* Not of NULL, which is a bit of the row's beginning. A date that is no text goes as an empty one:
 * the engine gives none. */
static void part_put_binary(struct row_part *part, const struct mysql_value *value, uint8_t type)
{
    struct span text = value->kind == MYSQL_TEXT ? value->text : SPAN_EMPTY;
    switch (type) {
    case MYSQL_TYPE_TINY:
        part_put_int(part, (uint64_t)value_int(value), 1);
        return;
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR:
        part_put_int(part, (uint64_t)value_int(value), 2);
        return;
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24:
        part_put_int(part, (uint64_t)value_int(value), 4);
        return;
    case MYSQL_TYPE_LONGLONG:
        part_put_int(part, (uint64_t)value_int(value), 8);
        return;
    case MYSQL_TYPE_FLOAT:
        part_put_float(part, value);
        return;
    case MYSQL_TYPE_DOUBLE:
        part_put_double(part, value);
        return;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
        part_put_datetime(part, text);
        return;
    case MYSQL_TYPE_TIME:
        part_put_time(part, text);
        return;
    default:
        part_put_text(part, value);
        return;
    }
}

/* A binary row begins with a zero and a bit for each value that is NULL. */
static void part_put_bitmap(struct row_part *part, const struct mysql_row *row)
{
    size_t bytes = (row->count + 7 + bitmap_offset) / 8;
    PP_ASSERT(bytes + 1 <= sizeof(part->small));
    memset(part->small, 0, bytes + 1);
    part->small_len = bytes + 1;
    for (size_t i = 0; i < row->count; i++) {
        size_t bit = i + bitmap_offset;
        if (row->values[i].kind == MYSQL_NULL) {
            part->small[1 + bit / 8] |= (unsigned char)(1U << (bit % 8));
        }
    }
}

static void row_part_make(const struct mysql_row *row, size_t position, struct row_part *part)
{
    part->small_len = 0;
    part->text = SPAN_EMPTY;
    if (position == 0) {
        if (row->binary) {
            part_put_bitmap(part, row);
        }
        return;
    }
    const struct mysql_value *value = &row->values[position - 1];
    if (!row->binary) {
        part_put_text(part, value);
    } else if (value->kind != MYSQL_NULL) {
        part_put_binary(part, value, row->columns[position - 1].type);
    }
}

/* --- the row --- */

uint64_t mysql_row_bytes(const struct mysql_row *row)
{
    PP_LEFT_UNSET struct row_part part;
    uint64_t bytes = 0;
    for (size_t i = 0; i <= row->count; i++) {
        row_part_make(row, i, &part);
        bytes += part.small_len + part.text.len;
    }
    return bytes;
}

static void row_packet_begin(struct mysql_row *row)
{
    bool last = row->left_bytes < MYSQL_PACKET_BYTES_MAX;
    row->packet_left_bytes = last ? (size_t)row->left_bytes : MYSQL_PACKET_BYTES_MAX;
    row->packet_ends_row = last;
}

void mysql_row_begin(struct mysql_row *row, const struct mysql_column *columns,
                     const struct mysql_value *values, size_t count, bool binary)
{
    *row =
        (struct mysql_row){.columns = columns, .values = values, .count = count, .binary = binary};
}

/* At once, where all of it fits: its head gets its length behind it. */
static bool row_write_whole(struct mysql_row *row, struct mysql_writer *w, size_t room)
{
    PP_LEFT_UNSET struct row_part part;
    struct buf *out = w->out;
    size_t start = out->len;
    if (room < MYSQL_HEAD_BYTES) {
        return false;
    }
    mysql_put_zeros(out, MYSQL_HEAD_BYTES);
    for (size_t i = 0; i <= row->count; i++) {
        row_part_make(row, i, &part);
        if (out->len - start + part.small_len + part.text.len > room) {
            out->len = start;
            return false;
        }
        buf_append(out, part.small, part.small_len);
        buf_append_span(out, part.text);
    }
    mysql_packet_end(w, start);
    row->whole = true;
    return true;
}

/* As much of the part under way as its packet and the room let pass. */
static size_t row_write_part(struct mysql_row *row, struct buf *out, const struct row_part *part,
                             size_t room)
{
    struct span small =
        span_skip(span_from((const char *)part->small, part->small_len), row->written_bytes);
    size_t text_written =
        row->written_bytes > part->small_len ? row->written_bytes - part->small_len : 0;
    struct span text = span_skip(part->text, text_written);
    size_t max = room < row->packet_left_bytes ? room : row->packet_left_bytes;
    struct span piece = span_first(small.len > 0 ? small : text, max);
    buf_append_span(out, piece);
    row->written_bytes += piece.len;
    row->left_bytes -= piece.len;
    row->packet_left_bytes -= piece.len;
    if (row->written_bytes == part->small_len + part->text.len) {
        row->column++;
        row->written_bytes = 0;
    }
    return piece.len;
}

static bool row_write_some(struct mysql_row *row, struct mysql_writer *w, size_t room)
{
    PP_LEFT_UNSET struct row_part part;
    while (!row->whole) {
        if (row->packet_left_bytes == 0) {
            if (room < MYSQL_HEAD_BYTES) {
                return false;
            }
            row_packet_begin(row);
            mysql_put_head(w->out, row->packet_left_bytes, w->sequence++);
            room -= MYSQL_HEAD_BYTES;
        }
        while (row->packet_left_bytes > 0) {
            if (room == 0) {
                return false;
            }
            row_part_make(row, row->column, &part);
            room -= row_write_part(row, w->out, &part, room);
        }
        row->whole = row->packet_ends_row;
    }
    return true;
}

bool mysql_row_write(struct mysql_row *row, struct mysql_writer *w, size_t room)
{
    if (!row->begun) {
        if (row_write_whole(row, w,
                            room < MYSQL_PACKET_BYTES_MAX ? room : MYSQL_PACKET_BYTES_MAX)) {
            return true;
        }
        if (w->out->len > 0) {
            return false; /* what is there leaves first */
        }
        row->left_bytes = mysql_row_bytes(row);
        row->begun = true;
    }
    return row_write_some(row, w, room);
}
