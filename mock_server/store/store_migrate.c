/* Older formats of state.db brought to the present one, when the store opens, in one transaction:
 * whatever fails meanwhile leaves the file as it was, for this program and for the older one.
 *
 *   1 -> 2  the tables of S3 and Kafka Connect (lake.sql)
 *   2 -> 3  the table of record batches (batch.sql); headers of records, which were the JSON of the
 *           REST proxy's v3 API, become Kafka's bytes (base/record_headers.h)
 *
 * A large log is rewritten row by row where it lies; SQLite writes what does not fit into its cache
 * to the write-ahead log, so that memory does not grow with it. */
#include "store_internal.h"

#include "embedded.h"
#include "record_headers.h"
#include "varint.h"

#include <stdio.h>

struct headers_change {
    size_t unreadable;
};

/* The header whose value is, whole, a text that is no JSON of ours. Nothing writes such headers,
 * but state.db is open to everybody's SQL. */
#define UNREADABLE_NAME "pinpipe.unreadable"
enum { unreadable_extra_bytes = sizeof(UNREADABLE_NAME) + 2 * VARINT_BYTES_MAX };

static void change_headers(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct headers_change *change = sqlite3_user_data(context);
    const char *bytes = sqlite3_value_blob(values[0]);
    struct span text = span_from(bytes, bytes != NULL ? (size_t)sqlite3_value_bytes(values[0]) : 0);
    struct buf out;
    PP_ASSERT(count == 1);
    buf_init(&out, text.len + unreadable_extra_bytes);
    if (!record_headers_from_text(text, &out)) {
        change->unreadable++;
        buf_reset(&out);
        varint_append(&out, 1);
        record_header_append(&out, &(struct record_header){SPAN_LIT(UNREADABLE_NAME), true, text});
    }
    if (!buf_ok(&out)) {
        sqlite3_result_error_nomem(context);
    } else if (out.len == 0) {
        sqlite3_result_null(context);
    } else {
        sqlite3_result_blob64(context, out.ptr, out.len, SQLITE_TRANSIENT);
    }
    buf_release(&out);
}

static bool headers_to_bytes(struct store *store, struct headers_change *change)
{
    int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
    return sqlite3_create_function_v2(store->db.handle, "headers_to_bytes", 1, flags, change,
                                      change_headers, NULL, NULL, NULL) == SQLITE_OK &&
           sqlite_db_exec(&store->db,
                          "UPDATE record SET headers = headers_to_bytes(headers) "
                          "WHERE headers IS NOT NULL",
                          NULL) == STATUS_OK;
}

static bool migrate_from(struct store *store, int64_t version, struct headers_change *change)
{
    PP_ASSERT(version >= STORE_FORMAT_VERSION_OLDEST && version < STORE_FORMAT_VERSION);
    PP_ASSERT(store->turn == STORE_TURN_WRITING);
    char text[64];
    snprintf(text, sizeof(text), "PRAGMA user_version=%d", STORE_FORMAT_VERSION);
    return (version >= 2 ||
            sqlite_db_exec(&store->db, embedded_schema_lake_sql, NULL) == STATUS_OK) &&
           sqlite_db_exec(&store->db, embedded_schema_batch_sql, NULL) == STATUS_OK &&
           headers_to_bytes(store, change) && sqlite_db_exec(&store->db, text, NULL) == STATUS_OK;
}

/* The version is asked of SQLite: the header in the file may be older than the log beside it. */
enum status store_migrate(struct store *store, struct error *err)
{
    int64_t version = 0;
    struct headers_change change = {0};
    enum status status = sqlite_db_query_i64(&store->db, "PRAGMA user_version", &version, err);
    if (status == STATUS_OK) {
        status = store_file_check_version(store->db.path, version, err);
    }
    if (status != STATUS_OK || version == STORE_FORMAT_VERSION) {
        return status;
    }
    status = store_write_begin(store, err);
    if (status == STATUS_OK && !migrate_from(store, version, &change)) {
        status = store_write_failed(store, "bring it to the new format", err);
    }
    enum status committed = store_turn_commit(store, err);
    status = status != STATUS_OK ? status : committed;
    if (status == STATUS_OK) {
        LOG_INFOF(store->log, "store", "%s: brought from format %lld to %d", store->db.path,
                  (long long)version, STORE_FORMAT_VERSION);
    }
    if (status == STATUS_OK && change.unreadable > 0) {
        LOG_WARNF(store->log, "store",
                  "%s: the headers of %zu records are not pinpipe's; each is kept whole as the "
                  "value of a header " UNREADABLE_NAME,
                  store->db.path, change.unreadable);
    }
    /* No statement uses it any more; without memory it stays, and is of no harm. */
    (void)sqlite3_create_function_v2(store->db.handle, "headers_to_bytes", 1, SQLITE_UTF8, NULL,
                                     NULL, NULL, NULL, NULL);
    return status;
}
