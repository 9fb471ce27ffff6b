#include "search.h"

size_t search_place(struct search_array array, const void *key, search_order *order, bool *found)
{
    size_t low = 0;
    size_t high = array.count;
    bool exact = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int side = order((const char *)array.items + middle * array.item_bytes, key);
        if (side < 0) {
            low = middle + 1;
        } else {
            high = middle;
            exact = side == 0;
        }
    }
    if (found != NULL) {
        *found = exact;
    }
    return low;
}
