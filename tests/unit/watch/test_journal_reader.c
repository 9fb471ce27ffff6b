/* journal.db as its readers see it: written by the server's journal beside them, of an older
 * release, begun anew, overtaken by its ring; and the mistakes in it, each kind once. */
#include "journal.h"
#include "journal_reader.h"
#include "sqlite_db.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct temp_dir dir;
    struct env env;
    struct log log;
    struct journal *journal;
    struct journal_place place;
    char seen[8192]; /* paths or mistakes, a blank behind each */
    int stop_after;  /* 0: never */
};

static const struct request_filter all;

static void begin_journal(struct fixture *f, int64_t rows_max)
{
    const struct journal_options options = {
        .directory = f->dir.path, .env = &f->env, .log = &f->log, .rows_max = rows_max};
    journal_close(f->journal);
    f->journal = NULL;
    assert_int_equal(journal_open(&options, &f->journal, NULL), STATUS_OK);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    env_init_virtual(&f->env, 1, INT64_C(1700000000000000));
    log_init(&f->log, &f->env, stderr, LOG_OFF);
    begin_journal(f, 1000);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    journal_close(f->journal);
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void add(struct fixture *f, const char *path, int status, const char *hint)
{
    const struct journal_entry entry = {
        .service = "rest",
        .method = SPAN_LIT("POST"),
        .path = span_from_cstr(path),
        .status = status,
        .error_code = status == 404 ? SPAN_LIT("40403") : SPAN_EMPTY,
        .hint = span_from_cstr(hint),
        .received_us = f->env.wall_us(&f->env),
        .latency_us = 250,
        .request_bytes = 4,
        .response_bytes = 5,
    };
    journal_add(f->journal, &entry);
    env_advance(&f->env, 1000);
}

static bool see(void *ctx, const struct watched_request *request)
{
    struct fixture *f = ctx;
    size_t used = strlen(f->seen);
    snprintf(f->seen + used, sizeof(f->seen) - used, "%.*s ", SPAN_ARG(request->path));
    return f->stop_after == 0 || --f->stop_after > 0;
}

static struct journal_reader *open_reader(struct fixture *f)
{
    struct journal_reader *reader = NULL;
    struct error err;
    journal_flush(f->journal);
    if (journal_reader_open(f->dir.path, &f->env, &reader, &err) != STATUS_OK) {
        fail_msg("%s", err.message);
    }
    return reader;
}

static void look(struct fixture *f, const struct request_filter *filter, const char *expected)
{
    struct journal_reader *reader = open_reader(f);
    f->seen[0] = '\0';
    assert_int_equal(journal_reader_next(reader, filter, &f->place, see, f, NULL), STATUS_OK);
    assert_string_equal(f->seen, expected);
    journal_reader_close(reader);
}

static void seek(struct fixture *f, const struct request_filter *filter, uint64_t count)
{
    struct journal_reader *reader = open_reader(f);
    assert_int_equal(journal_reader_seek(reader, filter, count, &f->place, NULL), STATUS_OK);
    journal_reader_close(reader);
}

static void without_a_journal_there_is_nothing_to_read(void **state)
{
    struct fixture *f = *state;
    struct journal_reader *reader;
    assert_int_equal(journal_reader_open(f->dir.path, &f->env, &reader, NULL), STATUS_NOT_FOUND);
    char path[512];
    temp_dir_path(&f->dir, "journal.db", path, sizeof(path));
    fclose(fopen(path, "w"));
    assert_int_equal(journal_reader_open(f->dir.path, &f->env, &reader, NULL), STATUS_NOT_FOUND);
}

static void the_file_of_another_program_is_named(void **state)
{
    struct fixture *f = *state;
    struct journal_reader *reader;
    struct error err = ERROR_NONE;
    struct sqlite_db db;
    char path[512];
    temp_dir_path(&f->dir, "journal.db", path, sizeof(path));
    const struct sqlite_db_options options = {.path = path, .env = &f->env, .create = true};
    assert_int_equal(sqlite_db_open(&db, &options, NULL), STATUS_OK);
    assert_int_equal(sqlite_db_exec(&db, "PRAGMA user_version=3; CREATE TABLE t (a)", NULL),
                     STATUS_OK);
    sqlite_db_close(&db);
    assert_int_equal(journal_reader_open(f->dir.path, &f->env, &reader, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.message, "journal.db"));
}

static void a_follower_sees_each_request_once(void **state)
{
    struct fixture *f = *state;
    add(f, "/1", 200, NULL);
    add(f, "/2", 404, "a hint");
    look(f, &all, "/1 /2 ");
    look(f, &all, "");
    add(f, "/3", 200, NULL);
    look(f, &all, "/3 ");
    char expected[4096] = "";
    for (int i = 0; i < 250; i++) { /* more than one batch */
        size_t used = strlen(expected);
        char path[32];
        snprintf(path, sizeof(path), "/many/%d", i);
        snprintf(expected + used, sizeof(expected) - used, "%s ", path);
        add(f, path, 200, NULL);
    }
    look(f, &all, expected);
    assert_int_equal(f->place.missed, 0);
}

static bool check_values(void *ctx, const struct watched_request *request)
{
    int *count = ctx;
    char stamp[REQUEST_STAMP_BYTES];
    ++*count;
    request_stamp(request->received_us, stamp);
    assert_string_equal(stamp, "2023-11-14T22:13:20.000Z");
    assert_true(span_equal_cstr(request->service, "rest"));
    assert_true(span_equal_cstr(request->method, "POST"));
    assert_true(span_equal_cstr(request->path, "/1?a=1"));
    assert_true(span_equal_cstr(request->error_code, "40403"));
    assert_true(span_equal_cstr(request->hint, "a hint"));
    assert_int_equal(request->status, 404);
    assert_int_equal(request->latency_us, 250);
    assert_int_equal(request->request_bytes, 4);
    assert_int_equal(request->response_bytes, 5);
    return true;
}

static void a_request_has_what_the_server_told(void **state)
{
    struct fixture *f = *state;
    int count = 0;
    add(f, "/1?a=1", 404, "a hint");
    struct journal_reader *reader = open_reader(f);
    assert_int_equal(journal_reader_next(reader, &all, &f->place, check_values, &count, NULL),
                     STATUS_OK);
    journal_reader_close(reader);
    assert_int_equal(count, 1);
}

static void a_follower_begins_with_the_last_that_it_wants(void **state)
{
    struct fixture *f = *state;
    const struct request_filter errors = {.errors = true};
    for (int i = 0; i < 6; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/%d", i);
        add(f, path, i % 2 == 0 ? 404 : 200, NULL);
    }
    seek(f, &all, 2);
    look(f, &all, "/4 /5 ");
    seek(f, &errors, 2);
    look(f, &errors, "/2 /4 ");
    seek(f, &errors, 100);
    look(f, &errors, "/0 /2 /4 ");
    seek(f, &all, 0);
    look(f, &all, "");
}

static void filters_are_of_errors_hints_and_topics(void **state)
{
    struct fixture *f = *state;
    const struct request_filter errors = {.errors = true};
    const struct request_filter hints = {.hints = true};
    const struct request_filter topic = {.topic = SPAN_LIT("workshop.pin")};
    const struct request_filter both = {.errors = true, .topic = SPAN_LIT("workshop.pin")};
    add(f, "/test/topics/workshop.pin?x=1", 200, NULL);
    add(f, "/topics/workshop%2Epin", 404, NULL);
    add(f, "/topics/workshop.pin2", 503, NULL);
    add(f, "/v3/clusters/c/topics/workshop.pin/records", 200, "a hint");
    add(f, "/bucket/topics/workshop.pin/partition=0/k.json", 200, NULL);
    add(f, "/topics", 200, NULL);
    add(f, "/x?y=/topics/workshop.pin", 200, NULL);
    look(f, &errors, "/topics/workshop%2Epin /topics/workshop.pin2 ");
    f->place = (struct journal_place){0};
    look(f, &hints, "/v3/clusters/c/topics/workshop.pin/records ");
    f->place = (struct journal_place){0};
    look(f, &topic,
         "/test/topics/workshop.pin?x=1 /topics/workshop%2Epin "
         "/v3/clusters/c/topics/workshop.pin/records "
         "/bucket/topics/workshop.pin/partition=0/k.json ");
    f->place = (struct journal_place){0};
    look(f, &both, "/topics/workshop%2Epin ");
}

static void a_follower_that_has_enough_is_told_no_more(void **state)
{
    struct fixture *f = *state;
    add(f, "/1", 200, NULL);
    add(f, "/2", 200, NULL);
    add(f, "/3", 200, NULL);
    f->stop_after = 2;
    look(f, &all, "/1 /2 ");
}

static void requests_that_the_ring_dropped_are_counted(void **state)
{
    struct fixture *f = *state;
    begin_journal(f, 5);
    add(f, "/0", 200, NULL);
    look(f, &all, "/0 ");
    for (int i = 1; i <= 9; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/%d", i);
        add(f, path, 200, NULL);
    }
    look(f, &all, "/5 /6 /7 /8 /9 ");
    assert_int_equal(f->place.missed, 4);
}

static void remove_journal(struct fixture *f)
{
    static const char *const names[] = {"journal.db", "journal.db-wal", "journal.db-shm"};
    char path[512];
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        temp_dir_path(&f->dir, names[i], path, sizeof(path));
        unlink(path);
    }
}

