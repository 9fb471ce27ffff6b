/* What the files of the server share: server.c (start, turns, stop) stands on listener.c (ports,
 * accepting), which stands on conn.c (connections), which stands on loop.c (the clock). */
#ifndef PINPIPE_SERVER_INTERNAL_H
#define PINPIPE_SERVER_INTERNAL_H

#include "server.h"

/* --- loop.c --- */
/* The next uv_run wakes when the heap's first timer is due. */
void loop_wake_arm(struct server *server);
/* Arms it for so long from now; fires it at once when there is no memory. */
void loop_timer_after_ms(struct server *server, struct timer *timer, int64_t delay_ms);

/* --- listener.c --- */
void listeners_close(struct server *server);
/* Takes connections for which there was no memory before. */
void listeners_accept_again(struct server *server);

#endif
