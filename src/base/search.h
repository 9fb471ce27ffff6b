/* The binary search, written once, in arrays that their owner keeps sorted. A constant table of
 * names has few rows and is walked. */
#ifndef PINPIPE_SEARCH_H
#define PINPIPE_SEARCH_H

#include "base.h"

#include <stdbool.h>
#include <stddef.h>

/* Below zero when the item stands before the key, zero when it is the one, above zero behind. */
typedef int search_order(const void *item, const void *key);

struct search_array {
    const void *items;
    size_t count;
    size_t item_bytes;
};

/* The place of the first item that does not stand before the key: where it is, or where it belongs.
 * `found` (may be NULL) says whether the item there is the one. */
size_t search_place(struct search_array array, const void *key, search_order *order, bool *found);
#define SEARCH_PLACE(items, count, key, order, found)                                              \
    search_place((struct search_array){(items), (count), sizeof(*(items))}, (key), (order), (found))

#endif
