#include "journal_reader.h"

#include "buf.h"
#include "file.h"
#include "sqlite_db.h"
#include "url.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    JOURNAL_APPLICATION_ID = 0x50504a4e, /* "PPJN" */
    JOURNAL_VERSION_WITH_HINTS = 2,
    reader_busy_timeout_ms = 500,
    batch_rows_max = 100, /* also kinds of mistakes: the most frequent */
    batch_bytes_max = 4 * 1024 * 1024,
};

/* The columns that a request is made of, in the order of journal_row_read. A journal of an older
 * release has no hints. */
#define REQUEST_COLUMNS(hint)                                                                      \
    "id, time_ms, service, method, path, status, coalesce(error_code, ''), coalesce(" hint         \
    ", ''), latency_us, request_bytes, response_bytes"

enum reader_statement { STMT_NEXT, STMT_BACK, STMT_EDGES, STMT_MISTAKES, STMT_COUNTS, STMT_COUNT };

/* Of a kind of mistakes the latest request is the one that is shown. */
#define READER_STATEMENTS(hint)                                                                    \
    {                                                                                              \
        [STMT_NEXT] = "SELECT " REQUEST_COLUMNS(hint) " FROM request WHERE id > ?1 ORDER BY id "   \
                                                      "LIMIT ?2",                                  \
        [STMT_BACK] = "SELECT " REQUEST_COLUMNS(hint) " FROM request ORDER BY id DESC",            \
        [STMT_EDGES] = "SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM request",           \
        [STMT_MISTAKES] = "SELECT " REQUEST_COLUMNS(                                               \
            hint) ", times, first_ms FROM request JOIN "                                           \
                  "(SELECT max(id) AS latest, count(*) AS times, min(time_ms) AS first_ms "        \
                  "FROM request WHERE " hint " IS NOT NULL GROUP BY service, status, "             \
                  "error_code, hint_kind(" hint ")) ON id = latest "                               \
                  "ORDER BY times DESC, id DESC LIMIT ?1",                                         \
        [STMT_COUNTS] = "SELECT count(*), coalesce(sum(status >= 400 AND " hint " IS NULL), 0) "   \
                        "FROM request",                                                            \
    }

static const char *const statements_with_hints[STMT_COUNT] = READER_STATEMENTS("hint");
static const char *const statements_without[STMT_COUNT] = READER_STATEMENTS("NULL");

struct journal_reader {
    struct sqlite_db db;
    uint64_t file;
};

/* --- requests by what they are --- */

/* Is the segment, with its escapes, this name? */
static bool segment_is(struct span segment, struct span name)
{
    char byte;
    while (segment.len > 0 && name.len > 0) {
        if (!url_next_byte(&segment, false, &byte) || byte != name.ptr[0]) {
            return false;
        }
        name = span_skip(name, 1);
    }
    return segment.len == 0 && name.len == 0;
}

/* Both proxies' paths have `topics/NAME` in them, and so have the objects of the sink. */
static bool path_names_topic(struct span path, struct span topic)
{
    struct span rest = span_first(path, span_find_byte(path, '?'));
    struct span segment;
    bool after_topics = false;
    while (span_next_part(&rest, '/', &segment)) {
        if (after_topics && segment_is(segment, topic)) {
            return true;
        }
        after_topics = span_equal_cstr(segment, "topics");
    }
    return false;
}

static bool request_is_wanted(const struct request_filter *filter,
                              const struct watched_request *request)
{
    return (!filter->errors || request_is_error(request)) &&
           (!filter->hints || request->hint.len > 0) &&
           (filter->topic.len == 0 || path_names_topic(request->path, filter->topic));
}

/* --- opening --- */

static bool hint_has_name_byte(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte == '_' || byte == '-' || byte == '.' || byte == '/';
}

/* Names and numbers differ from request to request, although the mistake is the same: what is in
 * quotes, and each word with a digit or a dot within it, become one letter. */
