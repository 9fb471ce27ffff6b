/* Whatever stands in a topic, seen as a row: an object is found inside the value or nowhere, what
 * is the row has its key and its table, and what is not names a field or nothing is equal. */
#include "verifier_spelling.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { scratch_bytes_max = 1 << 20, unknown_bytes_max = 256 };

static struct row row_of(enum table_id table)
{
    struct row row = {.table = table_get(table)};
    for (size_t i = 0; i < row.table->column_count; i++) {
        row.values[i].integer = i == 0 ? 7 : 1;
        row.values[i].real = 0.5;
        row.values[i].text = row.table->columns[i].type == COLUMN_DATETIME
                                 ? SPAN_LIT("2020-08-28 03:52:47")
                                 : SPAN_LIT("a");
    }
    return row;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span value = span_from((const char *)data, size);
    struct span object = SPAN_EMPTY;
    struct buf scratch;
    struct buf unknown;
    unsigned flags = 0;
    buf_init(&scratch, scratch_bytes_max);
    buf_init(&unknown, unknown_bytes_max);
    if (spelling_unwrap(value, &scratch, &object, &flags)) {
        struct spelling_guess guess = spelling_guess(object);
        for (size_t t = 0; t < TABLE_COUNT; t++) {
            const struct row row = row_of((enum table_id)t);
            struct spelling_answer answer = spelling_compare(object, &row, &unknown);
            if (answer.equal_columns > row.table->column_count ||
                (answer.same && (guess.table != (int)t || !guess.has_key || guess.key != 7)) ||
                (answer.same && answer.field[0] != '\0')) {
                abort();
            }
        }
    }
    if (spelling_words(flags) == NULL) {
        abort();
    }
    buf_release(&scratch);
    buf_release(&unknown);
    return 0;
}
