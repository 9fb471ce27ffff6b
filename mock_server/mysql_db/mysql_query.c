/* A query that runs: SQLite's statement on a handle of its own, stepped on the handle's stack,
 * which gives way when its slice of the turn is over. */
#include "log.h"
#include "mysql_fiber.h"
#include "mysql_sql.h"
#include "mysql_statement.h"
#include "mysql_variables.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    slice_us = 2000,
    ops_between_looks = 2000, /* of SQLite's machine: some 50 us */
    date_bytes = 10
};

struct mysql_query {
    struct mysql_statement *statement;
    struct mysql_session *session;
    struct mysql_plan *plan;
    struct mysql_plan own; /* of an execution that is not the statement's first */
    bool owns_plan;
    struct mysql_handle *handle;
    sqlite3_stmt *stmt;
    struct mysql_value *row;
    struct buf scratch; /* texts of the row that are made here */
    int stepped;        /* SQLite's code of the last step */
    bool cancelled;
    bool timed_out;
    int64_t slice_began_us;
    int64_t deadline_us;
};

static int64_t query_now(const struct mysql_query *query)
{
    struct env *env = query->session->db->env;
    return env->monotonic_us(env);
}

/* SQLite calls it now and then; not 0 ends the query. */
static int query_progress(void *context)
{
    struct mysql_query *query = context;
    int64_t now = query_now(query);
    if (!query->cancelled && now >= query->deadline_us) {
        query->timed_out = true;
        query->cancelled = true;
    }
    if (!query->cancelled && now - query->slice_began_us >= slice_us &&
        mysql_fiber_is_running(query->handle->fiber)) {
        mysql_fiber_give_way(query->handle->fiber);
    }
    return query->cancelled ? 1 : 0;
}

static void query_step_inside(void *context)
{
    struct mysql_query *query = context;
    query->stepped = sqlite3_step(query->stmt);
}

/* True: SQLite has answered. */
static bool query_slice(struct mysql_query *query)
{
    struct mysql_fiber *fiber = query->handle->fiber;
    query->slice_began_us = query_now(query);
    return mysql_fiber_is_running(fiber) ? mysql_fiber_resume(fiber)
                                         : mysql_fiber_start(fiber, query_step_inside, query);
}

/* --- what SQLite says --- */

static void query_failed(const struct mysql_query *query, struct mysql_error *error)
{
    int code = 0;
    const char *message = sqlite3_errmsg(query->handle->db);
    const char *words = mysql_sql_failed(message, &code);
    struct log *log = query->session->db->log;
    if (query->timed_out) {
        mysql_error_set(error, MYSQL_ER_QUERY_TIMEOUT);
    } else if (query->cancelled) {
        mysql_error_set(error, MYSQL_ER_QUERY_INTERRUPTED);
    } else if (words != NULL) {
        mysql_error_by_number(error, code, words);
    } else if ((sqlite3_errcode(query->handle->db) & 0xff) == SQLITE_NOMEM) {
        mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
    } else if (strcmp(message, "integer overflow") == 0) {
        mysql_error_set(error, MYSQL_ER_DATA_OUT_OF_RANGE, "DECIMAL", "sum()");
    } else {
        if (log != NULL) {
            LOG_WARNF(log, "mysql", "SQLite refuses a statement of ours why=\"%s\" sql=\"%.*s\"",
                      message, SPAN_ARG(span_first(buf_span(&query->plan->sql), 500)));
        }
        mysql_error_set(error, MYSQL_ER_NOT_SUPPORTED_YET, "a statement of this size or form");
    }
}

/* --- running --- */

static bool query_apply_set(struct mysql_session *session, struct mysql_plan *plan,
                            struct mysql_error *error)
{
    for (struct mysql_assignment *a = plan->parsed.assignments; a != NULL; a = a->next) {
        if (a->value == NULL) {
            continue;
        }
        if (a->value->kind == MYSQL_NODE_VARIABLE &&
            !mysql_variable_node(session, a->value, &plan->arena, error)) {
            return false;
        }
        if (a->value->kind == MYSQL_NODE_USER_VARIABLE) {
            mysql_user_variable(session, a->value->name, a->value);
        }
        bool computed = a->value->kind > MYSQL_NODE_STRING;
        if (a->of_user && computed) {
            return mysql_error_set(error, MYSQL_ER_NOT_SUPPORTED_YET,
                                   "SET of a variable to an expression");
        }
        if (a->of_user) {
            mysql_user_variable_set(session, a->name, a->value);
        } else if (!mysql_variable_set(session, a->name, a->value, error)) {
            return false;
        }
    }
    return true;
}