static void hint_kind_append(struct buf *out, struct span hint)
{
    while (hint.len > 0) {
        size_t len = 0;
        bool is_name = false;
        if (hint.ptr[0] == '"') {
            size_t end = span_find_byte(span_skip(hint, 1), '"');
            is_name = end + 1 < hint.len;
            len = is_name ? end + 2 : 0;
        }
        while (!is_name && len < hint.len && hint_has_name_byte(hint.ptr[len])) {
            len++;
        }
        for (size_t i = 0; !is_name && i < len; i++) {
            is_name =
                (hint.ptr[i] == '.' && i + 1 < len) || (hint.ptr[i] >= '0' && hint.ptr[i] <= '9');
        }
        len = len > 0 ? len : 1;
        buf_append_span(out, is_name ? SPAN_LIT("_") : span_first(hint, len));
        hint = span_skip(hint, len);
    }
}

static void sql_hint_kind(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct buf kind;
    const char *text = (const char *)sqlite3_value_text(values[0]);
    (void)count;
    buf_init(&kind, batch_bytes_max);
    hint_kind_append(&kind, span_from_cstr(text));
    if (buf_ok(&kind)) {
        sqlite3_result_text64(context, buf_cstr(&kind), kind.len, SQLITE_TRANSIENT, SQLITE_UTF8);
    } else {
        sqlite3_result_error_nomem(context);
    }
    buf_release(&kind);
}

static enum status reader_prepare(struct journal_reader *reader, struct error *err)
{
    int64_t application = 0;
    int64_t version = 0;
    enum status status =
        sqlite_db_query_i64(&reader->db, "PRAGMA application_id", &application, err);
    if (status == STATUS_OK) {
        status = sqlite_db_query_i64(&reader->db, "PRAGMA user_version", &version, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (application == 0 && version == 0) {
        return error_set(err, STATUS_NOT_FOUND, "%s: nothing is in it yet", reader->db.path);
    }
    if (application != JOURNAL_APPLICATION_ID) {
        return error_set(err, STATUS_CONFIG, "%s: is not a journal of pinpipe", reader->db.path);
    }
    if (sqlite3_create_function_v2(reader->db.handle, "hint_kind", 1,
                                   SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, sql_hint_kind, NULL,
                                   NULL, NULL) != SQLITE_OK) {
        return sqlite_db_error(&reader->db, "prepare to read it", err);
    }
    const char *const *sql =
        version >= JOURNAL_VERSION_WITH_HINTS ? statements_with_hints : statements_without;
    return sqlite_db_set_statements(&reader->db, sql, STMT_COUNT, err);
}

enum status journal_reader_open(const char *directory, const struct env *env,
                                struct journal_reader **out, struct error *err)
{
    char path[SQLITE_DB_PATH_BYTES_MAX];
    struct stat file;
    int len = snprintf(path, sizeof(path), "%s/journal.db", directory);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return error_set(err, STATUS_CONFIG, "%.100s...: the directory's name is too long",
                         directory);
    }
    if (stat(path, &file) != 0) {
        return errno == ENOENT ? error_set(err, STATUS_NOT_FOUND, "%s: is not there", path)
                               : error_set_errno(err, errno, "%s: cannot be read", path);
    }
    const struct sqlite_db_options options = {
        .path = path, .env = env, .read_only = true, .busy_timeout_ms = reader_busy_timeout_ms};
    struct journal_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return error_no_memory(err);
    }
    reader->file = (uint64_t)file.st_ino;
    enum status status = sqlite_db_open(&reader->db, &options, err);
    if (status == STATUS_OK) {
        status = reader_prepare(reader, err);
    }
    if (status != STATUS_OK) {
        journal_reader_close(reader);
        return status;
    }
    *out = reader;
    return STATUS_OK;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (reader != NULL) {
        sqlite_db_close(&reader->db);
        free(reader);
    }
}

/* --- rows --- */

