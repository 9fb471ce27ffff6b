/* geolocation_data: countries skewed to the front of the alphabet and to the pin's category,
 * coordinates that have nothing to do with the country and partly come again, timestamps over five
 * years less two days. Targets: workshop section 3. */
#include "generator_internal.h"

#include "embedded.h"
#include "search.h"

enum {
    favourite_share = 800,   /* rows of a category that are in its favourite country, in 10000 */
    tail_start = 20,         /* how steep the countries without a share of their own fall off */
    repeated_share = 4500,   /* rows at a place that comes again */
    rows_per_place = 16,     /* one pool of such places for so many rows */
    post_first = 1508457600, /* 2017-10-20 00:00:00 */
    post_last = 1666137599,  /* 2022-10-18 23:59:59 */
    micro_degrees = 1000000,
    coordinate_digits_max = 1000000, /* six significant digits */
};

/* The favourites' boost must not raise their share of all rows. */
static uint32_t favourite_parts(const struct generator *g, size_t country)
{
    uint32_t parts = 0;
    for (size_t i = 0; i < GENERATOR_CATEGORIES; i++) {
        parts += g->geo.favourites[i] == country ? favourite_share / GENERATOR_CATEGORIES : 0;
    }
    return parts;
}

static void countries_weigh(struct generator *g, const uint32_t *shares)
{
    struct geo_words *geo = &g->geo;
    const uint64_t whole = 1000000;
    uint64_t tail_parts = whole - (uint64_t)favourite_share * 100;
    uint64_t tail_weight = 0;
    for (size_t i = 0; i < geo->countries.count; i++) {
        if (shares[i] > 0) {
            tail_parts -= (shares[i] - favourite_parts(g, i)) * 100;
        } else {
            tail_weight += whole / (tail_start + i);
        }
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < geo->countries.count; i++) {
        sum += shares[i] > 0 ? (shares[i] - favourite_parts(g, i)) * 100
                             : tail_parts * (whole / (tail_start + i)) / tail_weight;
        geo->cumulative[i] = (uint32_t)sum;
    }
}

void generator_geo_init(struct generator *g)
{
    struct geo_words *geo = &g->geo;
    geo->countries = vocab_section(&g->arena, embedded_vocab_countries_txt, "country");
    size_t count = geo->countries.count;
    uint32_t *shares = arena_alloc_array(&g->arena, count, sizeof(*shares));
    geo->cumulative = arena_alloc_array(&g->arena, count, sizeof(*geo->cumulative));
    PP_ASSERT(shares != NULL && geo->cumulative != NULL);
    for (size_t i = 0; i < count; i++) {
        shares[i] = vocab_take_number(&geo->countries.items[i]);
        for (size_t c = 0; c < GENERATOR_CATEGORIES; c++) {
            if (span_equal_cstr(geo->countries.items[i], generator_categories[c].favourite)) {
                geo->favourites[c] = i;
            }
        }
    }
    countries_weigh(g, shares);
}

/* A country's share ends before its cumulative point. */
static int share_order(const void *cumulative, const void *point)
{
    return *(const uint32_t *)cumulative <= *(const uint32_t *)point ? -1 : 1;
}

static struct span country_draw(const struct generator *g, size_t category, struct dice *dice)
{
    const struct geo_words *geo = &g->geo;
    if (dice_chance(dice, favourite_share)) {
        return geo->countries.items[geo->favourites[category]];
    }
    size_t last = geo->countries.count - 1;
    uint32_t point = dice_below(dice, geo->cumulative[last]);
    return geo->countries.items[SEARCH_PLACE(geo->cumulative, last, &point, share_order, NULL)];
}

/* A coordinate as MySQL's FLOAT shows it: six significant digits. */
static double coordinate_draw(struct dice *dice, int32_t limit_degrees)
{
    int64_t limit = (int64_t)limit_degrees * micro_degrees;
    int64_t digits = dice_between(dice, -limit, limit);
    int64_t scale = micro_degrees;
    while (digits >= coordinate_digits_max || digits <= -coordinate_digits_max) {
        digits = (digits + (digits > 0 ? 5 : -5)) / 10;
        scale /= 10;
    }
    return (double)digits / (double)scale; /* both exact: the nearest double to the decimal */
}

/* The places that come again crowd at the south-west end, as the real ones do. */
static double crowded_coordinate_draw(struct dice *dice, int32_t limit_degrees)
{
    double value = coordinate_draw(dice, limit_degrees);
    for (int i = 0; i < 3; i++) {
        double other = coordinate_draw(dice, limit_degrees);
        value = other < value ? other : value;
    }
    return value;
}

static void place_draw(const struct generator *g, struct dice *dice, double *latitude,
                       double *longitude)
{
    const struct generator_skew skew = {.head = 0.02, .flat = 3000};
    if (!dice_chance(dice, repeated_share)) {
        *latitude = coordinate_draw(dice, 90);
        *longitude = coordinate_draw(dice, 180);
        return;
    }
    uint64_t pool = (uint64_t)g->rows / rows_per_place + 1;
    struct dice place = dice_for(g->seed, DICE_PLACE,
                                 generator_skewed(dice_below(dice, UINT64_C(1) << 32), pool, skew));
    *latitude = crowded_coordinate_draw(&place, 90);
    *longitude = crowded_coordinate_draw(&place, 180);
}

void generator_geo_row(struct generator *g, int64_t key, struct row *row)
{
    struct dice dice = dice_for(g->seed, DICE_GEO, (uint64_t)key);
    struct buf *text = &g->text[TABLE_GEO];
    struct text_marks marks;
    generator_append_datetime(text, dice_between(&dice, post_first, post_last));
    generator_mark(text, &marks, 1);
    place_draw(g, &dice, &row->values[2].real, &row->values[3].real);
    buf_append_span(text, country_draw(g, generator_category_of(g, key), &dice));
    generator_mark(text, &marks, 4);
    generator_resolve(text, &marks, row);
}
