/* The journal of requests: a bounded queue in memory, written behind the replies in one
 * transaction, into a ring of the latest rows in a file of its own without syncs.
 *
 * Invariant: nothing here can fail a request. A journal that cannot be written is said once in the
 * log, its rows are counted as lost, and it is tried again later. Secrets in query strings
 * (presigned URLs) are replaced before anything is kept; headers are never kept. */
#include "journal.h"

#include "buf.h"
#include "embedded.h"
#include "sqlite_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    QUEUE_ROWS_MAX = 1024,
    QUEUE_TEXT_BYTES_MAX = 256 * 1024,
    PATH_BYTES_MAX = 2048,
    METHOD_BYTES_MAX = 32,
    ERROR_CODE_BYTES_MAX = 128, /* S3's longest have some 50 */
    HINT_BYTES_MAX = 1024,
    /* The most that one request leaves in the queue's text: secrets in a path may be shorter than
     * the asterisks in their place. */
    ENTRY_BYTES_MAX =
        2 * (PATH_BYTES_MAX + METHOD_BYTES_MAX) + ERROR_CODE_BYTES_MAX + HINT_BYTES_MAX,
    RETRY_AFTER_US = 30 * 1000000,
    JOURNAL_APPLICATION_ID = 0x50504a4e, /* "PPJN" */
    JOURNAL_FORMAT_VERSION = 2,
    JOURNAL_FORMAT_WITHOUT_HINTS = 1, /* of pinpipe 0.2.0 and 0.3.0 */
    JOURNAL_BUSY_TIMEOUT_MS = 50, /* a reader never blocks us; another writer must not for long */
};

enum journal_statement {
    STMT_BEGIN,
    STMT_COMMIT,
    STMT_ROLLBACK,
    STMT_INSERT,
    STMT_TRIM,
    STMT_COUNT
};

static const char *const statement_sql[STMT_COUNT] = {
    [STMT_BEGIN] = "BEGIN IMMEDIATE",
    [STMT_COMMIT] = "COMMIT",
    [STMT_ROLLBACK] = "ROLLBACK",
    [STMT_INSERT] = "INSERT INTO request (id, time_ms, service, method, path, status, error_code, "
                    "latency_us, request_bytes, response_bytes, hint) "
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [STMT_TRIM] = "DELETE FROM request WHERE id <= ?1",
};

struct journal_row {
    int64_t time_ms;
    int64_t latency_us;
    int64_t request_bytes;
    int64_t response_bytes;
    int status;
    const char *service; /* static: a service's name */
    /* Method, path, error code and hint, one behind the other, in the text buffer. */
    size_t text_position;
    uint16_t method_len;
    uint16_t path_len;
    uint16_t error_code_len;
    uint16_t hint_len;
};

struct journal {
    struct sqlite_db db; /* handle NULL: not open (yet) */
    struct env *env;
    struct log *log;
    bool in_memory;
    char path[SQLITE_DB_PATH_BYTES_MAX];
    int64_t rows_max;
    int64_t next_id;
    struct journal_row *rows;
    size_t row_count;
    struct buf text;
    int64_t retry_us; /* monotonic; 0: now */
    bool complained;
    uint64_t rows_lost;
};

/* --- keeping secrets out --- */

static bool is_secret_name(struct span name)
{
    static const char *const secrets[] = {
        "X-Amz-Signature",
        "X-Amz-Credential",
        "X-Amz-Security-Token",
        "Signature",
        "AWSAccessKeyId",
        "api_key",
        "api-key",
        "apikey",
        "x-api-key",
        "access_token",
        "token",
        "password",
    };
    for (size_t i = 0; i < ARRAY_COUNT(secrets); i++) {
        if (span_equal_nocase(name, span_from_cstr(secrets[i]))) {
            return true;
        }
    }
    return false;
}

/* The decoded name, for comparing only: an escaped letter does not hide a secret. */
static struct span decoded_name(struct span name, char *scratch, size_t scratch_bytes)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;
    for (size_t i = 0; i < name.len && used < scratch_bytes; i++) {
        char c = name.ptr[i];
        if (c == '%' && i + 2 < name.len) {
            const char *high = memchr(hex, name.ptr[i + 1] | 0x20, 16);
            const char *low = memchr(hex, name.ptr[i + 2] | 0x20, 16);
            if (high != NULL && low != NULL) {
                c = (char)((high - hex) * 16 + (low - hex));
                i += 2;
            }
        }
        scratch[used++] = c;
    }
    return span_from(scratch, used);
}

