/* A journal while something fails beneath it: another allocation each time, another read or write
 * of its file each time. No request notices; rows may be missing, but then the log says so once,
 * and half a minute later they are written again. */
#include "alloc_fault.h"
#include "call_fault.h"
#include "fault_vfs.h"
#include "journal.h"
#include "sqlite_db.h"
#include "temp_dir.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define VFS "pinpipe-journal-fault"
enum { RING_ROWS = 10, RETRY_US = 31 * 1000000 };

struct fixture {
    struct temp_dir dir;
    struct fault_vfs vfs;
    struct env env;
    struct log log;
    FILE *log_file;
    char log_text[4096];
    struct journal *journal;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    fault_vfs_install(&f->vfs, VFS);
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
    alloc_fault_end();
    call_fault_end();
    journal_close(f->journal);
    fclose(f->log_file);
    fault_vfs_uninstall(&f->vfs);
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static enum status open_journal(struct fixture *f)
{
    const struct journal_options options = {
        .directory = f->dir.path, .env = &f->env, .log = &f->log, .rows_max = RING_ROWS};
    f->journal = NULL;
    return journal_open(&options, &f->journal, NULL);
}

static void add(struct fixture *f, const char *path)
{
    const struct journal_entry entry = {
        .service = "rest",
        .method = SPAN_LIT("POST"),
        .path = span_from_cstr(path),
        .status = 404,
        .error_code = SPAN_LIT("40401"),
        .received_us = INT64_C(1700000000123456),
        .latency_us = 250,
    };
    journal_add(f->journal, &entry);
}

static int64_t query(struct fixture *f, const char *sql)
{
    struct sqlite_db db;
    struct error err;
    char path[512];
    int64_t value = -1;
    temp_dir_path(&f->dir, "journal.db", path, sizeof(path));
    const struct sqlite_db_options options = {.path = path, .env = &f->env, .read_only = true};
    if (sqlite_db_open(&db, &options, &err) != STATUS_OK ||
        sqlite_db_query_i64(&db, sql, &value, &err) != STATUS_OK) {
        fail_msg("%s: %s", sql, err.message);
    }
    sqlite_db_close(&db);
    return value;
}

/* When it is tried again the ring is whole, with the latest row in it. */
static void assert_goes_on(struct fixture *f)
{
    env_advance(&f->env, RETRY_US);
    add(f, "/later?token=secret");
    journal_flush(f->journal);
    assert_int_equal(query(f, "SELECT count(*) FROM request WHERE path = '/later?token=***' AND id "
                              "= (SELECT max(id) FROM request)"),
                     1);
    assert_true(query(f, "SELECT count(*) FROM request") <= RING_ROWS);
}

/* From the opening to the close, with rows enough to turn the ring. */
static void live(struct fixture *f)
{
    for (int i = 0; i < RING_ROWS; i++) {
        add(f, "/path?a=1&X-Amz-Signature=secret");
        journal_flush(f->journal);
    }
}

static void without_memory_requests_are_missing_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    for (long n = 1; alloc_fault_goes_on(n); n++) {
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        enum status status = open_journal(f);
        if (status == STATUS_OK) {
            live(f);
        }
        bool failed = alloc_fault_end();
        assert_true(status == STATUS_OK || (failed && f->journal == NULL));
        if (status == STATUS_OK) {
            assert_goes_on(f);
        }
        journal_close(f->journal);
    }
    f->journal = NULL;
    assert_null(strstr(f->log_text, "secret"));
}

static void on_a_failing_disk_requests_are_missing_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    f->env.sqlite_vfs = VFS;
    uint64_t failures = 0;
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        assert_int_equal(open_journal(f), STATUS_OK);
        fault_vfs_fail(&f->vfs, FAULT_ANY, n, SQLITE_IOERR, false);
        live(f);
        failed = f->vfs.failures > failures;
        failures = f->vfs.failures;
        fault_vfs_fail(&f->vfs, 0, 0, 0, false);
        assert_goes_on(f);
        journal_close(f->journal);
    }
    f->journal = NULL;
}

/* What is damaged and cannot be put aside stays where it is. */
static void a_damaged_journal_that_cannot_be_moved_is_left_alone(void **state)
{
    struct fixture *f = *state;
    f->env.sqlite_vfs = VFS;
    assert_int_equal(open_journal(f), STATUS_OK);
    add(f, "/kept");
    journal_close(f->journal);
    assert_int_equal(open_journal(f), STATUS_OK);
    call_fault_begin((struct call_fault){CALL_RENAME, .times = 1, .code = EROFS, .here = true});
    fault_vfs_fail(&f->vfs, FAULT_READ, 1, SQLITE_CORRUPT, true);
    add(f, "/lost");
    journal_flush(f->journal);
    fault_vfs_fail(&f->vfs, 0, 0, 0, false);
    assert_int_equal(call_fault_end(), 1);
    assert_null(strstr(f->log_text, "put aside"));
    assert_goes_on(f);
    assert_int_equal(query(f, "SELECT count(*) FROM request WHERE path = '/kept'"), 1);
}

