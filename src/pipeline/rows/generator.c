/* What the three tables' generators share, and the loop that fills rds.db with them. */
#include "generator_parts.h"

#include "embedded.h"
#include "rds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    generator_arena_bytes_max = 1024 * 1024,
    generator_text_bytes_max = 64 * 1024,
    generator_report_rows = 1000,
};

/* The first keys lie within the gaps that workshop section 3 leaves between the observed blocks. */
const struct category generator_categories[GENERATOR_CATEGORIES] = {
    {"art", 0, "Albania"},
    {"beauty", 894, "American Samoa"},
    {"christmas", 1640, "Afghanistan"},
    {"diy-and-crafts", 2637, "Aruba"},
    {"education", 3467, "Armenia"},
    {"event-planning", 4330, "Andorra"},
    {"finance", 5077, "Antigua and Barbuda"},
    {"home-decor", 5865, "Angola"},
    {"mens-fashion", 6725, "Azerbaijan"},
    {"quotes", 7580, "Algeria"},
    {"tattoos", 8486, "Antarctica (the territory South of 60 deg S)"},
    {"travel", 9459, "Argentina"},
    {"vehicles", 10315, "Anguilla"},
};

size_t generator_category_of(const struct generator *g, int64_t key)
{
    size_t category = GENERATOR_CATEGORIES - 1;
    while (category > 0 &&
           key * GENERATOR_ROWS_DEFAULT / g->rows < generator_categories[category].first_key) {
        category--;
    }
    return category;
}

/* The inverse of the distribution function. Each step is its own statement, and only operations
 * that IEEE 754 rounds exactly are used, so that every machine draws the same. */
uint64_t generator_skewed(uint32_t point, uint64_t pool, struct generator_skew skew)
{
    const uint64_t whole = UINT64_C(1) << 32;
    uint64_t flat_points = whole * skew.flat / 10000;
    bool flat = point < flat_points;
    double u = flat ? (double)point / (double)flat_points
                    : (double)(point - flat_points) / (double)(whole - flat_points);
    double x = u;
    if (!flat) {
        double from = 1.0 / sqrt(skew.head);
        double to = 1.0 / sqrt(skew.head + 1.0);
        double span = from - to;
        double step = u * span;
        double y = from - step;
        double square = y * y;
        double inverse = 1.0 / square;
        x = inverse - skew.head;
    }
    double position = x * (double)pool;
    uint64_t index = position > 0 ? (uint64_t)position : 0;
    return index < pool ? index : pool - 1;
}

uint32_t generator_point(const struct generator *g, enum generator_dice kind, int64_t key)
{
    uint64_t rows = (uint64_t)g->rows;
    uint64_t place = dice_place(g->seed, kind, (uint64_t)key, rows);
    return (uint32_t)((place << 32) / rows);
}

void generator_append_datetime(struct buf *out, int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm utc;
    char stamp[32];
    gmtime_r(&when, &utc);
    buf_append(out, stamp, strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &utc));
}

void generator_mark(const struct buf *text, struct text_marks *marks, size_t column)
{
    marks->ends[column] = text->len;
}

void generator_resolve(const struct buf *text, const struct text_marks *marks, struct row *row)
{
    PP_ASSERT(buf_ok(text));
    size_t start = 0;
    for (size_t i = 0; i < row->table->column_count; i++) {
        enum column_type type = row->table->columns[i].type;
        if (type == COLUMN_TEXT || type == COLUMN_DATETIME) {
            row->values[i].text = span_from(text->ptr + start, marks->ends[i] - start);
            start = marks->ends[i];
        }
    }
}

enum status generator_new(int64_t rows, uint64_t seed, struct generator **out, struct error *err)
{
    if (rows < 1 || rows > GENERATOR_ROWS_MAX) {
        return error_set(err, STATUS_USAGE, "rows: %lld is not between 1 and %d", (long long)rows,
                         GENERATOR_ROWS_MAX);
    }
    struct generator *g = calloc(1, sizeof(*g));
    if (g == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    g->rows = rows;
    g->seed = seed;
    arena_init(&g->arena, generator_arena_bytes_max);
    buf_init(&g->draft, generator_text_bytes_max);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        buf_init(&g->text[i], generator_text_bytes_max);
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
