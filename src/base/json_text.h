/* The record path's JSON: a strict one-pass scanner that validates a value and re-encodes it as the
 * REST proxy's Jackson does (specs/kafka-rest-v2.md section 4): white space dropped, integers kept
 * digit by digit, decimals as Java prints a double, duplicate keys merged (last value, first
 * place), escapes decoded to raw UTF-8, characters above U+FFFF written as upper-case surrogate
 * escapes. No packaged parser is both lossless and strict (specs/stack.md B).
 *
 * DIFFERS: a lone surrogate escape stays an escape; Jackson would write a '?' or fail.
 *
 * DIFFERS: UTF-8 is read strictly, and alone. Jackson lets overlong forms and encoded surrogates
 * through, and guesses UTF-16 and UTF-32 from the first bytes.
 *
 * DIFFERS: the text of a 400 names the fault as Jackson does, without the place in the source that
 * Jackson sometimes adds in brackets. */
#ifndef PINPIPE_JSON_TEXT_H
#define PINPIPE_JSON_TEXT_H

#include "buf.h"
#include "error.h"

enum {
    JSON_DEPTH_MAX = 1000, /* Jackson's own later default; deeper is refused */
    /* DIFFERS: of decimals with more than 15 digits the first 4096 of a body (of a step, where it
     * takes several) or of an answer are
     * rounded to a double's shortest form; the others stay as they are written, which for what
     * programs print is the same but for the form of exponents. */
    JSON_LONG_DECIMALS_MAX = 4096,
    JSON_DOUBLE_BYTES_MAX = 24, /* "-1.2345678901234567E-308" */
    JSON_DOUBLE_BYTES_MIN = 3,  /* "0.0" */
};

/* A cursor over one text. The members are private, but for
 * `long_decimals`, which may go on from one text to the next. */
struct json_cursor {
    struct span text;
    size_t position;
    size_t long_decimals; /* converted so far, of JSON_LONG_DECIMALS_MAX */
};

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_INTEGER, /* no fraction, no exponent; any length */
    JSON_DECIMAL,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

/* The fault of a text, in the words Jackson uses ("Unexpected character ('}' (code 125)):
 * ...", "Unrecognized token 'not': was expecting ...", "Unexpected end-of-input: ..."). */
struct json_error {
    size_t position;
    char message[256];
};

struct json_cursor json_cursor_at(struct span text);
/* At the start of a whole document as others send it: past a byte order mark. */
struct json_cursor json_document(struct span text);
/* The cursor sees `bytes` of its text from where it stands, at most, and takes what is behind them
 * for absent; true: something is. `text` is the whole. */
bool json_cursor_look(struct json_cursor *c, struct span text, size_t bytes);
void json_skip_space(struct json_cursor *c);
/* Is only white space left? */
bool json_at_end(struct json_cursor *c);
/* The kind of the next value, by its first byte; false (and *err) when no value starts here. */
bool json_peek(struct json_cursor *c, enum json_kind *out, struct json_error *err);

/* Reads one value and appends its re-encoded text to out (NULL: validate only). False on malformed
 * input or when out is at its ceiling (then buf_ok(out) is false and *err says so). */
bool json_reencode(struct json_cursor *c, struct buf *out, struct json_error *err);
/* Reads one value and counts the bytes that json_reencode would append, in the time of json_skip.
 * A key that comes twice counts twice; each of what is added to long_decimals may take
 * JSON_DOUBLE_BYTES_MAX - JSON_DOUBLE_BYTES_MIN less than it counts. May end early, and says false,
 * when *bytes has become more than `max`. */
bool json_count(struct json_cursor *c, size_t max, size_t *bytes, struct json_error *err);
/* Reads one value and gives its source text. */
bool json_skip(struct json_cursor *c, struct span *raw, struct json_error *err);

/* Walking an object or array by hand:
 *   json_enter_object(&c, &err); while (json_next_member(&c, &first, &key_raw, &err)) {...value...}
 * next_member/next_element return true before each value, false at the close (err->message empty)
 * or on an error (err->message set). key_raw is the string with its quotes. */
bool json_enter(struct json_cursor *c, enum json_kind array_or_object, struct json_error *err);
bool json_next_member(struct json_cursor *c, bool *first, struct span *key_raw,
                      struct json_error *err);
bool json_next_element(struct json_cursor *c, bool *first, struct json_error *err);

/* Decodes a raw string token (with quotes, already validated) to UTF-8 bytes. A lone surrogate
 * becomes its three-byte form. */
void json_string_decode(struct span raw, struct buf *out);
/* Appends `text` (UTF-8) as a JSON string with quotes, escaped as Jackson escapes it. */
void json_string_append(struct buf *out, struct span text);
/* Appends the double as Java's Double.toString prints it (shortest digits, 1.0E-5 style). */
void json_double_append(struct buf *out, double value);
/* Appends the float as Float.toString prints it. */
void json_float_append(struct buf *out, float value);

#endif
