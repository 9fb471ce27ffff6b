/* Where the verifier reads topics from: the REST proxy (topic_reader_rest.c), or pages in memory
 * in tests. One partition at a time, in offset order, with the next page under way while the
 * present one is digested. */
#ifndef PINPIPE_TOPIC_READER_H
#define PINPIPE_TOPIC_READER_H

#include "endpoints.h"
#include "env.h"
#include "error.h"
#include "progress.h"

struct topic_reader;

struct topic_range {
    int64_t begin; /* the first offset that is there */
    int64_t end;   /* the next one to be written */
};

struct topic_page {
    struct span body; /* a JSON array as GET .../records gives it */
    bool encoded;     /* values are base64 of the stored bytes, not JSON */
};

struct topic_reader_ops {
    /* NUL-terminated in out. NOT_FOUND: this server does not tell. */
    enum status (*cluster_id)(struct topic_reader *reader, char *out, size_t out_bytes,
                              struct error *err);
    /* NOT_FOUND: there is no such topic. */
    enum status (*partitions)(struct topic_reader *reader, const char *topic, int32_t *count,
                              struct error *err);
    enum status (*range)(struct topic_reader *reader, const char *topic, int32_t partition,
                         struct topic_range *range, struct error *err);
    /* The range begins with its first record that is not older than that; it becomes empty when
     * there is none. */
    enum status (*since)(struct topic_reader *reader, const char *topic, int32_t partition,
                         int64_t time_ms, struct topic_range *range, struct error *err);
    /* The pages to come are of this partition's range. */
    enum status (*start)(struct topic_reader *reader, const char *topic, int32_t partition,
                         struct topic_range range, struct error *err);
    /* Gives the next reply, without records when nothing came in time. Valid until the next call;
     * the fetch behind it is under way already unless the page reaches the range's end. A fetch
     * that fails is repeated from where the last page ended. */
    enum status (*page)(struct topic_reader *reader, struct topic_page *page, struct error *err);
    /* Moves the fetch under way on; called now and then while a page is digested. */
    void (*poll)(struct topic_reader *reader);
    void (*free)(struct topic_reader *reader);
};

struct topic_reader {
    const struct topic_reader_ops *ops;
};

/* Through the gateway, with a consumer instance of its own by manual assignment: it joins no
 * group's balancing and commits nothing. The instance is deleted by free, also after a failure. */
enum status topic_reader_rest_new(struct env *env, const struct endpoints *endpoints,
                                  const struct progress *progress, struct topic_reader **out,
                                  struct error *err) PP_MUST_USE;

#endif
