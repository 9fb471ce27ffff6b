/* Opening, preparing, binding and reporting in one way for everybody who has SQL (the store, the
 * ledger, the row source, the warehouse). Statements are prepared on first use and kept.
 *
 * A connection belongs to one thread at a time: SQLite's own mutexes are off. */
#ifndef PINPIPE_SQLITE_DB_H
#define PINPIPE_SQLITE_DB_H

#include "env.h"
#include "error.h"

#include <sqlite3.h>

enum db_sync { DB_SYNC_OFF, DB_SYNC_NORMAL, DB_SYNC_FULL };

enum { SQLITE_DB_PATH_BYTES_MAX = 1024 };

struct sqlite_db {
    sqlite3 *handle;
    const char *const *sql; /* one text a statement id */
    sqlite3_stmt **statements;
    size_t statement_count;
    char path[SQLITE_DB_PATH_BYTES_MAX];
};

struct sqlite_db_options {
    const char *path; /* ":memory:" is allowed */
    const struct env *env;
    bool read_only;
    bool create;
    bool wal;
    enum db_sync sync;
    int busy_timeout_ms;
    int cache_kib; /* 0: SQLite's default */
    bool uri;      /* ATTACH may name a file: URI */
};

/* Opens and sets the pragmas (WAL, synchronous, fullfsync on macOS, foreign keys, trusted_schema
 * off, busy timeout). NOT_FOUND, IO, CORRUPT, BUSY... with the path in the message. */
enum status sqlite_db_open(struct sqlite_db *db, const struct sqlite_db_options *options,
                           struct error *err) PP_MUST_USE;
void sqlite_db_close(struct sqlite_db *db);

/* The statement table: ids index `sql`, which must outlive db. */
enum status sqlite_db_set_statements(struct sqlite_db *db, const char *const *sql, size_t count,
                                     struct error *err) PP_MUST_USE;
/* Prepared, reset and with cleared bindings; NULL when preparing failed (ask sqlite_db_error). */
sqlite3_stmt *sqlite_db_statement(struct sqlite_db *db, size_t id);

/* Runs every statement of a script. */
enum status sqlite_db_exec(struct sqlite_db *db, const char *sql, struct error *err) PP_MUST_USE;
/* First column of the first row; NOT_FOUND when there is none. */
enum status sqlite_db_query_i64(struct sqlite_db *db, const char *sql, int64_t *out,
                                struct error *err) PP_MUST_USE;

/* The status of SQLite's last failure: FULL -> DISK_FULL, CORRUPT/NOTADB -> CORRUPT,
 * BUSY/LOCKED -> BUSY, IOERR... -> IO, NOMEM -> NO_MEMORY, CONSTRAINT -> EXISTS, INTERRUPT ->
 * INTERRUPTED. The message is "<path>: <doing>: <SQLite's words>". */
enum status sqlite_db_error(struct sqlite_db *db, const char *doing, struct error *err);
/* Was the last failure a sync that the system refused? What was written before it may or may not
 * be on the disk, and a later sync that succeeds says nothing about it. */
bool sqlite_db_sync_failed(struct sqlite_db *db);

/* Flushes the main database file itself (not its WAL) to the disk. */
enum status sqlite_db_sync_file(struct sqlite_db *db, struct error *err) PP_MUST_USE;

/* Borrowed for the step: the bytes must live until the statement is reset. */
int sqlite_bind_span_text(sqlite3_stmt *stmt, int index, struct span text);
int sqlite_bind_span_blob(sqlite3_stmt *stmt, int index, struct span bytes);
/* Valid until the next step or reset. */
struct span sqlite_column_span(sqlite3_stmt *stmt, int column);

/* Facts from the first hundred bytes of a file, read without SQLite, which would start to change a
 * file that is not ours. */
struct sqlite_file_probe {
    bool exists;
    bool is_sqlite;
    bool is_blank; /* there are zeros where the header should be, or the file is empty */
    int64_t size_bytes;
    uint32_t application_id;
    uint32_t user_version;
};
/* OK also when the file is not there. IO with the reason when it cannot be read. */
enum status sqlite_file_probe(const char *path, struct sqlite_file_probe *out,
                              struct error *err) PP_MUST_USE;

#endif
