/* The store on a healthy disk: turns, topics, records, groups, and the files it refuses. */
#include "store.h"

#include "lost_turn.h"
#include "sqlite_db.h"
#include "temp_dir.h"
#include "undo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct temp_dir dir;
    struct env env;
    struct store *store;
    struct error err;
    enum store_durability durability;
};

static void open_store(struct fixture *f, const char *directory)
{
    struct store_options options = {
        .directory = directory, .env = &f->env, .durability = f->durability};
    f->err = ERROR_NONE;
    enum status status = store_open(&options, &f->store, &f->err);
    if (status != STATUS_OK) {
        fail_msg("store_open: %s", f->err.message);
    }
}

static void reopen(struct fixture *f)
{
    store_close(f->store);
    open_store(f, f->dir.path);
}

static int setup_file(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    env_init_virtual(&f->env, 7, INT64_C(1700000000000000));
    open_store(f, f->dir.path);
    *state = f;
    return 0;
}

static void close_store(struct fixture *f)
{
    store_close(f->store);
    f->store = NULL;
}

static int setup_memory(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    env_init_virtual(&f->env, 7, INT64_C(1700000000000000));
    open_store(f, NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void commit(struct fixture *f)
{
    assert_int_equal(store_turn_commit(f->store, &f->err), STATUS_OK);
}

static const struct store_topic *make_topic(struct fixture *f, const char *name, int32_t partitions)
{
    assert_int_equal(store_topic_create(f->store,
                                        &(struct store_topic_spec){.name = span_from_cstr(name),
                                                                   .partition_count = partitions},
                                        &f->err),
                     STATUS_OK);
    return store_topic_find(f->store, span_from_cstr(name));
}

static int64_t append_at(struct fixture *f, const struct store_topic *topic, int32_t partition,
                         const char *value, int64_t timestamp_ms)
{
    int64_t offset = -1;
    struct store_record record = {
        .timestamp_ms = timestamp_ms, .has_value = true, .value = span_from_cstr(value)};
    assert_int_equal(store_record_append(f->store, (struct store_place){topic, partition}, &record,
                                         &offset, &f->err),
                     STATUS_OK);
    return offset;
}

static int64_t append(struct fixture *f, const struct store_topic *topic, int32_t partition,
                      const char *value)
{
    return append_at(f, topic, partition, value, 1000);
}

struct seen {
    int64_t count;
    int64_t stop_after;
    struct store_record last;
    char text[4096]; /* "offset:value " of each */
};

static bool see(void *ctx, const struct store_record *record)
{
    struct seen *seen = ctx;
    size_t used = strlen(seen->text);
    seen->last = *record;
    seen->count++;
    snprintf(seen->text + used, sizeof(seen->text) - used, "%lld:%.*s ", (long long)record->offset,
             SPAN_ARG(record->value));
    return seen->count != seen->stop_after;
}

static const char *read_all(struct fixture *f, const char *name, int32_t partition, int64_t from,
                            int64_t limit)
{
    static struct seen seen;
    seen = (struct seen){0};
    const struct store_topic *topic = store_topic_find(f->store, span_from_cstr(name));
    assert_non_null(topic);
    assert_int_equal(store_records_read(f->store,
                                        (struct store_range){topic, partition, from, limit}, see,
                                        &seen, &f->err),
                     STATUS_OK);
    return seen.text;
}

/* --- the turn --- */

static void a_turn_that_only_reads_opens_no_transaction(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 1);
    commit(f);
    read_all(f, "t", 0, 0, 10);
    assert_false(store_turn_has_writes(f->store));
    commit(f);
}

static void records_of_a_committed_turn_survive_a_reopen(void **state)
{
    struct fixture *f = *state;
    const struct store_topic *topic = make_topic(f, "t", 2);
    assert_int_equal(append(f, topic, 0, "a"), 0);
    assert_int_equal(append(f, topic, 0, "b"), 1);
    assert_int_equal(append(f, topic, 1, "c"), 0);
    assert_true(store_turn_has_writes(f->store));
    assert_int_equal(store_turn_records(f->store), 3);
    commit(f);
    assert_int_equal(store_turn_records(f->store), 0);
    reopen(f);
    assert_string_equal(read_all(f, "t", 0, 0, 10), "0:a 1:b ");
    assert_string_equal(read_all(f, "t", 1, 0, 10), "0:c ");
    topic = store_topic_find(f->store, SPAN_LIT("t"));
    assert_int_equal(topic->partitions[0].next_offset, 2);
    assert_int_equal(append(f, topic, 0, "d"), 2);
    commit(f);
}

static void an_uncommitted_turn_is_gone_after_close(void **state)
{
    struct fixture *f = *state;
    const struct store_topic *topic = make_topic(f, "t", 1);
    commit(f);
    append(f, topic, 0, "a");
    make_topic(f, "u", 1);
    reopen(f);
    assert_null(store_topic_find(f->store, SPAN_LIT("u")));
    assert_string_equal(read_all(f, "t", 0, 0, 10), "");
}

static void a_savepoint_takes_back_one_handlers_writes_only(void **state)
{
    struct fixture *f = *state;
    const struct store_topic *topic = make_topic(f, "t", 1);
    append(f, topic, 0, "a");
    uint64_t generation = store_generation(f->store);
    assert_int_equal(store_savepoint(f->store, &f->err), STATUS_OK);
    append(f, topic, 0, "b");
    make_topic(f, "u", 1);
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("t"), &f->err), STATUS_OK);
    store_savepoint_rollback(f->store);
    assert_true(store_generation(f->store) != generation);
    topic = store_topic_find(f->store, SPAN_LIT("t"));
    assert_non_null(topic);
    assert_null(store_topic_find(f->store, SPAN_LIT("u")));
    assert_int_equal(append(f, topic, 0, "c"), 1);
    commit(f);
    reopen(f);
    assert_string_equal(read_all(f, "t", 0, 0, 10), "0:a 1:c ");
}

