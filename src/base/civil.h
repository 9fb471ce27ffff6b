/* Dates of the Gregorian calendar (proleptic) and days since 1970-01-01. */
#ifndef PINPIPE_CIVIL_H
#define PINPIPE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

enum { CIVIL_DAY_MS = 86400000 };

int64_t civil_days(int64_t year, unsigned month, unsigned day);
void civil_date(int64_t days, int64_t *year, unsigned *month, unsigned *day);
unsigned civil_month_days(int64_t year, unsigned month);
/* 1 = Monday .. 7 = Sunday, as in ISO 8601. */
unsigned civil_weekday(int64_t days);
/* value / by, rounded down; by > 0. */
int64_t civil_floor_div(int64_t value, int64_t by);

#endif
