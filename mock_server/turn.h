/* The group commit: everything the loop can take without blocking is one turn, one transaction, one
 * fsync; the replies of a turn are held until its commit has succeeded (DESIGN section 2). */
#ifndef PINPIPE_TURN_H
#define PINPIPE_TURN_H

#include "exchange.h"
#include "log.h"

struct journal;
struct store;

struct turn {
    struct store *store;
    struct journal *journal; /* NULL: none is kept */
    struct timer_heap *timers;
    struct env *env;
    struct log *log;
    struct exchange *held_first;
    struct exchange *held_last;
    size_t held_count;
    size_t held_bytes;
};

void turn_init(struct turn *turn, struct store *store, struct timer_heap *timers, struct env *env,
               struct log *log);
void turn_hold(struct turn *turn, struct exchange *exchange);
/* Has this turn taken in as much as it may (records, bytes, time)? */
bool turn_is_full(const struct turn *turn);
/* Commits what the turn wrote and hands every held reply to its connection; after a failed commit
 * each becomes its service's 5xx first. Then the journal is fed. */
void turn_end(struct turn *turn);

#endif
