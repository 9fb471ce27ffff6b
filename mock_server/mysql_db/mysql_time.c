#include "mysql_time.h"

#include "civil.h"

#include <stdio.h>
#include <string.h>

enum { us_per_second = 1000000, seconds_per_day = 86400, fraction_digits = 6 };

static bool time_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static unsigned digits_taken(struct span *rest, size_t most, size_t *count)
{
    unsigned value = 0;
    *count = 0;
    while (*count < most && rest->len > 0 && time_is_digit(rest->ptr[0])) {
        value = value * 10 + (unsigned)(rest->ptr[0] - '0');
        *rest = span_skip(*rest, 1);
        (*count)++;
    }
    return value;
}

static bool is_valid(const struct mysql_time *t)
{
    if (t->has_date && (t->month < 1 || t->month > 12 || t->day < 1 ||
                        t->day > civil_month_days(t->year, t->month) || t->year > 9999)) {
        return false;
    }
    return t->minute < 60 && t->second < 60 && (!t->has_date || t->hour < 24);
}

static int year_of_two_digits(unsigned year)
{
    return (int)(year < 70 ? 2000 + year : 1900 + year);
}

static void fraction_taken(struct span *rest, struct mysql_time *out)
{
    size_t count;
    if (rest->len < 2 || rest->ptr[0] != '.' || !time_is_digit(rest->ptr[1])) {
        return;
    }
    *rest = span_skip(*rest, 1);
    out->us = digits_taken(rest, fraction_digits, &count);
    for (; count < fraction_digits; count++) {
        out->us *= 10;
    }
    out->has_fraction = true;
    digits_taken(rest, 100, &count);
}

/* h:m:s.f, of which the first is there. False: no time follows. */
static bool clock_taken(struct span *rest, struct mysql_time *out)
{
    size_t count;
    out->hour = digits_taken(rest, 3, &count);
    if (count == 0) {
        return false;
    }
    out->has_time = true;
    unsigned *const parts[] = {&out->minute, &out->second};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (rest->len < 2 || rest->ptr[0] != ':') {
            break;
        }
        *rest = span_skip(*rest, 1);
        *parts[i] = digits_taken(rest, 2, &count);
        if (count == 0) {
            return false;
        }
    }
    fraction_taken(rest, out);
    return true;
}

bool mysql_time_parse_number(int64_t value, struct mysql_time *out)
{
    *out = (struct mysql_time){.has_date = true};
    int64_t date = value;
    if (value < 0) {
        return false;
    }
    if (value > INT64_C(99991231)) {
        int64_t clock = value % 1000000;
        date = value / 1000000;
        out->has_time = true;
        out->hour = (unsigned)(clock / 10000);
        out->minute = (unsigned)(clock / 100 % 100);
        out->second = (unsigned)(clock % 100);
    }
    if (date < 101 || date > INT64_C(99991231)) {
        return false;
    }
    out->year = (int)(date / 10000);
    if (out->year < 100) {
        out->year = year_of_two_digits((unsigned)out->year);
    }
    out->month = (unsigned)(date / 100 % 100);
    out->day = (unsigned)(date % 100);
    return is_valid(out);
}

static bool parse_packed(struct span digits, struct span rest, struct mysql_time *out)
{
    int64_t value = 0;
    if (digits.len != 6 && digits.len != 8 && digits.len != 12 && digits.len != 14) {
        return false;
    }
    if (!span_parse_i64(digits, &value) || !mysql_time_parse_number(value, out)) {
        return false;
    }
    out->has_time = digits.len >= 12;
    fraction_taken(&rest, out);
    return true;
}

bool mysql_time_parse(struct span text, struct mysql_time *out)
{
    size_t count;
    struct span rest = span_trim(text);
    struct span whole = rest;
    *out = (struct mysql_time){.has_date = true};
    unsigned year = digits_taken(&rest, 20, &count);
    if (rest.len == 0 || rest.ptr[0] == '.') {
        return parse_packed(span_first(whole, count), rest, out);
    }
    if (count < 1 || count > 4) {
        return false;
    }
    out->year = count <= 2 ? year_of_two_digits(year) : (int)year;
    unsigned *const parts[] = {&out->month, &out->day};
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (rest.len < 2 || time_is_digit(rest.ptr[0]) || rest.ptr[0] == ' ') {
            return false;
        }
        rest = span_skip(rest, 1);
        *parts[i] = digits_taken(&rest, 2, &count);
        if (count == 0) {
            return false;
        }
    }
    if (rest.len > 0 && (rest.ptr[0] == ' ' || rest.ptr[0] == 'T')) {
        rest = span_trim(span_skip(rest, 1));
        if (!clock_taken(&rest, out)) {
            return false;
        }
    }
    return rest.len == 0 && is_valid(out);
}

