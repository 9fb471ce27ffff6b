#include "mysql_handle.h"

#include "file.h"
#include "generator.h"
#include "log.h"
#include "mysql_fiber.h"
#include "mysql_sql.h"
#include "rds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_MEMORY ":memory:"

/* The seed of `pinpipe data generate`, so that the tables are those of everybody. */
enum { tables_seed = 100 };
enum { handle_value_bytes_max = 64 * 1024 * 1024 };

enum status mysql_handles_init(struct mysql_handles *handles, const char *data_dir, struct env *env,
                               struct log *log, struct error *err)
{
    *handles = (struct mysql_handles){.env = env, .log = log};
    int used = snprintf(handles->data_dir, sizeof(handles->data_dir), "%s", data_dir);
    if (used < 0 || (size_t)used >= sizeof(handles->data_dir)) {
        return error_set(err, STATUS_CONFIG, "data directory: the path is longer than %zu bytes",
                         sizeof(handles->data_dir) - 1);
    }
    return STATUS_OK;
}

static void handle_free(struct mysql_handles *handles, struct mysql_handle *handle)
{
    sqlite3_close_v2(handle->db);
    mysql_fiber_free(handle->fiber);
    free(handle);
    handles->count--;
}

static void idle_free(struct mysql_handles *handles)
{
    while (handles->idle != NULL) {
        struct mysql_handle *handle = handles->idle;
        handles->idle = handle->next;
        handles->idle_count--;
        handle_free(handles, handle);
    }
}

void mysql_handles_release(struct mysql_handles *handles)
{
    idle_free(handles);
    PP_ASSERT(handles->count == 0);
    free(handles->memory);
    handles->memory = NULL;
}

static bool handles_in_memory(const struct mysql_handles *handles)
{
    return strcmp(handles->data_dir, IN_MEMORY) == 0;
}

static struct mysql_file_identity identity_now(const struct mysql_handles *handles)
{
    char path[MYSQL_DATA_DIR_BYTES + 16];
    struct stat facts;
    snprintf(path, sizeof(path), "%s/rds.db", handles->data_dir);
    if (handles_in_memory(handles) || stat(path, &facts) != 0) {
        return (struct mysql_file_identity){0};
    }
    return (struct mysql_file_identity){.device = facts.st_dev,
                                        .inode = facts.st_ino,
                                        .size = (int64_t)facts.st_size,
                                        .changed = (int64_t)facts.st_mtime};
}

static bool identity_equal(const struct mysql_file_identity *a, const struct mysql_file_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed == b->changed;
}

/* Whole, as sqlite3_deserialize reads it. */
static enum status memory_load(struct mysql_handles *handles, const char *dir, struct error *err)
{
    struct sqlite_db db = {0};
    enum status status = rds_open(dir, handles->env, &db, err);
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_int64 size = 0;
    unsigned char *bytes = sqlite3_serialize(db.handle, "main", &size, 0);
    sqlite_db_close(&db);
    handles->memory = bytes != NULL ? malloc((size_t)size) : NULL;
    if (handles->memory == NULL) {
        sqlite3_free(bytes);
        return error_no_memory(err);
    }
    memcpy(handles->memory, bytes, (size_t)size);
    handles->memory_bytes = size;
    sqlite3_free(bytes);
    return STATUS_OK;
}

/* Tables that nobody else sees are made in a directory that is gone when they have been read. */
static enum status memory_generate(struct mysql_handles *handles, struct error *err)
{
    static const char *const names[] = {"rds.db", "rds.lock"};
    char dir[] = "/tmp/pinpipe-rds-XXXXXX";
    if (mkdtemp(dir) == NULL) {
        return error_set_errno(err, errno, "%s", dir);
    }
    struct rds_generate_options options = {
        .data_dir = dir, .env = handles->env, .rows = GENERATOR_ROWS_DEFAULT, .seed = tables_seed};
    enum status status = rds_generate(&options, err);
    if (status == STATUS_OK) {
        status = memory_load(handles, dir, err);
    }
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
    return status;
}

static enum status disk_generate(struct mysql_handles *handles, struct error *err)
{
    char path[MYSQL_DATA_DIR_BYTES + 16];
    snprintf(path, sizeof(path), "%s/rds.db", handles->data_dir);
    if (file_exists(path)) {
        return STATUS_OK;
    }
    struct rds_generate_options options = {.data_dir = handles->data_dir,
                                           .env = handles->env,
                                           .rows = GENERATOR_ROWS_DEFAULT,
                                           .seed = tables_seed};
    enum status status = rds_generate(&options, err);
    if (status == STATUS_OK && handles->log != NULL) {
        LOG_INFOF(handles->log, "mysql",
                  "%s: there were no tables yet: generated rows=%d seed=%d in each of the three",
                  path, GENERATOR_ROWS_DEFAULT, tables_seed);
    }
    return status;
}

