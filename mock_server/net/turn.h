/* The group commit: everything the loop can take without blocking is one turn, one transaction, one
 * fsync; the replies of a turn are held until its commit has succeeded (DESIGN section 2). */
#ifndef PINPIPE_TURN_H
#define PINPIPE_TURN_H

#include "exchange.h"
#include "log.h"

struct journal;
struct store;

/* What belongs into the turn's transaction beside the requests: the sink. Runs before each commit,
 * also when nothing was written yet, and must be cheap when there is nothing to do. It may answer
 * parked exchanges. The turn's replies wait for it, so it stops at about TURN_US_MAX. True: there
 * is more, the loop comes back without waiting. After a failed commit it is tried again a little
 * later (SERVER_WORK_RETRY_MS); what it did is rolled back. */
struct turn_work {
    bool (*run)(void *ctx);
    void *ctx;
};

struct turn {
    struct store *store;
    struct turn_work work; /* run may be NULL */
    bool work_left;
    struct journal *journal; /* NULL: none is kept */
    struct timer_heap *timers;
    struct env *env;
    struct log *log;
    struct exchange *held_first;
    struct exchange *held_last;
    size_t held_count;
    size_t held_bytes;
    int64_t first_held_us; /* monotonic; when this turn's first reply was held */
    size_t unsent_bytes;   /* of all replies that have not left yet */
    bool journal_fed;      /* something is in the journal's queue since it was last cleared */
};

/* What one turn may take in before its first reply leaves. */
enum {
    TURN_RECORDS_MAX = 1000,
    TURN_HELD_BYTES_MAX = 1024 * 1024,
    TURN_US_MAX = 2000,
};

void turn_init(struct turn *turn, struct store *store, struct timer_heap *timers, struct env *env,
               struct log *log);
/* The exchange's reply is complete. It joins the replies that leave after this turn's commit. */
void turn_hold(struct turn *turn, struct exchange *exchange);
/* Is there anything that a commit must come before? A turn that only read needs none. */
bool turn_needs_commit(const struct turn *turn);
/* Has this turn taken in as much as it may (records, bytes, time)? */
bool turn_is_full(const struct turn *turn);
enum turn_outcome { TURN_ONLY_READ, TURN_COMMITTED, TURN_FAILED };

/* Does the turn's work, commits what was written and hands every held reply to its connection;
 * after a failed commit each becomes its service's 5xx first. Then the journal is fed. */
enum turn_outcome turn_end(struct turn *turn);

#endif
