/* Record batches through the broker: kept as they came, lent whole from any offset inside, beside
 * records that came alone. Each case runs with the embedded broker and with one that answers later.
 */
#include "later_broker.h"
#include "lost_turn.h"
#include "store.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH_RECORDS = 3 };

struct fixture {
    bool is_later;
    struct temp_dir dir;
    struct env env;
    struct store *store;
    struct timer_heap timers;
    struct broker *embedded;
    struct later_broker later;
    struct broker *broker; /* the one that is asked */
    struct arena arena;
    struct broker_result results[BATCH_RECORDS];
    size_t answered;    /* by done */
    size_t told;        /* appends */
    size_t batches;     /* seen */
    size_t batches_max; /* 0: any number */
    char seen[256];     /* "[first-last=bytes] " of each batch, "offset=value " of each record */
};

static void note_done(struct broker_request *request)
{
    struct fixture *f = request->ctx;
    f->answered++;
}

static void note_append(void *ctx, const struct broker_topic *topic, int32_t partition)
{
    struct fixture *f = ctx;
    assert_true(span_equal_cstr(topic->name, "t"));
    assert_int_equal(partition, 1);
    f->told++;
}

static void open_all(struct fixture *f)
{
    const struct store_options store = {.directory = f->dir.path, .env = &f->env};
    assert_int_equal(store_open(&store, &f->store, NULL), STATUS_OK);
    const struct broker_store_options broker = {.store = f->store, .env = &f->env};
    assert_int_equal(broker_store_new(&broker, &f->embedded), STATUS_OK);
    timer_heap_init(&f->timers, &f->env);
    f->broker = f->embedded;
    if (f->is_later) {
        assert_int_equal(timer_heap_reserve(&f->timers, 1), STATUS_OK);
        later_broker_init(&f->later, f->embedded, &f->timers, &f->env);
        f->broker = &f->later.broker;
    }
    broker_listen(f->broker, (struct broker_listener){note_append, f});
}

static void close_all(struct fixture *f)
{
    if (f->is_later) {
        broker_free(f->broker);
    }
    broker_free(f->embedded);
    timer_heap_release(&f->timers);
    store_close(f->store);
}

static void create_topic(struct fixture *f, const char *name, const char *cleanup)
{
    const struct store_config_entry config = {"cleanup.policy", cleanup};
    const struct store_topic_spec spec = {
        .name = span_from_cstr(name), .partition_count = 2, .configs = &config, .config_count = 1};
    assert_int_equal(store_topic_create(f->store, &spec, NULL), STATUS_OK);
}

static int setup_either(void **state, bool is_later)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->is_later = is_later;
    temp_dir_make(&f->dir);
    env_init_virtual(&f->env, 3, INT64_C(1700000000000000));
    arena_init(&f->arena, 1 << 22);
    open_all(f);
    create_topic(f, "t", "delete");
    create_topic(f, "compacted", "compact");
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_either(state, false);
}

