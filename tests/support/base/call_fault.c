#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* RTLD_NEXT, accept4 */
#endif
#include "call_fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Other threads look at all of it while one begins anew. */
static atomic_int armed; /* enum call */
static struct {
    atomic_int skip;
    atomic_int times;
    atomic_int code;
    atomic_bool here;
} fault;
static _Atomic(pthread_t) beginner;
static atomic_int skipped;
static atomic_int struck;

void call_fault_begin(struct call_fault wanted)
{
    atomic_store(&armed, CALL_NONE);
    atomic_store(&fault.skip, wanted.skip);
    atomic_store(&fault.times, wanted.times);
    atomic_store(&fault.code, wanted.code);
    atomic_store(&fault.here, wanted.here);
    atomic_store(&beginner, pthread_self());
    atomic_store(&skipped, 0);
    atomic_store(&struck, 0);
    atomic_store(&armed, (int)wanted.call);
}

int call_fault_end(void)
{
    atomic_store(&armed, CALL_NONE);
    return atomic_load(&struck);
}

int call_fault_count(void)
{
    return atomic_load(&struck);
}

static bool strikes(enum call call)
{
    if (atomic_load(&armed) != (int)call ||
        (pthread_equal(pthread_self(), beginner) != 0) != fault.here ||
        atomic_fetch_add(&skipped, 1) < fault.skip) {
        return false;
    }
    if (atomic_fetch_add(&struck, 1) >= fault.times) {
        atomic_fetch_sub(&struck, 1);
        return false;
    }
    errno = fault.code;
    return true;
}

/* The real call, into a pointer of its own type. */
static void real(const char *name, void *pointer, size_t pointer_bytes)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(pointer, &symbol, pointer_bytes);
}

#define REAL(result, name, ...)                                                                    \
    result (*real_##name)(__VA_ARGS__);                                                            \
    real(#name, &real_##name, sizeof(real_##name))

ssize_t read(int fd, void *bytes, size_t len)
{
    REAL(ssize_t, read, int, void *, size_t);
    if (strikes(CALL_READ)) {
        return fault.code != 0 ? -1 : real_read(fd, bytes, len > 0 ? 1 : 0);
    }
    return real_read(fd, bytes, len);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    REAL(ssize_t, write, int, const void *, size_t);
    if (strikes(CALL_WRITE)) {
        return fault.code != 0 ? -1 : real_write(fd, bytes, len > 0 ? 1 : 0);
    }
    return real_write(fd, bytes, len);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(ssize_t, writev, int, const struct iovec *, int);
    if (strikes(CALL_WRITE)) {
        struct iovec first = {parts[0].iov_base, parts[0].iov_len > 0 ? 1 : 0};
        return fault.code != 0 ? -1 : real_writev(fd, &first, 1);
    }
    return real_writev(fd, parts, count);
}

int bind(int fd, const struct sockaddr *address, socklen_t len)
{
    REAL(int, bind, int, const struct sockaddr *, socklen_t);
    return strikes(CALL_BIND) ? -1 : real_bind(fd, address, len);
}

int listen(int fd, int backlog)
{
    REAL(int, listen, int, int);
    return strikes(CALL_LISTEN) ? -1 : real_listen(fd, backlog);
}

int socket(int domain, int type, int protocol)
{
    REAL(int, socket, int, int, int);
    return strikes(CALL_SOCKET) ? -1 : real_socket(domain, type, protocol);
}

int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict len)
{
    REAL(int, getpeername, int, struct sockaddr *restrict, socklen_t *restrict);
    return strikes(CALL_GETPEERNAME) ? -1 : real_getpeername(fd, address, len);
}

int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict len)
{
    REAL(int, getsockname, int, struct sockaddr *restrict, socklen_t *restrict);
    return strikes(CALL_GETSOCKNAME) ? -1 : real_getsockname(fd, address, len);
}

int shutdown(int fd, int how)
{
    REAL(int, shutdown, int, int);
    return strikes(CALL_SHUTDOWN) ? -1 : real_shutdown(fd, how);
}

int rename(const char *from, const char *to)
{
    REAL(int, rename, const char *, const char *);
    return strikes(CALL_RENAME) ? -1 : real_rename(from, to);
}

int fsync(int fd)
{
    REAL(int, fsync, int);
    return strikes(CALL_FSYNC) ? -1 : real_fsync(fd);
}

/* Its third argument, where it has one, is a number or a pointer: a word. */
int fcntl(int fd, int command, ...)
{
    REAL(int, fcntl, int, int, ...);
    va_list args;
    va_start(args, command);
    intptr_t argument = va_arg(args, intptr_t);
    va_end(args);
    return strikes(CALL_FCNTL) ? -1 : real_fcntl(fd, command, argument);
}

#ifdef __linux__
#include <sys/epoll.h>
#include <sys/eventfd.h>

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict len, int flags)
{
    REAL(int, accept4, int, struct sockaddr *restrict, socklen_t *restrict, int);
    return strikes(CALL_ACCEPT) ? -1 : real_accept4(fd, address, len, flags);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    REAL(int, epoll_ctl, int, int, int, struct epoll_event *);
    return strikes(CALL_EPOLL_CTL) ? -1 : real_epoll_ctl(epoll, operation, fd, event);
}

int epoll_create1(int flags)
{
    REAL(int, epoll_create1, int);
    return strikes(CALL_EPOLL_CREATE) ? -1 : real_epoll_create1(flags);
}

int eventfd(unsigned initial, int flags)
{
    REAL(int, eventfd, unsigned, int);
    return strikes(CALL_EVENTFD) ? -1 : real_eventfd(initial, flags);
}
#endif
