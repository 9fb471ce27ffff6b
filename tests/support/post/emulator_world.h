/* The emulator's surroundings for its tests: a virtual clock, rows made on the spot, a poster that
 * answers from a script, a ledger in a folder of its own. */
#ifndef PINPIPE_TESTS_EMULATOR_WORLD_H
#define PINPIPE_TESTS_EMULATOR_WORLD_H

#include "emulator.h"
#include "sqlite_db.h"

enum { WORLD_POSTS_MAX = 4096, WORLD_SLOTS_MAX = 16, WORLD_LATENCY_US = 1000 };

struct fake_rows {
    struct row_source base;
    int64_t counts[TABLE_COUNT];
};

struct fake_post {
    enum table_id table;
    int64_t row;
    int64_t at_us;
    bool intent_was_durable;
};

struct fake_slot {
    bool busy;
    enum table_id table;
    int64_t row;
    int64_t answer_us;
};

struct emulator_world;
/* What becomes of the n-th send (from 0) of this row. */
typedef void (*script_fn)(struct emulator_world *f, enum table_id table, int64_t row, int64_t n,
                          struct post_outcome *outcome);

struct emulator_world {
    struct env env;
    char dir[64];
    struct endpoints endpoints;
    struct emulator_options options;
    struct emulator_summary summary;
    struct error err;
    struct progress progress;
    char notes[4096];

    struct fake_rows rows;
    struct poster poster;
    struct fake_slot slots[WORLD_SLOTS_MAX];
    size_t in_flight;
    int64_t latency_us;
    size_t in_flight_most;
    script_fn script;
    struct fake_post posts[WORLD_POSTS_MAX];
    size_t post_count;
    int64_t offsets[TABLE_COUNT];
    enum status identify_status;
    int identify_busy; /* so many times first */
    const char *cluster_id;
    bool never_answers;
    size_t stop_after_posts; /* 0: never */
    sqlite3 *watcher;        /* another connection to the ledger */
    bool do_not_watch;
};

int emulator_world_set_up(void **state);
int emulator_world_tear_down(void **state);
/* The next run begins with a new ledger. */
void emulator_world_forget_ledger(struct emulator_world *f);
/* Runs; fails the test on a status other than OK. */
void emulator_world_run(struct emulator_world *f);
/* One number out of the ledger, through a connection of its own. */
int64_t emulator_world_ask(struct emulator_world *f, const char *sql);
/* The poster's send, for a poster of a test's own. */
enum status emulator_world_send(struct poster *poster, size_t slot, enum table_id table,
                                struct span value, struct error *err);
const struct poster_ops *emulator_world_poster_ops(void);

#endif
