/* CSV in and out of rds.db: what is accepted, what every fault is told as, and that a fault changes
 * nothing. */
#include "file.h"
#include "generator.h"
#include "rds_csv.h"
#include "rds_world.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { text_bytes_max = 64 * 1024 * 1024 };

static int64_t span_read(void *ctx, char *into, size_t cap)
{
    struct span *rest = ctx;
    size_t take = rest->len < cap ? rest->len : cap;
    memcpy(into, rest->ptr, take);
    *rest = span_skip(*rest, take);
    return (int64_t)take;
}

static enum status import_text(struct rds_world *f, enum table_id table, struct span text,
                               struct rds_import_result *result, struct error *err)
{
    struct rds_import_options options = {
        .data_dir = f->dir.path,
        .env = &f->env,
        .table = table,
        .read = span_read,
        .read_ctx = &text,
    };
    return rds_import(&options, result, err);
}

static int buf_write(void *ctx, struct span bytes)
{
    buf_append_span(ctx, bytes);
    return 0;
}

static void export_text(struct rds_world *f, enum table_id table, struct buf *out)
{
    struct sqlite_db db;
    struct error err = ERROR_NONE;
    buf_init(out, text_bytes_max);
    assert_int_equal(rds_open(f->dir.path, &f->env, &db, &err), STATUS_OK);
    struct rds_export_options options = {
        .db = &db, .table = table, .write = buf_write, .write_ctx = out};
    assert_int_equal(rds_export(&options, &err), STATUS_OK);
    assert_true(buf_ok(out));
    sqlite_db_close(&db);
}

static void exports_as(struct rds_world *f, enum table_id table, const char *expected)
{
    struct buf out;
    export_text(f, table, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_release(&out);
}

static void generate(struct rds_world *f, int64_t rows)
{
    struct error err = ERROR_NONE;
    struct rds_generate_options options = {
        .data_dir = f->dir.path, .env = &f->env, .rows = rows, .seed = 5};
    assert_int_equal(rds_generate(&options, &err), STATUS_OK);
}

static void columns_are_found_by_name_in_any_order(void **state)
{
    struct rds_world *f = *state;
    struct rds_import_result result;
    struct error err = ERROR_NONE;
    struct span text =
        SPAN_LIT("\xef\xbb\xbf"
                 "country,ind,longitude,\"latitude\",timestamp\r\n"
                 "\"Lao People's, Democratic\nRepublic\",1,-180,90.0000,2020-02-29T23:59:59\r\n"
                 "\"C\"\"te\",0,1.5e2,-5.34445,2017-10-20 00:00:00");
    assert_int_equal(import_text(f, TABLE_GEO, text, &result, &err), STATUS_OK);
    assert_int_equal(result.rows, 2);
    assert_int_equal(result.key_min, 0);
    assert_int_equal(result.key_max, 1);
    assert_true(result.dense);
    exports_as(f, TABLE_GEO,
               "ind,timestamp,latitude,longitude,country\n"
               "0,2017-10-20 00:00:00,-5.34445,150,\"C\"\"te\"\n"
               "1,2020-02-29 23:59:59,90,-180,\"Lao People's, Democratic\nRepublic\"\n");
}

static void nulls_and_empty_texts_survive_a_round_trip(void **state)
{
    struct rds_world *f = *state;
    struct rds_import_result result;
    struct error err = ERROR_NONE;
    static const char text[] = "ind,first_name,last_name,age,date_joined\n"
                               "0,,\"\",,\n"
                               "1,\"\",,20,2015-10-21 00:00:00\n";
    assert_int_equal(import_text(f, TABLE_USER, span_from_cstr(text), &result, &err), STATUS_OK);
    exports_as(f, TABLE_USER, text);
}

static void export_import_export_is_the_same_for_generated_tables(void **state)
{
    struct rds_world *f = *state;
    generate(f, 2000);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        struct buf first;
        struct buf second;
        struct rds_import_result result;
        struct error err = ERROR_NONE;
        export_text(f, (enum table_id)t, &first);
        assert_int_equal(import_text(f, (enum table_id)t, buf_span(&first), &result, &err),
                         STATUS_OK);
        assert_int_equal(result.rows, 2000);
        export_text(f, (enum table_id)t, &second);
        assert_true(span_equal(buf_span(&first), buf_span(&second)));
        buf_release(&first);
        buf_release(&second);
    }
}

