/* Statements and the queries that run them. */
#include "arena.h"
#include "mysql_catalog.h"
#include "mysql_session.h"

#include <stdlib.h>
#include <string.h>

enum { statement_bytes_max = 4 * 1024 * 1024 };

struct mysql_statement {
    struct mysql_session *session;
    struct arena arena;
    char *sql; /* NULL: nothing to run, OK is the answer */
    struct mysql_column *columns;
    size_t column_count;
    size_t params;
};

struct mysql_query {
    struct mysql_statement *statement;
    struct mysql_handle *handle;
    sqlite3_stmt *stmt;
    struct mysql_value *row;
};

static bool statement_column(struct mysql_statement *statement, sqlite3_stmt *stmt, int i)
{
    struct mysql_column *column = &statement->columns[i];
    const char *table_name = sqlite3_column_table_name(stmt, i);
    const char *name = sqlite3_column_origin_name(stmt, i);
    const struct table *table = table_name != NULL ? table_find(span_from_cstr(table_name)) : NULL;
    *column = (struct mysql_column){.schema = SPAN_EMPTY,
                                    .table = SPAN_EMPTY,
                                    .org_table = SPAN_EMPTY,
                                    .org_name = SPAN_EMPTY,
                                    .charset = MYSQL_CHARSET_UTF8MB4,
                                    .length = 1024,
                                    .type = MYSQL_TYPE_VAR_STRING};
    for (size_t k = 0; table != NULL && name != NULL && k < table->column_count; k++) {
        if (strcmp(table->columns[k].name, name) == 0) {
            *column = mysql_catalog_column(table, k);
            column->schema = span_from_cstr(statement->session->db->database);
        }
    }
    char *shown = arena_copy_cstr(&statement->arena, span_from_cstr(sqlite3_column_name(stmt, i)));
    column->name = span_from_cstr(shown);
    return shown != NULL;
}

static bool statement_describe(struct mysql_statement *statement, sqlite3_stmt *stmt,
                               struct mysql_error *error)
{
    statement->column_count = (size_t)sqlite3_column_count(stmt);
    statement->params = (size_t)sqlite3_bind_parameter_count(stmt);
    statement->columns =
        arena_alloc_array(&statement->arena, statement->column_count, sizeof(*statement->columns));
    bool ok = statement->columns != NULL;
    for (size_t i = 0; ok && i < statement->column_count; i++) {
        ok = statement_column(statement, stmt, (int)i);
    }
    return ok || mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
}

static bool is_select(struct span sql)
{
    return span_equal_nocase(span_first(sql, 6), SPAN_LIT("SELECT"));
}

static bool statement_plan(struct mysql_statement *statement, struct span sql,
                           struct mysql_error *error)
{
    struct span text = span_trim(sql);
    if (!is_select(text)) {
        return true;
    }
    statement->sql = arena_copy_cstr(&statement->arena, text);
    if (statement->sql == NULL) {
        return mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
    }
    struct mysql_handles *handles = &statement->session->db->handles;
    struct mysql_handle *handle = mysql_handle_take(handles, error);
    if (handle == NULL) {
        return false;
    }
    sqlite3_stmt *stmt = NULL;
    bool ok = sqlite3_prepare_v2(handle->db, statement->sql, -1, &stmt, NULL) == SQLITE_OK
                  ? statement_describe(statement, stmt, error)
                  : mysql_error_set(error, MYSQL_ER_PARSE, sqlite3_errmsg(handle->db), 1);
    sqlite3_finalize(stmt);
    mysql_handle_give_back(handles, handle);
    return ok;
}

struct mysql_statement *mysql_prepare(struct mysql_session *session, struct span sql,
                                      struct mysql_error *error)
{
    struct mysql_statement *statement = calloc(1, sizeof(*statement));
    if (statement == NULL) {
        mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
        return NULL;
    }
    statement->session = session;
    arena_init(&statement->arena, statement_bytes_max);
    if (!statement_plan(statement, sql, error)) {
        mysql_statement_free(statement);
        return NULL;
    }
    return statement;
}

void mysql_statement_free(struct mysql_statement *statement)
{
    arena_release(&statement->arena);
    free(statement);
}

size_t mysql_statement_params(const struct mysql_statement *statement)
{
    return statement->params;
}

size_t mysql_statement_columns(const struct mysql_statement *statement,
                               const struct mysql_column **out)
{
    *out = statement->columns;
    return statement->column_count;
}

