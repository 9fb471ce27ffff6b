/* Rows from a MySQL server, as the workshop's script asks for them: `SELECT * FROM table LIMIT n,
 * 1`, one statement a row, over one connection. */
#include "mariadb_rows.h"
#include "row_source.h"
#include "row_texts.h"

#include <stdio.h>
#include <stdlib.h>

enum { source_row_ms = 60 * 1000, source_sql_bytes_max = 128, count_unknown = -1 };

struct mysql_source {
    struct row_source base;
    const struct mysql_account *account;
    struct mariadb_client *client; /* NULL: it was lost */
    int64_t counts[TABLE_COUNT];
    struct buf texts[TABLE_COUNT];
};

/* A question to the server, kept so that it can be asked twice. */
struct source_question {
    enum table_id table;
    int64_t row_number;
    struct row *row; /* NULL: how many rows there are */
};

static struct mysql_source *mysql_source_of(struct row_source *base)
{
    return PP_CONTAINER_OF(base, struct mysql_source, base);
}

static enum status question_fetch(struct mysql_source *source, struct mariadb_rows *rows,
                                  const struct source_question *question, struct error *err)
{
    char sql[source_sql_bytes_max];
    bool got = false;
    snprintf(sql, sizeof(sql), "SELECT * FROM %s LIMIT %lld, 1", rows->table->name,
             (long long)question->row_number);
    enum status status = mariadb_rows_ask(rows, sql, source_row_ms, err);
    if (status == STATUS_OK) {
        status = mariadb_rows_next(rows, question->row, &got, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (!got) {
        return error_set(err, STATUS_NOT_FOUND, "%s:%d: %s: no row number %lld",
                         source->account->host, source->account->port, rows->table->name,
                         (long long)question->row_number);
    }
    status = row_texts_copy(question->row, &source->texts[question->table], err);
    return status == STATUS_OK ? mariadb_client_next(rows->client, &got, err) : status;
}

static enum status question_ask_once(struct mysql_source *source,
                                     const struct source_question *question, struct error *err)
{
    enum status status = STATUS_OK;
    if (source->client == NULL) {
        status = mariadb_client_open(source->account, &source->client, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct mariadb_rows rows = {
        .client = source->client, .account = source->account, .table = table_get(question->table)};
    return question->row != NULL ? question_fetch(source, &rows, question, err)
                                 : mariadb_rows_count(&rows, &source->counts[question->table], err);
}

static enum status question_ask(struct mysql_source *source, const struct source_question *question,
                                struct error *err)
{
    bool had_connection = source->client != NULL;
    enum status status = question_ask_once(source, question, err);
    if (status != STATUS_OK && source->client != NULL && mariadb_client_is_lost(source->client)) {
        mariadb_client_close(source->client);
        source->client = NULL;
    }
    if (status == STATUS_UNREACHABLE && had_connection) {
        status = question_ask_once(source, question, err);
    }
    return status;
}

static enum status mysql_source_fetch(struct row_source *base, enum table_id table,
                                      int64_t row_number, struct row *row, struct error *err)
{
    struct mysql_source *source = mysql_source_of(base);
    if (row_number < 0) {
        return error_set(err, STATUS_NOT_FOUND, "%s: no row number %lld", table_get(table)->name,
                         (long long)row_number);
    }
    return question_ask(source, &(struct source_question){table, row_number, row}, err);
}

static enum status mysql_source_count(struct row_source *base, enum table_id table, int64_t *rows,
                                      struct error *err)
{
    struct mysql_source *source = mysql_source_of(base);
    enum status status = STATUS_OK;
    if (source->counts[table] == count_unknown) {
        status = question_ask(source, &(struct source_question){table, 0, NULL}, err);
    }
    *rows = source->counts[table];
    return status;
}

static void mysql_source_free(struct row_source *base)
{
    struct mysql_source *source = mysql_source_of(base);
    mariadb_client_close(source->client);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        buf_release(&source->texts[i]);
    }
    free(source);
}

static const struct row_source_ops mysql_source_ops = {
    .fetch = mysql_source_fetch,
    .count = mysql_source_count,
    .free = mysql_source_free,
};

enum status row_source_mysql_open(const struct mysql_account *account, struct row_source **out,
                                  struct error *err)
{
    struct mysql_source *source = calloc(1, sizeof(*source));
    if (source == NULL) {
        return error_no_memory(err);
    }
    source->base.ops = &mysql_source_ops;
    source->account = account;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        buf_init(&source->texts[i], ROW_BYTES_MAX);
        source->counts[i] = count_unknown;
    }
    enum status status = mariadb_client_open(account, &source->client, err);
    if (status != STATUS_OK) {
        mysql_source_free(&source->base);
        return status;
    }
    *out = &source->base;
    return STATUS_OK;
}

const char *row_source_mysql_cipher(const struct row_source *source)
{
    const struct mysql_source *mysql = mysql_source_of((struct row_source *)source);
    return mysql->client != NULL ? mariadb_client_cipher(mysql->client) : NULL;
}
