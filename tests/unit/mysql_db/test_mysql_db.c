/* Sessions, parameters, handles and limits: what is around a statement. */
#include "alloc_fault.h"
#include "budget.h"
#include "generator.h"
#include "mysql_db_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOURS                                                                                      \
    "SELECT COUNT(*) FROM user_data a, user_data b, user_data c, user_data d, user_data e WHERE "  \
    "a.age + b.age + c.age + d.age + e.age > 1"

static struct mysql_query *begin(struct mysql_db_world *world, struct mysql_session *session,
                                 const char *sql, struct mysql_statement **statement)
{
    *statement = mysql_prepare(session, span_from_cstr(sql), &world->error);
    assert_non_null(*statement);
    return mysql_execute(*statement, NULL, 0, &world->error);
}

static void end(struct mysql_query *query, struct mysql_statement *statement)
{
    mysql_query_free(query);
    mysql_statement_free(statement);
}

static void a_login_chooses_a_database_or_none(void **state)
{
    struct mysql_db_world *world = *state;
    struct mysql_session *first = world->session;
    assert_null(mysql_db_world_login(world, SPAN_LIT("nope")));
    assert_int_equal(world->error.code, 1049);
    assert_string_equal(world->error.sqlstate, "42000");
    world->session = mysql_db_world_login(world, SPAN_EMPTY);
    assert_string_equal(mysql_db_world_ask(world, "SELECT * FROM user_data"),
                        "1046 3D000 No database selected");
    assert_string_equal(mysql_db_world_ask(world, "SELECT DATABASE()"), "NULL");
    assert_string_equal(mysql_db_world_ask(world, "SELECT COUNT(*) FROM pinterest_data.user_data"),
                        "100");
    assert_true(mysql_session_use(world->session, SPAN_LIT("pinterest_data"), &world->error));
    assert_string_equal(mysql_db_world_ask(world, "SELECT COUNT(*) FROM user_data"), "100");
    assert_string_equal(mysql_db_world_ask(world, "USE information_schema"), "OK");
    assert_string_equal(mysql_db_world_ask(world, "SELECT COUNT(*) FROM schemata"), "2");
    mysql_session_free(world->session);
    world->session = first;
}

static void a_reset_session_is_as_after_the_login(void **state)
{
    struct mysql_db_world *world = *state;
    assert_string_equal(mysql_db_world_ask(world, "SET autocommit = 0, @x = 1, sql_mode = ''"),
                        "OK");
    assert_string_equal(mysql_db_world_ask(world, "START TRANSACTION"), "OK");
    assert_int_equal(mysql_session_status(world->session), 1);
    assert_string_equal(mysql_db_world_ask(world, "SELECT @x, @@sql_mode"), "1|");
    mysql_session_reset(world->session);
    assert_int_equal(mysql_session_status(world->session), 2);
    assert_string_equal(mysql_db_world_ask(world, "SELECT @x, @@autocommit, @@sql_mode <> ''"),
                        "NULL|1|1");
}

static void without_only_full_group_by_a_loose_column_is_shown(void **state)
{
    struct mysql_db_world *world = *state;
    const char *sql = "SELECT ind, COUNT(*) FROM user_data WHERE ind = 3 OR ind < 0";
    assert_string_equal(mysql_db_world_ask(world, "SET sql_mode = ''"), "OK");
    assert_string_equal(mysql_db_world_ask(world, sql), "3|1");
    assert_string_equal(mysql_db_world_ask(world, "SET sql_mode = 'ANSI_QUOTES'"), "OK");
    assert_string_equal(mysql_db_world_ask(world, "SELECT 1"),
                        "1235 42000 This version of MySQL doesn't yet support 'ANSI'");
}

static struct mysql_value integer(int64_t value)
{
    return (struct mysql_value){.kind = MYSQL_INT, .integer = value, .text = SPAN_EMPTY};
}

static struct mysql_value text(const char *value)
{
    return (struct mysql_value){.kind = MYSQL_TEXT, .text = span_from_cstr(value)};
}

