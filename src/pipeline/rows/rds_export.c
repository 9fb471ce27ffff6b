/* A table as CSV. Rows are streamed: memory is bounded by one row. */
#include "rds_csv.h"

#include <errno.h>
#include <stdio.h>

enum { export_row_bytes_max = 64 * 1024 * 1024, export_flush_bytes = 64 * 1024 };
enum { export_report_rows = 1000 };

struct table_writer {
    const struct rds_export_options *options;
    struct buf text;
};

static void header_append(struct buf *out, const struct table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        buf_append_cstr(out, i > 0 ? "," : "");
        csv_append_field(out, span_from_cstr(table->columns[i].name), false);
    }
    buf_append_byte(out, '\n');
}

static void row_append(struct buf *out, const struct row *row)
{
    for (size_t i = 0; i < row->table->column_count; i++) {
        const struct row_value *value = &row->values[i];
        buf_append_cstr(out, i > 0 ? "," : "");
        if (value->is_null) {
            continue;
        }
        switch (row->table->columns[i].type) {
        case COLUMN_INT:
            buf_append_i64(out, value->integer);
            break;
        case COLUMN_FLOAT:
            rds_float_append(out, value->real);
            break;
        case COLUMN_TEXT:
        case COLUMN_DATETIME:
            csv_append_field(out, value->text, false);
            break;
        }
    }
    buf_append_byte(out, '\n');
}

static enum status text_flush(struct table_writer *x, struct error *err)
{
    if (!buf_ok(&x->text)) {
        return buf_error(&x->text, err, STATUS_LIMIT, "a row of more than %d bytes",
                         export_row_bytes_max);
    }
    errno = 0;
    if (x->text.len > 0 && x->options->write(x->options->write_ctx, buf_span(&x->text)) != 0) {
        return error_set_errno(err, errno, "write");
    }
    buf_reset(&x->text);
    return STATUS_OK;
}

static enum status rows_write(struct table_writer *x, sqlite3_stmt *stmt, const struct table *table,
                              struct error *err)
{
    const struct progress *progress = x->options->progress;
    enum status status = STATUS_OK;
    uint64_t rows = 0;
    struct row row;
    int step = SQLITE_DONE;
    while (status == STATUS_OK && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        rds_row_from_statement(stmt, table, &row);
        row_append(&x->text, &row);
        rows++;
        if (x->text.len >= export_flush_bytes || !buf_ok(&x->text)) {
            status = text_flush(x, err);
        }
        if (progress != NULL && rows % export_report_rows == 0) {
            progress->update(progress->ctx, table->name, rows, 0);
            if (status == STATUS_OK && progress->should_stop(progress->ctx)) {
                status = error_set(err, STATUS_INTERRUPTED, "stopped after %llu rows",
                                   (unsigned long long)rows);
            }
        }
    }
    if (status == STATUS_OK && step == SQLITE_DONE) {
        status = text_flush(x, err);
    }
    return status;
}

enum status rds_export(const struct rds_export_options *options, struct error *err)
{
    const struct table *table = table_get(options->table);
    struct sqlite_db *db = options->db;
    struct table_writer x = {.options = options};
    char sql[128];
    sqlite3_stmt *stmt = NULL;
    buf_init(&x.text, export_row_bytes_max);
    header_append(&x.text, table);
    snprintf(sql, sizeof(sql), "SELECT * FROM %s ORDER BY 1", table->name);
    enum status status = STATUS_OK;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL) != SQLITE_OK) {
        status = sqlite_db_error(db, "prepare the export", err);
    } else {
        status = rows_write(&x, stmt, table, err);
    }
    if (sqlite3_finalize(stmt) != SQLITE_OK && status == STATUS_OK) {
        status = sqlite_db_error(db, "read the rows", err);
    }
    buf_release(&x.text);
    return status;
}
