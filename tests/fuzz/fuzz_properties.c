/* Whatever is pasted as .properties text: lines are counted upwards, keys and values keep to their
 * limits and are UTF-8, and a broken text says where. */
#include "properties.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum status check(void *ctx, const struct property *property, struct error *err)
{
    int *line = ctx;
    (void)err;
    if (property->line <= *line || property->key.len > PROPERTIES_KEY_BYTES_MAX ||
        property->value.len > PROPERTIES_VALUE_BYTES_MAX || !span_is_utf8(property->key) ||
        !span_is_utf8(property->value)) {
        abort();
    }
    *line = property->line;
    return STATUS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_NONE;
    int line = 0;
    enum status status = properties_read(span_from((const char *)data, size), check, &line, &err);
    if (status != STATUS_OK && err.message[0] == '\0') {
        abort();
    }
    return 0;
}
