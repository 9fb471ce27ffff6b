/* A slice of bytes that somebody else owns: the only type for text we did not create.
 * Never NUL-terminated by promise; valid until the named owner changes or dies. */
#ifndef PINPIPE_SPAN_H
#define PINPIPE_SPAN_H

#include "base.h"

#include <stdbool.h>
#include <stdint.h>

struct span {
    const char *ptr;
    size_t len;
};

#define SPAN_EMPTY ((struct span){"", 0})
/* A string literal as a span; the length is computed by the compiler. */
#define SPAN_LIT(literal) ((struct span){"" literal, sizeof(literal) - 1})
/* The two arguments of printf's "%.*s". Lengths over INT_MAX are cut, which only a message may do.
 */
#define SPAN_ARG(s) span_shown_bytes(s), (s).ptr
int span_shown_bytes(struct span s);

struct span span_from(const char *ptr, size_t len);
/* NULL gives an empty span. */
struct span span_from_cstr(const char *text);
bool span_equal(struct span a, struct span b);
bool span_equal_cstr(struct span a, const char *text);
/* ASCII case only. */
bool span_equal_nocase(struct span a, struct span b);
bool span_starts_with(struct span s, struct span prefix);
bool span_ends_with(struct span s, struct span suffix);
int span_compare(struct span a, struct span b);
/* Position of the byte, or s.len when it is not there. */
size_t span_find_byte(struct span s, char byte);
/* The part from `start` (clamped) to the end. */
struct span span_skip(struct span s, size_t start);
struct span span_first(struct span s, size_t len);
/* The text without blanks, tabs, CR and LF at either end. */
struct span span_trim(struct span s);
/* Cuts the part before `separator` off the front of *rest into *part; false once *rest is used up.
 * "a,,b" gives "a", "", "b"; an empty *rest gives nothing. */
bool span_next_part(struct span *rest, char separator, struct span *part);

/* Decimal numbers, the whole span, no blanks, no plus sign; false when it does not fit. */
bool span_parse_i64(struct span s, int64_t *out);
bool span_parse_u64(struct span s, uint64_t *out);
bool span_parse_double(struct span s, double *out);

/* Is it well-formed UTF-8 (no overlong forms, no surrogates, nothing above U+10FFFF)? */
bool span_is_utf8(struct span s);

/* Bytes that are no part of well-formed UTF-8 become '?', as Java writes what it cannot encode. */
void text_make_utf8(char *text, size_t len);

#endif
