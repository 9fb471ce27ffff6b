/* A broker that answers every call later: it stands before another one and lets each call wait for
 * a timer, in the order in which they came. So whoever uses a broker can be seen to wait. */
#ifndef PINPIPE_LATER_BROKER_H
#define PINPIPE_LATER_BROKER_H

#include "broker.h"
#include "timer.h"

enum later_call {
    LATER_METADATA,
    LATER_CONFIGS,
    LATER_CREATE,
    LATER_DELETE,
    LATER_OFFSETS,
    LATER_PRODUCE,
    LATER_FETCH,
    LATER_GROUPS,
    LATER_DESCRIBE,
    LATER_GROUP_OFFSETS,
    LATER_COMMIT,
    LATER_MEMBERSHIP,
    LATER_CALL_COUNT,
};

struct later_item;

struct later_broker {
    struct broker broker;
    struct broker *inner; /* answers at once */
    struct timer_heap *timers;
    struct env *env;
    struct timer timer;
    int64_t delay_us; /* of each call; may be changed at any time */
    struct later_item *first;
    struct later_item *last;
    size_t waiting;
    size_t answered[LATER_CALL_COUNT];
    size_t cancelled[LATER_CALL_COUNT];
};

void later_broker_init(struct later_broker *later, struct broker *inner, struct timer_heap *timers,
                       struct env *env);
/* Nobody may wait any more. */
void later_broker_release(struct later_broker *later);

#endif
