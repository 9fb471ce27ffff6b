#include "mysql_shape.h"

struct shaper {
    struct span rest;
    char *out;
    size_t len;
    size_t max;
    bool blank; /* there was one since the last character */
};

static char next_of(const struct shaper *s, size_t ahead)
{
    return ahead < s->rest.len ? s->rest.ptr[ahead] : '\0';
}

static bool shape_is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool shape_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return shape_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '$' || c == '@' || (unsigned char)c >= 0x80;
}

static void shape_put(struct shaper *s, struct span text)
{
    if (s->blank && s->len > 0 && s->len < s->max) {
        s->out[s->len++] = ' ';
    }
    s->blank = false;
    for (size_t i = 0; i < text.len && s->len < s->max; i++) {
        s->out[s->len++] = text.ptr[i];
    }
}

/* What is quoted, with its quotes; a doubled quote is one of it, and so is one behind a backslash
 * but in a name. An end that is missing is the statement's. */
static struct span quoted_take(struct shaper *s)
{
    char quote = next_of(s, 0);
    size_t i = 1;
    while (i < s->rest.len) {
        if (s->rest.ptr[i] == '\\' && quote != '`') {
            i += 2;
        } else if (s->rest.ptr[i] != quote) {
            i++;
        } else if (next_of(s, i + 1) == quote) {
            i += 2;
        } else {
            break;
        }
    }
    struct span text = span_first(s->rest, i + 1);
    s->rest = span_skip(s->rest, i + 1);
    return text;
}

/* The length of a comment that begins here; 0: none does. */
static size_t comment_len(const struct shaper *s)
{
    char second = next_of(s, 1);
    bool dashes = next_of(s, 0) == '-' && second == '-' &&
                  (s->rest.len == 2 || shape_is_blank(next_of(s, 2)));
    if (next_of(s, 0) == '#' || dashes) {
        return span_find_byte(s->rest, '\n');
    }
    if (next_of(s, 0) != '/' || second != '*') {
        return 0;
    }
    for (size_t i = 2; i + 1 < s->rest.len; i++) {
        if (s->rest.ptr[i] == '*' && s->rest.ptr[i + 1] == '/') {
            return i + 2;
        }
    }
    return s->rest.len;
}

static struct span word_take(struct shaper *s)
{
    size_t len = 1;
    bool number = shape_is_digit(next_of(s, 0));
    while (len < s->rest.len) {
        char c = s->rest.ptr[len];
        char before = s->rest.ptr[len - 1];
        bool sign = (c == '-' || c == '+') && (before == 'e' || before == 'E') &&
                    next_of(s, 1) != 'x' && shape_is_digit(next_of(s, len + 1));
        if (!is_word(c) && !(number && (c == '.' || sign))) {
            break;
        }
        len++;
    }
    struct span word = span_first(s->rest, len);
    s->rest = span_skip(s->rest, len);
    return word;
}

static bool is_string_prefix(struct span word, char next)
{
    static const char prefixes[] = "xXbBnN";
    if (next != '\'' || word.len == 0) {
        return false;
    }
    return word.ptr[0] == '_' ||
           (word.len == 1 &&
            span_find_byte(span_from_cstr(prefixes), word.ptr[0]) < sizeof(prefixes) - 1);
}

static void shape_step(struct shaper *s)
{
    char c = next_of(s, 0);
    size_t comment = comment_len(s);
    if (shape_is_blank(c) || comment > 0) {
        s->rest = span_skip(s->rest, comment > 0 ? comment : 1);
        s->blank = true;
    } else if (c == '`') {
        shape_put(s, quoted_take(s));
    } else if (c == '\'' || c == '"') {
        (void)quoted_take(s);
        shape_put(s, SPAN_LIT("?"));
    } else if (shape_is_digit(c) || (c == '.' && shape_is_digit(next_of(s, 1)))) {
        (void)word_take(s);
        shape_put(s, SPAN_LIT("?"));
    } else if (is_word(c)) {
        struct span word = word_take(s);
        if (is_string_prefix(word, next_of(s, 0))) {
            (void)quoted_take(s);
            word = SPAN_LIT("?");
        }
        shape_put(s, word);
    } else {
        shape_put(s, span_first(s->rest, 1));
        s->rest = span_skip(s->rest, 1);
    }
}

size_t mysql_shape(struct span sql, char *out, size_t out_bytes)
{
    struct shaper s = {.rest = sql, .out = out, .max = out_bytes};
    while (s.rest.len > 0 && s.len < s.max) {
        shape_step(&s);
    }
    /* A character of several bytes that was cut at the end goes as a whole. */
    if (s.len == out_bytes) {
        while (s.len > 0 && ((unsigned char)out[s.len - 1] & 0xc0) == 0x80) {
            s.len--;
        }
        s.len -= s.len > 0 && (unsigned char)out[s.len - 1] >= 0xc0;
    }
    text_make_utf8(out, s.len);
    return s.len;
}
