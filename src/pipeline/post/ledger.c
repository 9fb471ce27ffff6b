/* The emulator's ledger in SQLite: WAL, synchronous FULL, so that an intent is on the disk before
 * its request is on the wire. It knows posts, runs and the cluster's id; never a URL, because the
 * same cluster has many (gateway, proxy, another stage). Invariant: a post whose request left has
 * a row here, whatever became of the process. Written in transactions of many posts; one fsync
 * each. */
#include "ledger.h"

#include "byte_order.h"
#include "embedded.h"
#include "file.h"
#include "sqlite_db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ledger_version = 1,
    ledger_application_id = 0x70704c64, /* "ppLd" */
    busy_wait_ms = 5000,
    value_hash_bytes = 16,
    path_bytes_max = 480,
};

enum statement_id {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_CLUSTER_PUT,
    STATEMENT_RUN_ADD,
    STATEMENT_RUN_END,
    STATEMENT_RUN_GET,
    STATEMENT_INTENT_ADD,
    STATEMENT_OUTCOME_PUT,
    STATEMENT_WITHDRAW,
    STATEMENT_ACKED_END,
    STATEMENT_COUNT,
};

static const char *const statement_sql[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_CLUSTER_PUT] = "INSERT OR REPLACE INTO meta (name, value) VALUES ('cluster_id', ?1)",
    [STATEMENT_RUN_ADD] =
        "INSERT INTO run (started_ms, user_id, row_order, seed, datetime_style, lanes_per_topic,"
        " rows_wanted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [STATEMENT_RUN_END] = "UPDATE run SET ended_ms = ?2 WHERE id = ?1",
    [STATEMENT_RUN_GET] = "SELECT started_ms, ended_ms, user_id, row_order, seed, datetime_style,"
                          " lanes_per_topic, rows_wanted FROM run WHERE id = ?1",
    [STATEMENT_INTENT_ADD] =
        "INSERT INTO post (run_id, triple, tbl, row_number, topic, value_hash, state)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
    [STATEMENT_OUTCOME_PUT] = "UPDATE post SET state = ?2, attempts = ?3, maybe_kept = ?4,"
                              " partition = ?5, offset = ?6, reason = ?7, acked_ms = ?8"
                              " WHERE id = ?1",
    [STATEMENT_WITHDRAW] = "DELETE FROM post WHERE id = ?1",
    [STATEMENT_ACKED_END] = "SELECT coalesce(max(offset) + 1, 0) FROM post"
                            " WHERE topic = ?1 AND partition = ?2 AND offset IS NOT NULL",
};

#define POST_COLUMNS                                                                               \
    "SELECT id, run_id, triple, tbl, row_number, topic, value_hash, state, attempts, maybe_kept,"  \
    " partition, offset, reason, acked_ms FROM post "

static const char *const view_sql[] = {
    [LEDGER_BY_ID] = POST_COLUMNS "ORDER BY id",
    [LEDGER_BY_PLACE] =
        POST_COLUMNS "WHERE offset IS NOT NULL ORDER BY topic, partition, offset, id",
    [LEDGER_UNSETTLED] = POST_COLUMNS "WHERE state IN (0, 3) OR maybe_kept > 0 ORDER BY id",
};

static const char partition_sql[] =
    POST_COLUMNS "WHERE topic = ?1 AND partition = ?2 AND offset IS NOT NULL ORDER BY offset, id";

struct ledger {
    struct sqlite_db db;
    struct env *env;
    char cluster_id[LEDGER_CLUSTER_ID_BYTES_MAX];
};

struct ledger_cursor {
    struct ledger *ledger;
    sqlite3_stmt *stmt;
};

static int64_t wall_ms(const struct ledger *ledger)
{
    return ledger->env->wall_us(ledger->env) / 1000;
}

/* Runs a statement that gives no row. */
static enum status ledger_step_done(struct ledger *ledger, sqlite3_stmt *stmt, const char *doing,
                                    struct error *err)
{
    int code = sqlite3_step(stmt);
    /* Reset at once: an open statement would keep the transaction from ending. */
    sqlite3_reset(stmt);
    return code == SQLITE_DONE ? STATUS_OK : sqlite_db_error(&ledger->db, doing, err);
}

static enum status run_simple(struct ledger *ledger, enum statement_id id, const char *doing,
                              struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&ledger->db, id);
    return stmt != NULL ? ledger_step_done(ledger, stmt, doing, err)
                        : sqlite_db_error(&ledger->db, doing, err);
}

