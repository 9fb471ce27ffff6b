/* Rows with the shape of the workshop's real tables (specs: workshop section 3): category blocks,
 * joint error sentinels, skewed countries, people and posters that come again. Content is ours.
 *
 * A row is a function of (rows, seed, key): any row can be made alone, and memory does not grow
 * with the number of rows. */
#ifndef PINPIPE_GENERATOR_H
#define PINPIPE_GENERATOR_H

#include "env.h"
#include "error.h"
#include "progress.h"
#include "table.h"

enum {
    GENERATOR_ROWS_DEFAULT = 11154, /* the real tables' */
    GENERATOR_ROWS_MAX = 100 * 1000 * 1000,
};

struct generator;

/* rows from 1 to GENERATOR_ROWS_MAX. */
enum status generator_new(int64_t rows, uint64_t seed, struct generator **out,
                          struct error *err) PP_MUST_USE;
void generator_free(struct generator *generator);
/* The row with this key, 0 <= key < rows; spans live until the next call for the same table. */
void generator_row(struct generator *generator, enum table_id table, int64_t key, struct row *row);

struct rds_generate_options {
    const char *data_dir;
    const struct env *env;
    int64_t rows;
    int64_t seed;
    const struct progress *progress; /* may be NULL */
};

/* Puts an rds.db with all three tables generated in the place of the present one. INTERRUPTED (and
 * the old file stays) when progress asks to stop; else as rds_build_*. */
enum status rds_generate(const struct rds_generate_options *options, struct error *err) PP_MUST_USE;

#endif
