#include "sink_time.h"

#include "civil.h"

#include <stdio.h>
#include <string.h>

enum { hour_ms = 3600000, minute_ms = 60000, width_max = 32, year_digits_max = 9 };
/* Years whose milliseconds a long can count. */
enum { year_min = -292275054, year_max = 292278993 };

/* --- patterns --------------------------------------------------------------------------------- */

static const char pattern_symbols[] = "GCYxweEyDMdaKhHkmsSzZ";

static bool is_letter(char ch)
{
    return (ch | 32) >= 'a' && (ch | 32) <= 'z';
}

/* The part at the start of `rest`, which is no quote; its length in bytes. */
static size_t pattern_part_read(struct span rest, bool quoted, struct sink_pattern_part *part)
{
    size_t len = 1;
    *part = (struct sink_pattern_part){.text = SPAN_EMPTY};
    if (!quoted && is_letter(rest.ptr[0])) {
        while (len < rest.len && rest.ptr[len] == rest.ptr[0]) {
            len++;
        }
        part->symbol = rest.ptr[0];
        part->width = (unsigned)(len < width_max ? len : width_max);
        return len;
    }
    while (len < rest.len && rest.ptr[len] != '\'' && (quoted || !is_letter(rest.ptr[len]))) {
        len++;
    }
    part->text = span_first(rest, len);
    return len;
}

enum status sink_pattern_compile(struct span text, struct sink_pattern *out, struct error *err)
{
    bool quoted = false;
    out->count = 0;
    if (text.len == 0) {
        return error_set(err, STATUS_INVALID, "Invalid pattern specification");
    }
    for (size_t i = 0; i < text.len;) {
        struct span rest = span_skip(text, i);
        struct sink_pattern_part part = {.text = span_first(rest, 1)};
        if (span_starts_with(rest, SPAN_LIT("''"))) { /* a quote itself, inside and outside */
            i += 2;
        } else if (rest.ptr[0] == '\'') {
            quoted = !quoted;
            i++;
            continue;
        } else {
            i += pattern_part_read(rest, quoted, &part);
        }
        /* Java's 'u', 'L' and other letters are none of Joda's. */
        if (part.symbol != '\0' && strchr(pattern_symbols, part.symbol) == NULL) {
            return error_set(err, STATUS_INVALID, "Illegal pattern component: %c", part.symbol);
        }
        if (out->count == SINK_PATTERN_PARTS_MAX) {
            return error_set(err, STATUS_LIMIT, "a path.format has at most %d parts",
                             SINK_PATTERN_PARTS_MAX);
        }
        out->parts[out->count++] = part;
    }
    return STATUS_OK;
}

/* A moment in its zone, taken apart. */
struct moment {
    int64_t days;
    int64_t year;
    unsigned month;
    unsigned day;
    int64_t day_ms;
    int64_t offset_ms;
};

static struct moment moment_at(const struct tz *tz, int64_t utc_ms)
{
    struct moment m = {.offset_ms = tz_offset_ms(tz, utc_ms)};
    int64_t local = utc_ms + m.offset_ms;
    m.days = civil_floor_div(local, CIVIL_DAY_MS);
    m.day_ms = local - m.days * CIVIL_DAY_MS;
    civil_date(m.days, &m.year, &m.month, &m.day);
    return m;
}

/* ISO 8601: the week belongs to the year that has its Thursday. */
static void week_of(const struct moment *m, int64_t *year, int64_t *week)
{
    unsigned month;
    unsigned day;
    int64_t thursday = m->days - civil_weekday(m->days) + 4;
    civil_date(thursday, year, &month, &day);
    *week = (thursday - civil_days(*year, 1, 1)) / 7 + 1;
}

static void pattern_write_number(struct buf *out, int64_t value, unsigned width)
{
    buf_printf(out, "%0*lld", (int)(value < 0 ? width + 1 : width), (long long)value);
}

