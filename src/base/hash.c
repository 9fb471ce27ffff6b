#include "hash.h"

#include "byte_order.h"

#include <string.h>

/* Austin Appleby's MurmurHash2 as Kafka's clients use it. */
int32_t hash_murmur2(struct span bytes)
{
    const uint32_t m = 0x5bd1e995;
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    size_t left = bytes.len;
    uint32_t h = 0x9747b28cU ^ (uint32_t)bytes.len;
    for (; left >= 4; left -= 4, p += 4) {
        uint32_t k = le32_read(p) * m;
        k ^= k >> 24;
        h = (h * m) ^ (k * m);
    }
    uint32_t rest = 0;
    for (size_t i = left; i > 0; i--) {
        rest = rest << 8 | p[i - 1];
    }
    if (left > 0) {
        h = (h ^ rest) * m;
    }
    h ^= h >> 13;
    h *= m;
    h ^= h >> 15;
    return (int32_t)h;
}

static uint64_t rotl64(uint64_t x, int count)
{
    return (x << count) | (x >> (64 - count));
}

static uint64_t mix_final(uint64_t k)
{
    k ^= k >> 33;
    k *= UINT64_C(0xff51afd7ed558ccd);
    k ^= k >> 33;
    k *= UINT64_C(0xc4ceb9fe1a85ec53);
    return k ^ (k >> 33);
}

static const uint64_t murmur3_c1 = UINT64_C(0x87c37b91114253d5);
static const uint64_t murmur3_c2 = UINT64_C(0x4cf5ad432745937f);

static uint64_t mix_first(uint64_t k)
{
    return rotl64(k * murmur3_c1, 31) * murmur3_c2;
}

static uint64_t mix_second(uint64_t k)
{
    return rotl64(k * murmur3_c2, 33) * murmur3_c1;
}

/* Up to eight bytes, little endian. */
static uint64_t read_tail(const unsigned char *p, size_t len)
{
    uint64_t value = 0;
    for (size_t i = len; i > 0; i--) {
        value = value << 8 | p[i - 1];
    }
    return value;
}

struct hash128 hash_content(struct span bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    size_t left = bytes.len;
    uint64_t h1 = 0;
    uint64_t h2 = 0;
    for (; left >= 16; left -= 16, p += 16) {
        h1 ^= mix_first(le64_read(p));
        h1 = (rotl64(h1, 27) + h2) * 5 + 0x52dce729;
        h2 ^= mix_second(le64_read(p + 8));
        h2 = (rotl64(h2, 31) + h1) * 5 + 0x38495ab5;
    }
    if (left > 8) {
        h2 ^= mix_second(read_tail(p + 8, left - 8));
    }
    if (left > 0) {
        h1 ^= mix_first(read_tail(p, left < 8 ? left : 8));
    }
    h1 ^= bytes.len;
    h2 ^= bytes.len;
    h1 += h2;
    h2 += h1;
    h1 = mix_final(h1);
    h2 = mix_final(h2);
    h1 += h2;
    h2 += h1;
    return (struct hash128){h1, h2};
}

bool hash128_equal(struct hash128 a, struct hash128 b)
{
    return a.high == b.high && a.low == b.low;
}

uint32_t hash_bytes(uint32_t start, struct span bytes)
{
    uint32_t hash = start;
    for (size_t i = 0; i < bytes.len; i++) {
        hash = (hash ^ (unsigned char)bytes.ptr[i]) * 16777619U;
    }
    return hash;
}

uint64_t hash64_bytes(uint64_t start, struct span bytes)
{
    uint64_t hash = start;
    for (size_t i = 0; i < bytes.len; i++) {
        hash = (hash ^ (unsigned char)bytes.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

uint32_t hash_start_hidden(const void *address)
{
    return HASH_START ^ (uint32_t)((uintptr_t)address >> 4);
}
