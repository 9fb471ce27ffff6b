/* Time zones by name, read from the system's zoneinfo files (RFC 8536): no environment, no global
 * state as in tzset. "UTC", "GMT" and fixed offsets ("+02:00", "-0530") need no files. Conversions
 * are those of Joda-Time, which the sink's partitioners use.
 *
 * DIFFERS: Joda-Time brings zone data of its own; here the system's rules apply. */
#ifndef PINPIPE_TZ_H
#define PINPIPE_TZ_H

#include "error.h"
#include "span.h"

enum { TZ_NAME_BYTES_MAX = 64, TZ_FILE_BYTES_MAX = 256 * 1024 };

struct tz_transition {
    int64_t at_s; /* from here on */
    int32_t offset_s;
};

/* "M3.2.0/2" and its kin: when a change happens in a year. */
struct tz_change {
    char kind; /* 'M', 'J' (day 1..365, no leap day), 'D' (day 0..365) */
    int month;
    int week;
    int day;
    int32_t time_s;
};

struct tz {
    char name[TZ_NAME_BYTES_MAX + 1];
    struct tz_transition *transitions;
    size_t transition_count;
    int32_t first_offset_s; /* before the first transition */
    /* The rule from the last transition on: standard time, and summer time if there is any. */
    bool has_rule;
    bool has_summer;
    int32_t standard_s;
    int32_t summer_s;
    struct tz_change to_summer;
    struct tz_change to_standard;
};

/* INVALID: not a name; NOT_FOUND: no such zone; CONFIG: the system has no zone files, or a broken
 * one. The messages name the zone. */
enum status tz_open(struct span name, struct tz *out, struct error *err) PP_MUST_USE;
void tz_close(struct tz *tz);
/* A zone file's bytes: transitions and rule, into a zone without any; false when they are none. */
bool tz_file_parse(struct span file, struct tz *tz);

int64_t tz_offset_ms(const struct tz *tz, int64_t utc_ms);
/* The UTC time of a local one; in a gap the offset before it holds, as Joda's
 * convertLocalToUTC(..., false) has it. */
int64_t tz_local_to_utc_ms(const struct tz *tz, int64_t local_ms);

#endif
