/* The log: records of all partitions in order of arrival, found by (tp, offset).
 *
 * Invariant: offsets of a partition are 0, 1, 2, ... without a gap; the next one is in memory and
 * moves only together with an inserted row. */
#include "store_internal.h"

/* --- loading --- */

enum status store_partition_load(struct store *store, struct store_partition *partition,
                                 struct partition_state *state, struct error *err)
{
    sqlite3_stmt *last = sqlite_db_statement(&store->db, STMT_RECORD_LAST);
    /* Not asked for when there is no `last`: that would make the connection forget why. */
    sqlite3_stmt *first = last != NULL ? sqlite_db_statement(&store->db, STMT_RECORD_FIRST) : NULL;
    if (first == NULL) {
        return store_read_failed(store, "find a partition's end", err);
    }
    enum status status = STATUS_OK;
    partition->first_offset = 0;
    partition->next_offset = 0;
    state->last_timestamp_ms = INT64_MIN;
    sqlite3_bind_int64(last, 1, partition->tp);
    int64_t last_offset = -1;
    int step = sqlite3_step(last);
    if (step == SQLITE_ROW) {
        last_offset = sqlite3_column_int64(last, 0);
        state->last_timestamp_ms = sqlite3_column_int64(last, 1);
        sqlite3_bind_int64(first, 1, partition->tp);
        step = sqlite3_step(first);
    }
    if (step == SQLITE_ROW) {
        partition->first_offset = sqlite3_column_int64(first, 0);
        step = SQLITE_DONE;
    }
    if (step != SQLITE_DONE) {
        status = store_read_failed(store, "find a partition's end", err);
    }
    if (status == STATUS_OK && (last_offset == INT64_MAX || partition->first_offset < 0 ||
                                partition->first_offset > last_offset + 1)) {
        status = error_set(err, STATUS_CORRUPT, "%s: the offsets of partition %lld are impossible",
                           store->db.path, (long long)partition->tp);
    } else if (status == STATUS_OK) {
        partition->next_offset = last_offset + 1;
    }
    sqlite3_reset(last);
    sqlite3_reset(first);
    return status;
}

/* --- appending --- */

static void bind_optional(sqlite3_stmt *stmt, int index, bool present, struct span bytes)
{
    if (present) {
        sqlite3_bind_blob64(stmt, index, bytes.ptr != NULL ? bytes.ptr : "", bytes.len,
                            SQLITE_STATIC);
    } else {
        sqlite3_bind_null(stmt, index);
    }
}

static bool insert_record(struct store *store, const struct store_partition *partition,
                          const struct store_record *record)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_RECORD_INSERT);
    if (PP_UNLIKELY(stmt == NULL)) {
        return false;
    }
    sqlite3_bind_int64(stmt, 1, partition->tp);
    sqlite3_bind_int64(stmt, 2, partition->next_offset);
    sqlite3_bind_int64(stmt, 3, record->timestamp_ms);
    bind_optional(stmt, 4, record->has_key, record->key);
    bind_optional(stmt, 5, record->has_value, record->value);
    bind_optional(stmt, 6, record->headers.len > 0, record->headers);
    return store_step_done(stmt);
}

/* Searches by time may halve their way only while timestamps never went back. */
static bool mark_unordered(struct store *store, int64_t tp)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_PARTITION_UNORDERED);
    if (stmt == NULL) {
        return false;
    }
    sqlite3_bind_int64(stmt, 1, tp);
    return store_step_done(stmt);
}

/* What a partition was before a turn (or savepoint) appended to it. */
struct append_undo {
    int32_t partition;
    bool time_ordered;
    int64_t first_offset;
    int64_t next_offset;
    int64_t last_timestamp_ms;
};
_Static_assert(sizeof(struct append_undo) <= UNDO_PAYLOAD_BYTES_MAX, "a note's payload");

