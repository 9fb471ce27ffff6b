#include "mysql_fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Switching by hand must be told to the sanitizers, which know one stack a thread. */
#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FIBER_TSAN 1
#endif
#endif

#if defined(__GLIBC__)
#define FIBER_SWITCHES 1
#include <ucontext.h>
#endif

#ifdef FIBER_ASAN
void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *save, const void **bottom, size_t *size);
#endif
#ifdef FIBER_TSAN
void *__tsan_get_current_fiber(void);
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
#endif

/* SQLite's deepest calls take some 20 KiB; a sanitizer's frames are several times as large. */
enum { stack_bytes = 512 * 1024 };

struct mysql_fiber {
    void (*run)(void *argument);
    void *argument;
    bool running;
#ifdef FIBER_SWITCHES
    ucontext_t inside;
    ucontext_t outside;
    char *stack; /* its lowest page is the guard */
    size_t guard_bytes;
#endif
#ifdef FIBER_ASAN
    void *fake_outside;
    void *fake_inside;
    const void *outside_bottom;
    size_t outside_size;
#endif
#ifdef FIBER_TSAN
    void *tsan_inside;
    void *tsan_outside;
#endif
};

#ifdef FIBER_SWITCHES

struct mysql_fiber *mysql_fiber_new(void)
{
    struct mysql_fiber *fiber = calloc(1, sizeof(*fiber));
    if (fiber == NULL) {
        return NULL;
    }
    long page = sysconf(_SC_PAGESIZE);
    fiber->guard_bytes = page > 0 ? (size_t)page : 4096;
    void *stack = mmap(NULL, fiber->guard_bytes + stack_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) {
        free(fiber);
        return NULL;
    }
    fiber->stack = stack;
    (void)mprotect(stack, fiber->guard_bytes, PROT_NONE);
    return fiber;
}

void mysql_fiber_free(struct mysql_fiber *fiber)
{
    if (fiber != NULL) {
        PP_ASSERT(!fiber->running);
        munmap(fiber->stack, fiber->guard_bytes + stack_bytes);
        free(fiber);
    }
}

static void fiber_arrived(struct mysql_fiber *fiber)
{
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fiber->fake_inside, &fiber->outside_bottom,
                                    &fiber->outside_size);
#else
    (void)fiber;
#endif
}

/* makecontext hands on ints only: a pointer is two of them. */
static void fiber_main(unsigned high, unsigned low)
{
    struct mysql_fiber *fiber = (struct mysql_fiber *)((uintptr_t)high << 16 << 16 | low);
    fiber_arrived(fiber);
    fiber->run(fiber->argument);
    fiber->running = false;
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(NULL, fiber->outside_bottom, fiber->outside_size);
#endif
#ifdef FIBER_TSAN
    __tsan_switch_to_fiber(fiber->tsan_outside, 0);
#endif
    (void)swapcontext(&fiber->inside, &fiber->outside);
}

bool mysql_fiber_resume(struct mysql_fiber *fiber)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(&fiber->fake_outside, fiber->stack + fiber->guard_bytes,
                                   stack_bytes);
#endif
#ifdef FIBER_TSAN
    fiber->tsan_outside = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber->tsan_inside, 0);
#endif
    (void)swapcontext(&fiber->outside, &fiber->inside);
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(fiber->fake_outside, NULL, NULL);
#endif
#ifdef FIBER_TSAN
    if (!fiber->running) {
        __tsan_destroy_fiber(fiber->tsan_inside);
    }
#endif
    return !fiber->running;
}

bool mysql_fiber_start(struct mysql_fiber *fiber, void (*run)(void *argument), void *argument)
{
    uintptr_t address = (uintptr_t)fiber;
    fiber->run = run;
    fiber->argument = argument;
    fiber->running = true;
#ifdef FIBER_ASAN
    fiber->fake_inside = NULL;
#endif
#ifdef FIBER_TSAN
    fiber->tsan_inside = __tsan_create_fiber(0);
#endif
    (void)getcontext(&fiber->inside);
    fiber->inside.uc_stack.ss_sp = fiber->stack + fiber->guard_bytes;
    fiber->inside.uc_stack.ss_size = stack_bytes;
    fiber->inside.uc_link = NULL;
    makecontext(&fiber->inside, (void (*)(void))fiber_main, 2, (unsigned)(address >> 16 >> 16),
                (unsigned)address);
    return mysql_fiber_resume(fiber);
}

void mysql_fiber_give_way(struct mysql_fiber *fiber)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(&fiber->fake_inside, fiber->outside_bottom, fiber->outside_size);
#endif
#ifdef FIBER_TSAN
    __tsan_switch_to_fiber(fiber->tsan_outside, 0);
#endif
    (void)swapcontext(&fiber->inside, &fiber->outside);
    fiber_arrived(fiber);
}

#else /* at once */

struct mysql_fiber *mysql_fiber_new(void)
{
    return calloc(1, sizeof(struct mysql_fiber));
}

void mysql_fiber_free(struct mysql_fiber *fiber)
{
    free(fiber);
}

bool mysql_fiber_start(struct mysql_fiber *fiber, void (*run)(void *argument), void *argument)
{
    (void)fiber;
    run(argument);
    return true;
}

bool mysql_fiber_resume(struct mysql_fiber *fiber)
{
    (void)fiber;
    return true;
}

void mysql_fiber_give_way(struct mysql_fiber *fiber)
{
    (void)fiber;
}

#endif

bool mysql_fiber_is_running(const struct mysql_fiber *fiber)
{
    return fiber->running;
}
