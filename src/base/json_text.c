#include "json_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_LIST "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

enum { members_inline = 64, members_searched_max = 32, token_shown_max = 64 };

/* One member of an object that is being re-encoded: where its key and value stand in the output. */
struct member {
    uint32_t key_hash;
    size_t key_start;
    size_t key_len;
    size_t value_start;
    size_t value_len;
};

/* The members of all objects that are open, innermost last. */
struct member_stack {
    struct member inline_members[members_inline];
    struct member *members;
    size_t count;
    size_t cap;
};

struct scan {
    struct json_cursor *c;
    struct buf *out; /* NULL: validate only */
    struct json_error *err;
    struct member_stack *stack;
};

/* --- failures, in Jackson's words ------------------------------------------------------------ */

PP_PRINTF(3, 4)
static bool fail(struct json_error *err, size_t position, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->position = position;
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    return false;
}

/* The character at the cursor as Jackson describes it: "'}' (code 125)". */
static void describe_char(struct json_cursor *c, char *out, size_t cap)
{
    struct span rest = span_skip(c->text, c->position);
    unsigned char first = (unsigned char)rest.ptr[0];
    if (first < 0x20) {
        snprintf(out, cap, "(CTRL-CHAR, code %u)", first);
    } else if (first < 0x80) {
        snprintf(out, cap, "'%c' (code %u)", first, first);
    } else {
        snprintf(out, cap, "(code %u / 0x%x)", first, first);
    }
}

static bool fail_char(struct json_cursor *c, struct json_error *err, const char *expected)
{
    char described[48];
    describe_char(c, described, sizeof(described));
    return fail(err, c->position, "Unexpected character (%s): %s", described, expected);
}

static bool fail_end(struct json_cursor *c, struct json_error *err, const char *where)
{
    return fail(err, c->position, "Unexpected end-of-input%s", where);
}

static bool is_name_byte(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           ch == '_' || ch == '$' || (unsigned char)ch >= 0x80;
}

static bool fail_token(struct json_cursor *c, struct json_error *err)
{
    struct span rest = span_skip(c->text, c->position);
    size_t len = 0;
    while (len < rest.len && len < token_shown_max && is_name_byte(rest.ptr[len])) {
        len++;
    }
    return fail(err, c->position, "Unrecognized token '%.*s': was expecting " VALUE_LIST,
                SPAN_ARG(span_first(rest, len)));
}

/* --- the cursor ------------------------------------------------------------------------------- */

struct json_cursor json_cursor_at(struct span text)
{
    return (struct json_cursor){.text = text};
}

static inline bool more(const struct json_cursor *c)
{
    return c->position < c->text.len;
}

static inline char here(const struct json_cursor *c)
{
    return c->text.ptr[c->position];
}

void json_skip_space(struct json_cursor *c)
{
    while (more(c)) {
        char ch = here(c);
        if (ch != ' ' && ch != '\n' && ch != '\r' && ch != '\t') {
            return;
        }
        c->position++;
    }
}

bool json_at_end(struct json_cursor *c)
{
    json_skip_space(c);
    return !more(c);
}

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* Is the number at the cursor an integer? A look ahead only; scan_number validates. */
static enum json_kind number_kind(const struct json_cursor *c)
{
    size_t i = c->position + 1;
    while (i < c->text.len && is_digit(c->text.ptr[i])) {
        i++;
    }
    bool decimal = i < c->text.len &&
                   (c->text.ptr[i] == '.' || c->text.ptr[i] == 'e' || c->text.ptr[i] == 'E');
    return decimal ? JSON_DECIMAL : JSON_INTEGER;
}

