#include "row_texts.h"

enum { row_bytes_kept = 64 * 1024 };

enum status row_texts_copy(struct row *row, struct buf *texts, struct error *err)
{
    buf_trim(texts, row_bytes_kept);
    for (size_t i = 0; i < row->table->column_count; i++) {
        buf_append_span(texts, row->values[i].text);
    }
    if (!buf_ok(texts)) {
        return buf_error(texts, err, STATUS_LIMIT, "%s: a row of more than %d bytes",
                         row->table->name, ROW_BYTES_MAX);
    }
    size_t position = 0;
    for (size_t i = 0; i < row->table->column_count; i++) {
        struct span *text = &row->values[i].text;
        *text = span_from(texts->ptr != NULL ? texts->ptr + position : NULL, text->len);
        position += text->len;
    }
    return STATUS_OK;
}
