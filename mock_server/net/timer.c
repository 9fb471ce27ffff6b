/* A binary min-heap of pointers to embedded nodes. A node knows its place (heap_index = position +
 * 1, so that a zeroed node is a disarmed one), which makes clearing and re-arming O(log n).
 *
 * Invariant: slots[i]->heap_index == i + 1, and no child is due before its parent. */
#include "timer.h"

#include "array.h"

#include <stdlib.h>

void timer_heap_init(struct timer_heap *heap, struct env *env)
{
    *heap = (struct timer_heap){.env = env};
}

void timer_heap_release(struct timer_heap *heap)
{
    free(heap->slots);
    *heap = (struct timer_heap){.env = heap->env};
}

static void slot_put(struct timer_heap *heap, size_t position, struct timer *timer)
{
    PP_ASSERT(position < heap->cap);
    heap->slots[position] = timer;
    timer->heap_index = position + 1;
}

static void sift_up(struct timer_heap *heap, size_t position)
{
    struct timer *timer = heap->slots[position];
    while (position > 0) {
        size_t parent = (position - 1) / 2;
        if (heap->slots[parent]->due_us <= timer->due_us) {
            break;
        }
        slot_put(heap, position, heap->slots[parent]);
        position = parent;
    }
    slot_put(heap, position, timer);
}

static void sift_down(struct timer_heap *heap, size_t position)
{
    struct timer *timer = heap->slots[position];
    for (;;) {
        size_t child = position * 2 + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count &&
            heap->slots[child + 1]->due_us < heap->slots[child]->due_us) {
            child++;
        }
        if (timer->due_us <= heap->slots[child]->due_us) {
            break;
        }
        slot_put(heap, position, heap->slots[child]);
        position = child;
    }
    slot_put(heap, position, timer);
}

static void heap_move(struct timer_heap *heap, size_t position)
{
    PP_ASSERT(position < heap->count && heap->slots[position]->heap_index == position + 1);
    sift_up(heap, position);
    sift_down(heap, heap->slots[position]->heap_index - 1);
}

static enum status heap_grow(struct timer_heap *heap, size_t need)
{
    return ARRAY_RESERVE(heap->slots, heap->cap, need, ARRAY_NO_MAX);
}

enum status timer_heap_reserve(struct timer_heap *heap, size_t count)
{
    enum status status = heap_grow(heap, heap->count + heap->reserved + count);
    if (status == STATUS_OK) {
        heap->reserved += count;
    }
    return status;
}

void timer_heap_unreserve(struct timer_heap *heap, size_t count)
{
    PP_ASSERT(heap->reserved >= count);
    heap->reserved -= count;
}

enum status timer_set(struct timer_heap *heap, struct timer *timer, int64_t due_us)
{
    PP_ASSERT(timer->fire != NULL);
    if (timer->heap_index == 0) {
        /* The promised slots stay free; when there is no memory to keep them so, they are used. */
        enum status grown = heap_grow(heap, heap->count + heap->reserved + 1);
        if (grown != STATUS_OK && heap->count == heap->cap) {
            return STATUS_NO_MEMORY;
        }
        slot_put(heap, heap->count++, timer);
    }
    timer->due_us = due_us;
    heap_move(heap, timer->heap_index - 1);
    return STATUS_OK;
}

void timer_clear(struct timer_heap *heap, struct timer *timer)
{
    if (timer->heap_index == 0) {
        return;
    }
    size_t position = timer->heap_index - 1;
    PP_ASSERT(position < heap->count && heap->slots[position] == timer);
    timer->heap_index = 0;
    struct timer *last = heap->slots[--heap->count];
    if (last != timer) {
        slot_put(heap, position, last);
        heap_move(heap, position);
    }
}

bool timer_is_set(const struct timer *timer)
{
    return timer->heap_index != 0;
}

int64_t timer_heap_next_us(const struct timer_heap *heap)
{
    return heap->count > 0 ? heap->slots[0]->due_us : INT64_MAX;
}

void timer_heap_run(struct timer_heap *heap)
{
    if (heap->count == 0) {
        return;
    }
    int64_t now_us = heap->env->monotonic_us(heap->env);
    /* A timer that re-arms itself for now must wait for the next call, or it would starve the
     * rest: at most as many fire as were armed at the start. */
    for (size_t left = heap->count; left > 0 && heap->count > 0; left--) {
        struct timer *timer = heap->slots[0];
        if (timer->due_us > now_us) {
            return;
        }
        timer_clear(heap, timer);
        PP_ASSERT(timer->heap_index == 0);
        timer->fire(timer);
    }
}
