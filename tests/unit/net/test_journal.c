/* The journal: a ring of requests that never stands in a request's way. */
#include "journal.h"

#include "sqlite_db.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct temp_dir dir;
    struct env env;
    struct log log;
    FILE *log_file;
    char log_text[4096];
    struct journal *journal;
};

static void open_journal(struct fixture *f, const char *directory, int64_t rows_max)
{
    struct journal_options options = {
        .directory = directory, .env = &f->env, .log = &f->log, .rows_max = rows_max};
    assert_int_equal(journal_open(&options, &f->journal, NULL), STATUS_OK);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    env_init_virtual(&f->env, 1, INT64_C(1700000000000000));
    f->log_file = fmemopen(f->log_text, sizeof(f->log_text), "w");
    setbuf(f->log_file, NULL);
    log_init(&f->log, &f->env, f->log_file, LOG_INFO);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    journal_close(f->journal);
    fclose(f->log_file);
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void add(struct fixture *f, const char *path, int status, const char *error_code)
{
    const struct journal_entry entry = {
        .service = "rest",
        .method = SPAN_LIT("POST"),
        .path = span_from_cstr(path),
        .status = status,
        .error_code = span_from_cstr(error_code),
        .received_us = INT64_C(1700000000123456),
        .latency_us = 250,
        .request_bytes = 4,
    };
    journal_add(f->journal, &entry);
}

static void journal_path(struct fixture *f, char *out, size_t out_bytes)
{
    temp_dir_path(&f->dir, "journal.db", out, out_bytes);
}

static int64_t query(struct fixture *f, const char *sql)
{
    struct sqlite_db db;
    struct error err;
    char path[512];
    int64_t value = -1;
    journal_path(f, path, sizeof(path));
    struct sqlite_db_options options = {.path = path, .env = &f->env, .read_only = true};
    if (sqlite_db_open(&db, &options, &err) != STATUS_OK ||
        sqlite_db_query_i64(&db, sql, &value, &err) != STATUS_OK) {
        fail_msg("%s: %s", sql, err.message);
    }
    sqlite_db_close(&db);
    return value;
}

static int count_words(const char *text, const char *word)
{
    int count = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        count++;
    }
    return count;
}

static void the_file_is_made_with_the_first_flush(void **state)
{
    struct fixture *f = *state;
    char path[512];
    journal_path(f, path, sizeof(path));
    open_journal(f, f->dir.path, 10);
    journal_flush(f->journal);
    assert_int_not_equal(access(path, F_OK), 0);
    add(f, "/topics/t", 200, NULL);
    journal_flush(f->journal);
    assert_int_equal(access(path, F_OK), 0);
}

static void a_row_counts_bytes_beyond_32_bits(void **state)
{
    struct fixture *f = *state;
    const struct journal_entry entry = {
        .service = "s3",
        .method = SPAN_LIT("PUT"),
        .path = SPAN_LIT("/b/k"),
        .status = 200,
        .error_code = SPAN_EMPTY,
        .request_bytes = UINT64_C(5368709120),
        .response_bytes = UINT64_C(6442450944),
    };
    open_journal(f, f->dir.path, 10);
    journal_add(f->journal, &entry);
    journal_flush(f->journal);
    assert_int_equal(query(f, "SELECT request_bytes FROM requests"), INT64_C(5368709120));
    assert_int_equal(query(f, "SELECT response_bytes FROM requests"), INT64_C(6442450944));
}

/* A statement of MySQL ends in one. */
static void a_question_mark_with_nothing_behind_it_stays(void **state)
{
    struct fixture *f = *state;
    open_journal(f, f->dir.path, 10);
    add(f, "SELECT ? FROM t LIMIT ?", 0, NULL);
    add(f, "/topics?", 200, NULL);
    journal_flush(f->journal);
    assert_int_equal(query(f, "SELECT count(*) FROM requests WHERE path IN "
                              "('SELECT ? FROM t LIMIT ?', '/topics?')"),
                     2);
}

