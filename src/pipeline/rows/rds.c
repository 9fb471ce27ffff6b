/* Opening and building rds.db (see rds.h for the rule that it never changes in place).
 *
 * Rows are not judged here: import.c and generator.c hand in rows that are right already. What is
 * judged is the file: is it SQLite, is it ours, is it of a version this program knows. */
#include "rds.h"

#include "embedded.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REGENERATE_HINT "move it away, then run `pinpipe data generate`"

enum {
    rds_path_bytes_max = 512,
    rds_busy_timeout_ms = 5000,
    rds_build_cache_kib = 16 * 1024,
    lock_mode = 0600
};

enum rds_sql { SQL_INSERT_PIN, SQL_INSERT_GEO, SQL_INSERT_USER, SQL_NOTE, SQL_COUNT };

static const char *const rds_sql[SQL_COUNT] = {
    [SQL_INSERT_PIN] = "INSERT INTO pinterest_data VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_INSERT_GEO] = "INSERT INTO geolocation_data VALUES (?,?,?,?,?)",
    [SQL_INSERT_USER] = "INSERT INTO user_data VALUES (?,?,?,?,?)",
    [SQL_NOTE] = "INSERT OR REPLACE INTO table_origin VALUES (?,?,?)",
};

struct rds_build {
    struct sqlite_db db;
    const struct env *env;
    char dir[rds_path_bytes_max];
    char path[rds_path_bytes_max + 16];
    char new_path[rds_path_bytes_max + 16];
    int lock_fd;
    bool has_old; /* an rds.db is there and is ours */
};

static enum status file_is_ours(struct sqlite_db *db, struct error *err)
{
    int64_t application_id = 0;
    int64_t version = 0;
    enum status status = sqlite_db_query_i64(db, "PRAGMA application_id", &application_id, err);
    if (status == STATUS_OK) {
        status = sqlite_db_query_i64(db, "PRAGMA user_version", &version, err);
    }
    if (status == STATUS_CORRUPT) {
        return error_set(err, status, "%s: not a SQLite database, or damaged: " REGENERATE_HINT,
                         db->path);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (application_id != RDS_APPLICATION_ID) {
        return error_set(err, STATUS_CONFIG,
                         "%s: a SQLite database that pinpipe did not make: " REGENERATE_HINT,
                         db->path);
    }
    if (version != RDS_VERSION) {
        return error_set(err, STATUS_CONFIG,
                         "%s: made by a %s pinpipe (file version %lld, this program knows %d): use "
                         "that pinpipe, or " REGENERATE_HINT,
                         db->path, version > RDS_VERSION ? "newer" : "older", (long long)version,
                         RDS_VERSION);
    }
    return STATUS_OK;
}

static enum status path_join(char *out, size_t cap, const char *dir, const char *name,
                             struct error *err)
{
    int used = snprintf(out, cap, "%s/%s", dir, name);
    if (used < 0 || (size_t)used >= cap || strlen(dir) >= rds_path_bytes_max) {
        return error_set(err, STATUS_CONFIG, "data directory: the path is longer than %d bytes",
                         rds_path_bytes_max - 1);
    }
    return STATUS_OK;
}

enum status rds_open(const char *data_dir, const struct env *env, struct sqlite_db *db,
                     struct error *err)
{
    char path[rds_path_bytes_max + 16];
    *db = (struct sqlite_db){0};
    enum status status = path_join(path, sizeof(path), data_dir, "rds.db", err);
    if (status != STATUS_OK) {
        return status;
    }
    if (!file_exists(path)) {
        return error_set(err, STATUS_NOT_FOUND,
                         "%s: there are no tables yet: run `pinpipe data generate` (with the same "
                         "--data)",
                         path);
    }
    struct sqlite_db_options options = {
        .path = path,
        .env = env,
        .read_only = true,
        .busy_timeout_ms = rds_busy_timeout_ms,
    };
    status = sqlite_db_open(db, &options, err);
    if (status == STATUS_CORRUPT) {
        return error_set(err, status, "%s: not a SQLite database, or damaged: " REGENERATE_HINT,
                         path);
    }
    if (status == STATUS_OK) {
        status = file_is_ours(db, err);
    }
    if (status != STATUS_OK) {
        sqlite_db_close(db);
    }
    return status;
}

void rds_row_from_statement(sqlite3_stmt *stmt, const struct table *table, struct row *row)
{
    row->table = table;
    for (size_t i = 0; i < table->column_count; i++) {
        int column = (int)i;
        struct row_value *value = &row->values[i];
        *value = (struct row_value){.is_null = sqlite3_column_type(stmt, column) == SQLITE_NULL,
                                    .text = SPAN_EMPTY};
        if (value->is_null) {
            continue;
        }
        switch (table->columns[i].type) {
        case COLUMN_INT:
            value->integer = sqlite3_column_int64(stmt, column);
            break;
        case COLUMN_FLOAT:
            value->real = sqlite3_column_double(stmt, column);
            break;
        case COLUMN_TEXT:
        case COLUMN_DATETIME:
            value->text = sqlite_column_span(stmt, column);
            break;
        }
    }
}

/* --- building -------------------------------------------------------------------------------- */

/* The directory is the user's choice, so what is wrong with it is bad configuration; a full disk
 * stays one. */
static enum status directory_unusable(struct error *err, enum status status)
{
    if (status == STATUS_OK || status == STATUS_DISK_FULL || status == STATUS_NO_MEMORY) {
        return status;
    }
    if (err != NULL) {
        err->code = STATUS_CONFIG;
    }
    return STATUS_CONFIG;
}

static enum status rds_lock_take(struct rds_build *build, struct error *err)
{
    char path[rds_path_bytes_max + 16];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    snprintf(path, sizeof(path), "%s/rds.lock", build->dir);
    build->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, lock_mode);
    if (build->lock_fd < 0) {
        return directory_unusable(
            err, error_set_errno(err, errno, "%s: the data directory is not writable", path));
    }
    (void)fchmod(build->lock_fd, lock_mode); /* whatever the umask */
    if (fcntl(build->lock_fd, F_SETLK, &lock) == 0) {
        return STATUS_OK;
    }
    struct flock holder = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    (void)fcntl(build->lock_fd, F_GETLK, &holder);
    return error_set(err, STATUS_BUSY, "%s: process %ld is changing the tables: wait for it",
                     build->path, holder.l_type == F_UNLCK ? 0L : (long)holder.l_pid);
}