bool mysql_time_parse_time(struct span text, struct mysql_time *out)
{
    size_t count;
    struct span rest = span_trim(text);
    if (mysql_time_parse(rest, out) && rest.len > 8) {
        return true;
    }
    *out = (struct mysql_time){.has_time = true};
    out->negative = rest.len > 0 && rest.ptr[0] == '-';
    rest = span_skip(rest, out->negative ? 1 : 0);
    struct span ahead = rest;
    unsigned days = digits_taken(&ahead, 2, &count);
    bool has_days = count > 0 && ahead.len > 1 && ahead.ptr[0] == ' ';
    rest = has_days ? span_trim(ahead) : rest;
    ahead = rest;
    unsigned packed = digits_taken(&ahead, 7, &count);
    if (ahead.len == 0 || ahead.ptr[0] != ':') { /* 101112 */
        out->hour = packed / 10000;
        out->minute = packed / 100 % 100;
        out->second = packed % 100;
        rest = ahead;
        fraction_taken(&rest, out);
        return count > 0 && rest.len == 0 && is_valid(out);
    }
    bool ok = clock_taken(&rest, out) && rest.len == 0 && is_valid(out);
    out->hour += has_days ? days * 24 : 0;
    return ok;
}

size_t mysql_time_write(const struct mysql_time *t, char out[MYSQL_TIME_BYTES])
{
    int used = 0;
    if (t->has_date) {
        used = snprintf(out, MYSQL_TIME_BYTES, "%04d-%02u-%02u", t->year, t->month, t->day);
    }
    if (t->has_time) {
        used +=
            snprintf(out + used, MYSQL_TIME_BYTES - (size_t)used, "%s%s%02u:%02u:%02u",
                     used > 0 ? " " : "", t->negative ? "-" : "", t->hour, t->minute, t->second);
    }
    if (t->has_fraction) {
        used += snprintf(out + used, MYSQL_TIME_BYTES - (size_t)used, ".%06u", t->us);
    }
    return (size_t)used;
}

int64_t mysql_time_days(const struct mysql_time *t)
{
    return civil_days(t->year, t->month, t->day);
}

int64_t mysql_time_us(const struct mysql_time *t)
{
    int64_t days = t->has_date ? mysql_time_days(t) : 0;
    int64_t seconds = days * seconds_per_day + t->hour * 3600 + t->minute * 60 + t->second;
    return (seconds * us_per_second + t->us) * (t->negative ? -1 : 1);
}

bool mysql_time_from_us(int64_t us, struct mysql_time *out)
{
    int64_t seconds = civil_floor_div(us, us_per_second);
    int64_t days = civil_floor_div(seconds, seconds_per_day);
    int64_t left = seconds - days * seconds_per_day;
    int64_t year = 0;
    civil_date(days, &year, &out->month, &out->day);
    out->year = (int)year;
    out->hour = (unsigned)(left / 3600);
    out->minute = (unsigned)(left / 60 % 60);
    out->second = (unsigned)(left % 60);
    out->us = (unsigned)(us - seconds * us_per_second);
    return year >= 0 && year <= 9999;
}

/* --- weeks: MySQL's calc_week --- */

