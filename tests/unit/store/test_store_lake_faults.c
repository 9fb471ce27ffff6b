/* Objects on a failing disk. As in test_store_faults one scripted session runs again and again,
 * each time with another of its operations failing, or the machine going down there. Each of its
 * turns puts, copies, replaces and deletes objects and completes an upload, while a body that takes
 * several turns is on its way. Afterwards a healthy store opens what is left:
 *
 *   - the objects of an acknowledged turn are there with all their bytes;
 *   - those of another turn are there as a whole or not at all, and only if it was the last one;
 *   - references, sizes and chunks agree (lake_check), and after the sweep nothing unused is left;
 *   - the file passes SQLite's own check, and the next turn works.
 *
 * Few points by default; PINPIPE_FAULT_STRIDE=1 (make fault) tests each. */
#include "fault_points.h"
#include "lake_fixture.h"
#include "store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    CHUNK = STORE_CHUNK_BYTES,
    TURNS = 4,
    LARGE = 2 * CHUNK + 1000,
    PART = CHUNK + 7,
    PARTS = 2,
    SMALL_CHECKPOINT_PAGES = 40,
    SMALL_CACHE_PAGES = 12, /* so that a turn writes and reads the file before it ends */
    QUICK_STRIDE = 113,
};

struct session {
    struct lake_fixture lake; /* env, store, arena, bucket */
    struct store_body *slow;  /* a chunk a turn, put in the last */
    bool slow_acked;
    bool acked[TURNS];
};

/* --- the session --- */

static enum status open_store(struct session *s, const char *directory, const char *vfs,
                              enum store_durability durability)
{
    static const char *const buckets[] = {"lake"};
    struct lake_fixture *lake = &s->lake;
    struct store_bucket bucket;
    env_init_virtual(&lake->env, 3, INT64_C(1700000000000000));
    arena_init(&lake->arena, 1024 * 1024);
    lake->env.sqlite_vfs = vfs;
    struct store_options options = {
        .directory = directory,
        .env = &lake->env,
        .durability = durability,
        .buckets = buckets,
        .bucket_count = 1,
        .region = "us-east-1",
    };
    enum status status = store_open(&options, &lake->store, &lake->err);
    if (status != STATUS_OK) {
        return status;
    }
    lake->store->checkpoint_pages = SMALL_CHECKPOINT_PAGES;
    lake->store->checkpoint_due_pages = SMALL_CHECKPOINT_PAGES;
    lake->bucket = 1; /* the first of a new file; a read could fail here */
    status = store_bucket_find(lake->store, SPAN_LIT("lake"), &lake->arena, &bucket, NULL);
    assert_true(status != STATUS_OK || bucket.id == lake->bucket);
    char text[64];
    snprintf(text, sizeof(text), "PRAGMA cache_size = %d", SMALL_CACHE_PAGES);
    assert_int_equal(sqlite3_exec(lake->store->db.handle, text, NULL, NULL, NULL), SQLITE_OK);
    return STATUS_OK;
}

static void close_store(struct session *s)
{
    store_body_free(s->slow);
    s->slow = NULL;
    store_close(s->lake.store);
    s->lake.store = NULL;
    arena_release(&s->lake.arena);
}

/* "kind-3", good until the arena goes. */
static const char *name(struct session *s, const char *kind, int turn)
{
    const char *text = arena_printf(&s->lake.arena, "%s-%d", kind, turn);
    assert_non_null(text);
    return text;
}

static enum status append_bytes(struct store_body *body, unsigned seed, uint64_t start, size_t size)
{
    static char bytes[LARGE];
    assert_true(size <= sizeof(bytes));
    lake_fill(bytes, size, seed, start);
    return store_body_append(body, span_from(bytes, size), NULL);
}

static enum status put_sized(struct session *s, const char *key, unsigned seed, size_t size)
{
    struct store_object_put put = lake_put_of(&s->lake, key);
    assert_int_equal(store_body_new(s->lake.store, true, &put.body), STATUS_OK);
    enum status status = append_bytes(put.body, seed, 0, size);
    if (status == STATUS_OK) {
        status = store_object_put(s->lake.store, &put, NULL);
    }
    store_body_free(put.body);
    return status;
}

static enum status put_part(struct session *s, const char *upload, int32_t number, unsigned seed)
{
    struct store_part part = {.number = number, .etag = SPAN_LIT("e")};
    struct store_body *body = NULL;
    assert_int_equal(store_body_new(s->lake.store, false, &body), STATUS_OK);
    enum status status = append_bytes(body, seed, 0, PART);
    if (status == STATUS_OK) {
        status = store_part_put(s->lake.store, span_from_cstr(upload), &part, body, NULL);
    }
    store_body_free(body);
    return status;
}

