/* The turn: one transaction that the first write opens, that COMMIT makes durable, and that any
 * failure takes back as a whole, in the file and in memory alike. Everything that writes stands on
 * this file; it knows no table but those of store_settle.c.
 *
 * Failures: a disk that is full, a write that fails or memory that is short cost the turn and
 * nothing else; the next turn may succeed. A sync that fails is final. After it nobody can know
 * which of the pages written before are on the disk (the kernel forgets them, so that a later sync
 * succeeds without them), so every later write is refused until a restart, which writes the log
 * into the main file anew and syncs that. A turn whose commit failed may reappear after a crash;
 * its clients were told 5xx, never 2xx.
 *
 * Checkpoints run in store_housekeep, behind the replies, not inside COMMIT: then their cost is in
 * nobody's latency and a sync that fails there is seen (SQLite's own checkpoint hides it). */
#include "store_internal.h"

/* --- undo --- */

enum status store_undo_reserve(struct store *store, struct error *err)
{
    PP_ASSERT(store->turn == STORE_TURN_WRITING);
    if (PP_LIKELY(undo_reserve(&store->undo, 1) == STATUS_OK)) {
        return STATUS_OK;
    }
    struct error why;
    error_set(&why, STATUS_NO_MEMORY, "%s: out of memory", store->db.path);
    if (err != NULL) {
        *err = why;
    }
    return store_turn_fail(store, &why);
}

struct undo_log *store_undo_log(struct store *store)
{
    return &store->undo;
}

/* --- failures --- */

static bool turn_statement(struct store *store, enum store_statement id)
{
    return store_run(store, id, NULL, 0);
}

enum status store_turn_fail(struct store *store, const struct error *why)
{
    if (store->turn == STORE_TURN_FAILED) {
        return why->code;
    }
    PP_ASSERT(why->code != STATUS_OK);
    /* SQLite may have rolled back by itself (FULL, IOERR, NOMEM); if not, it is done here. */
    if (!sqlite3_get_autocommit(store->db.handle)) {
        turn_statement(store, STMT_ROLLBACK);
    }
    store->lake.known_bucket_id = 0;
    store->savepoint_depth = 0;
    store->turn = STORE_TURN_FAILED; /* whoever takes something back now cannot write */
    store->turn_error = *why;
    store->turn_records = 0;
    undo_back(&store->undo, 0);
    return why->code;
}

enum status store_write_failed(struct store *store, const char *doing, struct error *err)
{
    struct error why;
    enum status status = sqlite_db_error(&store->db, doing, &why);
    bool sync_failed = sqlite_db_sync_failed(&store->db);
    if (err != NULL) {
        *err = why;
    }
    store_turn_fail(store, &why);
    if (sync_failed) {
        store_stop(store, &why);
    }
    return status;
}

enum status store_read_failed(struct store *store, const char *doing, struct error *err)
{
    struct error why;
    enum status status = sqlite_db_error(&store->db, doing, &why);
    if (err != NULL) {
        *err = why;
    }
    /* A read that fails within a transaction may take it back too; writes after it would each be a
     * transaction of its own. */
    if (store->turn == STORE_TURN_WRITING && sqlite3_get_autocommit(store->db.handle)) {
        store_turn_fail(store, &why);
    }
    return status;
}

enum status store_read_row(struct store *store, sqlite3_stmt *stmt, const char *doing, bool *found,
                           struct error *err)
{
    int step = sqlite3_step(stmt);
    *found = step == SQLITE_ROW;
    return step == SQLITE_ROW || step == SQLITE_DONE ? STATUS_OK
                                                     : store_read_failed(store, doing, err);
}

/* --- ids --- */

enum status store_query(struct store *store, enum store_statement id, int64_t *out,
                        struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, id);
    enum status status = STATUS_OK;
    if (stmt == NULL || sqlite3_step(stmt) != SQLITE_ROW) {
        status = store_read_failed(store, "look for the last id", err);
    } else {
        *out = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_reset(stmt);
    return status;
}

enum status store_last_id_load(struct store *store, enum store_statement statement, int64_t *last,
                               struct error *err)
{
    int64_t found = 0;
    PP_ASSERT(*last >= -1);
    if (PP_LIKELY(*last >= 0)) {
        return STATUS_OK;
    }
    enum status status = store_query(store, statement, &found, err);
    if (status == STATUS_OK && (found < 0 || found >= INT64_MAX >> (STORE_CHUNK_BITS + 1))) {
        status = error_set(err, STATUS_CORRUPT, "%s: an id is impossible", store->db.path);
    }
    if (status == STATUS_OK) {
        *last = found;
    }
    return status;
}

