#define _GNU_SOURCE /* dl_iterate_phdr */
#include "alloc_fault.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OTHERS_MALLOC 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
#define OTHERS_MALLOC 1
#endif
#ifndef OTHERS_MALLOC
#include <link.h>
#endif

static atomic_bool on;
static bool elsewhere;
static bool own_only;
static pthread_t beginner;
static enum alloc_fault_mode mode_now;
static long fail_at;
static atomic_long asked;
static atomic_bool failed;
static atomic_long alive;
static _Thread_local long alive_here;

bool alloc_fault_goes_on(long n)
{
    return n == 1 || atomic_load(&failed);
}

static void begin(long n, enum alloc_fault_mode mode, bool others, bool own)
{
    own_only = own;
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
    begin(n, mode, false, false);
}

#ifdef OTHERS_MALLOC

void alloc_fault_begin_own(long n, enum alloc_fault_mode mode)
{
    begin(n, mode, false, true);
}

#endif

void alloc_fault_begin_elsewhere(long n, enum alloc_fault_mode mode)
{
    begin(n, mode, true, false);
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

long alloc_fault_alive_here(void)
{
    return alive_here;
}

#ifndef OTHERS_MALLOC

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *old);

enum { OWN_RANGES_MAX = 32 };

/* Code whose allocations fail, where not everybody's do. */
struct own_range {
    uintptr_t begin;
    uintptr_t end;
};

static struct own_range own_ranges[OWN_RANGES_MAX];
static size_t own_count;

static int note_own(struct dl_phdr_info *info, size_t size, void *ctx)
{
    static const char *const bearing[] = {"libsqlite3", "libcjson", "libexpat"};
    bool own = info->dlpi_name == NULL || info->dlpi_name[0] == '\0';
    (void)size;
    (void)ctx;
    for (size_t i = 0; !own && i < sizeof(bearing) / sizeof(bearing[0]); i++) {
        own = strstr(info->dlpi_name, bearing[i]) != NULL;
    }
    if (own) {
        for (size_t i = 0; i < info->dlpi_phnum && own_count < OWN_RANGES_MAX; i++) {
            if (info->dlpi_phdr[i].p_type == PT_LOAD) {
                uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
                own_ranges[own_count++] =
                    (struct own_range){from, from + info->dlpi_phdr[i].p_memsz};
            }
        }
    }
    return 0;
}

void alloc_fault_begin_own(long n, enum alloc_fault_mode mode)
{
    if (own_count == 0) {
        (void)dl_iterate_phdr(note_own, NULL);
    }
    begin(n, mode, false, true);
}

static bool is_own(const void *caller)
{
    for (size_t i = 0; i < own_count; i++) {
        if ((uintptr_t)caller >= own_ranges[i].begin && (uintptr_t)caller < own_ranges[i].end) {
            return true;
        }
    }
    return false;
}

static bool fails(const void *caller)
{
    if (!atomic_load(&on) || (pthread_equal(pthread_self(), beginner) != 0) == elsewhere ||
        (own_only && !is_own(caller))) {
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
        alive_here++;
    }
    return made;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    return fails(CALLER) ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
    return fails(CALLER) ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
    if (fails(CALLER)) {
        return NULL;
    }
    return old == NULL ? counted(__libc_malloc(size)) : __libc_realloc(old, size);
}

static void *aligned(size_t alignment, size_t size, const void *caller)
{
    return fails(caller) ? NULL : counted(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return aligned(alignment, size, CALLER);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *made = aligned(alignment, size, CALLER);
    if (made != NULL) {
        *out = made;
    }
    return made != NULL ? 0 : ENOMEM;
}

void free(void *old)
{
    if (old != NULL) {
        atomic_fetch_sub(&alive, 1);
        alive_here--;
    }
    __libc_free(old);
}

#endif
