/* How memory is taken back when the transaction behind it is: one log of small notes, newest first.
 *
 * Whoever changes memory that mirrors (or follows from) what a turn writes notes the way back
 * before the change. The owner of the transaction, which is the store, runs the log back when the
 * turn's commit has failed, when SQLite has rolled back by itself, or to a mark when a savepoint is
 * rolled back; after a commit it runs the notes forward once and forgets them. The way back needs
 * neither memory nor input and output, which may be the very thing that is failing.
 *
 * How to use it (`store_undo_log` gives the log):
 *
 *   if (undo_reserve(log, 1) != STATUS_OK) return out_of_memory;  // before the first write
 *   struct moved was = {partition, offset};
 *   undo_push(log, &moved_undo, consumer, &was, sizeof(was));     // cannot fail
 *   ... change memory, write ...
 *
 *   An owner that dies before the turn ends (an instance that is deleted, a request whose client
 *   went away) calls undo_drop(log, owner): its notes are then skipped. An owner that may die
 *   without being able to say so notes a number instead of an address, with something that lives
 *   longer as the owner, and looks the number up on the way back.
 *
 *   State that is changed often is noted once an epoch: keep undo_epoch(log) beside the state, and
 *   note only when it differs. The epoch changes with every turn, mark and way back.
 *
 *   A turn that only read is a turn too: its notes are run back if others wrote in it and its
 *   commit failed, because then every answer of the turn becomes an error.
 *
 *   Answers that become errors for another reason than the turn (no memory for a header) do not
 *   come by here: who builds an answer takes back what it did when building fails. */
#ifndef PINPIPE_UNDO_H
#define PINPIPE_UNDO_H

#include "error.h"

#include <stdbool.h>
#include <stdint.h>

enum { UNDO_PAYLOAD_BYTES_MAX = 48 };

/* `payload` is the copy that undo_push made, aligned for int64_t and pointers; NULL ops are none.
 */
struct undo_ops {
    /* Takes the change back. May drop the notes of others; whatever it pushes is not kept, because
     * what changes on the way back is the way back. */
    void (*back)(void *owner, const void *payload);
    /* The change is final. NULL: nothing is to be done. */
    void (*kept)(void *owner, const void *payload);
};

struct undo_note {
    const struct undo_ops *ops; /* NULL: dropped */
    void *owner;
    union {
        int64_t numbers[UNDO_PAYLOAD_BYTES_MAX / sizeof(int64_t)];
        void *pointers[UNDO_PAYLOAD_BYTES_MAX / sizeof(void *)];
    } payload;
};

/* Open, so that it can be embedded; only undo.c looks inside. */
struct undo_log {
    struct undo_note *notes;
    size_t count;
    size_t promised; /* reserved and not pushed yet */
    size_t cap;
    uint64_t epoch;
    uint64_t turns;
    bool running;
};

void undo_log_init(struct undo_log *log);
/* Frees the memory; notes that are still there are forgotten without being run. */
void undo_log_release(struct undo_log *log);

/* Promises room for `count` more pushes in this turn, also when others reserve and push in between.
 * What is not used is given back when the turn ends. NO_MEMORY: nothing has changed. */
enum status undo_reserve(struct undo_log *log, size_t count) PP_MUST_USE;
/* Notes a change. The room must have been reserved; `ops` is static, the payload (at most
 * UNDO_PAYLOAD_BYTES_MAX bytes, NULL with 0) is copied, the owner is borrowed until the turn ends
 * or undo_drop. */
void undo_push(struct undo_log *log, const struct undo_ops *ops, void *owner, const void *payload,
               size_t payload_bytes);
/* Skips every note of this owner from now on, `kept` as well as `back`. Costs a look at each note
 * of the turn so far. */
void undo_drop(struct undo_log *log, const void *owner);
/* Never the same after undo_mark, undo_back or undo_end; never 0. */
uint64_t undo_epoch(const struct undo_log *log);
/* How many turns have ended: for whoever bounds what he does in one. */
uint64_t undo_turns(const struct undo_log *log);

/* --- for the owner of the transaction --- */

/* Where a savepoint stands. */
size_t undo_mark(struct undo_log *log);
/* Runs back and forgets what was noted since the mark (0: everything), newest first; the turn goes
 * on. True: there was something. */
bool undo_back(struct undo_log *log, size_t mark);
/* The turn is over. Kept: runs each note's `kept`, oldest first; lost: runs everything back. Either
 * way all is forgotten. */
void undo_end(struct undo_log *log, bool kept);

#endif
