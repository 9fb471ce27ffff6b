/* CSV into and out of the tables of rds.db. */
#ifndef PINPIPE_RDS_CSV_H
#define PINPIPE_RDS_CSV_H

#include "csv.h"
#include "progress.h"
#include "rds.h"

struct rds_import_options {
    const char *data_dir;
    const struct env *env;
    enum table_id table;
    csv_read_fn read;
    void *read_ctx;
    const struct progress *progress; /* may be NULL */
};

struct rds_import_result {
    int64_t rows;
    int64_t key_min; /* 0 without rows */
    int64_t key_max;
    bool dense; /* keys are 0..rows-1, as the real tables' */
};

/* Puts the file's rows in the place of the table's. All or nothing: on any fault rds.db is as it
 * was, and the message names line and field. Columns are found by the names of the first line,
 * whatever their order. INVALID, EXISTS (a key twice), LIMIT: the file; INTERRUPTED; else as
 * rds_build_*. */
enum status rds_import(const struct rds_import_options *options, struct rds_import_result *result,
                       struct error *err) PP_MUST_USE;

/* Takes the bytes; -1 (with errno) when it cannot. */
typedef int (*rds_write_fn)(void *ctx, struct span bytes);

struct rds_export_options {
    struct sqlite_db *db; /* from rds_open */
    enum table_id table;
    rds_write_fn write;
    void *write_ctx;
    const struct progress *progress; /* may be NULL */
};

/* Header line, then the rows in key order, lines ended by LF; what rds_import reads back to the
 * same table. INTERRUPTED, IO. */
enum status rds_export(const struct rds_export_options *options, struct error *err) PP_MUST_USE;

/* Up to six significant digits without an exponent, as MySQL shows a FLOAT. */
void rds_float_append(struct buf *out, double value);

/* Reads a field's text as a value of that type; false when it is none. Text values borrow the
 * field, datetimes are written to stamp (with a blank, as the tables hold them). */
enum { RDS_STAMP_BYTES = 19 };
bool rds_value_parse(struct span text, enum column_type type, char stamp[RDS_STAMP_BYTES],
                     struct row_value *out);

#endif
