/* CSV into a table: columns by name, types checked, every fault with its line and field. The rows
 * go into a new rds.db beside the present one, so that nothing is half done (rds.h). */
#include "rds_csv.h"

#include <stdio.h>
#include <string.h>

enum {
    import_report_rows = 1000,
    found_bytes_max = 40, /* of a wrong value that a message quotes */
    names_bytes_max = 256,
};

struct import {
    const struct rds_import_options *options;
    const struct table *table;
    struct csv_reader *reader;
    struct rds_build *build;
    size_t columns[CSV_FIELDS_MAX]; /* the table column of each field of the file */
    size_t field_count;
    char stamps[TABLE_COLUMNS_MAX][RDS_STAMP_BYTES]; /* the row's datetimes */
    struct rds_import_result result;
};

static const char *type_wanted(enum column_type type)
{
    switch (type) {
    case COLUMN_INT:
        return "a whole number such as 7528";
    case COLUMN_FLOAT:
        return "a decimal number such as -89.9787";
    case COLUMN_DATETIME:
        return "a time such as 2021-02-05 19:14:42 or 2021-02-05T19:14:42";
    case COLUMN_TEXT:
        break;
    }
    return "a text";
}

/* A wrong value for a message: short, whole characters, no control characters. */
static void value_quote(char out[found_bytes_max + 4], struct span text)
{
    size_t len = text.len < found_bytes_max ? text.len : found_bytes_max;
    bool cut = len < text.len;
    while (cut && len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        out[i] = byte < 0x20 || byte == 0x7f ? '?' : text.ptr[i];
    }
    snprintf(out + len, 4, "%s", cut ? "..." : "");
}

/* --- the header ------------------------------------------------------------------------------ */

static size_t import_column_find(const struct table *table, struct span name)
{
    size_t i = 0;
    while (i < table->column_count && !span_equal_cstr(name, table->columns[i].name)) {
        i++;
    }
    return i;
}

static enum status header_missing(const struct import *im, const bool *present, struct error *err)
{
    char names[names_bytes_max] = "";
    size_t used = 0;
    for (size_t i = 0; i < im->table->column_count; i++) {
        if (!present[i]) {
            int more = snprintf(names + used, sizeof(names) - used, "%s\"%s\"",
                                used > 0 ? ", " : "", im->table->columns[i].name);
            used += (size_t)more;
            PP_ASSERT(used < sizeof(names));
        }
    }
    return used == 0 ? STATUS_OK
                     : error_set(err, STATUS_INVALID, "line %llu: column missing: %s",
                                 (unsigned long long)csv_reader_line(im->reader), names);
}

