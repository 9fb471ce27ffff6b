/* Committed offsets: what Kafka keeps in __consumer_offsets. Keyed by names, because Kafka accepts
 * commits for topics that it does not know. */
#include "store_internal.h"

enum status store_group_commit(struct store *store, struct span group,
                               const struct store_commit *commit, struct error *err)
{
    enum status status = store_write_begin(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_GROUP_COMMIT);
    if (stmt != NULL) {
        struct span metadata = commit->metadata.ptr != NULL ? commit->metadata : SPAN_EMPTY;
        sqlite_bind_span_text(stmt, 1, group);
        sqlite_bind_span_text(stmt, 2, commit->topic);
        sqlite3_bind_int(stmt, 3, commit->partition);
        sqlite3_bind_int64(stmt, 4, commit->offset);
        sqlite_bind_span_text(stmt, 5, metadata);
        sqlite3_bind_int64(stmt, 6, store->env->wall_us(store->env) / 1000);
    }
    return store_step_done(stmt) ? STATUS_OK : store_write_failed(store, "commit an offset", err);
}

enum status store_group_committed(struct store *store, struct store_group_place place,
                                  int64_t *offset, struct buf *metadata, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_GROUP_GET);
    if (stmt == NULL) {
        return store_read_failed(store, "read a committed offset", err);
    }
    sqlite_bind_span_text(stmt, 1, place.group);
    sqlite_bind_span_text(stmt, 2, place.topic);
    sqlite3_bind_int(stmt, 3, place.partition);
    bool found;
    enum status status = store_read_row(store, stmt, "read a committed offset", &found, err);
    if (found) {
        *offset = sqlite3_column_int64(stmt, 0);
        if (metadata != NULL) {
            buf_append_span(metadata, sqlite_column_span(stmt, 1));
        }
    } else if (status == STATUS_OK) {
        status = error_set(err, STATUS_NOT_FOUND, "group %.*s has no commit for %.*s-%d",
                           SPAN_ARG(place.group), SPAN_ARG(place.topic), (int)place.partition);
    }
    sqlite3_reset(stmt);
    return status;
}

enum status store_group_visit(struct store *store, struct span group,
                              void (*visit)(void *ctx, struct span group,
                                            const struct store_commit *commit),
                              void *ctx, struct error *err)
{
    bool one = group.len > 0;
    sqlite3_stmt *stmt =
        sqlite_db_statement(&store->db, one ? STMT_GROUP_VISIT_ONE : STMT_GROUP_VISIT_ALL);
    if (stmt == NULL) {
        return store_read_failed(store, "list committed offsets", err);
    }
    if (one) {
        sqlite_bind_span_text(stmt, 1, group);
    }
    enum status status = STATUS_OK;
    int step;
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_commit commit = {
            .topic = sqlite_column_span(stmt, 1),
            .partition = sqlite3_column_int(stmt, 2),
            .offset = sqlite3_column_int64(stmt, 3),
            .metadata = sqlite_column_span(stmt, 4),
        };
        visit(ctx, sqlite_column_span(stmt, 0), &commit);
    }
    if (step != SQLITE_DONE) {
        status = store_read_failed(store, "list committed offsets", err);
    }
    sqlite3_reset(stmt);
    return status;
}

enum status store_group_visit_from(struct store *store, struct store_group_place place,
                                   bool (*visit)(void *ctx, const struct store_commit *commit),
                                   void *ctx, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_GROUP_VISIT_FROM);
    if (stmt == NULL) {
        return store_read_failed(store, "list committed offsets", err);
    }
    sqlite_bind_span_text(stmt, 1, place.group);
    sqlite_bind_span_text(stmt, 2, place.topic);
    sqlite3_bind_int(stmt, 3, place.partition);
    enum status status = STATUS_OK;
    bool goes_on = true;
    int step = SQLITE_ROW;
    while (goes_on && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        const struct store_commit commit = {
            .topic = sqlite_column_span(stmt, 0),
            .partition = sqlite3_column_int(stmt, 1),
            .offset = sqlite3_column_int64(stmt, 2),
            .metadata = sqlite_column_span(stmt, 3),
        };
        goes_on = visit(ctx, &commit);
    }
    if (step != SQLITE_ROW && step != SQLITE_DONE) {
        status = store_read_failed(store, "list committed offsets", err);
    }
    sqlite3_reset(stmt);
    return status;
}
