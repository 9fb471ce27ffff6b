/* Record batches that are kept as they came: what a producer sent by Kafka's protocol, compressed
 * or not, and gets back byte by byte (but for the offset in front, which is nobody's but the
 * log's).
 *
 * A batch stands beside its records, not in place of them: each record is a row of the log like any
 * other, so that REST consumers, the sink, searches by time and the view `records` need not know of
 * batches, and a log without batches costs nothing for them. What a batch is inside is the caller's
 * matter; here it is bytes and a range of offsets.
 *
 * Invariant: every offset of a batch is a record of the log, because both are written in one turn.
 */
#include "store_internal.h"

static bool batch_insert(struct store *store, int64_t tp, const struct store_batch *batch)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_BATCH_INSERT);
    if (stmt != NULL) {
        sqlite3_bind_int64(stmt, 1, tp);
        sqlite3_bind_int64(stmt, 2, batch->first_offset);
        sqlite3_bind_int64(stmt, 3, batch->last_offset);
        sqlite_bind_span_blob(stmt, 4, batch->bytes);
    }
    return store_step_done(stmt);
}

enum status store_batch_append(struct store *store, struct store_place place,
                               const struct store_batch_put *put, int64_t *first_offset,
                               struct error *err)
{
    if (put->count == 0 || put->bytes.len == 0 || put->bytes.len > STORE_BATCH_BYTES_MAX) {
        return error_set(err, STATUS_INVALID, "a batch has 1 to %d bytes and a record at least",
                         STORE_BATCH_BYTES_MAX);
    }
    struct store_batch batch = {.bytes = put->bytes};
    for (size_t i = 0; i < put->count; i++) {
        int64_t offset;
        enum status status = store_record_append(store, place, &put->records[i], &offset, err);
        if (status != STATUS_OK) {
            return status; /* and the turn has failed, with the records before this one */
        }
        batch.first_offset = i == 0 ? offset : batch.first_offset;
        batch.last_offset = offset;
    }
    PP_ASSERT(batch.last_offset - batch.first_offset == (int64_t)put->count - 1);
    if (!batch_insert(store, place.topic->partitions[place.partition].tp, &batch)) {
        return store_write_failed(store, "keep a record batch", err);
    }
    *first_offset = batch.first_offset;
    return STATUS_OK;
}

/* A batch that ends elsewhere would keep its readers at the same place for ever. */
static bool batch_is_in_log(sqlite3_stmt *stmt, const struct store_partition *partition,
                            int64_t offset)
{
    int64_t first = sqlite3_column_int64(stmt, 0);
    int64_t last = sqlite3_column_int64(stmt, 1);
    return first >= 0 && first <= last && last >= offset && last < partition->next_offset;
}

enum status store_batch_find(struct store *store, struct store_place place, int64_t offset,
                             struct store_batch *out, struct buf *bytes, struct error *err)
{
    PP_ASSERT(place.partition >= 0 && place.partition < place.topic->partition_count);
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_BATCH_FIND);
    if (stmt == NULL) {
        return store_read_failed(store, "find a record batch", err);
    }
    sqlite3_bind_int64(stmt, 1, place.topic->partitions[place.partition].tp);
    sqlite3_bind_int64(stmt, 2, offset);
    bool found;
    enum status status = store_read_row(store, stmt, "find a record batch", &found, err);
    if (found && !batch_is_in_log(stmt, &place.topic->partitions[place.partition], offset)) {
        status =
            error_set(err, STATUS_CORRUPT, "%s: a record batch of topic %.*s is not in its log",
                      store->db.path, SPAN_ARG(place.topic->name));
    } else if (found) {
        size_t start = bytes->len;
        struct span kept = sqlite_column_span(stmt, 2);
        buf_append_span(bytes, kept);
        *out = (struct store_batch){.first_offset = sqlite3_column_int64(stmt, 0),
                                    .last_offset = sqlite3_column_int64(stmt, 1)};
        if (buf_ok(bytes)) {
            out->bytes = span_from(bytes->ptr + start, bytes->len - start);
        } else if (kept.len > bytes->max - start) {
            status = error_set(err, STATUS_LIMIT, "there is no room for a record batch");
        } else {
            status = error_no_memory(err);
        }
    } else if (status == STATUS_OK) {
        status = error_set(err, STATUS_NOT_FOUND, "no record batch from offset %lld on",
                           (long long)offset);
    }
    sqlite3_reset(stmt);
    return status;
}
