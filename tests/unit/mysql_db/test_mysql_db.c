/* Statements in, typed columns and rows out, as a client of MySQL 8 sees them. */
#include "mysql_db.h"
#include "rds_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct rds_world *world;
    struct mysql_db *db;
    struct mysql_session *session;
    struct mysql_error error;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    void *world = NULL;
    rds_world_setup(&world);
    f->world = world;
    struct mysql_db_options options = {
        .data_dir = f->world->dir.path, .database = "pinterest_data", .env = &f->world->env};
    struct mysql_login login = {.user = SPAN_LIT("project_user"),
                                .host = "127.0.0.1",
                                .connection_id = 7,
                                .database = SPAN_LIT("pinterest_data"),
                                .charset = 45};
    struct error err = ERROR_NONE;
    assert_int_equal(mysql_db_new(&options, &f->db, &err), STATUS_OK);
    f->session = mysql_session_new(f->db, &login, &f->error);
    assert_non_null(f->session);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    void *world = f->world;
    mysql_session_free(f->session);
    mysql_db_free(f->db);
    rds_world_teardown(&world);
    free(f);
    return 0;
}

static void the_workshops_statement_gives_typed_columns_and_one_row(void **state)
{
    struct fixture *f = *state;
    const struct mysql_column *columns = NULL;
    struct mysql_statement *statement =
        mysql_prepare(f->session, SPAN_LIT("SELECT * FROM geolocation_data LIMIT 5, 1"), &f->error);
    assert_non_null(statement);
    struct mysql_query *query = mysql_execute(statement, NULL, 0, &f->error);
    assert_non_null(query);
    assert_int_equal(mysql_query_step(query, &f->error), MYSQL_STEP_ROW);
    assert_int_equal(mysql_query_columns(query, &columns), 5);
    assert_int_equal(columns[0].type, MYSQL_TYPE_LONG);
    assert_int_equal(columns[1].type, MYSQL_TYPE_DATETIME);
    assert_int_equal(columns[2].type, MYSQL_TYPE_FLOAT);
    assert_int_equal(columns[4].type, MYSQL_TYPE_BLOB);
    const struct mysql_value *row = mysql_query_row(query);
    assert_int_equal(row[0].integer, 5);
    assert_int_equal(row[1].text.len, strlen("2021-01-01 00:00:00"));
    assert_int_equal(mysql_query_step(query, &f->error), MYSQL_STEP_DONE);
    mysql_query_free(query);
    mysql_statement_free(statement);
}

static void one_is_a_longlong_named_by_its_text(void **state)
{
    struct fixture *f = *state;
    const struct mysql_column *columns = NULL;
    struct mysql_statement *statement = mysql_prepare(f->session, SPAN_LIT("SELECT 1"), &f->error);
    assert_non_null(statement);
    struct mysql_query *query = mysql_execute(statement, NULL, 0, &f->error);
    assert_int_equal(mysql_query_step(query, &f->error), MYSQL_STEP_ROW);
    assert_int_equal(mysql_query_columns(query, &columns), 1);
    assert_int_equal(columns[0].type, MYSQL_TYPE_LONGLONG);
    assert_int_equal(columns[0].name.len, 1);
    assert_int_equal(mysql_query_row(query)->integer, 1);
    mysql_query_free(query);
    mysql_statement_free(statement);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_workshops_statement_gives_typed_columns_and_one_row,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(one_is_a_longlong_named_by_its_text, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
