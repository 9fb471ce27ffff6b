/* rds.db, the SQLite file that stands for the workshop's RDS: who may open it and how it changes.
 *
 * The file never changes in place. A change builds rds.db.new beside it, without syncs, then syncs
 * it once and renames it: readers keep the file they opened, a killed process leaves the old one,
 * and two writers exclude each other by a lock on rds.lock. */
#ifndef PINPIPE_RDS_H
#define PINPIPE_RDS_H

#include "buf.h"
#include "env.h"
#include "error.h"
#include "sqlite_db.h"
#include "table.h"

enum {
    RDS_APPLICATION_ID = 0x70705264, /* "ppRd" */
    RDS_VERSION = 1,
};

/* Opens <data_dir>/rds.db read-only. NOT_FOUND: there is none (the message says to run `pinpipe
 * data generate`); CONFIG: it is not ours or newer than this program; CORRUPT, IO, BUSY. */
enum status rds_open(const char *data_dir, const struct env *env, struct sqlite_db *db,
                     struct error *err) PP_MUST_USE;

/* Reads column values of a `SELECT <columns in order> FROM table` row; the spans belong to the
 * statement until its next step or reset. */
void rds_row_from_statement(sqlite3_stmt *stmt, const struct table *table, struct row *row);

struct rds_build;

/* Creates the directory when needed, takes the lock and begins the new file with empty tables.
 * BUSY: another process is building. CONFIG: the present rds.db is not ours to replace. */
enum status rds_build_begin(const char *data_dir, const struct env *env, struct rds_build **out,
                            struct error *err) PP_MUST_USE;
/* Takes over a table as it is in the present rds.db; nothing when there is no rds.db. */
enum status rds_build_keep(struct rds_build *build, enum table_id table,
                           struct error *err) PP_MUST_USE;
/* EXISTS: a row with that key is there already. */
enum status rds_build_insert(struct rds_build *build, const struct row *row,
                             struct error *err) PP_MUST_USE;
/* Notes where a table's rows came from; seed is NULL for rows that were not generated. */
enum status rds_build_note(struct rds_build *build, enum table_id table, const char *how,
                           const int64_t *seed, struct error *err) PP_MUST_USE;
/* Puts the new file in the old one's place. Frees the build, whatever the outcome. */
enum status rds_build_finish(struct rds_build *build, struct error *err) PP_MUST_USE;
/* Removes the new file, leaves the old one. Frees the build; NULL is allowed. */
void rds_build_abandon(struct rds_build *build);

struct rds_table_info {
    int64_t rows;
    int64_t key_min; /* 0 without rows */
    int64_t key_max;
    bool dense;   /* keys are 0..rows-1 */
    char how[16]; /* "generated", "imported", "" when never filled */
    bool has_seed;
    int64_t seed;
};

enum status rds_table_info(struct sqlite_db *db, enum table_id table, struct rds_table_info *out,
                           struct error *err) PP_MUST_USE;

#endif