static void nested_savepoints_undo_in_the_right_order(void **state)
{
    struct fixture *f = *state;
    const struct store_topic *topic = make_topic(f, "t", 1);
    commit(f);
    assert_int_equal(store_savepoint(f->store, &f->err), STATUS_OK);
    append(f, topic, 0, "a");
    assert_int_equal(store_savepoint(f->store, &f->err), STATUS_OK);
    append(f, topic, 0, "b");
    assert_int_equal(store_savepoint_release(f->store, &f->err), STATUS_OK);
    append(f, topic, 0, "c");
    store_savepoint_rollback(f->store);
    assert_int_equal(topic->partitions[0].next_offset, 0);
    assert_int_equal(append(f, topic, 0, "d"), 0);
    commit(f);
    assert_string_equal(read_all(f, "t", 0, 0, 10), "0:d ");
}

static void number_back(void *owner, const void *payload)
{
    *(int *)owner = *(const int *)payload;
}

static void number_kept(void *owner, const void *payload)
{
    (void)payload;
    *(int *)owner += 100;
}

static void set_number(struct fixture *f, int *number, int value)
{
    static const struct undo_ops ops = {number_back, number_kept};
    struct undo_log *log = store_undo_log(f->store);
    assert_int_equal(undo_reserve(log, 1), STATUS_OK);
    undo_push(log, &ops, number, number, sizeof(*number));
    *number = value;
}

static void what_others_noted_goes_the_way_of_the_turn(void **state)
{
    struct fixture *f = *state;
    int number = 1;
    const struct store_topic *topic = make_topic(f, "t", 1);
    set_number(f, &number, 2);
    assert_int_equal(store_savepoint(f->store, &f->err), STATUS_OK);
    append(f, topic, 0, "a");
    set_number(f, &number, 3);
    store_savepoint_rollback(f->store);
    assert_int_equal(number, 2);
    commit(f);
    assert_int_equal(number, 102);
    append(f, topic, 0, "b");
    set_number(f, &number, 4);
    lose_turn(f->store);
    assert_int_equal(number, 102); /* at once */
    set_number(f, &number, 5);     /* somebody who only reads, in a turn that is lost already */
    assert_int_equal(store_turn_commit(f->store, &f->err), STATUS_DISK_FULL);
    assert_int_equal(number, 102);
}

static void a_turn_that_only_read_forgets_what_was_noted(void **state)
{
    struct fixture *f = *state;
    int number = 1;
    const struct store_topic *topic = make_topic(f, "t", 1);
    commit(f);
    set_number(f, &number, 2);
    assert_false(store_turn_has_writes(f->store));
    commit(f);
    append(f, topic, 0, "a");
    lose_turn(f->store);
    assert_int_equal(store_turn_commit(f->store, &f->err), STATUS_DISK_FULL);
    assert_int_equal(number, 102);
}

