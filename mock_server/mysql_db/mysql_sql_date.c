/* Dates and times: their functions as SQLite's. */
#include "mysql_sql.h"
#include "mysql_time.h"

#include "civil.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { days_to_1970 = 719528, us_of_second = 1000000, wrong_value = 1525 };
static const int64_t us_of_day = INT64_C(86400000000);

static bool date_of(sqlite3_value *value, struct mysql_time *out)
{
    switch (sqlite3_value_type(value)) {
    case SQLITE_TEXT:
        return mysql_time_parse(mysql_sql_text(value), out);
    case SQLITE_INTEGER:
        return mysql_time_parse_number(sqlite3_value_int64(value), out);
    case SQLITE_FLOAT:
        return mysql_time_parse_number((int64_t)sqlite3_value_double(value), out);
    default:
        return false;
    }
}

static bool time_of(sqlite3_value *value, struct mysql_time *out)
{
    return sqlite3_value_type(value) != SQLITE_NULL &&
           mysql_time_parse_time(mysql_sql_text(value), out);
}

static void give_time(sqlite3_context *context, const struct mysql_time *time)
{
    char text[MYSQL_TIME_BYTES];
    mysql_sql_give_text(context, span_from(text, mysql_time_write(time, text)));
}

/* Of texts and numbers: a date as it is shown. */
static void to_date(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time time;
    (void)count;
    if (date_of(values[0], &time)) {
        give_time(context, &time);
    } else {
        sqlite3_result_null(context);
    }
}

static void to_time(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time time;
    (void)count;
    if (time_of(values[0], &time)) {
        give_time(context, &time);
    } else {
        sqlite3_result_null(context);
    }
}

/* Beside a DATE or DATETIME a constant that is none is an error, told before any row. */
static void sure_date(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time time;
    (void)count;
    if (date_of(values[0], &time)) {
        give_time(context, &time);
    } else {
        mysql_sql_fail(context, wrong_value, "Incorrect %.*s value: '%.*s'",
                       SPAN_ARG(mysql_sql_text(values[1])),
                       SPAN_ARG(span_first(mysql_sql_text(values[0]), 128)));
    }
}

/* A date as the datetime that it is compared as; no fraction where it is none. */
static void compared_date(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time time;
    (void)count;
    if (!date_of(values[0], &time)) {
        sqlite3_result_null(context);
        return;
    }
    time.has_time = true;
    time.has_fraction = time.us != 0;
    give_time(context, &time);
}

static void date_part(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time time;
    (void)count;
    if (!date_of(values[0], &time)) {
        sqlite3_result_null(context);
        return;
    }
    time.has_time = false;
    time.has_fraction = false;
    give_time(context, &time);
}

static void time_part(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time time;
    (void)count;
    if (!time_of(values[0], &time)) {
        sqlite3_result_null(context);
        return;
    }
    time.has_date = false;
    time.has_time = true;
    give_time(context, &time);
}

static void give_datetime(sqlite3_context *context, sqlite3_value *value, bool fraction)
{
    struct mysql_time time;
    if (!date_of(value, &time)) {
        sqlite3_result_null(context);
        return;
    }
    time.has_time = true;
    if (!fraction && time.us >= us_of_second / 2) {
        (void)mysql_time_from_us(mysql_time_us(&time) + us_of_second - time.us, &time);
    }
    time.has_fraction = fraction;
    give_time(context, &time);
}
static void datetime(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    give_datetime(context, values[0], false);
}
static void cast_datetime(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    give_datetime(context, values[0], sqlite3_value_int(values[1]) > 0);
}

/* --- parts --- */

#define DATE_NUMBER(name, expression)                                                              \
    static void name(sqlite3_context *context, int count, sqlite3_value **values)                  \
    {                                                                                              \
        struct mysql_time t;                                                                       \
        (void)count;                                                                               \
        if (date_of(values[0], &t)) {                                                              \
            sqlite3_result_int64(context, (int64_t)(expression));                                  \
        } else {                                                                                   \
            sqlite3_result_null(context);                                                          \
        }                                                                                          \
    }
