#include "span.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { double_text_bytes_max = 64 };

struct span span_from(const char *ptr, size_t len)
{
    return (struct span){ptr != NULL ? ptr : "", len};
}

struct span span_from_cstr(const char *text)
{
    return text != NULL ? (struct span){text, strlen(text)} : SPAN_EMPTY;
}

int span_shown_bytes(struct span s)
{
    return s.len > INT_MAX ? INT_MAX : (int)s.len;
}

bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool span_equal_cstr(struct span a, const char *text)
{
    return span_equal(a, span_from_cstr(text));
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool span_equal_nocase(struct span a, struct span b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

bool span_starts_with(struct span s, struct span prefix)
{
    return s.len >= prefix.len && span_equal(span_first(s, prefix.len), prefix);
}

bool span_ends_with(struct span s, struct span suffix)
{
    return s.len >= suffix.len && span_equal(span_skip(s, s.len - suffix.len), suffix);
}

int span_compare(struct span a, struct span b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared > 0 ? memcmp(a.ptr, b.ptr, shared) : 0;
    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

size_t span_find_byte(struct span s, char byte)
{
    const char *hit = s.len > 0 ? memchr(s.ptr, byte, s.len) : NULL;
    return hit != NULL ? (size_t)(hit - s.ptr) : s.len;
}

struct span span_skip(struct span s, size_t start)
{
    if (start > s.len) {
        start = s.len;
    }
    return (struct span){s.ptr + start, s.len - start};
}

struct span span_first(struct span s, size_t len)
{
    return (struct span){s.ptr, len < s.len ? len : s.len};
}

static bool span_is_blank_at(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
    while (s.len > 0 && span_is_blank_at(s.ptr[0])) {
        s = span_skip(s, 1);
    }
    while (s.len > 0 && span_is_blank_at(s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

bool span_next_part(struct span *rest, char separator, struct span *part)
{
    if (rest->len == 0) {
        return false;
    }
    size_t end = span_find_byte(*rest, separator);
    *part = span_first(*rest, end);
    *rest = span_skip(*rest, end + 1);
    return true;
}

bool span_parse_u64(struct span s, uint64_t *out)
{
    uint64_t value = 0;
    if (s.len == 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

bool span_parse_i64(struct span s, int64_t *out)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    uint64_t magnitude;
    if (!span_parse_u64(negative ? span_skip(s, 1) : s, &magnitude)) {
        return false;
    }
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
        return false;
    }
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool span_parse_double(struct span s, double *out)
{
    char text[double_text_bytes_max];
    char *end;
    if (s.len == 0 || s.len >= sizeof(text) || span_is_blank_at(s.ptr[0])) {
        return false;
    }
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    double value = strtod(text, &end);
    if (end != text + s.len) {
        return false;
    }
    *out = value;
    return true;
}

/* Length of the well-formed sequence at the start of s, 0 when there is none. */
static size_t utf8_sequence_len(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        return left >= 2 && (p[1] & 0xc0) == 0x80 ? 2 : 0;
    }
    if (p[0] >= 0xe0 && p[0] <= 0xef) {
        unsigned char low = p[0] == 0xe0 ? 0xa0 : 0x80;
        unsigned char high = p[0] == 0xed ? 0x9f : 0xbf;
        bool ok = left >= 3 && p[1] >= low && p[1] <= high && (p[2] & 0xc0) == 0x80;
        return ok ? 3 : 0;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        unsigned char low = p[0] == 0xf0 ? 0x90 : 0x80;
        unsigned char high = p[0] == 0xf4 ? 0x8f : 0xbf;
        bool ok = left >= 4 && p[1] >= low && p[1] <= high && (p[2] & 0xc0) == 0x80 &&
                  (p[3] & 0xc0) == 0x80;
        return ok ? 4 : 0;
    }
    return 0;
}

/* How many bytes from `position` on are plain ASCII, counted in eights: most text is. */
static size_t ascii_run_len(struct span s, size_t position)
{
    size_t start = position;
    uint64_t eight;
    while (s.len - position >= sizeof(eight)) {
        memcpy(&eight, s.ptr + position, sizeof(eight));
        if ((eight & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
        position += sizeof(eight);
    }
    return position - start;
}

bool span_is_utf8(struct span s)
{
    size_t position = ascii_run_len(s, 0);
    while (position < s.len) {
        size_t step = utf8_sequence_len((const unsigned char *)s.ptr + position, s.len - position);
        if (step == 0) {
            return false;
        }
        position += step;
        if (step > 1) {
            position += ascii_run_len(s, position);
        }
    }
    return true;
}

void text_make_utf8(char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t step = utf8_sequence_len((const unsigned char *)text + i, len - i);
        if (step == 0) {
            text[i] = '?';
            step = 1;
        }
        i += step;
    }
}