/* Leftovers of a sqlite3 shell that was killed: SQLite would apply them to the new file. Opening
 * the old one for writing settles them. */
static enum status old_file_settle(struct rds_build *build, struct error *err)
{
    static const char *const suffixes[] = {"-journal", "-wal"};
    char side[rds_path_bytes_max + 32];
    bool unsettled = false;
    for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
        snprintf(side, sizeof(side), "%s%s", build->path, suffixes[i]);
        unsettled = unsettled || file_exists(side);
    }
    if (!unsettled) {
        return STATUS_OK;
    }
    struct sqlite_db db;
    struct sqlite_db_options options = {.path = build->path, .env = build->env};
    enum status status = sqlite_db_open(&db, &options, err);
    if (status == STATUS_OK) {
        status = sqlite_db_exec(&db, "PRAGMA journal_mode=DELETE", err);
        sqlite_db_close(&db);
    }
    if (status != STATUS_OK) {
        return error_prefix(err, "another program is changing the file");
    }
    return STATUS_OK;
}

static enum status old_file_check(struct rds_build *build, struct error *err)
{
    if (!file_exists(build->path)) {
        return STATUS_OK;
    }
    enum status status = old_file_settle(build, err);
    struct sqlite_db old;
    if (status == STATUS_OK) {
        status = rds_open(build->dir, build->env, &old, err);
    }
    if (status == STATUS_OK) {
        build->has_old = true;
        sqlite_db_close(&old);
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK
                                      : status; /* it could not be seen, and is not there */
}

static enum status new_file_begin(struct rds_build *build, struct error *err)
{
    char sql[128];
    struct sqlite_db_options options = {
        .path = build->new_path,
        .env = build->env,
        .create = true,
        .sync = DB_SYNC_OFF,
        .cache_kib = rds_build_cache_kib,
    };
    (void)unlink(build->new_path); /* of a killed process; the lock says nobody uses it */
    enum status status = sqlite_db_open(&build->db, &options, err);
    if (status != STATUS_OK) {
        return status;
    }
    snprintf(sql, sizeof(sql),
             "PRAGMA journal_mode=OFF; PRAGMA application_id=%d; PRAGMA user_version=%d;",
             RDS_APPLICATION_ID, RDS_VERSION);
    status = sqlite_db_exec(&build->db, sql, err);
    if (status == STATUS_OK && build->has_old) {
        /* The path is bound, not pasted: it may hold a quote. */
        char *attach = sqlite3_mprintf("ATTACH %Q AS old", build->path);
        status = attach != NULL ? sqlite_db_exec(&build->db, attach, err) : error_no_memory(err);
        sqlite3_free(attach);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_exec(&build->db, "BEGIN", err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_exec(&build->db, embedded_schema_rds_sql, err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_set_statements(&build->db, rds_sql, SQL_COUNT, err);
    }
    return status;
}

enum status rds_build_begin(const char *data_dir, const struct env *env, struct rds_build **out,
                            struct error *err)
{
    struct rds_build *build = calloc(1, sizeof(*build));
    if (build == NULL) {
        return error_no_memory(err);
    }
    build->lock_fd = -1;
    build->env = env;
    enum status status = path_join(build->path, sizeof(build->path), data_dir, "rds.db", err);
    if (status == STATUS_OK) {
        snprintf(build->dir, sizeof(build->dir), "%s", data_dir);
        snprintf(build->new_path, sizeof(build->new_path), "%s/rds.db.new", build->dir);
        status = directory_unusable(err, file_make_directory(data_dir, err));
    }
    if (status == STATUS_OK) {
        status = rds_lock_take(build, err);
    }
    if (status == STATUS_OK) {
        status = old_file_check(build, err);
    }
    if (status == STATUS_OK) {
        status = new_file_begin(build, err);
    }
    if (status != STATUS_OK) {
        rds_build_abandon(build);
        return status;
    }
    *out = build;
    return STATUS_OK;
}

enum status rds_build_keep(struct rds_build *build, enum table_id table, struct error *err)
{
    const char *name = table_get(table)->name;
    if (!build->has_old) {
        return STATUS_OK;
    }
    char sql[512];
    snprintf(sql, sizeof(sql),
             "INSERT INTO main.%s SELECT * FROM old.%s ORDER BY 1;"
             "INSERT INTO main.table_origin SELECT * FROM old.table_origin WHERE tbl = '%s';",
             name, name, name);
    return sqlite_db_exec(&build->db, sql, err);
}

static int value_bind(sqlite3_stmt *stmt, int index, enum column_type type,
                      const struct row_value *value)
{
    if (value->is_null) {
        return sqlite3_bind_null(stmt, index);
    }
    switch (type) {
    case COLUMN_INT:
        return sqlite3_bind_int64(stmt, index, value->integer);
    case COLUMN_FLOAT:
        return sqlite3_bind_double(stmt, index, value->real);
    case COLUMN_TEXT:
    case COLUMN_DATETIME:
        break;
    }
    return sqlite_bind_span_text(stmt, index, value->text);
}

enum status rds_build_insert(struct rds_build *build, const struct row *row, struct error *err)
{
    static const enum rds_sql statement_ids[TABLE_COUNT] = {
        [TABLE_PIN] = SQL_INSERT_PIN,
        [TABLE_GEO] = SQL_INSERT_GEO,
        [TABLE_USER] = SQL_INSERT_USER,
    };
    sqlite3_stmt *stmt = sqlite_db_statement(&build->db, statement_ids[row->table->id]);
    if (stmt == NULL) {
        return sqlite_db_error(&build->db, "prepare an insert", err);
    }
    for (size_t i = 0; i < row->table->column_count; i++) {
        if (value_bind(stmt, (int)i + 1, row->table->columns[i].type, &row->values[i]) !=
            SQLITE_OK) {
            return sqlite_db_error(&build->db, "bind a value", err);
        }
    }
    enum status status = STATUS_OK;
    if (sqlite3_step(stmt) != SQLITE_DONE) {
        status = sqlite_db_error(&build->db, "insert a row", err);
    }
    sqlite3_reset(stmt);
    return status;
}

enum status rds_build_note(struct rds_build *build, enum table_id table, const char *how,
                           const int64_t *seed, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&build->db, SQL_NOTE);
    bool good =
        stmt != NULL &&
        sqlite_bind_span_text(stmt, 1, span_from_cstr(table_get(table)->name)) == SQLITE_OK &&
        sqlite_bind_span_text(stmt, 2, span_from_cstr(how)) == SQLITE_OK &&
        (seed == NULL || sqlite3_bind_int64(stmt, 3, *seed) == SQLITE_OK) &&
        sqlite3_step(stmt) == SQLITE_DONE;
    enum status status = good ? STATUS_OK : sqlite_db_error(&build->db, "note the origin", err);
    if (stmt != NULL) {
        sqlite3_reset(stmt);
    }
    return status;
}

static enum status path_sync(const char *path, int flags, struct error *err)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0) {
        return error_set_errno(err, errno, "%s: open to sync", path);
    }
    enum status status = STATUS_OK;
#ifdef F_FULLFSYNC
    bool synced = fcntl(fd, F_FULLFSYNC) == 0 || fsync(fd) == 0;
#else
    bool synced = fsync(fd) == 0;
#endif
    if (!synced) {
        status = error_set_errno(err, errno, "%s: sync", path);
    }
    close(fd);
    return status;
}

