/* A zip's directory, byte by byte: what tests of its reader need. There are no files behind it. */
#ifndef PINPIPE_TESTS_ZIP_WRITER_H
#define PINPIPE_TESTS_ZIP_WRITER_H

#include "buf.h"

/* Little-endian; bytes beyond the eighth are 0. */
void zip_number_append(struct buf *out, uint64_t value, size_t width);
/* An entry with an extra field of so many bytes. */
void zip_entry_append(struct buf *out, struct span name, size_t extra);
void zip_end_append(struct buf *out, uint64_t size, uint64_t offset, const char *comment);
/* Some data, these names ('|' between them), the end. */
void zip_append(struct buf *out, const char *names, const char *comment);

#endif
