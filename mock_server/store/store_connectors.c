/* Kafka Connect's nouns. What a task last was is kept for readers of the file only. */
#include "store_connectors.h"

#include "store_internal.h"

static enum status write_failed(struct store *store, struct error *err)
{
    return store_write_failed(store, "write about a connector", err);
}

static enum status read_failed(struct store *store, struct error *err)
{
    return store_read_failed(store, "read about connectors", err);
}

/* --- connectors --- */

enum status store_connector_put(struct store *store, const struct store_connector *connector,
                                struct error *err)
{
    enum status status = store_write_begin(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_CONNECTOR_PUT);
    if (stmt != NULL) {
        sqlite_bind_span_text(stmt, 1, connector->name);
        sqlite_bind_span_text(stmt, 2, connector->config);
        sqlite3_bind_int(stmt, 3, connector->paused);
        sqlite3_bind_int64(stmt, 4, connector->created_ms);
        store_bind_optional(stmt, 5, connector->msk);
    }
    return store_step_done(stmt) ? STATUS_OK : write_failed(store, err);
}

/* A statement whose first parameter is a name; `number` is its second where it has one. */
static enum status run_named(struct store *store, enum store_statement id, struct span name,
                             int64_t number, struct error *err)
{
    enum status status = store_write_begin(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, id);
    if (stmt != NULL) {
        sqlite_bind_span_text(stmt, 1, name);
    }
    if (stmt != NULL && sqlite3_bind_parameter_count(stmt) == 2) {
        sqlite3_bind_int64(stmt, 2, number);
    }
    return store_step_done(stmt) ? STATUS_OK : write_failed(store, err);
}

enum status store_connector_delete(struct store *store, struct span name, struct error *err)
{
    enum status status = run_named(store, STMT_CONNECTOR_TASK_DELETE, name, 0, err);
    if (status == STATUS_OK) {
        status = run_named(store, STMT_CONNECTOR_TOPIC_RESET, name, 0, err);
    }
    if (status == STATUS_OK) {
        status = run_named(store, STMT_CONNECTOR_DELETE, name, 0, err);
    }
    return status;
}

enum status store_connectors_visit(struct store *store,
                                   bool (*visit)(void *ctx,
                                                 const struct store_connector *connector),
                                   void *ctx, struct error *err)
{
    PP_ASSERT(!store->visiting);
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_CONNECTOR_LIST);
    if (stmt == NULL) {
        return read_failed(store, err);
    }
    bool more = true;
    int step = SQLITE_DONE;
    store->visiting = true;
    while (more && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_connector connector = {
            .name = sqlite_column_span(stmt, 0),
            .config = sqlite_column_span(stmt, 1),
            .paused = sqlite3_column_int(stmt, 2) != 0,
            .created_ms = sqlite3_column_int64(stmt, 3),
            .msk = sqlite_column_span(stmt, 4),
        };
        more = visit(ctx, &connector);
    }
    store->visiting = false;
    enum status status = !more || step == SQLITE_DONE ? STATUS_OK : read_failed(store, err);
    sqlite3_reset(stmt);
    return status;
}

/* --- tasks and topics --- */

enum status store_connector_task_put(struct store *store, struct span connector, int task,
                                     const char *state, struct span trace, struct error *err)
{
    PP_ASSERT(task >= 0);
    if (state == NULL) {
        return run_named(store, STMT_CONNECTOR_TASK_DELETE, connector, task, err);
    }
    enum status status = store_write_begin(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_CONNECTOR_TASK_PUT);
    if (stmt != NULL) {
        sqlite_bind_span_text(stmt, 1, connector);
        sqlite3_bind_int(stmt, 2, task);
        sqlite_bind_span_text(stmt, 3, span_from_cstr(state));
        store_bind_optional(stmt, 4, trace);
    }
    return store_step_done(stmt) ? STATUS_OK : write_failed(store, err);
}

