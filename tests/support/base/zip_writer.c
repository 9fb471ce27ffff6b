#include "zip_writer.h"

#include <string.h>

void zip_number_append(struct buf *out, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        buf_append_byte(out, i < 8 ? (char)(value >> (8 * i) & 0xff) : 0);
    }
}

void zip_entry_append(struct buf *out, struct span name, size_t extra)
{
    zip_number_append(out, 0x02014b50, 4);
    zip_number_append(out, 0, 24);
    zip_number_append(out, name.len, 2);
    zip_number_append(out, extra, 2);
    zip_number_append(out, 0, 14); /* no comment, and where the file is not */
    buf_append_span(out, name);
    zip_number_append(out, 0, extra);
}

void zip_end_append(struct buf *out, uint64_t size, uint64_t offset, const char *comment)
{
    zip_number_append(out, 0x06054b50, 4);
    zip_number_append(out, 0, 8); /* disks and counts: nobody reads them */
    zip_number_append(out, size, 4);
    zip_number_append(out, offset, 4);
    zip_number_append(out, strlen(comment), 2);
    buf_append_cstr(out, comment);
}

void zip_append(struct buf *out, const char *names, const char *comment)
{
    struct span rest = span_from_cstr(names);
    struct span name;
    buf_append_cstr(out, "the files themselves");
    uint64_t offset = out->len;
    while (span_next_part(&rest, '|', &name)) {
        zip_entry_append(out, name, 5);
    }
    zip_end_append(out, out->len - offset, offset, comment);
}