bool json_peek(struct json_cursor *c, enum json_kind *out, struct json_error *err)
{
    json_skip_space(c);
    if (!more(c)) {
        return fail_end(c, err, ": expected a value");
    }
    switch (here(c)) {
    case '{':
        *out = JSON_OBJECT;
        return true;
    case '[':
        *out = JSON_ARRAY;
        return true;
    case '"':
        *out = JSON_STRING;
        return true;
    case 't':
        *out = JSON_TRUE;
        return true;
    case 'f':
        *out = JSON_FALSE;
        return true;
    case 'n':
        *out = JSON_NULL;
        return true;
    default: /* numbers and faults, by range */
        break;
    }
    if (here(c) == '-' || is_digit(here(c))) {
        *out = number_kind(c);
        return true;
    }
    if (here(c) == '}' || here(c) == ']') {
        return fail_char(c, err, "expected a value");
    }
    if (is_name_byte(here(c)) && (unsigned char)here(c) < 0x80) {
        return fail_token(c, err);
    }
    return fail_char(c, err, "expected a valid value " VALUE_LIST);
}

/* --- strings ---------------------------------------------------------------------------------- */

/* How many bytes from p on are printable ASCII other than quote and backslash; eight at a time. */
static size_t plain_run(const char *p, size_t left)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t high = UINT64_C(0x8080808080808080);
    size_t run = 0;
    while (left - run >= 8) {
        uint64_t word;
        memcpy(&word, p + run, 8);
        uint64_t quote = word ^ (ones * '"');
        uint64_t slash = word ^ (ones * '\\');
        uint64_t stop =
            (word - ones * 0x20) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash);
        if (((stop | word) & high) != 0) {
            break;
        }
        run += 8;
    }
    while (run < left) {
        unsigned char ch = (unsigned char)p[run];
        if (ch < 0x20 || ch >= 0x80 || ch == '"' || ch == '\\') {
            break;
        }
        run++;
    }
    return run;
}

static const char hex_digits[] = "0123456789ABCDEF";

static void append_u_escape(struct buf *out, uint32_t unit)
{
    char text[6] = {'\\',
                    'u',
                    hex_digits[unit >> 12 & 15],
                    hex_digits[unit >> 8 & 15],
                    hex_digits[unit >> 4 & 15],
                    hex_digits[unit & 15]};
    buf_append(out, text, sizeof(text));
}

static void append_surrogate_pair(struct buf *out, uint32_t point)
{
    append_u_escape(out, 0xd800 + ((point - 0x10000) >> 10));
    append_u_escape(out, 0xdc00 + ((point - 0x10000) & 0x3ff));
}

static size_t utf8_write(uint32_t point, char out[4])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

