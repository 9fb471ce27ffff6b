/* A state.db of format 1 (before S3 and Connect) or 2 (0.2.0: headers as JSON) becomes one of
 * format 3 when it is opened, with all that it held; and whatever fails while it does, it is one or
 * the other as a whole afterwards. */
#include "alloc_fault.h"
#include "embedded.h"
#include "fault_points.h"
#include "fault_vfs.h"
#include "lake_check.h"
#include "record_headers.h"
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
    "INSERT INTO record (tp, offset, timestamp, key, value, headers)"
    " SELECT 1, i, 1000 + i, 'key', 'value ' || i || printf('%100s', ''), CASE i % 3 WHEN 0 THEN"
    " CAST('[{\"name\":\"n\",\"value\":\"MQ==\"},{\"name\":\"\xc3\xbc\",\"value\":null}]' AS BLOB) "
    "END"
    " FROM n;";

static const char contents_of_version_2[] =
    "PRAGMA user_version = 2;"
    "INSERT INTO bucket VALUES (1, 'user-u-bucket', 'us-east-1', 5);"
    "INSERT INTO content (id, size, refs) VALUES (1, 4, 1), (2, 3, 1);"
    "INSERT INTO chunk (id, bytes) VALUES ((1 << 24), 'body'), ((2 << 24), 'par');"
    "INSERT INTO object (id, bucket_id, key, size, etag, modified_ms, content_id)"
    " VALUES (1, 1, 'old', 4, 'e', 5, 1);"
    "INSERT INTO upload (id, bucket_id, key, created_ms) VALUES ('up', 1, 'coming', 5);"
    "INSERT INTO upload_part (upload, number, size, etag, checksum, modified_ms, content_id)"
    " VALUES (1, 1, 3, 'e', NULL, 5, 2);"
    "INSERT INTO connector (name, config, paused, created_ms, msk) VALUES ('c', '{}', 1, 5, NULL);";

enum { OLD_RECORDS = 200, POINTS_MAX = 5000, VERSION = 3 };

struct fixture {
    struct fault_vfs vfs;
    struct temp_dir dir;
    struct temp_dir image;
    struct env env;
    struct store *store;
    struct error err;
    enum store_durability durability;
    int old_version;
    bool disk_is_plain; /* the system's own, which needs no memory of the test's */
    char what[160];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    fault_vfs_install(&f->vfs, "pinpipe-fault");
    temp_dir_make(&f->dir);
    temp_dir_make(&f->image);
    f->old_version = 1;
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
static void make_old_file(const struct fixture *f, bool killed)
{
    sqlite3 *raw = open_raw(f->dir.path);
    run_raw(raw, schema_of_version_1);
    run_raw(raw, contents_of_version_1);
    if (f->old_version == 2) {
        run_raw(raw, embedded_schema_lake_sql);
        run_raw(raw, contents_of_version_2);
    }
    run_raw(raw, "PRAGMA journal_mode = WAL");
    if (killed) {
        sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        run_raw(raw, "DELETE FROM record WHERE offset >= 100");
        run_raw(raw, "INSERT INTO record (tp, offset, timestamp, key, value, headers) SELECT 1, "
                     "offset + 100, timestamp, key, 'value ' || (offset + 100) || "
                     "printf('%100s', ''), CASE WHEN (offset + 100) % 3 = 0 THEN (SELECT headers "
                     "FROM record WHERE offset = 0) END FROM record");
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
    f->env.sqlite_vfs = f->disk_is_plain ? NULL : f->vfs.name;
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
    assert_true(span_equal(record->headers, *count % 3 == 0 ? SPAN_LIT("\x04\x02n\x02"
                                                                       "1\x04\xc3\xbc\x01")
                                                            : SPAN_EMPTY));
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

/* What stood in a file of format 2 beside the log. */
static void assert_old_lake(struct fixture *f)
{
    sqlite3 *raw = f->store->db.handle;
    assert_int_equal(query_raw(raw, "SELECT count(*) FROM objects WHERE key = 'old' AND size = 4"),
                     1);
    assert_int_equal(query_raw(raw, "SELECT count(*) FROM upload u JOIN upload_part p ON p.upload "
                                    "= u.number WHERE u.id = 'up' AND NOT u.dead"),
                     1);
    assert_int_equal(query_raw(raw, "SELECT count(*) FROM connectors WHERE state = 'PAUSED'"), 1);
}

/* Everything of all formats works. */
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
    if (f->old_version == 2) {
        assert_old_lake(f);
    }
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
    assert_int_equal(version_of(directory), VERSION);
    arena_release(&arena);
}

/* Version, tables and headers say the same. */
static void assert_whole_format(struct fixture *f, const char *directory)
{
    sqlite3 *raw = open_raw(directory);
    int64_t version = query_raw(raw, "PRAGMA user_version");
    int64_t lake = query_raw(raw, "SELECT count(*) FROM sqlite_schema WHERE name IN ('bucket', "
                                  "'object', 'msk_resource', 'objects', 'connectors')");
    int64_t batch = query_raw(raw, "SELECT count(*) FROM sqlite_schema WHERE name = 'batch'");
    int64_t json =
        query_raw(raw, "SELECT count(*) FROM record WHERE hex(substr(headers, 1, 1)) = '5B'");
    bool old = version == f->old_version && lake == (version == 1 ? 0 : 5) && batch == 0 &&
               json == (OLD_RECORDS + 2) / 3;
    bool new = lake == 5 && batch == 1 && json == 0 && version == VERSION;
    if (!old && !new) {
        fail_msg("%s: version %d with %d + %d of the new names, %d old headers", f->what,
                 (int)version, (int)lake, (int)batch, (int)json);
    }
    sqlite3_close(raw);
}

/* --- on a healthy disk --- */

static void an_old_file_is_migrated_with_all_it_held(void **state)
{
    struct fixture *f = *state;
    static const enum store_durability durabilities[] = {STORE_FULL, STORE_NORMAL, STORE_OFF};
    for (size_t i = 0; i < ARRAY_COUNT(durabilities); i++) {
        for (int variant = 0; variant < 4; variant++) {
            begin_point(f);
            f->durability = durabilities[i];
            f->old_version = 1 + variant / 2;
            snprintf(f->what, sizeof(f->what), "durability %zu, variant %d", i, variant);
            make_old_file(f, variant % 2 != 0);
            assert_int_equal(version_of(f->dir.path), f->old_version);
            assert_usable(f, f->dir.path);
            assert_usable(f, f->dir.path); /* and once more */
        }
    }
}

static void the_migration_reaches_the_disk_before_the_server_starts(void **state)
{
    struct fixture *f = *state;
    make_old_file(f, true);
    assert_int_equal(open_store(f, f->dir.path), STATUS_OK);
    fault_vfs_write_image(&f->vfs, DAMAGE_LOST, 1, f->dir.path, f->image.path);
    close_store(f);
    assert_int_equal(version_of(f->image.path), VERSION);
    assert_usable(f, f->image.path);
}

static void opening_a_new_file_again_migrates_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(open_store(f, f->dir.path), STATUS_OK);
    close_store(f);
    assert_int_equal(version_of(f->dir.path), VERSION);
    assert_int_equal(open_store(f, f->dir.path), STATUS_OK);
    assert_int_equal(f->vfs.syncs, 0);
    assert_int_equal(sqlite3_total_changes(f->store->db.handle), 0);
}

/* The header of the main file still says 3. */
static void a_newer_format_that_stands_in_the_log_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(open_store(f, f->dir.path), STATUS_OK);
    close_store(f);
    sqlite3 *raw = open_raw(f->dir.path);
    sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    run_raw(raw, "PRAGMA user_version = 4");
    sqlite3_close(raw);
    assert_int_equal(open_store(f, f->dir.path), STATUS_CONFIG);
    assert_non_null(strstr(f->err.message, "newer pinpipe (format 4"));
    assert_int_equal(version_of(f->dir.path), 4);
}

