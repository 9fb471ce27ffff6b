/* What the files of the server share: server.c (start, turns, stop) stands on listener.c (ports,
 * accepting), which stands on conn.c (connections), which stands on places.c (who may have one) and
 * loop.c (the clock). */
#ifndef PINPIPE_SERVER_INTERNAL_H
#define PINPIPE_SERVER_INTERNAL_H

#include "server.h"

/* --- loop.c --- */
/* The next uv_run wakes when the heap's first timer is due. */
void loop_wake_arm(struct server *server);
/* Arms it for so long from now; fires it at once when there is no memory. */
void loop_timer_after_ms(struct server *server, struct timer *timer, int64_t delay_ms);

/* libuv ends the process where it cannot make room for one more descriptor: makes room for all that
 * there may be, before anything is served. */
void loop_descriptors_reserve(struct server *server);

/* --- heap.c --- */
/* The process is the server's alone. */
void heap_take_over(struct server *server);
/* A turn is over: adapts malloc to what is in use. */
void heap_look(struct server *server);

/* --- places.c --- */
enum place {
    PLACE_TAKEN,
    PLACE_TO_REFUSE, /* only to be told that there are too many */
    PLACE_NONE,
};
enum { PLACE_YIELDS_MAX = 3 }; /* one for its port, one for its address, one for all */
/* A place for a connection that was just accepted and is counted already. `yields`, up to the first
 * NULL, are to be closed for it: where its port, its address or all have too many, the one that has
 * waited longest gives up its own. */
enum place place_claim(struct conn *conn, struct conn *yields[PLACE_YIELDS_MAX]);

/* --- listener.c --- */
void listeners_close(struct server *server);
/* Takes connections for which there was no memory before. */
void listeners_accept_again(struct server *server);

#endif
