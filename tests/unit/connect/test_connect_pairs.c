/* What connectors remember about topic-partitions: as much as there is to remember, within the
 * budget, and nothing about those that have kept up. */
#include "connect_worker_internal.h"
#include "lost_turn.h"
#include "sink_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WIDE = 2000 };

static void make_topic(struct sink_world *f, const char *name, int32_t partitions)
{
    struct store_topic_spec spec = {.name = span_from_cstr(name), .partition_count = partitions};
    assert_int_equal(store_topic_create(f->store, &spec, NULL), STATUS_OK);
}

static void produce_to(struct sink_world *f, const char *topic, int32_t partition)
{
    struct broker_record record = {.partition = partition,
                                   .has_value = true,
                                   .value = SPAN_LIT("1"),
                                   .headers = SPAN_EMPTY,
                                   .timestamp_ms = -1};
    sink_world_produce_record(f, topic, &record);
    arena_reset(&f->arena);
}

static void produce_to_each(struct sink_world *f, const char *topic, int32_t from, int32_t to)
{
    for (int32_t i = from; i < to; i++) {
        produce_to(f, topic, i);
    }
}

static void run_until_idle(struct sink_world *f)
{
    for (int i = 0; i < 100 && sink_world_run(f); i++) {
        assert_int_equal(store_turn_commit(f->store, NULL), STATUS_OK);
    }
    assert_false(sink_world_run(f));
    assert_int_equal(store_turn_commit(f->store, NULL), STATUS_OK);
}

static size_t remembered(const struct sink_world *f)
{
    return f->worker->partitions.count;
}

static size_t settled(const struct sink_world *f)
{
    return f->worker->partitions.settled.count;
}

static size_t counted(const struct sink_world *f)
{
    return f->budget.shares[BUDGET_PAIRS].used_bytes;
}

/* --- what is remembered ----------------------------------------------------------------------- */

static void nothing_is_remembered_about_partitions_without_records(void **state)
{
    struct sink_world *f = *state;
    char name[16];
    make_topic(f, "u.wide", 10000);
    make_topic(f, "u.wider", 10000);
    sink_world_workshop_settings(f);
    for (int i = 0; i < 20; i++) {
        struct connect_entries entries = {f->settings, f->setting_count};
        snprintf(name, sizeof(name), "c%d", i);
        struct connect_spec spec = {
            .name = span_from_cstr(name), .config = &entries, .msk = SPAN_EMPTY};
        assert_int_equal(connect_worker_put(f->worker, &spec, NULL), STATUS_OK);
    }
    run_until_idle(f);
    assert_int_equal(remembered(f), 0);
    assert_true(counted(f) < 20 * 8192); /* their configurations: 400 000 pairs add nothing */
}

static void what_has_settled_is_forgotten(void **state)
{
    struct sink_world *f = *state;
    make_topic(f, "u.wide", WIDE);
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    produce_to_each(f, "u.wide", 0, WIDE);
    run_until_idle(f);
    assert_int_equal(sink_world_key_count(f), WIDE);
    assert_int_equal(remembered(f), CONNECT_SETTLED_KEPT);
    assert_int_equal(settled(f), CONNECT_SETTLED_KEPT);
    produce_to(f, "u.wide", 0);
    sink_world_turn(f);
    sink_world_assert_object(f, "topics/u.wide/partition=0/u.wide+0+0000000001.json", "1\n");
    assert_int_equal(sink_world_key_count(f), WIDE + 1);
    assert_int_equal(remembered(f), CONNECT_SETTLED_KEPT);
}

static void what_waits_in_an_open_file_is_remembered(void **state)
{
    struct sink_world *f = *state;
    enum { open_files = 400 };
    make_topic(f, "u.wide", WIDE);
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "2");
    sink_world_put_connector(f);
    produce_to_each(f, "u.wide", 0, open_files);
    run_until_idle(f);
    assert_int_equal(remembered(f), open_files);
    assert_int_equal(settled(f), 0);
    produce_to_each(f, "u.wide", 0, open_files);
    run_until_idle(f);
    assert_int_equal(sink_world_key_count(f), open_files);
    sink_world_assert_object(f, "topics/u.wide/partition=7/u.wide+7+0000000000.json", "1\n1\n");
    assert_int_equal(remembered(f), CONNECT_SETTLED_KEPT);
}

