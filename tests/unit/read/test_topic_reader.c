/* The verifier's reader against the mock, where records are larger than its pages. */
#include "pinpipe/mock.h"
#include "sqlite_db.h"
#include "temp_dir.h"
#include "topic_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct env env;
    struct temp_dir dir;
    struct pinpipe_mock_options options;
    struct pinpipe_mock *mock;
    struct endpoints endpoints;
    struct topic_reader *reader;
};

static void mock_start(struct fixture *f)
{
    char why[PINPIPE_MESSAGE_BYTES];
    if (pinpipe_mock_start(&f->options, &f->mock, why) != PINPIPE_OK) {
        fail_msg("%s", why);
    }
}

/* Larger than any produce could make them. */
static void put_record(const struct fixture *f, const char *topic, int64_t offset, int bytes)
{
    char path[300];
    char sql[700];
    struct sqlite_db db;
    struct error err = ERROR_NONE;
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    const struct sqlite_db_options options = {
        .path = path, .env = (struct env *)(uintptr_t)&f->env, .busy_timeout_ms = 1000};
    assert_int_equal(sqlite_db_open(&db, &options, &err), STATUS_OK);
    snprintf(sql, sizeof(sql),
             "INSERT INTO record (tp, offset, timestamp, value) SELECT p.tp, %lld, 1,"
             " CAST('\"' || replace(hex(zeroblob(%d)), '00', 'x') || '\"' AS BLOB)"
             " FROM topic t JOIN partition p ON p.topic_id = t.id WHERE t.name = '%s'",
             (long long)offset, bytes, topic);
    if (sqlite_db_exec(&db, sql, &err) != STATUS_OK) {
        fail_msg("%s", err.message);
    }
    sqlite_db_close(&db);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    env_init_system(&f->env);
    temp_dir_make(&f->dir);
    pinpipe_mock_options_init(&f->options);
    f->options.data_dir = f->dir.path;
    f->options.user_id = "u1";
    mock_start(f);
    pinpipe_mock_stop(f->mock);
    f->mock = NULL;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    if (f->reader != NULL) {
        f->reader->ops->free(f->reader);
    }
    pinpipe_mock_stop(f->mock);
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void reader_open(struct fixture *f)
{
    struct error err = ERROR_NONE;
    mock_start(f);
    f->endpoints.invoke_url = pinpipe_mock_url(f->mock, PINPIPE_GATEWAY);
    f->endpoints.consumer_group = "students";
    if (topic_reader_rest_new(&f->env, &f->endpoints, NULL, &f->reader, &err) != STATUS_OK) {
        fail_msg("%s", err.message);
    }
}

/* How many records the pages up to the end hold. */
static int count_records(struct fixture *f, const char *topic, int64_t end)
{
    struct error err = ERROR_NONE;
    struct topic_page page;
    struct topic_range range = {0, end};
    int count = 0;
    if (f->reader->ops->start(f->reader, topic, 0, range, &err) != STATUS_OK) {
        fail_msg("%s", err.message);
    }
    for (int pages = 0; pages < end && count < end; pages++) {
        if (f->reader->ops->page(f->reader, &page, &err) != STATUS_OK) {
            fail_msg("%s", err.message);
        }
        for (size_t i = 0; i + 9 <= page.body.len; i++) {
            count += memcmp(page.body.ptr + i, "\"offset\":", 9) == 0;
        }
    }
    return count;
}

static void a_record_larger_than_a_page_is_read_and_hides_nothing(void **state)
{
    struct fixture *f = *state;
    put_record(f, "u1.pin", 0, 10);
    put_record(f, "u1.pin", 1, 5 << 20);
    put_record(f, "u1.pin", 2, 10);
    put_record(f, "u1.geo", 0, 10);
    reader_open(f);
    assert_int_equal(count_records(f, "u1.pin", 3), 3);
    assert_int_equal(count_records(f, "u1.geo", 1), 1);
}

static void a_record_that_nobody_can_read_does_not_hide_other_partitions(void **state)
{
    struct fixture *f = *state;
    put_record(f, "u1.pin", 0, 64 << 20);
    put_record(f, "u1.geo", 0, 10);
    reader_open(f);
    assert_int_equal(count_records(f, "u1.pin", 1), 0);
    assert_int_equal(count_records(f, "u1.geo", 1), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_larger_than_a_page_is_read_and_hides_nothing),
        TEST(a_record_that_nobody_can_read_does_not_hide_other_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
