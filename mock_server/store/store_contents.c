/* Contents: bodies on their way in, chunks, pieces, and the way out again.
 *
 * Invariant: a content's refs are the number of rows (object, upload_part, piece) that name it. A
 * plain content is never changed once it has a reference, so it can be linked any number of times.
 * One without is either staged (a live body writes it) or the sweep's. */
#include "store_internal.h"

#include "array.h"

#include <stdlib.h>
#include <string.h>

#define STORE_BODY_BYTES_MAX ((uint64_t)STORE_CHUNK_BYTES << STORE_CHUNK_BITS) /* 1 TiB */

_Static_assert(STORE_INLINE_BYTES_MAX <= STORE_CHUNK_BYTES, "a body keeps one chunk in memory");

struct store_body {
    struct store *store; /* NULL once that is closed */
    struct store_body *next;
    struct store_body *previous;
    int64_t content_id; /* 0: none was needed yet */
    uint64_t chunk_count;
    uint64_t size;
    struct buf tail; /* what follows the last chunk */
    uint64_t undo_epoch;
    bool small;
    bool written; /* there is a content row */
    bool lost;    /* a rolled-back turn took some of its rows */
    bool used;
};

/* --- bodies --- */

enum status store_body_new(struct store *store, bool small, struct store_body **out)
{
    struct store_body *body = calloc(1, sizeof(*body));
    if (body == NULL) {
        return STATUS_NO_MEMORY;
    }
    buf_init(&body->tail, STORE_CHUNK_BYTES);
    body->store = store;
    body->small = small;
    PP_ASSERT(store->lake.bodies == NULL || store->lake.bodies->previous == NULL);
    body->next = store->lake.bodies;
    if (body->next != NULL) {
        body->next->previous = body;
    }
    store->lake.bodies = body;
    *out = body;
    return STATUS_OK;
}

void store_body_free(struct store_body *body)
{
    if (body == NULL) {
        return;
    }
    if (body->store != NULL) {
        undo_drop(&body->store->undo, body);
        PP_ASSERT(body->previous != NULL ? body->previous->next == body
                                         : body->store->lake.bodies == body);
        PP_ASSERT(body->next == NULL || body->next->previous == body);
        if (body->previous != NULL) {
            body->previous->next = body->next;
        } else {
            body->store->lake.bodies = body->next;
        }
        if (body->next != NULL) {
            body->next->previous = body->previous;
        }
        body->store->lake.sweep_pending = body->store->lake.sweep_pending || body->written;
    }
    buf_release(&body->tail);
    free(body);
}

void store_lake_release(struct store *store)
{
    for (struct store_body *body = store->lake.bodies; body != NULL; body = body->next) {
        body->store = NULL;
    }
    store->lake.bodies = NULL;
    free(store->lake.pins);
    store->lake.pins = NULL;
    store->lake.pin_count = store->lake.pin_cap = 0;
}

uint64_t store_body_size(const struct store_body *body)
{
    return body->size;
}

size_t store_body_memory(const struct store_body *body)
{
    return sizeof(*body) + body->tail.cap;
}

static struct store_body *body_of_content(const struct store *store, int64_t content_id)
{
    struct store_body *body = store->lake.bodies;
    while (body != NULL && body->content_id != content_id) {
        body = body->next;
    }
    return body;
}

bool store_content_is_staged(const struct store *store, int64_t content_id)
{
    return body_of_content(store, content_id) != NULL;
}

static enum status check_alive(const struct store_body *body, struct error *err)
{
    PP_ASSERT(!body->used);
    if (body->store == NULL || body->lost) {
        return error_set(err, STATUS_FAILED,
                         "what had arrived of this body is gone with a turn that failed");
    }
    return STATUS_OK;
}

enum status store_body_target(struct store_body *body, int64_t *content_id, struct error *err)
{
    struct store_lake *lake = &body->store->lake;
    enum status status = check_alive(body, err);
    if (status == STATUS_OK && body->content_id == 0) {
        status = store_next_id(body->store, STMT_CONTENT_LAST_ID, &lake->last_content_id,
                               &body->content_id, err);
    }
    PP_ASSERT(status != STATUS_OK || body->content_id > 0);
    *content_id = body->content_id;
    return status;
}

static void body_back(void *owner, const void *payload)
{
    struct store_body *body = owner;
    (void)payload;
    body->lost = true;
}

static const struct undo_ops body_undo = {.back = body_back};

