#include "varint.h"

static uint64_t varint_zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

size_t varint_size(int64_t value)
{
    size_t bytes = 1;
    for (uint64_t rest = varint_zigzag(value); rest >= 0x80; rest >>= 7) {
        bytes++;
    }
    return bytes;
}

void varint_append(struct buf *out, int64_t value)
{
    char bytes[VARINT_BYTES_MAX];
    size_t len = 0;
    uint64_t rest = varint_zigzag(value);
    while (rest >= 0x80) {
        bytes[len++] = (char)(rest | 0x80);
        rest >>= 7;
    }
    bytes[len++] = (char)rest;
    buf_append(out, bytes, len);
}

bool varint_read(struct span *in, int64_t *out)
{
    uint64_t zigzag = 0;
    for (size_t i = 0; i < in->len && i < VARINT_BYTES_MAX; i++) {
        uint64_t byte = (unsigned char)in->ptr[i];
        if (i == VARINT_BYTES_MAX - 1 && byte > 1) {
            return false; /* the tenth byte has room for one bit */
        }
        zigzag |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *in = span_skip(*in, i + 1);
            *out = (int64_t)(zigzag >> 1 ^ (~(zigzag & 1) + 1));
            return true;
        }
    }
    return false;
}

bool varint_read_between(struct span *in, int64_t low, int64_t high, int64_t *out)
{
    struct span rest = *in;
    int64_t value;
    if (!varint_read(&rest, &value) || value < low || value > high) {
        return false;
    }
    *in = rest;
    *out = value;
    return true;
}
