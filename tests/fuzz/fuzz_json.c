/* The record path: what is accepted re-encodes to the same text again, and stays within bounds. */
#include "json_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { output_bytes_max = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_error err;
    struct buf once;
    struct buf twice;
    struct span raw;
    buf_init(&once, output_bytes_max);
    buf_init(&twice, output_bytes_max);
    struct json_cursor c = json_cursor_at(span_from((const char *)data, size));
    struct json_cursor again = c;
    if (json_reencode(&c, &once, &err)) {
        /* The validating walk accepts exactly what the encoding one does. */
        if (!json_skip(&again, &raw, &err) || again.position != c.position) {
            abort();
        }
        struct json_cursor second = json_cursor_at(buf_span(&once));
        if (!json_reencode(&second, &twice, &err) || !json_at_end(&second) ||
            !span_equal(buf_span(&once), buf_span(&twice)) || !span_is_utf8(buf_span(&once))) {
            abort();
        }
    } else if (err.message[0] == '\0') {
        abort();
    }
    buf_release(&once);
    buf_release(&twice);
    return 0;
}
