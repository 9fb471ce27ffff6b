/* The store's life and its turn: one transaction that the first write opens, that COMMIT makes
 * durable, and that any failure takes back as a whole, in the file and in memory alike.
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

#include <stdlib.h>
#include <string.h>

static const char *const statement_sql[STMT_COUNT] = {
#define X(name, sql) [STMT_##name] = sql,
#include "store_statements.def"
#undef X
};

/* --- undo --- */

enum status store_undo_reserve(struct store *store, struct error *err)
{
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

/* --- statements and failures --- */

bool store_step_done(sqlite3_stmt *stmt)
{
    if (stmt == NULL) {
        return false;
    }
    int step;
    do {
        step = sqlite3_step(stmt);
    } while (step == SQLITE_ROW);
    /* reset repeats the step's error code, so sqlite_db_error still finds it. */
    return sqlite3_reset(stmt) == SQLITE_OK && step == SQLITE_DONE;
}

bool store_run(struct store *store, enum store_statement id, const int64_t *values, size_t count)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, id);
    for (size_t i = 0; stmt != NULL && i < count; i++) {
        sqlite3_bind_int64(stmt, (int)i + 1, values[i]);
    }
    return store_step_done(stmt);
}

const char *store_statement_sql(enum store_statement id)
{
    return statement_sql[id];
}

void store_bind_optional(sqlite3_stmt *stmt, int index, struct span text)
{
    if (text.len > 0) {
        sqlite_bind_span_text(stmt, index, text);
    } else {
        sqlite3_bind_null(stmt, index);
    }
}

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
        *id = ++*last;
    }
    return status;
}

bool store_span_keep(struct arena *arena, struct span text, struct span *out)
{
    char *copy = arena_copy_cstr(arena, text);
    *out = copy != NULL ? span_from(copy, text.len) : SPAN_EMPTY;
    return copy != NULL;
}

static bool run(struct store *store, enum store_statement id)
{
    return store_run(store, id, NULL, 0);
}

static void note_sync_failure(struct store *store, const char *why)
{
    if (!store->sync_failed) {
        store->sync_failed = true;
        LOG_ERRORF(store->log, "store",
                   "%s; no write is accepted any more: check the disk, then restart", why);
    }
}

enum status store_turn_fail(struct store *store, const struct error *why)
{
    if (store->turn == TURN_FAILED) {
        return why->code;
    }
    /* SQLite may have rolled back by itself (FULL, IOERR, NOMEM); if not, it is done here. */
    if (!sqlite3_get_autocommit(store->db.handle)) {
        run(store, STMT_ROLLBACK);
    }
    store->lake.known_bucket_id = 0;
    store->savepoint_depth = 0;
    store->turn = TURN_FAILED; /* whoever takes something back now cannot write */
    store->turn_error = *why;
    store->turn_records = 0;
    store->generation++;
    undo_back(&store->undo, 0);
    return why->code;
}

enum status store_write_failed(struct store *store, const char *doing, struct error *err)
{
    struct error why;
    enum status status = sqlite_db_error(&store->db, doing, &why);
    if (sqlite_db_sync_failed(&store->db)) {
        note_sync_failure(store, why.message);
    }
    if (err != NULL) {
        *err = why;
    }
    store_turn_fail(store, &why);
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
    if (store->turn == TURN_WRITING && sqlite3_get_autocommit(store->db.handle)) {
        store_turn_fail(store, &why);
    }
    return status;
}

/* --- checkpoints --- */

static int note_wal_pages(void *ctx, sqlite3 *handle, const char *name, int pages)
{
    struct store *store = ctx;
    (void)handle;
    (void)name;
    store->wal_pages = pages;
    return SQLITE_OK;
}

