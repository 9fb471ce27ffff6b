/* The store on a failing disk. One scripted session runs again and again; each time another of its
 * operations fails, or the machine goes down there. Afterwards a healthy store opens what is left:
 *
 *   - what was acknowledged is there, at the offset that was told, exactly once;
 *   - a turn that was not acknowledged is there as a whole or not at all, and only as the last one;
 *   - topics, records and committed offsets of one turn never part;
 *   - the file passes SQLite's own check, and the store goes on with the next offset.
 *
 * Every third point by default; PINPIPE_FAULT_STRIDE=1 (make fault) tests each. */
#include "store_internal.h"

#include "call_fault.h"
#include "fault_points.h"
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    TURNS = 9,
    CREATING_TURN = 2, /* creates the topic "extra" */
    DELETING_TURN = 5, /* deletes it */
    SMALL_CHECKPOINT_PAGES = 12,
};

struct session {
    struct env env;
    struct store *store;
    bool opened;
    bool acked[TURNS];
    bool attempted[TURNS];
    int64_t offset[TURNS]; /* of the turn's record in topic a */
    enum status status[TURNS];
    uint64_t failures_before_ack[TURNS]; /* faults that had struck when the turn was acknowledged */
};

/* --- the session --- */

static enum status open_store(struct session *s, const char *directory, const char *vfs,
                              enum store_durability durability, struct error *err)
{
    env_init_virtual(&s->env, 3, INT64_C(1700000000000000));
    s->env.sqlite_vfs = vfs;
    struct store_options options = {
        .directory = directory, .env = &s->env, .durability = durability};
    enum status status = store_open(&options, &s->store, err);
    s->opened = status == STATUS_OK;
    if (s->opened) {
        s->store->checkpoint_pages = SMALL_CHECKPOINT_PAGES;
        s->store->checkpoint_due_pages = SMALL_CHECKPOINT_PAGES;
    }
    return status;
}

static enum status ensure_topic(struct store *store, const char *name, int32_t partitions)
{
    return store_topic_find(store, span_from_cstr(name)) != NULL
               ? STATUS_OK
               : store_topic_create(store,
                                    &(struct store_topic_spec){.name = span_from_cstr(name),
                                                               .partition_count = partitions},
                                    NULL);
}

static enum status append(struct store *store, const char *topic_name, int32_t partition, int turn,
                          int64_t *offset)
{
    static char filler[3000];
    char value[sizeof(filler) + 16];
    memset(filler, '.', sizeof(filler) - 1);
    int length = snprintf(value, sizeof(value), "%d %s", turn, filler);
    const struct store_topic *topic = store_topic_find(store, span_from_cstr(topic_name));
    if (topic == NULL) {
        return STATUS_NOT_FOUND;
    }
    struct store_record record = {
        .timestamp_ms = turn, .has_value = true, .value = span_from(value, (size_t)length)};
    return store_record_append(store, (struct store_place){topic, partition}, &record, offset,
                               NULL);
}

/* A batch of three records: the turn's, twice the same behind it. */
static enum status append_batch(struct store *store, int turn)
{
    char value = (char)('0' + turn);
    const struct store_topic *topic = store_topic_find(store, SPAN_LIT("batched"));
    struct store_record record = {
        .timestamp_ms = turn, .has_value = true, .value = span_from(&value, 1)};
    struct store_record records[] = {record, record, record};
    struct store_batch_put put = {span_from(&value, 1), records, ARRAY_COUNT(records)};
    int64_t first = -1;
    return topic == NULL
               ? STATUS_NOT_FOUND
               : store_batch_append(store, (struct store_place){topic, 0}, &put, &first, NULL);
}

