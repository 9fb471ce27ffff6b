#include "utf8.h"

size_t utf8_write(uint32_t point, char out[UTF8_BYTES_MAX])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

size_t utf8_read(struct span rest, uint32_t *point)
{
    static const unsigned char masks[] = {0, 0, 0x1f, 0x0f, 0x07};
    unsigned char first = rest.len > 0 ? (unsigned char)rest.ptr[0] : 0;
    if (first < 0xc2) {
        return 0;
    }
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (!span_is_utf8(span_first(rest, len)) || rest.len < len) {
        return 0;
    }
    *point = first & masks[len];
    for (size_t i = 1; i < len; i++) {
        *point = *point << 6 | ((unsigned char)rest.ptr[i] & 0x3f);
    }
    return len;
}
