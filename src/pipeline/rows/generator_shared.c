/* The parts that the three tables' generators share: categories, skewed and shuffled chance, texts.
 */
#include "generator_internal.h"

#include <math.h>
#include <time.h>

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
