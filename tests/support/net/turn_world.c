#include "turn_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char vfs_name[] = "pinpipe-turn-fault";

void turn_world_open(struct turn_world *w, int64_t wall_us)
{
    env_init_virtual(&w->env, 1, wall_us);
    log_init(&w->log, &w->env, stderr, LOG_OFF);
    timer_heap_init(&w->timers, &w->env);
    temp_dir_make(&w->dir);
    fault_vfs_install(&w->vfs, vfs_name);
    w->env.sqlite_vfs = vfs_name;
    const struct store_options store = {
        .directory = w->dir.path, .env = &w->env, .log = &w->log, .durability = STORE_FULL};
    const struct journal_options journal = {
        .directory = w->dir.path, .env = &w->env, .log = &w->log, .rows_max = 10};
    assert_int_equal(store_open(&store, &w->store, NULL), STATUS_OK);
    assert_int_equal(journal_open(&journal, &w->journal, NULL), STATUS_OK);
    turn_init(&w->turn, w->store, &w->timers, &w->env, &w->log);
    w->turn.journal = w->journal;
}

void turn_world_close(struct turn_world *w)
{
    assert_int_equal(w->timers.reserved, 0);
    assert_int_equal(w->turn.budget.shares[BUDGET_REPLIES].used_bytes, 0);
    timer_heap_release(&w->timers);
    journal_close(w->journal);
    store_close(w->store);
    fault_vfs_uninstall(&w->vfs);
    temp_dir_remove(&w->dir);
}

void turn_world_fail_syncs(struct turn_world *w)
{
    fault_vfs_fail(&w->vfs, FAULT_SYNC, 1, SQLITE_IOERR_FSYNC, true);
}
