/* Objects: put, found, copied, read, deleted, listed, pinned.
 *
 * A new key costs one INSERT, which is what the sink does a thousand times a turn: only when it
 * finds the key taken is anything looked up. An object that goes takes one row and one reference
 * with it, however large it is; while somebody downloads it, its row stays, dead. */
#include "store_internal.h"

#include "array.h"

#include <stdlib.h>

/* --- pins --- */

static struct store_pin *pin_of(const struct store *store, int64_t object_id)
{
    for (size_t i = 0; i < store->lake.pin_count; i++) {
        if (store->lake.pins[i].object_id == object_id) {
            return &store->lake.pins[i];
        }
    }
    return NULL;
}

bool store_object_is_pinned(const struct store *store, int64_t object_id)
{
    return pin_of(store, object_id) != NULL;
}

enum status store_object_pin(struct store *store, int64_t object_id)
{
    struct store_lake *lake = &store->lake;
    struct store_pin *pin = pin_of(store, object_id);
    if (pin != NULL) {
        PP_ASSERT(pin->count > 0);
        pin->count++;
        return STATUS_OK;
    }
    if (ARRAY_RESERVE(lake->pins, lake->pin_cap, lake->pin_count + 1, ARRAY_NO_MAX) != STATUS_OK) {
        return STATUS_NO_MEMORY;
    }
    lake->pins[lake->pin_count++] = (struct store_pin){.object_id = object_id, .count = 1};
    return STATUS_OK;
}

void store_object_unpin(struct store *store, int64_t object_id)
{
    struct store_pin *pin = pin_of(store, object_id);
    PP_ASSERT(pin != NULL && pin->count > 0);
    if (--pin->count == 0) {
        *pin = store->lake.pins[--store->lake.pin_count];
        store->lake.sweep_pending = true; /* it may be dead */
    }
}

/* --- writing --- */

static bool run_insert(struct store *store, const struct store_new_object *object, int64_t id)
{
    const struct store_object_put *put = object->put;
    bool copied = object->source_id != 0;
    sqlite3_stmt *stmt =
        sqlite_db_statement(&store->db, copied ? STMT_OBJECT_INSERT_COPY : STMT_OBJECT_INSERT);
    if (PP_UNLIKELY(stmt == NULL)) {
        return false;
    }
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, put->bucket_id);
    sqlite_bind_span_text(stmt, 3, put->key);
    sqlite3_bind_int64(stmt, 4, (int64_t)object->size);
    sqlite_bind_span_text(stmt, 5, put->etag);
    sqlite3_bind_int64(stmt, 6, put->modified_ms);
    store_bind_optional(stmt, 7, put->headers);
    store_bind_optional(stmt, 8, put->checksum);
    store_bind_optional(stmt, 9, object->upload_id);
    if (copied) {
        sqlite3_bind_int64(stmt, 11, object->source_id);
    }
    if (object->content_id != 0) {
        sqlite3_bind_int64(stmt, 10, object->content_id);
    } else if (!copied) {
        /* A null pointer would be NULL, not empty. */
        sqlite3_bind_blob64(stmt, 11, object->body.len > 0 ? object->body.ptr : "",
                            object->body.len, SQLITE_STATIC);
    }
    return store_step_done(stmt);
}

struct place {
    int64_t object_id; /* 0: nothing is under the key */
    int64_t content_id;
};

static enum status object_place_find(struct store *store, int64_t bucket_id, struct span key,
                                     struct place *out, struct error *err)
{
    *out = (struct place){0};
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_OBJECT_AT);
    if (stmt == NULL) {
        return store_read_failed(store, "find an object", err);
    }
    sqlite3_bind_int64(stmt, 1, bucket_id);
    sqlite_bind_span_text(stmt, 2, key);
    bool found;
    enum status status = store_read_row(store, stmt, "find an object", &found, err);
    if (found) {
        out->object_id = sqlite3_column_int64(stmt, 0);
        out->content_id = sqlite3_column_int64(stmt, 1);
    }
    sqlite3_reset(stmt);
    return status;
}

/* The row goes, unless a download still reads it; dead already or not. */
static bool drop(struct store *store, struct place place)
{
    PP_ASSERT(store->turn == STORE_TURN_WRITING && place.object_id != 0);
    store->lake.sweep_pending = true;
    if (store_object_is_pinned(store, place.object_id)) {
        return store_run(store, STMT_OBJECT_BURY, &place.object_id, 1);
    }
    return store_run(store, STMT_OBJECT_DELETE, &place.object_id, 1) &&
           (place.content_id == 0 || store_content_ref(store, place.content_id, -1));
}

