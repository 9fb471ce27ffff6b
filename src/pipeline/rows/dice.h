/* Chance that can be looked up: every draw is a function of a seed, a kind and an index, so that
 * any row of the generated tables can be made alone and always comes out the same. Whole numbers
 * only, so that no compiler's floating point can change a row. */
#ifndef PINPIPE_DICE_H
#define PINPIPE_DICE_H

#include "span.h"

struct dice {
    uint64_t state;
};

/* `kind` keeps the streams of different things apart. */
struct dice dice_for(uint64_t seed, uint64_t kind, uint64_t index);
uint64_t dice_u64(struct dice *dice);
/* 0 <= result < bound, 0 < bound <= 2^32. */
uint32_t dice_below(struct dice *dice, uint64_t bound);
/* low <= result <= high */
int64_t dice_between(struct dice *dice, int64_t low, int64_t high);
/* True `parts` times in ten thousand. */
bool dice_chance(struct dice *dice, uint32_t parts);
/* 0..9999, spread evenly over neighbouring indexes (the golden section's multiples), where plain
 * chance would let a few frequent indexes move a share by points. */
uint32_t dice_spread(uint64_t seed, uint64_t kind, uint64_t index);

/* A shuffle of 0..count-1: the place of `index` in it, 0 < count <= 2^32. Shares cut from places
 * are exact whatever the seed. */
uint64_t dice_place(uint64_t seed, uint64_t kind, uint64_t index, uint64_t count);

#endif
