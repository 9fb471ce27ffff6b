/* The generator of one seed: its parts set up, a row of any table, and the loop that fills rds.db
 * with them. */
#include "generator_internal.h"

#include "rds.h"

#include <stdlib.h>

enum {
    generator_arena_bytes_max = 1024 * 1024,
    generator_words_bytes = 256 * 1024,
    generator_text_bytes_max = 64 * 1024,
    generator_report_rows = 1000,
};

/* All the memory that the vocabulary and a row will need, so that making one cannot fail. */
static bool texts_make(struct generator *g)
{
    bool made = arena_reserve(&g->arena, generator_words_bytes);
    buf_init(&g->draft, generator_text_bytes_max);
    made = made && buf_reserve(&g->draft, generator_text_bytes_max);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        buf_init(&g->text[i], generator_text_bytes_max);
        made = made && buf_reserve(&g->text[i], generator_text_bytes_max);
    }
    return made;
}

enum status generator_new(int64_t rows, uint64_t seed, struct generator **out, struct error *err)
{
    if (rows < 1 || rows > GENERATOR_ROWS_MAX) {
        return error_set(err, STATUS_USAGE, "rows: %lld is not between 1 and %d", (long long)rows,
                         GENERATOR_ROWS_MAX);
    }
    struct generator *g = calloc(1, sizeof(*g));
    if (g == NULL) {
        return error_no_memory(err);
    }
    g->rows = rows;
    g->seed = seed;
    arena_init(&g->arena, generator_arena_bytes_max);
    if (!texts_make(g)) {
        generator_free(g);
        return error_no_memory(err);
    }
    generator_user_init(g);
    generator_geo_init(g);
    generator_pin_init(g);
    *out = g;
    return STATUS_OK;
}

void generator_free(struct generator *g)
{
    if (g == NULL) {
        return;
    }
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        buf_release(&g->text[i]);
    }
    buf_release(&g->draft);
    arena_release(&g->arena);
    free(g);
}

void generator_row(struct generator *g, enum table_id table, int64_t key, struct row *row)
{
    PP_ASSERT(key >= 0 && key < g->rows);
    *row = (struct row){.table = table_get(table)};
    row->values[0].integer = key;
    buf_reset(&g->text[table]);
    switch (table) {
    case TABLE_PIN:
        generator_pin_row(g, key, row);
        return;
    case TABLE_GEO:
        generator_geo_row(g, key, row);
        return;
    case TABLE_USER:
        generator_user_row(g, key, row);
        return;
    case TABLE_COUNT:
        break;
    }
    BUG("no such table");
}

static enum status table_fill(struct rds_build *build, struct generator *g, enum table_id table,
                              const struct rds_generate_options *options, struct error *err)
{
    const struct progress *progress = options->progress;
    enum status status = STATUS_OK;
    struct row row;
    for (int64_t key = 0; status == STATUS_OK && key < g->rows; key++) {
        generator_row(g, table, key, &row);
        status = rds_build_insert(build, &row, err);
        if (progress == NULL || key % generator_report_rows != 0) {
            continue;
        }
        progress->update(progress->ctx, table_get(table)->name, (uint64_t)key, (uint64_t)g->rows);
        if (status == STATUS_OK && progress->should_stop(progress->ctx)) {
            status = error_set(err, STATUS_INTERRUPTED, "stopped: the tables are as they were");
        }
    }
    if (progress != NULL && status == STATUS_OK) {
        progress->update(progress->ctx, table_get(table)->name, (uint64_t)g->rows,
                         (uint64_t)g->rows);
    }
    if (status == STATUS_OK) {
        status = rds_build_note(build, table, "generated", &options->seed, err);
    }
    return status;
}

enum status rds_generate(const struct rds_generate_options *options, struct error *err)
{
    struct generator *g = NULL;
    struct rds_build *build = NULL;
    enum status status = generator_new(options->rows, (uint64_t)options->seed, &g, err);
    if (status == STATUS_OK) {
        status = rds_build_begin(options->data_dir, options->env, &build, err);
    }
    for (size_t i = 0; status == STATUS_OK && i < TABLE_COUNT; i++) {
        status = table_fill(build, g, (enum table_id)i, options, err);
    }
    if (status == STATUS_OK) {
        status = rds_build_finish(build, err);
    } else {
        rds_build_abandon(build);
    }
    generator_free(g);
    return status;
}
