/* Moments as S3 writes and reads them. */
#ifndef PINPIPE_S3_TIME_H
#define PINPIPE_S3_TIME_H

#include "buf.h"

enum s3_time {
    S3_TIME_ISO,       /* 2026-01-02T03:04:05.000Z */
    S3_TIME_ISO_SHORT, /* 2026-01-02T03:04:05Z */
    S3_TIME_HTTP,      /* Fri, 02 Jan 2026 03:04:05 GMT */
};

/* Milliseconds since 1970. */
void s3_time_append(struct buf *out, enum s3_time form, int64_t ms);
/* The three forms of HTTP's dates, and ISO 8601's, to seconds since 1970; false: none of them. */
bool s3_time_parse(struct span text, int64_t *seconds);

#endif