/* A copy may be of the old row itself, which then goes last and gives up only its key first. */
static enum status replace(struct store *store, const struct store_new_object *object, int64_t id,
                           struct error *err)
{
    struct place old;
    enum status status =
        object_place_find(store, object->put->bucket_id, object->put->key, &old, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (old.object_id == 0) {
        return error_set(err, STATUS_CORRUPT, "%s: a key is taken, but by no object",
                         store->db.path);
    }
    bool goes_last = object->source_id != 0;
    if (!(goes_last ? store_run(store, STMT_OBJECT_BURY, &old.object_id, 1) : drop(store, old)) ||
        !run_insert(store, object, id) || (goes_last && !drop(store, old))) {
        return store_write_failed(store, "replace an object", err);
    }
    return STATUS_OK;
}

enum status store_object_insert(struct store *store, const struct store_new_object *object,
                                struct error *err)
{
    int64_t id = 0;
    enum status status = store_bucket_check(store, object->put->bucket_id, err);
    if (status == STATUS_OK) {
        status = store_write_begin(store, err);
    }
    if (status == STATUS_OK) {
        status = store_next_id(store, STMT_OBJECT_LAST_ID, &store->lake.last_object_id, &id, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    PP_ASSERT(id > 0 && store->turn == STORE_TURN_WRITING);
    if (PP_UNLIKELY(!run_insert(store, object, id))) {
        return store_write_failed(store, "write an object", err);
    }
    if (sqlite3_changes(store->db.handle) == 0) {
        status = replace(store, object, id, err);
    }
    store->turn_records++;
    return status;
}

static enum status put_body(struct store *store, const struct store_object_put *put,
                            struct error *err)
{
    struct store_new_object object = {.put = put, .size = store_body_size(put->body)};
    if (store_body_inline(put->body, &object.body)) {
        return store_object_insert(store, &object, err);
    }
    enum status status = store_body_target(put->body, &object.content_id, err);
    if (status == STATUS_OK) {
        status = store_object_insert(store, &object, err);
    }
    return status == STATUS_OK ? store_body_seal(put->body, err) : status;
}

enum status store_object_put(struct store *store, const struct store_object_put *put,
                             struct error *err)
{
    if (put->body != NULL) {
        return put_body(store, put, err);
    }
    PP_ASSERT(put->bytes.len <= STORE_INLINE_BYTES_MAX);
    const struct store_new_object object = {.put = put, .size = put->bytes.len, .body = put->bytes};
    return store_object_insert(store, &object, err);
}

enum status store_object_copy(struct store *store, const struct store_object *source,
                              const struct store_object_put *put, struct error *err)
{
    struct store_object_bytes bytes;
    enum status status = store_object_bytes(store, source->id, &bytes, err);
    if (status != STATUS_OK) {
        return status;
    }
    store_object_bytes_end(store);
    const struct store_new_object object = {
        .put = put, .size = bytes.size, .content_id = bytes.content_id, .source_id = source->id};
    status = store_object_insert(store, &object, err);
    if (status == STATUS_OK && bytes.content_id != 0 &&
        !store_content_ref(store, bytes.content_id, 1)) {
        status = store_write_failed(store, "copy an object", err);
    }
    return status;
}

enum status store_object_delete(struct store *store, int64_t bucket_id, struct span key,
                                bool *existed, struct error *err)
{
    struct place place;
    enum status status = object_place_find(store, bucket_id, key, &place, err);
    if (existed != NULL) {
        *existed = status == STATUS_OK && place.object_id != 0;
    }
    if (status != STATUS_OK || place.object_id == 0) {
        return status;
    }
    status = store_write_begin(store, err);
    if (status == STATUS_OK && !drop(store, place)) {
        status = store_write_failed(store, "delete an object", err);
    }
    return status;
}

/* --- reading --- */

static bool keep_object(struct arena *arena, struct store_object *object)
{
    return store_span_keep(arena, object->key, &object->key) &&
           store_span_keep(arena, object->etag, &object->etag) &&
           store_span_keep(arena, object->headers, &object->headers) &&
           store_span_keep(arena, object->checksum, &object->checksum) &&
           store_span_keep(arena, object->upload_id, &object->upload_id);
}

enum status store_object_find(struct store *store, int64_t bucket_id, struct span key,
                              struct arena *arena, struct store_object *out, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_OBJECT_FIND);
    if (stmt == NULL) {
        return store_read_failed(store, "find an object", err);
    }
    sqlite3_bind_int64(stmt, 1, bucket_id);
    sqlite_bind_span_text(stmt, 2, key);
    bool found;
    enum status status = store_read_row(store, stmt, "find an object", &found, err);
    if (found) {
        struct store_object object = {
            .id = sqlite3_column_int64(stmt, 0),
            .bucket_id = bucket_id,
            .size = (uint64_t)sqlite3_column_int64(stmt, 1),
            .modified_ms = sqlite3_column_int64(stmt, 2),
            .key = key,
            .etag = sqlite_column_span(stmt, 3),
            .headers = sqlite_column_span(stmt, 4),
            .checksum = sqlite_column_span(stmt, 5),
            .upload_id = sqlite_column_span(stmt, 6),
        };
        if (keep_object(arena, &object)) {
            *out = object;
        } else {
            status = error_set(err, STATUS_NO_MEMORY, "out of memory");
        }
    } else if (status == STATUS_OK) {
        status = error_set(err, STATUS_NOT_FOUND, "there is no such object");
    }
    sqlite3_reset(stmt);
    return status;
}

enum status store_object_bytes(struct store *store, int64_t object_id,
                               struct store_object_bytes *out, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_OBJECT_BYTES);
    if (stmt == NULL) {
        return store_read_failed(store, "read an object", err);
    }
    sqlite3_bind_int64(stmt, 1, object_id);
    bool found;
    enum status status = store_read_row(store, stmt, "read an object", &found, err);
    if (found) {
        *out = (struct store_object_bytes){
            .size = (uint64_t)sqlite3_column_int64(stmt, 0),
            .content_id = sqlite3_column_int64(stmt, 1),
            .body = sqlite_column_span(stmt, 2),
        };
        if (out->content_id == 0 && out->body.len != out->size) {
            sqlite3_reset(stmt);
            return error_set(err, STATUS_CORRUPT, "%s: bytes of object %lld are missing",
                             store->db.path, (long long)object_id);
        }
        return STATUS_OK;
    }
    sqlite3_reset(stmt);
    return status == STATUS_OK ? error_set(err, STATUS_NOT_FOUND, "the object is gone") : status;
}

void store_object_bytes_end(struct store *store)
{
    sqlite3_reset(sqlite_db_statement(&store->db, STMT_OBJECT_BYTES));
}

static enum status read_range(struct store *store, const struct store_object_bytes *bytes,
                              struct store_piece range, struct buf *out, struct error *err)
{
    if (bytes->content_id != 0) {
        return store_content_read(store, range, out, err);
    }
    PP_ASSERT(range.start <= bytes->body.len && range.size <= bytes->body.len - range.start);
    buf_append_span(out,
                    span_first(span_skip(bytes->body, (size_t)range.start), (size_t)range.size));
    return buf_ok(out) ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "out of memory");
}