static void an_import_replaces_one_table_and_keeps_the_others(void **state)
{
    struct rds_world *f = *state;
    struct rds_import_result result;
    struct rds_table_info info;
    struct sqlite_db db;
    struct error err = ERROR_NONE;
    struct buf pins;
    struct buf pins_after;
    generate(f, 100);
    export_text(f, TABLE_PIN, &pins);
    assert_int_equal(import_text(f, TABLE_USER,
                                 SPAN_LIT("ind,first_name,last_name,age,date_joined\n7,A,B,20,\n"),
                                 &result, &err),
                     STATUS_OK);
    assert_false(result.dense);
    export_text(f, TABLE_PIN, &pins_after);
    assert_true(span_equal(buf_span(&pins), buf_span(&pins_after)));
    assert_int_equal(rds_open(f->dir.path, &f->env, &db, &err), STATUS_OK);
    assert_int_equal(rds_table_info(&db, TABLE_PIN, &info, &err), STATUS_OK);
    assert_string_equal(info.how, "generated");
    assert_true(info.has_seed && info.seed == 5 && info.rows == 100 && info.dense);
    assert_int_equal(rds_table_info(&db, TABLE_USER, &info, &err), STATUS_OK);
    assert_string_equal(info.how, "imported");
    assert_true(!info.has_seed && info.rows == 1 && !info.dense && info.key_min == 7);
    sqlite_db_close(&db);
    buf_release(&pins);
    buf_release(&pins_after);
}

static void a_header_without_rows_gives_an_empty_table(void **state)
{
    struct rds_world *f = *state;
    struct rds_import_result result;
    struct error err = ERROR_NONE;
    static const char text[] = "ind,first_name,last_name,age,date_joined\n";
    assert_int_equal(import_text(f, TABLE_USER, span_from_cstr(text), &result, &err), STATUS_OK);
    assert_int_equal(result.rows, 0);
    assert_true(result.dense);
    exports_as(f, TABLE_USER, text);
}

struct fault_case {
    const char *text;
    enum status status;
    const char *message;
};

#define GEO_HEADER "ind,timestamp,latitude,longitude,country\n"
#define GEO_ROW    "0,2020-01-01 00:00:00,1,2,X\n"

