/* user_data: people who come again (name, age and join second together), the frequent ones early
 * in the alphabet; ages that lean to twenty and rise with the joining year; a joining rush in
 * October and November 2015. Targets: workshop section 3.
 *
 * A person is a function of the seed and the number in the pool; number 0 is drawn most often. */
#include "generator_internal.h"

#include "embedded.h"

enum {
    people_per_default_rows = 4000, /* the pool for GENERATOR_ROWS_DEFAULT rows */
    periods = 4,
    bands = 6,
    day_seconds = 86400,
};

struct join_period {
    int64_t first; /* seconds since 1970 */
    int32_t days;
    bool front_loaded;
};

static const struct join_period join_periods[periods] = {
    {1445385600, 41, false}, /* 2015-10-21 .. 2015-11-30 */
    {1448928000, 31, true},  /* 2015-12-01 .. 2015-12-31 */
    {1451606400, 366, true}, /* 2016 */
    {1483228800, 291, true}, /* 2017-01-01 .. 2017-10-18 */
};

static const struct age_band {
    int32_t first;
    int32_t last;
} age_bands[bands] = {{20, 20}, {21, 21}, {22, 24}, {25, 35}, {36, 50}, {51, 60}};

/* People in 10000 by joining period and age band. The columns add up to the age shares (18 %, 12 %,
 * 15 %, 26 %, 20 %, 9 %), the rows to the joining shares (32 %, 8 %, 37 %, 23 %), and the mean ages
 * of 2015, 2016 and 2017 come out as 24.3, 33.3 and 38.8. */
static const uint16_t cells[periods][bands] = {
    {1100, 680, 640, 560, 176, 44},
    {275, 170, 160, 140, 44, 11},
    {325, 270, 530, 1310, 855, 410},
    {100, 80, 170, 590, 925, 435},
};

static void cell_find(uint32_t point, size_t *period, size_t *band)
{
    uint32_t sum = 0;
    for (size_t cell = 0; cell < (size_t)periods * bands; cell++) {
        *period = cell / bands;
        *band = cell % bands;
        sum += cells[*period][*band];
        if (point < sum) {
            return;
        }
    }
}

static int64_t join_second_draw(const struct join_period *period, struct dice *dice)
{
    int64_t seconds = (int64_t)period->days * day_seconds;
    int64_t second = dice_between(dice, 0, seconds - 1);
    if (period->front_loaded && dice_chance(dice, 3000)) {
        int64_t other = dice_between(dice, 0, seconds - 1);
        second = other < second ? other : second;
    }
    return period->first + second;
}

/* Names run through the alphabet with the person's number, loosely. */
static struct span name_draw(const struct vocab_list *names, uint64_t person, uint64_t pool,
                             struct dice *dice)
{
    size_t place = (size_t)(person * names->count / pool);
    size_t reach = place / 2 + 8;
    size_t low = place > reach / 2 ? place - reach / 2 : 0;
    size_t index = low + dice_below(dice, reach);
    return names->items[index < names->count ? index : names->count - 1];
}

void generator_user_init(struct generator *g)
{
    g->user.first_names = vocab_section(&g->arena, embedded_vocab_people_txt, "first");
    g->user.last_names = vocab_section(&g->arena, embedded_vocab_people_txt, "last");
}

void generator_user_row(struct generator *g, int64_t key, struct row *row)
{
    const struct generator_skew skew = {.head = 0.0195, .flat = 5000};
    uint64_t pool = (uint64_t)g->rows * people_per_default_rows / GENERATOR_ROWS_DEFAULT + 1;
    uint64_t person = generator_skewed(generator_point(g, DICE_USER, key), pool, skew);
    struct dice traits = dice_for(g->seed, DICE_PERSON, person);
    struct buf *text = &g->text[TABLE_USER];
    struct text_marks marks;
    size_t period = 0;
    size_t band = 0;
    cell_find(dice_spread(g->seed, DICE_PERSON_CELL, person), &period, &band);
    buf_append_span(text, name_draw(&g->user.first_names, person, pool, &traits));
    generator_mark(text, &marks, 1);
    buf_append_span(text, name_draw(&g->user.last_names, person, pool, &traits));
    generator_mark(text, &marks, 2);
    row->values[3].integer = dice_between(&traits, age_bands[band].first, age_bands[band].last);
    generator_append_datetime(text, join_second_draw(&join_periods[period], &traits));
    generator_mark(text, &marks, 4);
    generator_resolve(text, &marks, row);
}
