/* The commands of a client that has logged in, a row each. */
#include "mysql_internal.h"

#include "array.h"
#include "mysql_outline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mysql_command {
    uint8_t code;
    const char *name; /* in the journal */
    /* `rest` is the payload behind the command's byte. */
    void (*run)(struct mysql_conn *c, const struct mysql_command *command, struct span rest);
};

static void command_begin(struct mysql_conn *c, const struct mysql_command *command,
                          struct span path, struct span rest)
{
    mysql_reply_begin(c, command->name, path, rest.len);
}

static void command_ok(struct mysql_conn *c, const struct mysql_command *command, struct span rest)
{
    command_begin(c, command, SPAN_EMPTY, rest);
    mysql_reply_ok(c);
}

static void command_fail(struct mysql_conn *c, const struct mysql_error *error)
{
    mysql_reply_error(c, error, MYSQL_IDLE);
}

/* --- statements as text --- */

static bool query_start(struct mysql_conn *c, struct span sql, struct mysql_error *error)
{
    struct mysql_result *result = &c->result;
    result->statement = mysql_prepare(c->session, sql, error);
    if (result->statement == NULL) {
        return false;
    }
    if (mysql_statement_params(result->statement) > 0) {
        mysql_refuse(error, 1064, "42000",
                     "You have an error in your SQL syntax; check the manual that corresponds to "
                     "your MySQL server version for the right syntax to use near '?' at line 1");
        return false;
    }
    result->query = mysql_execute(result->statement, NULL, 0, error);
    result->phase = MYSQL_FIRST_STEP;
    return result->query != NULL;
}

static void query_run(struct mysql_conn *c, const struct mysql_command *command, struct span sql)
{
    char outline[MYSQL_PATH_BYTES];
    struct mysql_error error = {0};
    command_begin(c, command, span_from(outline, mysql_outline(sql, outline, sizeof(outline))),
                  sql);
    if (query_start(c, sql, &error)) {
        mysql_result_begin(c);
    } else {
        mysql_result_release(c);
        command_fail(c, &error);
    }
}

/* The columns of a table, for shells that complete names: those of all its rows, of which none is
 * asked for. */
static void field_list_run(struct mysql_conn *c, const struct mysql_command *command,
                           struct span rest)
{
    struct mysql_reader r = mysql_reader_of(rest);
    struct mysql_error error = {0};
    struct mysql_result *result = &c->result;
    struct span table = mysql_read_cstr(&r);
    struct buf sql;
    buf_init(&sql, MYSQL_PATH_BYTES);
    BUF_APPEND_LIT(&sql, "select * from `");
    for (size_t i = 0; i < table.len; i++) {
        if (table.ptr[i] == '`') {
            buf_append_byte(&sql, '`');
        }
        buf_append_byte(&sql, table.ptr[i]);
    }
    BUF_APPEND_LIT(&sql, "` limit 0");
    command_begin(c, command, table, rest);
    if (buf_ok(&sql)) {
        result->statement = mysql_prepare(c->session, buf_span(&sql), &error);
    } else {
        mysql_refuse(&error, 1059, "42000", "Identifier name '%.*s' is too long",
                     SPAN_ARG(span_first(table, 64)));
    }
    buf_release(&sql);
    if (result->statement == NULL) {
        command_fail(c, &error);
        return;
    }
    result->column_count = mysql_statement_columns(result->statement, &result->columns);
    result->as_fields = true;
    result->phase = MYSQL_COLUMN_DEFINITIONS;
    mysql_result_begin(c);
}

/* --- prepared statements --- */

static void prepared_free(struct mysql_prepared *prepared)
{
    if (prepared->statement != NULL) {
        mysql_statement_free(prepared->statement);
    }
    free(prepared->params.types);
    free(prepared);
}

void mysql_command_forget_statements(struct mysql_conn *c)
{
    for (size_t i = 0; i < c->prepared_count; i++) {
        prepared_free(c->prepared[i]);
    }
    free(c->prepared);
    c->prepared = NULL;
    c->prepared_count = 0;
    c->prepared_capacity = 0;
}

/* The statement's place; the count when there is none of that id. */
static size_t prepared_find(const struct mysql_conn *c, uint32_t id)
{
    size_t i = 0;
    while (i < c->prepared_count && c->prepared[i]->id != id) {
        i++;
    }
    return i;
}

static bool prepared_unknown(struct mysql_error *error, uint32_t id, const char *function)
{
    mysql_refuse(error, 1243, "HY000", "Unknown prepared statement handler (%u) given to %s",
                 (unsigned)id, function);
    return false;
}