DATE_NUMBER(year_of, t.year)
DATE_NUMBER(month_of, t.month)
DATE_NUMBER(day_of, t.day)
DATE_NUMBER(quarter_of, (t.month + 2) / 3)
DATE_NUMBER(day_of_week, civil_weekday(mysql_time_days(&t)) % 7 + 1)
DATE_NUMBER(weekday_of, civil_weekday(mysql_time_days(&t)) - 1)
DATE_NUMBER(day_of_year, mysql_time_days(&t) - civil_days(t.year, 1, 1) + 1)
DATE_NUMBER(days_since_0, mysql_time_days(&t) + days_to_1970)
DATE_NUMBER(unix_timestamp, civil_floor_div(mysql_time_us(&t), us_of_second))

#define TIME_NUMBER(name, expression)                                                              \
    static void name(sqlite3_context *context, int count, sqlite3_value **values)                  \
    {                                                                                              \
        struct mysql_time t;                                                                       \
        (void)count;                                                                               \
        if (time_of(values[0], &t)) {                                                              \
            sqlite3_result_int64(context, (int64_t)(expression));                                  \
        } else {                                                                                   \
            sqlite3_result_null(context);                                                          \
        }                                                                                          \
    }
TIME_NUMBER(hour_of, t.hour)
TIME_NUMBER(minute_of, t.minute)
TIME_NUMBER(second_of, t.second)
TIME_NUMBER(microsecond_of, t.us)
TIME_NUMBER(seconds_of_time,
            (t.negative ? -1 : 1) * (int64_t)(t.hour * 3600 + t.minute * 60 + t.second))

static void give_week(sqlite3_context *context, sqlite3_value *value, unsigned mode, bool with_year)
{
    struct mysql_time t;
    int year;
    if (!date_of(value, &t)) {
        sqlite3_result_null(context);
        return;
    }
    unsigned week = mysql_time_week(&t, mode, &year);
    sqlite3_result_int(context, with_year ? year * 100 + (int)week : (int)week);
}
static void date_week(sqlite3_context *context, int count, sqlite3_value **values)
{
    give_week(context, values[0], count > 1 ? (unsigned)sqlite3_value_int(values[1]) & 7U : 0,
              false);
}
static void week_of_year(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    give_week(context, values[0], 3, false);
}
static void year_week(sqlite3_context *context, int count, sqlite3_value **values)
{
    unsigned mode = count > 1 ? (unsigned)sqlite3_value_int(values[1]) & 7U : 0;
    give_week(context, values[0], mode | 2U, true);
}

static void give_formatted(sqlite3_context *context, const struct mysql_time *time,
                           struct span format)
{
    struct buf out;
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    mysql_time_format(time, format, &out);
    mysql_sql_give_buf(context, &out);
}

static void month_name(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time t;
    (void)count;
    if (date_of(values[0], &t)) {
        give_formatted(context, &t, SPAN_LIT("%M"));
    }
}
static void day_name(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time t;
    (void)count;
    if (date_of(values[0], &t)) {
        give_formatted(context, &t, SPAN_LIT("%W"));
    }
}
static void date_format(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time t;
    if (!mysql_sql_any_null(context, count, values) && date_of(values[0], &t)) {
        give_formatted(context, &t, mysql_sql_text(values[1]));
    }
}

static void str_to_date(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time t;
    if (!mysql_sql_any_null(context, count, values) &&
        mysql_time_scan(mysql_sql_text(values[0]), mysql_sql_text(values[1]), &t)) {
        give_time(context, &t);
    }
}

static void last_day(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time t;
    (void)count;
    if (date_of(values[0], &t)) {
        t.day = civil_month_days(t.year, t.month);
        t.has_time = false;
        t.has_fraction = false;
        give_time(context, &t);
    }
}

