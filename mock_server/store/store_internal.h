/* What the files of the store share: the struct, its statements and the turn.
 *
 * Invariant: memory (topic table, offsets) always equals the file plus what the open transaction
 * wrote. Every change in memory is noted in the undo log first (base/undo.h). */
#ifndef PINPIPE_STORE_INTERNAL_H
#define PINPIPE_STORE_INTERNAL_H

#include "sqlite_db.h"
#include "store.h"
#include "store_objects.h"
#include "undo.h"

enum {
    STORE_APPLICATION_ID = 0x50495045, /* "PIPE" */
    STORE_FORMAT_VERSION = 3,
    STORE_FORMAT_VERSION_OLDEST = 1, /* that can be brought to the present one */
    STORE_CLUSTER_ID_CHARS = 22,
    STORE_SAVEPOINT_DEPTH_MAX = 4,
    STORE_BUSY_TIMEOUT_MS = 2000,
    STORE_CHECKPOINT_PAGES = 1000,
    STORE_SWEEP_ROWS = 1000,
    STORE_SWEEP_BATCHES = 4,   /* up to 64 MiB */
    STORE_SWEEP_CHUNKS = 64,   /* 4 MiB */
    STORE_CHUNK_RECORDS = 16,  /* what a chunk counts in the turn's records */
    STORE_CHUNK_BITS = 24,     /* of chunk.id for its number in the content */
    STORE_PIECES_MAX = 100000, /* of one content: 10000 parts, each copied from several */
};

enum store_statement {
#define X(name, sql) STMT_##name,
#include "store_statements.def"
#undef X
    STMT_COUNT
};

/* Beside each public store_partition. */
struct partition_state {
    int64_t last_timestamp_ms; /* of the last record; INT64_MIN when empty */
    bool time_ordered;         /* no record came with an earlier timestamp than its predecessor */
    uint64_t undo_epoch;       /* the undo log's epoch in which it was last noted */
};

struct topic_entry {
    struct store_topic topic; /* what callers see; first, so that the pointers are one */
    struct partition_state *states;
};

struct store_pin {
    int64_t object_id;
    size_t count;
};

/* What S3 needs in memory; none of it is part of the turn. */
struct store_lake {
    /* The last ids given out; -1: not looked up yet. They only grow, also when a turn is taken
     * back, so that an id is never met twice in one run. */
    int64_t last_bucket_id;
    int64_t last_object_id;
    int64_t last_content_id;
    int64_t known_bucket_id;   /* a bucket that is there; 0: ask */
    struct store_body *bodies; /* alive: the sweep keeps off their contents */
    struct store_pin *pins;
    size_t pin_count;
    size_t pin_cap;
    bool sweep_pending;
};

enum turn_state {
    STORE_TURN_IDLE,    /* no transaction; left by the first write */
    STORE_TURN_WRITING, /* BEGIN has run; left by COMMIT or by any failure */
    STORE_TURN_FAILED,  /* rolled back; every write fails until store_turn_commit has said so */
};

struct store {
    struct sqlite_db db;
    struct env *env;
    struct log *log;
    struct log silent_log;
    enum store_durability durability;
    bool in_memory;
    char directory[SQLITE_DB_PATH_BYTES_MAX];
    const struct store_options *initial; /* while the store opens */
    char cluster_id[STORE_CLUSTER_ID_CHARS + 1];

    enum turn_state turn;
    struct error turn_error;
    size_t turn_records;
    struct undo_log undo;
    size_t savepoints[STORE_SAVEPOINT_DEPTH_MAX]; /* where each stands in the undo log */
    size_t savepoint_depth;

    char unsynced_path[SQLITE_DB_PATH_BYTES_MAX + 16];
    bool never_acknowledged; /* the file there is was never synced: it may be built anew */
    bool settled;            /* main file and directory have been synced in this process */
    bool marked_unsafe;      /* the file says that a run without syncs did not end cleanly */
    bool sync_failed;        /* sticky: nothing is accepted any more ... */
    struct error stop_error; /* ... because of this */
    int directory_fd;        /* for the syncs of the directory; -1 */
    bool visiting;           /* a visit callback runs: it may not write */
    int wal_pages;
    int checkpoint_pages; /* tests make it small */
    int checkpoint_due_pages;
    bool sweep_pending; /* of topics */

    struct topic_entry **topics; /* by name */
    size_t topic_count;
    size_t topic_cap;
    int64_t next_topic_id; /* only grow, so that an id is never met twice in one run */
    int64_t next_tp;
    struct store_lake lake;
};

