/* Record headers. First byte even: the rest are Kafka's bytes; odd: a text as the REST proxy takes
 * it. What is read and written again means the same; names that are UTF-8 survive the text. */
#include "record_headers.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { dump_bytes_max = 16 << 20 };

static void require(bool good)
{
    if (!good) {
        abort();
    }
}

static bool headers_equal(struct span a, struct span b)
{
    struct record_headers one;
    struct record_headers two;
    struct record_header x;
    struct record_header y;
    require(record_headers_open(&one, a) && record_headers_open(&two, b));
    while (record_headers_next(&one, &x)) {
        if (!record_headers_next(&two, &y) || !span_equal(x.name, y.name) ||
            x.has_value != y.has_value || !span_equal(x.value, y.value)) {
            return false;
        }
    }
    return record_headers_at_end(&one) && record_headers_at_end(&two);
}

/* Writes what is read again, header by header. True: all names are UTF-8. */
static bool rewrite(struct span bytes, struct buf *out)
{
    struct record_headers walk;
    struct record_header header;
    struct buf entries;
    size_t count = 0;
    bool utf8 = true;
    buf_init(&entries, dump_bytes_max);
    require(record_headers_open(&walk, bytes));
    while (record_headers_next(&walk, &header)) {
        record_header_append(&entries, &header);
        utf8 = utf8 && span_is_utf8(header.name);
        count++;
    }
    record_headers_write(out, count, buf_span(&entries));
    buf_release(&entries);
    return utf8;
}

static void check_bytes(struct span bytes)
{
    struct buf again;
    struct buf text;
    struct buf back;
    buf_init(&again, dump_bytes_max);
    buf_init(&text, dump_bytes_max);
    buf_init(&back, dump_bytes_max);
    bool valid = record_headers_are_valid(bytes);
    require(record_headers_to_text(bytes, &text) == valid);
    if (valid) {
        bool utf8 = rewrite(bytes, &again);
        require(again.len <= bytes.len && headers_equal(bytes, buf_span(&again)));
        require(!utf8 || (record_headers_from_text(buf_span(&text), &back) &&
                          span_equal(buf_span(&again), buf_span(&back))));
    }
    buf_release(&again);
    buf_release(&text);
    buf_release(&back);
}

static void check_text(struct span text)
{
    struct buf bytes;
    struct buf shown;
    struct buf back;
    buf_init(&bytes, dump_bytes_max);
    buf_init(&shown, dump_bytes_max);
    buf_init(&back, dump_bytes_max);
    if (record_headers_from_text(text, &bytes)) {
        struct buf again;
        buf_init(&again, dump_bytes_max);
        bool utf8 = rewrite(buf_span(&bytes), &again); /* not, where an escape was half a pair */
        require(span_equal(buf_span(&bytes), buf_span(&again)));
        require(record_headers_to_text(buf_span(&bytes), &shown));
        require(record_headers_from_text(buf_span(&shown), &back));
        require(!utf8 || span_equal(buf_span(&bytes), buf_span(&back)));
        buf_release(&again);
    }
    buf_release(&bytes);
    buf_release(&shown);
    buf_release(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        struct span rest = span_from((const char *)data + 1, size - 1);
        if (data[0] % 2 == 0) {
            check_bytes(rest);
        } else {
            check_text(rest);
        }
    }
    return 0;
}
