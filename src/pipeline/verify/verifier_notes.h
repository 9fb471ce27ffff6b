/* Notes of what does not fit, taken while the topics stream by and classified at the end: records
 * that are not what the ledger says stands there ("extras"), posts that are not where the ledger
 * says
 * ("open posts"). A temporary SQLite file holds them, so that a topic that is wrong from end to end
 * costs disk, not memory. Part of the verifier. */
#ifndef PINPIPE_VERIFIER_NOTES_H
#define PINPIPE_VERIFIER_NOTES_H

#include "hash.h"
#include "sqlite_db.h"
#include "verdict.h"

struct verifier_notes {
    struct sqlite_db db;
    bool strict;                /* only the ledger explains records */
    bool without_posts;         /* there are none in the ledger: nothing is paired */
    bool has_followers_pending; /* extras that do not know yet which post comes after them */
    int64_t followers_known_to; /* id of the last extra that knows */
    int64_t last_extra;
    int64_t holes;
};

enum status notes_open(struct verifier_notes *notes, const struct env *env,
                       struct error *err) PP_MUST_USE;
void notes_close(struct verifier_notes *notes);

struct note_extra {
    int topic; /* position in the verifier's list: the order of "first" */
    int32_t partition;
    int64_t offset;
    struct hash128 hash;
    int topic_table;    /* which table the topic is for; -1: not known */
    int table;          /* which table the value looks like; -1: none */
    int64_t row_number; /* -1: no row */
    int64_t place_post; /* the post that is acknowledged for this place; 0: none */
    const char *field;  /* where the value differs from place_post's row */
    const char *detail;
    int64_t before_run; /* the last post found in its place before this record; 0: none */
    int64_t before_post;
    bool is_row;       /* of the tables, whoever posted it */
    bool is_like_row;  /* most of it is */
    bool repeats;      /* the record before it is in its place and says the same */
    unsigned spelling; /* enum spelling_flag */
};
enum status notes_add_extra(struct verifier_notes *notes, const struct note_extra *extra,
                            struct error *err) PP_MUST_USE;
/* A post was found in its place behind all extras noted so far (of this partition). */
enum status notes_set_follower(struct verifier_notes *notes, int64_t run, int64_t post,
                               struct error *err) PP_MUST_USE;
/* Offsets from `first` on hold no record. */
enum status notes_add_hole(struct verifier_notes *notes, int topic, int32_t partition,
                           int64_t first, int64_t count, struct error *err) PP_MUST_USE;
/* The partition ends: nothing follows its extras. */
void notes_end_partition(struct verifier_notes *notes);

struct note_post {
    int64_t id;
    int64_t run;
    int64_t triple;
    bool in_order; /* its run has one lane a topic */
    int table;
    int64_t row_number;
    int topic;
    struct hash128 hash;
    int state; /* enum ledger_state */
    int64_t maybe_kept;
    int32_t partition; /* where it was acknowledged; -1 when it was not */
    int64_t offset;
};
enum status notes_add_post(struct verifier_notes *notes, const struct note_post *post,
                           struct error *err) PP_MUST_USE;
/* Notes how many more copies of this post may be there because attempts ended without an answer. */
enum status notes_add_copies(struct verifier_notes *notes, const struct note_post *post,
                             int64_t copies, struct error *err) PP_MUST_USE;

/* Pairs extras with open posts, then judges what is left, except whether a left-over record is a
 * copy of a post that is in its place. */
enum status notes_classify(struct verifier_notes *notes, struct error *err) PP_MUST_USE;
/* Are there records that notes_mark_copy could explain? */
enum status notes_has_leftovers(struct verifier_notes *notes, bool *out,
                                struct error *err) PP_MUST_USE;
/* Takes any post of the ledger: left-over records of its topic with its content are copies of it.
 */
enum status notes_mark_copy(struct verifier_notes *notes, const struct note_post *post,
                            struct error *err) PP_MUST_USE;
/* Judges the rest, then adds counts and first offenders to *verdict. topic_names by
 * position, ended by NULL. */
enum status notes_conclude(struct verifier_notes *notes, const char *const *topic_names,
                           struct verdict *verdict, struct error *err) PP_MUST_USE;

#endif