/* --- topics --- */

static void topic_names_follow_kafkas_rule(void **state)
{
    (void)state;
    char long_name[251];
    memset(long_name, 'a', 250);
    long_name[250] = '\0';
    const struct {
        const char *name;
        bool legal;
    } cases[] = {
        {"a", true},       {"u1.pin", true},    {"A_b-c.9", true},     {"", false},
        {".", false},      {"..", false},       {"...", true},         {"bad topic", false},
        {"sl/ash", false}, {"\xc3\xa9", false}, {long_name + 1, true}, {long_name, false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (store_topic_name_is_legal(span_from_cstr(cases[i].name)) != cases[i].legal) {
            fail_msg("\"%s\"", cases[i].name);
        }
    }
}

static void creating_a_topic_refuses_bad_names_counts_and_twins(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 1);
    const struct {
        const char *name;
        int32_t partitions;
        enum status expected;
    } cases[] = {
        {"t", 1, STATUS_EXISTS},   {"a b", 1, STATUS_INVALID},   {"u", 0, STATUS_INVALID},
        {"u", -1, STATUS_INVALID}, {"u", 10001, STATUS_INVALID},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(
            store_topic_create(f->store,
                               &(struct store_topic_spec){.name = span_from_cstr(cases[i].name),
                                                          .partition_count = cases[i].partitions},
                               &f->err),
            cases[i].expected);
    }
    assert_int_equal(store_topic_count(f->store), 1);
}

static void topics_come_in_name_order(void **state)
{
    struct fixture *f = *state;
    char name[32];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "topic-%03d", (i * 7) % 300);
        make_topic(f, name, 1);
    }
    commit(f);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(store_topic_count(f->store), 300);
        for (size_t i = 0; i < 300; i++) {
            snprintf(name, sizeof(name), "topic-%03d", (int)i);
            assert_true(span_equal_cstr(store_topic_at(f->store, i)->name, name));
        }
        reopen(f);
    }
}

static void a_topic_created_again_starts_at_zero(void **state)
{
    struct fixture *f = *state;
    const struct store_topic *topic = make_topic(f, "t", 1);
    int64_t first_id = topic->id;
    append(f, topic, 0, "old");
    commit(f);
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("t"), &f->err), STATUS_OK);
    topic = make_topic(f, "t", 3);
    assert_true(topic->id != first_id);
    assert_int_equal(append(f, topic, 0, "new"), 0);
    commit(f);
    while (store_housekeep(f->store)) {
    }
    assert_string_equal(read_all(f, "t", 0, 0, 10), "0:new ");
    reopen(f);
    assert_string_equal(read_all(f, "t", 0, 0, 10), "0:new ");
    assert_int_equal(store_topic_find(f->store, SPAN_LIT("t"))->partition_count, 3);
}

static int64_t query(struct fixture *f, const char *sql)
{
    struct sqlite_db db;
    char path[512];
    int64_t value = -1;
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    struct sqlite_db_options options = {.path = path, .env = &f->env, .read_only = true};
    if (sqlite_db_open(&db, &options, &f->err) != STATUS_OK ||
        sqlite_db_query_i64(&db, sql, &value, &f->err) != STATUS_OK) {
        fail_msg("%s: %s", sql, f->err.message);
    }
    sqlite_db_close(&db);
    return value;
}

static void rows_of_deleted_topics_are_swept_in_slices(void **state)
{
    struct fixture *f = *state;
    const struct store_topic *topic = make_topic(f, "t", 2);
    for (int i = 0; i < 2500; i++) {
        append(f, topic, i % 2, "x");
    }
    make_topic(f, "kept", 1);
    append(f, store_topic_find(f->store, SPAN_LIT("kept")), 0, "x");
    commit(f);
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("t"), &f->err), STATUS_OK);
    commit(f);
    assert_int_equal(query(f, "SELECT count(*) FROM records"), 1);
    assert_true(store_housekeep(f->store));
    assert_int_equal(query(f, "SELECT count(*) FROM record"), 1501);
    reopen(f); /* a restart goes on with it */
    while (store_housekeep(f->store)) {
    }
    assert_int_equal(query(f, "SELECT count(*) FROM record"), 1);
    assert_int_equal(query(f, "SELECT count(*) FROM topic"), 1);
    assert_int_equal(query(f, "SELECT count(*) FROM partition"), 1);
    assert_false(store_turn_has_writes(f->store));
}

