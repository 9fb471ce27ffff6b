/* LD_PRELOAD library: lets the real program's allocations fail on command (fault_control.h) and
 * counts those alive. In a program with a sanitizer they are the sanitizer's. */
#include "interpose.h"

#include <malloc.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *old);
extern void *__interceptor_malloc(size_t size) __attribute__((weak));
extern void *__interceptor_calloc(size_t count, size_t size) __attribute__((weak));
extern void *__interceptor_realloc(void *old, size_t size) __attribute__((weak));
extern void *__interceptor_memalign(size_t alignment, size_t size) __attribute__((weak));
extern void __interceptor_free(void *old) __attribute__((weak));

#define BELOW(name) (__interceptor_##name != NULL ? __interceptor_##name : __libc_##name)

static struct fault_control *control;

__attribute__((constructor)) static void begin(void)
{
    control = fault_control_map();
}

/* Notes who asked, the first time: the name of a library, or of the program. */
static bool fails(const void *caller)
{
    Dl_info info;
    bool due = fault_due(control);
    if (due) {
        if (control->what[0] == '\0' && dladdr(caller, &info) != 0 && info.dli_fname != NULL) {
            const char *slash = strrchr(info.dli_fname, '/');
            snprintf(control->what, sizeof(control->what), "%s",
                     slash != NULL ? slash + 1 : info.dli_fname);
        }
        errno = ENOMEM;
    }
    return due;
}

static void *counted(void *new)
{
    if (new != NULL && control != NULL) {
        atomic_fetch_add(&control->alive, 1);
    }
    return new;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : counted(BELOW(malloc)(size));
}

void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : counted(BELOW(calloc)(count, size));
}

void *realloc(void *old, size_t size)
{
    if (old == NULL) {
        return malloc(size);
    }
    return fails(__builtin_return_address(0)) ? NULL : BELOW(realloc)(old, size);
}

void *memalign(size_t alignment, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : counted(BELOW(memalign)(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *new = memalign(alignment, size);
    if (new == NULL) {
        return ENOMEM;
    }
    *out = new;
    return 0;
}

void free(void *old)
{
    if (old != NULL && control != NULL) {
        atomic_fetch_sub(&control->alive, 1);
    }
    BELOW(free)(old);
}

int __libc_start_main(main_fn *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    interpose_main = main;
    return REAL(__libc_start_main)(interpose_run, argc, argv, init, fini, rtld_fini, stack_end);
}
