/* Moments as signatures name them. */
#include "sigv4_internal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void sigv4_date(int64_t wall_us, char out[SIGV4_DATE_BYTES])
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    if (strftime(out, SIGV4_DATE_BYTES, "%Y%m%dT%H%M%SZ", &utc) == 0) {
        out[0] = '\0';
    }
}

/* Reads a field of the date, all of whose bytes must be digits. */
static bool date_digits_read(struct span text, int *out)
{
    int value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        value = value * 10 + (text.ptr[i] - '0');
    }
    *out = value;
    return true;
}

static struct span date_field(struct span text, size_t start, size_t len)
{
    return span_first(span_skip(text, start), len);
}

/* False for a day or an hour that there is not (timegm would take the 31st of June for the 1st of
 * July). Seconds that there are not are another minute as well. */
static bool date_seconds(struct tm wanted, int64_t *seconds)
{
    struct tm given = wanted;
    time_t when = timegm(&given);
    if (given.tm_mon != wanted.tm_mon || given.tm_mday != wanted.tm_mday ||
        given.tm_hour != wanted.tm_hour || given.tm_min != wanted.tm_min) {
        return false;
    }
    *seconds = (int64_t)when;
    return true;
}

bool sigv4_date_parse(struct span text, int64_t *seconds)
{
    struct tm t = {0};
    if (text.len != SIGV4_DATE_BYTES - 1 || text.ptr[8] != 'T' || text.ptr[15] != 'Z' ||
        !date_digits_read(date_field(text, 0, 4), &t.tm_year) ||
        !date_digits_read(date_field(text, 4, 2), &t.tm_mon) ||
        !date_digits_read(date_field(text, 6, 2), &t.tm_mday) ||
        !date_digits_read(date_field(text, 9, 2), &t.tm_hour) ||
        !date_digits_read(date_field(text, 11, 2), &t.tm_min) ||
        !date_digits_read(date_field(text, 13, 2), &t.tm_sec)) {
        return false;
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return date_seconds(t, seconds);
}