static void initial_topics_exist_and_are_made_where_they_are_missing(void **state)
{
    struct fixture *f = *state;
    static const char *const topics[] = {"u.pin", "u.geo", "u.user"};
    close_store(f);
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    unlink(path);
    struct store_options options = {
        .directory = f->dir.path, .env = &f->env, .topics = topics, .topic_count = 2};
    for (size_t count = 2; count <= 3; count++) {
        options.topic_count = count;
        assert_int_equal(store_open(&options, &f->store, &f->err), STATUS_OK);
        assert_int_equal(store_topic_count(f->store), count);
        assert_int_equal(append(f, store_topic_find(f->store, SPAN_LIT("u.geo")), 0, "x"),
                         count - 2);
        commit(f);
        if (count == 2) {
            close_store(f);
        }
    }
    assert_string_equal(read_all(f, "u.pin", 0, 0, 10), "");
}

struct config_seen {
    char text[256];
};

static void see_config(void *ctx, struct span name, struct span value)
{
    struct config_seen *seen = ctx;
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof(seen->text) - used, "%.*s=%.*s;", SPAN_ARG(name),
             SPAN_ARG(value));
}

static void topic_configs_are_kept_in_name_order(void **state)
{
    struct fixture *f = *state;
    const struct store_config_entry configs[] = {{"retention.ms", "5"},
                                                 {"cleanup.policy", "compact"}};
    assert_int_equal(store_topic_create(f->store,
                                        &(struct store_topic_spec){.name = SPAN_LIT("t"),
                                                                   .partition_count = 1,
                                                                   .configs = configs,
                                                                   .config_count = 2},
                                        &f->err),
                     STATUS_OK);
    commit(f);
    reopen(f);
    struct config_seen seen = {{0}};
    assert_int_equal(store_topic_configs(f->store, store_topic_find(f->store, SPAN_LIT("t")),
                                         see_config, &seen, &f->err),
                     STATUS_OK);
    assert_string_equal(seen.text, "cleanup.policy=compact;retention.ms=5;");
}

/* --- records --- */

static void null_empty_and_binary_fields_come_back_as_they_went_in(void **state)
{
    struct fixture *f = *state;
    const struct store_topic *topic = make_topic(f, "t", 1);
    static const char bytes[] = "a\0b\xff";
    const struct store_record cases[] = {
        {.timestamp_ms = 1},
        {.timestamp_ms = 2,
         .has_key = true,
         .key = SPAN_EMPTY,
         .has_value = true,
         .value = SPAN_EMPTY},
        {.timestamp_ms = 3,
         .has_key = true,
         .key = {bytes, 4},
         .has_value = true,
         .value = {bytes, 4}},
        {.timestamp_ms = 4, .has_value = true, .value = SPAN_LIT("v"), .headers = SPAN_LIT("h")},
        {.timestamp_ms = 5, .has_value = true, .value = {NULL, 0}},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t offset;
        assert_int_equal(store_record_append(f->store, (struct store_place){topic, 0}, &cases[i],
                                             &offset, &f->err),
                         STATUS_OK);
        assert_int_equal(offset, (int64_t)i);
    }
    commit(f);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct seen seen = {0};
        assert_int_equal(store_records_read(f->store, (struct store_range){topic, 0, (int64_t)i, 1},
                                            see, &seen, &f->err),
                         STATUS_OK);
        assert_int_equal(seen.count, 1);
        assert_int_equal(seen.last.has_key, cases[i].has_key);
        assert_int_equal(seen.last.has_value, cases[i].has_value);
        assert_int_equal(seen.last.key.len, cases[i].key.len);
        assert_int_equal(seen.last.value.len, cases[i].value.len);
        assert_int_equal(seen.last.headers.len, cases[i].headers.len);
        assert_int_equal(seen.last.timestamp_ms, cases[i].timestamp_ms);
    }
}

