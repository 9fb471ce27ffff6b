#include "tz.h"

#include "civil.h"
#include "file.h"
#include "search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char zone_folder[] = "/usr/share/zoneinfo/";

enum {
    header_bytes = 44,
    transitions_max = 10000,
    hour_s = 3600,
    day_s = 86400,
    offset_s_max = 26 * hour_s,
};

/* --- reading ---------------------------------------------------------------------------------- */

static int64_t big_endian(const char *p, size_t len)
{
    uint64_t value = (unsigned char)p[0] >= 0x80 ? UINT64_MAX : 0;
    for (size_t i = 0; i < len; i++) {
        value = value << 8 | (unsigned char)p[i];
    }
    int64_t result;
    memcpy(&result, &value, sizeof(result));
    return result;
}

/* The counts of one block's header, and where its data is. */
struct block {
    size_t utc_count;
    size_t standard_count;
    size_t leap_count;
    size_t time_count;
    size_t type_count;
    size_t char_count;
    size_t time_bytes;
    struct span data;
};

static bool block_read(struct span file, size_t start, size_t time_bytes, struct block *out)
{
    struct span rest = span_skip(file, start);
    if (rest.len < header_bytes || memcmp(rest.ptr, "TZif", 4) != 0) {
        return false;
    }
    size_t *counts[] = {&out->utc_count,  &out->standard_count, &out->leap_count,
                        &out->time_count, &out->type_count,     &out->char_count};
    for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
        int64_t value = big_endian(rest.ptr + 20 + 4 * i, 4);
        if (value < 0 || value > TZ_FILE_BYTES_MAX) {
            return false;
        }
        *counts[i] = (size_t)value;
    }
    out->time_bytes = time_bytes;
    size_t data_bytes = out->time_count * (time_bytes + 1) + out->type_count * 6 + out->char_count +
                        out->leap_count * (time_bytes + 4) + out->standard_count + out->utc_count;
    out->data = span_first(span_skip(rest, header_bytes), data_bytes);
    return out->data.len == data_bytes && out->type_count > 0 && out->time_count <= transitions_max;
}

static bool block_transitions(const struct block *block, struct tz *tz)
{
    const char *times = block->data.ptr;
    const char *types = times + block->time_count * block->time_bytes;
    const char *infos = types + block->time_count;
    tz->transitions = malloc((block->time_count + 1) * sizeof(*tz->transitions));
    if (tz->transitions == NULL) {
        return false;
    }
    tz->first_offset_s = (int32_t)big_endian(infos, 4);
    for (size_t i = 0; i < block->time_count; i++) {
        size_t type = (unsigned char)types[i];
        if (type >= block->type_count) {
            return false;
        }
        tz->transitions[i].at_s = big_endian(times + i * block->time_bytes, block->time_bytes);
        tz->transitions[i].offset_s = (int32_t)big_endian(infos + 6 * type, 4);
        if (i > 0 && tz->transitions[i].at_s <= tz->transitions[i - 1].at_s) {
            return false;
        }
    }
    tz->transition_count = block->time_count;
    return true;
}

/* --- the rule behind the last transition ("CET-1CEST,M3.5.0,M10.5.0/3") -------------------------
 */

static bool tz_take(struct span *text, char ch)
{
    if (text->len == 0 || text->ptr[0] != ch) {
        return false;
    }
    *text = span_skip(*text, 1);
    return true;
}

static bool tz_take_number(struct span *text, int max, int *out)
{
    size_t len = 0;
    int value = 0;
    while (len < text->len && len < 4 && text->ptr[len] >= '0' && text->ptr[len] <= '9') {
        value = value * 10 + (text->ptr[len++] - '0');
    }
    *text = span_skip(*text, len);
    *out = value;
    return len > 0 && value <= max;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct span *text, int hours_max, int32_t *seconds)
{
    int hours = 0;
    int minutes = 0;
    int rest = 0;
    bool negative = tz_take(text, '-');
    if (!negative) {
        (void)tz_take(text, '+');
    }
    if (!tz_take_number(text, hours_max, &hours) ||
        (tz_take(text, ':') && (!tz_take_number(text, 59, &minutes) ||
                                (tz_take(text, ':') && !tz_take_number(text, 59, &rest))))) {
        return false;
    }
    *seconds = (hours * hour_s + minutes * 60 + rest) * (negative ? -1 : 1);
    return true;
}

/* "CET" or "<+03>" */
static bool take_abbreviation(struct span *text)
{
    size_t len = 0;
    if (tz_take(text, '<')) {
        len = span_find_byte(*text, '>');
        bool closed = len < text->len;
        *text = span_skip(*text, len + 1);
        return closed;
    }
    while (len < text->len && ((text->ptr[len] | 32) >= 'a' && (text->ptr[len] | 32) <= 'z')) {
        len++;
    }
    *text = span_skip(*text, len);
    return len >= 3;
}

