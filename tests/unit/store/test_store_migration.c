/* A state.db of format 1 (before S3 and Connect) becomes one of format 2 when it is opened, with
 * all that it held; and whatever fails while it does, it is one or the other as a whole afterwards.
 */
#include "fault_vfs.h"
#include "lake_check.h"
#include "store_internal.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* data/schema/state.sql as it was. */
static const char schema_of_version_1[] =
    "-- state.db: what the server keeps. Version 1. Contract for readers: the table record and the "
    "views.\n"
    "CREATE TABLE meta (\n"
    "    name TEXT PRIMARY KEY,\n"
    "    value TEXT NOT NULL\n"
    ") WITHOUT ROWID;\n"
    "\n"
    "CREATE TABLE topic (\n"
    "    id INTEGER PRIMARY KEY,\n"
    "    name TEXT NOT NULL,\n"
    "    created_ms INTEGER NOT NULL,\n"
    "    deleted INTEGER NOT NULL DEFAULT 0 -- its records wait for the sweep\n"
    ");\n"
    "CREATE UNIQUE INDEX topic_name ON topic (name) WHERE deleted = 0;\n"
    "\n"
    "CREATE TABLE topic_config (\n"
    "    topic_id INTEGER NOT NULL REFERENCES topic (id) ON DELETE CASCADE,\n"
    "    name TEXT NOT NULL,\n"
    "    value TEXT NOT NULL,\n"
    "    PRIMARY KEY (topic_id, name)\n"
    ") WITHOUT ROWID;\n"
    "\n"
    "CREATE TABLE partition (\n"
    "    tp INTEGER PRIMARY KEY,\n"
    "    topic_id INTEGER NOT NULL REFERENCES topic (id) ON DELETE CASCADE,\n"
    "    number INTEGER NOT NULL,\n"
    "    time_ordered INTEGER NOT NULL DEFAULT 1, -- 0 once a record came with an earlier "
    "timestamp\n"
    "    UNIQUE (topic_id, number)\n"
    ");\n"
    "\n"
    "-- The log, in order of arrival (specs: best at few and at many partitions).\n"
    "CREATE TABLE record (\n"
    "    id INTEGER PRIMARY KEY,\n"
    "    tp INTEGER NOT NULL,\n"
    "    offset INTEGER NOT NULL,\n"
    "    timestamp INTEGER NOT NULL, -- ms since 1970\n"
    "    key BLOB,\n"
    "    value BLOB,\n"
    "    headers BLOB\n"
    ");\n"
    "CREATE UNIQUE INDEX record_tp_offset ON record (tp, offset);\n"
    "\n"
    "CREATE TABLE group_offset (\n"
    "    group_name TEXT NOT NULL,\n"
    "    topic TEXT NOT NULL,\n"
    "    partition INTEGER NOT NULL,\n"
    "    offset INTEGER NOT NULL,\n"
    "    metadata TEXT NOT NULL DEFAULT '',\n"
    "    committed_ms INTEGER NOT NULL,\n"
    "    PRIMARY KEY (group_name, topic, partition)\n"
    ") WITHOUT ROWID;\n"
    "\n"
    "-- Offsets of a partition have no gaps, so its ends give the count without a scan. The CROSS "
    "JOINs fix\n"
    "-- the order topic, partition, record: counting and seeking then go through "
    "record_tp_offset.\n"
    "CREATE VIEW topics AS\n"
    "SELECT t.name AS topic,\n"
    "       (SELECT count(*) FROM partition p WHERE p.topic_id = t.id) AS partitions,\n"
    "       (SELECT coalesce(sum((SELECT max(r.offset) FROM record r WHERE r.tp = p.tp)\n"
    "                          - (SELECT min(r.offset) FROM record r WHERE r.tp = p.tp) + 1), 0)\n"
    "        FROM partition p WHERE p.topic_id = t.id) AS records,\n"
    "       strftime('%Y-%m-%dT%H:%M:%SZ', t.created_ms / 1000, 'unixepoch') AS created\n"
    "FROM topic t\n"
    "WHERE t.deleted = 0;\n"
    "\n"
    "CREATE VIEW records AS\n"
    "SELECT t.name AS topic, p.number AS partition, r.offset AS offset, r.timestamp AS timestamp,\n"
    "       CAST(r.key AS TEXT) AS key, CAST(r.value AS TEXT) AS value\n"
    "FROM topic t\n"
    "CROSS JOIN partition p ON p.topic_id = t.id\n"
    "CROSS JOIN record r ON r.tp = p.tp\n"
    "WHERE t.deleted = 0;\n"
    "\n"
    "CREATE VIEW group_offsets AS\n"
    "SELECT group_name, topic, partition, offset, metadata,\n"
    "       strftime('%Y-%m-%dT%H:%M:%SZ', committed_ms / 1000, 'unixepoch') AS committed\n"
    "FROM group_offset;\n";

