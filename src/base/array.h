/* Arrays that grow, written once (git's ALLOC_GROW is the model; here a refusal is a status and the
 * ceiling is the caller's). An array is a pointer, a count and a capacity of its owner, all zero at
 * first; free() releases it. */
#ifndef PINPIPE_ARRAY_H
#define PINPIPE_ARRAY_H

#include "error.h"

/* Room for `count` items in all, never for more than `max`. Doubles, so that appending costs the
 * same however long the array is. LIMIT when count is above max, NO_MEMORY; nothing has changed
 * then. `items` is an lvalue of a pointer type, `capacity` a size_t. */
#define ARRAY_RESERVE(items, capacity, count, max)                                                 \
    array_reserve(&(items), &(capacity), (count), sizeof(*(items)), (max))

/* The max of an array whose length something else bounds already. */
#define ARRAY_NO_MAX ((size_t)-1)

/* Makes place at `position` in an array of `count` items for which there is room for one more;
 * takes the item at `position` out of it. The caller counts. */
#define ARRAY_OPEN(items, count, position)                                                         \
    array_open((items), (count), (position), sizeof(*(items)))
#define ARRAY_CLOSE(items, count, position)                                                        \
    array_close((items), (count), (position), sizeof(*(items)))

/* `items` is the address of the pointer. */
enum status array_reserve(void *items, size_t *capacity, size_t count, size_t item_bytes,
                          size_t max) PP_MUST_USE;
void array_open(void *items, size_t count, size_t position, size_t item_bytes);
void array_close(void *items, size_t count, size_t position, size_t item_bytes);

#endif
