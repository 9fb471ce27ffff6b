/* Dates of the Gregorian calendar (proleptic) and days since 1970-01-01. */
#ifndef PINPIPE_CIVIL_H
#define PINPIPE_CIVIL_H

#include "span.h"

enum { CIVIL_DAY_MS = 86400000 };

int64_t civil_days(int64_t year, unsigned month, unsigned day);
void civil_date(int64_t days, int64_t *year, unsigned *month, unsigned *day);
unsigned civil_month_days(int64_t year, unsigned month);
/* 1 = Monday .. 7 = Sunday, as in ISO 8601. */
unsigned civil_weekday(int64_t days);
/* In English, whole; the first three letters are the abbreviation. */
const char *civil_month_name(unsigned month);
const char *civil_weekday_name(unsigned weekday);
/* 1 to 12 by an abbreviation, in whatever case; 0: there is no such month. */
unsigned civil_month_number(struct span abbreviation);
/* value / by, rounded down; by > 0. */
int64_t civil_floor_div(int64_t value, int64_t by);

#endif
