/* CSV as RFC 4180: quoted fields with doubled quotes and line breaks, CRLF or LF, an optional UTF-8
 * byte order mark. One record at a time; memory is bounded by the longest allowed record. */
#ifndef PINPIPE_CSV_H
#define PINPIPE_CSV_H

#include "buf.h"
#include "error.h"

enum { CSV_FIELDS_MAX = 256, CSV_RECORD_BYTES_MAX = 1024 * 1024 };

struct csv_field {
    struct span text; /* unquoted; valid until the next csv_reader_next */
    bool quoted;      /* an empty quoted field is an empty string, an unquoted one is NULL */
};

struct csv_reader;

/* Where the bytes come from: fills `into`, returns how many (0 at the end) or -1. */
typedef int64_t (*csv_read_fn)(void *ctx, char *into, size_t cap);

enum status csv_reader_new(csv_read_fn read, void *ctx, struct csv_reader **out) PP_MUST_USE;
void csv_reader_free(struct csv_reader *reader);
/* The next record; *count is 0 at the end. INVALID names line and column (from 1) of the fault. */
enum status csv_reader_next(struct csv_reader *reader, const struct csv_field **fields,
                            size_t *count, struct error *err) PP_MUST_USE;
/* Line (from 1) on which the last record began. */
uint64_t csv_reader_line(const struct csv_reader *reader);

/* Appends one field, quoted when it must be (or when empty and not null). */
void csv_append_field(struct buf *out, struct span text, bool is_null);

#endif
