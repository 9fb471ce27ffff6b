/* Routes as data: a table of {method, path pattern, handler}. A pattern is literal segments and
 * {name} captures, e.g. "/consumers/{group}/instances/{instance}/records"; an optional trailing
 * slash in the request is ignored. Captures are percent-decoded into the exchange's arena. */
#ifndef PINPIPE_ROUTE_H
#define PINPIPE_ROUTE_H

#include "exchange.h"

enum { ROUTE_CAPTURES_MAX = 6 };

struct route_match {
    struct span captures[ROUTE_CAPTURES_MAX]; /* decoded, in the order of the pattern */
    size_t capture_count;
};

struct route {
    enum http_method method;
    const char *pattern;
    enum handled (*handle)(void *ctx, struct exchange *exchange, const struct route_match *match);
    int tag; /* the service's own use: which media types it takes and gives, ... */
};

enum route_outcome {
    ROUTE_FOUND,
    ROUTE_UNKNOWN_PATH,
    ROUTE_WRONG_METHOD, /* *allow lists the methods of the path: "GET,POST" */
    ROUTE_BAD_ESCAPE,
    ROUTE_NO_MEMORY,
};

struct route_table {
    const struct route *routes;
    size_t count;
};

enum route_outcome route_find(const struct route_table *table, struct exchange *exchange,
                              const struct route **route, struct route_match *match,
                              const char **allow);

#endif
