/* Routes as data: a table of {method, path pattern} and what its service makes of a row. A pattern
 * is literal segments and {name} captures, e.g. "/consumers/{group}/instances/{instance}/records";
 * an optional trailing slash in the request is ignored. Captures are percent-decoded into the
 * exchange's arena.
 *
 * A service's row is a struct of its own that begins with its struct route, so that a handler takes
 * the service's own call and nothing else:
 *
 *   struct my_route { struct route route; enum handled (*handle)(struct my_call *call); };
 *   static const struct my_route rows[] = {{{METHOD_GET, "/things/{thing}"}, my_thing_get}};
 *   static const struct route_table table = ROUTE_TABLE(rows);
 *   ... ROUTE_ROW(route, struct my_route)->handle(call) */
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
};

enum route_outcome {
    ROUTE_FOUND,
    ROUTE_UNKNOWN_PATH,
    ROUTE_WRONG_METHOD, /* *allow lists the methods of the path: "GET,POST" */
    ROUTE_BAD_ESCAPE,
    ROUTE_NO_MEMORY,
};

struct route_table {
    const struct route *first;
    size_t count;
    size_t row_bytes;
};

#define ROUTE_TABLE(rows)                                                                          \
    {                                                                                              \
        &(rows)[0].route, ARRAY_COUNT(rows), sizeof((rows)[0])                                     \
    }
/* The row that a found route begins. */
#define ROUTE_ROW(found, type) ((const type *)(const void *)(found))

/* Sets *route and *match when FOUND, *allow (in the arena, or static) when WRONG_METHOD. */
enum route_outcome route_find(const struct route_table *table, struct exchange *exchange,
                              const struct route **route, struct route_match *match,
                              const char **allow);

#endif