static enum status copy_object(struct session *s, const char *from, const char *to)
{
    struct store_object source;
    struct store_object_put put = lake_put_of(&s->lake, to);
    enum status status = lake_find(&s->lake, from, &source);
    return status == STATUS_OK ? store_object_copy(s->lake.store, &source, &put, NULL) : status;
}

static enum status make_upload(struct session *s, const char *id)
{
    struct store_upload upload = {
        .id = span_from_cstr(id), .bucket_id = s->lake.bucket, .key = SPAN_LIT("k")};
    return store_upload_create(s->lake.store, &upload, NULL);
}

/* Objects "multi-T" of two parts; an upload "open-T" with a range over both that stays unfinished.
 */
static enum status write_uploads(struct session *s, int turn)
{
    static const int32_t numbers[PARTS] = {1, 2};
    const char *id = name(s, "multi", turn);
    const char *open = name(s, "open", turn);
    enum status status = make_upload(s, id);
    for (int i = 0; i < PARTS && status == STATUS_OK; i++) {
        status = put_part(s, id, numbers[i], (unsigned)(turn * 10 + i));
    }
    status = status == STATUS_OK ? put_part(s, id, 3, 99) : status; /* not listed */
    if (status == STATUS_OK) {
        status = lake_complete(&s->lake, id, id, numbers, PARTS);
    }
    status = status == STATUS_OK ? make_upload(s, open) : status;
    struct store_part part = {.number = 1, .size = PART, .etag = SPAN_LIT("e")};
    struct store_object source;
    status = status == STATUS_OK ? lake_find(&s->lake, id, &source) : status;
    return status == STATUS_OK ? store_part_copy(s->lake.store, span_from_cstr(open), &part,
                                                 source.id, PART / 2, NULL)
                               : status;
}

/* What earlier turns left for the next one to delete. */
static enum status delete_earlier(struct session *s, int turn)
{
    enum status status = STATUS_OK;
    for (int t = 0; t < turn && status == STATUS_OK; t++) {
        status = store_object_delete(s->lake.store, s->lake.bucket,
                                     span_from_cstr(name(s, "large", t)), NULL, NULL);
        if (status == STATUS_OK) {
            status = store_upload_abort(s->lake.store, span_from_cstr(name(s, "open", t)), NULL);
            status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
        }
    }
    return status;
}

static enum status write_objects(struct session *s, int turn)
{
    struct store_object_put small = lake_put_of(&s->lake, name(s, "small", turn));
    small.bytes = SPAN_LIT("small");
    enum status status = store_object_put(s->lake.store, &small, NULL);
    status =
        status == STATUS_OK ? put_sized(s, name(s, "large", turn), (unsigned)turn, LARGE) : status;
    status = status == STATUS_OK ? copy_object(s, name(s, "large", turn), name(s, "copy", turn))
                                 : status;
    status = status == STATUS_OK ? put_sized(s, "same", (unsigned)turn, turn % 2 == 0 ? LARGE : 100)
                                 : status;
    return status == STATUS_OK ? copy_object(s, "same", "same") : status;
}

/* One handler: what it wrote before it failed goes with its savepoint. */
static enum status write_turn(struct session *s, int turn)
{
    enum status status = store_savepoint(s->lake.store, NULL);
    if (status != STATUS_OK) {
        return status;
    }
    status = write_objects(s, turn);
    status = status == STATUS_OK ? delete_earlier(s, turn) : status;
    status = status == STATUS_OK ? write_uploads(s, turn) : status;
    if (status != STATUS_OK) {
        store_savepoint_rollback(s->lake.store);
        return status;
    }
    return store_savepoint_release(s->lake.store, NULL);
}

/* Goes on as long as nothing of it is lost. */
static enum status write_slowly(struct session *s, int turn)
{
    if (s->slow == NULL) {
        assert_int_equal(store_body_new(s->lake.store, true, &s->slow), STATUS_OK);
    }
    enum status status = append_bytes(s->slow, 7, store_body_size(s->slow), CHUNK);
    if (status != STATUS_OK) {
        store_body_free(s->slow); /* its client is told, and gives up */
        s->slow = NULL;
    } else if (turn == TURNS - 1) {
        struct store_object_put put = lake_put_of(&s->lake, "slow");
        put.body = s->slow;
        status = store_object_put(s->lake.store, &put, NULL);
        store_body_free(s->slow);
        s->slow = NULL;
    }
    return status;
}

/* A download beside it. When its read fails, SQLite may take back what the turn wrote before. */
static void read_something(struct session *s)
{
    struct store_object object;
    struct buf out;
    buf_init(&out, LARGE);
    if (lake_find(&s->lake, "same", &object) == STATUS_OK &&
        store_object_read(s->lake.store, object.id, 0, LARGE, &out, NULL) == STATUS_OK) {
        assert_int_equal(out.len, object.size);
    }
    buf_release(&out);
}