bool mysql_handles_ready(struct mysql_handles *handles, struct mysql_error *error)
{
    struct error err = ERROR_NONE;
    enum status status = STATUS_OK;
    if (!handles_in_memory(handles)) {
        status = disk_generate(handles, &err);
    } else if (handles->memory == NULL) {
        status = memory_generate(handles, &err);
    }
    return status == STATUS_OK || mysql_error_set(error, MYSQL_ER_UNKNOWN, err.message);
}

static enum status handle_open(struct mysql_handles *handles, struct mysql_handle *handle,
                               struct error *err)
{
    struct sqlite_db db = {0};
    if (!handles_in_memory(handles)) {
        handle->identity = identity_now(handles);
        enum status status = rds_open(handles->data_dir, handles->env, &db, err);
        handle->db = db.handle;
        return status;
    }
    struct sqlite_db_options options = {.path = IN_MEMORY, .env = handles->env, .create = true};
    enum status status = sqlite_db_open(&db, &options, err);
    if (status != STATUS_OK) {
        return status;
    }
    handle->db = db.handle;
    if (sqlite3_deserialize(db.handle, "main", handles->memory, handles->memory_bytes,
                            handles->memory_bytes, SQLITE_DESERIALIZE_READONLY) != SQLITE_OK) {
        return sqlite_db_error(&db, "read the tables", err);
    }
    return STATUS_OK;
}

/* A second wall: statements are written by mysql_emit_*.c, which names nothing else. */
static int handle_authorize(void *unused, int action, const char *first, const char *second,
                            const char *database, const char *trigger)
{
    (void)unused;
    (void)second;
    (void)database;
    (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_READ: {
        struct span name = span_from_cstr(first);
        bool hidden =
            span_starts_with(name, SPAN_LIT("sqlite_")) || span_equal_cstr(name, "table_origin");
        return hidden ? SQLITE_DENY : SQLITE_OK;
    }
    default:
        return SQLITE_DENY;
    }
}

static bool handle_prepare(struct mysql_handle *handle)
{
    handle->fiber = mysql_fiber_new();
    if (handle->fiber == NULL || mysql_sql_register(handle->db) != SQLITE_OK) {
        return false;
    }
    sqlite3_db_config(handle->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(handle->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_limit(handle->db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(handle->db, SQLITE_LIMIT_LENGTH, handle_value_bytes_max);
    sqlite3_limit(handle->db, SQLITE_LIMIT_WORKER_THREADS, 0);
    /* The file never changes in place (rds.h), so it can be read where the system has it: a row far
     * behind an OFFSET costs no copy of the pages before it. */
    (void)sqlite3_exec(handle->db, "PRAGMA mmap_size=268435456", NULL, NULL, NULL);
    return sqlite3_set_authorizer(handle->db, handle_authorize, NULL) == SQLITE_OK;
}

static struct mysql_handle *handle_new(struct mysql_handles *handles, struct mysql_error *error)
{
    struct error err = ERROR_NONE;
    struct mysql_handle *handle = calloc(1, sizeof(*handle));
    if (handle == NULL) {
        mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
        return NULL;
    }
    handles->count++;
    if (handle_open(handles, handle, &err) != STATUS_OK) {
        mysql_error_set(error, MYSQL_ER_UNKNOWN, err.message);
    } else if (!handle_prepare(handle)) {
        mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
    } else {
        return handle;
    }
    handle_free(handles, handle);
    return NULL;
}

struct mysql_handle *mysql_handle_take(struct mysql_handles *handles, struct mysql_error *error)
{
    struct mysql_file_identity now = identity_now(handles);
    if (handles->idle != NULL && !identity_equal(&handles->idle->identity, &now)) {
        idle_free(handles);
    }
    struct mysql_handle *handle = handles->idle;
    if (handle != NULL) {
        handles->idle = handle->next;
        handles->idle_count--;
        return handle;
    }
    if (handles->count >= MYSQL_HANDLES_MAX) {
        mysql_error_set(error, MYSQL_ER_CON_COUNT_ERROR);
        return NULL;
    }
    return mysql_handles_ready(handles, error) ? handle_new(handles, error) : NULL;
}

void mysql_handle_give_back(struct mysql_handles *handles, struct mysql_handle *handle)
{
    if (handles->idle_count >= MYSQL_HANDLES_IDLE_MAX ||
        (handles->idle != NULL && !identity_equal(&handles->idle->identity, &handle->identity))) {
        handle_free(handles, handle);
        return;
    }
    handle->next = handles->idle;
    handles->idle = handle;
    handles->idle_count++;
}
