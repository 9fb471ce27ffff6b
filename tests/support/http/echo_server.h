/* The server core with a small service of its own, in a thread: what tests and load runs of the
 * core talk to.
 *
 *   GET  /hello           200 "hello"
 *   POST /echo            200, the body
 *   GET  /facts           200 "METHOD target host header-count"
 *   GET  /bytes/N         200, N bytes
 *   *    /status/N        N, the body as of /echo
 *   GET  /want/N          200, having asked for room for N bytes of replies
 *   GET  /hint            200, with a hint that has a line break in it
 *   GET  /hint/N          200, with a hint of N bytes; `lost` counts such answers that were
 *                         lost
 *   GET  /park            waits for POST /wake
 *   GET  /park/MS         waits so long, then 200 "late"
 *   GET  /outer/MS        waits for POST /wake, behind an outer deadline that answers 504
 *   POST /wake            answers all that wait with 200 "woken"
 *   anything else         404
 *
 * Failures are answered with their usual status and the failure's name as the body. */
#ifndef PINPIPE_TESTS_ECHO_SERVER_H
#define PINPIPE_TESTS_ECHO_SERVER_H

#include "exchange.h"
#include "http_conn.h"
#include "server.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ECHO_BODY_BYTES_MAX = 300 * 1024, ECHO_REPLY_BYTES_MAX = 64 * 1024 * 1024 };

struct echo_waiter {
    struct exchange *exchange;
    struct echo_waiter *next;
};

struct echo_server {
    struct env env;
    struct log log;
    struct server_limits limits;            /* of the next start */
    struct http_limits http_limits;         /* of the next start */
    struct turn_work work;                  /* of the next start; run may be NULL */
    const struct conn_transport *transport; /* of the next start; NULL: plain TCP */
    struct store *store;                    /* of the next start; NULL: nothing is committed */
    const char *address;                    /* of the next start; NULL: 127.0.0.1 */
    const struct listener_options *beside;  /* of the next start: a second listener; NULL: none */
    int beside_port;
    struct server *server;
    struct service service;
    struct echo_waiter *waiters;
    pthread_t thread;
    int port;
    atomic_int requests;
    atomic_int parked;
    atomic_int cancelled;
    atomic_int lost;
};

/* The named limits; change them before the start. */
void echo_server_init(struct echo_server *echo);
void echo_server_start(struct echo_server *echo);
/* Interrupts and waits for the end. */
void echo_server_stop(struct echo_server *echo);
/* Waits until the counter has the value; fails the test after a few seconds. */
void echo_server_await(atomic_int *counter, int value);

#endif
