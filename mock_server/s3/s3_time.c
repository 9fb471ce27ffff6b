/* Times as S3 writes and reads them: ISO 8601 in XML (with milliseconds that are always 0), RFC
 * 1123 in headers. HTTP's two older forms are read too (RFC 9110 section 5.6.7). */
#include "s3_time.h"

#include "base.h"
#include "civil.h"
#include "http_date.h"

#include <string.h>
#include <time.h>

void s3_time_append(struct buf *out, enum s3_time form, int64_t ms)
{
    char text[64] = "";
    time_t seconds = (time_t)(ms / 1000);
    struct tm utc;
    if (gmtime_r(&seconds, &utc) == NULL) {
        return;
    }
    switch (form) {
    case S3_TIME_ISO:
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000Z", &utc);
        break;
    case S3_TIME_ISO_SHORT:
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
        break;
    case S3_TIME_HTTP:
        http_date_write(ms / 1000, text);
        break;
    }
    buf_append_cstr(out, text);
}

/* --- reading --- */

struct moment {
    int64_t year;
    int64_t month; /* 1..12 */
    int64_t day;
    int64_t hour;
    int64_t minute;
    int64_t second;
};

static bool moment_to_seconds(const struct moment *m, int64_t *seconds)
{
    if (m->year < 1900 || m->year > 9999 || m->month < 1 || m->month > 12 || m->day < 1 ||
        m->day > 31 || m->hour > 23 || m->minute > 59 || m->second > 60) {
        return false;
    }
    *seconds = civil_days(m->year, (unsigned)m->month, (unsigned)m->day) * 86400 + m->hour * 3600 +
               m->minute * 60 + m->second;
    return true;
}

/* Follows the pattern, in which y, o(rdinal of the month), d, h, m, s are digits of those fields, N
 * is a letter of the month's name, '_' a digit of the day or a blank, and everything else stands
 * for itself. */
static bool moment_read(struct span text, const char *pattern, struct moment *out)
{
    static const char fields[] = "yodhms";
    int64_t values[6] = {0, 0, 0, 0, 0, 0};
    struct span name = span_from(text.ptr, 0);
    if (strlen(pattern) != text.len) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        const char *field = strchr(fields, pattern[i] == '_' ? 'd' : pattern[i]);
        if (pattern[i] == 'N') {
            name = span_from(name.len == 0 ? text.ptr + i : name.ptr, name.len + 1);
        } else if (pattern[i] == '_' && byte == ' ') {
            continue;
        } else if (field == NULL) {
            if (byte != pattern[i]) {
                return false;
            }
        } else if (byte < '0' || byte > '9') {
            return false;
        } else {
            values[field - fields] = values[field - fields] * 10 + (byte - '0');
        }
    }
    if (name.len > 0) {
        values[1] = civil_month_number(name); /* 0, which moment_to_seconds refuses */
    }
    *out = (struct moment){values[0], values[1], values[2], values[3], values[4], values[5]};
    return true;
}

/* Reads "Sun, 06 Nov 1994 08:49:37 GMT" and "Sunday, 06-Nov-94 08:49:37 GMT". */
static bool read_with_comma(struct span text, size_t comma, struct moment *m)
{
    enum { pivot = 70 }; /* two-digit years below it are in this century */
    struct span rest = span_trim(span_skip(text, comma + 1));
    if (moment_read(rest, "dd NNN yyyy hh:mm:ss GMT", m)) {
        return true;
    }
    if (!moment_read(rest, "dd-NNN-yy hh:mm:ss GMT", m)) {
        return false;
    }
    m->year += m->year < pivot ? 2000 : 1900;
    return true;
}

bool s3_time_parse(struct span text, int64_t *seconds)
{
    struct moment m;
    text = span_trim(text);
    size_t comma = span_find_byte(text, ',');
    if (comma < text.len) {
        return read_with_comma(text, comma, &m) && moment_to_seconds(&m, seconds);
    }
    /* "Sun Nov  6 08:49:37 1994", or "1994-11-06T08:49:37.000Z" with or without the fraction. */
    bool read = moment_read(span_skip(text, 4), "NNN _d hh:mm:ss yyyy", &m) ||
                moment_read(text, "yyyy-oo-ddThh:mm:ssZ", &m) ||
                (text.len == 24 && text.ptr[19] == '.' && text.ptr[23] == 'Z' &&
                 moment_read(span_first(text, 19), "yyyy-oo-ddThh:mm:ss", &m));
    return read && moment_to_seconds(&m, seconds);
}
