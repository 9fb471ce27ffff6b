/* The store's file: what is in it, which files are refused, and how a damaged or half-made one is
 * told. */
#include "sqlite_db.h"
#include "store_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void the_cluster_id_is_made_once(void **state)
{
    struct store_world *f = *state;
    char id[64];
    snprintf(id, sizeof(id), "%s", store_cluster_id(f->store));
    assert_int_equal(strlen(id), 22);
    assert_int_equal(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                     22);
    assert_non_null(strchr("AQgw", id[21])); /* 16 bytes leave two bits for the last digit */
    kept_reopen(f);
    assert_string_equal(store_cluster_id(f->store), id);
}

static void views_answer_while_the_store_is_open(void **state)
{
    struct store_world *f = *state;
    const struct store_topic *topic = kept_make_topic(f, "t", 2);
    kept_append(f, topic, 0, "a");
    kept_append(f, topic, 1, "b");
    kept_append(f, topic, 1, "c");
    kept_commit(f);
    assert_int_equal(kept_query(f, "SELECT records FROM topics WHERE topic = 't'"), 3);
    assert_int_equal(kept_query(f, "SELECT partitions FROM topics WHERE topic = 't'"), 2);
    assert_int_equal(
        kept_query(
            f, "SELECT count(*) FROM records WHERE topic = 't' AND partition = 1 AND value = 'c'"),
        1);
    assert_int_equal(kept_query(f, "SELECT count(*) FROM group_offsets"), 0);
}

static void write_file(struct store_world *f, const char *name, const char *bytes, size_t len)
{
    char path[512];
    temp_dir_path(&f->dir, name, path, sizeof(path));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void run_sql(struct store_world *f, const char *sql)
{
    struct sqlite_db db;
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    struct sqlite_db_options options = {.path = path, .env = &f->env, .create = true};
    assert_int_equal(sqlite_db_open(&db, &options, &f->err), STATUS_OK);
    assert_int_equal(sqlite_db_exec(&db, sql, &f->err), STATUS_OK);
    sqlite_db_close(&db);
}

static void expect_refusal(struct store_world *f, const char *directory, enum status expected,
                           const char *words)
{
    struct store_options options = {.directory = directory, .env = &f->env};
    struct store *store = NULL;
    enum status status = store_open(&options, &store, &f->err);
    if (status != expected || strstr(f->err.message, words) == NULL) {
        fail_msg("got %s: %s", status_name(status), status != STATUS_OK ? f->err.message : "");
    }
}

static void a_missing_directory_is_named(void **state)
{
    struct store_world *f = *state;
    expect_refusal(f, "/nonexistent/pinpipe", STATUS_CONFIG, "create the directory");
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    expect_refusal(f, path, STATUS_CONFIG, "is not a directory");
}

static void a_file_that_is_not_sqlite_is_refused(void **state)
{
    struct store_world *f = *state;
    kept_close(f);
    write_file(f, "state.db", "hello, I am a text\n", 19);
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "is not an SQLite file");
}

static void the_file_of_another_program_is_refused_untouched(void **state)
{
    struct store_world *f = *state;
    kept_close(f);
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    unlink(path);
    run_sql(f, "CREATE TABLE theirs (x)");
    expect_refusal(f, f->dir.path, STATUS_CONFIG, "of another program");
    run_sql(f, "SELECT * FROM theirs");
}

static void a_newer_file_is_refused(void **state)
{
    struct store_world *f = *state;
    kept_close(f);
    run_sql(f, "PRAGMA user_version=4");
    run_sql(f, "PRAGMA wal_checkpoint(TRUNCATE)");
    expect_refusal(f, f->dir.path, STATUS_CONFIG, "newer pinpipe (format 4");
    run_sql(f, "PRAGMA user_version=0");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "impossible format version 0");
}

