#include "base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct span bytes, struct buf *out)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    for (size_t left = bytes.len; left > 0; left -= left < 3 ? left : 3, p += 3) {
        uint32_t word = (uint32_t)p[0] << 16 | (left > 1 ? (uint32_t)p[1] << 8 : 0) |
                        (left > 2 ? (uint32_t)p[2] : 0);
        char text[4] = {alphabet[word >> 18], alphabet[word >> 12 & 63],
                        left > 1 ? alphabet[word >> 6 & 63] : '=',
                        left > 2 ? alphabet[word & 63] : '='};
        buf_append(out, text, sizeof(text));
    }
}

static int digit_value(char ch)
{
    if (ch >= 'A' && ch <= 'Z') {
        return ch - 'A';
    }
    if (ch >= 'a' && ch <= 'z') {
        return ch - 'a' + 26;
    }
    if (ch >= '0' && ch <= '9') {
        return ch - '0' + 52;
    }
    return ch == '+' ? 62 : ch == '/' ? 63 : -1;
}

/* Drops trailing pads: Guava takes any number of them and then checks the length. */
static struct span without_pads(struct span text)
{
    while (text.len > 0 && text.ptr[text.len - 1] == '=') {
        text.len--;
    }
    return text;
}

bool base64_decode(struct span text, struct buf *out)
{
    text = without_pads(text);
    if (text.len % 4 == 1) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (digit_value(text.ptr[i]) < 0) {
            return false;
        }
    }
    for (size_t i = 0; i < text.len; i += 4) {
        size_t count = text.len - i < 4 ? text.len - i : 4;
        uint32_t word = 0;
        for (size_t k = 0; k < 4; k++) {
            word = word << 6 | (k < count ? (uint32_t)digit_value(text.ptr[i + k]) : 0);
        }
        char bytes[3] = {(char)(word >> 16), (char)(word >> 8), (char)word};
        buf_append(out, bytes, count - 1);
    }
    return true;
}
