/* SQLite's handles of rds.db, a running query's each: opened on demand, a few of them kept. A file
 * that has been put in the place of the old one (`pinpipe data generate` while the server runs) is
 * seen by the next query; those that run keep what they opened. */
#ifndef PINPIPE_MYSQL_HANDLE_H
#define PINPIPE_MYSQL_HANDLE_H

#include "mysql_error.h"

#include <sqlite3.h>
#include <sys/types.h>

enum {
    MYSQL_HANDLES_MAX = 64,     /* queries that are running, or whose rows nobody fetches */
    MYSQL_HANDLES_IDLE_MAX = 4, /* kept for the next ones */
    MYSQL_DATA_DIR_BYTES = 512,
};

/* A file as it was when it was opened: another one under the same name differs in one of these. */
struct mysql_file_identity {
    dev_t device;
    ino_t inode;
    int64_t size;
    int64_t changed;
};

struct mysql_fiber;

struct mysql_handle {
    sqlite3 *db;
    struct mysql_fiber *fiber; /* what runs its query */
    struct mysql_handle *next;
    struct mysql_file_identity identity;
};

struct mysql_handles {
    char data_dir[MYSQL_DATA_DIR_BYTES];
    struct env *env;
    struct log *log;
    struct mysql_handle *idle;
    size_t idle_count;
    size_t count; /* all that are open */
    /* Of tables that nobody else sees: the file's bytes, which every handle reads. */
    unsigned char *memory;
    int64_t memory_bytes;
};

enum status mysql_handles_init(struct mysql_handles *handles, const char *data_dir, struct env *env,
                               struct log *log, struct error *err) PP_MUST_USE;
/* All handles have been given back. */
void mysql_handles_release(struct mysql_handles *handles);
/* Is there a file that can be read? Generates the tables where there are none. */
bool mysql_handles_ready(struct mysql_handles *handles, struct mysql_error *error);
/* NULL and *error: 1040 when too many are in use, 1105 when the file cannot be opened. */
struct mysql_handle *mysql_handle_take(struct mysql_handles *handles, struct mysql_error *error);
void mysql_handle_give_back(struct mysql_handles *handles, struct mysql_handle *handle);

#endif
