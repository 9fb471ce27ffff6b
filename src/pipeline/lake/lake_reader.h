/* Where the verifier reads objects from: S3 (lake_reader_s3.c), or files in memory in tests. */
#ifndef PINPIPE_LAKE_READER_H
#define PINPIPE_LAKE_READER_H

#include "error.h"
#include "s3_client.h"
#include "span.h"

struct lake_reader;

/* Told of the objects below a prefix: those that it wants are opened, given piece by piece and
 * closed, one after the other. A status other than OK ends the walk and is returned. */
struct lake_visitor {
    void *ctx;
    /* Is it to be read? */
    enum status (*look)(void *ctx, struct span key, uint64_t size, bool *wanted, struct error *err);
    enum status (*open)(void *ctx, struct span key, struct error *err);
    enum status (*bytes)(void *ctx, struct span bytes, struct error *err);
    /* `whole` is false when the object was gone before it could be read. */
    enum status (*close)(void *ctx, bool whole, struct error *err);
};

struct lake_reader_ops {
    /* Visits the objects in key order as far as `look` is concerned; large objects may be read
     * before small ones. NOT_FOUND: there is no such bucket. */
    enum status (*walk)(struct lake_reader *reader, struct span prefix,
                        const struct lake_visitor *visitor, struct error *err);
    void (*free)(struct lake_reader *reader);
};

struct lake_reader {
    const struct lake_reader_ops *ops;
    const char *bucket; /* for messages */
};

/* The client is borrowed; the bucket's name too. */
enum status lake_reader_s3_new(struct s3_client *client, const char *bucket,
                               struct lake_reader **out, struct error *err) PP_MUST_USE;

#endif
