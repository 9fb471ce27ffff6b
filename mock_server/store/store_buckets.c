/* Buckets. Few, and asked for by name with every request, so the file's page of them stays in
 * SQLite's cache; nothing is kept in memory beside it. */
#include "store_internal.h"

/* --- names --- */

static bool bucket_char_is_alnum(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
}

static bool bucket_name_is_ip_address(struct span name)
{
    struct span part;
    size_t parts = 0;
    while (span_next_part(&name, '.', &part)) {
        uint64_t number;
        if (part.len > 3 || !span_parse_u64(part, &number)) {
            return false;
        }
        parts++;
    }
    return parts == 4;
}

bool store_bucket_name_is_legal(struct span name)
{
    if (name.len < STORE_BUCKET_NAME_MIN || name.len > STORE_BUCKET_NAME_MAX ||
        !bucket_char_is_alnum(name.ptr[0]) || !bucket_char_is_alnum(name.ptr[name.len - 1])) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        bool dot = name.ptr[i] == '.';
        if (!bucket_char_is_alnum(name.ptr[i]) && name.ptr[i] != '-' && !dot) {
            return false;
        }
        if (dot && name.ptr[i - 1] == '.') {
            return false;
        }
    }
    return !bucket_name_is_ip_address(name);
}

/* --- rows --- */

