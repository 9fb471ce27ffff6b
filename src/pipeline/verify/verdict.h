/* The verdict, what a verification found: counts by kind, and of each kind the first offender. A
 * plain value of fixed size. */
#ifndef PINPIPE_VERDICT_H
#define PINPIPE_VERDICT_H

#include "span.h"

enum verdict_kind {
#define X(name, key, fails, stage, whose, title, meaning) VERDICT_##name,
#include "verdict_kinds.def"
#undef X
    VERDICT_KIND_COUNT
};

/* How far down the pipeline a verdict looks, and where a kind belongs. */
enum verdict_stage { VERDICT_STAGE_TOPICS, VERDICT_STAGE_S3 };

/* The origin of the records that a kind is about. */
enum verdict_whose { VERDICT_OF_ALL, VERDICT_OF_LEDGER, VERDICT_OF_OWN };

struct verdict_kind_info {
    const char *key; /* in JSON; stable */
    bool fails;
    enum verdict_stage stage;
    enum verdict_whose whose;
    const char *title;
    const char *meaning;
};
const struct verdict_kind_info *verdict_kind_info(enum verdict_kind kind);

/* Members that do not apply are empty or -1. */
struct verdict_offender {
    char topic[256];
    int32_t partition;
    int64_t offset;
    char table[24]; /* "pinterest_data" */
    int64_t row;
    char field[64];
    int64_t ledger_id;
    int64_t run;
    int64_t triple;
    char detail[200]; /* one sentence without the facts above */
};

struct verdict {
    uint64_t counts[VERDICT_KIND_COUNT];
    struct verdict_offender first[VERDICT_KIND_COUNT]; /* where the count is not 0 */
    uint64_t topics;
    uint64_t records;    /* read back */
    uint64_t matched;    /* of them: what the ledger says, where it says */
    uint64_t own;        /* of them: rows of the tables that somebody's own script posted */
    bool without_ledger; /* nothing in it is this user's: all records are judged by the tables */
    uint64_t posts;      /* in the ledger */
    uint64_t acked;
    uint64_t runs;
    uint64_t later;       /* acknowledged after the end offsets were taken: not judged */
    char cluster_id[256]; /* "" when the server does not tell */
    int64_t elapsed_ms;
    int64_t since_ms; /* what is older was not judged; 0: everything was */
    enum verdict_stage through;
    uint64_t objects; /* read, when it looks through S3 */
    uint64_t lines;   /* in them */
};

struct verdict_offender verdict_offender_none(void);
/* Text that came from outside, for a member of an offender: control characters and broken UTF-8
 * become '?', what does not fit is cut between two characters. NUL-terminated. */
void verdict_set_text(char *out, size_t out_bytes, struct span text);
void verdict_init(struct verdict *verdict);
/* Is the kind of a stage that this verdict has looked at, and of records that it has met? */
bool verdict_judges(const struct verdict *verdict, enum verdict_kind kind);
bool verdict_passed(const struct verdict *verdict);
/* The sum of the counts of the failing kinds. */
uint64_t verdict_failures(const struct verdict *verdict);

#endif
