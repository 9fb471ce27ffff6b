#include "sqlite_db.h"

#include "byte_order.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the SQLite file format keeps what we look at; numbers are big-endian. */
enum {
    HEADER_BYTES = 100,
    HEADER_USER_VERSION_POSITION = 60,
    HEADER_APPLICATION_ID_POSITION = 68,
};

/* Has the disk failed to read it? SQLite tells that as a damaged file. */
static bool sqlite_read_failed(struct sqlite_db *db)
{
    static const int files[] = {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER};
    int number = 0;
    for (size_t i = 0; i < ARRAY_COUNT(files) && number != EIO; i++) {
        sqlite3_file *file = NULL;
        if (sqlite3_file_control(db->handle, "main", files[i], &file) == SQLITE_OK &&
            file != NULL && file->pMethods != NULL) {
            (void)file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number);
        }
    }
    return number == EIO;
}

enum status sqlite_db_error(struct sqlite_db *db, const char *doing, struct error *err)
{
    int code = db->handle != NULL ? sqlite3_errcode(db->handle) : SQLITE_NOMEM;
    enum status status = STATUS_FAILED;
    switch (code & 0xff) {
    case SQLITE_FULL:
        status = STATUS_DISK_FULL;
        break;
    case SQLITE_CORRUPT:
        if (sqlite_read_failed(db)) {
            return error_set_errno(err, EIO, "%s: %s", db->path, doing);
        }
        status = STATUS_CORRUPT;
        break;
    case SQLITE_NOTADB:
        status = STATUS_CORRUPT;
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        status = STATUS_BUSY;
        break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        status = STATUS_IO;
        break;
    case SQLITE_NOMEM:
        status = STATUS_NO_MEMORY;
        break;
    case SQLITE_CONSTRAINT:
        status = STATUS_EXISTS;
        break;
    case SQLITE_INTERRUPT:
        status = STATUS_INTERRUPTED;
        break;
    default: /* SQLite's list is open; the rest is a failure without a name of ours */
        break;
    }
    /* An open that failed was tried again to read only, and the errno is of that. */
    int number = (code & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(db->handle) : 0;
    if (number != 0) {
        return error_set(err, status, "%s: %s: %s: %s", db->path, doing, sqlite3_errmsg(db->handle),
                         strerror(number));
    }
    return error_set(err, status, "%s: %s: %s", db->path, doing,
                     db->handle != NULL ? sqlite3_errmsg(db->handle) : "out of memory");
}

bool sqlite_db_sync_failed(struct sqlite_db *db)
{
    int code = db->handle != NULL ? sqlite3_extended_errcode(db->handle) : SQLITE_OK;
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

enum status sqlite_db_sync_file(struct sqlite_db *db, struct error *err)
{
    sqlite3_file *file = NULL;
    if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        file == NULL || file->pMethods == NULL) {
        return error_set(err, STATUS_IO, "%s: no file to sync", db->path);
    }
    errno = 0;
    if (file->pMethods->xSync(file, SQLITE_SYNC_FULL) != SQLITE_OK) {
        return error_set_errno(err, errno != 0 ? errno : EIO, "%s: sync to disk", db->path);
    }
    return STATUS_OK;
}

static int open_flags(const struct sqlite_db_options *options)
{
    int flags = options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    flags |= SQLITE_OPEN_NOMUTEX;
    flags |= options->create && !options->read_only ? SQLITE_OPEN_CREATE : 0;
    return flags | (options->uri ? SQLITE_OPEN_URI : 0);
}

/* PRAGMA journal_mode answers with the mode it ended up in, and a refusal is no error. */
static enum status set_wal(struct sqlite_db *db, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode=WAL", -1, &stmt, NULL) != SQLITE_OK) {
        return sqlite_db_error(db, "ask for a write-ahead log", err);
    }
    enum status status = STATUS_OK;
    if (sqlite3_step(stmt) != SQLITE_ROW) {
        status = sqlite_db_error(db, "switch to a write-ahead log", err);
    } else if (!span_equal_nocase(sqlite_column_span(stmt, 0), SPAN_LIT("wal")) &&
               !span_equal_nocase(sqlite_column_span(stmt, 0), SPAN_LIT("memory"))) {
        status = error_set(err, STATUS_IO,
                           "%s: this file system cannot hold a write-ahead log (no shared memory "
                           "maps); keep the data on a local disk",
                           db->path);
    }
    sqlite3_finalize(stmt);
    return status;
}

static enum status set_pragmas(struct sqlite_db *db, const struct sqlite_db_options *options,
                               struct error *err)
{
    static const char *const sync_pragmas[] = {
        [DB_SYNC_OFF] = "PRAGMA synchronous=OFF",
        [DB_SYNC_NORMAL] = "PRAGMA synchronous=NORMAL",
        [DB_SYNC_FULL] = ("PRAGMA synchronous=FULL; PRAGMA fullfsync=ON; "
                          "PRAGMA checkpoint_fullfsync=ON"),
    };
    char text[64];
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, options->busy_timeout_ms);
    enum status status =
        sqlite_db_exec(db, "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON", err);
    if (status == STATUS_OK) {
        status = sqlite_db_exec(db, sync_pragmas[options->sync], err);
    }
    if (status == STATUS_OK && options->wal && !options->read_only) {
        status = set_wal(db, err);
    }
    if (status == STATUS_OK && options->cache_kib > 0) {
        snprintf(text, sizeof(text), "PRAGMA cache_size=-%d", options->cache_kib);
        status = sqlite_db_exec(db, text, err);
    }
    return status;
}