static void write_year(struct buf *out, int64_t year, unsigned width)
{
    if (width == 2) {
        pattern_write_number(out, (year % 100 + 100) % 100, 2);
    } else {
        pattern_write_number(out, year, width < year_digits_max ? width : year_digits_max);
    }
}

static void write_offset(struct buf *out, int64_t offset_ms, bool colon)
{
    long long minutes = offset_ms / minute_ms;
    buf_append_byte(out, minutes < 0 ? '-' : '+');
    minutes = minutes < 0 ? -minutes : minutes;
    buf_printf(out, colon ? "%02lld:%02lld" : "%02lld%02lld", minutes / 60, minutes % 60);
}

static void write_name(struct buf *out, const char *name, bool whole)
{
    buf_append(out, name, whole ? strlen(name) : 3);
}

static void write_fraction(struct buf *out, int64_t ms, unsigned width)
{
    static const int64_t divisors[] = {100, 10, 1};
    for (unsigned i = 0; i < width; i++) {
        buf_append_byte(out, i < 3 ? (char)('0' + ms / divisors[i] % 10) : '0');
    }
}

static void write_zone(struct buf *out, const struct sink_pattern_part *part, const struct tz *tz,
                       int64_t offset_ms)
{
    bool utc = strcmp(tz->name, "UTC") == 0 || strcmp(tz->name, "Etc/UTC") == 0;
    if (part->symbol == 'Z' && part->width <= 2) {
        write_offset(out, offset_ms, part->width == 2);
    } else if (part->symbol == 'Z' || utc) {
        buf_append_cstr(out, utc ? "UTC" : tz->name);
    } else {
        write_offset(out, offset_ms, true);
    }
}

static void write_date_part(struct buf *out, const struct sink_pattern_part *part,
                            const struct moment *m, bool english)
{
    int64_t year_of_era = m->year > 0 ? m->year : 1 - m->year;
    int64_t week_year;
    int64_t week;
    week_of(m, &week_year, &week);
    switch (part->symbol) {
    case 'G':
        buf_append_cstr(out, english ? m->year > 0 ? "AD" : "BC" : m->year > 0 ? "CE" : "BCE");
        break;
    case 'C':
        pattern_write_number(out, year_of_era / 100, part->width);
        break;
    case 'Y':
        write_year(out, year_of_era, part->width);
        break;
    case 'y':
        write_year(out, m->year, part->width);
        break;
    case 'x':
        write_year(out, week_year, part->width);
        break;
    case 'w':
        pattern_write_number(out, week, part->width);
        break;
    case 'e':
        pattern_write_number(out, civil_weekday(m->days), part->width);
        break;
    case 'E':
        write_name(out, civil_weekday_name(civil_weekday(m->days)), english && part->width >= 4);
        break;
    case 'D':
        pattern_write_number(out, m->days - civil_days(m->year, 1, 1) + 1, part->width);
        break;
    case 'M':
        if (part->width >= 3) {
            write_name(out, civil_month_name(m->month), english && part->width >= 4);
        } else {
            pattern_write_number(out, m->month, part->width);
        }
        break;
    default: /* 'd' */
        pattern_write_number(out, m->day, part->width);
        break;
    }
}

static void write_time_part(struct buf *out, const struct sink_pattern_part *part,
                            const struct moment *m)
{
    int64_t hour = m->day_ms / hour_ms;
    switch (part->symbol) {
    case 'a':
        buf_append_cstr(out, hour < 12 ? "AM" : "PM");
        break;
    case 'K':
        pattern_write_number(out, hour % 12, part->width);
        break;
    case 'h':
        pattern_write_number(out, hour % 12 == 0 ? 12 : hour % 12, part->width);
        break;
    case 'H':
        pattern_write_number(out, hour, part->width);
        break;
    case 'k':
        pattern_write_number(out, hour == 0 ? 24 : hour, part->width);
        break;
    case 'm':
        pattern_write_number(out, m->day_ms / minute_ms % 60, part->width);
        break;
    case 's':
        pattern_write_number(out, m->day_ms / 1000 % 60, part->width);
        break;
    default: /* 'S' */
        write_fraction(out, m->day_ms % 1000, part->width);
        break;
    }
}

