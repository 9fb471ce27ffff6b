#include "public_error.h"

#include <stdio.h>

enum pinpipe_result public_result(const struct error *err, char *why)
{
    static const enum pinpipe_result results[] = {
#define X(name, text, exit, result) PINPIPE_##result,
#include "errors.def"
#undef X
    };
    if (why != NULL) {
        snprintf(why, PINPIPE_MESSAGE_BYTES, "%s", err->message);
    }
    return results[err->code];
}