enum status store_next_id(struct store *store, enum store_statement statement, int64_t *last,
                          int64_t *id, struct error *err)
{
    enum status status = store_last_id_load(store, statement, last, err);
    if (status == STATUS_OK) {
        PP_ASSERT(*last >= 0 && *last < INT64_MAX >> STORE_CHUNK_BITS);
        *id = ++*last;
    }
    return status;
}

/* --- checkpoints --- */

static int turn_note_wal_pages(void *ctx, sqlite3 *handle, const char *name, int pages)
{
    struct store *store = ctx;
    (void)handle;
    (void)name;
    store->wal_pages = pages;
    return SQLITE_OK;
}

void store_checkpoint(struct store *store)
{
    PP_ASSERT(!store->in_memory && store->turn == STORE_TURN_IDLE);
    int log_pages = 0;
    int done_pages = 0;
    int code = sqlite3_wal_checkpoint_v2(store->db.handle, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                         &log_pages, &done_pages);
    if (code != SQLITE_OK && code != SQLITE_BUSY) {
        struct error why;
        sqlite_db_error(&store->db, "move the log into the main file", &why);
        if (sqlite_db_sync_failed(&store->db)) {
            store_stop(store, &why);
        } else {
            LOG_WARNF(store->log, "store", "%s", why.message);
        }
    }
    /* A reader may still need the log (a long `pinpipe sql`), or the disk may be full: the log
     * then grows, and a retry after every turn would only slow it down. */
    bool complete = code == SQLITE_OK && done_pages == log_pages;
    store->checkpoint_due_pages =
        complete ? store->checkpoint_pages : store->wal_pages + store->checkpoint_pages;
    if (complete) {
        store->wal_pages = 0;
    }
}

/* --- the turn --- */

static enum status turn_refuse(struct store *store, struct error *err)
{
    struct error why;
    error_set(&why, STATUS_IO,
              "%s: a sync to the disk has failed, so nothing is accepted any more: check the disk, "
              "then restart",
              store->db.path);
    if (err != NULL) {
        *err = why;
    }
    return store_turn_fail(store, &why);
}

static enum status turn_begin_first(struct store *store, struct error *err)
{
    PP_ASSERT(store->turn == STORE_TURN_IDLE && store->savepoint_depth == 0);
    PP_ASSERT(store->turn_records == 0);
    /* Only where nobody calls store_housekeep between the turns. */
    if (store->wal_pages >= store->checkpoint_due_pages + 4 * store->checkpoint_pages &&
        !store->sync_failed) {
        store_checkpoint(store);
    }
    if (!store->settled && !store->sync_failed) {
        struct error why;
        enum status settled = store_settle(store, &why);
        if (settled == STATUS_BUSY || settled == STATUS_NO_MEMORY || settled == STATUS_DISK_FULL) {
            if (err != NULL) {
                *err = why;
            }
            return store_turn_fail(store, &why);
        }
        if (settled != STATUS_OK) {
            store_stop(store, &why);
        }
    }
    if (store->sync_failed) {
        return turn_refuse(store, err);
    }
    if (!turn_statement(store, STMT_BEGIN)) {
        return store_write_failed(store, "begin a transaction", err);
    }
    PP_ASSERT(!sqlite3_get_autocommit(store->db.handle));
    store->turn = STORE_TURN_WRITING;
    return STATUS_OK;
}

enum status store_write_begin(struct store *store, struct error *err)
{
    PP_ASSERT(!store->visiting);
    if (PP_LIKELY(store->turn == STORE_TURN_WRITING)) {
        return STATUS_OK;
    }
    if (store->turn == STORE_TURN_FAILED) {
        PP_ASSERT(store->turn_error.code != STATUS_OK && store->savepoint_depth == 0);
        if (err != NULL) {
            *err = store->turn_error;
        }
        return store->turn_error.code;
    }
    return turn_begin_first(store, err);
}

bool store_turn_has_writes(const struct store *store)
{
    return store->turn != STORE_TURN_IDLE;
}

