#include "alloc_fault.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

static atomic_bool on;
static bool elsewhere;
static pthread_t beginner;
static enum alloc_fault_mode mode_now;
static long fail_at;
static atomic_long asked;
static atomic_bool failed;
static atomic_long alive;

bool alloc_fault_goes_on(long n)
{
    return n == 1 || atomic_load(&failed);
}

static void begin(long n, enum alloc_fault_mode mode, bool others)
{
    atomic_store(&asked, 0);
    atomic_store(&failed, false);
    fail_at = n;
    mode_now = mode;
    elsewhere = others;
    beginner = pthread_self();
    atomic_store(&on, true);
}

void alloc_fault_begin(long n, enum alloc_fault_mode mode)
{
    begin(n, mode, false);
}

void alloc_fault_begin_elsewhere(long n, enum alloc_fault_mode mode)
{
    begin(n, mode, true);
}

bool alloc_fault_end(void)
{
    atomic_store(&on, false);
    return atomic_load(&failed);
}

long alloc_fault_asked(void)
{
    return atomic_load(&asked);
}

long alloc_fault_alive(void)
{
    return atomic_load(&alive);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OTHERS_MALLOC 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define OTHERS_MALLOC 1
#endif
#ifndef OTHERS_MALLOC

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *old);

static bool fails(void)
{
    if (!atomic_load(&on) || (pthread_equal(pthread_self(), beginner) != 0) == elsewhere) {
        return false;
    }
    long number = atomic_fetch_add(&asked, 1) + 1;
    if (number < fail_at || (number > fail_at && mode_now == ALLOC_FAILS_ONCE)) {
        return false;
    }
    atomic_store(&failed, true);
    errno = ENOMEM;
    return true;
}

static void *counted(void *made)
{
    if (made != NULL) {
        atomic_fetch_add(&alive, 1);
    }
    return made;
}

void *malloc(size_t size)
{
    return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    if (old == NULL) {
        return malloc(size);
    }
    return fails() ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : counted(__libc_memalign(alignment, size));
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *made = aligned_alloc(alignment, size);
    if (made != NULL) {
        *out = made;
    }
    return made != NULL ? 0 : ENOMEM;
}

void free(void *old)
{
    if (old != NULL) {
        atomic_fetch_sub(&alive, 1);
    }
    __libc_free(old);
}

#endif
