/* The store on a healthy disk: turns, topics, records, groups. */
#include "store_world.h"

#include "lost_turn.h"
#include "undo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- the turn --- */

static void a_turn_that_only_reads_opens_no_transaction(void **state)
{
    struct store_world *f = *state;
    kept_make_topic(f, "t", 1);
    kept_commit(f);
    kept_read_all(f, "t", 0, 0, 10);
    assert_false(store_turn_has_writes(f->store));
    kept_commit(f);
}

static void records_of_a_committed_turn_survive_a_reopen(void **state)
{
    struct store_world *f = *state;
    const struct store_topic *topic = kept_make_topic(f, "t", 2);
    assert_int_equal(kept_append(f, topic, 0, "a"), 0);
    assert_int_equal(kept_append(f, topic, 0, "b"), 1);
    assert_int_equal(kept_append(f, topic, 1, "c"), 0);
    assert_true(store_turn_has_writes(f->store));
    assert_int_equal(store_turn_records(f->store), 3);
    kept_commit(f);
    assert_int_equal(store_turn_records(f->store), 0);
    kept_reopen(f);
    assert_string_equal(kept_read_all(f, "t", 0, 0, 10), "0:a 1:b ");
    assert_string_equal(kept_read_all(f, "t", 1, 0, 10), "0:c ");
    topic = store_topic_find(f->store, SPAN_LIT("t"));
    assert_int_equal(topic->partitions[0].next_offset, 2);
    assert_int_equal(kept_append(f, topic, 0, "d"), 2);
    kept_commit(f);
}

static void an_uncommitted_turn_is_gone_after_close(void **state)
{
    struct store_world *f = *state;
    const struct store_topic *topic = kept_make_topic(f, "t", 1);
    kept_commit(f);
    kept_append(f, topic, 0, "a");
    kept_make_topic(f, "u", 1);
    kept_reopen(f);
    assert_null(store_topic_find(f->store, SPAN_LIT("u")));
    assert_string_equal(kept_read_all(f, "t", 0, 0, 10), "");
}

static void a_savepoint_takes_back_one_handlers_writes_only(void **state)
{
    struct store_world *f = *state;
    const struct store_topic *topic = kept_make_topic(f, "t", 1);
    kept_append(f, topic, 0, "a");
    assert_int_equal(store_savepoint(f->store, &f->err), STATUS_OK);
    kept_append(f, topic, 0, "b");
    kept_make_topic(f, "u", 1);
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("t"), &f->err), STATUS_OK);
    store_savepoint_rollback(f->store);
    topic = store_topic_find(f->store, SPAN_LIT("t"));
    assert_non_null(topic);
    assert_null(store_topic_find(f->store, SPAN_LIT("u")));
    assert_int_equal(kept_append(f, topic, 0, "c"), 1);
    kept_commit(f);
    kept_reopen(f);
    assert_string_equal(kept_read_all(f, "t", 0, 0, 10), "0:a 1:c ");
}

