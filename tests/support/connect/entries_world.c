#include "entries_world.h"

#include <stdlib.h>

enum { arena_max = 8 * 1024 * 1024, body_max = 1024 * 1024 };

int entries_world_make(void **state, size_t bytes)
{
    struct entries_world *w = calloc(1, bytes);
    arena_init(&w->arena, arena_max);
    buf_init(&w->body, body_max);
    *state = w;
    return 0;
}

int entries_world_setup(void **state)
{
    return entries_world_make(state, sizeof(struct entries_world));
}

int entries_world_teardown(void **state)
{
    struct entries_world *w = *state;
    arena_release(&w->arena);
    buf_release(&w->body);
    free(w);
    return 0;
}