unsigned mysql_time_week(const struct mysql_time *t, unsigned mode, int *year)
{
    bool monday_first = (mode & 1) != 0;
    bool week_year = (mode & 2) != 0;
    bool first_weekday = (mode & 4) != 0;
    if (!monday_first) {
        first_weekday = !first_weekday;
    }
    int64_t day = mysql_time_days(t);
    int64_t first = civil_days(t->year, 1, 1);
    unsigned weekday = (civil_weekday(first) - 1 + (monday_first ? 0 : 1)) % 7;
    int64_t days;
    *year = t->year;
    if (t->month == 1 && t->day <= 7 - weekday) {
        if (!week_year && ((first_weekday && weekday != 0) || (!first_weekday && weekday >= 4))) {
            return 0;
        }
        week_year = true;
        (*year)--;
        int64_t before = first - civil_days(*year, 1, 1);
        first -= before;
        weekday = (unsigned)((weekday + 53 * 7 - (unsigned)before) % 7);
    }
    if ((first_weekday && weekday != 0) || (!first_weekday && weekday >= 4)) {
        days = day - (first + (7 - weekday));
    } else {
        days = day - (first - weekday);
    }
    if (week_year && days >= 52 * 7) {
        int64_t length = civil_days(*year + 1, 1, 1) - civil_days(*year, 1, 1);
        weekday = (weekday + (unsigned)length) % 7;
        if ((!first_weekday && weekday < 4) || (first_weekday && weekday == 0)) {
            (*year)++;
            return 1;
        }
    }
    return (unsigned)(days / 7 + 1);
}

/* --- DATE_FORMAT --- */

static const char *ordinal_of(unsigned day)
{
    if (day >= 10 && day <= 19) {
        return "th";
    }
    return day % 10 == 1 ? "st" : day % 10 == 2 ? "nd" : day % 10 == 3 ? "rd" : "th";
}

static void format_week(const struct mysql_time *t, char letter, struct buf *out)
{
    static const char letters[] = "UuVvXx";
    static const unsigned modes[] = {0, 1, 2, 3, 2, 3};
    int year;
    unsigned week = mysql_time_week(t, modes[(size_t)(strchr(letters, letter) - letters)], &year);
    if (letter == 'X' || letter == 'x') {
        buf_printf(out, "%04d", year);
    } else {
        buf_printf(out, "%02u", week);
    }
}

static void format_clock(const struct mysql_time *t, char letter, struct buf *out)
{
    unsigned twelve = t->hour % 12 == 0 ? 12 : t->hour % 12;
    const char *half = t->hour % 24 < 12 ? "AM" : "PM";
    switch (letter) {
    case 'H':
        buf_printf(out, "%02u", t->hour);
        break;
    case 'k':
        buf_printf(out, "%u", t->hour);
        break;
    case 'h':
    case 'I':
        buf_printf(out, "%02u", twelve);
        break;
    case 'l':
        buf_printf(out, "%u", twelve);
        break;
    case 'i':
        buf_printf(out, "%02u", t->minute);
        break;
    case 's':
    case 'S':
        buf_printf(out, "%02u", t->second);
        break;
    case 'f':
        buf_printf(out, "%06u", t->us);
        break;
    case 'p':
        buf_append_cstr(out, half);
        break;
    case 'r':
        buf_printf(out, "%02u:%02u:%02u %s", twelve, t->minute, t->second, half);
        break;
    default:
        buf_printf(out, "%02u:%02u:%02u", t->hour, t->minute, t->second);
        break;
    }
}

static void format_day(const struct mysql_time *t, char letter, struct buf *out)
{
    int64_t days = mysql_time_days(t);
    unsigned weekday = civil_weekday(days);
    switch (letter) {
    case 'Y':
        buf_printf(out, "%04d", t->year);
        break;
    case 'y':
        buf_printf(out, "%02d", t->year % 100);
        break;
    case 'm':
        buf_printf(out, "%02u", t->month);
        break;
    case 'c':
        buf_printf(out, "%u", t->month);
        break;
    case 'M':
        buf_append_cstr(out, civil_month_name(t->month));
        break;
    case 'b':
        buf_printf(out, "%.3s", civil_month_name(t->month));
        break;
    case 'd':
        buf_printf(out, "%02u", t->day);
        break;
    case 'e':
        buf_printf(out, "%u", t->day);
        break;
    case 'D':
        buf_printf(out, "%u%s", t->day, ordinal_of(t->day));
        break;
    case 'W':
        buf_append_cstr(out, civil_weekday_name(weekday));
        break;
    case 'a':
        buf_printf(out, "%.3s", civil_weekday_name(weekday));
        break;
    case 'w':
        buf_printf(out, "%u", weekday % 7);
        break;
    default:
        buf_printf(out, "%03u", (unsigned)(days - civil_days(t->year, 1, 1) + 1));
        break;
    }
}

