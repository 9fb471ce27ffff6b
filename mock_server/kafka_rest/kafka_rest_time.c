#include "kafka_rest_time.h"

#include "civil.h"

#include <math.h>
#include <stdio.h>

enum { day_seconds = 86400 };
static const double epoch_seconds_max = 1e11; /* beyond the year 5000 */

/* Exactly `count` digits off the front. */
static bool instant_take_number(struct span *text, size_t count, unsigned *out)
{
    uint64_t value;
    if (text->len < count || !span_parse_u64(span_first(*text, count), &value)) {
        return false;
    }
    *out = (unsigned)value;
    *text = span_skip(*text, count);
    return true;
}

static bool take_byte(struct span *text, char byte)
{
    if (text->len == 0 || text->ptr[0] != byte) {
        return false;
    }
    *text = span_skip(*text, 1);
    return true;
}

/* ".123456789" in milliseconds; nothing there is 0. */
static bool take_fraction_ms(struct span *text, int64_t *ms)
{
    int64_t unit = 100;
    *ms = 0;
    if (!take_byte(text, '.')) {
        return true;
    }
    size_t before = text->len;
    while (text->len > 0 && text->ptr[0] >= '0' && text->ptr[0] <= '9') {
        *ms += (text->ptr[0] - '0') * unit;
        unit /= 10;
        *text = span_skip(*text, 1);
    }
    return text->len < before;
}

/* "Z" or "+01:00"; seconds to subtract. */
static bool take_zone(struct span text, int64_t *offset_seconds)
{
    unsigned hours;
    unsigned minutes;
    *offset_seconds = 0;
    if (take_byte(&text, 'Z') || take_byte(&text, 'z')) {
        return text.len == 0;
    }
    bool west = take_byte(&text, '-');
    if ((!west && !take_byte(&text, '+')) || !instant_take_number(&text, 2, &hours)) {
        return false;
    }
    (void)take_byte(&text, ':');
    if (!instant_take_number(&text, 2, &minutes) || hours > 18 || minutes > 59 || text.len > 0) {
        return false;
    }
    *offset_seconds = (int64_t)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

static bool parse_iso(struct span text, int64_t *ms)
{
    unsigned year;
    unsigned month;
    unsigned day;
    unsigned hour;
    unsigned minute;
    unsigned second = 0;
    int64_t fraction = 0;
    int64_t offset;
    if (!instant_take_number(&text, 4, &year) || !take_byte(&text, '-') ||
        !instant_take_number(&text, 2, &month) || !take_byte(&text, '-') ||
        !instant_take_number(&text, 2, &day) || !(take_byte(&text, 'T') || take_byte(&text, 't')) ||
        !instant_take_number(&text, 2, &hour) || !take_byte(&text, ':') ||
        !instant_take_number(&text, 2, &minute)) {
        return false;
    }
    if (take_byte(&text, ':') &&
        (!instant_take_number(&text, 2, &second) || !take_fraction_ms(&text, &fraction))) {
        return false;
    }
    if (!take_zone(text, &offset) || month < 1 || month > 12 || day < 1 ||
        day > civil_month_days(year, month) || hour > 23 || minute > 59 || second > 59) {
        return false;
    }
    int64_t days = civil_days(year, month, day);
    *ms = (days * day_seconds + hour * 3600 + minute * 60 + second - offset) * 1000 + fraction;
    return true;
}

/* Decimal only: strtod would take "inf" and hexadecimal digits too. */
static bool instant_is_decimal(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E')) {
            return false;
        }
    }
    return text.len > 0 && text.ptr[0] != '+' && text.ptr[0] != '.';
}

bool kafka_rest_time_parse(struct span text, int64_t *ms)
{
    double seconds;
    if (parse_iso(text, ms)) {
        return true;
    }
    if (instant_is_decimal(text) && span_parse_double(text, &seconds) &&
        fabs(seconds) < epoch_seconds_max) {
        *ms = (int64_t)floor(seconds * 1000 + 0.5);
        return true;
    }
    return false;
}

void kafka_rest_time_format(int64_t ms, char out[KAFKA_REST_TIME_BYTES])
{
    int64_t seconds = ms / 1000 - (ms % 1000 < 0 ? 1 : 0);
    int fraction = (int)(ms - seconds * 1000);
    int64_t days = seconds / day_seconds - (seconds % day_seconds < 0 ? 1 : 0);
    int rest = (int)(seconds - days * day_seconds);
    int64_t year;
    unsigned month;
    unsigned day;
    civil_date(days, &year, &month, &day);
    int len = snprintf(out, KAFKA_REST_TIME_BYTES, "%04lld-%02u-%02uT%02d:%02d:%02d",
                       (long long)year, month, day, rest / 3600, rest / 60 % 60, rest % 60);
    snprintf(out + len, (size_t)(KAFKA_REST_TIME_BYTES - len), fraction > 0 ? ".%03dZ" : "Z",
             fraction);
}
