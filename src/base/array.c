#include "array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { array_first = 8 };

enum status array_reserve(void *items, size_t *capacity, size_t count, size_t item_bytes,
                          size_t max)
{
    if (count <= *capacity) {
        return STATUS_OK;
    }
    if (count > max) {
        return STATUS_LIMIT;
    }
    if (count > SIZE_MAX / 2 / item_bytes) {
        return STATUS_NO_MEMORY;
    }
    size_t wanted = *capacity > 0 ? *capacity * 2 : array_first;
    wanted = wanted < count ? count : wanted;
    wanted = wanted > max ? max : wanted;
    /* A pointer of any type is read and written by its bytes: a void ** would be an alias that C
     * does not allow. */
    void *old;
    memcpy(&old, items, sizeof(old));
    void *grown = realloc(old, wanted * item_bytes);
    if (grown == NULL) {
        return STATUS_NO_MEMORY;
    }
    memcpy(items, &grown, sizeof(grown));
    *capacity = wanted;
    return STATUS_OK;
}

void array_open(void *items, size_t count, size_t position, size_t item_bytes)
{
    PP_ASSERT(position <= count);
    char *at = (char *)items + position * item_bytes;
    memmove(at + item_bytes, at, (count - position) * item_bytes);
}

void array_close(void *items, size_t count, size_t position, size_t item_bytes)
{
    PP_ASSERT(position < count);
    char *at = (char *)items + position * item_bytes;
    memmove(at, at + item_bytes, (count - position - 1) * item_bytes);
}