void mysql_time_format(const struct mysql_time *t, struct span format, struct buf *out)
{
    for (size_t i = 0; i < format.len; i++) {
        char letter = format.ptr[i];
        if (letter != '%' || i + 1 == format.len) {
            buf_append_byte(out, letter);
            continue;
        }
        letter = format.ptr[++i];
        if (letter != '\0' && strchr("HkhIlisSfprT", letter) != NULL) {
            format_clock(t, letter, out);
        } else if (letter != '\0' && strchr("UuVvXx", letter) != NULL) {
            format_week(t, letter, out);
        } else if (letter != '\0' && strchr("YymcMbdeDWawj", letter) != NULL) {
            format_day(t, letter, out);
        } else {
            buf_append_byte(out, letter);
        }
    }
}

/* --- STR_TO_DATE --- */

static bool scan_number(struct span *rest, size_t most, unsigned *out)
{
    size_t count;
    *out = digits_taken(rest, most, &count);
    return count > 0;
}

static bool scan_month_name(struct span *rest, bool whole, unsigned *out)
{
    for (unsigned month = 1; month <= 12; month++) {
        struct span name = span_from_cstr(civil_month_name(month));
        name = whole ? name : span_first(name, 3);
        if (span_equal_nocase(span_first(*rest, name.len), name)) {
            *rest = span_skip(*rest, name.len);
            *out = month;
            return true;
        }
    }
    return false;
}

static bool scan_half(struct span *rest, bool *afternoon)
{
    struct span word = span_first(*rest, 2);
    *afternoon = span_equal_nocase(word, SPAN_LIT("PM"));
    bool ok = *afternoon || span_equal_nocase(word, SPAN_LIT("AM"));
    *rest = span_skip(*rest, 2);
    return ok;
}

static bool scan_letter(struct span *rest, char letter, struct mysql_time *t, bool *afternoon)
{
    unsigned value = 0;
    switch (letter) {
    case 'Y':
    case 'y': {
        t->has_date = true;
        bool ok = scan_number(rest, letter == 'Y' ? 4 : 2, &value);
        t->year = value < 100 ? year_of_two_digits(value) : (int)value;
        return ok;
    }
    case 'm':
    case 'c':
        t->has_date = true;
        return scan_number(rest, 2, &t->month);
    case 'M':
    case 'b':
        t->has_date = true;
        return scan_month_name(rest, letter == 'M', &t->month);
    case 'd':
    case 'e':
        t->has_date = true;
        return scan_number(rest, 2, &t->day);
    case 'H':
    case 'k':
    case 'h':
    case 'I':
    case 'l':
        t->has_time = true;
        return scan_number(rest, 2, &t->hour);
    case 'i':
        t->has_time = true;
        return scan_number(rest, 2, &t->minute);
    case 's':
    case 'S':
        t->has_time = true;
        return scan_number(rest, 2, &t->second);
    case 'p':
        return scan_half(rest, afternoon);
    case 'f': {
        size_t count;
        t->has_time = true;
        t->has_fraction = true;
        t->us = digits_taken(rest, fraction_digits, &count);
        for (; count > 0 && count < fraction_digits; count++) {
            t->us *= 10;
        }
        return true;
    }
    default:
        return false;
    }
}

bool mysql_time_scan(struct span text, struct span format, struct mysql_time *t)
{
    bool afternoon = false;
    bool twelve = false;
    *t = (struct mysql_time){0};
    for (size_t i = 0; i < format.len; i++) {
        char letter = format.ptr[i];
        while (text.len > 0 && text.ptr[0] == ' ') { /* blanks may stand before every part */
            text = span_skip(text, 1);
        }
        if (letter == ' ') {
            continue;
        }
        if (letter != '%' || i + 1 == format.len) {
            if (text.len == 0 || text.ptr[0] != letter) {
                return false;
            }
            text = span_skip(text, 1);
            continue;
        }
        letter = format.ptr[++i];
        if (letter == 'T' || letter == 'r') {
            if (!clock_taken(&text, t)) {
                return false;
            }
            continue;
        }
        twelve = twelve || letter == 'h' || letter == 'I' || letter == 'l';
        if (!scan_letter(&text, letter, t, &afternoon)) {
            return false;
        }
    }
    if (twelve) {
        t->hour = t->hour % 12 + (afternoon ? 12 : 0);
    }
    return text.len == 0 && is_valid(t);
}