static void append_redacted(struct buf *out, struct span query)
{
    struct span pair;
    buf_append_byte(out, '?');
    for (bool first = true; span_next_part(&query, '&', &pair); first = false) {
        char scratch[64];
        size_t equals = span_find_byte(pair, '=');
        if (!first) {
            buf_append_byte(out, '&');
        }
        if (equals < pair.len &&
            is_secret_name(decoded_name(span_first(pair, equals), scratch, sizeof(scratch)))) {
            buf_append_span(out, span_first(pair, equals + 1));
            BUF_APPEND_LIT(out, "***");
        } else {
            buf_append_span(out, pair);
        }
    }
}

void journal_append_path(struct buf *out, struct span path)
{
    struct span kept = span_first(path, PATH_BYTES_MAX);
    size_t question = span_find_byte(kept, '?');
    buf_append_span(out, span_first(kept, question));
    if (question < kept.len) {
        append_redacted(out, span_skip(kept, question + 1));
    }
    if (path.len > PATH_BYTES_MAX) {
        BUF_APPEND_LIT(out, "...");
    }
}

/* --- the file --- */

static void complain(struct journal *journal, const char *why)
{
    if (!journal->complained) {
        LOG_WARNF(journal->log, "journal",
                  "%s; requests are served all the same, tried again every %d s", why,
                  RETRY_AFTER_US / 1000000);
    }
    journal->complained = true;
    journal->retry_us = journal->env->monotonic_us(journal->env) + RETRY_AFTER_US;
    sqlite_db_close(&journal->db);
}

/* Without syncs a power cut may damage the file. It is only a journal: put aside, begun anew. */
static void set_aside_damaged(struct journal *journal)
{
    static const char *const companions[] = {"-wal", "-shm"};
    char name[SQLITE_DB_PATH_BYTES_MAX + 16];
    snprintf(name, sizeof(name), "%s.damaged", journal->path);
    if (journal->in_memory || rename(journal->path, name) != 0) {
        return;
    }
    LOG_WARNF(journal->log, "journal", "%s is damaged: put aside as %s", journal->path, name);
    for (size_t i = 0; i < ARRAY_COUNT(companions); i++) {
        snprintf(name, sizeof(name), "%s%s", journal->path, companions[i]);
        unlink(name);
    }
    journal->retry_us = 0;
}

static enum status check_file(struct journal *journal, struct error *err)
{
    struct sqlite_file_probe probe;
    enum status status = sqlite_file_probe(journal->path, &probe, err);
    if (status != STATUS_OK || !probe.exists || probe.size_bytes == 0) {
        return status;
    }
    if (!probe.is_sqlite || probe.application_id != JOURNAL_APPLICATION_ID ||
        probe.user_version == 0 || probe.user_version > JOURNAL_FORMAT_VERSION) {
        return error_set(err, STATUS_CONFIG, "%s: is not a journal of this pinpipe; move it away",
                         journal->path);
    }
    return STATUS_OK;
}

/* The table is made anew, or has the columns that came later added; then the views, which are made
 * for what the table has now. All of it or nothing. */
static enum status make_schema(struct journal *journal, bool is_new, struct error *err)
{
    char pragmas[96];
    snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             JOURNAL_APPLICATION_ID, JOURNAL_FORMAT_VERSION);
    const char *const steps[] = {
        "BEGIN IMMEDIATE",
        is_new ? embedded_schema_journal_sql : "ALTER TABLE request ADD COLUMN hint TEXT",
        embedded_schema_journal_views_sql,
        pragmas,
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ARRAY_COUNT(steps) && status == STATUS_OK; i++) {
        status = sqlite_db_exec(&journal->db, steps[i], err);
    }
    return status; /* a failure closes the file, which rolls back */
}

