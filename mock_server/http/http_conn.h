/* HTTP/1.1 over a connection: one request in progress, pipelined ones in order, limits, timeouts,
 * 100-continue, keep-alive, and the framing of replies. */
#ifndef PINPIPE_HTTP_CONN_H
#define PINPIPE_HTTP_CONN_H

#include "conn.h"

struct http_pool;
struct service;

/* What HTTP connections of all of a server's listeners share; it belongs to the server from now on.
 * NO_MEMORY: nothing is to be released. */
enum status http_pool_new(struct server *server, struct http_pool **out) PP_MUST_USE;
/* What a listener's connections are whose requests `service` answers; the service outlives the
 * server. */
enum status http_kind(struct http_pool *pool, const struct service *service,
                      struct conn_kind *out) PP_MUST_USE;

#endif