static void reading_stops_at_limit_end_and_at_the_visitors_wish(void **state)
{
    struct fixture *f = *state;
    const struct store_topic *topic = make_topic(f, "t", 2);
    for (int i = 0; i < 5; i++) {
        append(f, topic, 0, "x");
        append(f, topic, 1, "y");
    }
    assert_string_equal(read_all(f, "t", 0, 2, 2), "2:x 3:x "); /* also what is not committed yet */
    commit(f);
    assert_string_equal(read_all(f, "t", 0, 3, 100), "3:x 4:x ");
    assert_string_equal(read_all(f, "t", 0, 5, 100), "");
    assert_string_equal(read_all(f, "t", 0, 99, 100), "");
    assert_string_equal(read_all(f, "t", 0, 0, 0), "");
    struct seen seen = {.stop_after = 2};
    assert_int_equal(
        store_records_read(f->store, (struct store_range){topic, 1, 1, 100}, see, &seen, &f->err),
        STATUS_OK);
    assert_string_equal(seen.text, "1:y 2:y ");
    append(f, topic, 0, "z"); /* the read above is over: writing is allowed again */
    commit(f);
}

static void offsets_are_found_by_time(void **state)
{
    struct fixture *f = *state;
    const struct store_topic *topic = make_topic(f, "t", 2);
    const int64_t ordered[] = {10, 20, 20, 20, 30, 31, 50};
    const int64_t disordered[] = {10, 50, 20, 60, 5};
    for (size_t i = 0; i < ARRAY_COUNT(ordered); i++) {
        append_at(f, topic, 0, "x", ordered[i]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(disordered); i++) {
        append_at(f, topic, 1, "x", disordered[i]);
    }
    commit(f);
    const struct {
        int32_t partition;
        int64_t time;
        int64_t expected; /* -1: none */
    } cases[] = {
        {0, 0, 0}, {0, 10, 0}, {0, 11, 1}, {0, 20, 1}, {0, 21, 4}, {0, 50, 6},  {0, 51, -1},
        {1, 0, 0}, {1, 11, 1}, {1, 20, 1}, {1, 51, 3}, {1, 60, 3}, {1, 61, -1},
    };
    for (int round = 0; round < 2; round++) {
        topic = store_topic_find(f->store, SPAN_LIT("t"));
        for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
            int64_t offset = -1;
            enum status status =
                store_offset_for_time(f->store, (struct store_place){topic, cases[i].partition},
                                      cases[i].time, &offset, &f->err);
            assert_int_equal(status, cases[i].expected < 0 ? STATUS_NOT_FOUND : STATUS_OK);
            assert_int_equal(offset, cases[i].expected);
        }
        reopen(f); /* whether times are ordered is kept */
    }
}

/* --- groups --- */

static void group_offsets_are_kept_and_replaced(void **state)
{
    struct fixture *f = *state;
    struct store_commit one = {
        .topic = SPAN_LIT("unknown"), .partition = 3, .offset = 7, .metadata = SPAN_LIT("m")};
    assert_int_equal(store_group_commit(f->store, SPAN_LIT("g"), &one, &f->err), STATUS_OK);
    one.offset = 9;
    one.metadata = (struct span){NULL, 0};
    assert_int_equal(store_group_commit(f->store, SPAN_LIT("g"), &one, &f->err), STATUS_OK);
    commit(f);
    reopen(f);
    struct buf metadata;
    int64_t offset = 0;
    buf_init(&metadata, 100);
    assert_int_equal(
        store_group_committed(f->store,
                              (struct store_group_place){SPAN_LIT("g"), SPAN_LIT("unknown"), 3},
                              &offset, &metadata, &f->err),
        STATUS_OK);
    assert_int_equal(offset, 9);
    assert_int_equal(metadata.len, 0);
    assert_int_equal(
        store_group_committed(f->store,
                              (struct store_group_place){SPAN_LIT("g"), SPAN_LIT("unknown"), 4},
                              &offset, NULL, &f->err),
        STATUS_NOT_FOUND);
    buf_release(&metadata);
}

static void see_commit(void *ctx, struct span group, const struct store_commit *commit_seen)
{
    struct config_seen *seen = ctx;
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof(seen->text) - used, "%.*s/%.*s/%d/%lld;", SPAN_ARG(group),
             SPAN_ARG(commit_seen->topic), (int)commit_seen->partition,
             (long long)commit_seen->offset);
}

