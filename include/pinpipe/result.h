/* How a call of the public API ended, and room for the sentence that says why. */
#ifndef PINPIPE_RESULT_H
#define PINPIPE_RESULT_H

#ifdef __cplusplus
extern "C" {
#endif

enum { PINPIPE_MESSAGE_BYTES = 512 };

/* Not the command line's exit codes: there, 1 is a verdict's FAIL alone, and work that failed is 5.
 */
enum pinpipe_result {
    PINPIPE_OK = 0,
    PINPIPE_FAILED = 1,      /* the work failed: disk full, out of memory, nothing of that name */
    PINPIPE_USAGE = 2,       /* options that make no sense */
    PINPIPE_UNREACHABLE = 3, /* an endpoint cannot be reached */
    PINPIPE_CONFIG = 4,      /* a port that is taken, a data directory that cannot be used */
    PINPIPE_STOPPED = 5,     /* the disk failed to keep data: nothing was accepted since */
};

#ifdef __cplusplus
}
#endif

#endif
