/* Strings of the record path: read, validated as UTF-8 and written as Jackson writes them. */
#include "hex.h"
#include "json_scan_internal.h"
#include "utf8.h"

#include <string.h>

/* Eight at a time. */
size_t json_plain_run(const char *p, size_t left)
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

static void append_u_escape(struct buf *out, uint32_t unit)
{
    char text[6] = {'\\',
                    'u',
                    HEX_UPPER[unit >> 12 & 15],
                    HEX_UPPER[unit >> 8 & 15],
                    HEX_UPPER[unit >> 4 & 15],
                    HEX_UPPER[unit & 15]};
    buf_append(out, text, sizeof(text));
}

static void append_surrogate_pair(struct buf *out, uint32_t point)
{
    append_u_escape(out, 0xd800 + ((point - 0x10000) >> 10));
    append_u_escape(out, 0xdc00 + ((point - 0x10000) & 0x3ff));
}

/* Writes a code point as Jackson does inside a string. */
static void string_append_point(struct buf *out, uint32_t point)
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

/* How many bytes string_append_point takes for it. */
static size_t string_point_bytes(uint32_t point)
{
    if (point < 0x20) {
        return point == '\b' || point == '\t' || point == '\n' || point == '\f' || point == '\r'
                   ? 2
                   : 6;
    }
    if (point < 0x80) {
        return point == '"' || point == '\\' ? 2 : 1;
    }
    if (point >= 0x10000) {
        return 12;
    }
    return point >= 0xd800 && point <= 0xdfff ? 6 : point < 0x800 ? 2 : 3;
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
    if (!hex_read(span_skip(text, position + 1), 4, point)) {
        return false;
    }
    *used = 5;
    bool high = *point >= 0xd800 && *point <= 0xdbff;
    if (high && text.len - position >= 11 && text.ptr[position + 5] == '\\' &&
        text.ptr[position + 6] == 'u' && hex_read(span_skip(text, position + 7), 4, &low) &&
        low >= 0xdc00 && low <= 0xdfff) {
        *point = 0x10000 + ((*point - 0xd800) << 10) + (low - 0xdc00);
        *used = 11;
    }
    return true;
}

static bool scan_escape(struct json_scan *s)
{
    struct json_cursor *c = s->c;
    uint32_t point;
    size_t used;
    c->position++;
    if (!json_more(c)) {
        return json_fail_end(c, s->err, " in character escape sequence");
    }
    if (!escape_read(c->text, c->position, &point, &used)) {
        char described[48];
        json_describe_char(c, described, sizeof(described));
        if (json_here(c) == 'u') {
            return json_fail(
                s->err, c->position,
                "Unexpected character: expected a hex-digit for character escape sequence");
        }
        return json_fail(s->err, c->position, "Unrecognized character escape %s", described);
    }
    c->position += used;
    if (s->out != NULL) {
        string_append_point(s->out, point);
    } else if (s->counted != NULL) {
        s->counted->bytes += string_point_bytes(point);
    }
    return true;
}

/* `rest` begins with a byte above ASCII that starts no character. */
static bool fail_utf8(struct json_scan *s, struct span rest)
{
    unsigned first = (unsigned char)rest.ptr[0];
    if (first < 0xc2 || first > 0xf4 || rest.len < 2) {
        return json_fail(s->err, s->c->position, "Invalid UTF-8 start byte 0x%x", first);
    }
    size_t i = 1;
    while (i + 1 < rest.len && i < 3 && ((unsigned char)rest.ptr[i] & 0xc0) == 0x80) {
        i++;
    }
    return json_fail(s->err, s->c->position, "Invalid UTF-8 middle byte 0x%x",
                     (unsigned)(unsigned char)rest.ptr[i]);
}

static bool scan_multibyte(struct json_scan *s)
{
    struct json_cursor *c = s->c;
    struct span rest = span_skip(c->text, c->position);
    uint32_t point;
    size_t len = (unsigned char)rest.ptr[0] < 0xc2 ? 0 : utf8_read(rest, &point);
    if (len == 0) {
        return fail_utf8(s, rest);
    }
    c->position += len;
    json_count_bytes(s, len == 4 ? 12 : len);
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
bool json_scan_string(struct json_scan *s)
{
    struct json_cursor *c = s->c;
    c->position++;
    json_count_bytes(s, 2);
    if (s->out != NULL) {
        buf_append_byte(s->out, '"');
    }
    for (;;) {
        size_t run = json_plain_run(c->text.ptr + c->position, c->text.len - c->position);
        if (s->out != NULL && run > 0) {
            buf_append(s->out, c->text.ptr + c->position, run);
        }
        json_count_bytes(s, run);
        c->position += run;
        if (!json_more(c)) {
            return json_fail_end(c, s->err, " in VALUE_STRING");
        }
        unsigned char ch = (unsigned char)json_here(c);
        if (ch == '"') {
            break;
        }
        if (ch < 0x20) {
            return json_fail(s->err, c->position,
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
        size_t run = json_plain_run(rest.ptr, rest.len);
        buf_append(out, rest.ptr, run);
        position += run;
        if (position == text.len) {
            break;
        }
        rest = span_skip(text, position);
        uint32_t point = (unsigned char)rest.ptr[0];
        size_t used = point < 0x80 ? 1 : utf8_read(rest, &point);
        if (used == 0) { /* not UTF-8: as a decoder that replaces would have it */
            point = 0xfffd;
            used = 1;
        }
        string_append_point(out, point);
        position += used;
    }
    buf_append_byte(out, '"');
}
