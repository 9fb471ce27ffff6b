/* The content of a value, seen from the tables: is what was posted the row it should be, in which
 * field does a value differ, which row does a stray value hold. Part of the verifier. */
#ifndef PINPIPE_VERIFIER_CONTENT_H
#define PINPIPE_VERIFIER_CONTENT_H

#include "hash.h"
#include "row_json.h"
#include "row_source.h"

struct content_slot;

struct verifier_content {
    struct row_source *rows;    /* borrowed */
    struct content_slot *slots; /* rows found to be as posted; fixed size, newer replaces older */
    struct buf text;
    struct buf unknown;
    struct buf inner; /* what a text held */
};

enum status content_init(struct verifier_content *content, struct row_source *rows,
                         struct error *err) PP_MUST_USE;
void content_release(struct verifier_content *content);

/* A row of a table in one of its spellings. */
struct content_row {
    enum table_id table;
    int64_t row_number;
    enum datetime_style style;
};

struct content_answer {
    bool same;
    /* Where it differs: a column, or a member that no column has; "" when there is no such field
     * (the value is not an object, the table has no such row). Valid until the next call. */
    const char *field;
    const char *detail; /* a literal; "" when the field says all */
};

/* Does the fingerprint of what was posted belong to the row as the table has it now? */
enum status content_check_posted(struct verifier_content *content, struct content_row row,
                                 struct hash128 posted, struct span value,
                                 struct content_answer *answer, struct error *err) PP_MUST_USE;
/* Does the value mean that row? Numbers by value, members in any order. *hash is the fingerprint
 * of the row as row_json_append writes it. */
enum status content_compare(struct verifier_content *content, struct content_row row,
                            struct span value, struct hash128 *hash, struct content_answer *answer,
                            struct error *err) PP_MUST_USE;

/* A value seen from the tables: the row that it is, whoever posted it. */
struct content_identity {
    int table;          /* whose columns it has; -1: no table's */
    int64_t row_number; /* by its key; -1: no such row */
    struct hash128
        hash;         /* of the row's usual text when the value means that row, else of the bytes */
    bool is_row;      /* the row, in whatever spelling */
    bool is_like_row; /* not the row, but most of its columns are */
    unsigned flags;   /* how it is spelled: enum spelling_flag */
    const char *field; /* where it differs from the row; "" when it does not or there is none. Valid
                        * until the next call. */
};
enum status content_identify(struct verifier_content *content, struct span value,
                             struct content_identity *out, struct error *err) PP_MUST_USE;

#endif
