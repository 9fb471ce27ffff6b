/* Multipart uploads. Each part is a content of its own; completing joins their pieces under the key
 * and copies no byte. An upload that has ended is dead, and its parts give up their references
 * slice by slice behind the turns. */
#include "store_internal.h"

#include <stdlib.h>

/* --- uploads --- */

enum status store_upload_create(struct store *store, const struct store_upload *upload,
                                struct error *err)
{
    PP_ASSERT(upload->id.len > 0 && upload->key.len > 0);
    enum status status = store_write_begin(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_UPLOAD_INSERT);
    if (stmt != NULL) {
        sqlite_bind_span_text(stmt, 1, upload->id);
        sqlite3_bind_int64(stmt, 2, upload->bucket_id);
        sqlite_bind_span_text(stmt, 3, upload->key);
        sqlite3_bind_int64(stmt, 4, upload->created_ms);
        store_bind_optional(stmt, 5, upload->headers);
        store_bind_optional(stmt, 6, upload->checksum_algorithm);
    }
    if (!store_step_done(stmt)) {
        return store_write_failed(store, "create an upload", err);
    }
    return sqlite3_changes(store->db.handle) > 0
               ? STATUS_OK
               : error_set(err, STATUS_NOT_FOUND, "the bucket is gone");
}

static enum status no_upload(struct error *err)
{
    return error_set(err, STATUS_NOT_FOUND, "there is no such upload");
}

static bool keep_upload(struct arena *arena, struct store_upload *upload)
{
    return store_span_keep(arena, upload->id, &upload->id) &&
           store_span_keep(arena, upload->key, &upload->key) &&
           store_span_keep(arena, upload->headers, &upload->headers) &&
           store_span_keep(arena, upload->checksum_algorithm, &upload->checksum_algorithm);
}

enum status store_upload_find(struct store *store, struct store_upload_place place,
                              struct arena *arena, struct store_upload *out, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_UPLOAD_FIND);
    if (stmt == NULL) {
        return store_read_failed(store, "find an upload", err);
    }
    sqlite_bind_span_text(stmt, 1, place.id);
    bool found;
    enum status status = store_read_row(store, stmt, "find an upload", &found, err);
    if (found) {
        struct store_upload upload = {
            .id = place.id,
            .bucket_id = sqlite3_column_int64(stmt, 0),
            .key = sqlite_column_span(stmt, 1),
            .created_ms = sqlite3_column_int64(stmt, 2),
            .headers = sqlite_column_span(stmt, 3),
            .checksum_algorithm = sqlite_column_span(stmt, 4),
        };
        if (upload.bucket_id != place.bucket_id || !span_equal(upload.key, place.key)) {
            status = no_upload(err);
        } else if (keep_upload(arena, &upload)) {
            *out = upload;
        } else {
            status = error_set(err, STATUS_NO_MEMORY, "out of memory");
        }
    } else if (status == STATUS_OK) {
        status = no_upload(err);
    }
    sqlite3_reset(stmt);
    return status;
}

/* NOT_FOUND when it is dead already. */
static enum status bury(struct store *store, struct span upload_id, struct error *err)
{
    enum status status = store_write_begin(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_UPLOAD_BURY);
    if (stmt != NULL) {
        sqlite_bind_span_text(stmt, 1, upload_id);
    }
    if (!store_step_done(stmt)) {
        return store_write_failed(store, "end an upload", err);
    }
    store->lake.sweep_pending = true;
    return sqlite3_changes(store->db.handle) > 0 ? STATUS_OK : no_upload(err);
}

enum status store_upload_abort(struct store *store, struct span upload_id, struct error *err)
{
    return bury(store, upload_id, err);
}

enum status store_uploads_visit(struct store *store, struct store_upload_range range,
                                bool (*visit)(void *ctx, const struct store_upload *upload),
                                void *ctx, struct error *err)
{
    PP_ASSERT(!store->visiting);
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_UPLOAD_LIST);
    if (stmt == NULL) {
        return store_read_failed(store, "list uploads", err);
    }
    sqlite3_bind_int64(stmt, 1, range.bucket_id);
    sqlite_bind_span_text(stmt, 2, range.after_key.len > 0 ? range.after_key : SPAN_EMPTY);
    if (range.after_id.len > 0) {
        sqlite_bind_span_text(stmt, 3, range.after_id);
    } else {
        sqlite_bind_span_blob(stmt, 3, SPAN_EMPTY); /* a blob is greater than every text */
    }
    bool more = true;
    int step = SQLITE_DONE;
    store->visiting = true;
    while (more && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_upload upload = {
            .id = sqlite_column_span(stmt, 0),
            .bucket_id = range.bucket_id,
            .key = sqlite_column_span(stmt, 1),
            .created_ms = sqlite3_column_int64(stmt, 2),
            .headers = sqlite_column_span(stmt, 3),
            .checksum_algorithm = sqlite_column_span(stmt, 4),
        };
        more = visit(ctx, &upload);
    }
    store->visiting = false;
    enum status status =
        !more || step == SQLITE_DONE ? STATUS_OK : store_read_failed(store, "list uploads", err);
    sqlite3_reset(stmt);
    return status;
}