static enum status write_turn(struct store *store, int turn, int64_t *offset)
{
    int64_t other;
    enum status status = ensure_topic(store, "a", 1);
    status = status == STATUS_OK ? ensure_topic(store, "b", 2) : status;
    status = status == STATUS_OK ? ensure_topic(store, "batched", 1) : status;
    status = status == STATUS_OK ? append_batch(store, turn) : status;
    status = status == STATUS_OK ? append(store, "a", 0, turn, offset) : status;
    status = status == STATUS_OK ? append(store, "b", 0, turn, &other) : status;
    status = status == STATUS_OK ? append(store, "b", 1, turn, &other) : status;
    if (status == STATUS_OK && turn == CREATING_TURN) {
        status = ensure_topic(store, "extra", 1);
    }
    if (status == STATUS_OK && turn == DELETING_TURN &&
        store_topic_find(store, SPAN_LIT("extra")) != NULL) {
        status = store_topic_delete(store, SPAN_LIT("extra"), NULL);
    }
    if (status == STATUS_OK) {
        struct store_commit commit = {.topic = SPAN_LIT("a"), .offset = turn + 1};
        status = store_group_commit(store, SPAN_LIT("g"), &commit, NULL);
    }
    return status;
}

static void run_turns(struct fault_points *f, struct session *s, int first, int last)
{
    for (int turn = first; turn < last; turn++) {
        s->attempted[turn] = true;
        enum status written = write_turn(s->store, turn, &s->offset[turn]);
        enum status committed = store_turn_commit(s->store, NULL);
        s->status[turn] = written != STATUS_OK ? written : committed;
        /* A handler that failed was answered by its own error, or by the commit's. */
        assert_true(written == STATUS_OK || committed != STATUS_OK || written == STATUS_NOT_FOUND);
        s->acked[turn] = written == STATUS_OK && committed == STATUS_OK;
        s->failures_before_ack[turn] = f->vfs.failures;
        store_housekeep(s->store);
    }
}

static void run_session(struct fault_points *f, struct session *s, enum store_durability durability)
{
    *s = (struct session){0};
    if (open_store(s, f->dir.path, f->vfs.name, durability, NULL) == STATUS_OK) {
        run_turns(f, s, 0, TURNS);
        store_close(s->store);
    }
}

/* --- judging what is left --- */

struct found {
    int count;
    int turns[TURNS + 4];
    bool in_order; /* offsets 0, 1, 2 */
};

static bool find_turn(void *ctx, const struct store_record *record)
{
    struct found *found = ctx;
    found->in_order = found->in_order && record->offset == found->count;
    if (found->count < (int)ARRAY_COUNT(found->turns)) {
        found->turns[found->count++] = record->value.ptr[0] - '0';
    }
    return true;
}

static bool try_find_turns(struct store *store, const char *name, int32_t partition,
                           struct found *found)
{
    *found = (struct found){.in_order = true};
    const struct store_topic *topic = store_topic_find(store, span_from_cstr(name));
    return topic == NULL ||
           store_records_read(store, (struct store_range){topic, partition, 0, 1000}, find_turn,
                              found, NULL) == STATUS_OK;
}

static struct found find_turns(struct fault_points *f, struct store *store, const char *name,
                               int32_t partition)
{
    struct found found;
    if (!try_find_turns(store, name, partition, &found)) {
        fail_msg("%s: cannot read %s", f->what, name);
    }
    if (!found.in_order) {
        fail_msg("%s: offsets of %s are not contiguous", f->what, name);
    }
    return found;
}

static bool contains(const struct found *found, int turn)
{
    for (int i = 0; i < found->count; i++) {
        if (found->turns[i] == turn) {
            return true;
        }
    }
    return false;
}

static void judge_acknowledged(struct fault_points *f, const struct session *s,
                               const struct found *found)
{
    int last_acked = -1;
    for (int turn = 0; turn < TURNS; turn++) {
        if (!s->acked[turn]) {
            continue;
        }
        last_acked = turn;
        if (s->offset[turn] >= found->count || found->turns[s->offset[turn]] != turn) {
            fail_msg("%s: turn %d was acknowledged at offset %d and is not there", f->what, turn,
                     (int)s->offset[turn]);
        }
    }
    for (int i = 0; i < found->count; i++) {
        if (!s->acked[found->turns[i]] && (found->turns[i] < last_acked || i + 1 < found->count)) {
            fail_msg("%s: turn %d failed and is there, before others", f->what, found->turns[i]);
        }
    }
}

