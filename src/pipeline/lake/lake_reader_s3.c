/* The listing is pulled while the objects that it named are fetched side by side; an object larger
 * than a piece is read in pieces when its turn to be asked for comes. */
#include "lake_reader.h"

#include <stdlib.h>

struct s3_lake_reader {
    struct lake_reader base;
    struct s3_client *client;
};

struct walk {
    struct s3_lake_reader *reader;
    const struct lake_visitor *visitor;
    struct s3_listing *listing;
    enum status status; /* what ended it from inside a callback */
    struct error error;
};

static bool walk_ends(struct walk *walk, enum status status)
{
    walk->status = status;
    return status != STATUS_OK;
}

static enum status read_large(struct walk *walk, struct span key)
{
    const struct lake_visitor *visitor = walk->visitor;
    const struct s3_sink sink = {visitor->bytes, visitor->ctx};
    struct s3_head head;
    enum status status = visitor->open(visitor->ctx, key, &walk->error);
    if (status != STATUS_OK) {
        return status;
    }
    status = s3_client_read(walk->reader->client, span_from_cstr(walk->reader->base.bucket), key,
                            &sink, &head, &walk->error);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) {
        status = visitor->close(visitor->ctx, status == STATUS_OK, &walk->error);
    }
    return status;
}

static bool next_key(void *ctx, struct buf *key)
{
    struct walk *walk = ctx;
    struct s3_listed item;
    bool more = true;
    while (more) {
        bool wanted = false;
        if (walk_ends(walk, s3_listing_next(walk->listing, &item, &more, &walk->error)) || !more) {
            return false;
        }
        if (walk_ends(walk, walk->visitor->look(walk->visitor->ctx, item.key, item.size, &wanted,
                                                &walk->error))) {
            return false;
        }
        if (wanted && item.size <= S3_PART_BYTES) {
            buf_append_span(key, item.key);
            return true;
        }
        if (wanted && walk_ends(walk, read_large(walk, item.key))) {
            return false;
        }
    }
    return false;
}

static bool visit_object(void *ctx, struct span key, enum status found, struct span bytes)
{
    struct walk *walk = ctx;
    const struct lake_visitor *visitor = walk->visitor;
    if (found == STATUS_LIMIT) { /* it has grown since it was listed */
        return !walk_ends(walk, read_large(walk, key));
    }
    enum status status = visitor->open(visitor->ctx, key, &walk->error);
    if (status == STATUS_OK && found == STATUS_OK) {
        status = visitor->bytes(visitor->ctx, bytes, &walk->error);
    }
    if (status == STATUS_OK) {
        status = visitor->close(visitor->ctx, found == STATUS_OK, &walk->error);
    }
    return !walk_ends(walk, status);
}

static enum status s3_walk(struct lake_reader *base, struct span prefix,
                           const struct lake_visitor *visitor, struct error *err)
{
    struct s3_lake_reader *reader = PP_CONTAINER_OF(base, struct s3_lake_reader, base);
    struct walk walk = {.reader = reader, .visitor = visitor};
    const struct s3_list list = {.bucket = span_from_cstr(base->bucket),
                                 .prefix = prefix,
                                 .delimiter = SPAN_EMPTY,
                                 .start_after = SPAN_EMPTY};
    const struct s3_fetch fetch = {.bucket = list.bucket,
                                   .next = next_key,
                                   .visit = visit_object,
                                   .ctx = &walk,
                                   .bytes_max = S3_PART_BYTES};
    enum status status = s3_listing_open(reader->client, &list, &walk.listing, err);
    if (status == STATUS_OK) {
        status = s3_client_fetch(reader->client, &fetch, err);
    }
    s3_listing_close(walk.listing);
    if (status == STATUS_OK && walk.status != STATUS_OK) {
        *err = walk.error;
        status = walk.status;
    }
    return status;
}

static void s3_reader_free(struct lake_reader *base)
{
    free(PP_CONTAINER_OF(base, struct s3_lake_reader, base));
}

static const struct lake_reader_ops s3_ops = {s3_walk, s3_reader_free};

enum status lake_reader_s3_new(struct s3_client *client, const char *bucket,
                               struct lake_reader **out, struct error *err)
{
    struct s3_lake_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory to read the lake");
    }
    *reader = (struct s3_lake_reader){.base = {&s3_ops, bucket}, .client = client};
    *out = &reader->base;
    return STATUS_OK;
}
