/* include/pinpipe/rows.h on top of row_source.h. */
#include "pinpipe/rows.h"

#include "public_error.h"
#include "row_json.h"
#include "row_source.h"

#include <stdlib.h>
#include <string.h>

enum { row_bytes_max = 64 << 20 };

struct pinpipe_rows {
    struct env env;
    struct row_source *source;
};

struct pinpipe_row {
    const struct table *table;
    struct buf texts; /* every value with its NUL */
    size_t starts[TABLE_COLUMNS_MAX];
    bool is_null[TABLE_COLUMNS_MAX];
    struct buf json;
};

enum pinpipe_result pinpipe_rows_open(const char *data_dir, struct pinpipe_rows **out, char *why)
{
    struct error err = ERROR_NONE;
    struct pinpipe_rows *rows = calloc(1, sizeof(*rows));
    if (rows == NULL) {
        (void)error_set(&err, STATUS_NO_MEMORY, "no memory for the tables");
        return public_result(&err, why);
    }
    env_init_system(&rows->env);
    enum status status = row_source_sqlite_open(data_dir, &rows->env, &rows->source, &err);
    if (status != STATUS_OK) {
        free(rows);
        err.code = status == STATUS_NOT_FOUND ? STATUS_CONFIG : status;
        return public_result(&err, why);
    }
    *out = rows;
    return PINPIPE_OK;
}

void pinpipe_rows_close(struct pinpipe_rows *rows)
{
    if (rows != NULL) {
        rows->source->ops->free(rows->source);
        free(rows);
    }
}

/* An enum of C holds any int that a caller puts there. */
static bool table_id_from(enum pinpipe_table table, enum table_id *out)
{
    static const enum table_id ids[] = {
        [PINPIPE_PIN] = TABLE_PIN, [PINPIPE_GEO] = TABLE_GEO, [PINPIPE_USER] = TABLE_USER};
    if ((unsigned)table >= ARRAY_COUNT(ids)) {
        return false;
    }
    *out = ids[table];
    return true;
}

int64_t pinpipe_rows_count(struct pinpipe_rows *rows, enum pinpipe_table table)
{
    enum table_id id;
    int64_t count = -1;
    struct error err;
    if (!table_id_from(table, &id) ||
        rows->source->ops->count(rows->source, id, &count, &err) != STATUS_OK) {
        return -1;
    }
    return count;
}

static struct pinpipe_row *row_keep(const struct row *row)
{
    struct pinpipe_row *kept = calloc(1, sizeof(*kept));
    if (kept == NULL) {
        return NULL;
    }
    kept->table = row->table;
    buf_init(&kept->texts, row_bytes_max);
    buf_init(&kept->json, row_bytes_max);
    for (size_t i = 0; i < row->table->column_count; i++) {
        kept->starts[i] = kept->texts.len;
        kept->is_null[i] = row->values[i].is_null;
        if (!kept->is_null[i]) {
            row_value_append(&kept->texts, &row->values[i], row->table->columns[i].type);
        }
        buf_append_byte(&kept->texts, '\0');
    }
    row_json_append(&kept->json, row, DATETIME_ISO);
    if (!buf_ok(&kept->texts) || !buf_ok(&kept->json)) {
        pinpipe_row_free(kept);
        return NULL;
    }
    return kept;
}

enum pinpipe_result pinpipe_rows_read(struct pinpipe_rows *rows, enum pinpipe_table table,
                                      int64_t row_number, struct pinpipe_row **out, char *why)
{
    struct error err = ERROR_NONE;
    struct row row;
    enum table_id id;
    if (!table_id_from(table, &id)) {
        (void)error_set(&err, STATUS_USAGE, "there is no table number %d", (int)table);
        return public_result(&err, why);
    }
    if (rows->source->ops->fetch(rows->source, id, row_number, &row, &err) != STATUS_OK) {
        return public_result(&err, why);
    }
    struct pinpipe_row *kept = row_keep(&row);
    if (kept == NULL) {
        (void)error_set(&err, STATUS_NO_MEMORY, "no memory for the row");
        return public_result(&err, why);
    }
    *out = kept;
    return PINPIPE_OK;
}

void pinpipe_row_free(struct pinpipe_row *row)
{
    if (row != NULL) {
        buf_release(&row->texts);
        buf_release(&row->json);
        free(row);
    }
}

size_t pinpipe_row_columns(const struct pinpipe_row *row)
{
    return row->table->column_count;
}

const char *pinpipe_row_name(const struct pinpipe_row *row, size_t column)
{
    return column < row->table->column_count ? row->table->columns[column].name : NULL;
}

const char *pinpipe_row_value(const struct pinpipe_row *row, size_t column)
{
    if (column >= row->table->column_count || row->is_null[column]) {
        return NULL;
    }
    return row->texts.ptr + row->starts[column];
}

const char *pinpipe_row_text(const struct pinpipe_row *row, const char *name)
{
    for (size_t i = 0; i < row->table->column_count; i++) {
        if (strcmp(row->table->columns[i].name, name) == 0) {
            return pinpipe_row_value(row, i);
        }
    }
    return NULL;
}

const char *pinpipe_row_json(const struct pinpipe_row *row)
{
    return buf_cstr(&row->json);
}