/* Batch n holds the records 3n to 3n+2, and is of the turn that is nth in topic a. */
static void judge_batches(struct fault_points *f, struct store *store, const struct found *found)
{
    const struct store_topic *topic = store_topic_find(store, SPAN_LIT("batched"));
    struct buf bytes;
    struct store_batch batch;
    buf_init(&bytes, 1000);
    int64_t records = topic != NULL ? topic->partitions[0].next_offset : 0;
    if (records != 3 * found->count) {
        fail_msg("%s: %d records of batches and %d turns", f->what, (int)records, found->count);
    }
    for (int64_t offset = 0; offset < records; offset++) {
        buf_reset(&bytes);
        if (store_batch_find(store, (struct store_place){topic, 0}, offset, &batch, &bytes, NULL) !=
                STATUS_OK ||
            batch.first_offset != offset / 3 * 3 || batch.last_offset != offset / 3 * 3 + 2 ||
            batch.bytes.len != 1 || batch.bytes.ptr[0] - '0' != found->turns[offset / 3]) {
            fail_msg("%s: the batch of offset %d is not whole", f->what, (int)offset);
        }
    }
    if (topic != NULL && store_batch_find(store, (struct store_place){topic, 0}, records, &batch,
                                          &bytes, NULL) != STATUS_NOT_FOUND) {
        fail_msg("%s: a batch without its records", f->what);
    }
    buf_release(&bytes);
}

/* All that one turn wrote is there together. */
static void judge_whole_turns(struct fault_points *f, struct store *store,
                              const struct found *found)
{
    int64_t committed = 0;
    int last = found->count > 0 ? found->turns[found->count - 1] : -1;
    for (int32_t partition = 0; partition < 2; partition++) {
        struct found other = find_turns(f, store, "b", partition);
        if (other.count != found->count ||
            memcmp(other.turns, found->turns, (size_t)found->count * sizeof(int)) != 0) {
            fail_msg("%s: topics a and b parted", f->what);
        }
    }
    enum status status = store_group_committed(
        store, (struct store_group_place){SPAN_LIT("g"), SPAN_LIT("a"), 0}, &committed, NULL, NULL);
    if (last >= 0 ? status != STATUS_OK || committed != last + 1 : status != STATUS_NOT_FOUND) {
        fail_msg("%s: the committed offset %d parted from turn %d", f->what, (int)committed, last);
    }
    bool expected = contains(found, CREATING_TURN) && !contains(found, DELETING_TURN);
    if ((store_topic_find(store, SPAN_LIT("extra")) != NULL) != expected) {
        fail_msg("%s: the topic extra parted from its turn", f->what);
    }
}

static void judge_file(struct fault_points *f, struct store *store)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(
        sqlite3_prepare_v2(store->db.handle, "PRAGMA integrity_check", -1, &stmt, NULL), SQLITE_OK);
    if (sqlite3_step(stmt) != SQLITE_ROW || !span_equal_cstr(sqlite_column_span(stmt, 0), "ok")) {
        fail_msg("%s: integrity_check: %s", f->what, (const char *)sqlite3_column_text(stmt, 0));
    }
    sqlite3_finalize(stmt);
}

/* The store still works, also for writing. */
static void judge_next_turn(struct fault_points *f, struct store *store, const struct found *found)
{
    int64_t offset = -1;
    if (write_turn(store, TURNS - 1, &offset) != STATUS_OK ||
        store_turn_commit(store, NULL) != STATUS_OK || offset != found->count) {
        fail_msg("%s: the next record went to offset %d, not %d", f->what, (int)offset,
                 found->count);
    }
}

static void judge(struct fault_points *f, const struct session *s, const char *directory,
                  bool acks_must_be_kept)
{
    struct session after = {0};
    struct error err = ERROR_NONE;
    if (open_store(&after, directory, f->vfs.name, STORE_FULL, &err) != STATUS_OK) {
        fail_msg("%s: does not open: %s", f->what, err.message);
    }
    struct found found = find_turns(f, after.store, "a", 0);
    if (acks_must_be_kept) {
        judge_acknowledged(f, s, &found);
    }
    judge_whole_turns(f, after.store, &found);
    judge_batches(f, after.store, &found);
    judge_file(f, after.store);
    judge_next_turn(f, after.store, &found);
    store_close(after.store);
}

