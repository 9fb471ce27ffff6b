/* The store's life: opened (found, checked or built, brought to the present format, loaded), kept
 * in order between the turns, closed. Stands on every other file of the room. */
#include "store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- between the turns --- */

bool store_housekeep(struct store *store)
{
    if (store->turn != STORE_TURN_IDLE || store->sync_failed) {
        return false;
    }
    if (store->sweep_pending) {
        store_topics_sweep(store);
    }
    if (!store->sweep_pending && store->lake.sweep_pending) {
        store_lake_sweep(store);
    }
    if (store->wal_pages >= store->checkpoint_due_pages) { /* which one in memory never has */
        store_checkpoint(store);
    }
    PP_ASSERT(store->turn == STORE_TURN_IDLE && store->savepoint_depth == 0);
    return (store->sweep_pending || store->lake.sweep_pending) && !store->sync_failed;
}

/* --- open and close --- */

static enum db_sync db_sync_for(enum store_durability durability)
{
    /* With durability off the mark has to reach the disk first; store_settle then stops the
     * syncs. */
    return durability == STORE_NORMAL ? DB_SYNC_NORMAL : DB_SYNC_FULL;
}

/* Here and not when it is needed: a process without a descriptor left would take that for a disk
 * that fails. */
static enum status directory_open(struct store *store, struct error *err)
{
    if (store->in_memory || store->directory_fd >= 0) {
        return STATUS_OK;
    }
    store->directory_fd = open(store->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return store->directory_fd >= 0
               ? STATUS_OK
               : error_set_errno(err, errno, "%s: open for a sync", store->directory);
}

static enum status store_file_open(struct store *store, struct error *err)
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
            .cache_kib =
                store->initial->cache_kib > 0 ? store->initial->cache_kib : STORE_CACHE_KIB,
        };
        status = sqlite_db_open(&store->db, &options, err);
    }
    if (status == STATUS_OK) {
        status = directory_open(store, err);
    }
    if (status == STATUS_OK && store->in_memory) {
        status = store_file_fill(store, &store->db, err);
    }
    return status;
}

static enum status open_and_load(struct store *store, struct error *err)
{
    PP_ASSERT(store->turn == STORE_TURN_IDLE && store->topic_count == 0);
    enum status status = store_file_open(store, err);
    if (status == STATUS_OK) {
        status = store_turn_attach(store, err);
    }
    if (status == STATUS_OK) {
        status = store_file_load_meta(store, err);
    }
    if (status == STATUS_OK) {
        status = store_migrate(store, err);
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
    store->directory_fd = -1;
    undo_log_init(&store->undo);
    store->lake.last_bucket_id = store->lake.last_object_id = store->lake.last_content_id = -1;
    /* A killed process may have left something. */
    store->sweep_pending = true;
    store->lake.sweep_pending = true;
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
        PP_ASSERT(length >= 0);
        if ((size_t)length >= sizeof(store->directory) - 32) {
            status = error_set(why, STATUS_CONFIG, "%.100s...: the directory's name is too long",
                               options->directory);
        }
    }
    if (status == STATUS_OK) {
        status = open_or_rebuild(store, why);
    }
    if (status == STATUS_OK) {
        store_stop_tell(store);
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
    PP_ASSERT(!store->visiting);
    if (store->db.handle != NULL) {
        if (store->turn == STORE_TURN_WRITING) {
            struct error why;
            error_set(&why, STATUS_FAILED, "closed within a turn");
            store_turn_fail(store, &why);
        }
        if (store->sync_failed) {
            /* The disk stays as it is; the next start takes the log from there. */
            sqlite3_db_config(store->db.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        } else if (store->marked_unsafe && store->settled) {
            store_unmark(store);
        }
        sqlite_db_close(&store->db);
    }
    undo_end(&store->undo, false);
    store_topics_release(store);
    store_lake_release(store);
    undo_log_release(&store->undo);
    if (store->directory_fd >= 0) {
        close(store->directory_fd);
    }
    free(store);
}

const char *store_cluster_id(const struct store *store)
{
    PP_ASSERT(store->cluster_id[STORE_CLUSTER_ID_CHARS - 1] != '\0');
    return store->cluster_id;
}