void sink_pattern_write(const struct sink_pattern *pattern, const struct tz *tz, int64_t utc_ms,
                        struct buf *out)
{
    struct moment m = moment_at(tz, utc_ms);
    for (size_t i = 0; i < pattern->count; i++) {
        const struct sink_pattern_part *part = &pattern->parts[i];
        if (part->symbol == '\0') {
            buf_append_span(out, part->text);
        } else if (part->symbol == 'z' || part->symbol == 'Z') {
            write_zone(out, part, tz, m.offset_ms);
        } else if (strchr("aKhHkmsS", part->symbol) != NULL) {
            write_time_part(out, part, &m);
        } else {
            write_date_part(out, part, &m, pattern->english);
        }
    }
}

/* --- ISO 8601 --------------------------------------------------------------------------------- */

/* position: how far it could be read, as Joda counts it. */
struct iso {
    struct span text;
    size_t position;
    int64_t year;
    int64_t month;
    int64_t day;
    bool is_ordinal;
    int64_t day_of_year;
    bool is_week; /* then `day` is that of the week */
    int64_t week;
    int64_t hour;
    int64_t minute;
    int64_t second;
    int64_t fraction_ms;
    int64_t offset_ms;
};

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* A letter in either case, as Joda takes T, W and Z. */
static bool iso_at(const struct iso *iso, size_t position, char ch)
{
    if (position >= iso->text.len) {
        return false;
    }
    char there = iso->text.ptr[position];
    return there == ch || (is_letter(ch) && is_letter(there) && (there | 32) == (ch | 32));
}

static bool iso_take(struct iso *iso, char ch)
{
    if (iso_at(iso, iso->position, ch)) {
        iso->position++;
        return true;
    }
    return false;
}

static bool iso_number(struct iso *iso, size_t digits_max, int64_t *out)
{
    int64_t value = 0;
    size_t digits = 0;
    while (digits < digits_max && iso->position < iso->text.len &&
           is_digit(iso->text.ptr[iso->position])) {
        value = value * 10 + (iso->text.ptr[iso->position++] - '0');
        digits++;
    }
    *out = value;
    return digits > 0;
}

/* ".5" behind an hour is half of it: nine digits at most, each worth a tenth of the one before it,
 * rounded down, as Joda counts. */
static bool iso_fraction(struct iso *iso, int64_t unit_ms)
{
    enum { fraction_digits_max = 9 };
    size_t start = iso->position;
    if (!iso_take(iso, '.') && !iso_take(iso, ',')) {
        return true;
    }
    int64_t worth = unit_ms * 10;
    int64_t sum = 0;
    size_t digits = 0;
    while (digits < fraction_digits_max && iso->position < iso->text.len &&
           is_digit(iso->text.ptr[iso->position])) {
        worth /= 10;
        sum += (iso->text.ptr[iso->position++] - '0') * worth;
        digits++;
    }
    iso->fraction_ms = sum / 10;
    if (digits == 0) {
        iso->position = start;
    }
    return digits > 0;
}

/* The separator and a number behind it; without the number the separator stays unread, and *failed
 * says so. */
static bool iso_next(struct iso *iso, char separator, size_t digits_max, int64_t *out, bool *failed)
{
    size_t start = iso->position;
    if (!iso_take(iso, separator)) {
        return false;
    }
    if (!iso_number(iso, digits_max, out)) {
        iso->position = start;
        *failed = true;
    }
    return !*failed;
}

static bool iso_time(struct iso *iso)
{
    bool failed = false;
    if (!iso_number(iso, 2, &iso->hour)) {
        return false;
    }
    if (!iso_next(iso, ':', 2, &iso->minute, &failed)) {
        return !failed && iso_fraction(iso, hour_ms);
    }
    if (!iso_next(iso, ':', 2, &iso->second, &failed)) {
        return !failed && iso_fraction(iso, minute_ms);
    }
    return iso_fraction(iso, 1000);
}