static void judge_refusals_after_a_failed_sync(struct fault_points *f, const struct session *s)
{
    for (int turn = 0; turn < TURNS; turn++) {
        if (s->acked[turn] && s->failures_before_ack[turn] > 0) {
            fail_msg("%s: turn %d was acknowledged after a failed sync", f->what, turn);
        }
    }
}

/* --- the loops --- */

static void every_failing_operation(struct fault_points *f, unsigned mask, int code, bool forever,
                                    enum store_durability durability)
{
    struct session s;
    uint64_t step = fault_points_stride(3);
    for (uint64_t n = 1; n < FAULT_POINTS_MAX; n += step) {
        fault_points_begin(f);
        snprintf(f->what, sizeof(f->what), "operation %d of mask %u fails with %d%s", (int)n, mask,
                 code, forever ? " from then on" : " once");
        fault_vfs_fail(&f->vfs, mask, n, code, forever);
        run_session(f, &s, durability);
        bool struck = f->vfs.failures > 0;
        fault_vfs_fail(&f->vfs, 0, 0, 0, false);
        if (struck && mask == FAULT_SYNC) {
            judge_refusals_after_a_failed_sync(f, &s);
        }
        if (!struck) {
            for (int turn = 0; turn < TURNS; turn++) {
                assert_true(s.acked[turn]);
            }
        }
        judge(f, &s, f->dir.path, true);
        fault_points_end(f);
        if (!struck) {
            return;
        }
    }
    fail_msg("the session does not end");
}

static void no_failing_operation_loses_an_acknowledged_record(void **state)
{
    every_failing_operation(*state, FAULT_ANY, 0, false, STORE_FULL);
}

static void nor_does_a_disk_that_stays_broken(void **state)
{
    every_failing_operation(*state, FAULT_ANY & ~(unsigned)FAULT_READ, 0, true, STORE_FULL);
}

static void nor_does_a_disk_that_is_full(void **state)
{
    every_failing_operation(*state, FAULT_WRITE, SQLITE_FULL, false, STORE_FULL);
}

static void after_a_failed_sync_nothing_is_acknowledged(void **state)
{
    static const enum store_durability durabilities[] = {STORE_FULL, STORE_NORMAL, STORE_OFF};
    for (size_t i = 0; i < ARRAY_COUNT(durabilities); i++) {
        every_failing_operation(*state, FAULT_SYNC, 0, false, durabilities[i]);
    }
}

static void every_crash(struct fault_points *f, enum store_durability durability,
                        enum fault_damage damage, bool acks_must_be_kept)
{
    struct session s;
    uint64_t step = fault_points_stride(3);
    bool crashed = true;
    for (uint64_t n = 1; crashed; n += step) {
        fault_points_crash_at(f, n, (int)durability, damage);
        run_session(f, &s, durability);
        crashed = fault_points_crashed(f, n, damage);
        judge(f, &s, f->image.path, acks_must_be_kept);
        fault_points_end(f);
    }
}

static void in_full_no_power_cut_loses_an_acknowledged_record(void **state)
{
    every_crash(*state, STORE_FULL, DAMAGE_LOST, true);
    every_crash(*state, STORE_FULL, DAMAGE_TORN, true);
}

static void
in_normal_a_killed_process_loses_nothing_and_a_power_cut_only_the_latest_turns(void **state)
{
    every_crash(*state, STORE_NORMAL, DAMAGE_NONE, true);
    every_crash(*state, STORE_NORMAL, DAMAGE_LOST, false);
    every_crash(*state, STORE_NORMAL, DAMAGE_TORN, false);
}

static void in_off_a_killed_process_loses_nothing(void **state)
{
    every_crash(*state, STORE_OFF, DAMAGE_NONE, true);
}

/* Durability off promises nothing after a power cut, but the next start must notice. */
static void in_off_a_power_cut_gives_a_whole_file_or_a_named_refusal(void **state)
{
    struct fault_points *f = *state;
    struct session s;
    struct session after;
    struct error err;
    bool crashed = true;
    int refused = 0;
    for (uint64_t n = 1; crashed; n += fault_points_stride(3)) {
        fault_points_crash_at(f, n, STORE_OFF, DAMAGE_TORN);
        run_session(f, &s, STORE_OFF);
        crashed = fault_points_crashed(f, n, DAMAGE_TORN);
        enum status status = open_store(&after, f->image.path, f->vfs.name, STORE_FULL, &err);
        if (status == STATUS_OK) {
            store_close(after.store);
        } else if (status != STATUS_CORRUPT || strstr(err.message, "--data") == NULL) {
            fail_msg("%s: %s", f->what, err.message);
        } else {
            refused++;
        }
        fault_points_end(f);
    }
    (void)refused;
}