/* One code point as Jackson writes it inside a string. */
static void append_point(struct buf *out, uint32_t point)
{
    static const char *const short_escapes[] = {
        ['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n", ['\f'] = "\\f", ['\r'] = "\\r"};
    char utf8[4];
    if (point == '"' || point == '\\') {
        char escaped[2] = {'\\', (char)point};
        buf_append(out, escaped, 2);
    } else if (point < ARRAY_COUNT(short_escapes) && short_escapes[point] != NULL) {
        buf_append(out, short_escapes[point], 2);
    } else if (point < 0x20) {
        append_u_escape(out, point);
    } else if (point >= 0x10000) {
        append_surrogate_pair(out, point);
    } else if (point >= 0xd800 && point <= 0xdfff) {
        append_u_escape(out, point);
    } else {
        buf_append(out, utf8, utf8_write(point, utf8));
    }
}

static bool hex4(struct span s, size_t start, uint32_t *out)
{
    uint32_t value = 0;
    if (s.len - start < 4) {
        return false;
    }
    for (size_t i = start; i < start + 4; i++) {
        char ch = s.ptr[i];
        uint32_t digit;
        if (is_digit(ch)) {
            digit = (uint32_t)(ch - '0');
        } else if ((ch | 32) >= 'a' && (ch | 32) <= 'f') {
            digit = (uint32_t)((ch | 32) - 'a' + 10);
        } else {
            return false;
        }
        value = value * 16 + digit;
    }
    *out = value;
    return true;
}

/* The escape at text[position] (after the backslash) as a code point; *used is its length. A high
 * surrogate takes its partner along when there is one; a lone one stays itself. */
static bool escape_read(struct span text, size_t position, uint32_t *point, size_t *used)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    char ch = text.ptr[position];
    if (ch != 'u') {
        const char *hit = ch != '\0' ? strchr(letters, ch) : NULL;
        if (hit == NULL) {
            return false;
        }
        *point = (unsigned char)meanings[hit - letters];
        *used = 1;
        return true;
    }
    uint32_t low;
    if (!hex4(text, position + 1, point)) {
        return false;
    }
    *used = 5;
    bool high = *point >= 0xd800 && *point <= 0xdbff;
    if (high && text.len - position >= 11 && text.ptr[position + 5] == '\\' &&
        text.ptr[position + 6] == 'u' && hex4(text, position + 7, &low) && low >= 0xdc00 &&
        low <= 0xdfff) {
        *point = 0x10000 + ((*point - 0xd800) << 10) + (low - 0xdc00);
        *used = 11;
    }
    return true;
}

/* A multi-byte character of well-formed UTF-8; 0 when it is not. */
static size_t utf8_read(struct span rest, uint32_t *point)
{
    static const unsigned char masks[] = {0, 0, 0x1f, 0x0f, 0x07};
    unsigned char first = (unsigned char)rest.ptr[0];
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (!span_is_utf8(span_first(rest, len)) || rest.len < len) {
        return 0;
    }
    *point = first & masks[len];
    for (size_t i = 1; i < len; i++) {
        *point = *point << 6 | ((unsigned char)rest.ptr[i] & 0x3f);
    }
    return len;
}

static bool scan_escape(struct scan *s)
{
    struct json_cursor *c = s->c;
    uint32_t point;
    size_t used;
    c->position++;
    if (!more(c)) {
        return fail_end(c, s->err, " in character escape sequence");
    }
    if (!escape_read(c->text, c->position, &point, &used)) {
        char described[48];
        describe_char(c, described, sizeof(described));
        if (here(c) == 'u') {
            return fail(s->err, c->position,
                        "Unexpected character: expected a hex-digit for character escape sequence");
        }
        return fail(s->err, c->position, "Unrecognized character escape %s", described);
    }
    c->position += used;
    if (s->out != NULL) {
        append_point(s->out, point);
    }
    return true;
}

static bool scan_multibyte(struct scan *s)
{
    struct json_cursor *c = s->c;
    struct span rest = span_skip(c->text, c->position);
    uint32_t point;
    size_t len = (unsigned char)rest.ptr[0] < 0xc2 ? 0 : utf8_read(rest, &point);
    if (len == 0) {
        return fail(s->err, c->position, "Invalid UTF-8 start byte 0x%x or what follows it",
                    (unsigned)(unsigned char)rest.ptr[0]);
    }
    c->position += len;
    if (s->out == NULL) {
        return true;
    }
    if (len == 4) {
        append_surrogate_pair(s->out, point);
    } else {
        buf_append(s->out, rest.ptr, len);
    }
    return true;
}

/* At the opening quote. */
static bool scan_string(struct scan *s)
{
    struct json_cursor *c = s->c;
    c->position++;
    if (s->out != NULL) {
        buf_append_byte(s->out, '"');
    }
    for (;;) {
        size_t run = plain_run(c->text.ptr + c->position, c->text.len - c->position);
        if (s->out != NULL && run > 0) {
            buf_append(s->out, c->text.ptr + c->position, run);
        }
        c->position += run;
        if (!more(c)) {
            return fail_end(c, s->err, " in VALUE_STRING");
        }
        unsigned char ch = (unsigned char)here(c);
        if (ch == '"') {
            break;
        }
        if (ch < 0x20) {
            return fail(s->err, c->position,
                        "Illegal unquoted character ((CTRL-CHAR, code %u)): has to be escaped "
                        "using backslash to be included in string value",
                        ch);
        }
        if (ch == '\\' ? !scan_escape(s) : !scan_multibyte(s)) {
            return false;
        }
    }
    c->position++;
    if (s->out != NULL) {
        buf_append_byte(s->out, '"');
    }
    return true;
}

/* --- numbers ---------------------------------------------------------------------------------- */

/* Significant digits (no leading or trailing zeros) and the place of the decimal point:
 * value = 0.DIGITS * 10^exponent. */
struct decimal {
    bool negative;
    char digits[20];
    size_t count;
    long exponent;
};

enum { exact_digits_max = 15, exact_exponent_max = 290, exponent_text_max = 9 };

static void append_zeros(struct buf *out, long count)
{
    for (; count > 0; count--) {
        buf_append_byte(out, '0');
    }
}

/* Java's Double.toString of these digits. */
static void append_java_decimal(struct buf *out, const struct decimal *d)
{
    if (d->negative) {
        buf_append_byte(out, '-');
    }
    if (d->count == 0) {
        BUF_APPEND_LIT(out, "0.0");
        return;
    }
    long count = (long)d->count;
    if (d->exponent < -2 || d->exponent > 7) { /* below 1e-3, or from 1e7 on */
        buf_append_byte(out, d->digits[0]);
        buf_append_byte(out, '.');
        if (count > 1) {
            buf_append(out, d->digits + 1, d->count - 1);
        } else {
            buf_append_byte(out, '0');
        }
        buf_append_byte(out, 'E');
        buf_append_i64(out, d->exponent - 1);
        return;
    }
    if (d->exponent <= 0) {
        BUF_APPEND_LIT(out, "0.");
        append_zeros(out, -d->exponent);
        buf_append(out, d->digits, d->count);
    } else if (d->exponent >= count) {
        buf_append(out, d->digits, d->count);
        append_zeros(out, d->exponent - count);
        BUF_APPEND_LIT(out, ".0");
    } else {
        buf_append(out, d->digits, (size_t)d->exponent);
        buf_append_byte(out, '.');
        buf_append(out, d->digits + d->exponent, (size_t)(count - d->exponent));
    }
}

/* "-d.ddde+XX" from printf, trailing zeros off. */
static void decimal_from_printf(const char *text, struct decimal *d)
{
    *d = (struct decimal){.negative = text[0] == '-'};
    const char *p = text + (d->negative ? 1 : 0);
    for (; *p != 'e'; p++) {
        if (is_digit(*p)) {
            d->digits[d->count++] = *p;
        }
    }
    d->exponent = strtol(p + 1, NULL, 10) + 1;
    while (d->count > 0 && d->digits[d->count - 1] == '0') {
        d->count--;
    }
}

void json_double_append(struct buf *out, double value)
{
    char text[40];
    struct decimal d;
    if (value != value) {
        BUF_APPEND_LIT(out, "\"NaN\"");
        return;
    }
    if (value - value != 0) {
        buf_append_cstr(out, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    /* At most 15 digits that read back are the shortest form; else 16 or 17 are needed. Near and
     * below the smallest normal number fewer may do, and Java then gives two at least. */
    bool tiny = value > -1e-290 && value < 1e-290;
    for (int precision = tiny ? 2 : exact_digits_max; precision <= 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision - 1, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    decimal_from_printf(text, &d);
    append_java_decimal(out, &d);
}

/* A validated number text without strtod, when it has at most 15 significant digits: two different
 * decimals of that length are never the same double, so its own digits are the shortest form. */
static bool decimal_from_text(struct span text, struct decimal *d)
{
    long point = 0;
    bool seen_point = false;
    size_t i = text.ptr[0] == '-' ? 1 : 0;
    *d = (struct decimal){.negative = i == 1};
    for (; i < text.len && text.ptr[i] != 'e' && text.ptr[i] != 'E'; i++) {
        if (text.ptr[i] == '.') {
            seen_point = true;
            continue;
        }
        if (d->count == 0 && text.ptr[i] == '0') {
            point -= seen_point ? 1 : 0;
            continue;
        }
        if (d->count == sizeof(d->digits)) {
            return false;
        }
        d->digits[d->count++] = text.ptr[i];
        point += seen_point ? 0 : 1;
    }
    int64_t exponent = 0;
    if (i < text.len) {
        struct span digits = span_skip(text, i + 1);
        digits = digits.ptr[0] == '+' ? span_skip(digits, 1) : digits;
        if (digits.len > exponent_text_max || !span_parse_i64(digits, &exponent)) {
            return false;
        }
    }
    while (d->count > 0 && d->digits[d->count - 1] == '0') {
        d->count--;
    }
    d->exponent = point + (long)exponent;
    return d->count <= exact_digits_max && d->exponent > -exact_exponent_max &&
           d->exponent < exact_exponent_max;
}

static void append_number(struct buf *out, struct span text, bool decimal)
{
    struct decimal d;
    if (!decimal) {
        buf_append_span(out, span_equal_cstr(text, "-0") ? SPAN_LIT("0") : text);
    } else if (decimal_from_text(text, &d)) {
        append_java_decimal(out, &d);
    } else {
        /* Long enough to need a NUL of its own; buf lends the room and takes it back. */
        size_t start = out->len;
        buf_append_span(out, text);
        if (buf_ok(out)) {
            double value = strtod(out->ptr + start, NULL);
            out->len = start;
            json_double_append(out, value);
        }
    }
}

static size_t skip_digits(struct json_cursor *c)
{
    size_t start = c->position;
    while (more(c) && is_digit(here(c))) {
        c->position++;
    }
    return c->position - start;
}

static bool scan_fraction(struct scan *s)
{
    struct json_cursor *c = s->c;
    c->position++;
    if (skip_digits(c) > 0) {
        return true;
    }
    if (!more(c)) {
        return fail_end(c, s->err, " in a Number value");
    }
    return fail_char(c, s->err, "Decimal point not followed by a digit");
}

static bool scan_exponent(struct scan *s)
{
    struct json_cursor *c = s->c;
    c->position++;
    if (more(c) && (here(c) == '+' || here(c) == '-')) {
        c->position++;
    }
    if (skip_digits(c) > 0) {
        return true;
    }
    if (!more(c)) {
        return fail_end(c, s->err, " in a Number value");
    }
    return fail_char(c, s->err, "Exponent indicator not followed by a digit");
}

static bool scan_number(struct scan *s)
{
    struct json_cursor *c = s->c;
    size_t start = c->position;
    bool decimal = false;
    c->position += here(c) == '-' ? 1 : 0;
    size_t first = c->position;
    if (skip_digits(c) == 0) {
        return more(c) ? fail_char(c, s->err,
                                   "expected digit (0-9) to follow minus sign, for valid "
                                   "numeric value")
                       : fail_end(c, s->err, " in a Number value");
    }
    if (c->text.ptr[first] == '0' && c->position - first > 1) {
        return fail(s->err, first, "Invalid numeric value: Leading zeroes not allowed");
    }
    if (more(c) && here(c) == '.') {
        decimal = true;
        if (!scan_fraction(s)) {
            return false;
        }
    }
    if (more(c) && (here(c) == 'e' || here(c) == 'E')) {
        decimal = true;
        if (!scan_exponent(s)) {
            return false;
        }
    }
    if (more(c) && is_name_byte(here(c))) {
        return fail_char(c, s->err, "Expected space separating root-level values");
    }
    if (s->out != NULL) {
        append_number(s->out, span_from(c->text.ptr + start, c->position - start), decimal);
    }
    return true;
}

/* --- objects, arrays, literals ---------------------------------------------------------------- */

static bool scan_literal(struct scan *s, struct span word)
{
    struct json_cursor *c = s->c;
    struct span rest = span_skip(c->text, c->position);
    bool whole =
        span_starts_with(rest, word) && (rest.len == word.len || !is_name_byte(rest.ptr[word.len]));
    if (!whole) {
        return fail_token(c, s->err);
    }
    c->position += word.len;
    if (s->out != NULL) {
        buf_append_span(s->out, word);
    }
    return true;
}

static uint32_t key_hash(const char *p, size_t len)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)p[i]) * 16777619U;
    }
    return hash;
}

