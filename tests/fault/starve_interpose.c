/* LD_PRELOAD library: one in so many of the real program's allocations fails, from the moment it is
 * ready on. Shares no code with the program.
 *
 *   PP_STARVE   ONE_IN:SEED; which ones is a matter of the seed alone
 *
 * Ready is who renames something to a name that ends in "ready": what a start without memory does
 * is another test's. */
#include "interpose.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_int begun;
static atomic_uint_fast64_t drawn;
static uint64_t one_in;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("PP_STARVE");
    const char *colon = text != NULL ? strchr(text, ':') : NULL;
    one_in = text != NULL ? strtoull(text, NULL, 10) : 0;
    atomic_store(&drawn, colon != NULL ? strtoull(colon + 1, NULL, 10) * UINT64_C(1000003) : 0);
}

/* SplitMix64, as good as any. */
static int fails(void)
{
    if (one_in == 0 || !atomic_load(&begun) || atomic_load(&interpose_over)) {
        return 0;
    }
    uint64_t z = atomic_fetch_add(&drawn, 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    if ((z ^ (z >> 31)) % one_in != 0) {
        return 0;
    }
    errno = ENOMEM;
    return 1;
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *);
    void *symbol = dlsym(RTLD_NEXT, "rename");
    memcpy(&real, &symbol, sizeof(real));
    int result = real(from, to);
    size_t len = strlen(to);
    if (result == 0 && len >= 5 && strcmp(to + len - 5, "ready") == 0) {
        atomic_store(&begun, 1);
    }
    return result;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *made = aligned_alloc(alignment, size);
    if (made != NULL) {
        *out = made;
    }
    return made != NULL ? 0 : ENOMEM;
}

int __libc_start_main(main_fn *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end)
{
    interpose_main = main;
    return REAL(__libc_start_main)(interpose_run, argc, argv, init, fini, rtld_fini, stack_end);
}