/* --- parts --- */

struct part_row {
    int64_t upload;         /* its number */
    struct store_piece old; /* what is under the number already; all zero: nothing */
    const struct store_part *part;
    uint64_t size;
    int64_t content_id;
};

/* Fills upload and old. NOT_FOUND: the upload has ended. */
static enum status find_row(struct store *store, struct span upload_id, int32_t number,
                            struct part_row *out, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_PART_AT);
    if (stmt == NULL) {
        return store_read_failed(store, "find a part", err);
    }
    sqlite_bind_span_text(stmt, 1, upload_id);
    sqlite3_bind_int(stmt, 2, number);
    bool found;
    enum status status = store_read_row(store, stmt, "find a part", &found, err);
    if (found) {
        out->upload = sqlite3_column_int64(stmt, 0);
        out->old = (struct store_piece){
            .content_id = sqlite3_column_int64(stmt, 1),
            .size = (uint64_t)sqlite3_column_int64(stmt, 2),
        };
    } else if (status == STATUS_OK) {
        status = no_upload(err);
    }
    sqlite3_reset(stmt);
    return status;
}

/* The new content's reference is the caller's. */
static enum status part_put_row(struct store *store, const struct part_row *row, struct error *err)
{
    enum status status = store_write_begin(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_PART_PUT);
    if (stmt != NULL) {
        sqlite3_bind_int64(stmt, 1, row->upload);
        sqlite3_bind_int(stmt, 2, row->part->number);
        sqlite3_bind_int64(stmt, 3, (int64_t)row->size);
        sqlite_bind_span_text(stmt, 4, row->part->etag);
        store_bind_optional(stmt, 5, row->part->checksum);
        sqlite3_bind_int64(stmt, 6, row->part->modified_ms);
        sqlite3_bind_int64(stmt, 7, row->content_id);
    }
    if (!store_step_done(stmt) ||
        (row->old.content_id != 0 && !store_content_ref(store, row->old.content_id, -1))) {
        return store_write_failed(store, "write a part", err);
    }
    return STATUS_OK;
}

enum status store_part_put(struct store *store, struct span upload_id,
                           const struct store_part *part, struct store_body *body,
                           struct error *err)
{
    PP_ASSERT(part->number >= 1 && part->number <= STORE_PART_NUMBER_MAX);
    struct part_row row = {.part = part, .size = store_body_size(body)};
    enum status status = find_row(store, upload_id, part->number, &row, err);
    if (status == STATUS_OK) {
        status = store_body_target(body, &row.content_id, err);
    }
    if (status == STATUS_OK) {
        status = part_put_row(store, &row, err);
    }
    return status == STATUS_OK ? store_body_seal(body, err) : status;
}

/* From an object whose bytes stand in its row: at most one chunk. */
static enum status copy_inline(struct store *store, struct part_row *row, struct span bytes,
                               struct error *err)
{
    struct store_body *body = NULL;
    if (store_body_new(store, false, &body) != STATUS_OK) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    enum status status = store_body_append(body, bytes, err);
    if (status == STATUS_OK) {
        status = store_body_target(body, &row->content_id, err);
    }
    if (status == STATUS_OK) {
        status = part_put_row(store, row, err);
    }
    if (status == STATUS_OK) {
        status = store_body_seal(body, err);
    }
    store_body_free(body);
    return status;
}

static enum status copy_pieces(struct store *store, struct part_row *row, struct store_piece range,
                               struct error *err)
{
    struct store_pieces pieces = {0};
    enum status status = store_pieces_add(store, range, &pieces, err);
    PP_ASSERT(status != STATUS_OK || pieces.size == range.size);
    if (status == STATUS_OK) {
        status = store_pieces_target(store, &pieces, &row->content_id, err);
    }
    if (status == STATUS_OK) {
        status = part_put_row(store, row, err);
    }
    if (status == STATUS_OK) {
        status = store_pieces_link(store, &pieces, row->content_id, err);
    }
    store_pieces_release(&pieces);
    return status;
}

