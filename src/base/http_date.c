#include "http_date.h"

#include "civil.h"

#include <stdio.h>

enum { minute_s = 60, hour_s = 3600, day_s = 86400 };

void http_date_write(int64_t unix_s, char out[HTTP_DATE_BYTES])
{
    int64_t year;
    unsigned month;
    unsigned day;
    int64_t days = civil_floor_div(unix_s, day_s);
    unsigned second = (unsigned)(unix_s - days * day_s);
    civil_date(days, &year, &month, &day);
    snprintf(out, HTTP_DATE_BYTES, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
             civil_weekday_name(civil_weekday(days)), day % 100, civil_month_name(month),
             (unsigned)((uint64_t)year % 10000), second / hour_s % 100, second / minute_s % 60,
             second % 60);
}

/* Reads a field of the date, all of whose bytes must be digits. */
static bool http_date_field(struct span text, size_t start, size_t len, unsigned *out)
{
    unsigned value = 0;
    struct span field = span_first(span_skip(text, start), len);
    for (size_t i = 0; i < field.len; i++) {
        if (field.ptr[i] < '0' || field.ptr[i] > '9') {
            return false;
        }
        value = value * 10 + (unsigned)(field.ptr[i] - '0');
    }
    *out = value;
    return true;
}

bool http_date_parse(struct span text, int64_t *unix_s)
{
    unsigned year;
    unsigned day;
    unsigned hour;
    unsigned minute;
    unsigned second;
    struct span zone = span_skip(text, sizeof("Fri, 02 Jan 2026 03:04:05") - 1);
    if (!(span_equal_cstr(zone, " GMT") || span_equal_cstr(zone, " +0000") ||
          span_equal_cstr(zone, " -0000")) ||
        text.ptr[3] != ',' || text.ptr[4] != ' ' || text.ptr[7] != ' ' || text.ptr[11] != ' ' ||
        text.ptr[16] != ' ' || text.ptr[19] != ':' || text.ptr[22] != ':' ||
        !http_date_field(text, 5, 2, &day) || !http_date_field(text, 12, 4, &year) ||
        !http_date_field(text, 17, 2, &hour) || !http_date_field(text, 20, 2, &minute) ||
        !http_date_field(text, 23, 2, &second)) {
        return false;
    }
    unsigned month = civil_month_number(span_first(span_skip(text, 8), 3));
    if (month == 0 || day < 1 || day > civil_month_days(year, month) || hour > 23 || minute > 59 ||
        second > 59) {
        return false;
    }
    *unix_s = civil_days(year, month, day) * day_s + hour * hour_s + minute * minute_s + second;
    return true;
}
