/* Joda-Time as the partitioners of the sink use it: patterns of DateTimeFormat for paths, and
 * ISODateTimeFormat.dateTimeParser() for fields (specs/s3-sink-connector.md 5).
 *
 * DIFFERS: names of months and days are those of the locale "en" or of Java's root locale (which
 * "en-US" means, for the partitioner takes it for a language), of no other language. Zone names
 * ("z") are offsets, but for UTC. */
#ifndef PINPIPE_SINK_TIME_H
#define PINPIPE_SINK_TIME_H

#include "buf.h"
#include "error.h"
#include "tz.h"

enum { SINK_PATTERN_PARTS_MAX = 64, SINK_TIME_MESSAGE_BYTES = 320 };

/* 'H' twice is {'H', 2}; text that stands for itself is {0, ...} with its span. */
struct sink_pattern_part {
    char symbol;
    unsigned width;
    struct span text;
};
struct sink_pattern {
    struct sink_pattern_part parts[SINK_PATTERN_PARTS_MAX];
    size_t count;
    bool english; /* else names are Java's root locale's: short ones, and CE for AD */
};

/* The text must outlive the pattern. INVALID in Joda's words ("Illegal pattern component: q");
 * LIMIT: more than SINK_PATTERN_PARTS_MAX parts. */
enum status sink_pattern_compile(struct span text, struct sink_pattern *out,
                                 struct error *err) PP_MUST_USE;
void sink_pattern_write(const struct sink_pattern *pattern, const struct tz *tz, int64_t utc_ms,
                        struct buf *out);

/* An exception of Joda's. */
struct sink_time_fault {
    const char *class_name;
    char message[SINK_TIME_MESSAGE_BYTES];
};

/* A date, time or both in ISO 8601, UTC unless it has an offset. False: *fault says why. */
bool sink_time_parse_iso(struct span text, int64_t *ms, struct sink_time_fault *fault);

#endif