static const struct fault_case fault_cases[] = {
    {"", STATUS_INVALID,
     "the file is empty: its first line must name the columns of geolocation_data"},
    {"\n\n", STATUS_INVALID,
     "the file is empty: its first line must name the columns of geolocation_data"},
    {"ind,timestamp,country\n", STATUS_INVALID,
     "line 1: column missing: \"latitude\", \"longitude\""},
    {"ind,timestamp,latitude,longitude,land,country\n", STATUS_INVALID,
     "line 1, field 5: unknown column \"land\" for table geolocation_data"},
    {"\nind,timestamp,latitude,latitude,longitude,country\n", STATUS_INVALID,
     "line 2, field 4: there are two of column \"latitude\""},
    {"IND,timestamp,latitude,longitude,country\n", STATUS_INVALID,
     "line 1, field 1: unknown column \"IND\" for table geolocation_data"},
    {"0,2020-01-01 00:00:00,1,2,X\n", STATUS_INVALID,
     "line 1, field 1: unknown column \"0\" for table geolocation_data"},
    {GEO_HEADER GEO_ROW "1,2020-01-01 00:00:00,1,2\n", STATUS_INVALID,
     "line 3: 4 fields where the first line names 5 (a field with a comma must be in quotes)"},
    {GEO_HEADER "0,2020-01-01 00:00:00,1,2,X,Y\n", STATUS_INVALID,
     "line 2: 6 fields where the first line names 5 (a field with a comma must be in quotes)"},
    {GEO_HEADER ",2020-01-01 00:00:00,1,2,X\n", STATUS_INVALID,
     "line 2, field \"ind\": the key is missing"},
    {GEO_HEADER "\"\",2020-01-01 00:00:00,1,2,X\n", STATUS_INVALID,
     "line 2, field \"ind\": expected a whole number such as 7528, found \"\""},
    {GEO_HEADER "1.0,2020-01-01 00:00:00,1,2,X\n", STATUS_INVALID,
     "line 2, field \"ind\": expected a whole number such as 7528, found \"1.0\""},
    {GEO_HEADER "9223372036854775808,2020-01-01 00:00:00,1,2,X\n", STATUS_INVALID,
     "line 2, field \"ind\": expected a whole number such as 7528, found \"9223372036854775808\""},
    {GEO_HEADER GEO_ROW "\n\"1\",2020-13-01 00:00:00,1,2,X\n", STATUS_INVALID,
     "line 4, field \"timestamp\": expected a time such as 2021-02-05 19:14:42 or "
     "2021-02-05T19:14:42, found \"2020-13-01 00:00:00\""},
    {GEO_HEADER "0,2020-01-01 00:00:00,1,2,\"a\nb\"\n1,2020-01-01 00:00:00,north,2,X\n",
     STATUS_INVALID,
     "line 4, field \"latitude\": expected a decimal number such as -89.9787, found \"north\""},
    {GEO_HEADER
     "0,2020-01-01 00:00:00,1,\"caf\xc3\xa9\x01 12345678901234567890123456789012\xc3\xa9x\",X\n",
     STATUS_INVALID,
     "line 2, field \"longitude\": expected a decimal number such as -89.9787, found "
     "\"caf\xc3\xa9? 12345678901234567890123456789012...\""},
    {GEO_HEADER GEO_ROW GEO_ROW, STATUS_EXISTS,
     "line 3, field \"ind\": key 0 is there a second time"},
    {GEO_HEADER "0,2020-01-01 00:00:00,1,2,\"X\n", STATUS_INVALID,
     "line 2, column 27: this quoted field never ends: a quote is missing"},
    {GEO_HEADER "0,2020-01-01 00:00:00,1,2,\xff\n", STATUS_INVALID,
     "line 2, field 5: not UTF-8: save the file as UTF-8"},
};

static void every_fault_names_line_and_field_and_changes_nothing(void **state)
{
    struct rds_world *f = *state;
    generate(f, 10);
    struct buf before;
    export_text(f, TABLE_GEO, &before);
    for (size_t i = 0; i < ARRAY_COUNT(fault_cases); i++) {
        struct rds_import_result result;
        struct error err = ERROR_NONE;
        enum status status =
            import_text(f, TABLE_GEO, span_from_cstr(fault_cases[i].text), &result, &err);
        assert_string_equal(err.message, fault_cases[i].message);
        assert_int_equal(status, fault_cases[i].status);
        exports_as(f, TABLE_GEO, buf_cstr(&before));
        char left_over[512];
        temp_dir_path(&f->dir, "rds.db.new", left_over, sizeof(left_over));
        assert_false(file_exists(left_over));
    }
    buf_release(&before);
}

struct value_case {
    const char *text;
    enum column_type type;
    bool good;
};