static void run_turns(struct session *s, int first, int last)
{
    for (int turn = first; turn < last; turn++) {
        bool slowly = write_slowly(s, turn) == STATUS_OK;
        read_something(s);
        enum status written = write_turn(s, turn);
        enum status committed = store_turn_commit(s->lake.store, NULL);
        s->slow_acked = s->slow_acked || (turn == TURNS - 1 && slowly && committed == STATUS_OK);
        s->acked[turn] = written == STATUS_OK && committed == STATUS_OK;
        for (int i = 0; i < 3; i++) {
            store_housekeep(s->lake.store);
        }
    }
}

static void run_session(struct fault_points *f, struct session *s, enum store_durability durability)
{
    *s = (struct session){0};
    if (open_store(s, f->dir.path, f->vfs.name, durability) == STATUS_OK) {
        run_turns(s, 0, TURNS);
    }
    close_store(s);
}

/* --- judging what is left --- */

static bool is_there(struct session *s, const char *kind, int turn)
{
    struct store_object object;
    return lake_find(&s->lake, name(s, kind, turn), &object) == STATUS_OK;
}

static bool upload_is_there(struct session *s, int turn)
{
    struct store_upload upload;
    struct store_upload_place place = {s->lake.bucket, SPAN_LIT("k"),
                                       span_from_cstr(name(s, "open", turn))};
    return store_upload_find(s->lake.store, place, &s->lake.arena, &upload, NULL) == STATUS_OK;
}

static void judge_bytes(struct session *s, int turn)
{
    struct lake_fixture *lake = &s->lake;
    assert_string_equal(lake_text(lake, name(s, "small", turn)), "small");
    lake_assert_object(lake, name(s, "copy", turn), (unsigned)turn, LARGE);
    int64_t multi = lake_object(lake, name(s, "multi", turn)).id;
    for (int i = 0; i < PARTS; i++) {
        lake_assert_bytes(lake, multi, (uint64_t)i * PART, PART, (unsigned)(turn * 10 + i), 0);
    }
}

/* Which turns are there; each as a whole, or not at all. The latest, or -1. */
static int judge_turns(struct fault_points *f, struct session *before, struct session *s,
                       bool acks_must_be_kept)
{
    int latest = -1;
    int last_acked = -1;
    for (int turn = 0; turn < TURNS; turn++) {
        bool there = is_there(s, "small", turn);
        if (is_there(s, "copy", turn) != there || is_there(s, "multi", turn) != there) {
            fail_msg("%s: the objects of turn %d parted", f->what, turn);
        }
        if (acks_must_be_kept && before->acked[turn] && !there) {
            fail_msg("%s: turn %d was acknowledged and is not there", f->what, turn);
        }
        last_acked = before->acked[turn] ? turn : last_acked;
        latest = there ? turn : latest;
    }
    for (int turn = 0; turn < TURNS; turn++) {
        bool there = is_there(s, "small", turn);
        if (there) {
            judge_bytes(s, turn);
        }
        if (there && !before->acked[turn] && turn != latest) {
            fail_msg("%s: turn %d failed and is there, before others", f->what, turn);
        }
        if (is_there(s, "large", turn) != (turn == latest) ||
            upload_is_there(s, turn) != (turn == latest)) {
            fail_msg("%s: what turn %d deletes parted from it", f->what, latest);
        }
    }
    if (acks_must_be_kept && latest < last_acked) {
        fail_msg("%s: turn %d is missing", f->what, last_acked);
    }
    return latest;
}

static void judge_file(struct fault_points *f, struct session *s, const char *when)
{
    sqlite3 *handle = s->lake.store->db.handle;
    const char *broken = lake_check(handle);
    if (broken != NULL) {
        fail_msg("%s: %s: not so: %s", f->what, when, broken);
    }
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(handle, "PRAGMA integrity_check", -1, &stmt, NULL),
                     SQLITE_OK);
    if (sqlite3_step(stmt) != SQLITE_ROW || !span_equal_cstr(sqlite_column_span(stmt, 0), "ok")) {
        fail_msg("%s: %s: %s", f->what, when, (const char *)sqlite3_column_text(stmt, 0));
    }
    sqlite3_finalize(stmt);
}