static void parameters_are_values_of_their_type(void **state)
{
    struct mysql_db_world *world = *state;
    struct mysql_value values[3] = {integer(2), text("it's 5"), {.kind = MYSQL_NULL}};
    assert_string_equal(mysql_db_world_ask_with(world, SPAN_LIT("SELECT ? + 1, ?, ?"), values, 3),
                        "3|it's 5|NULL");
    values[0] = integer(98);
    values[1] = integer(1);
    assert_string_equal(
        mysql_db_world_ask_with(world, SPAN_LIT("SELECT ind FROM user_data LIMIT ?, ?"), values, 2),
        "98");
    values[0] = text("2099-01-01");
    assert_string_equal(
        mysql_db_world_ask_with(
            world, SPAN_LIT("SELECT COUNT(*) FROM user_data WHERE date_joined < ?"), values, 1),
        "100");
    values[0] = (struct mysql_value){.kind = MYSQL_DOUBLE, .real = 2.5, .text = SPAN_EMPTY};
    assert_string_equal(mysql_db_world_ask_with(world, SPAN_LIT("SELECT ? * 2"), values, 1), "5");
    values[0] = text("' OR 1=1 -- ");
    assert_string_equal(
        mysql_db_world_ask_with(world, SPAN_LIT("SELECT ind FROM user_data WHERE first_name = ?"),
                                values, 1),
        "");
}

static void a_prepared_statement_runs_again_with_others(void **state)
{
    struct mysql_db_world *world = *state;
    struct mysql_statement *statement = mysql_prepare(
        world->session, SPAN_LIT("SELECT ind FROM user_data WHERE ind = ?"), &world->error);
    assert_non_null(statement);
    assert_int_equal(mysql_statement_params(statement), 1);
    for (int64_t i = 0; i < 3; i++) {
        struct mysql_value value = integer(i);
        struct mysql_query *query = mysql_execute(statement, &value, 1, &world->error);
        assert_non_null(query);
        assert_int_equal(mysql_query_step(query, &world->error), MYSQL_STEP_ROW);
        assert_int_equal(mysql_query_row(query)->integer, i);
        mysql_query_free(query);
    }
    mysql_statement_free(statement);
}

static void a_query_of_hours_gives_way_and_can_be_ended(void **state)
{
    struct mysql_db_world *world = *state;
    struct mysql_statement *statement = NULL;
    struct mysql_query *query = begin(world, world->session, HOURS, &statement);
    assert_non_null(query);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(mysql_query_step(query, &world->error), MYSQL_STEP_LATER);
        assert_string_equal(mysql_db_world_ask(world, "SELECT COUNT(*) FROM user_data"), "100");
    }
    end(query, statement);
    assert_string_equal(mysql_db_world_ask(world, "SELECT COUNT(*) FROM user_data"), "100");
}

static void a_statement_has_a_limit_of_time(void **state)
{
    struct mysql_db_world *world = *state;
    assert_string_equal(mysql_db_world_ask(world, "SET max_execution_time = 20"), "OK");
    assert_string_equal(mysql_db_world_ask(world, HOURS),
                        "3024 HY000 Query execution was interrupted, maximum statement execution "
                        "time exceeded");
    assert_string_equal(mysql_db_world_ask(world, "SELECT 1"), "1");
}

static void tables_that_are_put_in_their_place_are_seen_by_the_next_query(void **state)
{
    struct mysql_db_world *world = *state;
    struct mysql_statement *statement = NULL;
    struct error err = ERROR_NONE;
    struct rds_generate_options generate = {
        .data_dir = world->rds->dir.path, .env = &world->rds->env, .rows = 7, .seed = 1};
    struct mysql_query *query =
        begin(world, world->session, "SELECT ind FROM user_data", &statement);
    assert_int_equal(mysql_query_step(query, &world->error), MYSQL_STEP_ROW);
    assert_int_equal(rds_generate(&generate, &err), STATUS_OK);
    assert_string_equal(mysql_db_world_ask(world, "SELECT COUNT(*) FROM user_data"), "7");
    size_t rows = 1;
    while (mysql_query_step(query, &world->error) != MYSQL_STEP_DONE) {
        rows++;
    }
    assert_int_equal(rows, 100);
    end(query, statement);
    assert_string_equal(mysql_db_world_ask(world, "SELECT COUNT(*) FROM user_data"), "7");
}

