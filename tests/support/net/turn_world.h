/* The group commit over a real store and journal, on a file system that fails on command and a
 * clock that stands. */
#ifndef PINPIPE_TESTS_TURN_WORLD_H
#define PINPIPE_TESTS_TURN_WORLD_H

#include "fault_vfs.h"
#include "journal.h"
#include "store.h"
#include "temp_dir.h"
#include "timer.h"
#include "turn.h"

struct turn_world {
    struct env env;
    struct log log;
    struct timer_heap timers;
    struct temp_dir dir;
    struct fault_vfs vfs;
    struct store *store;
    struct journal *journal;
    struct turn turn;
};

void turn_world_open(struct turn_world *w, int64_t wall_us);
/* Nothing may be on its way any more. */
void turn_world_close(struct turn_world *w);
/* From now on. */
void turn_world_fail_syncs(struct turn_world *w);

#endif