/* The next part of an offset, of two digits and at most `most`. *more: there is one. False: what
 * stands there is none, though a separator says that there is. */
static bool iso_offset_part(struct iso *iso, bool colons, int64_t most, bool *more, int64_t *out)
{
    if (colons && !iso_take(iso, ':')) {
        *more = false;
    }
    size_t start = iso->position;
    if (!*more || (!iso_number(iso, 2, out) && !colons)) {
        *more = false;
        *out = 0;
        return true;
    }
    return iso->position - start == 2 && *out <= most;
}

/* .5 behind the seconds, without the point where there were no colons. */
static bool iso_offset_fraction(struct iso *iso, bool colons, int64_t *out)
{
    if (colons && !iso_take(iso, '.') && !iso_take(iso, ',')) {
        return true;
    }
    size_t start = iso->position;
    bool any = iso_number(iso, 3, out);
    for (size_t digits = iso->position - start; digits < 3; digits++) {
        *out *= 10;
    }
    return any || !colons;
}

/* Z, or +hh with the rest of hh:mm:ss.SSS or of hhmmssSSS; what is none of them is not read at
 * all. */
static bool iso_offset(struct iso *iso)
{
    int64_t hours;
    int64_t minutes = 0;
    int64_t seconds = 0;
    int64_t ms = 0;
    bool more = true;
    if (iso_take(iso, 'Z') || iso->position == iso->text.len) {
        return true;
    }
    size_t start = iso->position;
    bool west = iso_take(iso, '-');
    if (!west && !iso_take(iso, '+')) {
        return false;
    }
    bool whole = iso_offset_part(iso, false, 23, &more, &hours) && more;
    bool colons = iso_at(iso, iso->position, ':');
    if (!whole || !iso_offset_part(iso, colons, 59, &more, &minutes) ||
        !iso_offset_part(iso, colons, 59, &more, &seconds) ||
        (more && !iso_offset_fraction(iso, colons, &ms))) {
        iso->position = start;
        return false;
    }
    ms += hours * hour_ms + minutes * minute_ms + seconds * 1000;
    iso->offset_ms = west ? -ms : ms;
    return true;
}

/* yyyy[-MM[-dd]], yyyy-DDD, xxxx-Www[-e] */
static bool iso_date(struct iso *iso)
{
    bool negative = iso_take(iso, '-');
    if (!negative) {
        (void)iso_take(iso, '+');
    }
    if (!iso_number(iso, year_digits_max, &iso->year)) {
        return false;
    }
    iso->year = negative ? -iso->year : iso->year;
    bool failed = false;
    size_t start = iso->position;
    if (iso_at(iso, start, '-') && iso_at(iso, start + 1, 'W')) {
        iso->position += 2;
        iso->is_week = true;
        return iso_number(iso, 2, &iso->week) &&
               (iso_next(iso, '-', 1, &iso->day, &failed) || !failed);
    }
    if (!iso_next(iso, '-', 3, &iso->month, &failed)) {
        return !failed;
    }
    if (iso->position - start == 4) {
        iso->is_ordinal = true;
        iso->day_of_year = iso->month;
        return true;
    }
    return iso_next(iso, '-', 2, &iso->day, &failed) || !failed;
}

static int64_t week_monday(int64_t year)
{
    int64_t fourth = civil_days(year, 1, 4); /* is in week 1 */
    return fourth - (civil_weekday(fourth) - 1);
}

/* A field and what it may be. */
struct iso_field {
    const char *name;
    int64_t value;
    int64_t min;
    int64_t max;
};