/* One more turn after a restart, with the number that was never tried. */
static void continue_session(struct session *s, struct store *store)
{
    struct found before;
    int64_t offset = 0;
    if (!try_find_turns(store, "a", 0, &before) || contains(&before, TURNS - 1)) {
        return;
    }
    enum status written = write_turn(store, TURNS - 1, &offset);
    enum status committed = store_turn_commit(store, NULL);
    s->acked[TURNS - 1] = written == STATUS_OK && committed == STATUS_OK;
    s->offset[TURNS - 1] = offset;
    /* A turn in doubt that recovery brought back is kept from now on. */
    for (int i = 0; i < before.count && s->acked[TURNS - 1]; i++) {
        s->acked[before.turns[i]] = true;
        s->offset[before.turns[i]] = i;
    }
}

/* The machine goes down, and while the next start recovers, the disk fails. */
static void a_fault_during_recovery_loses_nothing_either(void **state)
{
    struct fault_points *f = *state;
    for (uint64_t n = 5; n < 400; n += 23 * fault_points_stride(3)) {
        for (uint64_t m = 1; m < 80; m += 5) {
            struct session s;
            struct session second = {0};
            fault_points_begin(f);
            snprintf(f->what, sizeof(f->what), "crash at %d, then operation %d fails", (int)n,
                     (int)m);
            fault_vfs_crash_at(&f->vfs, n);
            run_session(f, &s, STORE_FULL);
            fault_vfs_write_image(&f->vfs, DAMAGE_TORN, n + m, f->dir.path, f->image.path);
            fault_vfs_fail(&f->vfs, FAULT_ANY, m, 0, false);
            if (open_store(&second, f->image.path, f->vfs.name, STORE_FULL, NULL) == STATUS_OK) {
                if (!s.attempted[TURNS - 1]) {
                    continue_session(&s, second.store);
                }
                store_close(second.store);
            }
            fault_vfs_fail(&f->vfs, 0, 0, 0, false);
            judge(f, &s, f->image.path, true);
            fault_points_end(f);
        }
    }
}

/* --- single behaviours --- */

static void begin_single(struct fault_points *f, struct session *s)
{
    fault_points_begin(f);
    *s = (struct session){0};
    snprintf(f->what, sizeof(f->what), "single");
    assert_int_equal(open_store(s, f->dir.path, f->vfs.name, STORE_FULL, NULL), STATUS_OK);
}

static void a_full_disk_costs_the_turn_and_nothing_more(void **state)
{
    struct fault_points *f = *state;
    struct session s;
    begin_single(f, &s);
    run_turns(f, &s, 0, 2);
    fault_vfs_fail(&f->vfs, FAULT_WRITE, 1, SQLITE_FULL, true);
    run_turns(f, &s, 2, 4);
    assert_int_equal(s.status[2], STATUS_DISK_FULL);
    assert_int_equal(s.status[3], STATUS_DISK_FULL);
    assert_null(store_topic_find(s.store, SPAN_LIT("extra")));
    assert_int_equal(store_topic_find(s.store, SPAN_LIT("a"))->partitions[0].next_offset, 2);
    fault_vfs_fail(&f->vfs, 0, 0, 0, false); /* somebody made room */
    run_turns(f, &s, 4, 6);
    assert_true(s.acked[4] && s.acked[5]);
    assert_int_equal(s.offset[4], 2);
    store_close(s.store);
    judge(f, &s, f->dir.path, true);
    fault_points_end(f);
}

