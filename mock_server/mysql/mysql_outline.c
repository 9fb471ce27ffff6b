#include "mysql_outline.h"

struct outliner {
    struct span rest;
    char *out;
    size_t len;
    size_t max;
    bool blank; /* there was one since the last character */
};

static char outline_peek(const struct outliner *s, size_t ahead)
{
    return ahead < s->rest.len ? s->rest.ptr[ahead] : '\0';
}

static bool outline_is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool outline_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool outline_is_word(char c)
{
    return outline_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '$' || c == '@' || (unsigned char)c >= 0x80;
}

static void outline_put(struct outliner *s, struct span text)
{
    if (s->blank && s->len > 0 && s->len < s->max) {
        s->out[s->len++] = ' ';
    }
    s->blank = false;
    for (size_t i = 0; i < text.len && s->len < s->max; i++) {
        s->out[s->len++] = text.ptr[i];
    }
}

/* The quoted text, with its quotes; a doubled quote is one of it, and so is one behind a backslash
 * but in a name. An end that is missing is the statement's. */
static struct span outline_quoted(struct outliner *s)
{
    char quote = outline_peek(s, 0);
    size_t i = 1;
    while (i < s->rest.len) {
        if (s->rest.ptr[i] == '\\' && quote != '`') {
            i += 2;
        } else if (s->rest.ptr[i] != quote) {
            i++;
        } else if (outline_peek(s, i + 1) == quote) {
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
static size_t outline_comment(const struct outliner *s)
{
    char second = outline_peek(s, 1);
    bool dashes = outline_peek(s, 0) == '-' && second == '-' &&
                  (s->rest.len == 2 || outline_is_blank(outline_peek(s, 2)));
    if (outline_peek(s, 0) == '#' || dashes) {
        return span_find_byte(s->rest, '\n');
    }
    if (outline_peek(s, 0) != '/' || second != '*') {
        return 0;
    }
    for (size_t i = 2; i + 1 < s->rest.len; i++) {
        if (s->rest.ptr[i] == '*' && s->rest.ptr[i + 1] == '/') {
            return i + 2;
        }
    }
    return s->rest.len;
}

static struct span outline_word(struct outliner *s)
{
    size_t len = 1;
    bool number = outline_is_digit(outline_peek(s, 0));
    while (len < s->rest.len) {
        char c = s->rest.ptr[len];
        char before = s->rest.ptr[len - 1];
        bool sign = (c == '-' || c == '+') && (before == 'e' || before == 'E') &&
                    outline_peek(s, 1) != 'x' && outline_is_digit(outline_peek(s, len + 1));
        if (!outline_is_word(c) && !(number && (c == '.' || sign))) {
            break;
        }
        len++;
    }
    struct span word = span_first(s->rest, len);
    s->rest = span_skip(s->rest, len);
    return word;
}

static bool outline_is_prefix(struct span word, char next)
{
    static const char prefixes[] = "xXbBnN";
    if (next != '\'' || word.len == 0) {
        return false;
    }
    return word.ptr[0] == '_' ||
           (word.len == 1 &&
            span_find_byte(span_from_cstr(prefixes), word.ptr[0]) < sizeof(prefixes) - 1);
}

static void outline_step(struct outliner *s)
{
    char c = outline_peek(s, 0);
    size_t comment = outline_comment(s);
    if (outline_is_blank(c) || comment > 0) {
        s->rest = span_skip(s->rest, comment > 0 ? comment : 1);
        s->blank = true;
    } else if (c == '`') {
        outline_put(s, outline_quoted(s));
    } else if (c == '\'' || c == '"') {
        (void)outline_quoted(s);
        outline_put(s, SPAN_LIT("?"));
    } else if (outline_is_digit(c) || (c == '.' && outline_is_digit(outline_peek(s, 1)))) {
        (void)outline_word(s);
        outline_put(s, SPAN_LIT("?"));
    } else if (outline_is_word(c)) {
        struct span word = outline_word(s);
        if (outline_is_prefix(word, outline_peek(s, 0))) {
            (void)outline_quoted(s);
            word = SPAN_LIT("?");
        }
        outline_put(s, word);
    } else {
        outline_put(s, span_first(s->rest, 1));
        s->rest = span_skip(s->rest, 1);
    }
}

size_t mysql_outline(struct span sql, char *out, size_t out_bytes)
{
    struct outliner s = {.rest = sql, .out = out, .max = out_bytes};
    while (s.rest.len > 0 && s.len < s.max) {
        outline_step(&s);
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
