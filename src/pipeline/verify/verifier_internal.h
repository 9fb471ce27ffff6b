/* The state of one verification, which the verifier's parts share:
 *   verifier.c        opens everything, takes the end offsets, calls the parts, concludes
 *   verifier_findings.c  topics, runs, posts and findings, for the passes
 *   verifier_posts.c  one pass over the ledger: what is not simply acknowledged
 *   verifier_match.c  one pass over each partition, merged with the ledger's rows of it
 *   verifier_content.c, verifier_notes.c  what a value is; what does not fit
 *   verifier_lake*.c  whether the records are in S3 */
#ifndef PINPIPE_VERIFIER_INTERNAL_H
#define PINPIPE_VERIFIER_INTERNAL_H

#include "ledger.h"
#include "verifier.h"
#include "verifier_content.h"
#include "verifier_lake.h"
#include "verifier_notes.h"

enum {
    VERIFIER_TOPICS_MAX = 64,
    VERIFIER_PARTITIONS_MAX = 1024, /* of one topic */
    VERIFIER_TOPIC_NAME_BYTES = 256,
    VERIFIER_RUNS_MAX = 1 << 20,
    VERIFIER_ROWS_TRACKED_MAX = 1 << 24, /* rows above are not looked at for re-sends */
};

struct verifier_topic {
    char name[VERIFIER_TOPIC_NAME_BYTES];
    int table;          /* by its suffix; -1: not one of ours */
    bool asked;         /* partitions and ranges are known */
    int32_t partitions; /* 0: there is no such topic */
    struct topic_range *ranges;
    int64_t *since;      /* offsets below are not judged */
    int64_t *acked_ends; /* what the ledger knew when the ranges were taken (ledger_acked_end) */
};

struct verifier_run_info {
    int64_t id;
    enum datetime_style style;
    bool in_order;     /* one lane a topic */
    bool is_over;      /* it ended before what is judged began */
    int64_t pass;      /* which partition `last_post` is of */
    int64_t last_post; /* the latest post found in its place there */
};

/* The run (its id) that posted each row last; 0: none. */
struct verifier_rows_seen {
    uint32_t *runs;
    size_t count;
};

struct verifier {
    const struct verifier_options *options;
    struct ledger *ledger;
    struct topic_reader *reader;
    struct verifier_content content;
    struct verifier_notes notes;
    struct verifier_lake *lake; /* NULL: S3 is not looked at */
    struct verdict *verdict;

    struct verifier_topic topics[VERIFIER_TOPICS_MAX];
    const char *topic_names[VERIFIER_TOPICS_MAX + 1];
    int topic_count;
    char foreign[VERIFIER_TOPIC_NAME_BYTES]; /* a topic of another user's that the ledger names */
    struct verifier_run_info *runs;          /* sorted by id */
    size_t run_count;
    size_t run_cap;
    size_t run_last; /* where the last one was found */
    struct verifier_rows_seen seen[TABLE_COUNT];

    int64_t pass;   /* counts partitions */
    uint64_t total; /* records between the ranges' ends */
};

/* --- verifier_findings.c --- */

/* The topic's position, added when it is new; -1 (and *err) when there are too many. */
int verifier_topic_position(struct verifier *v, struct span name, struct error *err);
/* Is the post one of those that are too old to be judged? */
bool verifier_is_old(const struct verifier *v, const struct ledger_post *post, int topic,
                     const struct verifier_run_info *run);
/* Is the post none of the user that is judged? User ids are the topics' prefixes. */
bool verifier_is_foreign(const struct verifier *v, struct span topic);
/* The run, looked up on first sight; NULL (and *err) when that failed. */
struct verifier_run_info *verifier_run_find(struct verifier *v, int64_t id, struct error *err);
/* A post as the notes take it; its hash is made from the table when the ledger has none. */
enum status verifier_note_of_post(struct verifier *v, const struct ledger_post *post, int topic,
                                  struct note_post *out, struct error *err) PP_MUST_USE;
/* A finding that needs no pairing. offender NULL counts only. */
void verifier_find(struct verifier *v, enum verdict_kind kind,
                   const struct verdict_offender *offender);
/* The offender's facts that a post knows. */
struct verdict_offender verifier_offender_of_post(const struct verifier *v,
                                                  const struct ledger_post *post, int topic);

/* verifier_posts.c: forgets what an earlier pass noted. */
enum status verifier_scan_posts(struct verifier *v, struct error *err) PP_MUST_USE;
/* Finds left-over records that are copies of a post in its place. */
enum status verifier_find_copies(struct verifier *v, struct error *err) PP_MUST_USE;

/* verifier_match.c */
enum status verifier_match_partition(struct verifier *v, int topic, int32_t partition,
                                     struct error *err) PP_MUST_USE;

#endif