size_t store_turn_records(const struct store *store)
{
    PP_ASSERT(store->turn != STORE_TURN_IDLE || store->turn_records == 0);
    return store->turn_records;
}

enum status store_turn_commit(struct store *store, struct error *err)
{
    enum status status = STATUS_OK;
    PP_ASSERT(store->savepoint_depth == 0 && !store->visiting);
    if (store->turn == STORE_TURN_WRITING && !turn_statement(store, STMT_COMMIT)) {
        store_write_failed(store, "commit", NULL);
    }
    if (store->turn == STORE_TURN_FAILED) {
        status = store->turn_error.code;
        if (err != NULL) {
            *err = store->turn_error;
        }
    }
    /* A store that has stopped keeps nothing: what changed in memory alone goes back as well. */
    if (status == STATUS_OK && store->sync_failed && undo_back(&store->undo, 0)) {
        (void)store_has_stopped(store, err);
        status = STATUS_STOPPED;
    }
    /* Also what was noted after the failure, by those that only read. */
    undo_end(&store->undo, status == STATUS_OK);
    store->turn = STORE_TURN_IDLE;
    store->turn_records = 0;
    return status;
}

static const char *const savepoint_sql[STORE_SAVEPOINT_DEPTH_MAX][3] = {
    {"SAVEPOINT s0", "RELEASE s0", "ROLLBACK TO s0; RELEASE s0"},
    {"SAVEPOINT s1", "RELEASE s1", "ROLLBACK TO s1; RELEASE s1"},
    {"SAVEPOINT s2", "RELEASE s2", "ROLLBACK TO s2; RELEASE s2"},
    {"SAVEPOINT s3", "RELEASE s3", "ROLLBACK TO s3; RELEASE s3"},
};

enum status store_savepoint(struct store *store, struct error *err)
{
    enum status status = store_write_begin(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    PP_ASSERT(store->turn == STORE_TURN_WRITING);
    PP_ASSERT(store->savepoint_depth < STORE_SAVEPOINT_DEPTH_MAX);
    if (sqlite_db_exec(&store->db, savepoint_sql[store->savepoint_depth][0], NULL) != STATUS_OK) {
        return store_write_failed(store, "set a savepoint", err);
    }
    store->savepoints[store->savepoint_depth++] = undo_mark(&store->undo);
    PP_ASSERT(store->savepoint_depth == 1 || store->savepoints[store->savepoint_depth - 2] <=
                                                 store->savepoints[store->savepoint_depth - 1]);
    return STATUS_OK;
}

enum status store_savepoint_release(struct store *store, struct error *err)
{
    if (store->turn != STORE_TURN_WRITING) {
        return store_write_begin(store, err); /* the turn has failed meanwhile: says why */
    }
    PP_ASSERT(store->savepoint_depth > 0);
    store->savepoint_depth--;
    if (sqlite_db_exec(&store->db, savepoint_sql[store->savepoint_depth][1], NULL) != STATUS_OK) {
        return store_write_failed(store, "release a savepoint", err);
    }
    return STATUS_OK;
}

void store_savepoint_rollback(struct store *store)
{
    if (store->turn != STORE_TURN_WRITING) {
        return; /* the whole turn is gone already */
    }
    PP_ASSERT(store->savepoint_depth > 0);
    store->savepoint_depth--;
    if (sqlite_db_exec(&store->db, savepoint_sql[store->savepoint_depth][2], NULL) != STATUS_OK) {
        store_write_failed(store, "roll back to a savepoint", NULL);
        return;
    }
    store->lake.known_bucket_id = 0;
    undo_back(&store->undo, store->savepoints[store->savepoint_depth]);
}

enum status store_turn_attach(struct store *store, struct error *err)
{
    PP_ASSERT(store->db.handle != NULL && store->turn == STORE_TURN_IDLE);
    enum status status = store_statements_attach(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (sqlite_db_statement(&store->db, STMT_BEGIN) == NULL ||
        sqlite_db_statement(&store->db, STMT_COMMIT) == NULL ||
        sqlite_db_statement(&store->db, STMT_ROLLBACK) == NULL) {
        return sqlite_db_error(&store->db, "prepare the turn", err);
    }
    if (!store->in_memory) {
        sqlite3_wal_hook(store->db.handle, turn_note_wal_pages, store);
    }
    return STATUS_OK;
}
