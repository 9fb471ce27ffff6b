/* Libraries that few commands need, loaded by name when the first one needs them: start and idle
 * memory stay what they are without them. The functions go into a table of the caller's. */
#ifndef PINPIPE_SHARED_LIBRARY_H
#define PINPIPE_SHARED_LIBRARY_H

#include "error.h"

#include <stdbool.h>

struct shared_function {
    const char *name;
    size_t member; /* offsetof in the caller's table */
};

struct shared_library {
    const char *title;             /* "libcurl": in messages */
    const char *const *file_names; /* tried in this order; NULL ends them */
    const char *missing;           /* what to install, for people */
    const char *too_old;           /* likewise, when a function is not there */
    const struct shared_function *functions;
    size_t function_count;
};

/* The handle, or NULL (and CONFIG or NO_MEMORY in *err). Never unloaded, also after
 * shared_library_close: a library may have registered exit handlers that must stay mapped. */
void *shared_library_open(const struct shared_library *library, void *table, struct error *err);
void shared_library_close(void *handle);

#endif
