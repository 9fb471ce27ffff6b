/* Every call of the store while something fails beneath it: another of its allocations each time,
 * another of its reads and writes each time. Whatever it is:
 *
 *   - a call says that it failed, and never instead that a thing is not there, is there already or
 *     is damaged, nor gives a list that was cut short for the whole of it;
 *   - a write that failed costs its turn, a read nothing;
 *   - the same call works as soon as there is memory, and a disk, again;
 *   - the tables agree with each other, and no memory is left behind.
 *
 * Every seventh point by default; PINPIPE_FAULT_STRIDE=1 (make fault) tests each. */
#include "store_internal.h"

#include "alloc_fault.h"
#include "fault_points.h"
#include "store_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SLACK_ALLOCATIONS = 64 }; /* pages of the log that SQLite keeps, after thousands of calls */

struct failing {
    struct lake_fixture *lake;
    struct store_calls calls;
    struct fault_vfs vfs;
    struct error err;
    char what[160];
};

static int setup(void **state)
{
    struct failing *f = calloc(1, sizeof(*f));
    void *lake = NULL;
    lake_setup_file(&lake);
    f->lake = lake;
    store_calls_prepare(&f->calls, f->lake);
    fault_vfs_install(&f->vfs, FAULT_POINTS_VFS);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct failing *f = *state;
    void *lake = f->lake;
    alloc_fault_end(); /* a test that failed in the midst */
    arena_release(&f->calls.found);
    lake_teardown(&lake);
    fault_vfs_uninstall(&f->vfs);
    free(f);
    return 0;
}

static bool is_a_lie(enum status status)
{
    return status == STATUS_NOT_FOUND || status == STATUS_EXISTS || status == STATUS_INVALID ||
           status == STATUS_CORRUPT || status == STATUS_BUSY || status == STATUS_LIMIT;
}

/* What must hold after the call, with memory and disk again. */
static void judge(struct failing *f, const struct store_call *call, bool failed, enum status status)
{
    struct store *store = f->lake->store;
    if (is_a_lie(status) || (status != STATUS_OK && !failed)) {
        fail_msg("%s: %s: %s", f->what, status_name(status), f->err.message);
    }
    if (status == STATUS_OK) {
        return;
    }
    assert_true(f->err.message[0] != '\0');
    /* Lost with what was written, or nothing was: the call works again, so none of it was kept. */
    if (store_turn_commit(store, &f->err) != STATUS_OK && store_has_stopped(store, &f->err)) {
        return; /* a sync failed: nothing more is to work */
    }
    const char *broken = lake_check(store->db.handle);
    if (broken != NULL) {
        fail_msg("%s: not so: %s", f->what, broken);
    }
    f->err = ERROR_NONE;
    status = call->run(&f->calls, &f->err);
    if (status != STATUS_OK) {
        fail_msg("%s: again: %s: %s", f->what, status_name(status), f->err.message);
    }
}

static void calls_fail(struct failing *f, enum alloc_fault_mode mode)
{
    store_calls_reopen(&f->calls);
    long alive = alloc_fault_alive();
    for (size_t i = 0; i < store_call_count; i++) {
        const struct store_call *call = &store_calls[i];
        long stride = (long)fault_points_stride(7);
        bool failed = true;
        for (long n = 1 + (long)i % stride; failed; n += stride) {
            store_calls_reopen(&f->calls);
            snprintf(f->what, sizeof(f->what), "%s, allocation %ld", call->name, n);
            f->err = ERROR_NONE;
            alloc_fault_begin(n, mode);
            enum status status = call->run(&f->calls, &f->err);
            failed = alloc_fault_end();
            judge(f, call, failed, status);
        }
    }
    store_calls_reopen(&f->calls);
    assert_true(alloc_fault_alive() - alive <= SLACK_ALLOCATIONS);
}

static void a_call_without_memory_says_so_and_works_when_there_is_some(void **state)
{
    calls_fail(*state, ALLOC_FAILS_ONCE);
}

