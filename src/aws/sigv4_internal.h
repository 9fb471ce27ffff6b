/* What the files of signatures share: words of the wire, and reading it byte by byte. */
#ifndef PINPIPE_SIGV4_INTERNAL_H
#define PINPIPE_SIGV4_INTERNAL_H

#include "sigv4.h"

#define SIGV4_ALGORITHM  "AWS4-HMAC-SHA256"
#define SIGV4_TERMINATOR "aws4_request"

/* Ceiling of the texts made on the way: a request's head three times over, and more. */
enum { SIGV4_SCRATCH_BYTES_MAX = 1 << 20 };

/* Takes the next byte off the front, an escape as the byte that it means; a broken escape stands
 * for itself. */
unsigned char sigv4_decode_next(struct span *rest, bool plus_is_space);
/* The value of the first header of that name, trimmed; empty when absent. */
struct span sigv4_header_value(const struct sigv4_request *request, const char *name);
size_t sigv4_header_count(const struct sigv4_request *request, const char *name);

/* Is it the name of one of AWS's own headers, x-amz-*, in any case of letters? */
bool sigv4_is_amz_header(struct span name);
/* Appends the text in lower case; ASCII only. */
void sigv4_lower_append(struct span text, struct buf *out);

/* For qsort: struct span, by their bytes. */
int sigv4_span_order(const void *a, const void *b);

/* "20260102T030405Z" in seconds since 1970. */
bool sigv4_date_parse(struct span text, int64_t *seconds);

#endif
