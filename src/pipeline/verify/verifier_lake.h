/* The second half of a verification through S3: are the records of the topics in the objects, once,
 * unaltered, in order, and nothing else?
 *
 * The pass over the topics notes each record's fingerprint; then the objects below topics/<topic>/
 * are read, whatever their layout: an object's name says where its lines begin. Everything is held
 * in a temporary SQLite file, so that memory stays flat. Part of the verifier.
 *
 *   verifier_lake.c        records in, kinds out
 *   verifier_lake_lines.c  objects: names, unpacking, lines, which record a line is */
#ifndef PINPIPE_VERIFIER_LAKE_H
#define PINPIPE_VERIFIER_LAKE_H

#include "json_canonical.h"
#include "lake_reader.h"
#include "ledger.h"
#include "progress.h"
#include "sqlite_db.h"
#include "topic_reader.h"
#include "verdict.h"

#include <zlib.h>

enum {
    LAKE_LINE_BYTES_MAX = 16 * 1024 * 1024,
    LAKE_WINDOW_RECORDS = 10000, /* how far ahead a line's record is looked for */
    LAKE_TEXT_BYTES = 1200,      /* a key and some words */
};

/* The fates of a record in the lake. */
enum lake_state {
    LAKE_EXPECTED,    /* no line yet */
    LAKE_FOUND,       /* a line holds it */
    LAKE_ALTERED,     /* a line stands in its place that means something else */
    LAKE_NOT_WRITTEN, /* null: a sink has nothing to write */
    LAKE_NOT_JSON,    /* as EXPECTED, but a JSON sink cannot write it */
};

struct lake_record {
    int topic;
    int32_t partition;
    int64_t offset;
    struct span value;       /* ptr NULL: null */
    int table;               /* of the row that it is; -1: none */
    int64_t row_number;      /* -1: no row */
    struct ledger_post post; /* of this place; id 0: none */
};

/* An object on its way through. */
struct lake_object {
    struct buf key;
    int topic;
    int32_t partition;
    int64_t start;  /* the offset in its name */
    int64_t cursor; /* the next line's record stands here or later */
    struct topic_range range;
    int64_t line;    /* counted from 1 */
    bool contiguous; /* the default layout: all records of the partition are in its folder */
    bool judged;     /* a line of it is not older than what the topic has */
    bool packed;
    bool broken; /* it cannot be unpacked, or a line is too long: the rest is passed over */
    z_stream inflate;
    bool inflating;
};

/* A line that stands in the place of a row's record and means something else. */
struct lake_alteration {
    int64_t run; /* -1: no run of the ledger's */
    enum table_id table;
    int64_t row;
    struct span line;
};
/* Finds the row's field that was altered. Optional; out stays "" where there is no such field. */
typedef void (*lake_field_fn)(void *ctx, const struct lake_alteration *alteration, char *out,
                              size_t out_bytes);

/* Where the partition ends by now. */
typedef enum status (*lake_end_fn)(void *ctx, int topic, int32_t partition, int64_t *end,
                                   struct error *err);

struct verifier_lake {
    struct sqlite_db db;
    struct json_canonical canonical;
    struct buf line;
    struct buf unpacked;
    struct lake_object object;
    const char *const *topic_names; /* borrowed, ended by NULL */
    int topic_count;
    const struct topic_range *const *ranges; /* of each topic, by partition */
    const int32_t *partitions;
    lake_field_fn field_of;
    lake_end_fn end_of;
    void *ctx;                       /* of both */
    const struct progress *progress; /* may be NULL */
    uint64_t objects;
    uint64_t lines;
    bool no_bucket;
};

enum status lake_open(struct verifier_lake *lake, const struct env *env,
                      struct error *err) PP_MUST_USE;
void lake_close(struct verifier_lake *lake);

/* Records come in the order of offsets within a partition. */
enum status lake_add_record(struct verifier_lake *lake, const struct lake_record *record,
                            struct error *err) PP_MUST_USE;
/* Reads every object of the topics; topic_names, ranges, partitions and end_of must be set. */
enum status lake_read(struct verifier_lake *lake, struct lake_reader *reader,
                      struct error *err) PP_MUST_USE;

/* Why records may not have landed, as far as the Connect API tells. */
struct lake_cause {
    char text[200];             /* "" when it is not known */
    const int64_t *flush_sizes; /* of each topic's connectors; 1: nothing waits for its file */
};
/* Counts and first offenders go to the verdict. */
enum status lake_conclude(struct verifier_lake *lake, const char *bucket,
                          const struct lake_cause *cause, struct verdict *verdict,
                          struct error *err) PP_MUST_USE;

/* --- between the two files --- */
/* The kind, for the while, of what stands beyond the end that was taken: the records behind it may
 * have come since. */
enum { LAKE_BEYOND = -1 };
enum lake_sql {
    LAKE_SQL_ADD,
    LAKE_SQL_AT,
    LAKE_SQL_NEXT,
    LAKE_SQL_AHEAD,
    LAKE_SQL_BEHIND,
    LAKE_SQL_MARK,
    LAKE_SQL_STRAY,
    LAKE_SQL_BEYOND,
    LAKE_SQL_SETTLE,
    LAKE_SQL_OBJECT,
    LAKE_SQL_COUNT_STATE,
    LAKE_SQL_FIRST_STATE,
    LAKE_SQL_COUNT_STRAY,
    LAKE_SQL_FIRST_STRAY,
    LAKE_SQL_WAITING,
    LAKE_SQL_HOLDER,
    LAKE_SQL_COUNT,
};
/* Binds what every statement begins with. */
sqlite3_stmt *lake_statement(struct verifier_lake *lake, enum lake_sql id, int topic,
                             int32_t partition, int64_t offset);
enum status lake_step(struct verifier_lake *lake, sqlite3_stmt *statement,
                      struct error *err) PP_MUST_USE;
/* The fingerprint of a value by its meaning; *is_json false: of its bytes. */
enum status lake_fingerprint(struct verifier_lake *lake, struct span value, struct hash128 *hash,
                             bool *is_json, struct error *err);

#endif
