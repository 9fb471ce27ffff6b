/* How long work reports itself: the pipeline calls, the command line draws. */
#ifndef PINPIPE_PROGRESS_H
#define PINPIPE_PROGRESS_H

#include "base.h"

#include <stdbool.h>
#include <stdint.h>

struct progress {
    /* `total` 0: not known. Called often; the receiver decides what to draw. */
    void (*update)(void *ctx, const char *what, uint64_t done, uint64_t total);
    /* Polled between two units of work: stop cleanly? */
    bool (*should_stop)(void *ctx);
    void *ctx;
};

#endif
