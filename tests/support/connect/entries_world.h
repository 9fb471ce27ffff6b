/* A connector's configuration on its way from and to its text. */
#ifndef PINPIPE_TESTS_ENTRIES_WORLD_H
#define PINPIPE_TESTS_ENTRIES_WORLD_H

#include "connect_entries.h"

struct entries_world {
    struct arena arena;
    struct connect_entries entries;
    struct buf body;
    struct error err;
};

/* For cmocka's setup: *state is a zeroed struct of so many bytes that begins with a struct
 * entries_world. */
int entries_world_make(void **state, size_t bytes);
int entries_world_setup(void **state);
int entries_world_teardown(void **state);

#endif