enum status rds_build_finish(struct rds_build *build, struct error *err)
{
    enum status status = sqlite_db_exec(&build->db, "COMMIT", err);
    sqlite_db_close(&build->db);
    if (status == STATUS_OK) {
        status = path_sync(build->new_path, O_RDWR, err);
    }
    if (status == STATUS_OK && rename(build->new_path, build->path) != 0) {
        status = error_set_errno(err, errno, "%s: rename to rds.db", build->new_path);
    }
    if (status == STATUS_OK) {
        status = path_sync(build->dir, O_RDONLY, err);
    }
    rds_build_abandon(build);
    return status;
}

void rds_build_abandon(struct rds_build *build)
{
    if (build == NULL) {
        return;
    }
    bool began = build->db.handle != NULL;
    sqlite_db_close(&build->db);
    if (began) {
        (void)unlink(build->new_path);
    }
    if (build->lock_fd >= 0) {
        close(build->lock_fd);
    }
    free(build);
}

/* --- facts about a table --------------------------------------------------------------------- */

static enum status origin_read(struct sqlite_db *db, const char *name, struct rds_table_info *out,
                               struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db->handle, "SELECT how, seed FROM table_origin WHERE tbl = ?", -1,
                           &stmt, NULL) != SQLITE_OK ||
        sqlite_bind_span_text(stmt, 1, span_from_cstr(name)) != SQLITE_OK) {
        sqlite3_finalize(stmt);
        return sqlite_db_error(db, "read a table's origin", err);
    }
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW) {
        struct span how = sqlite_column_span(stmt, 0);
        snprintf(out->how, sizeof(out->how), "%.*s", SPAN_ARG(how));
        out->has_seed = sqlite3_column_type(stmt, 1) != SQLITE_NULL;
        out->seed = sqlite3_column_int64(stmt, 1);
    }
    enum status status = step == SQLITE_ROW || step == SQLITE_DONE
                             ? STATUS_OK
                             : sqlite_db_error(db, "read a table's origin", err);
    sqlite3_finalize(stmt);
    return status;
}

enum status rds_table_info(struct sqlite_db *db, enum table_id table, struct rds_table_info *out,
                           struct error *err)
{
    const struct table *t = table_get(table);
    char sql[256];
    sqlite3_stmt *stmt = NULL;
    *out = (struct rds_table_info){0};
    snprintf(sql, sizeof(sql), "SELECT count(*), min(\"%s\"), max(\"%s\") FROM %s",
             t->columns[0].name, t->columns[0].name, t->name);
    if (sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        enum status status = sqlite_db_error(db, "count the rows", err);
        sqlite3_finalize(stmt);
        return status;
    }
    out->rows = sqlite3_column_int64(stmt, 0);
    out->key_min = sqlite3_column_int64(stmt, 1);
    out->key_max = sqlite3_column_int64(stmt, 2);
    out->dense = out->rows == 0 || (out->key_min == 0 && out->key_max == out->rows - 1);
    sqlite3_finalize(stmt);
    return origin_read(db, t->name, out, err);
}
