#include "properties.h"

#include "buf.h"
#include "hex.h"
#include "utf8.h"

struct reader {
    struct span rest;
    int line;
    struct buf logical; /* one logical line, unescaped; key and value lie in it */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static struct span properties_skip_space(struct span s)
{
    while (s.len > 0 && is_space(s.ptr[0])) {
        s = span_skip(s, 1);
    }
    return s;
}

/* Takes the next line off the file, without its end (LF, CR or CR LF). */
static struct span next_line(struct reader *reader)
{
    size_t end = 0;
    while (end < reader->rest.len && reader->rest.ptr[end] != '\n' &&
           reader->rest.ptr[end] != '\r') {
        end++;
    }
    struct span line = span_first(reader->rest, end);
    size_t eol = end + 1 < reader->rest.len && reader->rest.ptr[end] == '\r' &&
                         reader->rest.ptr[end + 1] == '\n'
                     ? 2
                     : 1;
    reader->rest = span_skip(reader->rest, end + eol);
    reader->line++;
    return line;
}

static bool ends_in_continuation(struct span line)
{
    size_t count = 0;
    while (count < line.len && line.ptr[line.len - 1 - count] == '\\') {
        count++;
    }
    return count % 2 == 1;
}

static void properties_append_point(struct buf *out, uint32_t point)
{
    char bytes[UTF8_BYTES_MAX];
    buf_append(out, bytes, utf8_write(point, bytes));
}

/* The number in "uXXXX" at the front of s; false when there is none. */
static bool read_code(struct span s, uint32_t *code)
{
    return s.len > 0 && s.ptr[0] == 'u' && hex_read(span_skip(s, 1), 4, code);
}

/* "uXXXX", or two of them that make one character; half of a pair alone has no UTF-8. */
static size_t unescape_code(struct span s, struct buf *out)
{
    enum { escape_bytes = 5, replacement = 0xfffd };
    uint32_t code;
    uint32_t low;
    if (!read_code(s, &code)) {
        return 0;
    }
    struct span rest = span_skip(s, escape_bytes);
    if (code >= 0xd800 && code < 0xdc00 && rest.len > 0 && rest.ptr[0] == '\\' &&
        read_code(span_skip(rest, 1), &low) && low >= 0xdc00 && low < 0xe000) {
        properties_append_point(out, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
        return 2 * escape_bytes + 1;
    }
    properties_append_point(out, code >= 0xd800 && code < 0xe000 ? (uint32_t)replacement : code);
    return escape_bytes;
}

/* The escape at the front of s (behind its backslash); how many bytes it takes, 0 when broken. */
static size_t unescape_one(struct span s, struct buf *out)
{
    static const char plain[] = "t\tn\nr\rf\f";
    if (s.len == 0 || s.ptr[0] == 'u') {
        return s.len == 0 ? 0 : unescape_code(s, out);
    }
    char byte = s.ptr[0];
    for (size_t i = 0; plain[i] != '\0'; i += 2) {
        if (plain[i] == byte) {
            byte = plain[i + 1];
            break;
        }
    }
    buf_append_byte(out, byte);
    return 1;
}

/* Appends s without its escapes, up to the first unescaped byte that `stop` names (key: '=', ':' or
 * white space; value: none). How much of s was read in *used; false on a broken escape. */
static bool unescape_until(struct span s, bool is_key, struct buf *out, size_t *used)
{
    size_t i = 0;
    while (i < s.len) {
        char c = s.ptr[i];
        if (is_key && (c == '=' || c == ':' || is_space(c))) {
            break;
        }
        if (c != '\\') {
            buf_append_byte(out, c);
            i++;
            continue;
        }
        size_t escape = unescape_one(span_skip(s, i + 1), out);
        if (escape == 0) {
            return false;
        }
        i += 1 + escape;
    }
    *used = i;
    return true;
}

/* Joins a line with those that continue it. */
static void read_logical(struct reader *reader, struct span line)
{
    buf_reset(&reader->logical);
    while (ends_in_continuation(line)) {
        buf_append_span(&reader->logical, span_first(line, line.len - 1));
        if (reader->rest.len == 0) {
            return;
        }
        line = properties_skip_space(next_line(reader));
    }
    buf_append_span(&reader->logical, line);
}

static enum status line_too_long(const struct buf *line, int number, struct error *err)
{
    return buf_error(line, err, STATUS_INVALID,
                     "line %d: too long (a key has at most %d bytes, a value %d)", number,
                     PROPERTIES_KEY_BYTES_MAX, PROPERTIES_VALUE_BYTES_MAX);
}

static enum status parse_logical(struct span text, struct buf *out, struct property *property,
                                 struct error *err)
{
    size_t used;
    buf_reset(out);
    if (!unescape_until(text, true, out, &used)) {
        return error_set(err, STATUS_INVALID, "line %d: a broken \\u escape", property->line);
    }
    size_t key_len = out->len;
    text = properties_skip_space(span_skip(text, used));
    if (text.len > 0 && (text.ptr[0] == '=' || text.ptr[0] == ':')) {
        text = properties_skip_space(span_skip(text, 1));
    }
    if (!unescape_until(text, false, out, &used)) {
        return error_set(err, STATUS_INVALID, "line %d: a broken \\u escape", property->line);
    }
    if (!buf_ok(out) || key_len > PROPERTIES_KEY_BYTES_MAX ||
        out->len - key_len > PROPERTIES_VALUE_BYTES_MAX) {
        return line_too_long(out, property->line, err);
    }
    property->key = span_first(buf_span(out), key_len);
    property->value = span_skip(buf_span(out), key_len);
    return STATUS_OK;
}

enum status properties_read(struct span text,
                            enum status (*visit)(void *ctx, const struct property *property,
                                                 struct error *err),
                            void *ctx, struct error *err)
{
    struct reader reader = {.rest = text};
    struct buf plain;
    enum status status = STATUS_OK;
    if (!span_is_utf8(text)) {
        return error_set(err, STATUS_INVALID, "not a text file in UTF-8");
    }
    if (span_starts_with(text, SPAN_LIT("\xef\xbb\xbf"))) {
        reader.rest = span_skip(text, 3);
    }
    buf_init(&reader.logical, PROPERTIES_BYTES_MAX);
    buf_init(&plain, PROPERTIES_BYTES_MAX);
    while (reader.rest.len > 0 && status == STATUS_OK) {
        struct span line = properties_skip_space(next_line(&reader));
        struct property property = {.line = reader.line};
        if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == '!') {
            continue;
        }
        read_logical(&reader, line);
        status = buf_ok(&reader.logical)
                     ? parse_logical(buf_span(&reader.logical), &plain, &property, err)
                     : line_too_long(&reader.logical, property.line, err);
        if (status == STATUS_OK) {
            status = visit(ctx, &property, err);
        }
    }
    buf_release(&reader.logical);
    buf_release(&plain);
    return status;
}
