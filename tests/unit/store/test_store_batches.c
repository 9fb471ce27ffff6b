/* Record batches in the log: kept as they came, beside their records, as long as those. */
#include "lost_turn.h"
#include "sqlite_db.h"
#include "store_internal.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct temp_dir dir;
    struct env env;
    struct store *store;
    struct error err;
    struct buf bytes;
    struct store_batch batch;
};

static void open_store(struct fixture *f)
{
    struct store_options options = {.directory = f->dir.path, .env = &f->env};
    if (store_open(&options, &f->store, &f->err) != STATUS_OK) {
        fail_msg("store_open: %s", f->err.message);
    }
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    env_init_virtual(&f->env, 7, INT64_C(1700000000000000));
    buf_init(&f->bytes, STORE_BATCH_BYTES_MAX + 1);
    open_store(f);
    const struct store_topic_spec spec = {.name = SPAN_LIT("t"), .partition_count = 2};
    assert_int_equal(store_topic_create(f->store, &spec, &f->err), STATUS_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    temp_dir_remove(&f->dir);
    buf_release(&f->bytes);
    free(f);
    return 0;
}

static struct store_place place(struct fixture *f)
{
    const struct store_topic *topic = store_topic_find(f->store, SPAN_LIT("t"));
    assert_non_null(topic);
    return (struct store_place){topic, 1};
}

static void commit(struct fixture *f)
{
    assert_int_equal(store_turn_commit(f->store, &f->err), STATUS_OK);
}

static void reopen(struct fixture *f)
{
    store_close(f->store);
    open_store(f);
}

static struct store_record record_of(const char *value)
{
    return (struct store_record){.timestamp_ms = 5,
                                 .has_key = true,
                                 .key = SPAN_LIT("k"),
                                 .has_value = true,
                                 .value = span_from_cstr(value),
                                 .headers = SPAN_LIT("\x02\x02h\x01")};
}

static int64_t append_one(struct fixture *f, const char *value)
{
    int64_t offset = -1;
    struct store_record record = record_of(value);
    assert_int_equal(store_record_append(f->store, place(f), &record, &offset, &f->err), STATUS_OK);
    return offset;
}

/* Three records "<bytes>0" to "<bytes>2". */
static int64_t append_batch(struct fixture *f, const char *bytes)
{
    int64_t first = -1;
    char values[3][40];
    struct store_record records[3];
    for (int i = 0; i < 3; i++) {
        snprintf(values[i], sizeof(values[i]), "%s%d", bytes, i);
        records[i] = record_of(values[i]);
    }
    const struct store_batch_put put = {span_from_cstr(bytes), records, ARRAY_COUNT(records)};
    assert_int_equal(store_batch_append(f->store, place(f), &put, &first, &f->err), STATUS_OK);
    return first;
}

static enum status find(struct fixture *f, int64_t offset)
{
    buf_reset(&f->bytes);
    return store_batch_find(f->store, place(f), offset, &f->batch, &f->bytes, &f->err);
}

static void assert_batch(struct fixture *f, int64_t offset, int64_t first, const char *bytes)
{
    assert_int_equal(find(f, offset), STATUS_OK);
    assert_int_equal(f->batch.first_offset, first);
    assert_int_equal(f->batch.last_offset, first + 2);
    assert_true(span_equal_cstr(f->batch.bytes, bytes));
}

static int64_t query(struct fixture *f, const char *sql)
{
    int64_t value = -1;
    assert_int_equal(sqlite_db_query_i64(&f->store->db, sql, &value, &f->err), STATUS_OK);
    return value;
}

static void a_batch_is_found_by_every_offset_in_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(append_one(f, "before"), 0);
    assert_int_equal(append_batch(f, "A"), 1);
    assert_int_equal(append_batch(f, "B"), 4);
    assert_int_equal(append_one(f, "between"), 7);
    assert_int_equal(append_batch(f, "C"), 8);
    assert_int_equal(append_one(f, "behind"), 11);
    for (int round = 0; round < 2; round++) {
        for (int64_t offset = 1; offset < 4; offset++) {
            assert_batch(f, offset, 1, "A");
            assert_batch(f, offset + 3, 4, "B");
            assert_batch(f, offset + 7, 8, "C");
        }
        /* Records that came alone: the next batch begins behind them. */
        assert_batch(f, 0, 1, "A");
        assert_batch(f, 7, 8, "C");
        assert_int_equal(find(f, 11), STATUS_NOT_FOUND);
        assert_int_equal(find(f, 12), STATUS_NOT_FOUND);
        commit(f);
        reopen(f);
    }
}

static bool join_values(void *ctx, const struct store_record *record)
{
    struct buf *out = ctx;
    buf_append_span(out, record->value);
    buf_append_byte(out, ' ');
    assert_true(span_equal_cstr(record->key, "k"));
    assert_int_equal(record->headers.len, 4);
    return true;
}