static const char contents_of_version_1[] =
    "PRAGMA application_id = 0x50495045; PRAGMA user_version = 1;"
    "INSERT INTO meta VALUES ('cluster_id', 'abcdefghijklmnopqrstuv');"
    "INSERT INTO topic (id, name, created_ms) VALUES (1, 'u.pin', 5), (2, 'u.geo', 6);"
    "INSERT INTO topic_config VALUES (1, 'retention.ms', '1000');"
    "INSERT INTO partition (tp, topic_id, number) VALUES (1, 1, 0), (2, 1, 1), (3, 2, 0);"
    "INSERT INTO group_offset VALUES ('g', 'u.pin', 0, 17, 'meta', 7);"
    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199)"
    "INSERT INTO record (tp, offset, timestamp, key, value)"
    " SELECT 1, i, 1000 + i, 'key', 'value ' || i || printf('%100s', '') FROM n;";

enum { OLD_RECORDS = 200, POINTS_MAX = 5000 };

struct fixture {
    struct fault_vfs vfs;
    struct temp_dir dir;
    struct temp_dir image;
    struct env env;
    struct store *store;
    struct error err;
    enum store_durability durability;
    char what[160];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    fault_vfs_install(&f->vfs, "pinpipe-fault");
    temp_dir_make(&f->dir);
    temp_dir_make(&f->image);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    fault_vfs_uninstall(&f->vfs);
    temp_dir_remove(&f->dir);
    temp_dir_remove(&f->image);
    free(f);
    return 0;
}

/* A fresh pair of directories and a VFS that remembers nothing. */
static void begin_point(struct fixture *f)
{
    fault_vfs_uninstall(&f->vfs);
    fault_vfs_install(&f->vfs, "pinpipe-fault");
    temp_dir_remove(&f->dir);
    temp_dir_remove(&f->image);
    temp_dir_make(&f->dir);
    temp_dir_make(&f->image);
}

/* --- the old file --- */

static sqlite3 *open_raw(const char *directory)
{
    char path[512];
    sqlite3 *raw = NULL;
    snprintf(path, sizeof(path), "%s/state.db", directory);
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    return raw;
}

static void run_raw(sqlite3 *raw, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(raw, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s", message);
    }
}

