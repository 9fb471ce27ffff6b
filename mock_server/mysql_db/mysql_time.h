/* Dates and times in MySQL's spellings: read from texts in all the ways that MySQL reads them, and
 * written in the one that it shows. */
#ifndef PINPIPE_MYSQL_TIME_H
#define PINPIPE_MYSQL_TIME_H

#include "buf.h"

struct mysql_time {
    bool has_date;
    bool has_time;
    bool has_fraction;
    bool negative; /* of a time alone */
    int year;
    unsigned month;
    unsigned day;
    unsigned hour; /* of a time alone, up to 838 */
    unsigned minute;
    unsigned second;
    unsigned us;
};

enum { MYSQL_TIME_BYTES = 48 };

/* A date, or a date and a time; false: neither, or no day of the calendar. */
bool mysql_time_parse(struct span text, struct mysql_time *out);
/* A time, or a date and a time; "-12:30", "1 10:00:00". */
bool mysql_time_parse_time(struct span text, struct mysql_time *out);
/* 20231114 or 20231114221320, as numbers say it. */
bool mysql_time_parse_number(int64_t value, struct mysql_time *out);
/* Writes as much as there is of date, time and fraction. */
size_t mysql_time_write(const struct mysql_time *time, char out[MYSQL_TIME_BYTES]);

int64_t mysql_time_days(const struct mysql_time *time); /* since 1970-01-01 */
int64_t mysql_time_us(const struct mysql_time *time);   /* the same, whole */
/* False: before the year 0 or behind 9999. */
bool mysql_time_from_us(int64_t us, struct mysql_time *out);

/* DATE_FORMAT's letters. */
void mysql_time_format(const struct mysql_time *time, struct span format, struct buf *out);
/* STR_TO_DATE's; false: the text is not so. */
bool mysql_time_scan(struct span text, struct span format, struct mysql_time *out);
/* WEEK(date, mode), and the year that it belongs to. */
unsigned mysql_time_week(const struct mysql_time *time, unsigned mode, int *year);

#endif
