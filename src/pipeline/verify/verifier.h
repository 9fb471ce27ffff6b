/* The verdict on a pipeline: every topic is read back and reconciled with the emulator's ledger and
 * the tables. What the ledger does not know but a table does was posted by somebody's own script,
 * and is judged by the tables alone. Memory stays flat: records stream by in offset order and are
 * merged with the ledger's rows in the same order; only what does not fit is noted down, in a
 * temporary SQLite file. */
#ifndef PINPIPE_VERIFIER_H
#define PINPIPE_VERIFIER_H

#include "connect_client.h"
#include "endpoints.h"
#include "env.h"
#include "error.h"
#include "lake_reader.h"
#include "progress.h"
#include "row_source.h"
#include "topic_reader.h"
#include "verdict.h"

struct verifier_options {
    struct env *env;
    struct endpoints endpoints;
    const char *data_dir;            /* ledger.db and rds.db */
    const struct progress *progress; /* may be NULL */
    struct topic_reader *reader;     /* borrowed; NULL: the REST proxy of the endpoints */
    struct row_source *rows;         /* borrowed; NULL: rds.db */
    struct lake_reader *lake;        /* borrowed; NULL: the topics are all that is judged */
    struct connect_client *connect;  /* borrowed; tells why records have not landed; may be NULL */
    int64_t since_ms; /* records that are older are not judged, nor what the ledger has of them; 0:
                       * all are */
    bool strict;      /* only the ledger explains records; without one there is no verdict */
};

/* OK: *verdict is filled, whatever it says. Otherwise no verdict could be reached: CONFIG (nothing
 * to judge, a ledger of another cluster, no tables; strict: no ledger), UNREACHABLE, INTERRUPTED,
 * FAILED.
 * Blocks until done; progress is called and polled throughout. */
enum status verifier_run(const struct verifier_options *options, struct verdict *verdict,
                         struct error *err) PP_MUST_USE;

#endif
