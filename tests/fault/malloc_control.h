/* What the malloc client tells the interposed library, and learns from it. */
#ifndef PINPIPE_TESTS_MALLOC_CONTROL_H
#define PINPIPE_TESTS_MALLOC_CONTROL_H

#include <stdatomic.h>

enum malloc_mode { MALLOC_WORKS, MALLOC_FAILS_ONCE, MALLOC_FAILS_FROM_THERE_ON };

struct malloc_control {
    atomic_int mode;
    atomic_long fail_at; /* counted from where `asked` is 0 */
    atomic_long asked;
    atomic_long failed;
    atomic_long alive;
};

#endif
