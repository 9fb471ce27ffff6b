/* What the LD_PRELOAD libraries here have in common. Nothing of the program is linked. */
#ifndef PINPIPE_TESTS_INTERPOSE_H
#define PINPIPE_TESTS_INTERPOSE_H

#include "fault_control.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1024 };

#define REAL(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

/* NULL: nobody is to be told, and nothing fails. */
static inline struct fault_control *fault_control_map(void)
{
    const char *path = getenv(FAULT_CONTROL_KEY);
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) {
        return NULL;
    }
    void *mapped =
        mmap(NULL, sizeof(struct fault_control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return mapped != MAP_FAILED ? mapped : NULL;
}

/* Has main returned, or exit been called? What libraries do then is not the program's, and neither
 * is libgcov, which writes a coverage build's counters then and does not look whether it got
 * memory. */
static atomic_bool interpose_over;

static inline void interpose_end(void)
{
    atomic_store(&interpose_over, true);
}

typedef int main_fn(int argc, char **argv, char **environment);
static main_fn *interpose_main;

static inline int interpose_run(int argc, char **argv, char **environment)
{
    atexit(interpose_end);
    return interpose_main(argc, argv, environment);
}

int __libc_start_main(main_fn *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end);

/* Counts a call; true when it is one that fails. Nothing fails before the client says so. */
static inline bool fault_due(struct fault_control *control)
{
    if (control == NULL || atomic_load(&interpose_over) ||
        atomic_load(&control->mode) == FAULT_NONE) {
        return false;
    }
    long number = atomic_fetch_add(&control->asked, 1) + 1;
    long at = atomic_load(&control->fail_at);
    bool due = number == at || (number > at && atomic_load(&control->mode) == FAULT_FROM_THERE_ON);
    if (due) {
        atomic_fetch_add(&control->failed, 1);
        if (getenv("PP_FAULT_TRAP") != NULL) {
            raise(SIGTRAP); /* a debugger wants to see who asked */
        }
    }
    return due;
}

/* The directory whose files are watched, with its links resolved; "" for none. */
static inline void watched_dir_init(char *out, const char *key)
{
    const char *dir = getenv(key);
    if (dir == NULL || realpath(dir, out) == NULL) {
        out[0] = '\0';
    }
}

/* The name of an open file below the watched directory, "." for itself; false for any other. */
static inline bool watched_name(const char *dir, int fd, char *name, size_t name_bytes)
{
    char link[64];
    char path[PATH_BYTES];
    size_t dir_len = strlen(dir);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = dir[0] != '\0' ? readlink(link, path, sizeof(path) - 1) : -1;
    if (len < (ssize_t)dir_len) {
        return false;
    }
    path[len] = '\0';
    if (strncmp(path, dir, dir_len) != 0 || (path[dir_len] != '/' && path[dir_len] != '\0')) {
        return false;
    }
    snprintf(name, name_bytes, "%s", path[dir_len] == '/' ? path + dir_len + 1 : ".");
    return true;
}

#endif