static bool take_change(struct span *text, struct tz_change *out)
{
    *out = (struct tz_change){.kind = 'D', .time_s = 2 * hour_s};
    bool ok;
    if (tz_take(text, 'M')) {
        out->kind = 'M';
        ok = tz_take_number(text, 12, &out->month) && tz_take(text, '.') &&
             tz_take_number(text, 5, &out->week) && tz_take(text, '.') &&
             tz_take_number(text, 6, &out->day) && out->month > 0 && out->week > 0;
    } else {
        out->kind = tz_take(text, 'J') ? 'J' : 'D';
        ok = tz_take_number(text, 365, &out->day);
    }
    return ok && (!tz_take(text, '/') || take_time(text, 167, &out->time_s));
}

/* Offsets of POSIX rules grow to the west. */
static bool rule_read(struct span text, struct tz *tz)
{
    if (text.len == 0) {
        return true;
    }
    if (!take_abbreviation(&text) || !take_time(&text, 24, &tz->standard_s)) {
        return false;
    }
    tz->standard_s = -tz->standard_s;
    tz->has_rule = true;
    if (text.len == 0) {
        return true;
    }
    tz->has_summer = true;
    tz->summer_s = tz->standard_s + hour_s;
    if (!take_abbreviation(&text)) {
        return false;
    }
    if (text.len > 0 && text.ptr[0] != ',') {
        if (!take_time(&text, 24, &tz->summer_s)) {
            return false;
        }
        tz->summer_s = -tz->summer_s;
    }
    return tz_take(&text, ',') && take_change(&text, &tz->to_summer) && tz_take(&text, ',') &&
           take_change(&text, &tz->to_standard) && text.len == 0;
}

bool tz_file_parse(struct span file, struct tz *tz)
{
    struct block block;
    if (!block_read(file, 0, 4, &block)) {
        return false;
    }
    if (file.ptr[4] >= '2') { /* a second block with wide times, then the rule in a line */
        size_t second = (size_t)(block.data.ptr + block.data.len - file.ptr);
        if (!block_read(file, second, 8, &block)) {
            return false;
        }
        struct span line = span_skip(file, (size_t)(block.data.ptr + block.data.len - file.ptr));
        if (!tz_take(&line, '\n') || !rule_read(span_first(line, span_find_byte(line, '\n')), tz)) {
            return false;
        }
    }
    return block_transitions(&block, tz);
}

/* --- opening ---------------------------------------------------------------------------------- */

static bool name_is_legal(struct span name)
{
    if (name.len == 0 || name.len > TZ_NAME_BYTES_MAX || name.ptr[0] == '/') {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char ch = name.ptr[i];
        bool word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
                    (ch >= '0' && ch <= '9') || strchr("_+-/", ch) != NULL;
        if (!word || ch == '\0') { /* no dots: nothing outside the folder has a name */
            return false;
        }
    }
    return true;
}

/* "+02:00", "-0530", "+2": Joda's ids of fixed offsets. */
static bool fixed_offset(struct span name, int32_t *offset_s)
{
    int hours;
    int minutes = 0;
    bool west = tz_take(&name, '-');
    if (!west && !tz_take(&name, '+')) {
        return false;
    }
    struct span digits = span_first(name, 2);
    if (name.len < 2 || !tz_take_number(&digits, 23, &hours) || digits.len > 0) {
        return false;
    }
    name = span_skip(name, 2);
    if (name.len > 0) {
        (void)tz_take(&name, ':');
        if (name.len != 2 || !tz_take_number(&name, 59, &minutes)) {
            return false;
        }
    }
    *offset_s = (hours * hour_s + minutes * 60) * (west ? -1 : 1);
    return true;
}

/* Offsets have one spelling. */
static void name_fixed(struct tz *tz, struct span name)
{
    if ((name.ptr[0] | 32) >= 'a') {
        memcpy(tz->name, name.ptr, name.len);
    } else {
        int minutes = (tz->standard_s < 0 ? -tz->standard_s : tz->standard_s) / 60;
        snprintf(tz->name, sizeof(tz->name), "%c%02d:%02d", tz->standard_s < 0 ? '-' : '+',
                 minutes / 60, minutes % 60);
    }
}

