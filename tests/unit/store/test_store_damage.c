/* Rows as no pinpipe writes them, in a file that is otherwise whole: state.db is open to
 * everybody's SQL, and a disk may lose what it likes. Each is told as damage, with the words that
 * name it, where the thing is read; nothing else is given for it. */
#include "call_fault.h"
#include "file.h"
#include "lake_fixture.h"
#include "store_internal.h"
#include "store_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PART_BYTES = 70000, LARGE_BYTES = 150000, READ_BYTES = 400000 };

static void hurt(struct store *store, const char *sql)
{
    struct error err = ERROR_NONE;
    if (sqlite_db_exec(&store->db, sql, &err) != STATUS_OK) {
        fail_msg("%s: %s", sql, err.message);
    }
}

static void assert_told(const char *what, enum status status, const struct error *err,
                        enum status expected, const char *words)
{
    if (status != expected || strstr(err->message, words) == NULL) {
        fail_msg("%s: %s: %s", what, status_name(status), err->message);
    }
}

/* --- the log --- */

static void records_that_are_missing_are_no_records_of_another_time(void **state)
{
    struct store_world *f = *state;
    int64_t offset = -1;
    const struct store_topic *topic = kept_make_topic(f, "t", 1);
    for (int i = 0; i < 3; i++) {
        kept_append_at(f, topic, 0, "v", 1000 + i);
    }
    kept_commit(f);
    hurt(f->store, "DELETE FROM record WHERE offset = 1");
    struct store_place place = {topic, 0};
    assert_told("a gap", store_offset_for_time(f->store, place, 1001, &offset, &f->err), &f->err,
                STATUS_CORRUPT, "offset 1 of partition 1 is missing");
}

static void topics_that_cannot_be_are_damage(void **state)
{
    static const struct {
        const char *sql;
        const char *words;
        const char *back;
    } cases[] = {
        {"UPDATE topic SET name = 'a/b'", "topic a/b: its name is impossible",
         "UPDATE topic SET name = 't'"},
        {"UPDATE topic SET name = ''", "its name is impossible", "UPDATE topic SET name = 't'"},
        {"DELETE FROM partition", "topic t: it has no partitions",
         "INSERT INTO partition (tp, topic_id, number) VALUES (1, 1, 0)"},
        {"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
         "INSERT INTO partition (tp, topic_id, number) SELECT i + 1, 1, i FROM n",
         "topic t: its partitions", "DELETE FROM partition WHERE number > 0"},
        {"UPDATE meta SET value = 'short' WHERE name = 'cluster_id'", "has no cluster id",
         "UPDATE meta SET value = 'abcdefghijklmnopqrstuv' WHERE name = 'cluster_id'"},
    };
    struct store_world *f = *state;
    struct store_options options = {.directory = f->dir.path, .env = &f->env};
    kept_make_topic(f, "t", 1);
    kept_commit(f);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct store *store = NULL;
        hurt(f->store, cases[i].sql);
        assert_told(cases[i].sql, store_open(&options, &store, &f->err), &f->err, STATUS_CORRUPT,
                    cases[i].words);
        hurt(f->store, cases[i].back);
        kept_reopen(f);
        assert_non_null(store_topic_find(f->store, SPAN_LIT("t")));
    }
}