static bool query_act(struct mysql_session *session, struct mysql_plan *plan,
                      struct mysql_error *error)
{
    switch (plan->parsed.action) {
    case MYSQL_ACTION_USE:
        return mysql_session_use(session, plan->parsed.database, error);
    case MYSQL_ACTION_SET:
        return query_apply_set(session, plan, error);
    case MYSQL_ACTION_BEGIN:
        session->in_transaction = true;
        return true;
    case MYSQL_ACTION_END:
        session->in_transaction = false;
        return true;
    case MYSQL_ACTION_NONE:
    case MYSQL_ACTION_QUERY:
    case MYSQL_ACTION_DISCARD:
        break;
    }
    return true;
}

static bool query_open(struct mysql_query *query, struct mysql_error *error)
{
    const struct mysql_session *session = query->session;
    const struct mysql_plan *plan = query->plan;
    int64_t limit_ms = session->db->execution_ms_max;
    if (session->execution_ms_max > 0 && session->execution_ms_max < limit_ms) {
        limit_ms = session->execution_ms_max;
    }
    query->deadline_us = query_now(query) + limit_ms * 1000;
    query->slice_began_us = query_now(query);
    query->row = calloc(plan->column_count, sizeof(*query->row));
    if (query->row == NULL) {
        return mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
    }
    query->handle = mysql_handle_take(&session->db->handles, error);
    if (query->handle == NULL) {
        return false;
    }
    sqlite3_progress_handler(query->handle->db, ops_between_looks, query_progress, query);
    if (sqlite3_prepare_v2(query->handle->db, plan->sql.ptr, (int)plan->sql.len, &query->stmt,
                           NULL) != SQLITE_OK) {
        query_failed(query, error);
        return false;
    }
    return true;
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
    PP_ASSERT(count == statement->plan.params);
    query->statement = statement;
    query->session = statement->session;
    query->plan = &statement->plan;
    buf_init(&query->scratch, MYSQL_TEXT_BYTES_MAX);
    if (statement->used || count > 0) { /* NOW() and the parameters' types are this one's */
        static const struct mysql_value none = {.kind = MYSQL_NULL};
        query->owns_plan = mysql_plan_make(&query->own, query->session, buf_span(&statement->text),
                                           count > 0 ? params : &none, error);
        query->plan = &query->own;
    }
    statement->used = true;
    bool ok = query->plan == &statement->plan || query->owns_plan;
    ok = ok && (query->plan->parsed.query != NULL ? query_open(query, error)
                                                  : query_act(query->session, query->plan, error));
    if (!ok) {
        mysql_query_free(query);
        return NULL;
    }
    return query;
}

void mysql_query_free(struct mysql_query *query)
{
    if (query->handle != NULL) {
        query->cancelled = true;
        while (mysql_fiber_is_running(query->handle->fiber)) {
            (void)mysql_fiber_resume(query->handle->fiber);
        }
        sqlite3_finalize(query->stmt);
        sqlite3_progress_handler(query->handle->db, 0, NULL, NULL);
        mysql_handle_give_back(&query->session->db->handles, query->handle);
    }
    if (query->owns_plan) {
        mysql_plan_release(&query->own);
    }
    buf_release(&query->scratch);
    free(query->row);
    free(query);
}

/* --- rows --- */

static void value_made(struct mysql_query *query, struct mysql_value *value, const char *text,
                       size_t len)
{
    /* Where it begins, until the row is whole and the bytes stay where they are. */
    value->kind = MYSQL_TEXT;
    value->text = (struct span){NULL, len};
    value->integer = (int64_t)query->scratch.len;
    buf_append(&query->scratch, text, len);
}

static void value_of_date(struct mysql_query *query, struct mysql_value *value,
                          const struct mysql_shape *shape)
{
    char text[48];
    size_t len = value->text.len;
    bool bare = shape->class == MYSQL_CLASS_DATETIME && len == date_bytes;
    if (!bare || len + 9 > sizeof(text)) {
        return;
    }
    memcpy(text, value->text.ptr, len);
    memcpy(text + len, " 00:00:00", 9);
    value_made(query, value, text, len + 9);
}

/* A FLOAT as MySQL shows it: six digits. Whoever wants its four bytes gets the same ones from
 * those. */
