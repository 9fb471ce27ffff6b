/* HTTP/1.1 over a connection: one request in progress, pipelined ones in order, limits, timeouts,
 * 100-continue, keep-alive, and the framing of replies. */
#ifndef PINPIPE_HTTP_CONN_H
#define PINPIPE_HTTP_CONN_H

#include "conn.h"

extern const struct conn_protocol http_protocol;

/* Frees what connections left for their successors. */
void http_spare_release(struct server *server);

#endif
