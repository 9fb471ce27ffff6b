/* The parameters of a request's query string, and percent coding into the exchange's arena. */
#ifndef PINPIPE_QUERY_H
#define PINPIPE_QUERY_H

#include "arena.h"

struct exchange;

enum query_outcome {
    QUERY_FOUND,
    QUERY_ABSENT,
    QUERY_BROKEN, /* a broken escape or an encoded NUL */
    QUERY_UNREAD, /* no memory: the exchange is marked, whatever is answered becomes its 5xx */
};

/* The decoded value ('+' is a blank) of the first parameter of that name, which is compared as
 * sent. Valid as long as the exchange; copied only where something had to be decoded. *value is
 * written always: empty where there is none. */
enum query_outcome query_value(struct exchange *exchange, const char *name, struct span *value);
/* The same of any query, into any arena; nobody's exchange is marked. */
enum query_outcome query_value_in(struct arena *arena, struct span query, const char *name,
                                  struct span *value);
/* Is there a parameter of that name, with or without a value? */
bool query_has(const struct exchange *exchange, const char *name);

struct query_parameter {
    struct span name; /* as sent */
    struct span value;
    bool has_value; /* there is a '=' */
};

/* Cuts the first parameter off *query; false when there is none left. */
bool query_next(struct span *query, struct query_parameter *out);

enum query_decoded { QUERY_DECODED, QUERY_BAD_ESCAPE, QUERY_NO_MEMORY };

/* `raw` without its escapes, in the arena; `raw` itself where there are none. An encoded NUL is a
 * bad escape. */
enum query_decoded query_decode(struct arena *arena, struct span raw, bool plus_is_blank,
                                struct span *out);

#endif