/* --- opening ------------------------------------------------------------------------------- */

static enum status create_schema(struct ledger *ledger, struct error *err)
{
    char tail[128];
    enum status status = sqlite_db_exec(&ledger->db, "BEGIN IMMEDIATE", err);
    if (status != STATUS_OK) {
        return status;
    }
    snprintf(tail, sizeof(tail), "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
             ledger_application_id, ledger_version);
    int64_t version = 0;
    status = sqlite_db_query_i64(&ledger->db, "PRAGMA user_version", &version, err);
    if (status == STATUS_OK && version != 0) { /* somebody was quicker */
        return sqlite_db_exec(&ledger->db, "COMMIT", err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_exec(&ledger->db, embedded_schema_ledger_sql, err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_exec(&ledger->db, tail, err);
    }
    if (status != STATUS_OK) {
        sqlite3_exec(ledger->db.handle, "ROLLBACK", NULL, NULL, NULL);
    }
    return status;
}

static enum status check_identity(struct ledger *ledger, bool may_create, struct error *err)
{
    int64_t version = 0;
    int64_t application = 0;
    int64_t tables = 0;
    const char *path = ledger->db.path;
    enum status status = sqlite_db_query_i64(&ledger->db, "PRAGMA user_version", &version, err);
    if (status == STATUS_OK) {
        status = sqlite_db_query_i64(&ledger->db, "PRAGMA application_id", &application, err);
    }
    if (status == STATUS_OK) {
        status =
            sqlite_db_query_i64(&ledger->db, "SELECT count(*) FROM sqlite_schema", &tables, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (tables == 0 && version == 0) {
        return may_create ? create_schema(ledger, err)
                          : error_set(err, STATUS_NOT_FOUND,
                                      "%s is empty: run `pinpipe emulate batch` first", path);
    }
    if (application != ledger_application_id || version == 0) {
        return error_set(err, STATUS_CONFIG,
                         "%s is an SQLite file, but no ledger of ours: choose another --data",
                         path);
    }
    if (version > ledger_version) {
        return error_set(err, STATUS_CONFIG,
                         "%s is of version %lld, this program knows %d: use the newer pinpipe or "
                         "another --data",
                         path, (long long)version, ledger_version);
    }
    return STATUS_OK;
}

static enum status load_cluster_id(struct ledger *ledger, struct error *err)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(ledger->db.handle, "SELECT value FROM meta WHERE name = 'cluster_id'",
                           -1, &stmt, NULL) != SQLITE_OK) {
        return sqlite_db_error(&ledger->db, "read the cluster id", err);
    }
    enum status status = STATUS_OK;
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        snprintf(ledger->cluster_id, sizeof(ledger->cluster_id), "%.*s",
                 SPAN_ARG(sqlite_column_span(stmt, 0)));
    } else if (code != SQLITE_DONE) {
        status = sqlite_db_error(&ledger->db, "read the cluster id", err);
    }
    sqlite3_finalize(stmt);
    return status;
}

static enum status ledger_path(const char *data_dir, char *path, struct error *err)
{
    if (strcmp(data_dir, ":memory:") == 0) {
        snprintf(path, path_bytes_max, "%s", data_dir);
        return STATUS_OK;
    }
    int used = snprintf(path, path_bytes_max, "%s/ledger.db", data_dir);
    if (used < 0 || used >= path_bytes_max) {
        return error_set(err, STATUS_CONFIG, "the path of --data is over %d bytes long",
                         path_bytes_max);
    }
    return STATUS_OK;
}

static enum status open_checked(struct ledger *ledger, const struct sqlite_db_options *options,
                                struct error *err)
{
    enum status status = sqlite_db_open(&ledger->db, options, err);
    if (status == STATUS_OK) {
        status = check_identity(ledger, !options->read_only, err);
    }
    if (status == STATUS_OK) {
        status = load_cluster_id(ledger, err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_set_statements(&ledger->db, statement_sql, STATEMENT_COUNT, err);
    }
    if (status != STATUS_OK) {
        sqlite_db_close(&ledger->db);
    }
    if (status == STATUS_CORRUPT) {
        (void)error_prefix(err, "the ledger is damaged; move it away or use another --data");
    }
    return status;
}

static enum status open_any(const struct sqlite_db_options *options, struct env *env,
                            struct ledger **out, struct error *err)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));
    if (ledger == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the ledger");
    }
    ledger->env = env;
    enum status status = open_checked(ledger, options, err);
    if (status != STATUS_OK) {
        free(ledger);
        return status;
    }
    *out = ledger;
    return STATUS_OK;
}

