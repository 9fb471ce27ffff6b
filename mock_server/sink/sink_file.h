/* The files that a topic-partition's writer has open: one an encoded partition, each of one to
 * three streams (values, and where they are stored keys and headers). A stream is kept in memory as
 * long as it is small; what outgrows that goes to the store chunk by chunk, hashed on the way, so
 * that a file may have any size. Objects appear whole, at the commit.
 *
 * Files and their buffers are used again: a file of one record allocates nothing. */
#ifndef PINPIPE_SINK_FILE_H
#define PINPIPE_SINK_FILE_H

#include "budget.h"
#include "digest.h"
#include "store_objects.h"

enum sink_stream_kind { SINK_STREAM_VALUE, SINK_STREAM_KEYS, SINK_STREAM_HEADERS };

enum {
    SINK_STREAMS = 3,
    /* The bound for all connectors together. One more is what it would be in a Connect worker,
     * whose streams take 25 MiB each: java.lang.OutOfMemoryError for the task that wants it. But a
     * few are any connector's own, so that those with many open files harm no others. */
    SINK_OPEN_STREAMS_MAX = 512,
    SINK_OPEN_GZIP_MAX = 128,
    SINK_OPEN_STREAMS_OWN = 4,
    SINK_FILES_KEPT = 4, /* closed ones that wait for their next use */
};

/* All connectors' files. Their memory counts in the budget's share of pairs; the first few of each
 * connector may go beyond the share, not beyond the whole. */
struct sink_pool {
    struct budget *budget; /* NULL: they are not counted */
    size_t open_streams;
    size_t open_gzip;
    struct sink_file *kept;
    size_t kept_count;
};

void sink_pool_release(struct sink_pool *pool);

struct sink_stream;
struct sink_file {
    struct sink_file *next;
    size_t counted;     /* in the budget */
    struct buf encoded; /* the encoded partition */
    int64_t start_offset;
    struct sink_stream *streams[SINK_STREAMS]; /* NULL: not written */
};

/* Where streams come from and go to. */
struct sink_files {
    struct store *store;
    struct crypto *crypto;
    bool gzip;
    int gzip_level;
    uint64_t part_bytes; /* s3.part.size: the ETag counts the parts */
    struct sink_pool *pool;
    size_t open_own;
};

void sink_files_init(struct sink_files *files, struct store *store, struct crypto *crypto);

/* NO_MEMORY. */
enum status sink_file_open(struct sink_files *files, struct span encoded, int64_t start_offset,
                           struct sink_file **out) PP_MUST_USE;
/* Throws away what was written; the objects that are there stay. */
void sink_file_close(struct sink_files *files, struct sink_file *file);
/* Opens the stream with its first bytes. LIMIT: too many are open; BUSY: the budget is used up;
 * NO_MEMORY; else the store's errors. */
enum status sink_file_append(struct sink_files *files, struct sink_file *file,
                             enum sink_stream_kind kind, struct span bytes,
                             struct error *err) PP_MUST_USE;
/* Puts what the stream holds as an object. A stream that was never opened is no object (OK).
 * NOT_FOUND: the bucket is gone. */
struct sink_object {
    int64_t bucket_id;
    struct span key;
    int64_t modified_ms;
};
enum status sink_file_put(struct sink_files *files, struct sink_file *file,
                          enum sink_stream_kind kind, const struct sink_object *object,
                          struct error *err) PP_MUST_USE;

#endif
