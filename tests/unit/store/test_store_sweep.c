/* What nobody uses any more goes, in bounded slices, and nothing else does: pins, staged bodies,
 * what a killed process left. And a body's memory stays flat however large it is. */
#include "alloc_fault.h"
#include "lake_fixture.h"
#include "store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <cmocka.h>

enum { CHUNK = STORE_CHUNK_BYTES };

static int64_t chunks(struct lake_fixture *f)
{
    return lake_query(f, "SELECT count(*) FROM chunk");
}

static void sweep_to_the_end(struct lake_fixture *f)
{
    lake_sweep(f);
    lake_assert_whole(f);
}

static void assert_nothing_left(struct lake_fixture *f)
{
    sweep_to_the_end(f);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

/* --- slices --- */

static void with_nothing_to_do_the_sweep_opens_no_transaction(void **state)
{
    struct lake_fixture *f = *state;
    assert_false(store_housekeep(f->store));
    assert_false(f->store->settled); /* the first write would have synced the file */
    assert_int_equal(sqlite3_total_changes(f->store->db.handle), 0);
}

static void deleting_a_large_object_touches_one_row_and_one_count(void **state)
{
    struct lake_fixture *f = *state;
    lake_put(f, "k", 1, 300 * CHUNK);
    lake_commit(f);
    int before = sqlite3_total_changes(f->store->db.handle);
    lake_delete(f, "k");
    lake_commit(f);
    assert_int_equal(sqlite3_total_changes(f->store->db.handle) - before, 2);
    assert_int_equal(chunks(f), 300);
    assert_nothing_left(f);
}

static void replacing_a_large_object_is_as_cheap(void **state)
{
    struct lake_fixture *f = *state;
    lake_put(f, "k", 1, 300 * CHUNK);
    lake_commit(f);
    int before = sqlite3_total_changes(f->store->db.handle);
    lake_put_text(f, "k", "small");
    lake_commit(f);
    assert_true(sqlite3_total_changes(f->store->db.handle) - before <= 4);
    assert_nothing_left(f);
    assert_string_equal(lake_text(f, "k"), "small");
}

static void a_slice_takes_at_most_four_mebibytes(void **state)
{
    struct lake_fixture *f = *state;
    lake_put(f, "k", 1, 300 * CHUNK);
    lake_put(f, "stays", 2, 10 * CHUNK);
    lake_commit(f);
    lake_sweep(f);
    lake_delete(f, "k");
    lake_commit(f);
    bool more = true;
    for (int64_t expected = 310 - 64; more; expected -= 64) {
        more = store_housekeep(f->store);
        assert_int_equal(chunks(f), expected > 10 ? expected : 10);
        lake_assert_object(f, "stays", 2, 10 * CHUNK); /* others are answered in between */
    }
    assert_int_equal(chunks(f), 10);
    lake_assert_whole(f);
}

static void a_slice_takes_at_most_a_thousand_rows(void **state)
{
    struct lake_fixture *f = *state;
    enum { PARTS = 2500 };
    lake_upload(f, "u", "k");
    for (int32_t i = 1; i <= PARTS; i++) {
        lake_part(f, "u", i, 1, 1);
    }
    lake_commit(f);
    lake_sweep(f);
    assert_int_equal(store_upload_abort(f->store, SPAN_LIT("u"), &f->err), STATUS_OK);
    lake_commit(f);
    assert_true(store_housekeep(f->store));
    assert_int_equal(lake_query(f, "SELECT count(*) FROM upload_part"), PARTS - 1000);
    assert_true(lake_sweep(f) >= 3);
    assert_nothing_left(f);
}

static void many_objects_of_all_sizes_leave_nothing(void **state)
{
    struct lake_fixture *f = *state;
    char key[32];
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        lake_put(f, key, (unsigned)i, (uint64_t)i * 3000);
    }
    lake_commit(f);
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        lake_delete(f, key);
        if (i % 10 == 0) {
            lake_commit(f);
            store_housekeep(f->store);
            lake_assert_whole(f);
        }
    }
    lake_commit(f);
    assert_nothing_left(f);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM object"), 0);
}

/* --- pins --- */

static void a_pinned_object_is_read_to_its_end(void **state)
{
    struct lake_fixture *f = *state;
    static const uint64_t sizes[] = {500, 5 * CHUNK};
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        for (int overwrite = 0; overwrite < 2; overwrite++) {
            lake_put(f, "k", 1, sizes[i]);
            lake_commit(f);
            int64_t id = lake_object(f, "k").id;
            assert_int_equal(store_object_pin(f->store, id), STATUS_OK);
            assert_int_equal(store_object_pin(f->store, id), STATUS_OK); /* two downloads */
            if (overwrite != 0) {
                lake_put(f, "k", 2, sizes[i]);
            }
            lake_delete(f, "k");
            lake_commit(f);
            sweep_to_the_end(f);
            lake_assert_bytes(f, id, 0, sizes[i], 1, 0);
            store_object_unpin(f->store, id);
            sweep_to_the_end(f);
            lake_assert_bytes(f, id, 0, sizes[i], 1, 0);
            store_object_unpin(f->store, id);
            assert_nothing_left(f);
            assert_int_equal(lake_query(f, "SELECT count(*) FROM object"), 0);
        }
    }
}