static void values_are_what_mysql_would_print_and_nothing_else(void **state)
{
    (void)state;
    static const struct value_case cases[] = {
        {"0", COLUMN_INT, true},
        {"-5", COLUMN_INT, true},
        {"9223372036854775807", COLUMN_INT, true},
        {"-9223372036854775808", COLUMN_INT, true},
        {"-9223372036854775809", COLUMN_INT, false},
        {"+5", COLUMN_INT, false},
        {" 5", COLUMN_INT, false},
        {"5 ", COLUMN_INT, false},
        {"0x10", COLUMN_INT, false},
        {"5k", COLUMN_INT, false},
        {"-", COLUMN_INT, false},
        {"-89.9787", COLUMN_FLOAT, true},
        {"5", COLUMN_FLOAT, true},
        {".5", COLUMN_FLOAT, true},
        {"5.", COLUMN_FLOAT, true},
        {"1e-3", COLUMN_FLOAT, true},
        {"1E+3", COLUMN_FLOAT, true},
        {"1e39", COLUMN_FLOAT, false},
        {"-1e39", COLUMN_FLOAT, false},
        {"1e", COLUMN_FLOAT, false},
        {"1e+", COLUMN_FLOAT, false},
        {"1e999999999999999999999", COLUMN_FLOAT, false},
        {".", COLUMN_FLOAT, false},
        {"-", COLUMN_FLOAT, false},
        {"1.2.3", COLUMN_FLOAT, false},
        {"1,5", COLUMN_FLOAT, false},
        {"nan", COLUMN_FLOAT, false},
        {"inf", COLUMN_FLOAT, false},
        {"0x1p3", COLUMN_FLOAT, false},
        {" 1", COLUMN_FLOAT, false},
        {"2020-02-29 00:00:00", COLUMN_DATETIME, true},
        {"2020-02-29T23:59:59", COLUMN_DATETIME, true},
        {"2000-02-29 00:00:00", COLUMN_DATETIME, true},
        {"9999-12-31 23:59:59", COLUMN_DATETIME, true},
        {"1900-02-29 00:00:00", COLUMN_DATETIME, false},
        {"2021-02-29 00:00:00", COLUMN_DATETIME, false},
        {"2021-04-31 00:00:00", COLUMN_DATETIME, false},
        {"2021-00-01 00:00:00", COLUMN_DATETIME, false},
        {"2021-01-00 00:00:00", COLUMN_DATETIME, false},
        {"2021-01-01 24:00:00", COLUMN_DATETIME, false},
        {"2021-01-01 00:60:00", COLUMN_DATETIME, false},
        {"2021-01-01 00:00:60", COLUMN_DATETIME, false},
        {"0999-01-01 00:00:00", COLUMN_DATETIME, false},
        {"2021-01-01", COLUMN_DATETIME, false},
        {"2021-01-01 00:00:00Z", COLUMN_DATETIME, false},
        {"2021-01-01 00:00:00.5", COLUMN_DATETIME, false},
        {"2021/01/01 00:00:00", COLUMN_DATETIME, false},
        {"2021-01-01_00:00:00", COLUMN_DATETIME, false},
        {"01/02/2021, 00:00:0", COLUMN_DATETIME, false},
        {"2021-1 -01 00:00:00", COLUMN_DATETIME, false},
        {"", COLUMN_TEXT, true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char stamp[RDS_STAMP_BYTES];
        struct row_value value;
        bool good = rds_value_parse(span_from_cstr(cases[i].text), cases[i].type, stamp, &value);
        if (good != cases[i].good) {
            print_error("case: %s\n", cases[i].text);
        }
        assert_int_equal(good, cases[i].good);
    }
}

static void floats_print_six_digits_without_exponent_and_come_back_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *printed;
    } cases[] = {
        {"0", "0"},
        {"-0.0", "0"},
        {"-89.9787", "-89.9787"},
        {"-5.34445", "-5.34445"},
        {"-173.293", "-173.293"},
        {"45.0000", "45"},
        {"100000", "100000"},
        {"123456.7", "123457"},
        {"1234567", "1234570"},
        {"1e10", "10000000000"},
        {"-1.5e20", "-150000000000000000000"},
        {"0.0001", "0.0001"},
        {"0.00001234567", "0.0000123457"},
        {"-1e-7", "-0.0000001"},
        {"89.97875", "89.9788"},
        {"3.40282e38", "340282000000000000000000000000000000000"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char stamp[RDS_STAMP_BYTES];
        struct row_value value;
        struct row_value again;
        struct buf out;
        buf_init(&out, 256);
        assert_true(rds_value_parse(span_from_cstr(cases[i].text), COLUMN_FLOAT, stamp, &value));
        rds_float_append(&out, value.real);
        assert_string_equal(buf_cstr(&out), cases[i].printed);
        assert_true(rds_value_parse(buf_span(&out), COLUMN_FLOAT, stamp, &again));
        assert_true(value.real == again.real);
        buf_release(&out);
    }
}