static void from_unixtime(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time t = {.has_date = true, .has_time = true};
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    double seconds = sqlite3_value_double(values[0]);
    if (seconds < 0 || seconds > 32536771199.0 ||
        !mysql_time_from_us((int64_t)seconds * us_of_second, &t)) {
        sqlite3_result_null(context);
    } else if (count > 1) {
        give_formatted(context, &t, mysql_sql_text(values[1]));
    } else {
        give_time(context, &t);
    }
}

static void from_days(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time t = {.has_date = true};
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    int64_t days = sqlite3_value_int64(values[0]);
    if (days > 365 && days < 3652500 && mysql_time_from_us((days - days_to_1970) * us_of_day, &t)) {
        give_time(context, &t);
    } else {
        mysql_sql_give_text(context, SPAN_LIT("0000-00-00"));
    }
}

static void make_date(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time t = {.has_date = true};
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    int64_t year = sqlite3_value_int64(values[0]);
    int64_t day = sqlite3_value_int64(values[1]);
    year += year >= 0 && year < 70 ? 2000 : year >= 70 && year < 100 ? 1900 : 0;
    if (day > 0 && day < 3652500 && year >= 0 && year <= 9999 &&
        mysql_time_from_us((civil_days(year, 1, 1) + day - 1) * us_of_day, &t)) {
        give_time(context, &t);
    } else {
        sqlite3_result_null(context);
    }
}

static void sec_to_time(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    int64_t seconds = sqlite3_value_int64(values[0]);
    struct mysql_time t = {.has_time = true, .negative = seconds < 0};
    seconds = seconds < 0 ? -(seconds + (seconds == INT64_MIN ? 1 : 0)) : seconds;
    seconds = seconds > 3020399 ? 3020399 : seconds; /* 838:59:59 */
    t.hour = (unsigned)(seconds / 3600);
    t.minute = (unsigned)(seconds / 60 % 60);
    t.second = (unsigned)(seconds % 60);
    give_time(context, &t);
}

/* --- differences and sums --- */

static void date_diff(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time a;
    struct mysql_time b;
    (void)count;
    if (date_of(values[0], &a) && date_of(values[1], &b)) {
        sqlite3_result_int64(context, mysql_time_days(&a) - mysql_time_days(&b));
    } else {
        sqlite3_result_null(context);
    }
}

/* Whole months from a to b, toward zero. */
static int64_t months_between(const struct mysql_time *a, const struct mysql_time *b)
{
    bool backward = mysql_time_us(b) < mysql_time_us(a);
    const struct mysql_time *from = backward ? b : a;
    const struct mysql_time *to = backward ? a : b;
    int64_t months = (int64_t)(to->year - from->year) * 12 + (int)to->month - (int)from->month;
    struct mysql_time clock_from = *from;
    struct mysql_time clock_to = *to;
    clock_from.has_date = false;
    clock_to.has_date = false;
    if (to->day < from->day ||
        (to->day == from->day && mysql_time_us(&clock_to) < mysql_time_us(&clock_from))) {
        months--;
    }
    return backward ? -months : months;
}

struct unit_row {
    const char *name;
    int64_t us; /* of one; 0: it is counted in months */
    int64_t months;
};

static const struct unit_row units[] = {
    {"MICROSECOND", 1, 0},
    {"SECOND", us_of_second, 0},
    {"MINUTE", INT64_C(60000000), 0},
    {"HOUR", INT64_C(3600000000), 0},
    {"DAY", INT64_C(86400000000), 0},
    {"WEEK", INT64_C(604800000000), 0},
    {"MONTH", 0, 1},
    {"QUARTER", 0, 3},
    {"YEAR", 0, 12},
};

static const struct unit_row *unit_named(struct span name)
{
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        if (span_equal_cstr(name, units[i].name)) {
            return &units[i];
        }
    }
    return NULL;
}

static void timestamp_diff(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct mysql_time a;
    struct mysql_time b;
    const struct unit_row *unit = unit_named(mysql_sql_text(values[0]));
    (void)count;
    if (unit == NULL || !date_of(values[1], &a) || !date_of(values[2], &b)) {
        sqlite3_result_null(context);
    } else if (unit->us > 0) {
        sqlite3_result_int64(context, (mysql_time_us(&b) - mysql_time_us(&a)) / unit->us);
    } else {
        sqlite3_result_int64(context, months_between(&a, &b) / unit->months);
    }
}

