/* Whatever is in a .env, the parser stays inside it and visits only what it was given. */
#include "dotenv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(void *ctx, struct span key, struct span value)
{
    const struct span *text = ctx;
    if (key.len == 0 || key.ptr < text->ptr || value.ptr + value.len > text->ptr + text->len) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_from((const char *)data, size);
    struct error err;
    if (dotenv_parse(text, check_line, &text, &err) != STATUS_OK && err.message[0] == '\0') {
        abort();
    }
    return 0;
}
