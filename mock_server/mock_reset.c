/* A data directory without a server, emptied in parts. The directory's lock is held meanwhile, so
 * no server starts in the middle. */
#include "mock_internal.h"

#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { reset_path_bytes = 1024 };

static enum status journal_remove(const char *directory, struct error *err)
{
    static const char *const names[] = {"journal.db", "journal.db-wal", "journal.db-shm",
                                        "journal.db-journal"};
    char path[reset_path_bytes];
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        if (unlink(path) != 0 && errno != ENOENT) {
            return error_set_errno(err, errno, "%s: cannot be removed", path);
        }
    }
    return STATUS_OK;
}

/* Rows of a part go from the file that the other part stays in. */
static enum status state_reset(const char *directory, unsigned what, struct error *err)
{
    char path[reset_path_bytes];
    struct env env;
    struct store *store = NULL;
    const struct store_options options = {
        .directory = directory, .env = &env, .durability = STORE_FULL};
    snprintf(path, sizeof(path), "%s/state.db", directory);
    if (access(path, F_OK) != 0) {
        return STATUS_OK; /* there is nothing to empty; whatever else is wrong, a server will say */
    }
    env_init_system(&env);
    enum status status = store_open(&options, &store, err);
    if (status == STATUS_OK) {
        status =
            store_reset(store,
                        ((what & PINPIPE_RESET_TOPICS) != 0 ? (unsigned)STORE_RESET_TOPICS : 0) |
                            ((what & PINPIPE_RESET_LAKE) != 0 ? (unsigned)STORE_RESET_LAKE : 0),
                        err);
    }
    store_close(store);
    return status;
}

static enum status directory_reset(const char *directory, unsigned what, struct error *err)
{
    const unsigned whole = PINPIPE_RESET_TOPICS | PINPIPE_RESET_LAKE;
    enum status status = STATUS_OK;
    if ((what & whole) == whole) {
        status = store_remove_files(directory, err);
    } else if ((what & whole) != 0) {
        status = state_reset(directory, what, err);
    }
    if (status == STATUS_OK && (what & PINPIPE_RESET_JOURNAL) != 0) {
        status = journal_remove(directory, err);
    }
    return status;
}

enum pinpipe_result pinpipe_mock_reset(const char *data_dir, unsigned what, char *why)
{
    struct error err = ERROR_NONE;
    struct data_dir *dir = NULL;
    if (access(data_dir, F_OK) != 0 && errno == ENOENT) {
        return PINPIPE_OK;
    }
    enum status status = data_dir_open(data_dir, &dir, &err);
    if (status == STATUS_OK) {
        status = directory_reset(data_dir, what, &err);
    }
    data_dir_close(dir);
    return mock_result(status, &err, why);
}