static void query_bind(struct mysql_query *query, const struct mysql_value *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int index = (int)i + 1;
        switch (params[i].kind) {
        case MYSQL_NULL:
            break;
        case MYSQL_INT:
            sqlite3_bind_int64(query->stmt, index, params[i].integer);
            break;
        case MYSQL_DOUBLE:
            sqlite3_bind_double(query->stmt, index, params[i].real);
            break;
        case MYSQL_TEXT:
            sqlite3_bind_text64(query->stmt, index, params[i].text.ptr, params[i].text.len,
                                SQLITE_TRANSIENT, SQLITE_UTF8);
            break;
        }
    }
}

struct mysql_query *mysql_execute(struct mysql_statement *statement,
                                  const struct mysql_value *params, size_t count,
                                  struct mysql_error *error)
{
    struct mysql_query *query = calloc(1, sizeof(*query));
    if (query == NULL) {
        mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
        return NULL;
    }
    query->statement = statement;
    if (statement->sql == NULL) {
        return query;
    }
    query->row = calloc(statement->column_count, sizeof(*query->row));
    query->handle = mysql_handle_take(&statement->session->db->handles, error);
    if (query->row == NULL || query->handle == NULL) {
        mysql_query_free(query);
        return NULL;
    }
    if (sqlite3_prepare_v2(query->handle->db, statement->sql, -1, &query->stmt, NULL) !=
        SQLITE_OK) {
        mysql_error_set(error, MYSQL_ER_UNKNOWN, sqlite3_errmsg(query->handle->db));
        mysql_query_free(query);
        return NULL;
    }
    query_bind(query, params, count);
    return query;
}

void mysql_query_free(struct mysql_query *query)
{
    sqlite3_finalize(query->stmt);
    if (query->handle != NULL) {
        mysql_handle_give_back(&query->statement->session->db->handles, query->handle);
    }
    free(query->row);
    free(query);
}

static struct mysql_value query_value(sqlite3_stmt *stmt, int i)
{
    struct mysql_value value = {.kind = MYSQL_NULL, .text = SPAN_EMPTY};
    switch (sqlite3_column_type(stmt, i)) {
    case SQLITE_INTEGER:
        value.kind = MYSQL_INT;
        value.integer = sqlite3_column_int64(stmt, i);
        break;
    case SQLITE_FLOAT:
        value.kind = MYSQL_DOUBLE;
        value.real = sqlite3_column_double(stmt, i);
        break;
    case SQLITE_NULL:
        break;
    default:
        value.kind = MYSQL_TEXT;
        value.text.ptr = (const char *)sqlite3_column_text(stmt, i);
        value.text.len = (size_t)sqlite3_column_bytes(stmt, i);
        break;
    }
    return value;
}

/* An expression's type, as its first row has it. */
static void columns_settle(struct mysql_query *query)
{
    for (size_t i = 0; i < query->statement->column_count; i++) {
        struct mysql_column *column = &query->statement->columns[i];
        if (column->org_table.len > 0) {
            continue;
        }
        if (query->row[i].kind == MYSQL_INT) {
            column->type = MYSQL_TYPE_LONGLONG;
            column->charset = MYSQL_CHARSET_BINARY;
        } else if (query->row[i].kind == MYSQL_DOUBLE) {
            column->type = MYSQL_TYPE_DOUBLE;
            column->charset = MYSQL_CHARSET_BINARY;
            column->decimals = MYSQL_DECIMALS_OF_FLOATS;
        }
    }
}

enum mysql_stepped mysql_query_step(struct mysql_query *query, struct mysql_error *error)
{
    if (query->stmt == NULL) {
        return MYSQL_STEP_DONE;
    }
    switch (sqlite3_step(query->stmt)) {
    case SQLITE_DONE:
        return MYSQL_STEP_DONE;
    case SQLITE_ROW:
        for (size_t i = 0; i < query->statement->column_count; i++) {
            query->row[i] = query_value(query->stmt, (int)i);
        }
        columns_settle(query);
        return MYSQL_STEP_ROW;
    default:
        mysql_error_set(error, MYSQL_ER_UNKNOWN, sqlite3_errmsg(query->handle->db));
        return MYSQL_STEP_FAILED;
    }
}

size_t mysql_query_columns(const struct mysql_query *query, const struct mysql_column **out)
{
    return mysql_statement_columns(query->statement, out);
}

const struct mysql_value *mysql_query_row(const struct mysql_query *query)
{
    return query->row;
}

uint64_t mysql_query_affected(const struct mysql_query *query)
{
    (void)query;
    return 0;
}

uint16_t mysql_query_warnings(const struct mysql_query *query)
{
    (void)query;
    return 0;
}
