/* Whatever claims to be a zip: reads stay inside the file, names inside the window, and a name is
 * visited no more often than bytes allow. */
#include "zip_directory.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { entry_bytes_min = 46 };

struct file {
    const uint8_t *data;
    size_t size;
    size_t names;
    size_t sum;
};

static bool read_file(void *ctx, uint64_t offset, size_t len, struct buf *out)
{
    const struct file *file = ctx;
    if (offset > file->size || len > file->size - offset) {
        abort();
    }
    buf_append(out, file->data + offset, len);
    return true;
}

static bool count_name(void *ctx, struct span name)
{
    struct file *file = ctx;
    file->names++;
    for (size_t i = 0; i < name.len; i++) {
        file->sum += (unsigned char)name.ptr[i];
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file file = {.data = data, .size = size};
    struct zip_source source = {.size = size, .read = read_file, .ctx = &file};
    enum zip_outcome outcome = zip_directory_visit(&source, count_name, &file);
    if (outcome == ZIP_FAILED || file.names > size / entry_bytes_min) {
        abort();
    }
    return 0;
}