static void groups_are_listed_in_order_and_forget_deleted_topics(void **state)
{
    struct fixture *f = *state;
    const char *const groups[] = {"b", "a"};
    make_topic(f, "t", 2);
    for (size_t g = 0; g < 2; g++) {
        for (int32_t p = 1; p >= 0; p--) {
            struct store_commit one = {.topic = SPAN_LIT("t"), .partition = p, .offset = p + 5};
            assert_int_equal(store_group_commit(f->store, span_from_cstr(groups[g]), &one, &f->err),
                             STATUS_OK);
        }
    }
    struct config_seen seen = {{0}};
    assert_int_equal(store_group_visit(f->store, SPAN_EMPTY, see_commit, &seen, &f->err),
                     STATUS_OK);
    assert_string_equal(seen.text, "a/t/0/5;a/t/1/6;b/t/0/5;b/t/1/6;");
    seen.text[0] = '\0';
    assert_int_equal(store_group_visit(f->store, SPAN_LIT("b"), see_commit, &seen, &f->err),
                     STATUS_OK);
    assert_string_equal(seen.text, "b/t/0/5;b/t/1/6;");
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("t"), &f->err), STATUS_OK);
    seen.text[0] = '\0';
    assert_int_equal(store_group_visit(f->store, SPAN_EMPTY, see_commit, &seen, &f->err),
                     STATUS_OK);
    assert_string_equal(seen.text, "");
    commit(f);
}

/* --- the file --- */

static void the_cluster_id_is_made_once(void **state)
{
    struct fixture *f = *state;
    char id[64];
    snprintf(id, sizeof(id), "%s", store_cluster_id(f->store));
    assert_int_equal(strlen(id), 22);
    assert_int_equal(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                     22);
    assert_non_null(strchr("AQgw", id[21])); /* 16 bytes leave two bits for the last digit */
    reopen(f);
    assert_string_equal(store_cluster_id(f->store), id);
}

static void views_answer_while_the_store_is_open(void **state)
{
    struct fixture *f = *state;
    const struct store_topic *topic = make_topic(f, "t", 2);
    append(f, topic, 0, "a");
    append(f, topic, 1, "b");
    append(f, topic, 1, "c");
    commit(f);
    assert_int_equal(query(f, "SELECT records FROM topics WHERE topic = 't'"), 3);
    assert_int_equal(query(f, "SELECT partitions FROM topics WHERE topic = 't'"), 2);
    assert_int_equal(
        query(f,
              "SELECT count(*) FROM records WHERE topic = 't' AND partition = 1 AND value = 'c'"),
        1);
    assert_int_equal(query(f, "SELECT count(*) FROM group_offsets"), 0);
}

static void write_file(struct fixture *f, const char *name, const char *bytes, size_t len)
{
    char path[512];
    temp_dir_path(&f->dir, name, path, sizeof(path));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void run_sql(struct fixture *f, const char *sql)
{
    struct sqlite_db db;
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    struct sqlite_db_options options = {.path = path, .env = &f->env, .create = true};
    assert_int_equal(sqlite_db_open(&db, &options, &f->err), STATUS_OK);
    assert_int_equal(sqlite_db_exec(&db, sql, &f->err), STATUS_OK);
    sqlite_db_close(&db);
}

static void expect_refusal(struct fixture *f, const char *directory, enum status expected,
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
    struct fixture *f = *state;
    expect_refusal(f, "/nonexistent/pinpipe", STATUS_CONFIG, "create the directory");
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    expect_refusal(f, path, STATUS_CONFIG, "is not a directory");
}

static void a_file_that_is_not_sqlite_is_refused(void **state)
{
    struct fixture *f = *state;
    close_store(f);
    write_file(f, "state.db", "hello, I am a text\n", 19);
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "is not an SQLite file");
}

static void the_file_of_another_program_is_refused_untouched(void **state)
{
    struct fixture *f = *state;
    close_store(f);
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    unlink(path);
    run_sql(f, "CREATE TABLE theirs (x)");
    expect_refusal(f, f->dir.path, STATUS_CONFIG, "of another program");
    run_sql(f, "SELECT * FROM theirs");
}

static void a_newer_file_is_refused(void **state)
{
    struct fixture *f = *state;
    close_store(f);
    run_sql(f, "PRAGMA user_version=4");
    run_sql(f, "PRAGMA wal_checkpoint(TRUNCATE)");
    expect_refusal(f, f->dir.path, STATUS_CONFIG, "newer pinpipe (format 4");
    run_sql(f, "PRAGMA user_version=0");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "impossible format version 0");
}