/* 8 MiB of rows through a reader that makes them up: far more than any buffer holds. */
struct endless {
    int64_t rows;
    int64_t next;
    struct buf line;
};

static int64_t endless_read(void *ctx, char *into, size_t cap)
{
    struct endless *e = ctx;
    size_t used = 0;
    while (used < cap) {
        if (e->line.len == 0 && e->next == e->rows) {
            break;
        }
        if (e->line.len == 0) {
            buf_printf(&e->line, "%lld,Ann,Lee,33,2016-01-01 00:00:00\n", (long long)e->next++);
        }
        size_t take = e->line.len < cap - used ? e->line.len : cap - used;
        memcpy(into + used, e->line.ptr, take);
        buf_consume(&e->line, take);
        used += take;
    }
    return (int64_t)used;
}

struct counted {
    uint64_t updates;
    uint64_t stop_after; /* 0: never */
};

static void count_update(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    struct counted *c = ctx;
    (void)done;
    (void)total;
    assert_string_equal(what, "user_data");
    c->updates++;
}

static bool count_stop(void *ctx)
{
    const struct counted *c = ctx;
    return c->stop_after > 0 && c->updates >= c->stop_after;
}

static enum status import_endless(struct rds_world *f, int64_t rows, struct counted *counted,
                                  struct error *err)
{
    struct endless endless = {.rows = rows};
    struct rds_import_result result;
    struct progress progress = {count_update, count_stop, counted};
    struct rds_import_options options = {
        .data_dir = f->dir.path,
        .env = &f->env,
        .table = TABLE_USER,
        .read = endless_read,
        .read_ctx = &endless,
        .progress = &progress,
    };
    buf_init(&endless.line, 4096);
    buf_append_cstr(&endless.line, "ind,first_name,last_name,age,date_joined\n");
    enum status status = rds_import(&options, &result, err);
    buf_release(&endless.line);
    return status;
}

static void large_files_are_streamed_with_progress(void **state)
{
    struct rds_world *f = *state;
    struct counted counted = {0};
    struct error err = ERROR_NONE;
    assert_int_equal(import_endless(f, 100000, &counted, &err), STATUS_OK);
    assert_int_equal(counted.updates, 100);
}

static void a_stop_between_rows_leaves_the_table_as_it_was(void **state)
{
    struct rds_world *f = *state;
    struct counted counted = {.stop_after = 3};
    struct error err = ERROR_NONE;
    struct buf before;
    generate(f, 20);
    export_text(f, TABLE_USER, &before);
    assert_int_equal(import_endless(f, 100000, &counted, &err), STATUS_INTERRUPTED);
    assert_string_equal(err.message, "stopped: the table is as it was");
    exports_as(f, TABLE_USER, buf_cstr(&before));
    buf_release(&before);
}

static int failing_write(void *ctx, struct span bytes)
{
    (void)ctx;
    (void)bytes;
    errno = ENOSPC;
    return -1;
}

static void an_export_that_cannot_write_says_why(void **state)
{
    struct rds_world *f = *state;
    struct sqlite_db db;
    struct error err = ERROR_NONE;
    generate(f, 5);
    assert_int_equal(rds_open(f->dir.path, &f->env, &db, &err), STATUS_OK);
    struct rds_export_options options = {.db = &db, .table = TABLE_PIN, .write = failing_write};
    assert_int_equal(rds_export(&options, &err), STATUS_DISK_FULL);
    sqlite_db_close(&db);
}