static struct watched_request journal_row_read(sqlite3_stmt *stmt)
{
    return (struct watched_request){
        .received_us = sqlite3_column_int64(stmt, 1) * 1000,
        .service = sqlite_column_span(stmt, 2),
        .method = sqlite_column_span(stmt, 3),
        .path = sqlite_column_span(stmt, 4),
        .status = sqlite3_column_int(stmt, 5),
        .error_code = sqlite_column_span(stmt, 6),
        .hint = sqlite_column_span(stmt, 7),
        .latency_us = sqlite3_column_int64(stmt, 8),
        .request_bytes = sqlite3_column_int64(stmt, 9),
        .response_bytes = sqlite3_column_int64(stmt, 10),
    };
}

/* Rows taken out of a statement, which is over when they are told. */
struct row_batch {
    struct buf text;
    struct mistake rows[batch_rows_max]; /* texts: lengths only, until batch_point */
    size_t count;
    int64_t last_id;
};

static void batch_keep(struct row_batch *batch, sqlite3_stmt *stmt, bool is_mistake)
{
    struct mistake *row = &batch->rows[batch->count];
    struct watched_request *request = &row->latest;
    *request = journal_row_read(stmt);
    row->count = is_mistake ? (uint64_t)sqlite3_column_int64(stmt, 11) : 1;
    row->first_us = is_mistake ? sqlite3_column_int64(stmt, 12) * 1000 : request->received_us;
    batch->last_id = sqlite3_column_int64(stmt, 0);
    const struct span texts[] = {request->service, request->method, request->path,
                                 request->error_code, request->hint};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        buf_append_span(&batch->text, texts[i]);
    }
    batch->count++;
}

static struct span batch_point(struct span *rest, size_t len)
{
    struct span text = span_first(*rest, len);
    *rest = span_skip(*rest, len);
    return text;
}

/* The texts are where they stay: the buffer has moved while it grew. */
static void batch_finish(struct row_batch *batch)
{
    struct span rest = buf_span(&batch->text);
    for (size_t i = 0; i < batch->count; i++) {
        struct watched_request *request = &batch->rows[i].latest;
        request->service = batch_point(&rest, request->service.len);
        request->method = batch_point(&rest, request->method.len);
        request->path = batch_point(&rest, request->path.len);
        request->error_code = batch_point(&rest, request->error_code.len);
        request->hint = batch_point(&rest, request->hint.len);
    }
}

static enum status reader_failed(struct journal_reader *reader, struct error *err)
{
    return sqlite_db_error(&reader->db, "read it", err);
}

static enum status batch_fill(struct journal_reader *reader, sqlite3_stmt *stmt,
                              struct row_batch *batch, bool is_mistake, struct error *err)
{
    int step = SQLITE_DONE;
    batch->count = 0;
    buf_reset(&batch->text);
    while (batch->count < batch_rows_max && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        batch_keep(batch, stmt, is_mistake);
    }
    if (step != SQLITE_DONE && step != SQLITE_ROW) {
        enum status status = reader_failed(reader, err);
        sqlite3_reset(stmt);
        return status;
    }
    if (!buf_ok(&batch->text)) {
        sqlite3_reset(stmt);
        return error_no_memory(err);
    }
    batch_finish(batch);
    return STATUS_OK;
}

static enum status reader_edges(struct journal_reader *reader, int64_t *first, int64_t *last,
                                struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&reader->db, STMT_EDGES);
    if (stmt == NULL || sqlite3_step(stmt) != SQLITE_ROW) {
        return reader_failed(reader, err);
    }
    *first = sqlite3_column_int64(stmt, 0);
    *last = sqlite3_column_int64(stmt, 1);
    sqlite3_reset(stmt);
    return STATUS_OK;
}

enum status journal_reader_seek(struct journal_reader *reader, const struct request_filter *filter,
                                uint64_t count, struct journal_place *place, struct error *err)
{
    int64_t first = 0;
    int64_t last = 0;
    enum status status = reader_edges(reader, &first, &last, err);
    if (status != STATUS_OK) {
        return status;
    }
    int step = SQLITE_DONE;
    int64_t before = count > 0 && first > 0 ? first - 1 : last;
    sqlite3_stmt *stmt = sqlite_db_statement(&reader->db, STMT_BACK);
    if (stmt == NULL) {
        return reader_failed(reader, err);
    }
    while (count > 0 && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct watched_request request = journal_row_read(stmt);
        if (request_is_wanted(filter, &request) && --count == 0) {
            before = sqlite3_column_int64(stmt, 0) - 1;
        }
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE) {
        status = reader_failed(reader, err);
    }
    sqlite3_reset(stmt);
    *place = (struct journal_place){.last_id = before, .file = reader->file};
    return status;
}