enum status store_connector_topic_add(struct store *store, struct span connector, struct span topic,
                                      struct error *err)
{
    enum status status = store_write_begin(store, err);
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_CONNECTOR_TOPIC_ADD);
    if (stmt != NULL) {
        sqlite_bind_span_text(stmt, 1, connector);
        sqlite_bind_span_text(stmt, 2, topic);
    }
    return store_step_done(stmt) ? STATUS_OK : write_failed(store, err);
}

enum status store_connector_topics_reset(struct store *store, struct span connector,
                                         struct error *err)
{
    return run_named(store, STMT_CONNECTOR_TOPIC_RESET, connector, 0, err);
}

enum status store_connector_topics_visit(struct store *store, struct span connector,
                                         bool (*visit)(void *ctx, struct span topic), void *ctx,
                                         struct error *err)
{
    PP_ASSERT(!store->visiting);
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_CONNECTOR_TOPIC_LIST);
    if (stmt == NULL) {
        return read_failed(store, err);
    }
    sqlite_bind_span_text(stmt, 1, connector);
    bool more = true;
    int step = SQLITE_DONE;
    store->visiting = true;
    while (more && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        more = visit(ctx, sqlite_column_span(stmt, 0));
    }
    store->visiting = false;
    enum status status = !more || step == SQLITE_DONE ? STATUS_OK : read_failed(store, err);
    sqlite3_reset(stmt);
    return status;
}

/* --- what MSK Connect keeps beside connectors --- */

static enum status check_namesake(struct store *store, const struct store_resource *resource,
                                  struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_RESOURCE_NAMESAKE);
    if (stmt == NULL) {
        return read_failed(store, err);
    }
    sqlite_bind_span_text(stmt, 1, resource->arn);
    sqlite_bind_span_text(stmt, 2, resource->kind);
    sqlite_bind_span_text(stmt, 3, resource->name);
    bool found;
    enum status status = store_read_row(store, stmt, "read about connectors", &found, err);
    if (found) {
        status = error_set(err, STATUS_EXISTS, "another %.*s has the name %.*s",
                           SPAN_ARG(resource->kind), SPAN_ARG(resource->name));
    }
    sqlite3_reset(stmt);
    return status;
}

enum status store_resource_put(struct store *store, const struct store_resource *resource,
                               struct error *err)
{
    enum status status = check_namesake(store, resource, err);
    if (status == STATUS_OK) {
        status = store_write_begin(store, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_RESOURCE_PUT);
    if (stmt != NULL) {
        sqlite_bind_span_text(stmt, 1, resource->arn);
        sqlite_bind_span_text(stmt, 2, resource->kind);
        sqlite_bind_span_text(stmt, 3, resource->name);
        sqlite3_bind_int64(stmt, 4, resource->created_ms);
        sqlite_bind_span_text(stmt, 5, resource->document);
    }
    return store_step_done(stmt) ? STATUS_OK : write_failed(store, err);
}

enum status store_resource_delete(struct store *store, struct span arn, struct error *err)
{
    return run_named(store, STMT_RESOURCE_DELETE, arn, 0, err);
}

enum status store_resources_visit(struct store *store, struct span kind,
                                  bool (*visit)(void *ctx, const struct store_resource *resource),
                                  void *ctx, struct error *err)
{
    PP_ASSERT(!store->visiting);
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_RESOURCE_LIST);
    if (stmt == NULL) {
        return read_failed(store, err);
    }
    sqlite_bind_span_text(stmt, 1, kind);
    bool more = true;
    int step = SQLITE_DONE;
    store->visiting = true;
    while (more && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_resource resource = {
            .arn = sqlite_column_span(stmt, 0),
            .kind = kind,
            .name = sqlite_column_span(stmt, 1),
            .created_ms = sqlite3_column_int64(stmt, 2),
            .document = sqlite_column_span(stmt, 3),
        };
        more = visit(ctx, &resource);
    }
    store->visiting = false;
    enum status status = !more || step == SQLITE_DONE ? STATUS_OK : read_failed(store, err);
    sqlite3_reset(stmt);
    return status;
}
