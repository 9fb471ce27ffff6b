/* What the files of the store share: the struct, its statements and the turn's undo list.
 *
 * Invariant: memory (topic table, offsets) always equals the file plus what the open transaction
 * wrote. Every change in memory is noted in the undo list first, so that taking a turn or a
 * savepoint back needs no input or output, which may be the very thing that is failing. */
#ifndef PINPIPE_STORE_INTERNAL_H
#define PINPIPE_STORE_INTERNAL_H

#include "sqlite_db.h"
#include "store.h"

enum {
    STORE_APPLICATION_ID = 0x50495045, /* "PIPE" */
    STORE_FORMAT_VERSION = 1,
    STORE_CLUSTER_ID_CHARS = 22,
    STORE_SAVEPOINT_DEPTH_MAX = 4,
    STORE_BUSY_TIMEOUT_MS = 2000,
    STORE_CACHE_KIB = 16 * 1024,
    STORE_CHECKPOINT_PAGES = 1000,
    STORE_SWEEP_ROWS = 1000,
};

enum store_statement {
    STMT_BEGIN,
    STMT_COMMIT,
    STMT_ROLLBACK,
    STMT_META_GET,
    STMT_META_SET,
    STMT_META_DELETE,
    STMT_TOPIC_LIST,
    STMT_TOPIC_INSERT,
    STMT_TOPIC_MARK_DELETED,
    STMT_TOPIC_NEXT_ID,
    STMT_CONFIG_INSERT,
    STMT_CONFIG_LIST,
    STMT_PARTITION_LIST,
    STMT_PARTITION_INSERT,
    STMT_PARTITION_UNORDERED,
    STMT_PARTITION_NEXT_TP,
    STMT_RECORD_INSERT,
    STMT_RECORD_READ,
    STMT_RECORD_FIRST,
    STMT_RECORD_LAST,
    STMT_RECORD_TIME_AT,
    STMT_RECORD_TIME_SCAN,
    STMT_SWEEP_FIND,
    STMT_SWEEP_RECORDS,
    STMT_SWEEP_TOPIC,
    STMT_GROUP_COMMIT,
    STMT_GROUP_GET,
    STMT_GROUP_VISIT_ONE,
    STMT_GROUP_VISIT_ALL,
    STMT_GROUP_FORGET_TOPIC,
    STMT_COUNT
};

/* Beside each public store_partition. */
struct partition_state {
    int64_t last_timestamp_ms; /* of the last record; INT64_MIN when empty */
    bool time_ordered;         /* no record came with an earlier timestamp than its predecessor */
    uint64_t undo_epoch;       /* the epoch in which the undo list last noted it */
};

struct topic_entry {
    struct store_topic topic; /* what callers see; first, so that the pointers are one */
    struct partition_state *states;
};

enum undo_kind { UNDO_APPEND, UNDO_CREATE, UNDO_DELETE };

struct undo {
    enum undo_kind kind;
    int32_t partition;
    struct topic_entry *entry;
    int64_t next_offset;
    int64_t first_offset;
    struct partition_state state;
};

enum turn_state {
    TURN_IDLE,    /* no transaction; left by the first write */
    TURN_WRITING, /* BEGIN has run; left by COMMIT or by any failure */
    TURN_FAILED,  /* rolled back; every write fails until store_turn_commit has said so */
};

struct store {
    struct sqlite_db db;
    struct env *env;
    struct log *log;
    struct log silent_log;
    enum store_durability durability;
    bool in_memory;
    char directory[SQLITE_DB_PATH_BYTES_MAX];
    const char *const *initial_topics; /* of the options, while the store opens */
    size_t initial_topic_count;
    char cluster_id[STORE_CLUSTER_ID_CHARS + 1];

    enum turn_state turn;
    struct error turn_error;
    size_t turn_records;
    uint64_t generation;
    struct undo *undos;
    size_t undo_count;
    size_t undo_cap;
    uint64_t undo_epoch;
    size_t savepoints[STORE_SAVEPOINT_DEPTH_MAX]; /* undo_count at each */
    size_t savepoint_depth;

    char unsynced_path[SQLITE_DB_PATH_BYTES_MAX + 16];
    bool never_acknowledged; /* the file there is was never synced: it may be built anew */
    bool settled;            /* main file and directory have been synced in this process */
    bool marked_unsafe;      /* the file says that a run without syncs did not end cleanly */
    bool sync_failed;        /* sticky: nothing is accepted any more */
    bool visiting;           /* a visit callback runs: it may not write */
    int wal_pages;
    int checkpoint_pages; /* tests make it small */
    int checkpoint_due_pages;
    bool sweep_pending;

    struct topic_entry **topics; /* by name */
    size_t topic_count;
    size_t topic_cap;
    int64_t next_topic_id; /* only grow, so that an id is never met twice in one run */
    int64_t next_tp;
};

/* --- store_file.c --- */
/* Checks the file that is there, or builds a new one; leaves its path in *path. */
enum status store_file_prepare(struct store *store, char path[SQLITE_DB_PATH_BYTES_MAX],
                               struct error *err) PP_MUST_USE;
/* Removes a file from which nothing was ever acknowledged. */
enum status store_file_discard(struct store *store, struct error *err) PP_MUST_USE;
/* Runs the schema and writes the meta rows into a database without tables. */
enum status store_file_fill(struct store *store, struct sqlite_db *db,
                            struct error *err) PP_MUST_USE;
/* Reads the meta rows; checks a file that a run without syncs left behind. */
enum status store_file_load_meta(struct store *store, struct error *err) PP_MUST_USE;
/* Once, before the first write: what an earlier run left in the WAL or unsynced reaches the disk,
 * then the file and its directory are synced. With durability off: the mark is set. */
enum status store_file_settle(struct store *store, struct error *err) PP_MUST_USE;
/* The mark of durability off is taken away again, after everything has been synced. */
void store_file_unmark(struct store *store);

/* --- store.c --- */
/* Opens the turn's transaction when there is none. Every function that writes calls it first. */
enum status store_write_begin(struct store *store, struct error *err) PP_MUST_USE;
/* A statement of a write has failed: takes the whole turn back, remembers why, fills *err. */
enum status store_write_failed(struct store *store, const char *doing, struct error *err);
/* As above for a failure that is not SQLite's. */
enum status store_turn_fail(struct store *store, const struct error *why);
/* A statement of a read has failed. */
enum status store_read_failed(struct store *store, const char *doing, struct error *err);
/* Room for one more undo note; NO_MEMORY fails the turn. */
enum status store_undo_reserve(struct store *store, struct error *err) PP_MUST_USE;
void store_undo_push(struct store *store, const struct undo *undo);
/* Steps a statement that returns no rows and resets it. */
bool store_step_done(sqlite3_stmt *stmt);

/* --- store_topics.c --- */
enum status store_topics_load(struct store *store, struct error *err) PP_MUST_USE;
void store_topics_release(struct store *store);
void store_topic_entry_free(struct topic_entry *entry);
/* Creates those of the initial topics that are not there, in a turn of its own. */
enum status store_topics_ensure(struct store *store, struct error *err) PP_MUST_USE;
/* Puts an entry into the table / takes it out without freeing it. */
void store_topic_table_insert(struct store *store, struct topic_entry *entry);
void store_topic_table_remove(struct store *store, struct topic_entry *entry);
/* One slice of the rows of deleted topics, in a transaction of its own. */
void store_topics_sweep(struct store *store);

/* --- store_records.c --- */
enum status store_partition_load(struct store *store, struct store_partition *partition,
                                 struct partition_state *state, struct error *err) PP_MUST_USE;

#endif