static void a_damaged_old_file_of_an_unsynced_run_is_refused_as_it_is(void **state)
{
    struct fixture *f = *state;
    make_old_file(f, false);
    sqlite3 *raw = open_raw(f->dir.path);
    run_raw(raw, "INSERT INTO meta VALUES ('unsynced_run', 'another boot')");
    run_raw(raw, "PRAGMA writable_schema = ON");
    run_raw(raw, "UPDATE sqlite_schema SET rootpage = 4000 WHERE name = 'record_tp_offset'");
    sqlite3_close(raw);
    assert_int_equal(open_store(f, f->dir.path), STATUS_CORRUPT);
    assert_int_equal(version_of(f->dir.path), 1);
}

static bool keep_headers(void *ctx, const struct store_record *record)
{
    struct buf *out = ctx;
    assert_true(record_headers_to_text(record->headers, out));
    return true;
}

/* Nothing of ours writes such, but everybody may write SQL: they are kept, and told. */
static void headers_that_are_no_json_of_ours_are_kept_whole(void **state)
{
    struct fixture *f = *state;
    struct buf text;
    f->old_version = 2;
    make_old_file(f, false);
    sqlite3 *raw = open_raw(f->dir.path);
    run_raw(raw, "INSERT INTO record (tp, offset, timestamp, headers) VALUES (3, 0, 1, 'what?'), "
                 "(3, 1, 1, ''), (3, 2, 1, '[]'), (3, 3, 1, x'00')");
    sqlite3_close(raw);
    assert_int_equal(open_store(f, f->dir.path), STATUS_OK);
    buf_init(&text, 1000);
    const struct store_topic *topic = store_topic_find(f->store, SPAN_LIT("u.geo"));
    assert_int_equal(store_records_read(f->store, (struct store_range){topic, 0, 0, 10},
                                        keep_headers, &text, &f->err),
                     STATUS_OK);
    assert_string_equal(buf_cstr(&text),
                        "[{\"name\":\"pinpipe.unreadable\",\"value\":\"d2hhdD8=\"}]"
                        "[{\"name\":\"pinpipe.unreadable\",\"value\":\"\"}][]"
                        "[{\"name\":\"pinpipe.unreadable\",\"value\":\"AA==\"}]");
    buf_release(&text);
}