/* NULL and *error: there is no room for one more. */
static struct mysql_prepared *prepared_new(struct mysql_conn *c, struct mysql_error *error)
{
    if (c->prepared_count >= MYSQL_STATEMENTS_MAX) {
        mysql_refuse(error, 1461, "42000",
                     "Can't create more than max_prepared_stmt_count statements (current value: "
                     "%d)",
                     MYSQL_STATEMENTS_MAX);
        return NULL;
    }
    struct mysql_prepared *prepared = calloc(1, sizeof(*prepared));
    if (prepared == NULL || ARRAY_RESERVE(c->prepared, c->prepared_capacity, c->prepared_count + 1,
                                          MYSQL_STATEMENTS_MAX) != STATUS_OK) {
        free(prepared);
        mysql_refuse(error, 1041, "HY000", "Out of memory");
        return NULL;
    }
    return prepared;
}

static bool prepared_fill(struct mysql_conn *c, struct mysql_prepared *prepared, struct span sql,
                          struct mysql_error *error)
{
    prepared->statement = mysql_prepare(c->session, sql, error);
    if (prepared->statement == NULL) {
        return false;
    }
    size_t params = mysql_statement_params(prepared->statement);
    prepared->params.count = params;
    prepared->params.types = params > 0 ? calloc(params, sizeof(uint16_t)) : NULL;
    if (params > 0 && prepared->params.types == NULL) {
        mysql_refuse(error, 1041, "HY000", "Out of memory");
        return false;
    }
    prepared->id = ++c->last_statement_id;
    prepared->outline_len = mysql_outline(sql, prepared->outline, sizeof(prepared->outline));
    return true;
}

static void prepare_ok_put(struct mysql_conn *c, const struct mysql_prepared *prepared)
{
    size_t start = mysql_packet_begin(&c->w);
    mysql_put_int(c->w.out, 0, 1);
    mysql_put_int(c->w.out, prepared->id, 4);
    mysql_put_int(c->w.out, c->result.column_count, 2);
    mysql_put_int(c->w.out, prepared->params.count, 2);
    mysql_put_zeros(c->w.out, 3); /* and no warnings */
    mysql_packet_end(&c->w, start);
}

static void prepare_run(struct mysql_conn *c, const struct mysql_command *command, struct span sql)
{
    char outline[MYSQL_PATH_BYTES];
    struct mysql_error error = {0};
    struct mysql_result *result = &c->result;
    command_begin(c, command, span_from(outline, mysql_outline(sql, outline, sizeof(outline))),
                  sql);
    struct mysql_prepared *prepared = prepared_new(c, &error);
    if (prepared == NULL || !prepared_fill(c, prepared, sql, &error)) {
        if (prepared != NULL) {
            prepared_free(prepared);
        }
        command_fail(c, &error);
        return;
    }
    c->prepared[c->prepared_count++] = prepared;
    result->column_count = mysql_statement_columns(prepared->statement, &result->columns);
    result->params_left = prepared->params.count;
    result->phase = MYSQL_PARAM_DEFINITIONS;
    prepare_ok_put(c, prepared);
    mysql_result_begin(c);
}

static bool execute_start(struct mysql_conn *c, const struct mysql_command *command,
                          struct span rest, struct mysql_error *error)
{
    struct mysql_reader r = mysql_reader_of(rest);
    uint32_t id = (uint32_t)mysql_read_int(&r, 4);
    size_t place = prepared_find(c, id);
    struct mysql_value *values = NULL;
    if (place == c->prepared_count) {
        command_begin(c, command, SPAN_EMPTY, rest);
        return prepared_unknown(error, id, "mysqld_stmt_execute");
    }
    struct mysql_prepared *prepared = c->prepared[place];
    command_begin(c, command, span_from(prepared->outline, prepared->outline_len), rest);
    if (prepared->has_long_data) {
        mysql_refuse(error, 1295, "HY000",
                     "This command is not supported in the prepared statement protocol yet");
        return false;
    }
    if (!mysql_params_read(&prepared->params, &r, &c->values, &values, error)) {
        return false;
    }
    c->result.query = mysql_execute(prepared->statement, values, prepared->params.count, error);
    c->result.binary = true;
    c->result.phase = MYSQL_FIRST_STEP;
    return c->result.query != NULL;
}

static void execute_run(struct mysql_conn *c, const struct mysql_command *command, struct span rest)
{
    struct mysql_error error = {0};
    if (execute_start(c, command, rest, &error)) {
        mysql_result_begin(c);
    } else {
        mysql_result_release(c);
        command_fail(c, &error);
    }
}

/* Neither this one nor the next is answered. */
static void long_data_run(struct mysql_conn *c, const struct mysql_command *command,
                          struct span rest)
{
    struct mysql_reader r = mysql_reader_of(rest);
    size_t place = prepared_find(c, (uint32_t)mysql_read_int(&r, 4));
    (void)command;
    if (place < c->prepared_count) {
        c->prepared[place]->has_long_data = true;
    }
}