static void nested_savepoints_undo_in_the_right_order(void **state)
{
    struct store_world *f = *state;
    const struct store_topic *topic = kept_make_topic(f, "t", 1);
    kept_commit(f);
    assert_int_equal(store_savepoint(f->store, &f->err), STATUS_OK);
    kept_append(f, topic, 0, "a");
    assert_int_equal(store_savepoint(f->store, &f->err), STATUS_OK);
    kept_append(f, topic, 0, "b");
    assert_int_equal(store_savepoint_release(f->store, &f->err), STATUS_OK);
    kept_append(f, topic, 0, "c");
    store_savepoint_rollback(f->store);
    assert_int_equal(topic->partitions[0].next_offset, 0);
    assert_int_equal(kept_append(f, topic, 0, "d"), 0);
    kept_commit(f);
    assert_string_equal(kept_read_all(f, "t", 0, 0, 10), "0:d ");
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

static void set_number(struct store_world *f, int *number, int value)
{
    static const struct undo_ops ops = {number_back, number_kept};
    struct undo_log *log = store_undo_log(f->store);
    assert_int_equal(undo_reserve(log, 1), STATUS_OK);
    undo_push(log, &ops, number, number, sizeof(*number));
    *number = value;
}

static void what_others_noted_goes_the_way_of_the_turn(void **state)
{
    struct store_world *f = *state;
    int number = 1;
    const struct store_topic *topic = kept_make_topic(f, "t", 1);
    set_number(f, &number, 2);
    assert_int_equal(store_savepoint(f->store, &f->err), STATUS_OK);
    kept_append(f, topic, 0, "a");
    set_number(f, &number, 3);
    store_savepoint_rollback(f->store);
    assert_int_equal(number, 2);
    kept_commit(f);
    assert_int_equal(number, 102);
    kept_append(f, topic, 0, "b");
    set_number(f, &number, 4);
    lose_turn(f->store);
    assert_int_equal(number, 102); /* at once */
    set_number(f, &number, 5);     /* somebody who only reads, in a turn that is lost already */
    assert_int_equal(store_turn_commit(f->store, &f->err), STATUS_DISK_FULL);
    assert_int_equal(number, 102);
}

static void a_turn_that_only_read_forgets_what_was_noted(void **state)
{
    struct store_world *f = *state;
    int number = 1;
    const struct store_topic *topic = kept_make_topic(f, "t", 1);
    kept_commit(f);
    set_number(f, &number, 2);
    assert_false(store_turn_has_writes(f->store));
    kept_commit(f);
    kept_append(f, topic, 0, "a");
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
        {"AZaz09", true},  {"a:", false},       {"a@", false},         {"a[", false},
        {"a`", false},     {"a{", false},       {"a,", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (store_topic_name_is_legal(span_from_cstr(cases[i].name)) != cases[i].legal) {
            fail_msg("\"%s\"", cases[i].name);
        }
    }
}

static void creating_a_topic_refuses_bad_names_counts_and_twins(void **state)
{
    struct store_world *f = *state;
    kept_make_topic(f, "t", 1);
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
    struct store_world *f = *state;
    char name[32];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "topic-%03d", (i * 7) % 300);
        kept_make_topic(f, name, 1);
    }
    kept_commit(f);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(store_topic_count(f->store), 300);
        for (size_t i = 0; i < 300; i++) {
            snprintf(name, sizeof(name), "topic-%03d", (int)i);
            assert_true(span_equal_cstr(store_topic_at(f->store, i)->name, name));
        }
        kept_reopen(f);
    }
}

static void a_topic_created_again_starts_at_zero(void **state)
{
    struct store_world *f = *state;
    const struct store_topic *topic = kept_make_topic(f, "t", 1);
    int64_t first_id = topic->id;
    kept_append(f, topic, 0, "old");
    kept_commit(f);
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("t"), &f->err), STATUS_OK);
    topic = kept_make_topic(f, "t", 3);
    assert_true(topic->id != first_id);
    assert_int_equal(kept_append(f, topic, 0, "new"), 0);
    kept_commit(f);
    while (store_housekeep(f->store)) {
    }
    assert_string_equal(kept_read_all(f, "t", 0, 0, 10), "0:new ");
    kept_reopen(f);
    assert_string_equal(kept_read_all(f, "t", 0, 0, 10), "0:new ");
    assert_int_equal(store_topic_find(f->store, SPAN_LIT("t"))->partition_count, 3);
}

static void rows_of_deleted_topics_are_swept_in_slices(void **state)
{
    struct store_world *f = *state;
    const struct store_topic *topic = kept_make_topic(f, "t", 2);
    for (int i = 0; i < 2500; i++) {
        kept_append(f, topic, i % 2, "x");
    }
    kept_make_topic(f, "kept", 1);
    kept_append(f, store_topic_find(f->store, SPAN_LIT("kept")), 0, "x");
    kept_commit(f);
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("t"), &f->err), STATUS_OK);
    kept_commit(f);
    assert_int_equal(kept_query(f, "SELECT count(*) FROM records"), 1);
    assert_true(store_housekeep(f->store));
    assert_int_equal(kept_query(f, "SELECT count(*) FROM record"), 1501);
    kept_reopen(f); /* a restart goes on with it */
    while (store_housekeep(f->store)) {
    }
    assert_int_equal(kept_query(f, "SELECT count(*) FROM record"), 1);
    assert_int_equal(kept_query(f, "SELECT count(*) FROM topic"), 1);
    assert_int_equal(kept_query(f, "SELECT count(*) FROM partition"), 1);
    assert_false(store_turn_has_writes(f->store));
}

