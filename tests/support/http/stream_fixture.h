/* A client of stream_server.c, for tests of what its sockets carry. */
#ifndef PINPIPE_TESTS_STREAM_FIXTURE_H
#define PINPIPE_TESTS_STREAM_FIXTURE_H

#include "raw_socket.h"
#include "stream_server.h"

struct stream_fixture {
    struct stream_server stream;
    struct raw_reply reply;
    int replies; /* streamed ones that the test has asked for */
};

/* cmocka's: not started, so that the test may change what the server is; started. */
int stream_setup(void **state);
int stream_setup_started(void **state);
/* However a test ends its exchanges: nothing was wrong, and every state was let go of, once. */
int stream_teardown(void **state);
int stream_connect(struct stream_fixture *f);

#endif
