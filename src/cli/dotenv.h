/* .env files: KEY = value, one a line; blanks round '=', `export `, # comments, quotes, CRLF and a
 * byte order mark are allowed. Nothing is expanded or executed. */
#ifndef PINPIPE_DOTENV_H
#define PINPIPE_DOTENV_H

#include "error.h"
#include "span.h"

enum { DOTENV_BYTES_MAX = 64 * 1024, DOTENV_VALUE_BYTES_MAX = 4096 };

/* Calls visit for each line that sets something, in order; `value` is unquoted. INVALID names the
 * line and what is wrong with it. */
typedef void (*dotenv_visit_fn)(void *ctx, struct span key, struct span value);
enum status dotenv_parse(struct span text, dotenv_visit_fn visit, void *ctx,
                         struct error *err) PP_MUST_USE;

#endif
