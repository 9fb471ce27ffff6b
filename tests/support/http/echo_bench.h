/* A test with the echo server and one reply: the fixture of the tests of the server's core. */
#ifndef PINPIPE_TESTS_ECHO_BENCH_H
#define PINPIPE_TESTS_ECHO_BENCH_H

#include "echo_server.h"
#include "raw_socket.h"

struct echo_bench {
    struct echo_server echo;
    struct raw_reply reply;
};

/* cmocka's setup and teardown: *state is a struct echo_bench, its server with the usual limits; not
 * started, so that a test can change them, or started. */
int echo_bench_setup(void **state);
int echo_bench_setup_started(void **state);
int echo_bench_teardown(void **state);
/* A request on a connection of its own; the reply is in f->reply. */
void echo_bench_ask(struct echo_bench *f, const char *text);
/* Whether the reply has the header; value NULL: with any. */
bool echo_bench_has_header(const struct echo_bench *f, const char *name, const char *value);

#define GET(path)       "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_CLOSE(path) "GET " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

#endif
