/* The sweep behind the turns, slice by slice: the rows of deleted topics, and in the lake what
 * ended uploads, deleted objects and abandoned bodies have left.
 *
 * A slice looks before it writes, so that finding nothing opens no transaction, and does a bounded
 * number of rows and bytes. The order is that of the references: parts and objects give theirs up
 * first, contents without any go last. Nothing is remembered between slices, so that what a killed
 * process has left is found by the same looks. */
#include "store_internal.h"

/* --- deleted topics --- */

/* Is any topic waiting for the sweep? 0: none. */
static enum status sweep_find_topic(struct store *store, int64_t *topic_id, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_SWEEP_FIND);
    int step = stmt != NULL ? sqlite3_step(stmt) : SQLITE_ERROR;
    enum status status = STATUS_OK;
    if (step == SQLITE_ROW) {
        *topic_id = sqlite3_column_int64(stmt, 0);
    } else if (step == SQLITE_DONE) {
        *topic_id = 0;
    } else {
        status = store_read_failed(store, "look for deleted topics", err);
    }
    sqlite3_reset(stmt);
    return status;
}

/* Deletes at most `limit` rows that belong to the topic; *some says whether there were any. */
static bool sweep_rows(struct store *store, enum store_statement id, int64_t topic_id,
                       int64_t limit, bool *some)
{
    bool done = store_run(store, id, (int64_t[]){topic_id, limit}, 2);
    *some = done && sqlite3_changes(store->db.handle) > 0;
    return done;
}

/* One slice inside the open transaction: batches, then records; partitions and configuration go
 * with the topic's row. False when a statement failed. */
static bool sweep_topic(struct store *store, int64_t topic_id)
{
    PP_ASSERT(store->turn == STORE_TURN_WRITING && topic_id != 0);
    bool some = false;
    bool done = sweep_rows(store, STMT_SWEEP_BATCHES, topic_id, STORE_SWEEP_BATCHES, &some);
    if (done && !some) {
        done = sweep_rows(store, STMT_SWEEP_RECORDS, topic_id, STORE_SWEEP_ROWS, &some);
    }
    if (done && !some) {
        done = store_run(store, STMT_SWEEP_TOPIC, &topic_id, 1);
    }
    return done;
}

void store_topics_sweep(struct store *store)
{
    PP_ASSERT(store->turn == STORE_TURN_IDLE); /* a slice is a turn of its own */
    int64_t topic_id = 0;
    struct error why;
    enum status status = sweep_find_topic(store, &topic_id, &why);
    if (status == STATUS_OK && topic_id == 0) {
        store->sweep_pending = false;
        return;
    }
    if (status == STATUS_OK) {
        status = store_write_begin(store, &why);
    }
    if (status == STATUS_OK && !sweep_topic(store, topic_id)) {
        status = store_write_failed(store, "sweep a deleted topic", &why);
    }
    if (store->turn != STORE_TURN_IDLE) {
        enum status committed = store_turn_commit(store, &why);
        status = status != STATUS_OK ? status : committed;
    }
    if (status != STATUS_OK) {
        /* Tried again after the next deletion or at the next start: rows too many harm nobody. */
        LOG_WARNF(store->log, "store", "%s", why.message);
        store->sweep_pending = false;
    }
}

/* --- slices of the lake --- */

struct slice {
    struct store *store;
    int rows_left;
    int chunks_left;
    bool worked;
    enum status status;
    struct error err;
};

/* The first row of a statement whose parameters are numbers. */
struct look {
    int64_t first;
    int64_t second;
};

/* False: there is none, or the slice has failed. */
static bool sweep_look(struct slice *slice, enum store_statement id, const int64_t *values,
                       size_t count, struct look *out)
{
    struct store *store = slice->store;
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, id);
    PP_ASSERT(stmt == NULL || (size_t)sqlite3_bind_parameter_count(stmt) == count);
    for (size_t i = 0; stmt != NULL && i < count; i++) {
        sqlite3_bind_int64(stmt, (int)i + 1, values[i]);
    }
    int step = stmt != NULL ? sqlite3_step(stmt) : SQLITE_ERROR;
    if (step == SQLITE_ROW) {
        out->first = sqlite3_column_int64(stmt, 0);
        out->second = sqlite3_column_int64(stmt, 1);
    } else if (step != SQLITE_DONE) {
        slice->status = store_read_failed(store, "look for what nobody uses", &slice->err);
    }
    sqlite3_reset(stmt);
    return step == SQLITE_ROW;
}

static bool may_go_on(const struct slice *slice)
{
    return slice->status == STATUS_OK && slice->rows_left > 0 && slice->chunks_left > 0;
}

/* Every piece of work begins with it. */
static bool begin_work(struct slice *slice)
{
    PP_ASSERT(may_go_on(slice));
    slice->worked = true;
    slice->rows_left--;
    slice->status = store_write_begin(slice->store, &slice->err);
    return slice->status == STATUS_OK;
}