static void judge(struct fault_points *f, struct session *before, const char *directory,
                  bool acks_must_be_kept)
{
    struct session s = {0};
    if (open_store(&s, directory, f->vfs.name, STORE_FULL) != STATUS_OK) {
        fail_msg("%s: does not open: %s", f->what, s.lake.err.message);
    }
    judge_file(f, &s, "at the start");
    int latest = judge_turns(f, before, &s, acks_must_be_kept);
    if (latest >= 0) {
        lake_assert_object(&s.lake, "same", (unsigned)latest, latest % 2 == 0 ? LARGE : 100);
    }
    struct store_object slow;
    if (lake_find(&s.lake, "slow", &slow) == STATUS_OK) {
        lake_assert_bytes(&s.lake, slow.id, 0, slow.size, 7, 0);
    } else if (before->slow_acked && acks_must_be_kept) {
        fail_msg("%s: the slow body was acknowledged and is not there", f->what);
    }
    lake_sweep(&s.lake);
    judge_file(f, &s, "after the sweep");
    if (lake_query(&s.lake, "SELECT (SELECT count(*) FROM content WHERE refs = 0) + (SELECT "
                            "count(*) FROM object WHERE dead) + (SELECT count(*) FROM upload WHERE "
                            "dead)") != 0) {
        fail_msg("%s: the sweep left something", f->what);
    }
    assert_int_equal(write_turn(&s, TURNS), STATUS_OK);
    lake_commit(&s.lake);
    judge_file(f, &s, "after the next turn");
    close_store(&s);
}

/* --- the loops --- */

static void every_failing_operation(struct fault_points *f, unsigned mask, int code, bool forever)
{
    struct session s;
    bool struck = true;
    for (uint64_t n = 1; struck; n += fault_points_stride(QUICK_STRIDE)) {
        assert_true(n < FAULT_POINTS_MAX);
        fault_points_begin(f);
        snprintf(f->what, sizeof(f->what), "operation %d of mask %u fails with %d%s", (int)n, mask,
                 code, forever ? " from then on" : " once");
        fault_vfs_fail(&f->vfs, mask, n, code, forever);
        run_session(f, &s, STORE_FULL);
        struck = f->vfs.failures > 0;
        fault_vfs_fail(&f->vfs, 0, 0, 0, false);
        for (int turn = 0; turn < TURNS && !struck; turn++) {
            assert_true(s.acked[turn]);
        }
        judge(f, &s, f->dir.path, true);
        fault_points_end(f);
    }
}

static void no_failing_operation_halves_an_object(void **state)
{
    every_failing_operation(*state, FAULT_ANY, 0, false);
}

static void nor_does_a_read_that_fails(void **state)
{
    every_failing_operation(*state, FAULT_READ, 0, false);
}

static void nor_does_a_disk_that_stays_broken(void **state)
{
    every_failing_operation(*state, FAULT_ANY & ~(unsigned)FAULT_READ, 0, true);
}

static void nor_does_a_disk_that_is_full(void **state)
{
    every_failing_operation(*state, FAULT_WRITE, SQLITE_FULL, false);
}

static void nor_does_memory_that_is_short(void **state)
{
    every_failing_operation(*state, FAULT_WRITE | FAULT_READ, SQLITE_NOMEM, false);
}

static void every_crash(struct fault_points *f, enum store_durability durability,
                        enum fault_damage damage, bool acks_must_be_kept)
{
    struct session s;
    bool crashed = true;
    for (uint64_t n = 1; crashed; n += fault_points_stride(QUICK_STRIDE)) {
        assert_true(n < FAULT_POINTS_MAX);
        fault_points_crash_at(f, n, (int)durability, damage);
        run_session(f, &s, durability);
        crashed = fault_points_crashed(f, n, damage);
        judge(f, &s, f->image.path, acks_must_be_kept);
        fault_points_end(f);
    }
}

static void in_full_no_power_cut_loses_an_acknowledged_object(void **state)
{
    every_crash(*state, STORE_FULL, DAMAGE_LOST, true);
    every_crash(*state, STORE_FULL, DAMAGE_TORN, true);
}

static void a_killed_process_leaves_whole_objects(void **state)
{
    every_crash(*state, STORE_NORMAL, DAMAGE_NONE, true);
    every_crash(*state, STORE_OFF, DAMAGE_NONE, true);
}

static void in_normal_a_power_cut_leaves_whole_objects(void **state)
{
    every_crash(*state, STORE_NORMAL, DAMAGE_TORN, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fault_points_setup, fault_points_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_failing_operation_halves_an_object),
        TEST(nor_does_a_read_that_fails),
        TEST(nor_does_a_disk_that_stays_broken),
        TEST(nor_does_a_disk_that_is_full),
        TEST(nor_does_memory_that_is_short),
        TEST(in_full_no_power_cut_loses_an_acknowledged_object),
        TEST(a_killed_process_leaves_whole_objects),
        TEST(in_normal_a_power_cut_leaves_whole_objects),
    };
    return cmocka_run_group_tests_name("store_lake_faults", tests, NULL, NULL);
}
