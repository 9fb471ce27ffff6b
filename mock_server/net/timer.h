/* Timers on the server's own clock: a binary heap of embedded nodes behind one uv timer, so that a
 * virtual clock can drive them and a thousand idle connections cost nothing. */
#ifndef PINPIPE_TIMER_H
#define PINPIPE_TIMER_H

#include "env.h"
#include "error.h"

struct timer {
    int64_t due_us; /* monotonic */
    void (*fire)(struct timer *timer);
    size_t heap_index; /* private: position + 1, 0 when not armed */
};

struct timer_heap {
    struct env *env;
    struct timer **slots;
    size_t count;
    size_t cap;
    size_t reserved; /* slots promised to owners of timers that must not fail */
};

void timer_heap_init(struct timer_heap *heap, struct env *env);
void timer_heap_release(struct timer_heap *heap);
/* Keeps `count` more slots free, so that arming that many timers needs no memory; unreserve gives
 * them back. */
enum status timer_heap_reserve(struct timer_heap *heap, size_t count) PP_MUST_USE;
void timer_heap_unreserve(struct timer_heap *heap, size_t count);
/* Arms or re-arms. NO_MEMORY leaves it as it was. */
enum status timer_set(struct timer_heap *heap, struct timer *timer, int64_t due_us) PP_MUST_USE;
void timer_clear(struct timer_heap *heap, struct timer *timer);
bool timer_is_set(const struct timer *timer);
/* When the next one is due; INT64_MAX when none is armed. */
int64_t timer_heap_next_us(const struct timer_heap *heap);
/* Fires everything due now, each at most once a call. */
void timer_heap_run(struct timer_heap *heap);

#endif
