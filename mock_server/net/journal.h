/* What was asked and answered, for `pinpipe sql` and teaching: journal.db, a ring of N rows,
 * written in batches after the replies, never in their way (synchronous off). Authorization,
 * x-api-key and signatures are redacted before anything is kept. */
#ifndef PINPIPE_JOURNAL_H
#define PINPIPE_JOURNAL_H

#include "exchange.h"
#include "log.h"

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
/* Copies what it needs into a bounded queue; when that is full, flushes. Failures are logged once
 * and counted, never shown to clients. */
void journal_add(struct journal *journal, const struct exchange *exchange, int64_t latency_us);
/* Called when the loop is idle, and when the queue is half full. */
void journal_flush(struct journal *journal);
void journal_close(struct journal *journal);

#endif
