#include "mysql_db_world.h"

#include "generator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct mysql_session *mysql_db_world_login(struct mysql_db_world *world, struct span database)
{
    struct mysql_login login = {.user = SPAN_LIT("project_user"),
                                .host = "127.0.0.1",
                                .connection_id = 7,
                                .database = database,
                                .charset = 45};
    return mysql_session_new(world->db, &login, &world->error);
}

int mysql_db_world_setup(void **state)
{
    struct mysql_db_world *world = calloc(1, sizeof(*world));
    void *rds = NULL;
    struct error err = ERROR_NONE;
    rds_world_setup(&rds);
    world->rds = rds;
    struct rds_generate_options generate = {.data_dir = world->rds->dir.path,
                                            .env = &world->rds->env,
                                            .rows = MYSQL_DB_WORLD_ROWS,
                                            .seed = 100};
    assert_int_equal(rds_generate(&generate, &err), STATUS_OK);
    struct mysql_db_options options = {
        .data_dir = world->rds->dir.path, .database = "pinterest_data", .env = &world->rds->env};
    assert_int_equal(mysql_db_new(&options, &world->db, &err), STATUS_OK);
    world->session = mysql_db_world_login(world, SPAN_LIT("pinterest_data"));
    assert_non_null(world->session);
    buf_init(&world->text, (size_t)1 << 24);
    *state = world;
    return 0;
}

int mysql_db_world_teardown(void **state)
{
    struct mysql_db_world *world = *state;
    void *rds = world->rds;
    mysql_session_free(world->session);
    mysql_db_free(world->db);
    rds_world_teardown(&rds);
    buf_release(&world->text);
    free(world);
    return 0;
}

static const char *refused(struct mysql_db_world *world)
{
    buf_reset(&world->text);
    buf_printf(&world->text, "%u %s %s", world->error.code, world->error.sqlstate,
               world->error.message);
    return buf_cstr(&world->text);
}

static void append_value(struct buf *out, const struct mysql_value *value)
{
    switch (value->kind) {
    case MYSQL_NULL:
        BUF_APPEND_LIT(out, "NULL");
        break;
    case MYSQL_INT:
        if (value->is_unsigned) {
            buf_append_u64(out, (uint64_t)value->integer);
        } else {
            buf_append_i64(out, value->integer);
        }
        break;
    case MYSQL_DOUBLE:
        buf_printf(out, "%.10g", value->real);
        break;
    case MYSQL_TEXT:
        buf_append_span(out, value->text);
        break;
    }
}

static const char *answered(struct mysql_db_world *world, struct mysql_query *query)
{
    const struct mysql_column *columns = NULL;
    size_t count = mysql_query_columns(query, &columns);
    size_t rows = 0;
    buf_reset(&world->text);
    for (;;) {
        enum mysql_stepped stepped = mysql_query_step(query, &world->error);
        if (stepped == MYSQL_STEP_FAILED) {
            return refused(world);
        }
        if (stepped == MYSQL_STEP_DONE) {
            break;
        }
        if (stepped == MYSQL_STEP_LATER) {
            continue;
        }
        buf_append_cstr(&world->text, rows++ > 0 ? "\n" : "");
        for (size_t i = 0; i < count; i++) {
            buf_append_cstr(&world->text, i > 0 ? "|" : "");
            append_value(&world->text, &mysql_query_row(query)[i]);
        }
    }
    if (count == 0) {
        BUF_APPEND_LIT(&world->text, "OK");
    }
    return world->text.len > 0 ? buf_cstr(&world->text) : "";
}

const char *mysql_db_world_ask_with(struct mysql_db_world *world, struct span sql,
                                    const struct mysql_value *params, size_t count)
{
    struct mysql_statement *statement = mysql_prepare(world->session, sql, &world->error);
    if (statement == NULL) {
        return refused(world);
    }
    struct mysql_query *query = mysql_execute(statement, params, count, &world->error);
    const char *text = query != NULL ? answered(world, query) : refused(world);
    if (query != NULL) {
        mysql_query_free(query);
    }
    mysql_statement_free(statement);
    return text;
}

const char *mysql_db_world_ask(struct mysql_db_world *world, const char *sql)
{
    return mysql_db_world_ask_with(world, span_from_cstr(sql), NULL, 0);
}

const char *mysql_db_world_columns(struct mysql_db_world *world, const char *sql)
{
    const struct mysql_column *columns = NULL;
    struct mysql_statement *statement =
        mysql_prepare(world->session, span_from_cstr(sql), &world->error);
    if (statement == NULL) {
        return refused(world);
    }
    size_t count = mysql_statement_columns(statement, &columns);
    buf_reset(&world->text);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&world->text, "%s%.*s:%d", i > 0 ? "|" : "", SPAN_ARG(columns[i].name),
                   columns[i].type);
    }
    mysql_statement_free(statement);
    return buf_cstr(&world->text);
}