enum status sqlite_db_open(struct sqlite_db *db, const struct sqlite_db_options *options,
                           struct error *err)
{
    *db = (struct sqlite_db){0};
    if (strlen(options->path) >= sizeof(db->path)) {
        return error_set(err, STATUS_CONFIG, "%.100s...: the path is longer than %zu bytes",
                         options->path, sizeof(db->path) - 1);
    }
    snprintf(db->path, sizeof(db->path), "%s", options->path);
    if (options->create && !options->read_only && !options->uri && options->path[0] != ':') {
        file_create_private(options->path); /* SQLite's own files would be 0644 */
    }
    const char *vfs = options->env != NULL ? options->env->sqlite_vfs : NULL;
    enum status status = STATUS_OK;
    if (sqlite3_open_v2(options->path, &db->handle, open_flags(options), vfs) != SQLITE_OK) {
        status = sqlite_db_error(db, "open", err);
        if (!options->create && access(options->path, F_OK) != 0 && errno == ENOENT) {
            status = error_set(err, STATUS_NOT_FOUND, "%s: there is no such file", options->path);
        }
    } else {
        status = set_pragmas(db, options, err);
    }
    if (status != STATUS_OK) {
        sqlite_db_close(db);
    }
    return status;
}

static void statements_release(struct sqlite_db *db)
{
    for (size_t i = 0; i < db->statement_count; i++) {
        sqlite3_finalize(db->statements[i]);
    }
    free(db->statements);
    db->statements = NULL;
    db->statement_count = 0;
}

void sqlite_db_close(struct sqlite_db *db)
{
    statements_release(db);
    sqlite3_close_v2(db->handle);
    db->handle = NULL;
}

enum status sqlite_db_set_statements(struct sqlite_db *db, const char *const *sql, size_t count,
                                     struct error *err)
{
    statements_release(db);
    db->statements = calloc(count, sizeof(*db->statements));
    if (db->statements == NULL) {
        return error_no_memory(err);
    }
    db->sql = sql;
    db->statement_count = count;
    return STATUS_OK;
}

sqlite3_stmt *sqlite_db_statement(struct sqlite_db *db, size_t id)
{
    PP_ASSERT(id < db->statement_count);
    sqlite3_stmt *stmt = db->statements[id];
    if (PP_LIKELY(stmt != NULL)) {
        sqlite3_reset(stmt);
        sqlite3_clear_bindings(stmt);
        return stmt;
    }
    if (sqlite3_prepare_v3(db->handle, db->sql[id], -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) !=
        SQLITE_OK) {
        return NULL;
    }
    db->statements[id] = stmt;
    return stmt;
}

enum status sqlite_db_exec(struct sqlite_db *db, const char *sql, struct error *err)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return sqlite_db_error(db, "run a statement", err);
    }
    return STATUS_OK;
}

enum status sqlite_db_query_i64(struct sqlite_db *db, const char *sql, int64_t *out,
                                struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    enum status status = STATUS_OK;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL) != SQLITE_OK) {
        return sqlite_db_error(db, "prepare a query", err);
    }
    int step = sqlite3_step(stmt);
    if (step == SQLITE_ROW) {
        *out = sqlite3_column_int64(stmt, 0);
    } else if (step == SQLITE_DONE) {
        status = error_set(err, STATUS_NOT_FOUND, "%s: no row", db->path);
    } else {
        status = sqlite_db_error(db, "run a query", err);
    }
    sqlite3_finalize(stmt);
    return status;
}

/* SQLITE_STATIC is a null pointer: the bytes stay ours and must outlive the step. */
int sqlite_bind_span_text(sqlite3_stmt *stmt, int index, struct span text)
{
    return sqlite3_bind_text64(stmt, index, text.ptr, text.len, SQLITE_STATIC, SQLITE_UTF8);
}

int sqlite_bind_span_blob(sqlite3_stmt *stmt, int index, struct span bytes)
{
    return sqlite3_bind_blob64(stmt, index, bytes.ptr, bytes.len, SQLITE_STATIC);
}

struct span sqlite_column_span(sqlite3_stmt *stmt, int column)
{
    /* The order matters: column_blob may convert, column_bytes then measures the result. */
    const char *bytes = sqlite3_column_blob(stmt, column);
    size_t len = (size_t)sqlite3_column_bytes(stmt, column);
    return bytes != NULL ? span_from(bytes, len) : SPAN_EMPTY;
}

enum status sqlite_file_probe(const char *path, struct sqlite_file_probe *out, struct error *err)
{
    static const char magic[] = "SQLite format 3"; /* with its NUL: 16 bytes */
    static const unsigned char blank[HEADER_BYTES];
    struct sqlite_file_probe probe = {0};
    unsigned char header[HEADER_BYTES] = {0};
    struct stat info;
    /* A pipe without a writer must not stop us for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        *out = probe;
        return STATUS_OK;
    }
    if (fd < 0) {
        return error_set_errno(err, errno, "%s: open", path);
    }
    enum status status = STATUS_OK;
    ssize_t got = 0;
    bool known = fstat(fd, &info) == 0;
    if (known && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
        status = error_set(err, STATUS_CONFIG, "%s: is not a file but a pipe or a device", path);
    } else if (!known || (!S_ISDIR(info.st_mode) && (got = read(fd, header, sizeof(header))) < 0)) {
        status = error_set_errno(err, errno, "%s: read", path);
    } else {
        probe.exists = true;
        probe.size_bytes = (int64_t)info.st_size;
        probe.is_sqlite = got == HEADER_BYTES && memcmp(header, magic, sizeof(magic)) == 0;
        probe.is_blank = got >= 0 && memcmp(header, blank, sizeof(blank)) == 0;
        probe.application_id = be32_read(header + HEADER_APPLICATION_ID_POSITION);
        probe.user_version = be32_read(header + HEADER_USER_VERSION_POSITION);
        *out = probe;
    }
    close(fd);
    return status;
}