static void a_call_while_there_is_no_memory_at_all_says_so(void **state)
{
    calls_fail(*state, ALLOC_FAILS_FROM_THERE_ON);
}

static void a_call_on_a_failing_disk_says_so_and_works_on_a_sound_one(void **state)
{
    struct failing *f = *state;
    f->lake->env.sqlite_vfs = FAULT_POINTS_VFS;
    for (size_t i = 0; i < store_call_count; i++) {
        const struct store_call *call = &store_calls[i];
        uint64_t stride = fault_points_stride(7);
        bool failed = true;
        for (uint64_t n = 1 + i % stride; failed; n += stride) {
            store_calls_reopen(&f->calls);
            snprintf(f->what, sizeof(f->what), "%s, operation %d", call->name, (int)n);
            f->err = ERROR_NONE;
            uint64_t before = f->vfs.failures;
            fault_vfs_fail(&f->vfs, FAULT_ANY, n, SQLITE_IOERR, false);
            enum status status = call->run(&f->calls, &f->err);
            failed = f->vfs.failures > before;
            fault_vfs_fail(&f->vfs, 0, 0, 0, false);
            judge(f, call, failed, status);
        }
    }
}

/* --- opening, committing, clearing away --- */

static enum status open_again(struct failing *f, struct store **store)
{
    const char *const topics[] = {"kept", "first"};
    const char *const buckets[] = {"lake", "first-bucket"};
    const struct store_options options = {.directory = f->lake->dir.path,
                                          .env = &f->lake->env,
                                          .topics = topics,
                                          .topic_count = ARRAY_COUNT(topics),
                                          .buckets = buckets,
                                          .bucket_count = ARRAY_COUNT(buckets),
                                          .region = "us-east-1"};
    *store = NULL;
    f->err = ERROR_NONE;
    return store_open(&options, store, &f->err);
}

/* What is there is opened, or a new file is made in the directory. */
static void opening_fails(struct failing *f, bool anew)
{
    struct temp_dir kept = f->lake->dir;
    bool failed = true;
    store_close(f->lake->store);
    long stride = (long)fault_points_stride(7);
    for (long n = 1; failed; n += stride) {
        struct store *store = NULL;
        if (anew) {
            temp_dir_make(&f->lake->dir);
        }
        snprintf(f->what, sizeof(f->what), "opening, allocation %ld", n);
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        enum status status = open_again(f, &store);
        failed = alloc_fault_end();
        bool told = status == STATUS_NO_MEMORY && failed && store == NULL;
        if (status != STATUS_OK && !told) {
            fail_msg("%s: %s: %s", f->what, status_name(status), f->err.message);
        }
        store_close(store);
        assert_int_equal(open_again(f, &store), STATUS_OK);
        assert_non_null(store_topic_find(store, SPAN_LIT("first")));
        assert_int_equal(store_topic_find(store, SPAN_LIT("kept"))->partition_count, anew ? 1 : 2);
        store_close(store);
        if (anew) {
            temp_dir_remove(&f->lake->dir);
        }
    }
    f->lake->dir = kept;
    assert_int_equal(open_again(f, &f->lake->store), STATUS_OK);
}

static void a_file_is_opened_whole_or_not_at_all(void **state)
{
    opening_fails(*state, false);
}

static void a_file_is_made_whole_or_not_at_all(void **state)
{
    opening_fails(*state, true);
}

