/* What API Gateway does to the text that passes through it: path and query are decoded and encoded
 * again for the integration's URL, and a body without a binary media type is UTF-8 text, so that
 * bytes which are none become U+FFFD (which ruins Avro, protobuf and gzip).
 *
 * A broken escape is not an error: its '%' is re-encoded. Measure, then write: each text is
 * allocated once. */
#include "gateway_internal.h"

#include "hex.h"

#include <string.h>

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* The byte at *position, decoded; moves *position behind it. */
static unsigned char decode_byte(struct span text, bool plus_is_space, size_t *position)
{
    char c = text.ptr[*position];
    if (c == '%' && *position + 2 < text.len) {
        int high = hex_value(text.ptr[*position + 1]);
        int low = hex_value(text.ptr[*position + 2]);
        if (high >= 0 && low >= 0) {
            *position += 3;
            return (unsigned char)(high * 16 + low);
        }
    }
    (*position)++;
    return plus_is_space && c == '+' ? ' ' : (unsigned char)c;
}

static char *encode_byte(char *out, unsigned char byte, bool keep_slash)
{
    if (is_unreserved(byte) || (keep_slash && byte == '/')) {
        *out++ = (char)byte;
        return out;
    }
    *out++ = '%';
    *out++ = HEX_UPPER[byte >> 4];
    *out++ = HEX_UPPER[byte & 15];
    return out;
}

static char *recode(struct span text, bool in_query, char *out)
{
    for (size_t position = 0; position < text.len;) {
        out = encode_byte(out, decode_byte(text, in_query, &position), !in_query);
    }
    return out;
}

static bool path_is_plain(struct span path)
{
    for (size_t i = 0; i < path.len; i++) {
        if (!is_unreserved((unsigned char)path.ptr[i]) && path.ptr[i] != '/') {
            return false;
        }
    }
    return true;
}

bool gateway_path_recode(struct arena *arena, struct span path, struct span *out)
{
    *out = path;
    if (path_is_plain(path)) {
        return true;
    }
    char *text = arena_alloc_array(arena, path.len, 3);
    if (text == NULL) {
        return false;
    }
    *out = span_from(text, (size_t)(recode(path, false, text) - text));
    return true;
}

static size_t parameter_end(struct span query)
{
    size_t ampersand = span_find_byte(query, '&');
    return span_find_byte(span_first(query, ampersand), ';');
}

bool gateway_query_recode(struct arena *arena, struct span query, struct span *out)
{
    *out = SPAN_EMPTY;
    if (query.len == 0) {
        return true;
    }
    /* Each byte becomes at most three; a parameter without '=' gets one. */
    char *text = arena_alloc_array(arena, query.len + 1, 4);
    if (text == NULL) {
        return false;
    }
    char *end = text;
    while (query.len > 0) {
        size_t len = parameter_end(query);
        struct span parameter = span_first(query, len);
        query = span_skip(query, len + 1);
        if (parameter.len == 0) {
            continue;
        }
        size_t equals = span_find_byte(parameter, '=');
        if (end != text) {
            *end++ = '&';
        }
        end = recode(span_first(parameter, equals), true, end);
        *end++ = '=';
        end = recode(span_skip(parameter, equals + 1), true, end);
    }
    *out = span_from(text, (size_t)(end - text));
    return true;
}

struct utf8_lead {
    unsigned char first;
    unsigned char last;
    unsigned char length;
    unsigned char second_min;
    unsigned char second_max;
};

/* Table 3-7 of the Unicode standard: well-formed UTF-8 by lead byte. */
static const struct utf8_lead leads[] = {
    {0x00, 0x7f, 1, 0x00, 0x00}, {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

/* How many bytes at the front belong together; *good tells whether they are a character, else they
 * are the maximal part of one and become a single U+FFFD. */
static size_t utf8_take(struct span text, bool *good)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    *good = false;
    for (size_t i = 0; i < ARRAY_COUNT(leads); i++) {
        const struct utf8_lead *lead = &leads[i];
        if (bytes[0] < lead->first || bytes[0] > lead->last) {
            continue;
        }
        size_t length = 1;
        while (length < lead->length && length < text.len) {
            unsigned char min = length == 1 ? lead->second_min : 0x80;
            unsigned char max = length == 1 ? lead->second_max : 0xbf;
            if (bytes[length] < min || bytes[length] > max) {
                return length;
            }
            length++;
        }
        *good = length == lead->length;
        return length;
    }
    return 1;
}

static const char replacement[] = "\xef\xbf\xbd";

static size_t repaired_len(struct span text)
{
    size_t total = 0;
    while (text.len > 0) {
        bool good;
        size_t length = utf8_take(text, &good);
        total += good ? length : sizeof(replacement) - 1;
        text = span_skip(text, length);
    }
    return total;
}

bool gateway_text_repair(struct arena *arena, struct span text, struct span *out)
{
    *out = text;
    if (span_is_utf8(text)) {
        return true;
    }
    size_t len = repaired_len(text);
    char *repaired = arena_alloc(arena, len);
    if (repaired == NULL) {
        return false;
    }
    char *end = repaired;
    while (text.len > 0) {
        bool good;
        size_t length = utf8_take(text, &good);
        const char *from = good ? text.ptr : replacement;
        size_t count = good ? length : sizeof(replacement) - 1;
        memcpy(end, from, count);
        end += count;
        text = span_skip(text, length);
    }
    *out = span_from(repaired, len);
    return true;
}
