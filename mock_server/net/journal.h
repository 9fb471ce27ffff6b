/* The record of what was asked and answered, for `pinpipe sql` and teaching: journal.db, a ring of
 * N rows, written in batches after the replies, never in their way (synchronous off).
 *
 * Secrets in a path's query (signatures, keys, tokens) are replaced here, whoever fed the entry:
 * this is the last place before they would be kept, and no protocol can forget it. Headers and
 * bodies never come this far. */
#ifndef PINPIPE_JOURNAL_H
#define PINPIPE_JOURNAL_H

#include "log.h"
#include "span.h"

struct buf;
struct journal;

struct journal_options {
    const char *directory; /* NULL: in memory */
    struct env *env;
    struct log *log;
    int64_t rows_max;
};

/* The file is made on the first flush, not at start. */
enum status journal_open(const struct journal_options *options, struct journal **out,
                         struct error *err) PP_MUST_USE;
/* One request and its answer, of whatever protocol. */
struct journal_entry {
    const char *service;    /* static: "gateway", "rest" */
    struct span method;     /* "POST"; of other protocols, the name of the request */
    struct span path;       /* as the client sent it, with its query; may hold secrets */
    int status;             /* HTTP's, or what stands for it */
    struct span error_code; /* "40403"; empty on success */
    struct span hint;       /* what went beside the answer for people; empty: nothing */
    int64_t received_us;    /* wall clock */
    int64_t latency_us;     /* until the answer could leave */
    uint64_t request_bytes; /* of the body */
    uint64_t response_bytes;
};

/* Copies what it needs into a bounded queue; when that is full, flushes. Failures are logged once
 * and counted, never shown to clients. */
void journal_add(struct journal *journal, const struct journal_entry *entry);
/* The path as people may see it: of a long one its front, secrets in its query replaced. */
void journal_append_path(struct buf *out, struct span path);
/* Called when the loop is idle, and when the queue is half full. */
void journal_flush(struct journal *journal);
void journal_close(struct journal *journal);

#endif
