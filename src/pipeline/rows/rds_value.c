/* Values of the tables as text: what MySQL would print, and nothing else, comes in. */
#include "rds_csv.h"

#include "civil.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { float_digits = 6, float_text_bytes_max = 64, mysql_year_min = 1000 };

static const double float_max = 3.40282e38; /* FLT_MAX to six digits: what a FLOAT column holds */

/* Sign, digits, at most one point with a digit on some side, an optional exponent: neither "nan"
 * nor "0x10", which strtod would take. */
static bool rds_is_decimal(struct span text)
{
    size_t i = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    size_t digits = 0;
    bool point = false;
    for (; i < text.len; i++) {
        char c = text.ptr[i];
        if (c >= '0' && c <= '9') {
            digits++;
        } else if (c == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    if (digits == 0 || i == text.len) {
        return digits > 0;
    }
    struct span exponent = span_skip(text, i + 1);
    int64_t ignored;
    if (exponent.len > 1 && exponent.ptr[0] == '+') {
        exponent = span_skip(exponent, 1);
    }
    return (text.ptr[i] == 'e' || text.ptr[i] == 'E') && span_parse_i64(exponent, &ignored);
}

static bool float_parse(struct span text, double *out)
{
    double value;
    char rounded[float_text_bytes_max];
    if (!rds_is_decimal(text) || !span_parse_double(text, &value) || value > float_max ||
        value < -float_max) {
        return false;
    }
    /* A FLOAT keeps six digits; more in the file would not survive an export. */
    snprintf(rounded, sizeof(rounded), "%.*g", float_digits, value);
    *out = strtod(rounded, NULL) + 0.0; /* no negative zero */
    return true;
}

static bool digits_parse(struct span text, size_t at, size_t count, int *out)
{
    uint64_t value;
    bool good = text.len >= at + count && span_parse_u64(span_from(text.ptr + at, count), &value);
    *out = good ? (int)value : 0;
    return good;
}

/* "2021-02-05 19:14:42" or with a T between. */
static bool datetime_parse(struct span text, char stamp[RDS_STAMP_BYTES])
{
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    if (text.len != RDS_STAMP_BYTES || text.ptr[4] != '-' || text.ptr[7] != '-' ||
        (text.ptr[10] != ' ' && text.ptr[10] != 'T') || text.ptr[13] != ':' ||
        text.ptr[16] != ':') {
        return false;
    }
    bool numbers = digits_parse(text, 0, 4, &year) && digits_parse(text, 5, 2, &month) &&
                   digits_parse(text, 8, 2, &day) && digits_parse(text, 11, 2, &hour) &&
                   digits_parse(text, 14, 2, &minute) && digits_parse(text, 17, 2, &second);
    if (!numbers || year < mysql_year_min || month < 1 || month > 12 || day < 1 ||
        day > (int)civil_month_days(year, (unsigned)month) || hour > 23 || minute > 59 ||
        second > 59) {
        return false;
    }
    memcpy(stamp, text.ptr, RDS_STAMP_BYTES);
    stamp[10] = ' ';
    return true;
}

bool rds_value_parse(struct span text, enum column_type type, char stamp[RDS_STAMP_BYTES],
                     struct row_value *out)
{
    *out = (struct row_value){.text = SPAN_EMPTY};
    switch (type) {
    case COLUMN_INT:
        return span_parse_i64(text, &out->integer);
    case COLUMN_FLOAT:
        return float_parse(text, &out->real);
    case COLUMN_TEXT:
        out->text = text;
        return true;
    case COLUMN_DATETIME:
        break;
    }
    out->text = span_from(stamp, RDS_STAMP_BYTES);
    return datetime_parse(text, stamp);
}

void rds_float_append(struct buf *out, double value)
{
    char text[float_text_bytes_max];
    snprintf(text, sizeof(text), "%.*g", float_digits, value);
    if (strchr(text, 'e') == NULL) {
        buf_append_cstr(out, text);
        return;
    }
    /* Six digits as a plain decimal: d.ddddde+XX becomes digits and zeros. */
    char digits[float_text_bytes_max];
    size_t count = 0;
    const char *p = text + (text[0] == '-');
    for (; *p != 'e'; p++) {
        if (*p != '.') {
            digits[count++] = *p;
        }
    }
    long exponent = strtol(p + 1, NULL, 10);
    buf_append_cstr(out, text[0] == '-' ? "-" : "");
    if (exponent < 0) {
        BUF_APPEND_LIT(out, "0.");
        for (long i = -1; i > exponent; i--) {
            buf_append_byte(out, '0');
        }
        buf_append(out, digits, count);
        return;
    }
    for (long i = 0; i <= exponent; i++) {
        buf_append_byte(out, (size_t)i < count ? digits[i] : '0');
    }
}
