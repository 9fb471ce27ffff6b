/* A record's headers as they stand in Kafka's record batches (format v2), which is also how the log
 * keeps them: varint count; then for each the varint length of its name, the name, the varint
 * length of its value or -1, the value. No bytes at all are no headers, like a count of 0.
 *
 * The text is what people see of them: [{"name":"a","value":"QQ=="},{"name":"b","value":null}] with
 * the values in base64, as the REST proxy's v3 API takes them (and as state.db kept them up to
 * format 2). */
#ifndef PINPIPE_RECORD_HEADERS_H
#define PINPIPE_RECORD_HEADERS_H

#include "buf.h"

struct record_header {
    struct span name;
    bool has_value;
    struct span value;
};

/* --- reading --- */

/* Where a walk stands. The members are private. */
struct record_headers {
    struct span rest;
    size_t left;
};

/* False: the count is missing or impossible. Nothing is copied: what next gives points into bytes.
 */
bool record_headers_open(struct record_headers *walk, struct span bytes);
/* False: there is none left, or it is malformed. */
bool record_headers_next(struct record_headers *walk, struct record_header *out);
/* After next has said false: have all been read, with nothing behind them? */
bool record_headers_at_end(const struct record_headers *walk);
bool record_headers_are_valid(struct span bytes);
/* The count, and everything behind it: what record_headers_write takes. False: malformed. */
bool record_headers_split(struct span bytes, size_t *count, struct span *entries);

/* --- writing --- */

/* Appends one header without the count, which record_headers_write puts in front of all. */
void record_header_append(struct buf *entries, const struct record_header *header);
/* Appends nothing when count is 0. */
void record_headers_write(struct buf *out, size_t count, struct span entries);

/* --- as text --- */

/* False: malformed bytes, or out is at its ceiling; what was appended is then of no use. */
bool record_headers_to_text(struct span bytes, struct buf *out);
/* False: not such a text, or out is at its ceiling. */
bool record_headers_from_text(struct span text, struct buf *out);

#endif
