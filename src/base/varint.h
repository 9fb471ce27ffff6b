/* Kafka's variable-length integers (protobuf's): seven bits a byte, the lowest first, after a
 * zigzag that makes small negative numbers small. */
#ifndef PINPIPE_VARINT_H
#define PINPIPE_VARINT_H

#include "buf.h"

enum { VARINT_BYTES_MAX = 10 };

size_t varint_size(int64_t value);
void varint_append(struct buf *out, int64_t value);
/* Takes one off the front of *in. False, and *in unchanged: it is cut off, or longer than an
 * int64_t can be. */
bool varint_read(struct span *in, int64_t *out);
/* varint_read for a number from `low` to `high`; false for any other. */
bool varint_read_between(struct span *in, int64_t low, int64_t high, int64_t *out);

#endif
