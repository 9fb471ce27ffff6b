#include "generator.h"
#include "rds.h"
#include "rds_world.h"
#include "row_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void generate(struct rds_world *f, int64_t rows, int64_t seed)
{
    struct error err = ERROR_NONE;
    struct rds_generate_options options = {
        .data_dir = f->dir.path, .env = &f->env, .rows = rows, .seed = seed};
    assert_int_equal(rds_generate(&options, &err), STATUS_OK);
}

static struct row_source *source_open(struct rds_world *f)
{
    struct row_source *source = NULL;
    struct error err = ERROR_NONE;
    enum status status = row_source_sqlite_open(f->dir.path, &f->env, &source, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(status, STATUS_OK);
    return source;
}

/* As another program would: straight into the file. */
static void run_sql(struct rds_world *f, const char *name, const char *sql)
{
    char path[512];
    sqlite3 *db = NULL;
    temp_dir_path(&f->dir, name, path, sizeof(path));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void write_file(struct rds_world *f, const char *name, const char *text, size_t len)
{
    char path[512];
    temp_dir_path(&f->dir, name, path, sizeof(path));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
}

static void every_generated_row_comes_back_under_its_number(void **state)
{
    struct rds_world *f = *state;
    struct error err = ERROR_NONE;
    struct generator *g;
    generate(f, 50, 9);
    struct row_source *source = source_open(f);
    assert_int_equal(generator_new(50, 9, &g, &err), STATUS_OK);
    for (int64_t n = 0; n < 50; n++) {
        for (size_t t = 0; t < TABLE_COUNT; t++) {
            struct row want;
            struct row got;
            generator_row(g, (enum table_id)t, n, &want);
            assert_int_equal(source->ops->fetch(source, (enum table_id)t, n, &got, &err),
                             STATUS_OK);
            assert_ptr_equal(got.table, want.table);
            for (size_t i = 0; i < want.table->column_count; i++) {
                assert_int_equal(got.values[i].is_null, false);
                assert_int_equal(got.values[i].integer, want.values[i].integer);
                assert_true(got.values[i].real == want.values[i].real);
                assert_int_equal(got.values[i].text.len, want.values[i].text.len);
                assert_true(want.values[i].text.len == 0 ||
                            span_equal(got.values[i].text, want.values[i].text));
            }
        }
    }
    generator_free(g);
    source->ops->free(source);
}

static void the_rows_of_three_tables_live_side_by_side(void **state)
{
    struct rds_world *f = *state;
    struct row pin;
    struct row geo;
    struct row user;
    struct error err = ERROR_NONE;
    generate(f, 20, 1);
    struct row_source *source = source_open(f);
    assert_int_equal(source->ops->fetch(source, TABLE_PIN, 3, &pin, &err), STATUS_OK);
    char id[64];
    snprintf(id, sizeof(id), "%.*s", SPAN_ARG(pin.values[1].text));
    assert_int_equal(source->ops->fetch(source, TABLE_GEO, 4, &geo, &err), STATUS_OK);
    assert_int_equal(source->ops->fetch(source, TABLE_USER, 5, &user, &err), STATUS_OK);
    assert_true(span_equal_cstr(pin.values[1].text, id));
    assert_int_equal(geo.values[0].integer, 4);
    assert_int_equal(user.values[0].integer, 5);
    source->ops->free(source);
}

static void row_numbers_outside_the_table_are_not_found(void **state)
{
    struct rds_world *f = *state;
    static const int64_t numbers[] = {-1, 7, 8, INT64_MAX, INT64_MIN};
    struct row row;
    int64_t count;
    generate(f, 7, 1);
    struct row_source *source = source_open(f);
    assert_int_equal(source->ops->count(source, TABLE_GEO, &count, NULL), STATUS_OK);
    assert_int_equal(count, 7);
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        struct error err = ERROR_NONE;
        assert_int_equal(source->ops->fetch(source, TABLE_GEO, numbers[i], &row, &err),
                         STATUS_NOT_FOUND);
        assert_non_null(strstr(err.message, "geolocation_data: no row number"));
    }
    source->ops->free(source);
}

static void with_gaps_in_the_keys_the_nth_key_in_order_is_meant(void **state)
{
    struct rds_world *f = *state;
    static const int64_t keys[] = {-5, 1, 2, 4, 100};
    struct row row;
    struct error err = ERROR_NONE;
    generate(f, 5, 1);
    run_sql(f, "rds.db",
            "UPDATE user_data SET ind = 100 WHERE ind = 0;"
            "UPDATE user_data SET ind = -5 WHERE ind = 3;");
    struct row_source *source = source_open(f);
    for (int64_t n = 0; n < 5; n++) {
        assert_int_equal(source->ops->fetch(source, TABLE_USER, n, &row, &err), STATUS_OK);
        assert_int_equal(row.values[0].integer, keys[n]);
    }
    assert_int_equal(source->ops->fetch(source, TABLE_USER, 5, &row, &err), STATUS_NOT_FOUND);
    source->ops->free(source);
}

static void nulls_are_told_from_empty_texts(void **state)
{
    struct rds_world *f = *state;
    struct row row;
    struct error err = ERROR_NONE;
    generate(f, 2, 1);
    run_sql(f, "rds.db", "UPDATE user_data SET first_name = NULL, last_name = '' WHERE ind = 1");
    struct row_source *source = source_open(f);
    assert_int_equal(source->ops->fetch(source, TABLE_USER, 1, &row, &err), STATUS_OK);
    assert_true(row.values[1].is_null);
    assert_false(row.values[2].is_null);
    assert_int_equal(row.values[2].text.len, 0);
    source->ops->free(source);
}

static void an_open_source_keeps_its_rows_while_the_tables_are_replaced(void **state)
{
    struct rds_world *f = *state;
    struct row row;
    struct error err = ERROR_NONE;
    int64_t count;
    generate(f, 10, 1);
    struct row_source *source = source_open(f);
    assert_int_equal(source->ops->fetch(source, TABLE_PIN, 9, &row, &err), STATUS_OK);
    generate(f, 3, 2);
    assert_int_equal(source->ops->fetch(source, TABLE_PIN, 8, &row, &err), STATUS_OK);
    source->ops->free(source);
    source = source_open(f);
    assert_int_equal(source->ops->count(source, TABLE_PIN, &count, &err), STATUS_OK);
    assert_int_equal(count, 3);
    source->ops->free(source);
}

static void a_source_opens_while_another_program_holds_the_file(void **state)
{
    struct rds_world *f = *state;
    char path[512];
    sqlite3 *other = NULL;
    struct row row;
    struct error err = ERROR_NONE;
    generate(f, 4, 1);
    temp_dir_path(&f->dir, "rds.db", path, sizeof(path));
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other,
                                  "BEGIN IMMEDIATE; UPDATE user_data SET age = 99 WHERE ind = 0",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    struct row_source *source = source_open(f);
    assert_int_equal(source->ops->fetch(source, TABLE_USER, 0, &row, &err), STATUS_OK);
    assert_int_not_equal(row.values[3].integer, 99);
    /* No read transaction stays open behind a fetch: the writer gets its lock. */
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(source->ops->fetch(source, TABLE_USER, 0, &row, &err), STATUS_OK);
    assert_int_equal(row.values[3].integer, 99);
    source->ops->free(source);
    sqlite3_close(other);
}

static void open_fails(struct rds_world *f, enum status expected, const char *words)
{
    struct row_source *source = NULL;
    struct error err = ERROR_NONE;
    assert_int_equal(row_source_sqlite_open(f->dir.path, &f->env, &source, &err), expected);
    assert_null(source);
    if (strstr(err.message, words) == NULL) {
        print_error("expected \"%s\" in: %s\n", words, err.message);
    }
    assert_non_null(strstr(err.message, words));
    assert_non_null(strstr(err.message, f->dir.path));
}

static void without_tables_the_message_says_how_to_get_them(void **state)
{
    open_fails(*state, STATUS_NOT_FOUND, "run `pinpipe data generate`");
}

static void a_file_that_is_no_database_is_corrupt(void **state)
{
    struct rds_world *f = *state;
    char text[8192];
    memset(text, 'x', sizeof(text));
    write_file(f, "rds.db", text, sizeof(text));
    open_fails(f, STATUS_CORRUPT, "not a SQLite database, or damaged");
}

static void an_empty_file_is_not_ours(void **state)
{
    struct rds_world *f = *state;
    write_file(f, "rds.db", "", 0);
    open_fails(f, STATUS_CONFIG, "a SQLite database that pinpipe did not make");
}

static void another_programs_database_is_refused_and_left_alone(void **state)
{
    struct rds_world *f = *state;
    struct error err = ERROR_NONE;
    run_sql(f, "rds.db", "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (42)");
    open_fails(f, STATUS_CONFIG, "a SQLite database that pinpipe did not make");
    struct rds_generate_options options = {
        .data_dir = f->dir.path, .env = &f->env, .rows = 5, .seed = 1};
    assert_int_equal(rds_generate(&options, &err), STATUS_CONFIG);
    run_sql(f, "rds.db", "SELECT * FROM theirs");
}

static void a_newer_version_is_refused_by_name(void **state)
{
    struct rds_world *f = *state;
    generate(f, 2, 1);
    run_sql(f, "rds.db", "PRAGMA user_version = 7");
    open_fails(f, STATUS_CONFIG, "made by a newer pinpipe (file version 7, this program knows 1)");
}

static void a_damaged_table_is_an_error_not_a_wrong_row(void **state)
{
    struct rds_world *f = *state;
    char path[512];
    char zeros[4096];
    struct row_source *source = NULL;
    struct row row;
    struct error err = ERROR_NONE;
    generate(f, 500, 1);
    temp_dir_path(&f->dir, "rds.db", path, sizeof(path));
    struct stat facts;
    assert_int_equal(stat(path, &facts), 0);
    memset(zeros, 0xee, sizeof(zeros));
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (long at = 4096; at < facts.st_size; at += 4096) { /* all but the first page */
        assert_int_equal(fseek(file, at, SEEK_SET), 0);
        assert_int_equal(fwrite(zeros, 1, sizeof(zeros), file), sizeof(zeros));
    }
    fclose(file);
    enum status status = row_source_sqlite_open(f->dir.path, &f->env, &source, &err);
    if (status == STATUS_OK) {
        status = source->ops->fetch(source, TABLE_PIN, 3, &row, &err);
        source->ops->free(source);
    }
    assert_int_equal(status, STATUS_CORRUPT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rds_world_setup, rds_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_generated_row_comes_back_under_its_number),
        TEST(the_rows_of_three_tables_live_side_by_side),
        TEST(row_numbers_outside_the_table_are_not_found),
        TEST(with_gaps_in_the_keys_the_nth_key_in_order_is_meant),
        TEST(nulls_are_told_from_empty_texts),
        TEST(an_open_source_keeps_its_rows_while_the_tables_are_replaced),
        TEST(a_source_opens_while_another_program_holds_the_file),
        TEST(without_tables_the_message_says_how_to_get_them),
        TEST(a_file_that_is_no_database_is_corrupt),
        TEST(an_empty_file_is_not_ours),
        TEST(another_programs_database_is_refused_and_left_alone),
        TEST(a_newer_version_is_refused_by_name),
        TEST(a_damaged_table_is_an_error_not_a_wrong_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
