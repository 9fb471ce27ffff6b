/* The file state.db: built or recognised.
 *
 * A new file is built as state.db.new without syncs and renamed, so that state.db is either absent
 * or whole for every process that looks. Syncs come with the first write (store_settle): an
 * unsynced main file beside a synced log is worthless, because SQLite drops the log of a file that
 * it does not recognise. Until then the empty file state.db.unsynced says that nothing has been
 * acknowledged yet, so that after a power cut a broken file is built anew without asking.
 */
#include "store_internal.h"

#include "embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char cluster_id_name[] = "cluster_id";

/* --- building --- */

/* Kafka's form: 16 random bytes in base64url without padding, not beginning with '-' (which a
 * command line would take for a flag). */
static void make_cluster_id(struct env *env, char out[STORE_CLUSTER_ID_CHARS + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[16 + 2] = {0}; /* two zeros so that the last group can be read */
    do {
        for (size_t i = 0; i < 16; i += 8) {
            uint64_t word = env->random_u64(env);
            for (size_t b = 0; b < 8; b++) {
                bytes[i + b] = (unsigned char)(word >> (8 * b));
            }
        }
        for (size_t i = 0; i < STORE_CLUSTER_ID_CHARS; i++) {
            size_t bit = i * 6;
            unsigned window = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
            out[i] = digits[(window >> (10 - bit % 8)) & 63];
        }
    } while (out[0] == '-');
    out[STORE_CLUSTER_ID_CHARS] = '\0';
}

/* Straight SQL: there is no table in memory yet. */
static enum status fill_topics(struct store *store, struct sqlite_db *db, struct error *err)
{
    long long now_ms = (long long)(store->env->wall_us(store->env) / 1000);
    for (size_t i = 0; i < store->initial->topic_count; i++) {
        char sql[512];
        const char *name = store->initial->topics[i];
        if (!store_topic_name_is_legal(span_from_cstr(name))) {
            return error_set(err, STATUS_INVALID, "\"%.100s\" is not a topic name", name);
        }
        int len = snprintf(sql, sizeof(sql),
                           "INSERT INTO topic (id, name, created_ms) VALUES (%zu, '%s', %lld);"
                           "INSERT INTO partition (tp, topic_id, number) VALUES (%zu, %zu, 0)",
                           i + 1, name, now_ms, i + 1, i + 1);
        PP_ASSERT(len > 0 && (size_t)len < sizeof(sql));
        enum status status = sqlite_db_exec(db, sql, err);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static enum status fill_buckets(struct store *store, struct sqlite_db *db, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum status status = STATUS_OK;
    if (store->initial->bucket_count == 0) {
        return STATUS_OK;
    }
    if (sqlite3_prepare_v2(db->handle, store_statement_sql(STMT_BUCKET_INSERT), -1, &stmt, NULL) !=
        SQLITE_OK) {
        return sqlite_db_error(db, "make the buckets", err);
    }
    for (size_t i = 0; i < store->initial->bucket_count && status == STATUS_OK; i++) {
        sqlite3_bind_int64(stmt, 1, (int64_t)i + 1);
        sqlite_bind_span_text(stmt, 2, span_from_cstr(store->initial->buckets[i]));
        sqlite_bind_span_text(stmt, 3, span_from_cstr(store->initial->region));
        sqlite3_bind_int64(stmt, 4, store->env->wall_us(store->env) / 1000);
        if (!store_step_done(stmt)) {
            status = sqlite_db_error(db, "make the buckets", err);
        }
    }
    sqlite3_finalize(stmt);
    return status;
}

enum status store_file_fill(struct store *store, struct sqlite_db *db, struct error *err)
{
    PP_ASSERT(store->initial != NULL); /* only while the store opens */
    char meta[256];
    char cluster_id[STORE_CLUSTER_ID_CHARS + 1];
    make_cluster_id(store->env, cluster_id);
    int len = snprintf(meta, sizeof(meta),
                       "INSERT INTO meta (name, value) VALUES ('%s', '%s');"
                       "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
                       cluster_id_name, cluster_id, STORE_APPLICATION_ID, STORE_FORMAT_VERSION);
    PP_ASSERT(len > 0 && (size_t)len < sizeof(meta));
    enum status status = sqlite_db_exec(db, "BEGIN", err);
    if (status == STATUS_OK) {
        status = sqlite_db_exec(db, embedded_schema_state_sql, err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_exec(db, embedded_schema_lake_sql, err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_exec(db, embedded_schema_batch_sql, err);
    }
    if (status == STATUS_OK) {
        status = fill_topics(store, db, err);
    }
    if (status == STATUS_OK) {
        status = fill_buckets(store, db, err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_exec(db, meta, err);
    }
    return status;
}

static void remove_with_companions(const char *path)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[SQLITE_DB_PATH_BYTES_MAX + 16];
    for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        unlink(name);
    }
}

/* An environment that does not let us is a matter of configuration: it exits 4. */
static enum status unusable(struct error *err, int code, const char *path, const char *doing)
{
    switch (code) {
    case EACCES:
    case EPERM:
    case EROFS:
        return error_set(err, STATUS_CONFIG,
                         "%s: cannot %s: %s; make it writable for this user or choose another "
                         "directory with --data",
                         path, doing, strerror(code));
    case ENOENT:
    case ENOTDIR:
        return error_set(err, STATUS_CONFIG,
                         "%s: cannot %s: %s; create the directory or choose another with --data",
                         path, doing, strerror(code));
    default:
        return error_set_errno(err, code, "%s: cannot %s", path, doing);
    }
}

static enum status make_unsynced_marker(struct store *store, struct error *err)
{
    int fd = open(store->unsynced_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return unusable(err, errno, store->unsynced_path, "create it");
    }
    close(fd);
    return STATUS_OK;
}

static enum status build(struct store *store, const char *path, struct error *err)
{
    char new_path[SQLITE_DB_PATH_BYTES_MAX + 8];
    snprintf(new_path, sizeof(new_path), "%s.new", path);
    remove_with_companions(new_path); /* what a killed start left */
    struct sqlite_db db;
    struct sqlite_db_options options = {
        .path = new_path, .env = store->env, .create = true, .sync = DB_SYNC_OFF};
    enum status status = sqlite_db_open(&db, &options, err);
    if (status != STATUS_OK) {
        return status;
    }
    status = sqlite_db_exec(&db,
                            "PRAGMA page_size=4096; PRAGMA journal_mode=OFF; "
                            "PRAGMA locking_mode=EXCLUSIVE",
                            err);
    if (status == STATUS_OK) {
        status = store_file_fill(store, &db, err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_exec(&db, "PRAGMA journal_mode=WAL", err);
    }
    sqlite_db_close(&db);
    if (status == STATUS_OK) {
        status = make_unsynced_marker(store, err);
    }
    if (status == STATUS_OK && rename(new_path, path) != 0) {
        status = unusable(err, errno, path, "rename the new file");
    }
    if (status != STATUS_OK) {
        remove_with_companions(new_path);
    }
    return status;
}

/* --- recognising --- */

static int64_t file_size(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}

/* A log without its main file: somebody removed state.db alone. SQLite would replay it into the new
 * file, so it is put aside, not deleted. */
static enum status set_log_aside(struct store *store, const char *path, struct error *err)
{
    char log_path[SQLITE_DB_PATH_BYTES_MAX + 8];
    char aside[SQLITE_DB_PATH_BYTES_MAX + 32];
    snprintf(log_path, sizeof(log_path), "%s-wal", path);
    int64_t size = file_size(log_path);
    if (size > 0) {
        snprintf(aside, sizeof(aside), "%s.orphan", log_path);
        if (rename(log_path, aside) != 0) {
            return unusable(err, errno, log_path, "put the log aside");
        }
        LOG_WARNF(store->log, "store", "%s belongs to a state.db that is gone; kept as %s",
                  log_path, aside);
    }
    remove_with_companions(path);
    return STATUS_OK;
}

static enum status file_check_directory(struct store *store, struct error *err)
{
    struct stat info;
    if (stat(store->directory, &info) != 0) {
        return unusable(err, errno, store->directory, "use it as data directory");
    }
    if (!S_ISDIR(info.st_mode)) {
        return error_set(err, STATUS_CONFIG, "%s: is not a directory; choose another with --data",
                         store->directory);
    }
    if (access(store->directory, W_OK | X_OK) != 0) {
        return unusable(err, errno, store->directory, "write in it");
    }
    return STATUS_OK;
}

enum status store_file_check_version(const char *path, int64_t version, struct error *err)
{
    if (version > STORE_FORMAT_VERSION) {
        return error_set(err, STATUS_CONFIG,
                         "%s: was written by a newer pinpipe (format %lld, this one knows %d); "
                         "upgrade pinpipe or choose another directory with --data",
                         path, (long long)version, STORE_FORMAT_VERSION);
    }
    if (version < STORE_FORMAT_VERSION_OLDEST) {
        return error_set(err, STATUS_CORRUPT, "%s: has an impossible format version %lld", path,
                         (long long)version);
    }
    return STATUS_OK;
}

static enum status check_is_ours(const char *path, const struct sqlite_file_probe *probe,
                                 struct error *err)
{
    if (!probe->is_sqlite) {
        return error_set(err, STATUS_CORRUPT,
                         "%s: is not an SQLite file, so it is not ours, or not any more", path);
    }
    if (probe->application_id != STORE_APPLICATION_ID) {
        return error_set(err, STATUS_CONFIG,
                         "%s: is an SQLite file of another program (application id %u); choose "
                         "another directory with --data",
                         path, (unsigned)probe->application_id);
    }
    enum status status = store_file_check_version(path, (int64_t)probe->user_version, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (access(path, W_OK) != 0) {
        return unusable(err, errno, path, "write to it");
    }
    return STATUS_OK;
}

/* An empty file is none, to SQLite too. Unless it has a log: then it was not always empty. */
static enum status check_empty(const char *path, struct error *err)
{
    char log_path[SQLITE_DB_PATH_BYTES_MAX + 8];
    snprintf(log_path, sizeof(log_path), "%s-wal", path);
    if (file_size(log_path) > 0) {
        return error_set(err, STATUS_CORRUPT,
                         "%s: is empty, but its log %s is not: restore state.db from a copy, move "
                         "both away to begin anew or choose another directory with --data",
                         path, log_path);
    }
    return STATUS_OK;
}

enum status store_file_prepare(struct store *store, char path[SQLITE_DB_PATH_BYTES_MAX],
                               struct error *err)
{
    PP_ASSERT(!store->in_memory);
    struct sqlite_file_probe probe;
    snprintf(path, SQLITE_DB_PATH_BYTES_MAX, "%.*s/state.db", SQLITE_DB_PATH_BYTES_MAX - 32,
             store->directory);
    snprintf(store->unsynced_path, sizeof(store->unsynced_path), "%s.unsynced", path);
    enum status status = file_check_directory(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    errno = 0;
    status = sqlite_file_probe(path, &probe, err);
    if (status != STATUS_OK) {
        return status == STATUS_CONFIG ? status
                                       : unusable(err, errno != 0 ? errno : EIO, path, "read it");
    }
    if (probe.exists && probe.size_bytes > 0) {
        /* Only what can be a torn file of ours: the header is one sector, whole or not there. */
        bool may_be_ours =
            probe.is_blank || (probe.is_sqlite && probe.application_id == STORE_APPLICATION_ID &&
                               probe.user_version >= STORE_FORMAT_VERSION_OLDEST &&
                               probe.user_version <= STORE_FORMAT_VERSION);
        store->never_acknowledged = may_be_ours && access(store->unsynced_path, F_OK) == 0;
        return check_is_ours(path, &probe, err);
    }
    status = probe.exists ? check_empty(path, err) : STATUS_OK;
    if (status == STATUS_OK) {
        status = set_log_aside(store, path, err);
    }
    if (status == STATUS_OK) {
        status = build(store, path, err);
    }
    return status;
}

enum status store_file_discard(struct store *store, struct error *err)
{
    PP_ASSERT(store->never_acknowledged && store->db.handle == NULL);
    char path[SQLITE_DB_PATH_BYTES_MAX];
    snprintf(path, sizeof(path), "%.*s/state.db", SQLITE_DB_PATH_BYTES_MAX - 32, store->directory);
    remove_with_companions(path);
    store->never_acknowledged = false;
    store->settled = false;
    LOG_INFOF(store->log, "store", "%s: a new file that never reached the disk; built again", path);
    return access(path, F_OK) == 0 ? unusable(err, EACCES, path, "remove it") : STATUS_OK;
}

/* --- what the file says of itself --- */

/* Each table with the format it came with. A file that says it is of a format and lacks a table of
 * it is damaged; a statement on that table would only say that SQL is wrong. */
static const char missing_table_sql[] =
    "WITH wanted (name, format) AS (VALUES ('meta', 1), ('topic', 1), ('topic_config', 1),"
    " ('partition', 1), ('record', 1), ('group_offset', 1), ('bucket', 2), ('content', 2),"
    " ('chunk', 2), ('piece', 2), ('object', 2), ('upload', 2), ('upload_part', 2),"
    " ('connector', 2), ('connector_task', 2), ('connector_topic', 2), ('msk_resource', 2),"
    " ('batch', 3))"
    " SELECT name FROM wanted WHERE format <= (SELECT user_version FROM pragma_user_version)"
    " AND name NOT IN (SELECT name FROM sqlite_master WHERE type = 'table') LIMIT 1";

static enum status store_file_check_tables(struct store *store, struct error *err)
{
    struct sqlite_db *db = &store->db;
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db->handle, missing_table_sql, -1, &stmt, NULL);
    enum status status = STATUS_OK;
    if (code == SQLITE_OK) {
        code = sqlite3_step(stmt);
    }
    if (code == SQLITE_ROW) {
        status = error_set(err, STATUS_CORRUPT, "%s: its table %.*s is missing", db->path,
                           SPAN_ARG(sqlite_column_span(stmt, 0)));
    } else if (code != SQLITE_DONE) {
        status = sqlite_db_error(db, "look for its tables", err);
    }
    sqlite3_finalize(stmt);
    return status;
}

enum status store_file_load_meta(struct store *store, struct error *err)
{
    enum status status = store_file_check_tables(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    status =
        store_meta_get(store, cluster_id_name, store->cluster_id, sizeof(store->cluster_id), err);
    if (status == STATUS_NOT_FOUND ||
        (status == STATUS_OK && strlen(store->cluster_id) != STORE_CLUSTER_ID_CHARS)) {
        return error_set(err, STATUS_CORRUPT, "%s: has no cluster id", store->db.path);
    }
    if (status == STATUS_OK && store->never_acknowledged) {
        status = store_check_whole(store, err); /* a few pages */
    }
    if (status == STATUS_OK && !store->in_memory) {
        status = store_look_at_mark(store, err);
    }
    return status;
}
