/* java.time.Instant as text. */
#ifndef PINPIPE_KAFKA_REST_TIME_H
#define PINPIPE_KAFKA_REST_TIME_H

#include "span.h"

enum { KAFKA_REST_TIME_BYTES = 40 };

/* "2021-02-05T19:14:42Z", with a fraction and an offset like +01:00 if there is one; or epoch
 * seconds ("1612552482", "1612552482.5"). */
bool kafka_rest_time_parse(struct span text, int64_t *ms);
/* "2026-01-01T00:00:00.123Z"; no fraction when it is zero. */
void kafka_rest_time_format(int64_t ms, char out[KAFKA_REST_TIME_BYTES]);

#endif
