/* A request by its words, and a header of its reply: what every bench that hands requests to a
 * service does. */
#ifndef PINPIPE_TESTS_ASKED_H
#define PINPIPE_TESTS_ASKED_H

#include "exchange.h"

/* Fills in method and target (with path and query); both must live as long as the request. */
void asked_target(struct http_request *request, struct span method, struct span target);
/* The value of the reply's header; empty when it has none. */
struct span asked_reply_header(const struct exchange *exchange, const char *name);

#endif