static void a_bucket_whose_last_object_is_still_read_can_be_deleted(void **state)
{
    struct lake_fixture *f = *state;
    lake_put(f, "k", 1, 2 * CHUNK);
    int64_t id = lake_object(f, "k").id;
    assert_int_equal(store_object_pin(f->store, id), STATUS_OK);
    lake_delete(f, "k");
    assert_int_equal(store_bucket_delete(f->store, f->bucket, &f->err), STATUS_OK);
    lake_commit(f);
    sweep_to_the_end(f);
    lake_assert_bytes(f, id, 0, 2 * CHUNK, 1, 0);
    store_object_unpin(f->store, id);
    assert_nothing_left(f);
}

static void many_pins_are_told_apart(void **state)
{
    struct lake_fixture *f = *state;
    int64_t ids[100];
    char key[32];
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        lake_put(f, key, (unsigned)i, CHUNK + 1);
        ids[i] = lake_object(f, key).id;
        assert_int_equal(store_object_pin(f->store, ids[i]), STATUS_OK);
        lake_delete(f, key);
    }
    lake_commit(f);
    for (int i = 0; i < 100; i += 2) {
        store_object_unpin(f->store, ids[i]);
    }
    sweep_to_the_end(f);
    for (int i = 1; i < 100; i += 2) {
        lake_assert_bytes(f, ids[i], 0, CHUNK + 1, (unsigned)i, 0);
        store_object_unpin(f->store, ids[i]);
    }
    assert_nothing_left(f);
}

static void a_pin_without_memory_is_none(void **state)
{
    struct lake_fixture *f = *state;
    lake_put(f, "k", 1, 100);
    lake_commit(f);
    int64_t id = lake_object(f, "k").id;
    alloc_fault_begin(1, ALLOC_FAILS_ONCE);
    enum status status = store_object_pin(f->store, id);
    assert_int_equal(status, alloc_fault_end() ? STATUS_NO_MEMORY : STATUS_OK);
    lake_delete(f, "k"); /* which nobody holds */
    lake_commit(f);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM object"), status == STATUS_OK);
}

static void a_pin_on_an_object_that_its_turn_took_back_does_no_harm(void **state)
{
    struct lake_fixture *f = *state;
    lake_put(f, "k", 1, 2 * CHUNK);
    int64_t id = lake_object(f, "k").id;
    assert_int_equal(store_object_pin(f->store, id), STATUS_OK);
    lake_fail_turn(f);
    lake_put(f, "k", 2, 2 * CHUNK);
    assert_int_not_equal(lake_object(f, "k").id, id);
    lake_commit(f);
    store_object_unpin(f->store, id);
    sweep_to_the_end(f);
    lake_assert_object(f, "k", 2, 2 * CHUNK);
}

/* --- staged bodies --- */

static void the_sweep_keeps_off_bodies_under_way(void **state)
{
    struct lake_fixture *f = *state;
    struct store_body *staged = lake_body(f, true, 1, 5 * CHUNK, CHUNK);
    struct store_body *abandoned = lake_body(f, true, 2, 5 * CHUNK, CHUNK);
    lake_commit(f);
    sweep_to_the_end(f);
    assert_int_equal(chunks(f), 10);
    store_body_free(abandoned);
    sweep_to_the_end(f);
    assert_int_equal(chunks(f), 5);
    struct store_object_put put = lake_put_of(f, "k");
    put.body = staged;
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_OK);
    lake_commit(f);
    store_body_free(staged);
    sweep_to_the_end(f);
    lake_assert_object(f, "k", 1, 5 * CHUNK);
}

static void an_object_deleted_before_its_body_is_freed_goes_too(void **state)
{
    struct lake_fixture *f = *state;
    struct store_object_put put = lake_put_of(f, "k");
    put.body = lake_body(f, true, 1, 5 * CHUNK, CHUNK);
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_OK);
    lake_delete(f, "k");
    lake_commit(f);
    sweep_to_the_end(f);
    store_body_free(put.body);
    assert_nothing_left(f);
}

