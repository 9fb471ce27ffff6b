/* Rows stream from the server into the new file: neither side is ever whole in memory. */
#include "rds_copy.h"

#include "mariadb_rows.h"

#include <stdio.h>

enum { copy_report_rows = 500, copy_table_ms = 300 * 1000, copy_sql_bytes_max = 128 };

struct rds_copy_work {
    const struct rds_copy_options *options;
    struct mariadb_client *client;
    struct rds_build *build;
};

static enum status copy_report(const struct rds_copy_work *work, const struct table *table,
                               int64_t done, int64_t total, struct error *err)
{
    const struct progress *progress = work->options->progress;
    if (progress == NULL) {
        return STATUS_OK;
    }
    progress->update(progress->ctx, table->name, (uint64_t)done, (uint64_t)total);
    return progress->should_stop(progress->ctx)
               ? error_set(err, STATUS_INTERRUPTED, "stopped: the tables are as they were")
               : STATUS_OK;
}

static void copy_count(struct rds_import_result *result, int64_t key)
{
    result->key_min = result->rows == 0 || key < result->key_min ? key : result->key_min;
    result->key_max = result->rows == 0 || key > result->key_max ? key : result->key_max;
    result->rows++;
}

static enum status copy_row(const struct rds_copy_work *work, const struct row *row,
                            struct rds_import_result *result, struct error *err)
{
    const struct mysql_account *account = work->options->account;
    int64_t key = row->values[0].integer;
    enum status status = rds_build_insert(work->build, row, err);
    if (status == STATUS_EXISTS) {
        return error_set(err, status, "%s:%d: %s has the key %lld a second time: mend it there",
                         account->host, account->port, row->table->name, (long long)key);
    }
    copy_count(result, key);
    return status;
}

static enum status copy_table(struct rds_copy_work *work, enum table_id id,
                              struct rds_import_result *result, struct error *err)
{
    struct mariadb_rows rows = {
        .client = work->client, .account = work->options->account, .table = table_get(id)};
    struct row row;
    char sql[copy_sql_bytes_max];
    int64_t total = 0;
    bool got = true;
    *result = (struct rds_import_result){0};
    enum status status = mariadb_rows_count(&rows, &total, err);
    if (status == STATUS_OK) {
        snprintf(sql, sizeof(sql), "SELECT * FROM %s", rows.table->name);
        status = mariadb_rows_ask(&rows, sql, copy_table_ms, err);
    }
    while (status == STATUS_OK && got) {
        status = mariadb_rows_next(&rows, &row, &got, err);
        if (status == STATUS_OK && got) {
            status = copy_row(work, &row, result, err);
        }
        if (status == STATUS_OK && (!got || result->rows % copy_report_rows == 0)) {
            status = copy_report(work, rows.table, result->rows, total, err);
        }
    }
    result->dense = result->key_min == 0 && result->key_max == result->rows - 1;
    return status == STATUS_OK ? rds_build_note(work->build, id, "copied", NULL, err) : status;
}

/* *lost: the server went away, and the copy may be begun again. */
static enum status copy_once(const struct rds_copy_options *options,
                             struct rds_import_result results[TABLE_COUNT], bool *lost,
                             struct error *err)
{
    struct rds_copy_work work = {.options = options};
    *lost = false;
    enum status status = mariadb_client_open(options->account, &work.client, err);
    if (status != STATUS_OK) {
        return status;
    }
    status = rds_build_begin(options->data_dir, options->account->env, &work.build, err);
    for (size_t i = 0; status == STATUS_OK && i < TABLE_COUNT; i++) {
        status = copy_table(&work, (enum table_id)i, &results[i], err);
    }
    if (status == STATUS_OK) {
        status = rds_build_finish(work.build, err);
    } else {
        *lost = status == STATUS_UNREACHABLE && mariadb_client_is_lost(work.client);
        rds_build_abandon(work.build);
    }
    mariadb_client_close(work.client);
    return status;
}

enum status rds_copy(const struct rds_copy_options *options,
                     struct rds_import_result results[TABLE_COUNT], struct error *err)
{
    bool lost;
    enum status status = copy_once(options, results, &lost, err);
    return lost ? copy_once(options, results, &lost, err) : status;
}
