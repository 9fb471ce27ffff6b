/* Definitions and rows on their way out: a piece that fits into the buffer is encoded, held, sent,
 * and when it has left the query goes on, in turns with everybody else. */
#include "mysql_internal.h"

/* How much of an answer may be in memory now. */
static size_t piece_bytes(const struct mysql_conn *c)
{
    size_t bytes = turn_unsent_room(c->reply->turn) / MYSQL_PIECE_PART;
    if (bytes < MYSQL_PIECE_BYTES_MIN) {
        return MYSQL_PIECE_BYTES_MIN;
    }
    return bytes < MYSQL_PIECE_BYTES_MAX ? bytes : MYSQL_PIECE_BYTES_MAX;
}

void mysql_result_release(struct mysql_conn *c)
{
    struct mysql_result *result = &c->result;
    if (result->query != NULL) {
        mysql_query_free(result->query);
    }
    if (result->statement != NULL) {
        mysql_statement_free(result->statement);
    }
    arena_reset(&c->values);
    *result = (struct mysql_result){.phase = MYSQL_NO_RESULT};
}

static void result_end(struct mysql_conn *c)
{
    mysql_result_release(c);
    mysql_reply_end(c, MYSQL_IDLE);
}

static void result_fail(struct mysql_conn *c, const struct mysql_error *error)
{
    mysql_result_release(c);
    mysql_reply_error(c, error, MYSQL_IDLE);
}

static void eof_put(struct mysql_conn *c, uint16_t warnings)
{
    mysql_put_eof(&c->w, mysql_session_status(c->session), warnings);
}

enum result_step { RESULT_NEXT, RESULT_FULL, RESULT_LATER, RESULT_ENDED };

/* The next row into `row`, or the end of the result. */
static enum result_step row_step(struct mysql_conn *c)
{
    struct mysql_result *result = &c->result;
    struct mysql_error error = {0};
    enum mysql_stepped stepped = mysql_query_step(result->query, &error);
    switch (stepped) {
    case MYSQL_STEP_LATER:
        if (c->conn.server->stopping) {
            mysql_refuse(&error, 1053, "08S01", "Server shutdown in progress");
            result_fail(c, &error);
            return RESULT_ENDED;
        }
        return RESULT_LATER;
    case MYSQL_STEP_FAILED:
        result_fail(c, &error);
        return RESULT_ENDED;
    case MYSQL_STEP_ROW:
    case MYSQL_STEP_DONE:
        break;
    }
    if (result->phase == MYSQL_FIRST_STEP) {
        result->column_count = mysql_query_columns(result->query, &result->columns);
    }
    result->has_row = stepped == MYSQL_STEP_ROW;
    result->done = !result->has_row;
    if (result->has_row) {
        mysql_row_begin(&result->row, result->columns, mysql_query_row(result->query),
                        result->column_count, result->binary);
    }
    return RESULT_NEXT;
}

static enum result_step first_step(struct mysql_conn *c)
{
    struct mysql_result *result = &c->result;
    enum result_step step = row_step(c);
    if (step != RESULT_NEXT) {
        return step;
    }
    if (result->column_count > 0) {
        mysql_put_count(&c->w, result->column_count);
        result->phase = MYSQL_COLUMN_DEFINITIONS;
        return RESULT_NEXT;
    }
    const struct mysql_ok ok = {.affected = mysql_query_affected(result->query),
                                .status = mysql_session_status(c->session),
                                .warnings = mysql_query_warnings(result->query)};
    mysql_put_ok(&c->w, &ok);
    result_end(c);
    return RESULT_ENDED;
}

static enum result_step params_step(struct mysql_conn *c, size_t max)
{
    struct mysql_result *result = &c->result;
    while (result->params_left > 0) {
        if (c->w.out->len + MYSQL_DEFINITION_BYTES_MAX > max) {
            return RESULT_FULL;
        }
        mysql_put_param(&c->w);
        if (--result->params_left == 0) {
            eof_put(c, 0);
        }
    }
    result->phase = MYSQL_COLUMN_DEFINITIONS;
    return RESULT_NEXT;
}

static enum result_step columns_step(struct mysql_conn *c, size_t max)
{
    struct mysql_result *result = &c->result;
    for (; result->column < result->column_count; result->column++) {
        if (c->w.out->len + MYSQL_DEFINITION_BYTES_MAX > max) {
            return RESULT_FULL;
        }
        mysql_put_column(&c->w, &result->columns[result->column], result->as_fields);
    }
    if (result->column_count > 0 || result->as_fields) {
        eof_put(c, 0);
    }
    if (result->query == NULL) {
        result_end(c);
        return RESULT_ENDED;
    }
    result->phase = MYSQL_ROWS;
    return RESULT_NEXT;
}

static enum result_step rows_step(struct mysql_conn *c, size_t max)
{
    struct mysql_result *result = &c->result;
    while (!result->done) {
        size_t len = c->w.out->len;
        if (result->has_row && (len >= max || !mysql_row_write(&result->row, &c->w, max - len))) {
            return RESULT_FULL;
        }
        result->has_row = false;
        enum result_step step = row_step(c);
        if (step != RESULT_NEXT) {
            return step;
        }
    }
    eof_put(c, mysql_query_warnings(result->query));
    result_end(c);
    return RESULT_ENDED;
}

static enum result_step result_step(struct mysql_conn *c, size_t max)
{
    switch (c->result.phase) {
    case MYSQL_NO_RESULT:
        break;
    case MYSQL_FIRST_STEP:
        return first_step(c);
    case MYSQL_PARAM_DEFINITIONS:
        return params_step(c, max);
    case MYSQL_COLUMN_DEFINITIONS:
        return columns_step(c, max);
    case MYSQL_ROWS:
        return rows_step(c, max);
    }
    return RESULT_ENDED;
}

void mysql_result_go_on(struct mysql_conn *c)
{
    size_t max = piece_bytes(c);
    enum result_step step;
    PP_ASSERT(c->state == MYSQL_BUSY && c->result.phase != MYSQL_NO_RESULT);
    do {
        step = result_step(c, max);
    } while (step == RESULT_NEXT);
    if (step == RESULT_FULL) {
        mysql_reply_hold(c, false);
    } else if (step == RESULT_LATER) {
        conn_make_ready(&c->conn);
    }
}

void mysql_result_begin(struct mysql_conn *c)
{
    c->state = MYSQL_BUSY;
    c->after = MYSQL_IDLE;
    mysql_result_go_on(c);
}
