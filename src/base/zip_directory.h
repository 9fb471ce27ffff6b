/* The names in a zip (or jar), read from its central directory at the end: a plugin of a hundred
 * MiB costs a window of memory and a few reads. Nothing is unpacked. */
#ifndef PINPIPE_ZIP_DIRECTORY_H
#define PINPIPE_ZIP_DIRECTORY_H

#include "buf.h"

enum {
    ZIP_DIRECTORY_BYTES_MAX = 16 * 1024 * 1024, /* some hundred thousand names */
    ZIP_WINDOW_BYTES_MAX = 512 * 1024,
};

struct zip_source {
    uint64_t size;
    /* Appends `len` bytes from `offset`, which lie inside; false: it failed. */
    bool (*read)(void *ctx, uint64_t offset, size_t len, struct buf *out);
    void *ctx;
};

enum zip_outcome {
    ZIP_READ,      /* every name was visited, or visit wanted no more */
    ZIP_BROKEN,    /* not a zip, or cut off */
    ZIP_TOO_LARGE, /* its directory is beyond ZIP_DIRECTORY_BYTES_MAX */
    ZIP_FAILED,    /* read failed, or no memory */
};

/* Calls visit for each entry's name, in order, while it returns true. */
enum zip_outcome zip_directory_visit(const struct zip_source *source,
                                     bool (*visit)(void *ctx, struct span name), void *ctx);

#endif