static void statement_close_run(struct mysql_conn *c, const struct mysql_command *command,
                                struct span rest)
{
    struct mysql_reader r = mysql_reader_of(rest);
    size_t place = prepared_find(c, (uint32_t)mysql_read_int(&r, 4));
    (void)command;
    if (place < c->prepared_count) {
        prepared_free(c->prepared[place]);
        ARRAY_CLOSE(c->prepared, c->prepared_count, place);
        c->prepared_count--;
    }
}

static void statement_reset_run(struct mysql_conn *c, const struct mysql_command *command,
                                struct span rest)
{
    struct mysql_reader r = mysql_reader_of(rest);
    struct mysql_error error = {0};
    uint32_t id = (uint32_t)mysql_read_int(&r, 4);
    size_t place = prepared_find(c, id);
    command_begin(c, command, SPAN_EMPTY, rest);
    if (place == c->prepared_count) {
        (void)prepared_unknown(&error, id, "mysqld_stmt_reset");
        command_fail(c, &error);
        return;
    }
    c->prepared[place]->has_long_data = false;
    mysql_reply_ok(c);
}

/* --- the session --- */

static void quit_run(struct mysql_conn *c, const struct mysql_command *command, struct span rest)
{
    (void)command;
    (void)rest;
    conn_close(&c->conn);
}

static void init_db_run(struct mysql_conn *c, const struct mysql_command *command,
                        struct span database)
{
    struct mysql_error error = {0};
    command_begin(c, command, database, database);
    if (mysql_session_use(c->session, database, &error)) {
        mysql_reply_ok(c);
    } else {
        command_fail(c, &error);
    }
}

static void reset_run(struct mysql_conn *c, const struct mysql_command *command, struct span rest)
{
    mysql_command_forget_statements(c);
    mysql_session_reset(c->session);
    command_ok(c, command, rest);
}

static void change_user_run(struct mysql_conn *c, const struct mysql_command *command,
                            struct span rest)
{
    (void)command;
    mysql_access_change_user(c, rest);
}

/* Whether several statements may come as one: a text is one statement all the same. */
static void set_option_run(struct mysql_conn *c, const struct mysql_command *command,
                           struct span rest)
{
    command_begin(c, command, SPAN_EMPTY, rest);
    mysql_put_eof(&c->w, mysql_session_status(c->session), 0);
    mysql_reply_end(c, MYSQL_IDLE);
}

static void statistics_run(struct mysql_conn *c, const struct mysql_command *command,
                           struct span rest)
{
    const struct mysql_service *service = c->service;
    int64_t up_us = service->env->monotonic_us(service->env) - service->start_us;
    double up_s = (double)up_us / 1e6;
    command_begin(c, command, SPAN_EMPTY, rest);
    size_t start = mysql_packet_begin(&c->w);
    buf_printf(c->w.out,
               "Uptime: %lld  Threads: %zu  Questions: %llu  Slow queries: 0  Opens: 3  Flush "
               "tables: 1  Open tables: 3  Queries per second avg: %.3f",
               (long long)(up_us / 1000000), service->threads,
               (unsigned long long)service->questions,
               up_s > 0 ? (double)service->questions / up_s : 0.0);
    mysql_packet_end(&c->w, start);
    mysql_reply_end(c, MYSQL_IDLE);
}

static void unknown_run(struct mysql_conn *c, const struct mysql_command *command, struct span rest)
{
    struct mysql_error error;
    command_begin(c, command, SPAN_EMPTY, rest);
    mysql_refuse(&error, 1047, "08S01", "Unknown command");
    command_fail(c, &error);
}

static const struct mysql_command commands[] = {
    {0x01, "QUIT", quit_run},
    {0x02, "INIT_DB", init_db_run},
    {0x03, "QUERY", query_run},
    {0x04, "FIELD_LIST", field_list_run},
    {0x09, "STATISTICS", statistics_run},
    {0x0e, "PING", command_ok},
    {0x11, "CHANGE_USER", change_user_run},
    {0x16, "PREPARE", prepare_run},
    {0x17, "EXECUTE", execute_run},
    {0x18, "LONG_DATA", long_data_run},
    {0x19, "CLOSE", statement_close_run},
    {0x1a, "RESET", statement_reset_run},
    {0x1b, "SET_OPTION", set_option_run},
    {0x1f, "RESET_CONNECTION", reset_run},
};
static const struct mysql_command command_unknown = {0, "UNKNOWN", unknown_run};

void mysql_command_run(struct mysql_conn *c, struct span payload)
{
    const struct mysql_command *command = &command_unknown;
    for (size_t i = 0; i < ARRAY_COUNT(commands); i++) {
        if (payload.len > 0 && (uint8_t)payload.ptr[0] == commands[i].code) {
            command = &commands[i];
        }
    }
    c->service->questions++;
    command->run(c, command, span_skip(payload, 1));
}
