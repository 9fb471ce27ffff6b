#include "env.h"

#include "hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/random.h>
#endif

static int64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_wall_us(struct env *env)
{
    (void)env;
    return clock_us(CLOCK_REALTIME);
}

static int64_t system_monotonic_us(struct env *env)
{
    (void)env;
    return clock_us(CLOCK_MONOTONIC);
}

static void system_sleep_us(struct env *env, int64_t duration_us)
{
    (void)env;
    struct timespec left = {.tv_sec = (time_t)(duration_us / 1000000),
                            .tv_nsec = (long)(duration_us % 1000000) * 1000};
    if (duration_us > 0) {
        nanosleep(&left, NULL); /* a signal may cut it short, on purpose: Ctrl-C must be seen */
    }
}

static uint64_t rotate_left(uint64_t x, int count)
{
    return (x << count) | (x >> (64 - count));
}

/* xoshiro256**, by Blackman and Vigna (public domain description). */
static uint64_t xoshiro_next(struct env *env)
{
    uint64_t *s = env->random_state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/* splitmix64 spreads a small seed over the whole state. */
static void xoshiro_seed(struct env *env, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        env->random_state[i] = z ^ (z >> 31);
    }
}

static uint64_t kernel_seed(void)
{
    uint64_t seed = 0;
    if (getentropy(&seed, sizeof(seed)) != 0) {
        seed = (uint64_t)clock_us(CLOCK_REALTIME) ^ ((uint64_t)getpid() << 40);
    }
    return seed;
}

void env_init_seeded(struct env *env, uint64_t seed)
{
    *env = (struct env){
        .wall_us = system_wall_us,
        .monotonic_us = system_monotonic_us,
        .random_u64 = xoshiro_next,
        .sleep_us = system_sleep_us,
    };
    xoshiro_seed(env, seed);
}

void env_init_system(struct env *env)
{
    env_init_seeded(env, kernel_seed());
}

static int64_t virtual_now_us(struct env *env)
{
    return env->virtual_us;
}

void env_init_virtual(struct env *env, uint64_t seed, int64_t start_us)
{
    env_init_seeded(env, seed);
    env->wall_us = virtual_now_us;
    env->monotonic_us = virtual_now_us;
    env->sleep_us = env_advance;
    env->virtual_us = start_us;
}

void env_advance(struct env *env, int64_t duration_us)
{
    env->virtual_us += duration_us;
}

uint64_t env_random_below(struct env *env, uint64_t bound)
{
    PP_ASSERT(bound > 0);
    /* Reject the incomplete last stripe, so that every result is equally likely. */
    uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t value;
    do {
        value = env->random_u64(env);
    } while (value >= limit);
    return value % bound;
}

void env_uuid(struct env *env, char out[ENV_UUID_BYTES])
{
    uint64_t high = env->random_u64(env);
    uint64_t low = env->random_u64(env);
    high = (high & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
    low = (low & ~(UINT64_C(3) << 62)) | (UINT64_C(1) << 63);
    /* Written by hand, because each answer of the gateway carries a UUID. */
    out = hex_write(out, high >> 32, 8);
    *out++ = '-';
    out = hex_write(out, high >> 16, 4);
    *out++ = '-';
    out = hex_write(out, high, 4);
    *out++ = '-';
    out = hex_write(out, low >> 48, 4);
    *out++ = '-';
    out = hex_write(out, low, 12);
    *out = '\0';
}

const char *env_variable(const char *name)
{
    return getenv(name);
}