static void a_journal_that_is_begun_anew_is_read_from_its_beginning(void **state)
{
    struct fixture *f = *state;
    add(f, "/1", 200, NULL);
    add(f, "/2", 200, NULL);
    look(f, &all, "/1 /2 ");
    journal_close(f->journal);
    f->journal = NULL;
    remove_journal(f);
    begin_journal(f, 1000);
    add(f, "/3", 200, NULL);
    look(f, &all, "/3 ");
    add(f, "/4", 200, NULL);
    look(f, &all, "/4 ");
    assert_int_equal(f->place.missed, 0);
}

static void a_journal_of_an_older_release_has_no_hints(void **state)
{
    struct fixture *f = *state;
    const struct request_filter hints = {.hints = true};
    struct sqlite_db db;
    int64_t requests = 0;
    int64_t unexplained = 0;
    char path[512];
    temp_dir_path(&f->dir, "journal.db", path, sizeof(path));
    const struct sqlite_db_options options = {.path = path, .env = &f->env, .create = true};
    assert_int_equal(sqlite_db_open(&db, &options, NULL), STATUS_OK);
    assert_int_equal(
        sqlite_db_exec(&db,
                       "CREATE TABLE request (id INTEGER PRIMARY KEY, time_ms, service, method, "
                       "path, status, error_code, latency_us, request_bytes, response_bytes); "
                       "INSERT INTO request VALUES (1, 1, 'rest', 'GET', '/old', 404, '40403', 1, "
                       "0, 0); PRAGMA application_id=1347439182; PRAGMA user_version=1",
                       NULL),
        STATUS_OK);
    sqlite_db_close(&db);
    look(f, &all, "/old ");
    seek(f, &hints, 10);
    look(f, &hints, "");
    struct journal_reader *reader = open_reader(f);
    assert_int_equal(journal_reader_count(reader, &requests, &unexplained, NULL), STATUS_OK);
    journal_reader_close(reader);
    assert_int_equal(requests, 1);
    assert_int_equal(unexplained, 1);
}

