/* Where under its topic a record's file is: the encoded partition (specs/s3-sink-connector.md 5).
 * "partition=0", "country=Fiji", "year=2026/month=11/day=21". */
#ifndef PINPIPE_SINK_PATH_H
#define PINPIPE_SINK_PATH_H

#include "sink_time.h"
#include "sink_value.h"

struct sink_path {
    const struct sink_config *config;
    struct tz tz; /* of time-based paths and of scheduled rotations */
    struct sink_pattern pattern;
    struct buf cached; /* the path of cached_bucket: most records are of the last one's */
    int64_t cached_bucket_ms;
};

/* A record with its value converted, as partitioners see it. */
struct sink_record {
    struct span topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_ms;
    const struct sink_value *value;
};

/* The config must outlive it. False: the task cannot start, *failure says why. */
bool sink_path_init(struct sink_path *path, const struct sink_config *config,
                    struct sink_failure *failure);
void sink_path_release(struct sink_path *path);
/* The time that the timestamp extractor finds; only with a time-based partitioner. */
bool sink_path_time(const struct sink_path *path, const struct sink_record *record, int64_t now_ms,
                    int64_t *out, struct sink_failure *failure);
/* Replaces *out. time_ms is what sink_path_time gave. */
bool sink_path_encode(struct sink_path *path, const struct sink_record *record, int64_t time_ms,
                      struct buf *out, struct sink_failure *failure);
/* The next multiple of rotate.schedule.interval.ms since midnight, at most the next midnight. */
int64_t sink_path_next_rotation_ms(const struct sink_path *path, int64_t now_ms);

#endif