static void a_row_says_what_was_asked_and_answered(void **state)
{
    struct fixture *f = *state;
    open_journal(f, f->dir.path, 10);
    add(f, "/topics/t?x=1", 404, "40403");
    add(f, "/", 200, NULL);
    journal_flush(f->journal);
    assert_int_equal(query(f,
                           "SELECT count(*) FROM requests WHERE time = '2023-11-14T22:13:20.123Z' "
                           "AND service = 'rest' AND method = 'POST' AND path = '/topics/t?x=1' "
                           "AND status = 404 AND error_code = '40403' AND latency_us = 250 "
                           "AND request_bytes = 4 AND response_bytes = 0"),
                     1);
    assert_int_equal(query(f, "SELECT count(*) FROM requests WHERE error_code IS NULL"), 1);
}

static void add_with_hint(struct fixture *f, const char *error_code, const char *hint)
{
    const struct journal_entry entry = {
        .service = "s3",
        .method = SPAN_LIT("GET"),
        .path = SPAN_LIT("/b?encryption"),
        .status = 404,
        .error_code = span_from_cstr(error_code),
        .hint = span_from_cstr(hint),
    };
    journal_add(f->journal, &entry);
}

static void a_row_has_the_hint_and_the_whole_error_code(void **state)
{
    struct fixture *f = *state;
    open_journal(f, f->dir.path, 10);
    add_with_hint(f, "ServerSideEncryptionConfigurationNotFoundError", "put one first");
    add_with_hint(f, NULL, NULL);
    journal_flush(f->journal);
    assert_int_equal(query(f, "SELECT count(*) FROM requests WHERE hint = 'put one first' AND "
                              "error_code = 'ServerSideEncryptionConfigurationNotFoundError'"),
                     1);
    assert_int_equal(query(f, "SELECT count(*) FROM requests WHERE hint IS NULL"), 1);
}

static void of_a_long_hint_the_front_is_kept_in_whole_characters(void **state)
{
    struct fixture *f = *state;
    char hint[2000] = "x"; /* so that a cut after an even number would halve a character */
    for (size_t i = 1; i + 2 < sizeof(hint); i += 2) {
        memcpy(hint + i, "\xc3\xa9", 3);
    }
    open_journal(f, f->dir.path, 10);
    add_with_hint(f, NULL, hint);
    journal_flush(f->journal);
    assert_int_equal(query(f, "SELECT length(CAST(hint AS BLOB)) FROM requests"), 1023);
    assert_int_equal(query(f, "SELECT length(hint) FROM requests"), 512);
}

/* As 0.2.0 and 0.3.0 made it. */
static const char journal_of_0_3_0[] =
    "CREATE TABLE request (id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, "
    "service TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL, "
    "error_code TEXT, latency_us INTEGER NOT NULL, request_bytes INTEGER NOT NULL, "
    "response_bytes INTEGER NOT NULL);"
    "CREATE VIEW requests AS SELECT strftime('%Y-%m-%dT%H:%M:%fZ', time_ms / 1000.0, 'unixepoch') "
    "AS time, service, method, path, status, error_code, latency_us, request_bytes, "
    "response_bytes FROM request ORDER BY id;"
    "INSERT INTO request VALUES (7, 1700000000123, 'rest', 'GET', '/old', 200, NULL, 5, 0, 2);"
    "PRAGMA application_id=1347439182; PRAGMA user_version=1;";

static void make_journal(struct fixture *f, const char *sql)
{
    struct sqlite_db db;
    struct error err;
    char path[512];
    journal_path(f, path, sizeof(path));
    struct sqlite_db_options options = {.path = path, .env = &f->env, .create = true};
    if (sqlite_db_open(&db, &options, &err) != STATUS_OK ||
        sqlite_db_exec(&db, sql, &err) != STATUS_OK) {
        fail_msg("%s", err.message);
    }
    sqlite_db_close(&db);
}

