/* Rows out of rds.db, as the workshop's `SELECT * FROM table LIMIT n, 1` gives them: the row whose
 * key is the n-th in key order. With dense keys (0..count-1, looked at once when opening) that is a
 * key lookup; with gaps it is the LIMIT query itself, with an ORDER BY that says what MySQL does
 * silently.
 *
 * A fetched row is copied out and its statement reset, so that no read transaction stays open
 * unless the user of the source holds one over a few fetches. */
#include "row_source.h"

#include "rds.h"
#include "row_texts.h"

#include <stdlib.h>

enum source_sql {
    SQL_BY_KEY,
    SQL_BY_POSITION = SQL_BY_KEY + TABLE_COUNT,
    SQL_COUNT = SQL_BY_POSITION + TABLE_COUNT,
};

static const char *const source_sql[SQL_COUNT] = {
    [SQL_BY_KEY + TABLE_PIN] = "SELECT * FROM pinterest_data WHERE \"index\" = ?",
    [SQL_BY_KEY + TABLE_GEO] = "SELECT * FROM geolocation_data WHERE ind = ?",
    [SQL_BY_KEY + TABLE_USER] = "SELECT * FROM user_data WHERE ind = ?",
    [SQL_BY_POSITION + TABLE_PIN] = "SELECT * FROM pinterest_data ORDER BY \"index\" LIMIT ?, 1",
    [SQL_BY_POSITION + TABLE_GEO] = "SELECT * FROM geolocation_data ORDER BY ind LIMIT ?, 1",
    [SQL_BY_POSITION + TABLE_USER] = "SELECT * FROM user_data ORDER BY ind LIMIT ?, 1",
};

struct sqlite_source {
    struct row_source base;
    struct sqlite_db db;
    struct rds_table_info info[TABLE_COUNT];
    struct buf texts[TABLE_COUNT]; /* the last fetched row's text */
};

static struct sqlite_source *source_of(struct row_source *source)
{
    return PP_CONTAINER_OF(source, struct sqlite_source, base);
}

/* Runs a statement with the number bound, into a row whose table is set; NOT_FOUND without a row.
 */
static enum status statement_fetch(struct sqlite_source *source, size_t sql, int64_t number,
                                   struct row *row, struct error *err)
{
    const struct table *table = row->table;
    sqlite3_stmt *stmt = sqlite_db_statement(&source->db, sql);
    if (stmt == NULL || sqlite3_bind_int64(stmt, 1, number) != SQLITE_OK) {
        return sqlite_db_error(&source->db, "prepare a row's query", err);
    }
    enum status status;
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW) {
        rds_row_from_statement(stmt, table, row);
        status = row_texts_copy(row, &source->texts[table->id], err);
    } else if (step == SQLITE_DONE) {
        status = error_set(err, STATUS_NOT_FOUND, "%s: no row number %lld (it has %lld)",
                           table->name, (long long)number, (long long)source->info[table->id].rows);
    } else {
        status = sqlite_db_error(&source->db, "read a row", err);
    }
    sqlite3_reset(stmt);
    return status;
}

static enum status source_fetch(struct row_source *base, enum table_id table, int64_t row_number,
                                struct row *row, struct error *err)
{
    struct sqlite_source *source = source_of(base);
    const struct rds_table_info *info = &source->info[table];
    const struct table *t = table_get(table);
    if (row_number < 0 || row_number >= info->rows) {
        return error_set(err, STATUS_NOT_FOUND, "%s: no row number %lld (it has %lld)", t->name,
                         (long long)row_number, (long long)info->rows);
    }
    size_t sql = (info->dense ? SQL_BY_KEY : SQL_BY_POSITION) + (size_t)table;
    row->table = t;
    return statement_fetch(source, sql, row_number, row, err);
}

static enum status source_count(struct row_source *base, enum table_id table, int64_t *rows,
                                struct error *err)
{
    (void)err;
    *rows = source_of(base)->info[table].rows;
    return STATUS_OK;
}

/* Without a transaction each fetch locks the file and looks for a journal, which costs more than
 * the row. A hold that fails is no error: the fetches then lock for themselves. */
static void source_hold(struct row_source *base, bool held)
{
    sqlite3 *handle = source_of(base)->db.handle;
    if ((sqlite3_get_autocommit(handle) != 0) == held) {
        sqlite3_exec(handle, held ? "BEGIN" : "COMMIT", NULL, NULL, NULL);
    }
}

static void source_free(struct row_source *base)
{
    struct sqlite_source *source = source_of(base);
    sqlite_db_close(&source->db);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        buf_release(&source->texts[i]);
    }
    free(source);
}

static const struct row_source_ops sqlite_source_ops = {
    .fetch = source_fetch,
    .count = source_count,
    .hold = source_hold,
    .free = source_free,
};

enum status row_source_sqlite_open(const char *data_dir, const struct env *env,
                                   struct row_source **out, struct error *err)
{
    struct sqlite_source *source = calloc(1, sizeof(*source));
    if (source == NULL) {
        return error_no_memory(err);
    }
    source->base.ops = &sqlite_source_ops;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        buf_init(&source->texts[i], ROW_BYTES_MAX);
    }
    enum status status = rds_open(data_dir, env, &source->db, err);
    if (status == STATUS_OK) {
        status = sqlite_db_set_statements(&source->db, source_sql, SQL_COUNT, err);
    }
    for (size_t i = 0; status == STATUS_OK && i < TABLE_COUNT; i++) {
        status = rds_table_info(&source->db, (enum table_id)i, &source->info[i], err);
    }
    if (status != STATUS_OK) {
        source_free(&source->base);
        return status;
    }
    *out = &source->base;
    return STATUS_OK;
}