static void append_back(void *owner, const void *payload)
{
    struct topic_entry *entry = owner;
    const struct append_undo *was = payload;
    PP_ASSERT(was->partition < entry->topic.partition_count);
    PP_ASSERT(was->first_offset <= was->next_offset);
    PP_ASSERT(was->next_offset <= entry->topic.partitions[was->partition].next_offset);
    entry->topic.partitions[was->partition].first_offset = was->first_offset;
    entry->topic.partitions[was->partition].next_offset = was->next_offset;
    entry->states[was->partition].last_timestamp_ms = was->last_timestamp_ms;
    entry->states[was->partition].time_ordered = was->time_ordered;
}

static const struct undo_ops append_undo = {.back = append_back};

/* Once a partition and epoch. */
static enum status note_append(struct store *store, struct topic_entry *entry, int32_t partition,
                               struct error *err)
{
    enum status status = store_undo_reserve(store, err);
    if (status == STATUS_OK) {
        struct append_undo was = {
            .partition = partition,
            .time_ordered = entry->states[partition].time_ordered,
            .first_offset = entry->topic.partitions[partition].first_offset,
            .next_offset = entry->topic.partitions[partition].next_offset,
            .last_timestamp_ms = entry->states[partition].last_timestamp_ms,
        };
        undo_push(&store->undo, &append_undo, entry, &was, sizeof(was));
        entry->states[partition].undo_epoch = undo_epoch(&store->undo);
    }
    return status;
}

enum status store_record_append(struct store *store, struct store_place place,
                                const struct store_record *record, int64_t *offset,
                                struct error *err)
{
    PP_ASSERT(place.partition >= 0 && place.partition < place.topic->partition_count);
    struct topic_entry *entry = PP_CONTAINER_OF(place.topic, struct topic_entry, topic);
    struct store_partition *partition = &entry->topic.partitions[place.partition];
    struct partition_state *state = &entry->states[place.partition];
    enum status status = store_write_begin(store, err);
    if (status == STATUS_OK && state->undo_epoch != undo_epoch(&store->undo)) {
        status = note_append(store, entry, place.partition, err);
    }
    if (PP_UNLIKELY(status != STATUS_OK)) {
        return status;
    }
    PP_ASSERT(store->turn == STORE_TURN_WRITING);
    PP_ASSERT(partition->next_offset >= partition->first_offset &&
              partition->next_offset < INT64_MAX);
    if (PP_UNLIKELY(record->timestamp_ms < state->last_timestamp_ms && state->time_ordered)) {
        if (!mark_unordered(store, partition->tp)) {
            return store_write_failed(store, "append a record", err);
        }
        state->time_ordered = false;
    }
    if (PP_UNLIKELY(!insert_record(store, partition, record))) {
        return store_write_failed(store, "append a record", err);
    }
    state->last_timestamp_ms = record->timestamp_ms;
    *offset = partition->next_offset++;
    store->turn_records++;
    return STATUS_OK;
}

/* --- reading --- */

static void column_optional(sqlite3_stmt *stmt, int column, bool *present, struct span *bytes)
{
    *present = sqlite3_column_type(stmt, column) != SQLITE_NULL;
    *bytes = *present ? sqlite_column_span(stmt, column) : SPAN_EMPTY;
}

static void bind_range(sqlite3_stmt *stmt, const struct store_range *range)
{
    sqlite3_bind_int64(stmt, 1, range->topic->partitions[range->partition].tp);
    sqlite3_bind_int64(stmt, 2, range->offset);
    sqlite3_bind_int64(stmt, 3, range->limit);
}

