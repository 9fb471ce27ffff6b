/* Bump allocation for everything that lives as long as one request or one command. Nothing is
 * freed alone; reset keeps the first block, so a quiet server allocates nothing per request. */
#ifndef PINPIPE_ARENA_H
#define PINPIPE_ARENA_H

#include "span.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used_bytes;
    size_t held_bytes; /* of memory, in its blocks */
    size_t max_bytes;
};

void arena_init(struct arena *a, size_t max_bytes);
void arena_release(struct arena *a);
void arena_reset(struct arena *a);

/* The next allocations, of so many bytes in all, need no memory. False: there is none. */
bool arena_reserve(struct arena *a, size_t size);
/* Zeroed and aligned for any type; NULL at the ceiling or out of memory. */
void *arena_alloc(struct arena *a, size_t size);
/* count * size without overflow. */
void *arena_alloc_array(struct arena *a, size_t count, size_t size);
/* An array that grows in an arena (array.h for those that live longer): room for `count` items in
 * all. Doubles; the shorter arrays stay where they were, less than as much again. False at the
 * ceiling or out of memory, and nothing has changed then. `items` is an lvalue of a pointer type,
 * `capacity` a size_t, both zero at first. */
#define ARENA_GROW(a, items, capacity, count)                                                      \
    arena_grow((a), &(items), &(capacity), (count), sizeof(*(items)))
/* `items` is the address of the pointer. */
bool arena_grow(struct arena *a, void *items, size_t *capacity, size_t count, size_t item_bytes);
/* NUL-terminated; NULL as above. */
char *arena_copy_cstr(struct arena *a, struct span s);
char *arena_printf(struct arena *a, const char *format, ...) PP_PRINTF(2, 3);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