static enum status journal_file_open(struct journal *journal, struct error *err)
{
    struct sqlite_db_options options = {
        .path = journal->path,
        .env = journal->env,
        .create = true,
        .wal = !journal->in_memory,
        .sync = DB_SYNC_OFF,
        .busy_timeout_ms = JOURNAL_BUSY_TIMEOUT_MS,
    };
    int64_t version = 0;
    enum status status = journal->in_memory ? STATUS_OK : check_file(journal, err);
    if (status == STATUS_OK) {
        status = sqlite_db_open(&journal->db, &options, err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_set_statements(&journal->db, statement_sql, STMT_COUNT, err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_query_i64(&journal->db, "PRAGMA user_version", &version, err);
    }
    if (status == STATUS_OK && version <= JOURNAL_FORMAT_WITHOUT_HINTS) {
        status = make_schema(journal, version == 0, err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_query_i64(&journal->db, "SELECT coalesce(max(id), 0) + 1 FROM request",
                                     &journal->next_id, err);
    }
    return status;
}

/* --- writing --- */

static bool journal_step_done(sqlite3_stmt *stmt)
{
    if (stmt == NULL) {
        return false;
    }
    int step = sqlite3_step(stmt);
    return sqlite3_reset(stmt) == SQLITE_OK && step == SQLITE_DONE;
}

static bool journal_run(struct journal *journal, enum journal_statement id)
{
    return journal_step_done(sqlite_db_statement(&journal->db, id));
}

/* Takes the next text of a row from *rest; an empty one is no value. */
static void bind_next_text(sqlite3_stmt *stmt, int index, struct span *rest, size_t len)
{
    if (len > 0) {
        sqlite_bind_span_text(stmt, index, span_first(*rest, len));
    }
    *rest = span_skip(*rest, len);
}

static bool insert_row(struct journal *journal, const struct journal_row *row, int64_t id)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&journal->db, STMT_INSERT);
    if (stmt == NULL) {
        return false;
    }
    size_t text_len = (size_t)row->method_len + row->path_len + row->error_code_len + row->hint_len;
    PP_ASSERT(row->text_position + text_len <= journal->text.len);
    struct span rest = span_from(journal->text.ptr + row->text_position, text_len);
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, row->time_ms);
    sqlite_bind_span_text(stmt, 3, span_from_cstr(row->service));
    sqlite_bind_span_text(stmt, 4, span_first(rest, row->method_len));
    rest = span_skip(rest, row->method_len);
    sqlite_bind_span_text(stmt, 5, span_first(rest, row->path_len));
    rest = span_skip(rest, row->path_len);
    sqlite3_bind_int(stmt, 6, row->status);
    bind_next_text(stmt, 7, &rest, row->error_code_len);
    sqlite3_bind_int64(stmt, 8, row->latency_us);
    sqlite3_bind_int64(stmt, 9, row->request_bytes);
    sqlite3_bind_int64(stmt, 10, row->response_bytes);
    bind_next_text(stmt, 11, &rest, row->hint_len);
    return journal_step_done(stmt);
}

static bool trim_ring(struct journal *journal, int64_t next_id)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&journal->db, STMT_TRIM);
    if (stmt == NULL) {
        return false;
    }
    sqlite3_bind_int64(stmt, 1, next_id - 1 - journal->rows_max);
    return journal_step_done(stmt);
}

static bool write_rows(struct journal *journal)
{
    /* Of a queue longer than the ring only the latest rows would stay. */
    size_t skip = (int64_t)journal->row_count > journal->rows_max
                      ? journal->row_count - (size_t)journal->rows_max
                      : 0;
    int64_t id = journal->next_id + (int64_t)skip;
    PP_ASSERT(skip < journal->row_count && journal->row_count <= QUEUE_ROWS_MAX);
    if (!journal_run(journal, STMT_BEGIN)) {
        return false;
    }
    for (size_t i = skip; i < journal->row_count; i++) {
        if (!insert_row(journal, &journal->rows[i], id++)) {
            return false;
        }
    }
    if (!trim_ring(journal, id) || !journal_run(journal, STMT_COMMIT)) {
        return false;
    }
    journal->next_id = id;
    return true;
}

static enum status write_queue_to_file(struct journal *journal, struct error *err)
{
    enum status status = STATUS_OK;
    if (journal->db.handle == NULL) {
        status = journal_file_open(journal, err);
    }
    if (status == STATUS_OK && !write_rows(journal)) {
        status = sqlite_db_error(&journal->db, "write the journal", err);
    }
    return status;
}