static int setup_later(void **state)
{
    return setup_either(state, true);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close_all(f);
    arena_release(&f->arena);
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void await(struct fixture *f, enum broker_outcome outcome)
{
    assert_int_equal(outcome, f->is_later ? BROKER_LATER : BROKER_DONE);
    size_t answered = f->answered;
    if (f->is_later) {
        env_advance(&f->env, f->later.delay_us);
        timer_heap_run(&f->timers);
        assert_int_equal(f->answered, answered + 1);
    }
}

static struct broker_record record_of(const char *value)
{
    return (struct broker_record){
        .partition = 1, .has_value = true, .value = span_from_cstr(value), .timestamp_ms = -1};
}

static void produce(struct fixture *f, const char *topic, struct span batch,
                    const struct broker_record *records, size_t count)
{
    struct broker_produce request = {
        .base = {.arena = &f->arena, .done = note_done, .ctx = f},
        .topic = span_from_cstr(topic),
        .records = records,
        .results = f->results,
        .count = count,
        .batch = batch,
    };
    memset(f->results, 0xee, sizeof(f->results)); /* every field must be filled */
    await(f, f->broker->ops->produce(f->broker, &request));
}

static void put_batch(struct fixture *f, const char *bytes)
{
    const struct broker_record records[BATCH_RECORDS] = {record_of("x"), record_of("y"),
                                                         record_of("z")};
    produce(f, "t", span_from_cstr(bytes), records, BATCH_RECORDS);
}

static void put_one(struct fixture *f, const char *value)
{
    const struct broker_record record = record_of(value);
    produce(f, "t", SPAN_EMPTY, &record, 1);
    assert_int_equal(f->results[0].error, KAFKA_ERROR_NONE);
}

static void assert_kept(struct fixture *f, int64_t first)
{
    for (int i = 0; i < BATCH_RECORDS; i++) {
        assert_int_equal(f->results[i].error, KAFKA_ERROR_NONE);
        assert_int_equal(f->results[i].partition, 1);
        assert_int_equal(f->results[i].offset, first + i);
        assert_int_equal(f->results[i].timestamp_ms, f->env.wall_us(&f->env) / 1000);
    }
}

static void assert_refused(const struct fixture *f, enum kafka_error error)
{
    for (size_t i = 0; i < BATCH_RECORDS; i++) {
        assert_int_equal(f->results[i].error, error);
        assert_int_equal(f->results[i].offset, -1);
    }
}

static bool see_record(struct broker_fetch *fetch, size_t part, const struct broker_fetched *record)
{
    struct fixture *f = fetch->base.ctx;
    size_t used = strlen(f->seen);
    assert_int_equal(part, 0);
    snprintf(f->seen + used, sizeof(f->seen) - used, "%lld=%.*s ", (long long)record->offset,
             SPAN_ARG(record->value));
    return true;
}

static bool see_batch(struct broker_fetch *fetch, size_t part,
                      const struct broker_fetched_batch *batch)
{
    struct fixture *f = fetch->base.ctx;
    size_t used = strlen(f->seen);
    assert_int_equal(part, 0);
    snprintf(f->seen + used, sizeof(f->seen) - used, "[%lld-%lld=%.*s] ",
             (long long)batch->first_offset, (long long)batch->last_offset, SPAN_ARG(batch->bytes));
    return ++f->batches != f->batches_max;
}

/* Records only without a limit, else batches up to about so many bytes. */
static const char *fetch(struct fixture *f, int64_t offset, int64_t end, int64_t bytes_max)
{
    struct broker_fetch_part part = {
        .topic = SPAN_LIT("t"), .partition = 1, .offset = offset, .end = end};
    struct broker_fetch request = {.base = {.arena = &f->arena, .done = note_done, .ctx = f},
                                   .parts = &part,
                                   .count = 1,
                                   .bytes_max = bytes_max > 0 ? bytes_max : INT64_MAX,
                                   .visit = see_record,
                                   .visit_batch = bytes_max > 0 ? see_batch : NULL};
    f->seen[0] = '\0';
    f->batches = 0;
    await(f, f->broker->ops->fetch(f->broker, &request));
    assert_int_equal(request.base.status, STATUS_OK);
    assert_true(part.is_there);
    return f->seen;
}

/* A batch at 0, one record at 3, batches at 4 and 7, one record at 10. */
static void put_several(struct fixture *f)
{
    put_batch(f, "AAAA");
    assert_kept(f, 0);
    put_one(f, "p");
    put_batch(f, "BBBB");
    assert_kept(f, 4);
    put_batch(f, "CCCC");
    put_one(f, "q");
    assert_int_equal(f->told, 5);
}

static void assert_several(struct fixture *f)
{
    for (int64_t offset = 0; offset < 3; offset++) {
        assert_string_equal(fetch(f, offset, INT64_MAX, INT64_MAX),
                            "[0-2=AAAA] 3=p [4-6=BBBB] [7-9=CCCC] 10=q ");
    }
    assert_string_equal(fetch(f, 3, INT64_MAX, INT64_MAX), "3=p [4-6=BBBB] [7-9=CCCC] 10=q ");
    for (int64_t offset = 4; offset < 7; offset++) {
        assert_string_equal(fetch(f, offset, INT64_MAX, INT64_MAX), "[4-6=BBBB] [7-9=CCCC] 10=q ");
    }
    assert_string_equal(fetch(f, 9, INT64_MAX, INT64_MAX), "[7-9=CCCC] 10=q ");
    assert_string_equal(fetch(f, 10, INT64_MAX, INT64_MAX), "10=q ");
    assert_string_equal(fetch(f, 11, INT64_MAX, INT64_MAX), "");
}

static void a_batch_is_lent_whole_from_any_offset_inside(void **state)
{
    struct fixture *f = *state;
    put_several(f);
    assert_several(f);
    /* The limits are looked at between batches. */
    assert_string_equal(fetch(f, 0, 4, INT64_MAX), "[0-2=AAAA] 3=p ");
    assert_string_equal(fetch(f, 1, 5, INT64_MAX), "[0-2=AAAA] 3=p [4-6=BBBB] ");
    assert_string_equal(fetch(f, 0, INT64_MAX, 1), "[0-2=AAAA] ");
    assert_string_equal(fetch(f, 0, INT64_MAX, 5), "[0-2=AAAA] 3=p ");
    assert_string_equal(fetch(f, 0, INT64_MAX, 9), "[0-2=AAAA] 3=p [4-6=BBBB] ");
}

static void whoever_asks_for_records_sees_records(void **state)
{
    struct fixture *f = *state;
    put_several(f);
    assert_string_equal(fetch(f, 1, 6, 0), "1=y 2=z 3=p 4=x 5=y ");
}

static void whoever_has_seen_enough_batches_is_shown_no_more(void **state)
{
    struct fixture *f = *state;
    put_several(f);
    f->batches_max = 2;
    assert_string_equal(fetch(f, 0, INT64_MAX, INT64_MAX), "[0-2=AAAA] 3=p [4-6=BBBB] ");
}

static void batches_outlive_a_restart(void **state)
{
    struct fixture *f = *state;
    put_several(f);
    assert_int_equal(store_turn_commit(f->store, NULL), STATUS_OK);
    close_all(f);
    open_all(f);
    assert_several(f);
}

static void a_failed_turn_takes_its_batch_along(void **state)
{
    struct fixture *f = *state;
    put_batch(f, "AAAA");
    assert_int_equal(store_turn_commit(f->store, NULL), STATUS_OK);
    put_batch(f, "lost");
    assert_kept(f, 3);
    lose_turn(f->store);
    assert_int_equal(store_turn_commit(f->store, NULL), STATUS_DISK_FULL);
    assert_string_equal(fetch(f, 0, INT64_MAX, INT64_MAX), "[0-2=AAAA] ");
    put_batch(f, "BBBB");
    assert_kept(f, 3);
    assert_string_equal(fetch(f, 5, INT64_MAX, INT64_MAX), "[3-5=BBBB] ");
}

/* One record is at fault, and nothing of the batch is kept. */
static void a_batch_is_refused_as_a_whole(void **state)
{
    struct fixture *f = *state;
    struct broker_record records[BATCH_RECORDS] = {record_of("x"), record_of("y"), record_of("z")};
    char *big = calloc(1, BROKER_BATCH_BYTES_MAX + 1);
    assert_non_null(big);
    records[0].has_key = true;
    records[2].has_key = true;
    produce(f, "compacted", SPAN_LIT("B"), records, BATCH_RECORDS);
    assert_refused(f, KAFKA_ERROR_INVALID_RECORD);
    produce(f, "nowhere", SPAN_LIT("B"), records, BATCH_RECORDS);
    assert_refused(f, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    produce(f, "t", span_from(big, BROKER_BATCH_BYTES_MAX + 1), records, BATCH_RECORDS);
    assert_refused(f, KAFKA_ERROR_MESSAGE_TOO_LARGE);
    for (int i = 0; i < BATCH_RECORDS; i++) {
        records[i].partition = 2;
    }
    produce(f, "t", SPAN_LIT("B"), records, BATCH_RECORDS);
    assert_refused(f, KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION);
    assert_string_equal(fetch(f, 0, INT64_MAX, INT64_MAX), "");
    assert_int_equal(f->told, 0);
    /* The producer has judged the sizes of the records itself: they may have come compressed. */
    records[0] = record_of("x");
    records[0].value = span_from(big, BROKER_BATCH_BYTES_MAX + 1);
    produce(f, "t", SPAN_LIT("B"), records, 1);
    assert_int_equal(f->results[0].error, KAFKA_ERROR_NONE);
    free(big);
}

/* Kafka's cleanup.policy is a list. */
static void a_topic_that_is_compacted_among_other_things_wants_keys(void **state)
{
    static const struct {
        const char *policy;
        enum kafka_error error;
    } rows[] = {
        {"compact", KAFKA_ERROR_INVALID_RECORD},
        {"compact,delete", KAFKA_ERROR_INVALID_RECORD},
        {"delete, compact", KAFKA_ERROR_INVALID_RECORD},
        {"delete", KAFKA_ERROR_NONE},
    };
    struct fixture *f = *state;
    const struct broker_record record = record_of("x");
    broker_unlisten(f->broker, f); /* it knows one topic only */
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char name[16];
        snprintf(name, sizeof(name), "policy-%zu", i);
        create_topic(f, name, rows[i].policy);
        produce(f, name, SPAN_EMPTY, &record, 1);
        assert_int_equal(f->results[0].error, rows[i].error);
    }
}

#define BOTH(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, setup, teardown),                                        \
        cmocka_unit_test_setup_teardown(name, setup_later, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(a_batch_is_lent_whole_from_any_offset_inside),
        BOTH(whoever_asks_for_records_sees_records),
        BOTH(whoever_has_seen_enough_batches_is_shown_no_more),
        BOTH(batches_outlive_a_restart),
        BOTH(a_failed_turn_takes_its_batch_along),
        BOTH(a_batch_is_refused_as_a_whole),
        BOTH(a_topic_that_is_compacted_among_other_things_wants_keys),
    };
    return cmocka_run_group_tests_name("broker_batches", tests, NULL, NULL);
}
