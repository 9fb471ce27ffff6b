/* S3SinkTask and its TopicPartitionWriter with the records of one topic-partition: convert,
 * partition, write, rotate, commit (specs/s3-sink-connector.md 3, 4, 6).
 *
 * DIFFERS: an offset that only skipped records led to is committed as well; the connector commits
 * after files alone, and would report such records once more after a restart. */
#ifndef PINPIPE_SINK_WRITER_H
#define PINPIPE_SINK_WRITER_H

#include "sink.h"

struct sink_writer {
    struct sink *sink;
    char *topic; /* owned; "topic" for names that hold it longer than the store's topic lives */
    size_t topic_len;
    int64_t topic_id;
    int32_t partition;
    int task;
    int64_t position;     /* the next record to take */
    int64_t safe;         /* where a restart would begin: before the first record in an open file */
    int64_t committed;    /* where one would begin by what the group has */
    int64_t record_count; /* in open files */
    bool has_base;
    int64_t base_ms;          /* timestamp of the first of them */
    int64_t current_ms;       /* ... of the last one seen */
    struct buf current;       /* its encoded partition */
    int64_t next_rotation_ms; /* scheduled; INT64_MAX: never */
    int64_t retry_us;         /* monotonic; not before, after an upload that failed */
    struct sink_file *files;
    struct sink_file *last_file; /* the one that took the last record */
};

enum sink_outcome {
    SINK_TAKEN,
    SINK_FAILED,       /* the task ends; *failure is its trace */
    SINK_TRY_LATER,    /* S3 or memory refused: files are dropped, position is safe again */
    SINK_STORE_FAILED, /* the turn is lost; so are the files */
};

/* NO_MEMORY. Takes no files and no position yet: sink_writer_begin does. */
enum status sink_writer_init(struct sink_writer *writer, struct sink *sink, struct span topic,
                             struct error *err) PP_MUST_USE;
void sink_writer_release(struct sink_writer *writer);
/* The first record is that of `offset`, which is committed. `due`: a scheduled rotation was planned
 * for it, and the time has passed, as when nobody looked at the writer for a while. */
void sink_writer_begin(struct sink_writer *writer, int64_t offset, bool due);
/* Is its next scheduled rotation still to come? Without a schedule there is none. */
bool sink_writer_has_plan(const struct sink_writer *writer);
/* Drops open files; the next record is that of the safe offset. */
void sink_writer_rewind(struct sink_writer *writer);

struct span sink_writer_topic(const struct sink_writer *writer);
/* The record at `position`, which moves behind it. */
enum sink_outcome sink_writer_take(struct sink_writer *writer, const struct store_record *record,
                                   struct sink_failure *failure);
/* After the records there are, and when a scheduled rotation is due. */
enum sink_outcome sink_writer_rest(struct sink_writer *writer, struct sink_failure *failure);
/* When it wants sink_writer_rest without a record: wall clock; INT64_MAX: never. */
int64_t sink_writer_due_ms(const struct sink_writer *writer);

#endif