enum status store_object_read(struct store *store, int64_t object_id, uint64_t offset, size_t max,
                              struct buf *out, struct error *err)
{
    struct store_object_bytes bytes;
    enum status status = store_object_bytes(store, object_id, &bytes, err);
    if (status != STATUS_OK) {
        return status;
    }
    PP_ASSERT(out->len <= out->max);
    size_t room = out->max - out->len;
    uint64_t take = max < room ? max : room;
    uint64_t left = offset < bytes.size ? bytes.size - offset : 0;
    take = take < left ? take : left;
    if (take > 0) {
        struct store_piece range = {bytes.content_id, offset, take};
        status = read_range(store, &bytes, range, out, err);
    }
    store_object_bytes_end(store);
    return status;
}

enum status store_object_piece(struct store *store, int64_t object_id, int64_t number,
                               struct store_object_piece *out, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_OBJECT_PIECE);
    if (stmt == NULL) {
        return store_read_failed(store, "find a piece of an object", err);
    }
    sqlite3_bind_int64(stmt, 1, object_id);
    sqlite3_bind_int64(stmt, 2, number);
    bool found;
    enum status status = store_read_row(store, stmt, "find a piece of an object", &found, err);
    if (found) {
        *out = (struct store_object_piece){.start = (uint64_t)sqlite3_column_int64(stmt, 0),
                                           .size = (uint64_t)sqlite3_column_int64(stmt, 1),
                                           .count = sqlite3_column_int64(stmt, 2)};
    } else if (status == STATUS_OK) {
        status = error_set(err, STATUS_NOT_FOUND, "there is no such piece");
    }
    sqlite3_reset(stmt);
    return status;
}

enum status store_objects_visit(struct store *store, struct store_object_range range,
                                bool (*visit)(void *ctx, const struct store_object *object),
                                void *ctx, struct error *err)
{
    PP_ASSERT(!store->visiting);
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, range.after ? STMT_OBJECT_LIST_AFTER
                                                                     : STMT_OBJECT_LIST_FROM);
    if (stmt == NULL) {
        return store_read_failed(store, "list objects", err);
    }
    sqlite3_bind_int64(stmt, 1, range.bucket_id);
    sqlite_bind_span_text(stmt, 2, range.from.len > 0 ? range.from : SPAN_EMPTY);
    bool more = true;
    int step = SQLITE_DONE;
    store->visiting = true;
    while (more && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_object object = {
            .id = sqlite3_column_int64(stmt, 0),
            .bucket_id = range.bucket_id,
            .size = (uint64_t)sqlite3_column_int64(stmt, 2),
            .key = sqlite_column_span(stmt, 1),
            .etag = sqlite_column_span(stmt, 3),
            .modified_ms = sqlite3_column_int64(stmt, 4),
            .headers = SPAN_EMPTY,
            .checksum = sqlite_column_span(stmt, 5),
            .upload_id = SPAN_EMPTY,
        };
        more = visit(ctx, &object);
    }
    store->visiting = false;
    enum status status =
        !more || step == SQLITE_DONE ? STATUS_OK : store_read_failed(store, "list objects", err);
    sqlite3_reset(stmt);
    return status;
}