static void write_queue(struct journal *journal)
{
    struct error why;
    PP_ASSERT(journal->row_count > 0);
    enum status status = write_queue_to_file(journal, &why);
    if (status != STATUS_OK) {
        complain(journal, why.message); /* closes, which rolls back */
        journal->rows_lost += journal->row_count;
        if (status == STATUS_CORRUPT) {
            set_aside_damaged(journal);
        }
        return;
    }
    if (journal->complained) {
        LOG_INFOF(journal->log, "journal", "%s: written again, %llu requests are missing",
                  journal->path, (unsigned long long)journal->rows_lost);
        journal->complained = false;
        journal->rows_lost = 0;
    }
}

void journal_flush(struct journal *journal)
{
    if (journal->row_count == 0) {
        buf_reset(&journal->text);
        return;
    }
    if (journal->complained && journal->env->monotonic_us(journal->env) < journal->retry_us) {
        journal->rows_lost += journal->row_count;
    } else {
        write_queue(journal);
    }
    journal->row_count = 0;
    buf_reset(&journal->text);
}

/* --- adding --- */

/* The front of a long text, never a part of a character. */
static struct span text_front(struct span text, size_t max)
{
    size_t len = text.len < max ? text.len : max;
    while (len < text.len && len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) {
        len--;
    }
    return span_first(text, len);
}

static bool journal_is_full(const struct journal *journal)
{
    return journal->row_count == QUEUE_ROWS_MAX ||
           journal->text.len > QUEUE_TEXT_BYTES_MAX - ENTRY_BYTES_MAX;
}

void journal_add(struct journal *journal, const struct journal_entry *entry)
{
    struct span method = span_first(entry->method, METHOD_BYTES_MAX);
    struct span error_code = span_first(entry->error_code, ERROR_CODE_BYTES_MAX);
    struct span hint = text_front(entry->hint, HINT_BYTES_MAX);
    size_t before = journal->text.len;
    buf_append_span(&journal->text, method);
    size_t path_start = journal->text.len;
    journal_append_path(&journal->text, entry->path);
    size_t path_len = journal->text.len - path_start;
    buf_append_span(&journal->text, error_code);
    buf_append_span(&journal->text, hint);
    if (!buf_ok(&journal->text)) {
        /* Out of memory: this row is lost; what is queued is written to make room. */
        journal->rows_lost++;
        journal_flush(journal);
        return;
    }
    PP_ASSERT(journal->row_count < QUEUE_ROWS_MAX && entry->service != NULL);
    PP_ASSERT(path_len <= UINT16_MAX);
    PP_ASSERT(journal->text.len - before == method.len + path_len + error_code.len + hint.len);
    journal->rows[journal->row_count++] = (struct journal_row){
        .time_ms = entry->received_us / 1000,
        .latency_us = entry->latency_us,
        .request_bytes = (int64_t)entry->request_bytes,
        .response_bytes = (int64_t)entry->response_bytes,
        .status = entry->status,
        .service = entry->service,
        .text_position = before,
        .method_len = (uint16_t)method.len,
        .path_len = (uint16_t)path_len,
        .error_code_len = (uint16_t)error_code.len,
        .hint_len = (uint16_t)hint.len,
    };
    if (journal_is_full(journal)) {
        journal_flush(journal);
    }
}

/* --- life --- */

enum status journal_open(const struct journal_options *options, struct journal **out,
                         struct error *err)
{
    PP_ASSERT(options->rows_max > 0);
    struct journal *journal = calloc(1, sizeof(*journal));
    struct journal_row *rows = calloc(QUEUE_ROWS_MAX, sizeof(*rows));
    if (journal == NULL || rows == NULL) {
        free(journal);
        free(rows);
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    journal->env = options->env;
    journal->log = options->log;
    journal->rows_max = options->rows_max;
    journal->rows = rows;
    journal->in_memory = options->directory == NULL;
    int length = journal->in_memory ? snprintf(journal->path, sizeof(journal->path), ":memory:")
                                    : snprintf(journal->path, sizeof(journal->path),
                                               "%s/journal.db", options->directory);
    buf_init(&journal->text, QUEUE_TEXT_BYTES_MAX);
    if ((size_t)length >= sizeof(journal->path)) {
        journal_close(journal);
        return error_set(err, STATUS_CONFIG, "%.100s...: the directory's name is too long",
                         options->directory);
    }
    *out = journal;
    return STATUS_OK;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL) {
        return;
    }
    journal_flush(journal);
    sqlite_db_close(&journal->db);
    buf_release(&journal->text);
    free(journal->rows);
    free(journal);
}