static void damage_is_named_with_its_fix(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 2);
    commit(f);
    close_store(f);
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
    struct fixture *f = *state;
    make_topic(f, "t", 1);
    commit(f);
    close_store(f);
    run_sql(f, "INSERT INTO record (tp, offset, timestamp) SELECT tp, 9223372036854775807, 0 FROM "
               "partition");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "offsets of partition");
    run_sql(f, "UPDATE record SET offset = -1");
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "offsets of partition");
}

static void leftovers_of_a_killed_start_are_removed(void **state)
{
    struct fixture *f = *state;
    close_store(f);
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    unlink(path);
    write_file(f, "state.db.new", "half", 4);
    write_file(f, "state.db.new-journal", "half", 4);
    open_store(f, f->dir.path);
    temp_dir_path(&f->dir, "state.db.new", path, sizeof(path));
    assert_int_not_equal(access(path, F_OK), 0);
    temp_dir_path(&f->dir, "state.db.new-journal", path, sizeof(path));
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_file_that_never_reached_the_disk_is_built_anew(void **state)
{
    struct fixture *f = *state;
    static const char zeros[8192];
    close_store(f);
    write_file(f, "state.db", "", 0);
    open_store(f, f->dir.path);
    close_store(f);
    write_file(f, "state.db", zeros, sizeof(zeros)); /* no write was acknowledged yet */
    open_store(f, f->dir.path);
    make_topic(f, "t", 1);
    commit(f);
    close_store(f);
    write_file(f, "state.db", zeros, sizeof(zeros)); /* now one was */
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "move it away");
}

static void an_emptied_file_with_a_log_is_refused(void **state)
{
    struct fixture *f = *state;
    close_store(f);
    write_file(f, "state.db", "", 0);
    write_file(f, "state.db-wal", "something", 9);
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "restore state.db from a copy");
}

static void a_log_without_its_file_is_put_aside(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "old", 1);
    commit(f);
    char path[512];
    char wal[512];
    char kept[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    temp_dir_path(&f->dir, "state.db-wal", wal, sizeof(wal));
    temp_dir_path(&f->dir, "kept", kept, sizeof(kept));
    assert_int_equal(link(wal, kept), 0);
    close_store(f);
    unlink(path);
    assert_int_equal(rename(kept, wal), 0);
    open_store(f, f->dir.path);
    assert_null(store_topic_find(f->store, SPAN_LIT("old")));
    temp_dir_path(&f->dir, "state.db-wal.orphan", path, sizeof(path));
    assert_int_equal(access(path, F_OK), 0);
}

static void durability_off_marks_the_file_until_a_clean_end(void **state)
{
    struct fixture *f = *state;
    close_store(f);
    f->durability = STORE_OFF;
    open_store(f, f->dir.path);
    assert_int_equal(query(f, "SELECT count(*) FROM meta WHERE name = 'unsynced_run'"), 0);
    const struct store_topic *topic = make_topic(f, "t", 1);
    append(f, topic, 0, "a");
    commit(f);
    assert_int_equal(query(f, "SELECT count(*) FROM meta WHERE name = 'unsynced_run'"), 1);
    reopen(f);
    assert_int_equal(query(f, "SELECT count(*) FROM meta WHERE name = 'unsynced_run'"), 0);
    assert_string_equal(read_all(f, "t", 0, 0, 9), "0:a ");
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
    struct fixture *f = *state;
    const struct store_topic *topic = make_topic(f, "t", 1);
    for (int i = 0; i < 500; i++) {
        append(f, topic, 0, "some value that fills pages so that there is something to damage");
    }
    commit(f);
    close_store(f);
    run_sql(f, "INSERT INTO meta VALUES ('unsynced_run', 'another boot')");
    open_store(f, f->dir.path); /* whole: goes on, with a warning */
    topic = store_topic_find(f->store, SPAN_LIT("t"));
    append(f, topic, 0, "x");
    commit(f);
    assert_int_equal(query(f, "SELECT count(*) FROM meta WHERE name = 'unsynced_run'"), 0);
    close_store(f);
    run_sql(f, "INSERT INTO meta VALUES ('unsynced_run', 'another boot')");
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    overwrite_a_page_in_the_middle(path);
    expect_refusal(f, f->dir.path, STATUS_CORRUPT, "durability off");
}