static void what_a_killed_process_left_is_swept_after_the_next_start(void **state)
{
    struct lake_fixture *f = *state;
    lake_put(f, "kept", 1, 3 * CHUNK);
    lake_put(f, "read", 2, 3 * CHUNK);
    lake_upload(f, "u", "k");
    lake_part(f, "u", 1, 3, 2 * CHUNK);
    lake_commit(f);
    store_close(f->store);
    f->store = NULL;
    pid_t child = fork();
    if (child == 0) {
        lake_reopen(f);
        lake_body(f, true, 4, 7 * CHUNK, CHUNK);
        if (store_object_pin(f->store, lake_object(f, "read").id) != STATUS_OK ||
            store_upload_abort(f->store, SPAN_LIT("u"), NULL) != STATUS_OK) {
            _exit(1);
        }
        lake_delete(f, "read");
        lake_commit(f);
        lake_body(f, true, 5, 7 * CHUNK, CHUNK); /* not even committed */
        _exit(0);
    }
    int how = 1;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    lake_reopen(f);
    assert_false(f->store->settled); /* a start alone sweeps nothing */
    assert_int_equal(chunks(f), 3 + 3 + 2 + 7);
    lake_assert_whole(f);
    sweep_to_the_end(f);
    assert_int_equal(chunks(f), 3);
    lake_assert_object(f, "kept", 1, 3 * CHUNK);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM object"), 1);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM upload"), 0);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM content"), 1);
}

/* --- memory --- */

/* What malloc has given out; where it cannot be asked, SQLite's part of it. */
static size_t memory_used(void)
{
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#else
    return (size_t)sqlite3_memory_used();
#endif
}

/* A file system in memory may be too small for this one. */
static void use_a_disk(struct lake_fixture *f)
{
    store_close(f->store);
    temp_dir_remove(&f->dir);
    snprintf(f->dir.path, sizeof(f->dir.path), "/tmp/pinpipe-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir.path));
    f->store = NULL;
    lake_reopen(f);
}

static void memory_does_not_grow_with_a_body(void **state)
{
    struct lake_fixture *f = *state;
    enum { MIB = 1024 * 1024, TURN = 4 * MIB, WARM = 48, ALL = 256 };
    static char bytes[TURN];
    struct store_body *body = NULL;
    struct store_object_put put = lake_put_of(f, "k");
    size_t warm = 0;
    use_a_disk(f);
    lake_fill(bytes, sizeof(bytes), 1, 0);
    assert_int_equal(sqlite_db_exec(&f->store->db, "PRAGMA synchronous=OFF", &f->err), STATUS_OK);
    assert_int_equal(store_body_new(f->store, true, &body), STATUS_OK);
    for (int mib = 0; mib < ALL; mib += TURN / MIB) {
        assert_int_equal(store_body_append(body, span_from(bytes, TURN), &f->err), STATUS_OK);
        lake_commit(f);
        store_housekeep(f->store);
        if (mib == WARM) {
            warm = memory_used(); /* SQLite's page cache is full by now */
        }
        if (mib > WARM && memory_used() > warm + MIB / 2) {
            fail_msg("%zu bytes after %d MiB, %zu after %d MiB", memory_used(), mib, warm, WARM);
        }
    }
    put.body = body;
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_OK);
    lake_commit(f);
    store_body_free(body);
    assert_int_equal(lake_object(f, "k").size, (uint64_t)ALL * MIB);
    lake_assert_bytes(f, lake_object(f, "k").id, (uint64_t)200 * MIB + 5, 100000, 1, 5);
    lake_delete(f, "k");
    lake_commit(f);
    assert_nothing_left(f);
    assert_true(memory_used() < warm + MIB / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAKE_FILE_TEST(with_nothing_to_do_the_sweep_opens_no_transaction),
        LAKE_FILE_TEST(deleting_a_large_object_touches_one_row_and_one_count),
        LAKE_FILE_TEST(replacing_a_large_object_is_as_cheap),
        LAKE_FILE_TEST(a_slice_takes_at_most_four_mebibytes),
        LAKE_MEMORY_TEST(a_slice_takes_at_most_four_mebibytes),
        LAKE_FILE_TEST(a_slice_takes_at_most_a_thousand_rows),
        LAKE_FILE_TEST(many_objects_of_all_sizes_leave_nothing),
        LAKE_MEMORY_TEST(many_objects_of_all_sizes_leave_nothing),
        LAKE_FILE_TEST(a_pinned_object_is_read_to_its_end),
        LAKE_MEMORY_TEST(a_pinned_object_is_read_to_its_end),
        LAKE_FILE_TEST(a_bucket_whose_last_object_is_still_read_can_be_deleted),
        LAKE_FILE_TEST(many_pins_are_told_apart),
        LAKE_FILE_TEST(a_pin_without_memory_is_none),
        LAKE_FILE_TEST(a_pin_on_an_object_that_its_turn_took_back_does_no_harm),
        LAKE_FILE_TEST(the_sweep_keeps_off_bodies_under_way),
        LAKE_FILE_TEST(an_object_deleted_before_its_body_is_freed_goes_too),
        LAKE_FILE_TEST(what_a_killed_process_left_is_swept_after_the_next_start),
        LAKE_FILE_TEST(memory_does_not_grow_with_a_body),
    };
    return cmocka_run_group_tests_name("store_sweep", tests, NULL, NULL);
}
