/* CSV: the first byte chooses how the rest is cut into chunks. Every cut gives the same records;
 * what is read and written again is read as the same; a fault has a message. */
#include "csv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { dump_bytes_max = 16 << 20 };

struct source {
    struct span rest;
    size_t chunk;
};

static int64_t source_read(void *ctx, char *into, size_t cap)
{
    struct source *s = ctx;
    size_t take = s->rest.len < s->chunk ? s->rest.len : s->chunk;
    take = take < cap ? take : cap;
    if (take > 0) {
        memcpy(into, s->rest.ptr, take);
    }
    s->rest = span_skip(s->rest, take);
    return (int64_t)take;
}

/* Writes all records as CSV to out. */
static enum status read_and_write(struct span text, size_t chunk, struct buf *out)
{
    struct source source = {text, chunk};
    struct csv_reader *reader;
    const struct csv_field *fields;
    size_t count;
    struct error err = ERROR_NONE;
    if (csv_reader_new(source_read, &source, &reader) != STATUS_OK) {
        abort();
    }
    enum status status;
    while ((status = csv_reader_next(reader, &fields, &count, &err)) == STATUS_OK && count > 0) {
        for (size_t i = 0; i < count; i++) {
            if (!span_is_utf8(fields[i].text)) {
                abort();
            }
            buf_append_cstr(out, i > 0 ? "," : "");
            csv_append_field(out, fields[i].text, fields[i].text.len == 0 && !fields[i].quoted);
        }
        buf_append_byte(out, '\n');
    }
    if (status != STATUS_OK && (err.message[0] == '\0' || err.code != status)) {
        abort();
    }
    csv_reader_free(reader);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once;
    struct buf chunked;
    struct buf again;
    if (size == 0) {
        return 0;
    }
    struct span text = span_from((const char *)data + 1, size - 1);
    buf_init(&once, dump_bytes_max);
    buf_init(&chunked, dump_bytes_max);
    buf_init(&again, dump_bytes_max);
    enum status status = read_and_write(text, SIZE_MAX, &once);
    if (read_and_write(text, (size_t)data[0] % 31 + 1, &chunked) != status ||
        !span_equal(buf_span(&once), buf_span(&chunked))) {
        abort();
    }
    /* A byte order mark inside the text would become one at its start. */
    if (!span_starts_with(buf_span(&once), SPAN_LIT("\xef\xbb\xbf"))) {
        if (read_and_write(buf_span(&once), SIZE_MAX, &again) != STATUS_OK ||
            !span_equal(buf_span(&once), buf_span(&again))) {
            abort();
        }
    }
    buf_release(&once);
    buf_release(&chunked);
    buf_release(&again);
    return 0;
}
