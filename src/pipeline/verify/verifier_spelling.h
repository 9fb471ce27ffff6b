/* A row in the words of somebody's own script. Participants list the fields by hand, rename the
 * key, wrap the row and spell dates as they please (specs: workshop, section 2); the row is the
 * same. What a workshop's notebook would not read is said by the flags. Part of the verifier. */
#ifndef PINPIPE_VERIFIER_SPELLING_H
#define PINPIPE_VERIFIER_SPELLING_H

#include "buf.h"
#include "table.h"

enum spelling_flag {
    SPELLING_IN_LIST = 1,      /* [{...}] */
    SPELLING_IN_TEXT = 2,      /* "{\"index\":...}": encoded twice */
    SPELLING_KEY_NAME = 4,     /* index where the table has ind, ind or idx where it has index */
    SPELLING_DATETIME = 8,     /* readable, but not by to_timestamp */
    SPELLING_NUMBER_TEXT = 16, /* "17" for 17 */
};
/* What the flags say, the first of them; "" without any. A literal. */
const char *spelling_words(unsigned flags);

/* The object inside the value: itself, the one element of a list, or what a text holds (into
 * `scratch`, replaced). False: there is none. Flags are added. */
bool spelling_unwrap(struct span value, struct buf *scratch, struct span *object, unsigned *flags);

/* The table whose row the object is by its members: most of its columns, at least one beside the
 * key, or two. -1: no table's. */
struct spelling_guess {
    int table;
    bool has_key;
    int64_t key;
};
struct spelling_guess spelling_guess(struct span object);

struct spelling_answer {
    bool same;
    size_t equal_columns;
    unsigned flags;    /* of what is equal */
    const char *field; /* the first column that differs or is missing; "" when there is none */
};
/* Names of members that are no columns go to `unknown`, separated by ", ". */
struct spelling_answer spelling_compare(struct span object, const struct row *row,
                                        struct buf *unknown);

#endif