static int64_t query_raw(sqlite3 *raw, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t value = -1;
    if (sqlite3_prepare_v2(raw, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        value = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    return value;
}

/* `killed`: the last records are in a log that nobody moved into the main file. */
static void make_old_file(const char *directory, bool killed)
{
    sqlite3 *raw = open_raw(directory);
    run_raw(raw, schema_of_version_1);
    run_raw(raw, contents_of_version_1);
    run_raw(raw, "PRAGMA journal_mode = WAL");
    if (killed) {
        sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        run_raw(raw, "DELETE FROM record WHERE offset >= 100");
        run_raw(raw, "INSERT INTO record (tp, offset, timestamp, key, value) SELECT 1, offset + "
                     "100, timestamp, key, 'value ' || (offset + 100) || printf('%100s', '') FROM "
                     "record");
    }
    sqlite3_close(raw);
}

static int64_t version_of(const char *directory)
{
    sqlite3 *raw = open_raw(directory);
    int64_t version = query_raw(raw, "PRAGMA user_version");
    sqlite3_close(raw);
    return version;
}

static enum status open_store(struct fixture *f, const char *directory)
{
    static const char *const topics[] = {"u.pin", "u.geo", "u.user"};
    static const char *const buckets[] = {"user-u-bucket"};
    env_init_virtual(&f->env, 3, INT64_C(1700000000000000));
    f->env.sqlite_vfs = f->vfs.name;
    struct store_options options = {
        .directory = directory,
        .env = &f->env,
        .durability = f->durability,
        .topics = topics,
        .topic_count = ARRAY_COUNT(topics),
        .buckets = buckets,
        .bucket_count = ARRAY_COUNT(buckets),
        .region = "us-east-1",
    };
    f->err = ERROR_NONE;
    return store_open(&options, &f->store, &f->err);
}

static void close_store(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
}

/* --- judging --- */

static bool count_record(void *ctx, const struct store_record *record)
{
    int *count = ctx;
    char expected[200];
    snprintf(expected, sizeof(expected), "value %d%100s", *count, "");
    assert_int_equal(record->offset, *count);
    assert_true(span_equal_cstr(record->value, expected));
    ++*count;
    return true;
}

static void assert_old_contents(struct fixture *f)
{
    int count = 0;
    int64_t offset = 0;
    const struct store_topic *topic = store_topic_find(f->store, SPAN_LIT("u.pin"));
    assert_non_null(topic);
    assert_int_equal(topic->partition_count, 2);
    assert_string_equal(store_cluster_id(f->store), "abcdefghijklmnopqrstuv");
    assert_int_equal(store_records_read(f->store, (struct store_range){topic, 0, 0, 1000},
                                        count_record, &count, &f->err),
                     STATUS_OK);
    assert_int_equal(count, OLD_RECORDS);
    assert_int_equal(store_group_committed(
                         f->store, (struct store_group_place){SPAN_LIT("g"), SPAN_LIT("u.pin"), 0},
                         &offset, NULL, &f->err),
                     STATUS_OK);
    assert_int_equal(offset, 17);
}

/* Everything of both formats works. */
static void assert_usable(struct fixture *f, const char *directory)
{
    struct arena arena;
    struct store_bucket bucket;
    struct store_object object;
    arena_init(&arena, 10000);
    if (open_store(f, directory) != STATUS_OK) {
        fail_msg("%s: does not open: %s", f->what, f->err.message);
    }
    assert_old_contents(f);
    assert_non_null(store_topic_find(f->store, SPAN_LIT("u.user")));
    assert_int_equal(
        store_bucket_find(f->store, SPAN_LIT("user-u-bucket"), &arena, &bucket, &f->err),
        STATUS_OK);
    struct store_object_put put = {.bucket_id = bucket.id,
                                   .key = SPAN_LIT("k"),
                                   .etag = SPAN_LIT("e"),
                                   .bytes = SPAN_LIT("v")};
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_OK);
    assert_int_equal(store_turn_commit(f->store, &f->err), STATUS_OK);
    assert_int_equal(
        store_object_find(f->store, bucket.id, SPAN_LIT("k"), &arena, &object, &f->err), STATUS_OK);
    assert_null(lake_check(f->store->db.handle));
    assert_int_equal(query_raw(f->store->db.handle, "SELECT count(*) FROM pragma_quick_check "
                                                    "WHERE quick_check = 'ok'"),
                     1);
    close_store(f);
    assert_int_equal(version_of(directory), 2);
    arena_release(&arena);
}

/* Version and tables say the same. */
static void assert_whole_format(struct fixture *f, const char *directory)
{
    sqlite3 *raw = open_raw(directory);
    int64_t version = query_raw(raw, "PRAGMA user_version");
    int64_t tables = query_raw(raw, "SELECT count(*) FROM sqlite_schema WHERE name IN ('bucket', "
                                    "'object', 'msk_resource', 'objects', 'connectors')");
    if (!(version == 1 && tables == 0) && !(version == 2 && tables == 5)) {
        fail_msg("%s: version %d with %d of the new names", f->what, (int)version, (int)tables);
    }
    sqlite3_close(raw);
}

/* --- on a healthy disk --- */

static void an_old_file_is_migrated_with_all_it_held(void **state)
{
    struct fixture *f = *state;
    static const enum store_durability durabilities[] = {STORE_FULL, STORE_NORMAL, STORE_OFF};
    for (size_t i = 0; i < ARRAY_COUNT(durabilities); i++) {
        for (int killed = 0; killed < 2; killed++) {
            begin_point(f);
            f->durability = durabilities[i];
            snprintf(f->what, sizeof(f->what), "durability %zu, killed %d", i, killed);
            make_old_file(f->dir.path, killed != 0);
            assert_int_equal(version_of(f->dir.path), 1);
            assert_usable(f, f->dir.path);
            assert_usable(f, f->dir.path); /* and once more */
        }
    }
}

static void the_migration_reaches_the_disk_before_the_server_starts(void **state)
{
    struct fixture *f = *state;
    make_old_file(f->dir.path, true);
    assert_int_equal(open_store(f, f->dir.path), STATUS_OK);
    fault_vfs_write_image(&f->vfs, DAMAGE_LOST, 1, f->dir.path, f->image.path);
    close_store(f);
    assert_int_equal(version_of(f->image.path), 2);
    assert_usable(f, f->image.path);
}

static void opening_a_new_file_again_migrates_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(open_store(f, f->dir.path), STATUS_OK);
    close_store(f);
    assert_int_equal(version_of(f->dir.path), 2);
    assert_int_equal(open_store(f, f->dir.path), STATUS_OK);
    assert_int_equal(f->vfs.syncs, 0);
    assert_int_equal(sqlite3_total_changes(f->store->db.handle), 0);
}

/* The header of the main file still says 2. */
static void a_newer_format_that_stands_in_the_log_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(open_store(f, f->dir.path), STATUS_OK);
    close_store(f);
    sqlite3 *raw = open_raw(f->dir.path);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    run_raw(raw, "PRAGMA user_version = 3");
    sqlite3_close(raw);
    assert_int_equal(open_store(f, f->dir.path), STATUS_CONFIG);
    assert_non_null(strstr(f->err.message, "newer pinpipe (format 3"));
    assert_int_equal(version_of(f->dir.path), 3);
}

