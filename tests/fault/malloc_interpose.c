/* LD_PRELOAD library: lets the real program's allocations fail on command and counts those alive.
 * Shares no code with the program.
 *
 *   PP_MALLOC_CONTROL   a file with a struct malloc_control (malloc_control.h), mapped by both
 *
 * Nothing fails before the client says so: what fails at the start is another test's. */
#include "malloc_control.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *old);

static struct malloc_control *control;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("PP_MALLOC_CONTROL");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) {
        return;
    }
    void *mapped = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    control = mapped != MAP_FAILED ? mapped : NULL;
}

static int fails(void)
{
    if (control == NULL || atomic_load(&control->mode) == MALLOC_WORKS) {
        return 0;
    }
    long number = atomic_fetch_add(&control->asked, 1) + 1;
    long at = atomic_load(&control->fail_at);
    int failing =
        number == at || (number > at && atomic_load(&control->mode) == MALLOC_FAILS_FROM_THERE_ON);
    if (failing) {
        atomic_fetch_add(&control->failed, 1);
        errno = ENOMEM;
    }
    return failing;
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

void *memalign(size_t alignment, size_t size)
{
    return fails() ? NULL : counted(__libc_memalign(alignment, size));
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
    __libc_free(old);
}