static void initial_topics_exist_and_are_made_where_they_are_missing(void **state)
{
    struct store_world *f = *state;
    static const char *const topics[] = {"u.pin", "u.geo", "u.user"};
    kept_close(f);
    char path[512];
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    unlink(path);
    struct store_options options = {
        .directory = f->dir.path, .env = &f->env, .topics = topics, .topic_count = 2};
    for (size_t count = 2; count <= 3; count++) {
        options.topic_count = count;
        assert_int_equal(store_open(&options, &f->store, &f->err), STATUS_OK);
        assert_int_equal(store_topic_count(f->store), count);
        assert_int_equal(kept_append(f, store_topic_find(f->store, SPAN_LIT("u.geo")), 0, "x"),
                         count - 2);
        kept_commit(f);
        if (count == 2) {
            kept_close(f);
        }
    }
    assert_string_equal(kept_read_all(f, "u.pin", 0, 0, 10), "");
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
    struct store_world *f = *state;
    const struct store_config_entry configs[] = {{"retention.ms", "5"},
                                                 {"cleanup.policy", "compact"}};
    assert_int_equal(store_topic_create(f->store,
                                        &(struct store_topic_spec){.name = SPAN_LIT("t"),
                                                                   .partition_count = 1,
                                                                   .configs = configs,
                                                                   .config_count = 2},
                                        &f->err),
                     STATUS_OK);
    kept_commit(f);
    kept_reopen(f);
    struct config_seen seen = {{0}};
    assert_int_equal(store_topic_configs(f->store, store_topic_find(f->store, SPAN_LIT("t")),
                                         see_config, &seen, &f->err),
                     STATUS_OK);
    assert_string_equal(seen.text, "cleanup.policy=compact;retention.ms=5;");
}

/* --- records --- */

static void null_empty_and_binary_fields_come_back_as_they_went_in(void **state)
{
    struct store_world *f = *state;
    const struct store_topic *topic = kept_make_topic(f, "t", 1);
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
    kept_commit(f);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct kept_seen seen = {0};
        assert_int_equal(store_records_read(f->store, (struct store_range){topic, 0, (int64_t)i, 1},
                                            kept_see, &seen, &f->err),
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
    struct store_world *f = *state;
    const struct store_topic *topic = kept_make_topic(f, "t", 2);
    for (int i = 0; i < 5; i++) {
        kept_append(f, topic, 0, "x");
        kept_append(f, topic, 1, "y");
    }
    assert_string_equal(kept_read_all(f, "t", 0, 2, 2),
                        "2:x 3:x "); /* also what is not committed yet */
    kept_commit(f);
    assert_string_equal(kept_read_all(f, "t", 0, 3, 100), "3:x 4:x ");
    assert_string_equal(kept_read_all(f, "t", 0, 5, 100), "");
    assert_string_equal(kept_read_all(f, "t", 0, 99, 100), "");
    assert_string_equal(kept_read_all(f, "t", 0, 0, 0), "");
    struct kept_seen seen = {.stop_after = 2};
    assert_int_equal(store_records_read(f->store, (struct store_range){topic, 1, 1, 100}, kept_see,
                                        &seen, &f->err),
                     STATUS_OK);
    assert_string_equal(seen.text, "1:y 2:y ");
    kept_append(f, topic, 0, "z"); /* the read above is over: writing is allowed again */
    kept_commit(f);
}

static void offsets_are_found_by_time(void **state)
{
    struct store_world *f = *state;
    const struct store_topic *topic = kept_make_topic(f, "t", 2);
    const int64_t ordered[] = {10, 20, 20, 20, 30, 31, 50};
    const int64_t disordered[] = {10, 50, 20, 60, 5};
    for (size_t i = 0; i < ARRAY_COUNT(ordered); i++) {
        kept_append_at(f, topic, 0, "x", ordered[i]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(disordered); i++) {
        kept_append_at(f, topic, 1, "x", disordered[i]);
    }
    kept_commit(f);
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
        kept_reopen(f); /* whether times are ordered is kept */
    }
}

/* --- groups --- */

static void group_offsets_are_kept_and_replaced(void **state)
{
    struct store_world *f = *state;
    struct store_commit one = {
        .topic = SPAN_LIT("unknown"), .partition = 3, .offset = 7, .metadata = SPAN_LIT("m")};
    assert_int_equal(store_group_commit(f->store, SPAN_LIT("g"), &one, &f->err), STATUS_OK);
    one.offset = 9;
    one.metadata = (struct span){NULL, 0};
    assert_int_equal(store_group_commit(f->store, SPAN_LIT("g"), &one, &f->err), STATUS_OK);
    kept_commit(f);
    kept_reopen(f);
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

struct commits_from {
    struct config_seen seen;
    size_t left;
};

static bool see_commit_from(void *ctx, const struct store_commit *commit_seen)
{
    struct commits_from *from = ctx;
    see_commit(&from->seen, SPAN_EMPTY, commit_seen);
    return --from->left > 0;
}

static void groups_are_listed_in_order_and_forget_deleted_topics(void **state)
{
    struct store_world *f = *state;
    const char *const groups[] = {"b", "a"};
    kept_make_topic(f, "t", 2);
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
    struct commits_from from = {.left = 2};
    struct store_commit later = {.topic = SPAN_LIT("u"), .partition = 0, .offset = 9};
    assert_int_equal(store_group_commit(f->store, SPAN_LIT("b"), &later, &f->err), STATUS_OK);
    const struct store_group_place place = {SPAN_LIT("b"), SPAN_LIT("t"), 1};
    assert_int_equal(store_group_visit_from(f->store, place, see_commit_from, &from, &f->err),
                     STATUS_OK);
    assert_string_equal(from.seen.text, "/t/1/6;/u/0/9;");
    from = (struct commits_from){.left = 1};
    assert_int_equal(store_group_visit_from(f->store, place, see_commit_from, &from, &f->err),
                     STATUS_OK);
    assert_string_equal(from.seen.text, "/t/1/6;");
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("t"), &f->err), STATUS_OK);
    seen.text[0] = '\0';
    assert_int_equal(store_group_visit(f->store, SPAN_EMPTY, see_commit, &seen, &f->err),
                     STATUS_OK);
    assert_string_equal(seen.text, "b/u/0/9;"); /* Kafka knows no such topic, and keeps it */
    kept_commit(f);
}

