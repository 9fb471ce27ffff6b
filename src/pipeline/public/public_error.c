#include "public_error.h"

#include <stdio.h>

enum pinpipe_result public_result(const struct error *err, char *why)
{
    if (why != NULL) {
        snprintf(why, PINPIPE_MESSAGE_BYTES, "%s", err->message);
    }
    switch (status_exit_code(err->code)) {
    case 0:
        return PINPIPE_OK;
    case 2:
        return PINPIPE_USAGE;
    case 3:
        return PINPIPE_UNREACHABLE;
    case 4:
        return PINPIPE_CONFIG;
    default:
        return PINPIPE_FAILED;
    }
}