static void partitions_of_all_topics_together_have_a_limit(void **state)
{
    struct fixture *f = *state;
    char name[32];
    for (int i = 1; i < STORE_PARTITIONS_TOTAL_MAX / STORE_PARTITIONS_MAX; i++) {
        snprintf(name, sizeof(name), "wide-%d", i);
        make_topic(f, name, STORE_PARTITIONS_MAX);
    }
    make_topic(f, "rest", STORE_PARTITIONS_MAX - (int32_t)store_topic_count(f->store) + 9);
    struct store_topic_spec more = {.name = SPAN_LIT("more"), .partition_count = 2};
    assert_int_equal(store_topic_create(f->store, &more, &f->err), STATUS_INVALID);
    assert_non_null(strstr(f->err.message, "at most 100000 partitions"));
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("wide-1"), &f->err), STATUS_OK);
    assert_int_equal(store_topic_create(f->store, &more, &f->err), STATUS_OK);
}

#define FILE_TEST(name)   cmocka_unit_test_setup_teardown(name, setup_file, teardown)
#define MEMORY_TEST(name) cmocka_unit_test_setup_teardown(name, setup_memory, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_turn_that_only_reads_opens_no_transaction),
        MEMORY_TEST(a_turn_that_only_reads_opens_no_transaction),
        FILE_TEST(records_of_a_committed_turn_survive_a_reopen),
        MEMORY_TEST(partitions_of_all_topics_together_have_a_limit),
        FILE_TEST(an_uncommitted_turn_is_gone_after_close),
        FILE_TEST(a_savepoint_takes_back_one_handlers_writes_only),
        FILE_TEST(nested_savepoints_undo_in_the_right_order),
        MEMORY_TEST(nested_savepoints_undo_in_the_right_order),
        FILE_TEST(what_others_noted_goes_the_way_of_the_turn),
        FILE_TEST(a_turn_that_only_read_forgets_what_was_noted),
        cmocka_unit_test(topic_names_follow_kafkas_rule),
        FILE_TEST(creating_a_topic_refuses_bad_names_counts_and_twins),
        MEMORY_TEST(creating_a_topic_refuses_bad_names_counts_and_twins),
        FILE_TEST(topics_come_in_name_order),
        FILE_TEST(a_topic_created_again_starts_at_zero),
        FILE_TEST(rows_of_deleted_topics_are_swept_in_slices),
        FILE_TEST(initial_topics_exist_and_are_made_where_they_are_missing),
        FILE_TEST(topic_configs_are_kept_in_name_order),
        FILE_TEST(null_empty_and_binary_fields_come_back_as_they_went_in),
        MEMORY_TEST(null_empty_and_binary_fields_come_back_as_they_went_in),
        FILE_TEST(reading_stops_at_limit_end_and_at_the_visitors_wish),
        MEMORY_TEST(reading_stops_at_limit_end_and_at_the_visitors_wish),
        FILE_TEST(offsets_are_found_by_time),
        FILE_TEST(group_offsets_are_kept_and_replaced),
        FILE_TEST(groups_are_listed_in_order_and_forget_deleted_topics),
        MEMORY_TEST(groups_are_listed_in_order_and_forget_deleted_topics),
        FILE_TEST(the_cluster_id_is_made_once),
        FILE_TEST(views_answer_while_the_store_is_open),
        FILE_TEST(a_missing_directory_is_named),
        FILE_TEST(a_file_that_is_not_sqlite_is_refused),
        FILE_TEST(the_file_of_another_program_is_refused_untouched),
        FILE_TEST(a_newer_file_is_refused),
        FILE_TEST(damage_is_named_with_its_fix),
        FILE_TEST(impossible_offsets_are_damage),
        FILE_TEST(leftovers_of_a_killed_start_are_removed),
        FILE_TEST(a_file_that_never_reached_the_disk_is_built_anew),
        FILE_TEST(an_emptied_file_with_a_log_is_refused),
        FILE_TEST(a_log_without_its_file_is_put_aside),
        FILE_TEST(durability_off_marks_the_file_until_a_clean_end),
        FILE_TEST(after_an_unsynced_run_and_a_reboot_the_whole_file_is_checked),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
