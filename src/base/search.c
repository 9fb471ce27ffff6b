#include "search.h"

#include <string.h>

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

static int search_name_order(const void *row, const void *key)
{
    const char *name;
    memcpy(&name, row, sizeof(name));
    return span_compare(span_from_cstr(name), *(const struct span *)key);
}

const void *search_name(const void *rows, size_t count, size_t row_bytes, struct span name)
{
    bool found;
    const struct search_array table = {rows, count, row_bytes};
    size_t place = search_place(table, &name, search_name_order, &found);
    return found ? (const char *)rows + place * row_bytes : NULL;
}
