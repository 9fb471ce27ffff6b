/* Integers in bytes, of a named order and on any machine. Written out byte by byte, because
 * compilers know these as one load (and a swap of bytes). */
#ifndef PINPIPE_BYTE_ORDER_H
#define PINPIPE_BYTE_ORDER_H

#include <stdint.h>

static inline uint32_t le32_read(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t le64_read(const unsigned char *p)
{
    return (uint64_t)le32_read(p) | (uint64_t)le32_read(p + 4) << 32;
}

static inline uint32_t be32_read(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static inline uint64_t be64_read(const unsigned char *p)
{
    return (uint64_t)be32_read(p) << 32 | be32_read(p + 4);
}

static inline void be64_write(unsigned char *p, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        p[i] = (unsigned char)(value >> (56 - 8 * i));
    }
}

#endif
