/* ledger.db: every post the emulator meant to make, written down before it leaves, and what became
 * of it. One ledger may hold several runs (a re-run sends the same rows again, which is no error)
 * but only offsets of one cluster. Readers may have it open while an emulator writes. */
#ifndef PINPIPE_LEDGER_H
#define PINPIPE_LEDGER_H

#include "env.h"
#include "error.h"
#include "hash.h"
#include "row_json.h"
#include "row_pick.h"
#include "table.h"

enum {
    LEDGER_CLUSTER_ID_BYTES_MAX = 256,
    LEDGER_USER_ID_BYTES_MAX = 256,
};

struct ledger;

/* The data directory's ledger.db, made when it is not there. CONFIG, CORRUPT, IO... with the path
 * and the fix. ":memory:" as data_dir is for tests. */
enum status ledger_open(const char *data_dir, struct env *env, struct ledger **out,
                        struct error *err) PP_MUST_USE;
/* Opens the ledger for a reader; NOT_FOUND when there is none yet. */
enum status ledger_open_read_only(const char *data_dir, struct env *env, struct ledger **out,
                                  struct error *err) PP_MUST_USE;
void ledger_close(struct ledger *ledger);
/* Takes the ledger away, one that is damaged too. OK when there is none; BUSY while anybody has it
 * open. */
enum status ledger_remove(const char *data_dir, struct env *env, struct error *err) PP_MUST_USE;

/* CONFIG, naming both and the fix, when the ledger belongs to another cluster. */
enum status ledger_check_cluster(const struct ledger *ledger, const char *cluster_id,
                                 struct error *err) PP_MUST_USE;
/* A writer binds: the check of ledger_check_cluster, and a ledger without an id takes this one; so
 * does one of which no post was kept anywhere, such as those of a wrong stage. */
enum status ledger_bind_cluster(struct ledger *ledger, const char *cluster_id,
                                struct error *err) PP_MUST_USE;

struct ledger_run {
    int64_t id;
    int64_t started_ms;
    bool ended; /* false: still going, or killed */
    int64_t ended_ms;
    char user_id[LEDGER_USER_ID_BYTES_MAX];
    enum row_order order;
    uint64_t seed;
    enum datetime_style datetime;
    int64_t lanes_per_topic; /* 1: each topic holds the run's rows in posting order */
    int64_t rows_wanted;     /* -1: forever */
};

/* Fills run->id and started_ms. */
enum status ledger_begin_run(struct ledger *ledger, struct ledger_run *run,
                             struct error *err) PP_MUST_USE;
enum status ledger_end_run(struct ledger *ledger, int64_t run_id, struct error *err) PP_MUST_USE;

enum ledger_state {
    LEDGER_INTENT,   /* nothing more is known: in doubt once its emulator is gone */
    LEDGER_ACKED,    /* kept at partition and offset */
    LEDGER_FAILED,   /* surely not kept */
    LEDGER_IN_DOUBT, /* given up while an attempt's outcome is unknown */
};

struct ledger_intent {
    int64_t run_id;
    int64_t triple;
    enum table_id table;
    int64_t row_number;
    struct span topic;
    struct hash128 value_hash;
};

struct ledger_outcome {
    int64_t post_id;
    enum ledger_state state;
    int64_t attempts;
    int64_t maybe_kept;
    int32_t partition; /* when acked */
    int64_t offset;
    int64_t acked_ms;
    struct span reason; /* when failed or in doubt */
};

/* Writing: begin, any number of the three in between, commit; durable when commit returns OK. After
 * a failure nothing of the transaction is kept; call ledger_rollback. */
enum status ledger_begin(struct ledger *ledger, struct error *err) PP_MUST_USE;
enum status ledger_add_intent(struct ledger *ledger, const struct ledger_intent *intent,
                              int64_t *post_id, struct error *err) PP_MUST_USE;
enum status ledger_put_outcome(struct ledger *ledger, const struct ledger_outcome *outcome,
                               struct error *err) PP_MUST_USE;
/* Takes an intent back of which nothing was sent. */
enum status ledger_withdraw(struct ledger *ledger, int64_t post_id, struct error *err) PP_MUST_USE;
enum status ledger_commit(struct ledger *ledger, struct error *err) PP_MUST_USE;
void ledger_rollback(struct ledger *ledger);

/* Reading. */
enum status ledger_get_run(struct ledger *ledger, int64_t run_id, struct ledger_run *run,
                           struct error *err) PP_MUST_USE;
/* Behind the last offset that this partition is known to have acknowledged; 0: none. */
enum status ledger_acked_end(struct ledger *ledger, struct span topic, int32_t partition,
                             int64_t *end, struct error *err) PP_MUST_USE;

struct ledger_post {
    int64_t id;
    int64_t run_id;
    int64_t triple;
    enum table_id table;
    int64_t row_number;
    struct span topic; /* until the cursor moves */
    bool has_hash;
    struct hash128 value_hash;
    enum ledger_state state;
    int64_t attempts;
    int64_t maybe_kept;
    bool has_place; /* partition and offset are known */
    int32_t partition;
    int64_t offset;
    struct span reason; /* until the cursor moves; may be empty */
    int64_t acked_ms;   /* 0 when not acked */
};

enum ledger_view {
    LEDGER_BY_ID,     /* all posts in the order of intent: a triple's three follow each other */
    LEDGER_BY_PLACE,  /* those with a place, by topic, partition, offset, id */
    LEDGER_UNSETTLED, /* intents, in doubt, or with maybe_kept > 0, by id */
};

/* A snapshot: posts written after it was opened are not seen. Several may be open. */
struct ledger_cursor;
enum status ledger_cursor_open(struct ledger *ledger, enum ledger_view view,
                               struct ledger_cursor **out, struct error *err) PP_MUST_USE;
/* LEDGER_BY_PLACE of one topic's partition only. */
enum status ledger_cursor_open_partition(struct ledger *ledger, struct span topic,
                                         int32_t partition, struct ledger_cursor **out,
                                         struct error *err) PP_MUST_USE;
/* *post is filled and *more true, or *more false at the end. */
enum status ledger_cursor_next(struct ledger_cursor *cursor, struct ledger_post *post, bool *more,
                               struct error *err) PP_MUST_USE;
void ledger_cursor_close(struct ledger_cursor *cursor);

#endif