enum status tz_open(struct span name, struct tz *out, struct error *err)
{
    struct tz tz = {.has_rule = true};
    *out = tz;
    if (span_equal_cstr(name, "UTC") || span_equal_cstr(name, "GMT") ||
        span_equal_cstr(name, "Etc/UTC") || fixed_offset(name, &tz.standard_s)) {
        tz.first_offset_s = tz.standard_s;
        name_fixed(&tz, name);
        *out = tz;
        return STATUS_OK;
    }
    if (!name_is_legal(name)) {
        return error_set(err, STATUS_INVALID, "The datetime zone id '%.*s' is not recognised",
                         SPAN_ARG(name));
    }
    char path[sizeof(zone_folder) + TZ_NAME_BYTES_MAX];
    memcpy(path, zone_folder, sizeof(zone_folder) - 1);
    memcpy(path + sizeof(zone_folder) - 1, name.ptr, name.len);
    path[sizeof(zone_folder) - 1 + name.len] = '\0';
    struct buf file;
    buf_init(&file, TZ_FILE_BYTES_MAX);
    enum status status = STATUS_OK;
    if (!file_exists("/usr/share/zoneinfo")) {
        status = error_set(err, STATUS_CONFIG,
                           "there are no time zone files in %s (install tzdata); UTC and fixed "
                           "offsets work without",
                           zone_folder);
    } else if (file_read(path, &file, NULL) != STATUS_OK) {
        status = error_set(err, STATUS_NOT_FOUND, "The datetime zone id '%.*s' is not recognised",
                           SPAN_ARG(name));
    }
    tz.has_rule = false;
    memcpy(tz.name, name.ptr, name.len);
    if (status == STATUS_OK && !tz_file_parse(buf_span(&file), &tz)) {
        tz_close(&tz);
        status = error_set(err, STATUS_CONFIG, "%s is no time zone file", path);
    }
    buf_release(&file);
    if (status == STATUS_OK) {
        *out = tz;
    }
    return status;
}

void tz_close(struct tz *tz)
{
    free(tz->transitions);
    tz->transitions = NULL;
    tz->transition_count = 0;
}

/* --- asking ----------------------------------------------------------------------------------- */

/* The local second of the change, counted as if local time were UTC. */
static int64_t change_local_s(const struct tz_change *change, int64_t year)
{
    int64_t day = civil_days(year, 1, 1);
    switch (change->kind) {
    case 'M': {
        int64_t first = civil_days(year, (unsigned)change->month, 1);
        int weekday = (int)(civil_weekday(first) % 7); /* 0 = Sunday, as in the rule */
        int offset = (change->day - weekday + 7) % 7 + 7 * (change->week - 1);
        while (offset >= (int)civil_month_days(year, (unsigned)change->month)) {
            offset -= 7; /* week 5 is the last one */
        }
        day = first + offset;
        break;
    }
    case 'J': /* February 29 has no number */
        day += change->day - 1 + (change->day >= 60 && civil_month_days(year, 2) == 29 ? 1 : 0);
        break;
    case 'D':
        day += change->day;
        break;
    }
    return day * day_s + change->time_s;
}

static int32_t rule_offset_s(const struct tz *tz, int64_t utc_s)
{
    if (!tz->has_summer) {
        return tz->standard_s;
    }
    int64_t year;
    unsigned month;
    unsigned day;
    civil_date(civil_floor_div(utc_s + tz->standard_s, day_s), &year, &month, &day);
    int64_t summer = change_local_s(&tz->to_summer, year) - tz->standard_s;
    int64_t standard = change_local_s(&tz->to_standard, year) - tz->summer_s;
    bool in_summer = summer < standard ? utc_s >= summer && utc_s < standard
                                       : utc_s >= summer || utc_s < standard;
    return in_summer ? tz->summer_s : tz->standard_s;
}

/* A transition is over from its own second on. */
static int transition_order(const void *transition, const void *utc_s)
{
    return ((const struct tz_transition *)transition)->at_s <= *(const int64_t *)utc_s ? -1 : 1;
}

static int32_t offset_s(const struct tz *tz, int64_t utc_s)
{
    size_t count = tz->transition_count;
    if (count == 0 || utc_s >= tz->transitions[count - 1].at_s) {
        if (tz->has_rule) {
            return rule_offset_s(tz, utc_s);
        }
        return count > 0 ? tz->transitions[count - 1].offset_s : tz->first_offset_s;
    }
    size_t passed = SEARCH_PLACE(tz->transitions, count, &utc_s, transition_order, NULL);
    return passed == 0 ? tz->first_offset_s : tz->transitions[passed - 1].offset_s;
}

int64_t tz_offset_ms(const struct tz *tz, int64_t utc_ms)
{
    int64_t found = offset_s(tz, civil_floor_div(utc_ms, 1000));
    return found > -offset_s_max && found < offset_s_max ? found * 1000 : 0;
}

int64_t tz_local_to_utc_ms(const struct tz *tz, int64_t local_ms)
{
    int64_t guess = tz_offset_ms(tz, local_ms);
    int64_t offset = tz_offset_ms(tz, local_ms - guess);
    /* East of Greenwich the second look is right in gaps too. */
    if (guess != offset && guess < 0 && tz_offset_ms(tz, local_ms - offset) != offset) {
        offset = guess;
    }
    return local_ms - offset;
}
