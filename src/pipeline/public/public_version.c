#include "pinpipe/pinpipe.h"

#include "version.h"

const char *pinpipe_library_version(void)
{
    return pinpipe_version;
}