static void a_failed_turn_fails_every_write_until_its_end(void **state)
{
    struct fault_points *f = *state;
    struct session s;
    int64_t offset;
    struct error err = ERROR_NONE;
    begin_single(f, &s);
    run_turns(f, &s, 0, 1);
    assert_int_equal(append(s.store, "a", 0, 1, &offset), STATUS_OK);
    struct error why;
    error_set(&why, STATUS_DISK_FULL, "full");
    store_turn_fail(s.store, &why);
    assert_int_equal(append(s.store, "a", 0, 1, &offset), STATUS_DISK_FULL);
    assert_int_equal(store_savepoint(s.store, &err), STATUS_DISK_FULL);
    assert_string_equal(err.message, "full");
    assert_true(store_turn_has_writes(s.store)); /* its replies must learn of it */
    assert_int_equal(store_turn_commit(s.store, &err), STATUS_DISK_FULL);
    run_turns(f, &s, 1, 2);
    assert_true(s.acked[1]);
    assert_int_equal(s.offset[1], 1);
    store_close(s.store);
    judge(f, &s, f->dir.path, true);
    fault_points_end(f);
}

static void after_a_failed_sync_reads_go_on_and_a_restart_writes_again(void **state)
{
    struct fault_points *f = *state;
    struct session s;
    begin_single(f, &s);
    run_turns(f, &s, 0, 2);
    fault_vfs_fail(&f->vfs, FAULT_SYNC, 1, 0, false);
    run_turns(f, &s, 2, 4);
    assert_int_equal(s.status[2], STATUS_IO);
    assert_int_equal(s.status[3], STATUS_IO);
    assert_int_equal(find_turns(f, s.store, "a", 0).count, 2);
    assert_false(store_housekeep(s.store));
    store_close(s.store);
    fault_vfs_fail(&f->vfs, 0, 0, 0, false);
    assert_int_equal(open_store(&s, f->dir.path, f->vfs.name, STORE_FULL, NULL), STATUS_OK);
    uint64_t syncs = f->vfs.syncs;
    int64_t before = find_turns(f, s.store, "a", 0).count;
    run_turns(f, &s, 4, 5);
    assert_true(s.acked[4]);
    assert_int_equal(s.offset[4], before);
    assert_true(f->vfs.syncs >= syncs + 3); /* log, main file, then the commit */
    store_close(s.store);
    fault_points_end(f);
}

/* All descriptors that a turn needs are open since the start: a process that runs out of them is no
 * disk that fails. */