static void a_table_that_is_missing_is_damage(void **state)
{
    static const char *const tables[] = {"group_offset", "batch", "connector", "record", "meta"};
    struct store_world *f = *state;
    kept_make_topic(f, "t", 2);
    kept_commit(f);
    kept_close(f);
    for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
        char sql[64];
        char words[64];
        char restore[96];
        snprintf(sql, sizeof(sql), "ALTER TABLE %s RENAME TO gone", tables[i]);
        snprintf(words, sizeof(words), "its table %s is missing", tables[i]);
        snprintf(restore, sizeof(restore), "ALTER TABLE gone RENAME TO %s", tables[i]);
        run_sql(f, sql);
        expect_refusal(f, f->dir.path, STATUS_CORRUPT, words);
        run_sql(f, restore);
    }
    run_sql(f, "DROP TABLE record");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT,
                   "its table record is missing: the data is damaged");
}

static void damage_is_named_with_its_fix(void **state)
{
    struct store_world *f = *state;
    kept_make_topic(f, "t", 2);
    kept_commit(f);
    kept_close(f);
    run_sql(f, "DELETE FROM partition WHERE number = 0");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "topic t: its partitions");
    run_sql(f, "DELETE FROM topic");
    run_sql(f, "DELETE FROM meta");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "has no cluster id");
    run_sql(f, "DROP TABLE meta");
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    assert_int_equal(truncate(path, 4096), 0);
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "state.db");
}

static void impossible_offsets_are_damage(void **state)
{
    struct store_world *f = *state;
    kept_make_topic(f, "t", 1);
    kept_commit(f);
    kept_close(f);
    run_sql(f, "INSERT INTO record (tp, offset, timestamp) SELECT tp, 9223372036854775807, 0 FROM "
               "partition");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "offsets of partition");
    run_sql(f, "UPDATE record SET offset = -1");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "offsets of partition");
    run_sql(f, "UPDATE record SET offset = 5;"
               "INSERT INTO record (tp, offset, timestamp) SELECT tp, 'six', 0 FROM partition");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "offsets of partition");
}

static void impossible_ids_and_doubles_are_damage(void **state)
{
    struct store_world *f = *state;
    kept_make_topic(f, "t", 1);
    kept_commit(f);
    kept_close(f);
    run_sql(
        f, "PRAGMA foreign_keys=OFF; UPDATE topic SET id = -1; UPDATE partition SET topic_id = -1");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "an id is impossible");
    run_sql(f, "INSERT INTO topic (id, name, created_ms, deleted) VALUES (1, 'u', 0, 1)");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "topic t: its id is impossible");
    run_sql(f, "DELETE FROM topic WHERE id = 1");
    run_sql(f,
            "PRAGMA foreign_keys=OFF; UPDATE topic SET id = 1; UPDATE partition SET topic_id = 1, "
            "tp = 9223372036854775807");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "an id is impossible");
    run_sql(f, "UPDATE partition SET tp = 1; DROP INDEX topic_name;"
               "INSERT INTO topic (id, name, created_ms) VALUES (2, 't', 0);"
               "INSERT INTO partition (tp, topic_id, number) VALUES (2, 2, 0)");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "topic t: it is there twice");
}

static void leftovers_of_a_killed_start_are_removed(void **state)
{
    struct store_world *f = *state;
    kept_close(f);
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    unlink(path);
    write_file(f, "state.db.new", "half", 4);
    write_file(f, "state.db.new-journal", "half", 4);
    kept_open(f, f->dir.path);
    temp_dir_path(&f->dir, "state.db.new", path, sizeof(path));
    assert_int_not_equal(access(path, F_OK), 0);
    temp_dir_path(&f->dir, "state.db.new-journal", path, sizeof(path));
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_file_that_never_reached_the_disk_is_built_anew(void **state)
{
    struct store_world *f = *state;
    static const char zeros[8192];
    kept_close(f);
    write_file(f, "state.db", "", 0);
    kept_open(f, f->dir.path);
    kept_close(f);
    write_file(f, "state.db", zeros, sizeof(zeros)); /* no write was acknowledged yet */
    kept_open(f, f->dir.path);
    kept_make_topic(f, "t", 1);
    kept_commit(f);
    kept_close(f);
    write_file(f, "state.db", zeros, sizeof(zeros)); /* now one was */
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "move it away");
}

static void an_emptied_file_with_a_log_is_refused(void **state)
{
    struct store_world *f = *state;
    kept_close(f);
    write_file(f, "state.db", "", 0);
    write_file(f, "state.db-wal", "something", 9);
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "restore state.db from a copy");
}