/* The files stand in this order, each on those above it. */

/* --- store_statement.c --- */
/* Gives the connection the table of texts. NO_MEMORY. */
enum status store_statements_attach(struct store *store, struct error *err) PP_MUST_USE;
const char *store_statement_sql(enum store_statement id);
/* Steps a statement that returns no rows and resets it; NULL is false. */
bool store_step_done(sqlite3_stmt *stmt);
/* Runs a statement whose parameters are all numbers. */
bool store_run(struct store *store, enum store_statement id, const int64_t *values, size_t count);
/* NULL when it is empty. */
void store_bind_optional(sqlite3_stmt *stmt, int index, struct span text);
/* A copy in the arena; false: no memory. */
bool store_span_keep(struct arena *arena, struct span text, struct span *out);

/* --- store_settle.c --- */
/* A meta row, cut to out_bytes. NOT_FOUND. */
enum status store_meta_get(struct store *store, const char *name, char *out, size_t out_bytes,
                           struct error *err) PP_MUST_USE;
/* SQLite's own check of everything. CORRUPT. */
enum status store_check_whole(struct store *store, struct error *err) PP_MUST_USE;
/* Looks whether a run without syncs left the file behind, and how much that means. CORRUPT. */
enum status store_look_at_mark(struct store *store, struct error *err) PP_MUST_USE;
/* Once, before the first write: what an earlier run left in the WAL or unsynced reaches the disk,
 * then the file and its directory are synced. With durability off: the mark is set. */
enum status store_settle(struct store *store, struct error *err) PP_MUST_USE;
/* The mark of durability off is taken away again, after everything has been synced. */
void store_unmark(struct store *store);

/* --- store_stop.c --- */
/* A sync has failed: nothing is accepted any more. The turn has been taken back. */
void store_stop(struct store *store, const struct error *why);
/* Says what is there of what a stopped run refused, once. The store is loaded. */
void store_stop_tell(struct store *store);

/* --- store_turn.c --- */
/* Prepares what a turn needs, so that taking one back never needs memory. */
enum status store_turn_attach(struct store *store, struct error *err) PP_MUST_USE;
/* Opens the turn's transaction when there is none. Every function that writes calls it first. */
enum status store_write_begin(struct store *store, struct error *err) PP_MUST_USE;
/* A statement of a write has failed: takes the whole turn back, remembers why, fills *err. */
enum status store_write_failed(struct store *store, const char *doing, struct error *err);
/* Takes the whole turn back for a failure that is not SQLite's. */
enum status store_turn_fail(struct store *store, const struct error *why);
/* A statement of a read has failed. */
enum status store_read_failed(struct store *store, const char *doing, struct error *err);
/* Steps a reading statement of at most one row; the caller resets it, whatever comes. *found: its
 * columns can be read. */
enum status store_read_row(struct store *store, sqlite3_stmt *stmt, const char *doing, bool *found,
                           struct error *err) PP_MUST_USE;
/* Room for one more undo note; NO_MEMORY fails the turn. */
enum status store_undo_reserve(struct store *store, struct error *err) PP_MUST_USE;
/* The number that a statement gives. */
enum status store_query(struct store *store, enum store_statement id, int64_t *out,
                        struct error *err) PP_MUST_USE;
/* Looks up *last by `statement` unless it is known. */
enum status store_last_id_load(struct store *store, enum store_statement statement, int64_t *last,
                               struct error *err) PP_MUST_USE;
/* The next id of a kind: *last, looked up if need be and counted up. */
enum status store_next_id(struct store *store, enum store_statement statement, int64_t *last,
                          int64_t *id, struct error *err) PP_MUST_USE;
/* Moves the log into the main file as far as readers let it. */
void store_checkpoint(struct store *store);

/* --- store_records.c --- */
enum status store_partition_load(struct store *store, struct store_partition *partition,
                                 struct partition_state *state, struct error *err) PP_MUST_USE;

/* --- store_topics.c --- */
enum status store_topics_load(struct store *store, struct error *err) PP_MUST_USE;
void store_topics_release(struct store *store);
/* Creates those of the initial topics that are not there. */
enum status store_topics_ensure(struct store *store, struct error *err) PP_MUST_USE;

/* --- store_buckets.c --- */
/* Creates those of the initial buckets that are not there. */
enum status store_buckets_ensure(struct store *store, struct error *err) PP_MUST_USE;
/* NOT_FOUND: the bucket is gone. Asks the file only when another bucket was asked for before. */
enum status store_bucket_check(struct store *store, int64_t bucket_id,
                               struct error *err) PP_MUST_USE;

