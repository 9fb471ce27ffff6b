/* Opening, reporting and looking at SQLite files. */
#include "sqlite_db.h"

#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct temp_dir dir;
    struct error err;
    char path[512];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    temp_dir_path(&f->dir, "some.db", f->path, sizeof(f->path));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void make_file(struct fixture *f, const char *sql)
{
    struct sqlite_db db;
    struct sqlite_db_options options = {.path = f->path, .create = true, .sync = DB_SYNC_OFF};
    assert_int_equal(sqlite_db_open(&db, &options, &f->err), STATUS_OK);
    assert_int_equal(sqlite_db_exec(&db, sql, &f->err), STATUS_OK);
    sqlite_db_close(&db);
}

static enum status open_and_exec(struct fixture *f, const struct sqlite_db_options *options,
                                 const char *sql)
{
    struct sqlite_db db;
    enum status status = sqlite_db_open(&db, options, &f->err);
    if (status == STATUS_OK) {
        status = sqlite_db_exec(&db, sql, &f->err);
        sqlite_db_close(&db);
    }
    return status;
}

static void a_missing_file_is_not_found_unless_it_may_be_created(void **state)
{
    struct fixture *f = *state;
    struct sqlite_db_options options = {.path = f->path};
    assert_int_equal(open_and_exec(f, &options, "SELECT 1"), STATUS_NOT_FOUND);
    assert_non_null(strstr(f->err.message, f->path));
    options.read_only = true;
    assert_int_equal(open_and_exec(f, &options, "SELECT 1"), STATUS_NOT_FOUND);
    assert_int_not_equal(access(f->path, F_OK), 0);
    options = (struct sqlite_db_options){.path = f->path, .create = true};
    assert_int_equal(open_and_exec(f, &options, "CREATE TABLE t (x)"), STATUS_OK);
    assert_int_equal(access(f->path, F_OK), 0);
}

static void a_path_too_long_is_refused_not_cut(void **state)
{
    struct fixture *f = *state;
    char path[SQLITE_DB_PATH_BYTES_MAX + 10];
    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    struct sqlite_db_options options = {.path = path, .create = true};
    assert_int_equal(open_and_exec(f, &options, "SELECT 1"), STATUS_CONFIG);
}

static void failures_carry_path_and_status(void **state)
{
    struct fixture *f = *state;
    make_file(f, "CREATE TABLE t (x UNIQUE); INSERT INTO t VALUES (1)");
    static const struct {
        bool read_only;
        const char *sql;
        enum status expected;
    } cases[] = {
        {false, "INSERT INTO t VALUES (1)", STATUS_EXISTS},
        {true, "INSERT INTO t VALUES (2)", STATUS_IO},
        {false, "SELECT nonsense", STATUS_FAILED},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct sqlite_db_options options = {.path = f->path, .read_only = cases[i].read_only};
        assert_int_equal(open_and_exec(f, &options, cases[i].sql), cases[i].expected);
        assert_non_null(strstr(f->err.message, f->path));
    }
}

static void a_file_that_is_not_a_database_is_corrupt(void **state)
{
    struct fixture *f = *state;
    FILE *file = fopen(f->path, "w");
    for (int i = 0; i < 100; i++) {
        fputs("certainly not a database\n", file);
    }
    fclose(file);
    struct sqlite_db_options options = {.path = f->path};
    assert_int_equal(open_and_exec(f, &options, "SELECT * FROM t"), STATUS_CORRUPT);
}

static void statements_are_prepared_once_and_come_back_reset(void **state)
{
    struct fixture *f = *state;
    static const char *const sql[] = {"SELECT ?1", "SELECT broken FROM nowhere"};
    struct sqlite_db db;
    struct sqlite_db_options options = {.path = ":memory:"};
    assert_int_equal(sqlite_db_open(&db, &options, &f->err), STATUS_OK);
    assert_int_equal(sqlite_db_set_statements(&db, sql, 2, &f->err), STATUS_OK);
    sqlite3_stmt *stmt = sqlite_db_statement(&db, 0);
    assert_int_equal(sqlite_bind_span_text(stmt, 1, SPAN_LIT("a")), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_true(span_equal_cstr(sqlite_column_span(stmt, 0), "a"));
    assert_ptr_equal(sqlite_db_statement(&db, 0), stmt);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_type(stmt, 0), SQLITE_NULL); /* bindings are cleared */
    assert_true(sqlite_column_span(stmt, 0).ptr != NULL);
    assert_null(sqlite_db_statement(&db, 1));
    assert_int_equal(sqlite_db_error(&db, "try", &f->err), STATUS_FAILED);
    sqlite_db_close(&db);
}

static void a_query_without_rows_is_not_found(void **state)
{
    struct fixture *f = *state;
    struct sqlite_db db;
    int64_t value = 5;
    struct sqlite_db_options options = {.path = ":memory:"};
    assert_int_equal(sqlite_db_open(&db, &options, &f->err), STATUS_OK);
    assert_int_equal(sqlite_db_query_i64(&db, "SELECT 1 WHERE 0", &value, &f->err),
                     STATUS_NOT_FOUND);
    assert_int_equal(value, 5);
    assert_int_equal(sqlite_db_query_i64(&db, "SELECT -9007199254740993", &value, &f->err),
                     STATUS_OK);
    assert_true(value == INT64_C(-9007199254740993));
    sqlite_db_close(&db);
}

static void a_probe_tells_files_apart_without_touching_them(void **state)
{
    struct fixture *f = *state;
    struct sqlite_file_probe probe;
    assert_int_equal(sqlite_file_probe(f->path, &probe, &f->err), STATUS_OK);
    assert_false(probe.exists);
    make_file(f, "PRAGMA application_id=0x50495045; PRAGMA user_version=7; CREATE TABLE t (x)");
    assert_int_equal(sqlite_file_probe(f->path, &probe, &f->err), STATUS_OK);
    assert_true(probe.exists && probe.is_sqlite && !probe.is_blank);
    assert_int_equal(probe.application_id, 0x50495045);
    assert_int_equal(probe.user_version, 7);
    assert_true(probe.size_bytes > 0);
    assert_int_equal(truncate(f->path, 0), 0);
    assert_int_equal(sqlite_file_probe(f->path, &probe, &f->err), STATUS_OK);
    assert_true(probe.exists && !probe.is_sqlite && probe.is_blank);
    assert_int_equal(truncate(f->path, 4096), 0);
    assert_int_equal(sqlite_file_probe(f->path, &probe, &f->err), STATUS_OK);
    assert_true(!probe.is_sqlite && probe.is_blank);
    assert_int_equal(sqlite_file_probe(f->dir.path, &probe, &f->err), STATUS_OK);
    assert_true(probe.exists && !probe.is_sqlite);
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_int_equal(sqlite_file_probe(f->path, &probe, &f->err), STATUS_CONFIG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_missing_file_is_not_found_unless_it_may_be_created),
        TEST(a_path_too_long_is_refused_not_cut),
        TEST(failures_carry_path_and_status),
        TEST(a_file_that_is_not_a_database_is_corrupt),
        TEST(statements_are_prepared_once_and_come_back_reset),
        TEST(a_query_without_rows_is_not_found),
        TEST(a_probe_tells_files_apart_without_touching_them),
    };
    return cmocka_run_group_tests_name("sqlite_db", tests, NULL, NULL);
}
