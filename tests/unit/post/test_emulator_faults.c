/* The emulator on storage that fails: what left is always written down. */
#include "emulator_world.h"
#include "fault_vfs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A run of its own on a fresh ledger, 250 triples, with the storage layer under the test's control.
 */
static enum status run_on(struct emulator_world *f, struct fault_vfs *vfs)
{
    emulator_world_forget_ledger(f);
    memset(f->slots, 0, sizeof(f->slots));
    memset(f->offsets, 0, sizeof(f->offsets));
    f->post_count = 0;
    f->in_flight = 0;
    f->options.rows = 250;
    f->env.sqlite_vfs = vfs->name;
    return emulator_run(&f->options, &f->summary, &f->err);
}

static void a_full_disk_ends_the_run_and_nothing_unwritten_is_sent(void **state)
{
    struct emulator_world *f = *state;
    struct fault_vfs vfs;
    fault_vfs_install(&vfs, "emulator-full");
    fault_vfs_fail(&vfs, FAULT_WRITE, 0, SQLITE_FULL, false);
    assert_int_equal(run_on(f, &vfs), STATUS_OK);
    uint64_t writes = vfs.count;
    size_t ended_early = 0;
    for (uint64_t nth = 1; nth <= writes; nth += 5) {
        fault_vfs_fail(&vfs, FAULT_WRITE, nth, SQLITE_FULL, true);
        enum status status = run_on(f, &vfs);
        assert_true(status == STATUS_DISK_FULL || (status == STATUS_OK && vfs.failures > 0));
        for (size_t i = 0; i < f->post_count; i++) {
            assert_true(f->posts[i].intent_was_durable);
        }
        if (status != STATUS_OK && f->post_count > 0) {
            assert_int_equal(f->summary.end, EMULATOR_END_ERROR);
            assert_int_equal(f->in_flight, 0);
            ended_early += f->post_count < 750;
        }
    }
    assert_true(ended_early > 0);
    fault_vfs_uninstall(&vfs);
}

static void a_power_cut_never_loses_the_intent_of_a_post_that_left(void **state)
{
    struct emulator_world *f = *state;
    struct fault_vfs vfs;
    char image[sizeof(f->dir)] = "/tmp/pinpipe-cut-XXXXXX";
    char dir[sizeof(f->dir)];
    memcpy(dir, f->dir, sizeof(dir));
    assert_non_null(mkdtemp(image));
    fault_vfs_install(&vfs, "emulator-cut");
    fault_vfs_fail(&vfs, FAULT_ANY, 0, 0, false);
    f->do_not_watch = true;
    assert_int_equal(run_on(f, &vfs), STATUS_OK);
    uint64_t operations = vfs.count;
    size_t cut_under_way = 0;
    for (uint64_t nth = operations / 40; nth <= operations; nth += operations / 40) {
        fault_vfs_crash_at(&vfs, nth);
        enum status status = run_on(f, &vfs);
        fault_vfs_write_image(&vfs, nth % 2 == 0 ? DAMAGE_LOST : DAMAGE_TORN, nth, f->dir, image);
        memcpy(f->dir, image, sizeof(image));
        f->env.sqlite_vfs = NULL;
        for (size_t i = 0; i < f->post_count; i += 7) {
            char sql[120];
            snprintf(sql, sizeof(sql),
                     "SELECT count(*) FROM post WHERE tbl = %d AND row_number = %lld",
                     (int)f->posts[i].table, (long long)f->posts[i].row);
            assert_int_equal(emulator_world_ask(f, sql), 1);
        }
        cut_under_way += status != STATUS_OK && f->post_count > 0;
        emulator_world_forget_ledger(f);
        memcpy(f->dir, dir, sizeof(dir));
    }
    assert_true(cut_under_way > 5);
    emulator_world_forget_ledger(f);
    rmdir(image);
    fault_vfs_uninstall(&vfs);
}

#define FAULT_TEST(name)                                                                           \
    cmocka_unit_test_setup_teardown(name, emulator_world_set_up, emulator_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FAULT_TEST(a_full_disk_ends_the_run_and_nothing_unwritten_is_sent),
        FAULT_TEST(a_power_cut_never_loses_the_intent_of_a_post_that_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
