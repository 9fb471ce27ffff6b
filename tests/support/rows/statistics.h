/* Generated tables read back from their exported CSV, and the judging of their statistics: each
 * judge_* prints one line and counts a miss in tables->misses. */
#ifndef PINPIPE_TESTS_STATISTICS_H
#define PINPIPE_TESTS_STATISTICS_H

#include "buf.h"
#include "csv_table.h"
#include "table.h"

struct tables {
    struct csv_table pin;
    struct csv_table geo;
    struct csv_table user;
    int misses; /* statistics out of bounds */
};

/* The three exported texts of freshly generated tables. */
void statistics_generate(int64_t rows, int64_t seed, struct buf texts[TABLE_COUNT]);
void texts_release(struct buf texts[TABLE_COUNT]);
void tables_make(struct tables *t, int64_t rows, int64_t seed);
void tables_release(struct tables *t);

void judge_within(struct tables *t, const char *statistic, double low, double high, double actual);
/* `actual` and `target` in percentage points. */
void judge_share(struct tables *t, const char *statistic, double target, double actual);
void judge_none(struct tables *t, const char *what, size_t violations);
double percent(size_t part, size_t whole);

typedef bool (*row_test)(const struct csv_table *table, size_t row);
size_t count_rows(const struct csv_table *table, row_test test);
double share(const struct csv_table *table, row_test test);
size_t count_equal(const struct csv_table *table, const char *column, const char *text);
double share_equal(const struct csv_table *table, const char *column, const char *text);
bool cell_is(const struct csv_table *table, size_t row, const char *column, const char *text);
/* The longest cell of a column, in characters. */
size_t longest(const struct csv_table *table, const char *column);

bool starts(const char *text, const char *prefix);
bool ends(const char *text, const char *suffix);
int text_compare(const void *a, const void *b);
/* The cells of a column, to sort and free. */
const char **column_texts(const struct csv_table *table, const char *column);
/* Sorts the texts: how many are different, and the longest run of equal ones. */
size_t distinct(const char **texts, size_t count, size_t *longest_run);
/* Moves a random `sample` of the texts to the front, repeatably. */
void sample_to_front(const char **texts, size_t count, size_t sample);
size_t distinct_in_sample(const struct csv_table *table, const char *column, size_t sample);

#endif