static void a_topic_that_goes_is_forgotten(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "2");
    sink_world_put_connector(f);
    sink_world_produce(f, "u.pin", "1");
    sink_world_produce(f, "u.geo", "1");
    sink_world_turn(f);
    assert_int_equal(remembered(f), 2);
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("u.pin"), NULL), STATUS_OK);
    sink_world_turn(f);
    assert_int_equal(remembered(f), 1);
    assert_int_equal(f->worker->pool.open_streams, 1);
}

static void a_lost_turn_leaves_nothing_behind(void **state)
{
    struct sink_world *f = *state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "2");
    sink_world_put_connector(f);
    sink_world_turn(f);
    size_t before = counted(f);
    make_topic(f, "u.wide", WIDE);
    produce_to_each(f, "u.wide", 0, 100);
    sink_world_run(f);
    lose_turn(f->store);
    assert_int_equal(store_turn_commit(f->store, NULL), STATUS_DISK_FULL);
    run_until_idle(f);
    assert_int_equal(remembered(f), 0);
    assert_int_equal(f->worker->pool.open_streams, 0);
    /* The table of remembered partitions has grown meanwhile, and stays; a few closed files wait.
     */
    sink_pool_release(&f->worker->pool);
    assert_int_equal(counted(f) - f->worker->partitions.counted, before);
}

static void a_paused_connector_remembers_no_more_than_it_did(void **state)
{
    struct sink_world *f = *state;
    make_topic(f, "u.wide", WIDE);
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "2");
    sink_world_put_connector(f);
    produce_to(f, "u.wide", 0);
    sink_world_turn(f);
    assert_int_equal(connect_worker_pause(f->worker, SPAN_LIT("c"), true, NULL), STATUS_OK);
    sink_world_turn(f);
    produce_to_each(f, "u.wide", 0, 300);
    run_until_idle(f);
    assert_int_equal(remembered(f), 1);
    assert_int_equal(connect_worker_pause(f->worker, SPAN_LIT("c"), false, NULL), STATUS_OK);
    run_until_idle(f);
    sink_world_assert_object(f, "topics/u.wide/partition=0/u.wide+0+0000000000.json", "1\n1\n");
    assert_int_equal(sink_world_key_count(f), 1);
    assert_int_equal(remembered(f), 300); /* 299 open files, and what has settled */
}

/* --- many that have fallen behind ------------------------------------------------------------- */

static void a_backlog_of_many_partitions_is_remembered_slice_by_slice(void **state)
{
    struct sink_world *f = *state;
    make_topic(f, "u.wide", WIDE);
    produce_to_each(f, "u.wide", 0, WIDE);
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    size_t runs = 1;
    for (; sink_world_run(f); runs++) {
        assert_true(remembered(f) <= CONNECT_SETTLED_KEPT + CONNECT_BEHIND_PARTITIONS);
        assert_int_equal(store_turn_commit(f->store, NULL), STATUS_OK);
    }
    assert_true(runs > 1);
    assert_int_equal(sink_world_key_count(f), WIDE);
    assert_int_equal(sink_world_committed(f, "u.wide", WIDE - 1), 1);
    assert_int_equal(remembered(f), CONNECT_SETTLED_KEPT);
}

static void a_record_does_not_wait_for_the_search(void **state)
{
    struct sink_world *f = *state;
    make_topic(f, "u.wide", 10000);
    make_topic(f, "u.wider", 10000);
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    assert_true(f->worker->connectors[0]->scan.due); /* one turn does not look at them all */
    produce_to(f, "u.wider", 9999);
    sink_world_run(f);
    sink_world_assert_object(f, "topics/u.wider/partition=9999/u.wider+9999+0000000000.json",
                             "1\n");
    run_until_idle(f);
    assert_false(f->worker->connectors[0]->scan.due);
}

static void topics_that_come_and_go_do_not_end_the_search_early(void **state)
{
    struct sink_world *f = *state;
    make_topic(f, "u.a", 10000);
    make_topic(f, "u.z", 1);
    make_topic(f, "u.b", 1);
    produce_to(f, "u.z", 0);
    produce_to(f, "u.b", 0);
    sink_world_workshop_settings(f);
    sink_world_put_connector(f); /* the search stands in u.a */
    assert_int_equal(sink_world_key_count(f), 0);
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("u.a"), NULL), STATUS_OK);
    make_topic(f, "u.0", 1);
    run_until_idle(f);
    assert_int_equal(sink_world_key_count(f), 2);
}

