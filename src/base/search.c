#include "search.h"

#include <string.h>

size_t search_place(const void *items, size_t count, size_t item_bytes, const void *key,
                    search_order *order, bool *found)
{
    size_t low = 0;
    size_t high = count;
    bool exact = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int side = order((const char *)items + middle * item_bytes, key);
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

static int search_name_order(const void *row, const void *key)
{
    const char *name;
    memcpy(&name, row, sizeof(name));
    return span_compare(span_from_cstr(name), *(const struct span *)key);
}

const void *search_name(const void *rows, size_t count, size_t row_bytes, struct span name)
{
    bool found;
    size_t place = search_place(rows, count, row_bytes, &name, search_name_order, &found);
    return found ? (const char *)rows + place * row_bytes : NULL;
}