enum status ledger_open(const char *data_dir, struct env *env, struct ledger **out,
                        struct error *err)
{
    char path[path_bytes_max];
    enum status status = ledger_path(data_dir, path, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (strcmp(data_dir, ":memory:") != 0 && file_make_directory(data_dir, err) != STATUS_OK) {
        if (err != NULL) {
            err->code = STATUS_CONFIG;
        }
        return STATUS_CONFIG;
    }
    const struct sqlite_db_options options = {
        .path = path,
        .env = env,
        .create = true,
        .wal = true,
        .sync = DB_SYNC_FULL,
        .busy_timeout_ms = busy_wait_ms,
    };
    return open_any(&options, env, out, err);
}

enum status ledger_open_read_only(const char *data_dir, struct env *env, struct ledger **out,
                                  struct error *err)
{
    char path[path_bytes_max];
    struct stat info;
    enum status status = ledger_path(data_dir, path, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (stat(path, &info) != 0 && errno == ENOENT) {
        return error_set(err, STATUS_NOT_FOUND,
                         "there is no ledger at %s: run `pinpipe emulate batch` first", path);
    }
    const struct sqlite_db_options options = {
        .path = path,
        .env = env,
        .read_only = true,
        .busy_timeout_ms = busy_wait_ms,
    };
    return open_any(&options, env, out, err);
}

void ledger_close(struct ledger *ledger)
{
    if (ledger != NULL) {
        sqlite_db_close(&ledger->db);
        free(ledger);
    }
}

/* Only a connection that is alone can leave WAL: whoever else has the ledger open would go on
 * writing into a file that nobody finds. A damaged one is nobody's. */
static enum status ledger_check_alone(const char *path, struct env *env, struct error *err)
{
    struct sqlite_db db;
    struct sqlite_file_probe probe;
    sqlite3_stmt *stmt = NULL;
    const struct sqlite_db_options options = {.path = path, .env = env, .sync = DB_SYNC_NORMAL};
    enum status status = sqlite_file_probe(path, &probe, err);
    if (status == STATUS_OK && probe.is_sqlite && probe.application_id != 0 &&
        probe.application_id != ledger_application_id) {
        return error_set(err, STATUS_CONFIG,
                         "%s is an SQLite file, but no ledger of ours: choose another --data",
                         path);
    }
    if (status != STATUS_OK || !probe.is_sqlite) {
        return status;
    }
    status = sqlite_db_open(&db, &options, err);
    if (status != STATUS_OK) {
        return status == STATUS_CORRUPT ? STATUS_OK : status;
    }
    if (sqlite3_prepare_v2(db.handle, "PRAGMA journal_mode=DELETE", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW) {
        status = sqlite_db_error(&db, "take it over", err);
    }
    sqlite3_finalize(stmt);
    sqlite_db_close(&db);
    if (status == STATUS_BUSY) {
        return error_set(err, status,
                         "%s: an emulator or a verifier has it open; wait until it ends", path);
    }
    return status == STATUS_CORRUPT ? STATUS_OK : status;
}

enum status ledger_remove(const char *data_dir, struct env *env, struct error *err)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char path[path_bytes_max];
    enum status status = ledger_path(data_dir, path, err);
    if (status != STATUS_OK || !file_exists(path)) {
        return status;
    }
    status = ledger_check_alone(path, env, err);
    for (size_t i = 0; i < ARRAY_COUNT(suffixes) && status == STATUS_OK; i++) {
        char name[path_bytes_max + 16];
        snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        if (unlink(name) != 0 && errno != ENOENT) {
            status = error_set_errno(err, errno, "%s: cannot be removed", name);
        }
    }
    return status;
}

/* --- cluster and runs ---------------------------------------------------------------------- */

enum status ledger_check_cluster(const struct ledger *ledger, const char *cluster_id,
                                 struct error *err)
{
    if (ledger->cluster_id[0] == '\0' || strcmp(ledger->cluster_id, cluster_id) == 0) {
        return STATUS_OK;
    }
    return error_set(err, STATUS_CONFIG,
                     "%s holds the offsets of cluster %s, but this server is cluster %s: use the "
                     "--data that belongs to it, or `pinpipe reset --ledger` to begin a new one",
                     ledger->db.path, ledger->cluster_id, cluster_id);
}

/* Whether a record of any post may be somewhere. */
static enum status ledger_may_have_kept(struct ledger *ledger, int64_t *out, struct error *err)
{
    return sqlite_db_query_i64(
        &ledger->db, "SELECT EXISTS (SELECT 1 FROM post WHERE state <> 2 OR maybe_kept > 0)", out,
        err);
}

enum status ledger_bind_cluster(struct ledger *ledger, const char *cluster_id, struct error *err)
{
    int64_t kept = 0;
    enum status status = ledger_check_cluster(ledger, cluster_id, err);
    if (status == STATUS_OK && ledger->cluster_id[0] != '\0') {
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        struct error ignored;
        if (ledger_may_have_kept(ledger, &kept, &ignored) != STATUS_OK || kept != 0) {
            return status;
        }
    }
    if (strlen(cluster_id) >= sizeof(ledger->cluster_id)) {
        return error_set(err, STATUS_LIMIT, "the cluster's id is over %d bytes long",
                         LEDGER_CLUSTER_ID_BYTES_MAX - 1);
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&ledger->db, STATEMENT_CLUSTER_PUT);
    if (stmt == NULL) {
        return sqlite_db_error(&ledger->db, "keep the cluster id", err);
    }
    sqlite_bind_span_text(stmt, 1, span_from_cstr(cluster_id));
    status = ledger_step_done(ledger, stmt, "keep the cluster id", err);
    if (status == STATUS_OK) {
        snprintf(ledger->cluster_id, sizeof(ledger->cluster_id), "%s", cluster_id);
    }
    return status;
}

enum status ledger_begin_run(struct ledger *ledger, struct ledger_run *run, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&ledger->db, STATEMENT_RUN_ADD);
    if (stmt == NULL) {
        return sqlite_db_error(&ledger->db, "begin a run", err);
    }
    run->started_ms = wall_ms(ledger);
    sqlite3_bind_int64(stmt, 1, run->started_ms);
    sqlite_bind_span_text(stmt, 2, span_from_cstr(run->user_id));
    sqlite_bind_span_text(stmt, 3, span_from_cstr(row_order_name(run->order)));
    sqlite3_bind_int64(stmt, 4, (int64_t)run->seed);
    sqlite_bind_span_text(stmt, 5, span_from_cstr(run->datetime == DATETIME_ISO ? "iso" : "space"));
    sqlite3_bind_int64(stmt, 6, run->lanes_per_topic);
    if (run->rows_wanted >= 0) {
        sqlite3_bind_int64(stmt, 7, run->rows_wanted);
    }
    enum status status = ledger_step_done(ledger, stmt, "begin a run", err);
    if (status == STATUS_OK) {
        run->id = sqlite3_last_insert_rowid(ledger->db.handle);
    }
    return status;
}

enum status ledger_end_run(struct ledger *ledger, int64_t run_id, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&ledger->db, STATEMENT_RUN_END);
    if (stmt == NULL) {
        return sqlite_db_error(&ledger->db, "end a run", err);
    }
    sqlite3_bind_int64(stmt, 1, run_id);
    sqlite3_bind_int64(stmt, 2, wall_ms(ledger));
    return ledger_step_done(ledger, stmt, "end a run", err);
}

