/* The group commit: everything the loop can take without blocking is one turn, one transaction, one
 * fsync; the replies of a turn are held until its commit has succeeded (DESIGN section 2). */
#ifndef PINPIPE_TURN_H
#define PINPIPE_TURN_H

#include "budget.h"
#include "held.h"
#include "log.h"

struct journal;
struct journal_entry;
struct recent;
struct store;
struct timer_heap;

/* Work that belongs into the turn's transaction beside the requests: the sink. Runs before each
 * commit, also when nothing was written yet, and must be cheap when there is nothing to do. It may
 * answer parked exchanges. The turn's replies wait for it, so it stops at about TURN_US_MAX. True:
 * there is more, the loop comes back without waiting. After a failed commit it is tried again a
 * little later (SERVER_WORK_RETRY_MS); what it did is rolled back. */
struct turn_work {
    bool (*run)(void *ctx);
    void *ctx;
};

/* Who watches what is asked and answered, beside the journal. Never in an answer's way: it sees a
 * request behind the answers of its turn, and comes back for what takes longer. */
struct turn_watcher {
    void (*saw)(void *ctx, const struct journal_entry *entry); /* NULL: nobody watches */
    /* SERVER_WATCH_MS after it saw something; true: again as long after that. */
    bool (*tick)(void *ctx);
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
    struct held *held_first;
    struct held *held_last;
    size_t held_count;
    size_t held_bytes;
    int64_t first_held_us; /* monotonic; when this turn's first reply was held */
    int64_t committed_us;  /* monotonic; when the latest turn's answers began to leave */
    struct budget budget;  /* the server's: of what requests, answers and services hold */
    bool stopped;          /* a sync has failed: nothing is acknowledged any more */
    struct recent *recent; /* NULL: none are kept */
    bool journal_fed;      /* something is in the journal's queue since it was last cleared */
    struct turn_watcher watcher;
    bool watcher_fed; /* it wants its tick */
};

/* The limits of what one turn may take in before its first reply leaves. */
enum {
    TURN_RECORDS_MAX = 1000,
    TURN_HELD_BYTES_MAX = 1024 * 1024,
    TURN_US_MAX = 2000,
};

/* Of the budget: 64 MiB for a process, less what it takes with nothing to do, SQLite's caches and
 * what is too small to be counted. */
enum { TURN_BUDGET_BYTES_MAX = 48 * 1024 * 1024 };

void turn_init(struct turn *turn, struct store *store, struct timer_heap *timers, struct env *env,
               struct log *log);
/* The answer is complete, and its size counted: it leaves after this turn's commit. */
void turn_hold(struct turn *turn, struct held *held);
/* The answer takes so many bytes of memory now; 0: it has left, or never will. */
void turn_count(struct turn *turn, struct held *held, size_t bytes);
/* How many more bytes answers may keep before they have left. */
size_t turn_unsent_room(const struct turn *turn);
/* Is there anything that a commit must come before? A turn that only read needs none. */
bool turn_needs_commit(const struct turn *turn);
/* Has this turn taken in as much as it may (records, bytes, time)? */
bool turn_is_full(const struct turn *turn);
/* Does the turn's work, commits what was written, settles and sends every held answer, then tells
 * each that it is finished. */
enum turn_outcome turn_end(struct turn *turn);
/* From held_ops.finished only: what was asked and answered, for the journal and the watcher, where
 * there is one. */
void turn_journal(struct turn *turn, const struct journal_entry *entry);

#endif
