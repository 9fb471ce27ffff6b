/* The sink on a failing disk. One session of turns runs again and again; each time another of its
 * operations fails, or the machine goes down there. Whatever happens, at any moment:
 *
 *   - the objects hold the records of the topic from the first on, each once, in order;
 *   - as many as the committed offset says: object and offset never part;
 *   - once the disk works again the sink goes on, and nothing is missing in the end.
 *
 * Every third point by default; PINPIPE_FAULT_STRIDE=1 (make fault) tests each. */
#include "fault_points.h"
#include "sink_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VFS_NAME "pinpipe-sink-fault"

enum { TURNS = 6, RECORDS_A_TURN = 3, POINTS_MAX = 100000 };

struct fixture {
    struct fault_vfs vfs;
    struct sink_world *world;
    struct temp_dir image;
    int next_value;
    char what[96];
};

/* On the heap: a test that fails leaves its VFS behind for teardown. */
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    fault_vfs_install(&f->vfs, VFS_NAME);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fault_vfs_uninstall(&f->vfs);
    free(f);
    return 0;
}

/* --- the session ------------------------------------------------------------------------------ */

static void begin(struct fixture *f, const char *flush_size)
{
    void *state;
    f->next_value = 0;
    fault_vfs_uninstall(&f->vfs);
    fault_vfs_install(&f->vfs, VFS_NAME);
    sink_world_setup(&state);
    f->world = state;
    sink_world_close(f->world);
    f->world->on_disk = true;
    f->world->env.sqlite_vfs = VFS_NAME;
    temp_dir_make(&f->world->dir);
    temp_dir_make(&f->image);
    sink_world_open(f->world);
    assert_int_equal(
        store_bucket_create(f->world->store, SPAN_LIT(WORLD_BUCKET), SPAN_LIT("r"), NULL),
        STATUS_OK);
    sink_world_workshop_settings(f->world);
    sink_world_set(f->world, "flush.size", flush_size);
    sink_world_put_connector(f->world);
}

static void end(struct fixture *f)
{
    void *state = f->world;
    sink_world_teardown(&state);
    temp_dir_remove(&f->image);
}

/* A turn whose every step may fail. */
static void try_turn(struct fixture *f, int records)
{
    struct sink_world *world = f->world;
    for (int i = 0; i < records; i++) {
        char value[16];
        struct broker_result result;
        struct broker_record record = {
            .partition = -1, .has_value = true, .headers = SPAN_EMPTY, .timestamp_ms = -1};
        snprintf(value, sizeof(value), "%d", f->next_value++);
        record.value = span_from_cstr(value);
        struct broker_produce request = {.topic = SPAN_LIT("u.pin"),
                                         .records = &record,
                                         .results = &result,
                                         .count = 1,
                                         .base = {.arena = &world->arena}};
        world->broker->ops->produce(world->broker, &request);
    }
    sink_world_run(world);
    if (store_turn_commit(world->store, NULL) != STATUS_OK) {
        env_advance(&world->env, 10000000); /* beyond all waiting */
    }
    store_housekeep(world->store);
}

static void run_session(struct fixture *f)
{
    for (int turn = 0; turn < TURNS; turn++) {
        try_turn(f, RECORDS_A_TURN);
    }
}

/* --- judging ---------------------------------------------------------------------------------- */

static bool add_value(void *ctx, const struct store_record *record)
{
    buf_append_span(ctx, record->value);
    buf_append_byte(ctx, '\n');
    return true;
}

/* Keys come in the order of their offsets. */
static void read_lake(struct fixture *f, struct buf *lines)
{
    struct sink_world *world = f->world;
    char *keys = strdup(sink_world_keys(world));
    char *rest = keys;
    struct store_object object;
    for (char *end_of_key; (end_of_key = strchr(rest, '\n')) != NULL; rest = end_of_key + 1) {
        *end_of_key = '\0';
        buf_append_span(lines, sink_world_object_bytes(world, rest, &object));
    }
    free(keys);
}

static size_t count_lines(struct span text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += text.ptr[i] == '\n';
    }
    return count;
}

/* The lake is the beginning of the topic, as far as the committed offset. */
static void judge(struct fixture *f, bool all)
{
    struct sink_world *world = f->world;
    struct buf lines;
    struct buf topic;
    buf_init(&lines, WORLD_TEXT_BYTES_MAX);
    buf_init(&topic, WORLD_TEXT_BYTES_MAX);
    const struct store_topic *found = store_topic_find(world->store, SPAN_LIT("u.pin"));
    assert_non_null(found);
    struct store_range range = {.topic = found, .limit = 1000};
    assert_int_equal(store_records_read(world->store, range, add_value, &topic, NULL), STATUS_OK);
    read_lake(f, &lines);
    int64_t committed = sink_world_committed(world, "u.pin", 0);
    size_t taken = count_lines(buf_span(&lines));
    if (!span_starts_with(buf_span(&topic), buf_span(&lines))) {
        fail_msg("%s: the lake is %s, the topic %s", f->what, buf_cstr(&lines), buf_cstr(&topic));
    }
    if ((int64_t)taken != (committed < 0 ? 0 : committed)) {
        fail_msg("%s: %zu records in objects, offset %lld", f->what, taken, (long long)committed);
    }
    if (all && count_lines(buf_span(&topic)) - taken > 1) {
        fail_msg("%s: the lake ends at %zu", f->what, taken);
    }
    buf_release(&lines);
    buf_release(&topic);
}