static void run_from_row(sqlite3_stmt *stmt, struct ledger_run *run)
{
    run->started_ms = sqlite3_column_int64(stmt, 0);
    run->ended = sqlite3_column_type(stmt, 1) != SQLITE_NULL;
    run->ended_ms = sqlite3_column_int64(stmt, 1);
    snprintf(run->user_id, sizeof(run->user_id), "%.*s", SPAN_ARG(sqlite_column_span(stmt, 2)));
    const char *order = (const char *)sqlite3_column_text(stmt, 3);
    if (order == NULL || !row_order_find(order, &run->order)) {
        run->order = ROW_ORDER_RANDOM; /* a reader expects the least of it */
    }
    run->seed = (uint64_t)sqlite3_column_int64(stmt, 4);
    run->datetime =
        span_equal_cstr(sqlite_column_span(stmt, 5), "space") ? DATETIME_SPACE : DATETIME_ISO;
    run->lanes_per_topic = sqlite3_column_int64(stmt, 6);
    run->rows_wanted =
        sqlite3_column_type(stmt, 7) != SQLITE_NULL ? sqlite3_column_int64(stmt, 7) : -1;
}

enum status ledger_get_run(struct ledger *ledger, int64_t run_id, struct ledger_run *run,
                           struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&ledger->db, STATEMENT_RUN_GET);
    if (stmt == NULL) {
        return sqlite_db_error(&ledger->db, "read a run", err);
    }
    sqlite3_bind_int64(stmt, 1, run_id);
    int code = sqlite3_step(stmt);
    enum status status = STATUS_OK;
    if (code == SQLITE_ROW) {
        *run = (struct ledger_run){.id = run_id};
        run_from_row(stmt, run);
    } else if (code == SQLITE_DONE) {
        status = error_set(err, STATUS_NOT_FOUND, "%s: there is no run %lld", ledger->db.path,
                           (long long)run_id);
    } else {
        status = sqlite_db_error(&ledger->db, "read a run", err);
    }
    sqlite3_reset(stmt);
    return status;
}

