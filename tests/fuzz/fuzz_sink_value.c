/* The converter of the sink, without and with schemas. What it accepts comes out as JSON that a
 * strict reader takes, and comes out the same once more with keys in the order they have now; what
 * it refuses has words. */
#include "sink_value.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { output_bytes_max = 4 << 20 };

static void check_output(struct span once)
{
    struct sink_conversion conversion = {.converter = SINK_CONVERTER_JSON,
                                         .order = SINK_ORDER_INPUT};
    struct json_cursor c = json_cursor_at(once);
    struct json_error err;
    struct span raw;
    struct sink_value again;
    struct sink_failure failure;
    struct buf twice;
    if (!json_skip(&c, &raw, &err) || raw.len != once.len) {
        abort();
    }
    sink_value_init(&again);
    buf_init(&twice, output_bytes_max);
    if (!sink_value_convert(&again, &conversion, true, once, &failure)) {
        abort();
    }
    sink_value_write(&again, &twice);
    /* "-0.0" is a double that a BigDecimal cannot read back. */
    if (twice.len > once.len || (twice.len == once.len && !span_equal(buf_span(&twice), once))) {
        abort();
    }
    buf_release(&twice);
    sink_value_release(&again);
}

static void convert(struct span text, bool schemas_enable)
{
    struct sink_conversion conversion = {.converter = SINK_CONVERTER_JSON,
                                         .schemas_enable = schemas_enable};
    struct sink_value value;
    struct sink_failure failure;
    struct buf out;
    sink_value_init(&value);
    buf_init(&out, output_bytes_max);
    if (!sink_value_convert(&value, &conversion, true, text, &failure)) {
        if (!failure.no_memory && (failure.count == 0 || failure.chain[0].message[0] == '\0')) {
            abort();
        }
    } else if (value.kind != SINK_VALUE_NULL) {
        sink_value_write(&value, &out);
        if (buf_ok(&out)) {
            check_output(buf_span(&out));
        }
    }
    buf_release(&out);
    sink_value_release(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    convert(span_from((const char *)data, size), false);
    convert(span_from((const char *)data, size), true);
    return 0;
}
