/* What a fault client tells the interposed library (interpose.h), and learns from it: a file that
 * both map, named by PP_FAULT_CONTROL. What is counted is the library's: allocations, file calls.
 */
#ifndef PINPIPE_TESTS_FAULT_CONTROL_H
#define PINPIPE_TESTS_FAULT_CONTROL_H

#include <stdatomic.h>

#define FAULT_CONTROL_KEY "PP_FAULT_CONTROL"

enum fault_mode { FAULT_NONE, FAULT_ONCE, FAULT_FROM_THERE_ON };

struct fault_control {
    atomic_int mode;
    atomic_int error_number; /* errno of the failing call */
    atomic_long fail_at;     /* counted from where `asked` is 0 */
    atomic_long asked;
    atomic_long failed;
    atomic_long alive; /* allocations that were not freed */
    char what[512];    /* the first call that failed, and its file */
};

#endif