/* Before rows are written: a rolled-back turn must find the body that misses them. */
static enum status note_write(struct store_body *body, struct error *err)
{
    PP_ASSERT(!body->used && !body->lost);
    struct store *store = body->store;
    enum status status = store_write_begin(store, err);
    if (status == STATUS_OK && body->undo_epoch != undo_epoch(&store->undo)) {
        status = store_undo_reserve(store, err);
        if (status == STATUS_OK) {
            undo_push(&store->undo, &body_undo, body, NULL, 0);
            body->undo_epoch = undo_epoch(&store->undo);
        }
    }
    return status;
}

static int64_t chunk_id(int64_t content_id, uint64_t number)
{
    return (int64_t)((uint64_t)content_id << STORE_CHUNK_BITS | number);
}

static bool insert_chunk(struct store_body *body, struct span bytes)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&body->store->db, STMT_CHUNK_INSERT);
    if (stmt != NULL) {
        PP_ASSERT(body->content_id > 0 && body->chunk_count < UINT64_C(1) << STORE_CHUNK_BITS);
        PP_ASSERT(bytes.len > 0 && bytes.len <= STORE_CHUNK_BYTES);
        sqlite3_bind_int64(stmt, 1, chunk_id(body->content_id, body->chunk_count));
        sqlite_bind_span_blob(stmt, 2, bytes);
    }
    if (!store_step_done(stmt)) {
        return false;
    }
    body->chunk_count++;
    body->store->turn_records += STORE_CHUNK_RECORDS;
    return true;
}

