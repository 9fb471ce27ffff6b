#include "csv_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One cell from *from, decoded in place; returns the separator behind it ('\n' at the end too). */
static char cell_read(char **from, char **cell)
{
    char *in = *from;
    char *out = in;
    *cell = in;
    if (*in == '"') {
        in++;
        *cell = out;
        for (;;) {
            if (*in == '\0') {
                fail_msg("a quoted cell does not end");
            }
            if (in[0] == '"' && in[1] != '"') {
                in++;
                break;
            }
            in += in[0] == '"';
            *out++ = *in++;
        }
    } else {
        while (*in != ',' && *in != '\n' && *in != '\0') {
            *out++ = *in++;
        }
    }
    char separator = *in;
    *from = separator == '\0' ? in : in + 1;
    *out = '\0';
    assert_true(separator == ',' || separator == '\n');
    return separator;
}

static size_t line_read(char **from, char **cells)
{
    size_t count = 0;
    char separator;
    do {
        assert_true(count < CSV_TABLE_COLUMNS_MAX);
        separator = cell_read(from, &cells[count++]);
    } while (separator == ',');
    return count;
}

void csv_table_read(struct csv_table *table, const char *text, size_t len)
{
    size_t lines = 0;
    *table = (struct csv_table){.bytes = malloc(len + 1)};
    assert_non_null(table->bytes);
    memcpy(table->bytes, text, len);
    table->bytes[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        lines += text[i] == '\n'; /* at least as many as there are records */
    }
    table->cells = calloc(lines + 1, sizeof(*table->cells));
    assert_non_null(table->cells);
    char *from = table->bytes;
    table->columns = line_read(&from, table->header);
    while (*from != '\0') {
        assert_true(table->rows < lines);
        assert_int_equal(line_read(&from, table->cells[table->rows]), table->columns);
        table->rows++;
    }
}

void csv_table_release(struct csv_table *table)
{
    free(table->bytes);
    free(table->cells);
    *table = (struct csv_table){0};
}

const char *csv_table_cell(const struct csv_table *table, size_t row, const char *column)
{
    for (size_t i = 0; i < table->columns; i++) {
        if (strcmp(table->header[i], column) == 0) {
            assert_true(row < table->rows);
            return table->cells[row][i];
        }
    }
    fail_msg("there is no column %s", column);
    return "";
}