/* The disk works again: everything is made good. */
static void recover(struct fixture *f)
{
    fault_vfs_fail(&f->vfs, 0, 0, 0, false);
    for (int i = 0; i < 3; i++) {
        env_advance(&f->world->env, 10000000);
        try_turn(f, 1);
    }
}

static void reopen(struct fixture *f)
{
    sink_world_close(f->world);
    sink_world_open(f->world);
    judge(f, false);
    recover(f);
    judge(f, true);
}

/* --- the loops -------------------------------------------------------------------------------- */

static void every_failing_operation(struct fixture *f, unsigned mask, int code, bool forever)
{
    static const char *const sizes[] = {"1", "2"};
    for (size_t s = 0; s < ARRAY_COUNT(sizes); s++) {
        bool struck = true;
        for (uint64_t nth = 1 + s; struck && nth < POINTS_MAX; nth += fault_points_stride(3)) {
            begin(f, sizes[s]);
            snprintf(f->what, sizeof(f->what), "flush.size %s, operation %d of mask %u: %d",
                     sizes[s], (int)nth, mask, code);
            fault_vfs_fail(&f->vfs, mask, nth, code, forever);
            run_session(f);
            struck = f->vfs.failures > 0;
            fault_vfs_fail(&f->vfs, 0, 0, 0, false);
            judge(f, false);
            reopen(f);
            end(f);
        }
    }
}

static void a_write_that_fails_costs_its_turn(void **state)
{
    every_failing_operation(*state, FAULT_WRITE, SQLITE_FULL, false);
    every_failing_operation(*state, FAULT_WRITE, SQLITE_IOERR_WRITE, false);
}

static void a_disk_that_stays_full_costs_no_record(void **state)
{
    every_failing_operation(*state, FAULT_WRITE, SQLITE_FULL, true);
}

static void a_read_or_a_sync_that_fails_leaves_the_lake_sound(void **state)
{
    every_failing_operation(*state, FAULT_READ, SQLITE_IOERR_READ, false);
    every_failing_operation(*state, FAULT_SYNC, SQLITE_IOERR_FSYNC, false);
}

static void a_crash_anywhere_leaves_the_lake_sound(void **state)
{
    static const enum fault_damage damages[] = {DAMAGE_NONE, DAMAGE_LOST, DAMAGE_TORN};
    struct fixture *f = *state;
    for (size_t d = 0; d < ARRAY_COUNT(damages); d++) {
        bool crashed = true;
        for (uint64_t nth = 1 + d; crashed && nth < POINTS_MAX; nth += fault_points_stride(3)) {
            begin(f, d == 0 ? "1" : "2");
            snprintf(f->what, sizeof(f->what), "crash at %d, damage %d", (int)nth, (int)d);
            fault_vfs_crash_at(&f->vfs, nth);
            run_session(f);
            crashed = f->vfs.crashed;
            sink_world_close(f->world);
            fault_vfs_write_image(&f->vfs, damages[d], nth, f->world->dir.path, f->image.path);
            fault_vfs_uninstall(&f->vfs);
            fault_vfs_install(&f->vfs, VFS_NAME);
            struct temp_dir before = f->world->dir;
            f->world->dir = f->image;
            f->image = before;
            sink_world_open(f->world);
            judge(f, false);
            recover(f);
            judge(f, true);
            end(f);
        }
    }
}

/* Making the dead letters' topic again is what the store refuses, from within the turn's own work.
 */
static void a_task_that_starts_in_a_turn_that_is_lost_stays_as_it_was(void **state)
{
    struct fixture *f = *state;
    begin(f, "1");
    struct sink_world *world = f->world;
    sink_world_set(world, "errors.tolerance", "all");
    sink_world_set(world, "errors.deadletterqueue.topic.name", "dead");
    sink_world_set(world, "errors.deadletterqueue.topic.replication.factor", "1");
    sink_world_put_connector(world);
    run_session(f);
    assert_string_equal(sink_world_task_states(world), "RUNNING RUNNING RUNNING");
    assert_int_equal(store_topic_delete(world->store, SPAN_LIT("dead"), NULL), STATUS_OK);
    run_session(f);
    fault_vfs_fail(&f->vfs, FAULT_SYNC, 1, SQLITE_IOERR_FSYNC, false);
    try_turn(f, 1);
    assert_int_equal(connect_worker_restart_task(world->worker, SPAN_LIT("c"), 0, NULL), STATUS_OK);
    sink_world_run(world);
    assert_int_not_equal(store_turn_commit(world->store, NULL), STATUS_OK);
    assert_string_equal(sink_world_task_states(world), "RUNNING RUNNING RUNNING");
    reopen(f);
    end(f);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_write_that_fails_costs_its_turn),
        T(a_disk_that_stays_full_costs_no_record),
        T(a_read_or_a_sync_that_fails_leaves_the_lake_sound),
        T(a_crash_anywhere_leaves_the_lake_sound),
        T(a_task_that_starts_in_a_turn_that_is_lost_stays_as_it_was),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