/* Java's words for the first field out of its range; false when there is one. */
static bool iso_check(const struct iso *iso, struct sink_time_fault *fault)
{
    bool by_week = iso->is_week;
    bool by_day = iso->is_ordinal;
    int64_t weeks = (week_monday(iso->year + 1) - week_monday(iso->year)) / 7;
    bool month_ok = iso->month >= 1 && iso->month <= 12;
    int64_t month_days = month_ok ? civil_month_days(iso->year, (unsigned)iso->month) : 31;
    const struct iso_field fields[] = {
        {by_week ? "weekyear" : "year", iso->year, year_min, year_max},
        {"weekOfWeekyear", by_week ? iso->week : 1, 1, weeks},
        {"dayOfWeek", by_week ? iso->day : 1, 1, 7},
        {"dayOfYear", by_day ? iso->day_of_year : 1, 1, civil_month_days(iso->year, 2) + 337},
        {"monthOfYear", by_week || by_day ? 1 : iso->month, 1, 12},
        {"dayOfMonth", by_week || by_day ? 1 : iso->day, 1, month_days},
        {"hourOfDay", iso->hour, 0, 23},
        {"minuteOfHour", iso->minute, 0, 59},
        {"secondOfMinute", iso->second, 0, 59},
    };
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        const struct iso_field *field = &fields[i];
        if (field->value < field->min || field->value > field->max) {
            struct span shown = span_first(iso->text, 40);
            fault->class_name = "org.joda.time.IllegalFieldValueException";
            snprintf(fault->message, sizeof(fault->message),
                     "Cannot parse \"%.*s\": Value %lld for %s must be in the range [%lld,%lld]",
                     SPAN_ARG(shown), (long long)field->value, field->name, (long long)field->min,
                     (long long)field->max);
            return false;
        }
    }
    return true;
}

static int64_t iso_days(const struct iso *iso)
{
    if (iso->is_week) {
        return week_monday(iso->year) + (iso->week - 1) * 7 + iso->day - 1;
    }
    if (iso->is_ordinal) {
        return civil_days(iso->year, 1, 1) + iso->day_of_year - 1;
    }
    return civil_days(iso->year, (unsigned)iso->month, (unsigned)iso->day);
}

static bool iso_read(struct iso *iso)
{
    if (iso_take(iso, 'T')) {
        return iso_time(iso) && iso_offset(iso);
    }
    if (!iso_date(iso)) {
        return false;
    }
    if (!iso_take(iso, 'T')) {
        return true;
    }
    bool has_time = iso->position < iso->text.len && is_digit(iso->text.ptr[iso->position]);
    return (!has_time || iso_time(iso)) && iso_offset(iso);
}

/* How far it could be read is told. Joda shows 32 characters more, or all when it saves none. */
static void iso_refuse(const struct iso *iso, struct sink_time_fault *fault)
{
    struct span shown = iso->text;
    const char *dots = "";
    if (shown.len > iso->position + 32 + 3) {
        shown.len = iso->position + 32;
        dots = "...";
    }
    fault->class_name = "java.lang.IllegalArgumentException";
    char *at = fault->message;
    size_t cap = sizeof(fault->message);
    if (iso->position == 0) {
        snprintf(at, cap, "Invalid format: \"%.*s%s\"", SPAN_ARG(shown), dots);
    } else if (iso->position >= iso->text.len) {
        snprintf(at, cap, "Invalid format: \"%.*s%s\" is too short", SPAN_ARG(shown), dots);
    } else {
        snprintf(at, cap, "Invalid format: \"%.*s%s\" is malformed at \"%.*s%s\"", SPAN_ARG(shown),
                 dots, SPAN_ARG(span_skip(shown, iso->position)), dots);
    }
}

bool sink_time_parse_iso(struct span text, int64_t *ms, struct sink_time_fault *fault)
{
    struct iso iso = {.text = text, .year = 1970, .month = 1, .day = 1};
    if (!iso_read(&iso) || iso.position < text.len) {
        iso_refuse(&iso, fault);
        return false;
    }
    if (!iso_check(&iso, fault)) {
        return false;
    }
    *ms = iso_days(&iso) * CIVIL_DAY_MS + iso.hour * hour_ms + iso.minute * minute_ms +
          iso.second * 1000 + iso.fraction_ms - iso.offset_ms;
    return true;
}
