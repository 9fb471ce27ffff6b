/* HTTP/1.1 over a connection: one request in progress, pipelined ones in order, limits, timeouts,
 * 100-continue, keep-alive, and the framing of replies. */
#ifndef PINPIPE_HTTP_CONN_H
#define PINPIPE_HTTP_CONN_H

#include "conn.h"

enum {
    HTTP_AHEAD_BYTES_MAX = 64 * 1024,  /* pipelined behind a request, a connection */
    HTTP_HEAD_MS = 10 * 1000,          /* first byte of a request to the end of its head */
    HTTP_BODY_MS = 20 * 1000,          /* for a body, and a second more for each ... */
    HTTP_BODY_RATE_MIN = 1024,         /* ... of these bytes received */
    HTTP_CROWDED_MS = 2 * 1000,        /* where memory runs short: after so long ... */
    HTTP_CROWDED_RATE_MIN = 64 * 1024, /* ... a body or a reader of less a second is given up */
    HTTP_SMALL_PART = 64,              /* who holds less of it displaces who holds most */
    HTTP_SPOOL_BYTES = 1024 * 1024,    /* what a gathered body has beyond these lies in a file */
    HTTP_SPOOLS_MAX = 32,              /* files at once, ... */
    HTTP_SPOOLED_BYTES_MAX = 512 * 1024 * 1024, /* ... and bytes in all of them */
    HTTP_IDLE_MS = 60 * 1000,                   /* between two requests; API Gateway's figure */
    HTTP_SEND_MS = 30 * 1000,                   /* a reader must take ... */
    HTTP_SEND_BYTES_MIN = 4096,                 /* ... at least these in that time */
    HTTP_YIELD_MS = 1000,                    /* no byte of a request: its place may be another's */
    HTTP_READER_YIELD_MS = 5 * 1000,         /* a reader takes nothing: the same */
    HTTP_REPLY_ROOM_BYTES_MIN = 1024 * 1024, /* for answers: less is short */
    HTTP_LINGER_MS = 5 * 1000,               /* reading on after a refusal, so that it is read */
};

/* The named limits above, so that a test can have shorter ones. */
struct http_limits {
    size_t ahead_bytes_max;
    size_t spool_bytes;
    size_t spools_max;
    size_t spooled_bytes_max;
    const char *spool_directory; /* a literal, or outlives the server */
    int64_t head_ms;
    int64_t body_ms;
    int64_t idle_ms;
    int64_t send_ms;
    int64_t yield_ms;
    int64_t reader_yield_ms;
    int64_t crowded_ms;
    int64_t crowded_rate_min;
    int64_t linger_ms;
};

struct http_pool;
struct service;

void http_limits_init(struct http_limits *limits);
/* What HTTP connections of all of a server's listeners share; it belongs to the server from now on.
 * `limits` are copied, NULL: the named ones. NO_MEMORY: nothing is to be released. */
enum status http_pool_new(struct server *server, const struct http_limits *limits,
                          struct http_pool **out) PP_MUST_USE;
/* What a listener's connections are whose requests `service` answers; the service outlives the
 * server. */
enum status http_kind(struct http_pool *pool, const struct service *service,
                      struct conn_kind *out) PP_MUST_USE;

#endif