static void partitions_of_all_topics_together_have_a_limit(void **state)
{
    struct store_world *f = *state;
    char name[32];
    enum { wide = STORE_PARTITIONS_TOTAL_MAX / STORE_PARTITIONS_MAX - 1 };
    for (int i = 1; i <= wide; i++) {
        snprintf(name, sizeof(name), "wide-%d", i);
        kept_make_topic(f, name, STORE_PARTITIONS_MAX);
    }
    kept_make_topic(f, "rest", STORE_PARTITIONS_MAX - (int32_t)store_topic_count(f->store) + wide);
    struct store_topic_spec more = {.name = SPAN_LIT("more"), .partition_count = 2};
    assert_int_equal(store_topic_create(f->store, &more, &f->err), STATUS_INVALID);
    assert_non_null(strstr(f->err.message, "at most 40000 partitions"));
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("wide-1"), &f->err), STATUS_OK);
    assert_int_equal(store_topic_create(f->store, &more, &f->err), STATUS_OK);
}

static void topics_have_a_limit(void **state)
{
    struct store_world *f = *state;
    char name[32];
    for (size_t i = store_topic_count(f->store); i < STORE_TOPICS_MAX; i++) {
        snprintf(name, sizeof(name), "t%zu", i);
        kept_make_topic(f, name, 1);
    }
    struct store_topic_spec more = {.name = SPAN_LIT("more"), .partition_count = 1};
    assert_int_equal(store_topic_create(f->store, &more, &f->err), STATUS_INVALID);
    assert_non_null(strstr(f->err.message, "at most 10000 topics"));
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("t17"), &f->err), STATUS_OK);
    assert_int_equal(store_topic_create(f->store, &more, &f->err), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_turn_that_only_reads_opens_no_transaction),
        MEMORY_TEST(a_turn_that_only_reads_opens_no_transaction),
        FILE_TEST(records_of_a_committed_turn_survive_a_reopen),
        MEMORY_TEST(partitions_of_all_topics_together_have_a_limit),
        MEMORY_TEST(topics_have_a_limit),
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
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
