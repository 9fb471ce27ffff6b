/* pinterest_data: what a scraper brought home, with its failures. The error sentinels are joint: a
 * pin's state (complete, story, everything failed...) is drawn first and decides which columns are
 * sentinels, so that `downloaded` is 0 exactly when the image is missing. Targets: workshop
 * section 3.
 *
 * A poster is a function of the seed and the number in the pool; the follower count belongs to the
 * poster but drifts now and then, as between two visits of a scraper. */
#include "generator_internal.h"

#include "embedded.h"

#include <stdio.h>
#include <string.h>

#define NO_TITLE       "No Title Data Available"
#define NO_DESCRIPTION "No description available"
#define NO_STORY       "No description available Story format"
#define NO_USER        "User Info Error"
#define NO_TAGS        "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e"
#define NO_IMAGE       "Image src error."
/* An ellipsis and a no-break space: how the site cuts a text. */
#define CUT_MARK "\xe2\x80\xa6\xc2\xa0"

enum {
    title_chars_max = 199,
    description_chars_max = 180,
    poster_chars_max = 268,
    cut_mark_chars = 2,
    tags_per_pin = 9,
    posters_per_default_rows = 3690,
    category_bytes_max = 32,
};

/* The outcomes of the scraper, in 10000 pins; the rest are complete images. */
enum pin_state {
    PIN_ALL_FAILED,     /* sentinels in every field */
    PIN_STORY_NO_IMAGE, /* sentinels: description, image */
    PIN_STORY_NO_USER,  /* sentinels: description, image, poster, followers */
    PIN_STORY_NO_TAGS,  /* sentinels: the same and the tags */
    PIN_STORY,          /* a sentinel: the description */
    PIN_STORY_TOLD,     /* a story page with everything */
    PIN_VIDEO,
    PIN_IMAGE,
    PIN_STATES,
};

static const uint16_t state_shares[PIN_STATES] = {
    [PIN_ALL_FAILED] = 60,    [PIN_STORY_NO_IMAGE] = 80, [PIN_STORY_NO_USER] = 60,
    [PIN_STORY_NO_TAGS] = 50, [PIN_STORY] = 340,         [PIN_STORY_TOLD] = 180,
    [PIN_VIDEO] = 290,        [PIN_IMAGE] = 8940,
};

struct pin {
    int64_t key;
    enum pin_state state;
    size_t category;
    struct span subject;
    struct vocab_words words;
    struct dice dice;
};

static bool state_lacks_image(enum pin_state state)
{
    return state <= PIN_STORY_NO_TAGS;
}

static bool state_lacks_description(enum pin_state state)
{
    return state <= PIN_STORY;
}

static bool state_lacks_user(enum pin_state state)
{
    return state == PIN_ALL_FAILED || state == PIN_STORY_NO_USER;
}

static bool state_lacks_tags(enum pin_state state)
{
    return state == PIN_ALL_FAILED || state == PIN_STORY_NO_TAGS;
}

/* The state follows from the key's place in a shuffle: shares are exact, the order is chance. */
static enum pin_state state_of(const struct generator *g, int64_t key)
{
    uint64_t point = (uint64_t)generator_point(g, DICE_STATE, key) * 10000 >> 32;
    uint32_t sum = 0;
    for (size_t i = 0; i < PIN_STATES; i++) {
        sum += state_shares[i];
        if (point < sum) {
            return (enum pin_state)i;
        }
    }
    return PIN_IMAGE;
}

/* --- texts ----------------------------------------------------------------------------------- */

/* Bytes of the first `chars` characters of valid UTF-8. */
static size_t utf8_prefix_bytes(struct span text, size_t chars)
{
    size_t position = 0;
    while (position < text.len) {
        bool starts = ((unsigned char)text.ptr[position] & 0xc0) != 0x80;
        if (starts && chars-- == 0) {
            break;
        }
        position++;
    }
    return position;
}

/* Appends the text, cut to the limit in characters with the site's mark when it is longer. */
static void cut_append(struct buf *out, struct span text, size_t chars_max)
{
    if (utf8_prefix_bytes(text, chars_max) == text.len) {
        buf_append_span(out, text);
        return;
    }
    struct span kept = span_first(text, utf8_prefix_bytes(text, chars_max - cut_mark_chars));
    buf_append_span(out, span_trim(kept));
    BUF_APPEND_LIT(out, CUT_MARK);
}

