/* Path patterns, ISO 8601 texts and zone names of the sink. A pattern that compiles writes at any
 * time; a text that cannot be read has words. */
#include "sink_time.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { output_bytes_max = 1 << 16 };

static void check_pattern(struct span text)
{
    static const int64_t times[] = {0, -1, INT64_C(1700000000123), INT64_C(8000000000000000000),
                                    INT64_C(-8000000000000000000)};
    struct sink_pattern pattern = {.english = text.len % 2 == 0};
    struct tz tz;
    struct buf out;
    struct error err;
    if (sink_pattern_compile(text, &pattern, &err) != STATUS_OK) {
        if (err.message[0] == '\0') {
            abort();
        }
        return;
    }
    if (tz_open(SPAN_LIT("-03:30"), &tz, &err) != STATUS_OK) {
        abort();
    }
    buf_init(&out, output_bytes_max);
    for (size_t i = 0; i < ARRAY_COUNT(times); i++) {
        buf_reset(&out);
        sink_pattern_write(&pattern, &tz, times[i], &out);
    }
    buf_release(&out);
    tz_close(&tz);
}

static void check_iso(struct span text)
{
    struct sink_time_fault fault = {.class_name = NULL};
    int64_t ms = 0;
    if (!sink_time_parse_iso(text, &ms, &fault) &&
        (fault.class_name == NULL || fault.message[0] == '\0')) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_from((const char *)data, size);
    struct tz tz;
    check_pattern(text);
    check_iso(text);
    /* A name of a zone that is there may be found; nothing else is opened. */
    if (size < 40 && tz_open(text, &tz, NULL) == STATUS_OK) {
        tz_close(&tz);
    }
    return 0;
}
