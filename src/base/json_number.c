/* Numbers of the record path: integers keep their digits, decimals become what Java prints for a
 * double. */
#include "json_scan_internal.h"

#include <stdio.h>
#include <stdlib.h>

/* Significant digits (no leading or trailing zeros) and the place of the decimal point:
 * value = 0.DIGITS * 10^exponent. */
struct decimal {
    bool negative;
    char digits[20];
    size_t count;
    long exponent;
};

enum { exact_digits_max = 15, exact_exponent_max = 290, exponent_text_max = 9 };

static void append_zeros(struct buf *out, long count)
{
    for (; count > 0; count--) {
        buf_append_byte(out, '0');
    }
}

/* Java's Double.toString of these digits. */
static void append_java_decimal(struct buf *out, const struct decimal *d)
{
    if (d->negative) {
        buf_append_byte(out, '-');
    }
    if (d->count == 0) {
        BUF_APPEND_LIT(out, "0.0");
        return;
    }
    long count = (long)d->count;
    if (d->exponent < -2 || d->exponent > 7) { /* below 1e-3, or from 1e7 on */
        buf_append_byte(out, d->digits[0]);
        buf_append_byte(out, '.');
        if (count > 1) {
            buf_append(out, d->digits + 1, d->count - 1);
        } else {
            buf_append_byte(out, '0');
        }
        buf_append_byte(out, 'E');
        buf_append_i64(out, d->exponent - 1);
        return;
    }
    if (d->exponent <= 0) {
        BUF_APPEND_LIT(out, "0.");
        append_zeros(out, -d->exponent);
        buf_append(out, d->digits, d->count);
    } else if (d->exponent >= count) {
        buf_append(out, d->digits, d->count);
        append_zeros(out, d->exponent - count);
        BUF_APPEND_LIT(out, ".0");
    } else {
        buf_append(out, d->digits, (size_t)d->exponent);
        buf_append_byte(out, '.');
        buf_append(out, d->digits + d->exponent, (size_t)(count - d->exponent));
    }
}

/* "-d.ddde+XX" from printf, trailing zeros off. */
static void decimal_from_printf(const char *text, struct decimal *d)
{
    *d = (struct decimal){.negative = text[0] == '-'};
    const char *p = text + (d->negative ? 1 : 0);
    for (; *p != 'e'; p++) {
        if (json_is_digit(*p)) {
            d->digits[d->count++] = *p;
        }
    }
    d->exponent = strtol(p + 1, NULL, 10) + 1;
    while (d->count > 0 && d->digits[d->count - 1] == '0') {
        d->count--;
    }
}

/* DIFFERS: a Java before 19 writes a digit too many, or another last one, for some doubles (2.0E23
 * as 1.9999999999999998E23); here it is the shortest text that reads back, as newer ones write it.
 */
