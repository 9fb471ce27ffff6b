/* The sweep of the lake when something is in its way: another writer, memory that is short, a disk
 * that fails. Nothing is swept by half, and what was not swept goes later.
 *
 * Every second point by default; PINPIPE_FAULT_STRIDE=1 tests each. */
#include "alloc_fault.h"
#include "fault_points.h"
#include "lake_fixture.h"
#include "store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LARGE_BYTES = 150000, PART_BYTES = 70000 };

/* --- what there is to sweep, one kind at a time --- */

static void leave_upload(struct lake_fixture *f)
{
    lake_upload(f, "up", "coming");
    lake_part(f, "up", 1, 1, PART_BYTES);
    lake_commit(f);
    assert_int_equal(store_upload_abort(f->store, SPAN_LIT("up"), &f->err), STATUS_OK);
}

static void leave_upload_without_parts(struct lake_fixture *f)
{
    lake_upload(f, "up", "coming");
    lake_commit(f);
    assert_int_equal(store_upload_abort(f->store, SPAN_LIT("up"), &f->err), STATUS_OK);
}

/* Deleted while somebody reads it. */
static void leave_dead(struct lake_fixture *f, const char *key)
{
    int64_t id = lake_object(f, key).id;
    assert_int_equal(store_object_pin(f->store, id), STATUS_OK);
    lake_delete(f, key);
    lake_commit(f);
    store_object_unpin(f->store, id);
}

static void leave_dead_object(struct lake_fixture *f)
{
    lake_put(f, "read", 1, LARGE_BYTES);
    lake_commit(f);
    leave_dead(f, "read");
}

static void leave_dead_small_object(struct lake_fixture *f)
{
    lake_put_text(f, "read", "text");
    lake_commit(f);
    leave_dead(f, "read");
}

static void leave_joined_object(struct lake_fixture *f)
{
    static const int32_t numbers[] = {1, 2};
    lake_upload(f, "up", "joined");
    lake_part(f, "up", 1, 2, PART_BYTES);
    lake_part(f, "up", 2, 3, PART_BYTES);
    assert_int_equal(lake_complete(f, "up", "joined", numbers, 2), STATUS_OK);
    lake_commit(f);
    lake_sweep(f); /* the upload */
    lake_delete(f, "joined");
}

static void leave_large_object(struct lake_fixture *f)
{
    lake_put(f, "large", 1, LARGE_BYTES);
    lake_commit(f);
    lake_delete(f, "large");
}

static void leave_empty_part(struct lake_fixture *f)
{
    static const int32_t numbers[] = {1};
    lake_upload(f, "up", "empty");
    lake_part(f, "up", 1, 1, 0);
    assert_int_equal(lake_complete(f, "up", "empty", numbers, 1), STATUS_OK);
    lake_commit(f);
    lake_sweep(f);
    lake_delete(f, "empty");
}

static const struct leftover {
    const char *name;
    void (*leave)(struct lake_fixture *f);
} leftovers[] = {
    {"an upload", leave_upload},
    {"an upload without parts", leave_upload_without_parts},
    {"a dead object", leave_dead_object},
    {"a dead object in its row", leave_dead_small_object},
    {"an object of parts", leave_joined_object},
    {"a large object", leave_large_object},
    {"an object of an empty part", leave_empty_part},
};

/* --- what is in its way --- */

static void leave(struct lake_fixture *f, const struct leftover *leftover)
{
    leftover->leave(f);
    lake_commit(f);
    assert_true(lake_rows(f->store->db.handle) > 0);
}

/* A start looks for what there is to sweep; then there is nothing any more. */
static void assert_swept_later(struct lake_fixture *f, const char *what)
{
    lake_assert_whole(f);
    lake_reopen(f);
    lake_sweep(f);
    lake_assert_whole(f);
    if (lake_rows(f->store->db.handle) != 0) {
        fail_msg("%s: is not swept", what);
    }
}

static void the_sweep_gives_way_to_another_writer(void **state)
{
    struct lake_fixture *f = *state;
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    for (size_t i = 0; i < ARRAY_COUNT(leftovers); i++) {
        sqlite3 *other = NULL;
        leave(f, &leftovers[i]);
        long long rows = lake_rows(f->store->db.handle);
        sqlite3_busy_timeout(f->store->db.handle, 0);
        assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
        assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        assert_false(store_housekeep(f->store)); /* not at once again */
        assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(other);
        assert_int_equal(lake_rows(f->store->db.handle), rows);
        assert_swept_later(f, leftovers[i].name);
    }
}

static void a_slice_without_memory_sweeps_all_of_it_or_nothing(void **state)
{
    struct lake_fixture *f = *state;
    long stride = (long)fault_points_stride(2);
    for (size_t i = 0; i < ARRAY_COUNT(leftovers); i++) {
        bool failed = true;
        for (long n = 1; failed; n += stride) {
            leave(f, &leftovers[i]);
            lake_reopen(f);
            alloc_fault_begin(n, ALLOC_FAILS_ONCE);
            store_housekeep(f->store);
            failed = alloc_fault_end();
            assert_swept_later(f, leftovers[i].name);
        }
    }
}

static void a_slice_on_a_failing_disk_sweeps_all_of_it_or_nothing(void **state)
{
    struct lake_fixture *f = *state;
    struct fault_vfs vfs;
    fault_vfs_install(&vfs, FAULT_POINTS_VFS);
    f->env.sqlite_vfs = FAULT_POINTS_VFS;
    for (size_t i = 0; i < ARRAY_COUNT(leftovers); i++) {
        bool failed = true;
        for (uint64_t n = 1; failed; n += fault_points_stride(2)) {
            leave(f, &leftovers[i]);
            lake_reopen(f);
            uint64_t before = vfs.failures;
            fault_vfs_fail(&vfs, FAULT_ANY, n, SQLITE_IOERR, false);
            store_housekeep(f->store);
            failed = vfs.failures > before;
            fault_vfs_fail(&vfs, 0, 0, 0, false);
            assert_swept_later(f, leftovers[i].name);
        }
    }
    store_close(f->store);
    f->store = NULL;
    fault_vfs_uninstall(&vfs);
}

/* Memory that SQLite keeps in reserve would hide which of its calls need some. */
static int no_reserve(void **state)
{
    (void)state;
    return sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAKE_FILE_TEST(the_sweep_gives_way_to_another_writer),
        LAKE_FILE_TEST(a_slice_without_memory_sweeps_all_of_it_or_nothing),
        LAKE_FILE_TEST(a_slice_on_a_failing_disk_sweeps_all_of_it_or_nothing),
    };
    return cmocka_run_group_tests_name("store_sweep_faults", tests, no_reserve, NULL);
}
