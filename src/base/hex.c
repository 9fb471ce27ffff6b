#include "hex.h"

int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool hex_read(struct span text, size_t digits, uint32_t *out)
{
    uint32_t value = 0;
    if (text.len < digits) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        int digit = hex_value(text.ptr[i]);
        if (digit < 0) {
            return false;
        }
        value = value << 4 | (uint32_t)digit;
    }
    *out = value;
    return true;
}

char *hex_write(char *out, uint64_t value, size_t digits)
{
    for (size_t i = digits; i > 0; i--) {
        out[i - 1] = HEX_LOWER[value & 15];
        value >>= 4;
    }
    return out + digits;
}