enum status store_records_read(struct store *store, struct store_range range,
                               store_record_visit_fn visit, void *ctx, struct error *err)
{
    PP_ASSERT(range.partition >= 0 && range.partition < range.topic->partition_count &&
              !store->visiting);
    if (range.limit <= 0 || range.offset >= range.topic->partitions[range.partition].next_offset) {
        return STATUS_OK;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_RECORD_READ);
    if (stmt == NULL) {
        return store_read_failed(store, "read records", err);
    }
    bind_range(stmt, &range);
    enum status status = STATUS_OK;
    bool more = true;
    int step = SQLITE_DONE;
    store->visiting = true;
    while (more && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_record record = {
            .offset = sqlite3_column_int64(stmt, 0),
            .timestamp_ms = sqlite3_column_int64(stmt, 1),
        };
        bool has_headers;
        column_optional(stmt, 2, &record.has_key, &record.key);
        column_optional(stmt, 3, &record.has_value, &record.value);
        column_optional(stmt, 4, &has_headers, &record.headers);
        more = visit(ctx, &record);
    }
    PP_ASSERT(store->visiting);
    store->visiting = false;
    if (more && step != SQLITE_DONE) {
        status = store_read_failed(store, "read records", err);
    }
    sqlite3_reset(stmt);
    return status;
}

/* --- by time --- */

static enum status time_at(struct store *store, int64_t tp, int64_t offset, int64_t *timestamp_ms,
                           struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_RECORD_TIME_AT);
    if (stmt == NULL) {
        return store_read_failed(store, "search by time", err);
    }
    sqlite3_bind_int64(stmt, 1, tp);
    sqlite3_bind_int64(stmt, 2, offset);
    bool found;
    enum status status = store_read_row(store, stmt, "search by time", &found, err);
    if (found) {
        *timestamp_ms = sqlite3_column_int64(stmt, 0);
    } else if (status == STATUS_OK) {
        status = error_set(err, STATUS_CORRUPT, "%s: offset %lld of partition %lld is missing",
                           store->db.path, (long long)offset, (long long)tp);
    }
    sqlite3_reset(stmt);
    return status;
}

static enum status time_search(struct store *store, const struct store_partition *partition,
                               int64_t timestamp_ms, int64_t *offset, struct error *err)
{
    int64_t low = partition->first_offset;
    int64_t high = partition->next_offset;
    PP_ASSERT(low <= high);
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int64_t found_ms = 0;
        enum status status = time_at(store, partition->tp, middle, &found_ms, err);
        if (status != STATUS_OK) {
            return status;
        }
        if (found_ms < timestamp_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    PP_ASSERT(low >= partition->first_offset && low <= partition->next_offset);
    if (low == partition->next_offset) {
        return error_set(err, STATUS_NOT_FOUND, "no record is that young");
    }
    *offset = low;
    return STATUS_OK;
}

static enum status time_scan(struct store *store, const struct store_partition *partition,
                             int64_t timestamp_ms, int64_t *offset, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_RECORD_TIME_SCAN);
    if (stmt == NULL) {
        return store_read_failed(store, "search by time", err);
    }
    sqlite3_bind_int64(stmt, 1, partition->tp);
    sqlite3_bind_int64(stmt, 2, timestamp_ms);
    bool found;
    enum status status = store_read_row(store, stmt, "search by time", &found, err);
    if (found) {
        *offset = sqlite3_column_int64(stmt, 0);
    } else if (status == STATUS_OK) {
        status = error_set(err, STATUS_NOT_FOUND, "no record is that young");
    }
    sqlite3_reset(stmt);
    return status;
}

enum status store_offset_for_time(struct store *store, struct store_place place,
                                  int64_t timestamp_ms, int64_t *offset, struct error *err)
{
    PP_ASSERT(place.partition >= 0 && place.partition < place.topic->partition_count);
    const struct topic_entry *entry = PP_CONTAINER_OF(place.topic, struct topic_entry, topic);
    const struct store_partition *partition = &place.topic->partitions[place.partition];
    return entry->states[place.partition].time_ordered
               ? time_search(store, partition, timestamp_ms, offset, err)
               : time_scan(store, partition, timestamp_ms, offset, err);
}
