/* A store emptied in parts, or taken away whole. Rows go in one transaction, so a process that is
 * killed meanwhile has reset nothing. */
#include "store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static const char topics_sql[] = "DELETE FROM record; DELETE FROM batch; DELETE FROM group_offset;"
                                 "DELETE FROM topic_config; DELETE FROM partition;"
                                 "DELETE FROM topic";

/* A connector's commits go with it: one of the same name begins anew. */
static const char lake_sql[] =
    "DELETE FROM object; DELETE FROM upload_part; DELETE FROM upload; DELETE FROM piece;"
    "DELETE FROM chunk; DELETE FROM content; DELETE FROM bucket;"
    "DELETE FROM group_offset WHERE group_name IN (SELECT 'connect-' || name FROM connector);"
    "DELETE FROM connector_task; DELETE FROM connector_topic; DELETE FROM connector;"
    "DELETE FROM msk_resource";

enum status store_reset(struct store *store, unsigned what, struct error *err)
{
    enum status status = store_write_begin(store, err);
    if (status == STATUS_OK && (what & STORE_RESET_TOPICS) != 0) {
        status = sqlite_db_exec(&store->db, topics_sql, err);
    }
    if (status == STATUS_OK && (what & STORE_RESET_LAKE) != 0) {
        status = sqlite_db_exec(&store->db, lake_sql, err);
    }
    return status == STATUS_OK ? store_turn_commit(store, err) : status;
}

enum status store_remove_files(const char *directory, struct error *err)
{
    /* The file first: a log without it is put aside, a file without its log is an older one. */
    static const char *const names[] = {
        "state.db",         "state.db-wal",         "state.db-shm",        "state.db-journal",
        "state.db.stopped", "state.db.unsynced",    "state.db.new",        "state.db.new-wal",
        "state.db.new-shm", "state.db.new-journal", "state.db-wal.orphan",
    };
    char path[SQLITE_DB_PATH_BYTES_MAX];
    struct sqlite_file_probe probe;
    snprintf(path, sizeof(path), "%s/state.db", directory);
    enum status status = sqlite_file_probe(path, &probe, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (probe.is_sqlite && probe.application_id != STORE_APPLICATION_ID) {
        return error_set(err, STATUS_CONFIG,
                         "%s: is an SQLite file of another program (application id %u); choose "
                         "another directory with --data",
                         path, (unsigned)probe.application_id);
    }
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        if (unlink(path) != 0 && errno != ENOENT) {
            return error_set_errno(err, errno, "%s: cannot be removed", path);
        }
    }
    return STATUS_OK;
}