static void title_append(struct generator *g, struct pin *pin, struct buf *out)
{
    const struct vocab_list *patterns =
        dice_chance(&pin->dice, 900) ? &g->pin.long_titles : &g->pin.titles;
    buf_reset(&g->draft);
    vocab_expand(&g->draft, vocab_pick(patterns, &pin->dice), &pin->words, pin->subject,
                 &pin->dice);
    cut_append(out, buf_span(&g->draft), title_chars_max);
}

static void description_append(struct generator *g, struct pin *pin, struct buf *out)
{
    const struct vocab_list *patterns = &g->pin.descriptions;
    size_t sentences = dice_chance(&pin->dice, 7800) ? 3 : 1;
    size_t pattern = dice_below(&pin->dice, patterns->count);
    buf_reset(&g->draft);
    for (size_t i = 0; i < sentences; i++) {
        if (i > 0) {
            buf_append_byte(&g->draft, ' ');
        }
        vocab_expand(&g->draft, patterns->items[pattern], &pin->words, pin->subject, &pin->dice);
        /* Two such steps stay within one round: no sentence comes twice. */
        pattern += 1 + dice_below(&pin->dice, (patterns->count - 1) / 2);
        pattern %= patterns->count;
    }
    cut_append(out, buf_span(&g->draft), description_chars_max);
}