/* '1-2' YEAR_MONTH, '1 10:00' DAY_MINUTE: numbers in the order of the unit, the last one's right
 * end. */
static bool compound_amount(struct span text, struct span unit, int64_t *months, int64_t *us)
{
    static const struct {
        const char *name;
        size_t count;
        int64_t us[4];
    } compounds[] = {
        {"MINUTE_SECOND", 2, {60000000, us_of_second}},
        {"HOUR_MINUTE", 2, {3600000000, 60000000}},
        {"HOUR_SECOND", 3, {3600000000, 60000000, us_of_second}},
        {"DAY_HOUR", 2, {86400000000, 3600000000}},
        {"DAY_MINUTE", 3, {86400000000, 3600000000, 60000000}},
        {"DAY_SECOND", 4, {86400000000, 3600000000, 60000000, us_of_second}},
        {"YEAR_MONTH", 2, {0}},
    };
    int64_t numbers[4] = {0};
    size_t found = 0;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    for (size_t i = 0; i < text.len && found < 4; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            continue;
        }
        for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
            numbers[found] = numbers[found] < 100000000 ? numbers[found] * 10 + text.ptr[i] - '0'
                                                        : numbers[found];
        }
        found++;
    }
    for (size_t i = 0; i < ARRAY_COUNT(compounds); i++) {
        if (!span_equal_cstr(unit, compounds[i].name) || found > compounds[i].count) {
            continue;
        }
        size_t skipped = compounds[i].count - found;
        for (size_t k = 0; k < found; k++) {
            *us += numbers[k] * compounds[i].us[k + skipped] * (negative ? -1 : 1);
        }
        if (compounds[i].us[0] == 0) {
            *months =
                (found == 2 ? numbers[0] * 12 + numbers[1] : numbers[0]) * (negative ? -1 : 1);
        }
        return found > 0;
    }
    return false;
}

static bool interval_amount(sqlite3_value *value, struct span unit, int64_t *months, int64_t *us)
{
    const struct unit_row *row = unit_named(unit);
    *months = 0;
    *us = 0;
    if (mysql_sql_is_null(value)) {
        return false;
    }
    if (row == NULL) {
        return compound_amount(mysql_sql_text(value), unit, months, us);
    }
    double amount = mysql_text_number(mysql_sql_text(value));
    bool seconds = row->us == us_of_second;
    amount = seconds ? amount : round(amount);
    if (fabs(amount) * (double)(row->us > 0 ? row->us : row->months) > 4e17) {
        return false;
    }
    *us = seconds ? (int64_t)round(amount * us_of_second) : (int64_t)amount * row->us;
    *months = (int64_t)amount * row->months;
    return true;
}

static bool add_months(struct mysql_time *t, int64_t months)
{
    int64_t total = (int64_t)t->year * 12 + (int64_t)t->month - 1 + months;
    int64_t year = civil_floor_div(total, 12);
    if (year < 0 || year > 9999) {
        return false;
    }
    t->year = (int)year;
    t->month = (unsigned)(total - year * 12) + 1;
    unsigned last = civil_month_days(t->year, t->month);
    t->day = t->day > last ? last : t->day;
    return true;
}

static void date_moved(sqlite3_context *context, sqlite3_value **values, int sign)
{
    struct mysql_time t;
    int64_t months;
    int64_t us;
    struct span unit = mysql_sql_text(values[2]);
    if (!date_of(values[0], &t) || !interval_amount(values[1], unit, &months, &us)) {
        sqlite3_result_null(context);
        return;
    }
    bool by_days = unit_named(unit) != NULL && us % us_of_day == 0 &&
                   (span_equal_cstr(unit, "DAY") || span_equal_cstr(unit, "WEEK"));
    if ((months != 0 && !add_months(&t, months * sign)) ||
        (us != 0 && !mysql_time_from_us(mysql_time_us(&t) + us * sign, &t))) {
        sqlite3_result_null(context);
        return;
    }
    bool of_months =
        unit_named(unit) != NULL ? unit_named(unit)->us == 0 : span_equal_cstr(unit, "YEAR_MONTH");
    t.has_time = t.has_time || (!by_days && !of_months);
    t.has_fraction = t.has_fraction || t.us != 0;
    give_time(context, &t);
}
static void date_added(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    date_moved(context, values, 1);
}
static void date_taken(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    date_moved(context, values, -1);
}

