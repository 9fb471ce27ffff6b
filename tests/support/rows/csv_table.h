/* A whole CSV text in memory, read by code that shares nothing with src/base/csv.c. For texts that
 * our own export wrote: it judges nothing beyond what the tests ask. */
#ifndef PINPIPE_TESTS_CSV_TABLE_H
#define PINPIPE_TESTS_CSV_TABLE_H

#include <stddef.h>

enum { CSV_TABLE_COLUMNS_MAX = 16 };

struct csv_table {
    char *bytes; /* the text, cut into strings in place */
    char *(*cells)[CSV_TABLE_COLUMNS_MAX];
    size_t rows; /* without the header */
    size_t columns;
    char *header[CSV_TABLE_COLUMNS_MAX];
};

/* Copies the text; fails the running test on anything it cannot read. */
void csv_table_read(struct csv_table *table, const char *text, size_t len);
void csv_table_release(struct csv_table *table);
/* The cell under that header name; fails the test when there is none. */
const char *csv_table_cell(const struct csv_table *table, size_t row, const char *column);

#endif