static void end_work(struct slice *slice, bool done)
{
    PP_ASSERT(slice->worked && slice->status == STATUS_OK);
    if (!done) {
        slice->status = store_write_failed(slice->store, "sweep what nobody uses", &slice->err);
    }
}

/* --- ended uploads --- */

static void sweep_upload(struct slice *slice, int64_t upload)
{
    struct store *store = slice->store;
    struct look part;
    while (may_go_on(slice) && sweep_look(slice, STMT_SWEEP_PART, &upload, 1, &part)) {
        if (begin_work(slice)) {
            end_work(slice,
                     store_run(store, STMT_SWEEP_PART_DELETE, (int64_t[]){upload, part.first}, 2) &&
                         store_content_ref(store, part.second, -1));
        }
    }
    if (may_go_on(slice) && begin_work(slice)) {
        end_work(slice, store_run(store, STMT_SWEEP_UPLOAD_DELETE, &upload, 1));
    }
}

static void sweep_uploads(struct slice *slice)
{
    struct look upload;
    while (may_go_on(slice) && sweep_look(slice, STMT_SWEEP_UPLOAD, NULL, 0, &upload)) {
        sweep_upload(slice, upload.first);
    }
}

/* --- dead objects that nobody reads any more --- */

static void sweep_objects(struct slice *slice)
{
    struct store *store = slice->store;
    struct look object = {0};
    while (may_go_on(slice) && sweep_look(slice, STMT_SWEEP_OBJECT, &object.first, 1, &object)) {
        if (!store_object_is_pinned(store, object.first) && begin_work(slice)) {
            end_work(slice,
                     store_run(store, STMT_OBJECT_DELETE, &object.first, 1) &&
                         (object.second == 0 || store_content_ref(store, object.second, -1)));
        }
    }
}

/* --- contents without references --- */

static void sweep_pieces(struct slice *slice, int64_t content_id)
{
    struct store *store = slice->store;
    struct look piece;
    while (may_go_on(slice) && sweep_look(slice, STMT_SWEEP_PIECE, &content_id, 1, &piece)) {
        if (begin_work(slice)) {
            end_work(slice, store_run(store, STMT_SWEEP_PIECE_DELETE,
                                      (int64_t[]){content_id, piece.first}, 2) &&
                                store_content_ref(store, piece.second, -1));
        }
    }
}

/* How many chunks a staged content has is written nowhere, so the next one there is shows the way.
 */
static void sweep_chunks(struct slice *slice, int64_t content_id)
{
    int64_t range[] = {content_id << STORE_CHUNK_BITS,
                       (content_id << STORE_CHUNK_BITS) + (INT64_C(1) << STORE_CHUNK_BITS) - 1};
    struct look chunk;
    while (may_go_on(slice) && sweep_look(slice, STMT_SWEEP_CHUNK, range, 2, &chunk)) {
        int64_t last = chunk.first + slice->chunks_left - 1;
        int64_t some[] = {chunk.first, last < range[1] ? last : range[1]};
        if (begin_work(slice)) {
            end_work(slice, store_run(slice->store, STMT_SWEEP_CHUNKS, some, 2));
            slice->chunks_left -= sqlite3_changes(slice->store->db.handle);
        }
    }
}

static void sweep_contents(struct slice *slice)
{
    struct look content = {0};
    while (may_go_on(slice) && sweep_look(slice, STMT_SWEEP_CONTENT, &content.first, 1, &content)) {
        if (store_content_is_staged(slice->store, content.first)) {
            continue;
        }
        sweep_pieces(slice, content.first);
        sweep_chunks(slice, content.first);
        if (may_go_on(slice) && begin_work(slice)) {
            end_work(slice, store_run(slice->store, STMT_SWEEP_CONTENT_DELETE, &content.first, 1));
        }
    }
}

void store_lake_sweep(struct store *store)
{
    PP_ASSERT(store->turn == STORE_TURN_IDLE);
    struct slice slice = {
        .store = store, .rows_left = STORE_SWEEP_ROWS, .chunks_left = STORE_SWEEP_CHUNKS};
    sweep_uploads(&slice);
    sweep_objects(&slice);
    sweep_contents(&slice);
    if (store->turn != STORE_TURN_IDLE) {
        enum status committed = store_turn_commit(store, &slice.err);
        slice.status = slice.status != STATUS_OK ? slice.status : committed;
    }
    PP_ASSERT(slice.rows_left >= 0 && slice.worked == (slice.rows_left < STORE_SWEEP_ROWS));
    store->lake.sweep_pending = slice.worked;
    if (slice.status != STATUS_OK) {
        /* Tried again after the next deletion or at the next start: rows too many harm nobody. */
        LOG_WARNF(store->log, "store", "%s", slice.err.message);
        store->lake.sweep_pending = false;
    }
}