static void a_log_without_its_file_is_put_aside(void **state)
{
    struct store_world *f = *state;
    kept_make_topic(f, "old", 1);
    kept_commit(f);
    char path[512];
    char wal[512];
    char kept[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    temp_dir_path(&f->dir, "state.db-wal", wal, sizeof(wal));
    temp_dir_path(&f->dir, "kept", kept, sizeof(kept));
    assert_int_equal(link(wal, kept), 0);
    kept_close(f);
    unlink(path);
    assert_int_equal(rename(kept, wal), 0);
    kept_open(f, f->dir.path);
    assert_null(store_topic_find(f->store, SPAN_LIT("old")));
    temp_dir_path(&f->dir, "state.db-wal.orphan", path, sizeof(path));
    assert_int_equal(access(path, F_OK), 0);
}

static void durability_off_marks_the_file_until_a_clean_end(void **state)
{
    struct store_world *f = *state;
    kept_close(f);
    f->durability = STORE_OFF;
    kept_open(f, f->dir.path);
    assert_int_equal(kept_query(f, "SELECT count(*) FROM meta WHERE name = 'unsynced_run'"), 0);
    const struct store_topic *topic = kept_make_topic(f, "t", 1);
    kept_append(f, topic, 0, "a");
    kept_commit(f);
    assert_int_equal(kept_query(f, "SELECT count(*) FROM meta WHERE name = 'unsynced_run'"), 1);
    kept_reopen(f);
    assert_int_equal(kept_query(f, "SELECT count(*) FROM meta WHERE name = 'unsynced_run'"), 0);
    assert_string_equal(kept_read_all(f, "t", 0, 0, 9), "0:a ");
}

static void overwrite_a_page_in_the_middle(const char *path)
{
    static char garbage[4096];
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    memset(garbage, 0xee, sizeof(garbage));
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)(info.st_size / 4096 / 2 * 4096), SEEK_SET), 0);
    assert_int_equal(fwrite(garbage, 1, sizeof(garbage), file), sizeof(garbage));
    fclose(file);
}

static void after_an_unsynced_run_and_a_reboot_the_whole_file_is_checked(void **state)
{
    struct store_world *f = *state;
    const struct store_topic *topic = kept_make_topic(f, "t", 1);
    for (int i = 0; i < 500; i++) {
        kept_append(f, topic, 0,
                    "some value that fills pages so that there is something to damage");
    }
    kept_commit(f);
    kept_close(f);
    run_sql(f, "INSERT INTO meta VALUES ('unsynced_run', 'another boot')");
    kept_open(f, f->dir.path); /* whole: goes on, with a warning */
    topic = store_topic_find(f->store, SPAN_LIT("t"));
    kept_append(f, topic, 0, "x");
    kept_commit(f);
    assert_int_equal(kept_query(f, "SELECT count(*) FROM meta WHERE name = 'unsynced_run'"), 0);
    kept_close(f);
    run_sql(f, "INSERT INTO meta VALUES ('unsynced_run', 'another boot')");
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    overwrite_a_page_in_the_middle(path);
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "durability off");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(the_cluster_id_is_made_once),
        FILE_TEST(views_answer_while_the_store_is_open),
        FILE_TEST(a_missing_directory_is_named),
        FILE_TEST(a_file_that_is_not_sqlite_is_refused),
        FILE_TEST(the_file_of_another_program_is_refused_untouched),
        FILE_TEST(a_newer_file_is_refused),
        FILE_TEST(a_table_that_is_missing_is_damage),
        FILE_TEST(damage_is_named_with_its_fix),
        FILE_TEST(impossible_offsets_are_damage),
        FILE_TEST(impossible_ids_and_doubles_are_damage),
        FILE_TEST(leftovers_of_a_killed_start_are_removed),
        FILE_TEST(a_file_that_never_reached_the_disk_is_built_anew),
        FILE_TEST(an_emptied_file_with_a_log_is_refused),
        FILE_TEST(a_log_without_its_file_is_put_aside),
        FILE_TEST(durability_off_marks_the_file_until_a_clean_end),
        FILE_TEST(after_an_unsynced_run_and_a_reboot_the_whole_file_is_checked),
    };
    return cmocka_run_group_tests_name("store file", tests, NULL, NULL);
}