static void those_that_wait_for_their_next_try_are_few(void **state)
{
    struct sink_world *f = *state;
    make_topic(f, "u.wide", WIDE);
    produce_to_each(f, "u.wide", 0, WIDE);
    sink_world_workshop_settings(f);
    struct connect_entries entries = {f->settings, f->setting_count};
    struct connect_spec spec = {.name = SPAN_LIT("c"), .config = &entries, .msk = SPAN_EMPTY};
    assert_int_equal(connect_worker_put(f->worker, &spec, NULL), STATUS_OK);
    assert_int_equal(connect_worker_pause(f->worker, SPAN_LIT("c"), true, NULL), STATUS_OK);
    sink_world_turn(f);
    assert_int_equal(store_bucket_delete(f->store, sink_world_bucket_id(f), NULL), STATUS_OK);
    assert_int_equal(connect_worker_pause(f->worker, SPAN_LIT("c"), false, NULL), STATUS_OK);
    run_until_idle(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    assert_in_range(remembered(f), CONNECT_WAITING_MAX,
                    CONNECT_WAITING_MAX + CONNECT_BEHIND_PARTITIONS);
    assert_int_equal(store_bucket_create(f->store, SPAN_LIT(WORLD_BUCKET), SPAN_LIT("r"), NULL),
                     STATUS_OK);
    env_advance(&f->env, 5000000); /* retry.backoff.ms */
    run_until_idle(f);
    assert_int_equal(sink_world_key_count(f), WIDE);
}

/* --- the budget ------------------------------------------------------------------------------- */

static void a_task_for_which_no_memory_is_left_fails_and_the_rest_goes_on(void **state)
{
    struct sink_world *f = *state;
    enum { own_bytes = 2 * CONNECT_PARTITIONS_OWN * 1024 };
    struct connect_connector_view view;
    make_topic(f, "u.wide", WIDE);
    sink_world_workshop_settings(f);
    struct connect_entries entries = {f->settings, f->setting_count};
    struct connect_spec other = {.name = SPAN_LIT("other"), .config = &entries, .msk = SPAN_EMPTY};
    assert_int_equal(connect_worker_put(f->worker, &other, NULL), STATUS_OK);
    sink_world_set(f, "flush.size", "2");
    sink_world_set(f, "topics.regex", "u.wide");
    sink_world_set(f, "tasks.max", "1");
    sink_world_put_connector(f);
    f->budget.shares[BUDGET_PAIRS].max_bytes = counted(f) + 64 * 1024;
    for (int32_t i = 0; i < 400; i++) {
        produce_to(f, "u.wide", i);
        sink_world_turn(f);
        assert_true(counted(f) <= f->budget.shares[BUDGET_PAIRS].max_bytes + own_bytes);
    }
    assert_string_equal(sink_world_task_states(f), "FAILED");
    assert_non_null(strstr(sink_world_trace(f, 0), "java.lang.OutOfMemoryError: Java heap space"));
    assert_non_null(strstr(sink_world_trace(f, 0), "`pinpipe serve --memory` gives more"));
    assert_int_equal(f->worker->pool.open_streams, 0);
    assert_true(connect_worker_find(f->worker, SPAN_LIT("other"), &view));
    for (size_t i = 0; i < view.task_count; i++) {
        assert_int_equal(view.tasks[i].state, CONNECT_RUNNING);
    }
    assert_int_equal(sink_world_key_count(f), 400); /* the other's, all of them */
    f->budget.shares[BUDGET_PAIRS].max_bytes *= 100;
    assert_int_equal(connect_worker_restart_task(f->worker, SPAN_LIT("c"), 0, NULL), STATUS_OK);
    run_until_idle(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING");
    assert_int_equal(f->worker->pool.open_streams, 400);
}

static void a_backlog_for_which_no_memory_is_left_fails_its_task(void **state)
{
    struct sink_world *f = *state;
    make_topic(f, "u.wide", WIDE);
    produce_to_each(f, "u.wide", 0, 400);
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "2");
    sink_world_set(f, "tasks.max", "2");
    enum { share = 64 * 1024, own = (CONNECT_PARTITIONS_OWN + SINK_OPEN_STREAMS_OWN) * 1024 };
    f->budget.shares[BUDGET_PAIRS].max_bytes = share;
    sink_world_put_connector(f);
    run_until_idle(f);
    assert_string_equal(sink_world_task_states(f), "FAILED FAILED");
    assert_int_equal(remembered(f), 0);
    assert_true(f->budget.shares[BUDGET_PAIRS].peak_bytes <= share + own);
}

static void what_has_settled_yields_before_anybody_fails(void **state)
{
    struct sink_world *f = *state;
    make_topic(f, "u.wide", WIDE);
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    f->budget.shares[BUDGET_PAIRS].max_bytes = counted(f) + 16 * 1024;
    for (int32_t i = 0; i < WIDE; i++) {
        produce_to(f, "u.wide", i);
        if (i % 8 == 0) {
            sink_world_turn(f);
        }
    }
    run_until_idle(f);
    assert_string_equal(sink_world_task_states(f), "RUNNING RUNNING RUNNING");
    assert_int_equal(sink_world_key_count(f), WIDE);
    assert_in_range(remembered(f), 1, CONNECT_SETTLED_KEPT - 1);
}

static void a_connector_for_which_no_memory_is_left_is_refused(void **state)
{
    struct sink_world *f = *state;
    struct error err;
    size_t others = 0;
    sink_world_workshop_settings(f);
    struct connect_entries entries = {f->settings, f->setting_count};
    struct connect_spec spec = {.name = SPAN_LIT("c"), .config = &entries, .msk = SPAN_EMPTY};
    budget_note(&f->budget, BUDGET_PAIRS, &others, f->budget.shares[BUDGET_PAIRS].max_bytes);
    assert_int_equal(connect_worker_put(f->worker, &spec, &err), STATUS_LIMIT);
    assert_non_null(strstr(err.message, "`pinpipe serve --memory` gives more"));
    assert_int_equal(connect_worker_count(f->worker), 0);
    budget_note(&f->budget, BUDGET_PAIRS, &others, 0);
    assert_int_equal(connect_worker_put(f->worker, &spec, &err), STATUS_OK);
}

/* --- scheduled rotations ---------------------------------------------------------------------- */

/* The period ends at 22:20:00, which is in 400 s. */
static void schedule(struct sink_world *f)
{
    make_topic(f, "u.wide", WIDE);
    sink_world_workshop_settings(f);
    sink_world_set(f, "flush.size", "1000");
    sink_world_set(f, "rotate.schedule.interval.ms", "600000");
    sink_world_set(f, "timezone", "UTC");
    sink_world_put_connector(f);
    run_until_idle(f);
}

static void a_partition_nobody_looked_at_for_a_period_is_due(void **state)
{
    struct sink_world *f = *state;
    schedule(f);
    env_advance(&f->env, INT64_C(401) * 1000000);
    produce_to(f, "u.wide", 5);
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 1);
    produce_to(f, "u.wide", 5); /* the next one waits for the end of this period */
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 1);
    env_advance(&f->env, INT64_C(600) * 1000000);
    run_until_idle(f);
    assert_int_equal(sink_world_key_count(f), 2);
}