static double float_shown(double value)
{
    static const double scales[] = {1e4, 1e3};
    char text[32];
    for (size_t i = 0; i < ARRAY_COUNT(scales); i++) {
        double scaled = value * scales[i];
        double whole = rint(scaled);
        if (whole != 0 && fabs(whole) < 1e6 && fabs(scaled - whole) < 1e-6) {
            return whole / scales[i]; /* most are such, and cost no text */
        }
    }
    snprintf(text, sizeof(text), "%.6g", value);
    return strtod(text, NULL);
}

static void value_read(struct mysql_query *query, size_t i)
{
    char text[MYSQL_REAL_TEXT_BYTES];
    const struct mysql_shape *shape = &query->plan->shapes[i];
    struct mysql_value *value = &query->row[i];
    int column = (int)i;
    *value = (struct mysql_value){.kind = MYSQL_NULL, .text = SPAN_EMPTY};
    if (sqlite3_column_type(query->stmt, column) == SQLITE_NULL) {
        return;
    }
    switch (shape->class) {
    case MYSQL_CLASS_NULL:
        break;
    case MYSQL_CLASS_INT:
        value->kind = MYSQL_INT;
        value->is_unsigned = shape->is_unsigned;
        value->integer = sqlite3_column_int64(query->stmt, column);
        break;
    case MYSQL_CLASS_DECIMAL:
        value_made(
            query, value, text,
            mysql_decimal_text(sqlite3_column_value(query->stmt, column), shape->decimals, text));
        break;
    case MYSQL_CLASS_REAL:
        value->kind = MYSQL_DOUBLE;
        value->real = sqlite3_column_double(query->stmt, column);
        if (shape->decimals > 0) { /* PI() is shown with six */
            double scale = pow(10, shape->decimals);
            value->real = rint(value->real * scale) / scale;
        }
        break;
    case MYSQL_CLASS_FLOAT:
        value->kind = MYSQL_DOUBLE;
        value->real = float_shown(sqlite3_column_double(query->stmt, column));
        break;
    case MYSQL_CLASS_TEXT:
    case MYSQL_CLASS_DATE:
    case MYSQL_CLASS_TIME:
    case MYSQL_CLASS_DATETIME:
        value->kind = MYSQL_TEXT;
        value->text.ptr = (const char *)sqlite3_column_text(query->stmt, column);
        value->text.len = (size_t)sqlite3_column_bytes(query->stmt, column);
        if (value->text.ptr == NULL) {
            buf_no_memory(&query->scratch);
            break;
        }
        if (shape->class == MYSQL_CLASS_DATETIME) {
            value_of_date(query, value, shape);
        }
        break;
    }
}

static bool row_read(struct mysql_query *query, struct mysql_error *error)
{
    buf_reset(&query->scratch);
    for (size_t i = 0; i < query->plan->column_count; i++) {
        value_read(query, i);
    }
    bool ok = buf_ok(&query->scratch);
    for (size_t i = 0; ok && i < query->plan->column_count; i++) {
        struct mysql_value *value = &query->row[i];
        if (value->kind == MYSQL_TEXT && value->text.ptr == NULL) {
            value->text.ptr = query->scratch.ptr + value->integer;
        }
    }
    return ok || mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
}

enum mysql_stepped mysql_query_step(struct mysql_query *query, struct mysql_error *error)
{
    if (query->stmt == NULL) {
        return MYSQL_STEP_DONE;
    }
    if (!query_slice(query)) {
        return MYSQL_STEP_LATER;
    }
    switch (query->stepped) {
    case SQLITE_ROW:
        if (query->plan->parsed.action == MYSQL_ACTION_DISCARD) {
            return MYSQL_STEP_DONE;
        }
        return row_read(query, error) ? MYSQL_STEP_ROW : MYSQL_STEP_FAILED;
    case SQLITE_DONE:
        return MYSQL_STEP_DONE;
    default:
        query_failed(query, error);
        return MYSQL_STEP_FAILED;
    }
}

size_t mysql_query_columns(const struct mysql_query *query, const struct mysql_column **out)
{
    *out = query->plan->columns;
    return query->plan->parsed.action == MYSQL_ACTION_QUERY ? query->plan->column_count : 0;
}

const struct mysql_value *mysql_query_row(const struct mysql_query *query)
{
    return query->row;
}

uint64_t mysql_query_affected(const struct mysql_query *query)
{
    (void)query;
    return 0; /* nothing writes */
}

uint16_t mysql_query_warnings(const struct mysql_query *query)
{
    (void)query;
    return 0;
}