/* EXTRACT(unit FROM x): the unit's digits, or those of both of a pair and between. */
static void extract(sqlite3_context *context, int count, sqlite3_value **values)
{
    static const char *const names[] = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"};
    struct span unit = mysql_sql_text(values[0]);
    struct mysql_time t;
    int year;
    (void)count;
    if (!time_of(values[1], &t)) {
        sqlite3_result_null(context);
        return;
    }
    const int64_t parts[] = {t.year, t.month, t.day, t.hour, t.minute, t.second};
    size_t from = 0;
    size_t to = 0;
    size_t line = span_find_byte(unit, '_');
    struct span first = span_first(unit, line);
    struct span last = line < unit.len ? span_skip(unit, line + 1) : first;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        from = span_equal_cstr(first, names[i]) ? i : from;
        to = span_equal_cstr(last, names[i]) ? i : to;
    }
    if (span_equal_cstr(unit, "QUARTER")) {
        sqlite3_result_int64(context, (t.month + 2) / 3);
    } else if (span_equal_cstr(unit, "WEEK")) {
        sqlite3_result_int64(context, mysql_time_week(&t, 0, &year));
    } else if (span_equal_cstr(unit, "MICROSECOND")) {
        sqlite3_result_int64(context, t.us);
    } else {
        int64_t value = 0;
        for (size_t i = from; i <= to; i++) {
            value = value * 100 + parts[i];
        }
        sqlite3_result_int64(context, t.negative ? -value : value);
    }
}

const struct mysql_sql_function mysql_sql_dates[] = {
    {"my_to_date", 1, to_date},
    {"my_to_time", 1, to_time},
    {"my_sure_date", 2, sure_date},
    {"my_compared_date", 1, compared_date},
    {"my_date", 1, date_part},
    {"my_time", 1, time_part},
    {"my_datetime", 1, datetime},
    {"my_cast_datetime", 2, cast_datetime},
    {"my_year", 1, year_of},
    {"my_month", 1, month_of},
    {"my_day", 1, day_of},
    {"my_quarter", 1, quarter_of},
    {"my_dayofweek", 1, day_of_week},
    {"my_weekday", 1, weekday_of},
    {"my_dayofyear", 1, day_of_year},
    {"my_to_days", 1, days_since_0},
    {"my_unix_timestamp", 1, unix_timestamp},
    {"my_hour", 1, hour_of},
    {"my_minute", 1, minute_of},
    {"my_second", 1, second_of},
    {"my_microsecond", 1, microsecond_of},
    {"my_time_to_sec", 1, seconds_of_time},
    {"my_week", -1, date_week},
    {"my_weekofyear", 1, week_of_year},
    {"my_yearweek", -1, year_week},
    {"my_monthname", 1, month_name},
    {"my_dayname", 1, day_name},
    {"my_date_format", 2, date_format},
    {"my_str_to_date", 2, str_to_date},
    {"my_last_day", 1, last_day},
    {"my_from_unixtime", -1, from_unixtime},
    {"my_from_days", 1, from_days},
    {"my_makedate", 2, make_date},
    {"my_sec_to_time", 1, sec_to_time},
    {"my_datediff", 2, date_diff},
    {"my_timestampdiff", 3, timestamp_diff},
    {"my_date_add", 3, date_added},
    {"my_date_sub", 3, date_taken},
    {"my_extract", 2, extract},
};
const size_t mysql_sql_dates_count = ARRAY_COUNT(mysql_sql_dates);
