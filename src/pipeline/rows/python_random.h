/* CPython's random module as far as the workshop's script uses it: random.seed(int), randrange and
 * randint. Same seed, same numbers. */
#ifndef PINPIPE_PYTHON_RANDOM_H
#define PINPIPE_PYTHON_RANDOM_H

#include "base.h"

#include <stdint.h>

enum { PYTHON_RANDOM_WORDS = 624 };

struct python_random {
    uint32_t state[PYTHON_RANDOM_WORDS];
    size_t position;
};

/* random.seed(n) for a whole number (Python takes the magnitude of a negative one). */
void python_random_seed(struct python_random *random, uint64_t seed);
/* random.getrandbits(32) */
uint32_t python_random_u32(struct python_random *random);
/* random.getrandbits(bits), 1 <= bits <= 64 */
uint64_t python_random_bits(struct python_random *random, unsigned bits);
/* random.randrange(start, stop); start < stop, and the range fits in 63 bits */
int64_t python_random_randrange(struct python_random *random, int64_t start, int64_t stop);
/* random.randint(first, last): both ends belong to it */
int64_t python_random_randint(struct python_random *random, int64_t first, int64_t last);

#endif