/* --- store_contents.c --- */
/* A range of bytes of a content. */
struct store_piece {
    int64_t content_id;
    uint64_t start;
    uint64_t size;
};
struct store_pieces {
    struct store_piece *items;
    size_t count;
    size_t cap;
    uint64_t size; /* of all */
};
void store_pieces_release(struct store_pieces *pieces);
/* Appends the range, as pieces of plain contents. LIMIT: too many. */
enum status store_pieces_add(struct store *store, struct store_piece range,
                             struct store_pieces *pieces, struct error *err) PP_MUST_USE;
/* The content that will hold these bytes: the plain one that they are the whole of, else a new one.
 */
enum status store_pieces_target(struct store *store, const struct store_pieces *pieces,
                                int64_t *content_id, struct error *err) PP_MUST_USE;
/* Gives that content one reference, after writing it when it is new. */
enum status store_pieces_link(struct store *store, const struct store_pieces *pieces,
                              int64_t content_id, struct error *err) PP_MUST_USE;
/* Appends the bytes of the range to out. */
enum status store_content_read(struct store *store, struct store_piece range, struct buf *out,
                               struct error *err) PP_MUST_USE;
/* One reference more (+1) or less (-1); the sweep takes what has none. False: it failed. */
bool store_content_ref(struct store *store, int64_t content_id, int64_t change);
/* The bytes of a body that fits into its object's row; false: it is to become a content. */
bool store_body_inline(const struct store_body *body, struct span *bytes);
/* The id that its content has or will have. */
enum status store_body_target(struct store_body *body, int64_t *content_id,
                              struct error *err) PP_MUST_USE;
/* Writes what is left of it and gives its content one reference. */
enum status store_body_seal(struct store_body *body, struct error *err) PP_MUST_USE;
/* Gives back the memory of bodies and pins; bodies that are still alive fail from now on. */
void store_lake_release(struct store *store);
/* Is it a content that a live body writes or has written? */
bool store_content_is_staged(const struct store *store, int64_t content_id);

/* --- store_objects.c --- */
/* A new row of object; with what its bytes are in. */
struct store_new_object {
    const struct store_object_put *put; /* bytes and body are not used */
    struct span upload_id;
    uint64_t size;
    int64_t content_id; /* 0: the bytes are `body`, or those of object `source_id` */
    int64_t source_id;
    struct span body;
};
/* Replaces what is under the key. The content's reference is the caller's. NOT_FOUND: the bucket is
 * gone. */
enum status store_object_insert(struct store *store, const struct store_new_object *object,
                                struct error *err) PP_MUST_USE;
bool store_object_is_pinned(const struct store *store, int64_t object_id);
struct store_object_bytes {
    uint64_t size;
    int64_t content_id; /* 0: they are in body */
    struct span body;   /* valid until store_object_bytes_end */
};
/* NOT_FOUND. After OK, and only then, the caller ends it. */
enum status store_object_bytes(struct store *store, int64_t object_id,
                               struct store_object_bytes *out, struct error *err) PP_MUST_USE;
void store_object_bytes_end(struct store *store);

/* --- store_sweep.c --- */
/* One slice of the rows of deleted topics, in a transaction of its own. */
void store_topics_sweep(struct store *store);
/* One slice of what nobody links, pins or stages any more, likewise. */
void store_lake_sweep(struct store *store);

/* --- store_file.c --- */
/* Checks the file that is there, or builds a new one; leaves its path in *path. */
enum status store_file_prepare(struct store *store, char path[SQLITE_DB_PATH_BYTES_MAX],
                               struct error *err) PP_MUST_USE;
/* Removes a file from which nothing was ever acknowledged. */
enum status store_file_discard(struct store *store, struct error *err) PP_MUST_USE;
/* Runs the schema and writes the meta rows into a database without tables. */
enum status store_file_fill(struct store *store, struct sqlite_db *db,
                            struct error *err) PP_MUST_USE;
/* CONFIG: a newer pinpipe's; CORRUPT: nobody's. */
enum status store_file_check_version(const char *path, int64_t version,
                                     struct error *err) PP_MUST_USE;
/* Reads the meta rows; checks a file that a run without syncs left behind. */
enum status store_file_load_meta(struct store *store, struct error *err) PP_MUST_USE;

/* --- store_migrate.c --- */
/* Brings a file of an older format to the present one, in a turn of its own. */
enum status store_migrate(struct store *store, struct error *err) PP_MUST_USE;

#endif