static void a_commit_without_memory_keeps_the_turn_whole_or_not_at_all(void **state)
{
    struct failing *f = *state;
    int64_t kept = lake_query(f->lake, "SELECT count(*) FROM record");
    bool failed = true;
    for (long n = 1; failed; n++) {
        struct store_record record = {
            .timestamp_ms = n, .has_value = true, .value = SPAN_LIT("committed")};
        int64_t offset;
        store_calls_reopen(&f->calls);
        struct store *store = f->lake->store;
        const struct store_topic *topic = store_topic_find(store, SPAN_LIT("kept"));
        for (int32_t p = 0; p < 2; p++) {
            assert_int_equal(store_record_append(store, (struct store_place){topic, p}, &record,
                                                 &offset, &f->err),
                             STATUS_OK);
        }
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        enum status status = store_turn_commit(store, &f->err);
        failed = alloc_fault_end();
        kept += status == STATUS_OK ? 2 : 0;
        store_calls_reopen(&f->calls);
        assert_int_equal(lake_query(f->lake, "SELECT count(*) FROM record"), kept);
    }
}

static void append_to_new_topic(struct failing *f, const char *name)
{
    struct store *store = f->lake->store;
    struct store_topic_spec spec = {.name = span_from_cstr(name), .partition_count = 1};
    struct store_record record = {.timestamp_ms = 1, .has_value = true, .value = SPAN_LIT("v")};
    int64_t offset;
    assert_int_equal(store_topic_create(store, &spec, &f->err), STATUS_OK);
    struct store_place place = {store_topic_find(store, spec.name), 0};
    assert_int_equal(store_record_append(store, place, &record, &offset, &f->err), STATUS_OK);
}

/* What deleted topics, objects and uploads have left goes with the next deletion's at the latest.
 */
static void clearing_away_without_memory_is_done_later(void **state)
{
    struct failing *f = *state;
    struct lake_fixture *lake = f->lake;
    for (long n = 1; n < 400; n += (long)fault_points_stride(7)) {
        char name[32];
        snprintf(name, sizeof(name), "gone-%ld", n);
        lake_put(lake, "gone", 9, 200000);
        lake_upload(lake, name, "gone");
        lake_part(lake, name, 1, 3, 70000);
        append_to_new_topic(f, name);
        lake_commit(lake);
        lake_delete(lake, "gone");
        assert_int_equal(store_upload_abort(lake->store, span_from_cstr(name), &f->err), STATUS_OK);
        assert_int_equal(store_topic_delete(lake->store, span_from_cstr(name), &f->err), STATUS_OK);
        lake_commit(lake);
        store_calls_reopen(&f->calls);
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        store_housekeep(lake->store);
        alloc_fault_end();
        assert_int_equal(store_turn_commit(lake->store, &f->err), STATUS_OK);
        lake_assert_whole(lake);
    }
    lake_put(lake, "gone", 9, 200000);
    lake_commit(lake);
    lake_delete(lake, "gone");
    lake_commit(lake);
    store_calls_reopen(&f->calls);
    lake_sweep(lake);
    assert_int_equal(lake_query(lake, "SELECT count(*) FROM object WHERE dead = 1"), 0);
    assert_int_equal(lake_query(lake, "SELECT count(*) FROM upload WHERE id LIKE 'gone-%'"), 0);
    assert_int_equal(lake_query(lake, "SELECT count(*) FROM topic WHERE name LIKE 'gone-%'"), 0);
}

/* Memory that SQLite keeps in reserve would hide which of its calls need some. */
static int no_reserve(void **state)
{
    (void)state;
    return sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK ? 0 : -1;
}

#define FAILING_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAILING_TEST(a_call_without_memory_says_so_and_works_when_there_is_some),
        FAILING_TEST(a_call_while_there_is_no_memory_at_all_says_so),
        FAILING_TEST(a_call_on_a_failing_disk_says_so_and_works_on_a_sound_one),
        FAILING_TEST(a_file_is_opened_whole_or_not_at_all),
        FAILING_TEST(a_file_is_made_whole_or_not_at_all),
        FAILING_TEST(a_commit_without_memory_keeps_the_turn_whole_or_not_at_all),
        FAILING_TEST(clearing_away_without_memory_is_done_later),
    };
    return cmocka_run_group_tests_name("store_calls", tests, no_reserve, NULL);
}