/* Nine different tags (seldom fewer), by the first steps of a shuffle. */
static void tags_append(const struct generator *g, struct pin *pin, struct buf *out)
{
    const struct vocab_list *tags = &g->pin.tags[pin->category];
    uint8_t order[UINT8_MAX];
    size_t wanted =
        dice_chance(&pin->dice, 40) ? 1 + dice_below(&pin->dice, tags_per_pin - 1) : tags_per_pin;
    PP_ASSERT(tags->count >= tags_per_pin && tags->count <= sizeof(order));
    for (size_t i = 0; i < tags->count; i++) {
        order[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < wanted; i++) {
        size_t other = i + dice_below(&pin->dice, tags->count - i);
        uint8_t chosen = order[other];
        order[other] = order[i];
        order[i] = chosen;
        if (i > 0) {
            buf_append_byte(out, ',');
        }
        buf_append_span(out, tags->items[chosen]);
    }
}

static void image_append(struct pin *pin, struct buf *out)
{
    static const char *const endings[] = {"png", "png", "png", "webp", "gif"};
    char hash[33];
    uint64_t high = dice_u64(&pin->dice);
    uint64_t low = dice_u64(&pin->dice);
    snprintf(hash, sizeof(hash), "%016llx%016llx", (unsigned long long)high,
             (unsigned long long)low);
    bool story = pin->state == PIN_STORY || pin->state == PIN_STORY_TOLD;
    bool thumbnail = pin->state == PIN_VIDEO || (story && dice_chance(&pin->dice, 6000));
    buf_printf(out, "https://i.pinimg.com/%soriginals/%.2s/%.2s/%.2s/%s",
               thumbnail ? "videos/thumbnails/" : "", hash, hash + 2, hash + 4, hash);
    if (thumbnail) {
        buf_append_cstr(out, dice_chance(&pin->dice, 7000) ? ".0000001.jpg" : "-00001.jpg");
        return;
    }
    buf_append_byte(out, '.');
    buf_append_cstr(out, dice_chance(&pin->dice, 1000)
                             ? endings[dice_below(&pin->dice, ARRAY_COUNT(endings))]
                             : "jpg");
}

/* --- posters --------------------------------------------------------------------------------- */

static void poster_name_append(struct generator *g, uint64_t poster,
                               const struct vocab_words *words, struct buf *out)
{
    struct dice dice = dice_for(g->seed, DICE_POSTER, poster);
    buf_reset(&g->draft);
    if (dice_chance(&dice, 3500)) {
        vocab_expand(&g->draft, SPAN_LIT("{F} {L}"), words, SPAN_EMPTY, &dice);
    } else {
        buf_append_span(&g->draft, vocab_pick(&g->pin.poster_first, &dice));
        buf_append_byte(&g->draft, ' ');
        buf_append_span(&g->draft, vocab_pick(&g->pin.poster_second, &dice));
        bool is_long = dice_chance(&dice, 80);
        if (is_long || dice_chance(&dice, 7500)) {
            const struct vocab_list *behind =
                is_long ? &g->pin.poster_long : &g->pin.poster_suffixes;
            buf_append_byte(&g->draft, ' ');
            vocab_expand(&g->draft, vocab_pick(behind, &dice), words, SPAN_EMPTY, &dice);
        }
    }
    struct span name = buf_span(&g->draft);
    buf_append_span(out, span_first(name, utf8_prefix_bytes(name, poster_chars_max)));
}

struct followers {
    int64_t number;
    char unit; /* 'k', 'M' or NUL */
};

/* Shares of the kinds and of the decades within them; see workshop section 3. */
static struct followers poster_followers(const struct generator *g, uint64_t poster)
{
    struct dice dice = dice_for(g->seed, DICE_FOLLOWERS, poster);
    uint32_t kind = dice_spread(g->seed, DICE_FOLLOWERS, poster);
    uint32_t part = dice_below(&dice, 10000);
    if (kind < 6060) {
        int64_t number = part < 1200   ? dice_between(&dice, 1, 9)
                         : part < 6500 ? dice_between(&dice, 10, 99)
                                       : dice_between(&dice, 100, 985);
        return (struct followers){number, 'k'};
    }
    if (kind < 6060 + 420) {
        int64_t number = part < 4200   ? 2
                         : part < 6400 ? 5
                         : part < 8300 ? 1
                                       : dice_between(&dice, 3, 15);
        return (struct followers){number, 'M'};
    }
    int64_t number = kind >= 10000 - 50 ? 0
                     : part < 1500      ? dice_between(&dice, 1, 9)
                     : part < 5000      ? dice_between(&dice, 10, 99)
                                        : dice_between(&dice, 100, 999);
    return (struct followers){number, '\0'};
}

/* Followers come and go between two visits; the unit and its range stay. */
static void followers_drift(struct followers *f, struct dice *dice)
{
    int64_t most = f->unit == 'k' ? 985 : f->unit == 'M' ? 15 : 999;
    if (f->number == 0 || f->unit == 'M' || !dice_chance(dice, 800)) {
        return;
    }
    f->number += dice_between(dice, 1, 1 + f->number / 20);
    f->number = f->number > most ? most : f->number;
}

static struct followers followers_parse(struct span text)
{
    struct followers f = {0};
    char last = text.len > 0 ? text.ptr[text.len - 1] : '\0';
    f.unit = last == 'k' || last == 'M' ? last : '\0';
    bool good = span_parse_i64(span_first(text, text.len - (f.unit != '\0')), &f.number);
    PP_ASSERT(good);
    return f;
}

/* The named ones by their shares of all points, then the pool. */
static struct followers poster_append(struct generator *g, struct pin *pin, struct buf *out)
{
    const struct generator_skew skew = {.head = 0.03, .flat = 6000};
    const struct vocab_list *top = &g->pin.top_posters;
    const uint64_t whole = UINT64_C(1) << 32;
    uint64_t point = generator_point(g, DICE_POSTER, pin->key);
    uint64_t left = whole;
    for (size_t i = 0; i < top->count; i++) {
        struct span entry = top->items[i];
        uint64_t share = whole * vocab_take_number(&entry) / 10000;
        if (point < share) {
            size_t blank = span_find_byte(entry, ' ');
            buf_append_span(out, span_skip(entry, blank + 1));
            return followers_parse(span_first(entry, blank));
        }
        point -= share;
        left -= share;
    }
    uint64_t pool = (uint64_t)g->rows * posters_per_default_rows / GENERATOR_ROWS_DEFAULT + 1;
    uint64_t poster = generator_skewed((uint32_t)((point << 31) / (left >> 1)), pool, skew);
    poster_name_append(g, poster, &pin->words, out);
    return poster_followers(g, poster);
}

static void user_append(struct generator *g, struct pin *pin, struct buf *out,
                        struct text_marks *marks)
{
    if (state_lacks_user(pin->state)) {
        BUF_APPEND_LIT(out, NO_USER);
        generator_mark(out, marks, 4);
        BUF_APPEND_LIT(out, NO_USER);
        generator_mark(out, marks, 5);
        return;
    }
    struct followers followers = poster_append(g, pin, out);
    generator_mark(out, marks, 4);
    followers_drift(&followers, &pin->dice);
    buf_append_i64(out, followers.number);
    buf_append(out, &followers.unit, followers.unit != '\0');
    generator_mark(out, marks, 5);
}

/* --- the row --------------------------------------------------------------------------------- */

static void unique_id_append(struct buf *out, struct dice *dice)
{
    uint64_t high = (dice_u64(dice) & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
    uint64_t low = (dice_u64(dice) & ~(UINT64_C(3) << 62)) | (UINT64_C(1) << 63);
    buf_printf(out, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
               (unsigned)(high >> 16) & 0xffffU, (unsigned)high & 0xffffU, (unsigned)(low >> 48),
               (unsigned long long)(low & UINT64_C(0xffffffffffff)));
}

static const char *media_kind(enum pin_state state)
{
    if (state == PIN_IMAGE) {
        return "image";
    }
    return state == PIN_VIDEO ? "video" : "multi-video(story page format)";
}

static void words_append(struct generator *g, struct pin *pin, struct buf *out,
                         struct text_marks *marks)
{
    if (pin->state == PIN_ALL_FAILED) {
        BUF_APPEND_LIT(out, NO_TITLE);
    } else {
        title_append(g, pin, out);
    }
    generator_mark(out, marks, 2);
    if (state_lacks_description(pin->state)) {
        BUF_APPEND_LIT(out, NO_STORY);
    } else if (pin->state >= PIN_VIDEO && dice_chance(&pin->dice, 43)) {
        BUF_APPEND_LIT(out, NO_DESCRIPTION);
    } else {
        description_append(g, pin, out);
    }
    generator_mark(out, marks, 3);
}

void generator_pin_row(struct generator *g, int64_t key, struct row *row)
{
    struct pin pin = {.key = key, .dice = dice_for(g->seed, DICE_PIN, (uint64_t)key)};
    struct buf *text = &g->text[TABLE_PIN];
    struct text_marks marks;
    unique_id_append(text, &pin.dice);
    generator_mark(text, &marks, 1);
    pin.state = state_of(g, key);
    pin.category = generator_category_of(g, key);
    pin.subject = vocab_pick(&g->pin.subjects[pin.category], &pin.dice);
    pin.words = (struct vocab_words){
        .tags = &g->pin.tags[pin.category],
        .adjectives = &g->pin.adjectives,
        .purposes = &g->pin.purposes,
        .remarks = &g->pin.remarks,
        .first_names = &g->user.first_names,
        .last_names = &g->user.last_names,
    };
    words_append(g, &pin, text, &marks);
    user_append(g, &pin, text, &marks);
    if (state_lacks_tags(pin.state)) {
        BUF_APPEND_LIT(text, NO_TAGS);
    } else {
        tags_append(g, &pin, text);
    }
    generator_mark(text, &marks, 6);
    buf_append_cstr(text, media_kind(pin.state));
    generator_mark(text, &marks, 7);
    if (state_lacks_image(pin.state)) {
        BUF_APPEND_LIT(text, NO_IMAGE);
    } else {
        image_append(&pin, text);
    }
    generator_mark(text, &marks, 8);
    row->values[9].integer = !state_lacks_image(pin.state);
    BUF_APPEND_LIT(text, "Local save in /data/");
    buf_append_cstr(text, generator_categories[pin.category].name);
    generator_mark(text, &marks, 10);
    buf_append_cstr(text, generator_categories[pin.category].name);
    generator_mark(text, &marks, 11);
    generator_resolve(text, &marks, row);
}

void generator_pin_init(struct generator *g)
{
    struct pin_words *w = &g->pin;
    char section[category_bytes_max + 16];
    for (size_t i = 0; i < GENERATOR_CATEGORIES; i++) {
        const char *name = generator_categories[i].name;
        snprintf(section, sizeof(section), "%s.subject", name);
        w->subjects[i] = vocab_section(&g->arena, embedded_vocab_categories_txt, section);
        snprintf(section, sizeof(section), "%s.tag", name);
        w->tags[i] = vocab_section(&g->arena, embedded_vocab_categories_txt, section);
    }
    const char *phrases = embedded_vocab_phrases_txt;
    w->titles = vocab_section(&g->arena, phrases, "title");
    w->long_titles = vocab_section(&g->arena, phrases, "title-long");
    w->descriptions = vocab_section(&g->arena, phrases, "description");
    w->adjectives = vocab_section(&g->arena, phrases, "adjective");
    w->purposes = vocab_section(&g->arena, phrases, "purpose");
    w->remarks = vocab_section(&g->arena, phrases, "remark");
    const char *posters = embedded_vocab_posters_txt;
    w->top_posters = vocab_section(&g->arena, posters, "top");
    w->poster_first = vocab_section(&g->arena, posters, "first");
    w->poster_second = vocab_section(&g->arena, posters, "second");
    w->poster_suffixes = vocab_section(&g->arena, posters, "suffix");
    w->poster_long = vocab_section(&g->arena, posters, "long");
}
