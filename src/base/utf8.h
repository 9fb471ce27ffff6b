/* Characters of UTF-8, one at a time. */
#ifndef PINPIPE_UTF8_H
#define PINPIPE_UTF8_H

#include "span.h"

enum { UTF8_BYTES_MAX = 4 };

/* Writes a code point (a lone surrogate too, in the three bytes it would have); how many bytes. */
size_t utf8_write(uint32_t point, char out[UTF8_BYTES_MAX]);
/* Reads the multi-byte character at the front of `rest`; how many bytes it takes, 0 when none that
 * is well-formed stands there. */
size_t utf8_read(struct span rest, uint32_t *point);

#endif
