/* System calls of the test's own process that fail on command, libuv's as well: what a kernel says
 * when it is short of something or a peer is gone, which no test can bring about at will.
 *
 *   call_fault_begin((struct call_fault){CALL_ACCEPT, .times = 1, .code = ENOMEM});
 *   ... a client connects; the server must say so and accept the next one ...
 *   call_fault_end();
 *
 * The calls of all threads fail but those of the one that began: a server's, not its client's;
 * `here` makes it the other way round. One fault at a time. Where libuv does not find these calls
 * (a static or two-level linkage) nothing fails: call_fault_works() says so. */
#ifndef PINPIPE_TESTS_CALL_FAULT_H
#define PINPIPE_TESTS_CALL_FAULT_H

#include <stdbool.h>

enum call {
    CALL_NONE,
    CALL_ACCEPT,
    CALL_READ,
    CALL_WRITE, /* and writev */
    CALL_BIND,
    CALL_LISTEN,
    CALL_SOCKET,
    CALL_GETPEERNAME,
    CALL_GETSOCKNAME,
    CALL_SHUTDOWN,
    CALL_EPOLL_CTL,
    CALL_EPOLL_CREATE,
    CALL_EVENTFD,
    CALL_FCNTL,
    CALL_RENAME,
    CALL_FSYNC,
};

struct call_fault {
    enum call call;
    int skip;  /* so many work before */
    int times; /* so many then fail */
    int code;  /* errno; 0: one byte is read or written, and no more */
    bool here; /* in this thread */
};

void call_fault_begin(struct call_fault fault);
/* How many have failed since. */
int call_fault_end(void);
int call_fault_count(void);

#endif
