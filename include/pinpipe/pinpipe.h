/* All of pinpipe's public API: mock.h (AWS on a laptop inside your program), rows.h (the tables),
 * verify.h (the verdict). Link with `pkg-config --static --libs pinpipe`. */
#ifndef PINPIPE_PINPIPE_H
#define PINPIPE_PINPIPE_H

#include "mock.h"
#include "rows.h"
#include "verify.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is linked, "0.2.0". */
const char *pinpipe_library_version(void);

#ifdef __cplusplus
}
#endif

#endif