/* The place may be in a file that is no more, or have been overtaken by the ring. */
static enum status place_check(struct journal_reader *reader, struct journal_place *place,
                               struct error *err)
{
    int64_t first = 0;
    int64_t last = 0;
    enum status status = reader_edges(reader, &first, &last, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (place->file != reader->file || last < place->last_id) {
        place->file = reader->file;
        place->last_id = first > 0 ? first - 1 : 0;
    }
    if (first > place->last_id + 1) {
        place->missed += (uint64_t)(first - 1 - place->last_id);
        place->last_id = first - 1;
    }
    return STATUS_OK;
}

static enum status batch_next(struct journal_reader *reader, const struct journal_place *place,
                              struct row_batch *batch, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&reader->db, STMT_NEXT);
    if (stmt == NULL) {
        return reader_failed(reader, err);
    }
    sqlite3_bind_int64(stmt, 1, place->last_id);
    sqlite3_bind_int64(stmt, 2, batch_rows_max);
    enum status status = batch_fill(reader, stmt, batch, false, err);
    sqlite3_reset(stmt); /* no transaction is open while the rows are told */
    return status;
}

enum status journal_reader_next(struct journal_reader *reader, const struct request_filter *filter,
                                struct journal_place *place, request_visit_fn visit, void *ctx,
                                struct error *err)
{
    struct row_batch *batch = calloc(1, sizeof(*batch));
    if (batch == NULL) {
        return error_no_memory(err);
    }
    buf_init(&batch->text, batch_bytes_max);
    bool go_on = true;
    enum status status = STATUS_OK;
    do {
        status = place_check(reader, place, err);
        if (status == STATUS_OK) {
            status = batch_next(reader, place, batch, err);
        }
        for (size_t i = 0; i < batch->count && status == STATUS_OK && go_on; i++) {
            const struct watched_request *request = &batch->rows[i].latest;
            go_on = !request_is_wanted(filter, request) || visit(ctx, request);
        }
        place->last_id = status == STATUS_OK && batch->count > 0 ? batch->last_id : place->last_id;
    } while (status == STATUS_OK && go_on && batch->count == batch_rows_max);
    buf_release(&batch->text);
    free(batch);
    return status;
}

/* --- mistakes --- */

enum status journal_reader_mistakes(struct journal_reader *reader,
                                    bool (*visit)(void *ctx, const struct mistake *mistake),
                                    void *ctx, struct error *err)
{
    struct row_batch *batch = calloc(1, sizeof(*batch));
    sqlite3_stmt *stmt = sqlite_db_statement(&reader->db, STMT_MISTAKES);
    if (batch == NULL || stmt == NULL) {
        free(batch);
        return stmt == NULL ? reader_failed(reader, err) : error_no_memory(err);
    }
    bool go_on = true;
    buf_init(&batch->text, batch_bytes_max);
    sqlite3_bind_int64(stmt, 1, batch_rows_max);
    enum status status = batch_fill(reader, stmt, batch, true, err);
    sqlite3_reset(stmt);
    for (size_t i = 0; i < batch->count && status == STATUS_OK && go_on; i++) {
        go_on = visit(ctx, &batch->rows[i]);
    }
    buf_release(&batch->text);
    free(batch);
    return status;
}

enum status journal_reader_count(struct journal_reader *reader, int64_t *requests,
                                 int64_t *unexplained, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&reader->db, STMT_COUNTS);
    if (stmt == NULL || sqlite3_step(stmt) != SQLITE_ROW) {
        return reader_failed(reader, err);
    }
    *requests = sqlite3_column_int64(stmt, 0);
    *unexplained = sqlite3_column_int64(stmt, 1);
    sqlite3_reset(stmt);
    return STATUS_OK;
}
