/* The record path's scanner, shared between its files: the cursor's two readers, failures in
 * Jackson's words (json_scan.c), strings (json_string.c) and numbers (json_number.c). */
#ifndef PINPIPE_JSON_SCAN_INTERNAL_H
#define PINPIPE_JSON_SCAN_INTERNAL_H

#include "json_text.h"

#define JSON_VALUE_LIST "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

struct json_member_stack;

/* Bytes that would be written, where they are only counted. */
struct json_counted {
    size_t bytes;
    size_t bytes_max;
    struct buf decimal; /* scratch: their length is known when they are written */
};

struct json_scan {
    struct json_cursor *c;
    struct buf *out; /* NULL: validate only, or count */
    struct json_error *err;
    struct json_member_stack *stack;
    struct json_counted *counted; /* NULL: it is not counted */
};

static inline void json_count_bytes(struct json_scan *s, size_t bytes)
{
    if (s->counted != NULL) {
        s->counted->bytes += bytes;
    }
}

static inline bool json_more(const struct json_cursor *c)
{
    return c->position < c->text.len;
}

static inline char json_here(const struct json_cursor *c)
{
    return c->text.ptr[c->position];
}

static inline bool json_is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* A byte that could go on in a word: what Jackson takes into an unrecognised token. */
static inline bool json_is_name_byte(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || json_is_digit(ch) || ch == '_' ||
           ch == '$' || (unsigned char)ch >= 0x80;
}

/* The failures fill *err and return false. */
bool json_fail(struct json_error *err, size_t position, const char *format, ...) PP_PRINTF(3, 4);
bool json_fail_char(struct json_cursor *c, struct json_error *err, const char *expected);
bool json_fail_end(struct json_cursor *c, struct json_error *err, const char *where);
bool json_fail_token(struct json_cursor *c, struct json_error *err);
/* The character at the cursor as Jackson describes it: "'}' (code 125)". */
void json_describe_char(const struct json_cursor *c, char *out, size_t cap);

/* How many bytes from p on are printable ASCII other than quote and backslash. */
size_t json_plain_run(const char *p, size_t left);
/* At the opening quote; at the first byte of a number. */
bool json_scan_string(struct json_scan *s);
bool json_scan_number(struct json_scan *s);

#endif