static void a_topic_made_in_a_period_is_due_when_that_ends(void **state)
{
    struct sink_world *f = *state;
    schedule(f);
    env_advance(&f->env, INT64_C(401) * 1000000);
    sink_world_turn(f);
    make_topic(f, "u.late", 2);
    sink_world_turn(f);
    produce_to(f, "u.late", 0);
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 0);
    env_advance(&f->env, INT64_C(600) * 1000000);
    produce_to(f, "u.late", 1);
    run_until_idle(f);
    assert_int_equal(sink_world_key_count(f), 2);
}

static void a_plan_is_remembered_until_its_time_has_come(void **state)
{
    struct sink_world *f = *state;
    enum { rotated = CONNECT_SETTLED_KEPT + 100 };
    schedule(f);
    env_advance(&f->env, INT64_C(401) * 1000000);
    produce_to_each(f, "u.wide", 0, rotated);
    run_until_idle(f);
    assert_int_equal(sink_world_key_count(f), rotated);
    assert_int_equal(f->worker->partitions.planned.count, rotated);
    env_advance(&f->env, INT64_C(600) * 1000000);
    produce_to(f, "u.wide", 0);
    run_until_idle(f);
    assert_int_equal(sink_world_key_count(f), rotated + 1);
    assert_int_equal(remembered(f), 1);
}

