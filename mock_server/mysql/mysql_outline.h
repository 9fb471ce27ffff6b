/* The outline of a statement, for logs: what it asks for without what it asks about. Strings and
 * numbers become '?', comments go, blanks are one blank. */
#ifndef PINPIPE_MYSQL_OUTLINE_H
#define PINPIPE_MYSQL_OUTLINE_H

#include "span.h"

/* At most `out_bytes` of it, whole characters; returns its length. */
size_t mysql_outline(struct span sql, char *out, size_t out_bytes);

#endif
