/* LD_PRELOAD library: lets one of the real program's calls to files fail on command
 * (fault_control.h): the n-th, or all from there on, with the client's errno.
 *
 *   PP_WATCH_DIR   only files below it count; what the clients themselves read does not
 *
 * With ENOSPC only calls count that may want room. A close that fails has closed. */
#include "interpose.h"

#include <stdarg.h>

static struct fault_control *control;
static char watch_dir[PATH_BYTES];

__attribute__((constructor)) static void begin(void)
{
    watched_dir_init(watch_dir, "PP_WATCH_DIR");
    control = fault_control_map();
}

static bool is_the_clients(const char *name)
{
    /* Doctor takes a .git that it cannot see for one. */
    static const char *const names[] = {"control", "run.out", "run.err", "server.log", ".git"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool call_fails(const char *call, const char *name, bool wants_room)
{
    int number = atomic_load(&control->error_number);
    if (is_the_clients(name) || (number == ENOSPC && !wants_room) || !fault_due(control)) {
        return false;
    }
    if (control->what[0] == '\0') {
        snprintf(control->what, sizeof(control->what), "%s %s", call, name);
    }
    errno = number;
    return true;
}

static bool fd_fails(const char *call, int fd, bool wants_room)
{
    char name[PATH_BYTES];
    int before = errno;
    if (control == NULL || !watched_name(watch_dir, fd, name, sizeof(name))) {
        errno = before;
        return false;
    }
    errno = before;
    return call_fails(call, name, wants_room);
}

/* Where a path leads from `dir_fd`; links in it are not resolved, as the tests make none. */
static bool path_fails(const char *call, int dir_fd, const char *path, bool wants_room)
{
    char whole[2 * PATH_BYTES] = "";
    char link[64];
    size_t dir_len = strlen(watch_dir);
    int before = errno;
    if (control == NULL || dir_len == 0 || path == NULL) {
        return false;
    }
    if (path[0] != '/') {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", dir_fd);
        ssize_t len = dir_fd != AT_FDCWD                  ? readlink(link, whole, PATH_BYTES - 1)
                      : getcwd(whole, PATH_BYTES) != NULL ? (ssize_t)strlen(whole)
                                                          : -1;
        if (len < 0) {
            errno = before;
            return false;
        }
        whole[len] = '/';
        whole[len + 1] = '\0';
    }
    strncat(whole, path, PATH_BYTES - 1);
    errno = before;
    return strncmp(whole, watch_dir, dir_len) == 0 && whole[dir_len] == '/' &&
           call_fails(call, whole + dir_len + 1, wants_room);
}

/* --- opening --- */

#define OPENING(name, dir_fd, real)                                                                \
    int mode = 0;                                                                                  \
    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {                                                    \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode = va_arg(args, int);                                                                  \
        va_end(args);                                                                              \
    }                                                                                              \
    return path_fails(name, dir_fd, path, (flags & O_CREAT) != 0) ? -1 : (real)

int open(const char *path, int flags, ...)
{
    OPENING("open", AT_FDCWD, REAL(open)(path, flags, mode));
}

int open64(const char *path, int flags, ...)
{
    OPENING("open", AT_FDCWD, REAL(open64)(path, flags, mode));
}

int openat(int dir_fd, const char *path, int flags, ...)
{
    OPENING("open", dir_fd, REAL(openat)(dir_fd, path, flags, mode));
}

int openat64(int dir_fd, const char *path, int flags, ...)
{
    OPENING("open", dir_fd, REAL(openat64)(dir_fd, path, flags, mode));
}

FILE *fopen(const char *path, const char *mode)
{
    return path_fails("open", AT_FDCWD, path, mode[0] != 'r') ? NULL : REAL(fopen)(path, mode);
}

/* --- open files --- */

#define ON_FD(name, wants_room, real) return fd_fails(name, fd, wants_room) ? -1 : (real)

ssize_t read(int fd, void *bytes, size_t len)
{
    ON_FD("read", false, REAL(read)(fd, bytes, len));
}

ssize_t pread(int fd, void *bytes, size_t len, off_t position)
{
    ON_FD("read", false, REAL(pread)(fd, bytes, len, position));
}

ssize_t pread64(int fd, void *bytes, size_t len, off64_t position)
{
    ON_FD("read", false, REAL(pread64)(fd, bytes, len, position));
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    ON_FD("write", true, REAL(write)(fd, bytes, len));
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t position)
{
    ON_FD("write", true, REAL(pwrite)(fd, bytes, len, position));
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t position)
{
    ON_FD("write", true, REAL(pwrite64)(fd, bytes, len, position));
}

int fsync(int fd)
{
    ON_FD("fsync", true, REAL(fsync)(fd));
}

int fdatasync(int fd)
{
    ON_FD("fsync", true, REAL(fdatasync)(fd));
}

int ftruncate(int fd, off_t len)
{
    ON_FD("ftruncate", true, REAL(ftruncate)(fd, len));
}

int ftruncate64(int fd, off64_t len)
{
    ON_FD("ftruncate", true, REAL(ftruncate64)(fd, len));
}

int close(int fd)
{
    bool fails = fd_fails("close", fd, true);
    int number = errno;
    int code = REAL(close)(fd);
    errno = fails ? number : errno;
    return fails ? -1 : code;
}

int fstat(int fd, struct stat *out)
{
    ON_FD("stat", false, REAL(fstat)(fd, out));
}

int fstat64(int fd, struct stat64 *out)
{
    ON_FD("stat", false, REAL(fstat64)(fd, out));
}

/* --- names --- */

#define ON_PATH(name, wants_room, real)                                                            \
    return path_fails(name, AT_FDCWD, path, wants_room) ? -1 : (real)

int stat(const char *path, struct stat *out)
{
    ON_PATH("stat", false, REAL(stat)(path, out));
}

int stat64(const char *path, struct stat64 *out)
{
    ON_PATH("stat", false, REAL(stat64)(path, out));
}

int lstat(const char *path, struct stat *out)
{
    ON_PATH("stat", false, REAL(lstat)(path, out));
}

int lstat64(const char *path, struct stat64 *out)
{
    ON_PATH("stat", false, REAL(lstat64)(path, out));
}

int rename(const char *path, const char *to)
{
    ON_PATH("rename", true, REAL(rename)(path, to));
}

int unlink(const char *path)
{
    ON_PATH("unlink", false, REAL(unlink)(path));
}

int mkdir(const char *path, mode_t mode)
{
    ON_PATH("mkdir", true, REAL(mkdir)(path, mode));
}
