/* Private to emulator*.c: the state of one run.
 *
 * Triples are numbered from 0 and live in a ring at number % EMULATOR_RING_TRIPLES:
 *
 *     recorded_begin <= next_send[table] <= committed_end <= built_end
 *
 *     below recorded_begin: settled and in the ledger, the place in the ring is free again;
 *     below next_send[t]:   the post for table t has left at least once;
 *     below committed_end:  the intents are durable, so the posts may leave;
 *     below built_end:      rows are read and encoded.
 */
#ifndef PINPIPE_EMULATOR_INTERNAL_H
#define PINPIPE_EMULATOR_INTERNAL_H

#include "buf.h"
#include "emulator.h"

enum {
    EMULATOR_RING_TRIPLES = 3 * EMULATOR_WINDOW_TRIPLES_MAX,
    EMULATOR_TRIPLE_BYTES_KEPT = 8 * 1024,
};

enum post_phase {
    PHASE_UNSENT,
    PHASE_OUT,      /* in flight or waiting for its next attempt: a slot carries it */
    PHASE_SETTLED,  /* its outcome is known and not yet in the ledger */
    PHASE_RECORDED, /* its outcome is in the ledger */
};

struct post {
    int64_t id; /* of the ledger */
    size_t value_position;
    size_t value_len;
    enum post_phase phase;
    enum ledger_state state;
    int64_t attempts;
    int64_t maybe_kept;
    int32_t partition;
    int64_t offset;
    int64_t acked_ms;
    char *reason; /* owned; NULL: none */
};

struct triple {
    int64_t number;
    int64_t row_number;
    int64_t pause_us;  /* the script's sleep before this round */
    struct buf values; /* the three rows as JSON, one behind the other */
    struct post posts[TABLE_COUNT];
    bool withdrawn; /* taken out of the ledger again: nothing of it was sent */
};

enum slot_phase { SLOT_FREE, SLOT_SENT, SLOT_WAITING };

struct slot {
    enum slot_phase phase;
    int64_t triple;
    enum table_id table;
    int64_t due_us; /* of the next attempt, while waiting */
};

struct emulator {
    const struct emulator_options *options;
    struct env *env;
    struct ledger *ledger;
    struct row_source *rows;
    struct poster *poster;
    struct ledger_run run;
    struct row_pick pick;
    int64_t wanted; /* triples; INT64_MAX: forever */
    size_t window_triples;

    struct triple *ring;
    int64_t built_end;
    int64_t committed_end;
    int64_t next_send[TABLE_COUNT];
    int64_t recorded_begin;
    size_t held_bytes;

    size_t unrecorded; /* settled posts that the ledger does not know */
    int64_t unrecorded_since_us;

    struct slot slots[EMULATOR_CONCURRENCY_MAX];
    size_t lane_width;
    size_t lane_out[TABLE_COUNT]; /* slots taken, sent or waiting */
    size_t sent;                  /* slots in flight */
    size_t waiting;               /* slots that wait for a retry */

    int64_t next_post_us; /* by the rate */
    int64_t posts_settled;
    int64_t round_end_us; /* when the last round settled, for the script's pace */
    int64_t last_note_us;

    size_t same_failures;
    int same_status;
    int64_t same_code;

    bool stopping;
    int64_t drain_until_us;
    enum status failure; /* what made the run stop by itself */
    struct error failure_error;
    struct emulator_summary *summary;
};

/* --- emulator_state.c --- */

struct triple *emulator_triple(const struct emulator *e, int64_t number);
int64_t emulator_now_us(const struct emulator *e);
/* Tells people a line, when somebody listens. */
void emulator_note(struct emulator *e, const char *format, ...) PP_PRINTF(2, 3);

/* --- emulator_window.c: from rows to durable intents, from outcomes to the ledger --- */

enum status emulator_window_init(struct emulator *e, struct error *err) PP_MUST_USE;
void emulator_window_release(struct emulator *e);
/* Is there anything to read ahead, and room for it? */
bool emulator_window_has_room(const struct emulator *e);
/* Reads a few rows ahead; a whole window when a lane has nothing to send. */
enum status emulator_window_build(struct emulator *e, struct error *err) PP_MUST_USE;
/* Is it time to write what is built or settled? */
bool emulator_window_due(const struct emulator *e, int64_t now_us);
/* Writes the outcomes known so far and the intents built so far, in one transaction. */
enum status emulator_window_commit(struct emulator *e, struct error *err) PP_MUST_USE;
/* The last one: posts that never left are withdrawn, or noted as unsent when their triple was
 * begun. Nothing may be in flight. */
enum status emulator_window_finish(struct emulator *e, struct error *err) PP_MUST_USE;

/* --- emulator_lanes.c: what leaves when, and what its answer means --- */

/* Sends what may leave now: retries that are due, then new posts. */
enum status emulator_lanes_send(struct emulator *e, int64_t now_us, struct error *err) PP_MUST_USE;
/* How long nothing will have to be done unless an answer comes. */
int64_t emulator_lanes_idle_us(const struct emulator *e, int64_t now_us);
/* No new posts; those that wait for a retry are given up. */
void emulator_lanes_stop(struct emulator *e, enum emulator_end end);
/* Gives up what is still in flight. */
void emulator_lanes_abandon(struct emulator *e);
void emulator_lanes_on_done(void *ctx, size_t slot, const struct post_outcome *outcome);

#endif
