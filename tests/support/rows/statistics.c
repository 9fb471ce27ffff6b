#include "statistics.h"

#include "generator.h"
#include "rds_csv.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { export_bytes_max = 64 * 1024 * 1024 };

static int buf_write(void *ctx, struct span bytes)
{
    buf_append_span(ctx, bytes);
    return 0;
}

static void table_export(struct sqlite_db *db, enum table_id id, struct buf *out)
{
    struct error err = ERROR_NONE;
    buf_init(out, export_bytes_max);
    struct rds_export_options options = {
        .db = db, .table = id, .write = buf_write, .write_ctx = out};
    assert_int_equal(rds_export(&options, &err), STATUS_OK);
    assert_true(buf_ok(out));
}

/* The three exported texts of freshly generated tables. */
void statistics_generate(int64_t rows, int64_t seed, struct buf texts[TABLE_COUNT])
{
    struct temp_dir dir;
    struct env env;
    struct sqlite_db db;
    struct error err = ERROR_NONE;
    temp_dir_make(&dir);
    env_init_system(&env);
    struct rds_generate_options options = {
        .data_dir = dir.path, .env = &env, .rows = rows, .seed = seed};
    assert_int_equal(rds_generate(&options, &err), STATUS_OK);
    assert_int_equal(rds_open(dir.path, &env, &db, &err), STATUS_OK);
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        table_export(&db, (enum table_id)i, &texts[i]);
    }
    sqlite_db_close(&db);
    temp_dir_remove(&dir);
}

void texts_release(struct buf texts[TABLE_COUNT])
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        buf_release(&texts[i]);
    }
}

void tables_make(struct tables *t, int64_t rows, int64_t seed)
{
    struct buf texts[TABLE_COUNT];
    statistics_generate(rows, seed, texts);
    t->misses = 0;
    csv_table_read(&t->pin, texts[TABLE_PIN].ptr, texts[TABLE_PIN].len);
    csv_table_read(&t->geo, texts[TABLE_GEO].ptr, texts[TABLE_GEO].len);
    csv_table_read(&t->user, texts[TABLE_USER].ptr, texts[TABLE_USER].len);
    texts_release(texts);
}

void tables_release(struct tables *t)
{
    csv_table_release(&t->pin);
    csv_table_release(&t->geo);
    csv_table_release(&t->user);
}

/* --- judging --------------------------------------------------------------------------------- */

void judge_within(struct tables *t, const char *statistic, double low, double high, double actual)
{
    bool good = actual >= low && actual <= high;
    t->misses += !good;
    print_message("  %-58s %9.2f..%-9.2f %10.3f%s\n", statistic, low, high, actual,
                  good ? "" : "  <-- MISSED");
}

/* `actual` and `target` in percentage points. */
void judge_share(struct tables *t, const char *statistic, double target, double actual)
{
    double tolerance = target / 2 < 2 ? target / 2 : 2;
    tolerance = tolerance < 0.5 ? 0.5 : tolerance;
    bool good = actual >= target - tolerance && actual <= target + tolerance && actual > 0;
    t->misses += !good;
    print_message("  %-58s %7.2f %% +-%-8.2f %8.3f %%%s\n", statistic, target, tolerance, actual,
                  good ? "" : "  <-- MISSED");
}

void judge_none(struct tables *t, const char *what, size_t violations)
{
    t->misses += violations > 0;
    print_message("  %-58s %20s %10zu%s\n", what, "never", violations,
                  violations > 0 ? "  <-- MISSED" : "");
}

double percent(size_t part, size_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

/* --- looking at cells ------------------------------------------------------------------------ */

size_t count_rows(const struct csv_table *table, row_test test)
{
    size_t count = 0;
    for (size_t i = 0; i < table->rows; i++) {
        count += test(table, i);
    }
    return count;
}

double share(const struct csv_table *table, row_test test)
{
    return percent(count_rows(table, test), table->rows);
}

size_t count_equal(const struct csv_table *table, const char *column, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < table->rows; i++) {
        count += strcmp(csv_table_cell(table, i, column), text) == 0;
    }
    return count;
}

double share_equal(const struct csv_table *table, const char *column, const char *text)
{
    return percent(count_equal(table, column, text), table->rows);
}

bool cell_is(const struct csv_table *table, size_t row, const char *column, const char *text)
{
    return strcmp(csv_table_cell(table, row, column), text) == 0;
}

bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool ends(const char *text, const char *suffix)
{
    size_t len = strlen(text);
    size_t part = strlen(suffix);
    return len >= part && strcmp(text + len - part, suffix) == 0;
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

size_t longest(const struct csv_table *table, const char *column)
{
    size_t most = 0;
    for (size_t i = 0; i < table->rows; i++) {
        size_t len = characters(csv_table_cell(table, i, column));
        most = len > most ? len : most;
    }
    return most;
}

int text_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted texts: how many are different, and the longest run of equal ones. */
size_t distinct(const char **texts, size_t count, size_t *longest_run)
{
    size_t different = 0;
    size_t run = 0;
    *longest_run = 0;
    qsort(texts, count, sizeof(*texts), text_compare);
    for (size_t i = 0; i < count; i++) {
        bool same = i > 0 && strcmp(texts[i], texts[i - 1]) == 0;
        run = same ? run + 1 : 1;
        different += !same;
        *longest_run = run > *longest_run ? run : *longest_run;
    }
    return different;
}

/* Moves a random `sample` of the texts to the front, repeatably. */
void sample_to_front(const char **texts, size_t count, size_t sample)
{
    uint64_t state = 12345;
    for (size_t i = 0; i < sample; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        size_t other = i + (size_t)((state >> 33) % (count - i));
        const char *moved = texts[other];
        texts[other] = texts[i];
        texts[i] = moved;
    }
}

const char **column_texts(const struct csv_table *table, const char *column)
{
    const char **texts = calloc(table->rows, sizeof(*texts));
    assert_non_null(texts);
    for (size_t i = 0; i < table->rows; i++) {
        texts[i] = csv_table_cell(table, i, column);
    }
    return texts;
}

size_t distinct_in_sample(const struct csv_table *table, const char *column, size_t sample)
{
    size_t run;
    const char **texts = column_texts(table, column);
    sample_to_front(texts, table->rows, sample);
    size_t count = distinct(texts, sample, &run);
    free(texts);
    return count;
}