static enum status header_read(struct import *im, struct error *err)
{
    const struct csv_field *fields;
    bool present[TABLE_COLUMNS_MAX] = {false};
    char found[found_bytes_max + 4];
    enum status status = csv_reader_next(im->reader, &fields, &im->field_count, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (im->field_count == 0) {
        return error_set(err, STATUS_INVALID,
                         "the file is empty: its first line must name the columns of %s",
                         im->table->name);
    }
    for (size_t i = 0; i < im->field_count; i++) {
        size_t column = import_column_find(im->table, fields[i].text);
        bool known = column < im->table->column_count;
        if (!known || present[column]) {
            value_quote(found, fields[i].text);
            return error_set(err, STATUS_INVALID, "line %llu, field %zu: %s column \"%s\"%s%s",
                             (unsigned long long)csv_reader_line(im->reader), i + 1,
                             known ? "there are two of" : "unknown", found,
                             known ? "" : " for table ", known ? "" : im->table->name);
        }
        present[column] = true;
        im->columns[i] = column;
    }
    return header_missing(im, present, err);
}

/* --- rows ------------------------------------------------------------------------------------ */

static enum status field_parse(struct import *im, size_t index, const struct csv_field *field,
                               struct row *row, struct error *err)
{
    size_t column = im->columns[index];
    const struct table_column *c = &im->table->columns[column];
    unsigned long long line = csv_reader_line(im->reader);
    char found[found_bytes_max + 4];
    if (field->text.len == 0 && !field->quoted) {
        row->values[column] = (struct row_value){.is_null = true, .text = SPAN_EMPTY};
        if (column == 0) {
            return error_set(err, STATUS_INVALID, "line %llu, field \"%s\": the key is missing",
                             line, c->name);
        }
        return STATUS_OK;
    }
    if (!rds_value_parse(field->text, c->type, im->stamps[column], &row->values[column])) {
        value_quote(found, field->text);
        return error_set(err, STATUS_INVALID, "line %llu, field \"%s\": expected %s, found \"%s\"",
                         line, c->name, type_wanted(c->type), found);
    }
    return STATUS_OK;
}

static void result_count(struct rds_import_result *result, int64_t key)
{
    result->key_min = result->rows == 0 || key < result->key_min ? key : result->key_min;
    result->key_max = result->rows == 0 || key > result->key_max ? key : result->key_max;
    result->rows++;
}

static enum status record_import(struct import *im, const struct csv_field *fields, size_t count,
                                 struct error *err)
{
    struct row row = {.table = im->table};
    unsigned long long line = csv_reader_line(im->reader);
    enum status status = STATUS_OK;
    if (count != im->field_count) {
        return error_set(err, STATUS_INVALID,
                         "line %llu: %zu fields where the first line names %zu (a field with a "
                         "comma must be in quotes)",
                         line, count, im->field_count);
    }
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = field_parse(im, i, &fields[i], &row, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = rds_build_insert(im->build, &row, err);
    if (status == STATUS_EXISTS) {
        return error_set(err, status, "line %llu, field \"%s\": key %lld is there a second time",
                         line, im->table->columns[0].name, (long long)row.values[0].integer);
    }
    if (status == STATUS_OK) {
        result_count(&im->result, row.values[0].integer);
    }
    return status;
}

static enum status progress_tell(const struct import *im, struct error *err)
{
    const struct progress *progress = im->options->progress;
    if (progress == NULL || im->result.rows % import_report_rows != 0) {
        return STATUS_OK;
    }
    progress->update(progress->ctx, im->table->name, (uint64_t)im->result.rows, 0);
    if (progress->should_stop(progress->ctx)) {
        return error_set(err, STATUS_INTERRUPTED, "stopped: the table is as it was");
    }
    return STATUS_OK;
}

static enum status records_import(struct import *im, struct error *err)
{
    const struct csv_field *fields;
    size_t count = 0;
    enum status status = header_read(im, err);
    while (status == STATUS_OK) {
        status = csv_reader_next(im->reader, &fields, &count, err);
        if (status != STATUS_OK || count == 0) {
            break;
        }
        status = record_import(im, fields, count, err);
        if (status == STATUS_OK) {
            status = progress_tell(im, err);
        }
    }
    return status;
}

static enum status build_prepare(struct import *im, struct error *err)
{
    enum status status = rds_build_begin(im->options->data_dir, im->options->env, &im->build, err);
    for (size_t i = 0; status == STATUS_OK && i < TABLE_COUNT; i++) {
        if (i != (size_t)im->table->id) {
            status = rds_build_keep(im->build, (enum table_id)i, err);
        }
    }
    return status;
}

enum status rds_import(const struct rds_import_options *options, struct rds_import_result *result,
                       struct error *err)
{
    struct import im = {.options = options, .table = table_get(options->table)};
    if (csv_reader_new(options->read, options->read_ctx, &im.reader) != STATUS_OK) {
        return error_no_memory(err);
    }
    enum status status = build_prepare(&im, err);
    if (status == STATUS_OK) {
        status = records_import(&im, err);
    }
    if (status == STATUS_OK) {
        status = rds_build_note(im.build, options->table, "imported", NULL, err);
    }
    if (status == STATUS_OK) {
        status = rds_build_finish(im.build, err);
    } else {
        rds_build_abandon(im.build);
    }
    csv_reader_free(im.reader);
    if (status == STATUS_OK) {
        im.result.dense = im.result.rows == 0 ||
                          (im.result.key_min == 0 && im.result.key_max == im.result.rows - 1);
        *result = im.result;
    }
    return status;
}
