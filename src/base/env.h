/* The outside world behind one struct: clock, random numbers and the storage layer. Everything that
 * needs them gets a struct env, so time can be virtual, ids seeded and storage faults injected. */
#ifndef PINPIPE_ENV_H
#define PINPIPE_ENV_H

#include "span.h"

struct env {
    int64_t (*wall_us)(struct env *env);      /* microseconds since 1970, UTC */
    int64_t (*monotonic_us)(struct env *env); /* never goes back */
    uint64_t (*random_u64)(struct env *env);
    void (*sleep_us)(struct env *env, int64_t duration_us);
    const char *sqlite_vfs; /* NULL: SQLite's default */
    uint64_t random_state[4];
    int64_t virtual_us; /* the virtual clock's now */
};

/* The machine's clocks; random numbers from the kernel. */
void env_init_system(struct env *env);
/* The machine's clocks; ids and faults repeat with the seed. */
void env_init_seeded(struct env *env, uint64_t seed);
/* A clock that moves only by env_advance (sleeps advance it too), seeded random numbers. */
void env_init_virtual(struct env *env, uint64_t seed, int64_t start_us);
void env_advance(struct env *env, int64_t duration_us);

/* 0 <= result < bound; bound > 0. */
uint64_t env_random_below(struct env *env, uint64_t bound);
enum { ENV_UUID_BYTES = 37 };
/* A version 4 UUID in lower case with its NUL. */
void env_uuid(struct env *env, char out[ENV_UUID_BYTES]);

/* The only getenv. NULL when it is not set. */
const char *env_variable(const char *name);

#endif