/* --- what one turn does ------------------------------------------------------------------------
 */

static void a_record_of_many_connectors_is_the_work_of_several_turns(void **state)
{
    struct sink_world *f = *state;
    enum { connectors = CONNECT_RUN_PARTITIONS_MAX * 2 + 100 };
    char text[16];
    sink_world_workshop_settings(f);
    for (int i = 0; i < connectors; i++) {
        struct connect_spec spec = {.msk = SPAN_EMPTY};
        snprintf(text, sizeof(text), "c%d", i);
        sink_world_set(f, "topics.dir", text);
        struct connect_entries entries = {f->settings, f->setting_count};
        spec.name = span_from_cstr(text);
        spec.config = &entries;
        assert_int_equal(connect_worker_put(f->worker, &spec, NULL), STATUS_OK);
    }
    run_until_idle(f);
    sink_world_produce(f, "u.pin", "1");
    for (size_t done = CONNECT_RUN_PARTITIONS_MAX; done < connectors;
         done += CONNECT_RUN_PARTITIONS_MAX) {
        assert_true(sink_world_run(f));
        assert_int_equal(sink_world_key_count(f), done);
        assert_int_equal(store_turn_commit(f->store, NULL), STATUS_OK);
    }
    assert_false(sink_world_run(f));
    assert_int_equal(sink_world_key_count(f), connectors);
}

/* A partition with more than that counts as one that has fallen behind, and has the share of those
 * in the same turn. */
static void records_beyond_a_turns_are_taken_in_the_next(void **state)
{
    struct sink_world *f = *state;
    enum { a_turn = CONNECT_RUN_RECORDS_MAX + CONNECT_BEHIND_RECORDS_MAX, records = a_turn + 300 };
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    run_until_idle(f);
    sink_world_produce_many(f, "u.pin", records);
    assert_true(sink_world_run(f));
    assert_int_equal(sink_world_key_count(f), a_turn);
    run_until_idle(f);
    assert_int_equal(sink_world_key_count(f), records);
}

/* The last batch of each of the two shares may go beyond it. */
static void large_records_end_a_turn_by_their_bytes(void **state)
{
    struct sink_world *f = *state;
    enum {
        value_bytes = 400 * 1024,
        a_turn = (CONNECT_RUN_BYTES_MAX + 3 * CONNECT_BATCH_BYTES) / value_bytes,
        records = 2 * a_turn,
    };
    char *value = malloc(value_bytes + 1);
    assert_non_null(value);
    memset(value, '1', value_bytes);
    value[value_bytes] = '\0';
    sink_world_workshop_settings(f);
    sink_world_put_connector(f);
    run_until_idle(f);
    for (int32_t i = 0; i < records; i++) {
        sink_world_produce(f, "u.pin", value);
    }
    assert_true(sink_world_run(f));
    assert_in_range(sink_world_key_count(f), 1, a_turn);
    run_until_idle(f);
    assert_int_equal(sink_world_key_count(f), records);
    free(value);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, sink_world_setup, sink_world_teardown)
    const struct CMUnitTest tests[] = {
        T(nothing_is_remembered_about_partitions_without_records),
        T(what_has_settled_is_forgotten),
        T(what_waits_in_an_open_file_is_remembered),
        T(a_topic_that_goes_is_forgotten),
        T(a_lost_turn_leaves_nothing_behind),
        T(a_paused_connector_remembers_no_more_than_it_did),
        T(a_backlog_of_many_partitions_is_remembered_slice_by_slice),
        T(a_record_does_not_wait_for_the_search),
        T(topics_that_come_and_go_do_not_end_the_search_early),
        T(those_that_wait_for_their_next_try_are_few),
        T(a_task_for_which_no_memory_is_left_fails_and_the_rest_goes_on),
        T(a_backlog_for_which_no_memory_is_left_fails_its_task),
        T(what_has_settled_yields_before_anybody_fails),
        T(a_connector_for_which_no_memory_is_left_is_refused),
        T(a_partition_nobody_looked_at_for_a_period_is_due),
        T(a_topic_made_in_a_period_is_due_when_that_ends),
        T(a_plan_is_remembered_until_its_time_has_come),
        T(a_record_of_many_connectors_is_the_work_of_several_turns),
        T(records_beyond_a_turns_are_taken_in_the_next),
        T(large_records_end_a_turn_by_their_bytes),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