static void a_journal_of_0_3_0_keeps_its_rows_and_takes_hints(void **state)
{
    struct fixture *f = *state;
    make_journal(f, journal_of_0_3_0);
    open_journal(f, f->dir.path, 10);
    add_with_hint(f, "NoSuchKey", "look at the key");
    journal_flush(f->journal);
    assert_int_equal(query(f, "SELECT count(*) FROM requests WHERE path = '/old' AND hint IS NULL"),
                     1);
    assert_int_equal(query(f, "SELECT count(*) FROM requests WHERE hint = 'look at the key'"), 1);
    assert_int_equal(query(f, "SELECT max(id) FROM request"), 8);
    journal_close(f->journal);
    open_journal(f, f->dir.path, 10);
    add_with_hint(f, NULL, "again");
    journal_flush(f->journal);
    assert_int_equal(query(f, "SELECT count(*) FROM requests"), 3);
    assert_string_equal(f->log_text, "");
}

static void a_journal_of_a_later_pinpipe_is_left_alone(void **state)
{
    struct fixture *f = *state;
    make_journal(f, journal_of_0_3_0);
    make_journal(f, "PRAGMA user_version=99");
    open_journal(f, f->dir.path, 10);
    add_with_hint(f, NULL, "lost");
    journal_flush(f->journal);
    assert_non_null(strstr(f->log_text, "move it away"));
    assert_int_equal(query(f, "SELECT count(*) FROM requests"), 1);
}

static void only_the_latest_rows_stay_also_over_a_restart(void **state)
{
    struct fixture *f = *state;
    char path[32];
    open_journal(f, f->dir.path, 10);
    for (int i = 0; i < 25; i++) {
        snprintf(path, sizeof(path), "/%d", i);
        add(f, path, 200, NULL);
        if (i % 4 == 0) {
            journal_flush(f->journal);
        }
    }
    journal_close(f->journal);
    open_journal(f, f->dir.path, 10);
    add(f, "/25", 200, NULL);
    journal_flush(f->journal);
    assert_int_equal(query(f, "SELECT count(*) FROM requests"), 10);
    assert_int_equal(query(f, "SELECT min(CAST(substr(path, 2) AS INTEGER)) FROM requests"), 16);
    assert_int_equal(query(f, "SELECT max(CAST(substr(path, 2) AS INTEGER)) FROM requests"), 25);
}

static void a_full_queue_flushes_itself(void **state)
{
    struct fixture *f = *state;
    open_journal(f, f->dir.path, 5000);
    for (int i = 0; i < 3000; i++) {
        add(f, "/x", 200, NULL);
    }
    assert_true(query(f, "SELECT count(*) FROM requests") >= 1024);
    char *huge = malloc(20001);
    memset(huge, 'a', 20000);
    huge[20000] = '\0';
    for (int i = 0; i < 300; i++) {
        add(f, huge, 200, NULL);
    }
    journal_flush(f->journal);
    free(huge);
    assert_int_equal(query(f, "SELECT count(*) FROM requests"), 3300);
    assert_int_equal(query(f, "SELECT max(length(path)) FROM requests"), 2048 + 3);
}

static void secrets_in_the_query_are_never_kept(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *asked;
        const char *kept;
    } cases[] = {
        {"/b/k?X-Amz-Signature=abc&X-Amz-Date=2", "/b/k?X-Amz-Signature=***&X-Amz-Date=2"},
        {"/b?x-amz-credential=AKIA%2F1", "/b?x-amz-credential=***"},
        {"/b?a=1&X-Amz-Security-Token=t&b=2", "/b?a=1&X-Amz-Security-Token=***&b=2"},
        {"/b?X%2dAmz%2DSignature=abc", "/b?X%2dAmz%2DSignature=***"},
        {"/b?api_key=abc", "/b?api_key=***"},
        {"/b?API-KEY=abc&&x", "/b?API-KEY=***&&x"},
        {"/b?apikey", "/b?apikey"},
        {"/api_key=abc", "/api_key=abc"},
        {"/b?plain=%zz&%", "/b?plain=%zz&%"},
        {"/b?", "/b?"},
    };
    open_journal(f, f->dir.path, 100);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char sql[256];
        add(f, cases[i].asked, 200, NULL);
        journal_flush(f->journal);
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM requests WHERE path = '%s'",
                 cases[i].kept);
        if (query(f, sql) != 1) {
            fail_msg("%s", cases[i].asked);
        }
    }
}