static struct member *member_push(struct member_stack *stack)
{
    if (stack->members == NULL) {
        stack->members = stack->inline_members;
        stack->cap = members_inline;
    }
    if (stack->count == stack->cap) {
        bool was_inline = stack->members == stack->inline_members;
        size_t cap = stack->cap * 2;
        struct member *grown = realloc(was_inline ? NULL : stack->members, cap * sizeof(*grown));
        if (grown == NULL) {
            return NULL;
        }
        if (was_inline) {
            memcpy(grown, stack->inline_members, sizeof(stack->inline_members));
        }
        stack->members = grown;
        stack->cap = cap;
    }
    return &stack->members[stack->count++];
}

static void member_stack_release(struct member_stack *stack)
{
    if (stack->members != stack->inline_members) {
        free(stack->members);
    }
}

static bool member_is(const struct scan *s, size_t i, uint32_t hash, struct span key)
{
    const struct member *m = &s->stack->members[i];
    return m->key_hash == hash && m->key_len == key.len &&
           memcmp(s->out->ptr + m->key_start, key.ptr, key.len) == 0;
}

/* Objects with many members get a hash table over them (open addressing, member position + 1), so
 * that a body of a million keys costs no square of it. `base` is the object's first member. */
struct key_index {
    size_t base;
    size_t *slots;
    size_t slot_count;
};

