/* An HTTP server for tests of clients: blocking sockets in a thread, one connection at a time,
 * answers chosen by the path, sent as they stand. It shares no code with the product but spans. */
#ifndef PINPIPE_TESTS_ANSWER_SERVER_H
#define PINPIPE_TESTS_ANSWER_SERVER_H

#include "span.h"

#include <pthread.h>
#include <stdatomic.h>

/* A span in a table of constants. */
#define SPAN_INIT(literal)                                                                         \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }

struct answer {
    const char *path; /* without a query */
    struct span bytes;
    bool close; /* afterwards */
};

enum { ANSWER_REQUEST_BYTES_MAX = 65536 };

/* For paths that are not in the table; returns whether the connection stays. NULL: silence. */
typedef bool (*answer_fn)(int fd, const char *path);

struct answer_server {
    const struct answer *answers;
    size_t answer_count;
    answer_fn otherwise;
    int listener;
    int port;
    pthread_t thread;
    atomic_bool stopping;
    atomic_int connections;
    atomic_int requests;
    atomic_int ended;                        /* connections that are over */
    char incoming[ANSWER_REQUEST_BYTES_MAX]; /* the thread's own */
    pthread_mutex_t lock;
    char last[ANSWER_REQUEST_BYTES_MAX];  /* under the lock: the last request, whole */
    char shown[ANSWER_REQUEST_BYTES_MAX]; /* the test's own */
};

void answer_server_start(struct answer_server *server, const struct answer *answers, size_t count,
                         answer_fn otherwise);
/* Every client must have closed its connection. */
void answer_server_stop(struct answer_server *server);
/* The last request, whole; stays as it is until the next call. */
const char *answer_server_last(struct answer_server *server);
void answer_send(int fd, struct span bytes);

#endif
