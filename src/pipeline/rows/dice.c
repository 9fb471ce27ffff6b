#include "dice.h"

/* splitmix64's output function, by Steele, Lea and Flood (public domain description). */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15); /* 2^64 / golden ratio */

struct dice dice_for(uint64_t seed, uint64_t kind, uint64_t index)
{
    return (struct dice){mix(mix(mix(seed + golden) ^ (kind * golden)) ^ index)};
}

uint64_t dice_u64(struct dice *dice)
{
    dice->state += golden;
    return mix(dice->state);
}

uint32_t dice_below(struct dice *dice, uint64_t bound)
{
    PP_ASSERT(bound > 0 && bound <= UINT64_C(1) << 32);
    return (uint32_t)(((dice_u64(dice) >> 32) * bound) >> 32);
}

int64_t dice_between(struct dice *dice, int64_t low, int64_t high)
{
    return low + (int64_t)dice_below(dice, (uint64_t)(high - low) + 1);
}

bool dice_chance(struct dice *dice, uint32_t parts)
{
    return dice_below(dice, 10000) < parts;
}

uint32_t dice_spread(uint64_t seed, uint64_t kind, uint64_t index)
{
    struct dice start = dice_for(seed, kind, 0);
    uint64_t position = dice_u64(&start) + index * golden;
    return (uint32_t)(((position >> 32) * 10000) >> 32);
}

/* A Feistel network permutes the smallest even power of two that holds `count`; places outside go
 * round again until they are inside. */
uint64_t dice_place(uint64_t seed, uint64_t kind, uint64_t index, uint64_t count)
{
    enum { rounds = 4 };
    PP_ASSERT(index < count && count <= UINT64_C(1) << 32);
    unsigned half_bits = 1;
    while (half_bits < 16 && UINT64_C(1) << (2 * half_bits) < count) {
        half_bits++;
    }
    const uint64_t mask = (UINT64_C(1) << half_bits) - 1;
    uint64_t place = index;
    do {
        uint64_t left = place >> half_bits;
        uint64_t right = place & mask;
        for (uint64_t round = 0; round < rounds; round++) {
            struct dice dice = dice_for(seed, (kind << 8) + round, right);
            uint64_t next = left ^ (dice_u64(&dice) & mask);
            left = right;
            right = next;
        }
        place = (left << half_bits) | right;
    } while (place >= count);
    return place;
}
