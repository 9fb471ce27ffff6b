/* The Mersenne Twister MT19937 as CPython drives it (Modules/_randommodule.c, Lib/random.py):
 * an integer seed is cut into 32-bit words, low first, and fed to init_by_array; a number below n
 * is drawn by taking n.bit_length() bits until they are below n. Floats, shuffles and choices are
 * not here: the script does not use them. */
#include "python_random.h"

enum { shift_words = 397, array_seed = 19650218 };
static const uint32_t upper_mask = 0x80000000U;
static const uint32_t lower_mask = 0x7fffffffU;
static const uint32_t twist = 0x9908b0dfU;

static void state_fill(struct python_random *random, uint32_t seed)
{
    uint32_t *s = random->state;
    s[0] = seed;
    for (uint32_t i = 1; i < PYTHON_RANDOM_WORDS; i++) {
        s[i] = 1812433253U * (s[i - 1] ^ (s[i - 1] >> 30)) + i;
    }
    random->position = PYTHON_RANDOM_WORDS;
}

/* init_by_array: the last word wraps to the front. */
static size_t step_word(uint32_t *s, size_t i)
{
    i++;
    if (i >= PYTHON_RANDOM_WORDS) {
        s[0] = s[PYTHON_RANDOM_WORDS - 1];
        i = 1;
    }
    return i;
}

static uint32_t previous_mixed(const uint32_t *s, size_t i)
{
    return s[i - 1] ^ (s[i - 1] >> 30);
}

void python_random_seed(struct python_random *random, uint64_t seed)
{
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    size_t key_count = key[1] != 0 ? 2 : 1;
    uint32_t *s = random->state;
    size_t i = 1;
    size_t j = 0;
    state_fill(random, array_seed);
    for (size_t k = 0; k < PYTHON_RANDOM_WORDS; k++) {
        s[i] = (s[i] ^ (previous_mixed(s, i) * 1664525U)) + key[j] + (uint32_t)j;
        i = step_word(s, i);
        j = (j + 1) % key_count;
    }
    for (size_t k = 0; k < PYTHON_RANDOM_WORDS - 1; k++) {
        s[i] = (s[i] ^ (previous_mixed(s, i) * 1566083941U)) - (uint32_t)i;
        i = step_word(s, i);
    }
    s[0] = upper_mask;
}

static void state_twist(uint32_t *s)
{
    for (size_t i = 0; i < PYTHON_RANDOM_WORDS; i++) {
        uint32_t y = (s[i] & upper_mask) | (s[(i + 1) % PYTHON_RANDOM_WORDS] & lower_mask);
        s[i] = s[(i + shift_words) % PYTHON_RANDOM_WORDS] ^ (y >> 1) ^ ((y & 1U) != 0 ? twist : 0U);
    }
}

uint32_t python_random_u32(struct python_random *random)
{
    if (random->position >= PYTHON_RANDOM_WORDS) {
        state_twist(random->state);
        random->position = 0;
    }
    uint32_t y = random->state[random->position++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680U;
    y ^= (y << 15) & 0xefc60000U;
    return y ^ (y >> 18);
}

uint64_t python_random_bits(struct python_random *random, unsigned bits)
{
    PP_ASSERT(bits >= 1 && bits <= 64);
    if (bits <= 32) {
        return python_random_u32(random) >> (32 - bits);
    }
    /* CPython fills words from the low end and keeps the high bits of the last one. */
    uint64_t low = python_random_u32(random);
    uint64_t high = python_random_u32(random) >> (64 - bits);
    return low | high << 32;
}

static unsigned bit_length(uint64_t value)
{
    unsigned bits = 0;
    for (; value > 0; value >>= 1) {
        bits++;
    }
    return bits;
}

int64_t python_random_randrange(struct python_random *random, int64_t start, int64_t stop)
{
    PP_ASSERT(start < stop);
    uint64_t width = (uint64_t)stop - (uint64_t)start;
    unsigned bits = bit_length(width);
    uint64_t drawn;
    do {
        drawn = python_random_bits(random, bits);
    } while (drawn >= width);
    return (int64_t)((uint64_t)start + drawn);
}

int64_t python_random_randint(struct python_random *random, int64_t first, int64_t last)
{
    return python_random_randrange(random, first, last + 1);
}
