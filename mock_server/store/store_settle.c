/* What a run leaves in the file for the next one to know, and when the file is worth a commit.
 *
 * With durability off nothing is synced, so a power cut may leave any mixture of old and new pages.
 * A mark in the file, synced before the first write, says so to the next start; a clean end takes
 * it away. The boot id in the mark tells a killed process (the kernel kept everything) from a
 * machine that went down (everything is in doubt: the whole file is checked).
 *
 * Stands below the turn, whose first write settles the file; a failure here is SQLite's own. */
#include "store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char mark_name[] = "unsynced_run";

enum { BOOT_ID_BYTES = 64 };

/* --- meta rows, the mark of a run without syncs --- */

/* Empty where the system has none: then every such file is checked. */
static void read_boot_id(char out[BOOT_ID_BYTES])
{
    out[0] = '\0';
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");
    if (file != NULL) {
        if (fgets(out, BOOT_ID_BYTES, file) == NULL) {
            out[0] = '\0';
        }
        fclose(file);
    }
    out[strcspn(out, "\n")] = '\0';
}

enum status store_meta_get(struct store *store, const char *name, char *out, size_t out_bytes,
                           struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_META_GET);
    if (stmt == NULL) {
        return sqlite_db_error(&store->db, "read the meta table", err);
    }
    sqlite_bind_span_text(stmt, 1, span_from_cstr(name));
    enum status status = STATUS_OK;
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW) {
        struct span value = sqlite_column_span(stmt, 0);
        snprintf(out, out_bytes, "%.*s", SPAN_ARG(value));
    } else if (step == SQLITE_DONE) {
        status =
            error_set(err, STATUS_NOT_FOUND, "%s: the meta table has no %s", store->db.path, name);
    } else {
        status = sqlite_db_error(&store->db, "read the meta table", err);
    }
    sqlite3_reset(stmt);
    return status;
}

static enum status meta_run(struct store *store, enum store_statement id, const char *value,
                            struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, id);
    PP_ASSERT((id == STMT_META_SET) == (value != NULL));
    if (stmt != NULL) {
        sqlite_bind_span_text(stmt, 1, SPAN_LIT("unsynced_run"));
        if (value != NULL) {
            sqlite_bind_span_text(stmt, 2, span_from_cstr(value));
        }
    }
    if (!store_step_done(stmt)) {
        return sqlite_db_error(&store->db, "write the meta table", err);
    }
    return STATUS_OK;
}

enum status store_check_whole(struct store *store, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum status status = STATUS_OK;
    if (sqlite3_prepare_v2(store->db.handle, "PRAGMA quick_check(1)", -1, &stmt, NULL) !=
            SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        status = sqlite_db_error(&store->db, "check the file", err);
    } else {
        struct span answer = sqlite_column_span(stmt, 0);
        if (!span_equal_cstr(answer, "ok")) {
            status = error_set(err, STATUS_CORRUPT, "%s: %.*s", store->db.path, SPAN_ARG(answer));
        }
    }
    sqlite3_finalize(stmt);
    return status;
}

enum status store_look_at_mark(struct store *store, struct error *err)
{
    PP_ASSERT(!store->settled); /* what this run wrote says nothing of the last one */
    char marked_boot[BOOT_ID_BYTES];
    char boot[BOOT_ID_BYTES];
    enum status status = store_meta_get(store, mark_name, marked_boot, sizeof(marked_boot), err);
    if (status == STATUS_NOT_FOUND) {
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        return status;
    }
    store->marked_unsafe = true;
    read_boot_id(boot);
    if (boot[0] != '\0' && strcmp(boot, marked_boot) == 0) {
        LOG_WARNF(store->log, "store",
                  "%s: the last run had durability off and was killed; the machine has been up "
                  "since, so nothing is lost",
                  store->db.path);
        return STATUS_OK;
    }
    LOG_WARNF(store->log, "store",
              "%s: the last run had durability off and the machine went down: the latest records "
              "may be lost; checking the whole file",
              store->db.path);
    if (store_check_whole(store, err) != STATUS_OK) {
        error_prefix(err, "a run with durability off ended with the machine");
        return STATUS_CORRUPT;
    }
    return STATUS_OK;
}

/* --- settling --- */

static enum status sync_directory(struct store *store, struct error *err)
{
    PP_ASSERT(store->directory_fd >= 0);
    /* EINVAL: a file system whose directories need no sync. */
    if (fsync(store->directory_fd) != 0 && errno != EINVAL) {
        return error_set_errno(err, errno, "%s: sync to disk", store->directory);
    }
    return STATUS_OK;
}

/* What an earlier process wrote into the log may never have reached the disk, and after a failed
 * sync never will: a record of ours behind it would be lost with it. Moved into the main file it is
 * written anew and synced with it, and our own log begins at its start. BUSY while somebody reads
 * out of that log; the next write tries again. */
static enum status absorb_log(struct store *store, struct error *err)
{
    PP_ASSERT(sqlite3_get_autocommit(store->db.handle)); /* a checkpoint stands between the turns */
    int code =
        sqlite3_wal_checkpoint_v2(store->db.handle, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    if (code == SQLITE_BUSY) {
        return error_set(err, STATUS_BUSY,
                         "%s: a reader holds the log of the last run; writes go on when it ends",
                         store->db.path);
    }
    return code == SQLITE_OK ? STATUS_OK
                             : sqlite_db_error(&store->db, "move the log into the main file", err);
}

enum status store_settle(struct store *store, struct error *err)
{
    PP_ASSERT(!store->settled && !store->in_memory && store->turn == STORE_TURN_IDLE);
    char boot[BOOT_ID_BYTES];
    enum status status = absorb_log(store, err);
    if (status == STATUS_OK) {
        status = sqlite_db_sync_file(&store->db, err);
    }
    if (status == STATUS_OK) {
        unlink(store->unsynced_path);
        status = sync_directory(store, err);
    }
    if (status == STATUS_OK && store->durability == STORE_OFF) {
        read_boot_id(boot);
        status = meta_run(store, STMT_META_SET, boot, err);
        store->marked_unsafe = true;
        if (status == STATUS_OK) {
            status = sqlite_db_exec(&store->db, "PRAGMA synchronous=OFF", err);
        }
    } else if (status == STATUS_OK && store->marked_unsafe) {
        status = meta_run(store, STMT_META_DELETE, NULL, err);
        store->marked_unsafe = status != STATUS_OK;
    }
    store->settled = status == STATUS_OK;
    return status;
}

void store_unmark(struct store *store)
{
    PP_ASSERT(store->marked_unsafe && store->settled && !store->sync_failed);
    PP_ASSERT(store->turn != STORE_TURN_WRITING);
    struct error why;
    enum status status =
        sqlite_db_exec(&store->db, "PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(RESTART)", &why);
    if (status == STATUS_OK) {
        status = sqlite_db_sync_file(&store->db, &why);
    }
    if (status == STATUS_OK) {
        status = meta_run(store, STMT_META_DELETE, NULL, &why);
    }
    if (status != STATUS_OK) {
        LOG_WARNF(store->log, "store", "%s; the file stays marked as not synced", why.message);
    }
}