enum status store_part_copy(struct store *store, struct span upload_id,
                            const struct store_part *part, int64_t object_id, uint64_t start,
                            struct error *err)
{
    PP_ASSERT(part->number >= 1 && part->number <= STORE_PART_NUMBER_MAX);
    struct part_row row = {.part = part, .size = part->size};
    struct store_object_bytes bytes;
    enum status status = find_row(store, upload_id, part->number, &row, err);
    if (status == STATUS_OK) {
        /* Before the bytes are looked at: the first write of a run moves the last one's log, which
         * an open statement holds. */
        status = store_write_begin(store, err);
    }
    if (status == STATUS_OK) {
        status = store_object_bytes(store, object_id, &bytes, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (start > bytes.size || part->size > bytes.size - start) {
        status = error_set(err, STATUS_INVALID, "the object has only %llu bytes",
                           (unsigned long long)bytes.size);
    } else if (bytes.content_id == 0) {
        struct span from = span_skip(bytes.body, (size_t)start);
        status = copy_inline(store, &row, span_first(from, (size_t)part->size), err);
    } else {
        struct store_piece range = {bytes.content_id, start, part->size};
        status = copy_pieces(store, &row, range, err);
    }
    store_object_bytes_end(store);
    return status;
}

enum status store_parts_visit(struct store *store, struct span upload_id, int32_t after,
                              bool (*visit)(void *ctx, const struct store_part *part), void *ctx,
                              struct error *err)
{
    PP_ASSERT(!store->visiting);
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_PART_LIST);
    if (stmt == NULL) {
        return store_read_failed(store, "list parts", err);
    }
    sqlite_bind_span_text(stmt, 1, upload_id);
    sqlite3_bind_int(stmt, 2, after);
    bool more = true;
    int step = SQLITE_DONE;
    store->visiting = true;
    while (more && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_part part = {
            .number = sqlite3_column_int(stmt, 0),
            .size = (uint64_t)sqlite3_column_int64(stmt, 1),
            .etag = sqlite_column_span(stmt, 2),
            .checksum = sqlite_column_span(stmt, 3),
            .modified_ms = sqlite3_column_int64(stmt, 4),
        };
        more = visit(ctx, &part);
    }
    store->visiting = false;
    enum status status =
        !more || step == SQLITE_DONE ? STATUS_OK : store_read_failed(store, "list parts", err);
    sqlite3_reset(stmt);
    return status;
}

/* --- completing --- */

static enum status gather_part(struct store *store, struct span upload_id, int32_t number,
                               struct store_pieces *pieces, struct error *err)
{
    struct part_row row;
    enum status status = find_row(store, upload_id, number, &row, err);
    if (status == STATUS_OK && row.old.content_id == 0) {
        status = error_set(err, STATUS_NOT_FOUND, "there is no part %d", (int)number);
    }
    return status == STATUS_OK ? store_pieces_add(store, row.old, pieces, err) : status;
}

/* Behind the upload, which is buried already: any failure costs the turn, or the next commit would
 * keep neither the upload nor the object. */
static enum status place_completed(struct store *store, const struct store_new_object *object,
                                   const struct store_pieces *pieces, struct error *err)
{
    struct error why;
    enum status status = store_object_insert(store, object, &why);
    if (status == STATUS_OK) {
        status = store_pieces_link(store, pieces, object->content_id, &why);
    }
    if (status != STATUS_OK) {
        store_turn_fail(store, &why);
        error_set(err, status, "%s", why.message);
    }
    return status;
}

enum status store_upload_complete(struct store *store, struct span upload_id,
                                  const int32_t *numbers, size_t count,
                                  const struct store_object_put *put, struct error *err)
{
    PP_ASSERT(count > 0 && count <= STORE_PART_NUMBER_MAX);
    struct store_pieces pieces = {0};
    struct store_new_object object = {.put = put, .upload_id = upload_id};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        PP_ASSERT(numbers[i] > (i > 0 ? numbers[i - 1] : 0));
        status = gather_part(store, upload_id, numbers[i], &pieces, err);
    }
    if (status == STATUS_OK) {
        status = store_pieces_target(store, &pieces, &object.content_id, err);
    }
    if (status == STATUS_OK) {
        status = bury(store, upload_id, err);
    }
    if (status == STATUS_OK) {
        object.size = pieces.size;
        status = place_completed(store, &object, &pieces, err);
    }
    store_pieces_release(&pieces);
    return status;
}
