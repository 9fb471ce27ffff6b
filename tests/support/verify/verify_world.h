/* A whole pipeline's outcome in memory, for tests of the verifier: three small tables, a ledger
 * file, topics as arrays of records; everything can be damaged one by one. */
#ifndef PINPIPE_TESTS_VERIFY_WORLD_H
#define PINPIPE_TESTS_VERIFY_WORLD_H

#include "ledger.h"
#include "temp_dir.h"
#include "topic_reader.h"
#include "verifier.h"

enum {
    WORLD_ROWS = 12, /* of each table, keys from 0 */
    WORLD_RECORDS_MAX = 512,
    WORLD_TOPICS = 4, /* by table, and one more */
    WORLD_PARTITIONS_MAX = 3,
    WORLD_VALUE_BYTES = 512,
};

struct world_record {
    bool gone;  /* deleted from the topic: its offset stays empty */
    bool keyed; /* somebody gave it a key */
    int64_t time_ms;
    char value[WORLD_VALUE_BYTES];
};

struct world_partition {
    struct world_record *records;
    int64_t count;
    int64_t begin;
};

struct world_topic {
    const char *name; /* NULL: there is no such topic */
    int32_t partitions;
    struct world_partition partition[WORLD_PARTITIONS_MAX];
};

struct world {
    struct env env;
    struct temp_dir dir;
    struct ledger *ledger;
    int64_t run;
    int64_t triples; /* posted by the present run */
    enum datetime_style style;
    struct world_topic topics[WORLD_TOPICS];
    struct topic_reader reader;
    struct row_source rows;
    char title_of_row_3[64]; /* a cell of the pin table that a test may change */
    const char *cluster_id;

    /* The reader's state. */
    const struct world_partition *reading;
    const struct world_topic *reading_topic;
    int32_t reading_partition;
    int64_t next_offset;
    int64_t page_records;
    bool encoded; /* pages in base64 */
    const char *page_override;
    struct buf page;
    uint64_t polls;
    /* Called once, right after an end offset of this topic was taken; may be NULL. */
    void (*meanwhile)(struct world *w);
    const char *meanwhile_topic;

    int64_t now_ms; /* what is appended is of this time */
    int64_t since_ms;
    bool strict;
    struct lake_reader *lake; /* NULL: the topics are all that is judged */

    struct verdict verdict;
    struct error err;
};

void world_open(struct world *w);
void world_close(struct world *w);

/* A run of the emulator: lanes_per_topic 1 or more. */
void world_begin_run(struct world *w, int64_t lanes, enum datetime_style style);
void world_end_run(struct world *w);

/* The value that row number gives. */
void world_value(struct world *w, enum table_id table, int64_t row, char out[WORLD_VALUE_BYTES]);
/* Appends to the topic's partition; the offset. */
int64_t world_append(struct world *w, enum table_id table, int32_t partition, const char *value);
/* An intent; the post's id. */
int64_t world_intend(struct world *w, enum table_id table, int64_t row);
void world_settle(struct world *w, const struct ledger_outcome *outcome);
/* Posts one row as the emulator does when all goes well; the post's id. */
int64_t world_post(struct world *w, enum table_id table, int64_t row);
/* The three posts of one row. */
void world_post_triple(struct world *w, int64_t row);
/* Runs SQL on the ledger's file. */
void world_ledger_sql(struct world *w, const char *sql);

/* The record at an offset of partition 0. */
struct world_record *world_at(struct world *w, enum table_id table, int64_t offset);

/* OK fills w->verdict; otherwise w->err. */
enum status world_verify(struct world *w);

#endif