/* Takes the lock in another process (a process does not exclude itself) and waits for its end. */
static void two_writers_exclude_each_other_by_name(void **state)
{
    struct rds_world *f = *state;
    int ready[2];
    int done[2];
    char byte = 0;
    struct error err = ERROR_NONE;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(done), 0);
    pid_t child = fork();
    if (child == 0) {
        struct rds_build *build = NULL;
        close(done[1]);
        int bad = rds_build_begin(f->dir.path, &f->env, &build, NULL) != STATUS_OK;
        bad |= write(ready[1], "x", 1) != 1;
        bad |= read(done[0], &byte, 1) != 0;
        rds_build_abandon(build);
        _exit(bad);
    }
    close(done[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    struct rds_build *build = NULL;
    char words[64];
    assert_int_equal(rds_build_begin(f->dir.path, &f->env, &build, &err), STATUS_BUSY);
    snprintf(words, sizeof(words), "process %ld is changing the tables", (long)child);
    assert_non_null(strstr(err.message, words));
    close(done[1]);
    int exit_status = -1;
    assert_int_equal(waitpid(child, &exit_status, 0), child);
    assert_int_equal(exit_status, 0);
    assert_int_equal(rds_build_begin(f->dir.path, &f->env, &build, &err), STATUS_OK);
    rds_build_abandon(build);
    close(ready[0]);
    close(ready[1]);
}

static void a_killed_builds_leftover_is_replaced(void **state)
{
    struct rds_world *f = *state;
    char path[512];
    temp_dir_path(&f->dir, "rds.db.new", path, sizeof(path));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs("half a database", file);
    fclose(file);
    generate(f, 3);
    assert_false(file_exists(path));
}

static void a_hot_journal_of_another_program_is_settled_before_the_file_is_replaced(void **state)
{
    struct rds_world *f = *state;
    char path[512];
    char wal[520];
    sqlite3 *other = NULL;
    struct sqlite_db db;
    struct rds_table_info info;
    struct error err = ERROR_NONE;
    generate(f, 3);
    temp_dir_path(&f->dir, "rds.db", path, sizeof(path));
    snprintf(wal, sizeof(wal), "%s-wal", path);
    pid_t child = fork();
    if (child == 0) { /* writes in WAL mode and dies without closing */
        int bad = sqlite3_open(path, &other) != SQLITE_OK ||
                  sqlite3_exec(other, "PRAGMA journal_mode=WAL; DELETE FROM user_data", NULL, NULL,
                               NULL) != SQLITE_OK;
        _exit(bad);
    }
    int exit_status = -1;
    assert_int_equal(waitpid(child, &exit_status, 0), child);
    assert_int_equal(exit_status, 0);
    assert_true(file_exists(wal));
    generate(f, 6);
    assert_false(file_exists(wal));
    assert_int_equal(rds_open(f->dir.path, &f->env, &db, &err), STATUS_OK);
    assert_int_equal(rds_table_info(&db, TABLE_USER, &info, &err), STATUS_OK);
    assert_int_equal(info.rows, 6);
    sqlite_db_close(&db);
}

static void an_unusable_data_directory_is_bad_configuration(void **state)
{
    struct rds_world *f = *state;
    char path[512];
    struct rds_build *build = NULL;
    struct error err = ERROR_NONE;
    temp_dir_path(&f->dir, "file", path, sizeof(path));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(rds_build_begin(path, &f->env, &build, &err), STATUS_CONFIG);
    assert_int_equal(err.code, STATUS_CONFIG);
    assert_non_null(strstr(err.message, path));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rds_world_setup, rds_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(columns_are_found_by_name_in_any_order),
        TEST(nulls_and_empty_texts_survive_a_round_trip),
        TEST(export_import_export_is_the_same_for_generated_tables),
        TEST(an_import_replaces_one_table_and_keeps_the_others),
        TEST(a_header_without_rows_gives_an_empty_table),
        TEST(every_fault_names_line_and_field_and_changes_nothing),
        TEST(values_are_what_mysql_would_print_and_nothing_else),
        TEST(floats_print_six_digits_without_exponent_and_come_back_the_same),
        TEST(large_files_are_streamed_with_progress),
        TEST(a_stop_between_rows_leaves_the_table_as_it_was),
        TEST(an_export_that_cannot_write_says_why),
        TEST(two_writers_exclude_each_other_by_name),
        TEST(a_killed_builds_leftover_is_replaced),
        TEST(a_hot_journal_of_another_program_is_settled_before_the_file_is_replaced),
        TEST(an_unusable_data_directory_is_bad_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
