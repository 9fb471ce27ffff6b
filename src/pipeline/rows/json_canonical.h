/* The canonical text of a JSON value, one for all its spellings: members sorted by name (of equal
 * names the last counts), strings unescaped and escaped again, numbers by value. Two values mean
 * the same exactly when their canonical texts are equal; what Kafka Connect's converters do to a
 * record on its way into a file (another order of members, 1e3 as 1000.0) is then no difference. */
#ifndef PINPIPE_JSON_CANONICAL_H
#define PINPIPE_JSON_CANONICAL_H

#include "buf.h"

struct json_segment;

/* The memory of one canonical text, kept between values, so that a stream of them allocates
 * nothing. */
struct json_canonical {
    struct buf text; /* the last value's */
    struct buf scratch;
    struct json_segment *segments;
    size_t segment_count;
    size_t segment_cap;
};

void json_canonical_init(struct json_canonical *canonical, size_t bytes_max);
void json_canonical_release(struct json_canonical *canonical);
/* The whole of `value` is one JSON value: its text is in canonical->text. False: it is not, or it
 * is longer than bytes_max, or there was no memory (canonical->text.no_memory). */
bool json_canonical_make(struct json_canonical *canonical, struct span value);

#endif