static size_t complaints(const struct fixture *f)
{
    size_t count = 0;
    for (const char *at = f->log_text; (at = strstr(at, "are served all the same")) != NULL; at++) {
        count++;
    }
    return count;
}

static void a_journal_that_stays_unwritable_is_complained_of_once(void **state)
{
    struct fixture *f = *state;
    f->env.sqlite_vfs = VFS;
    assert_int_equal(open_journal(f), STATUS_OK);
    fault_vfs_fail(&f->vfs, FAULT_WRITE, 1, SQLITE_FULL, true);
    for (int i = 0; i < 3; i++) {
        add(f, "/lost");
        journal_flush(f->journal);
        env_advance(&f->env, RETRY_US);
    }
    fault_vfs_fail(&f->vfs, 0, 0, 0, false);
    assert_int_equal(complaints(f), 1);
    assert_goes_on(f);
    assert_non_null(strstr(f->log_text, "written again, 3 requests are missing"));
}

/* What stands in its place and is no journal of ours is not touched. */
static void what_is_no_journal_of_this_release_is_left_alone(void **state)
{
    static const char *const others[] = {
        NULL, /* a directory */
        "PRAGMA application_id=1; PRAGMA user_version=1",
        "PRAGMA application_id=1347439182; PRAGMA user_version=9",
    };
    struct fixture *f = *state;
    char path[512];
    temp_dir_path(&f->dir, "journal.db", path, sizeof(path));
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        struct sqlite_db db;
        if (others[i] == NULL) {
            assert_int_equal(mkdir(path, 0700), 0);
        } else {
            const struct sqlite_db_options options = {.path = path, .env = &f->env, .create = true};
            assert_int_equal(sqlite_db_open(&db, &options, NULL), STATUS_OK);
            assert_int_equal(sqlite_db_exec(&db, others[i], NULL), STATUS_OK);
            sqlite_db_close(&db);
        }
        assert_int_equal(open_journal(f), STATUS_OK);
        add(f, "/lost");
        journal_flush(f->journal);
        assert_int_equal(complaints(f), i + 1);
        if (others[i] != NULL) {
            assert_int_equal(query(f, "SELECT count(*) FROM sqlite_schema"), 0);
        }
        assert_int_equal(remove(path), 0);
        assert_goes_on(f);
        journal_close(f->journal);
        f->journal = NULL;
        assert_int_equal(remove(path), 0);
    }
}

static void a_directory_whose_name_is_too_long_is_told(void **state)
{
    struct fixture *f = *state;
    static char name[SQLITE_DB_PATH_BYTES_MAX + 1];
    struct error err;
    memset(name, 'd', sizeof(name) - 1);
    const struct journal_options options = {
        .directory = name, .env = &f->env, .log = &f->log, .rows_max = RING_ROWS};
    assert_int_equal(journal_open(&options, &f->journal, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.message, "too long"));
}

/* A percent sign that escapes nothing hides no secret and is no end of a name. */
static void names_with_broken_escapes_are_told_from_secrets(void **state)
{
    static const struct {
        const char *path;
        const char *kept;
    } cases[] = {
        {"/p?%74oken=secret", "/p?%74oken=***"},  {"/p?token%=open", "/p?token%=open"},
        {"/p?token%4=open", "/p?token%4=open"},   {"/p?token%zz=open", "/p?token%zz=open"},
        {"/p?token%4z=open", "/p?token%4z=open"},
    };
    struct fixture *f = *state;
    char sql[128];
    assert_int_equal(open_journal(f), STATUS_OK);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        add(f, cases[i].path);
        journal_flush(f->journal);
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM request WHERE path = '%s'", cases[i].kept);
        if (query(f, sql) != 1) {
            fail_msg("%s is not kept as %s", cases[i].path, cases[i].kept);
        }
    }
    /* A name longer than any secret's is none, wherever its beginning comes from. */
    char path[256] = "/p?";
    memset(path + 3, 't', 100);
    strcpy(path + 103, "=open");
    add(f, path);
    journal_flush(f->journal);
    assert_int_equal(query(f, "SELECT count(*) FROM request WHERE path LIKE '%ttt=open'"), 1);
}

static int no_reserve(void **state)
{
    (void)state;
    return sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_memory_requests_are_missing_and_nothing_else),
        TEST(on_a_failing_disk_requests_are_missing_and_nothing_else),
        TEST(a_damaged_journal_that_cannot_be_moved_is_left_alone),
        TEST(a_journal_that_stays_unwritable_is_complained_of_once),
        TEST(what_is_no_journal_of_this_release_is_left_alone),
        TEST(a_directory_whose_name_is_too_long_is_told),
        TEST(names_with_broken_escapes_are_told_from_secrets),
    };
    return cmocka_run_group_tests_name("journal_faults", tests, no_reserve, NULL);
}
