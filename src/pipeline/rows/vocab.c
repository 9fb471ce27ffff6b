/* Reads the vocabulary and fills patterns in. Nothing here can fail on user input: the texts are
 * ours, compiled in, and a fault in them is a bug that the first generated row shows. */
#include "vocab.h"

enum { number_min = 3, number_max = 75, year_min = 2017, year_max = 2022 };

static bool line_is_section(struct span line, const char *section)
{
    return line.len >= 2 && line.ptr[0] == '[' &&
           span_equal_cstr(span_skip(span_first(line, line.len - 1), 1), section);
}

/* The text between the section's heading and the next one. */
static struct span section_text(const char *text, const char *section)
{
    struct span rest = span_from_cstr(text);
    struct span line;
    while (span_next_part(&rest, '\n', &line)) {
        if (line_is_section(line, section)) {
            struct span tail = rest;
            const char *start = rest.ptr;
            while (span_next_part(&tail, '\n', &line) && (line.len == 0 || line.ptr[0] != '[')) {
                rest = tail;
            }
            return span_from(start, (size_t)(rest.ptr - start));
        }
    }
    BUG("the vocabulary lacks a section");
}

static bool line_counts(struct span line)
{
    return line.len > 0 && line.ptr[0] != '#';
}

struct vocab_list vocab_section(struct arena *arena, const char *text, const char *section)
{
    struct vocab_list list = {0};
    struct span body = section_text(text, section);
    struct span rest = body;
    struct span line;
    while (span_next_part(&rest, '\n', &line)) {
        list.count += line_counts(line);
    }
    list.items = arena_alloc_array(arena, list.count, sizeof(*list.items));
    PP_ASSERT(list.count > 0 && list.items != NULL);
    size_t used = 0;
    rest = body;
    while (span_next_part(&rest, '\n', &line)) {
        if (line_counts(line)) {
            list.items[used++] = line;
        }
    }
    return list;
}

struct span vocab_pick(const struct vocab_list *list, struct dice *dice)
{
    return list->items[dice_below(dice, list->count)];
}

uint32_t vocab_take_number(struct span *rest)
{
    size_t end = span_find_byte(*rest, ' ');
    uint64_t number;
    if (!span_parse_u64(span_first(*rest, end), &number)) {
        return 0;
    }
    *rest = span_skip(*rest, end + 1);
    return (uint32_t)number;
}

static bool is_small_word(struct span word)
{
    static const char *const small_words[] = {"a",  "an", "and", "at",  "before", "for",  "from",
                                              "in", "of", "on",  "the", "to",     "with", "under"};
    for (size_t i = 0; i < ARRAY_COUNT(small_words); i++) {
        if (span_equal_cstr(word, small_words[i])) {
            return true;
        }
    }
    return false;
}

/* Appends the words with capital first letters; small words ("for", "the") are left alone. */
static void vocab_title_case(struct buf *out, struct span text)
{
    struct span rest = text;
    struct span word;
    bool first = true;
    while (span_next_part(&rest, ' ', &word)) {
        if (!first) {
            buf_append_byte(out, ' ');
        }
        bool raise =
            word.len > 0 && word.ptr[0] >= 'a' && word.ptr[0] <= 'z' && !is_small_word(word);
        if (raise) {
            buf_append_byte(out, (char)(word.ptr[0] - 32));
            word = span_skip(word, 1);
        }
        buf_append_span(out, word);
        first = false;
    }
}

static void placeholder_expand(struct buf *out, char name, const struct vocab_words *words,
                               struct span subject, struct dice *dice)
{
    switch (name) {
    case 's':
        buf_append_span(out, subject);
        break;
    case 'S':
        vocab_title_case(out, subject);
        break;
    case 'T':
        buf_append_span(out, vocab_pick(words->tags, dice));
        break;
    case 'a':
        buf_append_span(out, vocab_pick(words->adjectives, dice));
        break;
    case 'A':
        vocab_title_case(out, vocab_pick(words->adjectives, dice));
        break;
    case 'p':
        buf_append_span(out, vocab_pick(words->purposes, dice));
        break;
    case 'P':
        vocab_title_case(out, vocab_pick(words->purposes, dice));
        break;
    case 'q':
        buf_append_span(out, vocab_pick(words->remarks, dice));
        break;
    case 'F':
        buf_append_span(out, vocab_pick(words->first_names, dice));
        break;
    case 'L':
        buf_append_span(out, vocab_pick(words->last_names, dice));
        break;
    case 'n':
        buf_append_i64(out, dice_between(dice, number_min, number_max));
        break;
    case 'y':
        buf_append_i64(out, dice_between(dice, year_min, year_max));
        break;
    default:
        BUG("a pattern of the vocabulary has an unknown placeholder");
    }
}

void vocab_expand(struct buf *out, struct span pattern, const struct vocab_words *words,
                  struct span subject, struct dice *dice)
{
    while (pattern.len > 0) {
        size_t plain = span_find_byte(pattern, '{');
        buf_append(out, pattern.ptr, plain);
        pattern = span_skip(pattern, plain);
        if (pattern.len >= 3) {
            placeholder_expand(out, pattern.ptr[1], words, subject, dice);
        }
        pattern = span_skip(pattern, 3);
    }
}