static enum status write_chunk(struct store_body *body, struct span bytes, struct error *err)
{
    int64_t content_id = 0;
    enum status status = store_body_target(body, &content_id, err);
    if (status == STATUS_OK) {
        status = note_write(body, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    PP_ASSERT(body->store->turn == STORE_TURN_WRITING && content_id == body->content_id);
    bool new_row = !body->written;
    body->written = true;
    if ((new_row &&
         !store_run(body->store, STMT_CONTENT_INSERT, (int64_t[]){content_id, 0, 0}, 3)) ||
        !insert_chunk(body, bytes)) {
        return store_write_failed(body->store, "write a body", err);
    }
    return STATUS_OK;
}

static enum status flush_tail(struct store_body *body, struct error *err)
{
    PP_ASSERT(body->tail.len > 0);
    enum status status = write_chunk(body, buf_span(&body->tail), err);
    if (status == STATUS_OK) {
        buf_reset(&body->tail);
    }
    return status;
}

/* Takes what goes into the next chunk off the front of *bytes. */
static enum status append_some(struct store_body *body, struct span *bytes, struct error *err)
{
    enum status status = STATUS_OK;
    size_t room = STORE_CHUNK_BYTES - body->tail.len;
    size_t take = bytes->len < room ? bytes->len : room;
    PP_ASSERT(body->tail.len <= STORE_CHUNK_BYTES && body->tail.len <= body->size);
    /* Every chunk but the last is full, so that a position tells its chunk. */
    PP_ASSERT(body->chunk_count * STORE_CHUNK_BYTES + body->tail.len == body->size);
    bool stays_inline =
        body->small && !body->written && body->size + bytes->len <= STORE_INLINE_BYTES_MAX;
    if (take == STORE_CHUNK_BYTES && !stays_inline) {
        status = write_chunk(body, span_first(*bytes, take), err);
    } else if (take == 0) {
        return flush_tail(body, err);
    } else {
        buf_append(&body->tail, bytes->ptr, take);
        status =
            buf_ok(&body->tail) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    if (status == STATUS_OK) {
        body->size += take;
        *bytes = span_skip(*bytes, take);
    }
    return status;
}

enum status store_body_append(struct store_body *body, struct span bytes, struct error *err)
{
    enum status status = check_alive(body, err);
    if (status == STATUS_OK && bytes.len > STORE_BODY_BYTES_MAX - body->size) {
        status = error_set(err, STATUS_LIMIT, "a body has at most %llu bytes",
                           (unsigned long long)STORE_BODY_BYTES_MAX);
    }
    while (status == STATUS_OK && bytes.len > 0) {
        status = append_some(body, &bytes, err);
    }
    if (status != STATUS_OK) {
        body->lost = true; /* nobody knows how much of these bytes it has */
    }
    return status;
}

bool store_body_inline(const struct store_body *body, struct span *bytes)
{
    *bytes = body->tail.ptr != NULL ? buf_span(&body->tail) : SPAN_EMPTY;
    bool is_whole =
        body->small && !body->written && !body->lost && body->size <= STORE_INLINE_BYTES_MAX;
    PP_ASSERT(!is_whole || bytes->len == body->size);
    return is_whole;
}

enum status store_body_seal(struct store_body *body, struct error *err)
{
    struct store *store = body->store;
    int64_t content_id = 0;
    enum status status = store_body_target(body, &content_id, err);
    if (status == STATUS_OK && body->tail.len > 0) {
        status = flush_tail(body, err);
    }
    if (status == STATUS_OK) {
        status = note_write(body, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    PP_ASSERT(body->tail.len == 0 && body->size <= body->chunk_count * STORE_CHUNK_BYTES);
    int64_t size = (int64_t)body->size;
    bool done = body->written
                    ? store_run(store, STMT_CONTENT_SEAL, (int64_t[]){content_id, size}, 2)
                    : store_run(store, STMT_CONTENT_INSERT, (int64_t[]){content_id, size, 1}, 3);
    body->written = true;
    body->used = true;
    buf_release(&body->tail);
    return done ? STATUS_OK : store_write_failed(store, "write a body", err);
}

/* --- references --- */

bool store_content_ref(struct store *store, int64_t content_id, int64_t change)
{
    PP_ASSERT(store->turn == STORE_TURN_WRITING && (change == 1 || change == -1));
    store->lake.sweep_pending = store->lake.sweep_pending || change < 0;
    return store_run(store, STMT_CONTENT_REF, (int64_t[]){content_id, change}, 2);
}

/* --- pieces --- */

void store_pieces_release(struct store_pieces *pieces)
{
    free(pieces->items);
    *pieces = (struct store_pieces){0};
}

static enum status pieces_push(struct store_pieces *pieces, struct store_piece piece,
                               struct error *err)
{
    enum status status =
        ARRAY_RESERVE(pieces->items, pieces->cap, pieces->count + 1, STORE_PIECES_MAX);
    if (status == STATUS_LIMIT) {
        return error_set(err, status, "the bytes are in more than %d pieces", STORE_PIECES_MAX);
    }
    if (status != STATUS_OK) {
        return error_set(err, status, "out of memory");
    }
    pieces->items[pieces->count++] = piece;
    pieces->size += piece.size;
    return STATUS_OK;
}

static enum status content_damaged(struct store *store, int64_t content_id, struct error *err)
{
    return error_set(err, STATUS_CORRUPT, "%s: bytes of content %lld are missing", store->db.path,
                     (long long)content_id);
}

/* --- pieces, one after another --- */

typedef enum status (*piece_fn)(void *ctx, struct store_piece piece, struct error *err);

/* Takes the part of the range that the row's piece has off the rest. */
static enum status cut_piece(struct store *store, sqlite3_stmt *stmt, struct store_piece *rest,
                             struct store_piece *out, struct error *err)
{
    uint64_t start = (uint64_t)sqlite3_column_int64(stmt, 0);
    uint64_t size = (uint64_t)sqlite3_column_int64(stmt, 1);
    if (start > rest->start || rest->start - start >= size) {
        return content_damaged(store, rest->content_id, err);
    }
    uint64_t skip = rest->start - start;
    uint64_t take = size - skip < rest->size ? size - skip : rest->size;
    *out = (struct store_piece){
        .content_id = sqlite3_column_int64(stmt, 2),
        .start = (uint64_t)sqlite3_column_int64(stmt, 3) + skip,
        .size = take,
    };
    rest->start += take;
    rest->size -= take;
    return STATUS_OK;
}

/* Calls visit for the range's pieces of plain contents, in order. */
static enum status pieces_visit(struct store *store, struct store_piece range, piece_fn visit,
                                void *ctx, struct error *err)
{
    if (range.size == 0) {
        return STATUS_OK;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_PIECE_LIST);
    if (stmt == NULL) {
        return store_read_failed(store, "find the pieces of a content", err);
    }
    sqlite3_bind_int64(stmt, 1, range.content_id);
    sqlite3_bind_int64(stmt, 2, (int64_t)range.start);
    sqlite3_bind_int64(stmt, 3, (int64_t)(range.start + range.size));
    struct store_piece rest = range;
    enum status status = STATUS_OK;
    int step = SQLITE_DONE;
    while (status == STATUS_OK && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_piece piece;
        status = cut_piece(store, stmt, &rest, &piece, err);
        if (status == STATUS_OK) {
            status = visit(ctx, piece, err);
        }
    }
    if (status == STATUS_OK && step != SQLITE_DONE) {
        status = store_read_failed(store, "find the pieces of a content", err);
    }
    PP_ASSERT(rest.size <= range.size && rest.start - range.start == range.size - rest.size);
    sqlite3_reset(stmt);
    if (status == STATUS_OK && rest.size == range.size) {
        return visit(ctx, range, err); /* no pieces: a plain content */
    }
    return status == STATUS_OK && rest.size > 0 ? content_damaged(store, range.content_id, err)
                                                : status;
}

static enum status add_piece(void *ctx, struct store_piece piece, struct error *err)
{
    return pieces_push(ctx, piece, err);
}

enum status store_pieces_add(struct store *store, struct store_piece range,
                             struct store_pieces *pieces, struct error *err)
{
    return pieces_visit(store, range, add_piece, pieces, err);
}

static enum status content_size(struct store *store, int64_t content_id, uint64_t *size,
                                struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_CONTENT_SIZE);
    if (stmt == NULL) {
        return store_read_failed(store, "read a content", err);
    }
    sqlite3_bind_int64(stmt, 1, content_id);
    bool found;
    enum status status = store_read_row(store, stmt, "read a content", &found, err);
    if (found) {
        *size = (uint64_t)sqlite3_column_int64(stmt, 0);
    } else if (status == STATUS_OK) {
        status = content_damaged(store, content_id, err);
    }
    sqlite3_reset(stmt);
    return status;
}

enum status store_pieces_target(struct store *store, const struct store_pieces *pieces,
                                int64_t *content_id, struct error *err)
{
    if (pieces->count == 1 && pieces->items[0].start == 0) {
        uint64_t size = 0;
        enum status status = content_size(store, pieces->items[0].content_id, &size, err);
        if (status != STATUS_OK || size == pieces->size) {
            *content_id = pieces->items[0].content_id;
            return status;
        }
    }
    return store_next_id(store, STMT_CONTENT_LAST_ID, &store->lake.last_content_id, content_id,
                         err);
}

enum status store_pieces_link(struct store *store, const struct store_pieces *pieces,
                              int64_t content_id, struct error *err)
{
    enum status status = store_write_begin(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (pieces->count == 1 && pieces->items[0].content_id == content_id) {
        return store_content_ref(store, content_id, 1)
                   ? STATUS_OK
                   : store_write_failed(store, "link a content", err);
    }
    bool done =
        store_run(store, STMT_CONTENT_INSERT, (int64_t[]){content_id, (int64_t)pieces->size, 1}, 3);
    int64_t start = 0;
    for (size_t i = 0; done && i < pieces->count; i++) {
        const struct store_piece *piece = &pieces->items[i];
        int64_t row[] = {content_id, start, (int64_t)piece->size, piece->content_id,
                         (int64_t)piece->start};
        done = store_run(store, STMT_PIECE_INSERT, row, ARRAY_COUNT(row)) &&
               store_content_ref(store, piece->content_id, 1);
        start += (int64_t)piece->size;
    }
    PP_ASSERT(!done || (uint64_t)start == pieces->size);
    return done ? STATUS_OK : store_write_failed(store, "link contents", err);
}

/* --- reading --- */

struct reading {
    struct store *store;
    struct buf *out;
};

/* The part of one chunk that the piece begins with; takes it off the piece. */
static enum status read_chunk(struct reading *reading, struct store_piece *piece, struct error *err)
{
    struct store *store = reading->store;
    uint64_t number = piece->start / STORE_CHUNK_BYTES;
    size_t position = (size_t)(piece->start % STORE_CHUNK_BYTES);
    size_t take = STORE_CHUNK_BYTES - position;
    take = take < piece->size ? take : (size_t)piece->size;
    PP_ASSERT(take > 0 && position + take <= STORE_CHUNK_BYTES);
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_CHUNK_READ);
    if (stmt == NULL) {
        return store_read_failed(store, "read a content", err);
    }
    sqlite3_bind_int64(stmt, 1, chunk_id(piece->content_id, number));
    enum status status = STATUS_OK;
    int step = sqlite3_step(stmt);
    struct span bytes = step == SQLITE_ROW ? sqlite_column_span(stmt, 0) : SPAN_EMPTY;
    if (step != SQLITE_ROW && step != SQLITE_DONE) {
        status = store_read_failed(store, "read a content", err);
    } else if (bytes.len < position + take) {
        status = content_damaged(store, piece->content_id, err);
    } else {
        buf_append(reading->out, bytes.ptr + position, take);
        status =
            buf_ok(reading->out) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    sqlite3_reset(stmt);
    piece->start += take;
    piece->size -= take;
    return status;
}

static enum status read_piece(void *ctx, struct store_piece piece, struct error *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && piece.size > 0) {
        status = read_chunk(ctx, &piece, err);
    }
    return status;
}

enum status store_content_read(struct store *store, struct store_piece range, struct buf *out,
                               struct error *err)
{
    struct reading reading = {store, out};
    size_t before = out->len;
    enum status status = pieces_visit(store, range, read_piece, &reading, err);
    PP_ASSERT(status != STATUS_OK || out->len - before == range.size);
    return status;
}