/* Twice SQLite's cache, in one transaction. */
static void a_large_log_is_migrated_in_bounded_memory(void **state)
{
    struct fixture *f = *state;
    f->old_version = 2;
    make_old_file(f, false);
    sqlite3 *raw = open_raw(f->dir.path);
    run_raw(raw, "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 31999) "
                 "INSERT INTO record (tp, offset, timestamp, value, headers) SELECT 3, i, i, "
                 "zeroblob(900), CAST('[{\"name\":\"n\",\"value\":\"MQ==\"}]' AS BLOB) FROM n");
    sqlite3_close(raw);
    sqlite3_int64 used;
    sqlite3_int64 peak;
    assert_int_equal(sqlite3_status64(SQLITE_STATUS_MEMORY_USED, &used, &peak, 1), SQLITE_OK);
    assert_int_equal(open_store(f, f->dir.path), STATUS_OK);
    assert_int_equal(sqlite3_status64(SQLITE_STATUS_MEMORY_USED, &used, &peak, 0), SQLITE_OK);
    assert_int_equal(query_raw(f->store->db.handle, "SELECT count(*) FROM record WHERE tp = 3 AND "
                                                    "headers = x'02026e0231'"),
                     32000);
    assert_true(peak < (STORE_CACHE_KIB + 8 * 1024) * INT64_C(1024));
}

static void names_in_the_way_of_the_new_tables_leave_the_file_as_it_was(void **state)
{
    struct fixture *f = *state;
    make_old_file(f, false);
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
            f->old_version = (int)(1 + n / 2 % 2);
            make_old_file(f, n % 2 == 0);
            snprintf(f->what, sizeof(f->what), "fault %d at operation %d", (int)i, (int)n);
            fault_vfs_fail(&f->vfs, faults[i].mask, n, faults[i].code, faults[i].forever);
            enum status status = open_store(f, f->dir.path);
            close_store(f);
            struck = f->vfs.failures > 0;
            fault_vfs_fail(&f->vfs, 0, 0, 0, false);
            assert_whole_format(f, f->dir.path);
            int64_t version = version_of(f->dir.path);
            if (status == STATUS_OK && version != VERSION) {
                fail_msg("%s: opened, and still version %d", f->what, (int)version);
            }
            stayed_old += version == f->old_version;
            assert_usable(f, f->dir.path);
        }
        assert_true(stayed_old > 5); /* the faults did hit the migration */
    }
}

/* Three records of the two hundred: that is enough memory to be short of. */
static void make_short_file(struct fixture *f)
{
    make_old_file(f, false);
    sqlite3 *raw = open_raw(f->dir.path);
    run_raw(raw, "DELETE FROM record WHERE offset >= 3");
    run_raw(raw, "PRAGMA wal_checkpoint(TRUNCATE)");
    sqlite3_close(raw);
}

static void a_migration_without_memory_leaves_one_format_or_the_other(void **state)
{
    struct fixture *f = *state;
    int stayed_old = 0;
    bool failed = true;
    bool failed_ever = false;
    f->disk_is_plain = true;
    for (long n = 1; failed; n += (long)fault_points_stride(3)) {
        assert_true(n < POINTS_MAX);
        begin_point(f);
        f->old_version = (int)(1 + n % 2);
        make_short_file(f);
        snprintf(f->what, sizeof(f->what), "allocation %ld", n);
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        enum status status = open_store(f, f->dir.path);
        failed = alloc_fault_end();
        failed_ever |= failed;
        close_store(f);
        int64_t version = version_of(f->dir.path);
        if (status != STATUS_OK && status != STATUS_NO_MEMORY) {
            fail_msg("%s: %s: %s", f->what, status_name(status), f->err.message);
        }
        if (version != VERSION && (status == STATUS_OK || version != f->old_version)) {
            fail_msg("%s: %s, and version %d", f->what, status_name(status), (int)version);
        }
        stayed_old += version == f->old_version;
        assert_int_equal(open_store(f, f->dir.path), STATUS_OK);
        assert_int_equal(query_raw(f->store->db.handle,
                                   "SELECT count(*) FROM record WHERE (headers IS NULL) = "
                                   "(offset <> 0) AND value LIKE 'value ' || offset || '%'"),
                         3);
        close_store(f);
    }
    /* Where no allocation can be made to fail there was one round. */
    assert_true(stayed_old > 5 || !failed_ever);
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
            f->old_version = (int)(1 + n / 2 % 2);
            make_old_file(f, n % 2 == 0);
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
        TEST(headers_that_are_no_json_of_ours_are_kept_whole),
        TEST(a_large_log_is_migrated_in_bounded_memory),
        TEST(names_in_the_way_of_the_new_tables_leave_the_file_as_it_was),
        TEST(a_migration_that_fails_anywhere_leaves_one_format_or_the_other),
        TEST(a_migration_without_memory_leaves_one_format_or_the_other),
        TEST(a_machine_that_goes_down_while_migrating_loses_nothing),
    };
    return cmocka_run_group_tests_name("store_migration", tests, NULL, NULL);
}