static void checkpoint(struct store *store)
{
    int log_pages = 0;
    int done_pages = 0;
    int code = sqlite3_wal_checkpoint_v2(store->db.handle, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                         &log_pages, &done_pages);
    if (code != SQLITE_OK && code != SQLITE_BUSY) {
        struct error why;
        sqlite_db_error(&store->db, "move the log into the main file", &why);
        if (sqlite_db_sync_failed(&store->db)) {
            note_sync_failure(store, why.message);
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

bool store_housekeep(struct store *store)
{
    if (store->turn != TURN_IDLE || store->sync_failed) {
        return false;
    }
    if (store->sweep_pending) {
        store_topics_sweep(store);
    } else if (store->lake.sweep_pending) {
        store_lake_sweep(store);
    }
    if (store->wal_pages >= store->checkpoint_due_pages && !store->in_memory) {
        checkpoint(store);
    }
    return (store->sweep_pending || store->lake.sweep_pending) && !store->sync_failed;
}

/* --- the turn --- */

static enum status refuse(struct store *store, struct error *err)
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

static enum status write_begin_first(struct store *store, struct error *err)
{
    /* Only where nobody calls store_housekeep between the turns. */
    if (store->wal_pages >= store->checkpoint_due_pages + 4 * store->checkpoint_pages &&
        !store->in_memory && !store->sync_failed) {
        checkpoint(store);
    }
    if (!store->settled && !store->sync_failed) {
        struct error why;
        enum status settled = store_file_settle(store, &why);
        if (settled == STATUS_BUSY || settled == STATUS_NO_MEMORY || settled == STATUS_DISK_FULL) {
            if (err != NULL) {
                *err = why;
            }
            return store_turn_fail(store, &why);
        }
        if (settled != STATUS_OK) {
            note_sync_failure(store, why.message);
        }
    }
    if (store->sync_failed) {
        return refuse(store, err);
    }
    if (!run(store, STMT_BEGIN)) {
        return store_write_failed(store, "begin a transaction", err);
    }
    store->turn = TURN_WRITING;
    return STATUS_OK;
}

enum status store_write_begin(struct store *store, struct error *err)
{
    PP_ASSERT(!store->visiting);
    if (PP_LIKELY(store->turn == TURN_WRITING)) {
        return STATUS_OK;
    }
    if (store->turn == TURN_FAILED) {
        if (err != NULL) {
            *err = store->turn_error;
        }
        return store->turn_error.code;
    }
    return write_begin_first(store, err);
}

bool store_turn_has_writes(const struct store *store)
{
    return store->turn != TURN_IDLE;
}

size_t store_turn_records(const struct store *store)
{
    return store->turn_records;
}

uint64_t store_generation(const struct store *store)
{
    return store->generation;
}

enum status store_turn_commit(struct store *store, struct error *err)
{
    enum status status = STATUS_OK;
    PP_ASSERT(store->savepoint_depth == 0);
    if (store->turn == TURN_WRITING && !run(store, STMT_COMMIT)) {
        store_write_failed(store, "commit", NULL);
    }
    if (store->turn == TURN_FAILED) {
        status = store->turn_error.code;
        if (err != NULL) {
            *err = store->turn_error;
        }
    }
    /* Also what was noted after the failure, by those that only read. */
    undo_end(&store->undo, status == STATUS_OK);
    store->turn = TURN_IDLE;
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
    PP_ASSERT(store->savepoint_depth < STORE_SAVEPOINT_DEPTH_MAX);
    if (sqlite_db_exec(&store->db, savepoint_sql[store->savepoint_depth][0], NULL) != STATUS_OK) {
        return store_write_failed(store, "set a savepoint", err);
    }
    store->savepoints[store->savepoint_depth++] = undo_mark(&store->undo);
    return STATUS_OK;
}

enum status store_savepoint_release(struct store *store, struct error *err)
{
    if (store->turn != TURN_WRITING) {
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
    if (store->turn != TURN_WRITING) {
        return; /* the whole turn is gone already */
    }
    PP_ASSERT(store->savepoint_depth > 0);
    store->savepoint_depth--;
    if (sqlite_db_exec(&store->db, savepoint_sql[store->savepoint_depth][2], NULL) != STATUS_OK) {
        store_write_failed(store, "roll back to a savepoint", NULL);
        return;
    }
    store->lake.known_bucket_id = 0;
    if (undo_back(&store->undo, store->savepoints[store->savepoint_depth])) {
        store->generation++;
    }
}

/* --- open and close --- */

static enum db_sync db_sync_for(enum store_durability durability)
{
    /* With durability off the mark has to reach the disk first; store_file_settle then stops the
     * syncs. */
    return durability == STORE_NORMAL ? DB_SYNC_NORMAL : DB_SYNC_FULL;
}

static enum status open_file(struct store *store, struct error *err)
{
    char path[SQLITE_DB_PATH_BYTES_MAX] = ":memory:";
    enum status status = STATUS_OK;
    if (!store->in_memory) {
        status = store_file_prepare(store, path, err);
    }
    if (status == STATUS_OK) {
        struct sqlite_db_options options = {
            .path = path,
            .env = store->env,
            .create = store->in_memory,
            .wal = !store->in_memory,
            .sync = store->in_memory ? DB_SYNC_OFF : db_sync_for(store->durability),
            .busy_timeout_ms = STORE_BUSY_TIMEOUT_MS,
            .cache_kib = STORE_CACHE_KIB,
        };
        status = sqlite_db_open(&store->db, &options, err);
    }
    if (status == STATUS_OK && store->in_memory) {
        status = store_file_fill(store, &store->db, err);
    }
    if (status == STATUS_OK && !store->in_memory) {
        sqlite3_wal_hook(store->db.handle, note_wal_pages, store);
    }
    return status;
}

/* Prepared now, so that taking a turn back never needs memory. */
static enum status prepare_turn(struct store *store, struct error *err)
{
    enum status status = sqlite_db_set_statements(&store->db, statement_sql, STMT_COUNT);
    if (status != STATUS_OK) {
        return error_set(err, status, "out of memory");
    }
    if (sqlite_db_statement(&store->db, STMT_BEGIN) == NULL ||
        sqlite_db_statement(&store->db, STMT_COMMIT) == NULL ||
        sqlite_db_statement(&store->db, STMT_ROLLBACK) == NULL) {
        return sqlite_db_error(&store->db, "prepare the turn", err);
    }
    return STATUS_OK;
}

static enum status open_and_load(struct store *store, struct error *err)
{
    enum status status = open_file(store, err);
    if (status == STATUS_OK) {
        status = prepare_turn(store, err);
    }
    if (status == STATUS_OK) {
        status = store_file_load_meta(store, err);
    }
    if (status == STATUS_OK) {
        status = store_file_migrate(store, err);
    }
    if (status == STATUS_OK) {
        status = store_topics_load(store, err);
    }
    return status;
}

static enum status open_or_rebuild(struct store *store, struct error *err)
{
    enum status status = open_and_load(store, err);
    if (status == STATUS_CORRUPT && store->never_acknowledged) {
        sqlite_db_close(&store->db);
        store_topics_release(store);
        status = store_file_discard(store, err);
        if (status == STATUS_OK) {
            status = open_and_load(store, err);
        }
    }
    if (status == STATUS_CORRUPT) {
        struct error cause = *err;
        error_set(err, STATUS_CORRUPT,
                  "%.360s: the data is damaged: restore it from a copy, move it away or choose "
                  "another directory with --data",
                  cause.message);
    }
    return status;
}

static struct store *store_new(const struct store_options *options)
{
    struct store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        return NULL;
    }
    store->env = options->env;
    store->durability = options->durability;
    store->in_memory = options->directory == NULL;
    store->settled = store->in_memory;
    store->initial = options;
    undo_log_init(&store->undo);
    store->lake.last_bucket_id = store->lake.last_object_id = store->lake.last_content_id = -1;
    store->lake.sweep_pending = true; /* a killed process may have left something */
    store->checkpoint_pages = STORE_CHECKPOINT_PAGES;
    store->checkpoint_due_pages = STORE_CHECKPOINT_PAGES;
    log_init(&store->silent_log, options->env, stderr, LOG_OFF);
    store->log = options->log != NULL ? options->log : &store->silent_log;
    return store;
}

enum status store_open(const struct store_options *options, struct store **out, struct error *err)
{
    struct error unread;
    struct error *why = err != NULL ? err : &unread;
    struct store *store = store_new(options);
    if (store == NULL) {
        return error_set(why, STATUS_NO_MEMORY, "out of memory");
    }
    enum status status = STATUS_OK;
    if (!store->in_memory) {
        int length = snprintf(store->directory, sizeof(store->directory), "%s", options->directory);
        if (length < 0 || (size_t)length >= sizeof(store->directory) - 32) {
            status = error_set(why, STATUS_CONFIG, "%.100s...: the directory's name is too long",
                               options->directory);
        }
    }
    if (status == STATUS_OK) {
        status = open_or_rebuild(store, why);
    }
    if (status == STATUS_OK) {
        status = store_topics_ensure(store, why);
    }
    if (status == STATUS_OK) {
        status = store_buckets_ensure(store, why);
    }
    if (status == STATUS_OK && store_turn_has_writes(store)) {
        status = store_turn_commit(store, why);
    }
    store->initial = NULL;
    if (status != STATUS_OK) {
        store_close(store);
        return status;
    }
    *out = store;
    return STATUS_OK;
}

void store_close(struct store *store)
{
    if (store == NULL) {
        return;
    }
    if (store->db.handle != NULL) {
        if (store->turn == TURN_WRITING) {
            struct error why;
            error_set(&why, STATUS_FAILED, "closed within a turn");
            store_turn_fail(store, &why);
        }
        if (store->sync_failed) {
            /* What is on the disk stays as it is; the next start takes the log from there. */
            sqlite3_db_config(store->db.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        } else if (store->marked_unsafe && store->settled) {
            store_file_unmark(store);
        }
        sqlite_db_close(&store->db);
    }
    undo_end(&store->undo, false);
    store_topics_release(store);
    store_lake_release(store);
    undo_log_release(&store->undo);
    free(store);
}

const char *store_cluster_id(const struct store *store)
{
    return store->cluster_id;
}

enum store_durability store_durability(const struct store *store)
{
    return store->durability;
}