static void queries_at_once_have_a_limit(void **state)
{
    enum { many = 64 };
    struct mysql_db_world *world = *state;
    struct mysql_statement *statements[many];
    struct mysql_query *queries[many];
    for (size_t i = 0; i < many; i++) {
        queries[i] = begin(world, world->session, "SELECT ind FROM user_data", &statements[i]);
        assert_non_null(queries[i]);
        assert_int_equal(mysql_query_step(queries[i], &world->error), MYSQL_STEP_ROW);
    }
    assert_string_equal(mysql_db_world_ask(world, "SELECT 1"), "1040 08004 Too many connections");
    for (size_t i = 0; i < many; i++) {
        end(queries[i], statements[i]);
    }
    assert_string_equal(mysql_db_world_ask(world, "SELECT 1"), "1");
}

static void tables_can_be_nobody_elses(void **state)
{
    struct mysql_db_world *world = *state;
    struct mysql_db_options options = {
        .data_dir = ":memory:", .database = "pinterest_data", .env = &world->rds->env};
    struct error err = ERROR_NONE;
    struct mysql_db *db = world->db;
    struct mysql_session *session = world->session;
    assert_int_equal(mysql_db_new(&options, &world->db, &err), STATUS_OK);
    world->session = mysql_db_world_login(world, SPAN_LIT("pinterest_data"));
    assert_non_null(world->session);
    assert_string_equal(mysql_db_world_ask(world, "SELECT COUNT(*) FROM user_data"), "11154");
    mysql_session_free(world->session);
    mysql_db_free(world->db);
    world->db = db;
    world->session = session;
}

static void a_file_that_is_no_database_is_told(void **state)
{
    struct mysql_db_world *world = *state;
    char path[512];
    temp_dir_path(&world->rds->dir, "rds.db", path, sizeof(path));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 5000; i++) {
        fputs("no database ", file);
    }
    fclose(file);
    const char *answer = mysql_db_world_ask(world, "SELECT COUNT(*) FROM user_data");
    assert_memory_equal(answer, "1105 HY000 ", 11);
    assert_non_null(strstr(answer, "rds.db"));
}

static const char *asked_of(struct mysql_db_world *world, struct buf *sql)
{
    return mysql_db_world_ask_with(world, buf_span(sql), NULL, 0);
}

static void depth_and_length_have_limits(void **state)
{
    struct mysql_db_world *world = *state;
    struct buf sql;
    buf_init(&sql, (size_t)1 << 24);
    BUF_APPEND_LIT(&sql, "SELECT ");
    for (int i = 0; i < 100000; i++) {
        buf_append_byte(&sql, '(');
    }
    assert_memory_equal(asked_of(world, &sql), "1436 HY000 Thread stack overrun", 31);
    buf_reset(&sql);
    BUF_APPEND_LIT(&sql, "SELECT COUNT(*) FROM user_data WHERE ind IN (0");
    for (int i = 1; i < 30000; i++) {
        buf_printf(&sql, ",%d", i);
    }
    BUF_APPEND_LIT(&sql, ")");
    assert_string_equal(asked_of(world, &sql), "100");
    buf_reset(&sql);
    BUF_APPEND_LIT(&sql, "SELECT COUNT(*) FROM user_data WHERE ind = -1");
    for (int i = 0; i < 900; i++) {
        buf_printf(&sql, " OR ind = %d", i);
    }
    assert_string_equal(asked_of(world, &sql), "100");
    buf_reset(&sql);
    BUF_APPEND_LIT(&sql, "SELECT 1");
    for (int i = 0; i < 100000; i++) {
        BUF_APPEND_LIT(&sql, "+1");
    }
    assert_memory_equal(asked_of(world, &sql), "1235 42000", 10);
    buf_reset(&sql);
    BUF_APPEND_LIT(&sql, "SELECT LENGTH('");
    for (int i = 0; i < 1000000; i++) {
        BUF_APPEND_LIT(&sql, "0123456789");
    }
    BUF_APPEND_LIT(&sql, "')");
    assert_string_equal(asked_of(world, &sql), "10000000");
    buf_release(&sql);
}

