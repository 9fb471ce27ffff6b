/* Java's .properties files, as the workshop's kafka-rest.properties and connector configuration are
 * written: comments (# or !), "key=value", "key: value" or "key value", lines continued by a
 * backslash, \t \n \r \f \uXXXX. As in Java a '#' behind a value is part of the value, and so are
 * the blanks at its end. */
#ifndef PINPIPE_PROPERTIES_H
#define PINPIPE_PROPERTIES_H

#include "error.h"
#include "span.h"

enum {
    PROPERTIES_BYTES_MAX = 256 * 1024,
    PROPERTIES_KEY_BYTES_MAX = 256,
    PROPERTIES_VALUE_BYTES_MAX = 16 * 1024,
};

struct property {
    int line; /* where it begins, from 1 */
    struct span key;
    struct span value;
};

/* Calls visit for each property in order; the spans are valid during the visit. A status other than
 * OK from visit ends the reading and is returned. INVALID says which line is wrong. */
enum status properties_read(struct span text,
                            enum status (*visit)(void *ctx, const struct property *property,
                                                 struct error *err),
                            void *ctx, struct error *err) PP_MUST_USE;

#endif