void json_double_append(struct buf *out, double value)
{
    char text[40];
    struct decimal d;
    if (value != value) {
        BUF_APPEND_LIT(out, "\"NaN\"");
        return;
    }
    if (value - value != 0) {
        buf_append_cstr(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    /* At most 15 digits that read back are the shortest form; else 16 or 17 are needed. Near and
     * below the smallest normal number fewer may do, and Java then gives two at least. */
    bool tiny = value > -1e-290 && value < 1e-290;
    for (int precision = tiny ? 2 : exact_digits_max; precision <= 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision - 1, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    decimal_from_printf(text, &d);
    append_java_decimal(out, &d);
}

void json_float_append(struct buf *out, float value)
{
    enum { float_digits_max = 9 };
    char text[40];
    struct decimal d;
    if (value != value || value - value != 0) {
        json_double_append(out, (double)value);
        return;
    }
    for (int precision = 2; precision <= float_digits_max; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision - 1, (double)value);
        if (strtof(text, NULL) == value) {
            break;
        }
    }
    decimal_from_printf(text, &d);
    append_java_decimal(out, &d);
}

/* A validated number text without strtod, when it has at most 15 significant digits: two different
 * decimals of that length are never the same double, so its own digits are the shortest form. */
static bool decimal_from_text(struct span text, struct decimal *d)
{
    long point = 0;
    bool seen_point = false;
    size_t i = text.ptr[0] == '-' ? 1 : 0;
    *d = (struct decimal){.negative = i == 1};
    for (; i < text.len && text.ptr[i] != 'e' && text.ptr[i] != 'E'; i++) {
        if (text.ptr[i] == '.') {
            seen_point = true;
            continue;
        }
        if (d->count == 0 && text.ptr[i] == '0') {
            point -= seen_point ? 1 : 0;
            continue;
        }
        if (d->count == sizeof(d->digits)) {
            return false;
        }
        d->digits[d->count++] = text.ptr[i];
        point += seen_point ? 0 : 1;
    }
    int64_t exponent = 0;
    if (i < text.len) {
        struct span digits = span_skip(text, i + 1);
        digits = digits.ptr[0] == '+' ? span_skip(digits, 1) : digits;
        if (digits.len > exponent_text_max || !span_parse_i64(digits, &exponent)) {
            return false;
        }
    }
    while (d->count > 0 && d->digits[d->count - 1] == '0') {
        d->count--;
    }
    d->exponent = point + (long)exponent;
    return d->count <= exact_digits_max && d->exponent > -exact_exponent_max &&
           d->exponent < exact_exponent_max;
}

static void append_number(struct json_cursor *c, struct buf *out, struct span text, bool decimal)
{
    struct decimal d;
    if (!decimal) {
        buf_append_span(out, span_equal_cstr(text, "-0") ? SPAN_LIT("0") : text);
    } else if (decimal_from_text(text, &d)) {
        append_java_decimal(out, &d);
    } else if (c->long_decimals >= JSON_LONG_DECIMALS_MAX) {
        buf_append_span(out, text);
    } else {
        c->long_decimals++; /* it takes as long as fifty short ones */
        /* Long enough to need a NUL of its own; buf lends the room and takes it back. */
        size_t start = out->len;
        buf_append_span(out, text);
        if (buf_ok(out)) {
            double value = strtod(out->ptr + start, NULL);
            out->len = start;
            json_double_append(out, value);
        }
    }
}

static void count_number(struct json_scan *s, struct span text, bool decimal)
{
    struct decimal d;
    if (!decimal) {
        s->counted->bytes +=
            text.len == 2 && text.ptr[0] == '-' && text.ptr[1] == '0' ? 1 : text.len;
    } else if (decimal_from_text(text, &d)) {
        s->counted->decimal.len = 0;
        append_java_decimal(&s->counted->decimal, &d);
        s->counted->bytes += s->counted->decimal.len;
    } else if (s->c->long_decimals >= JSON_LONG_DECIMALS_MAX) {
        s->counted->bytes += text.len;
    } else {
        s->c->long_decimals++;
        s->counted->bytes += text.len < JSON_DOUBLE_BYTES_MAX ? text.len : JSON_DOUBLE_BYTES_MAX;
    }
}

static bool fail_digit(struct json_cursor *c, struct json_error *err, const char *expected)
{
    char described[48];
    if (!json_more(c)) {
        return json_fail_end(c, err, " in a Number value");
    }
    json_describe_char(c, described, sizeof(described));
    return json_fail(err, c->position, "Unexpected character (%s) in numeric value: %s", described,
                     expected);
}

static size_t skip_digits(struct json_cursor *c)
{
    size_t start = c->position;
    while (json_more(c) && json_is_digit(json_here(c))) {
        c->position++;
    }
    return c->position - start;
}

static bool scan_fraction(struct json_scan *s)
{
    struct json_cursor *c = s->c;
    c->position++;
    if (skip_digits(c) > 0) {
        return true;
    }
    return fail_digit(c, s->err, "Decimal point not followed by a digit");
}

static bool scan_exponent(struct json_scan *s)
{
    struct json_cursor *c = s->c;
    c->position++;
    if (json_more(c) && (json_here(c) == '+' || json_here(c) == '-')) {
        c->position++;
    }
    if (skip_digits(c) > 0) {
        return true;
    }
    return fail_digit(c, s->err, "Exponent indicator not followed by a digit");
}

bool json_scan_number(struct json_scan *s)
{
    struct json_cursor *c = s->c;
    size_t start = c->position;
    bool decimal = false;
    c->position += json_here(c) == '-' ? 1 : 0;
    size_t first = c->position;
    if (skip_digits(c) == 0) {
        return fail_digit(c, s->err,
                          "expected digit (0-9) to follow minus sign, for valid numeric value");
    }
    if (c->text.ptr[first] == '0' && c->position - first > 1) {
        return json_fail(s->err, first, "Invalid numeric value: Leading zeroes not allowed");
    }
    if (json_more(c) && json_here(c) == '.') {
        decimal = true;
        if (!scan_fraction(s)) {
            return false;
        }
    }
    if (json_more(c) && (json_here(c) == 'e' || json_here(c) == 'E')) {
        decimal = true;
        if (!scan_exponent(s)) {
            return false;
        }
    }
    if (json_more(c) && json_is_name_byte(json_here(c))) {
        return json_fail_char(c, s->err, "Expected space separating root-level values");
    }
    struct span text = span_from(c->text.ptr + start, c->position - start);
    if (s->out != NULL) {
        append_number(c, s->out, text, decimal);
    } else if (s->counted != NULL) {
        count_number(s, text, decimal);
    }
    return true;
}