static void a_statement_counts_in_the_servers_budget(void **state)
{
    struct mysql_db_world *world = *state;
    struct budget budget;
    struct error err = ERROR_NONE;
    struct mysql_db_options options = {.data_dir = world->rds->dir.path,
                                       .database = "pinterest_data",
                                       .env = &world->rds->env,
                                       .budget = &budget};
    struct mysql_db *db = world->db;
    struct mysql_session *session = world->session;
    budget_init(&budget, (size_t)1 << 20);
    assert_int_equal(mysql_db_new(&options, &world->db, &err), STATUS_OK);
    world->session = mysql_db_world_login(world, SPAN_LIT("pinterest_data"));
    struct buf sql;
    buf_init(&sql, (size_t)1 << 24);
    BUF_APPEND_LIT(&sql, "SELECT LENGTH('");
    for (int i = 0; i < 1000000; i++) {
        buf_append_byte(&sql, 'x');
    }
    BUF_APPEND_LIT(&sql, "')");
    assert_memory_equal(asked_of(world, &sql), "1041 HY000 Out of memory", 24);
    assert_string_equal(mysql_db_world_ask(world, "SELECT 1"), "1");
    assert_int_equal(budget.used_bytes, 0);
    buf_release(&sql);
    mysql_session_free(world->session);
    mysql_db_free(world->db);
    world->db = db;
    world->session = session;
}

static void without_memory_a_statement_is_refused_never_answered_wrongly(void **state)
{
    static const char *const statements[] = {
        "SELECT age, COUNT(*), GROUP_CONCAT(ind ORDER BY ind) FROM user_data WHERE ind < 3 AND "
        "first_name LIKE '%' GROUP BY age HAVING COUNT(*) > 0 ORDER BY age",
        "SHOW FULL TABLES LIKE '%'",
        "WITH t AS (SELECT 1 AS a UNION SELECT 2) SELECT t.*, (SELECT MAX(ind) FROM user_data) "
        "FROM t ORDER BY a",
    };
    struct mysql_db_world *world = *state;
    for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
        char *right = strdup(mysql_db_world_ask(world, statements[i]));
        buf_reserve(&world->text, 1 << 16);
        for (long n = 1; alloc_fault_goes_on(n); n++) {
            alloc_fault_begin(n, ALLOC_FAILS_ONCE);
            const char *answer = mysql_db_world_ask(world, statements[i]);
            alloc_fault_end();
            bool refused = strncmp(answer, "1041 ", 5) == 0 || strncmp(answer, "1105 ", 5) == 0;
            if (!refused) {
                assert_string_equal(answer, right);
            }
        }
        assert_string_equal(mysql_db_world_ask(world, statements[i]), right);
        free(right);
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, mysql_db_world_setup, mysql_db_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_login_chooses_a_database_or_none),
        TEST(a_reset_session_is_as_after_the_login),
        TEST(without_only_full_group_by_a_loose_column_is_shown),
        TEST(parameters_are_values_of_their_type),
        TEST(a_prepared_statement_runs_again_with_others),
        TEST(a_query_of_hours_gives_way_and_can_be_ended),
        TEST(a_statement_has_a_limit_of_time),
        TEST(tables_that_are_put_in_their_place_are_seen_by_the_next_query),
        TEST(queries_at_once_have_a_limit),
        TEST(tables_can_be_nobody_elses),
        TEST(a_file_that_is_no_database_is_told),
        TEST(depth_and_length_have_limits),
        TEST(a_statement_counts_in_the_servers_budget),
        TEST(without_memory_a_statement_is_refused_never_answered_wrongly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
