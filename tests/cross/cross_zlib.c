/* crc32_z as zlib has it, a bit a step: all that the codecs want of zlib. */
#include <zlib.h>

uLong crc32_z(uLong crc, const Bytef *bytes, z_size_t len)
{
    crc ^= 0xffffffffUL;
    for (size_t i = 0; bytes != NULL && i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xedb88320UL & (0UL - (crc & 1)));
        }
    }
    return crc ^ 0xffffffffUL;
}
