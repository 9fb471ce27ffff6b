/* An answer that waits for its turn's commit. Whatever protocol it is of, it is embedded in the
 * protocol's own struct (an HTTP exchange, later a Kafka or MySQL answer), so that answers of all
 * protocols join one transaction and one fsync. */
#ifndef PINPIPE_HELD_H
#define PINPIPE_HELD_H

#include <stddef.h>

struct held;

enum turn_outcome {
    TURN_ONLY_READ, /* nothing was to be committed */
    TURN_COMMITTED,
    TURN_FAILED,  /* nothing of what the turn wrote was kept */
    TURN_STOPPED, /* nothing was changed, but a sync has failed before: what seems to be so may be
                     otherwise after a restart */
};

struct held_ops {
    /* The outcome is known and nothing of this answer has left: makes it what may leave. After
     * TURN_FAILED an answer that says something was done becomes the protocol's own error, after
     * TURN_STOPPED too. */
    void (*settle)(struct held *held, enum turn_outcome outcome);
    /* Right after settle: the bytes leave, or begin to. */
    void (*send)(struct held *held);
    /* Every answer of the turn has been sent: tells the journal (turn_journal) and may free or
     * reuse what holds it. */
    void (*finished)(struct held *held);
};

struct held {
    const struct held_ops *ops;
    struct held *next; /* the turn's */
    size_t bytes;      /* of memory until the answer has left, as told to turn_count */
};

#endif
