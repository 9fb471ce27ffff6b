#include "alloc_fault.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

static _Thread_local struct {
    bool on;
    bool failed;
    enum alloc_fault_mode mode;
    long fail_at;
    long asked;
} fault;
static bool failed_last; /* of the test's one loop */
static atomic_long alive;

bool alloc_fault_goes_on(long n)
{
    return n == 1 || failed_last;
}

void alloc_fault_begin(long n, enum alloc_fault_mode mode)
{
    fault.asked = 0;
    fault.fail_at = n;
    fault.mode = mode;
    fault.failed = false;
    fault.on = true;
}

bool alloc_fault_end(void)
{
    fault.on = false;
    failed_last = fault.failed;
    return fault.failed;
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
    if (!fault.on) {
        return false;
    }
    fault.asked++;
    bool failing = fault.asked == fault.fail_at ||
                   (fault.asked > fault.fail_at && fault.mode == ALLOC_FAILS_FROM_THERE_ON);
    if (failing) {
        fault.failed = true;
        errno = ENOMEM;
    }
    return failing;
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
