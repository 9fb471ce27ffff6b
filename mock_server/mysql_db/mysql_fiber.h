/* A function that runs in slices, on a stack of its own: it gives way in the middle, however deep
 * it is in somebody else's code, and goes on there at the next resume. Where the C library has no
 * contexts to switch (musl), it runs to its end at once. */
#ifndef PINPIPE_MYSQL_FIBER_H
#define PINPIPE_MYSQL_FIBER_H

#include "base.h"

#include <stdbool.h>

struct mysql_fiber;

/* NULL: no memory. */
struct mysql_fiber *mysql_fiber_new(void);
/* The fiber runs nothing. */
void mysql_fiber_free(struct mysql_fiber *fiber); /* NULL is fine */
/* Begins run(argument); true: it has returned, false: it has given way. */
bool mysql_fiber_start(struct mysql_fiber *fiber, void (*run)(void *argument), void *argument);
/* Goes on; true and false as above. */
bool mysql_fiber_resume(struct mysql_fiber *fiber);
/* Within run only. */
void mysql_fiber_give_way(struct mysql_fiber *fiber);
/* Has it given way, so that it must be resumed until it returns? */
bool mysql_fiber_is_running(const struct mysql_fiber *fiber);

#endif