/* --- posts --------------------------------------------------------------------------------- */

enum status ledger_begin(struct ledger *ledger, struct error *err)
{
    return run_simple(ledger, STATEMENT_BEGIN, "begin to write", err);
}

enum status ledger_commit(struct ledger *ledger, struct error *err)
{
    return run_simple(ledger, STATEMENT_COMMIT, "commit", err);
}

void ledger_rollback(struct ledger *ledger)
{
    if (sqlite3_get_autocommit(ledger->db.handle) == 0) {
        sqlite3_exec(ledger->db.handle, "ROLLBACK", NULL, NULL, NULL);
    }
}

static void hash_to_bytes(struct hash128 hash, unsigned char out[value_hash_bytes])
{
    be64_write(out, hash.high);
    be64_write(out + 8, hash.low);
}

static struct hash128 hash_from_bytes(const unsigned char *bytes)
{
    return (struct hash128){be64_read(bytes), be64_read(bytes + 8)};
}

enum status ledger_add_intent(struct ledger *ledger, const struct ledger_intent *intent,
                              int64_t *post_id, struct error *err)
{
    unsigned char hash[value_hash_bytes];
    sqlite3_stmt *stmt = sqlite_db_statement(&ledger->db, STATEMENT_INTENT_ADD);
    if (stmt == NULL) {
        return sqlite_db_error(&ledger->db, "note an intent", err);
    }
    hash_to_bytes(intent->value_hash, hash);
    sqlite3_bind_int64(stmt, 1, intent->run_id);
    sqlite3_bind_int64(stmt, 2, intent->triple);
    sqlite3_bind_int64(stmt, 3, intent->table);
    sqlite3_bind_int64(stmt, 4, intent->row_number);
    sqlite_bind_span_text(stmt, 5, intent->topic);
    sqlite_bind_span_blob(stmt, 6, span_from((const char *)hash, sizeof(hash)));
    enum status status = ledger_step_done(ledger, stmt, "note an intent", err);
    if (status == STATUS_OK) {
        *post_id = sqlite3_last_insert_rowid(ledger->db.handle);
    }
    return status;
}

enum status ledger_put_outcome(struct ledger *ledger, const struct ledger_outcome *outcome,
                               struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&ledger->db, STATEMENT_OUTCOME_PUT);
    if (stmt == NULL) {
        return sqlite_db_error(&ledger->db, "note an outcome", err);
    }
    sqlite3_bind_int64(stmt, 1, outcome->post_id);
    sqlite3_bind_int64(stmt, 2, outcome->state);
    sqlite3_bind_int64(stmt, 3, outcome->attempts);
    sqlite3_bind_int64(stmt, 4, outcome->maybe_kept);
    if (outcome->state == LEDGER_ACKED) {
        sqlite3_bind_int64(stmt, 5, outcome->partition);
        sqlite3_bind_int64(stmt, 6, outcome->offset);
        sqlite3_bind_int64(stmt, 8, outcome->acked_ms);
    } else {
        sqlite_bind_span_text(stmt, 7, outcome->reason);
    }
    return ledger_step_done(ledger, stmt, "note an outcome", err);
}

enum status ledger_withdraw(struct ledger *ledger, int64_t post_id, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&ledger->db, STATEMENT_WITHDRAW);
    if (stmt == NULL) {
        return sqlite_db_error(&ledger->db, "withdraw an intent", err);
    }
    sqlite3_bind_int64(stmt, 1, post_id);
    return ledger_step_done(ledger, stmt, "withdraw an intent", err);
}

/* --- reading ------------------------------------------------------------------------------- */