static void a_journal_in_memory_works_without_a_file(void **state)
{
    struct fixture *f = *state;
    open_journal(f, NULL, 5);
    for (int i = 0; i < 3000; i++) {
        add(f, "/x", 200, NULL);
    }
    journal_flush(f->journal);
    assert_string_equal(f->log_text, "");
}

static void a_journal_that_cannot_be_written_is_said_once_and_tried_again_later(void **state)
{
    struct fixture *f = *state;
    char path[512];
    journal_path(f, path, sizeof(path));
    assert_int_equal(mkdir(path, 0700), 0); /* a directory stands where the file should be */
    open_journal(f, f->dir.path, 10);
    for (int i = 0; i < 5; i++) {
        add(f, "/lost", 200, NULL);
        journal_flush(f->journal);
    }
    assert_int_equal(count_words(f->log_text, " warn "), 1);
    assert_int_equal(rmdir(path), 0);
    add(f, "/lost", 200, NULL);
    journal_flush(f->journal); /* not yet */
    assert_int_not_equal(access(path, F_OK), 0);
    env_advance(&f->env, 31 * 1000000);
    add(f, "/kept", 200, NULL);
    journal_flush(f->journal);
    assert_int_equal(query(f, "SELECT count(*) FROM requests"), 1);
    assert_non_null(strstr(f->log_text, "6 requests are missing"));
}

static void the_file_of_another_program_is_left_alone(void **state)
{
    struct fixture *f = *state;
    char path[512];
    char text[32] = {0};
    journal_path(f, path, sizeof(path));
    FILE *file = fopen(path, "w");
    fputs("my diary", file);
    fclose(file);
    open_journal(f, f->dir.path, 10);
    add(f, "/x", 200, NULL);
    journal_flush(f->journal);
    file = fopen(path, "r");
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    assert_string_equal(text, "my diary");
    assert_non_null(strstr(f->log_text, "move it away"));
}

static void a_damaged_journal_is_put_aside_and_begun_anew(void **state)
{
    struct fixture *f = *state;
    char path[512];
    char aside[512];
    static char garbage[8192];
    journal_path(f, path, sizeof(path));
    temp_dir_path(&f->dir, "journal.db.damaged", aside, sizeof(aside));
    open_journal(f, f->dir.path, 10);
    add(f, "/x", 200, NULL);
    journal_close(f->journal);
    memset(garbage, 0xee, sizeof(garbage));
    FILE *file = fopen(path, "r+");
    assert_int_equal(fseek(file, 4096, SEEK_SET), 0);
    assert_int_equal(fwrite(garbage, 1, sizeof(garbage), file), sizeof(garbage));
    fclose(file);
    open_journal(f, f->dir.path, 10);
    add(f, "/lost", 200, NULL);
    journal_flush(f->journal);
    add(f, "/kept", 200, NULL);
    journal_flush(f->journal);
    assert_int_equal(access(aside, F_OK), 0);
    assert_int_equal(query(f, "SELECT count(*) FROM requests WHERE path = '/kept'"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_file_is_made_with_the_first_flush),
        TEST(a_question_mark_with_nothing_behind_it_stays),
        TEST(a_row_says_what_was_asked_and_answered),
        TEST(a_row_has_the_hint_and_the_whole_error_code),
        TEST(of_a_long_hint_the_front_is_kept_in_whole_characters),
        TEST(a_journal_of_0_3_0_keeps_its_rows_and_takes_hints),
        TEST(a_journal_of_a_later_pinpipe_is_left_alone),
        TEST(a_row_counts_bytes_beyond_32_bits),
        TEST(only_the_latest_rows_stay_also_over_a_restart),
        TEST(a_full_queue_flushes_itself),
        TEST(secrets_in_the_query_are_never_kept),
        TEST(a_journal_in_memory_works_without_a_file),
        TEST(a_journal_that_cannot_be_written_is_said_once_and_tried_again_later),
        TEST(the_file_of_another_program_is_left_alone),
        TEST(a_damaged_journal_is_put_aside_and_begun_anew),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