static void descriptors_that_run_out_stop_nothing(void **state)
{
    struct fault_points *f = *state;
    struct session s;
    struct rlimit limit;
    begin_single(f, &s);
    int lowest = open("/dev/null", O_RDONLY);
    assert_true(lowest >= 0);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = {.rlim_cur = (rlim_t)lowest, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    run_turns(f, &s, 0, 2);
    bool stopped = store_has_stopped(s.store, NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_false(stopped);
    assert_true(s.acked[0] && s.acked[1]);
    store_close(s.store);
    fault_points_end(f);
}

static void a_stopped_store_says_what_is_to_be_believed(void **state)
{
    struct fault_points *f = *state;
    struct session s;
    struct error why = ERROR_NONE;
    char note[512];
    begin_single(f, &s);
    run_turns(f, &s, 0, 2);
    assert_false(store_has_stopped(s.store, &why));
    assert_int_equal(why.code, STATUS_OK);
    fault_vfs_fail(&f->vfs, FAULT_SYNC, 1, 0, false);
    run_turns(f, &s, 2, 3);
    assert_true(store_has_stopped(s.store, &why));
    assert_false(store_housekeep(s.store));
    assert_int_equal(why.code, STATUS_STOPPED);
    assert_non_null(strstr(why.message, "may or may not be there"));
    temp_dir_path(&f->dir, "state.db.stopped", note, sizeof(note));
    assert_true(file_exists(note));
    store_close(s.store);
    fault_vfs_fail(&f->vfs, 0, 0, 0, false);
    assert_int_equal(open_store(&s, f->dir.path, f->vfs.name, STORE_FULL, NULL), STATUS_OK);
    assert_false(file_exists(note)); /* said once */
    store_close(s.store);
    fault_points_end(f);
}

/* The note is for the next start; that it cannot be written changes nothing else. */
static void a_stopped_store_does_without_its_note(void **state)
{
    struct fault_points *f = *state;
    struct session s;
    char note[512];
    begin_single(f, &s);
    run_turns(f, &s, 0, 2);
    temp_dir_path(&f->dir, "state.db.stopped", note, sizeof(note));
    assert_int_equal(mkdir(note, 0700), 0);
    fault_vfs_fail(&f->vfs, FAULT_SYNC, 1, 0, false);
    run_turns(f, &s, 2, 3);
    assert_true(store_has_stopped(s.store, NULL));
    store_close(s.store);
    fault_vfs_fail(&f->vfs, 0, 0, 0, false);
    assert_int_equal(open_store(&s, f->dir.path, f->vfs.name, STORE_FULL, NULL), STATUS_OK);
    assert_false(store_has_stopped(s.store, NULL));
    store_close(s.store);
    fault_points_end(f);
}

/* Of a directory that needs no sync, as some file systems say, none is missed. */
static void a_directory_that_cannot_be_synced_stops_the_store_unless_it_need_not_be(void **state)
{
    static const struct {
        int code;
        enum status status;
    } cases[] = {{EINVAL, STATUS_OK}, {EIO, STATUS_IO}};
    struct fault_points *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct session s;
        struct error err = ERROR_NONE;
        struct store_topic_spec spec = {.name = SPAN_LIT("new"), .partition_count = 1};
        fault_points_begin(f);
        memset(&s, 0, sizeof(s));
        assert_int_equal(open_store(&s, f->dir.path, f->vfs.name, STORE_FULL, NULL), STATUS_OK);
        store_close(s.store);
        assert_int_equal(open_store(&s, f->dir.path, f->vfs.name, STORE_FULL, NULL), STATUS_OK);
        call_fault_begin(
            (struct call_fault){CALL_FSYNC, .times = 1, .code = cases[i].code, .here = true});
        enum status status = store_topic_create(s.store, &spec, &err);
        assert_int_equal(call_fault_end(), 1);
        assert_int_equal(status, cases[i].status);
        assert_int_equal(store_has_stopped(s.store, NULL), cases[i].status != STATUS_OK);
        store_close(s.store);
        fault_points_end(f);
    }
}

static void a_reader_that_holds_the_log_costs_no_acknowledged_record(void **state)
{
    struct fault_points *f = *state;
    struct session s;
    struct sqlite_db reader;
    char path[512];
    int64_t count = 0;
    begin_single(f, &s);
    run_turns(f, &s, 0, 1);
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    struct sqlite_db_options options = {.path = path, .env = &s.env, .read_only = true};
    assert_int_equal(sqlite_db_open(&reader, &options, NULL), STATUS_OK);
    assert_int_equal(sqlite_db_exec(&reader, "BEGIN", NULL), STATUS_OK);
    assert_int_equal(sqlite_db_query_i64(&reader, "SELECT count(*) FROM record", &count, NULL),
                     STATUS_OK);
    run_turns(f, &s, 1, TURNS);
    for (int turn = 0; turn < TURNS; turn++) {
        assert_true(s.acked[turn]);
    }
    assert_int_equal(sqlite_db_query_i64(&reader, "SELECT count(*) FROM record", &count, NULL),
                     STATUS_OK);
    assert_int_equal(count, 6); /* one turn's: the reader's own moment */
    fault_vfs_write_image(&f->vfs, DAMAGE_LOST, 1, f->dir.path, f->image.path);
    judge(f, &s, f->image.path, true);
    sqlite_db_close(&reader);
    store_close(s.store);
    judge(f, &s, f->dir.path, true);
    fault_points_end(f);
}

static void writes_wait_for_a_reader_of_the_log_that_a_killed_server_left(void **state)
{
    struct fault_points *f = *state;
    struct session s;
    struct session after = {0};
    struct sqlite_db reader;
    char path[512];
    int64_t count = 0;
    begin_single(f, &s);
    run_turns(f, &s, 0, 2);
    fault_vfs_write_image(&f->vfs, DAMAGE_NONE, 1, f->dir.path, f->image.path);
    store_close(s.store);
    assert_int_equal(open_store(&after, f->image.path, f->vfs.name, STORE_FULL, NULL), STATUS_OK);
    sqlite3_busy_timeout(after.store->db.handle, 1);
    temp_dir_path(&f->image, "state.db", path, sizeof(path));
    struct sqlite_db_options options = {.path = path, .env = &after.env, .read_only = true};
    assert_int_equal(sqlite_db_open(&reader, &options, NULL), STATUS_OK);
    assert_int_equal(sqlite_db_exec(&reader, "BEGIN", NULL), STATUS_OK);
    assert_int_equal(sqlite_db_query_i64(&reader, "SELECT count(*) FROM record", &count, NULL),
                     STATUS_OK);
    run_turns(f, &after, 2, 3);
    assert_int_equal(after.status[2], STATUS_BUSY);
    sqlite_db_close(&reader);
    run_turns(f, &after, 3, 4);
    assert_true(after.acked[3]);
    assert_int_equal(after.offset[3], 2);
    store_close(after.store);
    fault_points_end(f);
}

static void a_writer_of_somebody_else_makes_the_turn_fail_as_busy(void **state)
{
    struct fault_points *f = *state;
    struct session s;
    struct sqlite_db other;
    char path[512];
    begin_single(f, &s);
    run_turns(f, &s, 0, 1);
    sqlite3_busy_timeout(s.store->db.handle, 1);
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    struct sqlite_db_options options = {.path = path, .env = &s.env};
    assert_int_equal(sqlite_db_open(&other, &options, NULL), STATUS_OK);
    assert_int_equal(sqlite_db_exec(&other, "BEGIN IMMEDIATE", NULL), STATUS_OK);
    run_turns(f, &s, 1, 2);
    assert_int_equal(s.status[1], STATUS_BUSY);
    assert_int_equal(sqlite_db_exec(&other, "ROLLBACK", NULL), STATUS_OK);
    run_turns(f, &s, 2, 3);
    assert_true(s.acked[2]);
    sqlite_db_close(&other);
    store_close(s.store);
    judge(f, &s, f->dir.path, true);
    fault_points_end(f);
}

static void in_full_the_main_file_is_synced_before_the_first_acknowledgement(void **state)
{
    struct fault_points *f = *state;
    struct session s;
    begin_single(f, &s);
    s.store->checkpoint_pages = s.store->checkpoint_due_pages = STORE_CHECKPOINT_PAGES;
    assert_int_equal(f->vfs.syncs, 0); /* a start alone syncs nothing */
    run_turns(f, &s, 0, 1);
    assert_true(f->vfs.syncs >= 2);
    uint64_t syncs = f->vfs.syncs;
    run_turns(f, &s, 1, 2);
    assert_int_equal(f->vfs.syncs, syncs + 1); /* from then on one a turn */
    store_close(s.store);
    fault_points_end(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fault_points_setup, fault_points_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_disk_costs_the_turn_and_nothing_more),
        TEST(a_failed_turn_fails_every_write_until_its_end),
        TEST(after_a_failed_sync_reads_go_on_and_a_restart_writes_again),
        TEST(descriptors_that_run_out_stop_nothing),
        TEST(a_stopped_store_says_what_is_to_be_believed),
        TEST(a_stopped_store_does_without_its_note),
        TEST(a_directory_that_cannot_be_synced_stops_the_store_unless_it_need_not_be),
        TEST(a_reader_that_holds_the_log_costs_no_acknowledged_record),
        TEST(writes_wait_for_a_reader_of_the_log_that_a_killed_server_left),
        TEST(a_writer_of_somebody_else_makes_the_turn_fail_as_busy),
        TEST(in_full_the_main_file_is_synced_before_the_first_acknowledgement),
        TEST(no_failing_operation_loses_an_acknowledged_record),
        TEST(nor_does_a_disk_that_stays_broken),
        TEST(nor_does_a_disk_that_is_full),
        TEST(after_a_failed_sync_nothing_is_acknowledged),
        TEST(in_full_no_power_cut_loses_an_acknowledged_record),
        TEST(in_normal_a_killed_process_loses_nothing_and_a_power_cut_only_the_latest_turns),
        TEST(in_off_a_killed_process_loses_nothing),
        TEST(in_off_a_power_cut_gives_a_whole_file_or_a_named_refusal),
        TEST(a_fault_during_recovery_loses_nothing_either),
    };
    return cmocka_run_group_tests_name("store_faults", tests, NULL, NULL);
}