static void its_records_are_records_like_any_others(void **state)
{
    struct fixture *f = *state;
    int64_t offset = -1;
    append_one(f, "x");
    append_batch(f, "A");
    append_one(f, "y");
    commit(f);
    buf_reset(&f->bytes);
    struct store_range range = {place(f).topic, 1, 0, 100};
    assert_int_equal(store_records_read(f->store, range, join_values, &f->bytes, &f->err),
                     STATUS_OK);
    assert_string_equal(buf_cstr(&f->bytes), "x A0 A1 A2 y ");
    assert_int_equal(store_offset_for_time(f->store, place(f), 5, &offset, &f->err), STATUS_OK);
    assert_int_equal(offset, 0);
    assert_int_equal(query(f,
                           "SELECT count(*) FROM records WHERE topic = 't' AND partition = 1 AND "
                           "value LIKE 'A%'"),
                     3);
    assert_int_equal(query(f, "SELECT records FROM topics"), 5);
    assert_int_equal(place(f).topic->partitions[1].next_offset, 5);
}

/* A reader goes on behind the batch that it was given: one that ends before would keep it there. */
static void a_batch_that_is_not_in_the_log_is_damage(void **state)
{
    static const char *const damages[] = {
        "UPDATE batch SET last_offset = 9", "UPDATE batch SET last_offset = 9223372036854775807",
        "UPDATE batch SET last_offset = 2, first_offset = 3", "UPDATE batch SET first_offset = -1",
        "UPDATE batch SET first_offset = 0, last_offset = 'none'"};
    struct fixture *f = *state;
    append_batch(f, "A");
    commit(f);
    for (size_t i = 0; i < ARRAY_COUNT(damages); i++) {
        assert_int_equal(sqlite_db_exec(&f->store->db, damages[i], &f->err), STATUS_OK);
        assert_int_equal(find(f, 1), STATUS_CORRUPT);
        assert_non_null(strstr(f->err.message, "topic t is not in its log"));
    }
}

static void a_lost_turn_and_a_savepoint_take_batches_back(void **state)
{
    struct fixture *f = *state;
    append_batch(f, "A");
    commit(f);
    append_batch(f, "lost");
    lose_turn(f->store);
    assert_int_equal(store_turn_commit(f->store, &f->err), STATUS_DISK_FULL);
    assert_int_equal(find(f, 3), STATUS_NOT_FOUND);
    append_batch(f, "B");
    assert_int_equal(store_savepoint(f->store, &f->err), STATUS_OK);
    append_batch(f, "back");
    store_savepoint_rollback(f->store);
    assert_int_equal(append_batch(f, "C"), 6);
    commit(f);
    reopen(f);
    assert_batch(f, 2, 0, "A");
    assert_batch(f, 3, 3, "B");
    assert_batch(f, 8, 6, "C");
    assert_int_equal(find(f, 9), STATUS_NOT_FOUND);
}

static void batches_go_with_their_topic(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3 * STORE_SWEEP_BATCHES; i++) {
        append_batch(f, "A");
    }
    commit(f);
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("t"), &f->err), STATUS_OK);
    const struct store_topic_spec spec = {.name = SPAN_LIT("t"), .partition_count = 2};
    assert_int_equal(store_topic_create(f->store, &spec, &f->err), STATUS_OK);
    commit(f);
    assert_int_equal(find(f, 0), STATUS_NOT_FOUND); /* at once */
    assert_int_equal(append_batch(f, "new"), 0);
    commit(f);
    while (store_housekeep(f->store)) {
    }
    assert_int_equal(query(f, "SELECT count(*) FROM batch"), 1);
    assert_int_equal(query(f, "SELECT count(*) FROM record"), 3);
    assert_batch(f, 0, 0, "new");
}

static void what_is_no_batch_is_refused_before_anything_is_written(void **state)
{
    struct fixture *f = *state;
    int64_t first = -1;
    struct store_record record = record_of("v");
    char *large = calloc(1, STORE_BATCH_BYTES_MAX + 1);
    assert_non_null(large);
    const struct store_batch_put puts[] = {
        {SPAN_LIT("bytes"), &record, 0},
        {SPAN_EMPTY, &record, 1},
        {span_from(large, STORE_BATCH_BYTES_MAX + 1), &record, 1},
    };
    commit(f);
    for (size_t i = 0; i < ARRAY_COUNT(puts); i++) {
        assert_int_equal(store_batch_append(f->store, place(f), &puts[i], &first, &f->err),
                         STATUS_INVALID);
    }
    assert_false(store_turn_has_writes(f->store));
    const struct store_batch_put largest = {span_from(large, STORE_BATCH_BYTES_MAX), &record, 1};
    assert_int_equal(store_batch_append(f->store, place(f), &largest, &first, &f->err), STATUS_OK);
    commit(f);
    assert_int_equal(find(f, 0), STATUS_OK);
    assert_int_equal(f->batch.bytes.len, STORE_BATCH_BYTES_MAX);
    free(large);
}

static void a_buffer_without_room_is_told(void **state)
{
    struct fixture *f = *state;
    struct buf small;
    buf_init(&small, 2);
    append_batch(f, "more than two");
    assert_int_equal(store_batch_find(f->store, place(f), 0, &f->batch, &small, &f->err),
                     STATUS_LIMIT);
    buf_release(&small);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_batch_is_found_by_every_offset_in_it),
        T(its_records_are_records_like_any_others),
        T(a_batch_that_is_not_in_the_log_is_damage),
        T(a_lost_turn_and_a_savepoint_take_batches_back),
        T(batches_go_with_their_topic),
        T(what_is_no_batch_is_refused_before_anything_is_written),
        T(a_buffer_without_room_is_told),
    };
    return cmocka_run_group_tests_name("store_batches", tests, NULL, NULL);
}