static void key_index_put(struct key_index *index, const struct scan *s, size_t i)
{
    size_t slot = s->stack->members[i].key_hash & (index->slot_count - 1);
    while (index->slots[slot] != 0) {
        slot = (slot + 1) & (index->slot_count - 1);
    }
    index->slots[slot] = i + 1;
}

/* Called after a member was pushed. */
static bool key_index_grow(struct key_index *index, const struct scan *s)
{
    size_t count = s->stack->count - index->base;
    if (count <= members_searched_max) {
        return true;
    }
    if (count * 2 <= index->slot_count) {
        key_index_put(index, s, s->stack->count - 1);
        return true;
    }
    size_t slot_count = index->slot_count > 0 ? index->slot_count * 4 : members_searched_max * 8;
    size_t *slots = calloc(slot_count, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    free(index->slots);
    index->slots = slots;
    index->slot_count = slot_count;
    for (size_t i = index->base; i < s->stack->count; i++) {
        key_index_put(index, s, i);
    }
    return true;
}

/* The earlier member of the object with this key, or SIZE_MAX. */
static size_t member_find(const struct scan *s, const struct key_index *index, uint32_t hash,
                          struct span key)
{
    if (index->slots == NULL) {
        for (size_t i = index->base; i < s->stack->count; i++) {
            if (member_is(s, i, hash, key)) {
                return i;
            }
        }
        return SIZE_MAX;
    }
    size_t slot = hash & (index->slot_count - 1);
    while (index->slots[slot] != 0) {
        if (member_is(s, index->slots[slot] - 1, hash, key)) {
            return index->slots[slot] - 1;
        }
        slot = (slot + 1) & (index->slot_count - 1);
    }
    return SIZE_MAX;
}

/* The bytes from `tail` to the end of out replace the value of member `index`; Jackson's map keeps
 * a repeated key at its first place with its last value. */
static bool member_replace_value(struct scan *s, size_t index, size_t tail)
{
    struct buf *out = s->out;
    struct member *m = &s->stack->members[index];
    size_t new_len = out->len - tail;
    size_t old_end = m->value_start + m->value_len;
    char *copy = malloc(new_len);
    if (copy == NULL) {
        out->failed = true;
        return fail(s->err, s->c->position, "out of memory");
    }
    memcpy(copy, out->ptr + tail, new_len);
    memmove(out->ptr + m->value_start + new_len, out->ptr + old_end, tail - old_end);
    memcpy(out->ptr + m->value_start, copy, new_len);
    free(copy);
    out->len = tail - m->value_len + new_len;
    for (size_t i = index + 1; i < s->stack->count; i++) {
        s->stack->members[i].key_start += new_len - m->value_len;
        s->stack->members[i].value_start += new_len - m->value_len;
    }
    m->value_len = new_len;
    return true;
}

static bool scan_value(struct scan *s, unsigned depth);

/* The value of one member, its key (with quotes) at key_start in out. */
static bool scan_member_value(struct scan *s, unsigned depth, struct key_index *index,
                              size_t key_start)
{
    if (s->out == NULL || !buf_ok(s->out)) {
        return scan_value(s, depth);
    }
    size_t key_len = s->out->len - key_start;
    uint32_t hash = key_hash(s->out->ptr + key_start, key_len);
    struct span key = span_from(s->out->ptr + key_start, key_len);
    size_t earlier = member_find(s, index, hash, key);
    if (earlier != SIZE_MAX) {
        /* Drop the repeated key and its comma; the value goes to the first place. */
        size_t tail = key_start - 1;
        s->out->len = tail;
        return scan_value(s, depth) && buf_ok(s->out) && member_replace_value(s, earlier, tail);
    }
    buf_append_byte(s->out, ':');
    size_t value_start = s->out->len;
    if (!scan_value(s, depth)) {
        return false;
    }
    struct member *m = member_push(s->stack);
    if (m == NULL) {
        return fail(s->err, s->c->position, "out of memory");
    }
    *m = (struct member){hash, key_start, key_len, value_start, s->out->len - value_start};
    return key_index_grow(index, s) || fail(s->err, s->c->position, "out of memory");
}

bool json_next_member(struct json_cursor *c, bool *first, struct span *key_raw,
                      struct json_error *err)
{
    err->message[0] = '\0';
    json_skip_space(c);
    if (!more(c)) {
        return fail_end(c, err, ": expected close marker for Object");
    }
    if (here(c) == '}') {
        c->position++;
        return false;
    }
    if (!*first) {
        if (here(c) != ',') {
            return fail_char(c, err, "was expecting comma to separate Object entries");
        }
        c->position++;
        json_skip_space(c);
    }
    *first = false;
    if (!more(c)) {
        return fail_end(c, err, " within/between Object entries");
    }
    if (here(c) != '"') {
        return fail_char(c, err, "was expecting double-quote to start field name");
    }
    size_t start = c->position;
    struct scan keys = {.c = c, .err = err};
    if (!scan_string(&keys)) {
        return false;
    }
    *key_raw = span_from(c->text.ptr + start, c->position - start);
    json_skip_space(c);
    if (!more(c)) {
        return fail_end(c, err, " within/between Object entries");
    }
    if (here(c) != ':') {
        return fail_char(c, err, "was expecting a colon to separate field name and value");
    }
    c->position++;
    return true;
}

bool json_next_element(struct json_cursor *c, bool *first, struct json_error *err)
{
    err->message[0] = '\0';
    json_skip_space(c);
    if (!more(c)) {
        return fail_end(c, err, ": expected close marker for Array");
    }
    if (here(c) == ']') {
        c->position++;
        return false;
    }
    if (!*first) {
        if (here(c) != ',') {
            return fail_char(c, err, "was expecting comma to separate Array entries");
        }
        c->position++;
    }
    *first = false;
    return true;
}

bool json_enter(struct json_cursor *c, enum json_kind array_or_object, struct json_error *err)
{
    enum json_kind kind;
    if (!json_peek(c, &kind, err)) {
        return false;
    }
    if (kind != array_or_object) {
        return fail_char(
            c, err, array_or_object == JSON_OBJECT ? "expected an Object" : "expected an Array");
    }
    c->position++;
    return true;
}

/* Appends the key again in its encoded form; the raw token is already known to be well-formed. */
static bool append_key(struct scan *s, struct span key_raw)
{
    struct json_cursor again = json_cursor_at(key_raw);
    struct scan keys = {.c = &again, .out = s->out, .err = s->err};
    return scan_string(&keys);
}

static bool scan_members(struct scan *s, unsigned depth, struct key_index *index)
{
    bool first = true;
    bool any = false;
    struct span key_raw;
    while (json_next_member(s->c, &first, &key_raw, s->err)) {
        size_t key_start = 0;
        if (s->out != NULL) {
            if (any) {
                buf_append_byte(s->out, ',');
            }
            key_start = s->out->len;
            if (!append_key(s, key_raw)) {
                return false;
            }
        }
        any = true;
        if (!scan_member_value(s, depth, index, key_start)) {
            return false;
        }
    }
    return s->err->message[0] == '\0';
}

static bool scan_object(struct scan *s, unsigned depth)
{
    struct key_index index = {.base = s->stack != NULL ? s->stack->count : 0};
    s->c->position++;
    if (s->out != NULL) {
        buf_append_byte(s->out, '{');
    }
    bool ok = scan_members(s, depth, &index);
    free(index.slots);
    if (ok && s->out != NULL) {
        s->stack->count = index.base;
        buf_append_byte(s->out, '}');
    }
    return ok;
}

static bool scan_array(struct scan *s, unsigned depth)
{
    bool first = true;
    bool any = false;
    s->c->position++;
    if (s->out != NULL) {
        buf_append_byte(s->out, '[');
    }
    while (json_next_element(s->c, &first, s->err)) {
        if (s->out != NULL && any) {
            buf_append_byte(s->out, ',');
        }
        any = true;
        if (!scan_value(s, depth)) {
            return false;
        }
    }
    if (s->err->message[0] != '\0') {
        return false;
    }
    if (s->out != NULL) {
        buf_append_byte(s->out, ']');
    }
    return true;
}

static bool scan_value(struct scan *s, unsigned depth)
{
    enum json_kind kind;
    if (!json_peek(s->c, &kind, s->err)) {
        return false;
    }
    if (depth == 0 && (kind == JSON_ARRAY || kind == JSON_OBJECT)) {
        return fail(s->err, s->c->position,
                    "Document nesting depth exceeds the maximum allowed (%d)", JSON_DEPTH_MAX);
    }
    switch (kind) {
    case JSON_NULL:
        return scan_literal(s, SPAN_LIT("null"));
    case JSON_FALSE:
        return scan_literal(s, SPAN_LIT("false"));
    case JSON_TRUE:
        return scan_literal(s, SPAN_LIT("true"));
    case JSON_INTEGER:
    case JSON_DECIMAL:
        return scan_number(s);
    case JSON_STRING:
        return scan_string(s);
    case JSON_ARRAY:
        return scan_array(s, depth - 1);
    case JSON_OBJECT:
        return scan_object(s, depth - 1);
    }
    BUG("a JSON kind without a scanner");
}

bool json_reencode(struct json_cursor *c, struct buf *out, struct json_error *err)
{
    struct member_stack stack;
    stack.members = NULL;
    stack.count = 0;
    stack.cap = 0;
    struct scan s = {.c = c, .out = out, .err = err, .stack = &stack};
    bool ok = scan_value(&s, JSON_DEPTH_MAX);
    if (stack.members != NULL) {
        member_stack_release(&stack);
    }
    if (ok && out != NULL && !buf_ok(out)) {
        return fail(err, c->position, "the value is larger than a limit allows");
    }
    return ok;
}

bool json_skip(struct json_cursor *c, struct span *raw, struct json_error *err)
{
    struct scan s = {.c = c, .err = err};
    json_skip_space(c);
    size_t start = c->position;
    if (!scan_value(&s, JSON_DEPTH_MAX)) {
        return false;
    }
    *raw = span_from(c->text.ptr + start, c->position - start);
    return true;
}

void json_string_decode(struct span raw, struct buf *out)
{
    PP_ASSERT(raw.len >= 2);
    struct span text = span_from(raw.ptr + 1, raw.len - 2);
    size_t position = 0;
    while (position < text.len) {
        struct span rest = span_skip(text, position);
        size_t run = span_find_byte(rest, '\\');
        buf_append(out, rest.ptr, run);
        position += run;
        if (position + 1 >= text.len) {
            break;
        }
        uint32_t point;
        size_t used;
        char utf8[4];
        if (!escape_read(text, position + 1, &point, &used)) {
            break; /* not a validated token; give what was understood */
        }
        buf_append(out, utf8, utf8_write(point, utf8));
        position += 1 + used;
    }
}

void json_string_append(struct buf *out, struct span text)
{
    size_t position = 0;
    buf_append_byte(out, '"');
    while (position < text.len) {
        struct span rest = span_skip(text, position);
        size_t run = plain_run(rest.ptr, rest.len);
        buf_append(out, rest.ptr, run);
        position += run;
        if (position == text.len) {
            break;
        }
        rest = span_skip(text, position);
        uint32_t point = (unsigned char)rest.ptr[0];
        size_t used = point < 0x80 ? 1 : point < 0xc2 ? 0 : utf8_read(rest, &point);
        if (used == 0) { /* not UTF-8: as a decoder that replaces would have it */
            point = 0xfffd;
            used = 1;
        }
        append_point(out, point);
        position += used;
    }
    buf_append_byte(out, '"');
}