static void ids_that_leave_no_room_for_more_are_damage(void **state)
{
    static const struct {
        const char *sql;
        bool large; /* what cannot be put */
    } cases[] = {
        {"UPDATE object SET id = 4611686018427387904", false},
        {"UPDATE object SET id = -3", false},
        {"UPDATE content SET id = 4611686018427387904", true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        void *fixture;
        struct store_object_put put;
        lake_setup_file(&fixture);
        struct lake_fixture *f = fixture;
        lake_put(f, "there", 1, cases[i].large ? LARGE_BYTES : 10);
        lake_commit(f);
        hurt(f->store, cases[i].sql);
        lake_reopen(f);
        put = lake_put_of(f, "new");
        put.bytes = SPAN_LIT("text");
        enum status status;
        if (cases[i].large) {
            struct store_body *body = NULL;
            static const char bytes[LARGE_BYTES];
            assert_int_equal(store_body_new(f->store, true, &body), STATUS_OK);
            status = store_body_append(body, span_from(bytes, sizeof(bytes)), &f->err);
            store_body_free(body);
        } else {
            status = store_object_put(f->store, &put, &f->err);
        }
        assert_told(cases[i].sql, status, &f->err, STATUS_CORRUPT, "an id is impossible");
        lake_teardown(&fixture);
    }
    (void)state;
}

/* --- the lake --- */

static enum status read_all(struct lake_fixture *f, const char *key)
{
    struct buf out;
    struct store_object object = lake_object(f, key);
    buf_init(&out, READ_BYTES);
    f->err = ERROR_NONE;
    enum status status = store_object_read(f->store, object.id, 0, READ_BYTES - 1, &out, &f->err);
    buf_release(&out);
    return status;
}

/* "small" in its row, "large" in chunks, "joined" of two parts: contents 1 to 4. */
static void fill_lake(struct lake_fixture *f)
{
    static const int32_t numbers[] = {1, 2};
    lake_put_text(f, "small", "some text");
    lake_put(f, "large", 1, LARGE_BYTES);
    lake_upload(f, "up", "joined");
    lake_part(f, "up", 1, 2, PART_BYTES);
    lake_part(f, "up", 2, 3, PART_BYTES);
    assert_int_equal(lake_complete(f, "up", "joined", numbers, 2), STATUS_OK);
    lake_upload(f, "open", "parts");
    lake_commit(f);
}

static void bytes_that_are_missing_are_told_and_not_made_up(void **state)
{
    static const struct {
        const char *key;
        const char *sql;
        const char *words;
    } cases[] = {
        {"small", "UPDATE object SET size = size + 1 WHERE key = 'small'",
         "bytes of object 1 are missing"},
        {"small", "UPDATE object SET body = NULL WHERE key = 'small'",
         "bytes of object 1 are missing"},
        {"large", "DELETE FROM chunk WHERE id = (1 << 24) + 1", "bytes of content 1 are missing"},
        {"large", "UPDATE chunk SET bytes = 'short' WHERE id = (1 << 24) + 2",
         "bytes of content 1 are missing"},
        {"large", "UPDATE object SET size = size + 65536 WHERE key = 'large'",
         "bytes of content 1 are missing"},
        {"joined", "DELETE FROM piece WHERE start = 0", "are missing"},
        {"joined", "UPDATE piece SET start = 10 WHERE start = 0", "are missing"},
        {"joined", "UPDATE piece SET size = size - 1 WHERE start = 0", "are missing"},
        {"joined", "DELETE FROM piece WHERE start > 0", "are missing"},
        {"joined", "UPDATE object SET size = size + 9 WHERE key = 'joined'", "are missing"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        void *fixture;
        lake_setup_file(&fixture);
        struct lake_fixture *f = fixture;
        fill_lake(f);
        assert_int_equal(read_all(f, cases[i].key), STATUS_OK);
        hurt(f->store, cases[i].sql);
        assert_told(cases[i].sql, read_all(f, cases[i].key), &f->err, STATUS_CORRUPT,
                    cases[i].words);
        lake_teardown(&fixture);
    }
    (void)state;
}

static void a_part_cannot_be_copied_from_bytes_that_are_missing(void **state)
{
    struct lake_fixture *f = *state;
    fill_lake(f);
    hurt(f->store, "DELETE FROM content WHERE id = 1");
    assert_told("the content", lake_part_copy(f, "open", 1, "large", 0, LARGE_BYTES), &f->err,
                STATUS_CORRUPT, "bytes of content 1 are missing");
    hurt(f->store, "UPDATE piece SET size = size - 1 WHERE start = 0");
    assert_told("the pieces", lake_part_copy(f, "open", 1, "joined", 0, PART_BYTES + 5), &f->err,
                STATUS_CORRUPT, "are missing");
    assert_int_equal(lake_query(f, "SELECT count(*) FROM upload_part u JOIN upload n ON n.number = "
                                   "u.upload WHERE n.id = 'open'"),
                     0);
    assert_int_equal(lake_part_copy(f, "open", 1, "small", 0, 4), STATUS_OK);
}

/* --- what is in the way of the file --- */

static enum status open_at(struct store_world *f, struct store **store)
{
    struct store_options options = {.directory = f->dir.path, .env = &f->env};
    *store = NULL;
    f->err = ERROR_NONE;
    return store_open(&options, store, &f->err);
}

static void a_name_that_is_something_else_is_told(void **state)
{
    struct store_world *f = *state;
    struct store *store;
    char path[512];
    char unsynced[512];
    kept_close(f);
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    temp_dir_path(&f->dir, "state.db.unsynced", unsynced, sizeof(unsynced));
    unlink(unsynced);
    assert_int_equal(unlink(path), 0);

    assert_int_equal(mkdir(unsynced, 0700), 0);
    assert_told("a directory for the marker", open_at(f, &store), &f->err, STATUS_IO,
                "state.db.unsynced: cannot create it");
    assert_int_equal(rmdir(unsynced), 0);

    assert_int_equal(symlink("state.db", path), 0);
    assert_told("a link to itself", open_at(f, &store), &f->err, STATUS_IO,
                "state.db: cannot read it");
    unlink(path);

    assert_int_equal(mkfifo(path, 0600), 0);
    assert_told("a pipe", open_at(f, &store), &f->err, STATUS_CONFIG, "is not a file but a pipe");
    unlink(path);

    assert_int_equal(mkdir(path, 0700), 0);
    assert_told("a directory", open_at(f, &store), &f->err, STATUS_CORRUPT,
                "is not an SQLite file");
    fclose(fopen(unsynced, "w"));
    assert_told("a directory that is not to be kept", open_at(f, &store), &f->err, STATUS_CONFIG,
                "state.db: cannot remove it");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(open_at(f, &store), STATUS_OK);
    store_close(store);
}

static void a_file_that_cannot_be_put_in_its_place_leaves_none(void **state)
{
    static const struct {
        int code;
        enum status status;
        const char *words;
    } cases[] = {
        {EACCES, STATUS_CONFIG, "cannot rename the new file: Permission denied; make it writable"},
        {EPERM, STATUS_CONFIG, "make it writable for this user"},
        {EROFS, STATUS_CONFIG, "make it writable for this user"},
        {ENOENT, STATUS_CONFIG, "create the directory or choose another with --data"},
        {ENOTDIR, STATUS_CONFIG, "create the directory or choose another with --data"},
        {EIO, STATUS_IO, "cannot rename the new file"},
    };
    struct store_world *f = *state;
    struct store *store;
    char path[512];
    char new_path[512];
    kept_close(f);
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    temp_dir_path(&f->dir, "state.db.new", new_path, sizeof(new_path));
    unlink(path);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        call_fault_begin(
            (struct call_fault){CALL_RENAME, .times = 1, .code = cases[i].code, .here = true});
        enum status status = open_at(f, &store);
        assert_int_equal(call_fault_end(), 1);
        assert_told("renaming", status, &f->err, cases[i].status, cases[i].words);
        assert_false(file_exists(path));
        assert_false(file_exists(new_path));
    }
    char log[512];
    temp_dir_path(&f->dir, "state.db-wal", log, sizeof(log));
    assert_int_equal(file_replace(log, SPAN_LIT("a log"), 0600, &f->err), STATUS_OK);
    call_fault_begin((struct call_fault){CALL_RENAME, .times = 1, .code = EIO, .here = true});
    enum status status = open_at(f, &store);
    call_fault_end();
    assert_told("a log that stays", status, &f->err, STATUS_IO, "cannot put the log aside");
    assert_true(file_exists(log));
    assert_int_equal(open_at(f, &store), STATUS_OK);
    store_close(store);
}

static void a_directory_name_that_is_too_long_is_refused(void **state)
{
    struct store_world *f = *state;
    char name[5000];
    struct store_options options = {.directory = name, .env = &f->env};
    struct store *store = NULL;
    memset(name, 'd', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_told("a long name", store_open(&options, &store, &f->err), &f->err, STATUS_CONFIG,
                "dddd...: the directory's name is too long");
}

static void initial_topics_with_bad_names_are_refused(void **state)
{
    static const char *const topics[] = {"good", "not/good"};
    struct store_world *f = *state;
    struct store_options options = {.directory = f->dir.path,
                                    .env = &f->env,
                                    .topics = topics,
                                    .topic_count = ARRAY_COUNT(topics)};
    struct store *store = NULL;
    char path[512];
    kept_close(f);
    assert_told("in a file", store_open(&options, &store, &f->err), &f->err, STATUS_INVALID,
                "\"not/good\"");
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    unlink(path);
    assert_told("in a new file", store_open(&options, &store, &f->err), &f->err, STATUS_INVALID,
                "\"not/good\" is not a topic name");
    assert_false(file_exists(path));
}

/* Nothing of it was acknowledged, so it is built again without asking. */
static void a_new_file_without_its_rows_is_built_anew(void **state)
{
    struct store_world *f = *state;
    struct store *store;
    char id[64];
    snprintf(id, sizeof(id), "%s", store_cluster_id(f->store));
    hurt(f->store, "DELETE FROM meta");
    kept_close(f);
    assert_int_equal(open_at(f, &store), STATUS_OK);
    assert_int_equal(strlen(store_cluster_id(store)), 22);
    assert_string_not_equal(store_cluster_id(store), id);
    store_close(store);
}

/* --- the note of a run that stopped --- */

static void a_note_that_cannot_be_read_is_passed_over(void **state)
{
    static const char *const notes[] = {"", "hello", "5 records", "5 records, x objects\nwhy\n",
                                        "5 records, 7 objects"};
    struct store_world *f = *state;
    char path[512];
    kept_close(f);
    temp_dir_path(&f->dir, "state.db.stopped", path, sizeof(path));
    for (size_t i = 0; i < ARRAY_COUNT(notes); i++) {
        assert_int_equal(file_replace(path, span_from_cstr(notes[i]), 0600, &f->err), STATUS_OK);
        kept_open(f, f->dir.path);
        assert_false(file_exists(path));
        kept_close(f);
    }
    assert_int_equal(mkdir(path, 0700), 0);
    kept_open(f, f->dir.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(records_that_are_missing_are_no_records_of_another_time),
        FILE_TEST(topics_that_cannot_be_are_damage),
        cmocka_unit_test(ids_that_leave_no_room_for_more_are_damage),
        cmocka_unit_test(bytes_that_are_missing_are_told_and_not_made_up),
        LAKE_FILE_TEST(a_part_cannot_be_copied_from_bytes_that_are_missing),
        FILE_TEST(a_name_that_is_something_else_is_told),
        FILE_TEST(a_file_that_cannot_be_put_in_its_place_leaves_none),
        FILE_TEST(a_directory_name_that_is_too_long_is_refused),
        FILE_TEST(initial_topics_with_bad_names_are_refused),
        FILE_TEST(a_new_file_without_its_rows_is_built_anew),
        FILE_TEST(a_note_that_cannot_be_read_is_passed_over),
    };
    return cmocka_run_group_tests_name("store_damage", tests, NULL, NULL);
}