static enum status bucket_insert(struct store *store, struct span name, struct span region,
                                 struct error *err)
{
    int64_t id = 0;
    enum status status = store_write_begin(store, err);
    if (status == STATUS_OK) {
        status = store_next_id(store, STMT_BUCKET_LAST_ID, &store->lake.last_bucket_id, &id, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_BUCKET_INSERT);
    if (stmt != NULL) {
        sqlite3_bind_int64(stmt, 1, id);
        sqlite_bind_span_text(stmt, 2, name);
        sqlite_bind_span_text(stmt, 3, region);
        sqlite3_bind_int64(stmt, 4, store->env->wall_us(store->env) / 1000);
    }
    return store_step_done(stmt) ? STATUS_OK : store_write_failed(store, "create a bucket", err);
}

/* Reads a bucket's row; the spans are borrowed from the statement, which the caller resets. */
static enum status bucket_row_find(struct store *store, struct span name, sqlite3_stmt **stmt,
                                   struct store_bucket *out, struct error *err)
{
    *stmt = sqlite_db_statement(&store->db, STMT_BUCKET_FIND);
    if (*stmt == NULL) {
        return store_read_failed(store, "find a bucket", err);
    }
    sqlite_bind_span_text(*stmt, 1, name);
    int step = sqlite3_step(*stmt);
    if (step == SQLITE_DONE) {
        return error_set(err, STATUS_NOT_FOUND, "there is no bucket %.*s", SPAN_ARG(name));
    }
    if (step != SQLITE_ROW) {
        return store_read_failed(store, "find a bucket", err);
    }
    *out = (struct store_bucket){
        .id = sqlite3_column_int64(*stmt, 0),
        .name = name,
        .region = sqlite_column_span(*stmt, 1),
        .created_ms = sqlite3_column_int64(*stmt, 2),
    };
    return STATUS_OK;
}

enum status store_bucket_create(struct store *store, struct span name, struct span region,
                                struct error *err)
{
    sqlite3_stmt *stmt;
    struct store_bucket there;
    enum status status = bucket_row_find(store, name, &stmt, &there, err);
    sqlite3_reset(stmt);
    if (status == STATUS_OK) {
        return error_set(err, STATUS_EXISTS, "the bucket %.*s exists already", SPAN_ARG(name));
    }
    return status == STATUS_NOT_FOUND ? bucket_insert(store, name, region, err) : status;
}

enum status store_bucket_find(struct store *store, struct span name, struct arena *arena,
                              struct store_bucket *out, struct error *err)
{
    sqlite3_stmt *stmt;
    struct store_bucket found;
    enum status status = bucket_row_find(store, name, &stmt, &found, err);
    if (status == STATUS_OK && !store_span_keep(arena, found.region, &found.region)) {
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    sqlite3_reset(stmt);
    if (status == STATUS_OK) {
        *out = found;
    }
    return status;
}

enum status store_buckets_ensure(struct store *store, struct error *err)
{
    PP_ASSERT(store->initial != NULL); /* only while the store opens */
    for (size_t i = 0; i < store->initial->bucket_count; i++) {
        enum status status = store_bucket_create(store, span_from_cstr(store->initial->buckets[i]),
                                                 span_from_cstr(store->initial->region), err);
        if (status != STATUS_OK && status != STATUS_EXISTS) {
            return status;
        }
    }
    return STATUS_OK;
}

/* Does the statement find anything for this bucket? */
static enum status bucket_ask(struct store *store, enum store_statement id, int64_t bucket_id,
                              bool *any, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, id);
    if (stmt == NULL) {
        return store_read_failed(store, "look into a bucket", err);
    }
    sqlite3_bind_int64(stmt, 1, bucket_id);
    enum status status = store_read_row(store, stmt, "look into a bucket", any, err);
    sqlite3_reset(stmt);
    return status;
}

enum status store_bucket_check(struct store *store, int64_t bucket_id, struct error *err)
{
    bool there = bucket_id == store->lake.known_bucket_id;
    if (PP_LIKELY(there)) {
        return STATUS_OK;
    }
    enum status status = bucket_ask(store, STMT_BUCKET_THERE, bucket_id, &there, err);
    if (status == STATUS_OK && there) {
        store->lake.known_bucket_id = bucket_id;
    }
    return status == STATUS_OK && !there ? error_set(err, STATUS_NOT_FOUND, "the bucket is gone")
                                         : status;
}

enum status store_bucket_delete(struct store *store, int64_t bucket_id, struct error *err)
{
    bool any = false;
    enum status status = bucket_ask(store, STMT_OBJECT_ANY, bucket_id, &any, err);
    if (status == STATUS_OK && any) {
        status = error_set(err, STATUS_BUSY, "the bucket has objects");
    }
    if (status == STATUS_OK) {
        /* The id must not be given out again: a request may be under way that means this bucket. */
        status = store_last_id_load(store, STMT_BUCKET_LAST_ID, &store->lake.last_bucket_id, err);
    }
    if (status == STATUS_OK) {
        status = store_write_begin(store, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    store->lake.known_bucket_id = 0;
    if (!store_run(store, STMT_BUCKET_DELETE, &bucket_id, 1)) {
        return store_write_failed(store, "delete a bucket", err);
    }
    if (sqlite3_changes(store->db.handle) == 0) {
        return error_set(err, STATUS_NOT_FOUND, "there is no such bucket");
    }
    if (!store_run(store, STMT_BUCKET_DROP_UPLOADS, &bucket_id, 1)) {
        return store_write_failed(store, "delete a bucket", err);
    }
    store->lake.sweep_pending = true;
    return STATUS_OK;
}

enum status store_buckets_visit(struct store *store,
                                bool (*visit)(void *ctx, const struct store_bucket *bucket),
                                void *ctx, struct error *err)
{
    PP_ASSERT(!store->visiting);
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_BUCKET_LIST);
    if (stmt == NULL) {
        return store_read_failed(store, "list the buckets", err);
    }
    bool more = true;
    int step = SQLITE_DONE;
    store->visiting = true;
    while (more && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct store_bucket bucket = {
            .id = sqlite3_column_int64(stmt, 0),
            .name = sqlite_column_span(stmt, 1),
            .region = sqlite_column_span(stmt, 2),
            .created_ms = sqlite3_column_int64(stmt, 3),
        };
        more = visit(ctx, &bucket);
    }
    store->visiting = false;
    enum status status = !more || step == SQLITE_DONE
                             ? STATUS_OK
                             : store_read_failed(store, "list the buckets", err);
    sqlite3_reset(stmt);
    return status;
}