enum status ledger_acked_end(struct ledger *ledger, struct span topic, int32_t partition,
                             int64_t *end, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&ledger->db, STATEMENT_ACKED_END);
    if (stmt == NULL) {
        return sqlite_db_error(&ledger->db, "read the posts", err);
    }
    sqlite_bind_span_text(stmt, 1, topic);
    sqlite3_bind_int64(stmt, 2, partition);
    enum status status = STATUS_OK;
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        *end = sqlite3_column_int64(stmt, 0);
    } else {
        status = sqlite_db_error(&ledger->db, "read the posts", err);
    }
    sqlite3_reset(stmt);
    return status;
}

static enum status cursor_open(struct ledger *ledger, const char *sql, struct ledger_cursor **out,
                               struct error *err)
{
    struct ledger_cursor *cursor = calloc(1, sizeof(*cursor));
    if (cursor == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory to read the ledger");
    }
    cursor->ledger = ledger;
    if (sqlite3_prepare_v2(ledger->db.handle, sql, -1, &cursor->stmt, NULL) != SQLITE_OK) {
        free(cursor);
        return sqlite_db_error(&ledger->db, "read the posts", err);
    }
    *out = cursor;
    return STATUS_OK;
}

enum status ledger_cursor_open(struct ledger *ledger, enum ledger_view view,
                               struct ledger_cursor **out, struct error *err)
{
    return cursor_open(ledger, view_sql[view], out, err);
}

enum status ledger_cursor_open_partition(struct ledger *ledger, struct span topic,
                                         int32_t partition, struct ledger_cursor **out,
                                         struct error *err)
{
    enum status status = cursor_open(ledger, partition_sql, out, err);
    if (status != STATUS_OK) {
        return status;
    }
    /* The topic may die before the cursor does. */
    if (sqlite3_bind_text64((*out)->stmt, 1, topic.ptr, topic.len, SQLITE_TRANSIENT, SQLITE_UTF8) !=
            SQLITE_OK ||
        sqlite3_bind_int64((*out)->stmt, 2, partition) != SQLITE_OK) {
        status = sqlite_db_error(&ledger->db, "read the posts", err);
        ledger_cursor_close(*out);
    }
    return status;
}

static void post_from_row(sqlite3_stmt *stmt, struct ledger_post *post)
{
    post->id = sqlite3_column_int64(stmt, 0);
    post->run_id = sqlite3_column_int64(stmt, 1);
    post->triple = sqlite3_column_int64(stmt, 2);
    post->table = (enum table_id)sqlite3_column_int(stmt, 3);
    post->row_number = sqlite3_column_int64(stmt, 4);
    post->topic = sqlite_column_span(stmt, 5);
    struct span hash = sqlite_column_span(stmt, 6);
    post->has_hash = hash.len == value_hash_bytes;
    if (post->has_hash) {
        post->value_hash = hash_from_bytes((const unsigned char *)hash.ptr);
    }
    post->state = (enum ledger_state)sqlite3_column_int(stmt, 7);
    post->attempts = sqlite3_column_int64(stmt, 8);
    post->maybe_kept = sqlite3_column_int64(stmt, 9);
    post->has_place = sqlite3_column_type(stmt, 11) != SQLITE_NULL;
    if (post->has_place) {
        post->partition = sqlite3_column_int(stmt, 10);
        post->offset = sqlite3_column_int64(stmt, 11);
        post->acked_ms = sqlite3_column_int64(stmt, 13);
    } else { /* what has a place needs no reason: a million of them are read to verify */
        post->reason = sqlite_column_span(stmt, 12);
    }
}

enum status ledger_cursor_next(struct ledger_cursor *cursor, struct ledger_post *post, bool *more,
                               struct error *err)
{
    int code = sqlite3_step(cursor->stmt);
    if (code == SQLITE_DONE) {
        *more = false;
        return STATUS_OK;
    }
    if (code != SQLITE_ROW) {
        return sqlite_db_error(&cursor->ledger->db, "read the posts", err);
    }
    *post = (struct ledger_post){0};
    post_from_row(cursor->stmt, post);
    if ((unsigned)post->table >= TABLE_COUNT || (unsigned)post->state > LEDGER_IN_DOUBT) {
        return error_set(err, STATUS_CORRUPT, "%s: post %lld has a table or state unknown to us",
                         cursor->ledger->db.path, (long long)post->id);
    }
    *more = true;
    return STATUS_OK;
}

void ledger_cursor_close(struct ledger_cursor *cursor)
{
    if (cursor != NULL) {
        sqlite3_finalize(cursor->stmt);
        free(cursor);
    }
}