static bool see_mistake(void *ctx, const struct mistake *mistake)
{
    struct fixture *f = ctx;
    size_t used = strlen(f->seen);
    snprintf(f->seen + used, sizeof(f->seen) - used, "%llu %d %.*s; ",
             (unsigned long long)mistake->count, mistake->latest.status,
             SPAN_ARG(mistake->latest.hint));
    assert_true(mistake->first_us <= mistake->latest.received_us);
    return true;
}

static void mistakes_that_differ_in_names_and_numbers_are_one_kind(void **state)
{
    struct fixture *f = *state;
    int64_t requests = 0;
    int64_t unexplained = 0;
    add(f, "/a", 404, "there is no topic t.1: create it with \"pinpipe topics create t.1\"");
    add(f, "/b", 422, "wrap the row");
    add(f, "/c", 404, "there is no topic other.t: create it with \"pinpipe topics create x\"");
    add(f, "/d", 404, "there is no offset 7");
    add(f, "/e", 404, "there is no offset 8");
    add(f, "/f", 404, "there is no topic z.z: create it with \"pinpipe topics create z.z\"");
    add(f, "/g", 500, NULL);
    add(f, "/h", 200, NULL);
    add(f, "/i", 200, "an unclosed \" stays");
    struct journal_reader *reader = open_reader(f);
    assert_int_equal(journal_reader_mistakes(reader, see_mistake, f, NULL), STATUS_OK);
    assert_int_equal(journal_reader_count(reader, &requests, &unexplained, NULL), STATUS_OK);
    journal_reader_close(reader);
    assert_string_equal(
        f->seen, "3 404 there is no topic z.z: create it with \"pinpipe topics create z.z\"; "
                 "2 404 there is no offset 8; 1 200 an unclosed \" stays; 1 422 wrap the row; ");
    assert_int_equal(requests, 9);
    assert_int_equal(unexplained, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_journal_there_is_nothing_to_read),
        TEST(the_file_of_another_program_is_named),
        TEST(a_follower_sees_each_request_once),
        TEST(a_request_has_what_the_server_told),
        TEST(a_follower_begins_with_the_last_that_it_wants),
        TEST(filters_are_of_errors_hints_and_topics),
        TEST(a_follower_that_has_enough_is_told_no_more),
        TEST(requests_that_the_ring_dropped_are_counted),
        TEST(a_journal_that_is_begun_anew_is_read_from_its_beginning),
        TEST(a_journal_of_an_older_release_has_no_hints),
        TEST(mistakes_that_differ_in_names_and_numbers_are_one_kind),
    };
    return cmocka_run_group_tests_name("journal_reader", tests, NULL, NULL);
}
