/* The workshop's user_posting_emulation.py in C: picks a row number, posts that row of the three
 * tables to their topics, and keeps a ledger of every post. */
#ifndef PINPIPE_EMULATOR_H
#define PINPIPE_EMULATOR_H

#include "endpoints.h"
#include "ledger.h"
#include "poster.h"
#include "progress.h"
#include "retry.h"
#include "row_json.h"
#include "row_pick.h"
#include "row_source.h"

enum {
    EMULATOR_ROWS_DEFAULT = 1000,
    EMULATOR_SEED_DEFAULT = 100, /* the script's */
    EMULATOR_CONCURRENCY_DEFAULT = 3,
    EMULATOR_CONCURRENCY_MAX = POSTER_SLOTS_MAX,
    EMULATOR_WINDOW_TRIPLES_MAX = 96, /* intents of so many triples are committed at once */
    EMULATOR_OUTCOME_DELAY_MS = 50,   /* an outcome reaches the ledger at the latest after this */
    EMULATOR_HELD_BYTES_MAX = 32 * 1024 * 1024, /* rows read and not yet settled */
    EMULATOR_SAME_FAILURES_MAX = 6,       /* so many posts refused alike in a row end the run */
    EMULATOR_DRAIN_MS = 10 * 1000,        /* a stopped run waits so long for answers in flight, */
    EMULATOR_DRAIN_INTERRUPTED_MS = 1000, /* and so long when the user waits for its end */
};

/* *_UNSET choose by what else is asked for. */
enum { EMULATOR_ROWS_UNSET = -2, EMULATOR_ROWS_FOREVER = -1 };

struct emulator_options {
    struct env *env;
    const char *data_dir;              /* rds.db is read, ledger.db is written */
    const struct endpoints *endpoints; /* invoke_url, user_id, rest_url, api_key */
    int64_t rows;       /* row numbers to post, three posts each; UNSET: EMULATOR_ROWS_DEFAULT, in
                           sequential order each row once */
    double post_rate;   /* posts a second; 0: as fast as answers come */
    bool workshop_pace; /* the script's sleep of 0 or 1 s before each round, one round at a time */
    size_t concurrency; /* posts in flight. 1: strictly one after the other; up to 3: one lane a
                           topic, each in order; more: several a topic, no order promised */
    uint64_t seed;
    enum row_order order;
    enum datetime_style datetime;
    struct retry_policy retry;
    const struct progress *progress; /* may be NULL */
    /* Told at once what a user should know before the end (a retry, a clamped range); may be NULL.
     */
    void (*note)(void *ctx, const char *text);
    void *note_ctx;
    struct row_source *rows_from; /* NULL: rds.db; else borrowed */
    struct poster *poster;        /* NULL: the REST proxy through the gateway; else borrowed, with
                                     at least `concurrency` slots */
};

/* The defaults above; env, data_dir and endpoints are left to the caller. */
void emulator_options_init(struct emulator_options *options);

enum emulator_end {
    EMULATOR_END_DONE,          /* every row was posted and settled */
    EMULATOR_END_INTERRUPTED,   /* progress->should_stop */
    EMULATOR_END_REFUSED,       /* the first post that was refused for good */
    EMULATOR_END_SAME_FAILURES, /* what fails will go on failing */
    EMULATOR_END_UNREACHABLE,   /* nothing listened during all attempts of a post */
    EMULATOR_END_ERROR,         /* the returned status says why */
};

struct emulator_partial {
    int64_t triple;
    int64_t row_number;
    enum ledger_state states[TABLE_COUNT];
    bool unsent[TABLE_COUNT]; /* the run stopped before this post left */
};

struct emulator_summary {
    enum emulator_end end;
    int64_t run_id;
    char cluster_id[POSTER_CLUSTER_ID_BYTES_MAX]; /* "unknown" when the server does not say */
    int64_t lanes_per_topic;
    int64_t rows_wanted; /* EMULATOR_ROWS_FOREVER */
    int64_t posts_acked;
    int64_t posts_failed;   /* surely not kept */
    int64_t posts_in_doubt; /* may be kept */
    int64_t posts_unsent;   /* of triples that were begun */
    int64_t retries;
    int64_t triples_complete; /* all three acked */
    int64_t triples_partial;  /* some acked or in doubt, some not acked */
    int64_t triples_failed;   /* none kept */
    bool has_partial;
    struct emulator_partial first_partial;
    char first_failure[POST_REASON_BYTES_MAX]; /* of the first post given up; "" when none was */
    int64_t elapsed_us;
};

/* Runs to its end and blocks. OK when the run came to an end of its own, also with failed posts:
 * the summary tells. UNREACHABLE (nothing listens at the start), CONFIG (another cluster's ledger,
 * tables that cannot be used), NOT_FOUND (no rds.db), and what the ledger's disk says. */
enum status emulator_run(const struct emulator_options *options, struct emulator_summary *summary,
                         struct error *err) PP_MUST_USE;

/* Was everything posted that was asked for, and acked? An endless run that was interrupted between
 * two triples counts. */
bool emulator_succeeded(const struct emulator_summary *summary);

#endif
