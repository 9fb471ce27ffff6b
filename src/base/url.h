/* Percent coding and taking URLs apart. */
#ifndef PINPIPE_URL_H
#define PINPIPE_URL_H

#include "buf.h"

struct url {
    struct span scheme; /* "http" */
    struct span host;   /* without the brackets of an IPv6 address */
    uint16_t port;      /* the scheme's default when absent */
    struct span path;   /* from the first '/', or empty */
    struct span query;  /* without '?' */
};

/* http and https only, no user info, no fragment; false otherwise. */
bool url_parse(struct span text, struct url *out);
/* The same of mysql:// only. */
bool url_parse_mysql(struct span text, struct url *out);
enum { URL_SHOWN_BYTES = 256 };
/* The text as it may be printed, a URL or not: itself, or in `out`, cut to what fits, with *** for
 * user:password. */
const char *url_shown(const char *text, char out[URL_SHOWN_BYTES]);
/* Takes a byte off the front of *rest (which is not empty), decoded; false on a broken escape or an
 * encoded NUL: names end at it in too many places. With plus_is_space as in a query string. */
bool url_next_byte(struct span *rest, bool plus_is_space, char *out);
/* Appends the decoded bytes; false (nothing appended) where url_next_byte is. */
bool url_decode(struct span text, bool plus_is_space, struct buf *out);
/* Escapes everything but the unreserved characters (and '/' when keep_slash). */
void url_encode(struct span text, bool keep_slash, struct buf *out);
/* Escapes everything but the unreserved characters and those of `kept`. */
void url_encode_but(struct span text, const char *kept, struct buf *out);
/* Raw (still encoded) value of the first `name=value` of a query; false when absent. */
bool url_query_find(struct span query, const char *name, struct span *raw_value);

#endif