static void a_damaged_old_file_of_an_unsynced_run_is_refused_as_it_is(void **state)
{
    struct fixture *f = *state;
    make_old_file(f->dir.path, false);
    sqlite3 *raw = open_raw(f->dir.path);
    run_raw(raw, "INSERT INTO meta VALUES ('unsynced_run', 'another boot')");
    run_raw(raw, "PRAGMA writable_schema = ON");
    run_raw(raw, "UPDATE sqlite_schema SET rootpage = 4000 WHERE name = 'record_tp_offset'");
    sqlite3_close(raw);
    assert_int_equal(open_store(f, f->dir.path), STATUS_CORRUPT);
    assert_int_equal(version_of(f->dir.path), 1);
}

static void names_in_the_way_of_the_new_tables_leave_the_file_as_it_was(void **state)
{
    struct fixture *f = *state;
    make_old_file(f->dir.path, false);
    sqlite3 *raw = open_raw(f->dir.path);
    run_raw(raw, "CREATE TABLE connector_topic (theirs)");
    sqlite3_close(raw);
    assert_int_not_equal(open_store(f, f->dir.path), STATUS_OK);
    assert_non_null(strstr(f->err.message, "connector_topic already exists"));
    assert_int_equal(version_of(f->dir.path), 1);
    raw = open_raw(f->dir.path);
    assert_int_equal(query_raw(raw, "SELECT count(*) FROM sqlite_schema WHERE name = 'bucket'"), 0);
    run_raw(raw, "DROP TABLE connector_topic");
    sqlite3_close(raw);
    assert_usable(f, f->dir.path);
}

/* --- on a failing one --- */

static void a_migration_that_fails_anywhere_leaves_one_format_or_the_other(void **state)
{
    struct fixture *f = *state;
    static const struct {
        unsigned mask;
        int code;
        bool forever;
    } faults[] = {
        {FAULT_ANY, 0, false},
        {FAULT_CHANGES, 0, true},
        {FAULT_WRITE, SQLITE_FULL, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(faults); i++) {
        bool struck = true;
        int stayed_old = 0;
        for (uint64_t n = 1; struck; n++) {
            assert_true(n < POINTS_MAX);
            begin_point(f);
            make_old_file(f->dir.path, n % 2 == 0);
            snprintf(f->what, sizeof(f->what), "fault %d at operation %d", (int)i, (int)n);
            fault_vfs_fail(&f->vfs, faults[i].mask, n, faults[i].code, faults[i].forever);
            enum status status = open_store(f, f->dir.path);
            close_store(f);
            struck = f->vfs.failures > 0;
            fault_vfs_fail(&f->vfs, 0, 0, 0, false);
            assert_whole_format(f, f->dir.path);
            int64_t version = version_of(f->dir.path);
            if (status == STATUS_OK && version != 2) {
                fail_msg("%s: opened, and still version %d", f->what, (int)version);
            }
            stayed_old += version == 1;
            assert_usable(f, f->dir.path);
        }
        assert_true(stayed_old > 5); /* the faults did hit the migration */
    }
}

static void a_machine_that_goes_down_while_migrating_loses_nothing(void **state)
{
    struct fixture *f = *state;
    static const enum fault_damage damages[] = {DAMAGE_NONE, DAMAGE_LOST, DAMAGE_TORN};
    for (size_t i = 0; i < ARRAY_COUNT(damages); i++) {
        bool crashed = true;
        for (uint64_t n = 1; crashed; n++) {
            assert_true(n < POINTS_MAX);
            begin_point(f);
            make_old_file(f->dir.path, n % 2 == 0);
            snprintf(f->what, sizeof(f->what), "crash at change %d, damage %d", (int)n, (int)i);
            fault_vfs_crash_at(&f->vfs, n);
            open_store(f, f->dir.path);
            close_store(f);
            crashed = f->vfs.crashed;
            fault_vfs_write_image(&f->vfs, damages[i], n, f->dir.path, f->image.path);
            fault_vfs_fail(&f->vfs, 0, 0, 0, false);
            assert_usable(f, f->image.path);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_old_file_is_migrated_with_all_it_held),
        TEST(the_migration_reaches_the_disk_before_the_server_starts),
        TEST(opening_a_new_file_again_migrates_nothing),
        TEST(a_newer_format_that_stands_in_the_log_is_refused),
        TEST(a_damaged_old_file_of_an_unsynced_run_is_refused_as_it_is),
        TEST(names_in_the_way_of_the_new_tables_leave_the_file_as_it_was),
        TEST(a_migration_that_fails_anywhere_leaves_one_format_or_the_other),
        TEST(a_machine_that_goes_down_while_migrating_loses_nothing),
    };
    return cmocka_run_group_tests_name("store_migration", tests, NULL, NULL);
}
