/* Private to generator*.c. */
#ifndef PINPIPE_GENERATOR_INTERNAL_H
#define PINPIPE_GENERATOR_INTERNAL_H

#include "generator.h"
#include "vocab.h"

enum { GENERATOR_CATEGORIES = 13 };

/* The streams of chance (dice_for's kind). */
enum generator_dice {
    DICE_PIN = 1,
    DICE_GEO,
    DICE_USER,
    DICE_POSTER,
    DICE_FOLLOWERS,
    DICE_PERSON,
    DICE_PERSON_CELL,
    DICE_PLACE,
    DICE_STATE,
};

struct category {
    const char *name;
    int32_t first_key;     /* in a table of GENERATOR_ROWS_DEFAULT rows */
    const char *favourite; /* the country that leads it */
};

extern const struct category generator_categories[GENERATOR_CATEGORIES];

struct pin_words {
    struct vocab_list subjects[GENERATOR_CATEGORIES];
    struct vocab_list tags[GENERATOR_CATEGORIES];
    struct vocab_list titles;
    struct vocab_list long_titles;
    struct vocab_list descriptions;
    struct vocab_list adjectives;
    struct vocab_list purposes;
    struct vocab_list remarks;
    struct vocab_list top_posters;
    struct vocab_list poster_first;
    struct vocab_list poster_second;
    struct vocab_list poster_suffixes;
    struct vocab_list poster_long;
};

struct geo_words {
    struct vocab_list countries;
    uint32_t *cumulative; /* one a country: hundredths of a per cent up to and with it, of 10000 */
    size_t favourites[GENERATOR_CATEGORIES];
};

struct user_words {
    struct vocab_list first_names;
    struct vocab_list last_names;
};

struct generator {
    int64_t rows;
    uint64_t seed;
    struct arena arena;
    struct pin_words pin;
    struct geo_words geo;
    struct user_words user;
    struct buf text[TABLE_COUNT]; /* the last row's text */
    struct buf draft;
};

size_t generator_category_of(const struct generator *g, int64_t key);
/* Position in a pool of `pool` things where the first are drawn far more often: 0..pool-1. The
 * density falls as (x + head)^-1.5 over 0 <= x < 1; `flat` parts in 10000 are drawn evenly. The
 * point of chance is the caller's: a draw, or a key's place in a shuffle. */
struct generator_skew {
    double head;
    uint32_t flat;
};
uint64_t generator_skewed(uint32_t point, uint64_t pool, struct generator_skew skew);
/* The key's place in a shuffle of all keys, as a point of 0..2^32-1. */
uint32_t generator_point(const struct generator *g, enum generator_dice kind, int64_t key);

/* "2021-02-05 19:14:42" of seconds since 1970. */
void generator_append_datetime(struct buf *out, int64_t seconds);

void generator_pin_init(struct generator *g);
void generator_pin_row(struct generator *g, int64_t key, struct row *row);
void generator_geo_init(struct generator *g);
void generator_geo_row(struct generator *g, int64_t key, struct row *row);
void generator_user_init(struct generator *g);
void generator_user_row(struct generator *g, int64_t key, struct row *row);

/* A row's texts are collected in one buf and become spans when it no longer moves. */
struct text_marks {
    size_t ends[TABLE_COLUMNS_MAX];
};
void generator_mark(const struct buf *text, struct text_marks *marks, size_t column);
void generator_resolve(const struct buf *text, const struct text_marks *marks, struct row *row);

#endif
